/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text. */
#include "agent/base16.h"

void
cw_base16_encode(struct cw_bytes in, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < in.len; i++) {
		*out++ = digits[in.ptr[i] >> 4];
		*out++ = digits[in.ptr[i] & 15];
	}
	*out = '\0';
}

static int
digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
cw_base16_decode(struct cw_bytes in, uint8_t *out, size_t len)
{
	if (in.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = digit(in.ptr[2 * i]);
		int low = digit(in.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
cw_base64_for_url(struct cw_bytes in, char *out)
{
	static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				       "abcdefghijklmnopqrstuvwxyz0123456789-_";
	uint32_t bits = 0;
	unsigned have = 0;

	for (size_t i = 0; i < in.len; i++) {
		bits = (bits << 8 | in.ptr[i]) & 0xffff;
		for (have += 8; have >= 6; have -= 6)
			*out++ = alphabet[bits >> (have - 6) & 63];
	}
	if (have > 0)
		*out++ = alphabet[bits << (6 - have) & 63];
	*out = '\0';
}

static int
digit64(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '-' ? 62 : c == '_' ? 63 : -1;
}

enum cw_err
cw_base64_from_url(struct cw_bytes in, struct cw_buf *out)
{
	uint8_t *to;
	uint32_t bits = 0;
	unsigned have = 0;

	if (in.len % 4 == 1)
		return CW_ERR_MALFORMED;
	to = cw_buf_extend(out, in.len / 4 * 3 + in.len % 4 * 3 / 4);
	if (to == NULL && out->err != CW_OK)
		return out->err;
	for (size_t i = 0; i < in.len; i++) {
		int v = digit64(in.ptr[i]);

		if (v < 0)
			return CW_ERR_MALFORMED;
		bits = bits << 6 | (uint32_t)v;
		have += 6;
		if (have >= 8) {
			have -= 8;
			*to++ = (uint8_t)(bits >> have);
		}
	}
	return (bits & ((1u << have) - 1)) == 0 ? CW_OK : CW_ERR_MALFORMED;
}
