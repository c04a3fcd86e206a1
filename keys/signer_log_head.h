/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of the signer's log, in LOG.head, 72 bytes written in place: how many
 * bytes of the log are known to be durable (8, big-endian), the hash of the last
 * record in them, and an HMAC over both. It is written after each commit and
 * synced at start and at a clean end, so after a power cut it may be older than
 * the log, but never newer.
 */
#ifndef CW_KEYS_SIGNER_LOG_HEAD_H
#define CW_KEYS_SIGNER_LOG_HEAD_H

#include <stdint.h>

#include "proto/base/err.h"
#include "proto/crypto.h"

#define CW_LOG_HEAD_BYTES (8 + CW_HASH_BYTES + CW_HASH_BYTES)

struct cw_log_head {
	uint64_t size; /* 0: nothing is known */
	uint8_t last[CW_HASH_BYTES];
};

/* Path of the head of the log `path`. Errors: TOO_LARGE. */
enum cw_err cw_log_head_path(const char *path, char *out, size_t size)
    __attribute__((warn_unused_result));

/* Reads it from its descriptor; `key` is the log's. Errors: LOG_CUT (empty or
 * not by this key), IO. */
enum cw_err cw_log_head_read(int fd, const uint8_t key[CW_HASH_BYTES],
    struct cw_log_head *out) __attribute__((warn_unused_result));

/* Writes it, in place, without a sync. Errors: IO, NO_SPACE. */
enum cw_err cw_log_head_write(int fd, const uint8_t key[CW_HASH_BYTES],
    const struct cw_log_head *head) __attribute__((warn_unused_result));

#endif
