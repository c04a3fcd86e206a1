/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable byte buffer with a hard maximum and a sticky error: after the
 * first failure every later put does nothing, and the writer asks once, at the
 * end. The memory is wiped when it is freed or moved.
 */
#ifndef CW_BASE_BUF_H
#define CW_BASE_BUF_H

#include "proto/base/bytes.h"
#include "proto/base/err.h"

struct cw_buf {
	uint8_t *ptr;
	size_t len;
	size_t cap;
	size_t max;      /* in bytes; a put beyond it sets CW_ERR_TOO_LARGE */
	enum cw_err err; /* the first error, or CW_OK */
	bool is_lent;    /* the memory is the caller's */
};

/* An empty buffer that will hold at most `max` bytes; allocates nothing. */
void cw_buf_init(struct cw_buf *b, size_t max);

/*
 * The same in memory that the caller lends, until more is put than fits there; for
 * what is small and soon gone. It must last as long as the buffer.
 */
void cw_buf_init_on(struct cw_buf *b, size_t max, uint8_t *memory, size_t size);

/* Wipes and releases the memory; the buffer is empty again, same maximum. */
void cw_buf_wipe(struct cw_buf *b);

/* Empties the buffer, keeps its memory, and clears the error. */
void cw_buf_reset(struct cw_buf *b);

/* Appends bytes. Errors: TOO_LARGE, NO_MEMORY (sticky, in b->err). */
void cw_buf_put(struct cw_buf *b, struct cw_bytes bytes);
void cw_buf_put_u8(struct cw_buf *b, uint8_t v);
void cw_buf_put_u16be(struct cw_buf *b, uint16_t v);
void cw_buf_put_u32be(struct cw_buf *b, uint32_t v);
void cw_buf_put_str(struct cw_buf *b, const char *s);

/* Formats as printf does. */
void cw_buf_printf(struct cw_buf *b, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * Room for `len` more bytes, counted as already put: the caller fills them.
 * NULL, with b->err set, when there is no room.
 */
uint8_t *cw_buf_extend(struct cw_buf *b, size_t len);

/* Shortens the buffer to `len` bytes and wipes what was behind them. */
void cw_buf_truncate(struct cw_buf *b, size_t len);

/* What the buffer holds now; good until it is next changed. */
static inline struct cw_bytes
cw_buf_bytes(const struct cw_buf *b)
{
	return cw_bytes(b->ptr, b->len);
}

/* Moves the contents of `from` into `to` (wiped first); `from` is emptied. */
void cw_buf_move(struct cw_buf *to, struct cw_buf *from);

#endif
