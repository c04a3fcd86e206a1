/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The PIV application (NIST SP 800-73-4 part 2): what the keys in PIV slots
 * are used through. There is no card management key and nothing can be written
 * here: that takes a session. Before the first session it is there, empty.
 */
#include "card/inner.h"
#include "card/tlv.h"

#define INS_GET_DATA 0xCB
#define INS_AUTHENTICATE 0x87

/* SP 800-73-4 part 2, 3.1.1: application property template. */
static uint16_t
select(struct cw_card *card, struct cw_buf *out)
{
	static const uint8_t pix[] = { 0x00, 0x00, 0x10, 0x00, 0x01, 0x00 };
	static const uint8_t rid[] = { 0xA0, 0x00, 0x00, 0x03, 0x08 };
	struct cw_buf inner, authority;

	(void)card;
	cw_buf_init(&inner, 128);
	cw_buf_init(&authority, 16);
	cw_tlv_put(&authority, 0x4F, CW_BYTES_ARRAY(rid));
	cw_tlv_put(&inner, 0x4F, CW_BYTES_ARRAY(pix));
	cw_tlv_put(&inner, 0x79, cw_buf_bytes(&authority));
	cw_tlv_put_str(&inner, 0x50, "Cardwright PIV");
	cw_tlv_put(out, 0x61, cw_buf_bytes(&inner));
	cw_buf_wipe(&authority);
	cw_buf_wipe(&inner);
	return CW_SW_OK;
}

static const struct cw_card_instruction instructions[] = {
	{ 0x00, INS_GET_DATA, 0, cw_card_piv_get_data },
	{ 0x00, INS_AUTHENTICATE, CW_CARD_CHAIN | CW_CARD_FRESH,
	    cw_card_piv_authenticate },
	{ 0x00, CW_INS_VERIFY, CW_CARD_FRESH, cw_card_verify },
	{ 0x00, CW_INS_CHANGE_PIN, 0, cw_card_change_pin },
	{ 0x00, CW_INS_RESET_RETRY, 0, cw_card_reset_retry },
};

static const uint8_t aid[] = { 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00, 0x10,
	0x00, 0x01, 0x00 };

/* The version at the end may be left out (SP 800-73-4 part 1, 2.2). */
const struct cw_card_application cw_card_piv = {
	.aid = { aid, sizeof(aid) },
	.aid_shortest = 5,
	.instructions = instructions,
	.n_instructions = sizeof(instructions) / sizeof(instructions[0]),
	.select = select,
};
