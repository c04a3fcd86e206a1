/* SPDX-License-Identifier: Apache-2.0 */
/* R of a version or a suite that this card does not have, rightly signed
 * (docs/protocol.md 3, 5): refused by name, and nothing changes. */
#include "tests/support/card_world.h"

/* R's payload: head of the array, "CW1 request" with its head, then these. */
#define VERSION_AT 13
#define SUITE_AT 14

static const struct {
	const char *what;
	size_t at;
	uint8_t value;
	enum cw_err err;
} rows[] = {
	{ "version 0", VERSION_AT, 0, CW_ERR_BAD_VERSION },
	{ "version 2", VERSION_AT, 2, CW_ERR_BAD_VERSION },
	{ "suite 0", SUITE_AT, 0, CW_ERR_BAD_SUITE },
	{ "suite 9", SUITE_AT, 9, CW_ERR_BAD_SUITE },
	{ "another suite than the ephemeral key's", SUITE_AT, 2,
	    CW_ERR_BAD_KEY },
};

/* The issuer's own R with one byte of its payload changed before signing. */
static void
make(struct cw_test_issuer *issuer, size_t at, uint8_t value,
    struct cw_buf *out)
{
	struct cw_cose_sign1 sign1;
	struct cw_buf payload;

	assert_err(cw_cose_sign1_decode(cw_buf_bytes(&issuer->r),
		       CW_TYP_REQUEST, &sign1),
	    CW_OK);
	cw_buf_init(&payload, CW_REQUEST_MAX);
	cw_buf_put(&payload, sign1.payload);
	assert_memory_equal(payload.ptr + 2, "CW1 request", 11);
	assert_int_equal(payload.ptr[VERSION_AT], 1);
	assert_int_equal(payload.ptr[SUITE_AT], 1);
	payload.ptr[at] = value;
	cw_buf_reset(out);
	assert_err(cw_cose_sign1_make(issuer->management_key, CW_TYP_REQUEST,
		       cw_buf_bytes(&payload), out),
	    CW_OK);
	cw_buf_wipe(&payload);
}

static void
another_version_or_suite_is_refused_by_name(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_request request;
	unsigned stores;
	struct cw_buf r;

	cw_buf_init(&r, CW_REQUEST_MAX);
	assert_err(cw_test_issuer_capabilities(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_request(&w->issuer), CW_OK);
	stores = w->card.storage.stores;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum cw_err err;

		make(&w->issuer, rows[i].at, rows[i].value, &r);
		err = cw_request_verify(cw_buf_bytes(&r), &request);
		if (err != rows[i].err)
			fail_msg("%s: %s", rows[i].what, cw_err_name(err));
		assert_sw(cw_test_send(&w->card.wire, 0x8012, 0,
			      cw_buf_bytes(&r), NULL),
		    0x6A80);
	}
	assert_int_equal(w->card.storage.stores, stores);
	assert_err(cw_test_issuer_open(&w->issuer), CW_OK);
	cw_buf_wipe(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(another_version_or_suite_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
