/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deferred issuance on the whole thing: the agent ends while people decide, and
 * the same command goes on later, from another computer and reader, with issuer
 * and card started anew in between.
 * TIMEOUT: 120
 */
#include <stdio.h>
#include <unistd.h>

#include "tests/support/fault_world.h"

static void
invite(struct cw_fault_world *w)
{
	static const char *const words[] = { "invite", "--subject",
		"CN=Ada Lovelace", "--profile", "approved", NULL };

	assert_true(cw_daemon_admin(&w->daemon, words, w->invitation,
	    sizeof(w->invitation)));
	w->invitation[strcspn(w->invitation, "\n")] = '\0';
}

/* The only session that waits. */
static void
waiting(struct cw_fault_world *w, char id[33])
{
	static const char *const words[] = { "approvals", NULL };
	char out[1024] = "";

	assert_true(cw_daemon_admin(&w->daemon, words, out, sizeof(out)));
	assert_non_null(strstr(out, "CN=Ada Lovelace"));
	snprintf(id, 33, "%.32s", out);
}

static void
decide(struct cw_fault_world *w, const char *what, const char *id,
    unsigned number)
{
	char key[256];
	char out[1024];
	const char *words[] = { what, id, "--operator-key", key, "--subject",
		"CN=Ada Lovelace", NULL };

	snprintf(key, sizeof(key), "%.200s/operator-%u.key", w->daemon.dir,
	    number);
	assert_true(cw_daemon_admin(&w->daemon, words, out, sizeof(out)));
	assert_non_null(strstr(out, "CN=Ada Lovelace"));
}

/* Another computer: it has never heard of this issuer, and another reader. */
static void
change_host(struct cw_fault_world *w)
{
	unlink(w->known.path);
	cw_test_card_power_cycle(&w->card);
	cw_local_reader_init(&w->reader, &w->card);
}

static void
a_session_waits_for_people_and_goes_on_elsewhere(void **state)
{
	struct cw_fault_world *w = *state;
	bool resumed = false;
	char id[33];

	cw_fault_card(w);
	invite(w);
	assert_err(cw_fault_enroll(w, &resumed), CW_ERR_APPROVAL_PENDING);
	assert_certificates(w, 0u, 0u);
	waiting(w, id);
	assert_err(cw_fault_enroll(w, &resumed), CW_ERR_APPROVAL_PENDING);
	decide(w, "approve", id, 1);
	assert_true(cw_daemon_restart(&w->daemon));
	change_host(w);
	assert_err(cw_fault_enroll(w, &resumed), CW_ERR_APPROVAL_PENDING);
	decide(w, "approve", id, 2);
	assert_true(cw_daemon_kill(&w->daemon, CW_DAEMON_ALL));
	change_host(w);
	assert_err(cw_fault_enroll(w, &resumed), CW_OK);
	assert_true(resumed);
	assert_certificates(w, 1u, 0u);
}

static void
a_rejected_session_is_dead_on_both_ends(void **state)
{
	struct cw_fault_world *w = *state;
	bool resumed = false;
	char id[33];

	cw_fault_card(w);
	invite(w);
	assert_err(cw_fault_enroll(w, &resumed), CW_ERR_APPROVAL_PENDING);
	waiting(w, id);
	decide(w, "reject", id, 2);
	assert_err(cw_fault_enroll(w, &resumed), CW_ERR_REJECTED);
	assert_certificates(w, 1u, 0u);
	/* The card is good for another invitation. */
	cw_fault_invite(w, 1);
	assert_err(cw_fault_enroll(w, &resumed), CW_OK);
	assert_certificates(w, 2u, 0u);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_session_waits_for_people_and_goes_on_elsewhere),
		cmocka_unit_test(a_rejected_session_is_dead_on_both_ends),
	};

	return cmocka_run_group_tests(tests, cw_fault_setup, cw_fault_teardown);
}
