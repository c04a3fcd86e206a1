/* SPDX-License-Identifier: Apache-2.0 */
/* Responses: errors, and the headers that every one has. */
#include "server/http.h"

#include <stdio.h>

#include "proto/problem.h"
#include "server/pages.h"

void
cw_http_response_init(struct cw_http_response *response)
{
	memset(response, 0, sizeof(*response));
	response->status = 200;
	cw_buf_init(&response->body, CW_PAGE_MAX + CW_BODY_MAX);
}

void
cw_http_response_wipe(struct cw_http_response *response)
{
	cw_buf_wipe(&response->body);
}

void
cw_http_error(struct cw_http_response *response, enum cw_err err, bool is_page)
{
	cw_buf_reset(&response->body);
	response->fixed = CW_BYTES_NONE;
	response->status = cw_err_http_status(err);
	response->location[0] = '\0';
	response->cookie[0] = '\0';
	response->link = NULL;
	response->cacheable = false;
	response->retry_after_s = response->status == 503 ? 1 : 0;
	if (is_page) {
		response->media_type = CW_HTML_TYPE;
		cw_page_error(response->language, err, &response->body);
	} else {
		response->media_type = CW_PROBLEM_TYPE;
		cw_problem_encode(err, response->is_session_ended,
		    &response->body);
	}
}

const char *
cw_http_cookie_name(const struct cw_config *config)
{
	return strncmp(config->url, "https:", 6) == 0 ? "__Host-cardwright" :
							"cardwright";
}

static const struct {
	int status;
	const char *text;
} reasons[] = {
	{ 200, "OK" },
	{ 202, "Accepted" },
	{ 204, "No Content" },
	{ 303, "See Other" },
	{ 400, "Bad Request" },
	{ 403, "Forbidden" },
	{ 404, "Not Found" },
	{ 405, "Method Not Allowed" },
	{ 408, "Request Timeout" },
	{ 409, "Conflict" },
	{ 411, "Length Required" },
	{ 413, "Content Too Large" },
	{ 415, "Unsupported Media Type" },
	{ 417, "Expectation Failed" },
	{ 500, "Internal Server Error" },
	{ 502, "Bad Gateway" },
	{ 503, "Service Unavailable" },
	{ 505, "HTTP Version Not Supported" },
	{ 507, "Insufficient Storage" },
};

static const char *
reason(int status)
{
	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].status == status)
			return reasons[i].text;
	return "Error";
}

/* No inline anything; 'self' in connect-src is for the extension's fetch,
 * which Firefox holds to the page's policy. */
static const char always[] =
    "Referrer-Policy: same-origin\r\n"
    "X-Content-Type-Options: nosniff\r\n"
    "Content-Security-Policy: default-src 'none'; style-src 'self'; "
    "script-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'\r\n";

void
cw_http_head(const struct cw_engine *engine, const struct cw_http_response *r,
    bool close, struct cw_buf *out)
{
	size_t len = r->body.len > 0 ? r->body.len : r->fixed.len;

	cw_buf_printf(out, "HTTP/1.1 %d %s\r\n", r->status, reason(r->status));
	cw_buf_put_str(out, always);
	cw_buf_put_str(out,
	    r->cacheable ? "Cache-Control: max-age=3600\r\n" :
			   "Cache-Control: no-store\r\n");
	if (r->media_type != NULL)
		cw_buf_printf(out, "Content-Type: %s\r\n", r->media_type);
	if (r->media_type != NULL && strcmp(r->media_type, CW_HTML_TYPE) == 0)
		cw_buf_printf(out,
		    "Content-Language: %s\r\n"
		    "Vary: Accept, Accept-Language, Cookie\r\n",
		    cw_message_tag(r->language));
	if (r->status != 204)
		cw_buf_printf(out, "Content-Length: %zu\r\n", len);
	if (r->location[0] != '\0')
		cw_buf_printf(out, "Location: %s\r\n", r->location);
	if (r->link != NULL)
		cw_buf_printf(out, "Link: %s\r\n", r->link);
	if (r->cookie[0] != '\0') {
		const char *name = cw_http_cookie_name(engine->config);

		cw_buf_printf(out,
		    "Set-Cookie: %s=%s; Path=/; Max-Age=%u; HttpOnly; %s"
		    "SameSite=Strict\r\n",
		    name, r->cookie, r->cookie_age_s,
		    name[0] == '_' ? "Secure; " : "");
	}
	if (r->allow[0] != '\0')
		cw_buf_printf(out, "Allow: %s\r\n", r->allow);
	if (r->retry_after_s > 0)
		cw_buf_printf(out, "Retry-After: %u\r\n", r->retry_after_s);
	cw_buf_put_str(out,
	    close ? "Connection: close\r\n\r\n" :
		    "Connection: keep-alive\r\n\r\n");
}
