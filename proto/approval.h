/* SPDX-License-Identifier: Apache-2.0 */
/* Approvals: an operator's signed word about one key (session.cddl approval). */
#ifndef CW_PROTO_APPROVAL_H
#define CW_PROTO_APPROVAL_H

#include "proto/cose.h"
#include "proto/limits.h"

struct cw_approval {
	uint8_t statement_hash[CW_HASH_BYTES]; /* H(key statement) */
	bool is_approved;                      /* false: rejected */
	uint64_t time_s;
};

/* Appends it. Errors: those of cw_cose_sign1_make. */
enum cw_err cw_approval_make(const struct cw_approval *approval,
    const struct cw_private_key *operator_key, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* Errors: the reader's, WRONG_LABEL, BAD_SIGNATURE. */
enum cw_err cw_approval_verify(struct cw_bytes in,
    const struct cw_public_key *operator_key, struct cw_approval *out)
    __attribute__((warn_unused_result));

/* How many of these keys have approved exactly this statement: each counts once,
 * whatever else is in the list. */
unsigned cw_approvals_count(const struct cw_bytes *approvals, size_t n,
    const struct cw_public_key *operators, size_t n_operators,
    struct cw_bytes key_statement);

#endif
