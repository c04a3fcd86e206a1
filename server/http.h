/* SPDX-License-Identifier: Apache-2.0 */
/* A request and its response, apart from the HTTP library. */
#ifndef CW_SERVER_HTTP_H
#define CW_SERVER_HTTP_H

#include "proto/limits.h"
#include "proto/message.h"
#include "server/engine.h"

#define CW_PAGE_MAX (64 * 1024)

/* Views borrow until the response was sent. */
struct cw_http_request {
	struct cw_bytes method;
	struct cw_bytes path;        /* as it was sent, without the query */
	struct cw_bytes media_type;  /* Content-Type; empty if there is none */
	struct cw_bytes origin;      /* likewise */
	struct cw_bytes cookies;     /* the Cookie header, likewise */
	struct cw_bytes accept;      /* likewise */
	struct cw_bytes languages;   /* the Accept-Language header, likewise */
	const char *address;         /* of the client, numeric */
	bool is_holder;              /* came where certificates are asked for */
	struct cw_bytes certificate; /* which TLS has proven; may be none */
	size_t body_len;             /* as the head says */
	struct cw_bytes body;        /* not there while the head is checked */
};

struct cw_http_response {
	int status;
	const char *media_type;           /* NULL: no body */
	enum cw_language language;        /* of pages */
	struct cw_buf body;               /* or, if that is empty: */
	struct cw_bytes fixed;            /* something that lives for ever */
	char location[CW_URI_MAX + 64];   /* Location; "": none */
	char cookie[CW_COOKIE_CHARS + 1]; /* Set-Cookie's value; "": none */
	unsigned cookie_age_s;
	unsigned retry_after_s; /* 0: none */
	const char *link;       /* Link; NULL: none */
	char allow[32];         /* Allow; "": none */
	bool cacheable;
	bool is_session_ended; /* an error is the last word of its session */
};

/* Initialised: 200, no body. */
void cw_http_response_init(struct cw_http_response *response);
void cw_http_response_wipe(struct cw_http_response *response);

/* Turns it into the answer to an error, with the error's status: a page, or
 * RFC 9290 problem details. */
void cw_http_error(struct cw_http_response *response, enum cw_err err,
    bool is_page);

/* The cookie's name: __Host- needs https. */
const char *cw_http_cookie_name(const struct cw_config *config);

/* A request whose head is good: where it goes (route.c). */
struct cw_route;
struct cw_http_target {
	const struct cw_route *route;
	struct cw_bytes tail; /* of the path, what the route's * stands for */
	uint8_t invitation[CW_HASH_BYTES]; /* by the cookie, if one is needed */
};

/*
 * Everything that the head alone can be refused for, before a body is waited
 * for: route, method, Origin, media type, length, the network's limit, and
 * whether there is a cookie of ours where one is needed. False: `response` is
 * the refusal.
 */
bool cw_route_check(struct cw_engine *engine,
    const struct cw_http_request *request, struct cw_http_target *target,
    struct cw_http_response *response) __attribute__((warn_unused_result));

/* Answers a request that passed the check. */
void cw_route_answer(struct cw_engine *engine,
    const struct cw_http_request *request, const struct cw_http_target *target,
    struct cw_http_response *response);

/* The head of the response as HTTP/1.1, appended to `out`: status line, all
 * headers, the empty line. To HEAD it is the same. */
void cw_http_head(const struct cw_engine *engine,
    const struct cw_http_response *response, bool close, struct cw_buf *out);

#endif
