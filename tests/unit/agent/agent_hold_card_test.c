/* SPDX-License-Identifier: Apache-2.0 */
/* The holder at the card: what operations did, and cards that go or lie. */
#include "card/inner.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/support/hold_world.h"

#define PIN CW_PLAY_PIN

/* ---- what it did ---- */

static void
a_prompt_says_whose_pin_it_is_and_how_many_tries_it_has(void **state)
{
	static const char *const answers[] = { CW_TEST_PIN, "1111", PIN, NULL };
	struct cw_hold_world f;
	const struct cw_pin_prompt *p = f.person.prompts;

	cw_hold_world_card(*state, true);
	cw_hold_world_begin(&f, state, answers);
	assert_err(cw_hold_open(&f.hold), CW_OK);
	assert_err(cw_hold_find(&f.hold, "Key 1"), CW_OK);
	assert_err(cw_hold_world_sign(&f.hold, &f.out), CW_OK);
	assert_int_equal(p[0].what, CW_PIN_HOLDER);
	assert_int_equal(p[0].tries_left, 3);
	assert_int_equal(p[0].key.len, 0);
	assert_int_equal(p[1].what, CW_PIN_KEY);
	assert_int_equal(p[1].tries_left, 3);
	assert_err(p[1].last, CW_OK);
	assert_int_equal(p[2].tries_left, 2);
	assert_err(p[2].last, CW_ERR_PIN_WRONG);
	cw_hold_world_end(&f);
}

static void
the_cards_pin_does_not_outlast_its_burst(void **state)
{
	static const char *const answers[] = { CW_TEST_PIN, NULL };
	struct cw_hold_world f;

	cw_hold_world_card(*state, true);
	cw_hold_world_begin(&f, state, answers);
	assert_err(cw_hold_open(&f.hold), CW_OK);
	assert_err(cw_hold_find(&f.hold, "Secret"), CW_OK);
	assert_false(f.w->card.card->ram.pin_verified);
	assert_int_equal(f.reader.resets_at_end, 1);
	cw_hold_world_end(&f);
}

static void
a_new_pin_holds_and_the_old_one_does_not(void **state)
{
	static const char *const answers[] = { PIN, "8642", "8642", PIN, NULL };
	struct cw_hold_world f;

	cw_hold_world_card(*state, false);
	cw_hold_world_begin(&f, state, answers);
	assert_err(cw_hold_open(&f.hold), CW_OK);
	assert_err(cw_hold_find(&f.hold, "Key 1"), CW_OK);
	assert_err(cw_hold_change_key_pin(&f.hold), CW_OK);
	assert_err(cw_hold_world_sign(&f.hold, &f.out), CW_OK);
	f.person.base.can_repeat = false;
	assert_err(cw_hold_world_sign(&f.hold, &f.out), CW_ERR_PIN_WRONG);
	cw_hold_world_end(&f);
}

/* Two groups of one policy may not have one value. */
static void
a_pin_that_other_keys_have_is_told(void **state)
{
	static const char *const answers[] = { PIN, "8642", NULL };
	struct cw_create_pin_policy policy = cw_play_policy;
	struct cw_create_key key = cw_play_key;
	struct cw_test_world *w = *state;
	struct cw_hold_world f;

	policy.grouping = CW_PIN_SIGNATURE;
	policy.value = CW_BYTES_NONE;
	policy.puk = 0;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&policy));
	key.pin = cw_bytes_str(PIN);
	cw_play_make(&w->issuer, &key);
	key.id = 2;
	key.usage = CW_USAGE_AUTHENTICATE;
	key.pin = cw_bytes_str("8642");
	key.name = cw_bytes_str("Other");
	cw_play_make(&w->issuer, &key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	cw_hold_world_begin(&f, state, answers);
	assert_err(cw_hold_open(&f.hold), CW_OK);
	assert_err(cw_hold_find(&f.hold, "Key 1"), CW_OK);
	assert_err(cw_hold_change_key_pin(&f.hold), CW_ERR_PIN_IN_USE);
	cw_hold_world_end(&f);
}

static void
a_blocked_card_is_reset_without_its_pin(void **state)
{
	static const char *const answers[] = { NULL };
	struct cw_hold_world f;

	cw_hold_world_card(*state, true);
	cw_hold_world_begin(&f, state, answers);
	f.w->card.card->state->pin.tries = 0;
	f.w->card.card->state->puk.tries = 0;
	assert_err(cw_hold_open(&f.hold), CW_OK);
	assert_err(cw_hold_reset(&f.hold), CW_OK);
	assert_null(f.w->card.card->state->objects.keys);
	cw_hold_world_end(&f);
}

static void
a_statement_is_about_the_key_the_challenge_and_the_subject(void **state)
{
	static const char *const answers[] = { CW_TEST_PIN, NULL };
	struct cw_offline_statement s;
	struct cw_public_key leaf;
	struct cw_attested attested;
	uint8_t hash[CW_HASH_BYTES];
	struct cw_hold_world f;

	cw_hold_world_card(*state, true);
	cw_hold_world_begin(&f, state, answers);
	assert_err(cw_hold_open(&f.hold), CW_OK);
	assert_err(cw_hold_find(&f.hold, "Key 1"), CW_OK);
	assert_err(cw_hold_world_attest(&f.hold, &f.out), CW_OK);
	assert_err(cw_attested_decode(cw_buf_bytes(&f.out), &attested), CW_OK);
	assert_err(cw_cert_public_key(attested.chain[0], &leaf), CW_OK);
	assert_err(cw_offline_statement_verify(attested.statement, &leaf, &s),
	    CW_OK);
	cw_hash(cw_bytes_str("challenge"), hash);
	assert_memory_equal(s.challenge, hash, sizeof(hash));
	cw_offline_request_hash(cw_bytes_str("CN=Erika"), &f.hold.key.key,
	    hash);
	assert_memory_equal(s.request, hash, sizeof(hash));
	cw_hold_world_end(&f);
}

/* ---- cards that go, and cards that lie ---- */

/* A changed command may have cost one. */
static void
give_tries_back(struct cw_test_world *w)
{
	struct cw_card_policy *policy = w->card.card->state->objects.policies;

	w->card.card->state->pin.tries = 3;
	for (; policy != NULL; policy = policy->next)
		policy->groups->pin.tries = 3;
}

/* The card is pulled at every APDU: each run ends with one error. */
static void
a_card_pulled_at_any_apdu_is_told(void **state)
{
	static const char *const answers[] = { CW_TEST_PIN, PIN, "8642", NULL };
	unsigned at = 0;
	enum cw_err err;

	do {
		struct cw_hold_world f;

		cw_hold_world_card(cw_test_world_renew(state), true);
		cw_hold_world_begin(&f, state, answers);
		f.reader.fault =
		    at % 2 == 0 ? CW_LOCAL_PULL_BEFORE : CW_LOCAL_LOSE_REPLY;
		f.reader.fault_at = ++at;
		err = cw_hold_open(&f.hold);
		if (err == CW_OK)
			err = cw_hold_find(&f.hold, "Key 1");
		if (err == CW_OK)
			err = cw_hold_change_key_pin(&f.hold);
		if (err != CW_OK)
			assert_err(err, CW_ERR_CARD_REMOVED);
		assert_false(f.reader.is_begun);
		cw_hold_world_end(&f);
	} while (err != CW_OK);
	assert_true(at > 8);
}

/* Whatever happens at whatever APDU: it ends, the card is free, and nothing is
 * made up. A changed reply may be a wrong key's or none at all. */
static void
a_fault_at_any_apdu_ends_cleanly(void **state)
{
	static const char *const answers[] = { CW_TEST_PIN, PIN, "8642", NULL };

	cw_hold_world_card(*state, true);
	for (int fault = 1; fault < CW_LOCAL_FAULTS; fault++)
		for (unsigned at = 1; at <= 14; at++) {
			struct cw_hold_world f;
			enum cw_err err;

			cw_hold_world_begin(&f, state, answers);
			f.reader.fault = (enum cw_local_fault)fault;
			f.reader.fault_at = at;
			f.person.base.can_repeat = false;
			err = cw_hold_open(&f.hold);
			if (err == CW_OK)
				err = cw_hold_find(&f.hold, "Key 1");
			if (err == CW_OK)
				err = cw_hold_world_sign(&f.hold, &f.out);
			assert_true(err == CW_OK || f.out.len == 0);
			assert_false(f.reader.is_begun);
			cw_hold_world_end(&f);
			if (f.reader.is_out)
				cw_local_reader_insert(&f.reader);
			give_tries_back(f.w);
		}
}

static void
no_card_no_reader_and_no_dialog_are_told(void **state)
{
	static const char *const answers[] = { NULL };
	struct cw_hold_world f;

	cw_hold_world_card(*state, false);
	cw_hold_world_begin(&f, state, answers);
	f.reader.cards[0] = NULL;
	assert_err(cw_hold_open(&f.hold), CW_ERR_NO_CARD);
	cw_hold_world_end(&f);
	cw_hold_world_begin(&f, state, answers);
	f.hold.reader_name = "another";
	assert_err(cw_hold_open(&f.hold), CW_ERR_NO_READER);
	cw_hold_world_end(&f);
	cw_hold_world_begin(&f, state, answers);
	f.hold.pin_entry = NULL;
	assert_err(cw_hold_open(&f.hold), CW_OK);
	assert_err(cw_hold_find(&f.hold, "Key 1"), CW_OK);
	assert_err(cw_hold_world_sign(&f.hold, &f.out), CW_ERR_NO_PIN_ENTRY);
	cw_hold_world_end(&f);
}

/* READ KEY gives the same key for ever. */
static void
repeat_first(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_buf *first = ctx;

	if (command.ptr[1] != CW_INS_READ_KEY)
		return;
	if (first->len == 0)
		cw_buf_put(first, cw_buf_bytes(response));
	cw_buf_reset(response);
	cw_buf_put(response, cw_buf_bytes(first));
}

static void
a_card_whose_keys_never_end_is_not_read_for_ever(void **state)
{
	static const char *const answers[] = { NULL };
	struct cw_buf first;
	struct cw_hold_world f;

	cw_hold_world_card(*state, false);
	cw_hold_world_begin(&f, state, answers);
	cw_buf_init(&first, CW_RESPONSE_MAX);
	f.reader.on_reply = repeat_first;
	f.reader.ctx = &first;
	assert_err(cw_hold_open(&f.hold), CW_OK);
	assert_err(cw_hold_find(&f.hold, "Nobody"), CW_ERR_CARD_SAYS);
	cw_buf_wipe(&first);
	cw_hold_world_end(&f);
}

static void
an_agreement_takes_the_own_curves_keys_only(void **state)
{
	static const char *const answers[] = { NULL };
	static const uint8_t point[65] = { 4, 1 };
	struct cw_create_key key = { .id = 2,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_AGREE,
		.name = { (const uint8_t *)"Agree", 5 } };
	struct cw_test_world *w = *state;
	struct cw_hold_world f;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	cw_hold_world_begin(&f, state, answers);
	assert_err(cw_hold_open(&f.hold), CW_OK);
	assert_err(cw_hold_find(&f.hold, "Agree"), CW_OK);
	/* Not on the curve, another length, and nothing. */
	assert_err(cw_hold_use(&f.hold, CW_OP_AGREE, 0, CW_BYTES_ARRAY(point),
		       &f.out),
	    CW_ERR_BAD_PEER);
	assert_err(cw_hold_use(&f.hold, CW_OP_AGREE, 0, cw_bytes(point, 64),
		       &f.out),
	    CW_ERR_BAD_PEER);
	assert_err(cw_hold_use(&f.hold, CW_OP_AGREE, 0, CW_BYTES_NONE, &f.out),
	    CW_ERR_BAD_PEER);
	cw_hold_world_end(&f);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
		    a_prompt_says_whose_pin_it_is_and_how_many_tries_it_has),
		world_test(the_cards_pin_does_not_outlast_its_burst),
		world_test(a_new_pin_holds_and_the_old_one_does_not),
		world_test(a_pin_that_other_keys_have_is_told),
		world_test(a_blocked_card_is_reset_without_its_pin),
		world_test(
		    a_statement_is_about_the_key_the_challenge_and_the_subject),
		world_test(a_card_pulled_at_any_apdu_is_told),
		world_test(a_fault_at_any_apdu_ends_cleanly),
		world_test(no_card_no_reader_and_no_dialog_are_told),
		world_test(a_card_whose_keys_never_end_is_not_read_for_ever),
		world_test(an_agreement_takes_the_own_curves_keys_only),
	};

	if (!cw_secret_process_init())
		return 1;
	cw_log_set_level(CW_LOG_ERROR);
	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
