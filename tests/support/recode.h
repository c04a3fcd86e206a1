/* SPDX-License-Identifier: Apache-2.0 */
/* Walks a CBOR item with the public reader and writes it with the writer. */
#ifndef CW_TESTS_RECODE_H
#define CW_TESTS_RECODE_H

#include "proto/cbor.h"

/* The next item, whatever it is, appended to `out`. Errors are in the reader. */
void cw_recode(struct cw_cbor_reader *r, struct cw_buf *out);

/* Major type of the next item (RFC 8949 3.1), or -1 at the end. */
int cw_recode_major(const struct cw_cbor_reader *r);

#endif
