/* SPDX-License-Identifier: Apache-2.0 */
/* What comes too often is turned away. */
#include "proto/rfc4648.h"
#include "server/limit.h"
#include "tests/support/check.h"

static void
a_bucket_gives_its_burst_and_then_refills(void **state)
{
	struct cw_limits *limits = cw_limits_new();
	struct cw_bytes a = cw_bytes_str("a");
	struct cw_bytes b = cw_bytes_str("b");

	(void)state;
	for (unsigned i = 0; i < 3; i++)
		assert_err(cw_limit_take(limits, a, 3, 100, 5000), CW_OK);
	assert_err(cw_limit_take(limits, a, 3, 100, 5000), CW_ERR_TOO_BUSY);
	assert_err(cw_limit_take(limits, b, 3, 100, 5000), CW_OK);
	assert_err(cw_limit_take(limits, a, 3, 100, 5099), CW_ERR_TOO_BUSY);
	assert_err(cw_limit_take(limits, a, 3, 100, 5100), CW_OK);
	assert_err(cw_limit_take(limits, a, 3, 100, 5100), CW_ERR_TOO_BUSY);
	for (unsigned i = 0; i < 3; i++)
		assert_err(cw_limit_take(limits, a, 3, 100, 9000), CW_OK);
	assert_err(cw_limit_take(limits, a, 3, 100, 9000), CW_ERR_TOO_BUSY);
	assert_err(cw_limit_take(limits, CW_BYTES_NONE, 0, 1, 1), CW_OK);
	assert_err(cw_limit_take(NULL, a, 0, 1, 1), CW_OK);
	cw_limits_free(&limits);
}

static void
more_keys_than_buckets_do_not_stop_anybody(void **state)
{
	struct cw_limits *limits = cw_limits_new();

	(void)state;
	for (uint32_t i = 0; i < 50000; i++)
		assert_err(cw_limit_take(limits,
			       cw_bytes((const uint8_t *)&i, sizeof(i)), 2, 100,
			       i),
		    CW_OK);
	cw_limits_free(&limits);
}

static void
networks_are_24_and_56_bits_and_loopback_is_none(void **state)
{
	static const struct {
		const char *one;
		const char *two;
		bool same;
	} rows[] = {
		{ "192.0.2.1", "192.0.2.200", true },
		{ "192.0.2.1", "192.0.3.1", false },
		{ "::ffff:192.0.2.1", "::ffff:192.0.2.77", true },
		{ "2001:db8:1:1::1", "2001:db8:1:1ff::1", false },
		{ "2001:db8:1:101::1", "2001:db8:1:1ff::9", true },
	};
	static const char *const none[] = { "127.0.0.1", "127.9.9.9", "::1",
		"::ffff:127.0.0.1", "not an address", "" };
	uint8_t a[17];
	uint8_t b[17];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].one,
		    cw_bytes_equal(cw_limit_network(rows[i].one, a),
			cw_limit_network(rows[i].two, b)) == rows[i].same);
	for (size_t i = 0; i < COUNT(none); i++)
		assert_row(none[i], cw_limit_network(none[i], a).len == 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bucket_gives_its_burst_and_then_refills),
		cmocka_unit_test(more_keys_than_buckets_do_not_stop_anybody),
		cmocka_unit_test(
		    networks_are_24_and_56_bits_and_loopback_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
