/* SPDX-License-Identifier: Apache-2.0 */
/* Property bags: small named values of a key (session.cddl properties). */
#ifndef CW_PROTO_PROPERTIES_H
#define CW_PROTO_PROPERTIES_H

#include "proto/cbor.h"

#define CW_PROPERTIES_MAX 32
#define CW_PROPERTY_BYTES_MAX 255

struct cw_property {
	struct cw_bytes name; /* text that may be shown, each name once */
	bool is_writable;     /* by the holder's programs */
	struct cw_bytes value;
};

struct cw_properties {
	size_t n;
	struct cw_property items[CW_PROPERTIES_MAX];
};

void cw_properties_encode(const struct cw_properties *p, struct cw_buf *out);

/* Views borrow. Errors: the reader's, BAD_TEXT, BAD_EXTENSION (a name twice). */
enum cw_err cw_properties_decode(struct cw_bytes in, struct cw_properties *out)
    __attribute__((warn_unused_result));
enum cw_err cw_properties_check(struct cw_bytes in)
    __attribute__((warn_unused_result));

#endif
