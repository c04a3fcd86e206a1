/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of DER (X.690 8, 10) for what has one usual form: tags of one
 * byte, lengths in the shortest form up to 65,535. The first thing that is not as
 * asked for makes it fail for good, and what it gives then is empty. Views
 * borrow the bytes that are read.
 */
#ifndef CW_PROTO_DER_H
#define CW_PROTO_DER_H

#include "proto/base/bytes.h"

/* Tags: universal, and constructed context-specific ones. */
#define CW_DER_BOOLEAN 0x01u
#define CW_DER_INTEGER 0x02u
#define CW_DER_BIT_STRING 0x03u
#define CW_DER_OCTET_STRING 0x04u
#define CW_DER_OID 0x06u
#define CW_DER_UTF8 0x0cu
#define CW_DER_PRINTABLE 0x13u
#define CW_DER_IA5 0x16u
#define CW_DER_UTC_TIME 0x17u
#define CW_DER_TIME 0x18u /* GeneralizedTime */
#define CW_DER_SEQUENCE 0x30u
#define CW_DER_SET 0x31u
#define CW_DER_CONTEXT(n) (0xa0u + (n))

struct cw_der {
	struct cw_bytes rest;
	bool failed;
};

static inline struct cw_der
cw_der(struct cw_bytes in)
{
	return (struct cw_der){ in, false };
}

/* The tag of the next item; 0 at the end or after a failure. */
unsigned cw_der_tag(const struct cw_der *r);

/* The next item, which must have this tag: all of it, or its contents. */
struct cw_bytes cw_der_item(struct cw_der *r, unsigned tag);
struct cw_bytes cw_der_contents(struct cw_der *r, unsigned tag);

/* A reader of a constructed item's contents. */
struct cw_der cw_der_enter(struct cw_der *r, unsigned tag);

/* A BIT STRING of whole bytes; an OBJECT IDENTIFIER's contents; an INTEGER above
 * zero, without its sign byte. */
struct cw_bytes cw_der_bits(struct cw_der *r);
struct cw_bytes cw_der_oid(struct cw_der *r);
struct cw_bytes cw_der_positive(struct cw_der *r);

/* True if all went well and nothing is left. */
bool cw_der_finish(const struct cw_der *r);

#endif
