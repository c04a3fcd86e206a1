/* SPDX-License-Identifier: Apache-2.0 */
/* Routes without HTTP: what is where, and every refusal with its number. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/problem.h"
#include "tests/support/server_ask.h"

static bool
contains(const struct cw_buf *b, const char *text)
{
	return memmem(b->ptr, b->len, text, strlen(text)) != NULL;
}

/* "/i/CODE" of the world's invitation, good until the next call. */
static const char *
invitation_path(const struct cw_server_world *w)
{
	static char path[64];

	snprintf(path, sizeof(path), "/i/%s", w->code);
	return path;
}

/* The Cookie header after the exchange, good until the next call. */
static const char *
join(struct cw_server_world *w)
{
	static char cookies[160];
	struct cw_server_asked a = { .method = "POST",
		.path = invitation_path(w),
		.origin = w->config.url };
	struct cw_http_response r;

	cw_server_ask(w, &a, &r);
	assert_int_equal(r.status, 303);
	assert_string_equal(r.location, "/enroll");
	snprintf(cookies, sizeof(cookies), "a=b; %s=%s; c=d",
	    cw_http_cookie_name(&w->config), r.cookie);
	cw_http_response_wipe(&r);
	return cookies;
}

/* ---- the way through ---- */

static void
looking_at_an_invitation_does_not_use_it(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_asked a = { .method = "GET",
		.path = invitation_path(w) };
	struct cw_http_response r;

	for (unsigned i = 0; i < 3; i++) {
		cw_server_ask(w, &a, &r);
		assert_int_equal(r.status, 200);
		assert_true(contains(&r.body, "Test issuer"));
		assert_true(contains(&r.body, "method=\"post\""));
		assert_false(contains(&r.body, "{{"));
		assert_string_equal(r.cookie, "");
		cw_http_response_wipe(&r);
	}
	(void)join(w);
	(void)join(w);
}

static void
the_pages_say_what_will_happen_and_where_the_intent_is(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_asked a = { .method = "GET", .path = "/enroll" };
	struct cw_http_response r;

	a.cookies = join(w);
	cw_server_ask(w, &a, &r);
	assert_int_equal(r.status, 200);
	assert_true(contains(&r.body, "CN=Ada Lovelace"));
	assert_true(contains(&r.body, "P-256 key in PIV slot 9A"));
	assert_false(contains(&r.body, "{{"));
	assert_string_equal(r.link, "</intent>; rel=\"cardwright-intent\"");
	cw_http_response_wipe(&r);
	for (unsigned i = 0; i < 2; i++) {
		a.path = "/intent";
		cw_server_ask(w, &a, &r);
		assert_string_equal(r.media_type, CW_MEDIA_TYPE);
		assert_true(cw_bytes_equal(cw_buf_bytes(&r.body),
		    cw_buf_bytes(&w->invitation.intent)));
		cw_http_response_wipe(&r);
	}
	a.path = "/done";
	cw_server_ask(w, &a, &r);
	assert_true(contains(&r.body, "Nothing has been confirmed"));
	cw_http_response_wipe(&r);
}

static void
a_whole_session_goes_over_the_routes(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_asked a = { .method = "POST",
		.path = "/session",
		.media_type = CW_MEDIA_TYPE,
		.origin = w->config.url };
	struct cw_http_response r;
	struct cw_server_play play;
	char location[sizeof(r.location)];

	cw_server_play_init(&play);
	a.cookies = join(w);
	for (unsigned step = 0; step < 4; step++) {
		cw_server_play_message(w, &play, step);
		a.body = cw_buf_bytes(&play.messages[step]);
		cw_server_ask(w, &a, &r);
		assert_int_equal(r.status, step < 3 ? 200 : 204);
		if (step == 0) {
			snprintf(location, sizeof(location), "%s", r.location);
			assert_int_equal(strlen(location),
			    strlen("/session/") + 22);
			a.path = location;
			a.cookies = NULL; /* not needed any more */
		}
		if (step < 3)
			assert_string_equal(r.media_type, CW_MEDIA_TYPE);
		cw_buf_move(&play.answers[step], &r.body);
		cw_http_response_wipe(&r);
	}
	cw_server_play_wipe(&play);
}

static void
the_last_page_says_that_it_worked(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_asked a = { .method = "GET", .path = "/done" };
	struct cw_server_play play;
	struct cw_http_response r;

	a.cookies = join(w);
	cw_server_play_init(&play);
	cw_server_play_until(w, &play, 3);
	cw_server_ask(w, &a, &r);
	assert_true(contains(&r.body, "Your card is ready"));
	assert_true(contains(&r.body, "<dd>Ada Lovelace<"));
	assert_true(contains(&r.body, "PIV slot 9A"));
	cw_http_response_wipe(&r);
	a.path = "/enroll";
	cw_server_ask(w, &a, &r);
	assert_int_equal(r.status, 403);
	assert_true(contains(&r.body, "Error 602"));
	cw_http_response_wipe(&r);
	cw_server_play_wipe(&play);
}

static void
health_tells_of_signer_and_store(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_asked a = { .method = "GET", .path = "/healthz" };
	struct cw_http_response r;

	cw_server_ask(w, &a, &r);
	assert_int_equal(r.status, 200);
	assert_true(contains(&r.body, "\"signer\":\"ok\""));
	assert_true(contains(&r.body, "\"signer_commits\":"));
	cw_http_response_wipe(&r);
	cw_keys_tree_kill(w->tree);
	/* What was known a moment ago is enough for whoever asks again. */
	cw_server_ask(w, &a, &r);
	assert_int_equal(r.status, 200);
	cw_http_response_wipe(&r);
	w->engine.health.until_ms = 1;
	cw_server_ask(w, &a, &r);
	assert_int_equal(r.status, 503);
	assert_true(contains(&r.body, "\"signer\":\"down\""));
	cw_http_response_wipe(&r);
	cw_keys_tree_start(w->tree, CW_SIGNER_CHANNELS);
}

/* ---- refusals ---- */

#define URL "https://issuer.example:8443"
#define CBOR CW_MEDIA_TYPE
#define FORGED                                     \
	"__Host-cardwright="                       \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA" \
	"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define SESSION "/session/AAAAAAAAAAAAAAAAAAAAAA"

static const struct {
	const char *method, *path, *media_type, *origin, *cookies;
	int status;
	enum cw_err err;
	bool is_page;
} refusals[] = {
	{ "GET", "/", NULL, NULL, NULL, 404, CW_ERR_NOT_FOUND, true },
	{ "GET", "/x", NULL, NULL, NULL, 404, CW_ERR_NOT_FOUND, true },
	{ "GET", "/../etc/passwd", NULL, NULL, NULL, 404, CW_ERR_NOT_FOUND,
	    true },
	{ "GET", "/i/", NULL, NULL, NULL, 404, CW_ERR_NOT_FOUND, true },
	{ "GET", "/i/a/b", NULL, NULL, NULL, 404, CW_ERR_NOT_FOUND, true },
	{ "PUT", "/i/x", NULL, URL, NULL, 405, CW_ERR_METHOD, true },
	{ "GET", "/session", NULL, NULL, NULL, 405, CW_ERR_METHOD, false },
	{ "DELETE", SESSION, CBOR, URL, NULL, 405, CW_ERR_METHOD, false },
	{ "GET", "/i/short", NULL, NULL, NULL, 403, CW_ERR_BAD_INVITATION,
	    true },
	{ "GET", "/i/AAAAAAAAAAAAAAAAAAAAAAAA", NULL, NULL, NULL, 403,
	    CW_ERR_BAD_INVITATION, true },
	{ "POST", "/i/AAAAAAAAAAAAAAAAAAAAAAAA", NULL, URL, NULL, 403,
	    CW_ERR_BAD_INVITATION, true },
	{ "POST", "/i/AAAAAAAAAAAAAAAAAAAAAAAA", NULL, NULL, NULL, 403,
	    CW_ERR_BAD_REQUEST_ORIGIN, true },
	{ "POST", "/i/AAAAAAAAAAAAAAAAAAAAAAAA", NULL, "null", NULL, 403,
	    CW_ERR_BAD_REQUEST_ORIGIN, true },
	{ "GET", "/enroll", NULL, NULL, NULL, 403, CW_ERR_NO_COOKIE, true },
	{ "GET", "/enroll", NULL, NULL, FORGED, 403, CW_ERR_NO_COOKIE, true },
	{ "GET", "/done", NULL, NULL, NULL, 403, CW_ERR_NO_COOKIE, true },
	{ "GET", "/intent", NULL, NULL, NULL, 403, CW_ERR_NO_COOKIE, false },
	{ "GET", "/intent", NULL, NULL, "x; ;y=;", 403, CW_ERR_NO_COOKIE,
	    false },
	{ "POST", "/session", CBOR, URL, NULL, 403, CW_ERR_NO_COOKIE, false },
	{ "POST", "/session", CBOR, URL, FORGED, 403, CW_ERR_NO_COOKIE, false },
	{ "POST", "/session", CBOR, "https://evil.example", NULL, 403,
	    CW_ERR_BAD_REQUEST_ORIGIN, false },
	{ "POST", "/session", CBOR, URL "/", NULL, 403,
	    CW_ERR_BAD_REQUEST_ORIGIN, false },
	{ "POST", "/session", CBOR, NULL, NULL, 403, CW_ERR_BAD_REQUEST_ORIGIN,
	    false },
	{ "POST", "/session", NULL, URL, NULL, 415, CW_ERR_MEDIA_TYPE, false },
	{ "POST", "/session", "application/cbor", URL, NULL, 415,
	    CW_ERR_MEDIA_TYPE, false },
	{ "POST", SESSION, "text/plain", URL, NULL, 415, CW_ERR_MEDIA_TYPE,
	    false },
	{ "POST", SESSION, CBOR, NULL, NULL, 403, CW_ERR_BAD_REQUEST_ORIGIN,
	    false },
	{ "POST", SESSION, CBOR, URL, NULL, 404, CW_ERR_NO_SESSION, false },
	{ "POST", "/session/AAAA", CBOR, URL, NULL, 404, CW_ERR_NO_SESSION,
	    false },
	{ "POST", "/session/AAAAAAAAAAAAAAAAAAAAAB", CBOR, URL, NULL, 404,
	    CW_ERR_NO_SESSION, false },
};

static void
every_refusal_has_its_status_and_number(void **state)
{
	struct cw_server_world *w = *state;

	for (size_t i = 0; i < COUNT(refusals); i++) {
		struct cw_server_asked a = { refusals[i].method,
			refusals[i].path, refusals[i].media_type,
			refusals[i].origin, refusals[i].cookies,
			CW_BYTES_NONE };
		struct cw_http_response r;
		enum cw_err err = CW_OK;
		char number[32];

		cw_server_ask(w, &a, &r);
		if (r.status != refusals[i].status)
			fail_msg("row %zu: status %d", i, r.status);
		if (refusals[i].is_page) {
			snprintf(number, sizeof(number), "Error %d<",
			    (int)refusals[i].err);
			assert_row(refusals[i].path,
			    contains(&r.body, number) &&
				contains(&r.body,
				    cw_err_remedy(refusals[i].err)));
		} else {
			assert_string_equal(r.media_type, CW_PROBLEM_TYPE);
			assert_err(cw_problem_decode(cw_buf_bytes(&r.body),
				       &err, NULL),
			    CW_OK);
			assert_err(err, refusals[i].err);
			assert_int_equal(cw_err_http_status(err), r.status);
		}
		cw_http_response_wipe(&r);
	}
}

static void
an_invitation_that_does_not_stand_is_refused_on_every_page(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_asked pages[] = {
		{ .method = "GET", .path = invitation_path(w) },
		{ .method = "POST",
		    .path = invitation_path(w),
		    .origin = w->config.url },
		{ .method = "GET", .path = "/enroll", .cookies = join(w) },
		{ .method = "GET", .path = "/intent", .cookies = join(w) },
		{ .method = "POST",
		    .path = "/session",
		    .origin = w->config.url,
		    .media_type = CW_MEDIA_TYPE,
		    .cookies = join(w) },
	};
	struct cw_http_response r;
	struct cw_buf message;

	cw_buf_init(&message, CW_BODY_MAX);
	cw_server_card_capabilities(w, &message);
	pages[4].body = cw_buf_bytes(&message);
	assert_err(w->store->invitation_withdraw(w->store,
		       w->invitation.code_hash),
	    CW_OK);
	for (size_t i = 0; i < COUNT(pages); i++) {
		cw_server_ask(w, &pages[i], &r);
		assert_int_equal(r.status, 403);
		cw_http_response_wipe(&r);
	}
	w->clock.fixed_s = w->invitation.expires_s + 1;
	for (size_t i = 0; i < COUNT(pages); i++) {
		cw_server_ask(w, &pages[i], &r);
		assert_int_equal(r.status, 403);
		cw_http_response_wipe(&r);
	}
	cw_buf_wipe(&message);
}

/* A card that was pulled out between the certificate and its confirmation
 * comes back to this page: its session is on the card. */
static void
a_page_opens_until_the_card_has_confirmed_the_certificate(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_asked page = { .method = "GET",
		.path = "/enroll",
		.cookies = join(w) };
	struct cw_server_play play;
	struct cw_http_response r;

	cw_server_play_begin(w, &play, 2);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_PENDING);
	cw_server_ask(w, &page, &r);
	assert_int_equal(r.status, 200);
	assert_non_null(r.link);
	cw_http_response_wipe(&r);
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	cw_server_ask(w, &page, &r);
	assert_int_equal(r.status, 403);
	assert_true(contains(&r.body, "Error 602<"));
	cw_http_response_wipe(&r);
	cw_server_play_wipe(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(looking_at_an_invitation_does_not_use_it),
		cw_server_test(
		    the_pages_say_what_will_happen_and_where_the_intent_is),
		cw_server_test(a_whole_session_goes_over_the_routes),
		cw_server_test(the_last_page_says_that_it_worked),
		cw_server_test(health_tells_of_signer_and_store),
		cw_server_test(every_refusal_has_its_status_and_number),
		cw_server_test(
		    an_invitation_that_does_not_stand_is_refused_on_every_page),
		cw_server_test(
		    a_page_opens_until_the_card_has_confirmed_the_certificate),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
