/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reading the log: what of it holds, and what stands behind that. An answer
 * leaves only after fdatasync, and the next write begins only after that; so
 * what one write left unfinished was never answered, and it can only be the last
 * thing in the file. It is told from damage by what is missing: the file ends
 * inside its first record, or a sector of that record is still zeros.
 */
#ifndef CW_KEYS_SIGNER_LOG_CHECK_H
#define CW_KEYS_SIGNER_LOG_CHECK_H

#include "keys/signer_log.h"

enum cw_log_tail {
	CW_LOG_TAIL_NONE,    /* nothing, or zeros */
	CW_LOG_TAIL_TORN,    /* a write that was not finished */
	CW_LOG_TAIL_DAMAGED, /* something that was more than that */
};

struct cw_log_check {
	struct cw_log_head head;
	bool has_head;      /* false: every length and end is good */
	bool head_was_seen; /* a record ends where and as the head says */
	enum cw_log_tail tail;
	enum cw_err why; /* of a tail: what the first record failed with */
	size_t used;     /* bytes of the tail without the zeros at its end */
};

/*
 * Takes all records that hold into log->index; log->size and log->last are then
 * their end. Errors: LOG_KEY (the first record is whole but not by this key),
 * NO_MEMORY; a bad tail is none.
 */
enum cw_err cw_signer_log_check(struct cw_signer_log *log, struct cw_bytes all,
    struct cw_log_check *check) __attribute__((warn_unused_result));

/* A log without files, with its key: what cw_signer_log_open begins with.
 * cw_signer_log_close ends it. Errors: NO_MEMORY. */
enum cw_err cw_signer_log_init(struct cw_signer_log *log,
    const uint8_t tag_key[CW_TAG_BYTES]) __attribute__((warn_unused_result));

/* The head as log->size and log->last are, and the folder of `path` if it is not
 * NULL, made durable. Errors: IO, NO_SPACE. */
enum cw_err cw_signer_log_sync_head(struct cw_signer_log *log, const char *path)
    __attribute__((warn_unused_result));

/* HMAC of a record's CBOR under the log's key. */
void cw_signer_log_mac(const struct cw_signer_log *log, struct cw_bytes cbor,
    uint8_t out[CW_RECORD_MAC]);

#endif
