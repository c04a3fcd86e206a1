/* SPDX-License-Identifier: Apache-2.0 */
/* Command APDUs, ISO 7816-4 5.1. */
#include "proto/apdu.h"
#include "tests/support/check.h"

static const struct {
	const char *name;
	const char *hex;
	size_t data_len;
	uint32_t le;
	bool extended;
} good[] = {
	{ "case 1", "00A40400", 0, 0, false },
	{ "case 2S, Le 1", "00A4040001", 0, 1, false },
	{ "case 2S, Le 00 means 256", "00A4040000", 0, 256, false },
	{ "case 3S", "00A40400020102", 2, 0, false },
	{ "case 4S", "00A4040002010203", 2, 3, false },
	{ "case 4S, Le 00 means 256", "00A4040002010200", 2, 256, false },
	{ "case 2E, Le 256", "00A40400000100", 0, 256, true },
	{ "case 2E, Le 0000 means 65536", "00A40400000000", 0, 65536, true },
	{ "case 3E", "00A404000000020102", 2, 0, true },
	{ "case 4E", "00A4040000000201020003", 2, 3, true },
	{ "case 4E, Le 0000 means 65536", "00A4040000000201020000", 2, 65536,
	    true },
};

static void
every_case_of_iso_7816_4_is_read_and_written_alike(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good); i++) {
		struct cw_apdu apdu;
		struct cw_buf hex;
		struct cw_buf again;
		struct cw_bytes in;

		cw_buf_init(&hex, CW_APDU_MAX);
		cw_buf_init(&again, CW_APDU_MAX);
		in = cw_test_hex(&hex, good[i].hex);
		assert_row(good[i].name, cw_apdu_decode(in, &apdu) == CW_OK);
		assert_row(good[i].name, apdu.data.len == good[i].data_len);
		assert_row(good[i].name, apdu.le == good[i].le);
		assert_row(good[i].name, apdu.extended == good[i].extended);
		cw_apdu_encode(&apdu, &again);
		assert_row(good[i].name,
		    again.err == CW_OK &&
			cw_bytes_equal(in, cw_buf_bytes(&again)));
		cw_buf_wipe(&again);
		cw_buf_wipe(&hex);
	}
}

static const struct {
	const char *name;
	const char *hex;
	enum cw_err err;
} bad[] = {
	{ "nothing", "", CW_ERR_TRUNCATED },
	{ "half a header", "00A404", CW_ERR_TRUNCATED },
	{ "extended Lc and nothing", "00A404000000", CW_ERR_TRUNCATED },
	{ "short data one byte short", "00A40400030102", CW_ERR_TRUNCATED },
	{ "two bytes behind short data", "00A40400010100FF", CW_ERR_MALFORMED },
	{ "extended length cut", "00A404000001", CW_ERR_TRUNCATED },
	{ "extended length zero with data", "00A4040000000001",
	    CW_ERR_MALFORMED },
	{ "extended data one byte short", "00A404000000030102",
	    CW_ERR_TRUNCATED },
	{ "one byte of extended Le", "00A40400000002010200", CW_ERR_MALFORMED },
	{ "three bytes behind extended data", "00A404000000020102000000",
	    CW_ERR_MALFORMED },
};

static void
an_apdu_whose_lengths_do_not_add_up_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct cw_apdu apdu;
		struct cw_buf hex;

		cw_buf_init(&hex, CW_APDU_MAX);
		assert_row(bad[i].name,
		    cw_apdu_decode(cw_test_hex(&hex, bad[i].hex), &apdu) ==
			bad[i].err);
		cw_buf_wipe(&hex);
	}
}

static void
a_short_apdu_holds_255_bytes_and_no_more(void **state)
{
	static const uint8_t data[256];
	struct cw_apdu apdu = { .data = { data, 255 }, .le = CW_LE_SHORT };
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, CW_APDU_MAX);
	cw_apdu_encode(&apdu, &out);
	assert_err(out.err, CW_OK);
	assert_int_equal(out.len, 4 + 1 + 255 + 1);
	cw_buf_reset(&out);
	apdu.data.len = 256;
	cw_apdu_encode(&apdu, &out);
	assert_err(out.err, CW_ERR_OUT_OF_RANGE);
	cw_buf_wipe(&out);
}

static void
an_extended_apdu_holds_65535_bytes_and_no_more(void **state)
{
	static const uint8_t data[65536];
	struct cw_apdu apdu = { .data = { data, 65535 },
		.le = CW_LE_EXTENDED,
		.extended = true };
	struct cw_apdu read;
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, CW_APDU_MAX);
	cw_apdu_encode(&apdu, &out);
	assert_err(out.err, CW_OK);
	assert_err(cw_apdu_decode(cw_buf_bytes(&out), &read), CW_OK);
	assert_int_equal(read.data.len, 65535);
	cw_buf_reset(&out);
	apdu.data.len = 65536;
	cw_apdu_encode(&apdu, &out);
	assert_err(out.err, CW_ERR_OUT_OF_RANGE);
	cw_buf_wipe(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_case_of_iso_7816_4_is_read_and_written_alike),
		cmocka_unit_test(
		    an_apdu_whose_lengths_do_not_add_up_is_refused),
		cmocka_unit_test(a_short_apdu_holds_255_bytes_and_no_more),
		cmocka_unit_test(
		    an_extended_apdu_holds_65535_bytes_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
