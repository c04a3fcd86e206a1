/* SPDX-License-Identifier: Apache-2.0 */
/* The provisioning application's instructions, and what its words mean. */
#include "agent/icc.h"

#include "proto/base/log.h"
#include "proto/base/secret.h"

#define CLA_OWN 0x80
#define P2_HOLDER 0x80  /* the holder's PIN, SP 800-73-4 part 2, 3.2.1 */
#define PIV_PIN_BYTES 8 /* padded with FF */
#define SMALL_MAX 4096  /* PIN INFO, LIST PUBLIC, capabilities */

struct meaning {
	uint8_t ins; /* 0: any */
	uint16_t mask, sw;
	enum cw_err err;
};

/* The first row that fits counts. docs/protocol.md "APDU binding". */
static const struct meaning meanings[] = {
	{ 0, 0xffff, CW_SW_OK, CW_OK },
	{ CW_INS_SELECT, 0xffff, CW_SW_NOT_FOUND, CW_ERR_WRONG_CARD },
	{ CW_INS_SELECT, 0xffff, CW_SW_FUNCTION, CW_ERR_WRONG_CARD },
	{ CW_INS_SELECT, 0xffff, CW_SW_WRONG_P1P2, CW_ERR_WRONG_CARD },
	{ CW_INS_SELECT, 0xffff, CW_SW_WRONG_INS, CW_ERR_WRONG_CARD },
	{ CW_INS_SELECT, 0xffff, CW_SW_WRONG_CLA, CW_ERR_WRONG_CARD },
	{ CW_INS_OPEN_SESSION, 0xffff, CW_SW_NO_SESSION, CW_ERR_BAD_NONCE },
	{ CW_INS_OPEN_SESSION, 0xffff, CW_SW_FULL, CW_ERR_TOO_MANY_SESSIONS },
	{ CW_INS_COMMAND, 0xffff, CW_SW_BAD_SIGNATURE, CW_ERR_BAD_CIPHERTEXT },
	{ CW_INS_SET_PIN, 0xffff, CW_SW_BAD_DATA, CW_ERR_BAD_POLICY },
	{ CW_INS_STATUS, 0xffff, CW_SW_NOT_FOUND, CW_ERR_NO_SESSION },
	{ CW_INS_VERIFY, 0xffff, CW_SW_BAD_DATA, CW_ERR_PIN_FORMAT },
	{ CW_INS_GET_CAPABILITIES, 0xffff, CW_SW_NO_SESSION,
	    CW_ERR_NOT_PERSONALISED },
	/* The holder's instructions. */
	{ CW_INS_READ_KEY, 0xffff, CW_SW_NOT_FOUND, CW_ERR_NO_SUCH_KEY },
	{ CW_INS_USE_KEY, 0xffff, CW_SW_NOT_FOUND, CW_ERR_NO_SUCH_KEY },
	{ CW_INS_USE_KEY, 0xffff, CW_SW_NO_SESSION, CW_ERR_WRONG_USE },
	{ CW_INS_USE_KEY, 0xffff, CW_SW_BAD_DATA, CW_ERR_NOT_DECRYPTED },
	{ CW_INS_EXPORT_KEY, 0xffff, CW_SW_NOT_FOUND, CW_ERR_NO_SUCH_KEY },
	{ CW_INS_EXPORT_KEY, 0xffff, CW_SW_NO_SESSION, CW_ERR_NOT_EXPORTABLE },
	{ CW_INS_DELETE, 0xffff, CW_SW_NOT_FOUND, CW_ERR_NO_SUCH_KEY },
	{ CW_INS_DELETE, 0xffff, CW_SW_NO_SESSION, CW_ERR_ISSUER_DELETES },
	{ CW_INS_CHANGE_KEY_PIN, 0xffff, CW_SW_NOT_FOUND, CW_ERR_NO_SUCH_KEY },
	{ CW_INS_CHANGE_KEY_PIN, 0xffff, CW_SW_NO_SESSION, CW_ERR_PIN_FIXED },
	{ CW_INS_CHANGE_KEY_PIN, 0xffff, CW_SW_BAD_DATA, CW_ERR_PIN_IN_USE },
	{ CW_INS_UNBLOCK_KEY, 0xffff, CW_SW_NOT_FOUND, CW_ERR_NO_SUCH_KEY },
	{ CW_INS_UNBLOCK_KEY, 0xffff, CW_SW_NO_SESSION, CW_ERR_PIN_FIXED },
	{ CW_INS_UNBLOCK_KEY, 0xffff, CW_SW_BAD_DATA, CW_ERR_PIN_IN_USE },
	{ CW_INS_ATTEST_OFFLINE, 0xffff, CW_SW_NOT_FOUND, CW_ERR_NO_SUCH_KEY },
	{ CW_INS_ATTEST_OFFLINE, 0xffff, CW_SW_NO_SESSION, CW_ERR_WRONG_USE },
	{ CW_INS_ATTEST_OFFLINE, 0xffff, CW_SW_PIN_NEEDED, CW_ERR_NO_SUCH_PIN },
	{ CW_INS_CHANGE_PIN, 0xffff, CW_SW_BAD_DATA, CW_ERR_PIN_FORMAT },
	{ CW_INS_CHANGE_PIN, 0xffff, CW_SW_PIN_NEEDED, CW_ERR_NO_SUCH_PIN },
	{ CW_INS_RESET_RETRY, 0xffff, CW_SW_BAD_DATA, CW_ERR_PIN_FORMAT },
	{ CW_INS_RESET_RETRY, 0xffff, CW_SW_PIN_NEEDED, CW_ERR_NO_SUCH_PIN },
	{ 0, 0xfff0, CW_SW_TRIES_LEFT, CW_ERR_PIN_WRONG },
	{ 0, 0xffff, CW_SW_BLOCKED, CW_ERR_PIN_BLOCKED },
	{ 0, 0xffff, CW_SW_NO_SESSION, CW_ERR_NO_SESSION },
	{ 0, 0xffff, CW_SW_BAD_SIGNATURE, CW_ERR_BAD_SIGNATURE },
	{ 0, 0xffff, CW_SW_STORAGE, CW_ERR_CARD_STORAGE },
	{ 0, 0xffff, CW_SW_FULL, CW_ERR_CARD_FULL },
};

static enum cw_err
meaning(struct cw_icc *card)
{
	enum cw_err err = CW_ERR_CARD_SAYS;

	for (size_t i = 0; i < sizeof(meanings) / sizeof(meanings[0]); i++) {
		const struct meaning *m = &meanings[i];

		if ((m->ins == 0 || m->ins == card->ins) &&
		    (card->sw & m->mask) == m->sw) {
			err = m->err;
			break;
		}
	}
	if (err == CW_ERR_PIN_WRONG)
		card->tries_left = card->sw & 0x0f;
	if (err != CW_OK && card->sw != CW_SW_PIN_NEEDED)
		cw_log(CW_LOG_INFO, "card.refused", "ins=%02x sw=%04x name=%s",
		    card->ins, card->sw, cw_err_name(err));
	return err;
}

enum cw_err
cw_icc_call(struct cw_icc *card, const struct cw_apdu *apdu, struct cw_buf *out)
{
	enum cw_err err = cw_icc_exchange(card, apdu, out);

	return err != CW_OK ? err : meaning(card);
}

enum cw_err
cw_icc_call_own(struct cw_icc *card, enum cw_ins ins, struct cw_bytes data,
    struct cw_buf *out)
{
	const struct cw_apdu apdu = {
		.cla = CLA_OWN,
		.ins = (uint8_t)ins,
		.data = data,
		.le = CW_LE_EXTENDED,
	};

	return cw_icc_call(card, &apdu, out);
}

enum cw_err
cw_icc_begin(struct cw_icc *card)
{
	const struct cw_apdu select = {
		.ins = CW_INS_SELECT,
		.p1 = 0x04, /* by name; P2 00: first, with or without answer */
		.data = cw_bytes((const uint8_t *)CW_AID, CW_AID_BYTES),
		.le = CW_LE_SHORT,
	};
	enum cw_err err = card->reader->ops->begin(card->reader);
	struct cw_buf answer;

	if (err != CW_OK)
		return err;
	card->is_begun = true;
	cw_buf_init(&answer, SMALL_MAX);
	err = cw_icc_call(card, &select, &answer);
	cw_buf_wipe(&answer);
	if (err != CW_OK)
		cw_icc_end(card);
	return err;
}

void
cw_icc_end(struct cw_icc *card)
{
	if (!card->is_begun)
		return;
	card->reader->ops->end(card->reader, card->is_authenticated);
	card->is_begun = false;
	card->is_authenticated = false;
}

enum cw_err
cw_icc_capabilities(struct cw_icc *card, struct cw_buf *out)
{
	return cw_icc_call_own(card, CW_INS_GET_CAPABILITIES, CW_BYTES_NONE,
	    out);
}

enum cw_err
cw_icc_open_session(struct cw_icc *card, struct cw_bytes request,
    struct cw_buf *message_4)
{
	return cw_icc_call_own(card, CW_INS_OPEN_SESSION, request, message_4);
}

enum cw_err
cw_icc_command(struct cw_icc *card,
    const uint8_t session_id[CW_SESSION_ID_BYTES], struct cw_bytes command,
    struct cw_buf *reply, bool *pin_needed)
{
	struct cw_buf data;
	enum cw_err err;

	*pin_needed = false;
	cw_buf_init(&data, CW_SESSION_ID_BYTES + CW_COMMAND_MAX);
	cw_buf_put(&data, cw_bytes(session_id, CW_SESSION_ID_BYTES));
	cw_buf_put(&data, command);
	err = data.err;
	if (err == CW_OK)
		err = cw_icc_call_own(card, CW_INS_COMMAND, cw_buf_bytes(&data),
		    reply);
	cw_buf_wipe(&data);
	if (err == CW_ERR_CARD_SAYS && card->sw == CW_SW_PIN_NEEDED) {
		*pin_needed = true;
		return CW_OK;
	}
	return err;
}

enum cw_err
cw_icc_pin_info(struct cw_icc *card, struct cw_pin_info *out)
{
	struct cw_buf answer;
	enum cw_err err;

	cw_buf_init(&answer, SMALL_MAX);
	err = cw_icc_call_own(card, CW_INS_PIN_INFO, CW_BYTES_NONE, &answer);
	if (err == CW_OK)
		err = cw_pin_info_decode(cw_buf_bytes(&answer), out);
	cw_buf_wipe(&answer);
	return err;
}

enum cw_err
cw_icc_set_pin(struct cw_icc *card, const struct cw_set_pin *set)
{
	struct cw_buf data;
	struct cw_buf answer;
	enum cw_err err;

	cw_buf_init(&data, SMALL_MAX);
	cw_buf_init(&answer, SMALL_MAX);
	cw_set_pin_encode(set, &data);
	err = data.err;
	if (err == CW_OK)
		err = cw_icc_call_own(card, CW_INS_SET_PIN, cw_buf_bytes(&data),
		    &answer);
	cw_buf_wipe(&data);
	cw_buf_wipe(&answer);
	return err;
}

enum cw_err
cw_icc_verify(struct cw_icc *card, struct cw_bytes pin)
{
	uint8_t padded[PIV_PIN_BYTES];
	const struct cw_apdu apdu = {
		.ins = CW_INS_VERIFY,
		.p2 = P2_HOLDER,
		.data = CW_BYTES_ARRAY(padded),
	};
	struct cw_buf answer;
	enum cw_err err;

	if (pin.len == 0 || pin.len > sizeof(padded))
		return CW_ERR_PIN_LENGTH;
	memset(padded, 0xff, sizeof(padded));
	memcpy(padded, pin.ptr, pin.len);
	cw_buf_init(&answer, SMALL_MAX);
	/* From here on the card may be authenticated, whatever it answers. */
	card->is_authenticated = true;
	err = cw_icc_call(card, &apdu, &answer);
	/* A PIN that was refused leaves nothing to be reset, and a reset would
	 * cost the nonce. */
	if (err == CW_ERR_PIN_WRONG || err == CW_ERR_PIN_BLOCKED)
		card->is_authenticated = false;
	cw_buf_wipe(&answer);
	cw_wipe(padded, sizeof(padded));
	return err;
}

enum cw_err
cw_icc_status(struct cw_icc *card, struct cw_bytes origin, struct cw_buf *out,
    struct cw_status *status)
{
	struct cw_buf query;
	enum cw_err err;

	cw_buf_init(&query, SMALL_MAX);
	cw_status_query_encode(origin, &query);
	err = query.err;
	if (err == CW_OK)
		err = cw_icc_call_own(card, CW_INS_STATUS, cw_buf_bytes(&query),
		    out);
	if (err == CW_OK)
		err = cw_status_decode(cw_buf_bytes(out), status);
	cw_buf_wipe(&query);
	return err;
}

enum cw_err
cw_icc_abort(struct cw_icc *card, const uint8_t session_id[CW_SESSION_ID_BYTES])
{
	struct cw_buf answer;
	enum cw_err err;

	cw_buf_init(&answer, SMALL_MAX);
	err = cw_icc_call_own(card, CW_INS_ABORT,
	    cw_bytes(session_id, CW_SESSION_ID_BYTES), &answer);
	cw_buf_wipe(&answer);
	return err;
}

enum cw_err
cw_icc_list_public(struct cw_icc *card,
    struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX], size_t *n)
{
	struct cw_buf answer;
	enum cw_err err;

	*n = 0;
	cw_buf_init(&answer, SMALL_MAX);
	err = cw_icc_call_own(card, CW_INS_LIST_PUBLIC, CW_BYTES_NONE, &answer);
	if (err == CW_OK)
		err = cw_list_public_decode(cw_buf_bytes(&answer), slots, n);
	cw_buf_wipe(&answer);
	return err;
}
