/* SPDX-License-Identifier: Apache-2.0 */
/* Textual encodings (RFC 7468) of what is public. */
#ifndef CW_PROTO_PEM_H
#define CW_PROTO_PEM_H

#include "proto/base/buf.h"

/* Appends "-----BEGIN label-----", the bytes in base64, and the end line.
 * Errors, in out->err: NO_MEMORY, those of the buffer. */
void cw_pem_put(struct cw_buf *out, const char *label, struct cw_bytes der);

/* Appends the bytes of the first block with this label. Errors: MALFORMED
 * (none, or no base64 in it), NO_MEMORY, those of the buffer. */
enum cw_err cw_pem_get(struct cw_bytes text, const char *label,
    struct cw_buf *der) __attribute__((warn_unused_result));

#endif
