/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card against the real issuer: pulled at every APDU, without power or
 * without room at every write, full, or another one put in. After each the same
 * session goes on or a new one works, with an invitation for one use.
 * TIMEOUT: 180
 */
#include <stdio.h>

#include "tests/support/fault_world.h"

/* ---- at every APDU, at every write ---- */

static enum cw_err
enroll_again(struct cw_fault_world *w, bool *resumed)
{
	if (w->reader.is_out)
		cw_local_reader_insert(&w->reader);
	if (w->card.storage.is_dead)
		cw_test_card_power_cycle(&w->card);
	w->reader.fault = CW_LOCAL_NO_FAULT;
	w->card.storage.tear = CW_TEST_TEAR_NONE;
	return cw_fault_enroll(w, resumed);
}

/* What it comes to in the end; the first try may even have passed. */
static void
it_goes_on(struct cw_fault_world *w, unsigned active, const char *what,
    unsigned at)
{
	bool resumed;
	enum cw_err first = cw_fault_enroll(w, &resumed);
	enum cw_err err = first;

	if (first == CW_ERR_INTERNAL || first == CW_ERR_WRONG_REPLY)
		fail_msg("%s %u: %s", what, at, cw_err_name(first));
	if (first != CW_OK)
		err = enroll_again(w, &resumed);
	if (err != CW_OK)
		fail_msg("%s %u: %s, then %s", what, at, cw_err_name(first),
		    cw_err_name(err));
	assert_certificates(w, active + 1, 0);
}

static void
at_every_apdu(struct cw_fault_world *w, enum cw_local_fault fault,
    const char *what)
{
	unsigned active = cw_daemon_count(&w->daemon).active;
	unsigned apdus;

	cw_fault_card(w);
	cw_fault_invite(w, 1);
	assert_err(cw_fault_enroll(w, NULL), CW_OK);
	apdus = w->reader.apdus;
	assert_in_range(apdus, 8, 60);
	active++;
	for (unsigned at = 1; at <= apdus; at++, active++) {
		cw_fault_card(w);
		cw_fault_invite(w, 1);
		w->reader.fault = fault;
		w->reader.fault_at = at;
		it_goes_on(w, active, what, at);
	}
}

static void
a_card_pulled_before_any_apdu_goes_on(void **state)
{
	at_every_apdu(*state, CW_LOCAL_PULL_BEFORE, "pulled before APDU");
}

static void
a_card_pulled_after_any_apdu_goes_on(void **state)
{
	at_every_apdu(*state, CW_LOCAL_PULL_AFTER, "pulled after APDU");
}

static void
what_comes_between_agent_and_card_changes_nothing(void **state)
{
	at_every_apdu(*state, CW_LOCAL_LOSE_REPLY, "reply lost, APDU");
	at_every_apdu(*state, CW_LOCAL_SHORT_REPLY, "reply cut, APDU");
	at_every_apdu(*state, CW_LOCAL_CHANGE_COMMAND, "changed APDU");
	at_every_apdu(*state, CW_LOCAL_CHANGE_REPLY, "reply changed, APDU");
	at_every_apdu(*state, CW_LOCAL_REPEAT, "repeated APDU");
	at_every_apdu(*state, CW_LOCAL_OTHER_RESET,
	    "reset by another after APDU");
}

static void
at_every_write(struct cw_fault_world *w, enum cw_test_tear tear,
    const char *what)
{
	unsigned active = cw_daemon_count(&w->daemon).active;
	unsigned first;
	unsigned writes;

	cw_fault_card(w);
	cw_fault_invite(w, 1);
	first = w->card.storage.stores;
	assert_err(cw_fault_enroll(w, NULL), CW_OK);
	writes = w->card.storage.stores;
	assert_int_equal(writes - first, 6); /* docs/card.md "Cost" */
	active++;
	for (unsigned at = first + 1; at <= writes; at++, active++) {
		cw_fault_card(w);
		cw_fault_invite(w, 1);
		w->card.storage.tear = tear;
		w->card.storage.tear_at = at;
		it_goes_on(w, active, what, at);
	}
}

static void
power_lost_before_any_write_loses_nothing(void **state)
{
	at_every_write(*state, CW_TEST_TEAR_BEFORE, "no power before write");
}

static void
power_lost_after_any_write_loses_nothing(void **state)
{
	at_every_write(*state, CW_TEST_TEAR_AFTER, "no power after write");
}

static void
a_card_without_room_at_any_write_goes_on_when_there_is_some(void **state)
{
	at_every_write(*state, CW_TEST_TEAR_FULL, "no room at write");
}

/* ---- a full card ---- */

static void
a_full_card_ends_the_session_and_nothing_is_certified(void **state)
{
	struct cw_fault_world *w = *state;
	unsigned active = cw_daemon_count(&w->daemon).active;
	unsigned died = cw_daemon_logged(&w->daemon, "child.died");

	cw_fault_card_of(w, cw_buf_bytes(&w->daemon.personalisation), 1);
	cw_fault_invite(w, 1);
	assert_err(cw_fault_enroll(w, NULL), CW_OK);
	cw_fault_invite(w, 1);
	assert_err(cw_fault_enroll(w, NULL), CW_ERR_CARD_FULL);
	assert_certificates(w, active + 1, 0);
	/* It stays so, and the invitation is still good for another card. */
	assert_err(cw_fault_enroll(w, NULL), CW_ERR_CARD_FULL);
	cw_fault_card(w);
	assert_err(cw_fault_enroll(w, NULL), CW_OK);
	assert_certificates(w, active + 2, 0);
	assert_int_equal(cw_daemon_logged(&w->daemon, "child.died"), died);
}

/* ---- another card ---- */

static struct cw_test_card other;

static void
change_cards(struct cw_fault_world *w)
{
	struct cw_test_card *out = w->reader.cards[0];

	cw_card_power(out->card, false);
	w->reader.cards[0] = out == &other ? &w->card : &other;
	cw_local_reader_insert(&w->reader);
}

/* While the agent waits for the issuer. */
static enum cw_err
another_card_comes(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	change_cards(w);
	return cw_fault_send(post, post->body);
}

static void
other_card_at(struct cw_fault_world *w, enum cw_fault_step at)
{
	unsigned active = cw_daemon_count(&w->daemon).active;
	bool pending = at >= CW_FAULT_KEYS;
	bool closed = at == CW_FAULT_RESULT;
	bool resumed;
	enum cw_err err;

	cw_fault_card(w);
	cw_fault_invite(w, 1);
	w->happens = another_card_comes;
	w->at = at;
	w->is_done = false;
	err = cw_fault_enroll(w, &resumed);
	w->happens = NULL;
	assert_err(err, CW_ERR_CARD_REMOVED);
	assert_certificates(w, active + closed, pending && !closed);
	/* The invitation's one use is taken by the certificate that is out. */
	if (pending)
		assert_err(cw_fault_enroll(w, &resumed),
		    CW_ERR_INVITATION_USED);
	change_cards(w);
	assert_err(cw_fault_enroll(w, &resumed), CW_OK);
	assert_true(resumed == (at >= CW_FAULT_TOKEN));
	assert_certificates(w, active + 1, 0);
}

static void
another_card_in_the_middle_changes_nothing_for_the_first(void **state)
{
	struct cw_fault_world *w = *state;

	for (int at = CW_FAULT_REQUEST; at < CW_FAULT_STEPS; at++) {
		memset(&other, 0, sizeof(other));
		cw_test_storage_init(&other.storage);
		other.config.storage = &other.storage.ops;
		assert_err(cw_card_open(&other.config, &other.card), CW_OK);
		assert_err(cw_card_personalise(other.card,
			       cw_buf_bytes(&w->daemon.personalisation)),
		    CW_OK);
		other_card_at(w, (enum cw_fault_step)at);
		cw_card_free(&other.card);
		cw_test_storage_wipe(&other.storage);
	}
}

/* ---- all ---- */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_card_pulled_before_any_apdu_goes_on),
		cmocka_unit_test(a_card_pulled_after_any_apdu_goes_on),
		cmocka_unit_test(
		    what_comes_between_agent_and_card_changes_nothing),
		cmocka_unit_test(power_lost_before_any_write_loses_nothing),
		cmocka_unit_test(power_lost_after_any_write_loses_nothing),
		cmocka_unit_test(
		    a_card_without_room_at_any_write_goes_on_when_there_is_some),
		cmocka_unit_test(
		    a_full_card_ends_the_session_and_nothing_is_certified),
		cmocka_unit_test(
		    another_card_in_the_middle_changes_nothing_for_the_first),
	};

	return cmocka_run_group_tests(tests, cw_fault_setup, cw_fault_teardown);
}
