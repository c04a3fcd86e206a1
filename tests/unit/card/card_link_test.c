/* SPDX-License-Identifier: Apache-2.0 */
/* The ISO 7816 layer: SELECT, chaining, long and partial answers, classes. */
#include "proto/apdu.h"
#include "tests/support/card_world.h"

/* Raw bytes to the card, from hex; gives the status word, data in w->out. */
static unsigned
raw(struct cw_test_world *w, const char *hex)
{
	struct cw_buf command;
	unsigned sw;

	cw_buf_init(&command, CW_APDU_MAX);
	cw_card_transmit(w->card.card, cw_test_hex(&command, hex), &w->out);
	assert_true(w->out.len >= 2);
	sw = (unsigned)w->out.ptr[w->out.len - 2] << 8 |
	    w->out.ptr[w->out.len - 1];
	cw_buf_truncate(&w->out, w->out.len - 2);
	cw_buf_wipe(&command);
	return sw;
}

#define SELECT_OWN                         \
	"00A404000CF043415244575249474854" \
	"01"
#define SELECT_PIV                     \
	"00A4040009A00000030800001000" \
	"00"

static void
applications_are_selected_by_their_names(void **state)
{
	static const struct {
		const char *name, *hex;
		unsigned sw;
	} rows[] = {
		{ "provisioning", SELECT_OWN, 0x9000 },
		{ "provisioning, truncated",
		    "00A404000BF0434152445752494748"
		    "54",
		    0x6A82 },
		{ "PIV, whole",
		    "00A404000BA000000308000010000100"
		    "00",
		    0x9000 },
		{ "PIV, without version", SELECT_PIV, 0x9000 },
		{ "PIV, provider only",
		    "00A4040005A000000308"
		    "00",
		    0x9000 },
		{ "PIV, longer",
		    "00A404000CA00000030800001000010000"
		    "00",
		    0x6A82 },
		{ "nobody", "00A4040005A00000000100", 0x6A82 },
		{ "no name", "00A40400", 0x6A82 },
		{ "by file identifier", "00A40000023F00", 0x6A81 },
		{ "next occurrence", "00A4040205A00000030800", 0x6A86 },
	};
	struct cw_test_world *w = *state;

	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].name, raw(w, rows[i].hex) == rows[i].sw);
}

static void
piv_answers_select_with_its_property_template(void **state)
{
	struct cw_test_world *w = *state;

	assert_sw(raw(w, SELECT_PIV), 0x9000);
	assert_hex(cw_buf_bytes(&w->out),
	    "61214F060000100001007907"
	    "4F05A000000308"
	    "500E436172647772696768742050495"
	    "6");
}

static void
a_select_that_finds_nothing_changes_nothing(void **state)
{
	struct cw_test_world *w = *state;

	assert_sw(raw(w, SELECT_OWN), 0x9000);
	assert_sw(raw(w, "00A4040005A00000000100"), 0x6A82);
	assert_sw(raw(w, "8010000000"), 0x9000);
}

static void
nothing_is_selected_after_a_reset(void **state)
{
	struct cw_test_world *w = *state;

	assert_sw(raw(w, "8010000000"), 0x6D00);
	assert_sw(raw(w, SELECT_OWN), 0x9000);
	assert_sw(raw(w, "8010000000"), 0x9000);
	cw_card_power(w->card.card, false);
	cw_card_power(w->card.card, true);
	assert_sw(raw(w, "8010000000"), 0x6D00);
}

static void
what_is_no_command_is_refused(void **state)
{
	static const struct {
		const char *name, *hex;
		unsigned sw;
	} rows[] = {
		{ "three bytes", "801000", 0x6700 },
		{ "Lc beyond the end", "8014000005AA", 0x6700 },
		{ "bytes behind", "8014000001AABBCC", 0x6700 },
		{ "unknown instruction", "80990000", 0x6D00 },
		{ "known instruction, other class", "00100000", 0x6E00 },
		{ "an odd instruction", "80210000", 0x6D00 },
		{ "another one", "80E20000", 0x6D00 },
		{ "logical channel 1", "81100000", 0x6881 },
		{ "secure messaging", "84100000", 0x6882 },
		{ "data where none belongs", "8010000001AA", 0x6700 },
		{ "data for LIST PUBLIC", "801E000001AA", 0x6700 },
		{ "data for PIN INFO", "8016000001AA", 0x6700 },
		{ "data for RESET CARD", "80EE000001AA", 0x6700 },
	};
	struct cw_test_world *w = *state;

	assert_sw(raw(w, SELECT_OWN), 0x9000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		unsigned sw = raw(w, rows[i].hex);

		if (sw != rows[i].sw)
			fail_msg("%s: %04X", rows[i].name, sw);
	}
}

/* ---- answers in parts ---- */

static void
without_le_the_answer_waits(void **state)
{
	struct cw_test_world *w = *state;
	unsigned sw;

	assert_sw(raw(w, SELECT_OWN), 0x9000);
	sw = raw(w, "80100000");
	assert_int_equal(w->out.len, 0);
	assert_sw(sw & 0xFF00, 0x6100);
	assert_true((sw & 0xFF) > 16);
	assert_sw(raw(w, "00C0000010"), sw - 16);
	assert_int_equal(w->out.len, 16);
	/* More than waits: the right length is named, nothing is lost. */
	assert_sw(raw(w, "00C00000FE"), 0x6C00 | ((sw & 0xFF) - 16));
	assert_sw(raw(w, "00C0000000"), 0x9000);
	assert_int_equal(w->out.len, (sw & 0xFF) - 16);
	assert_sw(raw(w, "00C0000000"), 0x6985);
	assert_sw(raw(w, "80100000"), sw);
	assert_sw(raw(w,
		      "00C00100"
		      "00"),
	    0x6A86);
	assert_sw(raw(w, "00C00000"), 0x6700);
}

static void
another_command_forgets_what_waited(void **state)
{
	struct cw_test_world *w = *state;

	assert_sw(raw(w, SELECT_OWN), 0x9000);
	assert_sw(raw(w, "80100000") & 0xFF00, 0x6100);
	assert_sw(raw(w, "801E000000"), 0x9000);
	assert_sw(raw(w, "00C0000000"), 0x6985);
}

/* OPEN SESSION as a reader without extended length does it: R in a chain of
 * short commands, message 4 by GET RESPONSE; the bytes are the same. */
static void
short_transport(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_card *card = ctx;
	struct cw_apdu apdu, part;
	struct cw_buf one, answer;

	assert_err(cw_apdu_decode(command, &apdu), CW_OK);
	cw_buf_reset(response);
	cw_buf_init(&one, CW_APDU_MAX);
	cw_buf_init(&answer, CW_RESPONSE_MAX);
	part = apdu;
	part.extended = false;
	for (;;) {
		bool more = apdu.data.len > 200;

		part.cla = more ? (uint8_t)(apdu.cla | 0x10) : apdu.cla;
		part.data = cw_bytes(apdu.data.ptr, more ? 200 : apdu.data.len);
		part.le = more ? CW_LE_NONE : CW_LE_SHORT;
		cw_buf_reset(&one);
		cw_apdu_encode(&part, &one);
		cw_card_transmit(card, cw_buf_bytes(&one), &answer);
		if (!more)
			break;
		assert_hex(cw_buf_bytes(&answer), "9000");
		apdu.data.ptr += 200;
		apdu.data.len -= 200;
	}
	cw_buf_put(response, cw_buf_bytes(&answer));
	while (response->ptr[response->len - 2] == 0x61) {
		uint8_t le = response->ptr[response->len - 1];
		const uint8_t more[] = { 0x00, 0xC0, 0x00, 0x00, le };

		cw_buf_truncate(response, response->len - 2);
		cw_card_transmit(card, CW_BYTES_ARRAY(more), &answer);
		cw_buf_put(response, cw_buf_bytes(&answer));
	}
	cw_buf_wipe(&one);
	cw_buf_wipe(&answer);
}

static void
a_whole_session_works_with_short_commands_only(void **state)
{
	struct cw_test_world *w = *state;

	w->issuer.wire = (struct cw_test_wire){ short_transport, w->card.card };
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_RSA2048, 0x9D),
	    CW_OK);
}

/* ---- chains ---- */

static void
a_broken_chain_is_told_and_forgotten(void **state)
{
	struct cw_test_world *w = *state;

	assert_sw(raw(w, SELECT_OWN), 0x9000);
	assert_sw(raw(w, "9014000002AABB"), 0x9000);
	assert_sw(raw(w, "8010000000"), 0x6883);
	assert_sw(raw(w, "8010000000"), 0x9000);
	/* Other parameters are another command. */
	assert_sw(raw(w, "9014000002AABB"), 0x9000);
	assert_sw(raw(w, "8014000102AABB"), 0x6883);
	/* A new SELECT is heard at once: the next program starts with it. */
	assert_sw(raw(w, "9014000002AABB"), 0x9000);
	assert_sw(raw(w, SELECT_OWN), 0x9000);
	assert_sw(raw(w, "8010000000"), 0x9000);
}

static void
a_chain_is_only_for_instructions_that_take_one(void **state)
{
	struct cw_test_world *w = *state;

	assert_sw(raw(w, SELECT_OWN), 0x9000);
	assert_sw(raw(w, "9010000000"), 0x6E00);
	assert_sw(raw(w, "9099000000"), 0x6D00);
	assert_sw(raw(w, "10A4040002F043"), 0x6D00);
}

static void
a_chain_has_an_end(void **state)
{
	struct cw_test_world *w = *state;
	uint8_t part[7 + 60000] = { 0x90, 0x14, 0x00, 0x00, 0x00, 60000 >> 8,
		60000 & 0xFF };

	assert_sw(raw(w, SELECT_OWN), 0x9000);
	cw_card_transmit(w->card.card, CW_BYTES_ARRAY(part), &w->out);
	assert_hex(cw_buf_bytes(&w->out), "9000");
	cw_card_transmit(w->card.card, CW_BYTES_ARRAY(part), &w->out);
	assert_hex(cw_buf_bytes(&w->out), "6700");
	assert_sw(raw(w, "8010000000"), 0x9000);
}

/* ---- answer to reset ---- */

static void
the_atr_announces_extended_length_and_chaining(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_bytes atr = cw_card_atr(w->card.card);
	uint8_t check = 0;

	assert_hex(atr,
	    "3B8C80018073C001C05643574341524"
	    "4A9");
	for (size_t i = 1; i < atr.len; i++)
		check ^= atr.ptr[i];
	assert_int_equal(check, 0); /* ISO 7816-3 8.2.5 */
	/* Card capabilities: third byte, chaining 80, extended length 40. */
	assert_int_equal(atr.ptr[8] & 0xC0, 0xC0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(applications_are_selected_by_their_names),
		world_test(piv_answers_select_with_its_property_template),
		world_test(a_select_that_finds_nothing_changes_nothing),
		world_test(nothing_is_selected_after_a_reset),
		world_test(what_is_no_command_is_refused),
		world_test(without_le_the_answer_waits),
		world_test(another_command_forgets_what_waited),
		world_test(a_whole_session_works_with_short_commands_only),
		world_test(a_broken_chain_is_told_and_forgotten),
		world_test(a_chain_is_only_for_instructions_that_take_one),
		world_test(a_chain_has_an_end),
		world_test(the_atr_announces_extended_length_and_chaining),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
