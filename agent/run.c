/* SPDX-License-Identifier: Apache-2.0 */
/* The states of a run: which message is taken, and what comes out. */
#include "agent/run_internal.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/base/secret.h"
#include "proto/rfc4648.h"

#define AGENT_NAME "cardwright-agent " CW_AGENT_VERSION
#define RESTARTS_MAX 3 /* times that the card may lose its nonce */

/* Steps and words of a batch, by its phase. */
static const struct {
	unsigned in_step, out_step;
	const char *in_key, *out_key;
} phases[] = {
	[CW_PHASE_MANAGING] = { 4, 4, "management-request",
	    "management-response" },
	[CW_PHASE_CREATING] = { 5, 6, "key-request", "key-response" },
	[CW_PHASE_INSTALLING] = { 7, 8, "certificates", "result" },
};

void
cw_run_out_init(struct cw_run_out *out)
{
	*out = (struct cw_run_out){ .to = CW_RUN_TO_NOBODY };
	cw_buf_init(&out->bytes, CW_BODY_MAX);
}

void
cw_run_out_wipe(struct cw_run_out *out)
{
	cw_buf_wipe(&out->bytes);
	out->to = CW_RUN_TO_NOBODY;
	out->url[0] = '\0';
}

void
cw_run_tell(struct cw_run *run, enum cw_progress_kind kind, unsigned step,
    const char *key)
{
	const struct cw_progress progress = { .kind = kind,
		.step = step,
		.key = key,
		.reader = run->card.name };

	if (run->env.progress != NULL)
		run->env.progress(run->env.ctx, &progress);
}

void
cw_run_tell_wait(struct cw_run *run, const char *key, enum cw_err problem)
{
	const struct cw_progress progress = { .kind = CW_PROGRESS_PERSON_BEGIN,
		.key = key,
		.problem = problem,
		.reader = run->card.name };

	if (run->env.progress != NULL)
		run->env.progress(run->env.ctx, &progress);
}

/* The reader's own waits: another program has the card. */
static void
on_busy(void *ctx, bool is_busy)
{
	struct cw_run *run = ctx;

	if (is_busy)
		cw_run_tell_wait(run, "card-in-use", CW_ERR_CARD_BUSY);
	else
		cw_run_tell(run, CW_PROGRESS_PERSON_END, 0, "card-in-use");
}

struct cw_run *
cw_run_new(const struct cw_run_env *env)
{
	struct cw_run *run;

	if (env->origin.len == 0 || env->origin.len > CW_URI_MAX)
		return NULL;
	run = calloc(1, sizeof(*run));
	if (run == NULL)
		return NULL;
	run->env = *env;
	run->pin = cw_secret_new(sizeof(*run->pin));
	run->puk = cw_secret_new(sizeof(*run->puk));
	cw_buf_init(&run->intent_bytes, CW_BODY_MAX);
	cw_buf_init(&run->caps_bytes, CW_BODY_MAX);
	cw_icc_init(&run->card, env->reader);
	env->reader->patience = (struct cw_reader_patience){
		.busy = on_busy,
		.ctx = run,
		.wait_ms = env->busy_wait_ms,
	};
	if (run->pin == NULL || run->puk == NULL)
		cw_run_free(&run);
	return run;
}

void
cw_run_free(struct cw_run **run)
{
	struct cw_run *r = *run;

	if (r == NULL)
		return;
	cw_icc_disconnect(&r->card, r->is_unclean);
	memset(&r->env.reader->patience, 0, sizeof(r->env.reader->patience));
	cw_secret_free(&r->pin);
	cw_secret_free(&r->puk);
	cw_run_changes_wipe(r);
	cw_buf_wipe(&r->intent_bytes);
	cw_buf_wipe(&r->caps_bytes);
	free(r);
	*run = NULL;
}

void
cw_run_reset(struct cw_run *run)
{
	run->state = RUN_IDLE;
	run->has_session = run->may_have_session = false;
	run->has_intent = false;
	run->restarts = run->batches = run->agains = 0;
	cw_wipe(run->pin, sizeof(*run->pin));
	cw_wipe(run->puk, sizeof(*run->puk));
	cw_buf_reset(&run->caps_bytes);
}

void
cw_run_to_session(struct cw_run *run, struct cw_bytes uri,
    struct cw_run_out *out)
{
	char id[(CW_SESSION_ID_BYTES * 4 + 2) / 3 + 1];

	cw_base64url_encode(cw_bytes(run->session_id, CW_SESSION_ID_BYTES), id);
	snprintf(out->url, sizeof(out->url), "%.*s/%s", (int)uri.len,
	    (const char *)uri.ptr, id);
	out->to = CW_RUN_TO_SESSION;
}

enum cw_err
cw_run_put_message_2(struct cw_run *run, struct cw_run_out *out)
{
	struct cw_capabilities message = {
		.card_caps = cw_buf_bytes(&run->caps_bytes),
		.n_languages = run->env.n_languages,
		.agent = cw_bytes_str(AGENT_NAME),
	};

	memcpy(message.languages, run->env.languages,
	    sizeof(message.languages));
	cw_hash(cw_buf_bytes(&run->intent_bytes), message.intent_hash);
	cw_buf_reset(&out->bytes);
	cw_capabilities_encode(&message, &out->bytes);
	snprintf(out->url, sizeof(out->url), "%.*s",
	    (int)run->intent.session_url.len,
	    (const char *)run->intent.session_url.ptr);
	out->to = CW_RUN_TO_ISSUER;
	run->state = RUN_WANT_REQUEST;
	return out->bytes.err;
}

enum cw_err
cw_run_ask_consent(struct cw_run *run, struct cw_consent *consent)
{
	struct cw_known_issuer issuer;
	bool found = false;
	enum cw_err err = CW_OK;

	if (run->env.known != NULL)
		err = cw_known_find(run->env.known, run->env.origin, &issuer,
		    &found);
	if (err != CW_OK)
		return err;
	consent->origin = run->env.origin;
	consent->is_new = !found;
	cw_run_tell(run, CW_PROGRESS_PERSON_BEGIN, 0, "consent");
	err = run->env.consent(run->env.ctx, consent);
	cw_run_tell(run, CW_PROGRESS_PERSON_END, 0, "consent");
	return err;
}

void
cw_run_use_reader(struct cw_run *run, const char *name)
{
	run->env.reader_name = name;
}

enum cw_err
cw_run_accept(struct cw_run *run, struct cw_bytes intent)
{
	struct cw_consent consent = { 0 };
	enum cw_err err;

	run->is_accepted = false;
	cw_buf_reset(&run->intent_bytes);
	cw_buf_put(&run->intent_bytes, intent);
	err = run->intent_bytes.err;
	if (err == CW_OK)
		err = cw_run_check_intent(run);
	if (err != CW_OK)
		return err;
	cw_run_tell(run, CW_PROGRESS_END, 1, "intent");
	consent.issuer_name = run->intent.issuer_name;
	consent.purpose = run->intent.purpose;
	consent.subject = run->intent.subject;
	consent.action = run->intent.action;
	consent.mode = run->intent.mode;
	consent.scope = &run->intent.scope;
	consent.n_objects = run->intent.n_objects;
	consent.objects = run->intent.objects;
	err = cw_run_ask_consent(run, &consent);
	run->is_accepted = err == CW_OK;
	return err;
}

static enum cw_err
begin(struct cw_run *run, struct cw_bytes intent, struct cw_run_out *out)
{
	bool asked = run->is_accepted &&
	    cw_bytes_equal(intent, cw_buf_bytes(&run->intent_bytes));
	enum cw_err err;

	cw_run_reset(run);
	err = asked ? cw_run_check_intent(run) : cw_run_accept(run, intent);
	run->is_accepted = false;
	if (err != CW_OK)
		return err;
	run->has_intent = true;
	cw_run_tell(run, CW_PROGRESS_BEGIN, 2, "capabilities");
	err = cw_run_find_card(run);
	if (err == CW_OK)
		err = cw_run_read_caps(run);
	if (err == CW_OK)
		err = cw_run_put_message_2(run, out);
	if (err == CW_OK)
		cw_run_tell(run, CW_PROGRESS_END, 2, "capabilities");
	return err;
}

/* Message 3 in, message 4 out; or message 2 again for a new nonce. */
static enum cw_err
take_request(struct cw_run *run, struct cw_bytes bytes, struct cw_run_out *out)
{
	struct cw_request request;
	enum cw_err err = cw_run_check_request(run, bytes, &request);

	if (err != CW_OK)
		return err;
	err = cw_run_remember(run, &request);
	if (err != CW_OK)
		return err;
	memcpy(run->session_id, request.session_id, CW_SESSION_ID_BYTES);
	cw_run_tell(run, CW_PROGRESS_END, 3, "request");
	cw_run_tell(run, CW_PROGRESS_BEGIN, 4, "token");
	cw_buf_reset(&out->bytes);
	run->may_have_session = true;
	err = cw_run_open(run, bytes, request.mode, &out->bytes);
	if (err == CW_ERR_BAD_NONCE && run->restarts++ < RESTARTS_MAX) {
		err = cw_run_read_caps(run);
		return err != CW_OK ? err : cw_run_put_message_2(run, out);
	}
	if (err != CW_OK)
		return err;
	run->has_session = true;
	run->state = RUN_WANT_BATCH;
	cw_run_to_session(run, request.uri, out);
	cw_run_tell(run, CW_PROGRESS_END, 4, "token");
	return CW_OK;
}

static enum cw_err
take_batch(struct cw_run *run, struct cw_bytes bytes, struct cw_run_out *out)
{
	enum cw_err err = cw_batch_decode(bytes, &run->batch);
	enum cw_phase phase = run->batch.phase;

	if (err == CW_OK && run->batches++ >= CW_COMMANDS_MAX)
		err = CW_ERR_COMMAND_LIMIT;
	if (err != CW_OK)
		return err;
	cw_run_tell(run, CW_PROGRESS_END, phases[phase].in_step,
	    phases[phase].in_key);
	cw_run_tell(run, CW_PROGRESS_BEGIN, phases[phase].out_step,
	    phases[phase].out_key);
	cw_buf_reset(&out->bytes);
	err = cw_run_batch(run, &out->bytes);
	if (err != CW_OK)
		return err;
	out->to = CW_RUN_TO_SESSION; /* the address stays */
	cw_run_tell(run, CW_PROGRESS_END, phases[phase].out_step,
	    phases[phase].out_key);
	return CW_OK;
}

static enum cw_err
answer(struct cw_run *run, struct cw_bytes bytes, struct cw_run_out *out)
{
	if (run->state == RUN_WANT_REQUEST)
		return take_request(run, bytes, out);
	if (run->state != RUN_WANT_BATCH)
		return CW_ERR_WRONG_STEP;
	return bytes.len == 0 ? cw_run_finish(run, out) :
				take_batch(run, bytes, out);
}

/* After an error only a new begin or resume is taken. */
static enum cw_err
ended(struct cw_run *run, enum cw_err err, struct cw_run_out *out)
{
	if (err == CW_ERR_CARD_REMOVED && run->env.again_wait_ms > 0 &&
	    (run->has_intent || run->has_session))
		err = cw_run_again(run, out);
	if (err != CW_OK) {
		run->state = RUN_OVER;
		run->has_intent = false;
		run->is_unclean = true;
	}
	return err;
}

enum cw_err
cw_run_begin(struct cw_run *run, struct cw_bytes intent, struct cw_run_out *out)
{
	return ended(run, begin(run, intent, out), out);
}

enum cw_err
cw_run_answer(struct cw_run *run, struct cw_bytes bytes, struct cw_run_out *out)
{
	return ended(run, answer(run, bytes, out), out);
}

enum cw_err
cw_run_resume(struct cw_run *run, enum cw_run_resume *found,
    struct cw_run_out *out)
{
	*found = CW_RESUME_NONE;
	return ended(run, cw_run_take_up(run, found, out), out);
}

bool
cw_run_is_resumable(const struct cw_run *run)
{
	return run->has_session;
}

uint16_t
cw_run_status_word(const struct cw_run *run)
{
	return run->card.sw;
}

const char *
cw_run_reader_name(const struct cw_run *run)
{
	return run->card.name;
}
