/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 8 and 11: the holder's PIN and PUK, and their tries. */
#include "proto/card_link.h"
#include "tests/conformance/steps.h"

#define NEW_PIN "602917"
#define WRONG_PIN "480726"
#define WRONG_PUK "48072615"

/* A card with a key in 9A, so with PIN and PUK. */
static bool
with_pin(struct cw_kit *kit)
{
	return cw_kit_enroll(kit, 0x9A) && cw_kit_power(kit);
}

static bool
verify(struct cw_kit *kit, const char *pin, unsigned want, const char *what)
{
	return cw_kit_sw(kit, cw_test_verify(&kit->wire, pin), want, what);
}

/* VERIFY without data: the state, and nothing is counted. */
static bool
left(struct cw_kit *kit, unsigned want, const char *what)
{
	return cw_kit_sw(kit,
	    cw_test_send(&kit->wire, 0x0020, 0x0080, CW_BYTES_NONE, NULL), want,
	    what);
}

static bool
unblock(struct cw_kit *kit, const char *puk, unsigned want, const char *what)
{
	return cw_kit_sw(kit,
	    cw_test_two_pins(&kit->wire, 0x002C, 0x0080, puk, NEW_PIN), want,
	    what);
}

static bool
block(struct cw_kit *kit)
{
	return verify(kit, WRONG_PIN, 0x63C2, "a first wrong PIN") &&
	    verify(kit, WRONG_PIN, 0x63C1, "a second wrong PIN") &&
	    verify(kit, WRONG_PIN, 0x6983, "a third wrong PIN");
}

/* ---- setting ---- */

static bool
is_the_rule(const struct cw_pin_rule *rule)
{
	return rule->format == CW_PIN_DIGITS && rule->min == 6 &&
	    rule->max == 8 && rule->tries == 3 &&
	    rule->forbidden == (CW_PIN_NO_SEQUENCE | CW_PIN_NO_REPEATS);
}

static bool
needed(struct cw_kit *kit)
{
	struct cw_command c = { .no = CW_CREATE_KEY };
	struct cw_reply reply = { .err = CW_OK };
	struct cw_pin_info info;

	c.u.create_key = (struct cw_create_key){
		.id = 1,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.slot = 0x9A,
		.name = cw_bytes_str("Key"),
	};
	kit->issuer.pin = NULL;
	if (!cw_kit_begin(kit) ||
	    !cw_kit_err(kit, cw_test_issuer_command(&kit->issuer, &c, &reply),
		CW_ERR_CARD_SAYS, "a key that needs a PIN") ||
	    !cw_kit_sw(kit, kit->issuer.sw, 0x6A88, "a key that needs a PIN") ||
	    !cw_kit_sw(kit,
		cw_test_send(&kit->wire, 0x8016, 0, CW_BYTES_NONE, &kit->out),
		0x9000, "PIN INFO") ||
	    !cw_kit_err(kit, cw_pin_info_decode(cw_buf_bytes(&kit->out), &info),
		CW_OK, "pin-info"))
		return false;
	return cw_kit_true(kit, info.policy == 0 && !info.is_set,
		   "PIN INFO asks for the holder's PIN and PUK") &&
	    cw_kit_true(kit,
		is_the_rule(&info.rule) && is_the_rule(&info.puk_rule),
		"digits, 6 to 8, 3 tries, patterns 1 and 2 forbidden");
}

/* SET PIN with what the rule forbids, as PIN or as PUK; afterwards good ones are
 * taken. */
static bool
weak(struct cw_kit *kit)
{
	static const char *const bad[] = { "12345", "123456789", "12345678",
		"111222", "98765432", "83194a" };
	struct cw_command c = { .no = CW_CREATE_KEY };
	struct cw_reply reply = { .err = CW_OK };

	c.u.create_key = (struct cw_create_key){
		.id = 1,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.slot = 0x9A,
		.name = cw_bytes_str("Key"),
	};
	if (!cw_kit_begin(kit))
		return false;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		kit->issuer.pin = bad[i];
		if (!cw_kit_true(kit,
			cw_test_issuer_command(&kit->issuer, &c, &reply) ==
				CW_ERR_CARD_SAYS &&
			    kit->issuer.sw == 0x6A80,
			bad[i]))
			return false;
	}
	kit->issuer.pin = CW_TEST_PIN;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		kit->issuer.puk = bad[i];
		if (!cw_kit_true(kit,
			cw_test_issuer_command(&kit->issuer, &c, &reply) ==
				CW_ERR_CARD_SAYS &&
			    kit->issuer.sw == 0x6A80,
			"a weak PUK"))
			return false;
	}
	kit->issuer.puk = CW_TEST_PUK;
	return cw_kit_err(kit, cw_test_issuer_command(&kit->issuer, &c, &reply),
	    CW_OK, "a good PIN and PUK after weak ones");
}

static bool
sets_nothing(struct cw_kit *kit, const char *what)
{
	return cw_kit_err(kit, cw_test_issuer_set_pin(&kit->issuer),
		   CW_ERR_CARD_SAYS, what) &&
	    cw_kit_sw(kit, kit->issuer.sw, 0x6985, what);
}

/* Any program can say SET PIN: it opens nothing that is not to be set. */
static bool
not_to_be_set(struct cw_kit *kit)
{
	struct cw_set_pin set = { .policy = CW_KIT_POLICY_ID,
		.pin = cw_bytes_str("2718") };
	size_t n_slots = kit->issuer.request.scope.n_slots;
	bool right;

	kit->issuer.request.scope.n_slots = 0;
	right = cw_kit_begin(kit) &&
	    sets_nothing(kit, "SET PIN where the scope has no slot");
	kit->issuer.request.scope.n_slots = n_slots;
	if (!right || !cw_kit_begin(kit) ||
	    !cw_kit_runs(kit, cw_kit_puk(), "a PUK policy") ||
	    !cw_kit_runs(kit, cw_kit_policy(), "a PIN policy"))
		return false;
	memcpy(set.session_id, kit->issuer.request.session_id,
	    sizeof(set.session_id));
	cw_buf_reset(&kit->out);
	cw_set_pin_encode(&set, &kit->out);
	if (!cw_kit_sw(kit,
		cw_test_send(&kit->wire, 0x8018, 0, cw_buf_bytes(&kit->out),
		    NULL),
		0x6985, "SET PIN for a value of the issuer's") ||
	    !with_pin(kit) || !cw_kit_begin(kit))
		return false;
	kit->issuer.pin = NEW_PIN;
	right = sets_nothing(kit, "SET PIN where the holder's is set");
	kit->issuer.pin = CW_TEST_PIN;
	return right && verify(kit, CW_TEST_PIN, 0x9000, "the PIN of before");
}

static bool
not_before_close(struct cw_kit *kit)
{
	return cw_kit_until_close(kit, 1, 0x9A) &&
	    verify(kit, CW_TEST_PIN, 0x6A88, "the PIN before CLOSE") &&
	    cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, NULL), CW_OK,
		"CLOSE") &&
	    verify(kit, CW_TEST_PIN, 0x9000, "the PIN after CLOSE");
}

/* The second session asks for no PIN and sets none. */
static bool
stays(struct cw_kit *kit)
{
	if (!with_pin(kit))
		return false;
	kit->issuer.pin = NULL;
	return cw_kit_enroll(kit, 0x9C) &&
	    verify(kit, CW_TEST_PIN, 0x9000, "the first PIN");
}

/* ---- tries ---- */

static bool
blocks(struct cw_kit *kit)
{
	return with_pin(kit) && block(kit) &&
	    verify(kit, CW_TEST_PIN, 0x6983, "the right PIN when blocked");
}

static bool
restores(struct cw_kit *kit)
{
	return with_pin(kit) && verify(kit, WRONG_PIN, 0x63C2, "a wrong PIN") &&
	    verify(kit, CW_TEST_PIN, 0x9000, "the right PIN") &&
	    cw_kit_power(kit) && left(kit, 0x63C3, "all tries are back");
}

static bool
durable(struct cw_kit *kit)
{
	return with_pin(kit) && verify(kit, WRONG_PIN, 0x63C2, "a wrong PIN") &&
	    cw_kit_power(kit) &&
	    left(kit, 0x63C2, "tries survive the loss of power") &&
	    verify(kit, WRONG_PIN, 0x63C1, "a wrong PIN after it") &&
	    cw_kit_power(kit) &&
	    verify(kit, WRONG_PIN, 0x6983, "a third wrong PIN") &&
	    cw_kit_power(kit) &&
	    verify(kit, CW_TEST_PIN, 0x6983, "blocked stays blocked");
}

/* A prefix, and the value with one more digit, are wrong. */
static bool
whole(struct cw_kit *kit)
{
	return with_pin(kit) && verify(kit, "831943", 0x63C2, "a last digit") &&
	    verify(kit, CW_TEST_PIN "0", 0x63C1, "one digit more") &&
	    verify(kit, CW_TEST_PIN, 0x9000, "the right PIN");
}

static bool
puk(struct cw_kit *kit)
{
	return with_pin(kit) && block(kit) &&
	    unblock(kit, CW_TEST_PUK, 0x9000, "the PUK unblocks") &&
	    verify(kit, CW_TEST_PIN, 0x63C2, "the PIN of before") &&
	    verify(kit, NEW_PIN, 0x9000, "the PIN that the PUK has set");
}

static bool
puk_blocks(struct cw_kit *kit)
{
	return with_pin(kit) &&
	    unblock(kit, WRONG_PUK, 0x63C2, "a first wrong PUK") &&
	    cw_kit_power(kit) &&
	    unblock(kit, WRONG_PUK, 0x63C1, "a second wrong PUK") &&
	    unblock(kit, WRONG_PUK, 0x6983, "a third wrong PUK") &&
	    unblock(kit, CW_TEST_PUK, 0x6983, "the right PUK when blocked");
}

static bool
changes(struct cw_kit *kit)
{
	return with_pin(kit) &&
	    cw_kit_sw(kit,
		cw_test_two_pins(&kit->wire, 0x0024, 0x0080, WRONG_PIN,
		    NEW_PIN),
		0x63C2, "CHANGE PIN with a wrong PIN") &&
	    cw_kit_sw(kit,
		cw_test_two_pins(&kit->wire, 0x0024, 0x0080, CW_TEST_PIN,
		    "123456"),
		0x6A80, "CHANGE PIN to a weak PIN") &&
	    cw_kit_sw(kit,
		cw_test_two_pins(&kit->wire, 0x0024, 0x0080, CW_TEST_PIN,
		    NEW_PIN),
		0x9000, "CHANGE PIN") &&
	    cw_kit_power(kit) && verify(kit, NEW_PIN, 0x9000, "the new PIN") &&
	    cw_kit_power(kit) && verify(kit, CW_TEST_PIN, 0x63C2, "the old");
}

static bool
ends(struct cw_kit *kit)
{
	return with_pin(kit) &&
	    verify(kit, CW_TEST_PIN, 0x9000, "the right PIN") &&
	    left(kit, 0x9000, "it is verified") && cw_kit_power(kit) &&
	    left(kit, 0x63C3, "not after a reset") &&
	    verify(kit, CW_TEST_PIN, 0x9000, "the right PIN") &&
	    verify(kit, WRONG_PIN, 0x63C2, "a wrong PIN") &&
	    left(kit, 0x63C2, "not after a wrong one") &&
	    verify(kit, CW_TEST_PIN, 0x9000, "the right PIN") &&
	    cw_kit_sw(kit,
		cw_test_two_pins(&kit->wire, 0x0024, 0x0080, WRONG_PIN,
		    NEW_PIN),
		0x63C2, "CHANGE PIN with a wrong PIN") &&
	    left(kit, 0x63C2, "not after a wrong one in CHANGE PIN");
}

/* Power is cut behind the first write: a try that was counted before the
 * comparison is gone even when the PIN was right. */
static bool
counted_first(struct cw_kit *kit)
{
	if (kit->link.cut_at_write == NULL)
		return cw_kit_not_supported(kit, "power cannot be cut here");
	if (!with_pin(kit))
		return false;
	kit->link.cut_at_write(kit->link.ctx, 1, true);
	cw_test_verify(&kit->wire, CW_TEST_PIN);
	return cw_kit_power(kit) &&
	    left(kit, 0x63C2, "a try is counted before the comparison");
}

const struct cw_kit_check cw_kit_pin[] = {
	{ "pin-needed", "8", "a PIN that is missing is asked for", needed },
	{ "pin-rule", "8", "PINs against the rule are refused", weak },
	{ "pin-set", "8", "SET PIN is for what the holder has to choose",
	    not_to_be_set },
	{ "pin-close", "8", "the PIN is in effect from CLOSE",
	    not_before_close },
	{ "pin-stays", "8", "the PIN stays until the card is reset", stays },
	{ "pin-blocks", "8", "three wrong PINs block", blocks },
	{ "pin-restores", "8", "a right PIN restores the tries", restores },
	{ "pin-durable", "8", "tries survive the loss of power", durable },
	{ "pin-whole", "8", "the whole PIN is compared", whole },
	{ "pin-puk", "11", "the PUK sets a new PIN", puk },
	{ "pin-puk-blocks", "11", "three wrong PUKs block", puk_blocks },
	{ "pin-change", "11", "CHANGE PIN", changes },
	{ "pin-ends", "11", "a verified PIN ends with power and errors", ends },
	{ "pin-counted-first", "8", "a try is counted before the comparison",
	    counted_first },
	{ NULL, NULL, NULL, NULL },
};
