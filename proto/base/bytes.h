/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A borrowed view of bytes: whoever made it owns what it points at, and the
 * view is good for as long as that stays unchanged.
 */
#ifndef CW_BASE_BYTES_H
#define CW_BASE_BYTES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct cw_bytes {
	const uint8_t *ptr; /* may be NULL when len is 0 */
	size_t len;
};

/* A view of an array, a C string (without its NUL), or pointer and length. */
#define CW_BYTES_ARRAY(a) ((struct cw_bytes){ (a), sizeof(a) })
#define CW_BYTES_NONE ((struct cw_bytes){ NULL, 0 })

static inline struct cw_bytes
cw_bytes(const uint8_t *ptr, size_t len)
{
	return (struct cw_bytes){ ptr, len };
}

static inline struct cw_bytes
cw_bytes_str(const char *s)
{
	return (struct cw_bytes){ (const uint8_t *)s, strlen(s) };
}

/* True if both hold the same bytes. Not for secrets: see cw_secret_equal. */
static inline bool
cw_bytes_equal(struct cw_bytes a, struct cw_bytes b)
{
	return a.len == b.len &&
	    (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* True if the text of `a` is exactly the C string `s`. */
static inline bool
cw_bytes_is(struct cw_bytes a, const char *s)
{
	return cw_bytes_equal(a, cw_bytes_str(s));
}

/* Without the spaces and tabs at both ends. */
static inline struct cw_bytes
cw_bytes_trim(struct cw_bytes b)
{
	while (b.len > 0 && (b.ptr[0] == ' ' || b.ptr[0] == '\t'))
		b = cw_bytes(b.ptr + 1, b.len - 1);
	while (
	    b.len > 0 && (b.ptr[b.len - 1] == ' ' || b.ptr[b.len - 1] == '\t'))
		b.len--;
	return b;
}

#endif
