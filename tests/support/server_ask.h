/* SPDX-License-Identifier: Apache-2.0 */
/* Requests to the issuer in this process, as HTTP would bring them. */
#ifndef CW_TESTS_SERVER_ASK_H
#define CW_TESTS_SERVER_ASK_H

#include "server/http.h"
#include "tests/support/server_world.h"

/* From 127.0.0.1; what is NULL is not there. */
struct cw_server_asked {
	const char *method;
	const char *path;
	const char *media_type;
	const char *origin;
	const char *cookies;
	struct cw_bytes body;
};

/* `out` is initialised here, and the caller's to wipe. */
void cw_server_ask(struct cw_server_world *w, const struct cw_server_asked *a,
    struct cw_http_response *out);

/* Head and body, one after the other, into an initialised response. */
void cw_server_handle(struct cw_server_world *w,
    const struct cw_http_request *request, struct cw_http_response *out);

#endif
