/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the web process gives up. Two steps, because Landlock holds only for
 * threads that come later, and the system call filter must not hinder their
 * making. Under sanitizers (CW_SANITIZE) both are left out.
 */
#ifndef CW_SERVER_CONFINE_H
#define CW_SERVER_CONFINE_H

#include "keys/config.h"

/*
 * First: no new privileges, and with Landlock, where the kernel has it, no file
 * but those in the state folder, the TLS files, and the system's libraries and
 * devices; no connection to anywhere. So not even as the same user can it open
 * the signer's keys. Without Landlock this is logged, and the user decides.
 * Errors: CONFINEMENT (logged).
 */
enum cw_err cw_confine_files(const struct cw_config *config)
    __attribute__((warn_unused_result));

/* Whether it is there, and this build uses it. */
bool cw_confine_has_landlock(void);

/*
 * Last, for all threads: only the system calls of serving. No new sockets,
 * processes or programs; what is not allowed fails with EPERM, execve ends the
 * process. Errors: CONFINEMENT (logged).
 */
enum cw_err cw_confine_calls(void) __attribute__((warn_unused_result));

#endif
