/* SPDX-License-Identifier: Apache-2.0 */
/* An issuer over HTTP that errs. */
#include "tests/support/reader_http.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "proto/problem.h"

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
	cw_problem_encode(err, false, &b);
	respond(fd, status, TYPE_PROBLEM, cw_buf_bytes(&b));
	cw_buf_wipe(&b);
}

static void
err_on_purpose(struct cw_errant_issuer *s, int fd)
{
	static const uint8_t huge[100 * 1024] = { 0 };
	struct cw_bytes page = cw_bytes_str("<p>page</p>");

	switch (s->action) {
	case CW_ERRANT_CUT:
		send_all(fd, "HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\nx",
		    40);
		break;
	case CW_ERRANT_SILENCE:
		while (!atomic_load(&s->stop)) {
			char c;

			if (recv(fd, &c, 1, 0) <= 0)
				break;
		}
		break;
	case CW_ERRANT_REDIRECT:
		respond(fd, "302 Found", "Location: /elsewhere\r\n", page);
		break;
	case CW_ERRANT_ELSEWHERE:
		respond(fd, "303 See Other",
		    "Location: http://127.0.0.2:1/enroll\r\n", page);
		break;
	case CW_ERRANT_BUSY:
		respond(fd, "503 Busy", "Retry-After: 1\r\n", page);
		break;
	case CW_ERRANT_PENDING:
		respond(fd, "202 Accepted", "Retry-After: 7\r\n",
		    CW_BYTES_NONE);
		break;
	case CW_ERRANT_NOT_FOUND:
		respond(fd, "404 Not Found", TYPE_PAGE, page);
		break;
	case CW_ERRANT_EXPIRED:
		respond_problem(fd, "403 Forbidden", CW_ERR_INVITATION_EXPIRED);
		break;
	case CW_ERRANT_ENDED:
		respond_problem(fd, "409 Conflict", CW_ERR_SESSION_ENDED);
		break;
	case CW_ERRANT_NONSENSE:
		respond(fd, "400 Bad", TYPE_PROBLEM, page);
		break;
	case CW_ERRANT_WRONG_TYPE:
		respond(fd, "200 OK", TYPE_PAGE, page);
		break;
	case CW_ERRANT_EMPTY:
		respond(fd, "200 OK", TYPE_MESSAGE, CW_BYTES_NONE);
		break;
	case CW_ERRANT_HUGE:
		respond(fd, "200 OK", TYPE_MESSAGE, CW_BYTES_ARRAY(huge));
		break;
	case CW_ERRANT_ANSWER:
	case CW_ERRANT_DROP:
	default:
		break;
	}
}

static void
need(struct cw_errant_issuer *s, bool condition, const char *what)
{
	if (!condition && s->violation == NULL)
		s->violation = what;
}

static void
respond_message(struct cw_errant_issuer *s, int fd, struct cw_bytes message)
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
answer(struct cw_errant_issuer *s, int fd, char *head, struct cw_bytes body)
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
serve_one(struct cw_errant_issuer *s, int fd)
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
	struct cw_errant_issuer *s = ctx;

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

static void
must(bool truth)
{
	if (!truth)
		abort();
}

void
cw_errant_issuer_start(struct cw_errant_issuer *s)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	socklen_t len = sizeof(address);

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	s->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(bind(s->fd, (struct sockaddr *)&address, len) == 0);
	must(getsockname(s->fd, (struct sockaddr *)&address, &len) == 0);
	must(listen(s->fd, 8) == 0);
	s->port = ntohs(address.sin_port);
	must(pthread_create(&s->thread, NULL, serve, s) == 0);
}

void
cw_errant_issuer_stop(struct cw_errant_issuer *s)
{
	atomic_store(&s->stop, true);
	shutdown(s->fd, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->fd);
}
