/* SPDX-License-Identifier: Apache-2.0 */
/* The holder's PIN and PUK, in both applications, and RESET CARD. */
#include "proto/card_link.h"
#include "tests/support/card_play.h"

static unsigned
query(struct cw_test_world *w)
{
	return cw_test_send(&w->card.wire, 0x0020, 0x0080, CW_BYTES_NONE, NULL);
}

static unsigned
reset_card(struct cw_test_world *w)
{
	return cw_test_send(&w->card.wire, 0x80EE, 0, CW_BYTES_NONE, NULL);
}

/* A card with a key and a PIN, its provisioning application selected anew. */
static struct cw_test_world *
holder(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	cw_card_reset(w->card.card);
	cw_test_select_provisioning(&w->card.wire);
	return w;
}

static void
before_a_session_there_is_no_pin(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_pin_info info;

	cw_test_select_provisioning(&w->card.wire);
	assert_sw(query(w), 0x6A88);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x6A88);
	assert_sw(cw_test_two_pins(&w->card.wire, 0x0024, 0x0080, CW_TEST_PIN,
		      "749205"),
	    0x6A88);
	assert_sw(cw_test_two_pins(&w->card.wire, 0x002C, 0x0080, CW_TEST_PUK,
		      "749205"),
	    0x6A88);
	assert_sw(cw_test_send(&w->card.wire, 0x8016, 0, CW_BYTES_NONE,
		      &w->out),
	    0x9000);
	assert_err(cw_pin_info_decode(cw_buf_bytes(&w->out), &info), CW_OK);
	assert_false(info.is_set);
	assert_int_equal(info.tries_left, 3);
	cw_test_select_piv(&w->card.wire);
	assert_sw(query(w), 0x6A88);
}

static void
three_wrong_pins_block_it_in_both_applications(void **state)
{
	struct cw_test_world *w = holder(state);
	struct cw_pin_info info;

	assert_sw(cw_test_verify(&w->card.wire, "404040"), 0x63C2);
	assert_sw(query(w), 0x63C2);
	cw_test_select_piv(&w->card.wire);
	assert_sw(cw_test_verify(&w->card.wire, "404041"), 0x63C1);
	assert_sw(cw_test_verify(&w->card.wire, "40404"), 0x6A80);
	assert_sw(cw_test_verify(&w->card.wire, "404042"), 0x6983);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x6983);
	cw_test_select_provisioning(&w->card.wire);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x6983);
	assert_sw(query(w), 0x6983);
	assert_sw(cw_test_send(&w->card.wire, 0x8016, 0, CW_BYTES_NONE,
		      &w->out),
	    0x9000);
	assert_err(cw_pin_info_decode(cw_buf_bytes(&w->out), &info), CW_OK);
	assert_true(info.is_set);
	assert_int_equal(info.tries_left, 0);
	assert_int_equal(info.puk_tries_left, 3);
}

static void
a_right_pin_restores_the_tries(void **state)
{
	struct cw_test_world *w = holder(state);

	assert_sw(cw_test_verify(&w->card.wire, "404040"), 0x63C2);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(query(w), 0x9000);
	cw_card_reset(w->card.card);
	cw_test_select_provisioning(&w->card.wire);
	assert_sw(query(w), 0x63C3);
}

static void
a_wrong_pin_ends_what_the_right_one_opened(void **state)
{
	struct cw_test_world *w = holder(state);

	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(cw_test_verify(&w->card.wire, "404040"), 0x63C2);
	assert_sw(query(w), 0x63C2);
}

static void
a_verified_pin_can_be_given_back(void **state)
{
	struct cw_test_world *w = holder(state);

	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(cw_test_send(&w->card.wire, 0x0020, 0xFF80, CW_BYTES_NONE,
		      NULL),
	    0x9000);
	assert_sw(query(w), 0x63C3);
}

/* 6A80 and no try is counted (SP 800-73-4 part 2, 3.2.1). */
static void
what_has_not_the_form_of_a_pin_counts_no_try(void **state)
{
	static const char *const forms[] = { "12345", "abcdef", "83194\xFF\x31",
		"" };
	struct cw_test_world *w = holder(state);

	for (size_t i = 0; i < COUNT(forms); i++)
		assert_sw(cw_test_verify(&w->card.wire, forms[i]), 0x6A80);
	assert_sw(cw_test_send(&w->card.wire, 0x0020, 0x0080,
		      cw_bytes_str(CW_TEST_PIN), NULL),
	    0x6A80);
	assert_sw(cw_test_send(&w->card.wire, 0x0020, 0x0180, CW_BYTES_NONE,
		      NULL),
	    0x6A86);
	assert_sw(cw_test_send(&w->card.wire, 0x0020, 0x0082, CW_BYTES_NONE,
		      NULL),
	    0x6A88);
	assert_sw(query(w), 0x63C3);
	/* A weak one is just wrong. */
	assert_sw(cw_test_verify(&w->card.wire, "123456"), 0x63C2);
}

static void
the_pin_and_the_puk_can_be_changed(void **state)
{
	struct cw_test_world *w = holder(state);
	const struct cw_test_wire *wire = &w->card.wire;

	assert_sw(cw_test_two_pins(wire, 0x0024, 0x0080, "404040", "749205"),
	    0x63C2);
	assert_sw(cw_test_two_pins(wire, 0x0024, 0x0080, CW_TEST_PIN, "123456"),
	    0x6A80);
	assert_sw(cw_test_two_pins(wire, 0x0024, 0x0080, CW_TEST_PIN, "749205"),
	    0x9000);
	assert_sw(cw_test_verify(wire, CW_TEST_PIN), 0x63C2);
	assert_sw(cw_test_verify(wire, "749205"), 0x9000);
	assert_sw(cw_test_two_pins(wire, 0x0024, 0x0081, CW_TEST_PUK,
		      "36925814"),
	    0x9000);
	assert_sw(cw_test_two_pins(wire, 0x002C, 0x0080, CW_TEST_PUK,
		      CW_TEST_PIN),
	    0x63C2);
	assert_sw(cw_test_two_pins(wire, 0x002C, 0x0080, "36925814",
		      CW_TEST_PIN),
	    0x9000);
	assert_sw(cw_test_two_pins(wire, 0x0024, 0x0082, CW_TEST_PIN, "749205"),
	    0x6A88);
	assert_sw(cw_test_two_pins(wire, 0x002C, 0x0081, CW_TEST_PIN, "749205"),
	    0x6A88);
	assert_sw(cw_test_send(wire, 0x0024, 0x0080, cw_bytes_str("short"),
		      NULL),
	    0x6A80);
}

static void
the_puk_unblocks_the_pin(void **state)
{
	struct cw_test_world *w = holder(state);

	for (int i = 0; i < 3; i++)
		(void)cw_test_verify(&w->card.wire, "404040");
	assert_sw(query(w), 0x6983);
	assert_sw(cw_test_two_pins(&w->card.wire, 0x002C, 0x0080, CW_TEST_PUK,
		      "749205"),
	    0x9000);
	assert_sw(cw_test_verify(&w->card.wire, "749205"), 0x9000);
}

static void
block_both(struct cw_test_world *w)
{
	for (int i = 0; i < 3; i++)
		(void)cw_test_verify(&w->card.wire, "404040");
	for (int i = 0; i < 3; i++)
		(void)cw_test_two_pins(&w->card.wire, 0x002C, 0x0080,
		    "40404040", "749205");
	assert_sw(cw_test_two_pins(&w->card.wire, 0x002C, 0x0080, CW_TEST_PUK,
		      "749205"),
	    0x6983);
}

/* ---- RESET CARD ---- */

static void
a_reset_needs_the_holder(void **state)
{
	struct cw_test_world *w = holder(state);

	assert_sw(reset_card(w), 0x6982);
	for (int i = 0; i < 3; i++)
		(void)cw_test_verify(&w->card.wire, "404040");
	assert_sw(reset_card(w), 0x6982); /* the PUK still helps */
	assert_sw(cw_test_two_pins(&w->card.wire, 0x002C, 0x0080, CW_TEST_PUK,
		      CW_TEST_PIN),
	    0x9000);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(reset_card(w), 0x9000);
}

static void
a_blocked_card_can_only_be_reset(void **state)
{
	struct cw_test_world *w = holder(state);

	block_both(w);
	assert_sw(reset_card(w), 0x9000);
	assert_sw(query(w), 0x6A88);
}

/* Also keys with a PIN of their own, and those that DELETE leaves alone. */
static void
without_a_holders_pin_anybody_resets_the_card(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = cw_play_key;
	struct cw_key_request q = { .handle = 2 };

	cw_play_base(&w->issuer);
	key.id = 2;
	key.delete_guard = CW_GUARD_NEVER;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_sw(cw_play_hold(w, CW_INS_DELETE, &q), 0x6985);
	assert_sw(reset_card(w), 0x9000);
	assert_sw(cw_play_hold(w, CW_INS_DELETE, &q), 0x6A82);
}

static void
a_reset_leaves_nothing_but_the_personalisation(void **state)
{
	struct cw_test_world *w = holder(state);
	static struct cw_result_statement result;
	struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX];
	struct cw_buf ask, chuid;
	size_t n = 99;

	cw_buf_init(&ask, 8);
	cw_buf_init(&chuid, 256);
	(void)cw_test_hex(&ask, "5C035FC102");
	cw_test_select_piv(&w->card.wire);
	assert_sw(cw_test_send(&w->card.wire, 0x00CB, 0x3FFF,
		      cw_buf_bytes(&ask), &chuid),
	    0x9000);
	cw_test_select_provisioning(&w->card.wire);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(reset_card(w), 0x9000);
	cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&w->card.wire);
	assert_sw(cw_test_send(&w->card.wire, 0x801E, 0, CW_BYTES_NONE,
		      &w->out),
	    0x9000);
	assert_err(cw_list_public_decode(cw_buf_bytes(&w->out), slots, &n),
	    CW_OK);
	assert_int_equal(n, 0);
	assert_sw(query(w), 0x6A88);
	/* Another GUID: the card cannot be recognised. */
	cw_test_select_piv(&w->card.wire);
	assert_sw(cw_test_send(&w->card.wire, 0x00CB, 0x3FFF,
		      cw_buf_bytes(&ask), &w->out),
	    0x9000);
	assert_int_equal(w->out.len, chuid.len);
	assert_false(
	    cw_bytes_equal(cw_buf_bytes(&chuid), cw_buf_bytes(&w->out)));
	/* The counter of results only rises. */
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, &result), CW_OK);
	assert_int_equal(result.counter, 2);
	cw_buf_wipe(&ask);
	cw_buf_wipe(&chuid);
}

static void
a_second_personalisation_is_refused(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_vendor vendor;

	cw_test_vendor_init(&vendor);
	cw_test_personalisation(&vendor, &w->out);
	cw_test_select_provisioning(&w->card.wire);
	assert_sw(cw_test_send(&w->card.wire, 0x80F0, 0, cw_buf_bytes(&w->out),
		      NULL),
	    0x6985);
	assert_err(cw_card_personalise(w->card.card, cw_buf_bytes(&w->out)),
	    CW_ERR_ALREADY_PERSONALISED);
	cw_test_vendor_wipe(&vendor);
}

static void
a_wrong_personalisation_is_refused_and_a_right_one_follows(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_storage blank;
	struct cw_card_config config = { .storage = &blank.ops };
	struct cw_test_vendor vendor;
	struct cw_personalisation p;
	struct cw_buf swapped;

	cw_card_free(&w->card.card);
	cw_test_storage_init(&blank);
	assert_err(cw_card_open(&config, &w->card.card), CW_OK);
	cw_test_vendor_init(&vendor);
	cw_test_personalisation(&vendor, &w->out);
	cw_test_select_provisioning(&w->card.wire);
	assert_sw(cw_test_send(&w->card.wire, 0x80F0, 0,
		      cw_bytes(w->out.ptr, w->out.len - 1), NULL),
	    0x6A80);
	/* Certificates of the other key. */
	assert_err(cw_personalisation_decode(cw_buf_bytes(&w->out), &p), CW_OK);
	p.card_chain[0] = p.batch_chain[0];
	cw_buf_init(&swapped, 65536);
	cw_personalisation_encode(&p, &swapped);
	assert_err(cw_card_personalise(w->card.card, cw_buf_bytes(&swapped)),
	    CW_ERR_WRONG_CERTIFICATE);
	assert_false(cw_card_is_personalised(w->card.card));
	assert_sw(cw_test_send(&w->card.wire, 0x80F0, 0, cw_buf_bytes(&w->out),
		      NULL),
	    0x9000);
	assert_true(cw_card_is_personalised(w->card.card));
	cw_buf_wipe(&swapped);
	cw_test_vendor_wipe(&vendor);
	cw_card_free(&w->card.card);
	cw_test_storage_wipe(&blank);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(before_a_session_there_is_no_pin),
		world_test(three_wrong_pins_block_it_in_both_applications),
		world_test(a_right_pin_restores_the_tries),
		world_test(a_wrong_pin_ends_what_the_right_one_opened),
		world_test(a_verified_pin_can_be_given_back),
		world_test(what_has_not_the_form_of_a_pin_counts_no_try),
		world_test(the_pin_and_the_puk_can_be_changed),
		world_test(the_puk_unblocks_the_pin),
		world_test(a_reset_needs_the_holder),
		world_test(a_blocked_card_can_only_be_reset),
		world_test(without_a_holders_pin_anybody_resets_the_card),
		world_test(a_reset_leaves_nothing_but_the_personalisation),
		world_test(a_second_personalisation_is_refused),
		world_test(
		    a_wrong_personalisation_is_refused_and_a_right_one_follows),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
