/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything that can happen to a session between its two ends, at every APDU
 * and at every message: afterwards it goes on, or it is dead at both ends and
 * a new one works (docs/protocol.md "Surviving").
 */
/* TIMEOUT: 240 */
#include "tests/support/check.h"
#include "tests/support/reader_world.h"

static const char *const fault_names[CW_LOCAL_FAULTS] = {
	[CW_LOCAL_NO_FAULT] = "nothing",
	[CW_LOCAL_PULL_BEFORE] = "card pulled before",
	[CW_LOCAL_PULL_AFTER] = "card pulled after",
	[CW_LOCAL_LOSE_REPLY] = "reply lost",
	[CW_LOCAL_SHORT_REPLY] = "short reply",
	[CW_LOCAL_CHANGE_COMMAND] = "command changed",
	[CW_LOCAL_CHANGE_REPLY] = "reply changed",
	[CW_LOCAL_REPEAT] = "command repeated",
	[CW_LOCAL_OTHER_RESET] = "reset by another program",
};

/* Does the card hold the key of this world in its slot, with certificate? */
static bool
has_key(struct cw_world *w)
{
	struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX];
	struct cw_buf b;
	size_t n = 0;
	bool found = false;

	cw_buf_init(&b, 4096);
	if (cw_test_select_provisioning(&w->card.wire) != 0x9000 ||
	    cw_test_send(&w->card.wire, 0x801E, 0, CW_BYTES_NONE, &b) !=
		0x9000 ||
	    cw_list_public_decode(cw_buf_bytes(&b), slots, &n) != CW_OK)
		n = 0;
	for (size_t i = 0; i < n; i++)
		found |=
		    slots[i].slot == w->key.slot && slots[i].has_certificate;
	cw_buf_wipe(&b);
	return found;
}

/* Nothing was changed on the way: then nothing may be lost. */
static bool
is_mere_loss(enum cw_local_fault fault)
{
	return fault == CW_LOCAL_PULL_BEFORE || fault == CW_LOCAL_PULL_AFTER ||
	    fault == CW_LOCAL_LOSE_REPLY || fault == CW_LOCAL_SHORT_REPLY;
}

/* A new process, with what the fault has left; new sessions until it works. */
static void
recover(struct cw_world *w, const char *what, unsigned at)
{
	enum cw_local_fault was = w->reader.fault;
	enum cw_err err = CW_OK;

	for (int i = 0; i < 3 && !w->is_confirmed; i++) {
		w->reader.fault = CW_LOCAL_NO_FAULT;
		if (w->reader.is_out)
			cw_local_reader_insert(&w->reader);
		cw_world_new_run(w);
		err = cw_world_enroll(w);
		if (err == CW_OK && !w->is_confirmed)
			fail_msg("%s at %u: success without a result", what,
			    at);
		if (err == CW_OK)
			break;
		if (w->reader.fault_at != 0 && is_mere_loss(was))
			fail_msg("%s at %u: it does not go on: %s", what, at,
			    cw_err_name(err));
		/* The issuer found something false: its session is dead, and
		 * what the card keeps of it goes when the issuer says so. */
		w->is_dead = true;
		cw_world_new_run(w);
		assert_err(cw_world_enroll(w), CW_ERR_NO_SESSION);
		w->is_dead = false;
		cw_world_new_session(w);
	}
	if (!w->is_confirmed)
		fail_msg("%s at %u: %s at last", what, at, cw_err_name(err));
	if (!has_key(w))
		fail_msg("%s at %u: confirmed, but no key", what, at);
	if (w->reader.is_begun)
		fail_msg("%s at %u: the card is still held", what, at);
}

/* How many APDUs an undisturbed session takes. */
static unsigned
count_apdus(void)
{
	struct cw_world *w = test_calloc(1, sizeof(*w));
	unsigned n;

	cw_world_init(w, cw_world_vendor());
	assert_err(cw_world_enroll(w), CW_OK);
	n = w->reader.apdus;
	cw_world_wipe(w);
	test_free(w);
	return n;
}

static void
a_session_survives_every_fault_at_every_apdu(void **state)
{
	unsigned n = count_apdus();

	(void)state;
	assert_in_range(n, 12, 30);
	for (int fault = CW_LOCAL_PULL_BEFORE; fault < CW_LOCAL_FAULTS; fault++)
		for (unsigned at = 1; at <= n; at++) {
			struct cw_world *w = test_calloc(1, sizeof(*w));
			enum cw_err err;

			cw_world_init(w, cw_world_vendor());
			w->reader.fault = (enum cw_local_fault)fault;
			w->reader.fault_at = at;
			err = cw_world_enroll(w);
			if (err == CW_OK && !w->is_confirmed)
				fail_msg("%s at %u: success without a result",
				    fault_names[fault], at);
			if (err != CW_OK)
				recover(w, fault_names[fault], at);
			else
				assert_true(has_key(w));
			cw_world_wipe(w);
			test_free(w);
		}
}

static void
a_pulled_card_says_so_and_the_same_session_goes_on(void **state)
{
	struct cw_world *w = *state;
	uint8_t id[CW_SESSION_ID_BYTES];

	w->reader.fault = CW_LOCAL_PULL_AFTER;
	w->reader.fault_at = 8; /* after the session is open */
	assert_err(cw_world_enroll(w), CW_ERR_CARD_REMOVED);
	memcpy(id, w->issuer.request.session_id, sizeof(id));
	recover(w, "pulled", 8);
	assert_memory_equal(id, w->issuer.request.session_id, sizeof(id));
	assert_true(w->consent.is_resume);
}

/* The issuer has answered so many messages; the last answer never arrives. */
static void
cut_off(struct cw_world *w, unsigned lost)
{
	struct cw_buf answer;
	enum cw_err err =
	    cw_run_begin(w->run, cw_buf_bytes(&w->intent_bytes), &w->out);

	cw_buf_init(&answer, CW_BODY_MAX);
	for (unsigned i = 1; err == CW_OK && i <= lost; i++) {
		err = cw_world_issuer(w, cw_buf_bytes(&w->out.bytes), &answer);
		if (i < lost && err == CW_OK)
			err = cw_run_answer(w->run, cw_buf_bytes(&answer),
			    &w->out);
	}
	assert_err(err, CW_OK);
	w->is_confirmed = false;
	cw_buf_wipe(&answer);
	cw_world_new_run(w);
}

/* Messages that are lost: the answer to each, then the run begins anew. */
static void
a_lost_answer_at_every_step_is_asked_for_again(void **state)
{
	(void)state;
	for (unsigned lost = 1; lost <= 4; lost++) {
		struct cw_world *w = test_calloc(1, sizeof(*w));

		cw_world_init(w, cw_world_vendor());
		cut_off(w, lost);
		if (lost == 1)
			cw_world_new_session(w);
		if (lost == 4) {
			enum cw_run_resume found;

			/* The card has closed; only the result is sent. */
			assert_err(cw_run_resume(w->run, &found, &w->out),
			    CW_OK);
			assert_int_equal(found, CW_RESUME_DELIVER);
			assert_int_equal(w->out.to, CW_RUN_TO_SESSION);
		} else {
			assert_err(cw_world_enroll(w), CW_OK);
			assert_true(w->is_confirmed);
		}
		cw_world_wipe(w);
		test_free(w);
	}
}

static void
a_finished_session_is_not_taken_up_again(void **state)
{
	struct cw_world *w = *state;
	enum cw_run_resume found;

	assert_err(cw_world_enroll(w), CW_OK);
	cw_world_new_run(w);
	assert_err(cw_run_resume(w->run, &found, &w->out), CW_OK);
	assert_int_equal(found, CW_RESUME_NONE);
}

static void
another_computer_delivers_the_result_and_begins_anew(void **state)
{
	struct cw_world *w = *state;
	enum cw_run_resume found;

	cut_off(w, 4);
	assert_err(cw_known_forget(&w->known, w->env.origin), CW_OK);
	assert_err(cw_run_resume(w->run, &found, &w->out), CW_OK);
	assert_int_equal(found, CW_RESUME_COURTESY);
}

static void
a_confirmed_session_leaves_no_record_on_the_card(void **state)
{
	struct cw_world *w = *state;
	enum cw_run_resume found;

	assert_err(cw_world_enroll(w), CW_OK);
	/* Nothing is remembered, so that whatever is there would be found. */
	assert_err(cw_known_forget(&w->known, w->env.origin), CW_OK);
	cw_world_new_run(w);
	assert_err(cw_run_resume(w->run, &found, &w->out), CW_OK);
	assert_int_equal(found, CW_RESUME_NONE);
	assert_true(has_key(w));
}

static void
another_issuers_session_is_not_seen(void **state)
{
	struct cw_world *w = *state;
	enum cw_run_resume found;

	w->reader.fault = CW_LOCAL_PULL_AFTER;
	w->reader.fault_at = 8;
	assert_err(cw_world_enroll(w), CW_ERR_CARD_REMOVED);
	cw_local_reader_insert(&w->reader);
	w->env.origin = cw_bytes_str("https://other.test");
	cw_world_new_run(w);
	assert_err(cw_run_resume(w->run, &found, &w->out), CW_OK);
	assert_int_equal(found, CW_RESUME_NONE);
}

static void
a_person_who_does_not_want_to_go_on_is_obeyed(void **state)
{
	struct cw_world *w = *state;

	w->reader.fault = CW_LOCAL_PULL_AFTER;
	w->reader.fault_at = 8;
	assert_err(cw_world_enroll(w), CW_ERR_CARD_REMOVED);
	cw_local_reader_insert(&w->reader);
	cw_world_new_run(w);
	w->consent_error = CW_ERR_REFUSED;
	assert_err(cw_world_enroll(w), CW_ERR_REFUSED);
	/* The session is still there. */
	w->consent_error = CW_OK;
	recover(w, "refused", 0);
}

static void
a_session_that_the_issuer_has_lost_is_aborted_on_the_card(void **state)
{
	struct cw_world *w = *state;
	enum cw_run_resume found;

	w->reader.fault = CW_LOCAL_PULL_AFTER;
	w->reader.fault_at = 8;
	assert_err(cw_world_enroll(w), CW_ERR_CARD_REMOVED);
	cw_local_reader_insert(&w->reader);
	w->is_dead = true;
	cw_world_new_run(w);
	assert_err(cw_world_enroll(w), CW_ERR_NO_SESSION);
	assert_err(cw_run_resume(w->run, &found, &w->out), CW_OK);
	assert_int_equal(found, CW_RESUME_NONE);
}

static void
an_error_that_may_pass_does_not_abort_the_session(void **state)
{
	static const enum cw_err passing[] = { CW_ERR_TOO_BUSY,
		CW_ERR_STORE_FAILED, CW_ERR_NETWORK_TIMEOUT,
		CW_ERR_APPROVAL_PENDING, CW_ERR_BAD_CIPHERTEXT };
	struct cw_world *w = *state;

	w->reader.fault = CW_LOCAL_PULL_AFTER;
	w->reader.fault_at = 8;
	assert_err(cw_world_enroll(w), CW_ERR_CARD_REMOVED);
	cw_local_reader_insert(&w->reader);
	for (size_t i = 0; i < COUNT(passing); i++) {
		enum cw_run_resume found;

		cw_world_new_run(w);
		assert_err(cw_run_resume(w->run, &found, &w->out), CW_OK);
		assert_int_equal(found, CW_RESUME_GO_ON);
		assert_false(cw_run_refused(w->run, passing[i], false));
	}
	recover(w, "passing errors", 0);
}

/* Whatever the issuer's reason is: a new session works afterwards. */
static void
a_last_word_aborts_the_session_with_any_error(void **state)
{
	static const enum cw_err errors[] = { CW_ERR_ALREADY_CERTIFIED,
		CW_ERR_UNTRUSTED_CHAIN, CW_ERR_INVITATION_USED,
		CW_ERR_PEER_UNKNOWN };
	struct cw_world *w = *state;

	for (size_t i = 0; i < COUNT(errors); i++) {
		cw_world_new_session(w);
		cw_world_new_run(w);
		w->reader.fault = CW_LOCAL_PULL_AFTER;
		w->reader.fault_at = w->reader.apdus + 8;
		assert_err(cw_world_enroll(w), CW_ERR_CARD_REMOVED);
		cw_local_reader_insert(&w->reader);
		cw_world_new_run(w);
		w->is_dead = true;
		w->dead_as = errors[i];
		assert_err(cw_world_enroll(w), errors[i]);
		assert_false(cw_run_is_resumable(w->run));
		w->is_dead = false;
	}
	cw_world_new_session(w);
	cw_world_new_run(w);
	assert_err(cw_world_enroll(w), CW_OK);
	assert_true(w->is_confirmed && has_key(w));
}

/* A batch whose first command fails in the card. */
static void
a_failed_command_ends_in_a_short_batch(void **state)
{
	struct cw_world *w = *state;

	assert_err(cw_world_enroll(w), CW_OK);
	cw_world_new_session(w); /* the same slot again */
	cw_world_new_run(w);
	w->key.id = 9;
	assert_err(cw_world_enroll(w), CW_ERR_SLOT_OCCUPIED);
	/* And after it, a session that is in order. */
	w->key.slot = 0x9C;
	cw_world_new_session(w);
	cw_world_new_run(w);
	assert_err(cw_world_enroll_anew(w), CW_OK);
}

static void
after_an_error_reply_no_further_command_is_sent(void **state)
{
	struct cw_world *w = *state;

	w->intent.scope.n_commands = 3;
	w->intent.scope.commands[0] = CW_CREATE_KEY;
	w->intent.scope.commands[1] = CW_LIST;
	w->intent.scope.commands[2] = CW_CLOSE;
	cw_world_new_session(w);
	/* SET_CERTIFICATES is outside the scope: an error reply, then 6985. */
	assert_err(cw_world_enroll(w), CW_ERR_OUTSIDE_SCOPE);
	assert_false(has_key(w));
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, cw_world_setup, cw_world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_session_survives_every_fault_at_every_apdu),
		TEST(a_pulled_card_says_so_and_the_same_session_goes_on),
		cmocka_unit_test(
		    a_lost_answer_at_every_step_is_asked_for_again),
		TEST(a_finished_session_is_not_taken_up_again),
		TEST(another_computer_delivers_the_result_and_begins_anew),
		TEST(a_confirmed_session_leaves_no_record_on_the_card),
		TEST(another_issuers_session_is_not_seen),
		TEST(a_person_who_does_not_want_to_go_on_is_obeyed),
		TEST(a_session_that_the_issuer_has_lost_is_aborted_on_the_card),
		TEST(an_error_that_may_pass_does_not_abort_the_session),
		TEST(a_last_word_aborts_the_session_with_any_error),
		TEST(a_failed_command_ends_in_a_short_batch),
		TEST(after_an_error_reply_no_further_command_is_sent),
	};

	return cmocka_run_group_tests(tests, cw_world_before_all,
	    cw_world_after_all);
}
