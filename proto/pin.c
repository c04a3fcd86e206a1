/* SPDX-License-Identifier: Apache-2.0 */
/* PIN rules. */
#include "proto/pin.h"

#include "proto/base/secret.h"
#include "proto/text.h"

const struct cw_pin_rule cw_pin_rule_piv = {
	.format = CW_PIN_DIGITS,
	.min = 6,
	.max = 8,
	.tries = 3,
	.forbidden = CW_PIN_NO_SEQUENCE | CW_PIN_NO_REPEATS,
};

void
cw_pin_rule_put(struct cw_buf *b, const struct cw_pin_rule *rule)
{
	cw_cbor_put_map(b, 5);
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_uint(b, rule->format);
	cw_cbor_put_uint(b, 1);
	cw_cbor_put_uint(b, rule->min);
	cw_cbor_put_uint(b, 2);
	cw_cbor_put_uint(b, rule->max);
	cw_cbor_put_uint(b, 3);
	cw_cbor_put_uint(b, rule->tries);
	cw_cbor_put_uint(b, 4);
	cw_cbor_put_uint(b, rule->forbidden);
}

void
cw_pin_rule_get(struct cw_cbor_reader *r, struct cw_pin_rule *rule)
{
	memset(rule, 0, sizeof(*rule));
	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	rule->format = cw_cbor_u32(r, 1, CW_PIN_BINARY);
	cw_cbor_key(r, 1);
	rule->min = cw_cbor_u32(r, 4, CW_PIN_MAX_BYTES);
	cw_cbor_key(r, 2);
	rule->max = cw_cbor_u32(r, 4, CW_PIN_MAX_BYTES);
	cw_cbor_key(r, 3);
	rule->tries = cw_cbor_u32(r, 1, 15);
	cw_cbor_key(r, 4);
	rule->forbidden = cw_cbor_u32(r, 0, CW_PIN_FORBIDDEN_ALL);
	cw_cbor_map_end(r);
}

enum cw_err
cw_pin_rule_check(const struct cw_pin_rule *rule)
{
	bool groups =
	    rule->format != CW_PIN_DIGITS && rule->format != CW_PIN_BINARY;

	if (rule->min > rule->max)
		return CW_ERR_BAD_POLICY;
	if ((rule->forbidden & CW_PIN_NO_MISSING) != 0 && !groups)
		return CW_ERR_BAD_POLICY;
	/* There are ten digits; every other format has 32 characters. */
	if ((rule->forbidden & CW_PIN_NO_TWICE) != 0 &&
	    rule->format == CW_PIN_DIGITS && rule->min > 10)
		return CW_ERR_BAD_POLICY;
	return CW_OK;
}

uint32_t
cw_pin_group(enum cw_pin_grouping grouping, uint32_t key_id, unsigned usage)
{
	switch (grouping) {
	case CW_PIN_EACH:
		return key_id;
	case CW_PIN_SIGNATURE:
		return usage == 1 ? 1 : 2;
	case CW_PIN_UNIQUE:
		return usage;
	case CW_PIN_SHARED:
		break;
	}
	return 0;
}

bool
cw_pin_groups_differ(enum cw_pin_grouping grouping)
{
	return grouping == CW_PIN_SIGNATURE || grouping == CW_PIN_UNIQUE;
}

/* ---- a value ---- */

/* A value as characters: code points, or bytes. */
struct characters {
	size_t n;
	uint32_t at[CW_PIN_MAX_BYTES];
};

/* The text is valid UTF-8: its first byte says how long a character is. */
static void
split(enum cw_pin_format format, struct cw_bytes pin, struct characters *out)
{
	size_t i = 0;

	out->n = 0;
	while (i < pin.len) {
		uint8_t c = pin.ptr[i++];
		unsigned more = 0;

		if (format == CW_PIN_TEXT)
			more = c >= 0xF0 ? 3 : c >= 0xE0 ? 2 : c >= 0xC0;
		out->at[out->n] = more == 0 ? c : c & (0x3Fu >> more);
		for (; more > 0 && i < pin.len; more--)
			out->at[out->n] =
			    out->at[out->n] << 6 | (pin.ptr[i++] & 0x3Fu);
		out->n++;
	}
}

static bool
is_lower(uint32_t c)
{
	return c >= 'a' && c <= 'z';
}

static bool
is_upper(uint32_t c)
{
	return c >= 'A' && c <= 'Z';
}

static bool
is_digit(uint32_t c)
{
	return c >= '0' && c <= '9';
}

static bool
has_format(enum cw_pin_format format, struct cw_bytes pin)
{
	if (format == CW_PIN_BINARY)
		return true;
	if (format == CW_PIN_TEXT)
		return cw_text_is_displayable(pin);
	for (size_t i = 0; i < pin.len; i++) {
		uint8_t c = pin.ptr[i];
		bool fits = format == CW_PIN_DIGITS ? is_digit(c) :
		    format == CW_PIN_ALPHANUMERIC   ? is_digit(c) ||
			is_lower(c) || is_upper(c) :
						    c >= 0x20 && c <= 0x7e;

		if (!fits)
			return false;
	}
	return true;
}

static bool
is_sequence(const struct characters *pin)
{
	uint32_t step = pin->at[1] - pin->at[0];

	if (step != 1 && step != UINT32_MAX)
		return false;
	for (size_t i = 2; i < pin->n; i++)
		if (pin->at[i] - pin->at[i - 1] != step)
			return false;
	return true;
}

/* A character `times` times in a row. */
static bool
has_row(const struct characters *pin, size_t times)
{
	size_t same = 1;

	for (size_t i = 1; i < pin->n; i++) {
		same = pin->at[i] == pin->at[i - 1] ? same + 1 : 1;
		if (same == times)
			return true;
	}
	return false;
}

static size_t
count_distinct(const struct characters *pin)
{
	size_t distinct = 0;

	for (size_t i = 0; i < pin->n; i++) {
		size_t before = 0;

		while (before < i && pin->at[before] != pin->at[i])
			before++;
		distinct += before == i;
	}
	return distinct;
}

static bool
lacks_group(enum cw_pin_format format, const struct characters *pin)
{
	bool lower = false, upper = false, digit = false, other = false;

	for (size_t i = 0; i < pin->n; i++) {
		lower |= is_lower(pin->at[i]);
		upper |= is_upper(pin->at[i]);
		digit |= is_digit(pin->at[i]);
		other |= !is_lower(pin->at[i]) && !is_upper(pin->at[i]) &&
		    !is_digit(pin->at[i]);
	}
	if (format == CW_PIN_ALPHANUMERIC)
		return !digit || (!lower && !upper);
	return !lower || !upper || !digit || !other;
}

static bool
is_weak(const struct cw_pin_rule *rule, const struct characters *pin)
{
	unsigned no = rule->forbidden;

	return ((no & CW_PIN_NO_SEQUENCE) && is_sequence(pin)) ||
	    ((no & CW_PIN_NO_REPEATS) && has_row(pin, 3)) ||
	    ((no & CW_PIN_NO_FEW) && count_distinct(pin) < 3) ||
	    ((no & CW_PIN_NO_PAIRS) && has_row(pin, 2)) ||
	    ((no & CW_PIN_NO_TWICE) && count_distinct(pin) < pin->n) ||
	    ((no & CW_PIN_NO_MISSING) && lacks_group(rule->format, pin));
}

enum cw_err
cw_pin_check(const struct cw_pin_rule *rule, struct cw_bytes pin)
{
	struct characters characters;
	enum cw_err err = CW_OK;

	if (pin.len > CW_PIN_MAX_BYTES || pin.len < rule->min)
		return CW_ERR_PIN_LENGTH;
	if (rule->format != CW_PIN_TEXT && pin.len > rule->max)
		return CW_ERR_PIN_LENGTH;
	if (!has_format(rule->format, pin))
		return CW_ERR_PIN_FORMAT;
	split(rule->format, pin, &characters);
	if (characters.n < rule->min || characters.n > rule->max)
		err = CW_ERR_PIN_LENGTH;
	else if (is_weak(rule, &characters))
		err = CW_ERR_PIN_WEAK;
	cw_wipe(&characters, sizeof(characters));
	return err;
}
