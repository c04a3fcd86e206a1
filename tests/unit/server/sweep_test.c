/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: threads
 * What happens without a message, and what racing messages do. */
#include <stdlib.h>

#include "server/sweep.h"
#include "tests/support/server_world.h"

#define THREADS 8

static void
run_out(struct cw_server_world *w)
{
	w->clock.fixed_s += w->config.session_minutes * 60;
	assert_err(cw_sweep_once(&w->engine), CW_OK);
}

/* Whether the signer's log says that the session's certificate is revoked. */
static bool
signer_revoked(struct cw_server_world *w, const struct cw_server_play *play)
{
	struct cw_signer_entry entries[16];
	struct cw_session s;
	bool revoked = false;
	uint64_t from = 0;
	size_t n;

	cw_session_init(&s);
	assert_err(w->store->session_load(w->store, play->id, &s), CW_OK);
	do {
		assert_err(cw_signer_log_read(w->tree->signer, from, entries,
			       COUNT(entries), &n),
		    CW_OK);
		for (size_t i = 0; i < n; i++)
			if (memcmp(entries[i].serial, s.serial,
				sizeof(s.serial)) == 0)
				revoked = entries[i].revoked;
		from += n;
	} while (n > 0);
	cw_session_wipe(&s);
	return revoked;
}

static void
a_session_that_ran_out_before_its_key_leaves_nothing(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_init(&play);
	cw_server_play_until(w, &play, 1);
	run_out(w);
	assert_int_equal(cw_server_play_status(w, &play), 0);
	cw_server_play_wipe(&play);
}

static void
a_certificate_without_a_result_is_revoked(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_init(&play);
	cw_server_play_until(w, &play, 2);
	assert_false(signer_revoked(w, &play));
	run_out(w);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	assert_true(signer_revoked(w, &play));
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_ERR_SESSION_EXPIRED);
	cw_server_play_wipe(&play);
}

static void
a_confirmed_certificate_is_left_alone(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_init(&play);
	cw_server_play_until(w, &play, 3);
	run_out(w);
	assert_err(cw_sweep_reconcile(&w->engine), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	assert_false(signer_revoked(w, &play));
	cw_server_play_wipe(&play);
}

static void
while_the_signer_is_down_it_is_suspended_and_revoked_later(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_init(&play);
	cw_server_play_until(w, &play, 2);
	cw_keys_tree_kill(w->tree);
	w->clock.fixed_s += w->config.session_minutes * 60;
	assert_err(cw_sweep_once(&w->engine), CW_ERR_SIGNER_DOWN);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_SUSPENDED);
	cw_keys_tree_start(w->tree, CW_SIGNER_CHANNELS);
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	assert_true(signer_revoked(w, &play));
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
	assert_true(signer_revoked(w, &play));
	cw_session_wipe(&s);
	cw_server_play_wipe(&play);
}

static enum cw_err
no_step(struct cw_store *store, const struct cw_session *after,
    enum cw_stage before, size_t n_before, const struct cw_step *step,
    const struct cw_certificate *certificate)
{
	(void)store;
	(void)after;
	(void)before;
	(void)n_before;
	(void)step;
	(void)certificate;
	return CW_ERR_STORE_FAILED;
}

/* Certified, and lost on the way to the store: the reserved serial says whose
 * it is, so that it is neither forgotten nor taken back too early. */
static void
a_certificate_that_the_store_missed_waits_for_its_session(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	enum cw_err (*real)(struct cw_store *, const struct cw_session *,
	    enum cw_stage, size_t, const struct cw_step *,
	    const struct cw_certificate *) = w->store->session_step;

	cw_server_play_init(&play);
	cw_server_play_until(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	w->store->session_step = no_step;
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_STORE_FAILED);
	w->store->session_step = real;
	cw_server_world_restart(w);
	assert_err(cw_sweep_reconcile(&w->engine), CW_OK);
	assert_false(signer_revoked(w, &play));
	assert_err(cw_server_play_post(w, &play, 2), CW_OK);
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	cw_server_play_wipe(&play);
}

static void
if_its_session_never_comes_back_it_is_revoked(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_init(&play);
	cw_server_play_until(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	w->store->session_step = no_step;
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_STORE_FAILED);
	cw_server_world_restart(w);
	run_out(w);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	assert_true(signer_revoked(w, &play));
	cw_server_play_wipe(&play);
}

static void
what_the_store_does_not_know_at_all_is_taken_back(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_store *first = w->store;
	bool revoked;

	cw_server_play_init(&play);
	cw_server_play_until(w, &play, 3);
	assert_err(cw_store_open_sqlite(cw_server_world_path(w, "other.db"),
		       &w->store),
	    CW_OK);
	w->engine.store = w->store;
	assert_err(cw_sweep_reconcile(&w->engine), CW_OK);
	cw_store_close(&w->store);
	w->store = first;
	w->engine.store = first;
	revoked = signer_revoked(w, &play);
	assert_true(revoked);
	cw_server_play_wipe(&play);
}

static void
the_sweeper_does_all_of_it_by_itself(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_sweeper *sweeper;

	cw_server_play_init(&play);
	cw_server_play_until(w, &play, 2);
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
		&r->answer);
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

#define sentence(s)                                               \
	cmocka_unit_test_setup_teardown(s, cw_server_world_setup, \
	    cw_server_world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(a_session_that_ran_out_before_its_key_leaves_nothing),
		sentence(a_certificate_without_a_result_is_revoked),
		sentence(a_confirmed_certificate_is_left_alone),
		sentence(
		    while_the_signer_is_down_it_is_suspended_and_revoked_later),
		sentence(a_wish_to_revoke_is_carried_out),
		sentence(
		    a_certificate_that_the_store_missed_waits_for_its_session),
		sentence(if_its_session_never_comes_back_it_is_revoked),
		sentence(what_the_store_does_not_know_at_all_is_taken_back),
		sentence(the_sweeper_does_all_of_it_by_itself),
		sentence(racing_messages_get_the_same_bytes_at_every_step),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
