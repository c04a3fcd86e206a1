/* SPDX-License-Identifier: Apache-2.0 */
/* PIN rules (session.cddl pin-rule): one code for card and agent. */
#ifndef CW_PROTO_PIN_H
#define CW_PROTO_PIN_H

#include "proto/cbor.h"

enum cw_pin_format {
	CW_PIN_DIGITS = 1,
	CW_PIN_ALPHANUMERIC = 2, /* A-Z a-z 0-9 */
	CW_PIN_PRINTABLE = 3,    /* ASCII 0x20..0x7e */
};

#define CW_PIN_NO_SEQUENCE 1u /* 1234, 9876, abcd: all steps +1 or all -1 */
#define CW_PIN_NO_REPEATS 2u  /* a character three times in a row */
#define CW_PIN_NO_FEW 4u      /* fewer than 3 different characters */
#define CW_PIN_MAX_BYTES 32

struct cw_pin_rule {
	enum cw_pin_format format;
	unsigned min, max;  /* bytes, 4..32 */
	unsigned tries;     /* retry limit, 1..15 */
	unsigned forbidden; /* CW_PIN_NO_ bits */
};

/* The holder's PIV PIN: 6..8 digits, 3 tries (docs/protocol.md). The PUK has
 * the same rule. */
extern const struct cw_pin_rule cw_pin_rule_piv;

void cw_pin_rule_put(struct cw_buf *b, const struct cw_pin_rule *rule);
void cw_pin_rule_get(struct cw_cbor_reader *r, struct cw_pin_rule *rule);

/* BAD_POLICY if no PIN could satisfy the rule, or min > max. */
enum cw_err cw_pin_rule_check(const struct cw_pin_rule *rule)
    __attribute__((warn_unused_result));

/* Errors: PIN_LENGTH, PIN_FORMAT, PIN_WEAK. Time depends on the PIN: for new
 * PINs only, never to compare. */
enum cw_err cw_pin_check(const struct cw_pin_rule *rule, struct cw_bytes pin)
    __attribute__((warn_unused_result));

#endif
