/* SPDX-License-Identifier: Apache-2.0 */
/* A request and its response, apart from the HTTP library. */
#ifndef CW_SERVER_HTTP_H
#define CW_SERVER_HTTP_H

#include "proto/limits.h"
#include "server/engine.h"

#define CW_PAGE_MAX (64 * 1024)

/* Views borrow until the response was sent. */
struct cw_http_request {
	struct cw_bytes method;
	struct cw_bytes path;       /* decoded, without the query */
	struct cw_bytes media_type; /* Content-Type; empty if there is none */
	struct cw_bytes origin;     /* likewise */
	struct cw_bytes cookies;    /* the Cookie header, likewise */
	struct cw_bytes accept;     /* likewise */
	const char *address;        /* of the client, numeric */
	struct cw_bytes body;       /* at most CW_BODY_MAX */
};

struct cw_http_response {
	int status;
	const char *media_type;           /* NULL: no body */
	struct cw_buf body;               /* or, if that is empty: */
	struct cw_bytes fixed;            /* something that lives for ever */
	char location[CW_URI_MAX + 64];   /* Location; "": none */
	char cookie[CW_COOKIE_CHARS + 1]; /* Set-Cookie's value; "": none */
	unsigned cookie_age_s;
	unsigned retry_after_s; /* 0: none */
	const char *link;       /* Link; NULL: none */
	bool cacheable;
};

/* Initialised: 200, no body. */
void cw_http_response_init(struct cw_http_response *response);
void cw_http_response_wipe(struct cw_http_response *response);

/* Turns it into the answer to an error: a page, or RFC 9290 problem details. */
void cw_http_error(struct cw_http_response *response, enum cw_err err,
    bool is_page);

/* The status of an error over HTTP: by its category, a few by name. */
int cw_http_status(enum cw_err err);

/* The cookie's name: __Host- needs https. */
const char *cw_http_cookie_name(const struct cw_config *config);

/* Answers a request: table of routes, then the handler (route.c). */
void cw_route_handle(struct cw_engine *engine,
    const struct cw_http_request *request, struct cw_http_response *response);

/* The head of the response as HTTP/1.1, appended to `out`: status line, all
 * headers, the empty line. */
void cw_http_head(const struct cw_engine *engine,
    const struct cw_http_response *response, bool close, struct cw_buf *out);

#endif
