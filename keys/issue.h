/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Holders' certificates. What does not change from one certificate of a profile
 * to the next is encoded once, when the signer starts: building one costs little
 * more than its signature. Not thread-safe: one object a thread.
 */
#ifndef CW_KEYS_ISSUE_H
#define CW_KEYS_ISSUE_H

#include "keys/config.h"
#include "proto/x509_subject.h"
#include "proto/x509.h"

struct cw_issue;

/*
 * For all profiles of the configuration; `ca` is the issuing CA's certificate,
 * `ca_key` its key (P-256, P-384 or Ed25519). All are kept. Errors: BAD_CONFIG (a
 * usage, policy or subject_suffix that cannot be encoded: logged with the
 * profile), BAD_CERTIFICATE, UNKNOWN_ALGORITHM, NO_MEMORY.
 */
enum cw_err cw_issue_new(const struct cw_config *config, struct cw_bytes ca,
    const struct cw_private_key *ca_key, struct cw_issue **out)
    __attribute__((warn_unused_result));
void cw_issue_free(struct cw_issue **issue);

/* No certificate is valid after this, as it is not after the CA's own end: for
 * what is above the CA. */
void cw_issue_set_end(struct cw_issue *issue, uint64_t end_s);

/* Parses the subject and compares it with the profile's suffix. Errors:
 * BAD_TEXT, TOO_LARGE, PROFILE_REFUSES. */
enum cw_err cw_issue_subject(const struct cw_issue *issue,
    const struct cw_profile *profile, struct cw_bytes text,
    struct cw_subject *out) __attribute__((warn_unused_result));

/* What one certificate is to say; all is borrowed. */
struct cw_issue_order {
	const struct cw_profile *profile;
	const struct cw_subject *subject; /* from cw_issue_subject */
	const struct cw_public_key *key;
	const uint8_t *serial; /* 16 bytes, positive */
	uint64_t now_s;
};

/*
 * Appends the DER of a certificate (RFC 5280): version 3, valid from a minute
 * before now for the profile's lifetime but not longer than the CA, and the
 * extensions basicConstraints, keyUsage, extKeyUsage, certificatePolicies (where
 * the profile has them), authority and subject key identifier, and
 * subjectAltName where the subject has an emailAddress. Errors: BAD_KEY,
 * EXPIRED_CERTIFICATE (the CA's), CRYPTO_FAILED, NO_MEMORY.
 */
enum cw_err cw_issue_make(struct cw_issue *issue,
    const struct cw_issue_order *order, struct cw_buf *out)
    __attribute__((warn_unused_result));

#endif
