/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/recode.h"

int
cw_recode_major(const struct cw_cbor_reader *r)
{
	if (r->err != CW_OK || r->pos >= r->in.len)
		return -1;
	return r->in.ptr[r->pos] >> 5;
}

static void
recode_negative(struct cw_cbor_reader *r, struct cw_buf *out)
{
	struct cw_cbor_reader ahead = *r;
	int64_t v = cw_cbor_int(&ahead, INT64_MIN, -1);

	/* CBOR's negative numbers are one bit longer than C's. */
	if (ahead.err == CW_ERR_OUT_OF_RANGE) {
		cw_cbor_put_item(out, cw_cbor_item(r));
		return;
	}
	*r = ahead;
	cw_cbor_put_int(out, v);
}

/* One level of containers; cw_recode gives it the items. */
static void
recode_children(struct cw_cbor_reader *r, struct cw_buf *out, bool is_map)
{
	size_t n =
	    is_map ? cw_cbor_map(r, SIZE_MAX) : cw_cbor_array(r, 0, SIZE_MAX);

	if (is_map)
		cw_cbor_put_map(out, n);
	else
		cw_cbor_put_array(out, n);
	for (size_t i = 0; i < n && r->err == CW_OK; i++) {
		if (is_map)
			cw_recode(r, out);
		cw_recode(r, out);
	}
	if (is_map)
		cw_cbor_map_end(r);
	else
		cw_cbor_array_end(r);
}

void
cw_recode(struct cw_cbor_reader *r, struct cw_buf *out)
{
	switch (cw_recode_major(r)) {
	case 0:
		cw_cbor_put_uint(out, cw_cbor_uint(r, 0, UINT64_MAX));
		break;
	case 1:
		recode_negative(r, out);
		break;
	case 2:
		cw_cbor_put_bstr(out, cw_cbor_bstr(r, 0, SIZE_MAX));
		break;
	case 3:
		cw_cbor_put_tstr(out, cw_cbor_tstr(r, 0, SIZE_MAX));
		break;
	case 4:
		recode_children(r, out, false);
		break;
	case 5:
		recode_children(r, out, true);
		break;
	default:
		if (cw_cbor_is_null(r))
			cw_cbor_put_null(out);
		else
			cw_cbor_put_bool(out, cw_cbor_bool(r));
	}
}
