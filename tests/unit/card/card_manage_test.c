/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE_KEY, UNLOCK_KEY, UPDATE_KEY and CLONE_KEY_PROTECTION: what they need,
 * and that nothing happens before CLOSE. */
#include "proto/card_link.h"
#include "tests/support/card_play.h"

#define DELETE CW_DELETE_KEY
#define UNLOCK CW_UNLOCK_KEY
#define UPDATE CW_UPDATE_KEY
#define CLONE CW_CLONE_KEY_PROTECTION

static const struct cw_create_key key_2 = { .id = 2,
	.type = CW_KEY_P256,
	.usage = CW_USAGE_SIGN };
static const struct cw_create_key key_3 = { .id = 3,
	.type = CW_KEY_ED25519,
	.usage = CW_USAGE_SIGN };

/* Key 1 with PIN and PUK from before; keys 2 and 3 in an open session. */
static struct cw_test_world *
prepare(void **state)
{
	struct cw_test_world *w = cw_test_world_renew(state);

	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key_2);
	cw_play_make(&w->issuer, &key_3);
	return w;
}

/* ---- deferred ---- */

static void
nothing_happens_before_close(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;
	const struct cw_listed_key *k;

	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_on(DELETE, 0, 1));
	/* Another session of the same issuer still sees it. */
	cw_test_world_issuer(w, &other);
	cw_key_free(&other.management_key);
	other.management_key = w->issuer.management_key;
	k = cw_play_listed(&other, 1);
	assert_non_null(k);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_null(cw_play_listed(&other, 1));
	other.management_key = NULL;
	cw_test_issuer_wipe(&other);
}

static void
an_aborted_session_has_managed_nothing(void **state)
{
	struct cw_test_world *w = prepare(state);

	cw_test_must_run(&w->issuer, cw_play_on(DELETE, 0, 1));
	assert_sw(cw_test_send(&w->card.wire, 0x801C, 0,
		      CW_BYTES_ARRAY(w->issuer.request.session_id), NULL),
	    0x9000);
	assert_non_null(cw_play_listed(&w->issuer, 1));
}

static void
the_last_key_takes_its_pin_and_puk_along(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	static struct cw_result_statement result;

	cw_play_base(issuer);
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	cw_test_must_run(issuer, cw_play_on(DELETE, 0, 1));
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	assert_int_equal(result.n_items, 1);
	assert_int_equal(result.items[0].object_id, 1);
	assert_int_equal(result.items[0].done, CW_DONE_DELETED);
	/* All ids are free again. */
	cw_play_base(issuer);
}

static void
a_sibling_keeps_the_pin(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key sibling = cw_play_key;
	const struct cw_listed_key *k;

	cw_play_base(&w->issuer);
	sibling.id = 2;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &sibling);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_on(DELETE, 0, 1));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	k = cw_play_listed(&w->issuer, 2);
	assert_non_null(k);
	assert_true(k->has_pin && k->has_puk);
}

/* ---- updates and clones ---- */

static void
an_update_takes_the_others_place(void **state)
{
	struct cw_test_world *w = prepare(state);
	static struct cw_result_statement result;
	const struct cw_listed_key *k;

	cw_test_must_run(&w->issuer, cw_play_on(UPDATE, 2, 1));
	assert_err(cw_test_issuer_close(&w->issuer, &result), CW_OK);
	assert_int_equal(result.n_items, 3);
	assert_int_equal(result.items[2].object_id, 1);
	assert_int_equal(result.items[2].done, CW_DONE_UPDATED);
	assert_memory_equal(result.items[2].hash, result.items[0].hash,
	    CW_HASH_BYTES);
	assert_null(cw_play_listed(&w->issuer, 1));
	k = cw_play_listed(&w->issuer, 2);
	assert_non_null(k);
	assert_true(k->has_pin && k->has_puk);
	assert_int_equal(k->attributes.pin_policy, CW_PLAY_POLICY_ID);
	assert_false(cw_play_listed(&w->issuer, 3)->has_pin);
}

static void
a_clone_shares_the_pin(void **state)
{
	struct cw_test_world *w = prepare(state);
	static struct cw_result_statement result;

	cw_test_must_run(&w->issuer, cw_play_on(CLONE, 2, 1));
	cw_test_must_run(&w->issuer, cw_play_on(CLONE, 3, 1));
	assert_err(cw_test_issuer_close(&w->issuer, &result), CW_OK);
	assert_int_equal(result.items[2].done, CW_DONE_CLONED);
	for (uint32_t id = 1; id <= 3; id++)
		assert_int_equal(cw_play_listed(&w->issuer, id)
				     ->attributes.pin_policy,
		    CW_PLAY_POLICY_ID);
}

static void
a_slot_is_renewed_by_an_update(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	struct cw_create_key key = { .id = 2,
		.type = CW_KEY_P384,
		.usage = cw_test_usage(CW_KEY_P256),
		.slot = 0x9A };
	struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX];
	size_t n;

	cw_play_scope_object(&w->issuer, 0x9A);
	assert_err(cw_test_issuer_enroll(issuer, CW_KEY_P256, 0x9A), CW_OK);
	/* Not without saying what becomes of the key there. */
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	cw_play_make(issuer, &key);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_ERR_SLOT_OCCUPIED);
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	cw_play_make(issuer, &key);
	cw_test_must_run(issuer, cw_play_on(UPDATE, 2, 0x9A));
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	assert_sw(cw_test_send(&issuer->wire, 0x801E, 0, CW_BYTES_NONE,
		      &w->out),
	    0x9000);
	assert_err(cw_list_public_decode(cw_buf_bytes(&w->out), slots, &n),
	    CW_OK);
	assert_int_equal(n, 1);
	assert_int_equal(slots[0].type, CW_KEY_P384);
	assert_null(cw_play_listed(issuer, 0x9A));
	assert_non_null(cw_play_listed(issuer, 2));
}

static void
a_slot_outside_the_scopes_objects_stays_occupied(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = cw_test_key_9a;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	w->issuer.request.scope.n_objects = 0;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	{
		struct cw_command c = cw_test_key_command(&key);

		assert_err(cw_test_run(&w->issuer, &c), CW_ERR_SLOT_OCCUPIED);
	}
}

/* A full card is renewed by deleting first. */
static void
a_deleted_key_makes_room_for_a_new_one(void **state)
{
	struct cw_test_world *w = *state;

	w->card.config.keys_max = 1;
	cw_test_card_power_cycle(&w->card);
	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	{
		struct cw_command c = cw_test_key_command(&key_2);

		assert_err(cw_test_run(&w->issuer, &c), CW_ERR_CARD_FULL);
	}
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_on(DELETE, 0, 1));
	cw_play_make(&w->issuer, &key_2);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_null(cw_play_listed(&w->issuer, 1));
	assert_non_null(cw_play_listed(&w->issuer, 2));
}

/* ---- what goes together ---- */

static void
each_pair_of_management_commands_fits_or_does_not(void **state)
{
	static const struct {
		enum cw_command_no first;
		uint32_t a;
		enum cw_command_no second;
		uint32_t b;
		enum cw_err want;
	} rows[] = {
		{ DELETE, 0, DELETE, 0, CW_ERR_TARGET_TAKEN },
		{ DELETE, 0, UPDATE, 2, CW_ERR_TARGET_TAKEN },
		{ UPDATE, 2, DELETE, 0, CW_ERR_TARGET_TAKEN },
		{ UPDATE, 2, UPDATE, 3, CW_ERR_TARGET_TAKEN },
		{ UPDATE, 2, UPDATE, 2, CW_ERR_TARGET_TAKEN },
		{ UPDATE, 2, CLONE, 2, CW_ERR_TARGET_TAKEN },
		{ CLONE, 2, CLONE, 2, CW_ERR_TARGET_TAKEN },
		{ DELETE, 0, CLONE, 2, CW_ERR_TARGET_TAKEN },
		{ CLONE, 2, DELETE, 0, CW_ERR_TARGET_TAKEN },
		{ UNLOCK, 0, UNLOCK, 0, CW_ERR_TARGET_TAKEN },
		{ UNLOCK, 0, DELETE, 0, CW_ERR_TARGET_TAKEN },
		{ UPDATE, 2, CLONE, 3, CW_OK },
		{ CLONE, 3, UPDATE, 2, CW_OK },
		{ CLONE, 2, CLONE, 3, CW_OK },
		{ UNLOCK, 0, UPDATE, 2, CW_OK },
		{ UPDATE, 2, UNLOCK, 0, CW_OK },
		{ UNLOCK, 0, CLONE, 2, CW_OK },
		{ CLONE, 2, UNLOCK, 0, CW_OK },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = prepare(state);
		struct cw_command c = cw_play_on(rows[i].second, rows[i].b, 1);

		print_message("row %zu\n", i);
		cw_test_must_run(&w->issuer,
		    cw_play_on(rows[i].first, rows[i].a, 1));
		assert_err(cw_test_run(&w->issuer, &c), rows[i].want);
		if (rows[i].want == CW_OK)
			assert_err(cw_test_issuer_close(&w->issuer, NULL),
			    CW_OK);
	}
}

static const struct {
	const char *name;
	enum cw_command_no no;
	struct cw_create_key key;
	uint32_t target;
	enum cw_err want;
} followers[] = {
	{ "another usage", UPDATE,
	    { .id = 4, .type = CW_KEY_P256, .usage = CW_USAGE_AUTHENTICATE }, 1,
	    CW_ERR_BAD_POLICY },
	{ "another type", UPDATE, { .id = 4, .type = CW_KEY_P384, .usage = 1 },
	    1, CW_OK },
	{ "a clone's usage is its own", CLONE,
	    { .id = 4, .type = CW_KEY_P256, .usage = CW_USAGE_AUTHENTICATE }, 1,
	    CW_OK },
	{ "with a PIN of its own", UPDATE,
	    { .id = 4,
		.type = CW_KEY_P256,
		.usage = 1,
		.pin_policy = CW_PLAY_POLICY_ID },
	    1, CW_ERR_BAD_POLICY },
	{ "a clone with a PIN of its own", CLONE,
	    { .id = 4,
		.type = CW_KEY_P256,
		.usage = 1,
		.pin_policy = CW_PLAY_POLICY_ID },
	    1, CW_ERR_BAD_POLICY },
	{ "in another place", UPDATE,
	    { .id = 4, .type = CW_KEY_P256, .usage = 1, .slot = 0x9C }, 1,
	    CW_ERR_BAD_POLICY },
	{ "a clone in a slot", CLONE,
	    { .id = 4, .type = CW_KEY_P256, .usage = 1, .slot = 0x9C }, 1,
	    CW_ERR_BAD_POLICY },
	{ "a clone of a slot", CLONE,
	    { .id = 4, .type = CW_KEY_P256, .usage = 1 }, 0x9A,
	    CW_ERR_BAD_POLICY },
	{ "a clone of a PIN that is not shared", CLONE,
	    { .id = 4, .type = CW_KEY_P256, .usage = 1 }, 5,
	    CW_ERR_BAD_POLICY },
	{ "an update of a PIN that is not shared", UPDATE,
	    { .id = 4, .type = CW_KEY_P256, .usage = 1 }, 5, CW_OK },
	{ "unlocking what has no PIN", UNLOCK,
	    { .id = 4, .type = CW_KEY_P256, .usage = 1 }, 6,
	    CW_ERR_BAD_POLICY },
};

static void
a_new_key_fits_the_one_that_it_follows(void **state)
{
	const struct cw_create_pin_policy each = { .id = 21,
		.rule = { CW_PIN_DIGITS, 4, 8, 3, 0 },
		.issuer_set = true,
		.grouping = CW_PIN_EACH };
	const struct cw_create_key key_5 = { .id = 5,
		.type = CW_KEY_P256,
		.usage = 1,
		.pin_policy = 21,
		.pin = cw_bytes_str("7314") };
	const struct cw_create_key key_6 = { .id = 6,
		.type = CW_KEY_P256,
		.usage = 1 };

	for (size_t i = 0; i < COUNT(followers); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_command c = cw_play_on(followers[i].no,
		    followers[i].no == UNLOCK ? 0 : 4, followers[i].target);

		print_message("%s\n", followers[i].name);
		cw_play_scope_object(&w->issuer, 0x9A);
		cw_play_base(&w->issuer);
		assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A),
		    CW_OK);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_must_run(&w->issuer, cw_test_policy_command(&each));
		cw_play_make(&w->issuer, &key_5);
		cw_play_make(&w->issuer, &key_6);
		assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_play_make(&w->issuer, &followers[i].key);
		assert_err(cw_test_run(&w->issuer, &c), followers[i].want);
		if (followers[i].want == CW_OK)
			assert_err(cw_test_issuer_close(&w->issuer, NULL),
			    CW_OK);
	}
}

/* ---- the holder and other sessions meanwhile ---- */

static void
a_target_that_another_session_deleted_fails_the_close(void **state)
{
	static const enum cw_command_no nos[] = { DELETE, UNLOCK, UPDATE,
		CLONE };

	for (size_t i = 0; i < COUNT(nos); i++) {
		struct cw_test_world *w = prepare(state);
		struct cw_test_issuer other;
		bool both = nos[i] == UPDATE || nos[i] == CLONE;

		cw_test_must_run(&w->issuer,
		    cw_play_on(nos[i], both ? 2 : 0, 1));
		cw_test_world_issuer(w, &other);
		cw_key_free(&other.management_key);
		other.management_key = w->issuer.management_key;
		assert_err(cw_test_issuer_begin(&other), CW_OK);
		cw_test_must_run(&other, cw_play_on(DELETE, 0, 1));
		assert_err(cw_test_issuer_close(&other, NULL), CW_OK);
		assert_err(cw_test_issuer_close(&w->issuer, NULL),
		    CW_ERR_UNKNOWN_ID);
		assert_null(cw_play_listed(&w->issuer, 2));
		other.management_key = NULL;
		cw_test_issuer_wipe(&other);
	}
}

/* The PIN of a group goes with its last key; the policy stays for others. */
static void
a_pin_that_the_holder_deleted_fails_the_close(void **state)
{
	static const struct {
		enum cw_pin_grouping grouping;
		uint32_t deleted;
		enum cw_err want;
	} rows[] = {
		{ CW_PIN_SIGNATURE, 2, CW_ERR_UNKNOWN_ID },
		{ CW_PIN_UNIQUE, 2, CW_ERR_UNKNOWN_ID },
		{ CW_PIN_UNIQUE, 1, CW_OK },
		{ CW_PIN_SHARED, 2, CW_OK },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		bool shared = rows[i].grouping == CW_PIN_SHARED;
		const struct cw_create_pin_policy policy = { .id = 20,
			.rule = { CW_PIN_DIGITS, 4, 8, 3, 0 },
			.issuer_set = true,
			.grouping = rows[i].grouping,
			.value =
			    shared ? cw_bytes_str("1111") : CW_BYTES_NONE };
		struct cw_create_key key = { .id = 1,
			.type = CW_KEY_P256,
			.usage = CW_USAGE_SIGN,
			.pin_policy = 20 };
		const struct cw_key_request q = { .handle = rows[i].deleted };

		print_message("row %zu\n", i);
		key.pin = shared ? CW_BYTES_NONE : cw_bytes_str("1111");
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_must_run(&w->issuer, cw_test_policy_command(&policy));
		cw_play_make(&w->issuer, &key);
		key.id = 2;
		key.usage = CW_USAGE_AUTHENTICATE;
		key.pin = shared ? CW_BYTES_NONE : cw_bytes_str("2222");
		cw_play_make(&w->issuer, &key);
		assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		key.id = 3;
		key.pin = CW_BYTES_NONE;
		cw_play_make(&w->issuer, &key);
		assert_sw(cw_play_hold(w, CW_INS_DELETE, &q), 0x9000);
		assert_err(cw_test_issuer_close(&w->issuer, NULL),
		    rows[i].want);
	}
}

/* ---- unlocking ---- */

static void
an_unlock_gives_the_holders_tries_back(void **state)
{
	struct cw_test_world *w = *state;

	cw_play_scope_object(&w->issuer, 0x9A);
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	for (unsigned i = 0; i < 3; i++) {
		(void)cw_test_verify(&w->card.wire, "404040");
		(void)cw_test_two_pins(&w->card.wire, 0x2C, 0x80, "40404040",
		    "271828");
	}
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x6983);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_on(UNLOCK, 0, 0x9A));
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x6983);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_int_equal(cw_play_listed(&w->issuer, 0x9A)->puk_tries, 3);
}

static void
another_issuers_slot_forbids_the_unlock(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;
	struct cw_command c = cw_play_on(UNLOCK, 0, 0x9A);

	cw_play_scope_object(&w->issuer, 0x9A);
	cw_test_world_issuer(w, &other);
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	/* Also if that one commits while the session is open. */
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, c);
	assert_err(cw_test_issuer_enroll(&other, CW_KEY_P256, 0x9C), CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_ERR_FOREIGN_KEYS);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_run(&w->issuer, &c), CW_ERR_FOREIGN_KEYS);
	cw_test_issuer_wipe(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(nothing_happens_before_close),
		world_test(an_aborted_session_has_managed_nothing),
		world_test(the_last_key_takes_its_pin_and_puk_along),
		world_test(a_sibling_keeps_the_pin),
		world_test(an_update_takes_the_others_place),
		world_test(a_clone_shares_the_pin),
		world_test(a_slot_is_renewed_by_an_update),
		world_test(a_slot_outside_the_scopes_objects_stays_occupied),
		world_test(a_deleted_key_makes_room_for_a_new_one),
		world_test(each_pair_of_management_commands_fits_or_does_not),
		world_test(a_new_key_fits_the_one_that_it_follows),
		world_test(
		    a_target_that_another_session_deleted_fails_the_close),
		world_test(a_pin_that_the_holder_deleted_fails_the_close),
		world_test(an_unlock_gives_the_holders_tries_back),
		world_test(another_issuers_slot_forbids_the_unlock),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
