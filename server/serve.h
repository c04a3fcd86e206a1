/* SPDX-License-Identifier: Apache-2.0 */
/* The web process: store, engine, sweeper and HTTP, put together. */
#ifndef CW_SERVER_SERVE_H
#define CW_SERVER_SERVE_H

#include "keys/signer.h"

/* The files in the state folder. */
#define CW_STORE_FILE "store.db"
#define CW_EPOCH_FILE "epoch.key"

/*
 * Runs until SIGTERM or SIGINT. `channels` are the web ends of the signer's.
 * `ready_fd`, if not -1, gets one byte when requests are answered, and is
 * closed. Returns an exit status.
 */
int cw_serve_run(const struct cw_config *config, const int *channels, size_t n,
    int ready_fd);

/* `folder`/`name` into `out` of CW_PATH_MAX bytes. Errors: TOO_LARGE. */
enum cw_err cw_state_path(const struct cw_config *config, const char *name,
    char out[CW_PATH_MAX]) __attribute__((warn_unused_result));

#endif
