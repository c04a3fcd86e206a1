/* SPDX-License-Identifier: Apache-2.0 */
/* URLs that people type and issuers send. */
#ifndef CW_AGENT_URL_H
#define CW_AGENT_URL_H

#include <stdbool.h>

#include "proto/base/err.h"
#include "proto/limits.h"

/*
 * The origin (RFC 6454 6.2) of an https URL, or of an http URL of this machine
 * itself: lower case, without a default port, as browsers write it.
 * Errors: BAD_URL (another scheme, user information, no URL), NO_MEMORY.
 */
enum cw_err cw_url_canonical_origin(const char *url, char out[CW_URI_MAX + 1],
    bool *loopback) __attribute__((warn_unused_result));

/* `to` as seen from the URL `from`; "" when it is not of that origin. */
void cw_url_resolve(const char *from, const char *to, const char *origin,
    char out[CW_URI_MAX + 1]);

#endif
