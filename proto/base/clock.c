/* SPDX-License-Identifier: Apache-2.0 */
/* The system's clock and a fixed one. */
#include "proto/base/clock.h"

#include <time.h>

static uint64_t
system_now(const struct cw_clock *clock)
{
	(void)clock;
	return (uint64_t)time(NULL);
}

static uint64_t
fixed_now(const struct cw_clock *clock)
{
	return clock->fixed_s;
}

struct cw_clock
cw_clock_system(void)
{
	return (struct cw_clock){ .now_s = system_now };
}

struct cw_clock
cw_clock_fixed(uint64_t now_s)
{
	return (struct cw_clock){ .now_s = fixed_now, .fixed_s = now_s };
}

uint64_t
cw_clock_monotonic_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}
