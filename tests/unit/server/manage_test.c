/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions about what a card holds already: a new key in the place of one,
 * deletion, unlock. With a real signer and a real card, without HTTP. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/command.h"
#include "server/evidence.h"
#include "server/sweep.h"
#include "tests/support/manage_world.h"

#define PERSON "person"      /* slot 9A */
#define OWN "person-ed25519" /* outside the slots, with a PIN */

static void
is_proven(struct cw_evidence *e, struct cw_trust *vendor,
    struct cw_trust *issuer)
{
	const char *failed = "nothing";

	if (cw_evidence_verify(e, vendor, issuer, &failed) != CW_OK)
		fail_msg("evidence: %s", failed);
}

static void
a_renewal_takes_the_old_ones_place_and_only_then_the_old_one_goes(void **state)
{
	static const char *const profiles[] = { PERSON, OWN };
	struct cw_server_world *w = *state;

	for (size_t i = 0; i < COUNT(profiles); i++) {
		char old[CW_MANAGE_SERIAL];
		struct cw_server_play play;
		unsigned wanted;

		cw_server_card_new(w);
		cw_manage_enroll(w, profiles[i], old);
		cw_manage_about(w, "renew", old, false);
		cw_server_play_begin(w, &play, 3);
		assert_int_equal(cw_server_play_status(w, &play),
		    CW_CERT_PENDING);
		assert_int_equal(cw_manage_status(w, old, NULL),
		    CW_CERT_ACTIVE);
		assert_int_equal(cw_server_play_finish(w, &play, 4), 4);
		assert_int_equal(cw_server_play_status(w, &play),
		    CW_CERT_ACTIVE);
		assert_int_equal(cw_manage_status(w, old, &wanted),
		    CW_CERT_SUSPENDED);
		assert_int_equal(wanted, CW_REASON_SUPERSEDED);
		cw_server_play_evidence(w, &play, is_proven);
		assert_err(cw_sweep_once(&w->engine), CW_OK);
		assert_int_equal(cw_manage_status(w, old, NULL),
		    CW_CERT_REVOKED);
		cw_server_play_wipe(&play);
	}
}

/* The evidence of a session that made no key. */
static void
proves_deeds(struct cw_server_world *w, const struct cw_server_play *play)
{
	struct cw_evidence *e = calloc(1, sizeof(*e));
	struct cw_trust *vendor = cw_server_world_trust(w, "vendor-root.pem");
	struct cw_trust *issuer = cw_server_world_trust(w, "issuer-root.pem");
	struct cw_buf file;

	cw_buf_init(&file, CW_EVIDENCE_MAX);
	assert_err(cw_evidence_export_session(w->store, play->id, &file),
	    CW_OK);
	assert_err(cw_evidence_decode(cw_buf_bytes(&file), e), CW_OK);
	assert_int_equal(e->n_certificate, 0);
	is_proven(e, vendor, issuer);
	cw_trust_free(&vendor);
	cw_trust_free(&issuer);
	cw_buf_wipe(&file);
	free(e);
}

static void
what_is_deleted_is_revoked_after_the_result_and_proven(void **state)
{
	struct cw_server_world *w = *state;
	char serials[2][CW_MANAGE_SERIAL];
	char both[2 * CW_MANAGE_SERIAL];
	struct cw_server_play play;
	unsigned wanted;

	cw_manage_enroll(w, PERSON, serials[0]);
	cw_manage_enroll(w, OWN, serials[1]);
	snprintf(both, sizeof(both), "%s,%s", serials[0], serials[1]);
	cw_manage_about(w, "manage", both, false);
	cw_server_play_begin(w, &play, 2);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(cw_manage_status(w, serials[i], NULL),
		    CW_CERT_ACTIVE);
	assert_int_equal(cw_server_play_finish(w, &play, 3), 3);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(cw_manage_status(w, serials[i], &wanted),
		    CW_CERT_SUSPENDED);
		assert_int_equal(wanted, CW_REASON_CESSATION);
	}
	proves_deeds(w, &play);
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(cw_manage_status(w, serials[i], NULL),
		    CW_CERT_REVOKED);
	cw_server_play_wipe(&play);
	/* The card says so, too: nothing that is named is there. */
	cw_manage_about(w, "manage", both, false);
	cw_server_play_begin(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_NOTHING_THERE);
	assert_true(play.ended);
	cw_server_play_wipe(&play);
}

static void
an_unlock_gives_the_tries_back_and_can_renew(void **state)
{
	struct cw_server_world *w = *state;

	for (unsigned with_key = 0; with_key <= 1; with_key++) {
		char old[CW_MANAGE_SERIAL];
		struct cw_server_play play;

		cw_server_card_new(w);
		cw_manage_enroll(w, PERSON, old);
		cw_server_card_block(w);
		cw_manage_about(w, "unlock", old, with_key == 1);
		cw_server_play_begin(w, &play, 1);
		assert_int_equal(cw_server_card_tries(w), 0);
		cw_server_play_finish(w, &play, 2);
		assert_int_equal(cw_server_card_tries(w), 3);
		assert_int_equal(cw_manage_status(w, old, NULL),
		    with_key == 1 ? CW_CERT_SUSPENDED : CW_CERT_ACTIVE);
		if (with_key == 1)
			cw_server_play_evidence(w, &play, is_proven);
		else
			proves_deeds(w, &play);
		cw_server_play_wipe(&play);
	}
}

/* Some are on another card, and some are gone: what is there is dealt with. */
static void
what_is_not_on_the_card_is_passed_over(void **state)
{
	struct cw_server_world *w = *state;
	char serials[2][CW_MANAGE_SERIAL];
	char both[2 * CW_MANAGE_SERIAL];
	struct cw_server_play play;

	cw_manage_enroll(w, PERSON, serials[0]);
	w->card_number = 2;
	cw_server_card_new(w);
	cw_manage_enroll(w, PERSON, serials[1]);
	snprintf(both, sizeof(both), "%s,%s", serials[0], serials[1]);
	cw_manage_about(w, "renew", both, false);
	cw_server_play_begin(w, &play, 4);
	assert_int_equal(play.answers[4].len, 0);
	assert_int_equal(cw_manage_status(w, serials[0], NULL), CW_CERT_ACTIVE);
	assert_int_equal(cw_manage_status(w, serials[1], NULL),
	    CW_CERT_SUSPENDED);
	cw_server_play_wipe(&play);
}

/* Two keys of one kind outside the slots: the invitation must name one. */
static void
a_renewal_that_could_mean_two_keys_is_refused(void **state)
{
	struct cw_server_world *w = *state;
	char serials[2][CW_MANAGE_SERIAL];
	char both[2 * CW_MANAGE_SERIAL];
	struct cw_server_play play;

	cw_manage_enroll(w, OWN, serials[0]);
	cw_manage_enroll(w, OWN, serials[1]);
	snprintf(both, sizeof(both), "%s,%s", serials[0], serials[1]);
	cw_manage_about(w, "renew", both, false);
	cw_server_play_begin(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_MANY_TARGETS);
	assert_true(play.ended);
	cw_server_play_wipe(&play);
	cw_manage_about(w, "renew", serials[1], false);
	cw_server_play_begin(w, &play, 4);
	assert_int_equal(cw_manage_status(w, serials[0], NULL), CW_CERT_ACTIVE);
	cw_server_play_wipe(&play);
}

static void
each_round_repeated_gets_the_same_bytes_also_after_a_restart(void **state)
{
	static const struct {
		const char *action;
		unsigned last;
	} rows[] = { { "renew", 4 }, { "manage", 3 }, { "unlock", 3 } };
	struct cw_server_world *w = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char serial[CW_MANAGE_SERIAL];
		struct cw_server_play play;
		struct cw_buf first;

		cw_server_card_new(w);
		cw_manage_enroll(w, PERSON, serial);
		cw_manage_about(w, rows[i].action, serial, false);
		cw_server_play_init(&play);
		cw_buf_init(&first, CW_BODY_MAX);
		for (unsigned last = 0; last <= rows[i].last; last++) {
			cw_server_play_message(w, &play, last);
			assert_err(cw_server_play_post(w, &play, last), CW_OK);
			cw_server_world_restart(w);
			for (unsigned step = 0; step <= last; step++) {
				cw_buf_move(&first, &play.answers[step]);
				assert_err(cw_server_play_post(w, &play, step),
				    CW_OK);
				assert_true(cw_bytes_equal(cw_buf_bytes(&first),
				    cw_buf_bytes(&play.answers[step])));
			}
		}
		assert_int_equal(play.answers[rows[i].last].len, 0);
		cw_buf_wipe(&first);
		cw_server_play_wipe(&play);
	}
}

/* Certificates so long that a reply has room for one key. */
static void
lengthen_chains(struct cw_server_world *w)
{
	static const uint8_t long_one[8000] = { 0x30 };
	const struct cw_engine_chains *chains;
	struct cw_signer_info *info;

	assert_err(cw_engine_chains(&w->engine, &chains), CW_OK);
	info = &w->engine.chains->info;
	for (size_t i = 0; i < 3; i++)
		info->ca[info->n_ca++] = CW_BYTES_ARRAY(long_one);
}

static void
a_long_list_takes_several_rounds(void **state)
{
	struct cw_server_world *w = *state;
	char serials[4][CW_MANAGE_SERIAL];
	char all[4 * CW_MANAGE_SERIAL];
	struct cw_server_play play;

	lengthen_chains(w);
	for (size_t i = 0; i < COUNT(serials); i++)
		cw_manage_enroll(w, OWN, serials[i]);
	snprintf(all, sizeof(all), "%s,%s,%s,%s", serials[0], serials[1],
	    serials[2], serials[3]);
	cw_manage_about(w, "manage", all, false);
	cw_server_play_begin(w, &play, 0);
	assert_int_equal(cw_server_play_finish(w, &play, 1), 6);
	for (size_t i = 0; i < COUNT(serials); i++)
		assert_int_equal(cw_manage_status(w, serials[i], NULL),
		    CW_CERT_SUSPENDED);
	proves_deeds(w, &play);
	cw_server_play_wipe(&play);
}

/* Where the signer certifies nothing, the issuer counts what was done. */
static void
an_invitation_without_a_key_is_used_as_often_as_it_says(void **state)
{
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play play;
	char listed[1024];
	const char *at;
	unsigned used;
	unsigned confirmed;

	cw_manage_enroll(w, PERSON, serial);
	cw_manage_about(w, "unlock", serial, false);
	cw_server_play_begin(w, &play, 3);
	assert_int_equal(play.answers[3].len, 0);
	cw_server_play_wipe(&play);
	assert_err(w->store->invitation_used(w->store, w->invitation.code_hash,
		       &used, &confirmed),
	    CW_OK);
	assert_int_equal(used, 1);
	assert_int_equal(confirmed, 1);
	assert_err(cw_manage_printed(&(struct cw_admin){ .store = w->store },
		       cw_admin_invitations, listed, sizeof(listed)),
	    CW_OK);
	/* This one and the enrolment's. */
	at = strstr(listed, "used       1/1  until ");
	assert_non_null(at);
	assert_non_null(strstr(at + 1, "used       1/1  until "));
	cw_server_play_init(&play);
	cw_server_play_message(w, &play, 0);
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_INVITATION_USED);
	cw_server_play_wipe(&play);
}

/* The signer's log is another file: what was done is known there. */
static void
a_store_that_was_put_back_unlocks_nothing_twice(void **state)
{
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play play;

	cw_manage_enroll(w, PERSON, serial);
	cw_manage_about(w, "unlock", serial, false);
	cw_server_world_copy_store(w, "older");
	cw_server_play_begin(w, &play, 3);
	assert_int_equal(play.answers[3].len, 0);
	cw_server_play_wipe(&play);
	cw_server_world_put_back(w, "older");
	cw_server_play_init(&play);
	cw_server_play_message(w, &play, 0);
	assert_err(cw_server_play_post(w, &play, 0), CW_ERR_INVITATION_USED);
	cw_server_play_wipe(&play);
}

/* However many sessions were begun before the first of them ended. */
static void
an_unlock_for_one_use_is_given_once_by_sessions_side_by_side(void **state)
{
	struct cw_server_world *w = *state;
	uint8_t first[CW_SESSION_ID_BYTES];
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play plays[2];

	cw_manage_enroll(w, PERSON, serial);
	cw_manage_about(w, "unlock", serial, false);
	cw_server_play_begin(w, &plays[0], 1);
	memcpy(first, w->card_session, sizeof(first));
	cw_server_play_begin(w, &plays[1], 1);
	cw_server_play_message(w, &plays[1], 2);
	assert_err(cw_server_play_post(w, &plays[1], 2), CW_OK);
	memcpy(w->card_session, first, sizeof(first));
	cw_server_play_message(w, &plays[0], 2);
	assert_err(cw_server_play_post(w, &plays[0], 2),
	    CW_ERR_INVITATION_USED);
	assert_true(plays[0].ended);
	for (size_t i = 0; i < COUNT(plays); i++)
		cw_server_play_wipe(&plays[i]);
}

/* What may have been signed is taken back; what was there stays. */
static void
a_renewal_that_runs_out_leaves_the_old_certificate(void **state)
{
	struct cw_server_world *w = *state;

	for (unsigned step = 1; step <= 3; step++) {
		uint64_t now_s = w->clock.fixed_s;
		char old[CW_MANAGE_SERIAL];
		struct cw_server_play play;

		cw_server_card_new(w);
		cw_manage_enroll(w, PERSON, old);
		cw_manage_about(w, "renew", old, false);
		cw_server_play_begin(w, &play, step);
		w->clock.fixed_s += w->config.session_minutes * 60;
		cw_server_play_message(w, &play, step + 1);
		assert_err(cw_server_play_post(w, &play, step + 1),
		    CW_ERR_SESSION_EXPIRED);
		assert_err(cw_sweep_once(&w->engine), CW_OK);
		assert_int_equal(cw_manage_status(w, old, NULL),
		    CW_CERT_ACTIVE);
		if (step == 3)
			assert_int_equal(cw_server_play_status(w, &play),
			    CW_CERT_REVOKED);
		w->clock.fixed_s = now_s;
		cw_server_play_wipe(&play);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    a_renewal_takes_the_old_ones_place_and_only_then_the_old_one_goes),
		cw_server_test(
		    what_is_deleted_is_revoked_after_the_result_and_proven),
		cw_server_test(an_unlock_gives_the_tries_back_and_can_renew),
		cw_server_test(what_is_not_on_the_card_is_passed_over),
		cw_server_test(a_renewal_that_could_mean_two_keys_is_refused),
		cw_server_test(
		    each_round_repeated_gets_the_same_bytes_also_after_a_restart),
		cw_server_test(a_long_list_takes_several_rounds),
		cw_server_test(
		    an_invitation_without_a_key_is_used_as_often_as_it_says),
		cw_server_test(a_store_that_was_put_back_unlocks_nothing_twice),
		cw_server_test(
		    an_unlock_for_one_use_is_given_once_by_sessions_side_by_side),
		cw_server_test(
		    a_renewal_that_runs_out_leaves_the_old_certificate),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
