/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer's own log: append-only, hash-chained, each record with an HMAC by
 * a key derived from the tag key, durable before an answer leaves. One process
 * at a time holds it. Beside it stands its head (signer_log_head.h): how far the
 * log is known to go, so that a log that was cut is noticed. Zeros behind the
 * last record are room that was not used, and normal.
 */
#ifndef CW_KEYS_SIGNER_LOG_H
#define CW_KEYS_SIGNER_LOG_H

#include "keys/signer_index.h"
#include "keys/signer_log_head.h"

/* What one round of requests can leave pending: a record of each channel, and one to
 * spare. */
#define CW_LOG_PENDING_MAX (((size_t)CW_SIGNER_CHANNELS + 1) * CW_RECORD_MAX)

struct cw_signer_log {
	int fd, head_fd;
	uint8_t *key;          /* guarded, of the HMACs */
	uint64_t size;         /* bytes that are durable records */
	uint64_t room;         /* of the file, whose end is zeros */
	struct cw_buf pending; /* records behind them */
	uint64_t commits;      /* that made some durable, since it was opened */
	struct cw_index index;
	uint8_t last[CW_HASH_BYTES]; /* of the last record, pending or not */
};

/*
 * Opens or makes the log and its head, locks it, and verifies all of it. What a
 * kill or power cut left of records that were never answered is cut off (see
 * signer_log_check.h). Errors: LOCKED; FILE_MODE; BAD_STATE_FILE (a record that
 * is changed, out of the chain, or impossible: logged with its place); LOG_CUT
 * (the log ends before what its head knows, or the head is missing or changed);
 * LOG_KEY (the first record is not by this key); IO; NO_SPACE; NO_MEMORY.
 */
enum cw_err cw_signer_log_open(struct cw_signer_log *log, const char *path,
    const uint8_t tag_key[CW_TAG_BYTES]) __attribute__((warn_unused_result));

/* Closes, whatever the state; what is pending is lost. */
void cw_signer_log_close(struct cw_signer_log *log);

/* Puts a record behind the last; `previous` is set here. It counts in the index
 * at once and lasts from the next commit on. Errors: those of cw_index_add. */
enum cw_err cw_signer_log_append(struct cw_signer_log *log,
    struct cw_record *record) __attribute__((warn_unused_result));

/* Makes what is pending durable: one write, one fdatasync, and the head after
 * it. The file is a step ahead of the records, so that few commits change its
 * size. After an error the process must stop: what was written is not known.
 * Errors: SIGNER_LOG. */
enum cw_err cw_signer_log_commit(struct cw_signer_log *log)
    __attribute__((warn_unused_result));

/* Appends an entry's certificate to `out`. Errors: SIGNER_LOG. */
enum cw_err cw_signer_log_certificate(const struct cw_signer_log *log,
    const struct cw_index_entry *entry, struct cw_buf *out)
    __attribute__((warn_unused_result));

#endif
