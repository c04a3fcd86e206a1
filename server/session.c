/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session engine: which stage takes which message, what a repeated message
 * gets, and what a message for a step already taken means.
 */
#include "server/session.h"

#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "server/step.h"

#define RACES_MAX 4u

enum kind { KIND_TOKEN, KIND_REPLIES };

static enum cw_err past_token(struct cw_step_run *run);
static enum cw_err managed_or_past(struct cw_step_run *run);
static enum cw_err keys_or_waiting(struct cw_step_run *run);
static enum cw_err result_or_past(struct cw_step_run *run);
static enum cw_err too_early(struct cw_step_run *run);

/* stage x message -> step. A step's commit names the next stage. */
static const struct {
	enum cw_stage stage;
	enum kind kind;
	enum cw_err (*take)(struct cw_step_run *run);
} steps[] = {
	{ CW_STAGE_OPENED, KIND_TOKEN, cw_step_token },
	{ CW_STAGE_OPENED, KIND_REPLIES, too_early },
	{ CW_STAGE_MANAGING, KIND_TOKEN, past_token },
	{ CW_STAGE_MANAGING, KIND_REPLIES, managed_or_past },
	{ CW_STAGE_CREATING, KIND_TOKEN, past_token },
	{ CW_STAGE_CREATING, KIND_REPLIES, keys_or_waiting },
	{ CW_STAGE_INSTALLING, KIND_TOKEN, past_token },
	{ CW_STAGE_INSTALLING, KIND_REPLIES, result_or_past },
};

/* A stage that takes nothing more says why. */
static enum cw_err
stage_error(const struct cw_session *session, uint64_t now_s)
{
	if (session->stage == CW_STAGE_EXPIRED ||
	    (session->stage < CW_STAGE_DONE && now_s >= session->expires_s))
		return CW_ERR_SESSION_EXPIRED;
	return session->stage >= CW_STAGE_DONE ? CW_ERR_SESSION_ENDED : CW_OK;
}

static enum cw_err
too_early(struct cw_step_run *run)
{
	(void)run;
	return CW_ERR_WRONG_STEP;
}

/* Another message 4: it can only verify with the same card ephemeral key, as
 * ours is gone. No genuine card seals a second token under one key. */
static enum cw_err
past_token(struct cw_step_run *run)
{
	struct cw_message4 m;
	enum cw_err err = cw_message4_decode(run->message, &m);

	if (err == CW_OK &&
	    memcmp(&m.card_ephemeral, &run->secret->card_ephemeral,
		sizeof(m.card_ephemeral)) != 0)
		err = CW_ERR_BAD_CIPHERTEXT;
	if (err == CW_OK)
		err = cw_channel_open_token(&run->secret->channel, m.token,
		    &run->kept);
	return err == CW_OK ? cw_step_end(run, CW_ERR_DIFFERENT_REPEAT) : err;
}

/* True if the first reply is one to the first command of an earlier batch. */
static bool
is_past(struct cw_step_run *run)
{
	struct cw_store *store = run->engine->store;
	struct cw_buf batch;
	struct cw_buf plain;
	unsigned first = 1;
	bool past = false;

	cw_buf_init(&batch, CW_BODY_MAX);
	cw_buf_init(&plain, CW_COMMAND_MAX);
	for (unsigned n = 1; n < run->session->n_digests && !past; n++) {
		if (store->step_load(store, run->session->id, n, NULL, &batch,
			NULL) != CW_OK ||
		    cw_batch_decode(cw_buf_bytes(&batch), run->batch) != CW_OK)
			break;
		past = cw_channel_open_reply(&run->secret->channel, first,
			   run->batch->items[0], run->replies->items[0],
			   &plain) == CW_OK;
		first += (unsigned)run->batch->n;
	}
	cw_buf_wipe(&batch);
	cw_buf_wipe(&plain);
	return past;
}

/* Replies that are not to the last batch: to an earlier one they end it. */
static enum cw_err
or_past(struct cw_step_run *run, enum cw_stage stage, enum cw_err err)
{
	if ((err == CW_ERR_BAD_CIPHERTEXT || err == CW_ERR_WRONG_REPLY) &&
	    run->session->stage == stage && is_past(run))
		err = cw_step_end(run, CW_ERR_DIFFERENT_REPEAT);
	return err;
}

static enum cw_err
managed_or_past(struct cw_step_run *run)
{
	return or_past(run, CW_STAGE_MANAGING, cw_step_manage(run));
}

static enum cw_err
keys_or_waiting(struct cw_step_run *run)
{
	const struct cw_session *s = run->session;
	enum cw_err err;

	if (!cw_session_is_waiting(s))
		return or_past(run, CW_STAGE_CREATING, cw_step_keys(run));
	if (memcmp(s->digests[s->n_digests - 1], run->digest, CW_HASH_BYTES) ==
	    0)
		return cw_step_approved(run);
	err = cw_replies_decode(run->message, run->replies);
	if (err == CW_OK)
		err = is_past(run) ? cw_step_end(run, CW_ERR_DIFFERENT_REPEAT) :
				     CW_ERR_BAD_CIPHERTEXT;
	return err;
}

static enum cw_err
result_or_past(struct cw_step_run *run)
{
	return or_past(run, CW_STAGE_INSTALLING, cw_step_result(run));
}

/* True for bytes that were answered before: *err and `answer` are what they got
 * then. */
static bool
repeat(struct cw_step_run *run, struct cw_buf *answer, enum cw_err *err)
{
	const struct cw_session *s = run->session;
	struct cw_store *store = run->engine->store;

	for (size_t i = s->n_digests; i-- > 0;) {
		if (memcmp(s->digests[i], run->digest, CW_HASH_BYTES) != 0)
			continue;
		if (cw_session_is_waiting(s) && i + 1 == s->n_digests)
			return false;
		if (s->stage == CW_STAGE_FAILED && i + 1 == s->n_digests) {
			*err = s->error;
			run->has_ended = true;
		} else if (i + 1 == s->n_digests) {
			cw_buf_put(answer, cw_buf_bytes(&s->batch));
			*err = answer->err;
		} else {
			*err = store->step_load(store, s->id, (unsigned)i + 1,
			    NULL, answer, NULL);
			/* It ended while message 6 waited for approval. */
			if (*err == CW_OK && answer->len == 0) {
				*err = CW_ERR_SESSION_ENDED;
				run->has_ended = true;
			}
		}
		return true;
	}
	return false;
}

/* Replies are a map, message 4 an array; what is neither is for message 4 to
 * refuse. */
static enum kind
kind_of(struct cw_bytes message)
{
	return message.len > 0 && message.ptr[0] >> 5 == 5 ? KIND_REPLIES :
							     KIND_TOKEN;
}

static enum cw_err
dispatch(struct cw_step_run *run, struct cw_buf *answer)
{
	enum kind kind = kind_of(run->message);
	enum cw_err err = stage_error(run->session, run->now_s);

	run->has_ended = err == CW_ERR_SESSION_EXPIRED;
	/* A certificate that is taken back must not be installed: what has run
	 * out does not even repeat itself. */
	if (err == CW_ERR_SESSION_EXPIRED)
		return err;
	if (repeat(run, answer, &err))
		return err;
	err = stage_error(run->session, run->now_s);
	run->has_ended = err != CW_OK;
	if (err == CW_OK)
		err = cw_session_secret_open(run->secret, run->engine->seal,
		    run->session);
	if (err != CW_OK)
		return err;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		if (steps[i].stage != run->session->stage ||
		    steps[i].kind != kind)
			continue;
		err = steps[i].take(run);
		if (err == CW_OK)
			cw_buf_move(answer, &run->answer);
		return err;
	}
	return CW_ERR_WRONG_STEP;
}

/* What one message needs, on the heap: batches are too large for a stack. */
struct workspace {
	struct cw_step_run run;
	struct cw_session session;
	struct cw_session_secret secret;
	struct cw_batch batch, replies;
};

static void
workspace_init(struct workspace *w, struct cw_engine *engine,
    struct cw_bytes message)
{
	cw_session_init(&w->session);
	w->run.engine = engine;
	w->run.session = &w->session;
	w->run.secret = &w->secret;
	w->run.batch = &w->batch;
	w->run.replies = &w->replies;
	w->run.message = message;
	w->run.now_s = cw_clock_now_s(engine->clock);
	cw_hash(message, w->run.digest);
	cw_buf_init(&w->run.answer, CW_BODY_MAX);
	cw_buf_init(&w->run.kept, CW_BODY_MAX);
	cw_buf_init(&w->run.der, CW_CERT_MAX_BYTES);
}

static void
workspace_wipe(struct workspace *w)
{
	cw_session_wipe(&w->session);
	cw_wipe(&w->secret, sizeof(w->secret));
	cw_buf_wipe(&w->run.answer);
	cw_buf_wipe(&w->run.kept);
	cw_buf_wipe(&w->run.der);
}

enum cw_err
cw_session_message(struct cw_engine *engine,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_bytes message,
    struct cw_buf *answer, bool *ended)
{
	struct workspace *w = malloc(sizeof(*w));
	enum cw_err err = CW_OK;
	bool lost = true;

	if (w == NULL)
		return CW_ERR_NO_MEMORY;
	/* Whoever was second sees what the first one stored, and gets its answer
	 * if the messages are the same. */
	for (unsigned i = 0; i < RACES_MAX && lost; i++) {
		memset(w, 0, offsetof(struct workspace, batch));
		workspace_init(w, engine, message);
		err =
		    engine->store->session_load(engine->store, id, &w->session);
		if (err == CW_OK)
			err = dispatch(&w->run, answer);
		lost = w->run.lost_race;
		if (ended != NULL)
			*ended = w->run.has_ended && !lost;
		workspace_wipe(w);
	}
	free(w);
	return lost ? CW_ERR_TOO_BUSY : err;
}
