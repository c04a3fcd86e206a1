/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/secret.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/check.h"

static void
new_secret_memory_is_zeroed_and_writable(void **state)
{
	static const uint8_t zeros[40];
	uint8_t *p = cw_secret_new(40);

	(void)state;
	assert_non_null(p);
	assert_memory_equal(p, zeros, 40);
	memset(p, 1, 40);
	cw_secret_free(&p);
	assert_null(p);
	cw_secret_free(&p);
}

#ifndef CW_SANITIZE
static void
writing_behind_a_secret_ends_the_process(void **state)
{
	pid_t pid = fork();
	int status = 0;

	(void)state;
	if (pid == 0) {
		volatile uint8_t *p = cw_secret_new(32);

		signal(SIGSEGV, SIG_DFL);
		if (p != NULL)
			p[32] = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
}
#endif

static void
a_wipe_leaves_zeros(void **state)
{
	static const uint8_t zeros[8];
	uint8_t key[8];

	(void)state;
	memset(key, 0x5a, sizeof(key));
	cw_wipe(key, sizeof(key));
	assert_memory_equal(key, zeros, sizeof(key));
}

static void
secrets_are_equal_only_with_the_same_length_and_contents(void **state)
{
	(void)state;
	assert_true(cw_secret_equal(cw_bytes_str("abc"), cw_bytes_str("abc")));
	assert_false(cw_secret_equal(cw_bytes_str("abc"), cw_bytes_str("abd")));
	assert_false(cw_secret_equal(cw_bytes_str("abc"), cw_bytes_str("bbc")));
	assert_false(cw_secret_equal(cw_bytes_str("abc"), cw_bytes_str("ab")));
	assert_true(cw_secret_equal(CW_BYTES_NONE, CW_BYTES_NONE));
	assert_false(cw_secret_equal(CW_BYTES_NONE, cw_bytes_str("a")));
}

static void
a_started_process_dumps_no_core_and_ignores_broken_pipes(void **state)
{
	struct rlimit limit = { 1, 1 };
	struct sigaction action;

	(void)state;
	assert_true(cw_secret_process_init());
	assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
	assert_int_equal(limit.rlim_cur, 0);
	assert_int_equal(limit.rlim_max, 0);
	assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
	assert_int_equal(sigaction(SIGPIPE, NULL, &action), 0);
	assert_true(action.sa_handler == SIG_IGN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_started_process_dumps_no_core_and_ignores_broken_pipes),
		cmocka_unit_test(new_secret_memory_is_zeroed_and_writable),
#ifndef CW_SANITIZE
		cmocka_unit_test(writing_behind_a_secret_ends_the_process),
#endif
		cmocka_unit_test(a_wipe_leaves_zeros),
		cmocka_unit_test(
		    secrets_are_equal_only_with_the_same_length_and_contents),
	};

	return cmocka_run_group_tests_name("secret", tests, NULL, NULL);
}
