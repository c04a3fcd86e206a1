/* SPDX-License-Identifier: Apache-2.0 */
/* A server, and sockets to it. */
#include "tests/support/web_world.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/listen.h"

int
cw_web_world_setup(void **state)
{
	struct cw_web_world *x = calloc(1, sizeof(*x));
	struct cw_config *config;

	assert_non_null(x);
	assert_int_equal(cw_server_world_setup((void **)&x->w), 0);
	config = &x->w->config;
	config->plain = true;
	config->holder_listen[0] = '\0';
	config->threads = CW_WEB_WORLD_THREADS;
	snprintf(config->listen, sizeof(config->listen), "127.0.0.1:0");
	snprintf(config->url, sizeof(config->url), "http://localhost:0");
	assert_err(cw_listen_reserve(config), CW_OK);
	x->port = (unsigned)strtoul(strrchr(config->listen, ':') + 1, NULL, 10);
	assert_err(cw_web_open(&x->w->engine, &x->web), CW_OK);
	*state = x;
	return 0;
}

int
cw_web_world_teardown(void **state)
{
	struct cw_web_world *x = *state;

	cw_web_close(&x->web);
	cw_listen_release(&x->w->config);
	cw_server_world_teardown((void **)&x->w);
	free(x);
	return 0;
}

int
cw_web_connect(const struct cw_web_world *x)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)x->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static size_t
receive(int fd, char *out, size_t size, int ms, bool (*is_whole)(const char *))
{
	size_t n = 0;

	out[0] = '\0';
	while (n + 1 < size && !is_whole(out)) {
		struct pollfd p = { .fd = fd, .events = POLLIN };
		ssize_t got;

		if (poll(&p, 1, ms) <= 0)
			break;
		got = recv(fd, out + n, size - 1 - n, 0);
		if (got <= 0)
			break;
		n += (size_t)got;
		out[n] = '\0';
	}
	return n;
}

static bool
has_head(const char *answer)
{
	return strstr(answer, "\r\n\r\n") != NULL;
}

/* 100 has no body; without a length the end of the connection is the end. */
static bool
has_body(const char *answer)
{
	const char *body = strstr(answer, "\r\n\r\n");
	const char *length = strstr(answer, "\r\nContent-Length: ");

	if (body == NULL)
		return false;
	if (strncmp(answer, "HTTP/1.1 100 ", 13) == 0)
		return true;
	return length != NULL && length < body &&
	    strlen(body + 4) >= strtoul(length + 18, NULL, 10);
}

static bool
has_nothing(const char *answer)
{
	(void)answer;
	return false;
}

size_t
cw_web_receive(int fd, char *out, size_t size, int ms)
{
	return receive(fd, out, size, ms, has_body);
}

size_t
cw_web_receive_head(int fd, char *out, size_t size, int ms)
{
	return receive(fd, out, size, ms, has_head);
}

size_t
cw_web_receive_all(int fd, char *out, size_t size, int ms)
{
	return receive(fd, out, size, ms, has_nothing);
}

void
cw_web_say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL),
	    (ssize_t)strlen(text));
}
