/* SPDX-License-Identifier: Apache-2.0 */
/* What there is at which address. */
#include <stdio.h>

#include "proto/base/log.h"
#include "server/route.h"
#include "proto/rfc4648.h"
#include "server/session.h"

#define APPROVAL_RETRY_S 300 /* people are slow */

/* ---- who asks ---- */

/* The invitation's hash by the cookie, without asking the store. Errors:
 * NO_COOKIE, those of cw_seal_cookie_check. */
static enum cw_err
check_cookie(const struct cw_route_context *c, uint8_t hash[CW_HASH_BYTES])
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

enum cw_err
cw_route_invitation(const struct cw_route_context *c, struct cw_invitation *out)
{
	return c->engine->store->invitation_load(c->engine->store,
	    c->target->invitation, out);
}

/* ---- the protocol ---- */

static enum cw_err
get_intent(const struct cw_route_context *c)
{
	struct cw_invitation invitation;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = cw_route_invitation(c, &invitation);
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
post_capabilities(const struct cw_route_context *c)
{
	char text[CW_BASE64URL_CHARS(CW_SESSION_ID_BYTES) + 1];
	uint8_t id[CW_SESSION_ID_BYTES];
	struct cw_invitation invitation;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = cw_route_invitation(c, &invitation);
	if (err == CW_OK)
		err = cw_session_open(c->engine, &invitation, c->request->body,
		    &c->response->body, id);
	if (err == CW_OK) {
		c->response->media_type = CW_MEDIA_TYPE;
		cw_base64url_encode(CW_BYTES_ARRAY(id), text);
		snprintf(c->response->location, sizeof(c->response->location),
		    "/session/%s", text);
	}
	cw_invitation_wipe(&invitation);
	return err;
}

/* No cookie is asked for here: from message 4 on what decrypts is the
 * authorisation, and an interrupted session goes on from any host. */
static enum cw_err
post_message(const struct cw_route_context *c)
{
	uint8_t id[CW_SESSION_ID_BYTES];
	enum cw_err err = cw_base64url_decode(c->target->tail, id, sizeof(id)) ?
	    CW_OK :
	    CW_ERR_NO_SESSION;

	if (err == CW_OK)
		err = cw_session_message(c->engine, id, c->request->body,
		    &c->response->body, &c->response->is_session_ended);
	/* Not an answer of the protocol: the agent ends, and comes back. */
	if (err == CW_ERR_APPROVAL_PENDING) {
		c->response->status = 202;
		c->response->retry_after_s = APPROVAL_RETRY_S;
		return CW_OK;
	}
	if (err == CW_OK && c->response->body.len == 0)
		c->response->status = 204;
	else if (err == CW_OK)
		c->response->media_type = CW_MEDIA_TYPE;
	return err;
}

static enum cw_err
get_health(const struct cw_route_context *c)
{
	int64_t open = atomic_load(&c->engine->open_sessions);
	uint64_t commits;
	bool signer;
	bool store;

	cw_health_ask(c->engine, &signer, &store, &commits);
	signer = signer && !atomic_load(&c->engine->log_is_short);
	c->response->media_type = "application/json";
	c->response->status = signer && store ? 200 : 503;
	cw_buf_printf(&c->response->body,
	    "{\"web\":\"ok\",\"signer\":\"%s\",\"store\":\"%s\","
	    "\"open_sessions\":%lld,\"store_commits\":%llu,"
	    "\"signer_commits\":%llu}\n",
	    signer ? "ok" : "down", store ? "ok" : "failing",
	    (long long)(open < 0 ? 0 : open),
	    (unsigned long long)c->engine->store->commits(c->engine->store),
	    (unsigned long long)commits);
	return CW_OK;
}

/* ---- the table ---- */

#define IS_PAGE 1u      /* errors are pages */
#define IS_CBOR 2u      /* the body must have the protocol's media type */
#define NEEDS_COOKIE 4u /* one of ours; whose, the handler asks */
#define FOR_HOLDER 8u   /* also where certificates are asked for */

#define FORM_MAX 1024u /* nothing is read of it */

static const struct cw_route {
	const char *method;
	const char *pattern; /* a * at the end stands for one segment */
	unsigned flags;
	size_t body_max;
	enum cw_err (*handle)(const struct cw_route_context *c);
} routes[] = {
	{ "POST", "/session/*", IS_CBOR, CW_BODY_MAX, post_message },
	{ "POST", "/session", IS_CBOR | NEEDS_COOKIE, CW_BODY_MAX,
	    post_capabilities },
	{ "GET", "/intent", NEEDS_COOKIE, 0, get_intent },
	{ "GET", "/i/*", IS_PAGE, 0, cw_route_get_invitation },
	{ "POST", "/i/*", IS_PAGE, FORM_MAX, cw_route_post_invitation },
	{ "GET", "/enroll", IS_PAGE | NEEDS_COOKIE, 0, cw_route_get_enroll },
	{ "GET", "/done", IS_PAGE | NEEDS_COOKIE, 0, cw_route_get_done },
	{ "GET", "/me", IS_PAGE | FOR_HOLDER, 0, cw_route_get_me },
	{ "GET", "/style.css", IS_PAGE | FOR_HOLDER, 0, cw_route_get_file },
	{ "GET", "/icon.svg", IS_PAGE | FOR_HOLDER, 0, cw_route_get_file },
	{ "GET", "/cardwright.js", IS_PAGE, 0, cw_route_get_file },
	{ "GET", "/enroll.js", IS_PAGE, 0, cw_route_get_file },
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
check_post(const struct cw_route_context *c, const struct cw_route *route)
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
check(const struct cw_route_context *c, struct cw_http_target *target)
{
	const struct cw_route *route = target->route;
	enum cw_err err = CW_OK;

	if (c->request->body_len > route->body_max)
		return CW_ERR_TOO_LARGE;
	if (strcmp(route->method, "POST") == 0)
		err = check_post(c, route);
	if (err == CW_OK && (route->flags & NEEDS_COOKIE) != 0)
		err = check_cookie(c, target->invitation);
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
find(const struct cw_http_request *request, struct cw_bytes *tail,
    enum cw_err *err)
{
	const struct cw_route *other = NULL;

	*err = CW_ERR_NOT_FOUND;
	for (size_t i = 0; i < ROUTES; i++) {
		if ((request->is_holder &&
			(routes[i].flags & FOR_HOLDER) == 0) ||
		    !matches(routes[i].pattern, request->path, tail))
			continue;
		if (takes(&routes[i], request->method)) {
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
refuse(const struct cw_route_context *c, const struct cw_route *route,
    enum cw_err err)
{
	cw_http_error(c->response, err, wants_page(c->request, route));
	if (err == CW_ERR_METHOD)
		allow(c->request->path, c->response->allow,
		    sizeof(c->response->allow));
}

/* The address is not logged: it may hold an invitation's code. */
static void
log_answer(const struct cw_route_context *c, const struct cw_route *route,
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
	struct cw_route_context c = { engine, request, target, response };
	enum cw_err err;

	memset(target, 0, sizeof(*target));
	response->language = cw_message_accept(request->languages);
	target->route = find(request, &target->tail, &err);
	if (err == CW_OK)
		err = check(&c, target);
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
	struct cw_route_context c = { engine, request, target, response };
	enum cw_err err = target->route->handle(&c);

	if (err == CW_OK)
		err = response->body.err;
	if (err != CW_OK)
		refuse(&c, target->route, err);
	log_answer(&c, target->route, err);
}
