/* SPDX-License-Identifier: Apache-2.0 */
/* The card's own limits (docs/card.md), with the figures that it has unless told
 * otherwise: one below, at, and one above. */
#include <stdlib.h>

#include "tests/support/card_play.h"

/* So many keys with certificates, their ids from `first` on, in one session. */
static enum cw_err
make_keys(struct cw_test_issuer *issuer, uint32_t first, unsigned n)
{
	struct cw_create_key key = { .type = CW_KEY_ED25519,
		.usage = CW_USAGE_SIGN };
	enum cw_err err = cw_test_issuer_begin(issuer);

	for (unsigned i = 0; i < n && err == CW_OK; i++) {
		struct cw_public_key made;

		key.id = first + i;
		err = cw_test_issuer_create_key(issuer, &key, false, &made);
		if (err == CW_OK)
			err = cw_test_issuer_certify(issuer, key.id, &made);
	}
	return err;
}

static void
a_card_holds_32_keys(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(make_keys(&w->issuer, 1, 31), CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_err(make_keys(&w->issuer, 32, 2), CW_ERR_CARD_FULL);
	assert_err(make_keys(&w->issuer, 32, 1), CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_non_null(cw_play_listed(&w->issuer, 32));
}

/* Bytes of nothing: what is too long is told before it is looked at. */
static void
a_request_or_command_that_is_too_long_is_told_by_its_length(void **state)
{
	static const struct {
		unsigned ins;
		size_t len;
		unsigned want;
	} rows[] = {
		{ 0x8012, 8191, 0x6A80 },
		{ 0x8012, 8192, 0x6A80 },
		{ 0x8012, 8193, 0x6700 },
		{ 0x8014, 16 + 32767, 0x6985 },
		{ 0x8014, 16 + 32768, 0x6985 },
		{ 0x8014, 16 + 32769, 0x6700 },
	};
	struct cw_test_world *w = *state;
	uint8_t *data = calloc(1, 16 + 32769);

	assert_non_null(data);
	assert_sw(cw_test_select_provisioning(&w->card.wire), 0x9000);
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_sw(cw_test_send(&w->card.wire, rows[i].ins, 0,
			      cw_bytes(data, rows[i].len), NULL),
		    rows[i].want);
	free(data);
}

/* A reply that was refused does not count: the seventh changes nothing. */
static void
the_seventh_failure_leaves_the_session(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_command list = { .no = CW_LIST };
	static struct cw_listed_key keys[CW_KEYS_MAX];
	struct cw_reply reply = { .keys = keys };

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	for (unsigned i = 0; i < 7; i++) {
		assert_err(cw_test_issuer_send(&w->issuer,
			       cw_bytes_str("garbage")),
		    CW_ERR_CARD_SAYS);
		assert_sw(w->issuer.sw, 0x6988);
	}
	assert_err(cw_test_issuer_command(&w->issuer, &list, &reply), CW_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_card_holds_32_keys),
		world_test(
		    a_request_or_command_that_is_too_long_is_told_by_its_length),
		world_test(the_seventh_failure_leaves_the_session),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
