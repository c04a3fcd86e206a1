/* SPDX-License-Identifier: Apache-2.0 */
/* Goes before civetweb.c when that is compiled (Makefile, CIVETWEB_FLAGS): its
 * calls of these come to the gate. The system's headers first, as they define
 * inline functions of these names. */
#ifndef CW_SERVER_GATE_CALLS_H
#define CW_SERVER_GATE_CALLS_H

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/gate.h"

#define accept(listener, address, len) cw_gate_accept(listener, address, len)
#define bind(fd, address, len) cw_gate_bind(fd, address, len)
#define getsockname(fd, address, len) cw_gate_getsockname(fd, address, len)
#define poll(fds, n, timeout_ms) cw_gate_poll(fds, n, timeout_ms)
#define close(fd) cw_gate_close(fd)

#endif
