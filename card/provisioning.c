/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The provisioning application (docs/protocol.md "APDU"): its table, and the
 * instructions that need no file of their own.
 */
#include "card/inner.h"
#include "proto/base/secret.h"
#include "proto/intent.h"

/* What this card makes and verifies: docs/card.md "Algorithms". */
static void
make_caps(const struct cw_card *card, struct cw_buf *out)
{
	struct cw_card_caps caps = {
		.n_suites = 2,
		.suites = { 1, 2 },
		.n_algs = 3,
		.algs = { CW_ALG_ESP256, CW_ALG_ESP384, CW_ALG_ED25519 },
		.n_key_types = 6,
		.key_types = { CW_KEY_P256, CW_KEY_P384, CW_KEY_RSA2048,
		    CW_KEY_RSA3072, CW_KEY_ED25519, CW_KEY_X25519 },
		.n_modes = 3,
		.modes = { CW_MODE_IDENTIFIED, CW_MODE_PSEUDONYMOUS,
		    CW_MODE_ANONYMOUS },
		.keys_max = card->keys_max,
		.command_max = CW_COMMAND_MAX,
	};

	memcpy(caps.nonce, card->ram.nonce, sizeof(caps.nonce));
	cw_card_caps_encode(&caps, out);
}

/*
 * The nonce is in RAM only, and stays until OPEN SESSION has used it or the
 * card is reset: asking costs no write. Who asks is about to open a session:
 * PIN INFO is then about the holder's PIN, not about what a command of another
 * session, whose agent has gone away, still waits for.
 */
static uint16_t
get_capabilities(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_card_ram *ram = &card->ram;

	if (apdu->data.len != 0)
		return CW_SW_WRONG_LENGTH;
	if (!cw_card_is_personalised(card))
		return CW_SW_NO_SESSION;
	if (!ram->has_nonce) {
		cw_random(ram->nonce, sizeof(ram->nonce));
		cw_buf_reset(&ram->caps);
		make_caps(card, &ram->caps);
		if (ram->caps.err != CW_OK)
			return CW_SW_INTERNAL;
		ram->has_nonce = true;
	}
	ram->pin_needed = false;
	cw_buf_put(out, cw_buf_bytes(&ram->caps));
	return CW_SW_OK;
}

static uint16_t
list_public(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX];
	const struct cw_card_key *key;
	size_t n = 0;

	if (apdu->data.len != 0)
		return CW_SW_WRONG_LENGTH;
	for (key = card->state->objects.keys; key != NULL; key = key->next)
		if (key->attributes.slot != 0 && n < CW_PUBLIC_SLOTS_MAX)
			slots[n++] = (struct cw_public_slot){
				.slot = key->attributes.slot,
				.type = key->attributes.type,
				.has_certificate = key->chain.len > 0,
			};
	cw_list_public_encode(slots, n, out);
	return CW_SW_OK;
}

static uint16_t
personalise(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	(void)out;
	return cw_card_sw(cw_card_personalise(card, apdu->data));
}

/*
 * The holder's right, proven by the holder's PIN, unless PIN and PUK are
 * blocked. Where no such PIN is set, whoever has the card may: keys outside the
 * PIV slots may have PINs and rules for deletion of their own, but whoever has
 * the card could block those PINs as well, and somebody must be able to begin
 * again. Counters stay, because they only rise, and so does the
 * personalisation.
 */
uint16_t
cw_card_reset_everything(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_card_state *state = card->state;
	enum cw_err err;

	(void)out;
	if (apdu->data.len != 0)
		return CW_SW_WRONG_LENGTH;
	if (cw_card_pin_is_set(&state->pin) && !card->ram.pin_verified &&
	    (state->pin.tries > 0 || state->puk.tries > 0))
		return CW_SW_SECURITY;
	while (state->sessions != NULL)
		cw_card_session_drop(card, state->sessions);
	cw_card_objects_wipe(&state->objects);
	cw_wipe(&state->pin, sizeof(state->pin));
	cw_wipe(&state->puk, sizeof(state->puk));
	cw_random(state->guid, sizeof(state->guid));
	err = cw_card_commit(card, CW_CARD_USE_RESERVE);
	if (err == CW_OK) {
		card->ram.pin_verified = false;
		card->ram.pin_needed = false;
	}
	return cw_card_sw(err);
}

static uint16_t
select(struct cw_card *card, struct cw_buf *out)
{
	(void)card;
	(void)out;
	return CW_SW_OK;
}

static const struct cw_card_instruction instructions[] = {
	{ 0x80, CW_INS_GET_CAPABILITIES, 0, get_capabilities },
	{ 0x80, CW_INS_OPEN_SESSION, CW_CARD_CHAIN, cw_card_open_session },
	{ 0x80, CW_INS_COMMAND, CW_CARD_CHAIN, cw_card_command },
	{ 0x80, CW_INS_PIN_INFO, 0, cw_card_get_pin_info },
	{ 0x80, CW_INS_SET_PIN, CW_CARD_CHAIN, cw_card_put_pin },
	{ 0x80, CW_INS_STATUS, CW_CARD_CHAIN, cw_card_get_status },
	{ 0x80, CW_INS_ABORT, 0, cw_card_abort },
	{ 0x80, CW_INS_LIST_PUBLIC, 0, list_public },
	{ 0x80, CW_INS_ATTEST_OFFLINE, CW_CARD_CHAIN, cw_card_attest_offline },
	{ 0x80, CW_INS_READ_KEY, 0, cw_card_read_key },
	{ 0x80, CW_INS_USE_KEY, CW_CARD_CHAIN, cw_card_use_key },
	{ 0x80, CW_INS_READ_EXTENSION, CW_CARD_CHAIN, cw_card_read_extension },
	{ 0x80, CW_INS_WRITE_PROPERTY, CW_CARD_CHAIN, cw_card_write_property },
	{ 0x80, CW_INS_EXPORT_KEY, 0, cw_card_export_key },
	{ 0x80, CW_INS_CHANGE_KEY_PIN, 0, cw_card_change_key_pin },
	{ 0x80, CW_INS_UNBLOCK_KEY, 0, cw_card_unblock_key },
	{ 0x80, CW_INS_DELETE, 0, cw_card_delete_key },
	{ 0x80, CW_INS_PERSONALISE, CW_CARD_CHAIN, personalise },
	{ 0x80, CW_INS_RESET_CARD, 0, cw_card_reset_everything },
	{ 0x00, CW_INS_VERIFY, CW_CARD_FRESH, cw_card_verify },
	{ 0x00, CW_INS_CHANGE_PIN, 0, cw_card_change_pin },
	{ 0x00, CW_INS_RESET_RETRY, 0, cw_card_reset_retry },
};

static const uint8_t aid[] = { 0xF0, 'C', 'A', 'R', 'D', 'W', 'R', 'I', 'G',
	'H', 'T', 0x01 };

const struct cw_card_application cw_card_provisioning = {
	.aid = { aid, sizeof(aid) },
	.aid_shortest = sizeof(aid),
	.instructions = instructions,
	.n_instructions = sizeof(instructions) / sizeof(instructions[0]),
	.select = select,
};
