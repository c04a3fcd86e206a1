/* SPDX-License-Identifier: Apache-2.0 */
/* The reader: order, places and ranges. Single heads are cbor_head.c's. */
#include "proto/cbor.h"

#include "proto/cbor_head.h"

void
cw_cbor_fail(struct cw_cbor_reader *r, enum cw_err err)
{
	if (r->err == CW_OK)
		r->err = err;
}

/* Decodes the head of the next item and leaves the reader before it. */
static bool
peek(struct cw_cbor_reader *r, struct cw_cbor_head *h)
{
	if (r->err != CW_OK)
		return false;
	if (r->depth > 0 && r->level[r->depth - 1].left == 0)
		r->err = CW_ERR_MISSING_FIELD;
	else
		r->err = cw_cbor_head_decode(cw_bytes(r->in.ptr + r->pos,
						 r->in.len - r->pos),
		    h);
	return r->err == CW_OK;
}

/* ---- places in containers ---- */

/* Keys ascend bytewise and never repeat, RFC 8949 4.2.1. */
static bool
key_ascends(const struct cw_cbor_reader *r, const struct cw_cbor_level *map,
    size_t key_at)
{
	size_t key_len = r->pos - key_at;
	size_t common = key_len < map->key_len ? key_len : map->key_len;
	int order = memcmp(r->in.ptr + map->key_at, r->in.ptr + key_at, common);

	return order < 0 || (order == 0 && map->key_len < key_len);
}

/* An item that began at `start` ends here: it counts in its container. */
static void
end_item(struct cw_cbor_reader *r, size_t start)
{
	struct cw_cbor_level *in;

	if (r->depth == 0)
		return;
	in = &r->level[r->depth - 1];
	if (in->is_map && !in->has_key) {
		if (!key_ascends(r, in, start))
			cw_cbor_fail(r, CW_ERR_NOT_DETERMINISTIC);
		in->key_at = start;
		in->key_len = r->pos - start;
		in->has_key = true;
		return;
	}
	in->has_key = false;
	in->left--;
}

/* Goes past an item that is no container. */
static void
take(struct cw_cbor_reader *r, const struct cw_cbor_head *h)
{
	size_t start = r->pos;

	r->pos += h->len;
	end_item(r, start);
}

/* Goes into the container whose head was peeked at. */
static void
enter(struct cw_cbor_reader *r, const struct cw_cbor_head *h)
{
	if (r->depth == CW_CBOR_DEPTH) {
		cw_cbor_fail(r, CW_ERR_TOO_DEEP);
		return;
	}
	r->level[r->depth++] = (struct cw_cbor_level){
		.left = h->value,
		.is_map = h->major == CW_CBOR_MAP,
		.start = r->pos,
	};
	r->pos += h->len;
}

/* Leaves the innermost container, which has been read to its end. */
static void
leave(struct cw_cbor_reader *r)
{
	r->depth--;
	end_item(r, r->level[r->depth].start);
}

/* ---- reader ---- */

void
cw_cbor_init(struct cw_cbor_reader *r, struct cw_bytes in)
{
	/* A view may hold NULL; arithmetic on it may not. */
	r->in = in.len > 0 ? in : cw_bytes_str("");
	r->pos = 0;
	r->depth = 0;
	r->err = CW_OK;
}

/* Peeks, and refuses any other major type than the one that is wanted. */
static bool
want(struct cw_cbor_reader *r, struct cw_cbor_head *h, enum cw_cbor_major major)
{
	if (!peek(r, h))
		return false;
	if (h->major == major)
		return true;
	r->err = CW_ERR_WRONG_TYPE;
	return false;
}

uint64_t
cw_cbor_uint(struct cw_cbor_reader *r, uint64_t min, uint64_t max)
{
	struct cw_cbor_head h;

	if (!want(r, &h, CW_CBOR_UINT))
		return 0;
	if (h.value < min || h.value > max) {
		r->err = CW_ERR_OUT_OF_RANGE;
		return 0;
	}
	take(r, &h);
	return r->err == CW_OK ? h.value : 0;
}

/* The value of an integer head; false if it is none or has over 63 bits. */
static bool
int_value(const struct cw_cbor_head *h, int64_t *v)
{
	bool negative = h->major == CW_CBOR_NEGATIVE;

	if ((h->major != CW_CBOR_UINT && !negative) || h->value > INT64_MAX)
		return false;
	*v = negative ? -1 - (int64_t)h->value : (int64_t)h->value;
	return true;
}

int64_t
cw_cbor_int(struct cw_cbor_reader *r, int64_t min, int64_t max)
{
	struct cw_cbor_head h;
	int64_t v = 0;

	if (!peek(r, &h))
		return 0;
	if (h.major != CW_CBOR_UINT && h.major != CW_CBOR_NEGATIVE)
		r->err = CW_ERR_WRONG_TYPE;
	else if (!int_value(&h, &v) || v < min || v > max)
		r->err = CW_ERR_OUT_OF_RANGE;
	else
		take(r, &h);
	return r->err == CW_OK ? v : 0;
}

static struct cw_bytes
string(struct cw_cbor_reader *r, enum cw_cbor_major major, size_t min,
    size_t max)
{
	struct cw_cbor_head h;

	if (!want(r, &h, major))
		return CW_BYTES_NONE;
	if (h.text.len < min || h.text.len > max)
		r->err = CW_ERR_OUT_OF_RANGE;
	else
		take(r, &h);
	return r->err == CW_OK ? h.text : CW_BYTES_NONE;
}

struct cw_bytes
cw_cbor_bstr(struct cw_cbor_reader *r, size_t min, size_t max)
{
	return string(r, CW_CBOR_BSTR, min, max);
}

struct cw_bytes
cw_cbor_tstr(struct cw_cbor_reader *r, size_t min, size_t max)
{
	return string(r, CW_CBOR_TSTR, min, max);
}

void
cw_cbor_bstr_into(struct cw_cbor_reader *r, uint8_t *out, size_t len)
{
	struct cw_bytes v = cw_cbor_bstr(r, len, len);

	if (v.len == len && len > 0)
		memcpy(out, v.ptr, len);
	else
		memset(out, 0, len);
}

void
cw_cbor_label(struct cw_cbor_reader *r, const char *label)
{
	struct cw_bytes v = cw_cbor_tstr(r, 0, SIZE_MAX);

	if (!cw_bytes_is(v, label))
		cw_cbor_fail(r, CW_ERR_WRONG_LABEL);
}

bool
cw_cbor_bool(struct cw_cbor_reader *r)
{
	struct cw_cbor_head h;

	if (!want(r, &h, CW_CBOR_SIMPLE))
		return false;
	if (h.value == CW_CBOR_NULL)
		r->err = CW_ERR_WRONG_TYPE;
	else
		take(r, &h);
	return r->err == CW_OK && h.value == CW_CBOR_TRUE;
}

bool
cw_cbor_is_null(struct cw_cbor_reader *r)
{
	struct cw_cbor_head h;

	if (!peek(r, &h) || h.major != CW_CBOR_SIMPLE ||
	    h.value != CW_CBOR_NULL)
		return false;
	take(r, &h);
	return r->err == CW_OK;
}

/* ---- containers ---- */

static size_t
container(struct cw_cbor_reader *r, enum cw_cbor_major major, size_t min,
    size_t max)
{
	struct cw_cbor_head h;

	if (!want(r, &h, major))
		return 0;
	if (h.value < min || h.value > max)
		r->err = CW_ERR_OUT_OF_RANGE;
	else
		enter(r, &h);
	return r->err == CW_OK ? (size_t)h.value : 0;
}

size_t
cw_cbor_array(struct cw_cbor_reader *r, size_t min, size_t max)
{
	return container(r, CW_CBOR_ARRAY, min, max);
}

size_t
cw_cbor_map(struct cw_cbor_reader *r, size_t max)
{
	return container(r, CW_CBOR_MAP, 0, max);
}

/* The innermost container, if the caller may close it; INTERNAL otherwise. */
static struct cw_cbor_level *
innermost(struct cw_cbor_reader *r, bool is_map)
{
	struct cw_cbor_level *in;

	if (r->err != CW_OK)
		return NULL;
	in = r->depth > 0 ? &r->level[r->depth - 1] : NULL;
	if (in == NULL || in->is_map != is_map || in->has_key) {
		r->err = CW_ERR_INTERNAL;
		return NULL;
	}
	return in;
}

void
cw_cbor_array_end(struct cw_cbor_reader *r)
{
	const struct cw_cbor_level *in = innermost(r, false);

	if (in == NULL)
		return;
	if (in->left > 0)
		r->err = CW_ERR_UNKNOWN_FIELD;
	else
		leave(r);
}

/* Where a key stands in the order of encodings: 0, 1, 2, … -1, -2, -3, … */
static bool
comes_before(int64_t a, int64_t b)
{
	if ((a < 0) != (b < 0))
		return b < 0;
	return a < 0 ? a > b : a < b;
}

/* Skips a pair that nobody asked for, whose key's head is `key`. */
static void
skip_pair(struct cw_cbor_reader *r, const struct cw_cbor_head *key)
{
	cw_cbor_item(r);
	if (key->major != CW_CBOR_NEGATIVE)
		cw_cbor_fail(r, CW_ERR_UNKNOWN_FIELD);
	cw_cbor_item(r);
}

bool
cw_cbor_key_opt(struct cw_cbor_reader *r, int64_t key)
{
	struct cw_cbor_level *in = innermost(r, true);
	struct cw_cbor_head h;
	int64_t found;

	while (in != NULL && in->left > 0 && peek(r, &h)) {
		if (!int_value(&h, &found) || comes_before(key, found))
			return false;
		if (found == key) {
			take(r, &h);
			return r->err == CW_OK;
		}
		skip_pair(r, &h);
	}
	return false;
}

void
cw_cbor_key(struct cw_cbor_reader *r, int64_t key)
{
	if (!cw_cbor_key_opt(r, key))
		cw_cbor_fail(r, CW_ERR_MISSING_FIELD);
}

void
cw_cbor_map_end(struct cw_cbor_reader *r)
{
	struct cw_cbor_level *in = innermost(r, true);
	struct cw_cbor_head h;

	while (in != NULL && in->left > 0 && peek(r, &h))
		skip_pair(r, &h);
	if (in != NULL && r->err == CW_OK)
		leave(r);
}

struct cw_bytes
cw_cbor_item(struct cw_cbor_reader *r)
{
	const size_t start = r->pos;
	const unsigned base = r->depth;
	struct cw_cbor_head h;

	do {
		if (!peek(r, &h))
			return CW_BYTES_NONE;
		if (h.major == CW_CBOR_ARRAY || h.major == CW_CBOR_MAP)
			enter(r, &h);
		else
			take(r, &h);
		while (r->err == CW_OK && r->depth > base &&
		    r->level[r->depth - 1].left == 0)
			leave(r);
	} while (r->err == CW_OK && r->depth > base);
	if (r->err != CW_OK)
		return CW_BYTES_NONE;
	return cw_bytes(r->in.ptr + start, r->pos - start);
}

enum cw_err
cw_cbor_finish(struct cw_cbor_reader *r)
{
	if (r->err == CW_OK && r->depth > 0)
		r->err = CW_ERR_INTERNAL;
	if (r->err == CW_OK && r->pos != r->in.len)
		r->err = CW_ERR_TRAILING;
	return r->err;
}

enum cw_err
cw_cbor_check(struct cw_bytes in)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, in);
	cw_cbor_item(&r);
	return cw_cbor_finish(&r);
}
