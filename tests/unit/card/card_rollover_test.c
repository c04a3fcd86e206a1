/* SPDX-License-Identifier: Apache-2.0 */
/* Roll-over of the management key on the card: what a chain must be, what moves
 * at CLOSE, and that the old key is refused from then on. */
#include "tests/support/card_keys.h"

/* ---- chains ---- */

static void
a_chain_leads_to_the_management_key_with_rising_epochs(void **state)
{
	static const struct {
		const char *name;
		struct {
			size_t from, to;
			uint32_t epoch;
		} chain[4];
		size_t n, key;
		unsigned want;
	} rows[] = {
		{ "one", { { 0, 1, 1 } }, 1, 1, 0x9000 },
		{ "two", { { 0, 1, 1 }, { 1, 2, 2 } }, 2, 2, 0x9000 },
		{ "a jump of epochs", { { 0, 1, 7 }, { 1, 2, 900 } }, 2, 2,
		    0x9000 },
		{ "the same epoch", { { 0, 1, 1 }, { 1, 2, 1 } }, 2, 2,
		    0x6988 },
		{ "a falling epoch", { { 0, 1, 2 }, { 1, 2, 1 } }, 2, 2,
		    0x6988 },
		{ "a gap", { { 0, 1, 1 }, { 2, 3, 2 } }, 2, 3, 0x6988 },
		{ "another key at the end", { { 0, 1, 1 } }, 1, 2, 0x6988 },
		{ "the old key at the end", { { 0, 1, 1 } }, 1, 0, 0x6988 },
		{ "the wrong order", { { 1, 2, 1 }, { 0, 1, 2 } }, 2, 2,
		    0x6988 },
		{ "a circle", { { 0, 1, 1 }, { 1, 0, 2 } }, 2, 0, 0x6988 },
		{ "a key for itself", { { 0, 0, 1 } }, 1, 0, 0x6988 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_play_keys k;
		struct cw_test_world *w = cw_play_keys_begin(state, &k);

		print_message("%s\n", rows[i].name);
		for (size_t j = 0; j < rows[i].n; j++)
			cw_play_endorse(&k, rows[i].chain[j].from,
			    rows[i].chain[j].to, rows[i].chain[j].epoch);
		cw_play_take(&w->issuer, &k, rows[i].key);
		cw_play_opens(&w->issuer, rows[i].want);
		cw_play_keys_end(w, &k);
	}
}

static void
a_damaged_endorsement_is_refused(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);

	cw_play_endorse(&k, 0, 1, 1);
	for (size_t at = 0; at < k.endorsement[0].len; at += 7) {
		k.endorsement[0].ptr[at] ^= 1;
		cw_play_take(&w->issuer, &k, 1);
		cw_play_opens(&w->issuer, 0x6988);
		k.endorsement[0].ptr[at] ^= 1;
	}
	cw_play_opens(&w->issuer, 0x9000);
	cw_play_keys_end(w, &k);
}

/* ---- what a commit makes of it ---- */

static void
objects_move_at_close_and_the_old_key_is_refused(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	struct cw_test_issuer *issuer = &w->issuer;

	cw_play_base(issuer);
	/* Without an endorsement they do not exist for the new key. */
	cw_play_take(issuer, &k, 1);
	assert_null(cw_play_listed(issuer, 1));
	cw_play_endorse(&k, 0, 1, 1);
	cw_play_take(issuer, &k, 1);
	assert_non_null(cw_play_listed(issuer, 1)); /* not committed */
	cw_play_forget_chain(&k);
	cw_play_take(issuer, &k, 0);
	cw_play_opens(issuer, 0x9000);
	/* A session that only closes moves them. */
	cw_play_endorse(&k, 0, 1, 1);
	cw_play_take(issuer, &k, 1);
	cw_play_opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	cw_play_forget_chain(&k);
	cw_play_take(issuer, &k, 0);
	cw_play_opens(issuer, 0x6988);
	cw_play_take(issuer, &k, 1);
	assert_non_null(cw_play_listed(issuer, 1));
	cw_play_opens(issuer, 0x9000);
	cw_test_must_run(issuer, cw_play_on(CW_DELETE_KEY, 0, 1));
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	cw_play_keys_end(w, &k);
}

static void
a_management_command_comes_in_the_same_session(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	const struct cw_create_key key = { .id = 2,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.name = { (const uint8_t *)"New", 3 } };
	const struct cw_key_request q = { .handle = 1,
		.pin = cw_bytes_str(CW_PLAY_PIN),
		.new_pin = cw_bytes_str("2718") };
	const struct cw_key_request puk = { .handle = 1,
		.pin = cw_bytes_str(CW_PLAY_PUK) };

	cw_play_base(&w->issuer);
	/* Two steps at once; the middle key was never on this card. */
	cw_play_endorse(&k, 0, 1, 1);
	cw_play_endorse(&k, 1, 2, 2);
	cw_play_take(&w->issuer, &k, 2);
	cw_play_opens(&w->issuer, 0x9000);
	cw_play_make(&w->issuer, &key);
	cw_test_must_run(&w->issuer, cw_play_on(CW_UPDATE_KEY, 2, 1));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	cw_play_forget_chain(&k);
	cw_play_take(&w->issuer, &k, 2);
	assert_non_null(cw_play_listed(&w->issuer, 2));
	/* The PIN moved too, and the PUK. */
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x9000);
	assert_sw(cw_play_hold(w, CW_INS_UNBLOCK_KEY, &puk), 0x9000);
	cw_play_take(&w->issuer, &k, 1);
	cw_play_opens(&w->issuer, 0x6988);
	cw_play_keys_end(w, &k);
}

static void
a_replaced_key_endorses_nobody_else(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	struct cw_test_issuer *issuer = &w->issuer;

	cw_play_base(issuer);
	cw_play_endorse(&k, 0, 1, 5);
	cw_play_take(issuer, &k, 1);
	cw_play_opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	/* The same chain again is no news. */
	cw_play_opens(issuer, 0x9000);
	/* A stolen old key makes another successor, of any epoch. */
	cw_play_forget_chain(&k);
	cw_play_endorse(&k, 0, 2, 9);
	cw_play_take(issuer, &k, 2);
	cw_play_opens(issuer, 0x6988);
	/* And the new key's successor needs a higher epoch than its own. */
	cw_play_forget_chain(&k);
	cw_play_endorse(&k, 1, 3, 5);
	cw_play_take(issuer, &k, 3);
	cw_play_opens(issuer, 0x6988);
	cw_play_forget_chain(&k);
	cw_play_endorse(&k, 1, 3, 6);
	cw_play_take(issuer, &k, 3);
	cw_play_opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	assert_non_null(cw_play_listed(issuer, 1));
	cw_play_keys_end(w, &k);
}

static void
an_error_or_an_abort_moves_nothing(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	struct cw_command bad = cw_play_on(CW_DELETE_KEY, 0, 6);

	cw_play_base(&w->issuer);
	cw_play_endorse(&k, 0, 1, 1);
	cw_play_take(&w->issuer, &k, 1);
	cw_play_opens(&w->issuer, 0x9000);
	assert_err(cw_test_run(&w->issuer, &bad), CW_ERR_UNKNOWN_ID);
	cw_play_forget_chain(&k);
	cw_play_take(&w->issuer, &k, 0);
	assert_non_null(cw_play_listed(&w->issuer, 1));
	cw_play_keys_end(w, &k);
}

static void
ids_of_both_keys_must_differ(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);

	cw_play_base(&w->issuer);
	cw_play_take(&w->issuer, &k, 1);
	cw_play_base(&w->issuer);
	cw_play_endorse(&k, 0, 1, 1);
	cw_play_take(&w->issuer, &k, 1);
	cw_play_opens(&w->issuer, 0x9000);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_ERR_DUPLICATE_ID);
	cw_play_keys_end(w, &k);
}

/* Keys, PIN policies and PUK policies share their ids. */
static void
an_id_is_for_one_object_of_whatever_kind(void **state)
{
	static const struct {
		uint32_t puk, policy, key; /* the old key has 30, 20, 1 */
		enum cw_err want;
	} rows[] = {
		{ 31, 21, 2, CW_OK },
		{ 30, 21, 2, CW_ERR_DUPLICATE_ID },
		{ 31, 20, 2, CW_ERR_DUPLICATE_ID },
		{ 31, 21, 1, CW_ERR_DUPLICATE_ID },
		{ 31, 21, 20, CW_ERR_DUPLICATE_ID },
		{ 31, 21, 30, CW_ERR_DUPLICATE_ID },
		{ 31, 30, 2, CW_ERR_DUPLICATE_ID },
		{ 31, 1, 2, CW_ERR_DUPLICATE_ID },
		{ 20, 21, 2, CW_ERR_DUPLICATE_ID },
		{ 1, 21, 2, CW_ERR_DUPLICATE_ID },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_play_keys k;
		struct cw_test_world *w = cw_play_keys_begin(state, &k);
		struct cw_create_puk_policy puk = cw_play_puk;
		struct cw_create_pin_policy policy = cw_play_policy;
		struct cw_create_key key = cw_play_key;

		print_message("row %zu\n", i);
		cw_play_base(&w->issuer);
		cw_play_take(&w->issuer, &k, 1);
		puk.id = policy.puk = rows[i].puk;
		policy.id = key.pin_policy = rows[i].policy;
		key.id = rows[i].key;
		cw_play_opens(&w->issuer, 0x9000);
		cw_test_must_run(&w->issuer, cw_play_puk_command(&puk));
		cw_test_must_run(&w->issuer, cw_test_policy_command(&policy));
		cw_play_make(&w->issuer, &key);
		assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
		cw_play_endorse(&k, 0, 1, 1);
		cw_play_take(&w->issuer, &k, 1);
		cw_play_opens(&w->issuer, 0x9000);
		assert_err(cw_test_issuer_close(&w->issuer, NULL),
		    rows[i].want);
		cw_play_keys_end(w, &k);
	}
}

/* The pseudonym is over the oldest key, and the counter goes on. */
static void
pseudonym_and_counter_stay(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	struct cw_test_issuer *issuer = &w->issuer;
	static struct cw_result_statement result;
	uint8_t pseudonym[CW_HASH_BYTES];

	cw_play_base(issuer);
	memcpy(pseudonym, issuer->token.pseudonym, sizeof(pseudonym));
	cw_play_opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	assert_int_equal(result.counter, 2);
	cw_play_endorse(&k, 0, 1, 1);
	cw_play_take(issuer, &k, 1);
	cw_play_opens(issuer, 0x9000);
	assert_memory_equal(issuer->token.pseudonym, pseudonym, CW_HASH_BYTES);
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	assert_int_equal(result.counter, 3);
	cw_play_opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	assert_int_equal(result.counter, 4);
	cw_play_keys_end(w, &k);
}

static uint64_t
closes(struct cw_test_issuer *issuer, enum cw_mode mode)
{
	static struct cw_result_statement result;

	issuer->request.mode = mode;
	cw_play_opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	return result.has_counter ? result.counter : 0;
}

/* Whatever mode the session has that rolls over, the pseudonym's counter goes
 * on; also where both keys have counted. */
static void
counters_go_on_in_every_mode(void **state)
{
	for (int own = 0; own <= 1; own++)
		for (int mode = CW_MODE_IDENTIFIED; mode <= CW_MODE_ANONYMOUS;
		     mode++) {
			struct cw_play_keys k;
			struct cw_test_world *w = cw_play_keys_begin(state, &k);
			struct cw_test_issuer *issuer = &w->issuer;

			for (uint64_t n = 1; n <= 3; n++)
				assert_int_equal(closes(issuer,
						     CW_MODE_PSEUDONYMOUS),
				    n);
			cw_play_take(issuer, &k, 1);
			if (own)
				assert_int_equal(closes(issuer,
						     CW_MODE_PSEUDONYMOUS),
				    1);
			cw_play_endorse(&k, 0, 1, 1);
			cw_play_take(issuer, &k, 1);
			(void)closes(issuer, (enum cw_mode)mode);
			assert_int_equal(closes(issuer, CW_MODE_PSEUDONYMOUS),
			    mode == CW_MODE_PSEUDONYMOUS ? 5 : 4);
			cw_play_keys_end(w, &k);
		}
}

/* The new key counted before the old one did: the issuer has seen the highest. */
static void
a_counter_goes_on_at_the_highest_of_the_chain(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	struct cw_test_issuer *issuer = &w->issuer;

	cw_play_take(issuer, &k, 1);
	assert_int_equal(closes(issuer, CW_MODE_PSEUDONYMOUS), 1);
	cw_play_take(issuer, &k, 0);
	for (uint64_t n = 1; n <= 3; n++)
		assert_int_equal(closes(issuer, CW_MODE_PSEUDONYMOUS), n);
	cw_play_endorse(&k, 0, 1, 1);
	cw_play_take(issuer, &k, 1);
	assert_int_equal(closes(issuer, CW_MODE_PSEUDONYMOUS), 4);
	assert_int_equal(closes(issuer, CW_MODE_PSEUDONYMOUS), 5);
	cw_play_keys_end(w, &k);
}

static void
a_torn_close_has_moved_all_or_nothing(void **state)
{
	for (int tear = CW_TEST_TEAR_FULL; tear <= CW_TEST_TEAR_AFTER; tear++) {
		struct cw_play_keys k;
		struct cw_test_world *w = cw_play_keys_begin(state, &k);
		struct cw_test_issuer *issuer = &w->issuer;
		struct cw_command close = cw_play_close();

		cw_play_base(issuer);
		cw_play_endorse(&k, 0, 1, 1);
		cw_play_take(issuer, &k, 1);
		cw_play_opens(issuer, 0x9000);
		assert_err(cw_test_issuer_seal(issuer, &close), CW_OK);
		w->card.storage.tear = (enum cw_test_tear)tear;
		w->card.storage.tear_at = w->card.storage.stores + 1;
		assert_err(cw_test_issuer_send(issuer,
			       cw_buf_bytes(&issuer->command)),
		    CW_ERR_CARD_SAYS);
		w->card.storage.tear = CW_TEST_TEAR_NONE;
		cw_test_card_power_cycle(&w->card);
		cw_play_forget_chain(&k);
		cw_play_take(issuer, &k, 0);
		cw_play_opens(issuer,
		    tear == CW_TEST_TEAR_AFTER ? 0x6988 : 0x9000);
		cw_play_keys_end(w, &k);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
		    a_chain_leads_to_the_management_key_with_rising_epochs),
		world_test(a_damaged_endorsement_is_refused),
		world_test(objects_move_at_close_and_the_old_key_is_refused),
		world_test(a_management_command_comes_in_the_same_session),
		world_test(a_replaced_key_endorses_nobody_else),
		world_test(an_error_or_an_abort_moves_nothing),
		world_test(ids_of_both_keys_must_differ),
		world_test(an_id_is_for_one_object_of_whatever_kind),
		world_test(pseudonym_and_counter_stay),
		world_test(counters_go_on_in_every_mode),
		world_test(a_counter_goes_on_at_the_highest_of_the_chain),
		world_test(a_torn_close_has_moved_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
