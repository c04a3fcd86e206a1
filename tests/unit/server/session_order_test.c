/* SPDX-License-Identifier: Apache-2.0 */
/* The issuer gets the key that it has ordered: a card that states another one,
 * in however small a thing, ends the session before anything is certified. */
#include <stdlib.h>

#include "server/step.h"
#include "tests/support/keys_card.h"
#include "tests/support/server_world.h"

/* What the card has said, and what is made of it. */
struct said {
	struct cw_key_statement statement;
	struct cw_public_key key; /* beside the statement */
};

static void
another_key(struct said *s)
{
	struct cw_private_key *other;

	assert_err(cw_key_generate(CW_KEY_P256, &other), CW_OK);
	cw_key_public(other, &s->key);
	cw_key_free(&other);
}

static void
another_id(struct said *s)
{
	s->statement.key_id += 2;
}

static void
another_usage(struct said *s)
{
	s->statement.attributes.usage = CW_USAGE_AGREE;
}

static void
imported(struct said *s)
{
	s->statement.attributes.origin = CW_ORIGIN_IMPORTED;
}

static void
exportable(struct said *s)
{
	s->statement.attributes.exportable = true;
}

static void
another_policy(struct said *s)
{
	s->statement.attributes.pin_policy += 1;
}

static void
another_slot(struct said *s)
{
	s->statement.attributes.slot = 0x9D;
}

static void
a_delete_guard(struct said *s)
{
	s->statement.attributes.delete_guard = CW_GUARD_NEVER;
}

static void
algorithms(struct said *s)
{
	s->statement.attributes.n_algorithms = 1;
	s->statement.attributes.algorithms[0] = CW_ALG_ESP256;
}

static void
another_name(struct said *s)
{
	s->statement.attributes.name = cw_bytes_str("someone");
}

static void
no_name(struct said *s)
{
	s->statement.attributes.name = CW_BYTES_NONE;
}

static const struct row {
	const char *name;
	void (*change)(struct said *s);
} rows[] = {
	{ "another key beside the statement", another_key },
	{ "another id", another_id },
	{ "another usage", another_usage },
	{ "imported", imported },
	{ "exportable", exportable },
	{ "another PIN policy", another_policy },
	{ "another slot", another_slot },
	{ "a guard that was not ordered", a_delete_guard },
	{ "algorithms that were not ordered", algorithms },
	{ "another name", another_name },
	{ "no name", no_name },
};

static struct cw_session_secret
secret_of(struct cw_server_world *w, const struct cw_server_play *play)
{
	struct cw_session_secret secret;
	struct cw_session s;

	cw_server_play_session(w, play, &s);
	assert_err(cw_session_secret_open(&secret, w->seal, &s), CW_OK);
	cw_session_wipe(&s);
	return secret;
}

/* What the card has replied to CREATE_KEY, with another key or statement. */
static void
change_reply(struct cw_server_world *w, struct cw_bytes plain,
    void (*change)(struct said *s), struct cw_buf *out)
{
	struct cw_reply reply = { .err = CW_OK };
	struct said said;
	struct cw_public_key attestation;
	struct cw_keys_card card;
	struct cw_buf statement;

	cw_keys_card_load(&card, w->tree, w->card_number);
	cw_key_public(card.batch, &attestation);
	assert_err(cw_reply_decode(CW_CREATE_KEY, plain, &reply), CW_OK);
	assert_err(cw_key_statement_verify(reply.statement, &attestation,
		       &said.statement),
	    CW_OK);
	said.key = reply.key;
	if (change != NULL)
		change(&said);
	cw_buf_init(&statement, CW_COMMAND_MAX);
	assert_err(cw_key_statement_make(&said.statement, card.batch,
		       &statement),
	    CW_OK);
	reply.key = said.key;
	reply.statement = cw_buf_bytes(&statement);
	cw_reply_encode(CW_CREATE_KEY, &reply, out);
	cw_buf_wipe(&statement);
	cw_keys_card_free(&card);
}

/* Message 6 again, sealed as only the card can. */
static void
say_otherwise(struct cw_server_world *w, struct cw_server_play *play,
    void (*change)(struct said *s))
{
	struct cw_session_secret secret = secret_of(w, play);
	struct cw_batch *batch = calloc(2, sizeof(*batch));
	struct cw_buf plain, changed, sealed;

	cw_buf_init(&plain, CW_COMMAND_MAX);
	cw_buf_init(&changed, CW_COMMAND_MAX);
	cw_buf_init(&sealed, CW_COMMAND_MAX);
	assert_err(cw_batch_decode(cw_buf_bytes(&play->answers[1]), &batch[0]),
	    CW_OK);
	assert_err(cw_replies_decode(cw_buf_bytes(&play->messages[2]),
		       &batch[1]),
	    CW_OK);
	assert_int_equal(batch[1].n, 1);
	assert_err(cw_channel_open_reply(&secret.channel, 1, batch[0].items[0],
		       batch[1].items[0], &plain),
	    CW_OK);
	change_reply(w, cw_buf_bytes(&plain), change, &changed);
	assert_err(cw_channel_seal_reply(&secret.channel, 1, batch[0].items[0],
		       cw_buf_bytes(&changed), &sealed),
	    CW_OK);
	batch[1].items[0] = cw_buf_bytes(&sealed);
	cw_buf_reset(&changed);
	cw_replies_encode(&batch[1], &changed);
	cw_buf_move(&play->messages[2], &changed);
	cw_buf_wipe(&plain);
	cw_buf_wipe(&sealed);
	free(batch);
}

static void
a_key_that_was_not_ordered_ends_the_session(void **state)
{
	struct cw_server_world *w = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_server_play play;

		cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
		cw_server_play_begin(w, &play, 1);
		cw_server_play_message(w, &play, 2);
		say_otherwise(w, &play, rows[i].change);
		assert_row(rows[i].name,
		    cw_server_play_post(w, &play, 2) == CW_ERR_WRONG_STATEMENT);
		assert_row(rows[i].name, play.ended);
		assert_int_equal(cw_server_play_status(w, &play),
		    CW_CERT_RESERVED);
		cw_server_play_wipe(&play);
	}
}

static void
the_key_that_was_ordered_is_certified(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_begin(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	say_otherwise(w, &play, NULL);
	assert_err(cw_server_play_post(w, &play, 2), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_PENDING);
	cw_server_play_wipe(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(a_key_that_was_not_ordered_ends_the_session),
		cw_server_test(the_key_that_was_ordered_is_certified),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
