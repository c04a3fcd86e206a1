/* SPDX-License-Identifier: Apache-2.0 */
/* The issuer under load: the real programs, and what the kernel says of them. */
#ifndef CW_TESTS_LOAD_SERVER_H
#define CW_TESTS_LOAD_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/base/buf.h"

struct cw_load_server {
	char dir[64];    /* its keys, configuration and state */
	char build[256]; /* where the programs are */
	char url[128];
	char ca[128]; /* PEM of its TLS root */
	pid_t parent;
	double start_ms;               /* from fork to the ready line */
	struct cw_buf personalisation; /* of a card that it will accept */
};

/* Makes a development tree in a new folder and starts cardwrightd on a free
 * loopback port, on CPU `cpu` if not negative. False with a message on stderr
 * if it does not come up. */
bool cw_load_server_start(struct cw_load_server *server, const char *build,
    int cpu, const char *config_lines);

/* Ends it and removes the folder. */
void cw_load_server_stop(struct cw_load_server *server);

/* An invitation's URL for `uses` sessions in `mode`. */
bool cw_load_server_invite(const struct cw_load_server *server, unsigned uses,
    unsigned mode, char *url, size_t size);

struct cw_load_usage {
	double web_us, signer_us; /* CPU time, user and system, since start */
	size_t web_kb, signer_kb; /* resident memory */
};

/* From /proc, over all threads of the two processes. */
void cw_load_server_usage(const struct cw_load_server *server,
    struct cw_load_usage *usage);

#endif
