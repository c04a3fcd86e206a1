/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roll-over of an issuer's management key: the old key signs the new one, with
 * an epoch that only rises and an expiry (session.cddl endorsement;
 * docs/protocol.md "Roll-over").
 */
#ifndef CW_PROTO_ENDORSEMENT_H
#define CW_PROTO_ENDORSEMENT_H

#include "proto/request.h"

struct cw_endorsement {
	struct cw_public_key from, to;
	uint32_t epoch;       /* of `to`, 1 or more */
	uint64_t not_after_s; /* for who meets `to` the first time */
};

/* Signs with the old key, whose public half goes into it as `from`. */
enum cw_err cw_endorsement_make(const struct cw_endorsement *e,
    const struct cw_private_key *old_key, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* Reads one and checks its signature by its own `from`. Errors: the reader's,
 * BAD_SIGNATURE, BAD_ENDORSEMENT (a key that endorses itself). */
enum cw_err cw_endorsement_verify(struct cw_bytes in,
    struct cw_endorsement *out) __attribute__((warn_unused_result));

/* A whole chain, by the hashes of its keys. */
struct cw_endorsements {
	size_t n;
	struct {
		uint8_t from[CW_HASH_BYTES], to[CW_HASH_BYTES];
		uint32_t epoch;
		uint64_t not_after_s;
	} chain[CW_ENDORSEMENTS_MAX]; /* oldest first */
};

/*
 * R's chain: each by the key that the one before endorsed, the last for R's
 * management key, epochs rising, no key twice. None is a chain of length 0.
 * Errors: BAD_ENDORSEMENT, those of verify. Costs a verification each.
 */
enum cw_err cw_endorsements_verify(const struct cw_request *q,
    struct cw_endorsements *out) __attribute__((warn_unused_result));

/*
 * Whether the chain leads from a key of this hash to its end, with nothing on
 * the way expired at `now_s`: for who remembers a key and has a clock.
 */
bool cw_endorsements_lead_from(const struct cw_endorsements *e,
    const uint8_t key_hash[CW_HASH_BYTES], uint64_t now_s);

#endif
