/* SPDX-License-Identifier: Apache-2.0 */
/* Step 6 at the signer: what is refused, and what is certified once. */
#include "tests/support/check.h"

#include <stdio.h>

#include "keys/certmaker.h"
#include "proto/base/secret.h"
#include "tests/support/keys_desk.h"

static struct cw_keys_desk *const desk = &cw_keys_desk;

/* The key statement again, with this changed. */
static void
restate(struct cw_keys_session *x,
    void (*change)(struct cw_key_statement *statement))
{
	struct cw_key_statement s =
	    cw_keys_session_key(x, &desk->state.management_public, 1);

	change(&s);
	cw_keys_session_state(x, &s);
}

/* ---- step 6 ---- */

static void
verdict_of_other(struct cw_keys_session *x)
{
	x->verdict = cw_keys_other.verdict;
}

static void
verdict_key(struct cw_keys_session *x)
{
	x->verdict.attestation.key = desk->state.management_public;
}

static void
verdict_model(struct cw_keys_session *x)
{
	x->verdict.attestation.model[0] = 'X';
}

static void
verdict_pseudonym(struct cw_keys_session *x)
{
	x->verdict.has_pseudonym = true;
}

static void
to_th(struct cw_key_statement *s)
{
	memcpy(s->th, cw_keys_other.th, CW_HASH_BYTES);
}

static void
to_management(struct cw_key_statement *s)
{
	s->management_hash[0] ^= 1;
}

static void
to_mode(struct cw_key_statement *s)
{
	s->mode = CW_MODE_ANONYMOUS;
}

static void
to_leaf(struct cw_key_statement *s)
{
	s->leaf_hash[0] ^= 1;
}

static void
to_usage(struct cw_key_statement *s)
{
	s->attributes.usage |= CW_USAGE_AGREE;
}

static void
to_slot(struct cw_key_statement *s)
{
	s->attributes.slot = 0x9c;
}

static void
to_imported(struct cw_key_statement *s)
{
	s->attributes.origin = CW_ORIGIN_IMPORTED;
}

static void
to_exportable(struct cw_key_statement *s)
{
	s->attributes.exportable = true;
}

static void
to_ed25519(struct cw_key_statement *s)
{
	struct cw_private_key *key;

	assert_err(cw_key_generate(CW_KEY_ED25519, &key), CW_OK);
	cw_key_public(key, &s->key);
	cw_key_free(&key);
	s->attributes.type = CW_KEY_ED25519;
}

static void
to_bad_point(struct cw_key_statement *s)
{
	s->key.y[31] ^= 1;
}

static void
signed_by_other_card(struct cw_keys_session *x)
{
	struct cw_key_statement s =
	    cw_keys_session_key(x, &desk->state.management_public, 1);

	x->card = &desk->cards[1];
	cw_keys_session_state(x, &s);
	x->card = &desk->cards[0];
}

static void
token_for_key_statement(struct cw_keys_session *x)
{
	struct cw_token token;

	assert_err(cw_token_decode(cw_buf_bytes(&x->token), &token), CW_OK);
	cw_buf_reset(&x->statement);
	cw_buf_put(&x->statement, token.statement);
}

static void
serial_again(struct cw_keys_session *x)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_keys_session before;

	cw_keys_desk_certified(desk, &before, &grant, 1);
	memcpy(x->serial, before.serial, CW_SERIAL_BYTES);
	cw_keys_session_wipe(&before);
}

struct key_row {
	const char *name;
	void (*session)(struct cw_keys_session *x);
	void (*statement)(struct cw_key_statement *s);
	enum cw_err want;
};

static const struct key_row keys[] = {
	{ "everything right", cw_keys_session_leave, NULL, CW_OK },
	{ "the tag of another signer", cw_keys_session_wrong_tag, NULL, CW_OK },
	{ "another's verdict", verdict_of_other, NULL, CW_ERR_WRONG_STATEMENT },
	{ "a verdict with another key", verdict_key, NULL,
	    CW_ERR_WRONG_STATEMENT },
	{ "a verdict with another model", verdict_model, NULL,
	    CW_ERR_WRONG_STATEMENT },
	{ "a verdict with a pseudonym", verdict_pseudonym, NULL,
	    CW_ERR_WRONG_STATEMENT },
	{ "another ephemeral key", cw_keys_session_other_ephemeral, NULL,
	    CW_ERR_WRONG_STATEMENT },
	{ "another's grant", cw_keys_session_other_grant, NULL,
	    CW_ERR_BAD_GRANT },
	{ "a foreign R", cw_keys_desk_foreign_request, NULL,
	    CW_ERR_BAD_SIGNATURE },
	{ "a statement over another th", cw_keys_session_leave, to_th,
	    CW_ERR_WRONG_STATEMENT },
	{ "another management key", cw_keys_session_leave, to_management,
	    CW_ERR_WRONG_STATEMENT },
	{ "another mode", cw_keys_session_leave, to_mode,
	    CW_ERR_WRONG_STATEMENT },
	{ "another leaf", cw_keys_session_leave, to_leaf,
	    CW_ERR_WRONG_STATEMENT },
	{ "another usage", cw_keys_session_leave, to_usage,
	    CW_ERR_PROFILE_REFUSES },
	{ "another slot", cw_keys_session_leave, to_slot,
	    CW_ERR_PROFILE_REFUSES },
	{ "an imported key", cw_keys_session_leave, to_imported,
	    CW_ERR_PROFILE_REFUSES },
	{ "an exportable key", cw_keys_session_leave, to_exportable,
	    CW_ERR_PROFILE_REFUSES },
	{ "another key type", cw_keys_session_leave, to_ed25519,
	    CW_ERR_PROFILE_REFUSES },
	{ "a point off the curve", cw_keys_session_leave, to_bad_point,
	    CW_ERR_BAD_KEY },
	{ "another card's statement", signed_by_other_card, NULL,
	    CW_ERR_BAD_SIGNATURE },
	{ "a token statement", token_for_key_statement, NULL,
	    CW_ERR_WRONG_LABEL },
	{ "a serial number again", serial_again, NULL,
	    CW_ERR_ALREADY_CERTIFIED },
};

static void
a_key_that_does_not_belong_is_not_certified(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		struct cw_grant grant = cw_keys_grant(desk->now_s);
		struct cw_keys_session x;
		size_t before;

		cw_keys_desk_stated(desk, &x, &grant, 1);
		keys[i].session(&x);
		if (keys[i].statement != NULL)
			restate(&x, keys[i].statement);
		before = desk->state.log.index.n_entries;
		assert_row(keys[i].name,
		    cw_keys_desk_certify(desk, &x, false) == keys[i].want);
		assert_int_equal(desk->state.log.index.n_entries,
		    before + (keys[i].want == CW_OK));
		cw_keys_session_wipe(&x);
	}
}

static struct cw_profile *
find_profile(const char *name)
{
	struct cw_config *c = &desk->tree.config;
	size_t i = 0;

	while (i + 1 < c->n_profiles && strcmp(c->profiles[i].name, name) != 0)
		i++;
	assert_string_equal(c->profiles[i].name, name);
	return &c->profiles[i];
}

/* Outside the slots it is the statement that says whether there is a PIN. */
static void
a_key_that_needs_no_pin_is_only_certified_where_the_profile_says_so(
    void **state)
{
	static const struct {
		bool pin;
		uint32_t policy;
		enum cw_err want;
	} rows[] = {
		{ true, 0, CW_ERR_PROFILE_REFUSES },
		{ true, 7, CW_OK },
		{ false, 0, CW_OK },
		{ false, 7, CW_OK },
	};
	struct cw_profile *profile = find_profile("person-ed25519");

	(void)state;
	assert_true(profile->pin);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_grant grant = cw_keys_grant(desk->now_s);
		struct cw_key_statement s;
		struct cw_keys_session x;

		grant.profile = cw_bytes_str(profile->name);
		grant.scope.n_slots = 0;
		profile->pin = rows[i].pin;
		cw_keys_desk_opened(desk, &x, &grant, 1);
		s = cw_keys_session_key(&x, &desk->state.management_public, 1);
		to_ed25519(&s);
		s.attributes.slot = 0;
		s.attributes.pin_policy = rows[i].policy;
		cw_keys_session_state(&x, &s);
		cw_serial_random(x.serial);
		assert_err(cw_keys_desk_certify(desk, &x, false), rows[i].want);
		cw_keys_session_wipe(&x);
	}
	profile->pin = true;
}

static void
a_verdict_of_another_signer_costs_the_full_check(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_keys_session x;

	(void)state;
	cw_keys_desk_stated(desk, &x, &grant, 1);
	x.verdict.tag[0] ^= 1;
	x.request_tag[0] ^= 1;
	assert_err(cw_keys_desk_certify(desk, &x, false),
	    CW_ERR_WRONG_STATEMENT);
	/* what the verdict claims then does not count */
	x.verdict.attestation.key = desk->state.management_public;
	assert_err(cw_keys_desk_certify(desk, &x, true), CW_OK);
	cw_keys_session_wipe(&x);
}

static void
restart_with(char *file, const char *other, enum cw_err want_alone,
    enum cw_err want_with_token, struct cw_keys_session *x)
{
	char was[CW_PATH_MAX];

	snprintf(was, sizeof(was), "%s", file);
	snprintf(file, CW_PATH_MAX, "%s", other);
	assert_err(cw_keys_desk_restart(desk), CW_OK);
	assert_err(cw_keys_desk_certify(desk, x, false), want_alone);
	assert_err(cw_keys_desk_certify(desk, x, true), want_with_token);
	snprintf(file, CW_PATH_MAX, "%s", was);
	assert_err(cw_keys_desk_restart(desk), CW_OK);
}

/* Its own tags do not say under whom: an authority or a vendor who is trusted no
 * more must not live on in them. */
static void
what_was_verified_for_others_than_today_is_verified_again(void **state)
{
	struct cw_config *config = &desk->tree.config;
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_keys_tree foreign;
	struct cw_keys_session x;

	(void)state;
	cw_keys_tree_make(&foreign, 1);
	cw_keys_desk_stated(desk, &x, &grant, 1);
	restart_with(config->authority,
	    cw_keys_tree_path(&foreign, "authority.pem"), CW_ERR_BAD_GRANT,
	    CW_ERR_BAD_GRANT, &x);
	restart_with(config->vendor_roots,
	    cw_keys_tree_path(&foreign, "vendor-root.pem"),
	    CW_ERR_WRONG_STATEMENT, CW_ERR_UNTRUSTED_CHAIN, &x);
	assert_err(cw_keys_desk_certify(desk, &x, false), CW_OK);
	cw_keys_session_wipe(&x);
	cw_keys_tree_free(&foreign);
}

static void
the_same_request_again_gets_the_same_certificate(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_keys_session x;
	uint8_t first[CW_HASH_BYTES], again[CW_HASH_BYTES];

	(void)state;
	cw_keys_desk_certified(desk, &x, &grant, 1);
	cw_hash(cw_buf_bytes(&desk->certificate), first);
	for (int i = 0; i < 2; i++) {
		assert_err(cw_keys_desk_certify(desk, &x, true), CW_OK);
		cw_hash(cw_buf_bytes(&desk->certificate), again);
		assert_memory_equal(first, again, sizeof(first));
		assert_err(cw_keys_desk_restart(desk), CW_OK);
	}
	/* other bytes for the same key of the same session do not */
	cw_serial_random(x.serial);
	assert_err(cw_keys_desk_certify(desk, &x, false),
	    CW_ERR_ALREADY_CERTIFIED);
	cw_keys_session_wipe(&x);
}

static void
a_grant_is_used_by_as_many_sessions_as_it_says(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_keys_session a, b, c;

	(void)state;
	grant.uses = 2;
	cw_keys_desk_stated(desk, &a, &grant, 1);
	cw_keys_desk_stated(desk, &b, &grant, 1);
	cw_keys_desk_stated(desk, &c, &grant, 1);
	assert_err(cw_keys_desk_certify(desk, &a, false), CW_OK);
	assert_err(cw_keys_desk_certify(desk, &b, false), CW_OK);
	assert_err(cw_keys_desk_certify(desk, &c, false),
	    CW_ERR_INVITATION_USED);
	assert_err(cw_keys_desk_restart(desk), CW_OK);
	assert_err(cw_keys_desk_certify(desk, &c, false),
	    CW_ERR_INVITATION_USED);
	/* a revoked certificate's session is none; revoking again is no more */
	assert_err(cw_keys_desk_revoke(desk, &a), CW_OK);
	assert_err(cw_keys_desk_revoke(desk, &a), CW_OK);
	assert_err(cw_keys_desk_certify(desk, &c, false), CW_OK);
	cw_keys_session_wipe(&a);
	cw_keys_session_wipe(&b);
	cw_keys_session_wipe(&c);
}

static void
a_session_gets_no_more_keys_than_its_scope(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_key_statement second;
	struct cw_keys_session x;

	(void)state;
	cw_keys_desk_certified(desk, &x, &grant, 1);
	second = cw_keys_session_key(&x, &desk->state.management_public, 2);
	cw_keys_session_state(&x, &second);
	cw_serial_random(x.serial);
	assert_err(cw_keys_desk_certify(desk, &x, false), CW_ERR_BAD_SCOPE);
	cw_keys_session_wipe(&x);
}

static void
only_a_grant_that_makes_keys_and_names_the_slot_certifies_one(void **state)
{
	static const struct {
		enum cw_action action;
		size_t n;
		uint8_t commands[5], slots;
		enum cw_err want;
	} rows[] = {
		{ CW_ACTION_MANAGE, 3, { 8, 9, 13 }, 1,
		    CW_ERR_PROFILE_REFUSES },
		{ CW_ACTION_UNLOCK, 3, { 8, 10, 13 }, 1, CW_ERR_BAD_SCOPE },
		{ CW_ACTION_RENEW, 3, { 8, 11, 13 }, 1, CW_ERR_BAD_SCOPE },
		{ CW_ACTION_RENEW, 5, { 3, 4, 8, 11, 13 }, 0,
		    CW_ERR_BAD_SCOPE },
		{ CW_ACTION_RENEW, 5, { 3, 4, 8, 11, 13 }, 1, CW_OK },
		{ CW_ACTION_UNLOCK, 5, { 3, 4, 8, 10, 13 }, 1, CW_OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_grant grant = cw_keys_grant(desk->now_s);
		struct cw_keys_session x;

		grant.action = rows[i].action;
		grant.scope.n_slots = rows[i].slots;
		grant.scope.n_commands = rows[i].n;
		memcpy(grant.scope.commands, rows[i].commands, rows[i].n);
		cw_keys_desk_stated(desk, &x, &grant, 1);
		assert_err(cw_keys_desk_certify(desk, &x, false), rows[i].want);
		cw_keys_session_wipe(&x);
	}
}

static void
an_unknown_serial_is_not_revoked(void **state)
{
	struct cw_keys_session x = { .serial = { 1 } };

	(void)state;
	assert_err(cw_keys_desk_revoke(desk, &x), CW_ERR_UNKNOWN_SERIAL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_that_does_not_belong_is_not_certified),
		cmocka_unit_test(
		    a_key_that_needs_no_pin_is_only_certified_where_the_profile_says_so),
		cmocka_unit_test(
		    a_verdict_of_another_signer_costs_the_full_check),
		cmocka_unit_test(
		    what_was_verified_for_others_than_today_is_verified_again),
		cmocka_unit_test(
		    the_same_request_again_gets_the_same_certificate),
		cmocka_unit_test(
		    a_grant_is_used_by_as_many_sessions_as_it_says),
		cmocka_unit_test(a_session_gets_no_more_keys_than_its_scope),
		cmocka_unit_test(
		    only_a_grant_that_makes_keys_and_names_the_slot_certifies_one),
		cmocka_unit_test(an_unknown_serial_is_not_revoked),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, cw_keys_desk_begin,
	    cw_keys_desk_end);
}
