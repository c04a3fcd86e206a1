/* SPDX-License-Identifier: Apache-2.0 */
/* TLS settings of the web process. The one file of server/ with OpenSSL. */
#ifndef CW_SERVER_TLS_H
#define CW_SERVER_TLS_H

#include "proto/base/err.h"

/*
 * Sets an SSL_CTX (as the HTTP library hands it over) up: TLS 1.2 and 1.3 with
 * forward secrecy and AEADs, chain and key from PEM files. Errors:
 * BAD_CERTIFICATE, BAD_PRIVATE_KEY (logged).
 */
enum cw_err cw_tls_set_up(void *ssl_ctx, const char *certificate,
    const char *key) __attribute__((warn_unused_result));

#endif
