/* SPDX-License-Identifier: Apache-2.0 */
/* PIN rules, docs/protocol.md "PIN rules". */
#include "proto/pin.h"
#include "tests/support/check.h"

#define ALL (CW_PIN_NO_SEQUENCE | CW_PIN_NO_REPEATS | CW_PIN_NO_FEW)

static const struct {
	const char *pin;
	struct cw_pin_rule rule;
	enum cw_err err;
} rows[] = {
	{ "271828", { CW_PIN_DIGITS, 6, 8, 3, ALL }, CW_OK },
	{ "27182818", { CW_PIN_DIGITS, 6, 8, 3, ALL }, CW_OK },
	{ "27182", { CW_PIN_DIGITS, 6, 8, 3, 0 }, CW_ERR_PIN_LENGTH },
	{ "271828182", { CW_PIN_DIGITS, 6, 8, 3, 0 }, CW_ERR_PIN_LENGTH },
	{ "", { CW_PIN_DIGITS, 4, 8, 3, 0 }, CW_ERR_PIN_LENGTH },
	{ "27182a", { CW_PIN_DIGITS, 6, 8, 3, 0 }, CW_ERR_PIN_FORMAT },
	{ "27182 ", { CW_PIN_DIGITS, 6, 8, 3, 0 }, CW_ERR_PIN_FORMAT },
	{ "27182/", { CW_PIN_DIGITS, 6, 8, 3, 0 }, CW_ERR_PIN_FORMAT },
	{ "27182:", { CW_PIN_DIGITS, 6, 8, 3, 0 }, CW_ERR_PIN_FORMAT },
	{ "aZ09xY", { CW_PIN_ALPHANUMERIC, 6, 8, 3, ALL }, CW_OK },
	{ "aZ09-Y", { CW_PIN_ALPHANUMERIC, 6, 8, 3, 0 }, CW_ERR_PIN_FORMAT },
	{ "\xc3\xa4zzzz", { CW_PIN_ALPHANUMERIC, 6, 8, 3, 0 },
	    CW_ERR_PIN_FORMAT },
	{ "a ~!Zq", { CW_PIN_PRINTABLE, 6, 8, 3, ALL }, CW_OK },
	{ "a\x7f~!Zq", { CW_PIN_PRINTABLE, 6, 8, 3, 0 }, CW_ERR_PIN_FORMAT },
	{ "a\x1f~!Zq", { CW_PIN_PRINTABLE, 6, 8, 3, 0 }, CW_ERR_PIN_FORMAT },
	{ "123456", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_SEQUENCE },
	    CW_ERR_PIN_WEAK },
	{ "987654", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_SEQUENCE },
	    CW_ERR_PIN_WEAK },
	{ "123457", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_SEQUENCE }, CW_OK },
	{ "135790", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_SEQUENCE }, CW_OK },
	{ "123456", { CW_PIN_DIGITS, 6, 8, 3, 0 }, CW_OK },
	{ "277718", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_REPEATS },
	    CW_ERR_PIN_WEAK },
	{ "277188", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_REPEATS }, CW_OK },
	{ "272727", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_FEW },
	    CW_ERR_PIN_WEAK },
	{ "272721", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_FEW }, CW_OK },
	{ "277188", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_PAIRS },
	    CW_ERR_PIN_WEAK },
	{ "272728", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_PAIRS }, CW_OK },
	{ "271828", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_TWICE },
	    CW_ERR_PIN_WEAK },
	{ "271830", { CW_PIN_DIGITS, 6, 8, 3, CW_PIN_NO_TWICE }, CW_OK },
	{ "7182", { CW_PIN_ALPHANUMERIC, 4, 8, 3, CW_PIN_NO_MISSING },
	    CW_ERR_PIN_WEAK },
	{ "zqkx", { CW_PIN_ALPHANUMERIC, 4, 8, 3, CW_PIN_NO_MISSING },
	    CW_ERR_PIN_WEAK },
	{ "zqk7", { CW_PIN_ALPHANUMERIC, 4, 8, 3, CW_PIN_NO_MISSING }, CW_OK },
	{ "aB3x", { CW_PIN_PRINTABLE, 4, 8, 3, CW_PIN_NO_MISSING },
	    CW_ERR_PIN_WEAK },
	{ "aB3-", { CW_PIN_PRINTABLE, 4, 8, 3, CW_PIN_NO_MISSING }, CW_OK },
	{ "ab3-", { CW_PIN_PRINTABLE, 4, 8, 3, CW_PIN_NO_MISSING },
	    CW_ERR_PIN_WEAK },
	{ "AB3-", { CW_PIN_PRINTABLE, 4, 8, 3, CW_PIN_NO_MISSING },
	    CW_ERR_PIN_WEAK },
	{ "aBc-", { CW_PIN_PRINTABLE, 4, 8, 3, CW_PIN_NO_MISSING },
	    CW_ERR_PIN_WEAK },
	/* Lengths of text are characters; 32 bytes are the most. */
	{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", { CW_PIN_TEXT, 4, 4, 3, ALL },
	    CW_OK },
	{ "\xc3\xa4\xc3\xb6\xc3\xbc", { CW_PIN_TEXT, 4, 8, 3, 0 },
	    CW_ERR_PIN_LENGTH },
	{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9fz", { CW_PIN_TEXT, 4, 4, 3, 0 },
	    CW_ERR_PIN_LENGTH },
	{ "zqkxj", { CW_PIN_TEXT, 4, 4, 3, 0 }, CW_ERR_PIN_LENGTH },
	{ "\xc3\xa4\xc3\xa4\xc3\xa4z", { CW_PIN_TEXT, 4, 4, 3, ALL },
	    CW_ERR_PIN_WEAK },
	{ "\xc3\xa4\xc3\xa5\xc3\xa6\xc3\xa7", { CW_PIN_TEXT, 4, 4, 3, ALL },
	    CW_ERR_PIN_WEAK },
	{ "\xf0\x9f\x98\x80\xf0\x9f\x98\x82\xf0\x9f\x99\x82z",
	    { CW_PIN_TEXT, 4, 4, 3, ALL }, CW_OK },
	{ "\xc3\xa4\xc3\xb6\xc3\xbc\xc3", { CW_PIN_TEXT, 4, 8, 3, 0 },
	    CW_ERR_PIN_FORMAT },
	{ "zq\x07kx", { CW_PIN_TEXT, 4, 8, 3, 0 }, CW_ERR_PIN_FORMAT },
	{ "\xff\x01\xfe\x02", { CW_PIN_BINARY, 4, 8, 3, ALL }, CW_OK },
	{ "\xff\xff\xff\x02", { CW_PIN_BINARY, 4, 8, 3, ALL },
	    CW_ERR_PIN_WEAK },
	{ "0123456789abcdefghijklmnopqrstuv",
	    { CW_PIN_PRINTABLE, 32, 32, 3, 0 }, CW_OK },
	{ "0123456789abcdefghijklmnopqrstuvw",
	    { CW_PIN_PRINTABLE, 4, 32, 3, 0 }, CW_ERR_PIN_LENGTH },
};

static void
a_pin_is_held_to_length_characters_and_patterns(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].pin,
		    cw_pin_check(&rows[i].rule, cw_bytes_str(rows[i].pin)) ==
			rows[i].err);
}

static void
the_holders_rule_is_six_to_eight_digits_and_three_tries(void **state)
{
	(void)state;
	assert_int_equal(cw_pin_rule_piv.min, 6);
	assert_int_equal(cw_pin_rule_piv.max, 8);
	assert_int_equal(cw_pin_rule_piv.tries, 3);
	assert_err(cw_pin_rule_check(&cw_pin_rule_piv), CW_OK);
	assert_err(cw_pin_check(&cw_pin_rule_piv, cw_bytes_str("123456")),
	    CW_ERR_PIN_WEAK);
}

static void
a_rule_that_no_pin_satisfies_is_refused(void **state)
{
	static const struct {
		struct cw_pin_rule rule;
		enum cw_err want;
	} rules[] = {
		{ { CW_PIN_DIGITS, 8, 7, 3, 0 }, CW_ERR_BAD_POLICY },
		{ { CW_PIN_DIGITS, 8, 8, 3, 0 }, CW_OK },
		{ { CW_PIN_DIGITS, 10, 12, 3, CW_PIN_NO_TWICE }, CW_OK },
		{ { CW_PIN_DIGITS, 11, 12, 3, CW_PIN_NO_TWICE },
		    CW_ERR_BAD_POLICY },
		{ { CW_PIN_DIGITS, 4, 8, 3, CW_PIN_NO_MISSING },
		    CW_ERR_BAD_POLICY },
		{ { CW_PIN_BINARY, 4, 8, 3, CW_PIN_NO_MISSING },
		    CW_ERR_BAD_POLICY },
		{ { CW_PIN_TEXT, 4, 8, 3, CW_PIN_FORBIDDEN_ALL }, CW_OK },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rules); i++)
		assert_err(cw_pin_rule_check(&rules[i].rule), rules[i].want);
}

static void
keys_are_grouped_by_what_they_may_do(void **state)
{
	static const struct {
		enum cw_pin_grouping grouping;
		uint32_t a, b;   /* key ids */
		unsigned ua, ub; /* usages */
		bool same, differ;
	} groups[] = {
		{ CW_PIN_EACH, 1, 2, 1, 1, false, false },
		{ CW_PIN_SHARED, 1, 2, 1, 4, true, false },
		{ CW_PIN_SIGNATURE, 1, 2, 1, 1, true, true },
		{ CW_PIN_SIGNATURE, 1, 2, 1, 9, false, true },
		{ CW_PIN_SIGNATURE, 1, 2, 4, 9, true, true },
		{ CW_PIN_UNIQUE, 1, 2, 4, 4, true, true },
		{ CW_PIN_UNIQUE, 1, 2, 4, 8, false, true },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(groups); i++) {
		assert_int_equal(cw_pin_group(groups[i].grouping, groups[i].a,
				     groups[i].ua) ==
			cw_pin_group(groups[i].grouping, groups[i].b,
			    groups[i].ub),
		    groups[i].same);
		assert_int_equal(cw_pin_groups_differ(groups[i].grouping),
		    groups[i].differ);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_pin_is_held_to_length_characters_and_patterns),
		cmocka_unit_test(
		    the_holders_rule_is_six_to_eight_digits_and_three_tries),
		cmocka_unit_test(a_rule_that_no_pin_satisfies_is_refused),
		cmocka_unit_test(keys_are_grouped_by_what_they_may_do),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
