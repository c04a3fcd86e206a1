/* SPDX-License-Identifier: Apache-2.0 */
/* Scope: reading, comparing, containing. */
#include "proto/scope.h"
#include "tests/support/check.h"

static const struct cw_scope wide = {
	.keys_max = 2,
	.n_commands = 3,
	.commands = { 3, 4, 13 },
	.n_slots = 2,
	.slots = { 0x9a, 0x9d },
	.n_objects = 2,
	.objects = { 5, 9 },
};

static enum cw_err
decode(const char *hex)
{
	struct cw_cbor_reader r;
	struct cw_scope scope;
	struct cw_buf b;
	enum cw_err err;

	cw_buf_init(&b, 1024);
	cw_cbor_init(&r, cw_test_hex(&b, hex));
	cw_scope_get(&r, &scope);
	err = cw_cbor_finish(&r);
	cw_buf_wipe(&b);
	return err;
}

static void
lists_must_ascend_without_repeats(void **state)
{
	(void)state;
	assert_err(decode("A4 00 82 03 04 01 01 02 81 18 9A 03 80"), CW_OK);
	assert_err(decode("A4 00 82 04 03 01 01 02 81 18 9A 03 80"),
	    CW_ERR_NOT_DETERMINISTIC);
	assert_err(decode("A4 00 82 03 03 01 01 02 81 18 9A 03 80"),
	    CW_ERR_NOT_DETERMINISTIC);
	assert_err(decode("A4 00 80 01 01 02 82 18 9C 18 9A 03 80"),
	    CW_ERR_NOT_DETERMINISTIC);
	assert_err(decode("A4 00 80 01 01 02 80 03 82 05 05"),
	    CW_ERR_NOT_DETERMINISTIC);
}

static void
what_is_no_command_slot_or_count_is_refused(void **state)
{
	(void)state;
	assert_err(decode("A4 00 81 00 01 01 02 80 03 80"),
	    CW_ERR_OUT_OF_RANGE);
	assert_err(decode("A4 00 81 0E 01 01 02 80 03 80"),
	    CW_ERR_OUT_OF_RANGE);
	assert_err(decode("A4 00 80 01 18 20 02 80 03 80"), CW_OK);
	assert_err(decode("A4 00 80 01 18 21 02 80 03 80"),
	    CW_ERR_OUT_OF_RANGE);
	assert_err(decode("A4 00 80 01 01 02 81 18 9B 03 80"),
	    CW_ERR_OUT_OF_RANGE);
	assert_err(decode("A4 00 80 01 01 02 80 03 81 00"),
	    CW_ERR_OUT_OF_RANGE);
}

static void
slots_are_those_of_sp_800_73(void **state)
{
	size_t n = 0;

	(void)state;
	for (uint64_t slot = 0; slot < 512; slot++)
		n += cw_slot_is_valid(slot);
	assert_int_equal(n, 4 + 20);
	assert_true(cw_slot_is_valid(0x9a) && cw_slot_is_valid(0x9c) &&
	    cw_slot_is_valid(0x9d) && cw_slot_is_valid(0x9e));
	assert_true(cw_slot_is_valid(0x82) && cw_slot_is_valid(0x95));
	assert_false(cw_slot_is_valid(0x9b) || cw_slot_is_valid(0x81) ||
	    cw_slot_is_valid(0x96));
}

static void
a_scope_that_asks_for_anything_more_is_not_within(void **state)
{
	struct cw_scope s = wide;

	(void)state;
	assert_true(cw_scope_within(&s, &wide) && cw_scope_equal(&s, &wide));
	s.keys_max = 3;
	assert_false(cw_scope_within(&s, &wide));
	s = wide;
	s.commands[0] = 2;
	assert_false(cw_scope_within(&s, &wide));
	s = wide;
	s.slots[1] = 0x9e;
	assert_false(cw_scope_within(&s, &wide));
	s = wide;
	s.objects[1] = 10;
	assert_false(cw_scope_within(&s, &wide));
}

static void
a_scope_that_asks_for_less_is_within_but_not_equal(void **state)
{
	struct cw_scope s = { .keys_max = 0 };

	(void)state;
	assert_true(cw_scope_within(&s, &wide));
	assert_false(cw_scope_equal(&s, &wide));
	s = wide;
	s.n_objects = 1;
	assert_true(cw_scope_within(&s, &wide));
	assert_false(cw_scope_equal(&s, &wide) || cw_scope_equal(&wide, &s));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_must_ascend_without_repeats),
		cmocka_unit_test(what_is_no_command_slot_or_count_is_refused),
		cmocka_unit_test(slots_are_those_of_sp_800_73),
		cmocka_unit_test(
		    a_scope_that_asks_for_anything_more_is_not_within),
		cmocka_unit_test(
		    a_scope_that_asks_for_less_is_within_but_not_equal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
