/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays, maps and the order in which a decoder asks for fields. */
#include "proto/cbor.h"

#include <stdio.h>

#include "tests/support/check.h"
#include "tests/support/recode.h"

static struct cw_cbor_reader
reader(const char *hex)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, cw_test_input(hex));
	return r;
}

/* A decoder as they all are: { 1: uint, 3: uint, ? 5: uint }. */
static enum cw_err
decode_map(const char *hex, uint64_t got[3])
{
	struct cw_cbor_reader r = reader(hex);

	memset(got, 0, 3 * sizeof(*got));
	cw_cbor_map(&r, 4);
	cw_cbor_key(&r, 1);
	got[0] = cw_cbor_uint(&r, 0, 99);
	cw_cbor_key(&r, 3);
	got[1] = cw_cbor_uint(&r, 0, 99);
	if (cw_cbor_key_opt(&r, 5))
		got[2] = cw_cbor_uint(&r, 0, 99);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

static const struct {
	const char *what, *hex;
	uint64_t got[3];
	enum cw_err want;
} maps[] = {
	{ "both", "a2010a030b", { 10, 11, 0 }, CW_OK },
	{ "optional too", "a3010a030b050c", { 10, 11, 12 }, CW_OK },
	{ "first missing", "a1030b", { 0 }, CW_ERR_MISSING_FIELD },
	{ "second missing", "a1010a", { 10 }, CW_ERR_MISSING_FIELD },
	{ "all missing", "a0", { 0 }, CW_ERR_MISSING_FIELD },
	{ "optional instead", "a2010a050c", { 10 }, CW_ERR_MISSING_FIELD },
	{ "unknown first", "a3000a010a030b", { 0 }, CW_ERR_UNKNOWN_FIELD },
	{ "unknown between", "a3010a020a030b", { 10 }, CW_ERR_UNKNOWN_FIELD },
	{ "unknown before optional", "a3010a030b040c", { 10, 11 },
	    CW_ERR_UNKNOWN_FIELD },
	{ "unknown last", "a3010a030b060c", { 10, 11 }, CW_ERR_UNKNOWN_FIELD },
	{ "text key", "a3010a030b616100", { 10, 11 }, CW_ERR_UNKNOWN_FIELD },
	{ "array key", "a3010a030b810000", { 10, 11 }, CW_ERR_UNKNOWN_FIELD },
	{ "unknown below zero", "a3010a030b2000", { 10, 11 }, CW_OK },
	{ "the last one below zero", "a3010a030b3bffffffffffffffff00",
	    { 10, 11 }, CW_OK },
	{ "a long unknown value", "a3010a030b208301a10080f6", { 10, 11 },
	    CW_OK },
	{ "a bad unknown value", "a3010a030b20a201000000", { 10, 11 },
	    CW_ERR_NOT_DETERMINISTIC },
	{ "a float as unknown value", "a3010a030b20f90000", { 10, 11 },
	    CW_ERR_WRONG_TYPE },
	{ "unknown keys below zero twice", "a4010a030b20002000", { 10, 11 },
	    CW_ERR_NOT_DETERMINISTIC },
	{ "unknown keys unsorted", "a4010a030b21002000", { 10, 11 },
	    CW_ERR_NOT_DETERMINISTIC },
	{ "a key twice", "a3010a010a030b", { 10 }, CW_ERR_NOT_DETERMINISTIC },
	{ "the last key twice", "a3010a030b030b", { 10, 11 },
	    CW_ERR_NOT_DETERMINISTIC },
	{ "an early key late", "a3010a030b0000", { 10, 11 },
	    CW_ERR_NOT_DETERMINISTIC },
	{ "too many pairs", "a5010a030b050c20002100", { 0 },
	    CW_ERR_OUT_OF_RANGE },
	{ "a long form of a key", "a218010a030b", { 0 },
	    CW_ERR_NOT_DETERMINISTIC },
	{ "an array", "84010a030b", { 0 }, CW_ERR_WRONG_TYPE },
	{ "a wrong value", "a2010a0340", { 10 }, CW_ERR_WRONG_TYPE },
	{ "cut", "a2010a03", { 0 }, CW_ERR_TRUNCATED },
	{ "more behind", "a2010a030b00", { 10, 11 }, CW_ERR_TRAILING },
};

static void
a_map_has_its_fields_and_no_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(maps); i++) {
		uint64_t got[3];
		enum cw_err err = decode_map(maps[i].hex, got);

		if (err != maps[i].want)
			fail_msg("%s: %s, not %s", maps[i].what,
			    cw_err_name(err), cw_err_name(maps[i].want));
		assert_row(maps[i].what,
		    memcmp(got, maps[i].got, sizeof(got)) == 0);
	}
}

static void
keys_below_zero_come_in_the_order_of_their_encoding(void **state)
{
	struct cw_cbor_reader r = reader("a4010a200b210c220d");

	(void)state;
	cw_cbor_map(&r, 4);
	cw_cbor_key(&r, 1);
	assert_int_equal(cw_cbor_uint(&r, 0, 99), 10);
	cw_cbor_key(&r, -1);
	assert_int_equal(cw_cbor_uint(&r, 0, 99), 11);
	/* -2 is passed over: nobody knows it, and it is below zero. */
	cw_cbor_key(&r, -3);
	assert_int_equal(cw_cbor_uint(&r, 0, 99), 13);
	cw_cbor_map_end(&r);
	assert_err(cw_cbor_finish(&r), CW_OK);

	r = reader("a1210c");
	cw_cbor_map(&r, 4);
	assert_false(cw_cbor_key_opt(&r, -1));
	cw_cbor_key(&r, -2);
	assert_int_equal(cw_cbor_uint(&r, 0, 99), 12);
	cw_cbor_map_end(&r);
	assert_err(cw_cbor_finish(&r), CW_OK);

	r = reader("a1010a");
	cw_cbor_map(&r, 4);
	cw_cbor_key(&r, -1);
	assert_err(cw_cbor_finish(&r), CW_ERR_UNKNOWN_FIELD);
}

static void
an_array_has_as_many_items_as_it_may(void **state)
{
	static const struct {
		const char *hex;
		size_t count;
		enum cw_err want;
	} rows[] = {
		{ "8100", 0, CW_ERR_OUT_OF_RANGE },
		{ "820000", 2, CW_OK },
		{ "83000000", 3, CW_OK },
		{ "8400000000", 0, CW_ERR_OUT_OF_RANGE },
		{ "a10000", 0, CW_ERR_WRONG_TYPE },
		{ "420000", 0, CW_ERR_WRONG_TYPE },
		{ "8200", 0, CW_ERR_TRUNCATED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_cbor_reader r = reader(rows[i].hex);
		size_t n = cw_cbor_array(&r, 2, 3);

		assert_int_equal(n, rows[i].count);
		for (size_t k = 0; k < n; k++)
			cw_cbor_uint(&r, 0, 0);
		cw_cbor_array_end(&r);
		assert_err(cw_cbor_finish(&r), rows[i].want);
	}
}

static void
an_array_is_read_neither_short_nor_beyond_its_end(void **state)
{
	struct cw_cbor_reader r = reader("83000000");

	(void)state;
	cw_cbor_array(&r, 0, 9);
	cw_cbor_uint(&r, 0, 0);
	cw_cbor_uint(&r, 0, 0);
	cw_cbor_array_end(&r);
	assert_err(cw_cbor_finish(&r), CW_ERR_UNKNOWN_FIELD);

	/* The next item belongs to the outer array and is not taken. */
	r = reader("82810000");
	cw_cbor_array(&r, 2, 2);
	cw_cbor_array(&r, 0, 9);
	cw_cbor_uint(&r, 0, 0);
	cw_cbor_uint(&r, 0, 0);
	assert_err(cw_cbor_finish(&r), CW_ERR_MISSING_FIELD);
}

static void
an_item_is_handed_out_as_its_bytes(void **state)
{
	static const char *const items[] = { "00", "3903e7", "43010203",
		"626162", "80", "a0", "83010203", "8301820203820405", "f6",
		"a2010203820405", "3bffffffffffffffff" };

	(void)state;
	for (size_t i = 0; i < COUNT(items); i++) {
		char hex[64];
		struct cw_cbor_reader r;

		snprintf(hex, sizeof(hex), "83f4%sf5", items[i]);
		r = reader(hex);
		cw_cbor_array(&r, 3, 3);
		cw_cbor_bool(&r);
		assert_hex(cw_cbor_item(&r), items[i]);
		assert_true(cw_cbor_bool(&r));
		cw_cbor_array_end(&r);
		assert_err(cw_cbor_finish(&r), CW_OK);
	}
}

static void
an_item_counts_the_levels_around_it(void **state)
{
	struct cw_cbor_reader r = reader("81818181818181818100");

	(void)state;
	for (int i = 0; i < 4; i++)
		cw_cbor_array(&r, 1, 1);
	assert_int_equal(cw_cbor_item(&r).len, 0);
	assert_err(cw_cbor_finish(&r), CW_ERR_TOO_DEEP);
}

static void
the_first_error_stays_and_everything_after_it_is_empty(void **state)
{
	struct cw_cbor_reader r = reader("8a00004100616100f580a0f600");
	uint8_t out[1] = { 9 };

	(void)state;
	cw_cbor_array(&r, 10, 10);
	cw_cbor_uint(&r, 1, 1);
	assert_err(r.err, CW_ERR_OUT_OF_RANGE);
	cw_cbor_fail(&r, CW_ERR_TOO_DEEP);
	assert_int_equal(cw_cbor_uint(&r, 0, 9), 0);
	assert_int_equal(cw_cbor_int(&r, 0, 9), 0);
	assert_int_equal(cw_cbor_bstr(&r, 0, 9).len, 0);
	assert_int_equal(cw_cbor_tstr(&r, 0, 9).len, 0);
	cw_cbor_bstr_into(&r, out, 1);
	assert_int_equal(out[0], 0);
	cw_cbor_label(&r, "a");
	assert_false(cw_cbor_bool(&r));
	assert_false(cw_cbor_is_null(&r));
	assert_int_equal(cw_cbor_array(&r, 0, 9), 0);
	cw_cbor_array_end(&r);
	assert_int_equal(cw_cbor_map(&r, 9), 0);
	assert_false(cw_cbor_key_opt(&r, 0));
	cw_cbor_key(&r, 0);
	cw_cbor_map_end(&r);
	assert_int_equal(cw_cbor_item(&r).len, 0);
	assert_err(cw_cbor_finish(&r), CW_ERR_OUT_OF_RANGE);
}

static void
an_error_of_the_caller_refuses_the_message(void **state)
{
	struct cw_cbor_reader r = reader("00");

	(void)state;
	cw_cbor_uint(&r, 0, 0);
	cw_cbor_fail(&r, CW_ERR_BAD_TEXT);
	assert_err(cw_cbor_finish(&r), CW_ERR_BAD_TEXT);
}

static void
containers_closed_in_the_wrong_place_are_our_own_mistake(void **state)
{
	struct cw_cbor_reader r = reader("8100");

	(void)state;
	cw_cbor_array(&r, 1, 1);
	cw_cbor_uint(&r, 0, 0);
	assert_err(cw_cbor_finish(&r), CW_ERR_INTERNAL);
	r = reader("80");
	cw_cbor_array(&r, 0, 1);
	cw_cbor_map_end(&r);
	assert_err(cw_cbor_finish(&r), CW_ERR_INTERNAL);
	r = reader("a0");
	cw_cbor_map(&r, 1);
	cw_cbor_array_end(&r);
	assert_err(cw_cbor_finish(&r), CW_ERR_INTERNAL);
	r = reader("00");
	cw_cbor_array_end(&r);
	assert_err(cw_cbor_finish(&r), CW_ERR_INTERNAL);
	/* A key was read, and nobody wants its value. */
	r = reader("a10000");
	cw_cbor_map(&r, 1);
	cw_cbor_key(&r, 0);
	cw_cbor_map_end(&r);
	assert_err(cw_cbor_finish(&r), CW_ERR_INTERNAL);
}

static void
what_is_taken_is_written_again_with_the_same_bytes(void **state)
{
	static const char *const items[] = { "00", "1bffffffffffffffff", "20",
		"3b7fffffffffffffff", "3b8000000000000000", "40", "4401020304",
		"60", "63e6b0b4", "80", "8301820203820405", "a0", "f4", "f5",
		"f6", "a4 8100 01 a10000 02 f4 03 f6 04",
		"a5010203820405200121032201" };

	(void)state;
	for (size_t i = 0; i < COUNT(items); i++) {
		struct cw_cbor_reader r = reader(items[i]);
		struct cw_buf out;

		cw_buf_init(&out, 100);
		cw_recode(&r, &out);
		assert_err(cw_cbor_finish(&r), CW_OK);
		assert_err(out.err, CW_OK);
		assert_hex(cw_buf_bytes(&out), items[i]);
		cw_buf_wipe(&out);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_has_its_fields_and_no_others),
		cmocka_unit_test(
		    keys_below_zero_come_in_the_order_of_their_encoding),
		cmocka_unit_test(an_array_has_as_many_items_as_it_may),
		cmocka_unit_test(
		    an_array_is_read_neither_short_nor_beyond_its_end),
		cmocka_unit_test(an_item_is_handed_out_as_its_bytes),
		cmocka_unit_test(an_item_counts_the_levels_around_it),
		cmocka_unit_test(
		    the_first_error_stays_and_everything_after_it_is_empty),
		cmocka_unit_test(an_error_of_the_caller_refuses_the_message),
		cmocka_unit_test(
		    containers_closed_in_the_wrong_place_are_our_own_mistake),
		cmocka_unit_test(
		    what_is_taken_is_written_again_with_the_same_bytes),
	};

	return cmocka_run_group_tests_name("cbor maps", tests, NULL,
	    cw_test_input_free);
}
