/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PIV data objects (SP 800-73-4 part 1, 3 and appendix A), made when they are
 * read. Any host reads them without a PIN, so nothing in them outlives a reset
 * of the card: the identifiers are the random GUID.
 */
#include "card/inner.h"
#include "card/tlv.h"
#include "proto/fields.h"

#define TAG_DISCOVERY 0x7E
#define TAG_DATA 0x53
#define TAG_ERROR_DETECTION 0xFE

static const uint8_t piv_aid[] = { 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00,
	0x10, 0x00, 0x01, 0x00 };

/* SP 800-73-4 part 1, table 10. */
static void
put_ccc(const struct cw_card *card, struct cw_buf *b)
{
	static const unsigned empty[] = { 0xF3, 0xF6, 0xF7, 0xFA, 0xFB, 0xFC,
		0xFD };
	uint8_t id[21] = { 0xA0, 0x00, 0x00, 0x01, 0x16, 0xFF, 0x02 };

	memcpy(id + 7, card->state->guid, sizeof(id) - 7);
	cw_tlv_put(b, 0xF0, CW_BYTES_ARRAY(id));
	cw_tlv_put_str(b, 0xF1, "\x21");
	cw_tlv_put_str(b, 0xF2, "\x21");
	cw_tlv_put(b, empty[0], CW_BYTES_NONE);
	cw_tlv_put(b, 0xF4, cw_bytes((const uint8_t *)"", 1));
	cw_tlv_put_str(b, 0xF5, "\x10");
	for (size_t i = 1; i < sizeof(empty) / sizeof(empty[0]); i++)
		cw_tlv_put(b, empty[i], CW_BYTES_NONE);
	cw_tlv_put(b, TAG_ERROR_DETECTION, CW_BYTES_NONE);
}

/*
 * SP 800-73-4 part 1, table 11. The FASC-N is the one of a card that has none:
 * agency 9999, all else 9 (SP 800-73-4 part 1, 3.1.2: "non-federal issuers").
 */
static void
put_chuid(const struct cw_card *card, struct cw_buf *b)
{
	static const uint8_t fasc_n[25] = { 0xD4, 0xE7, 0x39, 0xDA, 0x73, 0x9C,
		0xED, 0x39, 0xCE, 0x73, 0x9D, 0x83, 0x68, 0x58, 0x21, 0x08,
		0x42, 0x10, 0x84, 0x21, 0xC8, 0x42, 0x10, 0xC3, 0xEB };

	cw_tlv_put(b, 0x30, CW_BYTES_ARRAY(fasc_n));
	cw_tlv_put(b, 0x34, CW_BYTES_ARRAY(card->state->guid));
	cw_tlv_put_str(b, 0x35, "20991231");
	cw_tlv_put(b, 0x3E, CW_BYTES_NONE);
	cw_tlv_put(b, TAG_ERROR_DETECTION, CW_BYTES_NONE);
}

/* SP 800-73-4 part 1, table 19: retired keys with certificates on the card. */
static void
put_key_history(const struct cw_card *card, struct cw_buf *b)
{
	const struct cw_card_key *key;
	uint8_t n = 0, none = 0;

	for (key = card->state->objects.keys; key != NULL; key = key->next)
		n = (uint8_t)(n +
		    (key->attributes.slot >= 0x82 &&
			key->attributes.slot <= 0x95));
	cw_tlv_put(b, 0xC1, cw_bytes(&n, 1));
	cw_tlv_put(b, 0xC2, cw_bytes(&none, 1));
	cw_tlv_put(b, TAG_ERROR_DETECTION, CW_BYTES_NONE);
}

/* SP 800-73-4 part 1, 3.3.2: PIV PIN only, the PIV AID. */
static void
put_discovery(struct cw_buf *out)
{
	struct cw_buf b;

	cw_buf_init(&b, 64);
	cw_tlv_put(&b, 0x4F, CW_BYTES_ARRAY(piv_aid));
	cw_tlv_put(&b, 0x5F2F, cw_bytes((const uint8_t *)"\x40\x00", 2));
	cw_tlv_put(out, TAG_DISCOVERY, cw_buf_bytes(&b));
	cw_buf_wipe(&b);
}

/* The slot whose certificate is in this object (part 1, table 3), or 0. */
static uint8_t
slot_of(unsigned object)
{
	static const struct {
		unsigned object;
		uint8_t slot;
	} slots[] = {
		{ 0x5FC105, 0x9A },
		{ 0x5FC10A, 0x9C },
		{ 0x5FC10B, 0x9D },
		{ 0x5FC101, 0x9E },
	};

	for (size_t i = 0; i < sizeof(slots) / sizeof(slots[0]); i++)
		if (slots[i].object == object)
			return slots[i].slot;
	if (object >= 0x5FC10D && object <= 0x5FC120)
		return (uint8_t)(0x82 + (object - 0x5FC10D));
	return 0;
}

/* SP 800-73-4 part 1, table 12: certificate, not compressed. */
static bool
put_certificate(const struct cw_card *card, uint8_t slot, struct cw_buf *b)
{
	const struct cw_card_key *key =
	    cw_card_find_slot(&card->state->objects, slot);
	struct cw_bytes chain[CW_CHAIN_MAX];
	struct cw_cbor_reader r;

	if (key == NULL || key->chain.len == 0)
		return false;
	cw_cbor_init(&r, cw_buf_bytes(&key->chain));
	if (cw_field_bstrs(&r, 1, CW_CHAIN_MAX, CW_CERT_MAX_BYTES, chain) == 0)
		return false;
	cw_tlv_put(b, 0x70, chain[0]);
	cw_tlv_put(b, 0x71, cw_bytes((const uint8_t *)"", 1));
	cw_tlv_put(b, TAG_ERROR_DETECTION, CW_BYTES_NONE);
	return true;
}

static const struct {
	unsigned object;
	void (*put)(const struct cw_card *card, struct cw_buf *b);
} objects[] = {
	{ 0x5FC107, put_ccc },
	{ 0x5FC102, put_chuid },
	{ 0x5FC10C, put_key_history },
};

static bool
put_object(const struct cw_card *card, unsigned object, struct cw_buf *b)
{
	uint8_t slot = slot_of(object);

	if (slot != 0)
		return put_certificate(card, slot, b);
	for (size_t i = 0; i < sizeof(objects) / sizeof(objects[0]); i++) {
		if (objects[i].object != object)
			continue;
		objects[i].put(card, b);
		return true;
	}
	return false;
}

/* SP 800-73-4 part 2, 3.1.2. */
uint16_t
cw_card_piv_get_data(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_bytes in = apdu->data, value;
	struct cw_buf b;
	unsigned tag, object = 0;
	bool found;

	if (apdu->p1 != 0x3F || apdu->p2 != 0xFF)
		return CW_SW_WRONG_P1P2;
	if (!cw_tlv_next(&in, &tag, &value) || tag != 0x5C || in.len != 0 ||
	    value.len < 1 || value.len > 3)
		return CW_SW_BAD_DATA;
	for (size_t i = 0; i < value.len; i++)
		object = object << 8 | value.ptr[i];
	if (object == TAG_DISCOVERY) {
		put_discovery(out);
		return CW_SW_OK;
	}
	cw_buf_init(&b, CW_COMMAND_MAX);
	found = put_object(card, object, &b);
	if (found)
		cw_tlv_put(out, TAG_DATA, cw_buf_bytes(&b));
	if (b.err != CW_OK)
		out->err = b.err;
	cw_buf_wipe(&b);
	return found ? CW_SW_OK : CW_SW_NOT_FOUND;
}
