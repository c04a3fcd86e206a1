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
	const struct cw_pin_rule rule = { CW_PIN_DIGITS, 8, 7, 3, 0 };

	(void)state;
	assert_err(cw_pin_rule_check(&rule), CW_ERR_BAD_POLICY);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
