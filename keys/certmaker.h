/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates for ceremonies (RFC 5280): roots, CAs, attestation leaves, the
 * issuer's own keys. Holders' certificates are made in keys/issue.h.
 */
#ifndef CW_KEYS_CERTMAKER_H
#define CW_KEYS_CERTMAKER_H

#include "proto/x509.h"

#define CW_CERT_LEAF (-1)

struct cw_cert_spec {
	const char *subject; /* RFC 4514 */
	const struct cw_public_key *key;
	unsigned days;
	int path_length;                /* of a CA, or CW_CERT_LEAF */
	const char *key_usage;          /* OpenSSL's names, "critical,…" */
	const char *extended_key_usage; /* names and dotted OIDs, or NULL */
	const char *alternative_names;  /* "DNS:…,IP:…", or NULL */
	unsigned kind;                  /* enum cw_attestation_kind, or 0 */
	const char *model;              /* attestation leaf */
};

/*
 * Appends the DER of the certificate: version 3, serial of 16 random bytes, key
 * identifiers (RFC 7093 2 method 1), basicConstraints, usage. Valid from five
 * minutes before `now_s` (clocks differ) and no longer than its issuer.
 * `issuer` is the issuer's certificate, or empty for a self-signed one.
 * Errors: BAD_TEXT (subject), BAD_CERTIFICATE (issuer), OUT_OF_RANGE (usages),
 * UNKNOWN_ALGORITHM, CRYPTO_FAILED, NO_MEMORY.
 */
enum cw_err cw_cert_make(const struct cw_cert_spec *spec,
    struct cw_bytes issuer, const struct cw_private_key *issuer_key,
    uint64_t now_s, struct cw_buf *out) __attribute__((warn_unused_result));

/* Positive, 16 bytes, not smaller in DER (RFC 5280 4.1.2.2). */
void cw_serial_random(uint8_t serial[16]);

/* Whether issuer and subject are the same: a root. Errors: BAD_CERTIFICATE. */
enum cw_err cw_cert_is_self_issued(struct cw_bytes der, bool *out)
    __attribute__((warn_unused_result));

#endif
