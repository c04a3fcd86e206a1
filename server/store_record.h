/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the journal of a store has in its frames: records, each a new session
 * or a step of one, with all that goes into its rows. They are read by the
 * version that wrote them, and by the next ones; the first byte says which.
 */
#ifndef CW_SERVER_STORE_RECORD_H
#define CW_SERVER_STORE_RECORD_H

#include "server/store.h"

enum cw_store_record_kind {
	CW_STORE_ADD = 1,
	CW_STORE_STEP = 2,
};

/* Bytes are borrowed: from what is encoded, or from what was decoded. */
struct cw_store_record {
	enum cw_store_record_kind kind;
	uint64_t row;
	uint8_t id[CW_SESSION_ID_BYTES];
	/* the session after it */
	uint64_t stage, error, expires_s;
	uint8_t serial[CW_SERIAL_BYTES];
	struct cw_bytes digests, verdict, sealed;
	/* ADD */
	uint8_t invitation[CW_HASH_BYTES], request_tag[CW_TAG_BYTES];
	uint64_t created_s;
	struct cw_bytes request, grant;
	/* STEP */
	bool has_step, has_certificate;
	uint64_t number;
	struct cw_bytes message, answer, kept;
	uint64_t now_s;
	size_t n_retired;
	const struct cw_retired *retired; /* to be encoded */
	struct cw_bytes retired_bytes;    /* decoded: see _retired */
	struct cw_certificate certificate;
};

/* From the store's structs; all bytes are borrowed from them. */
void cw_store_record_add(struct cw_store_record *record,
    const struct cw_session *session);
void cw_store_record_step(struct cw_store_record *record,
    const struct cw_session *after, const struct cw_step *step,
    const struct cw_certificate *certificate);

/* Appends it, with its length in front. */
void cw_store_record_encode(const struct cw_store_record *record,
    struct cw_buf *out);

/* Takes the first of `*in`: a record without its length. Errors: NOT_FOUND at
 * the end, STORE_CORRUPT. */
enum cw_err cw_store_record_next(struct cw_bytes *in, struct cw_bytes *record)
    __attribute__((warn_unused_result));
/* Whose it is. Errors: STORE_CORRUPT. */
enum cw_err cw_store_record_row(struct cw_bytes record, uint64_t *row)
    __attribute__((warn_unused_result));
/* Errors: STORE_CORRUPT. */
enum cw_err cw_store_record_decode(struct cw_bytes in,
    struct cw_store_record *record) __attribute__((warn_unused_result));
/* The i-th of n_retired of a record that was decoded. */
struct cw_retired cw_store_record_retired(const struct cw_store_record *record,
    size_t i);

#endif
