/* SPDX-License-Identifier: Apache-2.0 */
/* What the holder does with keys: reading, export, deletion, PIN and PUK,
 * extensions, and statements outside a session. */
#include "tests/support/card_play.h"

static const struct cw_create_key base_key = { .id = 2,
	.type = CW_KEY_P256,
	.usage = CW_USAGE_SIGN,
	.pin_policy = CW_PLAY_POLICY_ID,
	.name = { (const uint8_t *)"Mine", 4 } };

/* A session on top of cw_play_base that makes one more key. */
static struct cw_held_key
with_key(struct cw_test_world *w, const struct cw_create_key *key)
{
	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	return cw_play_held(w, "Mine");
}

static unsigned
with_value(struct cw_test_world *w, enum cw_ins ins, uint32_t handle,
    const char *value, const char *new_value)
{
	struct cw_key_request q = { .handle = handle };

	if (value != NULL)
		q.pin = cw_bytes_str(value);
	if (new_value != NULL)
		q.new_pin = cw_bytes_str(new_value);
	return cw_play_hold(w, ins, &q);
}

static bool
is_there(struct cw_test_world *w, uint32_t handle)
{
	const struct cw_key_request q = { .handle = handle };
	struct cw_held_key k;

	return cw_play_hold(w, CW_INS_READ_KEY, &q) == 0x9000 &&
	    cw_held_key_decode(cw_buf_bytes(&w->out), &k) == CW_OK &&
	    k.handle == handle;
}

/* ---- reading ---- */

static void
a_key_is_read_with_all_that_concerns_it(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_held_key k = with_key(w, &base_key);

	assert_int_equal(k.handle, 2);
	assert_int_equal(k.attributes.type, CW_KEY_P256);
	assert_true(k.has_pin && k.has_puk && k.is_modifiable);
	assert_int_equal(k.pin_rule.min, 4);
	assert_int_equal(k.puk_rule.min, 8);
	assert_int_equal(k.pin_tries, 3);
	assert_int_equal(k.n_chain, 2);
	assert_true(
	    cw_bytes_equal(k.chain[0], cw_buf_bytes(&w->issuer.certificate)));
	assert_int_equal(k.key.type, CW_KEY_P256);
	assert_false(k.exported);
}

static void
reading_needs_the_holders_pin_where_there_is_one(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_key_request q = { .handle = 1 };

	cw_play_base(&w->issuer);
	assert_sw(cw_play_hold(w, CW_INS_READ_KEY, &q), 0x9000);
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_sw(cw_play_hold(w, CW_INS_READ_KEY, &q), 0x6982);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(cw_play_hold(w, CW_INS_READ_KEY, &q), 0x9000);
}

/* ---- export ---- */

static void
export_needs_what_the_key_says(void **state)
{
	static const struct {
		bool exportable;
		enum cw_guard guard;
		const char *value;
		unsigned want;
	} rows[] = {
		{ false, CW_GUARD_NONE, NULL, 0x6985 },
		{ false, CW_GUARD_NONE, CW_PLAY_PIN, 0x6985 },
		{ true, CW_GUARD_NONE, NULL, 0x9000 },
		{ true, CW_GUARD_PIN, NULL, 0x6982 },
		{ true, CW_GUARD_PIN, CW_PLAY_PUK, 0x63C2 },
		{ true, CW_GUARD_PIN, CW_PLAY_PIN, 0x9000 },
		{ true, CW_GUARD_PUK, CW_PLAY_PIN, 0x63C2 },
		{ true, CW_GUARD_PUK, CW_PLAY_PUK, 0x9000 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_create_key key = base_key;
		struct cw_private_key *pair = NULL;
		struct cw_public_key public;
		struct cw_held_key k;
		uint32_t handle;

		print_message("row %zu\n", i);
		key.exportable = rows[i].exportable;
		key.export_guard = rows[i].guard;
		k = with_key(w, &key);
		handle = k.handle;
		assert_sw(with_value(w, CW_INS_EXPORT_KEY, handle,
			      rows[i].value, NULL),
		    rows[i].want);
		if (rows[i].want == 0x9000) {
			assert_err(cw_key_import(cw_buf_bytes(&w->out), &pair),
			    CW_OK);
			cw_key_public(pair, &public);
			assert_memory_equal(&public, &k.key, sizeof(public));
			cw_key_free(&pair);
		}
		k = cw_play_held(w, "Mine");
		assert_int_equal(k.exported, rows[i].want == 0x9000);
		assert_int_equal(cw_play_listed(&w->issuer, 2)->exported,
		    k.exported);
		/* Only the counter of what was wrong moved. */
		assert_int_equal(k.pin_tries,
		    rows[i].want == 0x63C2 && rows[i].guard == CW_GUARD_PIN ?
			2 :
			3);
		assert_int_equal(k.puk_tries,
		    rows[i].want == 0x63C2 && rows[i].guard == CW_GUARD_PUK ?
			2 :
			3);
	}
}

static void
a_secret_that_is_kept_comes_out_again(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = cw_play_secret;
	uint32_t handle;

	key.usage = CW_USAGE_KEEP;
	key.exportable = true;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_import(&key));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	handle = cw_play_held(w, "Secret").handle;
	assert_sw(with_value(w, CW_INS_EXPORT_KEY, handle, NULL, NULL), 0x9000);
	assert_true(cw_bytes_equal(cw_buf_bytes(&w->out), key.secret));
}

/* ---- deletion ---- */

static void
deletion_needs_what_the_key_says(void **state)
{
	static const struct {
		enum cw_guard guard;
		const char *value;
		unsigned want;
	} rows[] = {
		{ CW_GUARD_NONE, NULL, 0x9000 },
		{ CW_GUARD_PIN, NULL, 0x6982 },
		{ CW_GUARD_PIN, "4712", 0x63C2 },
		{ CW_GUARD_PIN, CW_PLAY_PIN, 0x9000 },
		{ CW_GUARD_PUK, CW_PLAY_PIN, 0x63C2 },
		{ CW_GUARD_PUK, CW_PLAY_PUK, 0x9000 },
		{ CW_GUARD_NEVER, CW_PLAY_PUK, 0x6985 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_create_key key = base_key;
		uint32_t handle;

		print_message("row %zu\n", i);
		key.delete_guard = rows[i].guard;
		handle = with_key(w, &key).handle;
		assert_sw(with_value(w, CW_INS_DELETE, handle, rows[i].value,
			      NULL),
		    rows[i].want);
		assert_int_equal(is_there(w, handle), rows[i].want != 0x9000);
		/* The sibling and the PIN stay; the issuer may always. */
		assert_true(is_there(w, 1));
		if (rows[i].want == 0x9000)
			continue;
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_must_run(&w->issuer, cw_play_on(CW_DELETE_KEY, 0, 2));
		assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
		assert_false(is_there(w, handle));
	}
}

static void
a_slot_is_deleted_with_the_holders_pin(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_sw(with_value(w, CW_INS_DELETE, 1, NULL, NULL), 0x6982);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(with_value(w, CW_INS_DELETE, 1, NULL, NULL), 0x9000);
	assert_false(is_there(w, 1));
	/* And is free again. */
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
}

static void
the_holder_deletes_what_a_session_wants_to_use(void **state)
{
	static const enum cw_command_no nos[] = { CW_DELETE_KEY,
		CW_UPDATE_KEY };

	for (size_t i = 0; i < COUNT(nos); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		const struct cw_create_key key = { .id = 3,
			.type = CW_KEY_P256,
			.usage = CW_USAGE_SIGN };

		(void)with_key(w, &base_key);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_play_make(&w->issuer, &key);
		cw_test_must_run(&w->issuer,
		    cw_play_on(nos[i], nos[i] == CW_UPDATE_KEY ? 3 : 0, 1));
		/* A sibling does not matter, the target does. */
		assert_sw(with_value(w, CW_INS_DELETE, 2, NULL, NULL), 0x9000);
		assert_sw(with_value(w, CW_INS_DELETE, 1, NULL, NULL), 0x9000);
		assert_err(cw_test_issuer_close(&w->issuer, NULL),
		    CW_ERR_UNKNOWN_ID);
	}
}

/* ---- PIN and PUK of keys ---- */

static void
a_pin_is_changed_within_its_policy(void **state)
{
	static const struct {
		const char *old, *new;
		unsigned want;
		unsigned tries;
	} rows[] = {
		{ CW_PLAY_PIN, "2718", 0x9000, 3 },
		{ CW_PLAY_PIN, "271", 0x6A80, 3 },
		{ CW_PLAY_PIN, "271828182", 0x6A80, 3 },
		{ CW_PLAY_PIN, "27a8", 0x6A80, 3 },
		{ "4712", "2718", 0x63C2, 2 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		uint32_t handle = with_key(w, &base_key).handle;

		assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN, handle,
			      rows[i].old, rows[i].new),
		    rows[i].want);
		assert_int_equal(cw_play_held(w, "Mine").pin_tries,
		    rows[i].tries);
		if (rows[i].want != 0x9000)
			continue;
		/* For the whole group. */
		assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN, 1, rows[i].new,
			      CW_PLAY_PIN),
		    0x9000);
	}
}

static void
a_key_without_a_pin_has_none_to_change(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = base_key;
	uint32_t handle;

	key.pin_policy = 0;
	handle = with_key(w, &key).handle;
	assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN, handle, CW_PLAY_PIN,
		      "2718"),
	    0x6985);
	assert_sw(with_value(w, CW_INS_UNBLOCK_KEY, handle, CW_PLAY_PUK, NULL),
	    0x6985);
}

/* Whether the holder may change the value, and whether there is a PUK. */
static void
each_policy_allows_what_it_says(void **state)
{
	static const struct {
		bool modifiable, puk;
		unsigned change, unblock, replace;
	} rows[] = {
		{ true, true, 0x9000, 0x9000, 0x9000 },
		{ true, false, 0x9000, 0x6985, 0x6985 },
		{ false, true, 0x6985, 0x9000, 0x6985 },
		{ false, false, 0x6985, 0x6985, 0x6985 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_create_pin_policy p = cw_play_policy;
		struct cw_create_key key = base_key;

		p.id = key.pin_policy = 21;
		p.modifiable = rows[i].modifiable;
		p.puk = rows[i].puk ? CW_PLAY_PUK_ID : 0;
		cw_play_base(&w->issuer);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_must_run(&w->issuer, cw_test_policy_command(&p));
		cw_play_make(&w->issuer, &key);
		assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
		assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN, 2, CW_PLAY_PIN,
			      "2718"),
		    rows[i].change);
		assert_sw(with_value(w, CW_INS_UNBLOCK_KEY, 2, CW_PLAY_PUK,
			      NULL),
		    rows[i].unblock);
		assert_sw(with_value(w, CW_INS_UNBLOCK_KEY, 2, CW_PLAY_PUK,
			      "3141"),
		    rows[i].replace);
	}
}

static void
groups_stay_different(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_create_pin_policy p = { .id = 21,
		.rule = { CW_PIN_DIGITS, 4, 8, 3, 0 },
		.issuer_set = true,
		.modifiable = true,
		.grouping = CW_PIN_UNIQUE };
	struct cw_create_key key = { .id = 1,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.pin_policy = 21,
		.pin = cw_bytes_str("1111") };

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&p));
	cw_play_make(&w->issuer, &key);
	key.id = 2;
	key.usage = CW_USAGE_AGREE;
	key.pin = cw_bytes_str("2222");
	cw_play_make(&w->issuer, &key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN, 1, "1111", "2222"),
	    0x6A80);
	assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN, 1, "1111", "3333"),
	    0x9000);
	assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN, 2, "2222", "1111"),
	    0x9000);
}

static void
the_puk_unblocks_and_can_be_blocked(void **state)
{
	struct cw_test_world *w = *state;
	uint32_t handle = with_key(w, &base_key).handle;

	for (unsigned i = 0; i < 3; i++)
		(void)with_value(w, CW_INS_CHANGE_KEY_PIN, handle, "0000",
		    "2718");
	assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN, handle, CW_PLAY_PIN,
		      "2718"),
	    0x6983);
	assert_sw(with_value(w, CW_INS_UNBLOCK_KEY, handle, "00000000", NULL),
	    0x63C2);
	assert_sw(with_value(w, CW_INS_UNBLOCK_KEY, handle, CW_PLAY_PUK, NULL),
	    0x9000);
	assert_int_equal(cw_play_held(w, "Mine").puk_tries, 3);
	assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN, handle, CW_PLAY_PIN,
		      "2718"),
	    0x9000);
	for (unsigned i = 0; i < 3; i++)
		(void)with_value(w, CW_INS_UNBLOCK_KEY, handle, "00000000",
		    NULL);
	assert_sw(with_value(w, CW_INS_UNBLOCK_KEY, handle, CW_PLAY_PUK, NULL),
	    0x6983);
	/* Only the issuer can help now. */
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_on(CW_UNLOCK_KEY, 0, 2));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_sw(with_value(w, CW_INS_UNBLOCK_KEY, handle, CW_PLAY_PUK,
		      "3141"),
	    0x9000);
}

static void
updated_and_cloned_keys_have_the_old_pin(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = { .id = 2,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.name = { (const uint8_t *)"Mine", 4 } };

	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	key.id = 3;
	key.name = cw_bytes_str("Clone");
	cw_play_make(&w->issuer, &key);
	cw_test_must_run(&w->issuer, cw_play_on(CW_CLONE_KEY_PROTECTION, 3, 1));
	cw_test_must_run(&w->issuer, cw_play_on(CW_UPDATE_KEY, 2, 1));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	/* The update has the old one's handle. */
	assert_int_equal(cw_play_held(w, "Mine").handle, 1);
	assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN, 1, CW_PLAY_PIN, "2718"),
	    0x9000);
	assert_sw(with_value(w, CW_INS_CHANGE_KEY_PIN,
		      cw_play_held(w, "Clone").handle, "2718", "3141"),
	    0x9000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_key_is_read_with_all_that_concerns_it),
		world_test(reading_needs_the_holders_pin_where_there_is_one),
		world_test(export_needs_what_the_key_says),
		world_test(a_secret_that_is_kept_comes_out_again),
		world_test(deletion_needs_what_the_key_says),
		world_test(a_slot_is_deleted_with_the_holders_pin),
		world_test(the_holder_deletes_what_a_session_wants_to_use),
		world_test(a_pin_is_changed_within_its_policy),
		world_test(a_key_without_a_pin_has_none_to_change),
		world_test(each_policy_allows_what_it_says),
		world_test(groups_stay_different),
		world_test(the_puk_unblocks_and_can_be_blocked),
		world_test(updated_and_cloned_keys_have_the_old_pin),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
