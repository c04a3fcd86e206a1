/* SPDX-License-Identifier: Apache-2.0 */
/* The session engine and messages that are wrong: those that do not verify
 * change nothing, those that do end the session. */
#include <stdlib.h>

#include "server/sweep.h"
#include "tests/support/server_forge.h"

#define STEPS 4u /* messages 2, 4, 6, 8 */

/* ---- what does not verify changes nothing ---- */

struct damage {
	const char *name;
	void (*make)(struct cw_buf *b, size_t k);
};

static void
cut(struct cw_buf *b, size_t k)
{
	cw_buf_truncate(b, b->len * k / 8);
}

static void
flip(struct cw_buf *b, size_t k)
{
	b->ptr[b->len * k / 8 + 3] ^= 0x10;
}

static void
append(struct cw_buf *b, size_t k)
{
	for (size_t i = 0; i <= k; i++)
		cw_buf_put_u8(b, 0);
}

static void
bomb(struct cw_buf *b, size_t k)
{
	static const uint8_t arrays[] = { 0x9b, 0, 0, 0, 0, 0x10, 0, 0, 0 };
	static const uint8_t maps[] = { 0xbb, 0, 0, 0, 0, 0x10, 0, 0, 0 };

	cw_buf_reset(b);
	cw_buf_put(b,
	    k % 2 == 0 ? CW_BYTES_ARRAY(arrays) : CW_BYTES_ARRAY(maps));
}

static void
nest(struct cw_buf *b, size_t k)
{
	cw_buf_reset(b);
	for (size_t i = 0; i < 100 + k; i++)
		cw_buf_put_u8(b, 0x81);
	cw_buf_put_u8(b, 0);
}

static void
stretch(struct cw_buf *b, size_t k)
{
	/* A longer form than needed (RFC 8949 4.2.1): 0xa1 as 0xb8 0x01. */
	uint8_t head = b->ptr[0];
	struct cw_buf out;

	(void)k;
	cw_buf_init(&out, CW_BODY_MAX);
	cw_buf_put_u8(&out, (uint8_t)((head & 0xe0) | 0x18));
	cw_buf_put_u8(&out, head & 0x1f);
	cw_buf_put(&out, cw_bytes(b->ptr + 1, b->len - 1));
	cw_buf_move(b, &out);
}

static void
empty(struct cw_buf *b, size_t k)
{
	(void)k;
	cw_buf_reset(b);
}

static const struct damage damages[] = {
	{ "cut", cut },
	{ "one bit changed", flip },
	{ "bytes behind the end", append },
	{ "length bomb", bomb },
	{ "nested", nest },
	{ "longer form", stretch },
	{ "empty", empty },
};

static void
post_damaged(struct cw_server_world *w, const struct cw_server_play *play,
    unsigned step, const struct damage *damage, size_t k)
{
	struct cw_server_play other;
	enum cw_err err;

	cw_server_play_init(&other);
	memcpy(other.id, play->id, sizeof(other.id));
	cw_buf_put(&other.messages[step], cw_buf_bytes(&play->messages[step]));
	damage->make(&other.messages[step], k);
	err = cw_server_play_post(w, &other, step);
	if (err == CW_OK || cw_err_category(err) == CW_CAT_INTERNAL)
		fail_msg("step %u, %s, %zu: %s", step, damage->name, k,
		    cw_err_name(err));
	assert_int_equal(other.answers[step].len, 0);
	cw_server_play_wipe(&other);
}

static void
damaged_messages_are_refused_and_the_session_goes_on(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_init(&play);
	for (unsigned step = 0; step < STEPS; step++) {
		cw_server_play_message(w, &play, step);
		/* Message 2 is not authenticated: a changed one may be one. */
		for (size_t d = 0; d < COUNT(damages); d++)
			for (size_t k = 0; k < 8; k++)
				if (step > 0 || damages[d].make != flip)
					post_damaged(w, &play, step,
					    &damages[d], k);
		assert_err(cw_server_play_post(w, &play, step), CW_OK);
	}
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	cw_server_play_wipe(&play);
}

/* At each stage, the messages of every other step of another session. */
static void
messages_of_another_session_change_nothing(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play one;
	struct cw_server_play two;
	struct cw_buf answer;

	cw_server_play_init(&one);
	cw_server_play_init(&two);
	cw_buf_init(&answer, CW_BODY_MAX);
	cw_server_play_until(w, &two, 3);
	cw_server_card_new(w);
	cw_server_world_invite(w, CW_MODE_PSEUDONYMOUS, 1);
	for (unsigned step = 0; step < STEPS; step++) {
		for (unsigned s = 1; s < STEPS && step > 0; s++)
			assert_err(cw_session_message(&w->engine, one.id,
				       cw_buf_bytes(&two.messages[s]), &answer,
				       NULL),
			    s > 1 && step == 1      ? CW_ERR_WRONG_STEP :
				s == 3 && step == 2 ? CW_ERR_WRONG_REPLY :
						      CW_ERR_BAD_CIPHERTEXT);
		cw_server_play_message(w, &one, step);
		assert_err(cw_server_play_post(w, &one, step), CW_OK);
	}
	cw_buf_wipe(&answer);
	cw_server_play_wipe(&one);
	cw_server_play_wipe(&two);
}

static void
messages_too_early_or_for_no_session_are_refused(void **state)
{
	struct cw_server_world *w = *state;
	const uint8_t replies[] = { 0xa1, 0x00, 0x81, 0x41, 0x00 };
	uint8_t id[CW_SESSION_ID_BYTES] = { 1 };
	struct cw_server_play play;
	struct cw_buf answer;

	cw_server_play_init(&play);
	cw_buf_init(&answer, CW_BODY_MAX);
	cw_server_play_until(w, &play, 0);
	assert_err(cw_session_message(&w->engine, play.id,
		       CW_BYTES_ARRAY(replies), &answer, NULL),
	    CW_ERR_WRONG_STEP);
	assert_err(cw_session_message(&w->engine, id, CW_BYTES_ARRAY(replies),
		       &answer, NULL),
	    CW_ERR_NO_SESSION);
	cw_buf_wipe(&answer);
	cw_server_play_wipe(&play);
}

/* ---- what verifies and is wrong ends the session ---- */

static void
the_cards_error_ends_the_session_and_is_remembered(void **state)
{
	static const uint8_t occupied[] = { 0x82, 0x19, 0x01, 0x94, 0xf6 };
	struct cw_server_world *w = *state;

	for (unsigned step = 2; step < STEPS; step++) {
		struct cw_session_secret secret;
		struct cw_server_play play;
		struct cw_session s;

		cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
		cw_server_play_begin(w, &play, step - 1);
		secret = cw_server_secret(w, &play);
		cw_server_forge(&secret, secret.first,
		    cw_buf_bytes(&play.answers[step - 1]),
		    CW_BYTES_ARRAY(occupied), &play.messages[step]);
		for (unsigned i = 0; i < 3; i++) {
			assert_err(cw_server_play_post(w, &play, step),
			    CW_ERR_SLOT_OCCUPIED);
			cw_server_world_restart(w);
		}
		/* Its keys have gone with it. */
		cw_server_play_session(w, &play, &s);
		assert_int_equal(s.stage, CW_STAGE_FAILED);
		assert_int_equal(s.sealed.len, 0);
		cw_session_wipe(&s);
		assert_err(cw_server_play_post(w, &play, 1), CW_OK);
		assert_int_equal(cw_server_play_status(w, &play),
		    step == 2 ? CW_CERT_RESERVED : CW_CERT_SUSPENDED);
		assert_err(cw_sweep_once(&w->engine), CW_OK);
		assert_int_equal(cw_server_play_status(w, &play),
		    step == 2 ? CW_CERT_RESERVED : CW_CERT_REVOKED);
		cw_buf_reset(&play.messages[step]);
		cw_buf_put_u8(&play.messages[step], 0xa0);
		assert_err(cw_server_play_post(w, &play, step),
		    CW_ERR_SESSION_ENDED);
		cw_server_play_wipe(&play);
	}
}

/* What the engine and its store say to each other is no number of a card. */
static void
a_number_that_no_card_may_say_ends_the_session_as_unknown(void **state)
{
	static const uint8_t numbers[][5] = {
		{ 0x82, 0x19, 0x03, 0x27, 0xf6 }, /* 807 EXISTS */
		{ 0x82, 0x19, 0x02, 0xc4, 0xf6 }, /* 708 NOT_FOUND */
		{ 0x82, 0x19, 0x02, 0x61, 0xf6 }, /* 609 STORE_FAILED */
		{ 0x82, 0x18, 0xc9, 0xf6 },       /* 201 BAD_CIPHERTEXT */
	};
	struct cw_server_world *w = *state;

	for (size_t i = 0; i < COUNT(numbers); i++) {
		size_t len = numbers[i][1] == 0x18 ? 4 : 5;
		struct cw_session_secret secret;
		struct cw_server_play play;

		cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
		cw_server_play_begin(w, &play, 1);
		secret = cw_server_secret(w, &play);
		cw_server_forge(&secret, secret.first,
		    cw_buf_bytes(&play.answers[1]), cw_bytes(numbers[i], len),
		    &play.messages[2]);
		for (unsigned k = 0; k < 3; k++)
			assert_err(cw_server_play_post(w, &play, 2),
			    CW_ERR_PEER_UNKNOWN);
		cw_server_play_wipe(&play);
	}
}

static void
another_message_6_that_verifies_ends_the_session(void **state)
{
	static const uint8_t occupied[] = { 0x82, 0x19, 0x01, 0x94, 0xf6 };
	struct cw_server_world *w = *state;
	struct cw_session_secret secret;
	struct cw_server_play play;

	cw_server_play_begin(w, &play, 2);
	secret = cw_server_secret(w, &play);
	cw_server_forge(&secret, 1, cw_buf_bytes(&play.answers[1]),
	    CW_BYTES_ARRAY(occupied), &play.messages[2]);
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_DIFFERENT_REPEAT);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_DIFFERENT_REPEAT);
	assert_err(cw_server_play_post(w, &play, 3), CW_ERR_SESSION_ENDED);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_SUSPENDED);
	cw_server_play_wipe(&play);
}

static void
another_message_4_that_verifies_ends_the_session(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_session_secret secret;
	struct cw_server_play play;
	struct cw_message4 m;
	struct cw_buf token;

	cw_server_play_init(&play);
	cw_buf_init(&token, CW_BODY_MAX);
	cw_server_play_until(w, &play, 1);
	secret = cw_server_secret(w, &play);
	m.card_ephemeral = secret.card_ephemeral;
	assert_err(cw_channel_seal_token(&secret.channel,
		       cw_bytes_str("another token"), &token),
	    CW_OK);
	m.token = cw_buf_bytes(&token);
	cw_buf_reset(&play.messages[1]);
	cw_message4_encode(&m, &play.messages[1]);
	cw_server_play_message(w, &play, 2);
	assert_err(cw_server_play_post(w, &play, 1), CW_ERR_DIFFERENT_REPEAT);
	assert_err(cw_server_play_post(w, &play, 2), CW_ERR_SESSION_ENDED);
	cw_buf_wipe(&token);
	cw_server_play_wipe(&play);
}

/* Operators' time is for what they can approve: a message 2 is anybody's who has
 * the invitation. */
static void
what_nobody_can_approve_yet_runs_out_soon(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play plays[2];
	unsigned opened = 0;

	w->profile = "approved";
	w->approvals = 2;
	cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
	for (unsigned i = 0; i < 2; i++) {
		cw_server_play_init(&plays[i]);
		cw_server_play_until(w, &plays[i], i);
	}
	/* Messages 2 that no card made. */
	for (size_t bit = 0; bit < 8 * plays[0].messages[0].len; bit++) {
		struct cw_server_play other;

		cw_server_play_init(&other);
		cw_buf_put(&other.messages[0],
		    cw_buf_bytes(&plays[0].messages[0]));
		other.messages[0].ptr[bit / 8] ^= (uint8_t)(1u << (bit % 8));
		opened += cw_server_play_post(w, &other, 0) == CW_OK;
		cw_server_play_wipe(&other);
	}
	assert_in_range(opened, 1, 14);
	w->clock.fixed_s += 60 * w->config.session_minutes + 1;
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_int_equal(atomic_load(&w->engine.open_sessions), 0);
	cw_server_play_message(w, &plays[1], 2);
	assert_err(cw_server_play_post(w, &plays[1], 2),
	    CW_ERR_SESSION_EXPIRED);
	assert_true(plays[1].ended);
	cw_server_play_wipe(&plays[0]);
	cw_server_play_wipe(&plays[1]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(what_nobody_can_approve_yet_runs_out_soon),
		cw_server_test(
		    damaged_messages_are_refused_and_the_session_goes_on),
		cw_server_test(messages_of_another_session_change_nothing),
		cw_server_test(
		    messages_too_early_or_for_no_session_are_refused),
		cw_server_test(
		    the_cards_error_ends_the_session_and_is_remembered),
		cw_server_test(
		    a_number_that_no_card_may_say_ends_the_session_as_unknown),
		cw_server_test(
		    another_message_6_that_verifies_ends_the_session),
		cw_server_test(
		    another_message_4_that_verifies_ends_the_session),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
