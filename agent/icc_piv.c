/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates where PIV keeps them (SP 800-73-4 part 1, table 2 and 4.3). */
#include "agent/icc.h"

#define INS_GET_DATA 0xCB
#define PIV_OBJECT_MAX 16384

static const uint8_t aid[] = { 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10,
	0x00 };

static const struct {
	uint8_t slot, object; /* 5F C1 object */
} objects[] = {
	{ 0x9A, 0x05 },
	{ 0x9C, 0x0A },
	{ 0x9D, 0x0B },
	{ 0x9E, 0x01 },
};

/* The last byte of the object's tag; 0 if the slot has none. */
static uint8_t
object_of(uint8_t slot)
{
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++)
		if (objects[i].slot == slot)
			return objects[i].object;
	/* Retired keys: 82 is 5FC10D, 95 is 5FC120. */
	return slot >= 0x82 && slot <= 0x95 ? (uint8_t)(slot - 0x82 + 0x0D) : 0;
}

/* A BER-TLV of this tag, of the front of `in`: its value (ISO 7816-4 5.2.2). */
static bool
take_tlv(struct cw_bytes in, uint8_t tag, struct cw_bytes *value)
{
	size_t at = 2;
	size_t len;

	if (in.len < 2 || in.ptr[0] != tag)
		return false;
	len = in.ptr[1];
	if (len == 0x81 && in.len >= 3) {
		len = in.ptr[2];
		at = 3;
	} else if (len == 0x82 && in.len >= 4) {
		len = (size_t)in.ptr[2] << 8 | in.ptr[3];
		at = 4;
	} else if (len > 0x7f) {
		return false;
	}
	if (len > in.len - at)
		return false;
	*value = cw_bytes(in.ptr + at, len);
	return true;
}

enum cw_err
cw_icc_select_piv(struct cw_icc *card)
{
	const struct cw_apdu select = {
		.ins = CW_INS_SELECT,
		.p1 = 0x04,
		.data = CW_BYTES_ARRAY(aid),
		.le = CW_LE_SHORT,
	};
	struct cw_buf answer;
	enum cw_err err;

	cw_buf_init(&answer, PIV_OBJECT_MAX);
	err = cw_icc_exchange(card, &select, &answer);
	cw_buf_wipe(&answer);
	return err == CW_OK && card->sw != CW_SW_OK ? CW_ERR_WRONG_CARD : err;
}

enum cw_err
cw_icc_piv_certificate(struct cw_icc *card, uint8_t slot, struct cw_buf *der)
{
	const uint8_t tag[] = { 0x5C, 0x03, 0x5F, 0xC1, object_of(slot) };
	const struct cw_apdu get = {
		.ins = INS_GET_DATA,
		.p1 = 0x3F,
		.p2 = 0xFF,
		.data = CW_BYTES_ARRAY(tag),
		.le = CW_LE_EXTENDED,
	};
	struct cw_buf answer;
	struct cw_bytes object = CW_BYTES_NONE;
	struct cw_bytes certificate = CW_BYTES_NONE;
	enum cw_err err;

	cw_buf_init(&answer, PIV_OBJECT_MAX);
	err = cw_icc_exchange(card, &get, &answer);
	if (err == CW_OK &&
	    (card->sw != CW_SW_OK ||
		!take_tlv(cw_buf_bytes(&answer), 0x53, &object) ||
		!take_tlv(object, 0x70, &certificate)))
		err = CW_ERR_BAD_CERTIFICATE;
	if (err == CW_OK) {
		cw_buf_put(der, certificate);
		err = der->err;
	}
	cw_buf_wipe(&answer);
	return err;
}
