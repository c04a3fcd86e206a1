/* SPDX-License-Identifier: Apache-2.0 */
/* Runs against the reference card: what works, and what people are asked. */
#include "tests/support/check.h"
#include "tests/support/reader_world.h"

static void
a_whole_session_runs_in_every_suite_and_mode(void **state)
{
	struct cw_world *w = *state;
	static const uint8_t slots[] = { 0x9A, 0x9C, 0x9D, 0x9E, 0x82, 0x83 };
	size_t n = 0;

	for (unsigned suite = 1; suite <= 2; suite++)
		for (unsigned mode = 1; mode <= 3; mode++) {
			w->issuer.request.suite = cw_suite_find(suite);
			w->intent.mode = (enum cw_mode)mode;
			w->key.slot = slots[n];
			w->key.id = slots[n++];
			w->has_management_round = mode != 3;
			cw_world_new_session(w);
			cw_world_new_run(w);
			assert_err(cw_world_enroll(w), CW_OK);
			assert_true(w->is_confirmed);
			assert_false(w->reader.is_begun);
		}
	assert_int_equal(w->steps_seen & 0x1fe, 0x1fe);
}

static void
no_card_is_touched_before_the_person_accepts(void **state)
{
	struct cw_world *w = *state;

	w->consent_error = CW_ERR_REFUSED;
	assert_err(cw_world_enroll_anew(w), CW_ERR_REFUSED);
	assert_int_equal(w->consents, 1);
	assert_int_equal(w->reader.apdus, 0);
	assert_null(w->reader.connected);
}

static void
only_the_first_use_of_an_origin_is_shown_as_new(void **state)
{
	struct cw_world *w = *state;

	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_true(w->consent.is_new);
	w->key.slot = 0x9C;
	w->key.id = 8;
	cw_world_new_session(w);
	cw_world_new_run(w);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_false(w->consent.is_new);
}

static void
pin_and_puk_are_asked_for_once_with_the_first_piv_key(void **state)
{
	struct cw_world *w = *state;

	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_int_equal(w->n_prompts, 2);
	assert_int_equal(w->prompts[0].what, CW_PIN_HOLDER);
	assert_true(w->prompts[0].is_new);
	assert_int_equal(w->prompts[1].what, CW_PIN_PUK);
	w->key.slot = 0x9C;
	w->key.id = 8;
	cw_world_new_session(w);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_int_equal(w->n_prompts, 2);
}

static void
a_weak_pin_is_asked_for_again_and_the_rule_named(void **state)
{
	struct cw_world *w = *state;

	w->pins[0] = "123456";
	w->pins[1] = "12a456";
	w->pins[2] = "123";
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_int_equal(w->n_prompts, 5);
	assert_err(w->prompts[1].last, CW_ERR_PIN_WEAK);
	assert_err(w->prompts[2].last, CW_ERR_PIN_FORMAT);
	assert_err(w->prompts[3].last, CW_ERR_PIN_LENGTH);
}

static void
identified_mode_asks_for_the_pin_and_leaves_the_card_reset(void **state)
{
	struct cw_world *w = *state;

	assert_err(cw_world_enroll_anew(w), CW_OK);
	w->intent.mode = CW_MODE_IDENTIFIED;
	w->key.slot = 0x9C;
	w->key.id = 8;
	w->n_prompts = 0;
	w->pins[0] = "999111";
	cw_world_new_session(w);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_int_equal(w->n_prompts, 2);
	assert_false(w->prompts[0].is_new);
	assert_int_equal(w->prompts[0].tries_left, 3);
	assert_err(w->prompts[1].last, CW_ERR_PIN_WRONG);
	assert_int_equal(w->prompts[1].tries_left, 2);
	assert_int_equal(w->reader.resets_at_end, 1);
	/* The PIN does not hold any more: PIV wants it again. */
	assert_int_equal(cw_test_select_piv(&w->card.wire), 0x9000);
	assert_int_equal(cw_test_send(&w->card.wire, 0x0020, 0x0080,
			     CW_BYTES_NONE, NULL),
	    0x63C3);
}

static void
a_wrong_pin_is_asked_for_until_it_is_blocked(void **state)
{
	struct cw_world *w = *state;

	assert_err(cw_world_enroll_anew(w), CW_OK);
	w->intent.mode = CW_MODE_IDENTIFIED;
	w->issuer.pin = "999111";
	w->n_prompts = 0;
	cw_world_new_session(w);
	assert_err(cw_world_enroll_anew(w), CW_ERR_PIN_BLOCKED);
	assert_int_equal(w->n_prompts, 3);
	cw_world_new_session(w);
	cw_world_new_run(w);
	assert_err(cw_world_enroll_anew(w), CW_ERR_PIN_BLOCKED);
	assert_int_equal(w->n_prompts, 3);
}

static void
a_script_that_gives_a_wrong_pin_costs_one_try_only(void **state)
{
	struct cw_world *w = *state;

	assert_err(cw_world_enroll_anew(w), CW_OK);
	w->intent.mode = CW_MODE_IDENTIFIED;
	w->person.can_repeat = false;
	w->n_prompts = 0;
	w->pins[0] = "999111";
	cw_world_new_session(w);
	assert_err(cw_world_enroll_anew(w), CW_ERR_PIN_WRONG);
	assert_int_equal(w->n_prompts, 1);
}

static void
a_refused_pin_leaves_a_session_that_goes_on_later(void **state)
{
	struct cw_world *w = *state;

	w->pin_error = CW_ERR_REFUSED;
	assert_err(cw_world_enroll(w), CW_ERR_REFUSED);
	w->pin_error = CW_OK;
	cw_world_new_run(w);
	assert_err(cw_world_enroll(w), CW_OK);
	assert_true(w->consent.is_resume);
	assert_true(w->is_confirmed);
}

static void
a_card_without_extended_length_is_driven_with_short_apdus(void **state)
{
	struct cw_world *w = *state;

	w->reader.is_short = true;
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_in_range(w->reader.longest, 5, 261);
	assert_true(w->is_confirmed);
}

static void
a_reader_that_takes_short_apdus_only_gets_no_others(void **state)
{
	struct cw_world *w = *state;

	w->reader.base.max_apdu = 261;
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_in_range(w->reader.longest, 5, 261);
}

static void
a_card_that_another_program_resets_gets_a_new_request(void **state)
{
	struct cw_world *w = *state;

	/* SELECT at connect, SELECT, GET CAPABILITIES: then the reset. */
	w->reader.fault = CW_LOCAL_OTHER_RESET;
	w->reader.fault_at = 3;
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_true(w->is_confirmed);
	assert_int_equal(w->consents, 1);
}

#define TEST(name) \
	cmocka_unit_test_setup_teardown(name, cw_world_setup, cw_world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_session_runs_in_every_suite_and_mode),
		TEST(no_card_is_touched_before_the_person_accepts),
		TEST(only_the_first_use_of_an_origin_is_shown_as_new),
		TEST(pin_and_puk_are_asked_for_once_with_the_first_piv_key),
		TEST(a_weak_pin_is_asked_for_again_and_the_rule_named),
		TEST(
		    identified_mode_asks_for_the_pin_and_leaves_the_card_reset),
		TEST(a_wrong_pin_is_asked_for_until_it_is_blocked),
		TEST(a_script_that_gives_a_wrong_pin_costs_one_try_only),
		TEST(a_refused_pin_leaves_a_session_that_goes_on_later),
		TEST(a_card_without_extended_length_is_driven_with_short_apdus),
		TEST(a_reader_that_takes_short_apdus_only_gets_no_others),
		TEST(a_card_that_another_program_resets_gets_a_new_request),
	};

	return cmocka_run_group_tests(tests, cw_world_before_all,
	    cw_world_after_all);
}
