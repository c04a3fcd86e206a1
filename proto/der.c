/* SPDX-License-Identifier: Apache-2.0 */
/* DER, strictly. */
#include "proto/der.h"

static struct cw_bytes
fail(struct cw_der *r)
{
	*r = (struct cw_der){ CW_BYTES_NONE, true };
	return CW_BYTES_NONE;
}

unsigned
cw_der_tag(const struct cw_der *r)
{
	return r->rest.len == 0 ? 0 : r->rest.ptr[0];
}

/* Bytes of tag and length, 0 if they are not as they should be; *len those of the
 * contents (X.690 8.1.3, 10.1). */
static size_t
head(struct cw_bytes in, size_t *len)
{
	const uint8_t *p = in.ptr;

	*len = 0;
	if (in.len < 2 || (p[0] & 0x1f) == 0x1f)
		return 0;
	if (p[1] < 0x80) {
		*len = p[1];
		return 2;
	}
	if (p[1] == 0x81 && in.len >= 3 && p[2] >= 0x80) {
		*len = p[2];
		return 3;
	}
	if (p[1] == 0x82 && in.len >= 4 && p[2] > 0) {
		*len = (size_t)p[2] << 8 | p[3];
		return 4;
	}
	return 0;
}

/* The item, of which so many bytes are its head. */
static struct cw_bytes
take(struct cw_der *r, unsigned tag, size_t *n_head)
{
	struct cw_bytes item = r->rest;
	size_t len = 0;

	*n_head = r->failed ? 0 : head(r->rest, &len);
	if (*n_head == 0 || item.ptr[0] != tag || len > item.len - *n_head) {
		*n_head = 0;
		return fail(r);
	}
	item.len = *n_head + len;
	r->rest = cw_bytes(item.ptr + item.len, r->rest.len - item.len);
	return item;
}

struct cw_bytes
cw_der_item(struct cw_der *r, unsigned tag)
{
	size_t n_head;

	return take(r, tag, &n_head);
}

struct cw_bytes
cw_der_contents(struct cw_der *r, unsigned tag)
{
	size_t n_head;
	struct cw_bytes item = take(r, tag, &n_head);

	return n_head == 0 ? item :
			     cw_bytes(item.ptr + n_head, item.len - n_head);
}

struct cw_der
cw_der_enter(struct cw_der *r, unsigned tag)
{
	struct cw_bytes contents = cw_der_contents(r, tag);

	return (struct cw_der){ contents, r->failed };
}

struct cw_bytes
cw_der_bits(struct cw_der *r)
{
	struct cw_bytes v = cw_der_contents(r, CW_DER_BIT_STRING);

	if (v.len == 0 || v.ptr[0] != 0)
		return fail(r);
	return cw_bytes(v.ptr + 1, v.len - 1);
}

/* X.690 8.19.2: base 128, the shortest form, the last byte without its mark. */
struct cw_bytes
cw_der_oid(struct cw_der *r)
{
	struct cw_bytes v = cw_der_contents(r, CW_DER_OID);
	bool starts = true;

	for (size_t i = 0; i < v.len; i++) {
		if (starts && v.ptr[i] == 0x80)
			return fail(r);
		starts = v.ptr[i] < 0x80;
	}
	return v.len == 0 || !starts ? fail(r) : v;
}

/* X.690 8.3.2: no more bytes than the sign needs. */
struct cw_bytes
cw_der_positive(struct cw_der *r)
{
	struct cw_bytes v = cw_der_contents(r, CW_DER_INTEGER);

	if (v.len > 1 && v.ptr[0] == 0 && v.ptr[1] >= 0x80)
		return cw_bytes(v.ptr + 1, v.len - 1);
	return v.len == 0 || v.ptr[0] == 0 || v.ptr[0] >= 0x80 ? fail(r) : v;
}

bool
cw_der_finish(const struct cw_der *r)
{
	return !r->failed && r->rest.len == 0;
}
