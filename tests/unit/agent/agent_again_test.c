/* SPDX-License-Identifier: Apache-2.0 */
/* A card that is pulled out and put back in the same run, and cards that are not
 * what the run began with. */
#include "proto/apdu.h"
#include "proto/card_link.h"
#include "tests/support/check.h"
#include "tests/support/reader_world.h"

/* A world that waits for its card. */
static struct cw_world *
new_world(void)
{
	struct cw_world *w = test_calloc(1, sizeof(*w));

	cw_world_init(w, cw_world_vendor());
	w->env.card_wait_ms = 10000;
	w->env.again_wait_ms = 10000;
	w->env.is_patient = true;
	w->reader.insert_after = 2;
	cw_world_new_run(w);
	return w;
}

static void
free_world(struct cw_world *w)
{
	cw_world_wipe(w);
	test_free(w);
}

static unsigned
count_apdus(void)
{
	struct cw_world *w = new_world();
	unsigned n;

	assert_err(cw_world_enroll_anew(w), CW_OK);
	n = w->reader.apdus;
	free_world(w);
	return n;
}

static void
a_card_that_is_pulled_at_any_apdu_and_put_back_goes_on(void **state)
{
	static const enum cw_local_fault faults[] = { CW_LOCAL_PULL_BEFORE,
		CW_LOCAL_PULL_AFTER };
	unsigned n = count_apdus();

	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++)
		for (unsigned at = 1; at <= n; at++) {
			struct cw_world *w = new_world();
			enum cw_err err;

			w->reader.fault = faults[i];
			w->reader.fault_at = at;
			err = cw_world_enroll_anew(w);
			if (err != CW_OK || !w->is_confirmed)
				fail_msg("fault %zu at %u: %s", i, at,
				    cw_err_name(err));
			if (w->consents != 1)
				fail_msg("fault %zu at %u: asked again", i, at);
			/* At the very last ABORT nobody waits any more. */
			if (at < n && w->waits_told == 0)
				fail_msg("fault %zu at %u: no wait", i, at);
			free_world(w);
		}
}

static void
a_card_that_stays_out_ends_the_run_with_a_session_that_goes_on(void **state)
{
	struct cw_world *w = new_world();

	(void)state;
	w->env.again_wait_ms = 5;
	w->reader.insert_after = 0;
	w->reader.fault = CW_LOCAL_PULL_AFTER;
	w->reader.fault_at = 8;
	cw_world_new_run(w);
	assert_err(cw_world_enroll_anew(w), CW_ERR_CARD_REMOVED);
	assert_true(cw_run_is_resumable(w->run));
	cw_local_reader_insert(&w->reader);
	cw_world_new_run(w);
	assert_err(cw_world_enroll(w), CW_OK);
	assert_true(w->is_confirmed);
	free_world(w);
}

struct swap {
	struct cw_world *w;
	struct cw_test_card *first, *other;
	enum cw_err told;
};

/* Another card comes in first, then the right one. */
static void
swap_cards(void *ctx)
{
	struct swap *s = ctx;
	struct cw_local_reader *r = &s->w->reader;

	if (r->waits == 1) {
		r->cards[0] = s->other;
		cw_local_reader_insert(r);
	}
	if (r->waits == 2) {
		s->told = s->w->problem;
		cw_card_power(s->other->card, false);
		r->cards[0] = s->first;
		cw_local_reader_insert(r);
	}
}

static void
another_card_in_between_is_told_and_not_used(void **state)
{
	struct cw_world *w = new_world();
	struct cw_test_card other;
	struct swap swap = { w, &w->card, &other, CW_OK };

	(void)state;
	cw_test_card_init(&other, cw_world_vendor());
	cw_card_power(other.card, false);
	w->reader.insert_after = 0;
	w->reader.on_wait = swap_cards;
	w->reader.ctx = &swap;
	w->reader.fault = CW_LOCAL_PULL_AFTER;
	w->reader.fault_at = 8;
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_err(swap.told, CW_ERR_OTHER_CARD);
	assert_true(w->is_confirmed);
	cw_test_card_wipe(&other);
	free_world(w);
}

/* The other card has a session with the same issuer open: it is not this run's. */
static void
another_cards_session_is_not_taken_up_in_between(void **state)
{
	struct cw_world *w = new_world();
	struct cw_test_card other;
	struct cw_test_issuer beside;
	struct swap swap = { w, &w->card, &other, CW_OK };

	(void)state;
	cw_test_card_init(&other, cw_world_vendor());
	cw_test_issuer_init(&beside, &other.wire);
	beside.request.uri = w->intent.session_url;
	assert_err(cw_test_issuer_begin(&beside), CW_OK);
	cw_card_power(other.card, false);
	w->reader.insert_after = 0;
	w->reader.on_wait = swap_cards;
	w->reader.ctx = &swap;
	w->reader.fault = CW_LOCAL_PULL_AFTER;
	w->reader.fault_at = 8;
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_err(swap.told, CW_ERR_OTHER_CARD);
	assert_true(w->is_confirmed);
	cw_test_issuer_wipe(&beside);
	cw_test_card_wipe(&other);
	free_world(w);
}

/* The other card comes in, and stays. */
static void
put_other_in(void *ctx)
{
	struct swap *s = ctx;
	struct cw_local_reader *r = &s->w->reader;

	if (r->waits == 1) {
		r->cards[0] = s->other;
		cw_local_reader_insert(r);
	}
}

/* Another program resets the card while the person types, and then it goes. */
static void
reset_and_pull(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct swap *s = ctx;
	struct cw_local_reader *r = &s->w->reader;

	(void)response;
	if (command.len < 2 || command.ptr[1] != CW_INS_PIN_INFO ||
	    r->fault != CW_LOCAL_NO_FAULT)
		return;
	r->other_wants_reset = true;
	r->fault = CW_LOCAL_PULL_BEFORE;
	r->fault_at = r->apdus + 2; /* behind SELECT */
}

/* The first card has gone before it heard the PIN: the run begins anew with the
 * other one, which must not hear it. */
static void
a_pin_is_for_the_card_that_it_was_typed_for(void **state)
{
	struct cw_world *w = new_world();
	struct cw_test_card other;
	struct cw_test_issuer beside;
	struct swap swap = { w, &w->card, &other, CW_OK };

	(void)state;
	assert_err(cw_world_enroll_anew(w), CW_OK);
	cw_test_card_init(&other, cw_world_vendor());
	cw_test_issuer_init(&beside, &other.wire);
	beside.pin = "749205";
	assert_err(cw_test_issuer_enroll(&beside, CW_KEY_P256, 0x9A), CW_OK);
	cw_card_power(other.card, false);
	w->intent.mode = CW_MODE_IDENTIFIED;
	w->key.slot = 0x9C;
	w->key.id = 8;
	w->n_prompts = 0;
	w->pins[0] = w->issuer.pin;
	w->pins[1] = beside.pin;
	cw_world_new_session(w);
	w->reader.insert_after = 0;
	w->reader.on_wait = put_other_in;
	w->reader.ctx = &swap;
	w->reader.on_reply = reset_and_pull;
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_int_equal(w->n_prompts, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_false(w->prompts[i].is_new);
		assert_int_equal(w->prompts[i].tries_left, 3);
		assert_err(w->prompts[i].last, CW_OK);
	}
	cw_test_issuer_wipe(&beside);
	cw_test_card_wipe(&other);
	free_world(w);
}

/* STATUS as it is, with the address of another site. */
static void
say_another_site(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_status status;
	struct cw_buf said;

	(void)ctx;
	if (command.len < 2 || command.ptr[1] != CW_INS_STATUS ||
	    response->len <= 2)
		return;
	assert_err(cw_status_decode(cw_bytes(response->ptr, response->len - 2),
		       &status),
	    CW_OK);
	status.uri = cw_bytes_str("https://elsewhere.test/session");
	cw_buf_init(&said, CW_RESPONSE_MAX);
	cw_status_encode(&status, &said);
	cw_buf_put_u16be(&said, CW_SW_OK);
	cw_buf_move(response, &said);
}

/* What a card keeps is sent to the site that asked, and nowhere else. */
static void
a_card_that_names_another_site_is_not_believed(void **state)
{
	struct cw_world *w = new_world();
	enum cw_run_resume found;

	(void)state;
	/* In the same run. */
	w->reader.on_reply = say_another_site;
	w->reader.fault = CW_LOCAL_PULL_AFTER;
	w->reader.fault_at = 8;
	assert_err(cw_world_enroll_anew(w), CW_ERR_BAD_ORIGIN);
	/* And in a later one. */
	cw_world_new_run(w);
	cw_run_out_wipe(&w->out);
	assert_err(cw_run_resume(w->run, &found, &w->out), CW_ERR_BAD_ORIGIN);
	assert_int_equal(w->out.to, CW_RUN_TO_NOBODY);
	w->reader.on_reply = NULL;
	cw_world_new_run(w);
	assert_err(cw_world_enroll(w), CW_OK);
	assert_true(w->is_confirmed);
	free_world(w);
}

/* What the person was asked is what was agreed to, byte for byte. */
static void
another_intent_than_the_accepted_one_is_asked_about(void **state)
{
	struct cw_world *w = new_world();
	struct cw_intent intent = w->intent;
	struct cw_buf other;

	(void)state;
	cw_buf_init(&other, CW_BODY_MAX);
	intent.subject = cw_bytes_str("CN=Somebody Else");
	cw_intent_encode(&intent, &other);
	assert_err(cw_run_accept(w->run, cw_buf_bytes(&w->intent_bytes)),
	    CW_OK);
	assert_int_equal(w->consents, 1);
	w->consent_error = CW_ERR_REFUSED;
	assert_err(cw_run_begin(w->run, cw_buf_bytes(&other), &w->out),
	    CW_ERR_REFUSED);
	assert_int_equal(w->consents, 2);
	assert_int_equal(w->reader.apdus, 0);
	cw_buf_wipe(&other);
	free_world(w);
}

static void
an_accepted_intent_is_not_asked_about_again(void **state)
{
	struct cw_world *w = new_world();
	struct cw_bytes intent = cw_buf_bytes(&w->intent_bytes);
	enum cw_run_resume found;

	(void)state;
	assert_err(cw_run_accept(w->run, intent), CW_OK);
	assert_int_equal(w->reader.apdus, 0);
	assert_err(cw_run_resume(w->run, &found, &w->out), CW_OK);
	assert_int_equal(found, CW_RESUME_NONE);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	assert_int_equal(w->consents, 1);
	/* That was for once. */
	w->consent_error = CW_ERR_REFUSED;
	assert_err(cw_run_begin(w->run, intent, &w->out), CW_ERR_REFUSED);
	free_world(w);
}

static void
a_run_that_ends_with_an_error_leaves_the_card_reset(void **state)
{
	struct cw_world *w = new_world();
	uint8_t before[CW_NONCE_BYTES];
	struct cw_buf caps;
	struct cw_card_caps c;

	(void)state;
	w->pin_error = CW_ERR_REFUSED;
	assert_err(cw_world_enroll_anew(w), CW_ERR_REFUSED);
	cw_buf_init(&caps, CW_BODY_MAX);
	assert_int_equal(cw_test_select_provisioning(&w->card.wire), 0x9000);
	assert_int_equal(cw_test_send(&w->card.wire, 0x8010, 0, CW_BYTES_NONE,
			     &caps),
	    0x9000);
	assert_err(cw_card_caps_decode(cw_buf_bytes(&caps), &c), CW_OK);
	memcpy(before, c.nonce, sizeof(before));
	cw_world_new_run(w);
	cw_buf_reset(&caps);
	assert_int_equal(cw_test_select_provisioning(&w->card.wire), 0x9000);
	assert_int_equal(cw_test_send(&w->card.wire, 0x8010, 0, CW_BYTES_NONE,
			     &caps),
	    0x9000);
	assert_err(cw_card_caps_decode(cw_buf_bytes(&caps), &c), CW_OK);
	assert_memory_not_equal(before, c.nonce, sizeof(before));
	cw_buf_wipe(&caps);
	free_world(w);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_card_that_is_pulled_at_any_apdu_and_put_back_goes_on),
		cmocka_unit_test(
		    a_card_that_stays_out_ends_the_run_with_a_session_that_goes_on),
		cmocka_unit_test(another_card_in_between_is_told_and_not_used),
		cmocka_unit_test(
		    another_cards_session_is_not_taken_up_in_between),
		cmocka_unit_test(a_pin_is_for_the_card_that_it_was_typed_for),
		cmocka_unit_test(
		    a_card_that_names_another_site_is_not_believed),
		cmocka_unit_test(
		    another_intent_than_the_accepted_one_is_asked_about),
		cmocka_unit_test(an_accepted_intent_is_not_asked_about_again),
		cmocka_unit_test(
		    a_run_that_ends_with_an_error_leaves_the_card_reset),
	};

	return cmocka_run_group_tests(tests, cw_world_before_all,
	    cw_world_after_all);
}
