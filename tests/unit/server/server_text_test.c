/* SPDX-License-Identifier: Apache-2.0 */
/* base64url, hexadecimal, HTML, and the limits. */
#include "server/limit.h"
#include "server/text.h"
#include "tests/support/check.h"

/* RFC 4648 10, without padding and with the other alphabet. */
static const struct {
	const char *plain;
	const char *text;
} vectors[] = {
	{ "", "" },
	{ "f", "Zg" },
	{ "fo", "Zm8" },
	{ "foo", "Zm9v" },
	{ "foob", "Zm9vYg" },
	{ "fooba", "Zm9vYmE" },
	{ "foobar", "Zm9vYmFy" },
	{ "\xfb\xff\xfe", "-__-" },
};

static void
base64url_is_as_in_rfc_4648(void **state)
{
	char text[32];
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < COUNT(vectors); i++) {
		struct cw_bytes plain = cw_bytes_str(vectors[i].plain);

		cw_b64url_encode(plain, text);
		assert_string_equal(text, vectors[i].text);
		assert_true(
		    cw_b64url_decode(cw_bytes_str(text), out, plain.len));
		assert_memory_equal(out, plain.ptr, plain.len);
	}
}

static void
base64url_has_one_text_for_one_value(void **state)
{
	static const struct {
		const char *text;
		size_t len;
	} bad[] = { { "Zh", 1 }, { "Zg==", 1 }, { "Zm9", 2 }, { "Zm8", 1 },
		{ "Z", 0 }, { "Zm9v", 2 }, { "Zm+v", 3 }, { "Zm/v", 3 },
		{ "Zm v", 3 }, { "", 1 } };
	uint8_t out[16];

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i].text,
		    !cw_b64url_decode(cw_bytes_str(bad[i].text), out,
			bad[i].len));
	assert_false(
	    cw_b64url_decode(cw_bytes((const uint8_t *)"Z\0", 2), out, 1));
}

static void
hexadecimal_goes_both_ways(void **state)
{
	uint8_t out[4];
	char text[9];

	(void)state;
	assert_true(cw_hexstr_decode(cw_bytes_str("00fFaB10"), out, 4));
	cw_hexstr_encode(CW_BYTES_ARRAY(out), text);
	assert_string_equal(text, "00ffab10");
	assert_false(cw_hexstr_decode(cw_bytes_str("00fFaB1"), out, 4));
	assert_false(cw_hexstr_decode(cw_bytes_str("00fFaB1g"), out, 4));
	assert_false(cw_hexstr_decode(cw_bytes_str("00fFaB1@"), out, 4));
}

static void
text_stays_text_in_html(void **state)
{
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 200);
	cw_html_put(&b, cw_bytes_str("<a href=\"x\">'&'</a>"));
	assert_true(cw_bytes_is(cw_buf_bytes(&b),
	    "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;"));
	cw_buf_wipe(&b);
}

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
		cmocka_unit_test(base64url_is_as_in_rfc_4648),
		cmocka_unit_test(base64url_has_one_text_for_one_value),
		cmocka_unit_test(hexadecimal_goes_both_ways),
		cmocka_unit_test(text_stays_text_in_html),
		cmocka_unit_test(a_bucket_gives_its_burst_and_then_refills),
		cmocka_unit_test(more_keys_than_buckets_do_not_stop_anybody),
		cmocka_unit_test(
		    networks_are_24_and_56_bits_and_loopback_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
