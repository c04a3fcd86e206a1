/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The holder's PIN and PUK (SP 800-73-4 part 2, 3.2.1 to 3.2.3): the same
 * instructions in both applications. A try is counted durably before the
 * comparison, so that cutting the power saves nobody a try; the comparison
 * takes the same time whatever is wrong.
 */
#include "card/inner.h"
#include "proto/base/secret.h"

#define REFERENCE_BYTES 8 /* padded with FF */
#define PIN_REFERENCE 0x80
#define PUK_REFERENCE 0x81

void
cw_card_pin_set(struct cw_card_pin *pin, struct cw_bytes value, unsigned tries)
{
	cw_wipe(pin, sizeof(*pin));
	memcpy(pin->value, value.ptr, value.len);
	pin->len = (uint8_t)value.len;
	pin->tries = (uint8_t)tries;
}

/*
 * Padded reference data to a value without its padding. False if it does not
 * have the form of the rule: SP 800-73-4 wants 6A80 then, and no try counted.
 * A weak value is refused only where it is new: elsewhere it is just wrong.
 */
static bool
unpad(const uint8_t *padded, bool is_new, struct cw_bytes *value)
{
	size_t len = REFERENCE_BYTES;
	enum cw_err err;

	while (len > 0 && padded[len - 1] == 0xFF)
		len--;
	*value = cw_bytes(padded, len);
	err = cw_pin_check(&cw_pin_rule_piv, *value);
	return err == CW_OK || (err == CW_ERR_PIN_WEAK && !is_new);
}

bool
cw_card_pin_equal(const struct cw_card_pin *pin, struct cw_bytes value)
{
	uint8_t have[CW_PIN_MAX_BYTES + 1], given[CW_PIN_MAX_BYTES + 1] = { 0 };
	bool same;

	if (value.len > CW_PIN_MAX_BYTES)
		return false;
	memcpy(have, pin->value, CW_PIN_MAX_BYTES);
	have[CW_PIN_MAX_BYTES] = pin->len;
	if (value.len > 0)
		memcpy(given, value.ptr, value.len);
	given[CW_PIN_MAX_BYTES] = (uint8_t)value.len;
	same = cw_secret_equal(CW_BYTES_ARRAY(have), CW_BYTES_ARRAY(given));
	cw_wipe(have, sizeof(have));
	cw_wipe(given, sizeof(given));
	return same;
}

static struct cw_card_pin *
reference(struct cw_card *card, bool puk)
{
	return puk ? &card->state->puk : &card->state->pin;
}

uint16_t
cw_card_pin_try(struct cw_card *card, struct cw_card_pin *pin, unsigned tries,
    struct cw_bytes value)
{
	enum cw_err err;

	if (!cw_card_pin_is_set(pin))
		return CW_SW_PIN_NEEDED;
	if (pin->tries == 0)
		return CW_SW_BLOCKED;
	pin->tries--;
	err = cw_card_commit(card, CW_CARD_USE_RESERVE);
	if (err != CW_OK)
		return cw_card_sw(err);
	if (cw_card_pin_equal(pin, value)) {
		pin->tries = (uint8_t)tries;
		return CW_SW_OK;
	}
	if (pin->tries == 0)
		return CW_SW_BLOCKED;
	return (uint16_t)(CW_SW_TRIES_LEFT | pin->tries);
}

/* A wrong value ends what a right one had opened. */
static uint16_t
compare(struct cw_card *card, bool puk, struct cw_bytes value)
{
	uint16_t sw = cw_card_pin_try(card, reference(card, puk),
	    cw_pin_rule_piv.tries, value);

	if (!puk && (sw == CW_SW_BLOCKED || (sw & 0xFFF0) == CW_SW_TRIES_LEFT))
		card->ram.pin_verified = false;
	return sw;
}

static uint16_t
commit(struct cw_card *card)
{
	return cw_card_sw(cw_card_commit(card, CW_CARD_USE_RESERVE));
}

/* What VERIFY without data answers: SP 800-73-4 part 2, 3.2.1. */
static uint16_t
status(const struct cw_card *card)
{
	const struct cw_card_pin *pin = &card->state->pin;

	if (!cw_card_pin_is_set(pin))
		return CW_SW_PIN_NEEDED;
	if (card->ram.pin_verified)
		return CW_SW_OK;
	if (pin->tries == 0)
		return CW_SW_BLOCKED;
	return (uint16_t)(CW_SW_TRIES_LEFT | pin->tries);
}

uint16_t
cw_card_verify(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_bytes value;
	uint16_t sw;

	(void)out;
	if (apdu->p2 != PIN_REFERENCE)
		return CW_SW_PIN_NEEDED; /* 6A88: no such reference data */
	if (apdu->p1 == 0xFF && apdu->data.len == 0) {
		card->ram.pin_verified = false;
		card->ram.pin_fresh = false;
		return CW_SW_OK;
	}
	if (apdu->p1 != 0x00)
		return CW_SW_WRONG_P1P2;
	if (apdu->data.len == 0)
		return status(card);
	card->ram.pin_fresh = false;
	if (apdu->data.len != REFERENCE_BYTES ||
	    !unpad(apdu->data.ptr, false, &value))
		return CW_SW_BAD_DATA;
	sw = compare(card, false, value);
	if (sw == CW_SW_OK)
		sw = commit(card);
	card->ram.pin_verified = sw == CW_SW_OK;
	card->ram.pin_fresh = card->ram.pin_verified;
	return sw;
}

/* Two references of eight bytes, the second of which is a new value. */
static bool
split(const struct cw_apdu *apdu, struct cw_bytes *first,
    struct cw_bytes *second)
{
	if (apdu->data.len != (size_t)2 * REFERENCE_BYTES)
		return false;
	return unpad(apdu->data.ptr, false, first) &&
	    unpad(apdu->data.ptr + REFERENCE_BYTES, true, second);
}

uint16_t
cw_card_change_pin(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_bytes old, new;
	bool puk = apdu->p2 == PUK_REFERENCE;
	uint16_t sw;

	(void)out;
	if (apdu->p1 != 0x00)
		return CW_SW_WRONG_P1P2;
	if (apdu->p2 != PIN_REFERENCE && !puk)
		return CW_SW_PIN_NEEDED;
	if (!split(apdu, &old, &new))
		return CW_SW_BAD_DATA;
	sw = compare(card, puk, old);
	if (sw != CW_SW_OK)
		return sw;
	cw_card_pin_set(reference(card, puk), new, cw_pin_rule_piv.tries);
	return commit(card);
}

uint16_t
cw_card_reset_retry(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_bytes puk, new;
	uint16_t sw;

	(void)out;
	if (apdu->p1 != 0x00)
		return CW_SW_WRONG_P1P2;
	if (apdu->p2 != PIN_REFERENCE)
		return CW_SW_PIN_NEEDED;
	if (!split(apdu, &puk, &new))
		return CW_SW_BAD_DATA;
	sw = compare(card, true, puk);
	if (sw != CW_SW_OK)
		return sw;
	cw_card_pin_set(&card->state->pin, new, cw_pin_rule_piv.tries);
	return commit(card);
}
