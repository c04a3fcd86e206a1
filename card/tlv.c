/* SPDX-License-Identifier: Apache-2.0 */
/* BER-TLV. */
#include "card/tlv.h"

void
cw_tlv_put_head(struct cw_buf *b, unsigned tag, size_t len)
{
	if (len > 0xFFFF) {
		if (b->err == CW_OK)
			b->err = CW_ERR_OUT_OF_RANGE;
		return;
	}
	if (tag > 0xFFFF)
		cw_buf_put_u8(b, (uint8_t)(tag >> 16));
	if (tag > 0xFF)
		cw_buf_put_u8(b, (uint8_t)(tag >> 8));
	cw_buf_put_u8(b, (uint8_t)tag);
	if (len > 0xFF) {
		cw_buf_put_u8(b, 0x82);
		cw_buf_put_u16be(b, (uint16_t)len);
		return;
	}
	if (len > 0x7F)
		cw_buf_put_u8(b, 0x81);
	cw_buf_put_u8(b, (uint8_t)len);
}

void
cw_tlv_put(struct cw_buf *b, unsigned tag, struct cw_bytes value)
{
	cw_tlv_put_head(b, tag, value.len);
	cw_buf_put(b, value);
}

void
cw_tlv_put_str(struct cw_buf *b, unsigned tag, const char *value)
{
	cw_tlv_put(b, tag, cw_bytes_str(value));
}

/* One byte off the front, or -1. */
static int
take(struct cw_bytes *in)
{
	if (in->len == 0)
		return -1;
	in->ptr++;
	in->len--;
	return in->ptr[-1];
}

static bool
take_tag(struct cw_bytes *in, unsigned *tag)
{
	int byte = take(in);

	if (byte < 0)
		return false;
	*tag = (unsigned)byte;
	if ((byte & 0x1F) != 0x1F)
		return true;
	for (int i = 0; i < 2; i++) {
		byte = take(in);
		if (byte < 0)
			return false;
		*tag = *tag << 8 | (unsigned)byte;
		if ((byte & 0x80) == 0)
			return true;
	}
	return false;
}

static bool
take_len(struct cw_bytes *in, size_t *len)
{
	int byte = take(in);
	int more;

	if (byte < 0)
		return false;
	*len = (size_t)byte;
	if (byte < 0x80)
		return true;
	more = byte & 0x7F;
	if (more < 1 || more > 2)
		return false;
	*len = 0;
	while (more-- > 0) {
		byte = take(in);
		if (byte < 0)
			return false;
		*len = *len << 8 | (size_t)byte;
	}
	return true;
}

bool
cw_tlv_next(struct cw_bytes *in, unsigned *tag, struct cw_bytes *value)
{
	struct cw_bytes rest = *in;
	size_t len;

	if (!take_tag(&rest, tag) || !take_len(&rest, &len) || len > rest.len)
		return false;
	*value = cw_bytes(rest.ptr, len);
	*in = cw_bytes(rest.ptr + len, rest.len - len);
	return true;
}
