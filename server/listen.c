/* SPDX-License-Identifier: Apache-2.0 */
/* Reserving the address. */
#include "server/listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "server/systemd.h"

#define WAIT_MS 2000u

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un path;
};

static bool
parse_path(const char *path, union address *out, socklen_t *len)
{
	memset(out, 0, sizeof(*out));
	out->path.sun_family = AF_UNIX;
	*len = sizeof(out->path);
	if (path[0] != '/' || strlen(path) >= sizeof(out->path.sun_path))
		return false;
	memcpy(out->path.sun_path, path, strlen(path));
	return true;
}

/* "127.0.0.1:8443", "[::1]:8443" or "unix:/run/x" */
static bool
parse(const char *text, union address *out, socklen_t *len)
{
	const char *colon = strrchr(text, ':');
	char host[64];
	size_t n = colon == NULL ? 0 : (size_t)(colon - text);
	char *end;
	unsigned long port;

	if (strncmp(text, "unix:", 5) == 0)
		return parse_path(text + 5, out, len);
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
	if (a->any.sa_family == AF_UNIX)
		return true;
	return a->any.sa_family == AF_INET ?
	    ntohl(a->v4.sin_addr.s_addr) >> 24 == 127 :
	    IN6_IS_ADDR_LOOPBACK(&a->v6.sin6_addr) != 0;
}

/* Replaces what stands behind the last colon, if it is 0. */
static void
set_port(char *text, size_t size, unsigned port)
{
	char *colon = strrchr(text, ':');

	if (port != 0 && colon != NULL && strcmp(colon, ":0") == 0)
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

/* One that is left over from a process that was killed. */
static void
remove_stale(const union address *address, socklen_t len)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct stat st;

	if (fd >= 0 && stat(address->path.sun_path, &st) == 0 &&
	    S_ISSOCK(st.st_mode) && connect(fd, &address->any, len) != 0 &&
	    errno == ECONNREFUSED)
		(void)unlink(address->path.sun_path);
	if (fd >= 0)
		close(fd);
}

static bool
bind_address(int fd, const union address *address, socklen_t len)
{
	const int on = 1;

	if (address->any.sa_family != AF_UNIX)
		return setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on,
			   sizeof(on)) == 0 &&
		    bind_soon(fd, address, len);
	remove_stale(address, len);
	return bind(fd, &address->any, len) == 0 &&
	    chmod(address->path.sun_path, 0666) == 0;
}

static unsigned
port_of(const union address *a)
{
	if (a->any.sa_family == AF_INET)
		return ntohs(a->v4.sin_port);
	return a->any.sa_family == AF_INET6 ? ntohs(a->v6.sin6_port) : 0;
}

struct place {
	char *listen;
	size_t listen_size;
	char *url;
	size_t url_size;
	int *fd;
};

/* ---- a socket that was given ---- */

static bool is_given; /* then its path is not ours to remove */

static bool
print(const union address *a, char *out, size_t size)
{
	char host[INET6_ADDRSTRLEN];

	if (a->any.sa_family == AF_UNIX && a->path.sun_path[0] == '/')
		snprintf(out, size, "unix:%s", a->path.sun_path);
	else if (a->any.sa_family == AF_INET &&
	    inet_ntop(AF_INET, &a->v4.sin_addr, host, sizeof(host)) != NULL)
		snprintf(out, size, "%s:%u", host, ntohs(a->v4.sin_port));
	else if (a->any.sa_family == AF_INET6 &&
	    inet_ntop(AF_INET6, &a->v6.sin6_addr, host, sizeof(host)) != NULL)
		snprintf(out, size, "[%s]:%u", host, ntohs(a->v6.sin6_port));
	else
		return false;
	return true;
}

static enum cw_err
take_given(struct cw_config *config, int fd)
{
	union address address;
	socklen_t len = sizeof(address);

	memset(&address, 0, sizeof(address));
	if (getsockname(fd, &address.any, &len) != 0 ||
	    !print(&address, config->listen, sizeof(config->listen)) ||
	    fcntl(fd, F_SETFL, O_NONBLOCK) != 0)
		return cw_log_fail(CW_ERR_BAD_CONFIG, "listen",
		    "cause=\"the socket given has no address\"");
	if (config->plain && !is_loopback(&address))
		return cw_log_fail(CW_ERR_BAD_CONFIG, "listen",
		    "address=%s cause=\"plain HTTP only on loopback\"",
		    config->listen);
	config->listen_fd = fd;
	is_given = true;
	return CW_OK;
}

/* ---- a socket of our own ---- */

static enum cw_err
reserve(const struct place *p, bool plain)
{
	union address address;
	socklen_t len;
	int fd;

	if (!parse(p->listen, &address, &len))
		return cw_log_fail(CW_ERR_BAD_CONFIG, "listen",
		    "address=%s cause=\"address:port, [address]:port or "
		    "unix:/path\"",
		    p->listen);
	if (plain && !is_loopback(&address))
		return cw_log_fail(CW_ERR_BAD_CONFIG, "listen",
		    "address=%s cause=\"plain HTTP only on loopback\"",
		    p->listen);
	fd = socket(address.any.sa_family,
	    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd >= 0 && bind_address(fd, &address, len) &&
	    getsockname(fd, &address.any, &len) == 0) {
		set_port(p->listen, p->listen_size, port_of(&address));
		set_port(p->url, p->url_size, port_of(&address));
		*p->fd = fd;
		return CW_OK;
	}
	cw_log_fail(CW_ERR_IO, "listen", "address=%s cause=\"%s\"", p->listen,
	    strerrorname_np(errno));
	if (fd >= 0)
		close(fd);
	return CW_ERR_IO;
}

enum cw_err
cw_listen_reserve(struct cw_config *config)
{
	const struct place all = { config->listen, sizeof(config->listen),
		config->url, sizeof(config->url), &config->listen_fd };
	const struct place holder = { config->holder_listen,
		sizeof(config->holder_listen), config->holder_url,
		sizeof(config->holder_url), &config->holder_listen_fd };
	enum cw_err err;
	int fd;

	config->listen_fd = config->holder_listen_fd = -1;
	err = cw_systemd_socket(&fd);
	if (err == CW_OK)
		err = fd >= 0 ? take_given(config, fd) :
				reserve(&all, config->plain);
	if (err == CW_OK && config->holder_listen[0] != '\0')
		err = reserve(&holder, false);
	if (err != CW_OK)
		cw_listen_release(config);
	return err;
}

void
cw_listen_release(struct cw_config *config)
{
	if (!is_given && config->listen_fd >= 0 &&
	    strncmp(config->listen, "unix:", 5) == 0)
		(void)unlink(config->listen + 5);
	if (config->listen_fd >= 0)
		close(config->listen_fd);
	if (config->holder_listen_fd >= 0)
		close(config->holder_listen_fd);
	config->listen_fd = config->holder_listen_fd = -1;
}
