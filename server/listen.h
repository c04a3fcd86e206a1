/* SPDX-License-Identifier: Apache-2.0 */
/* The address to listen at, before anything is started. */
#ifndef CW_SERVER_LISTEN_H
#define CW_SERVER_LISTEN_H

#include "keys/config.h"

/*
 * Binds config->listen ("a.b.c.d:port", "[v6]:port", "unix:/path") into
 * config->listen_fd, without listening. Whoever holds the socket keeps the
 * address: the web process listens on it, whatever user that is, and what comes
 * while it is started again waits. It says early what is wrong with the address,
 * and chooses the port where it is 0 (written into config->listen, and into
 * config->url where that ends with ":0"). A Unix socket that nobody listens on
 * any more is replaced; whoever may enter its folder may connect. A
 * socket that systemd gives is taken instead, and its address is written into
 * config->listen. The same for config->holder_listen, if there is one,
 * without systemd. Errors: BAD_CONFIG, IO (logged).
 */
enum cw_err cw_listen_reserve(struct cw_config *config)
    __attribute__((warn_unused_result));

/* Closes them, and removes the Unix socket's file. */
void cw_listen_release(struct cw_config *config);

#endif
