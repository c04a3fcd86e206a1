/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deterministic CBOR (RFC 8949 4.2.1, docs/protocol.md "Encoding") on libcbor's
 * streaming primitives.
 *
 * The reader is a cursor with a sticky error: a decoder reads like the CDDL
 * rule and asks once, with cw_cbor_finish. It refuses indefinite lengths,
 * longer forms than needed, unsorted or repeated keys, floats, tags, simple
 * values but false, true and null, bad UTF-8, more than CW_CBOR_DEPTH levels
 * and trailing bytes; it allocates nothing, and a count that the input is too
 * short for is refused before anybody loops over it. After an error every read
 * gives 0, false or an empty view. What it returns borrows from the input.
 *
 * Any read may fail with: TRUNCATED, MALFORMED, NOT_DETERMINISTIC (also for
 * keys out of order), NOT_UTF8, WRONG_TYPE (also for float, tag and undefined),
 * MISSING_FIELD (the array or map has no more items). INTERNAL is a mistake of
 * the caller: a container closed in the wrong place, or never.
 */
#ifndef CW_PROTO_CBOR_H
#define CW_PROTO_CBOR_H

#include "proto/base/buf.h"

#define CW_CBOR_DEPTH 8

struct cw_cbor_level {
	uint64_t left; /* items still to come in an array; pairs in a map */
	bool is_map;
	bool has_key;   /* a map's key was read, its value comes next */
	size_t start;   /* where this container begins */
	size_t key_at;  /* where the last key's bytes are */
	size_t key_len; /* 0 before the first */
};

struct cw_cbor_reader {
	struct cw_bytes in;
	size_t pos;
	unsigned depth;
	struct cw_cbor_level level[CW_CBOR_DEPTH];
	enum cw_err err;
};

/* A reader over `in`, which is borrowed until the last view is used. */
void cw_cbor_init(struct cw_cbor_reader *r, struct cw_bytes in);

/* Unsigned integer in min..max; OUT_OF_RANGE otherwise. */
uint64_t cw_cbor_uint(struct cw_cbor_reader *r, uint64_t min, uint64_t max);

/* The same for what fits 32 bits: sizes, counts and enumerations. */
static inline uint32_t
cw_cbor_u32(struct cw_cbor_reader *r, uint32_t min, uint32_t max)
{
	uint64_t v = cw_cbor_uint(r, min, max);

	return (uint32_t)v;
}

/* Integer of either sign in min..max. */
int64_t cw_cbor_int(struct cw_cbor_reader *r, int64_t min, int64_t max);

/* Byte or text string of min..max bytes. */
struct cw_bytes cw_cbor_bstr(struct cw_cbor_reader *r, size_t min, size_t max);
struct cw_bytes cw_cbor_tstr(struct cw_cbor_reader *r, size_t min, size_t max);

/* Byte string of exactly `len` bytes, copied to `out` (zeroed on error). */
void cw_cbor_bstr_into(struct cw_cbor_reader *r, uint8_t *out, size_t len);

/* The text must be exactly `label`: WRONG_LABEL otherwise. */
void cw_cbor_label(struct cw_cbor_reader *r, const char *label);

bool cw_cbor_bool(struct cw_cbor_reader *r);

/* If the next item is null, takes it and says true. */
bool cw_cbor_is_null(struct cw_cbor_reader *r);

/* Opens an array of min..max items and says how many. Errors: OUT_OF_RANGE,
 * TOO_DEEP. */
size_t cw_cbor_array(struct cw_cbor_reader *r, size_t min, size_t max);

/* Closes it: every item must have been read, UNKNOWN_FIELD otherwise. */
void cw_cbor_array_end(struct cw_cbor_reader *r);

/*
 * Opens a map of at most `max` pairs and says how many. Keys are integers and
 * sorted, so fields are read in ascending order: cw_cbor_key for one that must
 * be there (MISSING_FIELD otherwise), cw_cbor_key_opt for one that may. For
 * keys below zero, use the order of their encoding: -1, -2, -3, after all
 * others. A key on the way that nobody asked for is skipped if it is < 0 and
 * refused otherwise (UNKNOWN_FIELD).
 * A key may also be read like any other item; the order is checked all the same.
 */
size_t cw_cbor_map(struct cw_cbor_reader *r, size_t max);
void cw_cbor_key(struct cw_cbor_reader *r, int64_t key);
bool cw_cbor_key_opt(struct cw_cbor_reader *r, int64_t key);

/* Closes it: skips unknown keys < 0, refuses any other (UNKNOWN_FIELD). */
void cw_cbor_map_end(struct cw_cbor_reader *r);

/* One whole item of any type, checked like everything else, as its bytes. */
struct cw_bytes cw_cbor_item(struct cw_cbor_reader *r);

/* Marks an error found by the caller; the first one stays. */
void cw_cbor_fail(struct cw_cbor_reader *r, enum cw_err err);

/* The first error, or TRAILING when bytes are left, or CW_OK. */
enum cw_err cw_cbor_finish(struct cw_cbor_reader *r)
    __attribute__((warn_unused_result));

/* CW_OK if `in` is exactly one well-formed deterministic item. */
enum cw_err cw_cbor_check(struct cw_bytes in)
    __attribute__((warn_unused_result));

/*
 * The writer appends to a cw_buf (sticky error there; NOT_UTF8 for a text that
 * no reader would take). Shortest forms are automatic; the order of map keys is
 * the caller's duty.
 */
void cw_cbor_put_uint(struct cw_buf *b, uint64_t v);
void cw_cbor_put_int(struct cw_buf *b, int64_t v);
void cw_cbor_put_bstr(struct cw_buf *b, struct cw_bytes v);
void cw_cbor_put_tstr(struct cw_buf *b, struct cw_bytes v);
void cw_cbor_put_str(struct cw_buf *b, const char *v);
void cw_cbor_put_bool(struct cw_buf *b, bool v);
void cw_cbor_put_null(struct cw_buf *b);
void cw_cbor_put_array(struct cw_buf *b, size_t items);
void cw_cbor_put_map(struct cw_buf *b, size_t pairs);

/* An item that is encoded already, as it is. */
void cw_cbor_put_item(struct cw_buf *b, struct cw_bytes item);

/* Only the head of a byte string of `len` bytes, which the caller puts next. */
void cw_cbor_put_bstr_head(struct cw_buf *b, size_t len);

#endif
