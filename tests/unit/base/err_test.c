/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/err.h"

#include <ctype.h>

#include "tests/support/check.h"

struct row {
	unsigned number;
	enum cw_err err;
	enum cw_err_category category;
	const char *name;
};

static const struct row rows[] = {
#define CW_ERR(number, name, category, what, remedy) \
	{ (number), CW_ERR_##name, CW_CAT_##category, #name },
#include "proto/base/errors.def"
#undef CW_ERR
};

static void
numbers_are_unique_and_fit_the_wire(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_in_range(rows[i].number, 100, 999);
		for (size_t k = 0; k < i; k++) {
			assert_row(rows[i].name,
			    rows[i].number != rows[k].number);
			assert_row(rows[i].name,
			    strcmp(rows[i].name, rows[k].name) != 0);
		}
	}
}

static bool
is_sentence(const char *s)
{
	size_t len = strlen(s);

	return len > 2 && !islower((unsigned char)s[0]) && s[len - 1] == '.';
}

static void
every_error_says_what_happened_and_what_to_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_string_equal(cw_err_name(rows[i].err), rows[i].name);
		assert_int_equal(cw_err_category(rows[i].err),
		    rows[i].category);
		assert_row(rows[i].name, is_sentence(cw_err_what(rows[i].err)));
		assert_row(rows[i].name,
		    is_sentence(cw_err_remedy(rows[i].err)));
	}
}

static void
categories_decide_http_and_exit_status(void **state)
{
	static const struct {
		enum cw_err err;
		const char *category;
		int http, exit;
	} want[] = {
		{ CW_OK, "ok", 200, 0 },
		{ CW_ERR_TRUNCATED, "input", 400, 10 },
		{ CW_ERR_BAD_SIGNATURE, "auth", 403, 11 },
		{ CW_ERR_WRONG_STEP, "state", 409, 12 },
		{ CW_ERR_NO_CARD, "card", 409, 13 },
		{ CW_ERR_REFUSED, "person", 403, 14 },
		{ CW_ERR_NO_CONNECTION, "network", 502, 15 },
		{ CW_ERR_TOO_BUSY, "busy", 503, 16 },
		{ CW_ERR_NO_MEMORY, "resource", 507, 17 },
		{ CW_ERR_BAD_CONFIG, "local", 500, 18 },
		{ CW_ERR_INTERNAL, "internal", 500, 19 },
		{ CW_ERR_NOT_FOUND, "input", 404, 10 },
		{ CW_ERR_NO_SESSION, "state", 404, 12 },
		{ CW_ERR_METHOD, "input", 405, 10 },
		{ CW_ERR_REQUEST_TOO_SLOW, "network", 408, 15 },
		{ CW_ERR_LENGTH_REQUIRED, "input", 411, 10 },
		{ CW_ERR_TOO_LARGE, "input", 413, 10 },
		{ CW_ERR_MEDIA_TYPE, "input", 415, 10 },
		{ CW_ERR_EXPECTATION, "input", 417, 10 },
		{ CW_ERR_HTTP_VERSION, "input", 505, 10 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(want); i++) {
		assert_string_equal(cw_err_category_name(
					cw_err_category(want[i].err)),
		    want[i].category);
		assert_int_equal(cw_err_http_status(want[i].err), want[i].http);
		assert_int_equal(cw_err_exit_status(want[i].err), want[i].exit);
	}
}

static void
every_number_leads_back_to_its_error(void **state)
{
	(void)state;
	assert_err(cw_err_from_number(0), CW_OK);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_err(cw_err_from_number(rows[i].number), rows[i].err);
}

static void
a_foreign_number_is_an_unknown_error_of_the_peer(void **state)
{
	static const uint64_t foreign[] = { 1, 99, 199, 999, 65536 + 100,
		(1ULL << 32) + 100, UINT64_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT(foreign); i++)
		assert_err(cw_err_from_number(foreign[i]), CW_ERR_PEER_UNKNOWN);
}

static void
a_number_outside_the_table_reads_as_our_own_fault(void **state)
{
	enum cw_err outside;
	int number = 998;

	(void)state;
	memcpy(&outside, &number, sizeof(outside));
	assert_string_equal(cw_err_name(outside), "INTERNAL");
	assert_int_equal(cw_err_category(outside), CW_CAT_INTERNAL);
	assert_int_equal(cw_err_exit_status(outside), 19);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_are_unique_and_fit_the_wire),
		cmocka_unit_test(every_error_says_what_happened_and_what_to_do),
		cmocka_unit_test(categories_decide_http_and_exit_status),
		cmocka_unit_test(every_number_leads_back_to_its_error),
		cmocka_unit_test(
		    a_foreign_number_is_an_unknown_error_of_the_peer),
		cmocka_unit_test(
		    a_number_outside_the_table_reads_as_our_own_fault),
	};

	return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
