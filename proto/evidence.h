/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evidence behind a certificate: one CBOR file (session.cddl evidence), and the
 * whole check of it, offline, with only the vendor's roots and the issuer's
 * certificate.
 */
#ifndef CW_PROTO_EVIDENCE_H
#define CW_PROTO_EVIDENCE_H

#include "proto/batch.h"
#include "proto/cose.h"
#include "proto/x509.h"

#define CW_EVIDENCE_MAX (1024 * 1024)

struct cw_evidence {
	struct cw_bytes request; /* R */
	struct cw_public_key card_ephemeral;
	struct cw_bytes message_4;
	size_t n_commands; /* replies are as many */
	struct cw_bytes commands[CW_COMMANDS_MAX];
	struct cw_bytes replies[CW_COMMANDS_MAX];
	size_t n_attestation;
	struct cw_bytes attestation[CW_CHAIN_MAX];
	struct cw_bytes token_statement;
	struct cw_bytes card_info;
	size_t n_keys;
	struct cw_bytes key_statements[CW_KEYS_MAX];
	uint8_t close_nonce[CW_NONCE_BYTES];
	struct cw_bytes result_statement;
	struct cw_bytes grant;
	size_t n_certificate; /* issued chain, leaf first */
	struct cw_bytes certificate[CW_CHAIN_MAX];
	size_t n_management, n_authority;
	struct cw_bytes management[CW_CHAIN_MAX]; /* chains of these two keys */
	struct cw_bytes authority[CW_CHAIN_MAX];
	size_t n_approvals; /* and the certificate of each one's operator */
	struct cw_bytes approvals[CW_OPERATORS_MAX];
	struct cw_bytes operators[CW_OPERATORS_MAX];
	struct cw_bytes policy_version;
	uint64_t verified_s; /* when the result was verified */
};

void cw_evidence_encode(const struct cw_evidence *e, struct cw_buf *out);
enum cw_err cw_evidence_decode(struct cw_bytes in, struct cw_evidence *out)
    __attribute__((warn_unused_result));

/* The checks in order, in words, for a report; NULL behind the last. */
size_t cw_evidence_checks(void);
const char *cw_evidence_check_words(size_t i);

/* Evidence of a session that made no key (neither key statements nor certificate)
 * is not asked about one. `i` is below cw_evidence_checks(). */
bool cw_evidence_check_applies(const struct cw_evidence *e, size_t i);

/*
 * Everything that the issuer checked, again, at the time `verified_s`: the
 * chains of management and authority key to the issuer, grant, R, th, token,
 * key statement of the certificate's key, the approvals that the grant asks for, h over commands and replies, result
 * with nothing done beyond the scope and this certificate chain in it, the
 * certificate by the issuer, and its subject as granted.
 * Errors: BAD_EVIDENCE and what each check gives; `failed` (may be NULL) names
 * the check in words, and is NULL where none failed.
 */
enum cw_err cw_evidence_verify(const struct cw_evidence *e,
    struct cw_trust *vendor, struct cw_trust *issuer, const char **failed)
    __attribute__((warn_unused_result));

#endif
