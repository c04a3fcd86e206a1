/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The connections: how many, of whom, and until when. civetweb gives a thread to
 * each and lets a client take its time as long as now and then a byte comes. It
 * is compiled (Makefile, CIVETWEB_FLAGS) so that its own bind, accept, poll and
 * close come here, where every wait has an absolute deadline, one network cannot take
 * all places, and a client that is waited for gives its place up to a new one
 * when there is no other. One gate a process, as those calls carry no context.
 */
#ifndef CW_SERVER_GATE_H
#define CW_SERVER_GATE_H

#include <poll.h>
#include <sys/socket.h>

#include "proto/base/bytes.h"
#include "proto/base/err.h"

#define CW_GATE_CONNECTIONS 256u /* at once; each has a thread */
#define CW_GATE_PER_NETWORK 64u  /* of those, of one network (limit.h) */

/* What a connection waits for, and how long it may in all (gate.c). */
enum cw_gate_phase {
	CW_GATE_FREE, /* there is no such connection */
	CW_GATE_HANDSHAKE,
	CW_GATE_HEAD,
	CW_GATE_BODY,
	CW_GATE_ANSWER, /* for us: without end */
	CW_GATE_SEND,
	CW_GATE_DRAIN, /* what is thrown away after a refusal */
	CW_GATE_IDLE,  /* the first byte of the next request */
};

/* A connection that finds no place is closed; where there is no TLS it is told
 * why (503) before. Errors: NO_MEMORY. */
enum cw_err cw_gate_open(bool plain) __attribute__((warn_unused_result));
void cw_gate_shut(void); /* when nothing uses it any more */

/*
 * What this thread binds next is this socket (borrowed), which is bound already:
 * by the parent, with its rights. It may be a Unix socket, of which civetweb is
 * told that it is IPv4 on loopback.
 */
void cw_gate_give(int fd);

/* ---- for the thread that serves a connection ---- */

/* A connection begins; its handshake, if any, is over. */
void cw_gate_begin(void);

/* The time of the next phase begins now. */
void cw_gate_enter(enum cw_gate_phase phase);

/* The time of this phase was over, or the place was needed. */
bool cw_gate_is_over(void);

/*
 * Counts the connection for another network than its address's, the one that a
 * proxy names, until it is idle. False if that one has too many.
 */
bool cw_gate_claim(struct cw_bytes network);

/* ---- what civetweb calls instead of the system's ---- */

int cw_gate_accept(int listener, struct sockaddr *address, socklen_t *len);

int cw_gate_bind(int fd, const struct sockaddr *address, socklen_t len);
int cw_gate_getsockname(int fd, struct sockaddr *address, socklen_t *len);

/* As poll(2); for a connection whose time is over -1, errno ETIMEDOUT. */
int cw_gate_poll(struct pollfd *fds, nfds_t n, int timeout_ms);

int cw_gate_close(int fd);

#endif
