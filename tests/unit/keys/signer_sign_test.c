/* SPDX-License-Identifier: Apache-2.0 */
/* Step 3 at the signer: what a web process, also a stolen one, is refused. */
#include "tests/support/check.h"

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/support/keys_desk.h"

static struct cw_keys_desk desk;

static int
setup(void **state)
{
	(void)state;
	cw_keys_desk_open(&desk);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cw_keys_desk_close(&desk);
	return 0;
}

/* Asks with this grant and these fields. */
static enum cw_err
ask(const struct cw_grant *grant, const struct cw_request *fields)
{
	struct cw_keys_session x;
	enum cw_err err;

	cw_keys_session_init(&x, &desk.cards[0], grant->mode);
	assert_err(cw_grant_make(grant, desk.authority, &x.grant), CW_OK);
	err = cw_keys_desk_sign(&desk, &x, fields);
	cw_keys_session_wipe(&x);
	return err;
}

struct row {
	const char *name;
	void (*change)(struct cw_grant *grant, struct cw_request *fields);
	enum cw_err want;
};

/* Each also asks for something that was not granted. */
static void
nothing(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	(void)f;
}

static void
grant_expired(struct cw_grant *g, struct cw_request *f)
{
	(void)f;
	g->not_after_s = desk.now_s - 1;
}

static void
grant_ends_now(struct cw_grant *g, struct cw_request *f)
{
	(void)f;
	g->not_after_s = desk.now_s;
}

static void
grant_profile(struct cw_grant *g, struct cw_request *f)
{
	(void)f;
	g->profile = cw_bytes_str("nobody");
}

static void
grant_subject(struct cw_grant *g, struct cw_request *f)
{
	(void)f;
	g->subject = cw_bytes_str("Jane Doe");
}

static void
grant_fewer_approvals(struct cw_grant *g, struct cw_request *f)
{
	(void)f;
	g->profile = cw_bytes_str("approved");
	g->approvals = 1;
}

static void
grant_approvals(struct cw_grant *g, struct cw_request *f)
{
	(void)f;
	g->approvals = 3; /* there are two operators */
}

static void
grant_uses(struct cw_grant *g, struct cw_request *f)
{
	(void)f;
	g->uses = 1000;
	/* the profile is lowered to 999 by the test */
}

static void
leaf_in_mode_3(struct cw_grant *g, struct cw_request *f)
{
	g->mode = f->mode = CW_MODE_ANONYMOUS;
	g->has_leaf = true;
}

static void
pseudonym_in_mode_1(struct cw_grant *g, struct cw_request *f)
{
	(void)f;
	g->has_pseudonym = true;
}

static void
other_mode(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	f->mode = CW_MODE_ANONYMOUS;
}

static void
more_keys(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	f->scope.keys_max = 2;
}

static void
more_commands(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	f->scope.commands[f->scope.n_commands - 1] = 9;
	f->scope.commands[f->scope.n_commands++] = 13;
}

static void
other_slot(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	f->scope.slots[0] = 0x9c;
}

static void
an_object(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	f->scope.n_objects = 1;
	f->scope.objects[0] = 5;
}

static void
smaller_scope(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	f->scope.n_slots = 0;
}

/* What the person was asked for, and a command of another kind. */
static void
ask_of_a_kind(struct cw_grant *g, struct cw_request *f, enum cw_action action,
    uint8_t first, uint8_t second)
{
	g->action = action;
	g->scope.n_commands = 3;
	g->scope.commands[0] = first;
	g->scope.commands[1] = second;
	g->scope.n_objects = 1;
	g->scope.objects[0] = 5;
	f->scope = g->scope;
}

static void
enroll_and_delete(struct cw_grant *g, struct cw_request *f)
{
	ask_of_a_kind(g, f, CW_ACTION_ENROLL, 3, 9);
	g->scope.n_objects = f->scope.n_objects = 0;
}

static void
enroll_with_objects(struct cw_grant *g, struct cw_request *f)
{
	ask_of_a_kind(g, f, CW_ACTION_ENROLL, 3, 4);
}

static void
manage_and_create(struct cw_grant *g, struct cw_request *f)
{
	ask_of_a_kind(g, f, CW_ACTION_MANAGE, 3, 9);
}

static void
unlock_and_delete(struct cw_grant *g, struct cw_request *f)
{
	ask_of_a_kind(g, f, CW_ACTION_UNLOCK, 9, 10);
}

static void
renew(struct cw_grant *g, struct cw_request *f)
{
	ask_of_a_kind(g, f, CW_ACTION_RENEW, 8, 11);
}

static void
renew_another(struct cw_grant *g, struct cw_request *f)
{
	renew(g, f);
	f->scope.objects[0] = 6;
}

static void
renew_anonymously(struct cw_grant *g, struct cw_request *f)
{
	renew(g, f);
	g->mode = f->mode = CW_MODE_ANONYMOUS;
}

static void
long_life(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	f->lifetime_s = desk.tree.config.session_minutes * 60u + 1;
}

static void
other_host(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	f->uri = cw_bytes_str("https://evil.example:8443/session");
}

static void
other_port(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	f->uri = cw_bytes_str("https://issuer.example/session");
}

static void
longer_host(struct cw_grant *g, struct cw_request *f)
{
	(void)g;
	f->uri = cw_bytes_str("https://issuer.example:8443.evil.example/s");
}

static const struct row rows[] = {
	{ "everything right", nothing, CW_OK },
	{ "grant to its last second", grant_ends_now, CW_OK },
	{ "less scope than granted", smaller_scope, CW_OK },
	{ "expired grant", grant_expired, CW_ERR_INVITATION_EXPIRED },
	{ "no such profile", grant_profile, CW_ERR_UNKNOWN_PROFILE },
	{ "subject is no name", grant_subject, CW_ERR_BAD_TEXT },
	{ "more approvals than operators", grant_approvals,
	    CW_ERR_PROFILE_REFUSES },
	{ "fewer approvals than the profile", grant_fewer_approvals,
	    CW_ERR_PROFILE_REFUSES },
	{ "more uses than the profile", grant_uses, CW_ERR_PROFILE_REFUSES },
	{ "card named, mode 3", leaf_in_mode_3, CW_ERR_PROFILE_REFUSES },
	{ "pseudonym, mode 1", pseudonym_in_mode_1, CW_ERR_PROFILE_REFUSES },
	{ "another mode", other_mode, CW_ERR_WRONG_MODE },
	{ "more keys", more_keys, CW_ERR_BAD_SCOPE },
	{ "another command", more_commands, CW_ERR_BAD_SCOPE },
	{ "another slot", other_slot, CW_ERR_BAD_SCOPE },
	{ "an object", an_object, CW_ERR_BAD_SCOPE },
	{ "an enrolment that deletes", enroll_and_delete, CW_ERR_BAD_SCOPE },
	{ "an enrolment over keys", enroll_with_objects, CW_ERR_BAD_SCOPE },
	{ "management that makes keys", manage_and_create, CW_ERR_BAD_SCOPE },
	{ "an unlock that deletes", unlock_and_delete, CW_ERR_BAD_SCOPE },
	{ "a renewal", renew, CW_OK },
	{ "another key than granted", renew_another, CW_ERR_BAD_SCOPE },
	{ "a renewal in mode 3", renew_anonymously, CW_ERR_WRONG_MODE },
	{ "a longer life", long_life, CW_ERR_PROFILE_REFUSES },
	{ "another host", other_host, CW_ERR_BAD_ORIGIN },
	{ "another port", other_port, CW_ERR_BAD_ORIGIN },
	{ "a longer host", longer_host, CW_ERR_BAD_ORIGIN },
};

static void
a_request_beyond_its_grant_is_not_signed(void **state)
{
	(void)state;
	desk.tree.config.profiles[0].uses_max = 999;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_grant grant = cw_keys_grant(desk.now_s);
		struct cw_request fields = cw_keys_request(&grant);

		rows[i].change(&grant, &fields);
		assert_row(rows[i].name, ask(&grant, &fields) == rows[i].want);
	}
}

static void
a_mode_or_suite_that_the_profile_lacks_is_refused(void **state)
{
	struct cw_profile *profile = &desk.tree.config.profiles[0];
	struct cw_grant grant = cw_keys_grant(desk.now_s);
	struct cw_request fields = cw_keys_request(&grant);

	(void)state;
	profile->modes = 1u << CW_MODE_ANONYMOUS;
	assert_err(ask(&grant, &fields), CW_ERR_PROFILE_REFUSES);
	profile->modes = 1u << CW_MODE_IDENTIFIED;
	profile->suites = 1u << 2;
	assert_err(ask(&grant, &fields), CW_ERR_PROFILE_REFUSES);
	profile->suites = 1u << 1;
	assert_err(ask(&grant, &fields), CW_OK);
}

static void
a_grant_of_another_authority_is_refused(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk.now_s);
	struct cw_request fields = cw_keys_request(&grant);
	struct cw_private_key *own = desk.authority;

	(void)state;
	/* also a key of the issuer's that is no authority */
	desk.authority = desk.state.management;
	assert_err(ask(&grant, &fields), CW_ERR_BAD_GRANT);
	assert_err(cw_key_generate(CW_KEY_P256, &desk.authority), CW_OK);
	assert_err(ask(&grant, &fields), CW_ERR_BAD_GRANT);
	cw_key_free(&desk.authority);
	desk.authority = own;
	assert_err(ask(&grant, &fields), CW_OK);
}

static void
every_changed_bit_of_a_grant_is_noticed(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk.now_s);
	struct cw_request fields = cw_keys_request(&grant);
	struct cw_keys_session x;

	(void)state;
	cw_keys_session_init(&x, &desk.cards[0], grant.mode);
	assert_err(cw_grant_make(&grant, desk.authority, &x.grant), CW_OK);
	cw_log_set_level(CW_LOG_ERROR);
	/* before it was ever seen, and when it is known */
	for (int known = 0; known <= 1; known++) {
		for (size_t i = 0; i < x.grant.len; i++) {
			x.grant.ptr[i] ^= 1;
			assert_int_not_equal(cw_keys_desk_sign(&desk, &x,
						 &fields),
			    CW_OK);
			x.grant.ptr[i] ^= 1;
		}
		assert_err(cw_keys_desk_sign(&desk, &x, &fields), CW_OK);
	}
	cw_keys_session_wipe(&x);
}

/* Who has another authority all of a sudden knows what the former one granted, and
 * nothing else of its. */
static void
a_grant_that_was_verified_is_not_verified_again(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk.now_s);
	struct cw_request fields = cw_keys_request(&grant);
	struct cw_public_key before = desk.state.authority_public;
	struct cw_keys_session seen, refused, new;

	(void)state;
	cw_keys_desk_signed(&desk, &seen, &grant, 0);
	cw_keys_session_init(&refused, &desk.cards[0], grant.mode);
	cw_keys_session_init(&new, &desk.cards[0], grant.mode);
	grant.id[0] ^= 1;
	assert_err(cw_grant_make(&grant, desk.authority, &refused.grant),
	    CW_OK);
	fields.uri = cw_bytes_str("https://evil.example/session");
	assert_err(cw_keys_desk_sign(&desk, &refused, &fields),
	    CW_ERR_BAD_ORIGIN);
	fields = cw_keys_request(&grant);
	grant.id[0] ^= 2;
	assert_err(cw_grant_make(&grant, desk.authority, &new.grant), CW_OK);
	desk.state.authority_public = desk.state.management_public;
	assert_err(cw_keys_desk_sign(&desk, &seen, &fields), CW_OK);
	assert_err(cw_keys_desk_sign(&desk, &refused, &fields),
	    CW_ERR_BAD_GRANT);
	assert_err(cw_keys_desk_sign(&desk, &new, &fields), CW_ERR_BAD_GRANT);
	desk.state.authority_public = before;
	cw_keys_session_wipe(&seen);
	cw_keys_session_wipe(&refused);
	cw_keys_session_wipe(&new);
}

/* A tag of before a restart opens no second session under a grant whose authority
 * is gone. */
static void
a_grant_that_only_a_tag_vouches_for_is_verified(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk.now_s);
	struct cw_request fields = cw_keys_request(&grant);
	struct cw_keys_session x;

	(void)state;
	grant.uses = 2;
	cw_keys_desk_stated(&desk, &x, &grant, 1);
	assert_err(cw_keys_desk_restart(&desk), CW_OK);
	desk.state.authority_public = desk.state.management_public;
	assert_err(cw_keys_desk_certify(&desk, &x, false), CW_OK);
	assert_err(cw_keys_desk_sign(&desk, &x, &fields), CW_ERR_BAD_GRANT);
	assert_err(cw_keys_desk_restart(&desk), CW_OK);
	assert_err(cw_keys_desk_sign(&desk, &x, &fields), CW_OK);
	cw_keys_session_wipe(&x);
}

static void
the_request_says_what_the_signer_filled_in(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk.now_s);
	struct cw_request fields = cw_keys_request(&grant), made;
	uint8_t hash[CW_HASH_BYTES];
	struct cw_keys_session x;

	(void)state;
	/* what a web process puts there does not count */
	fields.time_s = 1;
	fields.management_key = fields.issuer_ephemeral;
	cw_keys_session_init(&x, &desk.cards[0], grant.mode);
	assert_err(cw_grant_make(&grant, desk.authority, &x.grant), CW_OK);
	assert_err(cw_keys_desk_sign(&desk, &x, &fields), CW_OK);
	assert_err(cw_request_verify(cw_buf_bytes(&x.request), &made), CW_OK);
	cw_hash(cw_buf_bytes(&x.grant), hash);
	assert_memory_equal(made.grant_hash, hash, sizeof(hash));
	assert_int_equal(made.time_s, desk.now_s);
	assert_memory_equal(&made.management_key, &desk.state.management_public,
	    sizeof(made.management_key));
	assert_int_equal(made.n_endorsements, 0);
	cw_keys_session_wipe(&x);
}

static void
a_port_of_0_in_the_url_leaves_the_port_open(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk.now_s);
	struct cw_request fields = cw_keys_request(&grant);
	char *url = desk.tree.config.url;

	(void)state;
	memcpy(url, "https://localhost:0", sizeof("https://localhost:0"));
	fields.uri = cw_bytes_str("https://localhost:41234/s");
	assert_err(ask(&grant, &fields), CW_OK);
	fields.uri = cw_bytes_str("https://localhost/s");
	assert_err(ask(&grant, &fields), CW_ERR_BAD_ORIGIN);
	fields.uri = cw_bytes_str("https://elsewhere:41234/s");
	assert_err(ask(&grant, &fields), CW_ERR_BAD_ORIGIN);
	memcpy(url, CW_KEYS_TREE_URL, sizeof(CW_KEYS_TREE_URL));
}

static void
a_used_up_grant_gets_no_further_request(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk.now_s);
	struct cw_request fields = cw_keys_request(&grant);
	struct cw_keys_session x;

	(void)state;
	cw_keys_desk_certified(&desk, &x, &grant, 1);
	assert_err(ask(&grant, &fields), CW_ERR_INVITATION_USED);
	assert_err(cw_keys_desk_revoke(&desk, &x), CW_OK);
	assert_err(ask(&grant, &fields), CW_OK);
	cw_keys_session_wipe(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_beyond_its_grant_is_not_signed),
		cmocka_unit_test(
		    a_mode_or_suite_that_the_profile_lacks_is_refused),
		cmocka_unit_test(a_grant_of_another_authority_is_refused),
		cmocka_unit_test(every_changed_bit_of_a_grant_is_noticed),
		cmocka_unit_test(
		    a_grant_that_was_verified_is_not_verified_again),
		cmocka_unit_test(
		    a_grant_that_only_a_tag_vouches_for_is_verified),
		cmocka_unit_test(the_request_says_what_the_signer_filled_in),
		cmocka_unit_test(a_port_of_0_in_the_url_leaves_the_port_open),
		cmocka_unit_test(a_used_up_grant_gets_no_further_request),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
