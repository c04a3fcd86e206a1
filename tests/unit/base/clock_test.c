/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/clock.h"

#include <time.h>

#include "tests/support/check.h"

static void
the_system_clock_is_the_real_time(void **state)
{
	struct cw_clock clock = cw_clock_system();
	uint64_t before = (uint64_t)time(NULL);
	uint64_t now = cw_clock_now_s(&clock);

	(void)state;
	assert_in_range(now, before, before + 5);
}

static void
a_fixed_clock_stands_until_it_is_moved(void **state)
{
	struct cw_clock clock = cw_clock_fixed(1700000000);

	(void)state;
	assert_int_equal(cw_clock_now_s(&clock), 1700000000);
	assert_int_equal(cw_clock_now_s(&clock), 1700000000);
	clock.fixed_s += 60;
	assert_int_equal(cw_clock_now_s(&clock), 1700000060);
}

static void
the_monotonic_clock_counts_milliseconds(void **state)
{
	const struct timespec pause = { 0, 20000000 };
	uint64_t before = cw_clock_monotonic_ms();
	uint64_t passed;

	(void)state;
	nanosleep(&pause, NULL);
	passed = cw_clock_monotonic_ms() - before;
	assert_in_range(passed, 19, 5000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_system_clock_is_the_real_time),
		cmocka_unit_test(a_fixed_clock_stands_until_it_is_moved),
		cmocka_unit_test(the_monotonic_clock_counts_milliseconds),
	};

	return cmocka_run_group_tests_name("clock", tests, NULL, NULL);
}
