/* SPDX-License-Identifier: Apache-2.0 */
/* Textual encodings (RFC 7468), and an ECDSA signature as other programs want
 * it. */
#ifndef CW_AGENT_PEM_H
#define CW_AGENT_PEM_H

#include "proto/base/buf.h"

/* Appends "-----BEGIN label-----", the bytes in base64, and the end line. */
void cw_pem_put(struct cw_buf *out, const char *label, struct cw_bytes der);

/* Appends the bytes of the first block with this label. Errors: MALFORMED
 * (none, or no base64 in it), those of the buffer. */
enum cw_err cw_pem_get(struct cw_bytes text, const char *label,
    struct cw_buf *der) __attribute__((warn_unused_result));

/* Appends Ecdsa-Sig-Value (RFC 3279 2.2.3) of r and s one behind the other. */
void cw_ecdsa_der_put(struct cw_buf *out, struct cw_bytes signature);

#endif
