/* SPDX-License-Identifier: Apache-2.0 */
/* ISO 7816-4 transport: one logical command becomes one or more APDUs. */
#include "agent/icc.h"

#define CHUNK 255        /* data of a short APDU, ISO 7816-4 5.2 */
#define CLA_CHAIN 0x10   /* "not the last of a chain", 5.4.1 */
#define ROUNDS_MAX 1024  /* no card may keep us busy for ever */
#define EXTENDED_EXTRA 9 /* header, extended Lc and Le */

/* The compact object with this tag among the historical bytes; ISO 7816-4
 * 12.1.1. Empty if there is none. */
static struct cw_bytes
historical(struct cw_bytes atr, uint8_t tag)
{
	size_t at = 2;
	size_t end;
	uint8_t y;

	if (atr.len < 2)
		return CW_BYTES_NONE;
	/* ISO 7816-3 8.2: T0 announces TA1..TD1 and counts historical bytes. */
	for (y = atr.ptr[1] >> 4; y != 0 && at < atr.len;) {
		bool has_next = (y & 8) != 0;

		at += (size_t)((y & 1) + (y >> 1 & 1) + (y >> 2 & 1));
		y = 0;
		if (has_next && at < atr.len)
			y = atr.ptr[at++] >> 4;
	}
	end = at + (atr.ptr[1] & 0x0f);
	if (end > atr.len || at >= end)
		return CW_BYTES_NONE;
	/* Category 00: three status bytes stand behind the objects. */
	if (atr.ptr[at] == 0x00)
		end = end - at > 3 ? end - 3 : at + 1;
	else if (atr.ptr[at] != 0x80)
		return CW_BYTES_NONE;
	for (at++; at < end; at += 1 + (size_t)(atr.ptr[at] & 0x0f)) {
		size_t len = atr.ptr[at] & 0x0f;

		if (atr.ptr[at] == tag && at + len < end)
			return cw_bytes(atr.ptr + at + 1, len);
	}
	return CW_BYTES_NONE;
}

bool
cw_atr_has_extended(struct cw_bytes atr)
{
	struct cw_bytes capabilities = historical(atr, 0x73);

	return capabilities.len == 3 && (capabilities.ptr[2] & 0x40) != 0;
}

bool
cw_atr_is_cardwright(struct cw_bytes atr)
{
	return cw_bytes_is(historical(atr, 0x56), "CWCARD");
}

/* One APDU there and back; splits the status word off. */
static enum cw_err
single(struct cw_icc *card, const struct cw_apdu *apdu, struct cw_buf *out)
{
	struct cw_buf command;
	size_t before = out->len;
	enum cw_err err;

	cw_buf_init(&command, CW_APDU_MAX);
	cw_apdu_encode(apdu, &command);
	err = command.err;
	if (err == CW_OK)
		err = card->reader->ops->transmit(card->reader,
		    cw_buf_bytes(&command), out);
	cw_buf_wipe(&command); /* it may have held a PIN */
	if (err == CW_ERR_TOO_LARGE)
		return CW_ERR_CARD_SAYS;
	if (err != CW_OK)
		return err;
	if (out->len < before + 2)
		return CW_ERR_CARD_REMOVED;
	card->sw =
	    (uint16_t)(out->ptr[out->len - 2] << 8 | out->ptr[out->len - 1]);
	cw_buf_truncate(out, out->len - 2);
	return CW_OK;
}

/* 6Cxx names the right Le; the same command is given once more (5.6). */
static enum cw_err
with_right_le(struct cw_icc *card, struct cw_apdu *apdu, struct cw_buf *out)
{
	size_t before = out->len;
	enum cw_err err = single(card, apdu, out);

	if (err != CW_OK || (card->sw & 0xff00) != CW_SW_WRONG_LE)
		return err;
	cw_buf_truncate(out, before);
	apdu->le = (card->sw & 0xff) == 0 ? CW_LE_SHORT : card->sw & 0xff;
	return single(card, apdu, out);
}

/* All data but the last part, as a chain; what stays is in `apdu`. */
static enum cw_err
send_chain(struct cw_icc *card, struct cw_apdu *apdu, struct cw_buf *out)
{
	struct cw_apdu part = *apdu;

	part.cla |= CLA_CHAIN;
	part.le = CW_LE_NONE;
	while (apdu->data.len > CHUNK) {
		size_t before = out->len;
		enum cw_err err;

		part.data = cw_bytes(apdu->data.ptr, CHUNK);
		err = single(card, &part, out);
		if (err != CW_OK)
			return err;
		cw_buf_truncate(out, before);
		if (card->sw != CW_SW_OK)
			return CW_OK; /* the card broke the chain off */
		apdu->data.ptr += CHUNK;
		apdu->data.len -= CHUNK;
	}
	card->sw = CW_SW_OK;
	return CW_OK;
}

enum cw_err
cw_icc_exchange(struct cw_icc *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_apdu now = *apdu;
	size_t limit = card->reader->max_apdu;
	enum cw_err err;

	card->ins = apdu->ins;
	card->sw = 0;
	now.extended = card->is_extended &&
	    (now.data.len > CHUNK || now.le > CW_LE_SHORT) &&
	    (limit == 0 || now.data.len + EXTENDED_EXTRA <= limit);
	if (!now.extended) {
		if (now.le > CW_LE_SHORT)
			now.le = CW_LE_SHORT;
		err = send_chain(card, &now, out);
		if (err != CW_OK || card->sw != CW_SW_OK)
			return err;
	}
	err = with_right_le(card, &now, out);
	for (int i = 0; err == CW_OK && (card->sw & 0xff00) == CW_SW_MORE;
	     i++) {
		struct cw_apdu more = { .ins = CW_INS_GET_RESPONSE };

		if (i == ROUNDS_MAX)
			return CW_ERR_CARD_SAYS;
		more.le =
		    (card->sw & 0xff) == 0 ? CW_LE_SHORT : card->sw & 0xff;
		err = with_right_le(card, &more, out);
	}
	return err;
}
