/* SPDX-License-Identifier: Apache-2.0 */
/* Error replies: which numbers a card may say. */
#include "proto/command.h"
#include "tests/support/check.h"

static enum cw_err
decoded(unsigned number)
{
	struct cw_reply reply;
	struct cw_buf b;

	memset(&reply, 0, sizeof(reply));
	cw_buf_init(&b, 16);
	cw_cbor_put_array(&b, 2);
	cw_cbor_put_uint(&b, number);
	cw_cbor_put_null(&b);
	assert_err(cw_reply_decode(CW_CREATE_KEY, cw_buf_bytes(&b), &reply),
	    CW_OK);
	cw_buf_wipe(&b);
	return reply.err;
}

static bool
may_say(unsigned number)
{
	return number < 200 || number == 202 || number == 203 ||
	    number == 206 || number == 211 || number == 315 || number == 317 ||
	    (number >= 400 && number < 500) || (number >= 522 && number <= 524);
}

static void
a_card_says_the_numbers_of_the_protocol_and_no_others(void **state)
{
	(void)state;
	for (unsigned n = 1; n < 1000; n++)
		assert_err(decoded(n),
		    may_say(n) ? cw_err_from_number(n) : CW_ERR_PEER_UNKNOWN);
	assert_err(decoded(CW_ERR_SLOT_OCCUPIED), CW_ERR_SLOT_OCCUPIED);
	assert_err(decoded(CW_ERR_EXISTS), CW_ERR_PEER_UNKNOWN);
	assert_err(decoded(CW_ERR_NOT_FOUND), CW_ERR_PEER_UNKNOWN);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_card_says_the_numbers_of_the_protocol_and_no_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
