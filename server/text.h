/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text: base64url (RFC 4648 5, without padding), hexadecimal, HTML. */
#ifndef CW_SERVER_TEXT_H
#define CW_SERVER_TEXT_H

#include "proto/base/buf.h"

#define CW_B64URL_CHARS(bytes) (((bytes)*4 + 2) / 3)

/* Writes CW_B64URL_CHARS(in.len) characters and a NUL to `out`. */
void cw_b64url_encode(struct cw_bytes in, char *out);

/* True if `in` is exactly the canonical form of `len` bytes. */
bool cw_b64url_decode(struct cw_bytes in, uint8_t *out, size_t len);

/* Writes 2 * in.len characters and a NUL. */
void cw_hexstr_encode(struct cw_bytes in, char *out);

/* True if `in` is 2 * len hexadecimal digits of either case. */
bool cw_hexstr_decode(struct cw_bytes in, uint8_t *out, size_t len);

/* Appends `text` so that it is text in HTML, and in a quoted attribute. */
void cw_html_put(struct cw_buf *b, struct cw_bytes text);

#endif
