/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text: RFC 4648, base16 (8) and base64url without padding (5). There
 * is one text for one value, but for the case of base16. */
#ifndef CW_PROTO_RFC4648_H
#define CW_PROTO_RFC4648_H

#include "proto/base/buf.h"

#define CW_BASE16_CHARS(bytes) (2 * (bytes))
#define CW_BASE64URL_CHARS(bytes) (((bytes)*4 + 2) / 3)

/* Writes CW_BASE16_CHARS(in.len) characters in lower case, and a NUL. */
void cw_base16_encode(struct cw_bytes in, char *out);

/* True if `in` is exactly `len` bytes in digits of either case. */
bool cw_base16_decode(struct cw_bytes in, uint8_t *out, size_t len);

/* Writes CW_BASE64URL_CHARS(in.len) characters, and a NUL. */
void cw_base64url_encode(struct cw_bytes in, char *out);

/* True if `in` is exactly the text of `len` bytes. */
bool cw_base64url_decode(struct cw_bytes in, uint8_t *out, size_t len);

/* Appends what the text means. Errors: MALFORMED (padding, other characters,
 * bits behind the end), those of the buffer. */
enum cw_err cw_base64url_get(struct cw_bytes in, struct cw_buf *out)
    __attribute__((warn_unused_result));

#endif
