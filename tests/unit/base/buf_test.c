/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/buf.h"

#include "tests/support/check.h"

static void
bytes_are_equal_only_with_the_same_length_and_contents(void **state)
{
	static const uint8_t a[] = { 'a', 0, 'b' };

	(void)state;
	assert_true(cw_bytes_equal(CW_BYTES_ARRAY(a), cw_bytes(a, 3)));
	assert_false(cw_bytes_equal(CW_BYTES_ARRAY(a), cw_bytes(a, 2)));
	assert_false(cw_bytes_equal(cw_bytes_str("ab"), cw_bytes_str("ac")));
	assert_true(cw_bytes_equal(CW_BYTES_NONE, cw_bytes(a, 0)));
	assert_true(cw_bytes_is(cw_bytes(a, 1), "a"));
	assert_false(cw_bytes_is(CW_BYTES_ARRAY(a), "a"));
	assert_true(cw_bytes_is(CW_BYTES_NONE, ""));
}

static void
everything_put_stands_in_order(void **state)
{
	struct cw_buf b;
	uint8_t *at;

	(void)state;
	cw_buf_init(&b, 100);
	cw_buf_put(&b, cw_bytes_str("ab"));
	cw_buf_put(&b, CW_BYTES_NONE);
	cw_buf_put_u8(&b, 0x01);
	cw_buf_put_u16be(&b, 0x0203);
	cw_buf_put_u32be(&b, 0x04050607);
	cw_buf_put_str(&b, "c");
	cw_buf_printf(&b, "%d-%s", 42, "x");
	at = cw_buf_extend(&b, 2);
	assert_non_null(at);
	memset(at, 0xee, 2);
	assert_err(b.err, CW_OK);
	assert_hex(cw_buf_bytes(&b), "6162 01 0203 04050607 63 34322d78 eeee");
	cw_buf_wipe(&b);
	assert_int_equal(b.len, 0);
	assert_null(b.ptr);
	assert_int_equal(b.max, 100);
}

static void
growth_keeps_what_was_there(void **state)
{
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 100000);
	for (unsigned i = 0; i < 100000; i++)
		cw_buf_put_u8(&b, (uint8_t)(i * 7));
	assert_err(b.err, CW_OK);
	assert_int_equal(b.len, 100000);
	for (unsigned i = 0; i < 100000; i++)
		assert_int_equal(b.ptr[i], (uint8_t)(i * 7));
	cw_buf_wipe(&b);
}

static void
the_maximum_holds_to_the_byte(void **state)
{
	static const size_t sizes[] = { 1, 63, 64, 65, 128, 1000 };

	(void)state;
	for (size_t i = 0; i < COUNT(sizes); i++) {
		struct cw_buf b;

		cw_buf_init(&b, sizes[i]);
		assert_non_null(cw_buf_extend(&b, sizes[i] - 1));
		cw_buf_put_u8(&b, 1);
		assert_err(b.err, CW_OK);
		cw_buf_put_u8(&b, 2);
		assert_err(b.err, CW_ERR_TOO_LARGE);
		assert_int_equal(b.len, sizes[i]);
		cw_buf_wipe(&b);
	}
}

static void
a_length_that_would_wrap_is_too_large(void **state)
{
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 100);
	cw_buf_put_u8(&b, 1);
	assert_null(cw_buf_extend(&b, SIZE_MAX));
	assert_err(b.err, CW_ERR_TOO_LARGE);
	cw_buf_wipe(&b);
}

#ifndef CW_SANITIZE /* whose malloc stops the program */
static void
memory_that_cannot_be_had_is_no_memory(void **state)
{
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, SIZE_MAX / 4);
	assert_null(cw_buf_extend(&b, SIZE_MAX / 4));
	assert_err(b.err, CW_ERR_NO_MEMORY);
	assert_int_equal(b.len, 0);
	cw_buf_wipe(&b);
}
#endif

static void
after_an_error_nothing_more_is_put(void **state)
{
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 2);
	cw_buf_put_str(&b, "abc");
	assert_err(b.err, CW_ERR_TOO_LARGE);
	cw_buf_put_str(&b, "a");
	cw_buf_printf(&b, "a");
	assert_null(cw_buf_extend(&b, 0));
	assert_int_equal(b.len, 0);
	cw_buf_reset(&b);
	assert_err(b.err, CW_OK);
	cw_buf_put_str(&b, "a");
	assert_hex(cw_buf_bytes(&b), "61");
	cw_buf_wipe(&b);
}

static void
a_shortened_or_reset_buffer_keeps_no_old_bytes(void **state)
{
	static const uint8_t zeros[4];
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 10);
	cw_buf_put_str(&b, "secret");
	cw_buf_truncate(&b, 7);
	assert_int_equal(b.len, 6);
	cw_buf_truncate(&b, 2);
	assert_int_equal(b.len, 2);
	assert_memory_equal(b.ptr, "se", 2);
	assert_memory_equal(b.ptr + 2, zeros, 4);
	cw_buf_reset(&b);
	assert_int_equal(b.len, 0);
	assert_memory_equal(b.ptr, zeros, 2);
	cw_buf_wipe(&b);
}

static void
moving_takes_the_contents_and_empties_the_source(void **state)
{
	struct cw_buf from;
	struct cw_buf to;

	(void)state;
	cw_buf_init(&from, 10);
	cw_buf_init(&to, 20);
	cw_buf_put_str(&from, "new");
	cw_buf_put_str(&to, "old");
	cw_buf_move(&to, &from);
	assert_true(cw_bytes_is(cw_buf_bytes(&to), "new"));
	assert_int_equal(from.len, 0);
	assert_null(from.ptr);
	cw_buf_put_str(&from, "again");
	assert_true(cw_bytes_is(cw_buf_bytes(&from), "again"));
	cw_buf_wipe(&to);
	cw_buf_wipe(&from);
}

static void
lent_memory_is_used_wiped_and_left(void **state)
{
	static const uint8_t zeros[6];
	uint8_t memory[8] = { 0 };
	struct cw_buf b;

	(void)state;
	memory[6] = 0xee;
	cw_buf_init_on(&b, 100, memory, sizeof(memory));
	cw_buf_put_str(&b, "secret");
	assert_ptr_equal(b.ptr, memory);
	cw_buf_wipe(&b);
	assert_memory_equal(memory, zeros, sizeof(zeros));
	assert_int_equal(memory[6], 0xee);
	assert_null(b.ptr);
	assert_int_equal(b.max, 100);
}

static void
what_does_not_fit_into_lent_memory_grows_out_of_it(void **state)
{
	static const uint8_t zeros[6];
	uint8_t memory[6];
	struct cw_buf b;

	(void)state;
	cw_buf_init_on(&b, 10, memory, sizeof(memory));
	cw_buf_put_str(&b, "secret");
	cw_buf_put_str(&b, "next");
	assert_err(b.err, CW_OK);
	assert_true(cw_bytes_is(cw_buf_bytes(&b), "secretnext"));
	assert_ptr_not_equal(b.ptr, memory);
	assert_memory_equal(memory, zeros, sizeof(zeros));
	cw_buf_put_u8(&b, 1);
	assert_err(b.err, CW_ERR_TOO_LARGE);
	cw_buf_wipe(&b);
}

static void
lent_memory_gives_no_more_than_the_maximum(void **state)
{
	uint8_t memory[6];
	struct cw_buf b;

	(void)state;
	cw_buf_init_on(&b, 4, memory, sizeof(memory));
	cw_buf_put_str(&b, "four");
	assert_err(b.err, CW_OK);
	cw_buf_put_u8(&b, 1);
	assert_err(b.err, CW_ERR_TOO_LARGE);
	cw_buf_wipe(&b);
}

static void
what_is_moved_does_not_stay_in_lent_memory(void **state)
{
	uint8_t memory[8];
	struct cw_buf from;
	struct cw_buf to;

	(void)state;
	cw_buf_init_on(&from, 10, memory, sizeof(memory));
	cw_buf_init(&to, 20);
	cw_buf_put_str(&from, "new");
	cw_buf_move(&to, &from);
	assert_ptr_not_equal(to.ptr, memory);
	assert_int_equal(memory[0], 0);
	assert_true(cw_bytes_is(cw_buf_bytes(&to), "new"));
	assert_int_equal(from.len, 0);
	cw_buf_wipe(&to);
	cw_buf_wipe(&from);
}

/* Around the length that is formatted once. */
static void
a_long_text_is_formatted_as_a_short_one(void **state)
{
	char text[300];

	(void)state;
	for (size_t n = 250; n < 260; n++) {
		struct cw_buf b;

		memset(text, 'x', n);
		text[n] = '\0';
		cw_buf_init(&b, sizeof(text));
		cw_buf_printf(&b, "%s", text);
		assert_err(b.err, CW_OK);
		assert_true(cw_bytes_is(cw_buf_bytes(&b), text));
		cw_buf_wipe(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    bytes_are_equal_only_with_the_same_length_and_contents),
		cmocka_unit_test(everything_put_stands_in_order),
		cmocka_unit_test(growth_keeps_what_was_there),
		cmocka_unit_test(the_maximum_holds_to_the_byte),
		cmocka_unit_test(a_length_that_would_wrap_is_too_large),
#ifndef CW_SANITIZE
		cmocka_unit_test(memory_that_cannot_be_had_is_no_memory),
#endif
		cmocka_unit_test(after_an_error_nothing_more_is_put),
		cmocka_unit_test(
		    a_shortened_or_reset_buffer_keeps_no_old_bytes),
		cmocka_unit_test(
		    moving_takes_the_contents_and_empties_the_source),
		cmocka_unit_test(lent_memory_is_used_wiped_and_left),
		cmocka_unit_test(
		    what_does_not_fit_into_lent_memory_grows_out_of_it),
		cmocka_unit_test(lent_memory_gives_no_more_than_the_maximum),
		cmocka_unit_test(what_is_moved_does_not_stay_in_lent_memory),
		cmocka_unit_test(a_long_text_is_formatted_as_a_short_one),
	};

	return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
