/* SPDX-License-Identifier: Apache-2.0 */
/* Between civetweb's request and ours. */
#ifndef CW_SERVER_WEB_HEAD_H
#define CW_SERVER_WEB_HEAD_H

#include "server/forwarded.h"
#include "server/http.h"

struct mg_request_info;

/* The header's value; none if it stands there twice. */
struct cw_bytes cw_web_header(const struct mg_request_info *info,
    const char *name);

/* What of HTTP itself the head can break; `len` is the body's length. Errors:
 * BAD_HTTP, LENGTH_REQUIRED, TOO_LARGE, EXPECTATION. */
enum cw_err cw_web_check_head(const struct mg_request_info *info, size_t *len)
    __attribute__((warn_unused_result));

/* What the client says of the connection, which is civetweb's rule too. */
bool cw_web_must_close(const struct mg_request_info *info);

/*
 * Whose request it is: behind a proxy that says so, the one that it names. Where
 * the header is there several times, the last is the proxy's. False if that
 * one's network has too many connections already.
 */
bool cw_web_find_client(const struct cw_config *config,
    const struct mg_request_info *info, char out[CW_ADDRESS_CHARS])
    __attribute__((warn_unused_result));

/* Without a body yet; borrows `client` and what `info` does. */
struct cw_http_request cw_web_request(const struct mg_request_info *info,
    const char *client, size_t body_len);

#endif
