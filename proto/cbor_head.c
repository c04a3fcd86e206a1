/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only file that includes libcbor. Heads are decoded by
 * cbor_stream_decode, one at a time; what libcbor lets pass and RFC 8949 4.2.1
 * does not is refused here. cbor_load is not used: it allocates by the count
 * that a message merely declares.
 */
#include "proto/cbor_head.h"

#include <cbor.h>

#include "proto/text.h"

/* What the callbacks fill in. */
struct got {
	uint64_t value;
	struct cw_bytes text;
	enum cw_err err;
};

static void
on_u8(void *context, uint8_t v)
{
	struct got *got = context;

	got->value = v;
}

static void
on_u16(void *context, uint16_t v)
{
	struct got *got = context;

	got->value = v;
}

static void
on_u32(void *context, uint32_t v)
{
	struct got *got = context;

	got->value = v;
}

static void
on_u64(void *context, uint64_t v)
{
	struct got *got = context;

	got->value = v;
}

static void
on_string(void *context, cbor_data ptr, size_t len)
{
	struct got *got = context;

	got->text = cw_bytes(ptr, len);
	got->value = len;
}

static void
on_count(void *context, size_t count)
{
	struct got *got = context;

	got->value = count;
}

static void
on_bool(void *context, bool v)
{
	struct got *got = context;

	got->value = v ? CW_CBOR_TRUE : CW_CBOR_FALSE;
}

static void
on_null(void *context)
{
	struct got *got = context;

	got->value = CW_CBOR_NULL;
}

static void
on_indefinite(void *context)
{
	struct got *got = context;

	got->err = CW_ERR_NOT_DETERMINISTIC;
}

static void
on_break(void *context)
{
	struct got *got = context;

	got->err = CW_ERR_MALFORMED;
}

static void
on_undefined(void *context)
{
	struct got *got = context;

	got->err = CW_ERR_WRONG_TYPE;
}

static void
on_tag(void *context, uint64_t v)
{
	(void)v;
	on_undefined(context);
}

static void
on_float(void *context, float v)
{
	(void)v;
	on_undefined(context);
}

static void
on_double(void *context, double v)
{
	(void)v;
	on_undefined(context);
}

static const struct cbor_callbacks callbacks = {
	.uint8 = on_u8,
	.uint16 = on_u16,
	.uint32 = on_u32,
	.uint64 = on_u64,
	.negint8 = on_u8,
	.negint16 = on_u16,
	.negint32 = on_u32,
	.negint64 = on_u64,
	.byte_string = on_string,
	.byte_string_start = on_indefinite,
	.string = on_string,
	.string_start = on_indefinite,
	.array_start = on_count,
	.indef_array_start = on_indefinite,
	.map_start = on_count,
	.indef_map_start = on_indefinite,
	.tag = on_tag,
	.float2 = on_float,
	.float4 = on_float,
	.float8 = on_double,
	.undefined = on_undefined,
	.null = on_null,
	.boolean = on_bool,
	.indef_break = on_break,
};

/* Bytes of the shortest head for an argument, RFC 8949 4.2.1. */
static size_t
shortest(uint64_t v)
{
	if (v < 24)
		return 1;
	if (v <= UINT8_MAX)
		return 2;
	if (v <= UINT16_MAX)
		return 3;
	return v <= UINT32_MAX ? 5 : CW_CBOR_HEAD_MAX;
}

/* Why libcbor refuses an initial byte: reserved additional information, or a
 * tag or simple value that it does not know (RFC 8949 3). */
static enum cw_err
refusal(uint8_t initial)
{
	return (initial & 0x1f) > 24 ? CW_ERR_MALFORMED : CW_ERR_WRONG_TYPE;
}

static enum cw_err
check(const struct cw_cbor_head *h, size_t in_len)
{
	size_t head_len = h->len - h->text.len;

	if (head_len != shortest(h->value))
		return CW_ERR_NOT_DETERMINISTIC;
	if (h->major == CW_CBOR_TSTR && !cw_text_is_utf8(h->text))
		return CW_ERR_NOT_UTF8;
	/* Every item takes a byte or more: no loop over a mere promise. */
	if (h->major == CW_CBOR_ARRAY && h->value > in_len - head_len)
		return CW_ERR_TRUNCATED;
	if (h->major == CW_CBOR_MAP && h->value > (in_len - head_len) / 2)
		return CW_ERR_TRUNCATED;
	return CW_OK;
}

enum cw_err
cw_cbor_head_decode(struct cw_bytes in, struct cw_cbor_head *out)
{
	struct got got = { 0 };
	struct cbor_decoder_result result;

	*out = (struct cw_cbor_head){ 0 };
	if (in.len == 0)
		return CW_ERR_TRUNCATED;
	result = cbor_stream_decode(in.ptr, in.len, &callbacks, &got);
	if (result.status == CBOR_DECODER_NEDATA)
		return CW_ERR_TRUNCATED;
	if (result.status != CBOR_DECODER_FINISHED)
		return refusal(in.ptr[0]);
	if (got.err != CW_OK)
		return got.err;
	out->major = (enum cw_cbor_major)(in.ptr[0] >> 5);
	out->value = got.value;
	out->text = got.text;
	out->len = result.read;
	return check(out, in.len);
}

void
cw_cbor_head_put(struct cw_buf *b, enum cw_cbor_major major, uint64_t value)
{
	static size_t (*const encode[])(size_t, unsigned char *, size_t) = {
		[CW_CBOR_BSTR] = cbor_encode_bytestring_start,
		[CW_CBOR_TSTR] = cbor_encode_string_start,
		[CW_CBOR_ARRAY] = cbor_encode_array_start,
		[CW_CBOR_MAP] = cbor_encode_map_start,
	};
	uint8_t head[CW_CBOR_HEAD_MAX];
	size_t n;

	if (major == CW_CBOR_UINT)
		n = cbor_encode_uint(value, head, sizeof(head));
	else if (major == CW_CBOR_NEGATIVE)
		n = cbor_encode_negint(value, head, sizeof(head));
	else if (major == CW_CBOR_SIMPLE)
		n = cbor_encode_ctrl((uint8_t)value, head, sizeof(head));
	else
		n = encode[major]((size_t)value, head, sizeof(head));
	cw_buf_put(b, cw_bytes(head, n));
}
