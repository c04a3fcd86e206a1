/* SPDX-License-Identifier: Apache-2.0 */
/* Between the table of routes and those who answer (route.c, route_pages.c). */
#ifndef CW_SERVER_ROUTE_H
#define CW_SERVER_ROUTE_H

#include "server/http.h"

struct cw_route_context {
	struct cw_engine *engine;
	const struct cw_http_request *request;
	const struct cw_http_target *target;
	struct cw_http_response *response;
};

/* The invitation by the cookie, where the route needs one; `out` is initialised.
 * Errors: BAD_INVITATION, those of the store. */
enum cw_err cw_route_invitation(const struct cw_route_context *c,
    struct cw_invitation *out);

/* ---- answers: an error becomes the response ---- */

enum cw_err cw_route_get_invitation(const struct cw_route_context *c);
enum cw_err cw_route_post_invitation(const struct cw_route_context *c);
enum cw_err cw_route_get_enroll(const struct cw_route_context *c);
enum cw_err cw_route_get_done(const struct cw_route_context *c);
/* For whom TLS has proven; elsewhere it leads there. Errors: NOT_FOUND,
 * NO_CLIENT_CERTIFICATE, FOREIGN_CERTIFICATE, CERTIFICATE_PENDING, _SUSPENDED,
 * _REVOKED, _OVER, STORE_FAILED, NO_MEMORY. */
enum cw_err cw_route_get_me(const struct cw_route_context *c);
enum cw_err cw_route_get_file(const struct cw_route_context *c);

#endif
