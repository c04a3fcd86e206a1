/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards that are wrong in one thing each, about the holder's instructions; and
 * the check of the conformance kit that finds it (tests/support/wrong_card.h).
 * TIMEOUT: 180
 */
#include <stdlib.h>

#include "card/command.h"
#include "card/holder.h"
#include "proto/base/secret.h"
#include "tests/support/check.h"
#include "tests/support/wrong_card.h"

#define has cw_wrong_has
#define ins cw_wrong_ins

/* ---- PINs of keys ---- */

OTHERWISE(enum cw_err, cw_card_commit, struct cw_card *c,
    enum cw_card_room room)
{
	if ((has("key-tries-in-ram") && ins == CW_INS_USE_KEY) ||
	    (has("puk-tries-in-ram") && ins == CW_INS_UNBLOCK_KEY) ||
	    (has("new-pin-in-ram") && ins == CW_INS_CHANGE_KEY_PIN) ||
	    (has("property-in-ram") && ins == CW_INS_WRITE_PROPERTY) ||
	    (has("export-mark-in-ram") && ins == CW_INS_EXPORT_KEY))
		return CW_OK;
	return __real_cw_card_commit(c, room);
}

/* How values are compared: all of a PIN's 32 bytes, unused ones zero. */
OTHERWISE(bool, cw_secret_equal, struct cw_bytes a, struct cw_bytes b)
{
	if (has("any-puk") && ins == CW_INS_UNBLOCK_KEY)
		return true;
	if (has("key-pin-prefix") && ins == CW_INS_USE_KEY)
		return __real_cw_secret_equal(cw_bytes(a.ptr, 3),
		    cw_bytes(b.ptr, 3));
	return __real_cw_secret_equal(a, b);
}

OTHERWISE(uint16_t, cw_card_own_pin, struct cw_card *c,
    const struct cw_card_key *key, struct cw_bytes value)
{
	return has("use-without-pin") ? CW_SW_OK :
					__real_cw_card_own_pin(c, key, value);
}

/* ---- what keys do ---- */

OTHERWISE(enum cw_err, cw_sign, const struct cw_private_key *key,
    struct cw_bytes message, struct cw_buf *out)
{
	if (ins == CW_INS_USE_KEY && has("signs-something-else"))
		message = cw_bytes_str("something else");
	return __real_cw_sign(key, message, out);
}

OTHERWISE(enum cw_err, cw_key_rsa_sign, const struct cw_private_key *key,
    int32_t alg, struct cw_bytes message, struct cw_buf *out)
{
	return __real_cw_key_rsa_sign(key,
	    has("rsa-one-padding") ? CW_ALG_RS256 : alg, message, out);
}

OTHERWISE(enum cw_err, cw_key_rsa_decrypt, const struct cw_private_key *key,
    int32_t alg, struct cw_bytes ciphertext, struct cw_buf *out)
{
	enum cw_err err = __real_cw_key_rsa_decrypt(key, alg, ciphertext, out);

	return has("rsa-any-ciphertext") ? CW_OK : err;
}

OTHERWISE(enum cw_err, cw_key_ecdh, const struct cw_private_key *key,
    struct cw_bytes point, struct cw_buf *x)
{
	static const uint8_t zeros[32];
	enum cw_err err = __real_cw_key_ecdh(key, point, x);

	if (err == CW_OK || !has("points-unchecked"))
		return err;
	cw_buf_put(x, CW_BYTES_ARRAY(zeros));
	return CW_OK;
}

OTHERWISE(void, cw_hmac_sha256, struct cw_bytes key, struct cw_bytes message,
    uint8_t out[CW_HASH_BYTES])
{
	__real_cw_hmac_sha256(key, message, out);
	if (ins == CW_INS_USE_KEY && has("mac-wrong"))
		out[0] ^= 1;
}

OTHERWISE(void, cw_random, uint8_t *out, size_t len)
{
	__real_cw_random(out, len);
	if (ins == CW_INS_USE_KEY && has("use-nonce-fixed"))
		memset(out, 7, len);
}

OTHERWISE(enum cw_err, cw_aead_open, enum cw_alg alg,
    const uint8_t key[CW_AEAD_KEY_BYTES], struct cw_bytes nonce,
    struct cw_bytes aad, struct cw_bytes sealed, struct cw_buf *out)
{
	enum cw_err err =
	    __real_cw_aead_open(alg, key, nonce, aad, sealed, out);

	return ins == CW_INS_USE_KEY && has("tag-unchecked") ? CW_OK : err;
}

/* ---- statements outside a session ---- */

OTHERWISE(void, cw_offline_request_hash, struct cw_bytes subject,
    const struct cw_public_key *key, uint8_t out[CW_HASH_BYTES])
{
	/* Only what the card does, not what the kit compares. */
	__real_cw_offline_request_hash(has("attest-without-subject") ?
		cw_bytes_str("CN=Anybody") :
		subject,
	    key, out);
}

OTHERWISE(enum cw_err, cw_offline_statement_make,
    const struct cw_offline_statement *s, const struct cw_private_key *key,
    struct cw_buf *out)
{
	struct cw_offline_statement t = *s;

	t.challenge[0] ^= has("attest-without-challenge");
	t.attributes.usage ^= has("attest-other-usage") ? CW_USAGE_AGREE : 0;
	if (has("attest-by-batch-key"))
		key = cw_wrong_card->batch.key;
	return __real_cw_offline_statement_make(&t, key, out);
}

/* ---- before and after an APDU ---- */

static void
before_key(struct cw_card_key *key)
{
	struct cw_card_extension *e = key->extensions;

	if (has("export-all") && ins == CW_INS_EXPORT_KEY)
		key->attributes.exportable = true;
	if (has("export-unguarded"))
		key->attributes.export_guard = CW_GUARD_NONE;
	if (has("export-by-pin") &&
	    key->attributes.export_guard == CW_GUARD_PUK)
		key->attributes.export_guard = CW_GUARD_PIN;
	if (has("delete-unguarded"))
		key->attributes.delete_guard = CW_GUARD_NONE;
	if (has("delete-never-ignored") &&
	    key->attributes.delete_guard == CW_GUARD_NEVER)
		key->attributes.delete_guard = CW_GUARD_NONE;
	if (has("slots-used-here") && ins == CW_INS_USE_KEY)
		key->attributes.slot = 0;
	for (; e != NULL && has("confidential-to-all"); e = e->next)
		e->kind = CW_EXTENSION_PLAIN;
}

static void
before(void)
{
	struct cw_card_state *state = cw_wrong_card->state;
	struct cw_card_policy *policy = state->objects.policies;
	struct cw_card_key *key = state->objects.keys;
	struct cw_card_puk *puk = state->objects.puks;

	for (; key != NULL; key = key->next)
		before_key(key);
	for (; policy != NULL; policy = policy->next) {
		struct cw_card_group *group = policy->groups;

		if (has("every-pin-modifiable"))
			policy->modifiable = true;
		for (; group != NULL && has("key-tries-without-end");
		     group = group->next)
			group->pin.tries = 3;
	}
	for (; puk != NULL && has("puk-tries-without-end"); puk = puk->next)
		puk->pin.tries = 3;
	if (has("handles-again") && state->objects.keys == NULL)
		state->next_handle = 1;
	if (has("holder-not-asked"))
		cw_wrong_card->ram.pin_verified = true;
}

static void
after(struct cw_buf *response)
{
	struct cw_card_policy *policy = cw_wrong_card->state->objects.policies;
	struct cw_card_key *key = cw_wrong_card->state->objects.keys;
	bool refused = response->len == 2 && response->ptr[0] == 0x69 &&
	    response->ptr[1] == 0x85;

	if (has("refusals-cost-tries") && refused && policy != NULL &&
	    policy->groups != NULL)
		policy->groups->pin.tries--;
	for (; key != NULL && has("copies-unmarked"); key = key->next)
		key->exported = false;
	if (has("copies-garbled") && ins == CW_INS_EXPORT_KEY &&
	    response->len > 2)
		response->ptr[response->len - 3] ^= 1;
}

static const struct cw_wrong_card cards[] = {
#define WRONG_CARD(flaw, check) { flaw, check },
#include "tests/unit/conformance/wrong_holder.def"
#undef WRONG_CARD
};

int
main(void)
{
	static const struct cw_wrong_hooks hooks = { before, after };

	return cw_wrong_cards_main(cards, COUNT(cards), &hooks);
}
