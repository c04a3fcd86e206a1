/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Results of management that a genuine card signs and that are not what was ordered.
 * A card that says all of it rightly and did not do it is what the conformance kit
 * finds ("management-never"); the next LIST tells as well.
 */
#include <stdlib.h>

#include "tests/support/keys_card.h"
#include "tests/support/manage_world.h"
#include "tests/support/server_forge.h"

#define PERSON "person"

/* What the card has said, and by which key. */
struct said {
	struct cw_result_statement *r;
	const struct cw_keys_card *card;
	const struct cw_private_key *key;
};

static void
nothing_else(struct said *s)
{
	(void)s;
}

static void
no_deed(struct said *s)
{
	s->r->n_items = 0;
}

static void
another_target(struct said *s)
{
	s->r->items[0].object_id += 2;
}

static void
another_certificate(struct said *s)
{
	s->r->items[0].hash[0] ^= 1;
}

static void
another_deed(struct said *s)
{
	s->r->items[0].done = s->r->items[0].done == CW_DONE_DELETED ?
	    CW_DONE_UNLOCKED :
	    CW_DONE_DELETED;
}

static void
one_more(struct said *s)
{
	s->r->items[1] = s->r->items[0];
	s->r->items[1].object_id += 2;
	s->r->n_items = 2;
}

static void
twice(struct said *s)
{
	s->r->items[1] = s->r->items[0];
	s->r->n_items = 2;
}

static void
another_session(struct said *s)
{
	s->r->th[0] ^= 1;
}

static void
other_commands(struct said *s)
{
	s->r->h_end[0] ^= 1;
}

static void
another_nonce(struct said *s)
{
	s->r->close_nonce[0] ^= 1;
}

static void
no_counter(struct said *s)
{
	s->r->has_counter = false;
}

static void
its_own_key(struct said *s)
{
	s->key = s->card->own;
}

static const struct row {
	const char *name;
	void (*change)(struct said *s);
	enum cw_err want;
} rows[] = {
	{ "no deed", no_deed, CW_ERR_WRONG_STATEMENT },
	{ "another target", another_target, CW_ERR_WRONG_STATEMENT },
	{ "another certificate", another_certificate, CW_ERR_WRONG_STATEMENT },
	{ "another deed", another_deed, CW_ERR_WRONG_STATEMENT },
	{ "one deed more", one_more, CW_ERR_WRONG_STATEMENT },
	{ "the deed twice", twice, CW_ERR_WRONG_STATEMENT },
	{ "another session", another_session, CW_ERR_WRONG_STATEMENT },
	{ "other commands", other_commands, CW_ERR_WRONG_STATEMENT },
	{ "another close nonce", another_nonce, CW_ERR_WRONG_STATEMENT },
	{ "no counter", no_counter, CW_ERR_WRONG_STATEMENT },
	{ "another key of the card", its_own_key, CW_ERR_BAD_SIGNATURE },
	/* The last: everything right. */
	{ "what was done", nothing_else, CW_OK },
};

/* The reply to CLOSE, with a statement that is changed and signed again. */
static void
change_reply(struct cw_server_world *w, struct cw_bytes plain,
    void (*change)(struct said *s), struct cw_buf *out)
{
	struct cw_result_statement *r = calloc(1, sizeof(*r));
	struct cw_reply reply = { .err = CW_OK };
	struct cw_keys_card card;
	struct cw_buf statement;
	struct said said;

	cw_keys_card_load(&card, w->tree, w->card_number);
	assert_err(cw_reply_decode(CW_CLOSE, plain, &reply), CW_OK);
	assert_err(cw_result_statement_read(reply.statement, r), CW_OK);
	said = (struct said){ r, &card, card.batch };
	change(&said);
	cw_buf_init(&statement, CW_COMMAND_MAX);
	assert_err(cw_result_statement_make(r, said.key, &statement), CW_OK);
	reply.statement = cw_buf_bytes(&statement);
	cw_reply_encode(CW_CLOSE, &reply, out);
	cw_buf_wipe(&statement);
	cw_keys_card_free(&card);
	free(r);
}

/* Message 8 again, sealed as only the card can. */
static void
say_otherwise(struct cw_server_world *w, struct cw_server_play *play,
    void (*change)(struct said *s))
{
	struct cw_session_secret secret = cw_server_secret(w, play);
	struct cw_batch *batch = calloc(2, sizeof(*batch));
	struct cw_buf plain;
	struct cw_buf changed;
	struct cw_buf sealed;
	size_t last;
	unsigned i;

	cw_buf_init(&plain, CW_COMMAND_MAX);
	cw_buf_init(&changed, CW_BODY_MAX);
	cw_buf_init(&sealed, CW_COMMAND_MAX);
	assert_err(cw_batch_decode(cw_buf_bytes(&play->answers[2]), &batch[0]),
	    CW_OK);
	assert_err(cw_replies_decode(cw_buf_bytes(&play->messages[3]),
		       &batch[1]),
	    CW_OK);
	assert_int_equal(batch[1].n, batch[0].n);
	last = batch[1].n - 1;
	i = secret.first + (unsigned)last;
	assert_err(cw_channel_open_reply(&secret.channel, i,
		       batch[0].items[last], batch[1].items[last], &plain),
	    CW_OK);
	change_reply(w, cw_buf_bytes(&plain), change, &changed);
	assert_err(cw_channel_seal_reply(&secret.channel, i,
		       batch[0].items[last], cw_buf_bytes(&changed), &sealed),
	    CW_OK);
	batch[1].items[last] = cw_buf_bytes(&sealed);
	cw_buf_reset(&changed);
	cw_replies_encode(&batch[1], &changed);
	cw_buf_move(&play->messages[3], &changed);
	cw_buf_wipe(&plain);
	cw_buf_wipe(&sealed);
	free(batch);
}

static void
a_result_that_is_not_what_was_ordered_changes_no_certificate(void **state)
{
	static const char *const actions[] = { "unlock", "manage" };
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];

	for (size_t a = 0; a < COUNT(actions); a++) {
		cw_server_card_new(w);
		cw_manage_enroll(w, PERSON, serial);
		for (size_t i = 0; i < COUNT(rows); i++) {
			const struct row *row = &rows[i];
			struct cw_server_play play;
			bool is_deleted = a == 1 && row->want == CW_OK;

			/* A deletion is done by the card: a new key for each. */
			if (a == 1 && i > 0) {
				cw_server_card_new(w);
				cw_manage_enroll(w, PERSON, serial);
			}
			cw_manage_about(w, actions[a], serial, false);
			cw_server_card_select(w);
			cw_server_play_begin(w, &play, 2);
			cw_server_play_message(w, &play, 3);
			say_otherwise(w, &play, row->change);
			if (cw_server_play_post(w, &play, 3) != row->want)
				fail_msg("%s: %s", actions[a], row->name);
			assert_row(row->name,
			    play.ended == (row->want != CW_OK));
			assert_int_equal(cw_manage_status(w, serial, NULL),
			    is_deleted ? CW_CERT_SUSPENDED : CW_CERT_ACTIVE);
			cw_server_play_wipe(&play);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    a_result_that_is_not_what_was_ordered_changes_no_certificate),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
