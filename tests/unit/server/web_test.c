/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: threads
 * TIMEOUT: 120
 * The HTTP server on a real socket: what is refused before any route is asked,
 * and what happens when there are more clients than threads. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "server/listen.h"
#include "server/web.h"
#include "tests/support/server_world.h"

#define THREADS 3
#define CLIENTS 40

struct web_world {
	struct cw_server_world *w;
	struct cw_web *web;
	unsigned port;
	int reserved;
};

static int
setup(void **state)
{
	struct web_world *x = calloc(1, sizeof(*x));
	struct cw_config *config;

	assert_non_null(x);
	assert_int_equal(cw_server_world_setup((void **)&x->w), 0);
	config = &x->w->config;
	config->plain = true;
	config->threads = THREADS;
	snprintf(config->listen, sizeof(config->listen), "127.0.0.1:0");
	snprintf(config->url, sizeof(config->url), "http://localhost:0");
	assert_err(cw_listen_reserve(config, &x->reserved), CW_OK);
	x->port = (unsigned)strtoul(strrchr(config->listen, ':') + 1, NULL, 10);
	assert_err(cw_web_open(&x->w->engine, &x->web), CW_OK);
	*state = x;
	return 0;
}

static int
teardown(void **state)
{
	struct web_world *x = *state;

	cw_web_close(&x->web);
	close(x->reserved);
	cw_server_world_teardown((void **)&x->w);
	free(x);
	return 0;
}

static int
connect_to(const struct web_world *x)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)x->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

/* Everything until the other end closes, or `ms` pass without a first byte, or
 * a while without another one. */
static size_t
receive(int fd, char *out, size_t size, int ms)
{
	size_t n = 0;

	while (n + 1 < size) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&p, 1, n == 0 ? ms : 100) <= 0)
			break;
		got = recv(fd, out + n, size - 1 - n, 0);
		if (got <= 0)
			break;
		n += (size_t)got;
	}
	out[n] = '\0';
	return n;
}

static void
say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}

static const struct {
	const char *name;
	const char *request;
	const char *status;
} refusals[] = {
	{ "both lengths",
	    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    " 400 " },
	{ "chunked",
	    "POST /session HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    " 411 " },
	{ "identity",
	    "POST /session HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: identity\r\nContent-Length: 1\r\n\r\nx",
	    " 400 " },
	{ "chunked GET",
	    "GET /healthz HTTP/1.1\r\nHost: x\r\n"
	    "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
	    " 411 " },
	{ "no length", "POST /session HTTP/1.1\r\nHost: x\r\n\r\n", " 411 " },
	{ "two lengths",
	    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
	    "Content-Length: 1\r\n\r\nx",
	    " 400 " },
	{ "length with a sign",
	    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: +1\r\n\r\nx",
	    " 400 " },
	{ "length with more behind it",
	    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 1x\r\n\r\nx",
	    " 400 " },
	{ "too large, before it is sent",
	    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 65537\r\n\r\n",
	    " 413 " },
	{ "far too large",
	    "POST /session HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 99999999999999999999999\r\n\r\n",
	    " 413 " },
	{ "no HTTP", "hello there\r\n\r\n", " 400 " },
	{ "HTTP/2", "GET / HTTP/2.0\r\nHost: x\r\n\r\n",
	    " 505 HTTP Version Not Supported\r\n" },
	{ "no host", "GET /healthz HTTP/1.1\r\n\r\n", " 400 " },
	{ "two hosts", "GET /healthz HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n",
	    " 400 " },
	{ "wonders",
	    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n"
	    "Expect: wonders\r\n\r\nx",
	    " 417 " },
	{ "a GET with a body",
	    "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx",
	    " 413 " },
	{ "a foreign origin, before the body is sent",
	    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n"
	    "Origin: http://evil\r\n\r\n",
	    " 403 " },
	{ "no such address, before the body is sent",
	    "POST /nothing HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n",
	    " 404 " },
	{ "a path in other letters",
	    "GET /%68ealthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    " 404 " },
	{ "upwards",
	    "GET /../../etc/passwd HTTP/1.1\r\nHost: x\r\n"
	    "Connection: close\r\n\r\n",
	    " 404 " },
	{ "a directory",
	    "GET /www HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    " 404 " },
	{ "OPTIONS",
	    "OPTIONS /session HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
	    " 405 " },
	{ "two origins",
	    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n"
	    "Origin: http://localhost\r\nOrigin: http://localhost\r\n"
	    "Connection: close\r\n\r\n",
	    " 403 " },
};

static void
what_is_wrong_with_http_is_refused_and_the_connection_closed(void **state)
{
	struct web_world *x = *state;
	char answer[4096];

	for (size_t i = 0; i < COUNT(refusals); i++) {
		int fd = connect_to(x);

		say(fd, refusals[i].request);
		receive(fd, answer, sizeof(answer), 5000);
		if (strstr(answer, refusals[i].status) == NULL ||
		    strstr(answer, "Connection: close") == NULL)
			fail_msg("%s: %.40s", refusals[i].name, answer);
		close(fd);
	}
}

static void
a_head_that_is_too_long_is_refused(void **state)
{
	struct web_world *x = *state;
	char *request = malloc(20000);
	char answer[4096];
	int fd = connect_to(x);

	assert_non_null(request);
	memset(request, 'a', 19999);
	memcpy(request, "GET /", 5);
	request[19999] = '\0';
	(void)send(fd, request, 19999, MSG_NOSIGNAL);
	receive(fd, answer, sizeof(answer), 5000);
	assert_memory_equal(answer, "HTTP/1.1 4", 10);
	close(fd);
	free(request);
}

static void
a_kept_connection_answers_one_request_after_the_other(void **state)
{
	struct web_world *x = *state;
	char answer[4096];
	int fd = connect_to(x);

	for (unsigned i = 0; i < 3; i++) {
		say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		receive(fd, answer, sizeof(answer), 500);
		assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
		assert_non_null(strstr(answer, "Connection: keep-alive"));
		assert_non_null(strstr(answer, "\"web\":\"ok\""));
	}
	/* Both at once. */
	say(fd,
	    "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	    "GET /style.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	receive(fd, answer, sizeof(answer), 5000);
	assert_non_null(strstr(answer, "\"web\":\"ok\""));
	assert_non_null(strstr(answer, "text/css"));
	close(fd);
}

static void
head_gets_the_head_alone(void **state)
{
	struct web_world *x = *state;
	char answer[4096];
	int fd = connect_to(x);

	say(fd, "HEAD /style.css HTTP/1.1\r\nHost: x\r\n\r\n");
	receive(fd, answer, sizeof(answer), 5000);
	assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
	assert_null(strstr(answer, "Content-Length: 0"));
	assert_non_null(strstr(answer, "Content-Length: "));
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	/* And the next answer is where it should be. */
	say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	receive(fd, answer, sizeof(answer), 5000);
	assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
	close(fd);
}

static void
a_client_that_asks_first_is_told_to_go_on(void **state)
{
	struct web_world *x = *state;
	char request[1024];
	char answer[4096];
	int fd = connect_to(x);

	snprintf(request, sizeof(request),
	    "POST /session/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 1\r\nExpect: 100-continue\r\nOrigin: %s\r\n"
	    "Content-Type: " CW_MEDIA_TYPE "\r\n\r\n",
	    x->w->config.url);
	say(fd, request);
	receive(fd, answer, sizeof(answer), 5000);
	assert_string_equal(answer, "HTTP/1.1 100 Continue\r\n\r\n");
	say(fd, "x");
	receive(fd, answer, sizeof(answer), 5000);
	assert_memory_equal(answer, "HTTP/1.1 404 ", 13);
	close(fd);
}

/* A byte now and then does not help. */
static void
what_does_not_come_in_time_is_told_so(void **state)
{
	static const char *const begin[] = {
		"GET /healthz HTTP/1.1\r\nHost: ",
		"POST /session/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: x\r\n"
		"Content-Type: " CW_MEDIA_TYPE "\r\nContent-Length: 60000\r\n"
		"Origin: ",
	};
	struct web_world *x = *state;
	char answer[4096];

	for (size_t i = 0; i < COUNT(begin); i++) {
		struct pollfd p = { .fd = connect_to(x), .events = POLLIN };
		unsigned drips = 0;

		say(p.fd, begin[i]);
		if (i == 1) {
			say(p.fd, x->w->config.url);
			say(p.fd, "\r\n\r\n");
		}
		while (poll(&p, 1, 100) == 0 && drips++ < 150)
			say(p.fd, "x");
		receive(p.fd, answer, sizeof(answer), 100);
		assert_memory_equal(answer, "HTTP/1.1 408 ", 13);
		assert_non_null(strstr(answer, "Connection: close"));
		close(p.fd);
	}
}

static void
a_body_that_never_comes_does_not_stop_the_others(void **state)
{
	struct web_world *x = *state;
	char answer[4096];
	int slow = connect_to(x);
	int fd = connect_to(x);

	say(slow,
	    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx");
	say(fd,
	    "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	receive(fd, answer, sizeof(answer), 5000);
	assert_non_null(strstr(answer, " 200 "));
	close(slow);
	close(fd);
}

/* ---- more clients than threads ---- */

struct client {
	const struct web_world *x;
	unsigned good, busy, other;
};

static void *
client_main(void *arg)
{
	struct client *c = arg;
	char answer[4096];

	for (unsigned i = 0; i < 3; i++) {
		int fd = connect_to(c->x);

		say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		receive(fd, answer, sizeof(answer), 10000);
		close(fd);
		if (strstr(answer, "HTTP/1.1 200") != NULL)
			c->good++;
		else if (strstr(answer, "HTTP/1.1 503") != NULL &&
		    strstr(answer, "Retry-After: ") != NULL)
			c->busy++;
		else
			c->other++;
	}
	return NULL;
}

static void
with_more_clients_than_threads_each_is_served_or_told_to_retry(void **state)
{
	struct web_world *x = *state;
	struct client clients[CLIENTS];
	pthread_t threads[CLIENTS];
	unsigned good = 0;

	memset(clients, 0, sizeof(clients));
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i].x = x;
		pthread_create(&threads[i], NULL, client_main, &clients[i]);
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(clients[i].other, 0);
		good += clients[i].good;
	}
	assert_true(good > CLIENTS);
}

static void
idle_clients_do_not_keep_all_threads(void **state)
{
	struct web_world *x = *state;
	int idle[CLIENTS];
	char answer[4096];
	time_t start = time(NULL);
	int fd;

	for (size_t i = 0; i < CLIENTS; i++) {
		idle[i] = connect_to(x);
		say(idle[i], "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	fd = connect_to(x);
	say(fd,
	    "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	receive(fd, answer, sizeof(answer), 20000);
	assert_non_null(strstr(answer, "HTTP/1.1 "));
	assert_true(time(NULL) - start < 20);
	close(fd);
	for (size_t i = 0; i < CLIENTS; i++)
		close(idle[i]);
}

/* ---- addresses ---- */

static void
addresses_that_cannot_be_are_refused_at_start(void **state)
{
	static const struct {
		const char *listen;
		bool plain;
		enum cw_err err;
	} rows[] = {
		{ "", true, CW_ERR_BAD_CONFIG },
		{ "8443", true, CW_ERR_BAD_CONFIG },
		{ "localhost:8443", true, CW_ERR_BAD_CONFIG },
		{ "127.0.0.1:", true, CW_ERR_BAD_CONFIG },
		{ "127.0.0.1:99999", true, CW_ERR_BAD_CONFIG },
		{ "127.0.0.1:80x", true, CW_ERR_BAD_CONFIG },
		{ "[::1:8443", true, CW_ERR_BAD_CONFIG },
		{ "0.0.0.0:0", true, CW_ERR_BAD_CONFIG },
		{ "[::]:0", true, CW_ERR_BAD_CONFIG },
		{ "127.0.0.1:0", true, CW_OK },
		{ "0.0.0.0:0", false, CW_OK },
	};
	struct cw_config *config = calloc(1, sizeof(*config));

	(void)state;
	assert_non_null(config);
	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd;

		snprintf(config->listen, sizeof(config->listen), "%s",
		    rows[i].listen);
		config->plain = rows[i].plain;
		if (cw_listen_reserve(config, &fd) != rows[i].err)
			fail_msg("%s", rows[i].listen);
		if (fd >= 0)
			close(fd);
	}
	free(config);
}

static void
an_address_in_use_is_said_at_start(void **state)
{
	struct web_world *x = *state;
	int fd;

	assert_err(cw_listen_reserve(&x->w->config, &fd), CW_ERR_IO);
	assert_int_equal(fd, -1);
}

#define sentence(s) cmocka_unit_test_setup_teardown(s, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(
		    what_is_wrong_with_http_is_refused_and_the_connection_closed),
		sentence(a_head_that_is_too_long_is_refused),
		sentence(a_kept_connection_answers_one_request_after_the_other),
		sentence(head_gets_the_head_alone),
		sentence(a_client_that_asks_first_is_told_to_go_on),
		sentence(what_does_not_come_in_time_is_told_so),
		sentence(a_body_that_never_comes_does_not_stop_the_others),
		sentence(
		    with_more_clients_than_threads_each_is_served_or_told_to_retry),
		sentence(idle_clients_do_not_keep_all_threads),
		cmocka_unit_test(addresses_that_cannot_be_are_refused_at_start),
		sentence(an_address_in_use_is_said_at_start),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
