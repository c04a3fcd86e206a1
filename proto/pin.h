/* SPDX-License-Identifier: Apache-2.0 */
/* PIN rules (session.cddl pin-rule): one code for card and agent. */
#ifndef CW_PROTO_PIN_H
#define CW_PROTO_PIN_H

#include "proto/cbor.h"

enum cw_pin_format {
	CW_PIN_DIGITS = 1,
	CW_PIN_ALPHANUMERIC = 2, /* A-Z a-z 0-9 */
	CW_PIN_PRINTABLE = 3,    /* ASCII 0x20..0x7e */
	CW_PIN_TEXT = 4,         /* UTF-8 that may be shown */
	CW_PIN_BINARY = 5,       /* any bytes: a value for programs */
};

#define CW_PIN_NO_SEQUENCE 1u /* 1234, 9876, abcd: all steps +1 or all -1 */
#define CW_PIN_NO_REPEATS 2u  /* a character three times in a row */
#define CW_PIN_NO_FEW 4u      /* fewer than 3 different characters */
#define CW_PIN_NO_PAIRS 8u    /* a character twice in a row */
#define CW_PIN_NO_TWICE 16u   /* a character twice anywhere */
/* A group of characters missing: of letters and digits one of the two; of
 * formats 3 and 4 small letters, capitals, digits, or others. */
#define CW_PIN_NO_MISSING 32u
#define CW_PIN_FORBIDDEN_ALL 63u
#define CW_PIN_MAX_BYTES 32

struct cw_pin_rule {
	enum cw_pin_format format;
	unsigned min, max;  /* characters, 4..32; at most 32 bytes */
	unsigned tries;     /* retry limit, 1..15 */
	unsigned forbidden; /* CW_PIN_NO_ bits */
};

/* The holder's PIV PIN: 6..8 digits, 3 tries (docs/protocol.md). The PUK has
 * the same rule. */
extern const struct cw_pin_rule cw_pin_rule_piv;

/* Which keys of a policy have one PIN (docs/protocol.md "PIN policies"). */
enum cw_pin_grouping {
	CW_PIN_EACH = 1,      /* each key its own */
	CW_PIN_SHARED = 2,    /* all keys one */
	CW_PIN_SIGNATURE = 3, /* keys that only sign one, the others another */
	CW_PIN_UNIQUE = 4,    /* keys of the same usage one, others another */
};

/* The group that a key belongs to; keys of one group have one PIN. `usage` is
 * CW_USAGE_ bits. */
uint32_t cw_pin_group(enum cw_pin_grouping grouping, uint32_t key_id,
    unsigned usage);

/* True if groups of one policy must have different values. */
bool cw_pin_groups_differ(enum cw_pin_grouping grouping);

void cw_pin_rule_put(struct cw_buf *b, const struct cw_pin_rule *rule);
void cw_pin_rule_get(struct cw_cbor_reader *r, struct cw_pin_rule *rule);

/* BAD_POLICY if no PIN could satisfy the rule, min > max, or the rule forbids a
 * missing group where there are none (digits, bytes). */
enum cw_err cw_pin_rule_check(const struct cw_pin_rule *rule)
    __attribute__((warn_unused_result));

/* Errors: PIN_LENGTH, PIN_FORMAT, PIN_WEAK. Time depends on the PIN: for new
 * PINs only, never to compare. */
enum cw_err cw_pin_check(const struct cw_pin_rule *rule, struct cw_bytes pin)
    __attribute__((warn_unused_result));

#endif
