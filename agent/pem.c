/* SPDX-License-Identifier: Apache-2.0 */
/* PEM, and a DER SEQUENCE of two INTEGERs. */
#include "agent/pem.h"

#include <stdio.h>

#include "agent/base16.h"

#define LINE_BYTES 48 /* become 64 characters, RFC 7468 2 */
#define LABEL_MAX 64

void
cw_pem_put(struct cw_buf *out, const char *label, struct cw_bytes der)
{
	static const char padding[] = "==";

	cw_buf_printf(out, "-----BEGIN %s-----\n", label);
	while (der.len > 0) {
		size_t n = der.len < LINE_BYTES ? der.len : LINE_BYTES;
		char line[LINE_BYTES * 2];

		cw_base64_for_url(cw_bytes(der.ptr, n), line);
		for (char *c = line; *c != '\0'; c++)
			*c = *c == '-' ? '+' : *c == '_' ? '/' : *c;
		cw_buf_printf(out, "%s%s\n", line,
		    padding + 2 - (3 - n % 3) % 3);
		der = cw_bytes(der.ptr + n, der.len - n);
	}
	cw_buf_printf(out, "-----END %s-----\n", label);
}

/* Where this text begins, or NULL. */
static const uint8_t *
find(struct cw_bytes in, const char *text)
{
	size_t n = strlen(text);

	for (size_t i = 0; in.len >= n && i <= in.len - n; i++)
		if (memcmp(in.ptr + i, text, n) == 0)
			return in.ptr + i;
	return NULL;
}

enum cw_err
cw_pem_get(struct cw_bytes text, const char *label, struct cw_buf *der)
{
	char line[LABEL_MAX];
	const uint8_t *at;
	const uint8_t *end;
	struct cw_buf chars;
	enum cw_err err;

	snprintf(line, sizeof(line), "-----BEGIN %s-----", label);
	at = find(text, line);
	if (at == NULL)
		return CW_ERR_MALFORMED;
	at += strlen(line);
	end = find(cw_bytes(at, (size_t)(text.ptr + text.len - at)), "-----");
	if (end == NULL)
		return CW_ERR_MALFORMED;
	cw_buf_init(&chars, text.len);
	for (; at < end; at++)
		if (*at == '+' || *at == '/')
			cw_buf_put_u8(&chars, *at == '+' ? '-' : '_');
		else if (*at != '=' && *at != '\n' && *at != '\r' && *at != ' ')
			cw_buf_put_u8(&chars, *at);
	err = chars.err;
	if (err == CW_OK)
		err = cw_base64_from_url(cw_buf_bytes(&chars), der);
	cw_buf_wipe(&chars);
	return err;
}

/* An INTEGER without leading zeros, positive. */
static void
put_integer(struct cw_buf *out, struct cw_bytes n)
{
	while (n.len > 1 && n.ptr[0] == 0)
		n = cw_bytes(n.ptr + 1, n.len - 1);
	cw_buf_put_u8(out, 0x02);
	cw_buf_put_u8(out, (uint8_t)(n.len + (n.ptr[0] >> 7)));
	if (n.ptr[0] >> 7 != 0)
		cw_buf_put_u8(out, 0);
	cw_buf_put(out, n);
}

void
cw_ecdsa_der_put(struct cw_buf *out, struct cw_bytes signature)
{
	const size_t half = signature.len / 2;
	struct cw_buf both;

	/* At most 2 * (2 + 1 + 48) bytes: the length is one byte. */
	cw_buf_init(&both, 127);
	put_integer(&both, cw_bytes(signature.ptr, half));
	put_integer(&both, cw_bytes(signature.ptr + half, half));
	if (both.err != CW_OK)
		out->err = both.err;
	cw_buf_put_u8(out, 0x30);
	cw_buf_put_u8(out, (uint8_t)both.len);
	cw_buf_put(out, cw_buf_bytes(&both));
	cw_buf_wipe(&both);
}
