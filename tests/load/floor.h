/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crypto floor of a session: the public-key operations that the protocol
 * obliges the issuer to, through the same crypto contract, in CPU time.
 */
#ifndef CW_TESTS_LOAD_FLOOR_H
#define CW_TESTS_LOAD_FLOOR_H

#include <stddef.h>

struct cw_floor_row {
	const char *name; /* for what, in the protocol's words */
	double us;        /* CPU microseconds, once */
};

#define CW_FLOOR_ROWS 9

/* Measures all on the calling thread; gives the sum, since each
 * comes once in a session. */
double cw_floor_measure(unsigned suite,
    struct cw_floor_row rows[CW_FLOOR_ROWS]);

#endif
