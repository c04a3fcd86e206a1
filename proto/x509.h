/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates (RFC 5280) as far as the parties share them: reading a public
 * key, checking a chain, and what an attestation certificate says. Over
 * OpenSSL's X.509; making certificates is in keys/. What is handed out is zeroed
 * on error.
 */
#ifndef CW_PROTO_X509_H
#define CW_PROTO_X509_H

#include "proto/crypto.h"

#define CW_CHAIN_MAX 16
#define CW_CERT_MAX_BYTES 8192
#define CW_SERIAL_MAX 20

/* Extensions of Cardwright's own, under the UUID arc 2.25 (X.667). */
#define CW_OID_ARC "2.25.142391527348171012979207228871701721110"
#define CW_OID_ATTESTATION CW_OID_ARC ".1"
#define CW_OID_EKU_ATTESTATION CW_OID_ARC ".2"
#define CW_OID_EKU_MANAGEMENT CW_OID_ARC ".3"
#define CW_OID_EKU_AUTHORITY CW_OID_ARC ".4"
#define CW_OID_EKU_OPERATOR CW_OID_ARC ".5" /* approves keys */

/* Whose key an attestation leaf certifies. */
enum cw_attestation_kind {
	CW_ATTESTATION_CARD = 1,  /* the card's own key: mode 1 */
	CW_ATTESTATION_BATCH = 2, /* shared by a batch: modes 2, 3 */
};

/* What an attestation leaf's CW_OID_ATTESTATION extension says: DER OCTET
 * STRING of CBOR {0: kind, 1: model}; not critical, model a session.cddl text. */
struct cw_attestation {
	enum cw_attestation_kind kind;
	char model[201];
	struct cw_public_key key;
	uint8_t leaf_hash[CW_HASH_BYTES]; /* H(DER of the leaf) */
};

/* The certificate's public key, checked. Errors: BAD_CERTIFICATE (also one
 * longer than CW_CERT_MAX_BYTES), UNKNOWN_ALGORITHM, BAD_KEY. */
enum cw_err cw_cert_public_key(struct cw_bytes der, struct cw_public_key *out)
    __attribute__((warn_unused_result));

/* DER of SubjectPublicKeyInfo from a public key. Errors: BAD_KEY. */
enum cw_err cw_public_key_spki(const struct cw_public_key *key,
    struct cw_buf *out) __attribute__((warn_unused_result));

/* Trusted roots and intermediates that have been verified before. */
struct cw_trust;

struct cw_trust *cw_trust_new(void);
void cw_trust_free(struct cw_trust **trust);

/* Adds a trusted root, DER. Errors: BAD_CERTIFICATE, NO_MEMORY. */
enum cw_err cw_trust_add_root(struct cw_trust *trust, struct cw_bytes der)
    __attribute__((warn_unused_result));

/*
 * Checks an attestation chain at `now_s`: leaf first, each followed by its
 * issuer, nothing else, root not included. Signatures up to a trusted root
 * (ECDSA or RSA with SHA-256 or SHA-384, or Ed25519), validity, version 3,
 * basicConstraints and path length, keyCertSign, no unknown critical extension;
 * leaf: digitalSignature, not a CA, CW_OID_EKU_ATTESTATION and
 * CW_OID_ATTESTATION present, a key that can sign statements. Chains of batches
 * and what is above a leaf are remembered (64 each): a known batch costs two
 * hashes, another leaf of a known issuer one verification. Thread-safe.
 * Errors: BAD_CERTIFICATE, UNTRUSTED_CHAIN (also none or too many),
 * EXPIRED_CERTIFICATE, BAD_CONSTRAINTS, BAD_SIGNATURE, UNKNOWN_ALGORITHM,
 * BAD_KEY.
 */
enum cw_err cw_trust_check_attestation(struct cw_trust *trust,
    const struct cw_bytes *chain, size_t n, uint64_t now_s,
    struct cw_attestation *out) __attribute__((warn_unused_result));

/*
 * Checks an ordinary chain for a key of the issuer (management, authority) or
 * an issued certificate: as above, without the attestation part, and nothing is
 * remembered. `eku` is a dotted OID that the leaf must carry; with NULL the leaf
 * may have any usage, so not digitalSignature either, and CAs need no keyUsage.
 */
enum cw_err cw_trust_check(struct cw_trust *trust, const struct cw_bytes *chain,
    size_t n, uint64_t now_s, const char *eku, struct cw_public_key *leaf_key)
    __attribute__((warn_unused_result));

/* PEM file (one or more certificates) to DER, called per certificate; stops at
 * the first error the callback returns. Errors: NO_FILE, BAD_CERTIFICATE (none,
 * or one that is damaged). */
enum cw_err cw_pem_certificates(const char *path,
    enum cw_err (*each)(void *ctx, struct cw_bytes der), void *ctx)
    __attribute__((warn_unused_result));

/* Serial number (big-endian, no sign byte), and the subject as RFC 4514 text in
 * UTF-8. Errors: BAD_CERTIFICATE, TOO_LARGE. */
enum cw_err cw_cert_serial(struct cw_bytes der, uint8_t serial[CW_SERIAL_MAX],
    size_t *len) __attribute__((warn_unused_result));
enum cw_err cw_cert_subject(struct cw_bytes der, char *out, size_t size)
    __attribute__((warn_unused_result));

#endif
