/* SPDX-License-Identifier: Apache-2.0 */
/* PIN rules. */
#include "proto/pin.h"

#include <ctype.h>

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
	rule->format = cw_cbor_u32(r, 1, CW_PIN_PRINTABLE);
	cw_cbor_key(r, 1);
	rule->min = cw_cbor_u32(r, 4, CW_PIN_MAX_BYTES);
	cw_cbor_key(r, 2);
	rule->max = cw_cbor_u32(r, 4, CW_PIN_MAX_BYTES);
	cw_cbor_key(r, 3);
	rule->tries = cw_cbor_u32(r, 1, 15);
	cw_cbor_key(r, 4);
	rule->forbidden = cw_cbor_u32(r, 0, 7);
	cw_cbor_map_end(r);
}

enum cw_err
cw_pin_rule_check(const struct cw_pin_rule *rule)
{
	/* Every format has at least 10 characters and every length is at least
	 * 4, so only an empty range leaves no PIN. */
	return rule->min <= rule->max ? CW_OK : CW_ERR_BAD_POLICY;
}

static bool
has_format(enum cw_pin_format format, uint8_t c)
{
	switch (format) {
	case CW_PIN_DIGITS:
		return c >= '0' && c <= '9';
	case CW_PIN_ALPHANUMERIC:
		return c < 0x80 && isalnum(c);
	case CW_PIN_PRINTABLE:
		return c >= 0x20 && c <= 0x7e;
	default:
		return false;
	}
}

static bool
is_sequence(struct cw_bytes pin)
{
	int step = pin.ptr[1] - pin.ptr[0];

	if (step != 1 && step != -1)
		return false;
	for (size_t i = 2; i < pin.len; i++)
		if (pin.ptr[i] - pin.ptr[i - 1] != step)
			return false;
	return true;
}

static bool
has_repeats(struct cw_bytes pin)
{
	for (size_t i = 2; i < pin.len; i++)
		if (pin.ptr[i] == pin.ptr[i - 1] &&
		    pin.ptr[i] == pin.ptr[i - 2])
			return true;
	return false;
}

static bool
has_few(struct cw_bytes pin)
{
	size_t distinct = 0;

	for (size_t i = 0; i < pin.len; i++)
		distinct += memchr(pin.ptr, pin.ptr[i], i) == NULL;
	return distinct < 3;
}

enum cw_err
cw_pin_check(const struct cw_pin_rule *rule, struct cw_bytes pin)
{
	if (pin.len < rule->min || pin.len > rule->max)
		return CW_ERR_PIN_LENGTH;
	for (size_t i = 0; i < pin.len; i++)
		if (!has_format(rule->format, pin.ptr[i]))
			return CW_ERR_PIN_FORMAT;
	if (((rule->forbidden & CW_PIN_NO_SEQUENCE) && is_sequence(pin)) ||
	    ((rule->forbidden & CW_PIN_NO_REPEATS) && has_repeats(pin)) ||
	    ((rule->forbidden & CW_PIN_NO_FEW) && has_few(pin)))
		return CW_ERR_PIN_WEAK;
	return CW_OK;
}
