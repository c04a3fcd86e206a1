/* SPDX-License-Identifier: Apache-2.0 */
/* Reserving the address. */
#include "server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/log.h"

#define WAIT_MS 2000u

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* "127.0.0.1:8443" or "[::1]:8443" */
static bool
parse(const char *text, union address *out, socklen_t *len)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t n = colon == NULL ? 0 : (size_t)(colon - text);
	char *end;
	unsigned long port;

	if (n == 0 || n >= sizeof(host) || colon[1] == '\0')
		return false;
	port = strtoul(colon + 1, &end, 10);
	if (*end != '\0' || port > UINT16_MAX)
		return false;
	memset(out, 0, sizeof(*out));
	if (text[0] == '[' && text[n - 1] == ']') {
		snprintf(host, sizeof(host), "%.*s", (int)n - 2, text + 1);
		out->v6.sin6_family = AF_INET6;
		out->v6.sin6_port = htons((uint16_t)port);
		*len = sizeof(out->v6);
		return inet_pton(AF_INET6, host, &out->v6.sin6_addr) == 1;
	}
	snprintf(host, sizeof(host), "%.*s", (int)n, text);
	out->v4.sin_family = AF_INET;
	out->v4.sin_port = htons((uint16_t)port);
	*len = sizeof(out->v4);
	return inet_pton(AF_INET, host, &out->v4.sin_addr) == 1;
}

/* Plain HTTP is for a proxy on the same machine, and for nobody else. */
static bool
is_loopback(const union address *a)
{
	return a->any.sa_family == AF_INET ?
	    ntohl(a->v4.sin_addr.s_addr) >> 24 == 127 :
	    IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr) != 0;
}

/* Replaces what stands behind the last colon, if it is 0. */
static void
set_port(char *text, size_t size, unsigned port)
{
	char *colon = strrchr(text, ':');

	if (colon != NULL && strcmp(colon, ":0") == 0)
		snprintf(colon, size - (size_t)(colon - text), ":%u", port);
}

/* A process that was killed a moment ago may still have the port. */
static bool
bind_soon(int fd, const union address *address, socklen_t len)
{
	const struct timespec pause = { .tv_nsec = 50 * 1000000 };
	unsigned tries = WAIT_MS / 50;

	while (bind(fd, &address->any, len) != 0) {
		if (errno != EADDRINUSE || tries-- == 0)
			return false;
		(void)nanosleep(&pause, NULL);
	}
	return true;
}

enum cw_err
cw_listen_reserve(struct cw_config *config, int *fd)
{
	union address address;
	socklen_t len;
	const int on = 1;

	*fd = -1;
	if (!parse(config->listen, &address, &len))
		return cw_log_fail(CW_ERR_BAD_CONFIG, "listen",
		    "address=%s cause=\"address:port or [address]:port\"",
		    config->listen);
	if (config->plain && !is_loopback(&address))
		return cw_log_fail(CW_ERR_BAD_CONFIG, "listen",
		    "address=%s cause=\"plain HTTP only on loopback\"",
		    config->listen);
	*fd = socket(address.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (*fd >= 0 &&
	    setsockopt(*fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) == 0 &&
	    bind_soon(*fd, &address, len) &&
	    getsockname(*fd, &address.any, &len) == 0) {
		unsigned port = ntohs(address.any.sa_family == AF_INET ?
			address.v4.sin_port :
			address.v6.sin6_port);

		set_port(config->listen, sizeof(config->listen), port);
		set_port(config->url, sizeof(config->url), port);
		return CW_OK;
	}
	cw_log_fail(CW_ERR_IO, "listen", "address=%s cause=\"%s\"",
	    config->listen, strerrorname_np(errno));
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
	return CW_ERR_IO;
}
