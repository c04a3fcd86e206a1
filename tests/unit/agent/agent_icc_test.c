/* SPDX-License-Identifier: Apache-2.0 */
/* APDU exchange against scripted cards: chaining, GET RESPONSE, status words. */
#include "agent/icc.h"
#include "proto/base/log.h"
#include "tests/support/check.h"

/* A reader that answers from a table and keeps what it heard. */
struct scripted {
	struct cw_reader base;
	const char *answers[8]; /* hex, one per APDU; then 9000 */
	size_t heard;
	struct cw_buf last[8];
};

static enum cw_err
scripted_transmit(struct cw_reader *reader, struct cw_bytes command,
    struct cw_buf *response)
{
	struct scripted *s = (struct scripted *)reader;
	size_t i = s->heard < 7 ? s->heard : 7;
	struct cw_buf b;

	cw_buf_reset(&s->last[i]);
	cw_buf_put(&s->last[i], command);
	cw_buf_init(&b, 4096);
	cw_buf_put(response,
	    cw_test_hex(&b, s->answers[i] != NULL ? s->answers[i] : "9000"));
	cw_buf_wipe(&b);
	s->heard++;
	return response->err;
}

static const struct cw_reader_ops ops = { .transmit = scripted_transmit };

struct fixture {
	struct scripted reader;
	struct cw_icc card;
	struct cw_buf out;
};

static int
setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));

	cw_log_set_level(CW_LOG_ERROR);
	f->reader.base.ops = &ops;
	for (size_t i = 0; i < 8; i++)
		cw_buf_init(&f->reader.last[i], CW_APDU_MAX);
	cw_icc_init(&f->card, &f->reader.base);
	cw_buf_init(&f->out, CW_RESPONSE_MAX);
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < 8; i++)
		cw_buf_wipe(&f->reader.last[i]);
	cw_buf_wipe(&f->out);
	test_free(f);
	return 0;
}

static const struct {
	const char *name, *atr;
	bool extended;
} atrs[] = {
	{ "software function table with extended length",
	    "3B 86 80 01 80 73 C8 01 40 11", true },
	{ "the same without it", "3B 85 80 01 80 73 00 00 80", false },
	{ "no historical bytes", "3B 80 80 01 01", false },
	{ "category 00 with status behind",
	    "3B 88 01 00 73 00 00 40 90 00 00 00", true },
	{ "category 10", "3B 84 01 10 73 00 40", false },
	{ "interface bytes in between",
	    "3B F5 11 22 33 81 31 FE 45 80 73 00 00 40", true },
	{ "another object first", "3B 87 01 80 31 FF 73 00 00 40", true },
	{ "table cut off", "3B 83 01 80 73 00", false },
	{ "shorter than it says", "3B 8F 01 80 73 00 00 40", false },
	{ "one byte", "3B", false },
	{ "nothing", "", false },
};

static void
extended_length_is_what_the_historical_bytes_say(void **state)
{
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 64);
	for (size_t i = 0; i < COUNT(atrs); i++)
		assert_row(atrs[i].name,
		    cw_atr_has_extended(cw_test_hex(&b, atrs[i].atr)) ==
			atrs[i].extended);
	cw_buf_wipe(&b);
}

static const struct cw_apdu *
long_command(size_t len)
{
	static uint8_t data[CW_COMMAND_MAX];
	static struct cw_apdu apdu;

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)i;
	apdu = (struct cw_apdu){ .cla = 0x80, .ins = 0x14, .le = 65536 };
	apdu.data = cw_bytes(data, len);
	return &apdu;
}

static void
long_data_is_chained_in_parts_of_255(void **state)
{
	struct fixture *f = *state;

	assert_err(cw_icc_exchange(&f->card, long_command(600), &f->out),
	    CW_OK);
	assert_int_equal(f->reader.heard, 3);
	assert_int_equal(f->reader.last[0].ptr[0], 0x90);
	assert_int_equal(f->reader.last[0].len, 5 + 255);
	assert_int_equal(f->reader.last[1].ptr[0], 0x90);
	assert_int_equal(f->reader.last[2].ptr[0], 0x80);
	assert_int_equal(f->reader.last[2].len, 5 + 90 + 1);
}

static void
long_data_is_one_apdu_where_the_card_can(void **state)
{
	struct fixture *f = *state;

	f->card.is_extended = true;
	assert_err(cw_icc_exchange(&f->card, long_command(600), &f->out),
	    CW_OK);
	assert_int_equal(f->reader.heard, 1);
	assert_int_equal(f->reader.last[0].len, 4 + 3 + 600 + 2);
}

static void
a_broken_chain_ends_with_the_cards_word(void **state)
{
	struct fixture *f = *state;

	f->reader.answers[1] = "6A84";
	assert_err(cw_icc_exchange(&f->card, long_command(900), &f->out),
	    CW_OK);
	assert_int_equal(f->card.sw, 0x6A84);
	assert_int_equal(f->reader.heard, 2);
}

static void
more_bytes_are_fetched_until_there_are_none(void **state)
{
	struct fixture *f = *state;

	f->reader.answers[0] = "0102 6103";
	f->reader.answers[1] = "030405 6100";
	f->reader.answers[2] = "06 9000";
	assert_err(cw_icc_exchange(&f->card, long_command(1), &f->out), CW_OK);
	assert_hex(cw_buf_bytes(&f->out), "010203040506");
	assert_hex(cw_buf_bytes(&f->reader.last[1]), "00C0000003");
	assert_hex(cw_buf_bytes(&f->reader.last[2]), "00C0000000");
}

static void
a_wrong_le_is_corrected_once(void **state)
{
	struct fixture *f = *state;

	f->reader.answers[0] = "6C05";
	f->reader.answers[1] = "0102030405 9000";
	assert_err(cw_icc_exchange(&f->card, long_command(1), &f->out), CW_OK);
	assert_hex(cw_buf_bytes(&f->out), "0102030405");
	assert_hex(cw_buf_bytes(&f->reader.last[1]), "801400000100 05");
	f->reader.heard = 0;
	f->reader.answers[1] = "6C05";
	assert_err(cw_icc_exchange(&f->card, long_command(1), &f->out), CW_OK);
	assert_int_equal(f->reader.heard, 2);
	assert_int_equal(f->card.sw, 0x6C05);
}

static enum cw_err
endless(struct cw_reader *reader, struct cw_bytes command,
    struct cw_buf *response)
{
	struct scripted *s = (struct scripted *)reader;

	(void)command;
	s->heard++;
	cw_buf_put_u16be(response, 0x6110);
	return response->err;
}

static void
a_card_that_always_has_more_is_left(void **state)
{
	static const struct cw_reader_ops endless_ops = { .transmit = endless };
	struct fixture *f = *state;

	f->reader.base.ops = &endless_ops;
	assert_err(cw_icc_exchange(&f->card, long_command(1), &f->out),
	    CW_ERR_CARD_SAYS);
	assert_in_range(f->reader.heard, 2, 2000);
}

/* ---- what status words mean ---- */

static enum cw_err
call_open(struct fixture *f)
{
	return cw_icc_open_session(&f->card, cw_bytes_str("R"), &f->out);
}

static enum cw_err
call_command(struct fixture *f)
{
	static const uint8_t id[CW_SESSION_ID_BYTES] = { 0 };
	bool pin_needed;

	return cw_icc_command(&f->card, id, cw_bytes_str("c"), &f->out,
	    &pin_needed);
}

static enum cw_err
call_verify(struct fixture *f)
{
	return cw_icc_verify(&f->card, cw_bytes_str("123456"));
}

static enum cw_err
call_status(struct fixture *f)
{
	struct cw_status status;

	return cw_icc_status(&f->card, cw_bytes_str("https://a"), &f->out,
	    &status);
}

static enum cw_err
call_caps(struct fixture *f)
{
	return cw_icc_capabilities(&f->card, &f->out);
}

static const struct {
	const char *sw;
	enum cw_err (*call)(struct fixture *f);
	enum cw_err err;
} words[] = {
	{ "9000", call_open, CW_OK },
	{ "6985", call_open, CW_ERR_BAD_NONCE },
	{ "6988", call_open, CW_ERR_BAD_SIGNATURE },
	{ "6A84", call_open, CW_ERR_TOO_MANY_SESSIONS },
	{ "6982", call_open, CW_ERR_CARD_SAYS },
	{ "6985", call_command, CW_ERR_NO_SESSION },
	{ "6988", call_command, CW_ERR_BAD_CIPHERTEXT },
	{ "6A88", call_command, CW_OK },
	{ "6581", call_command, CW_ERR_CARD_STORAGE },
	{ "6F00", call_command, CW_ERR_CARD_SAYS },
	{ "63C2", call_verify, CW_ERR_PIN_WRONG },
	{ "6983", call_verify, CW_ERR_PIN_BLOCKED },
	{ "6A82", call_status, CW_ERR_NO_SESSION },
	{ "9000", call_status, CW_ERR_TRUNCATED },
	{ "6985", call_caps, CW_ERR_NOT_PERSONALISED },
	{ "6D00", call_caps, CW_ERR_CARD_SAYS },
};

static void
each_status_word_has_its_meaning_for_each_command(void **state)
{
	struct fixture *f = *state;

	for (size_t i = 0; i < COUNT(words); i++) {
		enum cw_err err;

		f->reader.heard = 0;
		f->reader.answers[0] = words[i].sw;
		cw_buf_reset(&f->out);
		err = words[i].call(f);
		if (err != words[i].err)
			fail_msg("row %zu, %s: %s", i, words[i].sw,
			    cw_err_name(err));
	}
}

static void
only_a_verified_pin_marks_the_card(void **state)
{
	struct fixture *f = *state;

	f->reader.answers[0] = "63C2";
	assert_err(call_verify(f), CW_ERR_PIN_WRONG);
	assert_false(f->card.is_authenticated);
	assert_int_equal(f->card.tries_left, 2);
	assert_err(call_verify(f), CW_OK);
	assert_true(f->card.is_authenticated);
	assert_hex(cw_buf_bytes(&f->reader.last[1]),
	    "0020008008 313233343536FFFF");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    extended_length_is_what_the_historical_bytes_say),
		TEST(long_data_is_chained_in_parts_of_255),
		TEST(long_data_is_one_apdu_where_the_card_can),
		TEST(a_broken_chain_ends_with_the_cards_word),
		TEST(more_bytes_are_fetched_until_there_are_none),
		TEST(a_wrong_le_is_corrected_once),
		TEST(a_card_that_always_has_more_is_left),
		TEST(each_status_word_has_its_meaning_for_each_command),
		TEST(only_a_verified_pin_marks_the_card),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
