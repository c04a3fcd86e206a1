/* SPDX-License-Identifier: Apache-2.0 */
/* Sockets given, and news told. */
#include "server/systemd.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "proto/base/log.h"

#define FIRST_FD 3

static long
number(const char *name)
{
	const char *text = getenv(name);
	char *end = NULL;
	long n = text == NULL ? -1 : strtol(text, &end, 10);

	return text != NULL && *text != '\0' && *end == '\0' ? n : -1;
}

static bool
is_listening(int fd)
{
	int type = 0, listening = 0;
	socklen_t len = sizeof(type);

	return getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 &&
	    type == SOCK_STREAM &&
	    getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == 0 &&
	    listening == 1;
}

enum cw_err
cw_systemd_socket(int *fd)
{
	bool is_ours = number("LISTEN_PID") == (long)getpid();
	long n = number("LISTEN_FDS");

	*fd = -1;
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	if (!is_ours || n <= 0)
		return CW_OK;
	if (n != 1 || !is_listening(FIRST_FD))
		return cw_log_fail(CW_ERR_BAD_CONFIG, "listen",
		    "sockets=%ld cause=\"one listening stream socket is "
		    "wanted\"",
		    n);
	if (fcntl(FIRST_FD, F_SETFD, FD_CLOEXEC) != 0)
		return CW_ERR_IO;
	*fd = FIRST_FD;
	return CW_OK;
}

void
cw_systemd_notify(const char *text)
{
	const char *path = getenv("NOTIFY_SOCKET");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	size_t len = path == NULL ? 0 : strlen(path);
	int fd;

	if (len == 0 || len >= sizeof(to.sun_path))
		return;
	memcpy(to.sun_path, path, len);
	if (path[0] == '@')
		to.sun_path[0] = '\0'; /* an abstract name */
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0 ||
	    sendto(fd, text, strlen(text), MSG_NOSIGNAL,
		(const struct sockaddr *)&to,
		(socklen_t)(offsetof(struct sockaddr_un, sun_path) + len)) < 0)
		cw_log(CW_LOG_WARN, "notify", "text=%s", text);
	if (fd >= 0)
		close(fd);
}
