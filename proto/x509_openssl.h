/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's certificate type, between the x509 files only. */
#ifndef CW_PROTO_X509_OPENSSL_H
#define CW_PROTO_X509_OPENSSL_H

#include <openssl/x509.h>

#include "proto/x509.h"

/* NULL unless `der` is exactly one certificate of at most CW_CERT_MAX_BYTES.
 * The caller frees it. */
X509 *cw_x509_parse(struct cw_bytes der);

/* The key's bits, not yet checked. Errors: BAD_CERTIFICATE, BAD_KEY,
 * UNKNOWN_ALGORITHM. */
enum cw_err cw_x509_public_key(const X509 *cert, struct cw_public_key *out);

#endif
