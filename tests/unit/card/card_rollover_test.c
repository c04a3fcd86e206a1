/* SPDX-License-Identifier: Apache-2.0 */
/* Roll-over of the management key on the card: what a chain must be, what moves
 * at CLOSE, and that the old key is refused from then on. */
#include "proto/endorsement.h"
#include "tests/support/card_play.h"

#define KEYS 4

/* An issuer with several management keys, and endorsements between them. */
struct keys {
	struct cw_private_key *key[KEYS];
	struct cw_buf endorsement[CW_ENDORSEMENTS_MAX];
	size_t n;
};

static void
keys_init(struct keys *k)
{
	memset(k, 0, sizeof(*k));
	for (size_t i = 0; i < KEYS; i++)
		assert_err(cw_key_generate(i == 1 ? CW_KEY_ED25519 :
						    CW_KEY_P256,
			       &k->key[i]),
		    CW_OK);
	for (size_t i = 0; i < CW_ENDORSEMENTS_MAX; i++)
		cw_buf_init(&k->endorsement[i], CW_REQUEST_MAX);
}

static void
keys_wipe(struct keys *k)
{
	for (size_t i = 0; i < KEYS; i++)
		cw_key_free(&k->key[i]);
	for (size_t i = 0; i < CW_ENDORSEMENTS_MAX; i++)
		cw_buf_wipe(&k->endorsement[i]);
}

/* One more endorsement behind the others. */
static void
endorse(struct keys *k, size_t from, size_t to, uint32_t epoch)
{
	struct cw_endorsement e = { .epoch = epoch, .not_after_s = 2000000000 };

	cw_key_public(k->key[to], &e.to);
	assert_err(cw_endorsement_make(&e, k->key[from], &k->endorsement[k->n]),
	    CW_OK);
	k->n++;
}

/* The issuer's sessions are from now on under this key, with the chain. */
static void
take(struct cw_test_issuer *issuer, struct keys *k, size_t key)
{
	struct cw_request *q = &issuer->request;

	issuer->management_key = k->key[key];
	q->n_endorsements = k->n;
	for (size_t i = 0; i < k->n; i++)
		q->endorsements[i] = cw_buf_bytes(&k->endorsement[i]);
}

static void
forget_chain(struct keys *k)
{
	for (size_t i = 0; i < k->n; i++)
		cw_buf_reset(&k->endorsement[i]);
	k->n = 0;
}

/* The issuer's own key is replaced by the first of `k`. */
static struct cw_test_world *
prepare(void **state, struct keys *k)
{
	struct cw_test_world *w = cw_test_world_renew(state);

	keys_init(k);
	cw_key_free(&w->issuer.management_key);
	take(&w->issuer, k, 0);
	return w;
}

static void
finish(struct cw_test_world *w, struct keys *k)
{
	w->issuer.management_key = NULL;
	keys_wipe(k);
}

static void
opens(struct cw_test_issuer *issuer, unsigned want)
{
	enum cw_err err = cw_test_issuer_begin(issuer);

	assert_err(err, want == 0x9000 ? CW_OK : CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, want);
}

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
		struct keys k;
		struct cw_test_world *w = prepare(state, &k);

		print_message("%s\n", rows[i].name);
		for (size_t j = 0; j < rows[i].n; j++)
			endorse(&k, rows[i].chain[j].from, rows[i].chain[j].to,
			    rows[i].chain[j].epoch);
		take(&w->issuer, &k, rows[i].key);
		opens(&w->issuer, rows[i].want);
		finish(w, &k);
	}
}

static void
a_damaged_endorsement_is_refused(void **state)
{
	struct keys k;
	struct cw_test_world *w = prepare(state, &k);

	endorse(&k, 0, 1, 1);
	for (size_t at = 0; at < k.endorsement[0].len; at += 7) {
		k.endorsement[0].ptr[at] ^= 1;
		take(&w->issuer, &k, 1);
		opens(&w->issuer, 0x6988);
		k.endorsement[0].ptr[at] ^= 1;
	}
	opens(&w->issuer, 0x9000);
	finish(w, &k);
}

/* ---- what a commit makes of it ---- */

static void
objects_move_at_close_and_the_old_key_is_refused(void **state)
{
	struct keys k;
	struct cw_test_world *w = prepare(state, &k);
	struct cw_test_issuer *issuer = &w->issuer;

	cw_play_base(issuer);
	/* Without an endorsement they do not exist for the new key. */
	take(issuer, &k, 1);
	assert_null(cw_play_listed(issuer, 1));
	endorse(&k, 0, 1, 1);
	take(issuer, &k, 1);
	assert_non_null(cw_play_listed(issuer, 1)); /* not committed */
	forget_chain(&k);
	take(issuer, &k, 0);
	opens(issuer, 0x9000);
	/* A session that only closes moves them. */
	endorse(&k, 0, 1, 1);
	take(issuer, &k, 1);
	opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	forget_chain(&k);
	take(issuer, &k, 0);
	opens(issuer, 0x6988);
	take(issuer, &k, 1);
	assert_non_null(cw_play_listed(issuer, 1));
	opens(issuer, 0x9000);
	cw_test_must_run(issuer, cw_play_on(CW_DELETE_KEY, 0, 1));
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	finish(w, &k);
}

static void
a_management_command_comes_in_the_same_session(void **state)
{
	struct keys k;
	struct cw_test_world *w = prepare(state, &k);
	const struct cw_create_key key = { .id = 2,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.name = { (const uint8_t *)"New", 3 } };
	const struct cw_key_request q = { .handle = 1,
		.pin = cw_bytes_str(CW_PLAY_PIN),
		.new_pin = cw_bytes_str("2718") };

	cw_play_base(&w->issuer);
	/* Two steps at once; the middle key was never on this card. */
	endorse(&k, 0, 1, 1);
	endorse(&k, 1, 2, 2);
	take(&w->issuer, &k, 2);
	opens(&w->issuer, 0x9000);
	cw_play_make(&w->issuer, &key);
	cw_test_must_run(&w->issuer, cw_play_on(CW_UPDATE_KEY, 2, 1));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	forget_chain(&k);
	take(&w->issuer, &k, 2);
	assert_non_null(cw_play_listed(&w->issuer, 2));
	/* The PIN moved too. */
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x9000);
	take(&w->issuer, &k, 1);
	opens(&w->issuer, 0x6988);
	finish(w, &k);
}

static void
a_replaced_key_endorses_nobody_else(void **state)
{
	struct keys k;
	struct cw_test_world *w = prepare(state, &k);
	struct cw_test_issuer *issuer = &w->issuer;

	cw_play_base(issuer);
	endorse(&k, 0, 1, 5);
	take(issuer, &k, 1);
	opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	/* The same chain again is no news. */
	opens(issuer, 0x9000);
	/* A stolen old key makes another successor, of any epoch. */
	forget_chain(&k);
	endorse(&k, 0, 2, 9);
	take(issuer, &k, 2);
	opens(issuer, 0x6988);
	/* And the new key's successor needs a higher epoch than its own. */
	forget_chain(&k);
	endorse(&k, 1, 3, 5);
	take(issuer, &k, 3);
	opens(issuer, 0x6988);
	forget_chain(&k);
	endorse(&k, 1, 3, 6);
	take(issuer, &k, 3);
	opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	assert_non_null(cw_play_listed(issuer, 1));
	finish(w, &k);
}

static void
an_error_or_an_abort_moves_nothing(void **state)
{
	struct keys k;
	struct cw_test_world *w = prepare(state, &k);
	struct cw_command bad = cw_play_on(CW_DELETE_KEY, 0, 6);

	cw_play_base(&w->issuer);
	endorse(&k, 0, 1, 1);
	take(&w->issuer, &k, 1);
	opens(&w->issuer, 0x9000);
	assert_err(cw_test_run(&w->issuer, &bad), CW_ERR_UNKNOWN_ID);
	forget_chain(&k);
	take(&w->issuer, &k, 0);
	assert_non_null(cw_play_listed(&w->issuer, 1));
	finish(w, &k);
}

static void
ids_of_both_keys_must_differ(void **state)
{
	struct keys k;
	struct cw_test_world *w = prepare(state, &k);

	cw_play_base(&w->issuer);
	take(&w->issuer, &k, 1);
	cw_play_base(&w->issuer);
	endorse(&k, 0, 1, 1);
	take(&w->issuer, &k, 1);
	opens(&w->issuer, 0x9000);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_ERR_DUPLICATE_ID);
	finish(w, &k);
}

/* The pseudonym is over the oldest key, and the counter goes on. */
static void
pseudonym_and_counter_stay(void **state)
{
	struct keys k;
	struct cw_test_world *w = prepare(state, &k);
	struct cw_test_issuer *issuer = &w->issuer;
	static struct cw_result_statement result;
	uint8_t pseudonym[CW_HASH_BYTES];

	cw_play_base(issuer);
	memcpy(pseudonym, issuer->token.pseudonym, sizeof(pseudonym));
	opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	assert_int_equal(result.counter, 2);
	endorse(&k, 0, 1, 1);
	take(issuer, &k, 1);
	opens(issuer, 0x9000);
	assert_memory_equal(issuer->token.pseudonym, pseudonym, CW_HASH_BYTES);
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	assert_int_equal(result.counter, 3);
	opens(issuer, 0x9000);
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	assert_int_equal(result.counter, 4);
	finish(w, &k);
}

static void
a_torn_close_has_moved_all_or_nothing(void **state)
{
	for (int tear = CW_TEST_TEAR_FULL; tear <= CW_TEST_TEAR_AFTER; tear++) {
		struct keys k;
		struct cw_test_world *w = prepare(state, &k);
		struct cw_test_issuer *issuer = &w->issuer;
		struct cw_command close = cw_play_close();

		cw_play_base(issuer);
		endorse(&k, 0, 1, 1);
		take(issuer, &k, 1);
		opens(issuer, 0x9000);
		assert_err(cw_test_issuer_seal(issuer, &close), CW_OK);
		w->card.storage.tear = (enum cw_test_tear)tear;
		w->card.storage.tear_at = w->card.storage.stores + 1;
		assert_err(cw_test_issuer_send(issuer,
			       cw_buf_bytes(&issuer->command)),
		    CW_ERR_CARD_SAYS);
		w->card.storage.tear = CW_TEST_TEAR_NONE;
		cw_test_card_power_cycle(&w->card);
		forget_chain(&k);
		take(issuer, &k, 0);
		opens(issuer, tear == CW_TEST_TEAR_AFTER ? 0x6988 : 0x9000);
		finish(w, &k);
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
		world_test(pseudonym_and_counter_stay),
		world_test(a_torn_close_has_moved_all_or_nothing),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
