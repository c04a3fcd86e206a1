/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A file of frames that is written from its beginning again and again: each
 * frame is one durable write. What was in it before does not count: a frame's
 * check covers the frame before it, and the first frame's a random beginning
 * that the reader knows from elsewhere. So a frame counts only if it is whole,
 * of this beginning, and behind all others of it.
 *
 * A frame begins at a multiple of CW_JOURNAL_BLOCK, so that no write touches
 * bytes that count already: length of what is in it (4 bytes), check, bytes,
 * zeros. The file has its full length from the start: writes need no room on
 * the disk and change no metadata.
 */
#ifndef CW_SERVER_STORE_JOURNAL_H
#define CW_SERVER_STORE_JOURNAL_H

#include "proto/base/buf.h"

#define CW_JOURNAL_BLOCK 4096u
#define CW_JOURNAL_CHECK 16u
#define CW_JOURNAL_HEAD (4u + CW_JOURNAL_CHECK)
#define CW_JOURNAL_BYTES (4u << 20) /* of the file */
#define CW_JOURNAL_FRAME (1u << 20) /* at most, with head and zeros */

/* Behind which frames of a beginning one is; all-zero is none. */
struct cw_journal_place {
	uint64_t at;                     /* bytes */
	uint8_t check[CW_JOURNAL_CHECK]; /* of the last; at 0 the beginning */
};

struct cw_journal;

/*
 * Opens to write, and makes the file: one owner at a time. Nothing can be
 * written before cw_journal_begin. Errors: STORE_FAILED (logged), also when
 * another process owns it.
 */
enum cw_err cw_journal_open(const char *path, struct cw_journal **out)
    __attribute__((warn_unused_result));
void cw_journal_close(struct cw_journal **journal); /* NULL-safe; nulls */

/* A random beginning, for cw_journal_begin. */
void cw_journal_place_new(struct cw_journal_place *place);

/* Writes from the file's beginning from now on: `place` is what readers know. */
void cw_journal_begin(struct cw_journal *journal,
    const struct cw_journal_place *place);

/* Where the next frame goes. All in front of it counts. */
const struct cw_journal_place *cw_journal_end(const struct cw_journal *journal);

/* Bytes that the next frame may have; 0 before begin, and after a failure. */
size_t cw_journal_room(const struct cw_journal *journal);

/*
 * Writes a frame with these bytes (at least one); it is durable then. What
 * failed must not be counted on, nor be tried again: there is no room until the
 * next begin. Errors: STORE_FAILED (logged).
 */
enum cw_err cw_journal_append(struct cw_journal *journal,
    struct cw_bytes content) __attribute__((warn_unused_result));

/*
 * Appends what is in the frames behind *place to `out`, and moves *place behind
 * them; up to `end_at` at most. No file is as good as an empty one. Errors:
 * STORE_FAILED (logged), NO_MEMORY.
 */
enum cw_err cw_journal_read(const char *path, struct cw_journal_place *place,
    uint64_t end_at, struct cw_buf *out) __attribute__((warn_unused_result));

#endif
