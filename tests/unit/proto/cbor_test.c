/* SPDX-License-Identifier: Apache-2.0 */
/* What the reader takes and refuses, item by item. */
#include "proto/cbor.h"

#include "tests/support/check.h"

struct refusal {
	const char *hex;
	enum cw_err want;
	const char *what;
};

/* A reader over the bytes in hex. */
static struct cw_cbor_reader
reader(const char *hex)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, cw_test_input(hex));
	return r;
}

static void
check_all(const struct refusal *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		enum cw_err got = cw_cbor_check(cw_test_input(rows[i].hex));

		if (got != rows[i].want)
			fail_msg("%s (%s): %s, not %s", rows[i].hex,
			    rows[i].what, cw_err_name(got),
			    cw_err_name(rows[i].want));
	}
}

static void
every_longer_form_than_needed_is_refused(void **state)
{
	static const struct refusal rows[] = {
		{ "17", CW_OK, "23 in one byte" },
		{ "1817", CW_ERR_NOT_DETERMINISTIC, "23 in two" },
		{ "1818", CW_OK, "24 in two" },
		{ "18ff", CW_OK, "255 in two" },
		{ "1900ff", CW_ERR_NOT_DETERMINISTIC, "255 in three" },
		{ "190100", CW_OK, "256 in three" },
		{ "19ffff", CW_OK, "65535 in three" },
		{ "1a0000ffff", CW_ERR_NOT_DETERMINISTIC, "65535 in five" },
		{ "1a00010000", CW_OK, "65536 in five" },
		{ "1affffffff", CW_OK, "2^32 - 1 in five" },
		{ "1b00000000ffffffff", CW_ERR_NOT_DETERMINISTIC, "in nine" },
		{ "1b0000000100000000", CW_OK, "2^32 in nine" },
		{ "1bffffffffffffffff", CW_OK, "2^64 - 1" },
		{ "3817", CW_ERR_NOT_DETERMINISTIC, "-24 in two" },
		{ "3818", CW_OK, "-25 in two" },
		{ "3900ff", CW_ERR_NOT_DETERMINISTIC, "-256 in three" },
		{ "3a0000ffff", CW_ERR_NOT_DETERMINISTIC, "-65536 in five" },
		{ "3b00000000ffffffff", CW_ERR_NOT_DETERMINISTIC, "in nine" },
		{ "3bffffffffffffffff", CW_OK, "-2^64" },
		{ "580141", CW_ERR_NOT_DETERMINISTIC, "byte string" },
		{ "5900014a", CW_ERR_NOT_DETERMINISTIC, "byte string" },
		{ "5a000000014a", CW_ERR_NOT_DETERMINISTIC, "byte string" },
		{ "5b00000000000000014a", CW_ERR_NOT_DETERMINISTIC, "bstr" },
		{ "780161", CW_ERR_NOT_DETERMINISTIC, "text string" },
		{ "7b000000000000000161", CW_ERR_NOT_DETERMINISTIC, "tstr" },
		{ "980100", CW_ERR_NOT_DETERMINISTIC, "array" },
		{ "9a0000000100", CW_ERR_NOT_DETERMINISTIC, "array" },
		{ "b8010000", CW_ERR_NOT_DETERMINISTIC, "map" },
		{ "b900010000", CW_ERR_NOT_DETERMINISTIC, "map" },
	};

	(void)state;
	check_all(rows, COUNT(rows));
}

static void
indefinite_lengths_are_refused_at_every_depth(void **state)
{
	static const struct refusal rows[] = {
		{ "5f41004100ff", CW_ERR_NOT_DETERMINISTIC, "byte string" },
		{ "7f6161ff", CW_ERR_NOT_DETERMINISTIC, "text string" },
		{ "9fff", CW_ERR_NOT_DETERMINISTIC, "array" },
		{ "bfff", CW_ERR_NOT_DETERMINISTIC, "map" },
		{ "819fff", CW_ERR_NOT_DETERMINISTIC, "array in an array" },
		{ "a1005fff", CW_ERR_NOT_DETERMINISTIC, "string in a map" },
		{ "ff", CW_ERR_MALFORMED, "break alone" },
		{ "81ff", CW_ERR_MALFORMED, "break in a definite array" },
	};

	(void)state;
	check_all(rows, COUNT(rows));
}

static void
floats_tags_and_other_simple_values_are_refused(void **state)
{
	static const struct refusal rows[] = {
		{ "f4", CW_OK, "false" },
		{ "f5", CW_OK, "true" },
		{ "f6", CW_OK, "null" },
		{ "f7", CW_ERR_WRONG_TYPE, "undefined" },
		{ "e0", CW_ERR_WRONG_TYPE, "simple 0" },
		{ "f3", CW_ERR_WRONG_TYPE, "simple 19" },
		{ "f820", CW_ERR_WRONG_TYPE, "simple 32" },
		{ "f814", CW_ERR_WRONG_TYPE, "false in two bytes" },
		{ "f90000", CW_ERR_WRONG_TYPE, "half" },
		{ "f97e00", CW_ERR_WRONG_TYPE, "half NaN" },
		{ "fa00000000", CW_ERR_WRONG_TYPE, "single" },
		{ "fb0000000000000000", CW_ERR_WRONG_TYPE, "double" },
		{ "c000", CW_ERR_WRONG_TYPE, "tag 0" },
		{ "c240", CW_ERR_WRONG_TYPE, "bignum" },
		{ "d2840000", CW_ERR_WRONG_TYPE, "COSE_Sign1 tag" },
		{ "d81800", CW_ERR_WRONG_TYPE, "tag 24" },
		{ "d9d9f700", CW_ERR_WRONG_TYPE, "tag 55799" },
		{ "da0001000000", CW_ERR_WRONG_TYPE, "tag of four bytes" },
		{ "81f7", CW_ERR_WRONG_TYPE, "undefined in an array" },
	};

	(void)state;
	check_all(rows, COUNT(rows));
}

static void
reserved_additional_information_is_malformed(void **state)
{
	(void)state;
	for (unsigned initial = 0; initial < 256; initial++) {
		uint8_t bytes[] = { (uint8_t)initial, 0, 0, 0, 0, 0, 0, 0, 0 };
		unsigned info = initial & 0x1f;
		enum cw_err got = cw_cbor_check(CW_BYTES_ARRAY(bytes));

		if (info >= 28 && info <= 30)
			assert_err(got, CW_ERR_MALFORMED);
	}
	assert_err(cw_cbor_check(cw_test_input("1f")), CW_ERR_MALFORMED);
	assert_err(cw_cbor_check(cw_test_input("3f")), CW_ERR_MALFORMED);
	assert_err(cw_cbor_check(cw_test_input("df")), CW_ERR_MALFORMED);
}

static void
every_early_end_is_truncated(void **state)
{
	static const char *const whole[] = { "1818", "190100", "1a00010000",
		"1b0000000100000000", "3b0000000100000000", "43010203",
		"5818010101010101010101010101010101010101010101010101",
		"63616263", "83010203", "a201020304", "8281820001a10080" };

	(void)state;
	assert_err(cw_cbor_check(CW_BYTES_NONE), CW_ERR_TRUNCATED);
	for (size_t i = 0; i < COUNT(whole); i++) {
		struct cw_bytes in = cw_test_input(whole[i]);

		assert_err(cw_cbor_check(in), CW_OK);
		for (size_t n = 0; n < in.len; n++)
			assert_err(cw_cbor_check(cw_bytes(in.ptr, n)),
			    CW_ERR_TRUNCATED);
	}
}

static void
a_promise_larger_than_the_input_is_refused_by_arithmetic(void **state)
{
	static const struct refusal rows[] = {
		{ "9b0000001000000000", CW_ERR_TRUNCATED, "array 2^36" },
		{ "9bffffffffffffffff", CW_ERR_TRUNCATED, "array 2^64 - 1" },
		{ "bbffffffffffffffff", CW_ERR_TRUNCATED, "map 2^64 - 1" },
		{ "bb8000000000000000", CW_ERR_TRUNCATED, "map 2^63" },
		{ "5bffffffffffffffff", CW_ERR_TRUNCATED, "bytes 2^64 - 1" },
		{ "5bfffffffffffffff7", CW_ERR_TRUNCATED, "bytes 2^64 - 9" },
		{ "7bffffffffffffffff", CW_ERR_TRUNCATED, "text 2^64 - 1" },
		{ "820000", CW_OK, "array of exactly what is there" },
		{ "8200", CW_ERR_TRUNCATED, "array of one more" },
		{ "a20001", CW_ERR_TRUNCATED, "map with half a pair" },
		{ "a1", CW_ERR_TRUNCATED, "map of nothing" },
	};
	struct cw_cbor_reader r;

	(void)state;
	check_all(rows, COUNT(rows));
	/* The caller's loop must not run, whatever maximum it allows. */
	r = reader("9b0000001000000000");
	assert_int_equal(cw_cbor_array(&r, 0, SIZE_MAX), 0);
	r = reader("bb0000001000000000");
	assert_int_equal(cw_cbor_map(&r, SIZE_MAX), 0);
}

static void
keys_of_any_type_must_ascend_bytewise(void **state)
{
	static const struct refusal rows[] = {
		{ "a0", CW_OK, "no key" },
		{ "a200000100", CW_OK, "0 1" },
		{ "a201000000", CW_ERR_NOT_DETERMINISTIC, "1 0" },
		{ "a201000100", CW_ERR_NOT_DETERMINISTIC, "1 1" },
		{ "a217001818 00", CW_OK, "23 24" },
		{ "a21818001700", CW_ERR_NOT_DETERMINISTIC, "24 23" },
		{ "a203002000", CW_OK, "3 -1" },
		{ "a220000300", CW_ERR_NOT_DETERMINISTIC, "-1 3" },
		{ "a220002100", CW_OK, "-1 -2" },
		{ "a221002000", CW_ERR_NOT_DETERMINISTIC, "-2 -1" },
		{ "a2616100616200", CW_OK, "a b" },
		{ "a2616200616100", CW_ERR_NOT_DETERMINISTIC, "b a" },
		{ "a261620062616100", CW_OK, "b aa" },
		{ "a262616100616200", CW_ERR_NOT_DETERMINISTIC, "aa b" },
		{ "a2410000410000", CW_ERR_NOT_DETERMINISTIC, "h'00' twice" },
		{ "a241000061 6100", CW_OK, "bytes before text" },
		{ "a2f400f500", CW_OK, "false true" },
		{ "a2f500f400", CW_ERR_NOT_DETERMINISTIC, "true false" },
		{ "a2 8100 00 8101 00", CW_OK, "[0] [1]" },
		{ "a2 8101 00 8100 00", CW_ERR_NOT_DETERMINISTIC, "[1] [0]" },
		{ "a2 8100 00 8100 00", CW_ERR_NOT_DETERMINISTIC, "[0] twice" },
		{ "a2 80 00 a0 00", CW_OK, "[] {}" },
		{ "a2 a0 00 80 00", CW_ERR_NOT_DETERMINISTIC, "{} []" },
		{ "a1 a201000000 00", CW_ERR_NOT_DETERMINISTIC, "in a key" },
		{ "a1 00 a201000000", CW_ERR_NOT_DETERMINISTIC, "in a value" },
		{ "a2 00 a10000 01 a10000", CW_OK, "same key, other maps" },
	};

	(void)state;
	check_all(rows, COUNT(rows));
}

static void
eight_levels_are_taken_and_nine_refused(void **state)
{
	static const struct refusal rows[] = {
		{ "8181818181818100", CW_OK, "7" },
		{ "818181818181818100", CW_OK, "8" },
		{ "8181818181818180", CW_OK, "8, empty" },
		{ "81818181818181818100", CW_ERR_TOO_DEEP, "9" },
		{ "818181818181818180", CW_ERR_TOO_DEEP, "9, empty" },
		{ "a100a100a100a100a100a100a100a0", CW_OK, "8 maps" },
		{ "a100a100a100a100a100a100a100a100a0", CW_ERR_TOO_DEEP, "9" },
		{ "a1a1a1a1a1a1a1a1a0 0000000000000000", CW_ERR_TOO_DEEP, "k" },
	};

	(void)state;
	check_all(rows, COUNT(rows));
}

static void
text_must_be_utf8(void **state)
{
	static const struct refusal rows[] = {
		{ "60", CW_OK, "empty" },
		{ "62c3bc", CW_OK, "two bytes" },
		{ "64f0908591", CW_OK, "four bytes" },
		{ "61ff", CW_ERR_NOT_UTF8, "no such byte" },
		{ "61c3", CW_ERR_NOT_UTF8, "cut character" },
		{ "62c080", CW_ERR_NOT_UTF8, "NUL in two bytes" },
		{ "63eda080", CW_ERR_NOT_UTF8, "surrogate" },
		{ "64f4908080", CW_ERR_NOT_UTF8, "over U+10FFFF" },
		{ "41ff", CW_OK, "byte strings may hold anything" },
		{ "a161ff00", CW_ERR_NOT_UTF8, "in a key" },
	};

	(void)state;
	check_all(rows, COUNT(rows));
}

static void
bytes_behind_the_item_are_trailing(void **state)
{
	(void)state;
	assert_err(cw_cbor_check(cw_test_input("0000")), CW_ERR_TRAILING);
	assert_err(cw_cbor_check(cw_test_input("80ff")), CW_ERR_TRAILING);
	assert_err(cw_cbor_check(cw_test_input("a000")), CW_ERR_TRAILING);
}

static void
unsigned_integers_keep_their_range(void **state)
{
	static const struct {
		const char *hex;
		uint64_t min, max, value;
		enum cw_err want;
	} rows[] = {
		{ "04", 5, 7, 0, CW_ERR_OUT_OF_RANGE },
		{ "05", 5, 7, 5, CW_OK },
		{ "06", 5, 7, 6, CW_OK },
		{ "07", 5, 7, 7, CW_OK },
		{ "08", 5, 7, 0, CW_ERR_OUT_OF_RANGE },
		{ "1bffffffffffffffff", 0, UINT64_MAX, UINT64_MAX, CW_OK },
		{ "1bffffffffffffffff", 0, INT64_MAX, 0, CW_ERR_OUT_OF_RANGE },
		{ "20", 0, 7, 0, CW_ERR_WRONG_TYPE },
		{ "40", 0, 7, 0, CW_ERR_WRONG_TYPE },
		{ "f4", 0, 7, 0, CW_ERR_WRONG_TYPE },
		{ "", 0, 7, 0, CW_ERR_TRUNCATED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_cbor_reader r = reader(rows[i].hex);

		assert_row(rows[i].hex,
		    cw_cbor_uint(&r, rows[i].min, rows[i].max) ==
			rows[i].value);
		assert_err(cw_cbor_finish(&r), rows[i].want);
	}
}

static void
signed_integers_keep_their_range(void **state)
{
	static const struct {
		const char *hex;
		int64_t min, max, value;
		enum cw_err want;
	} rows[] = {
		{ "20", -1, 1, -1, CW_OK },
		{ "21", -1, 1, 0, CW_ERR_OUT_OF_RANGE },
		{ "01", -1, 1, 1, CW_OK },
		{ "02", -1, 1, 0, CW_ERR_OUT_OF_RANGE },
		{ "1b7fffffffffffffff", INT64_MIN, INT64_MAX, INT64_MAX,
		    CW_OK },
		{ "1b8000000000000000", INT64_MIN, INT64_MAX, 0,
		    CW_ERR_OUT_OF_RANGE },
		{ "3b7fffffffffffffff", INT64_MIN, INT64_MAX, INT64_MIN,
		    CW_OK },
		{ "3b8000000000000000", INT64_MIN, INT64_MAX, 0,
		    CW_ERR_OUT_OF_RANGE },
		{ "3bffffffffffffffff", INT64_MIN, INT64_MAX, 0,
		    CW_ERR_OUT_OF_RANGE },
		{ "60", -1, 1, 0, CW_ERR_WRONG_TYPE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_cbor_reader r = reader(rows[i].hex);

		assert_row(rows[i].hex,
		    cw_cbor_int(&r, rows[i].min, rows[i].max) == rows[i].value);
		assert_err(cw_cbor_finish(&r), rows[i].want);
	}
}

static void
strings_keep_their_lengths_and_types(void **state)
{
	static const struct {
		const char *hex;
		bool text;
		enum cw_err want;
	} rows[] = {
		{ "4101", false, CW_ERR_OUT_OF_RANGE },
		{ "420102", false, CW_OK },
		{ "43010203", false, CW_OK },
		{ "4401020304", false, CW_ERR_OUT_OF_RANGE },
		{ "626162", false, CW_ERR_WRONG_TYPE },
		{ "6161", true, CW_ERR_OUT_OF_RANGE },
		{ "626162", true, CW_OK },
		{ "63616263", true, CW_OK },
		{ "6461626364", true, CW_ERR_OUT_OF_RANGE },
		{ "426162", true, CW_ERR_WRONG_TYPE },
		{ "02", true, CW_ERR_WRONG_TYPE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_cbor_reader r = reader(rows[i].hex);
		struct cw_bytes v = rows[i].text ? cw_cbor_tstr(&r, 2, 3) :
						   cw_cbor_bstr(&r, 2, 3);

		assert_err(cw_cbor_finish(&r), rows[i].want);
		if (rows[i].want == CW_OK)
			assert_hex(v, rows[i].hex + 2);
		else
			assert_int_equal(v.len, 0);
	}
}

static void
a_copied_string_has_exactly_its_length_or_is_zeroed(void **state)
{
	uint8_t out[2] = { 9, 9 };
	struct cw_cbor_reader r = reader("420102");

	(void)state;
	cw_cbor_bstr_into(&r, out, 2);
	assert_err(cw_cbor_finish(&r), CW_OK);
	assert_hex(CW_BYTES_ARRAY(out), "0102");
	r = reader("4101");
	cw_cbor_bstr_into(&r, out, 2);
	assert_err(cw_cbor_finish(&r), CW_ERR_OUT_OF_RANGE);
	assert_hex(CW_BYTES_ARRAY(out), "0000");
	memset(out, 9, sizeof(out));
	r = reader("43010203");
	cw_cbor_bstr_into(&r, out, 2);
	assert_err(cw_cbor_finish(&r), CW_ERR_OUT_OF_RANGE);
	assert_hex(CW_BYTES_ARRAY(out), "0000");
}

static void
a_label_must_match_to_the_last_character(void **state)
{
	static const struct refusal rows[] = {
		{ "63435731", CW_OK, "CW1" },
		{ "63435732", CW_ERR_WRONG_LABEL, "CW2" },
		{ "624357", CW_ERR_WRONG_LABEL, "CW" },
		{ "6443573100", CW_ERR_WRONG_LABEL, "CW1 and NUL" },
		{ "60", CW_ERR_WRONG_LABEL, "empty" },
		{ "43435731", CW_ERR_WRONG_TYPE, "bytes" },
		{ "63ff5731", CW_ERR_NOT_UTF8, "not text" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_cbor_reader r = reader(rows[i].hex);

		cw_cbor_label(&r, "CW1");
		assert_err(cw_cbor_finish(&r), rows[i].want);
	}
}

static void
booleans_and_null_are_told_apart(void **state)
{
	struct cw_cbor_reader r = reader("83f4f5f6");

	(void)state;
	cw_cbor_array(&r, 3, 3);
	assert_false(cw_cbor_is_null(&r));
	assert_false(cw_cbor_bool(&r));
	assert_false(cw_cbor_is_null(&r));
	assert_true(cw_cbor_bool(&r));
	assert_true(cw_cbor_is_null(&r));
	cw_cbor_array_end(&r);
	assert_err(cw_cbor_finish(&r), CW_OK);
	r = reader("f6");
	assert_false(cw_cbor_bool(&r));
	assert_err(cw_cbor_finish(&r), CW_ERR_WRONG_TYPE);
	/* 20, 21 and 22 are false, true and null only as simple values. */
	r = reader("16");
	assert_false(cw_cbor_is_null(&r));
	assert_false(cw_cbor_bool(&r));
	assert_err(cw_cbor_finish(&r), CW_ERR_WRONG_TYPE);
	r = reader("15");
	assert_false(cw_cbor_bool(&r));
	assert_err(cw_cbor_finish(&r), CW_ERR_WRONG_TYPE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_longer_form_than_needed_is_refused),
		cmocka_unit_test(indefinite_lengths_are_refused_at_every_depth),
		cmocka_unit_test(
		    floats_tags_and_other_simple_values_are_refused),
		cmocka_unit_test(reserved_additional_information_is_malformed),
		cmocka_unit_test(every_early_end_is_truncated),
		cmocka_unit_test(
		    a_promise_larger_than_the_input_is_refused_by_arithmetic),
		cmocka_unit_test(keys_of_any_type_must_ascend_bytewise),
		cmocka_unit_test(eight_levels_are_taken_and_nine_refused),
		cmocka_unit_test(text_must_be_utf8),
		cmocka_unit_test(bytes_behind_the_item_are_trailing),
		cmocka_unit_test(unsigned_integers_keep_their_range),
		cmocka_unit_test(signed_integers_keep_their_range),
		cmocka_unit_test(strings_keep_their_lengths_and_types),
		cmocka_unit_test(
		    a_copied_string_has_exactly_its_length_or_is_zeroed),
		cmocka_unit_test(a_label_must_match_to_the_last_character),
		cmocka_unit_test(booleans_and_null_are_told_apart),
	};

	return cmocka_run_group_tests_name("cbor", tests, NULL,
	    cw_test_input_free);
}
