/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server: the one file that includes civetweb is web.c. */
#ifndef CW_SERVER_WEB_H
#define CW_SERVER_WEB_H

#include "server/http.h"

struct cw_web;

/*
 * Listens at config->listen and answers by cw_route_answer. The engine is
 * borrowed until close. Errors: IO (logged with the cause), BAD_CERTIFICATE,
 * BAD_PRIVATE_KEY, NO_MEMORY.
 */
enum cw_err cw_web_open(struct cw_engine *engine, struct cw_web **out)
    __attribute__((warn_unused_result));

/* Lets the requests that are being answered finish. */
void cw_web_close(struct cw_web **web);

#endif
