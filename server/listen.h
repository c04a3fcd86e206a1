/* SPDX-License-Identifier: Apache-2.0 */
/* The address to listen at, before anything is started. */
#ifndef CW_SERVER_LISTEN_H
#define CW_SERVER_LISTEN_H

#include "keys/config.h"

/*
 * Binds config->listen without listening and gives the socket: it says early
 * what is wrong with the address, chooses the port where it is 0 (written into
 * config->listen, and into config->url where that ends with ":0"), and keeps it
 * while the web process is started again. Errors: BAD_CONFIG, IO (logged).
 */
enum cw_err cw_listen_reserve(struct cw_config *config, int *fd)
    __attribute__((warn_unused_result));

#endif
