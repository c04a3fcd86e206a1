/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_KEY, the scope, the limits, and two sessions at once. */
#include "proto/card_link.h"
#include "tests/support/card_world.h"

/* ---- CREATE_KEY ---- */

static void
every_wrong_key_ends_the_session(void **state)
{
	static const struct {
		const char *name;
		struct cw_create_key key;
		enum cw_err want;
	} rows[] = {
		{ "X25519 that signs",
		    { .id = 1, .type = CW_KEY_X25519, .usage = 1 },
		    CW_ERR_BAD_USAGE },
		{ "RSA-3072 that agrees",
		    { .id = 1, .type = CW_KEY_RSA3072, .usage = 4 },
		    CW_ERR_BAD_USAGE },
		{ "RSA that agrees",
		    { .id = 1, .type = CW_KEY_RSA2048, .usage = 4 },
		    CW_ERR_BAD_USAGE },
		{ "Ed25519 that decrypts",
		    { .id = 1, .type = CW_KEY_ED25519, .usage = 2 },
		    CW_ERR_BAD_USAGE },
		{ "PIN policy in a PIV slot",
		    { .id = 1,
			.type = CW_KEY_P256,
			.usage = 1,
			.slot = 0x9A,
			.pin_policy = 20 },
		    CW_ERR_BAD_POLICY },
		{ "PIN policy that does not exist",
		    { .id = 1,
			.type = CW_KEY_P256,
			.usage = 1,
			.pin_policy = 21 },
		    CW_ERR_UNKNOWN_ID },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);

		print_message("%s\n", rows[i].name);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_ends_with(w, cw_test_key_command(&rows[i].key),
		    rows[i].want);
	}
}

static void
an_id_is_used_once(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key other = cw_test_key_9a;

	other.slot = 0x9C;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_key_command(&cw_test_key_9a));
	cw_test_ends_with(w, cw_test_key_command(&other), CW_ERR_DUPLICATE_ID);
}

static void
an_id_of_an_earlier_session_is_used_up(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = { .id = 0x9A,
		.type = CW_KEY_P256,
		.usage = 1,
		.slot = 0x9C };
	struct cw_command command = cw_test_key_command(&key);

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_run(&w->issuer, &command), CW_ERR_DUPLICATE_ID);
}

static void
a_slot_is_used_once(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key other = cw_test_key_9a;

	other.id = 8;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_key_command(&cw_test_key_9a));
	cw_test_ends_with(w, cw_test_key_command(&other), CW_ERR_SLOT_OCCUPIED);
}

static void
another_owners_slot_is_occupied_and_its_ids_are_free(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = { .id = 0x9A,
		.type = CW_KEY_P256,
		.usage = 1,
		.slot = 0x9A };
	struct cw_test_issuer other;
	struct cw_command command;

	cw_test_world_issuer(w, &other);
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_err(cw_test_issuer_begin(&other), CW_OK);
	command = cw_test_key_command(&key);
	assert_err(cw_test_run(&other, &command), CW_ERR_SLOT_OCCUPIED);
	assert_err(cw_test_issuer_begin(&other), CW_OK);
	key.slot = 0x9C;
	command = cw_test_key_command(&key);
	assert_err(cw_test_run(&other, &command), CW_OK);
	cw_test_issuer_wipe(&other);
}

static void
a_full_card_makes_no_key(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = { .id = 1, .type = CW_KEY_P256, .usage = 1 };

	w->card.config.keys_max = 2;
	cw_test_card_power_cycle(&w->card);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_key_command(&key));
	key.id = 2;
	cw_test_must_run(&w->issuer, cw_test_key_command(&key));
	key.id = 3;
	cw_test_ends_with(w, cw_test_key_command(&key), CW_ERR_CARD_FULL);
}

/* ---- scope ---- */

static void
the_scope_holds(void **state)
{
	static const struct {
		const char *name;
		struct cw_scope scope;
		enum cw_err want;
	} rows[] = {
		{ "no key commands",
		    { .keys_max = 1,
			.n_slots = 1,
			.slots = { 0x9A },
			.n_commands = 1,
			.commands = { CW_LIST } },
		    CW_ERR_OUTSIDE_SCOPE },
		{ "another slot",
		    { .keys_max = 1,
			.n_slots = 1,
			.slots = { 0x9C },
			.n_commands = 1,
			.commands = { CW_CREATE_KEY } },
		    CW_ERR_OUTSIDE_SCOPE },
		{ "no keys",
		    { .keys_max = 0,
			.n_slots = 1,
			.slots = { 0x9A },
			.n_commands = 1,
			.commands = { CW_CREATE_KEY } },
		    CW_ERR_OUTSIDE_SCOPE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);

		print_message("%s\n", rows[i].name);
		w->issuer.request.scope = rows[i].scope;
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_ends_with(w, cw_test_key_command(&cw_test_key_9a),
		    rows[i].want);
	}
}

static void
one_key_more_than_the_scope_is_refused(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key other = cw_test_key_9a;

	other.id = 8;
	other.slot = 0x9C;
	w->issuer.request.scope.keys_max = 1;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_key_command(&cw_test_key_9a));
	cw_test_ends_with(w, cw_test_key_command(&other), CW_ERR_OUTSIDE_SCOPE);
}

static void
close_needs_no_scope(void **state)
{
	struct cw_test_world *w = *state;

	w->issuer.request.scope = (struct cw_scope){ .keys_max = 0 };
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
}

static void
the_command_limit_holds(void **state)
{
	struct cw_test_world *w = *state;

	w->issuer.request.command_limit = 2;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, (struct cw_command){ .no = CW_LIST });
	cw_test_must_run(&w->issuer, (struct cw_command){ .no = CW_LIST });
	cw_test_ends_with(w,
	    (struct cw_command){ .no = CW_CLOSE, .last = true },
	    CW_ERR_COMMAND_LIMIT);
}

/* An error reply beyond the last of all commands is one record more than there
 * are commands; the card must be able to read it again. */
static void
the_largest_session_survives_the_power(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_command list = { .no = CW_LIST };

	w->issuer.request.command_limit = CW_COMMANDS_MAX;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	for (unsigned i = 0; i < CW_COMMANDS_MAX; i++)
		cw_test_must_run(&w->issuer, list);
	assert_err(cw_test_run(&w->issuer, &list), CW_ERR_COMMAND_LIMIT);
	cw_test_card_power_cycle(&w->card);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
}

/* ---- two sessions at once ---- */

static void
the_session_that_closes_first_has_the_slot(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;
	struct cw_public_key mine, theirs;

	cw_test_world_issuer(w, &other);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_create_key(&w->issuer, &cw_test_key_9a, true,
		       &mine),
	    CW_OK);
	assert_err(cw_test_issuer_begin(&other), CW_OK);
	other.pin = "950417";
	assert_err(cw_test_issuer_create_key(&other, &cw_test_key_9a, true,
		       &theirs),
	    CW_OK);
	assert_err(cw_test_issuer_certify(&other, cw_test_key_9a.id, &theirs),
	    CW_OK);
	assert_err(cw_test_issuer_close(&other, NULL), CW_OK);
	assert_err(cw_test_issuer_certify(&w->issuer, cw_test_key_9a.id, &mine),
	    CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, NULL),
	    CW_ERR_SLOT_OCCUPIED);
	/* The holder's PIN is the one of the session that committed. */
	assert_sw(cw_test_verify(&other.wire, "950417"), 0x9000);
	cw_test_issuer_wipe(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(every_wrong_key_ends_the_session),
		world_test(an_id_is_used_once),
		world_test(an_id_of_an_earlier_session_is_used_up),
		world_test(a_slot_is_used_once),
		world_test(
		    another_owners_slot_is_occupied_and_its_ids_are_free),
		world_test(a_full_card_makes_no_key),
		world_test(the_scope_holds),
		world_test(one_key_more_than_the_scope_is_refused),
		world_test(close_needs_no_scope),
		world_test(the_command_limit_holds),
		world_test(the_largest_session_survives_the_power),
		world_test(the_session_that_closes_first_has_the_slot),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
