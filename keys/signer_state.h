/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's inside: its keys, and the checks that its requests share. Only
 * for keys/signer_*.c, the fuzzer and tests. */
#ifndef CW_KEYS_SIGNER_STATE_H
#define CW_KEYS_SIGNER_STATE_H

#include "keys/issue.h"
#include "keys/own_cert.h"
#include "keys/signer_log.h"
#include "keys/signer_wire.h"
#include "proto/base/clock.h"

struct cw_certs {
	struct cw_buf memory;
	size_t n;
	struct cw_bytes items[CW_CHAIN_MAX];
};

/* Subjects of recent grants: parsed for R, wanted again for the certificate. */
#define CW_SIGNER_SUBJECTS 256

struct cw_known_subject {
	uint8_t grant_hash[CW_HASH_BYTES];
	struct cw_subject subject;
};

/* Grants that this process has verified and signed an R for, by H(grant). */
#define CW_SIGNER_GRANTS 1024

struct cw_signer_state {
	const struct cw_config *config;
	struct cw_clock clock;
	struct cw_private_key *management, *ca;
	struct cw_public_key management_public, authority_public;
	uint8_t management_hash[CW_HASH_BYTES]; /* H(COSE_Key) */
	struct cw_buf endorsements;             /* for every R, as they are */
	size_t n_endorsements;
	struct cw_bytes endorsement[CW_ENDORSEMENTS_MAX]; /* oldest first */
	size_t n_operators;                               /* who may approve */
	struct cw_public_key operators[CW_OPERATORS_MAX];
	struct cw_own_window operator_windows[CW_OPERATORS_MAX];
	struct cw_public_key valid_operators[CW_OPERATORS_MAX]; /* scratch */
	struct cw_certs ca_chain, management_chain, authority_chain;
	/* when each of these may be used */
	struct cw_own_window ca_window, management_window, authority_window;
	struct cw_trust *vendor;
	uint8_t *tag_key; /* guarded, CW_TAG_BYTES */
	/* a hash of the authority's certificate and the vendor roots */
	uint8_t anchors[CW_HASH_BYTES];
	struct cw_issue *issue;
	struct cw_signer_log log;
	struct cw_signer_request request; /* the one that is being answered */
	struct cw_buf results;            /* of it */
	struct cw_buf scratch;
	struct cw_known_subject subjects[CW_SIGNER_SUBJECTS];
	uint8_t grants[CW_SIGNER_GRANTS][CW_HASH_BYTES];
};

/* Loads everything the configuration names, opens the log and begins it with a
 * start record. Errors: those of the files, logged with their names. */
enum cw_err cw_signer_state_open(struct cw_signer_state *s,
    const struct cw_config *config) __attribute__((warn_unused_result));
void cw_signer_state_close(struct cw_signer_state *s);

/*
 * Answers one packet into `answer`; records stay pending in the log. Returns
 * CW_OK when there is an answer (which may be an error's), SIGNER_LOG or
 * NO_MEMORY when the signer must stop, and else why the packet is malformed.
 */
enum cw_err cw_signer_handle(struct cw_signer_state *s, struct cw_bytes packet,
    struct cw_buf *answer) __attribute__((warn_unused_result));

/* ---- operations: results into s->results ---- */

enum cw_err cw_signer_op_info(struct cw_signer_state *s)
    __attribute__((warn_unused_result));
enum cw_err cw_signer_op_sign(struct cw_signer_state *s)
    __attribute__((warn_unused_result));
enum cw_err cw_signer_op_token(struct cw_signer_state *s)
    __attribute__((warn_unused_result));
enum cw_err cw_signer_op_certify(struct cw_signer_state *s)
    __attribute__((warn_unused_result));
enum cw_err cw_signer_op_revoke(struct cw_signer_state *s)
    __attribute__((warn_unused_result));
enum cw_err cw_signer_op_read(struct cw_signer_state *s)
    __attribute__((warn_unused_result));

enum cw_err cw_signer_op_done(struct cw_signer_state *s)
    __attribute__((warn_unused_result));

/* ---- shared checks ---- */

/* What a proof was found to say. Views borrow from the request's packet. */
struct cw_session {
	struct cw_request request;
	struct cw_grant grant;
	const struct cw_profile *profile;
	uint8_t request_hash[CW_HASH_BYTES], grant_hash[CW_HASH_BYTES];
	uint8_t th[CW_HASH_BYTES];
	uint64_t now_s;
};

/* The grant and its authority against clock, profiles and what this version can do. Errors:
 * AUTHORITY_EXPIRED, INVITATION_EXPIRED, UNKNOWN_PROFILE, PROFILE_REFUSES. */
enum cw_err cw_signer_check_grant(struct cw_signer_state *s,
    const struct cw_grant *grant, uint64_t now_s,
    const struct cw_profile **profile) __attribute__((warn_unused_result));

/* The grant, verified, or only read if these very bytes were kept. Errors: those of
 * cw_grant_verify. */
enum cw_err cw_signer_take_grant(struct cw_signer_state *s, struct cw_bytes in,
    const uint8_t grant_hash[CW_HASH_BYTES], struct cw_grant *out)
    __attribute__((warn_unused_result));

/* Of a grant that cw_signer_take_grant gave: an R is signed for it. */
void cw_signer_keep_grant(struct cw_signer_state *s,
    const uint8_t grant_hash[CW_HASH_BYTES]);

/* The grant's subject as the profile allows it; good until the next call.
 * Errors: those of cw_issue_subject. */
enum cw_err cw_signer_check_subject(struct cw_signer_state *s,
    const struct cw_grant *grant, const uint8_t grant_hash[CW_HASH_BYTES],
    const struct cw_profile *profile, const struct cw_subject **out)
    __attribute__((warn_unused_result));

/* R against its grant: scope, mode, suite. Errors: BAD_SCOPE, WRONG_MODE,
 * PROFILE_REFUSES. */
enum cw_err cw_signer_check_within(const struct cw_request *request,
    const struct cw_grant *grant, const struct cw_profile *profile)
    __attribute__((warn_unused_result));

/* R and grant are this signer's and the authority's, by the tag or by their
 * signatures, and R is for this grant; all of `out` but the profile. Errors:
 * BAD_GRANT, BAD_SIGNATURE, BAD_KEY. */
enum cw_err cw_signer_read_proof(struct cw_signer_state *s,
    const struct cw_proof *proof, struct cw_session *out)
    __attribute__((warn_unused_result));

/* The same, and R covers now. Errors: also SESSION_EXPIRED, and those of the two
 * above. */
enum cw_err cw_signer_check_proof(struct cw_signer_state *s,
    const struct cw_proof *proof, struct cw_session *out)
    __attribute__((warn_unused_result));

/* The whole check of a token in its session. Errors: those of
 * cw_trust_check_attestation and cw_token_check, UNKNOWN_MODEL,
 * BINDING_REFUSED. The verdict's tag is made. */
enum cw_err cw_signer_check_token_in(struct cw_signer_state *s,
    const struct cw_session *session, struct cw_bytes token,
    struct cw_verdict *out) __attribute__((warn_unused_result));

/* Model and binding, which may have changed since a verdict. */
enum cw_err cw_signer_check_binding(const struct cw_signer_state *s,
    const struct cw_grant *grant, const struct cw_verdict *verdict)
    __attribute__((warn_unused_result));

/* HMAC over ["CW1 signer request", anchors, H(R), H(grant)]. */
void cw_signer_request_tag(struct cw_signer_state *s,
    const uint8_t request_hash[CW_HASH_BYTES],
    const uint8_t grant_hash[CW_HASH_BYTES], uint8_t out[CW_TAG_BYTES]);

/* HMAC over ["CW1 signer token", anchors, th, mode, H(grant), kind, model, key, leaf
 * hash, pseudonym]. */
void cw_signer_verdict_tag(struct cw_signer_state *s,
    const struct cw_session *session, const struct cw_verdict *verdict,
    uint8_t out[CW_TAG_BYTES]);

#endif
