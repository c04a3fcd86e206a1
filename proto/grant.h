/* SPDX-License-Identifier: Apache-2.0 */
/* Grants: signed by an authority outside the web process (session.cddl). */
#ifndef CW_PROTO_GRANT_H
#define CW_PROTO_GRANT_H

#include "proto/cose.h"
#include "proto/scope.h"

struct cw_grant {
	uint8_t id[CW_GRANT_ID_BYTES];
	struct cw_bytes subject; /* RFC 4514, displayable */
	struct cw_bytes account;
	struct cw_bytes profile;
	enum cw_action action;
	enum cw_mode mode;
	struct cw_scope scope;
	unsigned uses; /* sessions that may be certified */
	uint64_t not_after_s;
	bool has_leaf, has_pseudonym, has_model; /* binding */
	uint8_t leaf_hash[CW_HASH_BYTES];
	uint8_t pseudonym[CW_HASH_BYTES];
	struct cw_bytes model;
	unsigned approvals; /* operators who must approve before step 7 */
};

/*
 * What a session of this kind may have in its scope (docs/protocol.md 4): what
 * the person was asked for and what happens must be of one kind.
 */
bool cw_action_allows(enum cw_action action, const struct cw_scope *scope);

/* True if the scope is one of a session that makes keys. */
bool cw_scope_makes_keys(const struct cw_scope *scope);

/* Signs a grant. Errors: those of cw_cose_sign1_make. */
enum cw_err cw_grant_make(const struct cw_grant *grant,
    const struct cw_private_key *authority, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* Reads one; views borrow from `in`; the signature is not checked here. */
enum cw_err cw_grant_decode(struct cw_bytes in, struct cw_grant *out)
    __attribute__((warn_unused_result));

/* Reads one and checks the authority's signature. Errors: also BAD_GRANT. */
enum cw_err cw_grant_verify(struct cw_bytes in,
    const struct cw_public_key *authority, struct cw_grant *out)
    __attribute__((warn_unused_result));

#endif
