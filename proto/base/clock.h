/* SPDX-License-Identifier: Apache-2.0 */
/* Time, passed in, so that tests can move it. */
#ifndef CW_BASE_CLOCK_H
#define CW_BASE_CLOCK_H

#include <stdint.h>

struct cw_clock {
	/* Seconds since 1970-01-01T00:00:00Z. */
	uint64_t (*now_s)(const struct cw_clock *clock);
	uint64_t fixed_s; /* for cw_clock_fixed */
};

/* The machine's real time. */
struct cw_clock cw_clock_system(void);

/* Always `now_s`, until the owner changes fixed_s. */
struct cw_clock cw_clock_fixed(uint64_t now_s);

static inline uint64_t
cw_clock_now_s(const struct cw_clock *clock)
{
	return clock->now_s(clock);
}

/* Milliseconds of a clock that only goes forward, for deadlines. */
uint64_t cw_clock_monotonic_ms(void);

#endif
