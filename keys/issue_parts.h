/* SPDX-License-Identifier: Apache-2.0 */
/* Between issue_openssl.c and issue_parts_openssl.c. Not for others. */
#ifndef CW_KEYS_ISSUE_PARTS_H
#define CW_KEYS_ISSUE_PARTS_H

#include "proto/crypto.h"

/* DER of an AlgorithmIdentifier for keys of this type, or for signatures. */
enum cw_err cw_issue_key_algorithm(enum cw_key_type type, struct cw_buf *out)
    __attribute__((warn_unused_result));
enum cw_err cw_issue_signature_algorithm(enum cw_key_type type,
    struct cw_buf *out) __attribute__((warn_unused_result));

/* What the BIT STRING of a SubjectPublicKeyInfo holds. */
enum cw_err cw_issue_key_bits(const struct cw_public_key *key,
    struct cw_buf *out) __attribute__((warn_unused_result));

/* A COSE signature (RFC 9053 2) as X.509 has it (RFC 5480: DER for ECDSA). */
enum cw_err cw_issue_signature(enum cw_key_type type, struct cw_bytes cose,
    struct cw_buf *out) __attribute__((warn_unused_result));

#endif
