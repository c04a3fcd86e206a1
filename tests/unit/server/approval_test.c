/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: threads
 * Deferred issuance: message 6 is kept, and answered when operators approved. */
#include <stdio.h>
#include <stdlib.h>

#include "keys/keyfile.h"
#include "proto/approval.h"
#include "proto/evidence.h"
#include "proto/rfc4648.h"
#include "server/admin.h"
#include "server/evidence.h"
#include "server/step.h"
#include "server/sweep.h"
#include "tests/support/server_world.h"

#define THREADS 6
#define WAITING 15 /* one more than may wait under one invitation */
#define DAY_S (24ull * 3600)

/* ---- operators ---- */

/* `cardwright-admin approve` or `reject` by operator `number`. */
static enum cw_err
decide(struct cw_server_world *w, const struct cw_server_play *play,
    unsigned number, enum cw_err (*command)(struct cw_admin *))
{
	char id[2 * CW_SESSION_ID_BYTES + 1];
	char key[256];
	char name[32];
	struct cw_admin admin = { .config = &w->config,
		.store = w->store,
		.argument = id,
		.operator_key = key,
		.subject = "CN=Ada Lovelace" };

	snprintf(name, sizeof(name), "operator-%u.key", number);
	snprintf(key, sizeof(key), "%s", cw_keys_tree_path(w->tree, name));
	cw_base16_encode(CW_BYTES_ARRAY(play->id), id);
	return command(&admin);
}

/* A session that waits for two operators. */
static void
begin(struct cw_server_world *w, struct cw_server_play *play)
{
	w->profile = "approved";
	w->approvals = 2;
	cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
	cw_server_play_begin(w, play, 1);
	cw_server_play_message(w, play, 2);
	assert_err(cw_server_play_post(w, play, 2), CW_ERR_APPROVAL_PENDING);
	assert_int_equal(play->answers[2].len, 0);
}

static void
counts_two_operators(struct cw_evidence *e, struct cw_trust *vendor,
    struct cw_trust *issuer)
{
	assert_int_equal(e->n_approvals, 2);
	assert_err(cw_evidence_verify(e, vendor, issuer, NULL), CW_OK);
	/* One that does not count takes nothing from them. */
	e->approvals[2] = e->approvals[0];
	e->operators[2] = e->authority[0];
	e->n_approvals = 3;
	assert_err(cw_evidence_verify(e, vendor, issuer, NULL), CW_OK);
	e->n_approvals = 2;
	/* One operator's word twice is one word. */
	e->approvals[1] = e->approvals[0];
	e->operators[1] = e->operators[0];
	assert_err(cw_evidence_verify(e, vendor, issuer, NULL),
	    CW_ERR_BAD_EVIDENCE);
	e->operators[1] = e->authority[0];
	assert_err(cw_evidence_verify(e, vendor, issuer, NULL),
	    CW_ERR_BAD_EVIDENCE);
	e->n_approvals = 0;
	assert_err(cw_evidence_verify(e, vendor, issuer, NULL),
	    CW_ERR_BAD_EVIDENCE);
}

/* ---- sentences ---- */

/* Days and restarts lie between; the same bytes go on. */
static void
message_6_is_answered_when_enough_operators_have_approved(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_buf first;

	begin(w, &play);
	w->clock.fixed_s += 2 * DAY_S;
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	cw_server_world_restart(w);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_APPROVAL_PENDING);
	assert_err(decide(w, &play, 1, cw_admin_approve), CW_OK);
	assert_err(decide(w, &play, 1, cw_admin_approve), CW_ERR_EXISTS);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_APPROVAL_PENDING);
	w->clock.fixed_s += 3 * DAY_S;
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), 0);
	assert_err(decide(w, &play, 2, cw_admin_approve), CW_OK);
	cw_server_world_restart(w);
	assert_err(cw_server_play_post(w, &play, 1), CW_OK);
	assert_err(cw_server_play_post(w, &play, 2), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_PENDING);
	cw_buf_init(&first, CW_BODY_MAX);
	cw_buf_put(&first, cw_buf_bytes(&play.answers[2]));
	cw_server_world_restart(w);
	assert_err(cw_server_play_post(w, &play, 2), CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&first),
	    cw_buf_bytes(&play.answers[2])));
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	cw_buf_wipe(&first);
	cw_server_play_wipe(&play);
}

static void
the_evidence_has_the_approvals(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	begin(w, &play);
	assert_err(decide(w, &play, 1, cw_admin_approve), CW_OK);
	assert_err(decide(w, &play, 2, cw_admin_approve), CW_OK);
	assert_err(cw_server_play_post(w, &play, 2), CW_OK);
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	cw_server_play_evidence(w, &play, counts_two_operators);
	cw_server_play_wipe(&play);
}

static void
a_rejection_ends_the_session_for_good(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	begin(w, &play);
	assert_err(decide(w, &play, 1, cw_admin_approve), CW_OK);
	assert_err(decide(w, &play, 2, cw_admin_reject), CW_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_err(cw_server_play_post(w, &play, 2), CW_ERR_REJECTED);
		assert_int_equal(play.answers[2].len, 0);
		assert_true(play.ended);
		cw_server_world_restart(w);
	}
	assert_err(decide(w, &play, 1, cw_admin_approve), CW_ERR_SESSION_ENDED);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_RESERVED);
	assert_false(cw_server_play_revoked(w, &play));
	cw_server_play_wipe(&play);
}

/* A key that is no operator's does not get as far as the store. */
static void
who_is_no_operator_cannot_approve(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	char id[2 * CW_SESSION_ID_BYTES + 1];
	char key[256];
	struct cw_admin admin = { .config = &w->config,
		.store = w->store,
		.argument = id };

	begin(w, &play);
	cw_base16_encode(CW_BYTES_ARRAY(play.id), id);
	assert_err(cw_admin_approve(&admin), CW_ERR_USAGE);
	snprintf(key, sizeof(key), "%s",
	    cw_keys_tree_path(w->tree, "authority.key"));
	admin.operator_key = key;
	assert_err(cw_admin_approve(&admin), CW_ERR_UNTRUSTED_CHAIN);
	id[0] = 'x';
	assert_err(cw_admin_approve(&admin), CW_ERR_USAGE);
	cw_server_play_wipe(&play);
}

/* ---- a web process that lies to the signer ---- */

static void
add_row(struct cw_server_world *w, const struct cw_server_play *play,
    const char *key_name, uint8_t as, bool says, struct cw_bytes statement)
{
	struct cw_private_key *key = NULL;
	struct cw_approval a = { .is_approved = says, .time_s = 1 };
	struct cw_approval_row row = { .is_approved = true };
	struct cw_buf bytes;

	cw_buf_init(&bytes, CW_APPROVAL_MAX);
	memset(row.operator_hash, as, sizeof(row.operator_hash));
	cw_hash(statement, a.statement_hash);
	assert_err(cw_keyfile_load(cw_keys_tree_path(w->tree, key_name), NULL,
		       &key),
	    CW_OK);
	assert_err(cw_approval_make(&a, key, &bytes), CW_OK);
	row.bytes = cw_buf_bytes(&bytes);
	assert_err(w->store->approval_add(w->store, play->id, &row), CW_OK);
	cw_buf_wipe(&bytes);
	cw_key_free(&key);
}

static void
the_signer_counts_operators_and_not_rows(void **state)
{
	static const struct {
		const char *name, *key;
		bool says, other;
	} rows[] = {
		{ "the same operator again", "operator-1.key", true, false },
		{ "no operator", "authority.key", true, false },
		{ "another statement", "operator-2.key", true, true },
		{ "a rejection", "operator-2.key", false, false },
	};
	struct cw_server_world *w = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_server_play play;
		struct cw_buf statement;

		begin(w, &play);
		cw_buf_init(&statement, CW_BODY_MAX);
		assert_err(w->store->step_load(w->store, play.id, 2, NULL, NULL,
			       &statement),
		    CW_OK);
		add_row(w, &play, "operator-1.key", 1, true,
		    cw_buf_bytes(&statement));
		if (rows[i].other)
			statement.ptr[statement.len - 1] ^= 1;
		add_row(w, &play, rows[i].key, 2, rows[i].says,
		    cw_buf_bytes(&statement));
		assert_row(rows[i].name,
		    cw_server_play_post(w, &play, 2) ==
			CW_ERR_APPROVAL_PENDING);
		assert_int_equal(cw_server_play_status(w, &play), 0);
		assert_err(decide(w, &play, 2, cw_admin_approve), CW_OK);
		assert_err(cw_server_play_post(w, &play, 2), CW_OK);
		cw_buf_wipe(&statement);
		cw_server_play_wipe(&play);
	}
}

/* ---- while it waits ---- */

static void
a_waiting_session_ends_at_its_time(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	begin(w, &play);
	w->clock.fixed_s += 14 * DAY_S - 1;
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_APPROVAL_PENDING);
	w->clock.fixed_s++;
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_SESSION_EXPIRED);
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_SESSION_EXPIRED);
	assert_err(decide(w, &play, 1, cw_admin_approve), CW_ERR_SESSION_ENDED);
	cw_server_play_wipe(&play);
}

/* As the card would seal it, if it did what no card does. */
static void
another_message_6_ends_a_waiting_session(void **state)
{
	static const uint8_t occupied[] = { 0x82, 0x19, 0x01, 0x94, 0xf6 };
	struct cw_server_world *w = *state;
	struct cw_batch *batch = calloc(1, sizeof(*batch));
	struct cw_session_secret secret;
	struct cw_server_play play;
	struct cw_buf sealed;
	struct cw_session s;

	begin(w, &play);
	cw_server_play_session(w, &play, &s);
	assert_err(cw_session_secret_open(&secret, w->seal, &s), CW_OK);
	cw_session_wipe(&s);
	cw_buf_init(&sealed, CW_COMMAND_MAX);
	assert_err(cw_batch_decode(cw_buf_bytes(&play.answers[1]), batch),
	    CW_OK);
	assert_err(cw_channel_seal_reply(&secret.channel, 1, batch->items[0],
		       CW_BYTES_ARRAY(occupied), &sealed),
	    CW_OK);
	batch->n = 1;
	batch->items[0] = cw_buf_bytes(&sealed);
	cw_buf_reset(&play.messages[3]);
	cw_replies_encode(batch, &play.messages[3]);
	play.messages[3].ptr[play.messages[3].len - 1] ^= 1;
	assert_err(cw_server_play_post(w, &play, 3), CW_ERR_BAD_CIPHERTEXT);
	play.messages[3].ptr[play.messages[3].len - 1] ^= 1;
	assert_err(cw_server_play_post(w, &play, 3), CW_ERR_DIFFERENT_REPEAT);
	assert_err(cw_server_play_post(w, &play, 3), CW_ERR_DIFFERENT_REPEAT);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_SESSION_ENDED);
	cw_buf_wipe(&sealed);
	cw_server_play_wipe(&play);
	free(batch);
}

#define SESSIONS 4 /* as many as the card keeps open */

/* Each waits for its own operators, while the card may be used for the others;
 * they are answered in any order. */
static void
a_card_waits_in_as_many_sessions_as_it_keeps(void **state)
{
	static const size_t order[SESSIONS] = { 2, 0, 3, 1 };
	struct cw_server_world *w = *state;
	struct cw_server_play plays[SESSIONS + 1];

	w->profile = "person-ed25519";
	w->approvals = 1;
	for (size_t i = 0; i < SESSIONS; i++) {
		cw_server_world_invite(w, CW_MODE_PSEUDONYMOUS, 1);
		cw_server_play_begin(w, &plays[i], 1);
		cw_server_play_message(w, &plays[i], 2);
		assert_err(cw_server_play_post(w, &plays[i], 2),
		    CW_ERR_APPROVAL_PENDING);
	}
	/* One more is the card's to refuse; the issuer's session just ends. */
	cw_server_world_invite(w, CW_MODE_PSEUDONYMOUS, 1);
	cw_server_play_begin(w, &plays[SESSIONS], 0);
	assert_int_not_equal(cw_server_card_open(w,
				 cw_buf_bytes(&plays[SESSIONS].answers[0])),
	    0x9000);
	for (size_t k = 0; k < SESSIONS; k++) {
		struct cw_server_play *play = &plays[order[k]];

		cw_card_power(w->card, false);
		cw_card_power(w->card, true);
		cw_server_card_select(w);
		cw_server_world_restart(w);
		assert_err(decide(w, play, 1 + (unsigned)(k % 2),
			       cw_admin_approve),
		    CW_OK);
		assert_err(cw_server_play_post(w, play, 2), CW_OK);
		memcpy(w->card_session, play->id, sizeof(play->id));
		cw_server_play_message(w, play, 3);
		assert_err(cw_server_play_post(w, play, 3), CW_OK);
		assert_int_equal(cw_server_play_status(w, play),
		    CW_CERT_ACTIVE);
	}
	for (size_t i = 0; i <= SESSIONS; i++)
		cw_server_play_wipe(&plays[i]);
}

/* One invitation, and cards that never come to an end. */
static void
an_invitation_has_only_so_many_sessions_that_wait(void **state)
{
	struct cw_server_world *w = *state;
	unsigned most = cw_session_per_invitation(1);
	struct cw_server_play plays[WAITING];

	assert_int_equal(most, WAITING - 1);
	w->profile = "approved";
	w->approvals = 2;
	cw_server_world_invite(w, CW_MODE_PSEUDONYMOUS, 1);
	for (unsigned i = 0; i <= most; i++) {
		/* So that as many may begin. */
		w->clock.fixed_s += 60;
		cw_server_card_new(w);
		cw_server_play_begin(w, &plays[i], 1);
		cw_server_play_message(w, &plays[i], 2);
		assert_err(cw_server_play_post(w, &plays[i], 2),
		    i < most ? CW_ERR_APPROVAL_PENDING : CW_ERR_TOO_BUSY);
	}
	assert_false(plays[most].ended);
	/* A place that comes free is the next one's. */
	assert_err(decide(w, &plays[0], 1, cw_admin_reject), CW_OK);
	assert_err(cw_server_play_post(w, &plays[0], 2), CW_ERR_REJECTED);
	assert_err(cw_server_play_post(w, &plays[most], 2),
	    CW_ERR_APPROVAL_PENDING);
	for (unsigned i = 0; i <= most; i++)
		cw_server_play_wipe(&plays[i]);
}

struct racer {
	struct cw_server_world *world;
	const struct cw_server_play *play;
	struct cw_buf answer;
	enum cw_err err;
};

static void *
race(void *arg)
{
	struct racer *r = arg;

	r->err = cw_session_message(&r->world->engine, r->play->id,
	    cw_buf_bytes(&r->play->messages[2]), &r->answer, NULL);
	return NULL;
}

/* From two hosts, at the moment of approval: one answer, the same bytes. */
static void
racing_messages_get_one_answer_when_it_is_approved(void **state)
{
	struct cw_server_world *w = *state;
	struct racer racers[THREADS];
	pthread_t threads[THREADS];
	struct cw_server_play play;

	begin(w, &play);
	assert_err(decide(w, &play, 1, cw_admin_approve), CW_OK);
	assert_err(decide(w, &play, 2, cw_admin_approve), CW_OK);
	for (size_t i = 0; i < THREADS; i++) {
		racers[i].world = w;
		racers[i].play = &play;
		cw_buf_init(&racers[i].answer, CW_BODY_MAX);
		pthread_create(&threads[i], NULL, race, &racers[i]);
	}
	for (size_t i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	assert_err(cw_server_play_post(w, &play, 2), CW_OK);
	for (size_t i = 0; i < THREADS; i++) {
		assert_err(racers[i].err, CW_OK);
		assert_true(cw_bytes_equal(cw_buf_bytes(&racers[i].answer),
		    cw_buf_bytes(&play.answers[2])));
		cw_buf_wipe(&racers[i].answer);
	}
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	cw_server_play_wipe(&play);
}

static void
a_withdrawn_invitation_ends_what_waits(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	for (unsigned swept = 0; swept < 2; swept++) {
		begin(w, &play);
		assert_err(decide(w, &play, 1, cw_admin_approve), CW_OK);
		assert_err(w->store->invitation_withdraw(w->store,
			       w->invitation.code_hash),
		    CW_OK);
		assert_err(decide(w, &play, 2, cw_admin_approve),
		    CW_ERR_BAD_INVITATION);
		if (swept == 1)
			assert_err(cw_sweep_once(&w->engine), CW_OK);
		assert_err(cw_server_play_post(w, &play, 2),
		    CW_ERR_SESSION_EXPIRED);
		assert_true(play.ended);
		cw_server_play_wipe(&play);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    message_6_is_answered_when_enough_operators_have_approved),
		cw_server_test(the_evidence_has_the_approvals),
		cw_server_test(a_rejection_ends_the_session_for_good),
		cw_server_test(a_withdrawn_invitation_ends_what_waits),
		cw_server_test(who_is_no_operator_cannot_approve),
		cw_server_test(the_signer_counts_operators_and_not_rows),
		cw_server_test(a_waiting_session_ends_at_its_time),
		cw_server_test(another_message_6_ends_a_waiting_session),
		cw_server_test(a_card_waits_in_as_many_sessions_as_it_keeps),
		cw_server_test(
		    an_invitation_has_only_so_many_sessions_that_wait),
		cw_server_test(
		    racing_messages_get_one_answer_when_it_is_approved),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
