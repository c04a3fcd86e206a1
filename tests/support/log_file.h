/* SPDX-License-Identifier: Apache-2.0 */
/* A signer's log in a temporary folder, with its bytes and its head kept as they
 * were after each commit, to be put back in any mixture. */
#ifndef CW_TESTS_LOG_FILE_H
#define CW_TESTS_LOG_FILE_H

#include "keys/signer_log.h"

#define CW_LOG_FILE_COMMITS 10

extern const uint8_t cw_log_file_key[CW_TAG_BYTES];

struct cw_log_file {
	char dir[64], path[96], head_path[104];
	struct cw_buf whole; /* the log after all commits */
	size_t commits;      /* how many; commit i ends at ends[i] */
	size_t ends[CW_LOG_FILE_COMMITS];
	uint8_t heads[CW_LOG_FILE_COMMITS][CW_LOG_HEAD_BYTES];
};

/* Records of serial number, key and session n. */
struct cw_record cw_log_file_certified(uint8_t n);
struct cw_record cw_log_file_revoked(uint8_t n);

/* Start, certified 1 and 2, revoked 1, certified 3, and of a grant of zeros an R
 * for nonce 1 0… and the session 1 0… done; each a commit. */
void cw_log_file_make(struct cw_log_file *f);
void cw_log_file_free(struct cw_log_file *f);

/* One more commit, of `n` records certified from `first` on, to log and copy. */
void cw_log_file_commit(struct cw_log_file *f, uint8_t first, size_t n);

/* Cuts the room off a log, which may be in use, and gives what is left: as far as
 * its head knows. */
size_t cw_log_file_cut(const char *path);

/* These bytes as the log, and the head as it was after `commits` commits. */
void cw_log_file_put(const struct cw_log_file *f, struct cw_bytes log,
    size_t commits);

/* The same, and opens it. */
enum cw_err cw_log_file_open(const struct cw_log_file *f,
    struct cw_signer_log *log, struct cw_bytes bytes, size_t commits);

#endif
