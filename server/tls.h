/* SPDX-License-Identifier: Apache-2.0 */
/* TLS settings of the web process. The one file of server/ with OpenSSL. */
#ifndef CW_SERVER_TLS_H
#define CW_SERVER_TLS_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"

/*
 * Sets an SSL_CTX (as the HTTP library hands it over) up: TLS 1.2 and 1.3 with
 * forward secrecy and AEADs, chain and key from PEM files. Errors:
 * BAD_CERTIFICATE, BAD_PRIVATE_KEY (logged).
 */
enum cw_err cw_tls_set_up(void *ssl_ctx, const char *certificate,
    const char *key) __attribute__((warn_unused_result));

/*
 * Has it ask clients for a certificate, one by `issuer` (DER; none: by anybody).
 * Whatever comes, or nothing, is taken: only that the client has the key is
 * proven. Whether the certificate is good is for the caller, who has to know it.
 * A session without a certificate cannot be resumed: the next one asks again.
 * Errors: CRYPTO_FAILED.
 */
enum cw_err cw_tls_ask(void *ssl_ctx, struct cw_bytes issuer)
    __attribute__((warn_unused_result));

/* What the client of this thread's last handshake proved to have (DER), until
 * the next handshake of the thread; none: nothing. */
struct cw_bytes cw_tls_peer(void);

#endif
