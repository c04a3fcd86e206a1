/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/der.h"

#include "tests/support/check.h"

static void
an_item_has_one_form_only(void **state)
{
	static const struct {
		const char *hex;
		bool good;
		const char *what;
	} rows[] = {
		{ "30 00", true, "empty" },
		{ "30 02 05 00", true, "short length" },
		{ "", false, "nothing" },
		{ "30", false, "no length" },
		{ "30 01", false, "cut" },
		{ "30 00 00", false, "more behind it" },
		{ "31 00", false, "another tag" },
		{ "30 80 00 00", false, "indefinite length" },
		{ "30 81 02 05 00", false, "long length of a short item" },
		{ "30 82 00 02 05 00", false, "two bytes for a short item" },
		{ "30 81", false, "cut in its length" },
		{ "30 82 01", false, "cut in its longer length" },
		{ "30 83 00 00 02 05 00", false, "three bytes of length" },
		{ "30 ff", false, "reserved length" },
	};
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 100);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_der r = cw_der(cw_test_hex(&b, rows[i].hex));
		struct cw_bytes all = r.rest;
		struct cw_bytes item = cw_der_item(&r, CW_DER_SEQUENCE);

		assert_row(rows[i].what, cw_der_finish(&r) == rows[i].good);
		assert_row(rows[i].what,
		    !rows[i].good || cw_bytes_equal(item, all));
	}
	cw_buf_wipe(&b);
}

static void
lengths_are_taken_up_to_two_bytes(void **state)
{
	static const struct {
		size_t head, len;
		uint8_t bytes[4];
	} rows[] = {
		{ 2, 127, { 0x30, 0x7f } },
		{ 3, 128, { 0x30, 0x81, 0x80 } },
		{ 3, 255, { 0x30, 0x81, 0xff } },
		{ 4, 256, { 0x30, 0x82, 0x01, 0x00 } },
		{ 4, 65535, { 0x30, 0x82, 0xff, 0xff } },
	};
	static uint8_t memory[4 + 65535];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		size_t all = rows[i].head + rows[i].len;
		struct cw_der whole = cw_der(cw_bytes(memory, all));
		struct cw_der cut = cw_der(cw_bytes(memory, all - 1));

		memcpy(memory, rows[i].bytes, rows[i].head);
		assert_int_equal(cw_der_contents(&whole, CW_DER_SEQUENCE).len,
		    rows[i].len);
		assert_true(cw_der_finish(&whole));
		assert_int_equal(cw_der_contents(&cut, CW_DER_SEQUENCE).len, 0);
		assert_true(cut.failed);
	}
}

/* A reader for each type, and what it gives; NULL: it fails. */
static void
values_have_one_form_only(void **state)
{
	static const struct {
		struct cw_bytes (*read)(struct cw_der *r);
		const char *hex, *want;
	} rows[] = {
		{ cw_der_positive, "02 01 01", "01" },
		{ cw_der_positive, "02 02 00 80", "80" },
		{ cw_der_positive, "02 02 7f ff", "7fff" },
		{ cw_der_positive, "02 00", NULL },
		{ cw_der_positive, "02 01 00", NULL },
		{ cw_der_positive, "02 01 80", NULL },
		{ cw_der_positive, "02 02 00 7f", NULL },
		{ cw_der_positive, "02 02 00 00", NULL },
		{ cw_der_positive, "03 01 01", NULL },
		{ cw_der_bits, "03 02 00 05", "05" },
		{ cw_der_bits, "03 01 00", "" },
		{ cw_der_bits, "03 00", NULL },
		{ cw_der_bits, "03 02 01 04", NULL },
		{ cw_der_bits, "23 04 03 02 00 05", NULL },
		{ cw_der_oid, "06 01 2a", "2a" },
		{ cw_der_oid, "06 03 2a 86 48", "2a8648" },
		{ cw_der_oid, "06 00", NULL },
		{ cw_der_oid, "06 02 2a 86", NULL },
		{ cw_der_oid, "06 02 80 01", NULL },
		{ cw_der_oid, "06 03 2a 80 01", NULL },
	};
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 100);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_der r = cw_der(cw_test_hex(&b, rows[i].hex));
		struct cw_bytes got = rows[i].read(&r);

		assert_row(rows[i].hex,
		    cw_der_finish(&r) == (rows[i].want != NULL));
		if (rows[i].want != NULL)
			assert_hex(got, rows[i].want);
		else
			assert_int_equal(got.len, 0);
	}
	cw_buf_wipe(&b);
}

static void
after_a_failure_there_is_nothing(void **state)
{
	static const uint8_t in[] = { 0x02, 0x01, 0x05, 0x30, 0x00 };
	struct cw_der r = cw_der(CW_BYTES_ARRAY(in));
	struct cw_der inner;

	(void)state;
	assert_int_equal(cw_der_tag(&r), CW_DER_INTEGER);
	inner = cw_der_enter(&r, CW_DER_SEQUENCE);
	assert_true(inner.failed);
	assert_false(cw_der_finish(&inner));
	assert_int_equal(cw_der_tag(&r), 0);
	assert_int_equal(cw_der_contents(&r, CW_DER_INTEGER).len, 0);
	assert_false(cw_der_finish(&r));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_item_has_one_form_only),
		cmocka_unit_test(lengths_are_taken_up_to_two_bytes),
		cmocka_unit_test(values_have_one_form_only),
		cmocka_unit_test(after_a_failure_there_is_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
