/* SPDX-License-Identifier: Apache-2.0 */
/* What a proxy adds, and what a client had put there before. */
#include "server/forwarded.h"
#include "tests/support/check.h"

#define LIST "X-Forwarded-For"
#define RFC "Forwarded"

static const struct {
	const char *header, *value, *address; /* NULL: none */
} rows[] = {
	{ LIST, "192.0.2.1", "192.0.2.1" },
	{ LIST, "10.9.8.7, 192.0.2.1", "192.0.2.1" },
	{ LIST, "evil,,192.0.2.1 ", "192.0.2.1" },
	{ LIST, "192.0.2.1:4711", "192.0.2.1" },
	{ LIST, "2001:db8::1", "2001:db8::1" },
	{ LIST, "[2001:db8::1]:4711", "2001:db8::1" },
	{ LIST, "192.0.2.1,", NULL },
	{ LIST, "192.0.2.1, unknown", NULL },
	{ LIST, "", NULL },
	{ LIST, "192.0.2", NULL },
	{ LIST, "[2001:db8::1", NULL },
	{ LIST, "1111:2222:3333:4444:5555:6666:7777:8888:9999:aaaa:bbbb:cccc",
	    NULL },
	{ RFC, "for=192.0.2.1", "192.0.2.1" },
	{ RFC, "for=10.9.8.7, proto=https;For=\"192.0.2.1:8\";by=x",
	    "192.0.2.1" },
	{ RFC, "for=\"[2001:db8::1]:47011\"", "2001:db8::1" },
	{ RFC, "for=\"[2001:db8::1]\" ; proto=http", "2001:db8::1" },
	{ RFC, "for=unknown", NULL },
	{ RFC, "for=_hidden", NULL },
	{ RFC, "for=192.0.2.1, proto=https", NULL },
	{ RFC, "192.0.2.1", NULL },
	{ RFC, "for=", NULL },
	{ RFC, "", NULL },
};

static void
the_last_element_counts_and_must_be_an_address(void **state)
{
	char out[CW_ADDRESS_CHARS];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		bool good = cw_forwarded_address(rows[i].header,
		    cw_bytes_str(rows[i].value), out);

		assert_row(rows[i].value, good == (rows[i].address != NULL));
		if (good)
			assert_string_equal(out, rows[i].address);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_last_element_counts_and_must_be_an_address),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
