/* SPDX-License-Identifier: Apache-2.0 */
/* Management rounds that go wrong: lists that lie, messages of other rounds, cards
 * and issuers that lose their power in between. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/command.h"
#include "proto/rfc4648.h"
#include "tests/support/manage_world.h"
#include "tests/support/server_forge.h"

#define PERSON "person"
#define OWN "person-ed25519" /* outside the slots */

/* ---- lists that lie ---- */

/* What a card would truly say of its only key, to be changed. */
struct told {
	struct cw_reply reply;
	struct cw_listed_key keys[CW_KEYS_MAX];
	struct cw_buf der, others; /* its certificate, and another card's */
};

static void
nothing_at_all(struct told *t)
{
	t->reply.n_keys = 0;
}

static void
endless(struct told *t)
{
	t->reply.n_keys = 0;
	t->reply.more = true;
}

static void
an_id_below(struct told *t)
{
	t->keys[0].id--;
}

static void
the_same_id_twice(struct told *t)
{
	t->reply.n_keys = 2;
	t->keys[1] = t->keys[0];
}

static void
no_certificate(struct told *t)
{
	t->keys[0].n_chain = 0;
}

static void
a_changed_certificate(struct told *t)
{
	t->der.ptr[t->der.len - 1] ^= 1;
}

static void
no_certificate_of_ours(struct told *t)
{
	cw_buf_reset(&t->der);
	cw_buf_put_str(&t->der, "no certificate");
	t->keys[0].chain[0] = cw_buf_bytes(&t->der);
}

static void
a_certificate_of_another_card(struct told *t)
{
	t->keys[0].chain[0] = cw_buf_bytes(&t->others);
}

static void
another_slot(struct told *t)
{
	t->keys[0].attributes.slot = 0x9c;
}

static void
another_usage(struct told *t)
{
	t->keys[0].attributes.usage = CW_USAGE_SIGN;
}

static void
its_own_error(struct told *t)
{
	t->reply.err = CW_ERR_CARD_FULL;
}

static const struct lie {
	const char *name;
	void (*make)(struct told *t);
	enum cw_err want;
} lies[] = {
	{ "a list that goes on with nothing", endless, CW_ERR_WRONG_REPLY },
	{ "a key that was not asked for", an_id_below, CW_ERR_WRONG_REPLY },
	{ "a key twice", the_same_id_twice, CW_ERR_WRONG_REPLY },
	{ "without certificate", no_certificate, CW_ERR_WRONG_REPLY },
	{ "a changed certificate", a_changed_certificate, CW_ERR_WRONG_REPLY },
	{ "another issuer's", no_certificate_of_ours, CW_ERR_WRONG_REPLY },
	{ "another card's", a_certificate_of_another_card, CW_ERR_WRONG_REPLY },
	{ "another slot", another_slot, CW_ERR_NOTHING_THERE },
	{ "another usage", another_usage, CW_ERR_NOTHING_THERE },
	{ "an error of the card", its_own_error, CW_ERR_CARD_FULL },
	/* The last: of its own key a card is believed that it is gone. */
	{ "nothing", nothing_at_all, CW_ERR_NOTHING_THERE },
};

static void
load_certificate(struct cw_server_world *w, const char *serial,
    struct cw_buf *der)
{
	uint8_t number[CW_SERIAL_BYTES];
	struct cw_certificate c;

	assert_true(
	    cw_base16_decode(cw_bytes_str(serial), number, sizeof(number)));
	cw_buf_init(der, CW_CERT_MAX_BYTES);
	assert_err(w->store->certificate_load(w->store, number, &c, der),
	    CW_OK);
}

static void
tell(struct cw_server_world *w, const char *serial, const char *other,
    struct told *t)
{
	const struct cw_profile *p =
	    cw_config_profile(&w->config, cw_bytes_str(PERSON));
	struct cw_intent intent;
	struct cw_grant grant;
	struct cw_listed_key *k = &t->keys[0];

	cw_manage_read(w, &intent, &grant);
	load_certificate(w, serial, &t->der);
	load_certificate(w, other, &t->others);
	t->reply.keys = t->keys;
	t->reply.n_keys = 1;
	k->id = grant.scope.objects[0];
	k->attributes.type = p->key_type;
	k->attributes.usage = p->usage;
	k->attributes.slot = p->slot;
	k->attributes.origin = CW_ORIGIN_CARD;
	k->n_chain = 1;
	k->chain[0] = cw_buf_bytes(&t->der);
	k->has_pin = true;
	k->pin_tries = 3;
}

static void
a_list_that_lies_ends_the_session_and_changes_nothing(void **state)
{
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];
	char other[CW_MANAGE_SERIAL];

	cw_manage_enroll(w, PERSON, other);
	cw_server_card_new(w);
	cw_manage_enroll(w, PERSON, serial);
	for (size_t i = 0; i < COUNT(lies); i++) {
		struct told *t = calloc(1, sizeof(*t));
		struct cw_session_secret secret;
		struct cw_server_play play;
		struct cw_buf plain;

		cw_manage_about(w, "renew", serial, false);
		cw_server_card_select(w);
		cw_server_play_begin(w, &play, 1);
		secret = cw_server_secret(w, &play);
		tell(w, serial, other, t);
		lies[i].make(t);
		cw_buf_init(&plain, CW_COMMAND_MAX);
		cw_reply_encode(CW_LIST, &t->reply, &plain);
		cw_server_forge(&secret, secret.first,
		    cw_buf_bytes(&play.answers[1]), cw_buf_bytes(&plain),
		    &play.messages[2]);
		for (unsigned k = 0; k < 2; k++)
			if (cw_server_play_post(w, &play, 2) != lies[i].want)
				fail_msg("%s", lies[i].name);
		assert_true(play.ended);
		assert_int_equal(cw_server_play_status(w, &play), 0);
		assert_int_equal(cw_manage_status(w, serial, NULL),
		    lies[i].make == nothing_at_all ? CW_CERT_SUSPENDED :
						     CW_CERT_ACTIVE);
		assert_int_equal(cw_manage_status(w, other, NULL),
		    CW_CERT_ACTIVE);
		cw_buf_wipe(&plain);
		cw_buf_wipe(&t->der);
		cw_buf_wipe(&t->others);
		cw_server_play_wipe(&play);
		free(t);
		cw_server_card_abort(w);
	}
}

/* The same id on a card, but not the certificate that the question named: as if
 * two cards had keys of one id. */
static void
a_key_that_the_question_did_not_name_is_left_alone(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_invitation *v = &w->invitation;
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play play;
	struct cw_intent intent;
	struct cw_grant grant;
	struct cw_buf other;

	cw_manage_enroll(w, PERSON, serial);
	cw_manage_about(w, "manage", serial, false);
	cw_manage_read(w, &intent, &grant);
	intent.objects[0].leaf_hash[0] ^= 1;
	cw_buf_init(&other, CW_BODY_MAX);
	cw_intent_encode(&intent, &other);
	cw_buf_move(&v->intent, &other);
	cw_random(v->code_hash, sizeof(v->code_hash));
	assert_err(w->store->invitation_add(w->store, v), CW_OK);
	cw_server_play_begin(w, &play, 1);
	cw_server_play_message(w, &play, 2);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_NOTHING_THERE);
	assert_true(play.ended);
	assert_int_equal(cw_manage_status(w, serial, NULL), CW_CERT_ACTIVE);
	cw_server_play_wipe(&play);
}

/* What was begun must be possible to end: with a key request and a result. */
static void
a_list_that_goes_on_and_on_ends_the_session_while_there_is_room(void **state)
{
	struct cw_server_world *w = *state;
	struct told *t = calloc(1, sizeof(*t));
	char serials[2][CW_MANAGE_SERIAL];
	char both[2 * CW_MANAGE_SERIAL];
	struct cw_server_play play;
	struct cw_session s;
	struct cw_buf plain;
	enum cw_err err = CW_OK;
	unsigned step = 1;

	cw_manage_enroll(w, OWN, serials[0]);
	cw_manage_enroll(w, OWN, serials[1]);
	snprintf(both, sizeof(both), "%s,%s", serials[0], serials[1]);
	cw_manage_about(w, "manage", both, false);
	cw_server_play_begin(w, &play, 1);
	tell(w, serials[0], serials[1], t);
	t->reply.more = true;
	cw_buf_init(&plain, CW_COMMAND_MAX);
	while (err == CW_OK && ++step < CW_SERVER_PLAY_MAX) {
		struct cw_session_secret secret = cw_server_secret(w, &play);

		t->keys[0].id += 2; /* other keys' are odd, too */
		t->keys[0].id += t->keys[0].id % 2;
		cw_buf_reset(&plain);
		cw_reply_encode(CW_LIST, &t->reply, &plain);
		cw_server_forge(&secret, secret.first,
		    cw_buf_bytes(&play.answers[step - 1]), cw_buf_bytes(&plain),
		    &play.messages[step]);
		err = cw_server_play_post(w, &play, step);
	}
	assert_err(err, CW_ERR_COMMAND_LIMIT);
	assert_true(play.ended);
	assert_err(cw_server_play_post(w, &play, step), CW_ERR_COMMAND_LIMIT);
	cw_server_play_session(w, &play, &s);
	assert_true(s.n_digests + 2 <= CW_STEPS_MAX);
	cw_session_wipe(&s);
	cw_buf_wipe(&plain);
	cw_buf_wipe(&t->der);
	cw_buf_wipe(&t->others);
	cw_server_play_wipe(&play);
	free(t);
}

/* ---- messages of other rounds ---- */

/* Another answer to the list than the one that was given. */
static void
forge_list(struct cw_server_world *w, struct cw_server_play *play)
{
	static const uint8_t full[] = { 0x82, 0x19, 0x01, 0x95, 0xf6 };
	struct cw_session_secret secret = cw_server_secret(w, play);

	cw_server_forge(&secret, 1, cw_buf_bytes(&play->answers[1]),
	    CW_BYTES_ARRAY(full), &play->messages[2]);
}

static void
another_answer_to_an_earlier_round_ends_the_session(void **state)
{
	struct cw_server_world *w = *state;

	for (unsigned last = 2; last <= 3; last++) {
		char serial[CW_MANAGE_SERIAL];
		struct cw_server_play play;

		cw_server_card_new(w);
		cw_manage_enroll(w, PERSON, serial);
		cw_manage_about(w, "renew", serial, false);
		cw_server_play_begin(w, &play, last);
		cw_server_play_message(w, &play, last + 1);
		forge_list(w, &play);
		for (unsigned k = 0; k < 2; k++)
			assert_err(cw_server_play_post(w, &play, 2),
			    CW_ERR_DIFFERENT_REPEAT);
		assert_err(cw_server_play_post(w, &play, last + 1),
		    CW_ERR_SESSION_ENDED);
		assert_int_equal(cw_manage_status(w, serial, NULL),
		    CW_CERT_ACTIVE);
		cw_server_play_wipe(&play);
	}
}

static void
another_token_in_a_round_ends_the_session(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_session_secret secret;
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play play;
	struct cw_message4 m;
	struct cw_buf token;

	cw_buf_init(&token, CW_BODY_MAX);
	cw_manage_enroll(w, PERSON, serial);
	cw_manage_about(w, "manage", serial, false);
	cw_server_play_begin(w, &play, 1);
	secret = cw_server_secret(w, &play);
	m.card_ephemeral = secret.card_ephemeral;
	assert_err(cw_channel_seal_token(&secret.channel,
		       cw_bytes_str("another token"), &token),
	    CW_OK);
	m.token = cw_buf_bytes(&token);
	cw_buf_reset(&play.messages[1]);
	cw_message4_encode(&m, &play.messages[1]);
	assert_err(cw_server_play_post(w, &play, 1), CW_ERR_DIFFERENT_REPEAT);
	cw_buf_wipe(&token);
	cw_server_play_wipe(&play);
}

/* One bit anywhere, or the messages of another session: nothing happens. */
static void
what_does_not_verify_changes_nothing(void **state)
{
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play other;
	struct cw_server_play play;
	struct cw_buf answer;

	cw_buf_init(&answer, CW_BODY_MAX);
	cw_manage_enroll(w, PERSON, serial);
	cw_manage_about(w, "unlock", serial, false);
	cw_server_play_begin(w, &other, 3);
	cw_manage_about(w, "renew", serial, false);
	cw_server_play_init(&play);
	for (unsigned step = 0; step <= 4; step++) {
		cw_server_play_message(w, &play, step);
		for (size_t k = 0; step > 0 && k < 16; k++) {
			struct cw_buf *m = &play.messages[step];
			size_t at = m->len * k / 16 + 4;
			enum cw_err err;

			m->ptr[at] ^= 4;
			err = cw_session_message(&w->engine, play.id,
			    cw_buf_bytes(m), &answer, NULL);
			m->ptr[at] ^= 4;
			if (err == CW_OK ||
			    cw_err_category(err) == CW_CAT_INTERNAL)
				fail_msg("step %u, %zu: %s", step, k,
				    cw_err_name(err));
		}
		for (unsigned s = 2; s <= 3 && step > 1; s++)
			assert_int_not_equal(cw_session_message(&w->engine,
						 play.id,
						 cw_buf_bytes(
						     &other.messages[s]),
						 &answer, NULL),
			    CW_OK);
		assert_err(cw_server_play_post(w, &play, step), CW_OK);
	}
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	cw_buf_wipe(&answer);
	cw_server_play_wipe(&other);
	cw_server_play_wipe(&play);
}

/* ---- power ---- */

/* The card is reset before each message, and the issuer is started again and asks
 * the signer a second time. */
static void
a_card_that_is_pulled_in_each_round_goes_on(void **state)
{
	static const char *const actions[] = { "renew", "unlock", "manage" };
	struct cw_server_world *w = *state;

	for (size_t i = 0; i < COUNT(actions); i++) {
		char serial[CW_MANAGE_SERIAL];
		struct cw_server_play play;
		unsigned step = 1;

		cw_server_card_new(w);
		cw_manage_enroll(w, PERSON, serial);
		cw_manage_about(w, actions[i], serial, i == 1);
		cw_server_play_begin(w, &play, 0);
		do {
			cw_server_play_message(w, &play, step);
			cw_card_power(w->card, false);
			cw_card_power(w->card, true);
			cw_server_card_select(w);
			cw_server_world_restart(w);
			/* Executed before: answered from what is kept. */
			if (step > 1)
				cw_server_play_message(w, &play, step);
			assert_err(cw_server_play_post(w, &play, step), CW_OK);
		} while (play.answers[step++].len > 0);
		assert_int_equal(cw_manage_status(w, serial, NULL),
		    CW_CERT_SUSPENDED);
		cw_server_play_wipe(&play);
	}
}

static void
without_the_signer_no_round_is_lost(void **state)
{
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play play;

	cw_manage_enroll(w, PERSON, serial);
	cw_manage_about(w, "renew", serial, false);
	cw_server_play_begin(w, &play, 1);
	cw_keys_tree_kill(w->tree);
	/* The list needs no signer, the certificate does. */
	cw_server_play_message(w, &play, 2);
	assert_err(cw_server_play_post(w, &play, 2), CW_OK);
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_ERR_SIGNER_DOWN);
	cw_keys_tree_start(w->tree, CW_SIGNER_CHANNELS);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	assert_int_equal(cw_server_play_finish(w, &play, 4), 4);
	assert_int_equal(cw_manage_status(w, serial, NULL), CW_CERT_SUSPENDED);
	cw_server_play_wipe(&play);
}

/* It counts what was done, before the store has it. */
static void
without_the_signer_a_result_waits(void **state)
{
	struct cw_server_world *w = *state;
	char serial[CW_MANAGE_SERIAL];
	struct cw_server_play play;

	cw_manage_enroll(w, PERSON, serial);
	cw_manage_about(w, "manage", serial, false);
	cw_server_play_begin(w, &play, 2);
	cw_keys_tree_kill(w->tree);
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_ERR_SIGNER_DOWN);
	assert_false(play.ended);
	assert_int_equal(cw_manage_status(w, serial, NULL), CW_CERT_ACTIVE);
	cw_keys_tree_start(w->tree, CW_SIGNER_CHANNELS);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	assert_int_equal(cw_manage_status(w, serial, NULL), CW_CERT_SUSPENDED);
	cw_server_play_wipe(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    a_list_that_lies_ends_the_session_and_changes_nothing),
		cw_server_test(
		    a_key_that_the_question_did_not_name_is_left_alone),
		cw_server_test(
		    a_list_that_goes_on_and_on_ends_the_session_while_there_is_room),
		cw_server_test(
		    another_answer_to_an_earlier_round_ends_the_session),
		cw_server_test(another_token_in_a_round_ends_the_session),
		cw_server_test(what_does_not_verify_changes_nothing),
		cw_server_test(a_card_that_is_pulled_in_each_round_goes_on),
		cw_server_test(without_the_signer_no_round_is_lost),
		cw_server_test(without_the_signer_a_result_waits),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
