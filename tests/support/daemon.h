/* SPDX-License-Identifier: Apache-2.0 */
/* The real issuer in its own folder: its processes, and what the kernel says of
 * them. */
#ifndef CW_TESTS_DAEMON_H
#define CW_TESTS_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "proto/base/buf.h"

struct cw_daemon {
	char dir[64];    /* its keys, configuration and state */
	char build[256]; /* where the programs are */
	char url[128];
	char ca[128];    /* PEM of its TLS root */
	char lines[256]; /* of its configuration, besides the usual */
	unsigned port;
	int cpu;
	pid_t parent;
	double start_ms;               /* from fork to the ready line */
	struct cw_buf personalisation; /* of a card that it will accept */
};

/* Makes a development tree in a new folder and starts cardwrightd on a free
 * loopback port, on CPU `cpu` if not negative. False with a message on stderr
 * if it does not come up. */
bool cw_daemon_start(struct cw_daemon *server, const char *build, int cpu,
    const char *config_lines);

/* The same in two parts: between them the folder can be changed. */
bool cw_daemon_make(struct cw_daemon *server, const char *build, int cpu,
    const char *config_lines);
bool cw_daemon_launch(struct cw_daemon *server);

/* Ends it by TERM and starts it again on the same port. */
bool cw_daemon_restart(struct cw_daemon *server);

enum cw_daemon_process { CW_DAEMON_WEB, CW_DAEMON_SIGNER, CW_DAEMON_ALL };

/* SIGKILL; returns when requests are answered again: by a process that the
 * parent started, or by a new parent, on the same port. */
bool cw_daemon_kill(struct cw_daemon *server, enum cw_daemon_process which);

/* The same for one process, but calls `meanwhile` while it is dead and the
 * parent cannot start it again; does not wait for it. */
bool cw_daemon_kill_and(struct cw_daemon *server, enum cw_daemon_process which,
    bool (*meanwhile)(void *ctx), void *ctx);

/* SIGKILL for all of it after so many microseconds, and nothing started again:
 * cw_daemon_launch does that. */
void cw_daemon_kill_after(struct cw_daemon *server, unsigned us);

/* Waits until the process is there and requests are answered. */
bool cw_daemon_wait(const struct cw_daemon *server,
    enum cw_daemon_process which);

/* The process id, or 0 while there is none. */
pid_t cw_daemon_process(const struct cw_daemon *server,
    enum cw_daemon_process which);

/* Lines of its log that contain this. */
unsigned cw_daemon_logged(const struct cw_daemon *server, const char *text);

/* Waits until there are at least so many, but not for ever. */
bool cw_daemon_wait_logged(const struct cw_daemon *server, const char *text,
    unsigned n, unsigned ms);

/* The certificates of each status, by cardwright-admin; all UINT32_MAX if it says
 * nothing. */
struct cw_daemon_count {
	unsigned active, pending, revoked;
};
struct cw_daemon_count cw_daemon_count(const struct cw_daemon *server);

/* Ends it and removes the folder. */
void cw_daemon_stop(struct cw_daemon *server);

/* An invitation's URL for `uses` sessions in `mode`. */
bool cw_daemon_invite(const struct cw_daemon *server, unsigned uses,
    unsigned mode, char *url, size_t size);

/* cardwright-admin with these words (NULL at the end); what it prints. False if
 * it fails. `words` has 12 at most. */
bool cw_daemon_admin(const struct cw_daemon *server, const char *const *words,
    char *out, size_t size);

struct cw_daemon_figures {
	double web_us, signer_us; /* CPU time, user and system, since start */
	size_t web_kb, signer_kb; /* resident memory */
};

/* From /proc, over all threads of the two processes. */
void cw_daemon_usage(const struct cw_daemon *server,
    struct cw_daemon_figures *usage);

#endif
