/* SPDX-License-Identifier: Apache-2.0 */
/* The sessions that a card keeps: which make way, which STATUS tells of, and that
 * nothing leaves that was not stored. */
#include "card/state.h"
#include "proto/card_link.h"
#include "tests/support/card_play.h"

static unsigned
status_of(struct cw_test_world *w, struct cw_status *status)
{
	struct cw_buf query;
	unsigned sw;

	cw_buf_init(&query, 1024);
	cw_status_query_encode(cw_bytes_str("https://issuer.test:8443"),
	    &query);
	sw = cw_test_send(&w->card.wire, 0x801A, 0, cw_buf_bytes(&query),
	    &w->out);
	cw_buf_wipe(&query);
	if (sw == 0x9000)
		assert_err(cw_status_decode(cw_buf_bytes(&w->out), status),
		    CW_OK);
	return sw;
}

/* A session of a new issuer that ends: in its result, or in an error. */
static void
visit(struct cw_test_world *w, bool closes, uint8_t id[CW_SESSION_ID_BYTES])
{
	const struct cw_command bad = cw_play_on(CW_DELETE_KEY, 0, 6);
	struct cw_test_issuer other;

	cw_test_world_issuer(w, &other);
	assert_err(cw_test_issuer_begin(&other), CW_OK);
	if (closes)
		assert_err(cw_test_issuer_close(&other, NULL), CW_OK);
	else
		assert_err(cw_test_run(&other, &bad), CW_ERR_UNKNOWN_ID);
	memcpy(id, other.request.session_id, CW_SESSION_ID_BYTES);
	cw_test_issuer_wipe(&other);
}

static unsigned
abort_session(struct cw_test_world *w, const uint8_t id[CW_SESSION_ID_BYTES])
{
	return cw_test_send(&w->card.wire, 0x801C, 0,
	    cw_bytes(id, CW_SESSION_ID_BYTES), NULL);
}

/* A result may still be needed: only an error makes way for a new session. */
static void
a_full_list_forgets_errors_and_no_results(void **state)
{
	struct cw_test_world *w = *state;
	uint8_t ids[CW_CARD_SESSIONS_MAX][CW_SESSION_ID_BYTES];

	for (size_t i = 0; i < CW_CARD_SESSIONS_MAX; i++)
		visit(w, i != 3 && i != 5, ids[i]);
	/* The older error goes, and then the other one. */
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_sw(abort_session(w, ids[3]), 0x6985);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6A84);
	assert_sw(abort_session(w, ids[5]), 0x6985);
	for (size_t i = 0; i < CW_CARD_SESSIONS_MAX; i++)
		if (i != 3 && i != 5)
			assert_sw(abort_session(w, ids[i]), 0x9000);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
}

static void
an_error_stays_while_there_is_room(void **state)
{
	struct cw_test_world *w = *state;
	uint8_t id[CW_SESSION_ID_BYTES];

	visit(w, false, id);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_sw(abort_session(w, id), 0x9000);
}

/* One that ended later does not hide the one that goes on. */
static void
status_tells_of_the_open_session_first(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_command bad = cw_play_on(CW_DELETE_KEY, 0, 6);
	uint8_t open[CW_SESSION_ID_BYTES];
	struct cw_status status;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	memcpy(open, w->issuer.request.session_id, sizeof(open));
	for (int i = 0; i < 2; i++) {
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		assert_sw(status_of(w, &status), 0x9000);
		assert_memory_equal(status.session_id,
		    w->issuer.request.session_id, sizeof(open));
		if (i == 0)
			assert_err(cw_test_run(&w->issuer, &bad),
			    CW_ERR_UNKNOWN_ID);
		else
			assert_err(cw_test_issuer_close(&w->issuer, NULL),
			    CW_OK);
		assert_sw(status_of(w, &status), 0x9000);
		assert_int_equal(status.state, CW_SESSION_OPEN);
		assert_memory_equal(status.session_id, open, sizeof(open));
	}
	assert_sw(abort_session(w, open), 0x9000);
}

/* docs/protocol.md 6: stored before the first byte leaves. */
static void
what_was_not_stored_does_not_leave_afterwards(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = cw_play_secret;
	struct cw_key_request q = { .handle = 1 };

	key.usage = CW_USAGE_KEEP;
	key.exportable = true;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_import(&key));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	w->card.storage.tear = CW_TEST_TEAR_FULL;
	w->card.storage.tear_at = w->card.storage.stores + 1;
	assert_sw(cw_play_hold(w, CW_INS_EXPORT_KEY, &q), 0x6581);
	w->card.storage.tear = CW_TEST_TEAR_NONE;
	assert_sw(cw_test_send(&w->card.wire, 0x00C0, 0, CW_BYTES_NONE,
		      &w->out),
	    0x6985);
	assert_int_equal(w->out.len, 0);
}

/* ---- what an issuer is told, and when ---- */

static void
the_token_says_how_many_keys_have_room(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_card_info info;

	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer,
	    &(struct cw_create_key){ .id = 2,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN });
	/* Those of open sessions count. */
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_card_info_decode(w->issuer.token.card_info, &info),
	    CW_OK);
	assert_int_equal(info.keys_free, CW_CARD_KEYS_MAX - 2);
}

static void
a_blocked_pin_shows_nobody_which_card_it_is(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	for (int i = 0; i < 3; i++)
		(void)cw_test_verify(&w->card.wire, "404040");
	w->issuer.request.mode = CW_MODE_IDENTIFIED;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6982);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_full_list_forgets_errors_and_no_results),
		world_test(an_error_stays_while_there_is_room),
		world_test(status_tells_of_the_open_session_first),
		world_test(what_was_not_stored_does_not_leave_afterwards),
		world_test(the_token_says_how_many_keys_have_room),
		world_test(a_blocked_pin_shows_nobody_which_card_it_is),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
