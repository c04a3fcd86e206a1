/* SPDX-License-Identifier: Apache-2.0 */
/* A scripted extension. */
#include "tests/support/native_world.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/rfc4648.h"
#include "tests/support/check.h"

static const char *
member(const char *json, const char *name)
{
	char key[32];
	const char *at;

	snprintf(key, sizeof(key), "\"%s\":", name);
	at = strstr(json, key);
	return at != NULL ? at + strlen(key) : NULL;
}

/* What was posted last, for "@reply". */
static void
keep_post(struct cw_native_world *n, const char *json)
{
	const char *body = member(json, "body");
	size_t len = body != NULL ? strcspn(body + 1, "\"") : 0;

	n->post_id = strtoull(member(json, "id"), NULL, 10);
	memcpy(n->post, body + 1, len);
	n->post[len] = '\0';
	n->has_post = true;
}

static enum cw_err
link_send(struct cw_native_link *link, struct cw_bytes json)
{
	struct cw_native_world *n = (struct cw_native_world *)link;
	size_t at = n->said.len;

	cw_buf_put(&n->said, json);
	cw_buf_put_u8(&n->said, 0);
	if (n->said.err != CW_OK)
		abort();
	if (strncmp((char *)n->said.ptr + at, "{\"type\":\"post\"", 14) == 0)
		keep_post(n, (char *)n->said.ptr + at);
	if (n->on_say != NULL)
		n->on_say(n, (char *)n->said.ptr + at);
	n->said.ptr[n->said.len - 1] = '\n';
	return CW_OK;
}

/* As the page would: the world's issuer, over HTTP. */
static enum cw_err
reply(struct cw_native_world *n, struct cw_native_message *out)
{
	struct cw_buf message, answer, json;
	char *text = malloc(2 * (size_t)CW_BODY_MAX);
	enum cw_err err;

	cw_buf_init(&message, CW_BODY_MAX);
	cw_buf_init(&answer, CW_BODY_MAX);
	cw_buf_init(&json, 4 * (size_t)CW_BODY_MAX);
	err = cw_base64url_get(cw_bytes_str(n->post), &message);
	if (err == CW_OK)
		err = cw_world_issuer(&n->w, cw_buf_bytes(&message), &answer);
	if (err != CW_OK || text == NULL)
		abort();
	cw_base64url_encode(cw_buf_bytes(&answer), text);
	cw_buf_printf(&json,
	    "{\"type\":\"reply\",\"id\":%" PRIu64 ",\"status\":%d,"
	    "\"content_type\":\"%s\",\"retry_after\":null,\"body\":\"%s\"}",
	    n->post_id, answer.len > 0 ? 200 : 204,
	    answer.len > 0 ? CW_MEDIA_TYPE : "", text);
	n->has_post = false;
	err = cw_native_message_decode(cw_buf_bytes(&json), out);
	free(text);
	cw_buf_wipe(&message);
	cw_buf_wipe(&answer);
	cw_buf_wipe(&json);
	return err;
}

static enum cw_err
start(struct cw_native_world *n, struct cw_native_message *out)
{
	char text[4096];
	struct cw_buf json;
	enum cw_err err;

	cw_base64url_encode(cw_buf_bytes(&n->w.intent_bytes), text);
	cw_buf_init(&json, 2 * sizeof(text));
	cw_buf_printf(&json,
	    "{\"type\":\"start\",\"origin\":\"%.*s\",\"intent\":\"%s\"}",
	    (int)n->w.env.origin.len, (const char *)n->w.env.origin.ptr, text);
	err = cw_native_message_decode(cw_buf_bytes(&json), out);
	cw_buf_wipe(&json);
	return err;
}

static enum cw_err
link_next(struct cw_native_link *link, int timeout_ms,
    struct cw_native_message *out)
{
	struct cw_native_world *n = (struct cw_native_world *)link;
	const char *line = n->script[n->at];

	(void)timeout_ms;
	cw_native_message_wipe(out);
	if (n->is_stopped)
		return CW_ERR_CANCELLED;
	if (line != NULL)
		n->at++;
	else
		line = n->has_post ? "@reply" : "@end";
	if (strcmp(line, "@start") == 0)
		return start(n, out);
	if (strcmp(line, "@reply") == 0)
		return reply(n, out);
	if (strcmp(line, "@readers") == 0)
		return CW_OK;
	if (strcmp(line, "@timeout") == 0)
		return CW_ERR_PERSON_TIMEOUT;
	if (strcmp(line, "@end") == 0 || strcmp(line, "@stop") == 0) {
		n->is_stopped = true;
		return CW_ERR_CANCELLED;
	}
	return cw_native_message_decode(cw_bytes_str(line), out);
}

static void
link_readers(struct cw_native_link *link, struct cw_readers *out)
{
	struct cw_native_world *n = (struct cw_native_world *)link;

	memset(out, 0, sizeof(*out));
	out->err =
	    n->w.reader.base.ops->list(&n->w.reader.base, out->info, &out->n);
}

static bool
link_is_stopped(struct cw_native_link *link)
{
	return ((struct cw_native_world *)link)->is_stopped;
}

static const char *
pin_kind(const void *ctx)
{
	(void)ctx;
	return "pinentry";
}

void
cw_native_world_init(struct cw_native_world *n,
    const struct cw_test_vendor *vendor)
{
	memset(n, 0, sizeof(*n));
	cw_world_init(&n->w, vendor);
	cw_run_free(&n->w.run);
	n->link = (struct cw_native_link){ .next = link_next,
		.send = link_send,
		.readers = link_readers,
		.is_stopped = link_is_stopped };
	cw_buf_init(&n->said, 4 * 1024 * (size_t)1024);
	n->config = (struct cw_native_config){ .link = &n->link,
		.reader = &n->w.reader.base,
		.pin_entry = &n->w.person,
		.pin_kind = pin_kind,
		.known = &n->w.known,
		.clock = &n->w.clock,
		.person_ms = 2000,
		.card_ms = 2000,
		.patience_ms = 2000 };
}

void
cw_native_world_wipe(struct cw_native_world *n)
{
	cw_world_wipe(&n->w);
	cw_buf_wipe(&n->said);
}

enum cw_err
cw_native_world_play(struct cw_native_world *n, const char *const *script)
{
	n->script = script;
	n->at = 0;
	n->is_stopped = n->has_post = false;
	cw_buf_reset(&n->said);
	return cw_native_serve(&n->config);
}

bool
cw_native_world_said(const struct cw_native_world *n, const char *text)
{
	return n->said.len > 0 &&
	    memmem(n->said.ptr, n->said.len, text, strlen(text)) != NULL;
}
