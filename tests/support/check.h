/* SPDX-License-Identifier: Apache-2.0 */
/* cmocka with what its header needs, and comparisons that print names. */
#ifndef CW_TESTS_CHECK_H
#define CW_TESTS_CHECK_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "proto/base/buf.h"

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* Errors, compared and printed by name. */
#define assert_err(got, want) \
	assert_string_equal(cw_err_name(got), cw_err_name(want))

/* A table's row is named when it fails: the assertion alone has one line. */
#define assert_row(name, condition)                     \
	do {                                            \
		if (!(condition))                       \
			fail_msg("row \"%s\"", (name)); \
	} while (0)

/* The bytes written in hex; spaces are passed over. The buffer is wiped and
 * filled; the view is good until it is wiped. */
struct cw_bytes cw_test_hex(struct cw_buf *b, const char *hex);

/* The same in a buffer that is there for this; the view is good until the next
 * call. The other is a group's teardown. */
struct cw_bytes cw_test_input(const char *hex);
int cw_test_input_free(void **state);

/* The bytes must be those written in hex. */
#define assert_hex(bytes, hex) \
	cw_test_assert_hex((bytes), (hex), __FILE__, __LINE__)

void cw_test_assert_hex(struct cw_bytes bytes, const char *hex,
    const char *file, int line);

#endif
