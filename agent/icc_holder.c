/* SPDX-License-Identifier: Apache-2.0 */
/* The holder's instructions. */
#include "agent/icc_holder.h"

#include "proto/base/secret.h"

#define PADDED 8 /* a value of the card's, SP 800-73-4 part 2, 3.2.2 */
#define SMALL_MAX 4096

enum cw_err
cw_icc_read_key(struct cw_icc *card, uint32_t handle, struct cw_buf *out,
    struct cw_held_key *key)
{
	const struct cw_key_request q = { .handle = handle };
	enum cw_err err;

	cw_buf_reset(out);
	err = cw_icc_hold(card, CW_INS_READ_KEY, &q, out);
	return err == CW_OK ? cw_held_key_decode(cw_buf_bytes(out), key) : err;
}

enum cw_err
cw_icc_hold(struct cw_icc *card, enum cw_ins ins,
    const struct cw_key_request *q, struct cw_buf *out)
{
	struct cw_buf data;
	enum cw_err err;

	cw_buf_init(&data, CW_USE_MAX + SMALL_MAX);
	cw_key_request_encode(ins, q, &data);
	err = data.err;
	if (err == CW_OK)
		err = cw_icc_call_own(card, ins, cw_buf_bytes(&data), out);
	cw_buf_wipe(&data);
	return err;
}

/* Both values, each padded with FF. Whatever the card answers, it may be
 * authenticated from here on. */
static enum cw_err
two_values(struct cw_icc *card, enum cw_ins ins, enum cw_icc_reference p2,
    struct cw_bytes first, struct cw_bytes second)
{
	uint8_t padded[2 * PADDED];
	const struct cw_apdu apdu = {
		.ins = (uint8_t)ins,
		.p2 = (uint8_t)p2,
		.data = CW_BYTES_ARRAY(padded),
	};
	struct cw_buf answer;
	enum cw_err err;

	if (first.len == 0 || first.len > PADDED || second.len == 0 ||
	    second.len > PADDED)
		return CW_ERR_PIN_LENGTH;
	memset(padded, 0xff, sizeof(padded));
	memcpy(padded, first.ptr, first.len);
	memcpy(padded + PADDED, second.ptr, second.len);
	cw_buf_init(&answer, SMALL_MAX);
	card->is_authenticated = true;
	err = cw_icc_call(card, &apdu, &answer);
	cw_buf_wipe(&answer);
	cw_wipe(padded, sizeof(padded));
	return err;
}

enum cw_err
cw_icc_change_pin(struct cw_icc *card, enum cw_icc_reference reference,
    struct cw_bytes old, struct cw_bytes fresh)
{
	return two_values(card, CW_INS_CHANGE_PIN, reference, old, fresh);
}

enum cw_err
cw_icc_unblock_pin(struct cw_icc *card, struct cw_bytes puk,
    struct cw_bytes pin)
{
	return two_values(card, CW_INS_RESET_RETRY, CW_ICC_PIN, puk, pin);
}

enum cw_err
cw_icc_reset_card(struct cw_icc *card)
{
	struct cw_buf answer;
	enum cw_err err;

	cw_buf_init(&answer, SMALL_MAX);
	err = cw_icc_call_own(card, CW_INS_RESET_CARD, CW_BYTES_NONE, &answer);
	cw_buf_wipe(&answer);
	return err;
}
