/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: threads
 * TIMEOUT: 120
 * The HTTP server on a real socket: what is refused before any route is asked. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/support/web_world.h"

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
	struct cw_web_world *x = *state;
	char answer[4096];

	for (size_t i = 0; i < COUNT(refusals); i++) {
		int fd = cw_web_connect(x);

		cw_web_say(fd, refusals[i].request);
		cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
		if (strstr(answer, refusals[i].status) == NULL ||
		    strstr(answer, "Connection: close") == NULL)
			fail_msg("%s: %.40s", refusals[i].name, answer);
		close(fd);
	}
}

/* A request for nothing, whose head has so many bytes: its status. */
static int
ask_with_head(struct cw_web_world *x, size_t len)
{
	static const char begin[] = "GET /healthz HTTP/1.1\r\nHost: x\r\nX: ";
	char request[9000], answer[4096];
	int fd = cw_web_connect(x);
	int status = 0;

	memset(request, 'a', sizeof(request));
	memcpy(request, begin, strlen(begin));
	memcpy(request + len - 4, "\r\n\r\n", 5);
	cw_web_say(fd, request);
	cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
	if (sscanf(answer, "HTTP/1.1 %d ", &status) != 1)
		fail_msg("no answer to a head of %zu bytes", len);
	close(fd);
	return status;
}

static void
a_head_has_at_most_8_kib(void **state)
{
	for (size_t len = 8191; len <= 8193; len++)
		assert_int_equal(ask_with_head(*state, len),
		    len <= 8192 ? 200 : 400);
}

static void
a_head_that_is_too_long_is_refused(void **state)
{
	struct cw_web_world *x = *state;
	char *request = malloc(20000);
	char answer[4096];
	int fd = cw_web_connect(x);

	assert_non_null(request);
	memset(request, 'a', 19999);
	memcpy(request, "GET /", 5);
	request[19999] = '\0';
	(void)send(fd, request, 19999, MSG_NOSIGNAL);
	cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
	assert_memory_equal(answer, "HTTP/1.1 4", 10);
	close(fd);
	free(request);
}

static void
a_kept_connection_answers_one_request_after_the_other(void **state)
{
	struct cw_web_world *x = *state;
	char answer[4096];
	int fd = cw_web_connect(x);

	for (unsigned i = 0; i < 3; i++) {
		cw_web_say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
		assert_non_null(strstr(answer, "HTTP/1.1 200 OK"));
		assert_non_null(strstr(answer, "Connection: keep-alive"));
		assert_non_null(strstr(answer, "\"web\":\"ok\""));
	}
	/* Both at once. */
	cw_web_say(fd,
	    "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
	    "GET /style.css HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	cw_web_receive_all(fd, answer, sizeof(answer), CW_WEB_MS);
	assert_non_null(strstr(answer, "\"web\":\"ok\""));
	assert_non_null(strstr(answer, "text/css"));
	close(fd);
}

static void
head_gets_the_head_alone(void **state)
{
	struct cw_web_world *x = *state;
	char answer[4096];
	int fd = cw_web_connect(x);

	cw_web_say(fd, "HEAD /style.css HTTP/1.1\r\nHost: x\r\n\r\n");
	cw_web_receive_head(fd, answer, sizeof(answer), CW_WEB_MS);
	assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
	assert_null(strstr(answer, "Content-Length: 0"));
	assert_non_null(strstr(answer, "Content-Length: "));
	assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
	/* And the next answer is where it should be. */
	cw_web_say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
	assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
	close(fd);
}

static void
a_client_that_asks_first_is_told_to_go_on(void **state)
{
	struct cw_web_world *x = *state;
	char request[1024];
	char answer[4096];
	int fd = cw_web_connect(x);

	snprintf(request, sizeof(request),
	    "POST /session/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 1\r\nExpect: 100-continue\r\nOrigin: %s\r\n"
	    "Content-Type: " CW_MEDIA_TYPE "\r\n\r\n",
	    x->w->config.url);
	cw_web_say(fd, request);
	cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
	assert_string_equal(answer, "HTTP/1.1 100 Continue\r\n\r\n");
	cw_web_say(fd, "x");
	cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
	assert_memory_equal(answer, "HTTP/1.1 404 ", 13);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_web_test(
		    what_is_wrong_with_http_is_refused_and_the_connection_closed),
		cw_web_test(a_head_has_at_most_8_kib),
		cw_web_test(a_head_that_is_too_long_is_refused),
		cw_web_test(
		    a_kept_connection_answers_one_request_after_the_other),
		cw_web_test(head_gets_the_head_alone),
		cw_web_test(a_client_that_asks_first_is_told_to_go_on),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
