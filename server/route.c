/* SPDX-License-Identifier: Apache-2.0 */
/* What there is at which address. */
#include <stdio.h>

#include "proto/base/log.h"
#include "server/http.h"
#include "server/pages.h"
#include "server/session.h"
#include "server/text.h"

#define CODE_BYTES 18 /* of an invitation; 24 characters */

struct context {
	struct cw_engine *engine;
	const struct cw_http_request *request;
	struct cw_http_response *response;
	struct cw_bytes tail; /* what the pattern's * stands for */
};

/* ---- helpers ---- */

/* The invitation's hash by the cookie, without asking the store. */
static enum cw_err
read_cookie(const struct context *c, uint8_t hash[CW_HASH_BYTES])
{
	const char *name = cw_http_cookie_name(c->engine->config);
	struct cw_bytes rest = c->request->cookies;
	size_t n = strlen(name);

	/* RFC 6265 4.2.1: name=value pairs with "; " between them. */
	while (rest.len > 0) {
		const uint8_t *end = memchr(rest.ptr, ';', rest.len);
		size_t len = end == NULL ? rest.len : (size_t)(end - rest.ptr);

		if (len == n + 1 + CW_COOKIE_CHARS && rest.ptr[n] == '=' &&
		    memcmp(rest.ptr, name, n) == 0)
			return cw_seal_cookie_check(c->engine->seal,
			    cw_bytes(rest.ptr + n + 1, CW_COOKIE_CHARS),
			    cw_clock_now_s(c->engine->clock), hash);
		len += end != NULL;
		while (len < rest.len && rest.ptr[len] == ' ')
			len++;
		rest = cw_bytes(rest.ptr + len, rest.len - len);
	}
	return CW_ERR_NO_COOKIE;
}

/* The invitation by the cookie. */
static enum cw_err
by_cookie(const struct context *c, struct cw_invitation *out)
{
	uint8_t hash[CW_HASH_BYTES];
	enum cw_err err = read_cookie(c, hash);

	return err != CW_OK ?
	    err :
	    c->engine->store->invitation_load(c->engine->store, hash, out);
}

/* For pages, before a person goes on in vain. */
static enum cw_err
check_open(const struct context *c, const struct cw_invitation *invitation)
{
	unsigned used = 0;
	unsigned confirmed;
	enum cw_err err =
	    cw_invitation_check(invitation, cw_clock_now_s(c->engine->clock));

	if (err == CW_OK)
		err = c->engine->store->invitation_used(c->engine->store,
		    invitation->code_hash, &used, &confirmed);
	return err == CW_OK && used >= invitation->uses ?
	    CW_ERR_INVITATION_USED :
	    err;
}

/* The invitation by the code in the address. The code itself is nowhere in the
 * store: its hash is looked up, so that timing says nothing. */
static enum cw_err
by_code(const struct context *c, struct cw_invitation *out)
{
	uint8_t code[CODE_BYTES];
	uint8_t hash[CW_HASH_BYTES];
	enum cw_err err;

	if (!cw_b64url_decode(c->tail, code, sizeof(code)))
		return CW_ERR_BAD_INVITATION;
	cw_hash(c->tail, hash);
	err = c->engine->store->invitation_load(c->engine->store, hash, out);
	return err != CW_OK ? err : check_open(c, out);
}

/* ---- pages ---- */

static enum cw_err
get_invitation(const struct context *c)
{
	struct cw_invitation invitation;
	struct cw_intent intent;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = by_code(c, &invitation);
	if (err == CW_OK)
		err =
		    cw_intent_decode(cw_buf_bytes(&invitation.intent), &intent);
	if (err == CW_OK) {
		c->response->media_type = CW_HTML_TYPE;
		cw_page_invitation(&intent, &c->response->body);
	}
	cw_invitation_wipe(&invitation);
	return err;
}

static enum cw_err
post_invitation(const struct context *c)
{
	uint64_t now_s = cw_clock_now_s(c->engine->clock);
	struct cw_invitation invitation;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = by_code(c, &invitation);
	if (err == CW_OK) {
		uint64_t age_s = invitation.expires_s - now_s;

		if (age_s > 24 * 3600)
			age_s = 24 * 3600;
		cw_seal_cookie(c->engine->seal, invitation.code_hash,
		    now_s + age_s, c->response->cookie);
		c->response->cookie_age_s = (unsigned)age_s;
		c->response->status = 303;
		snprintf(c->response->location, sizeof(c->response->location),
		    "/enroll");
	}
	cw_invitation_wipe(&invitation);
	return err;
}

static enum cw_err
get_enroll(const struct context *c)
{
	struct cw_invitation invitation;
	struct cw_intent intent;
	struct cw_grant grant;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = by_cookie(c, &invitation);
	if (err == CW_OK)
		err = check_open(c, &invitation);
	if (err == CW_OK)
		err =
		    cw_intent_decode(cw_buf_bytes(&invitation.intent), &intent);
	if (err == CW_OK)
		err = cw_grant_decode(cw_buf_bytes(&invitation.grant), &grant);
	if (err == CW_OK) {
		c->response->media_type = CW_HTML_TYPE;
		c->response->link = "</intent>; rel=\"cardwright-intent\"";
		cw_page_enroll(&intent,
		    cw_config_profile(c->engine->config, grant.profile),
		    &c->response->body);
	}
	cw_invitation_wipe(&invitation);
	return err;
}

static enum cw_err
get_done(const struct context *c)
{
	struct cw_invitation invitation;
	unsigned used;
	unsigned confirmed = 0;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = by_cookie(c, &invitation);
	if (err == CW_OK)
		err = c->engine->store->invitation_used(c->engine->store,
		    invitation.code_hash, &used, &confirmed);
	if (err == CW_OK) {
		c->response->media_type = CW_HTML_TYPE;
		cw_page_done(confirmed > 0, &c->response->body);
	}
	cw_invitation_wipe(&invitation);
	return err;
}

static enum cw_err
get_style(const struct context *c)
{
	c->response->media_type = "text/css; charset=utf-8";
	c->response->fixed = cw_page_style();
	c->response->cacheable = true;
	return CW_OK;
}

/* ---- the protocol ---- */

static enum cw_err
get_intent(const struct context *c)
{
	struct cw_invitation invitation;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = by_cookie(c, &invitation);
	if (err == CW_OK)
		err = cw_invitation_check(&invitation,
		    cw_clock_now_s(c->engine->clock));
	if (err == CW_OK) {
		c->response->media_type = CW_MEDIA_TYPE;
		cw_buf_move(&c->response->body, &invitation.intent);
	}
	cw_invitation_wipe(&invitation);
	return err;
}

static enum cw_err
post_capabilities(const struct context *c)
{
	char text[CW_B64URL_CHARS(CW_SESSION_ID_BYTES) + 1];
	uint8_t id[CW_SESSION_ID_BYTES];
	struct cw_invitation invitation;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = by_cookie(c, &invitation);
	if (err == CW_OK)
		err = cw_session_open(c->engine, &invitation, c->request->body,
		    &c->response->body, id);
	if (err == CW_OK) {
		c->response->media_type = CW_MEDIA_TYPE;
		cw_b64url_encode(CW_BYTES_ARRAY(id), text);
		snprintf(c->response->location, sizeof(c->response->location),
		    "/session/%s", text);
	}
	cw_invitation_wipe(&invitation);
	return err;
}

/* No cookie is asked for here: from message 4 on what decrypts is the
 * authorisation, and an interrupted session goes on from any host. */
static enum cw_err
post_message(const struct context *c)
{
	uint8_t id[CW_SESSION_ID_BYTES];
	enum cw_err err = cw_b64url_decode(c->tail, id, sizeof(id)) ?
	    CW_OK :
	    CW_ERR_NO_SESSION;

	if (err == CW_OK)
		err = cw_session_message(c->engine, id, c->request->body,
		    &c->response->body);
	if (err == CW_OK && c->response->body.len == 0)
		c->response->status = 204;
	else if (err == CW_OK)
		c->response->media_type = CW_MEDIA_TYPE;
	return err;
}

static enum cw_err
get_health(const struct context *c)
{
	int64_t open = atomic_load(&c->engine->open_sessions);
	bool signer;
	bool store;

	cw_health_ask(c->engine, &signer, &store);
	c->response->media_type = "application/json";
	c->response->status = signer && store ? 200 : 503;
	cw_buf_printf(&c->response->body,
	    "{\"web\":\"ok\",\"signer\":\"%s\",\"store\":\"%s\","
	    "\"open_sessions\":%lld,\"store_commits\":%llu}\n",
	    signer ? "ok" : "down", store ? "ok" : "failing",
	    (long long)(open < 0 ? 0 : open),
	    (unsigned long long)c->engine->store->commits(c->engine->store));
	return CW_OK;
}

/* ---- the table ---- */

#define IS_PAGE 1u      /* errors are pages */
#define IS_CBOR 2u      /* the body must have the protocol's media type */
#define NEEDS_COOKIE 4u /* one of ours; whose, the handler asks */

#define FORM_MAX 1024u /* nothing is read of it */

static const struct cw_route {
	const char *method;
	const char *pattern; /* a * at the end stands for one segment */
	unsigned flags;
	size_t body_max;
	enum cw_err (*handle)(const struct context *c);
} routes[] = {
	{ "POST", "/session/*", IS_CBOR, CW_BODY_MAX, post_message },
	{ "POST", "/session", IS_CBOR | NEEDS_COOKIE, CW_BODY_MAX,
	    post_capabilities },
	{ "GET", "/intent", NEEDS_COOKIE, 0, get_intent },
	{ "GET", "/i/*", IS_PAGE, 0, get_invitation },
	{ "POST", "/i/*", IS_PAGE, FORM_MAX, post_invitation },
	{ "GET", "/enroll", IS_PAGE | NEEDS_COOKIE, 0, get_enroll },
	{ "GET", "/done", IS_PAGE | NEEDS_COOKIE, 0, get_done },
	{ "GET", "/style.css", IS_PAGE, 0, get_style },
	{ "GET", "/healthz", 0, 0, get_health },
};

#define ROUTES (sizeof(routes) / sizeof(routes[0]))

static bool
matches(const char *pattern, struct cw_bytes path, struct cw_bytes *tail)
{
	size_t n = strlen(pattern);

	*tail = CW_BYTES_NONE;
	if (pattern[n - 1] != '*')
		return cw_bytes_is(path, pattern);
	if (path.len < n || memcmp(path.ptr, pattern, n - 1) != 0 ||
	    memchr(path.ptr + n - 1, '/', path.len - n + 1) != NULL)
		return false;
	*tail = cw_bytes(path.ptr + n - 1, path.len - n + 1);
	return true;
}

/* Every POST comes from the issuer's own page; a client that is no browser
 * sets the header itself (docs/protocol.md "HTTP"). */
static enum cw_err
check_post(const struct context *c, const struct cw_route *route)
{
	uint8_t network[17];

	if (!cw_bytes_is(c->request->origin, c->engine->config->url))
		return CW_ERR_BAD_REQUEST_ORIGIN;
	if ((route->flags & IS_CBOR) != 0 &&
	    !cw_bytes_is(c->request->media_type, CW_MEDIA_TYPE))
		return CW_ERR_MEDIA_TYPE;
	return cw_limit_take(c->engine->limits,
	    cw_limit_network(c->request->address, network), 200, 100,
	    cw_clock_monotonic_ms());
}

static enum cw_err
check(const struct context *c, const struct cw_route *route)
{
	uint8_t hash[CW_HASH_BYTES];
	enum cw_err err = CW_OK;

	if (c->request->body_len > route->body_max)
		return CW_ERR_TOO_LARGE;
	if (strcmp(route->method, "POST") == 0)
		err = check_post(c, route);
	if (err == CW_OK && (route->flags & NEEDS_COOKIE) != 0)
		err = read_cookie(c, hash);
	return err;
}

/* HEAD is GET without the body (RFC 9110 9.3.2). */
static bool
takes(const struct cw_route *route, struct cw_bytes method)
{
	return cw_bytes_is(method, route->method) ||
	    (cw_bytes_is(method, "HEAD") && strcmp(route->method, "GET") == 0);
}

/* The route, or one of the same address that takes another method, or NULL. */
static const struct cw_route *
find(struct cw_bytes method, struct cw_bytes path, struct cw_bytes *tail,
    enum cw_err *err)
{
	const struct cw_route *other = NULL;

	*err = CW_ERR_NOT_FOUND;
	for (size_t i = 0; i < ROUTES; i++) {
		if (!matches(routes[i].pattern, path, tail))
			continue;
		if (takes(&routes[i], method)) {
			*err = CW_OK;
			return &routes[i];
		}
		*err = CW_ERR_METHOD;
		other = &routes[i];
	}
	return other;
}

/* What the address takes: RFC 9110 15.5.6 wants it said. */
static void
allow(struct cw_bytes path, char *out, size_t size)
{
	struct cw_bytes tail;
	size_t n = 0;

	for (size_t i = 0; i < ROUTES && n < size; i++) {
		const char *method = routes[i].method;

		if (!matches(routes[i].pattern, path, &tail))
			continue;
		n += (size_t)snprintf(out + n, size - n, "%s%s",
		    n > 0 ? ", " : "",
		    strcmp(method, "GET") == 0 ? "GET, HEAD" : method);
	}
}

/* A person gets a page; a program that asks for them gets numbers everywhere. */
static bool
wants_page(const struct cw_http_request *request, const struct cw_route *route)
{
	return (route == NULL || (route->flags & IS_PAGE) != 0) &&
	    (request->accept.len == 0 ||
		memmem(request->accept.ptr, request->accept.len,
		    CW_PROBLEM_TYPE, sizeof(CW_PROBLEM_TYPE) - 1) == NULL);
}

static void
refuse(const struct context *c, const struct cw_route *route, enum cw_err err)
{
	cw_http_error(c->response, err, wants_page(c->request, route));
	if (err == CW_ERR_METHOD)
		allow(c->request->path, c->response->allow,
		    sizeof(c->response->allow));
}

/* The address is not logged: it may hold an invitation's code. */
static void
log_answer(const struct context *c, const struct cw_route *route,
    enum cw_err err)
{
	cw_log(CW_LOG_DEBUG, "http", "method=%.*s route=%s status=%d error=%d",
	    (int)c->request->method.len, (const char *)c->request->method.ptr,
	    route == NULL ? "-" : route->pattern, c->response->status,
	    (int)err);
}

bool
cw_route_check(struct cw_engine *engine, const struct cw_http_request *request,
    struct cw_http_target *target, struct cw_http_response *response)
{
	struct context c = { engine, request, response, CW_BYTES_NONE };
	enum cw_err err;

	target->route =
	    find(request->method, request->path, &target->tail, &err);
	if (err == CW_OK)
		err = check(&c, target->route);
	if (err == CW_OK)
		return true;
	refuse(&c, target->route, err);
	log_answer(&c, target->route, err);
	return false;
}

void
cw_route_answer(struct cw_engine *engine, const struct cw_http_request *request,
    const struct cw_http_target *target, struct cw_http_response *response)
{
	struct context c = { engine, request, response, target->tail };
	enum cw_err err = target->route->handle(&c);

	if (err == CW_OK)
		err = response->body.err;
	if (err != CW_OK)
		refuse(&c, target->route, err);
	log_answer(&c, target->route, err);
}
