/* SPDX-License-Identifier: Apache-2.0 */
/* Roll-over beside other sessions: what becomes of those that are open, and
 * what the card remembers of who follows whom. */
#include "card/state.h"
#include "tests/support/card_keys.h"

/* The same issuer once more, for a session beside the other one. */
static void
second_issuer(struct cw_test_world *w, struct cw_play_keys *k,
    struct cw_test_issuer *issuer)
{
	cw_test_issuer_init(issuer, &w->issuer.wire);
	cw_key_free(&issuer->management_key);
	cw_play_take(issuer, k, 0);
}

static void
drop_second(struct cw_test_issuer *issuer)
{
	issuer->management_key = NULL;
	cw_test_issuer_wipe(issuer);
}

static void
assert_forgotten(struct cw_test_issuer *issuer)
{
	assert_err(cw_test_issuer_close(issuer, NULL), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6985);
}

/* The old key's open session made a key that nobody could name afterwards, and
 * its results were counted from 1 again. */
static void
a_session_of_the_old_key_ends_with_the_roll_over(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	struct cw_test_issuer old;
	static struct cw_result_statement result;
	const struct cw_create_key key = { .id = 77,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.name = { (const uint8_t *)"Old", 3 } };

	cw_play_base(&w->issuer);
	second_issuer(w, &k, &old);
	cw_play_opens(&old, 0x9000);
	cw_play_make(&old, &key);
	cw_play_endorse(&k, 0, 1, 5);
	cw_play_take(&w->issuer, &k, 1);
	cw_play_opens(&w->issuer, 0x9000);
	assert_err(cw_test_issuer_close(&w->issuer, &result), CW_OK);
	assert_int_equal(result.counter, 2);
	assert_forgotten(&old);
	assert_null(cw_play_listed(&w->issuer, 77));
	drop_second(&old);
	cw_play_keys_end(w, &k);
}

/* Who has stolen the old key opens a session for a successor of his own, and
 * closes it when the right one has been committed. */
static void
an_open_session_for_another_successor_ends_too(void **state)
{
	struct cw_play_keys k, thief;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	struct cw_test_issuer other;

	cw_play_base(&w->issuer);
	cw_play_keys_init(&thief);
	cw_key_free(&thief.key[0]);
	thief.key[0] = k.key[0];
	cw_play_endorse(&thief, 0, 2, 9);
	second_issuer(w, &thief, &other);
	cw_play_take(&other, &thief, 2);
	cw_play_opens(&other, 0x9000);
	cw_play_endorse(&k, 0, 1, 5);
	cw_play_take(&w->issuer, &k, 1);
	cw_play_opens(&w->issuer, 0x9000);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_forgotten(&other);
	cw_play_opens(&other, 0x6988);
	cw_play_opens(&w->issuer, 0x9000);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_non_null(cw_play_listed(&w->issuer, 1));
	drop_second(&other);
	thief.key[0] = NULL;
	cw_play_keys_wipe(&thief);
	cw_play_keys_end(w, &k);
}

/* A link to the present key is held to an epoch that it has only now. */
static void
an_open_session_for_the_next_key_begins_again(void **state)
{
	struct cw_play_keys k, next;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	struct cw_test_issuer later;

	memset(&next, 0, sizeof(next));
	memcpy(next.key, k.key, sizeof(next.key));
	cw_buf_init(&next.endorsement[0], CW_REQUEST_MAX);
	second_issuer(w, &k, &later);
	cw_play_endorse(&next, 1, 2, 5); /* not above 5 */
	cw_play_take(&later, &next, 2);
	cw_play_opens(&later, 0x9000);
	cw_play_endorse(&k, 0, 1, 5);
	cw_play_take(&w->issuer, &k, 1);
	cw_play_opens(&w->issuer, 0x9000);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_forgotten(&later);
	cw_play_opens(&later, 0x6988);
	drop_second(&later);
	cw_buf_wipe(&next.endorsement[0]);
	cw_play_keys_end(w, &k);
}

static void
open_sessions_that_still_hold_go_on(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	struct cw_test_issuer same, stranger;

	cw_play_base(&w->issuer);
	cw_test_world_issuer(w, &stranger);
	cw_play_opens(&stranger, 0x9000);
	second_issuer(w, &k, &same);
	cw_play_endorse(&k, 0, 1, 5);
	cw_play_take(&same, &k, 1);
	cw_play_opens(&same, 0x9000);
	cw_play_take(&w->issuer, &k, 1);
	cw_play_opens(&w->issuer, 0x9000);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_err(cw_test_issuer_close(&same, NULL), CW_OK);
	assert_err(cw_test_issuer_close(&stranger, NULL), CW_OK);
	assert_non_null(cw_play_listed(&w->issuer, 1));
	drop_second(&same);
	cw_test_issuer_wipe(&stranger);
	cw_play_keys_end(w, &k);
}

/* Its result was delivered long ago, or the new key's commit tells that. */
static void
what_the_old_key_committed_is_kept_no_longer(void **state)
{
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);
	uint8_t old[CW_SESSION_ID_BYTES];

	cw_play_base(&w->issuer);
	memcpy(old, w->issuer.request.session_id, sizeof(old));
	cw_play_endorse(&k, 0, 1, 1);
	cw_play_take(&w->issuer, &k, 1);
	cw_play_opens(&w->issuer, 0x9000);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_sw(cw_test_send(&w->issuer.wire, 0x801C, 0, CW_BYTES_ARRAY(old),
		      NULL),
	    0x6985);
	cw_play_keys_end(w, &k);
}

/* ---- the table of who follows whom ---- */

/* An endorsement from before the newest one takes nothing back. */
static void
the_epoch_of_a_key_only_rises(void **state)
{
	static const uint32_t epochs[] = { 9, 3 };
	struct cw_play_keys k;
	struct cw_test_world *w = cw_play_keys_begin(state, &k);

	cw_play_base(&w->issuer);
	for (size_t i = 0; i < COUNT(epochs); i++) {
		cw_play_forget_chain(&k);
		cw_play_endorse(&k, 0, 1, epochs[i]);
		cw_play_take(&w->issuer, &k, 1);
		cw_play_opens(&w->issuer, 0x9000);
		assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	}
	cw_play_forget_chain(&k);
	cw_play_endorse(&k, 1, 3, 9);
	cw_play_take(&w->issuer, &k, 3);
	cw_play_opens(&w->issuer, 0x6988);
	cw_play_keys_end(w, &k);
}

/* What CLOSE adds to the state is looked at before its reply is made: the
 * session ends with the error, instead of asking for CLOSE for ever. */
static void
a_roll_over_that_does_not_fit_is_an_error_reply(void **state)
{
	unsigned n_full = 0, n_closed = 0;

	for (size_t room = 4096; room < 4096 + 3000; room += 40) {
		struct cw_play_keys k;
		struct cw_test_world *w = cw_play_keys_begin(state, &k);
		enum cw_err err;

		for (unsigned i = 0; i < CW_ENDORSEMENTS_MAX; i++)
			cw_play_endorse(&k, i, i + 1, i + 1);
		cw_play_take(&w->issuer, &k, CW_ENDORSEMENTS_MAX);
		cw_play_opens(&w->issuer, 0x9000);
		w->card.config.storage_max = w->card.storage.bytes.len + room;
		cw_test_card_power_cycle(&w->card);
		cw_test_select_provisioning(&w->issuer.wire);
		err = cw_test_issuer_close(&w->issuer, NULL);
		if (err != CW_OK)
			assert_err(err, CW_ERR_CARD_FULL);
		n_full += err != CW_OK;
		n_closed += err == CW_OK;
		cw_play_keys_end(w, &k);
	}
	assert_true(n_full > 0 && n_closed > 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_session_of_the_old_key_ends_with_the_roll_over),
		world_test(an_open_session_for_another_successor_ends_too),
		world_test(an_open_session_for_the_next_key_begins_again),
		world_test(open_sessions_that_still_hold_go_on),
		world_test(what_the_old_key_committed_is_kept_no_longer),
		world_test(the_epoch_of_a_key_only_rises),
		world_test(a_roll_over_that_does_not_fit_is_an_error_reply),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
