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

/* A signature algorithm (NID) of the list: no SHA-1, no MD5, nothing exotic. */
bool cw_x509_algorithm_allowed(int nid);

/* Version 3, a CA by basicConstraints, keyCertSign in its keyUsage (which may be
 * missing unless it is needed), nothing critical that is unknown. */
bool cw_x509_may_issue(X509 *cert, bool needs_usage);

/* Version 3, not a CA, nothing critical that is unknown; with an `eku` (dotted
 * OID) also digitalSignature and that EKU. */
bool cw_x509_leaf_usable(X509 *leaf, const char *eku);

/* Has an extension that restricts certificates further down by their names or
 * resources. */
bool cw_x509_restricts_below(X509 *cert);

/* The extension CW_OID_ATTESTATION, or its value, into kind and model. Errors:
 * BAD_CONSTRAINTS. */
enum cw_err cw_x509_attestation(X509 *leaf, struct cw_attestation *out);
enum cw_err cw_x509_attestation_value(struct cw_bytes value,
    struct cw_attestation *out);

bool cw_x509_is_oid(const ASN1_OBJECT *oid, const char *dotted);

/* When a chain is valid, both ends included. */
struct cw_x509_span {
	time_t from, to;
};
#define CW_X509_ALWAYS ((struct cw_x509_span){ 0, INT64_MAX })

/* Narrows the span by a certificate's validity; false if that cannot be read. */
bool cw_x509_narrow(const ASN1_TIME *from, const ASN1_TIME *to,
    struct cw_x509_span *span);
void cw_x509_span_narrow(struct cw_x509_span *span, time_t from, time_t to);

/* ---- the short way (x509_short.c) ---- */

/* A leaf's parts as views of `der`: contents of serial number, validity and
 * extensions, whole items of the others, the signature's bytes. */
struct cw_x509_leaf {
	struct cw_bytes der, body, algorithm, signature;
	struct cw_bytes serial, inner_algorithm, issuer, validity, subject,
	    spki, extensions;
};

/* False if it is to go the whole way. */
bool cw_x509_leaf_read(struct cw_bytes der, struct cw_x509_leaf *out);

/* True if this issuer, whose chain is valid in the span, signed the leaf, and
 * all that cw_trust_check_attestation asks holds at `now`. False: whole way;
 * span and out may have changed. */
bool cw_x509_leaf_accept(const struct cw_x509_leaf *leaf, X509 *issuer,
    time_t now, struct cw_x509_span *span, struct cw_attestation *out);

/* A signature key from SubjectPublicKeyInfo as cw_public_key_spki writes it; not
 * yet checked. False for RSA and what is written otherwise. */
bool cw_x509_spki_key(struct cw_bytes spki, struct cw_public_key *out);

#endif
