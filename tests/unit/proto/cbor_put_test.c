/* SPDX-License-Identifier: Apache-2.0 */
/* What the writer writes, at every boundary of head sizes. */
#include "proto/cbor.h"

#include "tests/support/check.h"

static struct cw_buf out;

static int
start(void **state)
{
	(void)state;
	cw_buf_init(&out, 70000);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	cw_buf_wipe(&out);
	return 0;
}

static void
integers_take_the_shortest_form(void **state)
{
	static const struct {
		uint64_t value;
		const char *hex;
	} rows[] = {
		{ 0, "00" },
		{ 23, "17" },
		{ 24, "1818" },
		{ 255, "18ff" },
		{ 256, "190100" },
		{ 65535, "19ffff" },
		{ 65536, "1a00010000" },
		{ UINT32_MAX, "1affffffff" },
		{ 1ULL + UINT32_MAX, "1b0000000100000000" },
		{ UINT64_MAX, "1bffffffffffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cw_buf_reset(&out);
		cw_cbor_put_uint(&out, rows[i].value);
		assert_hex(cw_buf_bytes(&out), rows[i].hex);
	}
}

static void
negative_integers_take_the_shortest_form(void **state)
{
	static const struct {
		int64_t value;
		const char *hex;
	} rows[] = {
		{ 0, "00" },
		{ INT64_MAX, "1b7fffffffffffffff" },
		{ -1, "20" },
		{ -24, "37" },
		{ -25, "3818" },
		{ -256, "38ff" },
		{ -257, "390100" },
		{ -65536, "39ffff" },
		{ -65537, "3a00010000" },
		{ INT64_MIN, "3b7fffffffffffffff" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cw_buf_reset(&out);
		cw_cbor_put_int(&out, rows[i].value);
		assert_hex(cw_buf_bytes(&out), rows[i].hex);
	}
}

static void
strings_and_containers_carry_the_shortest_length(void **state)
{
	static const struct {
		size_t len;
		const char *bstr, *array, *map;
	} rows[] = {
		{ 0, "40", "80", "a0" },
		{ 23, "57", "97", "b7" },
		{ 24, "5818", "9818", "b818" },
		{ 255, "58ff", "98ff", "b8ff" },
		{ 256, "590100", "990100", "b90100" },
		{ 65535, "59ffff", "99ffff", "b9ffff" },
		{ 65536, "5a00010000", "9a00010000", "ba00010000" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		cw_buf_reset(&out);
		cw_cbor_put_bstr_head(&out, rows[i].len);
		assert_hex(cw_buf_bytes(&out), rows[i].bstr);
		cw_buf_reset(&out);
		cw_cbor_put_array(&out, rows[i].len);
		assert_hex(cw_buf_bytes(&out), rows[i].array);
		cw_buf_reset(&out);
		cw_cbor_put_map(&out, rows[i].len);
		assert_hex(cw_buf_bytes(&out), rows[i].map);
	}
}

static void
contents_follow_their_heads(void **state)
{
	static const uint8_t bytes[] = { 1, 2, 3 };

	(void)state;
	cw_buf_reset(&out);
	cw_cbor_put_array(&out, 8);
	cw_cbor_put_bstr(&out, CW_BYTES_ARRAY(bytes));
	cw_cbor_put_bstr(&out, CW_BYTES_NONE);
	cw_cbor_put_str(&out, "CW1");
	cw_cbor_put_tstr(&out, cw_bytes_str("\xc3\xbc"));
	cw_cbor_put_bool(&out, false);
	cw_cbor_put_bool(&out, true);
	cw_cbor_put_null(&out);
	cw_cbor_put_item(&out, cw_bytes_str("\x81\x07"));
	assert_err(out.err, CW_OK);
	assert_hex(cw_buf_bytes(&out),
	    "88430102034063435731 62c3bc f4f5f6 8107");
	assert_err(cw_cbor_check(cw_buf_bytes(&out)), CW_OK);
}

static void
text_that_no_reader_takes_is_not_written(void **state)
{
	(void)state;
	cw_buf_reset(&out);
	cw_cbor_put_tstr(&out, cw_bytes_str("\xff"));
	assert_err(out.err, CW_ERR_NOT_UTF8);
	assert_int_equal(out.len, 0);
	/* An earlier error stays. */
	out.err = CW_ERR_TOO_LARGE;
	cw_cbor_put_str(&out, "\xff");
	assert_err(out.err, CW_ERR_TOO_LARGE);
}

static void
a_full_buffer_says_so_and_stays_so(void **state)
{
	struct cw_buf small;

	(void)state;
	cw_buf_init(&small, 3);
	cw_cbor_put_str(&small, "ab");
	assert_err(small.err, CW_OK);
	cw_cbor_put_null(&small);
	assert_err(small.err, CW_ERR_TOO_LARGE);
	cw_cbor_put_bstr(&small, CW_BYTES_NONE);
	assert_hex(cw_buf_bytes(&small), "626162");
	cw_buf_wipe(&small);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(integers_take_the_shortest_form),
		cmocka_unit_test(negative_integers_take_the_shortest_form),
		cmocka_unit_test(
		    strings_and_containers_carry_the_shortest_length),
		cmocka_unit_test(contents_follow_their_heads),
		cmocka_unit_test(text_that_no_reader_takes_is_not_written),
		cmocka_unit_test(a_full_buffer_says_so_and_stays_so),
	};

	return cmocka_run_group_tests_name("cbor writer", tests, start, end);
}
