/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of keys (session.cddl attributes). */
#include "proto/fields.h"
#include "proto/statement.h"

void
cw_algorithms_put(struct cw_buf *b, const int32_t *algorithms, size_t n)
{
	cw_cbor_put_array(b, n);
	for (size_t i = 0; i < n; i++)
		cw_cbor_put_int(b, algorithms[i]);
}

size_t
cw_algorithms_get(struct cw_cbor_reader *r,
    int32_t algorithms[CW_ALGORITHMS_MAX])
{
	size_t n = cw_cbor_array(r, 1, CW_ALGORITHMS_MAX);

	for (size_t i = 0; i < n; i++) {
		algorithms[i] = (int32_t)cw_cbor_int(r, INT32_MIN, INT32_MAX);
		if (r->err == CW_OK && i > 0 &&
		    algorithms[i] <= algorithms[i - 1])
			cw_cbor_fail(r, CW_ERR_NOT_DETERMINISTIC);
	}
	cw_cbor_array_end(r);
	return n;
}

static void
put_pair(struct cw_buf *b, uint64_t key, uint64_t value)
{
	cw_cbor_put_uint(b, key);
	cw_cbor_put_uint(b, value);
}

/* An optional field, absent for 0. */
static void
put_some(struct cw_buf *b, uint64_t key, uint64_t value)
{
	if (value != 0)
		put_pair(b, key, value);
}

void
cw_attributes_put(struct cw_buf *b, const struct cw_attributes *a)
{
	cw_cbor_put_map(b,
	    4u + (a->pin_policy != 0) + (a->slot != 0) +
		(a->export_guard != CW_GUARD_NONE) +
		(a->delete_guard != CW_GUARD_NONE) + (a->n_algorithms > 0) +
		(a->name.len > 0));
	put_pair(b, 0, a->type);
	put_pair(b, 1, a->usage);
	put_pair(b, 2, a->origin);
	cw_cbor_put_uint(b, 3);
	cw_cbor_put_bool(b, a->exportable);
	put_some(b, 4, a->pin_policy);
	put_some(b, 5, a->slot);
	put_some(b, 6, a->export_guard);
	put_some(b, 7, a->delete_guard);
	if (a->n_algorithms > 0) {
		cw_cbor_put_uint(b, 8);
		cw_algorithms_put(b, a->algorithms, a->n_algorithms);
	}
	if (a->name.len > 0) {
		cw_cbor_put_uint(b, 9);
		cw_cbor_put_tstr(b, a->name);
	}
}

static void
get_rules(struct cw_cbor_reader *r, struct cw_attributes *a)
{
	/* A key that cannot be exported has no rule for it. */
	if (a->exportable && cw_cbor_key_opt(r, 6))
		a->export_guard = cw_cbor_u32(r, 1, CW_GUARD_PUK);
	if (cw_cbor_key_opt(r, 7))
		a->delete_guard = cw_cbor_u32(r, 1, CW_GUARD_NEVER);
	if (cw_cbor_key_opt(r, 8))
		a->n_algorithms = cw_algorithms_get(r, a->algorithms);
	if (cw_cbor_key_opt(r, 9))
		a->name = cw_field_text(r);
}

void
cw_attributes_get(struct cw_cbor_reader *r, struct cw_attributes *a)
{
	memset(a, 0, sizeof(*a));
	cw_cbor_map(r, 16);
	cw_cbor_key(r, 0);
	a->type = cw_cbor_u32(r, 1, CW_KEY_SECRET);
	cw_cbor_key(r, 1);
	a->usage = cw_cbor_u32(r, 1, 127);
	cw_cbor_key(r, 2);
	a->origin = cw_cbor_u32(r, 1, CW_ORIGIN_IMPORTED);
	cw_cbor_key(r, 3);
	a->exportable = cw_cbor_bool(r);
	/* Pairs and secrets have usages of their own. */
	if (r->err == CW_OK &&
	    (a->usage <= CW_USAGE_PAIR) == (a->type == CW_KEY_SECRET))
		cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
	if (r->err == CW_OK && a->type == CW_KEY_SECRET &&
	    (a->usage & CW_USAGE_PAIR) != 0)
		cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
	if (cw_cbor_key_opt(r, 4))
		a->pin_policy = cw_cbor_u32(r, 1, UINT32_MAX);
	if (cw_cbor_key_opt(r, 5))
		a->slot = cw_field_slot(r);
	get_rules(r, a);
	cw_cbor_map_end(r);
}
