/* SPDX-License-Identifier: Apache-2.0 */
/* BER-TLV data objects (ISO 7816-4 5.2.2), as far as PIV uses them: tags of
 * one to three bytes, lengths up to 65,535. */
#ifndef CW_CARD_TLV_H
#define CW_CARD_TLV_H

#include "proto/base/buf.h"

/* Appends tag, length and value. */
void cw_tlv_put(struct cw_buf *b, unsigned tag, struct cw_bytes value);
void cw_tlv_put_str(struct cw_buf *b, unsigned tag, const char *value);

/* Appends tag and length; the caller puts `len` bytes next. */
void cw_tlv_put_head(struct cw_buf *b, unsigned tag, size_t len);

/* Takes the next object off `in`. False at its end, and where it is no TLV
 * (then in->len is not 0). The value borrows. */
bool cw_tlv_next(struct cw_bytes *in, unsigned *tag, struct cw_bytes *value);

#endif
