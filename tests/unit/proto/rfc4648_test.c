/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text. */
#include "proto/rfc4648.h"
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

		cw_base64url_encode(plain, text);
		assert_string_equal(text, vectors[i].text);
		assert_true(
		    cw_base64url_decode(cw_bytes_str(text), out, plain.len));
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
		    !cw_base64url_decode(cw_bytes_str(bad[i].text), out,
			bad[i].len));
	assert_false(
	    cw_base64url_decode(cw_bytes((const uint8_t *)"Z\0", 2), out, 1));
}

static void
base16_goes_both_ways(void **state)
{
	uint8_t out[4];
	char text[9];

	(void)state;
	assert_true(cw_base16_decode(cw_bytes_str("00fFaB10"), out, 4));
	cw_base16_encode(CW_BYTES_ARRAY(out), text);
	assert_string_equal(text, "00ffab10");
	assert_false(cw_base16_decode(cw_bytes_str("00fFaB1"), out, 4));
	assert_false(cw_base16_decode(cw_bytes_str("00fFaB1g"), out, 4));
	assert_false(cw_base16_decode(cw_bytes_str("00fFaB1@"), out, 4));
}

static void
what_is_no_base64url_leaves_the_buffer_as_it_was(void **state)
{
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 8);
	assert_err(cw_base64url_get(cw_bytes_str("Zm9v"), &b), CW_OK);
	assert_err(cw_base64url_get(CW_BYTES_NONE, &b), CW_OK);
	assert_err(cw_base64url_get(cw_bytes_str("Zm9v="), &b),
	    CW_ERR_MALFORMED);
	assert_err(cw_base64url_get(cw_bytes_str("Z"), &b), CW_ERR_MALFORMED);
	assert_true(cw_bytes_is(cw_buf_bytes(&b), "foo"));
	assert_err(cw_base64url_get(cw_bytes_str("Zm9vYmFy"), &b),
	    CW_ERR_TOO_LARGE);
	cw_buf_wipe(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64url_is_as_in_rfc_4648),
		cmocka_unit_test(base64url_has_one_text_for_one_value),
		cmocka_unit_test(base16_goes_both_ways),
		cmocka_unit_test(
		    what_is_no_base64url_leaves_the_buffer_as_it_was),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
