/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the card remembers of issuers beyond their objects, and for how many: anybody
 * who reaches the reader can play an issuer, so these tables must not fill for ever.
 */
#include "card/state.h"
#include "tests/support/card_keys.h"

/* An empty session that is committed; the record of it, which would fill the list
 * of sessions, goes. */
static enum cw_err
visit(struct cw_test_issuer *issuer, struct cw_result_statement *result)
{
	enum cw_err err;

	cw_play_opens(issuer, 0x9000);
	err = cw_test_issuer_close(issuer, result);
	(void)cw_test_send(&issuer->wire, 0x801C, 0,
	    CW_BYTES_ARRAY(issuer->request.session_id), NULL);
	return err;
}

/* ---- counters ---- */

static uint64_t
count(struct cw_test_world *w)
{
	static struct cw_result_statement result;

	assert_err(visit(&w->issuer, &result), CW_OK);
	assert_true(result.has_counter);
	return result.counter;
}

/* A management key that the card has never seen. */
static void
be_another(struct cw_test_world *w)
{
	cw_key_free(&w->issuer.management_key);
	assert_err(cw_key_generate(CW_KEY_P256, &w->issuer.management_key),
	    CW_OK);
}

static void
more_issuers_than_the_card_counts_for_lock_nobody_out(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_private_key *first = w->issuer.management_key;
	uint64_t of_card;

	for (unsigned i = 1; i <= 5; i++)
		assert_int_equal(count(w), i);
	w->issuer.request.mode = CW_MODE_IDENTIFIED;
	of_card = count(w);
	w->issuer.request.mode = CW_MODE_PSEUDONYMOUS;
	w->issuer.management_key = NULL;
	for (unsigned i = 0; i < CW_CARD_COUNTERS_MAX - 2; i++) {
		be_another(w);
		assert_int_equal(count(w), 1);
	}
	/* The table is full. Who comes now begins where the oldest was. */
	for (unsigned i = 0; i < 4; i++) {
		be_another(w);
		assert_int_equal(count(w), 6);
		assert_int_equal(count(w), 7);
		cw_test_card_power_cycle(&w->card);
	}
	cw_test_state_reads_back(w);
	/* The first was forgotten; its counter has not fallen. */
	cw_key_free(&w->issuer.management_key);
	w->issuer.management_key = first;
	assert_int_equal(count(w), 6);
	w->issuer.request.mode = CW_MODE_IDENTIFIED;
	assert_int_equal(count(w), of_card + 1);
}

/* ---- who follows whom ---- */

static enum cw_err
roll(struct cw_test_issuer *issuer, struct cw_play_keys *k, size_t to)
{
	cw_play_take(issuer, k, to);
	return visit(issuer, NULL);
}

static void
who_has_nothing_there_makes_room_for_a_roll_over(void **state)
{
	struct cw_play_keys k, other;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);

	cw_play_base(&w->issuer);
	cw_play_endorse(&k, 0, 1, 1);
	assert_err(roll(&w->issuer, &k, 1), CW_OK);
	for (size_t n = 0; n < 2 * CW_CARD_ISSUERS_MAX; n += 2) {
		cw_play_keys_init(&other);
		cw_play_endorse(&other, 0, 1, 1);
		assert_err(roll(&w->issuer, &other, 1), CW_OK);
		cw_play_keys_wipe(&other);
	}
	cw_test_card_power_cycle(&w->card);
	cw_test_state_reads_back(w);
	/* Who has something there is remembered. */
	cw_play_take(&w->issuer, &k, 1);
	assert_non_null(cw_play_listed(&w->issuer, 1));
	cw_play_forget_chain(&k);
	cw_play_take(&w->issuer, &k, 0);
	cw_play_opens(&w->issuer, 0x6988);
	cw_play_endorse(&k, 0, 2, 9);
	cw_play_take(&w->issuer, &k, 2);
	cw_play_opens(&w->issuer, 0x6988);
	cw_play_keys_end(w, &k);
}

/* An issuer with a key on the card, and so many former keys: it is one more that
 * the card remembers. */
static enum cw_err
settle(struct cw_test_issuer *issuer, unsigned n_former)
{
	static const struct cw_create_key key = { .id = 1,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN };
	struct cw_play_keys k;
	enum cw_err err;

	cw_play_keys_init(&k);
	cw_play_take(issuer, &k, 0);
	cw_play_opens(issuer, 0x9000);
	cw_play_make(issuer, &key);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	for (unsigned i = 0; i < n_former; i++)
		cw_play_endorse(&k, i, i + 1, i + 1);
	err = roll(issuer, &k, n_former);
	issuer->management_key = NULL;
	cw_play_keys_wipe(&k);
	return err;
}

static void
a_table_that_is_all_needed_is_full_until_something_goes(void **state)
{
	struct cw_test_world *w = *state;
	const unsigned most = CW_ENDORSEMENTS_MAX;
	unsigned n = 0;

	cw_key_free(&w->issuer.management_key);
	for (; n + most + 1 <= CW_CARD_ISSUERS_MAX - 10; n += most + 1)
		assert_err(settle(&w->issuer, most), CW_OK);
	assert_int_equal(n, CW_CARD_ISSUERS_MAX - 10);
	assert_err(settle(&w->issuer, 4), CW_OK);
	/* One more than there is room for, and exactly as many. */
	assert_err(settle(&w->issuer, 5), CW_ERR_CARD_FULL);
	assert_err(settle(&w->issuer, 4), CW_OK);
	assert_err(settle(&w->issuer, 1), CW_ERR_CARD_FULL);
	/* RESET CARD: nobody has anything there. */
	assert_sw(cw_test_send(&w->issuer.wire, 0x80EE, 0, CW_BYTES_NONE, NULL),
	    0x9000);
	for (unsigned i = 0; i < n; i += most + 1)
		assert_err(settle(&w->issuer, most), CW_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
		    more_issuers_than_the_card_counts_for_lock_nobody_out),
		world_test(who_has_nothing_there_makes_room_for_a_roll_over),
		world_test(
		    a_table_that_is_all_needed_is_full_until_something_goes),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
