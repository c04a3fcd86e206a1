/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What was confirmed is not lost: every process of the issuer is killed at some
 * moment after, or around, the answer to the last message.
 */
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/crypto.h"
#include "tests/support/fault_world.h"

#define ROUNDS 20

static unsigned
some_us(unsigned most)
{
	uint8_t random[2];

	cw_random(random, sizeof(random));
	return (unsigned)(random[0] << 8 | random[1]) % most;
}

/* The agent has its 204; before anything else is asked, all is gone. */
static enum cw_err
crash_after(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	assert_err(cw_fault_send(post, post->body), CW_OK);
	assert_int_equal(post->response->status, 204);
	cw_daemon_kill_after(&w->daemon, some_us(3000));
	assert_true(cw_daemon_launch(&w->daemon));
	return CW_OK;
}

static void
a_confirmed_certificate_survives_a_crash_right_after(void **state)
{
	struct cw_fault_world *w = *state;
	unsigned active = cw_daemon_count(&w->daemon).active;

	for (int i = 0; i < ROUNDS; i++) {
		cw_fault_card(w);
		cw_fault_invite(w, 1);
		w->happens = crash_after;
		w->at = CW_FAULT_RESULT;
		w->is_done = false;
		assert_err(cw_fault_enroll(w, NULL), CW_OK);
		assert_true(w->is_done);
		assert_certificates(w, ++active, 0);
	}
}

/* By another process, while this one waits for the answer. */
static pid_t
start_killer(struct cw_fault_world *w, unsigned us)
{
	struct cw_daemon copy = w->daemon;
	const pid_t pids[] = { copy.parent,
		cw_daemon_process(&copy, CW_DAEMON_WEB),
		cw_daemon_process(&copy, CW_DAEMON_SIGNER) };
	const struct timespec pause = { .tv_nsec = us * 1000L };
	pid_t killer = fork();

	if (killer != 0)
		return killer;
	nanosleep(&pause, NULL);
	for (size_t i = 0; i < COUNT(pids); i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	_exit(0);
}

static bool was_confirmed;

static enum cw_err
crash_meanwhile(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	pid_t killer = start_killer(w, some_us(6000));
	enum cw_err err = cw_fault_send(post, post->body);

	was_confirmed = err == CW_OK && post->response->status == 204;
	assert_true(killer > 0);
	assert_int_equal(waitpid(killer, NULL, 0), killer);
	cw_daemon_kill_after(&w->daemon, 0);
	assert_true(cw_daemon_launch(&w->daemon));
	return err;
}

/* Killed before, the agent sends the same message again. */
static void
a_crash_at_any_message_loses_nothing(void **state)
{
	struct cw_fault_world *w = *state;
	unsigned active = cw_daemon_count(&w->daemon).active;
	unsigned confirmed = 0;

	for (int i = 0; i < ROUNDS; i++) {
		enum cw_err err;

		cw_fault_card(w);
		cw_fault_invite(w, 1);
		w->happens = crash_meanwhile;
		w->at = i % 4 == 0 ? CW_FAULT_KEYS : CW_FAULT_RESULT;
		w->is_done = false;
		err = cw_fault_enroll(w, NULL);
		assert_true(w->is_done);
		confirmed += was_confirmed;
		assert_err(err, CW_OK);
		assert_certificates(w, ++active, 0);
	}
	print_message("# confirmed before the crash: %u of %d\n", confirmed,
	    ROUNDS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_confirmed_certificate_survives_a_crash_right_after),
		cmocka_unit_test(a_crash_at_any_message_loses_nothing),
	};

	return cmocka_run_group_tests(tests, cw_fault_setup, cw_fault_teardown);
}
