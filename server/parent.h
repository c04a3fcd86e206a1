/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parent: starts signer and web, starts again what dies, ends both in
 * order. It holds no key and reads nothing that comes from outside.
 */
#ifndef CW_SERVER_PARENT_H
#define CW_SERVER_PARENT_H

#include "keys/config.h"

/*
 * Runs until SIGTERM or SIGINT. `ready_fd`, if not -1, gets the line
 * "ready url=… listen=… start_ms=…" when both processes serve, and is closed.
 * A listen port of 0 is chosen here and put into `config`, in `url` too if that
 * ends with ":0". Returns an exit status.
 */
int cw_parent_run(struct cw_config *config, int ready_fd);

#endif
