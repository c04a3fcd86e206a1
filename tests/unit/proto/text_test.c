/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/text.h"

#include "tests/support/check.h"

struct row {
	const char *text;
	bool want;
	const char *what;
};

static void
utf8_is_what_rfc_3629_says(void **state)
{
	static const struct row rows[] = {
		{ "", true, "empty" },
		{ "\x7f", true, "one byte" },
		{ "\xc2\x80", true, "two bytes, least" },
		{ "\xdf\xbf", true, "two bytes, most" },
		{ "\xe0\xa0\x80", true, "three bytes, least" },
		{ "\xef\xbf\xbf", true, "three bytes, most" },
		{ "\xf0\x90\x80\x80", true, "four bytes, least" },
		{ "\xf4\x8f\xbf\xbf", true, "U+10FFFF" },
		{ "\x80", false, "continuation alone" },
		{ "\xc1\xbf", false, "overlong in two" },
		{ "\xe0\x9f\xbf", false, "overlong in three" },
		{ "\xf0\x8f\xbf\xbf", false, "overlong in four" },
		{ "\xed\xa0\x80", false, "U+D800" },
		{ "\xed\xbf\xbf", false, "U+DFFF" },
		{ "\xf4\x90\x80\x80", false, "U+110000" },
		{ "\xf8\x88\x80\x80\x80", false, "five bytes" },
		{ "a\xe2\x82", false, "cut" },
		{ "\xfe", false, "no such byte" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_row(rows[i].what,
		    cw_text_is_utf8(cw_bytes_str(rows[i].text)) ==
			rows[i].want);
	}
	assert_true(cw_text_is_utf8(CW_BYTES_NONE));
}

static void
text_for_people_has_nothing_invisible_in_it(void **state)
{
	static const struct row rows[] = {
		{ "", true, "empty" },
		{ "Issuer 7 (test)", true, "ASCII" },
		{ " ~", true, "ends of ASCII" },
		{ "Z\xc3\xbcrich \xe6\x9d\xb1\xe4\xba\xac", true, "letters" },
		{ "\xf0\x9f\x94\x91", true, "a symbol of four bytes" },
		{ "e\xcc\x81", true, "combining mark" },
		{ "\xd7\xa9\xd7\x9c\xd7\x95\xd7\x9d", true, "Hebrew" },
		{ "\xc2\xa0", true, "no-break space" },
		{ "a\nb", false, "line feed" },
		{ "a\tb", false, "tab" },
		{ "\x1b[2J", false, "escape" },
		{ "\x7f", false, "delete" },
		{ "\xc2\x9b", false, "C1 control" },
		{ "a\xe2\x80\xae"
		  "b",
		    false, "right-to-left override" },
		{ "a\xe2\x80\x8f"
		  "b",
		    false, "right-to-left mark" },
		{ "a\xe2\x81\xa6"
		  "b",
		    false, "isolate" },
		{ "a\xe2\x80\x8b"
		  "b",
		    false, "zero width space" },
		{ "\xc2\xad", false, "soft hyphen" },
		{ "\xef\xbb\xbf"
		  "a",
		    false, "byte order mark" },
		{ "\xe2\x80\xa8", false, "line separator" },
		{ "\xe2\x80\xa9", false, "paragraph separator" },
		{ "\xee\x80\x80", false, "private use" },
		{ "\xf3\xa0\x81\x81", false, "tag character" },
		{ "\xcd\xb8", false, "unassigned U+0378" },
		{ "\xef\xbf\xbe", false, "noncharacter U+FFFE" },
		{ "\xf4\x8f\xbf\xbf", false, "noncharacter U+10FFFF" },
		{ "a\xff", false, "no UTF-8" },
		{ "\xed\xa0\x80", false, "surrogate" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_row(rows[i].what,
		    cw_text_is_displayable(cw_bytes_str(rows[i].text)) ==
			rows[i].want);
	}
	assert_true(cw_text_is_displayable(CW_BYTES_NONE));
}

static void
a_nul_inside_is_a_control_character(void **state)
{
	static const uint8_t text[] = { 'a', 0, 'b' };

	(void)state;
	assert_true(cw_text_is_utf8(CW_BYTES_ARRAY(text)));
	assert_false(cw_text_is_displayable(CW_BYTES_ARRAY(text)));
}

static void
of_ascii_all_that_prints_is_displayable(void **state)
{
	(void)state;
	for (unsigned c = 0; c < 0x80; c++) {
		const uint8_t text[] = { 'a', (uint8_t)c, 'b' };

		assert_true(cw_text_is_utf8(CW_BYTES_ARRAY(text)));
		assert_int_equal(cw_text_is_displayable(CW_BYTES_ARRAY(text)),
		    c >= 0x20 && c <= 0x7e);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(utf8_is_what_rfc_3629_says),
		cmocka_unit_test(text_for_people_has_nothing_invisible_in_it),
		cmocka_unit_test(of_ascii_all_that_prints_is_displayable),
		cmocka_unit_test(a_nul_inside_is_a_control_character),
	};

	return cmocka_run_group_tests_name("text", tests, NULL, NULL);
}
