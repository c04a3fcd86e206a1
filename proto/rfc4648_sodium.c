/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text, by libsodium, whose time does not depend on them. */
#include "proto/rfc4648.h"

#include <sodium.h>

#define VARIANT sodium_base64_VARIANT_URLSAFE_NO_PADDING

void
cw_base16_encode(struct cw_bytes in, char *out)
{
	sodium_bin2hex(out, CW_BASE16_CHARS(in.len) + 1, in.ptr, in.len);
}

bool
cw_base16_decode(struct cw_bytes in, uint8_t *out, size_t len)
{
	size_t n = 0;

	return sodium_hex2bin(out, len, (const char *)in.ptr, in.len, NULL, &n,
		   NULL) == 0 &&
	    n == len;
}

void
cw_base64url_encode(struct cw_bytes in, char *out)
{
	sodium_bin2base64(out, CW_BASE64URL_CHARS(in.len) + 1, in.ptr, in.len,
	    VARIANT);
}

bool
cw_base64url_decode(struct cw_bytes in, uint8_t *out, size_t len)
{
	size_t n = 0;

	return sodium_base642bin(out, len, (const char *)in.ptr, in.len, NULL,
		   &n, NULL, VARIANT) == 0 &&
	    n == len;
}

enum cw_err
cw_base64url_get(struct cw_bytes in, struct cw_buf *out)
{
	size_t len = in.len / 4 * 3 + in.len % 4 * 3 / 4;
	size_t before = out->len;
	uint8_t *to = cw_buf_extend(out, len);

	if (to == NULL && out->err != CW_OK)
		return out->err;
	if (cw_base64url_decode(in, to, len))
		return CW_OK;
	cw_buf_truncate(out, before);
	return CW_ERR_MALFORMED;
}
