/* SPDX-License-Identifier: Apache-2.0 */
/* Taps between the agent and the card (the host), and between the web process
 * and the signer. */
#include <stdio.h>

#include "card/card.h"
#include "keys/signer_wire.h"
#include "proto/apdu.h"
#include "proto/card_link.h"
#include "proto/limits.h"
#include "tests/fields/world.h"

/* ---- the host ---- */

static const struct instruction {
	enum cw_ins ins;
	const char *command, *answer; /* rules; NULL: nothing of CBOR */
} instructions[] = {
	{ CW_INS_GET_CAPABILITIES, NULL, "card-caps" },
	{ CW_INS_OPEN_SESSION, "session-request", NULL },
	{ CW_INS_COMMAND, NULL, NULL },
	{ CW_INS_PIN_INFO, NULL, "pin-info" },
	{ CW_INS_SET_PIN, "set-pin", NULL },
	{ CW_INS_STATUS, "status-query", "status" },
	{ CW_INS_LIST_PUBLIC, NULL, "list-public" },
	{ CW_INS_READ_KEY, "read-key", "held-key" },
	{ CW_INS_USE_KEY, "use-key", NULL },
	{ CW_INS_READ_EXTENSION, "read-extension", NULL },
	{ CW_INS_WRITE_PROPERTY, "write-property", NULL },
	{ CW_INS_EXPORT_KEY, "export-key", NULL },
	{ CW_INS_CHANGE_KEY_PIN, "change-key-pin", NULL },
	{ CW_INS_UNBLOCK_KEY, "unblock-key", NULL },
	{ CW_INS_DELETE, "delete-key", NULL },
	{ CW_INS_ATTEST_OFFLINE, "attest-offline", "attested" },
	{ CW_INS_PERSONALISE, "personalisation", NULL },
};

static const struct instruction *
find(const struct cw_apdu *apdu)
{
	for (size_t i = 0; i < sizeof(instructions) / sizeof(instructions[0]);
	     i++)
		if (instructions[i].ins == apdu->ins && apdu->cla == 0x80)
			return &instructions[i];
	return NULL;
}

/* Status words with which a session goes on. */
static bool
goes_on(const struct cw_apdu *apdu, unsigned sw)
{
	return sw == CW_SW_OK || sw == CW_SW_PIN_NEEDED ||
	    (apdu->ins == CW_INS_STATUS && sw == CW_SW_NOT_FOUND) ||
	    apdu->ins == CW_INS_ABORT;
}

void __real_cw_card_transmit(struct cw_card *card, struct cw_bytes command,
    struct cw_buf *response);
void __wrap_cw_card_transmit(struct cw_card *card, struct cw_bytes command,
    struct cw_buf *response);

/* What the holder's PIN is asked with has other fields than a key's. */
static const char *
named(const char *rule, struct cw_bytes answer)
{
	struct cw_pin_info info;

	return strcmp(rule, "pin-info") == 0 &&
		cw_pin_info_decode(answer, &info) == CW_OK && info.policy != 0 ?
	    "pin-info (key)" :
	    rule;
}

static void
look(const struct cw_apdu *apdu, const char *rule, struct cw_buf *response)
{
	struct cw_buf data;
	unsigned sw = (unsigned)response->ptr[response->len - 2] << 8 |
	    response->ptr[response->len - 1];

	if (!goes_on(apdu, sw))
		cw_tap_found("card, status", sw);
	if (rule == NULL || sw != CW_SW_OK)
		return;
	cw_buf_init(&data, CW_RESPONSE_MAX);
	cw_buf_put(&data, cw_bytes(response->ptr, response->len - 2));
	cw_tap("host", named(rule, cw_buf_bytes(&data)), &data);
	cw_buf_reset(response);
	cw_buf_put(response, cw_buf_bytes(&data));
	cw_buf_put_u16be(response, (uint16_t)sw);
	cw_buf_wipe(&data);
}

void
__wrap_cw_card_transmit(struct cw_card *card, struct cw_bytes command,
    struct cw_buf *response)
{
	const struct instruction *in = NULL;
	struct cw_apdu apdu;
	struct cw_buf data, changed;

	if (cw_apdu_decode(command, &apdu) == CW_OK)
		in = find(&apdu);
	if (in == NULL) {
		__real_cw_card_transmit(card, command, response);
		return;
	}
	cw_buf_init(&data, CW_APDU_MAX);
	cw_buf_init(&changed, CW_APDU_MAX);
	cw_buf_put(&data, apdu.data);
	if (in->ins == CW_INS_OPEN_SESSION)
		cw_past_agent_take(&data);
	if (in->command != NULL)
		cw_tap("host", in->command, &data);
	apdu.data = cw_buf_bytes(&data);
	cw_apdu_encode(&apdu, &changed);
	__real_cw_card_transmit(card, cw_buf_bytes(&changed), response);
	look(&apdu, in->answer, response);
	cw_buf_wipe(&data);
	cw_buf_wipe(&changed);
}

/* ---- the web process and the signer ---- */

static const char *const packets[] = {
	[CW_SIGNER_SIGN] = "signer-sign",
	[CW_SIGNER_TOKEN] = "signer-token",
	[CW_SIGNER_CERTIFY] = "signer-certify",
	[CW_SIGNER_REVOKE] = "signer-revoke",
};

void __real_cw_signer_request_encode(const struct cw_signer_request *q,
    struct cw_buf *out);
void __wrap_cw_signer_request_encode(const struct cw_signer_request *q,
    struct cw_buf *out);

/* What does not decode would stop the signer, by this very function. */
void
__wrap_cw_signer_request_encode(const struct cw_signer_request *q,
    struct cw_buf *out)
{
	static struct cw_signer_request back;
	struct cw_buf changed;
	enum cw_err err;

	__real_cw_signer_request_encode(q, out);
	if (q->op >= sizeof(packets) / sizeof(packets[0]) ||
	    packets[q->op] == NULL)
		return;
	cw_buf_init(&changed, CW_SIGNER_PACKET_MAX);
	cw_buf_put(&changed, cw_buf_bytes(out));
	if (cw_tap("web", packets[q->op], &changed)) {
		err = cw_signer_request_decode(cw_buf_bytes(&changed), &back);
		cw_tap_error("signer", err);
		if (err == CW_OK) {
			cw_buf_reset(out);
			cw_buf_put(out, cw_buf_bytes(&changed));
		}
	}
	cw_buf_wipe(&changed);
}

enum cw_err __real_cw_signer_answer_open(struct cw_bytes packet, uint64_t id,
    struct cw_cbor_reader *r);
enum cw_err __wrap_cw_signer_answer_open(struct cw_bytes packet, uint64_t id,
    struct cw_cbor_reader *r);

enum cw_err
__wrap_cw_signer_answer_open(struct cw_bytes packet, uint64_t id,
    struct cw_cbor_reader *r)
{
	enum cw_err err = __real_cw_signer_answer_open(packet, id, r);

	if (err != CW_ERR_APPROVAL_PENDING)
		cw_tap_error("signer", err);
	return err;
}

enum cw_err __real_cw_signer_sign_request(struct cw_signer *signer,
    struct cw_bytes grant, const struct cw_request *fields,
    struct cw_buf *request, uint8_t tag[CW_TAG_BYTES]);
enum cw_err __wrap_cw_signer_sign_request(struct cw_signer *signer,
    struct cw_bytes grant, const struct cw_request *fields,
    struct cw_buf *request, uint8_t tag[CW_TAG_BYTES]);

/* Somebody has the management key: R is signed again after the signer. */
enum cw_err
__wrap_cw_signer_sign_request(struct cw_signer *signer, struct cw_bytes grant,
    const struct cw_request *fields, struct cw_buf *request,
    uint8_t tag[CW_TAG_BYTES])
{
	enum cw_err err =
	    __real_cw_signer_sign_request(signer, grant, fields, request, tag);

	if (err == CW_OK)
		cw_request_tap(request);
	return err;
}
