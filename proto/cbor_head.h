/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One head of a CBOR item, between the reader and writer of cbor.h and libcbor.
 * Not for others.
 */
#ifndef CW_PROTO_CBOR_HEAD_H
#define CW_PROTO_CBOR_HEAD_H

#include "proto/base/buf.h"

#define CW_CBOR_HEAD_MAX 9

/* Major types, RFC 8949 3.1. */
enum cw_cbor_major {
	CW_CBOR_UINT,
	CW_CBOR_NEGATIVE,
	CW_CBOR_BSTR,
	CW_CBOR_TSTR,
	CW_CBOR_ARRAY,
	CW_CBOR_MAP,
	CW_CBOR_TAG,
	CW_CBOR_SIMPLE,
};

/* What follows "simple" in the writer. */
#define CW_CBOR_FALSE 20
#define CW_CBOR_TRUE 21
#define CW_CBOR_NULL 22

struct cw_cbor_head {
	enum cw_cbor_major major;
	uint64_t value; /* argument: integer, length, count, simple value */
	struct cw_bytes text; /* contents of a string */
	size_t len;           /* bytes of the item; of a container its head */
};

/*
 * The head at the start of `in`. Errors: TRUNCATED (also for a string or
 * container that promises more than `in` holds), MALFORMED, NOT_DETERMINISTIC
 * (indefinite length, or not the shortest form), WRONG_TYPE (float, tag, simple
 * value other than false, true, null), NOT_UTF8.
 */
enum cw_err cw_cbor_head_decode(struct cw_bytes in, struct cw_cbor_head *out)
    __attribute__((warn_unused_result));

/* The shortest head, appended. */
void cw_cbor_head_put(struct cw_buf *b, enum cw_cbor_major major,
    uint64_t value);

#endif
