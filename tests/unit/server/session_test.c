/* SPDX-License-Identifier: Apache-2.0 */
/* The session engine with a real signer and a real card, without HTTP. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/evidence.h"
#include "server/evidence.h"
#include "server/sweep.h"
#include "tests/support/server_world.h"

#define STEPS 4u /* messages 2, 4, 6, 8 */

/* ---- it works ---- */

static void
is_proven(struct cw_evidence *e, struct cw_trust *vendor,
    struct cw_trust *issuer)
{
	const char *failed = "nothing";

	if (cw_evidence_verify(e, vendor, issuer, &failed) != CW_OK)
		fail_msg("evidence: %s", failed);
}

static void
a_session_of_every_suite_and_mode_ends_in_a_proven_certificate(void **state)
{
	struct cw_server_world *w = *state;

	for (unsigned suite = 1; suite <= 2; suite++)
		for (unsigned mode = 2; mode <= 3; mode++) {
			struct cw_server_play play;

			for (size_t i = 0; i < w->config.n_profiles; i++)
				w->config.profiles[i].suites = 1u << suite;
			cw_server_world_invite(w, (enum cw_mode)mode, 1);
			cw_server_card_new(w);
			cw_server_play_begin(w, &play, 2);
			assert_int_equal(cw_server_play_status(w, &play),
			    CW_CERT_PENDING);
			cw_server_play_message(w, &play, 3);
			assert_err(cw_server_play_post(w, &play, 3), CW_OK);
			assert_int_equal(play.answers[3].len, 0);
			assert_int_equal(cw_server_play_status(w, &play),
			    CW_CERT_ACTIVE);
			cw_server_play_evidence(w, &play, is_proven);
			cw_server_play_wipe(&play);
		}
}

/* Outside the PIV slots the key's PIN is a policy of its own. */
static void
a_key_outside_the_slots_gets_a_pin_unless_its_profile_says_no(void **state)
{
	struct cw_server_world *w = *state;
	size_t last = w->config.n_profiles - 1;
	struct cw_profile *profile = &w->config.profiles[last];

	w->profile = "person-ed25519";
	assert_string_equal(profile->name, w->profile);
	for (unsigned pin = 0; pin <= 1; pin++) {
		struct cw_server_play play;

		profile->pin = pin == 1;
		cw_server_world_invite(w, CW_MODE_PSEUDONYMOUS, 1);
		cw_server_card_new(w);
		cw_server_play_init(&play);
		/* The signer has the profile as it stands in the file. */
		cw_server_play_until(w, &play, 1);
		cw_server_play_message(w, &play, 2);
		assert_err(cw_server_play_post(w, &play, 2),
		    pin == 1 ? CW_OK : CW_ERR_PROFILE_REFUSES);
		if (pin == 1) {
			cw_server_play_message(w, &play, 3);
			assert_err(cw_server_play_post(w, &play, 3), CW_OK);
			cw_server_play_evidence(w, &play, is_proven);
		}
		cw_server_play_wipe(&play);
	}
}

/* The chain is renewed, and the issuer started again, before the card answers. */
static void
evidence_has_the_chain_that_was_sent(void **state)
{
	struct cw_server_world *w = *state;
	const struct cw_engine_chains *chains;
	struct cw_server_play play;
	struct cw_buf content;

	cw_server_play_begin(w, &play, 2);
	cw_server_world_restart(w);
	assert_err(cw_engine_chains(&w->engine, &chains), CW_OK);
	w->engine.chains->info.n_ca = 0;
	w->engine.chains->info.n_management = 0;
	snprintf(w->engine.chains->version, sizeof(chains->version), "%032x",
	    7u);
	cw_buf_init(&content, 1 << 16);
	cw_policy_encode(&chains->info, &content);
	assert_err(w->store->policy_put(w->store, chains->version,
		       cw_buf_bytes(&content)),
	    CW_OK);
	cw_buf_wipe(&content);
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	cw_server_play_evidence(w, &play, is_proven);
	cw_server_play_wipe(&play);
}

static void
evidence_is_only_given_of_what_the_card_confirmed(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_session s;
	struct cw_buf file;

	cw_server_play_init(&play);
	cw_session_init(&s);
	cw_buf_init(&file, CW_EVIDENCE_MAX);
	cw_server_play_until(w, &play, 2);
	assert_err(w->store->session_load(w->store, play.id, &s), CW_OK);
	assert_err(cw_evidence_export(w->store, s.serial, &file),
	    CW_ERR_NOT_CONFIRMED);
	s.serial[3] ^= 1;
	assert_err(cw_evidence_export(w->store, s.serial, &file),
	    CW_ERR_UNKNOWN_SERIAL);
	cw_buf_wipe(&file);
	cw_session_wipe(&s);
	cw_server_play_wipe(&play);
}

/* ---- the same bytes, the same answer ---- */

static void
every_step_repeated_gets_the_same_bytes_also_after_a_restart(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_buf first;

	cw_server_play_init(&play);
	cw_buf_init(&first, CW_BODY_MAX);
	for (unsigned last = 0; last < STEPS; last++) {
		cw_server_play_message(w, &play, last);
		assert_err(cw_server_play_post(w, &play, last), CW_OK);
		for (unsigned step = 0; step <= last; step++) {
			cw_buf_move(&first, &play.answers[step]);
			assert_err(cw_server_play_post(w, &play, step), CW_OK);
			assert_true(cw_bytes_equal(cw_buf_bytes(&first),
			    cw_buf_bytes(&play.answers[step])));
			cw_server_world_restart(w);
			assert_err(cw_server_play_post(w, &play, step), CW_OK);
			assert_true(cw_bytes_equal(cw_buf_bytes(&first),
			    cw_buf_bytes(&play.answers[step])));
		}
	}
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	cw_buf_wipe(&first);
	cw_server_play_wipe(&play);
}

static void
another_message_2_begins_another_session(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play one;
	struct cw_server_play two;

	cw_server_play_init(&one);
	cw_server_play_init(&two);
	cw_server_play_until(w, &one, 0);
	cw_server_card_new(w);
	cw_server_play_until(w, &two, 0);
	assert_memory_not_equal(one.id, two.id, sizeof(one.id));
	cw_server_play_wipe(&one);
	cw_server_play_wipe(&two);
}

static void
a_message_2_whose_session_ran_out_unused_begins_a_new_one(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	uint8_t id[CW_SESSION_ID_BYTES];

	cw_server_play_begin(w, &play, 0);
	memcpy(id, play.id, sizeof(id));
	w->clock.fixed_s += w->config.session_minutes * 60;
	assert_err(cw_server_play_post(w, &play, 0), CW_OK);
	assert_memory_not_equal(id, play.id, sizeof(id));
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_err(cw_server_play_post(w, &play, 0), CW_OK);
	assert_memory_not_equal(id, play.id, sizeof(id));
	cw_server_play_wipe(&play);
}

/* ---- limits ---- */

static void
what_card_and_invitation_cannot_do_together_is_refused(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_init(&play);
	cw_server_play_message(w, &play, 0);
	for (size_t i = 0; i < w->config.n_profiles; i++)
		w->config.profiles[i].suites = 1u << 9;
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_NO_COMMON_SUITE);
	for (size_t i = 0; i < w->config.n_profiles; i++) {
		w->config.profiles[i].suites = 2u;
		w->config.profiles[i].name[0] = 'X';
	}
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_UNKNOWN_PROFILE);
	w->config = w->tree->config;
	w->config.open_sessions_max = 0;
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_TOO_BUSY);
	w->config = w->tree->config;
	play.messages[0].ptr[play.messages[0].len - 20] ^= 1;
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_BAD_INTENT_HASH);
	cw_server_play_wipe(&play);
}

/* One below, at, and above; a place that comes free is the next one's. */
static void
no_more_sessions_are_open_than_the_configuration_says(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play plays[3];

	w->config.open_sessions_max = 2;
	cw_server_world_invite(w, CW_MODE_PSEUDONYMOUS, 3);
	for (size_t i = 0; i < COUNT(plays); i++) {
		cw_server_card_new(w);
		cw_server_play_init(&plays[i]);
		cw_server_play_message(w, &plays[i], 0);
		assert_err(cw_server_play_post(w, &plays[i], 0),
		    i < 2 ? CW_OK : CW_ERR_TOO_BUSY);
	}
	w->config.open_sessions_max = 3;
	assert_err(cw_server_play_post(w, &plays[2], 0), CW_OK);
	for (size_t i = 0; i < COUNT(plays); i++)
		cw_server_play_wipe(&plays[i]);
}

static void
an_expired_withdrawn_or_used_invitation_is_refused(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_begin(w, &play, 3);
	cw_server_card_new(w);
	cw_server_play_message(w, &play, 0);
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_INVITATION_USED);
	w->invitation.withdrawn = true;
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_BAD_INVITATION);
	w->invitation.withdrawn = false;
	w->clock.fixed_s = w->invitation.expires_s;
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_INVITATION_EXPIRED);
	cw_server_play_wipe(&play);
}

static void
one_invitation_cannot_open_sessions_without_end(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	enum cw_err err = CW_OK;
	unsigned n = 0;

	cw_server_play_init(&play);
	while (err == CW_OK && n < 100) {
		cw_card_power(w->card, false);
		cw_server_card_new(w);
		cw_server_play_message(w, &play, 0);
		err = cw_server_play_post(w, &play, 0);
		n += err == CW_OK;
	}
	assert_err(err, CW_ERR_TOO_BUSY);
	assert_int_equal(n, 14);
	cw_server_play_wipe(&play);
}

static void
a_session_that_has_run_out_takes_nothing_more(void **state)
{
	struct cw_server_world *w = *state;

	for (unsigned step = 1; step < STEPS; step++) {
		uint64_t now_s = w->clock.fixed_s;
		struct cw_server_play play;

		cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
		cw_server_play_begin(w, &play, step - 1);
		cw_server_play_message(w, &play, step);
		w->clock.fixed_s += w->config.session_minutes * 60;
		assert_err(cw_server_play_post(w, &play, step),
		    CW_ERR_SESSION_EXPIRED);
		/* Not even what it answered before: the certificate in it is
		 * about to be taken back. */
		if (step > 1)
			assert_err(cw_server_play_post(w, &play, step - 1),
			    CW_ERR_SESSION_EXPIRED);
		assert_err(cw_sweep_once(&w->engine), CW_OK);
		assert_err(cw_server_play_post(w, &play, step),
		    CW_ERR_SESSION_EXPIRED);
		w->clock.fixed_s = now_s;
		cw_server_play_wipe(&play);
	}
}

/* ---- the signer is away ---- */

static void
without_the_signer_nothing_is_lost(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_init(&play);
	for (unsigned step = 0; step < 3; step++) {
		cw_server_play_message(w, &play, step);
		if (step == 2) {
			/* One is enough: each waits for the full time. */
			cw_keys_tree_kill(w->tree);
			assert_err(cw_server_play_post(w, &play, step),
			    CW_ERR_SIGNER_DOWN);
			cw_keys_tree_start(w->tree, CW_SIGNER_CHANNELS);
		}
		assert_err(cw_server_play_post(w, &play, step), CW_OK);
	}
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	cw_server_play_wipe(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    a_session_of_every_suite_and_mode_ends_in_a_proven_certificate),
		cw_server_test(
		    a_key_outside_the_slots_gets_a_pin_unless_its_profile_says_no),
		cw_server_test(evidence_has_the_chain_that_was_sent),
		cw_server_test(
		    evidence_is_only_given_of_what_the_card_confirmed),
		cw_server_test(
		    every_step_repeated_gets_the_same_bytes_also_after_a_restart),
		cw_server_test(another_message_2_begins_another_session),
		cw_server_test(
		    a_message_2_whose_session_ran_out_unused_begins_a_new_one),
		cw_server_test(
		    what_card_and_invitation_cannot_do_together_is_refused),
		cw_server_test(
		    no_more_sessions_are_open_than_the_configuration_says),
		cw_server_test(
		    an_expired_withdrawn_or_used_invitation_is_refused),
		cw_server_test(one_invitation_cannot_open_sessions_without_end),
		cw_server_test(a_session_that_has_run_out_takes_nothing_more),
		cw_server_test(without_the_signer_nothing_is_lost),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
