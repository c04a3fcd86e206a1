/* SPDX-License-Identifier: Apache-2.0 */
/* The writer. */
#include "proto/cbor.h"
#include "proto/cbor_head.h"
#include "proto/text.h"

void
cw_cbor_put_uint(struct cw_buf *b, uint64_t v)
{
	cw_cbor_head_put(b, CW_CBOR_UINT, v);
}

void
cw_cbor_put_int(struct cw_buf *b, int64_t v)
{
	if (v >= 0)
		cw_cbor_head_put(b, CW_CBOR_UINT, (uint64_t)v);
	else
		cw_cbor_head_put(b, CW_CBOR_NEGATIVE, (uint64_t)(-1 - v));
}

void
cw_cbor_put_bstr_head(struct cw_buf *b, size_t len)
{
	cw_cbor_head_put(b, CW_CBOR_BSTR, len);
}

void
cw_cbor_put_bstr(struct cw_buf *b, struct cw_bytes v)
{
	cw_cbor_put_bstr_head(b, v.len);
	cw_buf_put(b, v);
}

void
cw_cbor_put_tstr(struct cw_buf *b, struct cw_bytes v)
{
	if (b->err == CW_OK && !cw_text_is_utf8(v))
		b->err = CW_ERR_NOT_UTF8;
	cw_cbor_head_put(b, CW_CBOR_TSTR, v.len);
	cw_buf_put(b, v);
}

void
cw_cbor_put_str(struct cw_buf *b, const char *v)
{
	cw_cbor_put_tstr(b, cw_bytes_str(v));
}

void
cw_cbor_put_bool(struct cw_buf *b, bool v)
{
	cw_cbor_head_put(b, CW_CBOR_SIMPLE, v ? CW_CBOR_TRUE : CW_CBOR_FALSE);
}

void
cw_cbor_put_null(struct cw_buf *b)
{
	cw_cbor_head_put(b, CW_CBOR_SIMPLE, CW_CBOR_NULL);
}

void
cw_cbor_put_array(struct cw_buf *b, size_t items)
{
	cw_cbor_head_put(b, CW_CBOR_ARRAY, items);
}

void
cw_cbor_put_map(struct cw_buf *b, size_t pairs)
{
	cw_cbor_head_put(b, CW_CBOR_MAP, pairs);
}

void
cw_cbor_put_item(struct cw_buf *b, struct cw_bytes item)
{
	cw_buf_put(b, item);
}
