/* SPDX-License-Identifier: Apache-2.0 */
/* The conversation, as its states: greeting, before the start, the run. */
#include "agent/native.h"

#include <stdlib.h>

#include "agent/exchange.h"
#include "agent/native_frame.h"
#include "agent/native_say.h"
#include "agent/url.h"
#include "proto/base/log.h"

#define HELLO_MS 30000
#define REPLY_MS 120000 /* the content script has a deadline of its own */

struct native {
	const struct cw_native_config *config;
	struct cw_native_link *link;
	struct cw_native_message message; /* the last one taken */
	struct cw_readers readers;
	struct cw_buf json;
	bool is_watching;
	size_t n_languages;
	char languages[CW_LANGUAGES_MAX][CW_LANGUAGE_MAX];
	char origin[CW_URI_MAX + 1];
	char reader_name[CW_READER_NAME_MAX + 1];
	struct cw_run *run;
	struct cw_exchange exchange;
	uint64_t posts;
	enum cw_err broken; /* the link's own error, in the middle of a run */
};

static enum cw_err
next(struct native *n, int timeout_ms)
{
	return n->link->next(n->link, timeout_ms, &n->message);
}

/* What has been put into n->json. */
static enum cw_err
send(struct native *n)
{
	enum cw_err err = n->json.err;

	if (err == CW_OK)
		err = n->link->send(n->link, cw_buf_bytes(&n->json));
	cw_buf_reset(&n->json);
	return err;
}

static enum cw_err
say_status(struct native *n)
{
	n->link->readers(n->link, &n->readers);
	cw_native_say_status(&n->json, &n->readers,
	    n->config->pin_kind(n->config->pin_ctx));
	return send(n);
}

static enum cw_err
say_readers(struct native *n)
{
	n->link->readers(n->link, &n->readers);
	cw_native_say_readers(&n->json, &n->readers);
	return send(n);
}

bool
cw_native_may_ask(const char *origin)
{
	char canonical[CW_URI_MAX + 1];
	bool loopback;

	return cw_url_canonical_origin(origin, canonical, &loopback) == CW_OK &&
	    strcmp(canonical, origin) == 0;
}

/* ---- what the run asks for ---- */

/* A session that this computer began and whose end it does not know. */
static bool
may_resume(const struct native *n)
{
	struct cw_known_issuer issuer;
	bool found = false;

	return n->config->known != NULL &&
	    cw_known_find(n->config->known, cw_bytes_str(n->origin), &issuer,
		&found) == CW_OK &&
	    found && issuer.state == CW_KNOWN_BEGUN;
}

/* Until the person has decided. */
static enum cw_err
decision(struct native *n, bool is_resume)
{
	uint64_t end = cw_clock_monotonic_ms() + n->config->person_ms;
	enum cw_err err;

	for (;;) {
		uint64_t now = cw_clock_monotonic_ms();

		err = next(n, now >= end ? 0 : (int)(end - now));
		if (err != CW_OK || n->message.type == CW_NATIVE_ACCEPT)
			return err;
		if (n->message.type == CW_NATIVE_REFUSE)
			return CW_ERR_REFUSED;
		if (n->message.type == CW_NATIVE_DROP && is_resume)
			return CW_ERR_NO_SESSION;
		if (n->message.type != CW_NATIVE_NONE)
			return CW_ERR_WRONG_STEP;
		/* The first question shows the readers. */
		err = is_resume ? CW_OK : say_readers(n);
		if (err != CW_OK)
			return err;
	}
}

static enum cw_err
on_consent(void *ctx, const struct cw_consent *consent)
{
	struct native *n = ctx;
	enum cw_err err;

	if (consent->is_resume) {
		cw_native_say_unfinished(&n->json, consent,
		    cw_run_reader_name(n->run));
	} else {
		n->link->readers(n->link, &n->readers);
		cw_native_say_consent(&n->json, consent, may_resume(n),
		    &n->readers);
	}
	err = send(n);
	if (err == CW_OK)
		err = decision(n, consent->is_resume);
	if (err != CW_OK || consent->is_resume)
		return err;
	memcpy(n->reader_name, n->message.reader, sizeof(n->reader_name));
	if (n->reader_name[0] != '\0')
		cw_run_use_reader(n->run, n->reader_name);
	return CW_OK;
}

static void
on_progress(void *ctx, const struct cw_progress *progress)
{
	struct native *n = ctx;

	if (cw_native_say_progress(&n->json, progress) && n->broken == CW_OK)
		n->broken = send(n);
	cw_buf_reset(&n->json);
}

static bool
on_is_stopped(void *ctx)
{
	struct native *n = ctx;

	return n->broken != CW_OK || n->link->is_stopped(n->link);
}

static void
take_response(struct native *n, struct cw_net_response *response)
{
	struct cw_net_response *from = &n->message.response;

	cw_net_response_wipe(response);
	response->status = from->status;
	response->is_message = from->is_message;
	response->is_problem = from->is_problem;
	response->retry_after_s = from->retry_after_s;
	cw_buf_move(&response->body, &from->body);
}

/* The page does the HTTP. A late answer to a request that was given up is
 * passed over. */
static enum cw_err
on_post(void *ctx, const char *url, struct cw_bytes body,
    struct cw_net_response *response)
{
	struct native *n = ctx;
	uint64_t id = ++n->posts;
	uint64_t end = cw_clock_monotonic_ms() + REPLY_MS;
	enum cw_err err;

	cw_native_say_post(&n->json, id, url, body);
	err = send(n);
	while (err == CW_OK) {
		uint64_t now = cw_clock_monotonic_ms();

		err = next(n, now >= end ? 0 : (int)(end - now));
		if (err == CW_ERR_PERSON_TIMEOUT)
			return CW_ERR_NETWORK_TIMEOUT;
		if (err != CW_OK || n->message.type == CW_NATIVE_NONE)
			continue;
		if (n->message.type != CW_NATIVE_REPLY || n->message.id > id)
			return CW_ERR_WRONG_STEP;
		if (n->message.id < id)
			continue;
		take_response(n, response);
		return n->message.failure;
	}
	return err;
}

/* ---- the run ---- */

static enum cw_err
make_run(struct native *n)
{
	const struct cw_native_config *c = n->config;
	struct cw_run_env env = {
		.reader = c->reader,
		.card_wait_ms = c->card_ms,
		.again_wait_ms = c->card_ms,
		.busy_wait_ms = c->card_ms,
		.is_patient = true,
		.wants_changes = true,
		.origin = cw_bytes_str(n->origin),
		.pin_entry = c->pin_entry,
		.known = c->known,
		.clock = c->clock,
		.n_languages = n->n_languages,
		.consent = on_consent,
		.progress = on_progress,
		.is_stopped = on_is_stopped,
		.ctx = n,
	};

	for (size_t i = 0; i < n->n_languages; i++)
		env.languages[i] = cw_bytes_str(n->languages[i]);
	n->run = cw_run_new(&env);
	n->exchange = (struct cw_exchange){ .post = on_post,
		.ctx = n,
		.run = n->run,
		.patience_ms = c->patience_ms };
	return n->run != NULL ? CW_OK : CW_ERR_NO_MEMORY;
}

/* The Intent is in `intent`. First the person; then what the card keeps of
 * this issuer; then a new session. */
static enum cw_err
run(struct native *n, struct cw_bytes intent, bool *is_resumed)
{
	struct cw_run_out out;
	enum cw_err err = make_run(n);

	if (err != CW_OK)
		return err;
	cw_run_out_init(&out);
	err = cw_run_accept(n->run, intent);
	if (err == CW_OK)
		err = cw_exchange_resume(&n->exchange, &out, is_resumed);
	if (err == CW_OK && !*is_resumed)
		err = cw_exchange_begin(&n->exchange, intent, &out);
	cw_run_out_wipe(&out);
	return n->broken != CW_OK ? n->broken : err;
}

static enum cw_err
start(struct native *n)
{
	struct cw_buf intent;
	bool is_resumed = false;
	enum cw_err err;

	memcpy(n->origin, n->message.origin, sizeof(n->origin));
	if (!cw_native_may_ask(n->origin))
		return CW_ERR_ORIGIN_NOT_ALLOWED;
	cw_buf_init(&intent, CW_BODY_MAX);
	cw_buf_move(&intent, &n->message.response.body);
	err = run(n, cw_buf_bytes(&intent), &is_resumed);
	cw_buf_wipe(&intent);
	if (err != CW_OK)
		return err;
	cw_native_say_done(&n->json, is_resumed, n->run);
	return send(n);
}

/* ---- before ---- */

static enum cw_err
greet(struct native *n)
{
	enum cw_err err = n->config->refusal;

	if (err == CW_OK)
		do
			err = next(n, HELLO_MS);
		while (err == CW_OK && n->message.type == CW_NATIVE_NONE);
	if (err != CW_OK)
		return err;
	if (n->message.type != CW_NATIVE_HELLO)
		return CW_ERR_WRONG_STEP;
	if (n->message.version != CW_NATIVE_VERSION)
		return CW_ERR_BAD_VERSION;
	n->n_languages = n->message.n_languages;
	memcpy(n->languages, n->message.languages, sizeof(n->languages));
	cw_native_say_hello(&n->json);
	return send(n);
}

static enum cw_err
converse(struct native *n)
{
	enum cw_err err = greet(n);

	while (err == CW_OK) {
		err = next(n, -1);
		if (err != CW_OK)
			break;
		if (n->message.type == CW_NATIVE_START)
			return start(n);
		if (n->message.type == CW_NATIVE_STATUS) {
			n->is_watching = n->message.watch;
			err = say_status(n);
		} else if (n->message.type != CW_NATIVE_NONE) {
			err = CW_ERR_WRONG_STEP;
		} else if (n->is_watching) {
			err = say_status(n);
		}
	}
	return err;
}

/* However it ends, the card comes first: nobody may be listening any more. */
static void
fail(struct native *n, enum cw_err err)
{
	uint16_t sw = 0;
	bool is_resumable = false;
	enum cw_err ignored;

	if (n->run != NULL) {
		sw = cw_run_status_word(n->run);
		is_resumable = cw_run_is_resumable(n->run);
	}
	cw_run_free(&n->run);
	cw_log(CW_LOG_INFO, "native.failed", "name=%s", cw_err_name(err));
	cw_buf_reset(&n->json);
	cw_native_say_failed(&n->json, err, sw, n->exchange.retry_after_s,
	    is_resumable);
	ignored = send(n);
	(void)ignored;
}

enum cw_err
cw_native_serve(const struct cw_native_config *config)
{
	struct native *n = calloc(1, sizeof(*n));
	enum cw_err err;

	if (n == NULL)
		return CW_ERR_NO_MEMORY;
	n->config = config;
	n->link = config->link;
	cw_native_message_init(&n->message);
	cw_buf_init(&n->json, CW_NATIVE_MAX);
	err = converse(n);
	/* Whatever was being done was ended by it. */
	if (err != CW_OK && n->link->is_stopped(n->link))
		err = CW_ERR_CANCELLED;
	if (err != CW_OK)
		fail(n, err);
	cw_run_free(&n->run);
	cw_native_message_wipe(&n->message);
	cw_buf_wipe(&n->json);
	free(n);
	return err;
}
