/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP as the protocol wants it of a client without a browser
 * (docs/protocol.md "HTTP"): one origin, no redirects of its own accord, the
 * Origin header, the exact media type, bodies of at most 64 KiB, deadlines,
 * cookies in memory only.
 */
#ifndef CW_AGENT_NET_H
#define CW_AGENT_NET_H

#include "proto/base/buf.h"
#include "proto/limits.h"

struct cw_net;

struct cw_net_config {
	const char *url;     /* any of the issuer; its origin is the one */
	const char *ca_file; /* PEM, besides the system's roots; NULL: none */
	unsigned timeout_ms; /* of one request */
	bool (*is_stopped)(void *ctx); /* may be NULL */
	void *ctx;
};

struct cw_net_response {
	long status;
	bool is_message;               /* the body is CW_MEDIA_TYPE */
	bool is_problem;               /* the body is CW_PROBLEM_TYPE */
	unsigned retry_after_s;        /* 0: not said */
	char location[CW_URI_MAX + 1]; /* resolved; "" if none or too long */
	char intent[CW_URI_MAX + 1];   /* Link rel="cardwright-intent" */
	struct cw_buf body;
};

/*
 * Only https, and http to this machine itself. Connects to nothing yet.
 * Errors: BAD_URL, NO_FILE (ca_file), NO_MEMORY.
 */
enum cw_err cw_net_open(const struct cw_net_config *config, struct cw_net **out)
    __attribute__((warn_unused_result));
void cw_net_close(struct cw_net **http);

/* The origin in the form that browsers give it: lower case, no default port. */
const char *cw_net_origin(const struct cw_net *http);

void cw_net_response_init(struct cw_net_response *response);
void cw_net_response_wipe(struct cw_net_response *response);

/*
 * One request; any HTTP status is CW_OK here. The URL must be of the origin.
 * POST with `body`, in CW_MEDIA_TYPE, or empty when its length is 0.
 * Errors: BAD_URL, NO_CONNECTION, TLS_FAILED, NETWORK_TIMEOUT, TOO_LARGE,
 * REFUSED (is_stopped).
 */
enum cw_err cw_net_get(struct cw_net *http, const char *url,
    struct cw_net_response *response) __attribute__((warn_unused_result));
enum cw_err cw_net_post(struct cw_net *http, const char *url,
    struct cw_bytes body, struct cw_net_response *response)
    __attribute__((warn_unused_result));

/*
 * What a status that is no success means: the issuer's own error number if it
 * gave one. *ended (NULL: not asked): the issuer says that the session is over.
 * Errors: any.
 */
enum cw_err cw_net_refusal(const struct cw_net_response *response, bool *ended);

/* libcurl's version, for `check`. */
const char *cw_net_library(void);

#endif
