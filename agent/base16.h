/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as text: hexadecimal, and base64url without padding (RFC 4648 5). */
#ifndef CW_AGENT_BASE16_H
#define CW_AGENT_BASE16_H

#include "proto/base/buf.h"

/* Lower case, with a NUL: 2 * in.len + 1 bytes. */
void cw_base16_encode(struct cw_bytes in, char *out);

/* Exactly 2 * len digits of either case; false otherwise. */
bool cw_base16_decode(struct cw_bytes in, uint8_t *out, size_t len);

/* With a NUL: (4 * in.len + 2) / 3 + 1 bytes. */
void cw_base64_for_url(struct cw_bytes in, char *out);

/* Appends what such text means. Errors: MALFORMED (padding, other characters,
 * bits behind the end), those of the buffer. */
enum cw_err cw_base64_from_url(struct cw_bytes in, struct cw_buf *out)
    __attribute__((warn_unused_result));

#endif
