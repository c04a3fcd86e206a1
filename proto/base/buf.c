/* SPDX-License-Identifier: Apache-2.0 */
/* The byte buffer. Growth copies and wipes, so no old copy is left behind. */
#include "proto/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/secret.h"

/* Most messages are some hundred bytes: they grow once or not at all. */
#define FIRST_BYTES 256

#define SHORT_TEXT 256 /* what is formatted only once */

void
cw_buf_init(struct cw_buf *b, size_t max)
{
	*b = (struct cw_buf){ .max = max };
}

void
cw_buf_init_on(struct cw_buf *b, size_t max, uint8_t *memory, size_t size)
{
	*b = (struct cw_buf){ .ptr = memory,
		.cap = size < max ? size : max,
		.max = max,
		.is_lent = true };
}

/* Of lent memory what was never put to is not ours to write. */
static void
release(struct cw_buf *b)
{
	if (b->ptr != NULL)
		cw_wipe(b->ptr, b->is_lent ? b->len : b->cap);
	if (!b->is_lent)
		free(b->ptr);
	b->is_lent = false;
}

void
cw_buf_wipe(struct cw_buf *b)
{
	release(b);
	cw_buf_init(b, b->max);
}

void
cw_buf_reset(struct cw_buf *b)
{
	if (b->ptr != NULL)
		cw_wipe(b->ptr, b->len);
	b->len = 0;
	b->err = CW_OK;
}

static bool
grow(struct cw_buf *b, size_t need)
{
	size_t cap = b->cap < FIRST_BYTES ? FIRST_BYTES : b->cap;
	uint8_t *p;

	while (cap < need)
		cap *= 2;
	if (cap > b->max)
		cap = b->max;
	p = malloc(cap);
	if (p == NULL) {
		b->err = CW_ERR_NO_MEMORY;
		return false;
	}
	if (b->ptr != NULL)
		memcpy(p, b->ptr, b->len);
	release(b);
	b->ptr = p;
	b->cap = cap;
	return true;
}

uint8_t *
cw_buf_extend(struct cw_buf *b, size_t len)
{
	uint8_t *at;

	if (b->err != CW_OK)
		return NULL;
	if (len > b->max - b->len) {
		b->err = CW_ERR_TOO_LARGE;
		return NULL;
	}
	if ((b->ptr == NULL || b->len + len > b->cap) && !grow(b, b->len + len))
		return NULL;
	at = b->ptr + b->len;
	b->len += len;
	return at;
}

void
cw_buf_put(struct cw_buf *b, struct cw_bytes bytes)
{
	uint8_t *at = cw_buf_extend(b, bytes.len);

	if (at != NULL && bytes.len > 0)
		memcpy(at, bytes.ptr, bytes.len);
}

void
cw_buf_put_u8(struct cw_buf *b, uint8_t v)
{
	cw_buf_put(b, cw_bytes(&v, 1));
}

void
cw_buf_put_u16be(struct cw_buf *b, uint16_t v)
{
	const uint8_t be[2] = { (uint8_t)(v >> 8), (uint8_t)v };

	cw_buf_put(b, CW_BYTES_ARRAY(be));
}

void
cw_buf_put_u32be(struct cw_buf *b, uint32_t v)
{
	cw_buf_put_u16be(b, (uint16_t)(v >> 16));
	cw_buf_put_u16be(b, (uint16_t)v);
}

void
cw_buf_put_str(struct cw_buf *b, const char *s)
{
	cw_buf_put(b, cw_bytes_str(s));
}

void
cw_buf_printf(struct cw_buf *b, const char *fmt, ...)
{
	char text[SHORT_TEXT];
	va_list ap;
	va_list again;
	int n;
	uint8_t *at;

	va_start(ap, fmt);
	va_copy(again, ap);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	if (n >= 0 && (size_t)n < sizeof(text)) {
		cw_buf_put(b, cw_bytes((const uint8_t *)text, (size_t)n));
		cw_wipe(text, (size_t)n);
	} else if (n >= 0) {
		/* One byte more for the NUL that vsnprintf insists on. */
		at = cw_buf_extend(b, (size_t)n + 1);
		if (at != NULL) {
			vsnprintf((char *)at, (size_t)n + 1, fmt, again);
			b->len--;
		}
	}
	va_end(again);
	va_end(ap);
}

void
cw_buf_truncate(struct cw_buf *b, size_t len)
{
	if (len >= b->len)
		return;
	cw_wipe(b->ptr + len, b->len - len);
	b->len = len;
}

void
cw_buf_move(struct cw_buf *to, struct cw_buf *from)
{
	size_t max = from->max;

	cw_buf_wipe(to);
	to->max = max;
	if (from->is_lent) {
		to->err = from->err;
		cw_buf_put(to, cw_buf_bytes(from));
		cw_buf_wipe(from);
		return;
	}
	*to = *from;
	cw_buf_init(from, max);
}
