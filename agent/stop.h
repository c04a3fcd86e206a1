/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end by signal (SIGINT, SIGTERM, SIGHUP): whatever waits stops waiting,
 * the card is left reset, and the process is gone within a second even where
 * a reader or a name server does not answer. One per process.
 */
#ifndef CW_AGENT_STOP_H
#define CW_AGENT_STOP_H

#include <stdbool.h>
#include <termios.h>

#include "proto/base/err.h"

void cw_stop_install(void);
/* As if SIGTERM had come. Any thread. */
void cw_stop_request(void);
bool cw_stop_requested(void);

/* The exit status of a process that a signal ended: 128 + number. */
int cw_stop_exit_status(void);

/* What a terminal gets back if the process must go at once; NULL: nothing. */
void cw_stop_keep_terminal(int fd, const struct termios *saved);

/*
 * Waits until `fd` can be read (or has ended). Errors: REFUSED when a signal
 * came, PERSON_TIMEOUT; timeout_ms below zero waits for ever.
 */
enum cw_err cw_stop_poll(int fd, int timeout_ms)
    __attribute__((warn_unused_result));

#endif
