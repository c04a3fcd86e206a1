/* SPDX-License-Identifier: Apache-2.0 */
/* Tries and what a PIN has opened: whose they are, and when they come and go. */
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

static struct cw_test_world *
with_slot(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	cw_test_select_provisioning(&w->card.wire);
	return w;
}

/* ---- the holder's ---- */

static void
a_wrong_pin_ends_what_was_opened_wherever_it_is_given(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_key key = cw_test_key_9a;
	struct cw_key_request q = { .handle = 1,
		.pin = cw_bytes_str("404040") };

	key.delete_guard = CW_GUARD_PIN;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(cw_test_two_pins(&w->card.wire, 0x0024, 0x0080, "404040",
		      "749205"),
	    0x63C2);
	assert_sw(query(w), 0x63C2);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(cw_play_hold(w, CW_INS_DELETE, &q), 0x63C2);
	assert_sw(query(w), 0x63C2);
	/* Also the one that blocks it. */
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	for (int i = 0; i < 3; i++)
		(void)cw_test_two_pins(&w->card.wire, 0x0024, 0x0080, "404040",
		    "749205");
	assert_sw(query(w), 0x6983);
}

static void
set_pin_changes_no_pin_that_is_set(void **state)
{
	struct cw_test_world *w = with_slot(state);

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	w->issuer.pin = "749205";
	assert_err(cw_test_issuer_set_pin(&w->issuer), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6985);
}

/* Any program can say SET PIN: what the issuer has set is not its to choose. */
static void
set_pin_changes_no_value_of_the_issuers(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_set_pin set = { .policy = CW_PLAY_POLICY_ID,
		.pin = cw_bytes_str("2718") };

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_puk_command(&cw_play_puk));
	cw_test_must_run(&w->issuer, cw_test_policy_command(&cw_play_policy));
	memcpy(set.session_id, w->issuer.request.session_id,
	    sizeof(set.session_id));
	cw_buf_reset(&w->out);
	cw_set_pin_encode(&set, &w->out);
	assert_sw(cw_test_send(&w->card.wire, 0x8018, 0, cw_buf_bytes(&w->out),
		      NULL),
	    0x6985);
}

static void
set_pin_holds_the_puk_to_the_rule_too(void **state)
{
	static const char *const puks[] = { "12345678", "11111111", "58203",
		"5820314a" };
	struct cw_test_world *w = *state;
	const char *right = w->issuer.puk;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	for (size_t i = 0; i < COUNT(puks); i++) {
		w->issuer.puk = puks[i];
		assert_err(cw_test_issuer_set_pin(&w->issuer),
		    CW_ERR_CARD_SAYS);
		assert_sw(w->issuer.sw, 0x6A80);
	}
	w->issuer.puk = right;
	assert_err(cw_test_issuer_set_pin(&w->issuer), CW_OK);
}

/* The PIN still protects the card: only when both are blocked nobody can. */
static void
a_blocked_puk_opens_no_reset(void **state)
{
	struct cw_test_world *w = with_slot(state);

	for (int i = 0; i < 3; i++)
		(void)cw_test_two_pins(&w->card.wire, 0x002C, 0x0080,
		    "40404040", "749205");
	assert_sw(reset_card(w), 0x6982);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(reset_card(w), 0x9000);
}

static void
a_reset_ends_sessions_and_what_a_pin_has_opened(void **state)
{
	struct cw_test_world *w = with_slot(state);
	struct cw_test_issuer *issuer = &w->issuer;
	uint8_t id[CW_SESSION_ID_BYTES];

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	memcpy(id, issuer->request.session_id, sizeof(id));
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(reset_card(w), 0x9000);
	assert_sw(cw_test_send(&w->card.wire, 0x801C, 0, CW_BYTES_ARRAY(id),
		      NULL),
	    0x6985);
	/* The next holder's PIN is not the one that was verified. */
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	cw_play_make(issuer, &cw_test_key_9a);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	assert_sw(query(w), 0x63C3);
}

/* ---- of a key ---- */

/* A PIN with five tries under a PUK with seven, for key 1. */
static void
with_many_tries(struct cw_test_world *w)
{
	struct cw_create_puk_policy puk = cw_play_puk;
	struct cw_create_pin_policy policy = cw_play_policy;

	puk.rule.tries = 7;
	policy.rule.tries = 5;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_puk_command(&puk));
	cw_test_must_run(&w->issuer, cw_test_policy_command(&policy));
	cw_play_make(&w->issuer, &cw_play_key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
}

static void
tries(struct cw_test_world *w, unsigned pin, unsigned puk)
{
	const struct cw_listed_key *k =
	    cw_play_listed(&w->issuer, CW_PLAY_KEY_ID);

	assert_non_null(k);
	assert_int_equal(k->pin_tries, pin);
	assert_int_equal(k->puk_tries, puk);
}

static void
a_right_value_gives_all_tries_of_its_policy_back(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_key_request q = { .handle = 1 };
	const struct cw_key_request sign = { .handle = 1,
		.operation = CW_OP_SIGN,
		.algorithm = CW_ALG_ESP256,
		.pin = cw_bytes_str(CW_PLAY_PIN),
		.data = cw_bytes_str("message") };

	with_many_tries(w);
	tries(w, 5, 7);
	q.pin = cw_bytes_str("0000");
	q.new_pin = cw_bytes_str("2718");
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x63C4);
	q.pin = cw_bytes_str("00000000");
	assert_sw(cw_play_hold(w, CW_INS_UNBLOCK_KEY, &q), 0x63C6);
	tries(w, 4, 6);
	q.pin = cw_bytes_str(CW_PLAY_PIN);
	q.new_pin = cw_bytes_str(CW_PLAY_PIN);
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x9000);
	tries(w, 5, 6);
	q.pin = cw_bytes_str("0000");
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x63C4);
	/* So does a use. */
	assert_sw(cw_play_hold(w, CW_INS_USE_KEY, &sign), 0x9000);
	tries(w, 5, 6);
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x63C4);
	/* The PUK gives back its own and the PIN's, durably. */
	q.pin = cw_bytes_str(CW_PLAY_PUK);
	q.new_pin = CW_BYTES_NONE;
	assert_sw(cw_play_hold(w, CW_INS_UNBLOCK_KEY, &q), 0x9000);
	cw_test_card_power_cycle(&w->card);
	tries(w, 5, 7);
}

/* The holder deletes the last key of a policy: all ids are free again. */
static void
a_pin_goes_with_the_last_key_that_the_holder_deletes(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_key_request q = { .handle = 1 };

	cw_play_base(&w->issuer);
	assert_sw(cw_play_hold(w, CW_INS_DELETE, &q), 0x9000);
	cw_play_base(&w->issuer);
}

/* A PIN of bytes may end in zeros: they count. */
static void
zeros_at_the_end_of_a_pin_count(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_create_pin_policy policy = { .id = 20,
		.rule = { CW_PIN_BINARY, 4, 8, 5, 0 },
		.issuer_set = true,
		.modifiable = true,
		.value = { (const uint8_t *)"\1\2\3\4", 4 } };
	struct cw_key_request q = { .handle = 1,
		.pin = { (const uint8_t *)"\1\2\3\4\0", 5 },
		.new_pin = { (const uint8_t *)"\4\3\2\1", 4 } };

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&policy));
	cw_play_make(&w->issuer, &cw_play_key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x63C4);
	q.pin.len = 4;
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x9000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
		    a_wrong_pin_ends_what_was_opened_wherever_it_is_given),
		world_test(set_pin_changes_no_pin_that_is_set),
		world_test(set_pin_changes_no_value_of_the_issuers),
		world_test(set_pin_holds_the_puk_to_the_rule_too),
		world_test(a_blocked_puk_opens_no_reset),
		world_test(a_reset_ends_sessions_and_what_a_pin_has_opened),
		world_test(a_right_value_gives_all_tries_of_its_policy_back),
		world_test(
		    a_pin_goes_with_the_last_key_that_the_holder_deletes),
		world_test(zeros_at_the_end_of_a_pin_count),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
