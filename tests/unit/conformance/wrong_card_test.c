/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards that are wrong in one thing each, and the check of the conformance kit
 * that finds it. A flaw is the reference card with one of its functions done
 * otherwise (wrong_card_test.wrap), or with something done to it before or
 * after an APDU.
 * TIMEOUT: 120
 */
#include <stdlib.h>

#include "card/command.h"
#include "proto/base/secret.h"
#include "tests/support/check.h"
#include "tests/support/wrong_card.h"

#define has cw_wrong_has
#define ins cw_wrong_ins

/* ---- keys, random numbers, requests ---- */

OTHERWISE(void, cw_random, uint8_t *out, size_t len)
{
	__real_cw_random(out, len);
	if (has("nonce-fixed") && len == CW_NONCE_BYTES)
		memset(out, 7, len);
}

OTHERWISE(enum cw_err, cw_key_generate, enum cw_key_type type,
    struct cw_private_key **out)
{
	static const uint8_t scalar[32] = { 0x40, 1, 2, 3 };

	if (ins == CW_INS_OPEN_SESSION && has("ephemeral-fixed"))
		return cw_key_from_scalar(type, scalar, out);
	return __real_cw_key_generate(type, out);
}

OTHERWISE(enum cw_err, cw_agree, const struct cw_private_key *key,
    const struct cw_public_key *peer, uint8_t z[32])
{
	enum cw_err err = __real_cw_agree(key, peer, z);

	if (err == CW_ERR_BAD_KEY && has("agreement-unchecked")) {
		memset(z, 0, 32);
		return CW_OK;
	}
	return err;
}

OTHERWISE(enum cw_err, cw_request_verify, struct cw_bytes in,
    struct cw_request *out)
{
	return has("request-unverified") || has("curve-unchecked") ?
	    cw_request_decode(in, out) :
	    __real_cw_request_verify(in, out);
}

OTHERWISE(enum cw_err, cw_request_decode, struct cw_bytes in,
    struct cw_request *out)
{
	enum cw_err err = __real_cw_request_decode(in, out);

	/* All of R is read before its curve is looked at. */
	if (err == CW_ERR_BAD_KEY && has("curve-unchecked")) {
		struct cw_private_key *some = NULL;

		err = __real_cw_key_generate(out->suite->agreement, &some);
		if (err == CW_OK)
			cw_key_public(some, &out->issuer_ephemeral);
		cw_key_free(&some);
	}
	if (has("caps-unchecked"))
		cw_hash(cw_buf_bytes(&cw_wrong_card->ram.caps), out->caps_hash);
	return err;
}

/* Only R's mode is a number of 1 to 3 there. */
OTHERWISE(uint64_t, cw_cbor_uint, struct cw_cbor_reader *r, uint64_t least,
    uint64_t most)
{
	uint64_t n;

	if (ins != CW_INS_OPEN_SESSION || least != 1 ||
	    most != CW_MODE_ANONYMOUS || !has("mode-unchecked"))
		return __real_cw_cbor_uint(r, least, most);
	n = __real_cw_cbor_uint(r, least, UINT32_MAX);
	return n < most ? n : most;
}

OTHERWISE(enum cw_err, cw_cose_sign1_verify, const struct cw_cose_sign1 *sign1,
    const struct cw_public_key *key, struct cw_bytes external_aad)
{
	struct cw_cose_sign1 other = *sign1;

	if (has("alg-unchecked"))
		other.alg = cw_key_type_info((uint64_t)key->type)->alg;
	return __real_cw_cose_sign1_verify(&other, key, external_aad);
}

OTHERWISE(enum cw_err, cw_cbor_finish, struct cw_cbor_reader *r)
{
	enum cw_err err = __real_cw_cbor_finish(r);

	return err == CW_ERR_TRAILING && has("trailing-ignored") ? CW_OK : err;
}

OTHERWISE(enum cw_err, cw_cose_sign1_decode, struct cw_bytes in,
    const char *typ, struct cw_cose_sign1 *out)
{
	enum cw_err err = __real_cw_cose_sign1_decode(in, typ, out);

	return err == CW_ERR_WRONG_LABEL && has("typ-ignored") ?
	    __real_cw_cose_sign1_decode(in, CW_TYP_GRANT, out) :
	    err;
}

/* ---- statements ---- */

OTHERWISE(enum cw_err, cw_token_statement_make,
    const struct cw_token_statement *s, const struct cw_private_key *key,
    struct cw_buf *out)
{
	struct cw_token_statement t = *s;

	t.th[0] ^= has("token-other-th");
	t.card_info_hash[0] ^= has("token-other-info");
	t.leaf_hash[0] ^= has("token-other-leaf");
	return __real_cw_token_statement_make(&t, key, out);
}

OTHERWISE(enum cw_err, cw_key_statement_make, const struct cw_key_statement *s,
    const struct cw_private_key *key, struct cw_buf *out)
{
	struct cw_key_statement t = *s;

	if (has("key-without-session"))
		memset(t.th, 0, sizeof(t.th));
	t.management_hash[0] ^= has("key-without-issuer");
	t.key_id += has("key-other-id");
	if (has("key-other-usage"))
		t.attributes.usage = CW_USAGE_SIGN | CW_USAGE_AGREE;
	if (has("key-other-slot"))
		t.attributes.slot = t.attributes.slot == 0 ? 0x9A : 0x9C;
	if (has("key-exportable"))
		t.attributes.exportable = true;
	if (has("key-other-key")) {
		struct cw_private_key *other = NULL;

		if (__real_cw_key_generate(t.key.type, &other) == CW_OK)
			cw_key_public(other, &t.key);
		cw_key_free(&other);
	}
	return __real_cw_key_statement_make(&t, key, out);
}

OTHERWISE(enum cw_err, cw_result_statement_make,
    const struct cw_result_statement *s, const struct cw_private_key *key,
    struct cw_buf *out)
{
	struct cw_result_statement *t = malloc(sizeof(*t));
	enum cw_err err;

	if (t == NULL)
		return CW_ERR_NO_MEMORY;
	*t = *s;
	t->h_end[0] ^= has("result-other-h");
	if (has("result-without-nonce"))
		memset(t->close_nonce, 0, sizeof(t->close_nonce));
	if (has("result-without-session"))
		memset(t->th, 0, sizeof(t->th));
	if (has("counter-fixed"))
		t->counter = 1;
	if (has("counter-in-mode-3"))
		t->has_counter = true;
	if (has("result-empty"))
		t->n_items = 0;
	if (has("result-first-only") && t->n_items > 1)
		t->n_items = 1;
	if (has("result-other-chain") && t->n_items > 0)
		t->items[0].hash[0] ^= 1;
	err = __real_cw_result_statement_make(t, key, out);
	free(t);
	return err;
}

OTHERWISE(void, cw_card_pseudonym, const struct cw_card *c,
    const uint8_t owner[CW_HASH_BYTES], uint8_t out[CW_HASH_BYTES])
{
	static const uint8_t nobody[CW_HASH_BYTES];

	__real_cw_card_pseudonym(c, has("pseudonym-global") ? nobody : owner,
	    out);
	if (has("pseudonym-random"))
		__real_cw_random(out, CW_HASH_BYTES);
}

OTHERWISE(const struct cw_card_attestor *, cw_card_attestor,
    const struct cw_card *c, enum cw_mode mode)
{
	if (has("own-key-in-mode-2"))
		return &c->own;
	return has("batch-key-in-mode-1") ? &c->batch :
					    __real_cw_card_attestor(c, mode);
}

/* ---- commands ---- */

OTHERWISE(bool, cw_scope_has_command, const struct cw_scope *scope,
    unsigned command)
{
	return has("scope-commands-ignored") ||
	    __real_cw_scope_has_command(scope, command);
}

OTHERWISE(bool, cw_scope_has_slot, const struct cw_scope *scope, unsigned slot)
{
	return has("scope-slots-ignored") ||
	    __real_cw_scope_has_slot(scope, slot);
}

OTHERWISE(struct cw_card_key *, cw_card_find_slot,
    const struct cw_card_objects *objects, uint8_t slot)
{
	struct cw_card_key *key = __real_cw_card_find_slot(objects, slot);
	const struct cw_card_session *s = cw_wrong_card->state->sessions;

	if (ins == CW_INS_COMMAND && has("slot-overwritten"))
		return NULL;
	for (; key == NULL && s != NULL && has("key-used-before-close");
	     s = s->next)
		key = __real_cw_card_find_slot(&s->objects, slot);
	return key;
}

OTHERWISE(bool, cw_card_has_id, const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id)
{
	return !has("id-unchecked") &&
	    __real_cw_card_has_id(objects, session, id);
}

OTHERWISE(enum cw_err, cw_cert_public_key, struct cw_bytes der,
    struct cw_public_key *out)
{
	enum cw_err err = __real_cw_cert_public_key(der, out);
	const struct cw_card_session *s;

	/* Whatever the certificate carries, it is the key's. */
	if (has("certificate-unchecked"))
		for (s = cw_wrong_card->state->sessions; s != NULL; s = s->next)
			if (s->objects.keys != NULL)
				*out = s->objects.keys->public_key;
	return err;
}

OTHERWISE(enum cw_err, cw_card_do_certificates, struct cw_card_job *job,
    const struct cw_command *command)
{
	enum cw_err err = __real_cw_card_do_certificates(job, command);

	if (err == CW_OK && has("commit-before-close"))
		cw_card_take_effect(job->card, job->session);
	return err;
}

OTHERWISE(enum cw_err, cw_card_do_close, struct cw_card_job *job,
    const struct cw_command *command)
{
	static const uint8_t none[] = { 0x81, 0x41, 0x00 };
	struct cw_card_key *key = job->session->objects.keys;

	for (; key != NULL && has("close-incomplete"); key = key->next)
		if (key->chain.len == 0)
			cw_buf_put(&key->chain, CW_BYTES_ARRAY(none));
	return __real_cw_card_do_close(job, command);
}

OTHERWISE(void, cw_card_take_effect, struct cw_card *c,
    struct cw_card_session *session)
{
	if (!has("commit-nothing"))
		__real_cw_card_take_effect(c, session);
}

OTHERWISE(enum cw_err, cw_card_do_list, struct cw_card_job *job,
    const struct cw_command *command)
{
	struct cw_card_key *key = job->card->state->objects.keys;

	for (; key != NULL && has("list-of-all"); key = key->next)
		memcpy(key->owner, job->session->owner, sizeof(key->owner));
	return __real_cw_card_do_list(job, command);
}

OTHERWISE(void, cw_card_session_end, struct cw_card *c,
    struct cw_card_session *session, enum cw_session_state state)
{
	if (state == CW_SESSION_ERROR && has("error-ends-nothing"))
		return;
	if (state == CW_SESSION_ERROR && has("no-rollback"))
		__real_cw_card_take_effect(c, session);
	__real_cw_card_session_end(c, session, state);
}

OTHERWISE(const struct cw_card_record *, cw_card_session_answered,
    const struct cw_card_session *session, struct cw_bytes command)
{
	return has("repeat-forgotten") ?
	    NULL :
	    __real_cw_card_session_answered(session, command);
}

OTHERWISE(struct cw_card_session *, cw_card_session_find,
    const struct cw_card *c, struct cw_bytes id)
{
	return ins == CW_INS_OPEN_SESSION && has("session-id-unchecked") ?
	    NULL :
	    __real_cw_card_session_find(c, id);
}

OTHERWISE(enum cw_err, cw_channel_open_command, const struct cw_channel *ch,
    unsigned i, struct cw_bytes sealed, struct cw_buf *plain)
{
	enum cw_err err = __real_cw_channel_open_command(ch, i, sealed, plain);

	return err == CW_ERR_BAD_CIPHERTEXT && has("order-ignored") ?
	    __real_cw_channel_open_command(ch, i + 1, sealed, plain) :
	    err;
}

/* ---- memory, PIN ---- */

OTHERWISE(enum cw_err, cw_card_commit, struct cw_card *c,
    enum cw_card_room room)
{
	if (ins == CW_INS_VERIFY &&
	    (has("tries-in-ram") || has("tries-after-comparison")))
		return CW_OK;
	if (has("reset-keeps-pin") && ins == CW_INS_RESET_CARD)
		cw_card_pin_set(&c->state->pin, cw_bytes_str(CW_TEST_PIN), 3);
	return __real_cw_card_commit(c, room);
}

OTHERWISE(void, cw_card_state_encode, const struct cw_card_state *state,
    struct cw_buf *out)
{
	struct cw_card_state copy = *state;

	if (has("sessions-in-ram"))
		copy.sessions = NULL;
	__real_cw_card_state_encode(&copy, out);
}

OTHERWISE(bool, cw_secret_equal, struct cw_bytes a, struct cw_bytes b)
{
	if (ins == CW_INS_VERIFY && has("pin-prefix"))
		return __real_cw_secret_equal(cw_bytes(a.ptr, 5),
		    cw_bytes(b.ptr, 5));
	return __real_cw_secret_equal(a, b);
}

OTHERWISE(enum cw_err, cw_pin_check, const struct cw_pin_rule *rule,
    struct cw_bytes pin)
{
	return has("pin-rule-ignored") ? CW_OK : __real_cw_pin_check(rule, pin);
}

/* ---- before and after an APDU ---- */

static uint8_t kept_nonce[CW_NONCE_BYTES], kept_guid[CW_CARD_GUID_BYTES];
static uint8_t kept_caps[1024];
static size_t kept_caps_len; /* 0: the nonce has been used */

static void
before(void)
{
	struct cw_card_state *state = cw_wrong_card->state;
	struct cw_card_session *s;
	struct cw_card_key *key;

	if (has("nonce-outlives-reset") && !cw_wrong_card->ram.has_nonce &&
	    kept_caps_len > 0) {
		memcpy(cw_wrong_card->ram.nonce, kept_nonce,
		    sizeof(kept_nonce));
		cw_buf_put(&cw_wrong_card->ram.caps,
		    cw_bytes(kept_caps, kept_caps_len));
		cw_wrong_card->ram.has_nonce = true;
	}
	memcpy(kept_nonce, cw_wrong_card->ram.nonce, sizeof(kept_nonce));
	memcpy(kept_guid, state->guid, sizeof(kept_guid));
	if (has("mode-1-without-pin") || has("reset-without-pin") ||
	    has("slots-without-pin") || has("pin-outlives-errors"))
		cw_wrong_card->ram.pin_verified = true;
	if (has("slots-without-pin") || has("9c-once"))
		cw_wrong_card->ram.pin_fresh = cw_wrong_card->ram.pin_verified;
	if (has("blocked-pin-tried") && ins == CW_INS_VERIFY &&
	    state->pin.tries == 0)
		state->pin.tries = 1;
	if (has("requests-forgotten") && ins == CW_INS_OPEN_SESSION)
		for (s = state->sessions; s != NULL; s = s->next)
			memset(s->request_hash, 0, sizeof(s->request_hash));
	if (has("sessions-without-limit") && ins == CW_INS_OPEN_SESSION)
		while (state->sessions != NULL)
			cw_card_session_drop(cw_wrong_card, state->sessions);
	for (s = state->sessions; s != NULL; s = s->next) {
		if (has("scope-keys-ignored"))
			s->scope.keys_max = CW_KEYS_MAX;
		if (has("limit-ignored"))
			s->command_limit = CW_COMMANDS_MAX;
		if (has("failures-uncounted"))
			s->failures = 0;
	}
	for (key = state->objects.keys; key != NULL; key = key->next)
		if (has("usage-ignored"))
			key->attributes.usage = 15;
}

static void
after(struct cw_buf *response)
{
	(void)response;
	if (has("nonce-kept") && ins == CW_INS_OPEN_SESSION) {
		memcpy(cw_wrong_card->ram.nonce, kept_nonce,
		    sizeof(kept_nonce));
		cw_wrong_card->ram.has_nonce = true;
	}
	kept_caps_len =
	    cw_wrong_card->ram.has_nonce ? cw_wrong_card->ram.caps.len : 0;
	if (kept_caps_len > 0)
		memcpy(kept_caps, cw_wrong_card->ram.caps.ptr, kept_caps_len);
	memcpy(kept_nonce, cw_wrong_card->ram.nonce, sizeof(kept_nonce));
	if (has("nonce-changes"))
		cw_wrong_card->ram.has_nonce = false;
	if (has("guid-fixed"))
		memcpy(cw_wrong_card->state->guid, kept_guid,
		    sizeof(kept_guid));
	if (has("tries-without-end"))
		cw_wrong_card->state->pin.tries = 3;
	if (has("tries-after-comparison") && ins == CW_INS_VERIFY)
		(void)__real_cw_card_commit(cw_wrong_card, CW_CARD_USE_RESERVE);
}

/* ---- the cards ---- */

static const struct cw_wrong_card cards[] = {
#define WRONG_CARD(flaw, check) { flaw, check },
#include "tests/unit/conformance/wrong_cards.def"
#undef WRONG_CARD
};

int
main(void)
{
	static const struct cw_wrong_hooks hooks = { before, after };

	return cw_wrong_cards_main(cards, COUNT(cards), &hooks);
}
