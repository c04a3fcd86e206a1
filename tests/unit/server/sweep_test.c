/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: threads
 * What happens without a message, and what racing messages do. */
#include <stdlib.h>

#include "server/reconcile.h"
#include "server/sweep.h"
#include "tests/support/server_world.h"
#include "tests/support/store_world.h"

#define THREADS 8
#define MARGIN_S (2 * CW_CLOCK_SKEW_S)

static void
run_out(struct cw_server_world *w)
{
	w->clock.fixed_s += w->config.session_minutes * 60;
	assert_err(cw_sweep_once(&w->engine), CW_OK);
}

static void
a_session_that_ran_out_before_its_key_leaves_nothing(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_begin(w, &play, 1);
	run_out(w);
	/* The signer could still sign what is on its way to it. */
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_RESERVED);
	w->clock.fixed_s += MARGIN_S - 1;
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_RESERVED);
	w->clock.fixed_s++;
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), 0);
	cw_server_play_wipe(&play);
}

static void
a_certificate_without_a_result_is_revoked(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_begin(w, &play, 2);
	assert_false(cw_server_play_revoked(w, &play));
	run_out(w);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	assert_true(cw_server_play_revoked(w, &play));
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_ERR_SESSION_EXPIRED);
	cw_server_play_wipe(&play);
}

static void
a_confirmed_certificate_is_left_alone(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_begin(w, &play, 3);
	run_out(w);
	assert_err(cw_reconcile_log(&w->engine), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	assert_false(cw_server_play_revoked(w, &play));
	cw_server_play_wipe(&play);
}

static void
while_the_signer_is_down_it_is_suspended_and_revoked_later(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_begin(w, &play, 2);
	cw_keys_tree_kill(w->tree);
	w->clock.fixed_s += w->config.session_minutes * 60;
	assert_err(cw_sweep_once(&w->engine), CW_ERR_SIGNER_DOWN);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_SUSPENDED);
	cw_keys_tree_start(w->tree, CW_SIGNER_CHANNELS);
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	assert_true(cw_server_play_revoked(w, &play));
	cw_server_play_wipe(&play);
}

static void
a_wish_to_revoke_is_carried_out(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_certificate c;
	struct cw_session s;

	cw_server_play_init(&play);
	cw_session_init(&s);
	cw_server_play_until(w, &play, 3);
	assert_err(w->store->session_load(w->store, play.id, &s), CW_OK);
	assert_err(w->store->certificate_set(w->store, s.serial,
		       CW_CERT_SUSPENDED, 1, 5),
	    CW_OK);
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_err(w->store->certificate_load(w->store, s.serial, &c, NULL),
	    CW_OK);
	assert_int_equal(c.status, CW_CERT_REVOKED);
	assert_int_equal(c.wanted, 1);
	assert_true(cw_server_play_revoked(w, &play));
	cw_session_wipe(&s);
	cw_server_play_wipe(&play);
}

/* ---- rows that cannot be revoked ---- */

#define ODD 70 /* more than the sweeper takes at one time */

static void
rows_that_the_signer_does_not_know_stop_no_other_revocation(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_store_world rows = { .store = w->store };
	struct cw_server_play play;

	for (uint8_t i = 1; i <= ODD; i++) {
		struct cw_session odd;
		struct cw_certificate c;

		cw_store_world_add(&rows, &odd, i);
		assert_err(cw_store_world_step(&rows, &odd, CW_STAGE_CREATING,
			       1, NULL),
		    CW_OK);
		c = cw_store_world_certificate(&odd, CW_CERT_SUSPENDED);
		c.wanted = 1;
		assert_err(cw_store_world_step(&rows, &odd, CW_STAGE_DONE, 2,
			       &c),
		    CW_OK);
		cw_session_wipe(&odd);
	}
	cw_server_play_begin(w, &play, 2);
	w->clock.fixed_s += w->config.session_minutes * 60;
	assert_err(cw_sweep_once(&w->engine), CW_ERR_UNKNOWN_SERIAL);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	assert_true(cw_server_play_revoked(w, &play));
	cw_server_play_wipe(&play);
}

/* ---- a session that runs out while the signer signs ---- */

enum cw_err __real_cw_signer_certify(struct cw_signer *signer,
    const struct cw_session_proof *proof, const struct cw_verdict *verdict,
    struct cw_bytes token, struct cw_bytes key_statement,
    const uint8_t serial[CW_SERIAL_BYTES], struct cw_buf *certificate);
enum cw_err __wrap_cw_signer_certify(struct cw_signer *signer,
    const struct cw_session_proof *proof, const struct cw_verdict *verdict,
    struct cw_bytes token, struct cw_bytes key_statement,
    const uint8_t serial[CW_SERIAL_BYTES], struct cw_buf *certificate);

static struct cw_server_world *runs_out_before, *runs_out_after;

/* The request is on its way while the deadline passes and the sweeper comes. */
enum cw_err
__wrap_cw_signer_certify(struct cw_signer *signer,
    const struct cw_session_proof *proof, const struct cw_verdict *verdict,
    struct cw_bytes token, struct cw_bytes key_statement,
    const uint8_t serial[CW_SERIAL_BYTES], struct cw_buf *certificate)
{
	enum cw_err err;

	if (runs_out_before != NULL)
		run_out(runs_out_before);
	err = __real_cw_signer_certify(signer, proof, verdict, token,
	    key_statement, serial, certificate);
	if (runs_out_after != NULL)
		run_out(runs_out_after);
	return err;
}

static void
what_is_signed_after_its_session_ran_out_is_revoked(void **state)
{
	struct cw_server_world *w = *state;

	for (unsigned later_s = 0; later_s < 2; later_s++) {
		struct cw_server_play play;
		uint64_t now_s = w->clock.fixed_s;

		cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
		cw_server_play_begin(w, &play, 1);
		cw_server_play_message(w, &play, 2);
		runs_out_before = w;
		assert_err(cw_server_play_post(w, &play, 2),
		    CW_ERR_SESSION_EXPIRED);
		runs_out_before = NULL;
		assert_int_equal(play.answers[2].len, 0);
		assert_int_equal(cw_server_play_status(w, &play),
		    CW_CERT_RESERVED);
		assert_false(cw_server_play_revoked(w, &play));
		/* In the next pass, or when nothing can be signed any more. */
		w->clock.fixed_s += later_s * MARGIN_S;
		assert_err(cw_sweep_once(&w->engine), CW_OK);
		assert_true(cw_server_play_revoked(w, &play));
		assert_int_equal(cw_server_play_status(w, &play),
		    CW_CERT_REVOKED);
		w->clock.fixed_s = now_s;
		cw_server_play_wipe(&play);
	}
}

static void
what_is_signed_just_before_its_session_ran_out_is_revoked(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_begin(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	runs_out_after = w;
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_SESSION_EXPIRED);
	runs_out_after = NULL;
	assert_true(cw_server_play_revoked(w, &play));
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	cw_server_play_wipe(&play);
}

static void
the_sweeper_does_all_of_it_by_itself(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_sweeper *sweeper;

	cw_server_play_begin(w, &play, 2);
	w->clock.fixed_s += w->config.session_minutes * 60;
	sweeper = cw_sweeper_new(&w->engine, 3600);
	assert_non_null(sweeper);
	cw_sweeper_free(&sweeper); /* after its first pass */
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	cw_server_play_wipe(&play);
}

/* ---- racing messages ---- */

struct racer {
	struct cw_server_world *world;
	const struct cw_server_play *play;
	unsigned step;
	uint8_t id[CW_SESSION_ID_BYTES];
	struct cw_buf answer;
	enum cw_err err;
};

static void *
race(void *arg)
{
	struct racer *r = arg;
	struct cw_bytes message = cw_buf_bytes(&r->play->messages[r->step]);

	r->err = r->step == 0 ?
	    cw_session_open(&r->world->engine, &r->world->invitation, message,
		&r->answer, r->id) :
	    cw_session_message(&r->world->engine, r->play->id, message,
		&r->answer, NULL);
	return NULL;
}

static void
racing_messages_get_the_same_bytes_at_every_step(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_init(&play);
	for (unsigned step = 0; step < 4; step++) {
		struct racer racers[THREADS];
		pthread_t threads[THREADS];

		cw_server_play_message(w, &play, step);
		for (size_t i = 0; i < THREADS; i++) {
			racers[i].world = w;
			racers[i].play = &play;
			racers[i].step = step;
			cw_buf_init(&racers[i].answer, CW_BODY_MAX);
			pthread_create(&threads[i], NULL, race, &racers[i]);
		}
		for (size_t i = 0; i < THREADS; i++)
			pthread_join(threads[i], NULL);
		if (step == 0)
			memcpy(play.id, racers[0].id, sizeof(play.id));
		assert_err(cw_server_play_post(w, &play, step), CW_OK);
		for (size_t i = 0; i < THREADS; i++) {
			assert_err(racers[i].err, CW_OK);
			assert_true(
			    cw_bytes_equal(cw_buf_bytes(&racers[i].answer),
				cw_buf_bytes(&play.answers[step])));
			cw_buf_wipe(&racers[i].answer);
		}
	}
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	cw_server_play_wipe(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    a_session_that_ran_out_before_its_key_leaves_nothing),
		cw_server_test(a_certificate_without_a_result_is_revoked),
		cw_server_test(a_confirmed_certificate_is_left_alone),
		cw_server_test(
		    while_the_signer_is_down_it_is_suspended_and_revoked_later),
		cw_server_test(a_wish_to_revoke_is_carried_out),
		cw_server_test(
		    rows_that_the_signer_does_not_know_stop_no_other_revocation),
		cw_server_test(
		    what_is_signed_after_its_session_ran_out_is_revoked),
		cw_server_test(
		    what_is_signed_just_before_its_session_ran_out_is_revoked),
		cw_server_test(the_sweeper_does_all_of_it_by_itself),
		cw_server_test(
		    racing_messages_get_the_same_bytes_at_every_step),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
