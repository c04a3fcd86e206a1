/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer's own log: append-only, hash-chained, durable before an answer
 * leaves (docs/architecture.md "Signer"). One process at a time holds it.
 */
#ifndef CW_KEYS_SIGNER_LOG_H
#define CW_KEYS_SIGNER_LOG_H

#include "keys/signer_index.h"

struct cw_signer_log {
	int fd;
	uint64_t size;         /* bytes that are durable */
	struct cw_buf pending; /* records behind them */
	struct cw_index index;
	uint8_t last[CW_HASH_BYTES]; /* of the last record, pending or not */
};

/*
 * Opens or makes the log, locks it, and verifies all of it. A last record that
 * a kill or power cut left incomplete is cut off: it was never answered.
 * Errors: LOCKED; FILE_MODE; BAD_STATE_FILE (a record that is changed, out of
 * the chain, or impossible: logged with its place); IO; NO_SPACE; NO_MEMORY.
 */
enum cw_err cw_signer_log_open(struct cw_signer_log *log, const char *path)
    __attribute__((warn_unused_result));

/* Closes, whatever the state; what is pending is lost. */
void cw_signer_log_close(struct cw_signer_log *log);

/* Puts a record behind the last; `previous` is set here. It counts in the index
 * at once and lasts from the next commit on. Errors: those of cw_index_add. */
enum cw_err cw_signer_log_append(struct cw_signer_log *log,
    struct cw_record *record) __attribute__((warn_unused_result));

/* Makes what is pending durable: one write, one fdatasync. After an error the
 * process must stop: what was written is not known. Errors: SIGNER_LOG. */
enum cw_err cw_signer_log_commit(struct cw_signer_log *log)
    __attribute__((warn_unused_result));

/* Appends an entry's certificate to `out`. Errors: SIGNER_LOG. */
enum cw_err cw_signer_log_certificate(const struct cw_signer_log *log,
    const struct cw_index_entry *entry, struct cw_buf *out)
    __attribute__((warn_unused_result));

#endif
