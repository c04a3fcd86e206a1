/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that several messages have, read and written in one way. */
#ifndef CW_PROTO_FIELDS_H
#define CW_PROTO_FIELDS_H

#include "proto/cbor.h"

/* session.cddl text: 1..200 bytes that a person may be shown: BAD_TEXT. */
struct cw_bytes cw_field_text(struct cw_cbor_reader *r);

/* A PIV slot (session.cddl slot): OUT_OF_RANGE for what is none. */
uint8_t cw_field_slot(struct cw_cbor_reader *r);

/* An array of byte strings, each at least 1 byte long. `items` has room for
 * `max`. Gives how many were read. */
size_t cw_field_bstrs(struct cw_cbor_reader *r, size_t min, size_t max,
    size_t item_max, struct cw_bytes *items);
void cw_field_put_bstrs(struct cw_buf *b, const struct cw_bytes *items,
    size_t n);

#endif
