/* SPDX-License-Identifier: Apache-2.0 */
/* What of a request's head decides, and what every answer's head has. */
#include <stdio.h>

#include "tests/support/server_ask.h"

#define SESSION "/session/AAAAAAAAAAAAAAAAAAAAAA"

static bool
contains(const struct cw_buf *b, const char *text)
{
	return memmem(b->ptr, b->len, text, strlen(text)) != NULL;
}

static void
head_goes_where_get_goes(void **state)
{
	static const struct {
		const char *path;
		int status;
	} rows[] = { { "/healthz", 200 }, { "/style.css", 200 }, { "/", 404 },
		{ "/enroll", 403 }, { "/session", 405 } };
	struct cw_server_world *w = *state;
	struct cw_http_response r;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_server_asked a = { .method = "HEAD",
			.path = rows[i].path };

		cw_server_ask(w, &a, &r);
		assert_int_equal(r.status, rows[i].status);
		cw_http_response_wipe(&r);
	}
}

static void
a_method_that_is_refused_is_told_which_are_not(void **state)
{
	static const struct {
		const char *path, *allow;
	} rows[] = { { "/session", "Allow: POST\r\n" },
		{ "/i/x", "Allow: GET, HEAD, POST\r\n" },
		{ "/healthz", "Allow: GET, HEAD\r\n" } };
	struct cw_server_world *w = *state;
	struct cw_http_response r;
	struct cw_buf head;

	cw_buf_init(&head, 65536);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_server_asked a = { .method = "PATCH",
			.path = rows[i].path };

		cw_server_ask(w, &a, &r);
		assert_int_equal(r.status, 405);
		cw_buf_reset(&head);
		cw_http_head(&w->engine, &r, false, &head);
		assert_row(rows[i].path, contains(&head, rows[i].allow));
		cw_http_response_wipe(&r);
	}
	cw_buf_wipe(&head);
}

/* With no body there: the head is enough. */
static void
a_body_longer_than_the_address_takes_is_refused_by_the_head(void **state)
{
	static const struct {
		const char *method, *path;
		size_t good;
	} rows[] = { { "POST", SESSION, CW_BODY_MAX },
		{ "POST", "/i/AAAAAAAAAAAAAAAAAAAAAAAA", 1024 },
		{ "GET", "/healthz", 0 } };
	struct cw_server_world *w = *state;
	struct cw_http_target target;
	struct cw_http_response r;

	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		struct cw_http_request request = { .method = cw_bytes_str(
						       rows[i / 2].method),
			.path = cw_bytes_str(rows[i / 2].path),
			.origin = cw_bytes_str(w->config.url),
			.media_type = cw_bytes_str(CW_MEDIA_TYPE),
			.address = "127.0.0.1",
			.body_len = rows[i / 2].good + i % 2 };
		bool good;

		cw_http_response_init(&r);
		good = cw_route_check(&w->engine, &request, &target, &r);
		assert_row(rows[i / 2].path, good == (i % 2 == 0));
		assert_int_equal(r.status, i % 2 == 0 ? 200 : 413);
		cw_http_response_wipe(&r);
	}
}

/* ---- headers ---- */

static void
every_answer_has_the_headers_that_protect_it(void **state)
{
	static const char *const always[] = {
		"Referrer-Policy: same-origin\r\n",
		"X-Content-Type-Options: nosniff\r\n", "default-src 'none'",
		"frame-ancestors 'none'", "Content-Length: "
	};
	struct cw_server_world *w = *state;
	static const char *const paths[] = { "/style.css", "/nothing",
		"/healthz", "/enroll" };
	struct cw_buf head;

	cw_buf_init(&head, 65536);
	for (size_t i = 0; i < COUNT(paths); i++) {
		struct cw_server_asked a = { .method = "GET",
			.path = paths[i] };
		struct cw_http_response r;

		cw_server_ask(w, &a, &r);
		cw_buf_reset(&head);
		cw_http_head(&w->engine, &r, i % 2 == 0, &head);
		for (size_t k = 0; k < COUNT(always); k++)
			assert_row(always[k], contains(&head, always[k]));
		assert_false(contains(&head, "unsafe"));
		assert_true(contains(&head,
		    i == 0 ? "Cache-Control: max-age" :
			     "Cache-Control: no-store\r\n"));
		assert_true(contains(&head,
		    i % 2 == 0 ? "Connection: close\r\n\r\n" :
				 "Connection: keep-alive\r\n\r\n"));
		cw_http_response_wipe(&r);
	}
	cw_buf_wipe(&head);
}

static void
the_cookie_is_bound_to_the_host_where_there_is_tls(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_http_response r;
	struct cw_buf head;

	cw_buf_init(&head, 65536);
	cw_http_response_init(&r);
	snprintf(r.cookie, sizeof(r.cookie), "value");
	r.cookie_age_s = 60;
	cw_http_head(&w->engine, &r, false, &head);
	assert_true(contains(&head,
	    "Set-Cookie: __Host-cardwright=value; Path=/; Max-Age=60; "
	    "HttpOnly; Secure; SameSite=Strict\r\n"));
	snprintf(w->config.url, sizeof(w->config.url), "http://localhost:1");
	cw_buf_reset(&head);
	cw_http_head(&w->engine, &r, false, &head);
	assert_true(contains(&head,
	    "Set-Cookie: cardwright=value; Path=/; Max-Age=60; "
	    "HttpOnly; SameSite=Strict\r\n"));
	cw_buf_wipe(&head);
}

static void
one_network_cannot_post_without_end(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_http_request request = { .method = cw_bytes_str("POST"),
		.path = cw_bytes_str(SESSION),
		.origin = cw_bytes_str(w->config.url),
		.media_type = cw_bytes_str(CW_MEDIA_TYPE),
		.address = "192.0.2.1" };
	struct cw_http_response r;
	unsigned n = 0;

	do {
		cw_http_response_init(&r);
		cw_server_handle(w, &request, &r);
		n += r.status == 404;
		cw_http_response_wipe(&r);
	} while (r.status == 404 && n < 1000);
	assert_int_equal(r.status, 503);
	assert_int_equal(r.retry_after_s, 1);
	assert_true(n >= 200 && n < 1000);
	request.address = "192.0.9.1";
	cw_http_response_init(&r);
	cw_server_handle(w, &request, &r);
	assert_int_equal(r.status, 404);
	cw_http_response_wipe(&r);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(head_goes_where_get_goes),
		cw_server_test(a_method_that_is_refused_is_told_which_are_not),
		cw_server_test(
		    a_body_longer_than_the_address_takes_is_refused_by_the_head),
		cw_server_test(every_answer_has_the_headers_that_protect_it),
		cw_server_test(
		    the_cookie_is_bound_to_the_host_where_there_is_tls),
		cw_server_test(one_network_cannot_post_without_end),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
