/* SPDX-License-Identifier: Apache-2.0 */
/* `enroll` over real HTTP on this machine, against an issuer that errs. */
/* TIMEOUT: 120 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "agent/enroll.h"
#include "proto/problem.h"
#include "tests/support/check.h"
#include "tests/support/reader_world.h"

static struct cw_test_vendor vendor;

enum action {
	ANSWER,     /* as an issuer should */
	DROP,       /* the connection ends without an answer */
	CUT,        /* … in the middle of it */
	SILENCE,    /* nothing, until the client gives up */
	REDIRECT,   /* 302 to another path */
	ELSEWHERE,  /* 303 to another origin */
	BUSY,       /* 503 with Retry-After: 1 */
	PENDING,    /* 202 with Retry-After: 7 */
	NOT_FOUND,  /* 404, a page */
	EXPIRED,    /* problem details: 601 */
	ENDED,      /* problem details: 309 */
	NONSENSE,   /* a problem that is none */
	WRONG_TYPE, /* 200 text/html */
	EMPTY,      /* 200 without a body */
	HUGE,       /* 200, 100 KiB */
};

struct server {
	struct cw_world *w;
	int fd;
	unsigned port;
	pthread_t thread;
	atomic_bool stop;
	enum action action;
	unsigned at, times; /* request from 1; how often from then on */
	unsigned requests;
	const char *violation; /* what a request lacked */
};

/* ---- the server ---- */

static void
send_all(int fd, const void *ptr, size_t len)
{
	const char *at = ptr;

	while (len > 0) {
		ssize_t n = send(fd, at, len, MSG_NOSIGNAL);

		if (n <= 0)
			return;
		at += n;
		len -= (size_t)n;
	}
}

static void
respond(int fd, const char *status, const char *headers, struct cw_bytes body)
{
	char head[1024];
	int n = snprintf(head, sizeof(head),
	    "HTTP/1.1 %s\r\nConnection: close\r\nContent-Length: %zu\r\n%s\r\n",
	    status, body.len, headers);

	send_all(fd, head, (size_t)n);
	send_all(fd, body.ptr, body.len);
}

#define TYPE_MESSAGE "Content-Type: " CW_MEDIA_TYPE "\r\n"
#define TYPE_PROBLEM "Content-Type: " CW_PROBLEM_TYPE "\r\n"
#define TYPE_PAGE "Content-Type: text/html\r\n"
#define COOKIE "__Host-cardwright=abc"

static void
respond_problem(int fd, const char *status, enum cw_err err)
{
	struct cw_buf b;

	cw_buf_init(&b, 4096);
	cw_problem_encode(err, &b);
	respond(fd, status, TYPE_PROBLEM, cw_buf_bytes(&b));
	cw_buf_wipe(&b);
}

static void
err_on_purpose(struct server *s, int fd)
{
	static const uint8_t huge[100 * 1024] = { 0 };
	struct cw_bytes page = cw_bytes_str("<p>page</p>");

	switch (s->action) {
	case CUT:
		send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx",
		    40);
		break;
	case SILENCE:
		while (!atomic_load(&s->stop)) {
			char c;

			if (recv(fd, &c, 1, 0) <= 0)
				break;
		}
		break;
	case REDIRECT:
		respond(fd, "302 Found", "Location: /elsewhere\r\n", page);
		break;
	case ELSEWHERE:
		respond(fd, "303 See Other",
		    "Location: http://127.0.0.2:1/enroll\r\n", page);
		break;
	case BUSY:
		respond(fd, "503 Busy", "Retry-After: 1\r\n", page);
		break;
	case PENDING:
		respond(fd, "202 Accepted", "Retry-After: 7\r\n",
		    CW_BYTES_NONE);
		break;
	case NOT_FOUND:
		respond(fd, "404 Not Found", TYPE_PAGE, page);
		break;
	case EXPIRED:
		respond_problem(fd, "403 Forbidden", CW_ERR_INVITATION_EXPIRED);
		break;
	case ENDED:
		respond_problem(fd, "409 Conflict", CW_ERR_SESSION_ENDED);
		break;
	case NONSENSE:
		respond(fd, "400 Bad", TYPE_PROBLEM, page);
		break;
	case WRONG_TYPE:
		respond(fd, "200 OK", TYPE_PAGE, page);
		break;
	case EMPTY:
		respond(fd, "200 OK", TYPE_MESSAGE, CW_BYTES_NONE);
		break;
	case HUGE:
		respond(fd, "200 OK", TYPE_MESSAGE, CW_BYTES_ARRAY(huge));
		break;
	case ANSWER:
	case DROP:
	default:
		break;
	}
}

static void
need(struct server *s, bool condition, const char *what)
{
	if (!condition && s->violation == NULL)
		s->violation = what;
}

static void
respond_message(struct server *s, int fd, struct cw_bytes message)
{
	struct cw_buf answer;
	enum cw_err err;

	cw_buf_init(&answer, CW_BODY_MAX);
	err = cw_world_issuer(s->w, message, &answer);
	if (err != CW_OK)
		respond_problem(fd, "409 Conflict", err);
	else if (answer.len == 0)
		respond(fd, "204 No Content", "", CW_BYTES_NONE);
	else
		respond(fd, "200 OK", TYPE_MESSAGE, cw_buf_bytes(&answer));
	cw_buf_wipe(&answer);
}

static void
answer(struct server *s, int fd, char *head, struct cw_bytes body)
{
	char origin[64];
	bool has_cookie = strstr(head, "Cookie: " COOKIE) != NULL;

	snprintf(origin, sizeof(origin), "Origin: http://127.0.0.1:%u\r\n",
	    s->port);
	if (strncmp(head, "POST", 4) == 0)
		need(s, strstr(head, origin) != NULL, "Origin");
	if (strncmp(head, "GET /i/code", 11) == 0) {
		respond(fd, "200 OK", TYPE_PAGE, cw_bytes_str("<p>"));
	} else if (strncmp(head, "POST /i/code", 12) == 0) {
		need(s, body.len == 0, "empty body");
		respond(fd, "303 See Other",
		    "Location: /enroll\r\nSet-Cookie: " COOKIE
		    "; Path=/; Secure; HttpOnly\r\n",
		    CW_BYTES_NONE);
	} else if (strncmp(head, "GET /enroll", 11) == 0) {
		respond(fd, "200 OK",
		    TYPE_PAGE "Link: </intent>; rel=\"cardwright-intent\"\r\n",
		    cw_bytes_str("<p>"));
	} else if (strncmp(head, "GET /intent", 11) == 0) {
		respond(fd, "200 OK", TYPE_MESSAGE,
		    cw_buf_bytes(&s->w->intent_bytes));
	} else {
		need(s, strncmp(head, "POST /session", 13) == 0, "session");
		need(s,
		    strstr(head, "Content-Type: " CW_MEDIA_TYPE "\r\n") != NULL,
		    "media type");
		need(s, has_cookie, "cookie");
		respond_message(s, fd, body);
	}
}

static void
serve_one(struct server *s, int fd)
{
	static char in[CW_BODY_MAX + 8192];
	size_t n = 0;
	size_t want = 0;
	char *end = NULL;

	while (end == NULL || n < want) {
		ssize_t got = recv(fd, in + n, sizeof(in) - 1 - n, 0);
		char *length;

		if (got <= 0)
			return;
		n += (size_t)got;
		in[n] = '\0';
		if (end != NULL)
			continue;
		end = strstr(in, "\r\n\r\n");
		if (end == NULL)
			continue;
		length = strstr(in, "Content-Length: ");
		want = (size_t)(end - in) + 4;
		if (length != NULL && length < end)
			want += strtoul(length + 16, NULL, 10);
	}
	s->requests++;
	if (s->requests >= s->at && s->requests < s->at + s->times) {
		err_on_purpose(s, fd);
		return;
	}
	end[2] = '\0';
	end += 4;
	answer(s, fd, in, cw_bytes((uint8_t *)end, n - (size_t)(end - in)));
}

static void *
serve(void *ctx)
{
	struct server *s = ctx;

	for (;;) {
		int fd = accept(s->fd, NULL, NULL);

		if (atomic_load(&s->stop)) {
			if (fd >= 0)
				close(fd);
			return NULL;
		}
		if (fd < 0)
			continue;
		serve_one(s, fd);
		shutdown(fd, SHUT_RDWR);
		close(fd);
	}
}

/* ---- a test's world ---- */

struct fixture {
	struct cw_world w;
	struct server server;
	char origin[64], session[80], url[80];
	struct cw_net *net;
	unsigned patience_ms;
	struct cw_enroll_result result;
};

static void
server_start(struct server *s)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(s->fd, (struct sockaddr *)&address, len), 0);
	assert_int_equal(getsockname(s->fd, (struct sockaddr *)&address, &len),
	    0);
	assert_int_equal(listen(s->fd, 8), 0);
	s->port = ntohs(address.sin_port);
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static int
setup(void **state)
{
	struct fixture *f = test_calloc(1, sizeof(*f));
	struct cw_net_config config = { .url = f->url, .timeout_ms = 1000 };

	cw_world_init(&f->w, &vendor);
	f->server.w = &f->w;
	f->server.at = 1000;
	server_start(&f->server);
	snprintf(f->origin, sizeof(f->origin), "http://127.0.0.1:%u",
	    f->server.port);
	snprintf(f->session, sizeof(f->session), "%s/session", f->origin);
	snprintf(f->url, sizeof(f->url), "%s/i/code", f->origin);
	f->w.intent.session_url = cw_bytes_str(f->session);
	f->w.env.origin = cw_bytes_str(f->origin);
	cw_world_new_session(&f->w);
	cw_world_new_run(&f->w);
	assert_err(cw_net_open(&config, &f->net), CW_OK);
	assert_string_equal(cw_net_origin(f->net), f->origin);
	f->patience_ms = 8000;
	*state = f;
	return 0;
}

static int
teardown(void **state)
{
	struct fixture *f = *state;

	atomic_store(&f->server.stop, true);
	cw_net_close(&f->net);
	shutdown(f->server.fd, SHUT_RDWR);
	pthread_join(f->server.thread, NULL);
	close(f->server.fd);
	cw_world_wipe(&f->w);
	test_free(f);
	return 0;
}

static enum cw_err
enroll(struct fixture *f)
{
	const struct cw_enroll e = { .url = f->url,
		.net = f->net,
		.run = f->w.run,
		.patience_ms = f->patience_ms };

	return cw_enroll(&e, &f->result);
}

static void
an_invitation_becomes_a_key_in_eight_requests(void **state)
{
	struct fixture *f = *state;

	assert_err(enroll(f), CW_OK);
	assert_true(f->w.is_confirmed);
	assert_int_equal(f->server.requests, 8);
	assert_int_equal(f->result.retries, 0);
	assert_false(f->result.is_resumed);
	if (f->server.violation != NULL)
		fail_msg("a request without %s", f->server.violation);
}

static const struct {
	const char *name;
	enum action action;
	unsigned at, times;
	enum cw_err err;
	unsigned patience_ms;
} faults[] = {
	{ "page dropped", DROP, 1, 99, CW_ERR_NO_CONNECTION, 0 },
	{ "page silent", SILENCE, 1, 99, CW_ERR_NETWORK_TIMEOUT, 0 },
	{ "page redirects", REDIRECT, 1, 1, CW_ERR_REDIRECTED, 0 },
	{ "page not found", NOT_FOUND, 1, 1, CW_ERR_NOT_FOUND, 0 },
	{ "invitation expired", EXPIRED, 2, 1, CW_ERR_INVITATION_EXPIRED, 0 },
	{ "code not redirected", EMPTY, 2, 1, CW_ERR_HTTP_STATUS, 0 },
	{ "code redirected to another site", ELSEWHERE, 2, 1, CW_ERR_REDIRECTED,
	    0 },
	{ "page without link", WRONG_TYPE, 3, 1, CW_ERR_BAD_INVITATION, 0 },
	{ "intent redirects", REDIRECT, 4, 1, CW_ERR_REDIRECTED, 0 },
	{ "intent as a page", WRONG_TYPE, 4, 1, CW_ERR_MEDIA_TYPE, 0 },
	{ "intent huge", HUGE, 4, 1, CW_ERR_TOO_LARGE, 0 },
	{ "message 3 redirects", REDIRECT, 5, 1, CW_ERR_REDIRECTED, 0 },
	{ "message 3 is a page", WRONG_TYPE, 5, 1, CW_ERR_MEDIA_TYPE, 0 },
	{ "message 3 is empty", EMPTY, 5, 1, CW_ERR_MEDIA_TYPE, 0 },
	{ "message 3 is huge", HUGE, 5, 1, CW_ERR_TOO_LARGE, 0 },
	{ "message 3 is a false problem", NONSENSE, 5, 1, CW_ERR_HTTP_STATUS,
	    0 },
	{ "message 3 dropped once", DROP, 5, 1, CW_OK, 8000 },
	{ "message 3 cut once", CUT, 5, 1, CW_OK, 8000 },
	{ "message 5 dropped twice", DROP, 6, 2, CW_OK, 8000 },
	{ "message 5 silent once", SILENCE, 6, 1, CW_OK, 8000 },
	{ "message 5 busy", BUSY, 6, 1, CW_OK, 8000 },
	{ "message 5 busy for ever", BUSY, 6, 99, CW_ERR_TOO_BUSY, 1500 },
	{ "message 7 dropped for ever", DROP, 7, 99, CW_ERR_NETWORK_TIMEOUT,
	    700 },
	{ "message 7 pending", PENDING, 7, 1, CW_ERR_APPROVAL_PENDING, 0 },
	{ "message 7 refused", ENDED, 7, 1, CW_ERR_SESSION_ENDED, 0 },
	{ "message 8 dropped once", DROP, 8, 1, CW_OK, 8000 },
};

static void
each_fault_of_the_network_has_its_own_end(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(faults); i++) {
		void *own = NULL;
		struct fixture *f;
		enum cw_err err;

		setup(&own);
		f = own;
		f->server.action = faults[i].action;
		f->server.at = faults[i].at;
		f->server.times = faults[i].times;
		f->patience_ms = faults[i].patience_ms;
		err = enroll(f);
		if (err != faults[i].err)
			fail_msg("%s: %s", faults[i].name, cw_err_name(err));
		if (err == CW_OK && !f->w.is_confirmed)
			fail_msg("%s: not confirmed", faults[i].name);
		teardown(&own);
	}
}

static void
the_same_command_goes_on_after_each_interruption(void **state)
{
	(void)state;
	for (unsigned at = 6; at <= 8; at++) {
		void *own = NULL;
		struct fixture *f;

		setup(&own);
		f = own;
		f->server.action = at == 7 ? PENDING : DROP;
		f->server.at = at;
		f->server.times = 99;
		f->patience_ms = 100;
		assert_err(enroll(f),
		    at == 7 ? CW_ERR_APPROVAL_PENDING : CW_ERR_NETWORK_TIMEOUT);
		if (at == 7)
			assert_int_equal(f->result.retry_after_s, 7);
		f->server.times = 0;
		f->server.requests = 0;
		cw_world_new_run(&f->w);
		assert_err(enroll(f), CW_OK);
		assert_true(f->result.is_resumed);
		assert_true(f->w.is_confirmed);
		/* No invitation, no page: only the session's messages. */
		assert_int_equal(f->server.requests, 9 - at);
		teardown(&own);
	}
}

static void
a_session_that_the_issuer_ended_makes_way_for_a_new_one(void **state)
{
	struct fixture *f = *state;

	f->server.action = DROP;
	f->server.at = 7;
	f->server.times = 99;
	f->patience_ms = 100;
	assert_err(enroll(f), CW_ERR_NETWORK_TIMEOUT);
	f->server.action = ENDED;
	f->server.at = 1;
	f->server.times = 1;
	f->server.requests = 0;
	f->patience_ms = 8000;
	cw_world_new_session(&f->w);
	cw_world_new_run(&f->w);
	assert_err(enroll(f), CW_OK);
	assert_false(f->result.is_resumed);
	assert_true(f->w.is_confirmed);
	assert_int_equal(f->server.requests, 9);
}

static bool
stopped(void *ctx)
{
	(void)ctx;
	return true;
}

static void
a_signal_ends_a_request_at_once(void **state)
{
	struct fixture *f = *state;
	const struct cw_net_config config = { .url = f->url,
		.timeout_ms = 60000,
		.is_stopped = stopped };
	struct cw_net_response response;

	f->server.action = SILENCE;
	f->server.at = 1;
	f->server.times = 99;
	cw_net_close(&f->net);
	assert_err(cw_net_open(&config, &f->net), CW_OK);
	cw_net_response_init(&response);
	assert_err(cw_net_get(f->net, f->url, &response), CW_ERR_REFUSED);
	cw_net_response_wipe(&response);
}

static void
no_request_goes_to_another_origin(void **state)
{
	struct fixture *f = *state;
	struct cw_net_response response;

	cw_net_response_init(&response);
	assert_err(cw_net_get(f->net, "http://127.0.0.1:1/", &response),
	    CW_ERR_BAD_URL);
	assert_err(cw_net_post(f->net, "https://issuer.test/", CW_BYTES_NONE,
		       &response),
	    CW_ERR_BAD_URL);
	assert_int_equal(f->server.requests, 0);
	cw_net_response_wipe(&response);
}

static int
before_all(void **state)
{
	(void)state;
	cw_test_vendor_init(&vendor);
	return 0;
}

static int
after_all(void **state)
{
	(void)state;
	cw_test_vendor_wipe(&vendor);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_invitation_becomes_a_key_in_eight_requests),
		cmocka_unit_test(each_fault_of_the_network_has_its_own_end),
		cmocka_unit_test(
		    the_same_command_goes_on_after_each_interruption),
		TEST(a_session_that_the_issuer_ended_makes_way_for_a_new_one),
		TEST(a_signal_ends_a_request_at_once),
		TEST(no_request_goes_to_another_origin),
	};

	return cmocka_run_group_tests(tests, before_all, after_all);
}
