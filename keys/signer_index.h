/* SPDX-License-Identifier: Apache-2.0 */
/* What the signer's log says, in memory, for the questions it asks of it. */
#ifndef CW_KEYS_SIGNER_INDEX_H
#define CW_KEYS_SIGNER_INDEX_H

#include "keys/signer_record.h"
#include "keys/table.h"

/* One certificate. About 200 bytes with its places in the tables. */
struct cw_index_entry {
	uint8_t th_key[CW_HASH_BYTES + 4]; /* th, then the key id */
	uint8_t request[CW_HASH_BYTES];
	uint8_t serial[CW_SERIAL_BYTES];
	uint64_t time_s;
	uint64_t at; /* the record's CBOR in the log */
	uint32_t len;
	uint32_t session;
	bool revoked;
};

struct cw_index_session {
	uint8_t th[CW_HASH_BYTES];
	uint32_t grant;
	uint32_t certified, live; /* certificates; those not revoked */
	bool done; /* a card stated its result, and nothing was certified */
};

struct cw_index_grant {
	uint8_t id[CW_GRANT_ID_BYTES];
	uint32_t live;     /* sessions with a live certificate, or done */
	uint32_t requests; /* card nonces for which an R may touch a card */
};

/* An R that may touch what a card holds: the grant's id, then the card nonce. */
struct cw_index_request {
	uint8_t key[CW_GRANT_ID_BYTES + CW_NONCE_BYTES];
};

struct cw_index {
	struct cw_index_entry *entries;
	struct cw_index_session *sessions;
	struct cw_index_grant *grants;
	struct cw_index_request *requests;
	size_t n_entries, n_sessions, n_grants, n_requests;
	size_t cap_entries, cap_sessions, cap_grants, cap_requests;
	struct cw_table by_key, by_request, by_serial, by_th, by_grant,
	    by_nonce;
};

void cw_index_init(struct cw_index *index);
void cw_index_wipe(struct cw_index *index);

/*
 * Takes in a record, which lies at `at` in the log. Errors: ALREADY_CERTIFIED
 * ((th, key id), request or serial are there), WRONG_STATEMENT (a th under
 * another grant), UNKNOWN_SERIAL (revoked without certificate, or twice), EXISTS
 * (requested for that nonce, or done, before), NO_MEMORY; then nothing has
 * changed.
 */
enum cw_err cw_index_add(struct cw_index *index, const struct cw_record *record,
    uint64_t at, size_t len) __attribute__((warn_unused_result));

/* NULL if there is none. */
const struct cw_index_entry *cw_index_by_request(const struct cw_index *index,
    const uint8_t request[CW_HASH_BYTES]);
const struct cw_index_entry *cw_index_by_serial(const struct cw_index *index,
    const uint8_t serial[CW_SERIAL_BYTES]);

/* Was a certificate made for this key of this session? */
bool cw_index_has_key(const struct cw_index *index,
    const uint8_t th[CW_HASH_BYTES], uint32_t key_id);

/* How many keys of this session were certified. */
size_t cw_index_session_keys(const struct cw_index *index,
    const uint8_t th[CW_HASH_BYTES]);

/* Was the session recorded as done? */
bool cw_index_is_done(const struct cw_index *index,
    const uint8_t th[CW_HASH_BYTES]);

/* Was an R signed under this grant for this card nonce, that may touch what the
 * card holds? And for how many nonces? */
bool cw_index_has_request(const struct cw_index *index,
    const uint8_t grant[CW_GRANT_ID_BYTES],
    const uint8_t nonce[CW_NONCE_BYTES]);
size_t cw_index_requests(const struct cw_index *index,
    const uint8_t grant[CW_GRANT_ID_BYTES]);

/* Sessions under the grant with a certificate that is not revoked, or done
 * without one; the session `th`, if it is not NULL, is not counted. */
size_t cw_index_uses(const struct cw_index *index,
    const uint8_t grant[CW_GRANT_ID_BYTES], const uint8_t *th);

#endif
