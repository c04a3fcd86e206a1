/* SPDX-License-Identifier: Apache-2.0 */
/* Rules for text that people see (session.cddl "text"). Uses libunistring. */
#ifndef CW_PROTO_TEXT_H
#define CW_PROTO_TEXT_H

#include "proto/base/bytes.h"

/* True if the bytes are valid UTF-8 (RFC 3629). */
bool cw_text_is_utf8(struct cw_bytes text);

/*
 * True if the text is valid UTF-8 without control characters (Cc), format
 * characters (Cf: among them the direction overrides), line and paragraph
 * separators, surrogates, and private or unassigned code points.
 */
bool cw_text_is_displayable(struct cw_bytes text);

#endif
