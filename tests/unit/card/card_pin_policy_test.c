/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_PIN_POLICY, PIN INFO and SET PIN: PINs that a session needs. */
#include "proto/card_link.h"
#include "tests/support/card_world.h"

/* ---- PIN policies ---- */

static void
every_wrong_policy_ends_the_session(void **state)
{
	static const struct {
		const char *name;
		struct cw_create_pin_policy policy;
		enum cw_err want;
	} rows[] = {
		{ "shortest above longest",
		    { .id = 1, .rule = { CW_PIN_DIGITS, 8, 6, 3, 0 } },
		    CW_ERR_BAD_POLICY },
		{ "an issuer's value that breaks the rule",
		    { .id = 1,
			.rule = { CW_PIN_DIGITS, 4, 6, 3, 0 },
			.issuer_set = true,
			.value = { (const uint8_t *)"abcd", 4 } },
		    CW_ERR_BAD_POLICY },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);

		print_message("%s\n", rows[i].name);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_ends_with(w, cw_test_policy_command(&rows[i].policy),
		    rows[i].want);
	}
}

static void
a_policy_id_is_used_once(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&cw_test_policy));
	cw_test_ends_with(w, cw_test_policy_command(&cw_test_policy),
	    CW_ERR_DUPLICATE_ID);
}

static void
a_policy_without_a_key_cannot_be_closed(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&cw_test_policy));
	cw_test_ends_with(w,
	    (struct cw_command){ .no = CW_CLOSE, .last = true },
	    CW_ERR_BAD_POLICY);
}

static void
keys_of_a_policy_ask_for_its_pin_once(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	struct cw_create_key key = { .id = 1,
		.type = CW_KEY_P256,
		.usage = 1,
		.pin_policy = 20 };
	static struct cw_result_statement result;
	struct cw_command command = cw_test_key_command(&key);
	struct cw_public_key made[2];
	struct cw_pin_info info;

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	cw_test_must_run(issuer, cw_test_policy_command(&cw_test_policy));
	issuer->pin = NULL;
	assert_err(cw_test_run(issuer, &command), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6A88);
	assert_sw(cw_test_send(&issuer->wire, 0x8016, 0, CW_BYTES_NONE,
		      &w->out),
	    0x9000);
	assert_err(cw_pin_info_decode(cw_buf_bytes(&w->out), &info), CW_OK);
	assert_int_equal(info.policy, 20);
	assert_int_equal(info.rule.tries, 5);
	assert_false(info.is_set);
	issuer->pin = "73";
	assert_err(cw_test_issuer_set_pin(issuer), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6A80);
	issuer->pin = "7314";
	assert_err(cw_test_issuer_create_key(issuer, &key, false, &made[0]),
	    CW_OK);
	issuer->pin = NULL;
	key.id = 2;
	assert_err(cw_test_issuer_create_key(issuer, &key, false, &made[1]),
	    CW_OK);
	assert_err(cw_test_issuer_certify(issuer, 1, &made[0]), CW_OK);
	assert_err(cw_test_issuer_certify(issuer, 2, &made[1]), CW_OK);
	assert_err(cw_test_issuer_close(issuer, &result), CW_OK);
	assert_int_equal(result.n_items, 3);
	assert_int_equal(result.items[0].done, CW_DONE_PIN_POLICY);
	assert_int_equal(result.items[0].object_id, 20);
}

/* An agent that was killed while a person thought must not make PIN INFO speak
 * of another PIN than the next session's agent asks about. */
static void
capabilities_make_pin_info_the_holders_again(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	const struct cw_create_key key = { .id = 1,
		.type = CW_KEY_P256,
		.usage = 1,
		.pin_policy = 20 };
	struct cw_command command = cw_test_key_command(&key);
	struct cw_pin_info info;

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	cw_test_must_run(issuer, cw_test_policy_command(&cw_test_policy));
	issuer->pin = NULL;
	assert_err(cw_test_run(issuer, &command), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6A88);
	assert_err(cw_test_issuer_capabilities(issuer), CW_OK);
	assert_sw(cw_test_send(&issuer->wire, 0x8016, 0, CW_BYTES_NONE,
		      &w->out),
	    0x9000);
	assert_err(cw_pin_info_decode(cw_buf_bytes(&w->out), &info), CW_OK);
	assert_int_equal(info.policy, 0);
	/* The session is none the worse for it. */
	issuer->pin = "7314";
	assert_err(cw_test_run(issuer, &command), CW_OK);
}

/* Of whichever session: what was asked for before it is not what waits now. */
static void
another_command_makes_pin_info_the_holders_again(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_create_key key = { .id = 1,
		.type = CW_KEY_P256,
		.usage = 1,
		.pin_policy = 20 };
	struct cw_command command = cw_test_key_command(&key);
	struct cw_test_issuer other;
	struct cw_pin_info info;

	cw_test_world_issuer(w, &other);
	assert_err(cw_test_issuer_begin(&other), CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&cw_test_policy));
	w->issuer.pin = NULL;
	assert_err(cw_test_run(&w->issuer, &command), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6A88);
	cw_test_must_run(&other, (struct cw_command){ .no = CW_LIST });
	assert_sw(cw_test_send(&w->card.wire, 0x8016, 0, CW_BYTES_NONE,
		      &w->out),
	    0x9000);
	assert_err(cw_pin_info_decode(cw_buf_bytes(&w->out), &info), CW_OK);
	assert_int_equal(info.policy, 0);
	cw_test_issuer_wipe(&other);
}

/* Any program can say SET PIN while a session is open. */
static void
a_holders_pin_that_no_key_asked_for_is_not_set(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_set_pin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_sw(cw_test_verify(&w->issuer.wire, CW_TEST_PIN), 0x6A88);
}

static void
an_issuers_pin_is_not_asked_for(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_pin_policy policy = cw_test_policy;
	struct cw_create_key key = { .id = 1,
		.type = CW_KEY_P256,
		.usage = 1,
		.pin_policy = 20 };

	policy.issuer_set = true;
	policy.value = cw_bytes_str("4711");
	w->issuer.pin = NULL;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&policy));
	cw_test_must_run(&w->issuer, cw_test_key_command(&key));
}

/* ---- the holder's PIN ---- */

static void
the_holders_pin_is_asked_for_once_and_counts_from_close(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	struct cw_command command = cw_test_key_command(&cw_test_key_9a);
	struct cw_public_key made;
	struct cw_pin_info info;

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	issuer->pin = NULL;
	assert_err(cw_test_run(issuer, &command), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6A88);
	assert_sw(cw_test_send(&issuer->wire, 0x8016, 0, CW_BYTES_NONE,
		      &w->out),
	    0x9000);
	assert_err(cw_pin_info_decode(cw_buf_bytes(&w->out), &info), CW_OK);
	assert_int_equal(info.policy, 0);
	assert_int_equal(info.puk_tries_left, 3);
	issuer->pin = "123456"; /* a sequence */
	assert_err(cw_test_issuer_set_pin(issuer), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6A80);
	issuer->pin = CW_TEST_PIN;
	assert_err(cw_test_issuer_create_key(issuer, &cw_test_key_9a, true,
		       &made),
	    CW_OK);
	/* Not before CLOSE. */
	assert_sw(cw_test_verify(&issuer->wire, CW_TEST_PIN), 0x6A88);
	assert_err(cw_test_issuer_certify(issuer, cw_test_key_9a.id, &made),
	    CW_OK);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	assert_sw(cw_test_verify(&issuer->wire, CW_TEST_PIN), 0x9000);
	/* And no second session asks. */
	issuer->pin = NULL;
	assert_err(cw_test_issuer_enroll(issuer, CW_KEY_P256, 0x9C), CW_OK);
}

static void
the_same_command_goes_on_after_the_pin(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;
	struct cw_command command = cw_test_key_command(&cw_test_key_9a);

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	issuer->pin = NULL;
	assert_err(cw_test_run(issuer, &command), CW_ERR_CARD_SAYS);
	issuer->pin = CW_TEST_PIN;
	assert_err(cw_test_issuer_set_pin(issuer), CW_OK);
	/* The answer was lost: given again. Power cut: still there. */
	assert_err(cw_test_issuer_set_pin(issuer), CW_OK);
	cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&issuer->wire);
	assert_err(cw_test_issuer_send(issuer, cw_buf_bytes(&issuer->command)),
	    CW_OK);
	/* A key depends on it now. */
	assert_err(cw_test_issuer_set_pin(issuer), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6985);
}

static void
set_pin_needs_an_open_session_that_may_use_it(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer *issuer = &w->issuer;

	assert_err(cw_test_issuer_set_pin(issuer), CW_ERR_CARD_SAYS);
	issuer->request.scope.n_slots = 0;
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	assert_err(cw_test_issuer_set_pin(issuer), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6985);
	assert_sw(cw_test_send(&issuer->wire, 0x8018, 0,
		      cw_bytes_str("no CBOR"), NULL),
	    0x6A80);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(every_wrong_policy_ends_the_session),
		world_test(a_policy_id_is_used_once),
		world_test(a_policy_without_a_key_cannot_be_closed),
		world_test(keys_of_a_policy_ask_for_its_pin_once),
		world_test(capabilities_make_pin_info_the_holders_again),
		world_test(another_command_makes_pin_info_the_holders_again),
		world_test(a_holders_pin_that_no_key_asked_for_is_not_set),
		world_test(an_issuers_pin_is_not_asked_for),
		world_test(
		    the_holders_pin_is_asked_for_once_and_counts_from_close),
		world_test(the_same_command_goes_on_after_the_pin),
		world_test(set_pin_needs_an_open_session_that_may_use_it),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
