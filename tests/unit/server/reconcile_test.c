/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: threads
 * The store against the signer's log. */
#include "server/admin.h"
#include "server/reconcile.h"

#include "server/sweep.h"
#include "tests/support/server_ask.h"

#define SESSIONS 8

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

	cw_server_play_begin(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	w->store->session_step = no_step;
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_STORE_FAILED);
	w->store->session_step = real;
	cw_server_world_restart(w);
	assert_err(cw_reconcile_log(&w->engine), CW_OK);
	assert_false(cw_server_play_revoked(w, &play));
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

	cw_server_play_begin(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	w->store->session_step = no_step;
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_STORE_FAILED);
	cw_server_world_restart(w);
	w->clock.fixed_s += w->config.session_minutes * 60;
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	assert_true(cw_server_play_revoked(w, &play));
	cw_server_play_wipe(&play);
}

static void
what_the_store_does_not_know_at_all_is_taken_back(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_store *first = w->store;
	bool revoked;

	cw_server_play_begin(w, &play, 3);
	assert_err(cw_store_open_sqlite(cw_server_world_path(w, "other.db"),
		       &w->store),
	    CW_OK);
	w->engine.store = w->store;
	assert_err(cw_reconcile_log(&w->engine), CW_OK);
	cw_store_close(&w->store);
	w->store = first;
	w->engine.store = first;
	revoked = cw_server_play_revoked(w, &play);
	assert_true(revoked);
	cw_server_play_wipe(&play);
}

/* ---- revoked there, and not here ---- */

static void
what_the_signer_has_revoked_the_store_calls_revoked(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_session s;

	for (unsigned last = 2; last <= 3; last++) {
		cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
		cw_server_play_begin(w, &play, last);
		/* The entry is behind the place that was read up to. */
		assert_err(cw_reconcile_log(&w->engine), CW_OK);
		cw_server_play_session(w, &play, &s);
		assert_err(cw_signer_revoke(w->tree->signer, s.serial, 4),
		    CW_OK);
		assert_int_equal(cw_server_play_status(w, &play),
		    last == 2 ? CW_CERT_PENDING : CW_CERT_ACTIVE);
		assert_err(cw_reconcile_log(&w->engine), CW_OK);
		assert_int_equal(cw_server_play_status(w, &play),
		    CW_CERT_REVOKED);
		cw_session_wipe(&s);
		cw_server_play_wipe(&play);
	}
}

/* ---- beside running sessions ---- */

static struct {
	struct cw_server_world *world;
	struct cw_server_play *play; /* its message 6 comes; NULL: it came */
	uint8_t serial[CW_SERIAL_BYTES];
	struct cw_store real;
} between;

static void
message_6_comes(const uint8_t *serial)
{
	struct cw_server_play *play = between.play;

	if (play == NULL ||
	    memcmp(serial, between.serial, CW_SERIAL_BYTES) != 0)
		return;
	between.play = NULL;
	assert_err(cw_server_play_post(between.world, play, 2), CW_OK);
}

static enum cw_err
reserved_then_message(struct cw_store *store, const uint8_t *serial,
    bool *found)
{
	enum cw_err err = between.real.session_reserved(store, serial, found);

	message_6_comes(serial);
	return err;
}

static enum cw_err
load_then_message(struct cw_store *store, const uint8_t *serial,
    struct cw_certificate *out, struct cw_buf *der)
{
	enum cw_err err =
	    between.real.certificate_load(store, serial, out, der);

	message_6_comes(serial);
	return err;
}

/* Signed, not stored; stored between the two questions that are asked of the
 * store, whichever is asked first. */
static void
a_certificate_that_is_stored_between_two_questions_stays(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_session s;

	assert_err(cw_reconcile_log(&w->engine), CW_OK);
	cw_server_play_begin(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	between.real = *w->store;
	w->store->session_step = no_step;
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_STORE_FAILED);
	w->store->session_step = between.real.session_step;
	cw_server_play_session(w, &play, &s);
	memcpy(between.serial, s.serial, sizeof(s.serial));
	cw_session_wipe(&s);
	between.world = w;
	between.play = &play;
	w->store->session_reserved = reserved_then_message;
	w->store->certificate_load = load_then_message;
	assert_err(cw_reconcile_log(&w->engine), CW_OK);
	w->store->session_reserved = between.real.session_reserved;
	w->store->certificate_load = between.real.certificate_load;
	assert_null(between.play);
	assert_false(cw_server_play_revoked(w, &play));
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	cw_server_play_wipe(&play);
}

struct runner {
	struct cw_server_world *world;
	struct cw_server_play play;
	struct cw_card *card;
	uint8_t card_session[CW_SESSION_ID_BYTES];
	enum cw_err err;
};

static void *
post_message_6(void *arg)
{
	struct runner *r = arg;

	r->err = cw_server_play_post(r->world, &r->play, 2);
	return NULL;
}

static atomic_bool runs;

static void *
reconcile_again_and_again(void *arg)
{
	struct runner *r = arg;

	do
		r->err = cw_reconcile_log(&r->world->engine);
	while (r->err == CW_OK && atomic_load(&runs));
	return NULL;
}

static void
swap_card(struct runner *r)
{
	struct cw_card *card = r->world->card;

	r->world->card = r->card;
	r->card = card;
	memcpy(r->world->card_session, r->card_session,
	    sizeof(r->card_session));
}

static void
sessions_that_run_beside_it_keep_their_certificates(void **state)
{
	struct cw_server_world *w = *state;
	static struct runner runners[SESSIONS], reader;
	pthread_t threads[SESSIONS], reading;

	for (size_t i = 0; i < SESSIONS; i++) {
		struct runner *r = &runners[i];

		memset(r, 0, sizeof(*r));
		r->world = w;
		cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
		cw_server_play_begin(w, &r->play, 1);
		cw_server_play_message(w, &r->play, 2);
		memcpy(r->card_session, w->card_session,
		    sizeof(r->card_session));
		swap_card(r);
	}
	reader.world = w;
	atomic_store(&runs, true);
	pthread_create(&reading, NULL, reconcile_again_and_again, &reader);
	for (size_t i = 0; i < SESSIONS; i++)
		pthread_create(&threads[i], NULL, post_message_6, &runners[i]);
	for (size_t i = 0; i < SESSIONS; i++)
		pthread_join(threads[i], NULL);
	atomic_store(&runs, false);
	pthread_join(reading, NULL);
	assert_err(reader.err, CW_OK);
	for (size_t i = 0; i < SESSIONS; i++) {
		struct runner *r = &runners[i];

		assert_err(r->err, CW_OK);
		swap_card(r);
		cw_server_play_message(w, &r->play, 3);
		assert_err(cw_server_play_post(w, &r->play, 3), CW_OK);
		assert_int_equal(cw_server_play_status(w, &r->play),
		    CW_CERT_ACTIVE);
		assert_false(cw_server_play_revoked(w, &r->play));
		swap_card(r);
		cw_card_free(&r->card);
		cw_server_play_wipe(&r->play);
	}
}

/* It may be another log, or one that was cut: nobody may take it for this one. */
static void
assert_health(struct cw_server_world *w, int status)
{
	const struct cw_server_asked a = { .method = "GET",
		.path = "/healthz" };
	struct cw_http_response r;

	cw_server_ask(w, &a, &r);
	assert_int_equal(r.status, status);
	cw_http_response_wipe(&r);
}

static void
a_log_that_has_become_shorter_is_said(void **state)
{
	struct cw_server_world *w = *state;
	uint64_t known = 0;

	assert_health(w, 200);
	assert_err(w->store->number_set(w->store, "signer_log", 1000), CW_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_err(cw_reconcile_log(&w->engine), CW_OK);
		assert_true(atomic_load(&w->engine.log_is_short));
		assert_err(w->store->number_get(w->store, "signer_log", &known),
		    CW_OK);
		assert_int_equal(known, 1000);
		assert_health(w, 503);
	}
	assert_err(w->store->number_set(w->store, "signer_log", 0), CW_OK);
	assert_err(cw_reconcile_log(&w->engine), CW_OK);
	assert_false(atomic_load(&w->engine.log_is_short));
	assert_health(w, 200);
}

/* By who names the number, and so has read what is lost. The running issuer sees
 * it at its next sweep. */
static void
a_shorter_log_is_accepted_on_a_persons_word(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_admin admin = { .config = &w->config, .store = w->store };
	struct cw_server_play play;
	uint64_t known = 0;

	cw_server_play_begin(w, &play, 3);
	assert_err(w->store->number_set(w->store, CW_RECONCILED, 1000), CW_OK);
	assert_err(cw_reconcile_log(&w->engine), CW_OK);
	assert_err(cw_admin_log_accept(&admin), CW_OK);
	admin.has_entries = true;
	admin.entries = 999;
	assert_err(cw_admin_log_accept(&admin), CW_ERR_REFUSED);
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_health(w, 503);
	admin.entries = 1000;
	assert_err(cw_admin_log_accept(&admin), CW_OK);
	assert_err(cw_admin_log_accept(&admin), CW_ERR_REFUSED);
	assert_false(atomic_load(&w->engine.reconciled));
	assert_err(cw_reconcile_log(&w->engine), CW_OK);
	assert_health(w, 200);
	assert_err(w->store->number_get(w->store, CW_RECONCILED, &known),
	    CW_OK);
	assert_in_range(known, 1, 999);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	cw_server_play_wipe(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    a_certificate_that_the_store_missed_waits_for_its_session),
		cw_server_test(a_log_that_has_become_shorter_is_said),
		cw_server_test(a_shorter_log_is_accepted_on_a_persons_word),
		cw_server_test(if_its_session_never_comes_back_it_is_revoked),
		cw_server_test(
		    what_the_store_does_not_know_at_all_is_taken_back),
		cw_server_test(
		    what_the_signer_has_revoked_the_store_calls_revoked),
		cw_server_test(
		    a_certificate_that_is_stored_between_two_questions_stays),
		cw_server_test(
		    sessions_that_run_beside_it_keep_their_certificates),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
