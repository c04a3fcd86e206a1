/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text. */
#include "server/text.h"

static const char digits64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void
cw_b64url_encode(struct cw_bytes in, char *out)
{
	uint32_t bits = 0;
	unsigned n = 0;

	for (size_t i = 0; i < in.len; i++) {
		bits = (bits << 8 | in.ptr[i]) & 0xffffff;
		n += 8;
		while (n >= 6) {
			n -= 6;
			*out++ = digits64[bits >> n & 63];
		}
	}
	if (n > 0)
		*out++ = digits64[bits << (6 - n) & 63];
	*out = '\0';
}

bool
cw_b64url_decode(struct cw_bytes in, uint8_t *out, size_t len)
{
	uint32_t bits = 0;
	unsigned n = 0;
	size_t at = 0;

	if (in.len != CW_B64URL_CHARS(len))
		return false;
	for (size_t i = 0; i < in.len; i++) {
		const char *digit =
		    in.ptr[i] == 0 ? NULL : strchr(digits64, in.ptr[i]);

		if (digit == NULL)
			return false;
		bits = (bits << 6 | (uint32_t)(digit - digits64)) & 0xffffff;
		n += 6;
		if (n >= 8) {
			n -= 8;
			out[at++] = (uint8_t)(bits >> n);
		}
	}
	/* One text for one value: the bits left over are zero. */
	return at == len && (bits & ((1u << n) - 1)) == 0;
}

void
cw_hexstr_encode(struct cw_bytes in, char *out)
{
	static const char digits[] = "0123456789abcdef";

	for (size_t i = 0; i < in.len; i++) {
		*out++ = digits[in.ptr[i] >> 4];
		*out++ = digits[in.ptr[i] & 15];
	}
	*out = '\0';
}

static int
hex_value(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool
cw_hexstr_decode(struct cw_bytes in, uint8_t *out, size_t len)
{
	if (in.len != 2 * len)
		return false;
	for (size_t i = 0; i < len; i++) {
		int high = hex_value(in.ptr[2 * i]);
		int low = hex_value(in.ptr[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

void
cw_html_put(struct cw_buf *b, struct cw_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];

		if (c == '&')
			cw_buf_put_str(b, "&amp;");
		else if (c == '<')
			cw_buf_put_str(b, "&lt;");
		else if (c == '>')
			cw_buf_put_str(b, "&gt;");
		else if (c == '"')
			cw_buf_put_str(b, "&quot;");
		else if (c == '\'')
			cw_buf_put_str(b, "&#39;");
		else
			cw_buf_put_u8(b, c);
	}
}
