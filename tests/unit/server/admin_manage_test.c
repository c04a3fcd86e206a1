/* SPDX-License-Identifier: Apache-2.0 */
/* Invitations about what cards hold already: what they name, and whom. */
#include <stdio.h>

#include "proto/command.h"
#include "proto/rfc4648.h"
#include "tests/support/manage_world.h"

#define PERSON "person"      /* slot 9A */
#define OWN "person-ed25519" /* outside the slots, with a PIN */
#define ADA "CN=Ada Lovelace,O=Example"

static void
commands_are(const struct cw_scope *scope, const uint8_t *want, size_t n)
{
	assert_int_equal(scope->n_commands, n);
	assert_memory_equal(scope->commands, want, n);
}

static void
an_invitation_names_what_is_replaced(void **state)
{
	static const uint8_t in_slot[] = { CW_CREATE_KEY, CW_SET_CERTIFICATES,
		CW_LIST, CW_UPDATE_KEY, CW_CLOSE };
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];
	struct cw_certificate c;
	struct cw_intent intent;
	struct cw_grant grant;
	struct cw_buf der;
	uint8_t number[CW_SERIAL_BYTES];
	uint8_t hash[CW_HASH_BYTES];

	cw_manage_enroll(w, PERSON, serial);
	assert_true(cw_base16_decode(cw_bytes_str(serial), number, 16));
	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	assert_err(w->store->certificate_load(w->store, number, &c, &der),
	    CW_OK);
	cw_hash(cw_buf_bytes(&der), hash);
	assert_err(cw_manage_invite(w,
		       (struct cw_admin){ .action = "renew",
			   .certificates = serial }),
	    CW_OK);
	cw_manage_read(w, &intent, &grant);
	assert_int_equal(grant.action, CW_ACTION_RENEW);
	assert_int_equal(intent.action, CW_ACTION_RENEW);
	/* Whom and how, as the one that is there. */
	assert_true(cw_bytes_is(grant.subject, ADA));
	assert_true(cw_bytes_is(grant.profile, PERSON));
	assert_true(cw_bytes_is(grant.account, "ada"));
	assert_int_equal(grant.mode, CW_MODE_PSEUDONYMOUS);
	assert_int_equal(intent.n_objects, 1);
	assert_int_equal(intent.objects[0].slot, 0x9a);
	assert_memory_equal(intent.objects[0].leaf_hash, hash, sizeof(hash));
	assert_true(cw_bytes_is(intent.objects[0].name, ADA));
	assert_true(cw_scope_equal(&grant.scope, &intent.scope));
	commands_are(&grant.scope, in_slot, sizeof(in_slot));
	cw_buf_wipe(&der);
}

static void
each_action_has_a_scope_of_its_own(void **state)
{
	static const struct {
		const char *action, *profile;
		bool with_key;
		size_t n;
		uint8_t commands[6];
	} rows[] = {
		{ "renew", OWN, false, 5, { 3, 4, 8, 9, 13 } },
		{ "manage", PERSON, false, 3, { 8, 9, 13 } },
		{ "unlock", PERSON, false, 3, { 8, 10, 13 } },
		{ "unlock", PERSON, true, 6, { 3, 4, 8, 10, 11, 13 } },
	};
	struct cw_server_world *w = *state;
	char serials[2][CW_MANAGE_SERIAL];

	cw_manage_enroll(w, PERSON, serials[0]);
	cw_manage_enroll(w, OWN, serials[1]);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_admin options = { .action = rows[i].action,
			.subject = ADA,
			.profile = rows[i].profile,
			.with_key = rows[i].with_key };
		struct cw_intent intent;
		struct cw_grant grant;

		assert_err(cw_manage_invite(w, options), CW_OK);
		cw_manage_read(w, &intent, &grant);
		commands_are(&grant.scope, rows[i].commands, rows[i].n);
		assert_int_equal(grant.scope.n_objects, 1);
		assert_int_equal(grant.approvals, 0);
	}
}

/* The pseudonym of the card of the only session. */
static bool
take_pseudonym(void *hex, const struct cw_session *s)
{
	struct cw_verdict v;

	assert_err(cw_verdict_decode(cw_buf_bytes(&s->verdict), &v), CW_OK);
	assert_true(v.has_pseudonym);
	cw_base16_encode(CW_BYTES_ARRAY(v.pseudonym), hex);
	return false;
}

static void
what_is_meant_is_found_by_person_account_and_card(void **state)
{
	struct cw_server_world *w = *state;
	char card[2 * CW_HASH_BYTES + 1];
	char serials[3][CW_MANAGE_SERIAL];
	const struct {
		struct cw_admin options;
		size_t n; /* 0: none, which is an error */
	} rows[] = {
		{ { .subject = ADA }, 3 },
		{ { .account = "ada" }, 3 },
		{ { .account = "ada", .profile = OWN }, 1 },
		{ { .bind_pseudonym = card }, 2 },
		{ { .bind_pseudonym = card, .account = "eve" }, 0 },
		{ { .subject = "CN=Eve" }, 0 },
	};

	cw_manage_enroll(w, PERSON, serials[0]);
	assert_err(w->store->session_each(w->store, take_pseudonym, card),
	    CW_OK);
	cw_manage_enroll(w, OWN, serials[1]);
	w->card_number = 2;
	cw_server_card_new(w);
	cw_manage_enroll(w, PERSON, serials[2]);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_admin options = rows[i].options;
		struct cw_intent intent;
		struct cw_grant grant;

		options.action = "manage";
		options.mode = CW_MODE_PSEUDONYMOUS;
		assert_err(cw_manage_invite(w, options),
		    rows[i].n > 0 ? CW_OK : CW_ERR_UNKNOWN_SERIAL);
		if (rows[i].n == 0)
			continue;
		cw_manage_read(w, &intent, &grant);
		assert_int_equal(intent.n_objects, rows[i].n);
	}
}

static void
enroll_two(struct cw_server_world *w, char *first, char *second, char *both)
{
	cw_manage_enroll(w, PERSON, first);
	cw_manage_enroll(w, OWN, second);
	snprintf(both, 2 * (size_t)CW_MANAGE_SERIAL, "%s,%s", first, second);
}

static void
what_cannot_be_managed_is_refused(void **state)
{
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];
	char own[CW_MANAGE_SERIAL];
	char both[2 * CW_MANAGE_SERIAL];
	char nobody[] = "11111111111111111111111111111111";
	const struct {
		const char *name;
		struct cw_admin options;
		enum cw_err want;
	} rows[] = {
		{ "another word", { .action = "erase", .certificates = serial },
		    CW_ERR_USAGE },
		{ "an enrolment over a certificate",
		    { .certificates = serial,
			.subject = ADA,
			.profile = PERSON },
		    CW_ERR_USAGE },
		{ "a renewal with a key",
		    { .action = "renew",
			.certificates = serial,
			.with_key = true },
		    CW_ERR_USAGE },
		{ "nothing named", { .action = "manage" }, CW_ERR_USAGE },
		{ "only a profile", { .action = "manage", .profile = PERSON },
		    CW_ERR_USAGE },
		{ "half a number", { .action = "manage", .certificates = "11" },
		    CW_ERR_USAGE },
		{ "nobody's number",
		    { .action = "manage", .certificates = nobody },
		    CW_ERR_UNKNOWN_SERIAL },
		{ "mode 3",
		    { .action = "manage", .certificates = serial, .mode = 3 },
		    CW_ERR_WRONG_MODE },
		{ "a blocked PIN in mode 1",
		    { .action = "unlock", .certificates = serial, .mode = 1 },
		    CW_ERR_WRONG_MODE },
		{ "an unlock that renews what shares its PIN",
		    { .action = "unlock",
			.certificates = own,
			.with_key = true },
		    CW_ERR_PROFILE_REFUSES },
		{ "another slot's key",
		    { .action = "renew",
			.certificates = own,
			.profile = PERSON },
		    CW_ERR_PROFILE_REFUSES },
		{ "one of two in another slot",
		    { .action = "renew",
			.certificates = both,
			.profile = PERSON },
		    CW_ERR_PROFILE_REFUSES },
	};

	enroll_two(w, serial, own, both);
	for (size_t i = 0; i < COUNT(rows); i++)
		if (cw_manage_invite(w, rows[i].options) != rows[i].want)
			fail_msg("%s", rows[i].name);
}

/* It is known of no card yet: there is nothing to manage. */
static void
a_certificate_that_no_card_confirmed_names_nothing(void **state)
{
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play play;
	struct cw_session s;

	cw_server_play_begin(w, &play, 2);
	cw_server_play_session(w, &play, &s);
	cw_base16_encode(CW_BYTES_ARRAY(s.serial), serial);
	assert_err(cw_manage_invite(w,
		       (struct cw_admin){ .action = "manage",
			   .certificates = serial }),
	    CW_ERR_NOT_CONFIRMED);
	cw_session_wipe(&s);
	cw_server_play_wipe(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(an_invitation_names_what_is_replaced),
		cw_server_test(each_action_has_a_scope_of_its_own),
		cw_server_test(
		    what_is_meant_is_found_by_person_account_and_card),
		cw_server_test(what_cannot_be_managed_is_refused),
		cw_server_test(
		    a_certificate_that_no_card_confirmed_names_nothing),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
