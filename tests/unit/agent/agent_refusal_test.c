/* SPDX-License-Identifier: Apache-2.0 */
/* Runs against the reference card: what is refused, and before what. */
#include <unistd.h>

#include "proto/endorsement.h"
#include "tests/support/check.h"
#include "tests/support/reader_world.h"

/* ---- message 1 and 3: refusals ---- */

static void
no_edit(struct cw_world *w)
{
	(void)w;
}

static void
other_origin(struct cw_world *w)
{
	w->issuer.request.uri = cw_bytes_str("https://evil.test:8443/session");
}

static void
other_path(struct cw_world *w)
{
	w->issuer.request.uri = cw_bytes_str(CW_TEST_ORIGIN "/other");
}

static void
other_intent(struct cw_world *w)
{
	w->issuer.request.intent_hash[5] ^= 1;
}

static void
wider_scope(struct cw_world *w)
{
	w->issuer.request.scope.n_slots = 2;
	w->issuer.request.scope.slots[0] = 0x82;
	w->issuer.request.scope.slots[1] = 0x9A;
}

static void
other_mode(struct cw_world *w)
{
	w->issuer.request.mode = CW_MODE_IDENTIFIED;
}

static void
other_nonce(struct cw_world *w)
{
	w->issuer.request.card_nonce[0] ^= 1;
}

static void
other_caps(struct cw_world *w)
{
	w->issuer.request.caps_hash[0] ^= 1;
}

static void
long_ago(struct cw_world *w)
{
	w->issuer.request.time_s = CW_TEST_NOW_S - 7200;
	w->issuer.request.lifetime_s = 3600;
}

static void
from_the_future(struct cw_world *w)
{
	w->issuer.request.time_s = CW_TEST_NOW_S + 7200;
}

static const struct {
	const char *name;
	void (*edit)(struct cw_world *w);
	enum cw_err err;
} bad_requests[] = {
	{ "a session request as it should be", no_edit, CW_OK },
	{ "for another origin", other_origin, CW_ERR_BAD_ORIGIN },
	{ "for another address than the intent's", other_path,
	    CW_ERR_BAD_ORIGIN },
	{ "for another intent", other_intent, CW_ERR_BAD_INTENT_HASH },
	{ "with another scope", wider_scope, CW_ERR_BAD_SCOPE },
	{ "in another privacy mode", other_mode, CW_ERR_WRONG_MODE },
	{ "for another nonce", other_nonce, CW_ERR_BAD_NONCE },
	{ "for other capabilities", other_caps, CW_ERR_BAD_CAPS_HASH },
	{ "whose time is over", long_ago, CW_ERR_SESSION_EXPIRED },
	{ "whose time has not come", from_the_future, CW_ERR_SESSION_EXPIRED },
};

static void
a_session_request_that_is_not_what_was_shown_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_requests); i++) {
		struct cw_world *w = test_calloc(1, sizeof(*w));
		unsigned apdus;
		enum cw_err err;

		cw_world_init(w, cw_world_vendor());
		w->edit_request = bad_requests[i].edit;
		err = cw_world_enroll_anew(w);
		if (err != bad_requests[i].err)
			fail_msg("%s: %s", bad_requests[i].name,
			    cw_err_name(err));
		apdus = w->reader.apdus;
		if (err != CW_OK && apdus > 3)
			fail_msg("%s: the card heard of it",
			    bad_requests[i].name);
		if (err != CW_OK && access(w->known.path, F_OK) == 0)
			fail_msg("%s: it was remembered", bad_requests[i].name);
		cw_world_wipe(w);
		test_free(w);
	}
}

static void
break_signature(struct cw_world *w, unsigned step, struct cw_buf *answer)
{
	(void)w;
	if (step == 3)
		answer->ptr[answer->len - 1] ^= 1;
}

static void
a_session_request_with_a_broken_signature_is_refused(void **state)
{
	struct cw_world *w = *state;

	w->edit_answer = break_signature;
	assert_err(cw_world_enroll_anew(w), CW_ERR_BAD_SIGNATURE);
	assert_int_equal(w->reader.apdus, 3);
}

static void
a_changed_management_key_is_refused_until_it_is_forgotten(void **state)
{
	struct cw_world *w = *state;

	assert_err(cw_world_enroll_anew(w), CW_OK);
	cw_key_free(&w->issuer.management_key);
	assert_err(cw_key_generate(CW_KEY_P256, &w->issuer.management_key),
	    CW_OK);
	w->key.slot = 0x9C;
	cw_world_new_session(w);
	assert_err(cw_world_enroll_anew(w), CW_ERR_MANAGEMENT_KEY_CHANGED);
	assert_err(cw_known_forget(&w->known, w->env.origin), CW_OK);
	cw_world_new_session(w);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_true(w->consent.is_new);
}

/* The old key signs the new one; then the new one is what is remembered. */
static void
an_endorsed_management_key_is_taken_while_the_endorsement_holds(void **state)
{
	struct cw_world *w = *state;
	struct cw_request *q = &w->issuer.request;
	struct cw_private_key *old = w->issuer.management_key;
	struct cw_endorsement e = { .epoch = 1 };
	struct cw_buf b;

	cw_buf_init(&b, CW_REQUEST_MAX);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	w->issuer.management_key = NULL;
	assert_err(cw_key_generate(CW_KEY_P256, &w->issuer.management_key),
	    CW_OK);
	cw_key_public(w->issuer.management_key, &e.to);
	for (int expired = 1; expired >= 0; expired--) {
		e.not_after_s =
		    cw_clock_now_s(w->env.clock) - (uint64_t)expired;
		cw_buf_reset(&b);
		assert_err(cw_endorsement_make(&e, old, &b), CW_OK);
		q->n_endorsements = 1;
		q->endorsements[0] = cw_buf_bytes(&b);
		w->key.slot = 0x9C;
		w->key.id = 0x9C; /* the moved key keeps its id */
		cw_world_new_session(w);
		assert_err(cw_world_enroll_anew(w),
		    expired ? CW_ERR_MANAGEMENT_KEY_CHANGED : CW_OK);
	}
	/* From now on without the chain. */
	q->n_endorsements = 0;
	w->key.slot = 0x9D;
	w->key.id = 0x9D;
	cw_world_new_session(w);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	cw_key_free(&old);
	cw_buf_wipe(&b);
}

static void
a_first_use_that_cannot_be_remembered_ends_the_run(void **state)
{
	struct cw_world *w = *state;
	struct cw_known nowhere;

	assert_err(cw_known_init(&nowhere, "/proc/self/no/issuers"), CW_OK);
	w->env.known = &nowhere;
	cw_world_new_run(w);
	assert_err(cw_world_enroll_anew(w), CW_ERR_IO);
	assert_int_equal(w->reader.apdus, 3);
	w->env.known = &w->known;
	cw_world_new_run(w);
}

static void
intent_for_another_origin(struct cw_world *w)
{
	w->intent.session_url = cw_bytes_str("https://evil.test/session");
}

static void
intent_that_expired(struct cw_world *w)
{
	w->intent.expires_s = CW_TEST_NOW_S;
}

static void
intent_with_escape(struct cw_world *w)
{
	w->intent.subject = cw_bytes_str("CN=\x1b[2J");
}

static void
intent_with_bidi(struct cw_world *w)
{
	w->intent.issuer_name = cw_bytes_str("Bank \xe2\x80\xae evil");
}

static const struct {
	void (*edit)(struct cw_world *w);
	enum cw_err err;
} bad_intents[] = {
	{ intent_for_another_origin, CW_ERR_BAD_ORIGIN },
	{ intent_that_expired, CW_ERR_INVITATION_EXPIRED },
	{ intent_with_escape, CW_ERR_BAD_TEXT },
	{ intent_with_bidi, CW_ERR_BAD_TEXT },
};

static void
an_intent_that_cannot_be_shown_is_not_asked_about(void **state)
{
	struct cw_world *w = *state;

	for (size_t i = 0; i < COUNT(bad_intents); i++) {
		struct cw_intent good = w->intent;

		bad_intents[i].edit(w);
		cw_world_new_session(w);
		assert_err(cw_world_enroll_anew(w), bad_intents[i].err);
		assert_int_equal(w->consents, 0);
		w->intent = good;
	}
}

static void
messages_out_of_turn_are_refused(void **state)
{
	struct cw_world *w = *state;

	assert_err(cw_run_answer(w->run, CW_BYTES_NONE, &w->out),
	    CW_ERR_WRONG_STEP);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_err(cw_run_answer(w->run, cw_bytes_str("x"), &w->out),
	    CW_ERR_WRONG_STEP);
}

static void
end_early(struct cw_world *w, unsigned step, struct cw_buf *answer)
{
	(void)w;
	if (step == 7)
		cw_buf_reset(answer);
}

static void
an_issuer_that_ends_early_is_not_believed(void **state)
{
	struct cw_world *w = *state;

	w->edit_answer = end_early;
	assert_err(cw_world_enroll_anew(w), CW_ERR_WRONG_STEP);
}

/* ---- readers and cards ---- */

static const struct {
	enum cw_err list_error, connect_error;
	size_t n_readers;
	bool has_card;
	enum cw_err err;
} no_cards[] = {
	{ CW_ERR_NO_PCSC, CW_OK, 1, true, CW_ERR_NO_PCSC },
	{ CW_ERR_PCSC_FORBIDDEN, CW_OK, 1, true, CW_ERR_PCSC_FORBIDDEN },
	{ CW_OK, CW_ERR_CARD_BUSY, 1, true, CW_ERR_CARD_BUSY },
	{ CW_OK, CW_ERR_WRONG_CARD, 1, true, CW_ERR_WRONG_CARD },
	{ CW_OK, CW_OK, 0, false, CW_ERR_NO_READER },
	{ CW_OK, CW_OK, 1, false, CW_ERR_NO_CARD },
	{ CW_OK, CW_OK, 3, false, CW_ERR_NO_CARD },
};

static void
each_reason_for_having_no_card_has_its_own_error(void **state)
{
	struct cw_world *w = *state;

	for (size_t i = 0; i < COUNT(no_cards); i++) {
		w->reader.list_error = no_cards[i].list_error;
		w->reader.connect_error = no_cards[i].connect_error;
		w->reader.n_readers = no_cards[i].n_readers;
		w->reader.cards[0] = no_cards[i].has_card ? &w->card : NULL;
		assert_err(cw_world_enroll_anew(w), no_cards[i].err);
	}
}

static void
a_card_that_is_put_in_late_is_waited_for(void **state)
{
	struct cw_world *w = *state;

	cw_card_power(w->card.card, false);
	w->reader.is_out = true;
	w->reader.insert_after = 3;
	w->env.card_wait_ms = 10000;
	cw_world_new_run(w);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_int_equal(w->reader.waits, 3);
}

static void
a_wait_for_a_card_ends(void **state)
{
	struct cw_world *w = *state;

	w->reader.is_out = true;
	w->env.card_wait_ms = 5;
	cw_world_new_run(w);
	assert_err(cw_world_enroll_anew(w), CW_ERR_NO_CARD);
}

static void
of_two_cards_the_right_one_is_chosen_or_named(void **state)
{
	struct cw_world *w = *state;
	struct cw_test_card other;

	cw_test_card_init(&other, cw_world_vendor());
	w->reader.n_readers = 3;
	w->reader.cards[2] = &other;
	assert_err(cw_world_enroll_anew(w), CW_ERR_MANY_CARDS);
	w->env.reader_name = "Local reader 02 00";
	cw_world_new_run(w);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_ptr_equal(w->reader.connected, &other);
	w->env.reader_name = "Local reader 01 00";
	cw_world_new_run(w);
	assert_err(cw_world_enroll_anew(w), CW_ERR_NO_CARD);
	w->env.reader_name = "No such reader";
	cw_world_new_run(w);
	assert_err(cw_world_enroll_anew(w), CW_ERR_NO_READER);
	cw_test_card_wipe(&other);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, cw_world_setup, cw_world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_session_request_that_is_not_what_was_shown_is_refused),
		TEST(a_session_request_with_a_broken_signature_is_refused),
		TEST(a_changed_management_key_is_refused_until_it_is_forgotten),
		TEST(
		    an_endorsed_management_key_is_taken_while_the_endorsement_holds),
		TEST(a_first_use_that_cannot_be_remembered_ends_the_run),
		TEST(an_intent_that_cannot_be_shown_is_not_asked_about),
		TEST(messages_out_of_turn_are_refused),
		TEST(an_issuer_that_ends_early_is_not_believed),
		TEST(each_reason_for_having_no_card_has_its_own_error),
		TEST(a_card_that_is_put_in_late_is_waited_for),
		TEST(a_wait_for_a_card_ends),
		TEST(of_two_cards_the_right_one_is_chosen_or_named),
	};

	return cmocka_run_group_tests(tests, cw_world_before_all,
	    cw_world_after_all);
}
