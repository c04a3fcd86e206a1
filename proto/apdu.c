/* SPDX-License-Identifier: Apache-2.0 */
/* APDU coding, ISO 7816-4 5.1: the length fields decide the case. */
#include "proto/apdu.h"

#define HEADER_BYTES 4

static unsigned
u16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Case 2S, 3S, 4S: one byte Lc, one byte Le, 00 means 256. */
static enum cw_err
decode_short(struct cw_bytes body, struct cw_apdu *a)
{
	size_t lc;

	if (body.len == 1) {
		a->le = body.ptr[0] == 0 ? CW_LE_SHORT : body.ptr[0];
		return CW_OK;
	}
	lc = body.ptr[0];
	if (body.len < 1 + lc)
		return CW_ERR_TRUNCATED;
	if (body.len > 2 + lc || lc == 0)
		return CW_ERR_MALFORMED;
	a->data = cw_bytes(body.ptr + 1, lc);
	if (body.len == 2 + lc) {
		uint8_t le = body.ptr[1 + lc];

		a->le = le == 0 ? CW_LE_SHORT : le;
	}
	return CW_OK;
}

/* Case 2E, 3E, 4E: 00, then two bytes; 0000 means 65,536 in Le. */
static enum cw_err
decode_extended(struct cw_bytes body, struct cw_apdu *a)
{
	size_t n;

	a->extended = true;
	if (body.len < 3)
		return CW_ERR_TRUNCATED;
	n = u16(body.ptr + 1);
	if (body.len == 3) {
		a->le = n == 0 ? CW_LE_EXTENDED : (uint32_t)n;
		return CW_OK;
	}
	if (n == 0)
		return CW_ERR_MALFORMED;
	if (body.len < 3 + n)
		return CW_ERR_TRUNCATED;
	if (body.len != 3 + n && body.len != 5 + n)
		return CW_ERR_MALFORMED;
	a->data = cw_bytes(body.ptr + 3, n);
	if (body.len == 5 + n) {
		unsigned le = u16(body.ptr + 3 + n);

		a->le = le == 0 ? CW_LE_EXTENDED : le;
	}
	return CW_OK;
}

enum cw_err
cw_apdu_decode(struct cw_bytes in, struct cw_apdu *out)
{
	struct cw_bytes body;

	memset(out, 0, sizeof(*out));
	if (in.len < HEADER_BYTES)
		return CW_ERR_TRUNCATED;
	if (in.len > CW_APDU_MAX)
		return CW_ERR_MALFORMED;
	out->cla = in.ptr[0];
	out->ins = in.ptr[1];
	out->p1 = in.ptr[2];
	out->p2 = in.ptr[3];
	body = cw_bytes(in.ptr + HEADER_BYTES, in.len - HEADER_BYTES);
	if (body.len == 0)
		return CW_OK;
	if (body.ptr[0] == 0 && body.len > 1)
		return decode_extended(body, out);
	return decode_short(body, out);
}

static void
encode_short(const struct cw_apdu *a, struct cw_buf *out)
{
	if (a->data.len > UINT8_MAX || a->le > CW_LE_SHORT) {
		out->err = CW_ERR_OUT_OF_RANGE;
		return;
	}
	if (a->data.len > 0) {
		cw_buf_put_u8(out, (uint8_t)a->data.len);
		cw_buf_put(out, a->data);
	}
	if (a->le > 0)
		cw_buf_put_u8(out, (uint8_t)a->le); /* 256 becomes 00 */
}

static void
encode_extended(const struct cw_apdu *a, struct cw_buf *out)
{
	if (a->data.len > UINT16_MAX || a->le > CW_LE_EXTENDED) {
		out->err = CW_ERR_OUT_OF_RANGE;
		return;
	}
	if (a->data.len > 0 || a->le > 0)
		cw_buf_put_u8(out, 0);
	if (a->data.len > 0) {
		cw_buf_put_u16be(out, (uint16_t)a->data.len);
		cw_buf_put(out, a->data);
	}
	if (a->le > 0)
		cw_buf_put_u16be(out, (uint16_t)a->le); /* 65,536: 0000 */
}

void
cw_apdu_encode(const struct cw_apdu *apdu, struct cw_buf *out)
{
	const uint8_t header[HEADER_BYTES] = { apdu->cla, apdu->ins, apdu->p1,
		apdu->p2 };

	cw_buf_put(out, CW_BYTES_ARRAY(header));
	if (apdu->extended)
		encode_extended(apdu, out);
	else
		encode_short(apdu, out);
}
