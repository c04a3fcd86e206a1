/* SPDX-License-Identifier: Apache-2.0 */
/* OpenSSL's certificate type, between the x509 files only. */
#ifndef CW_PROTO_X509_OPENSSL_H
#define CW_PROTO_X509_OPENSSL_H

#include <openssl/x509.h>
#include <time.h>

#include "proto/x509.h"

/* NULL unless `der` is exactly one certificate of at most CW_CERT_MAX_BYTES.
 * The caller frees it. */
X509 *cw_x509_parse(struct cw_bytes der);

/* The key's bits, not yet checked. Errors: BAD_CERTIFICATE, BAD_KEY,
 * UNKNOWN_ALGORITHM. */
enum cw_err cw_x509_public_key(const X509 *cert, struct cw_public_key *out);

/* ---- rules that X509_verify_cert does not have (x509_rules.c) ---- */

/* Signed by an algorithm of the list: no SHA-1, no MD5, nothing exotic. */
bool cw_x509_algorithm_allowed(const X509 *cert);

/* Version 3, a CA by basicConstraints, keyCertSign in its keyUsage (which may be
 * missing unless it is needed), nothing critical that is unknown. */
bool cw_x509_may_issue(X509 *cert, bool needs_usage);

/* Version 3, not a CA, nothing critical that is unknown; with an `eku` (dotted
 * OID) also digitalSignature and that EKU. */
bool cw_x509_leaf_usable(X509 *leaf, const char *eku);

/* Has an extension that restricts certificates further down by their names or
 * resources. */
bool cw_x509_restricts_below(X509 *cert);

/* The extension CW_OID_ATTESTATION into kind and model. Errors:
 * BAD_CONSTRAINTS. */
enum cw_err cw_x509_attestation(X509 *leaf, struct cw_attestation *out);

/* Narrows from..to (both inclusive) by the certificate's validity; false if
 * that cannot be read. */
bool cw_x509_narrow(const X509 *cert, time_t *from, time_t *to);

#endif
