/* SPDX-License-Identifier: Apache-2.0 */
/* Message 3: the session request R (session.cddl request-payload). */
#ifndef CW_PROTO_REQUEST_H
#define CW_PROTO_REQUEST_H

#include "proto/cose.h"
#include "proto/scope.h"
#include "proto/suite.h"

#define CW_ENDORSEMENTS_MAX 8

struct cw_request {
	const struct cw_suite *suite;
	uint8_t session_id[CW_SESSION_ID_BYTES];
	struct cw_bytes uri;
	struct cw_public_key issuer_ephemeral; /* of the suite's key type */
	uint8_t card_nonce[CW_NONCE_BYTES];
	uint8_t caps_hash[CW_HASH_BYTES];
	uint8_t intent_hash[CW_HASH_BYTES];
	uint8_t grant_hash[CW_HASH_BYTES];
	struct cw_scope scope;
	enum cw_mode mode;
	uint64_t time_s;
	uint64_t lifetime_s;
	unsigned command_limit;
	struct cw_public_key management_key;
	size_t n_endorsements;
	struct cw_bytes endorsements[CW_ENDORSEMENTS_MAX];
};

/* Signs R with the management key, whose public half goes into it. */
enum cw_err cw_request_make(const struct cw_request *request,
    const struct cw_private_key *management, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* Reads R; views borrow. The signature is not checked. Errors: the reader's,
 * BAD_VERSION, BAD_SUITE, WRONG_LABEL, BAD_KEY (ephemeral of another type). */
enum cw_err cw_request_decode(struct cw_bytes in, struct cw_request *out)
    __attribute__((warn_unused_result));

/* Reads R and checks its signature by the management key inside it. Whether
 * that key is the right one is the caller's question. */
enum cw_err cw_request_verify(struct cw_bytes in, struct cw_request *out)
    __attribute__((warn_unused_result));

#endif
