/* SPDX-License-Identifier: Apache-2.0 */
/* Head, then body. */
#include "tests/support/server_ask.h"

void
cw_server_handle(struct cw_server_world *w,
    const struct cw_http_request *request, struct cw_http_response *out)
{
	struct cw_http_target target;

	if (cw_route_check(&w->engine, request, &target, out))
		cw_route_answer(&w->engine, request, &target, out);
}

void
cw_server_ask(struct cw_server_world *w, const struct cw_server_asked *a,
    struct cw_http_response *out)
{
	struct cw_http_request request = {
		.method = cw_bytes_str(a->method),
		.path = cw_bytes_str(a->path),
		.address = "127.0.0.1",
		.body_len = a->body.len,
		.body = a->body,
	};

	if (a->media_type != NULL)
		request.media_type = cw_bytes_str(a->media_type);
	if (a->origin != NULL)
		request.origin = cw_bytes_str(a->origin);
	if (a->cookies != NULL)
		request.cookies = cw_bytes_str(a->cookies);
	cw_http_response_init(out);
	cw_server_handle(w, &request, out);
}
