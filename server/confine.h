/* SPDX-License-Identifier: Apache-2.0 */
/* What the web process gives up once it serves. */
#ifndef CW_SERVER_CONFINE_H
#define CW_SERVER_CONFINE_H

#include "keys/config.h"

/*
 * For all threads of the process: no new privileges; with Landlock, where the
 * kernel has it, no file but those in the state folder; with seccomp, no new
 * programs, no debugging, no other kinds of socket. Errors: CONFINEMENT.
 * A sanitizer's build is left open: its runtime needs what is forbidden.
 */
enum cw_err cw_confine_web(const struct cw_config *config)
    __attribute__((warn_unused_result));

#endif
