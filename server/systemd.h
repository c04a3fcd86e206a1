/* SPDX-License-Identifier: Apache-2.0 */
/* What systemd gives a service and wants of it (sd_listen_fds(3), sd_notify(3)),
 * without its library: a few variables and a datagram. */
#ifndef CW_SERVER_SYSTEMD_H
#define CW_SERVER_SYSTEMD_H

#include "proto/base/err.h"

/*
 * The socket that this process was given (LISTEN_FDS is 1 and LISTEN_PID is this
 * process), close-on-exec from now on; -1 without one. It stays the caller's.
 * Errors: BAD_CONFIG (several, or no listening stream socket; logged).
 */
enum cw_err cw_systemd_socket(int *fd) __attribute__((warn_unused_result));

/* "READY=1" and the like to NOTIFY_SOCKET; nothing where there is none. */
void cw_systemd_notify(const char *text);

#endif
