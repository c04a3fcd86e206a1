/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the signer gives up for ever once its files are open. Under sanitizers
 * (CW_SANITIZE, set by the Makefile's modes) the limit of descriptors and the system
 * call filter are left out: their run time opens files and makes threads as it likes.
 */
#ifndef CW_KEYS_CONFINE_H
#define CW_KEYS_CONFINE_H

#include <stddef.h>

#include "proto/base/err.h"

/*
 * If root: becomes `user`, or with "" the owner of `path` (who may be root).
 * Otherwise nothing: a process that is not root keeps its user. Errors:
 * CONFINEMENT (logged).
 */
enum cw_err cw_confine_user(const char *user, const char *path)
    __attribute__((warn_unused_result));

/* Closes every descriptor above 2 but these; sorts them. */
void cw_confine_descriptors(int *keep, size_t n);

/*
 * No new privileges, no new descriptors, and only the system calls that a loop
 * of wait, receive, compute, append and send needs: no file, no socket, no
 * program, no process, no signal to others. Opening anything fails with EPERM;
 * what else is not allowed kills the process. Errors: CONFINEMENT (logged).
 */
enum cw_err cw_confine_signer(void) __attribute__((warn_unused_result));

#endif
