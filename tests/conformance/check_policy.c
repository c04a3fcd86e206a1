/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 8 "PIN policies": PUKs and PINs of keys outside the slots. */
#include "proto/card_link.h"
#include "tests/conformance/steps.h"

#define SIGN CW_USAGE_SIGN
#define BOTH (CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE)

/* ---- rules ---- */

static const struct rule_row {
	const char *what;
	struct cw_pin_rule rule;
	const char *value;
	enum cw_err want;
} rules[] = {
	{ "a length below 4", { CW_PIN_DIGITS, 3, 8, 3, 0 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "a length above 32", { CW_PIN_DIGITS, 4, 33, 3, 0 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "a shortest above the longest", { CW_PIN_DIGITS, 8, 4, 3, 0 },
	    "731426", CW_ERR_BAD_POLICY },
	{ "no try", { CW_PIN_DIGITS, 4, 8, 0, 0 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "16 tries", { CW_PIN_DIGITS, 4, 8, 16, 0 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "format 6", { (enum cw_pin_format)6, 4, 8, 3, 0 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "pattern 64", { CW_PIN_DIGITS, 4, 8, 3, 64 }, "7314",
	    CW_ERR_OUT_OF_RANGE },
	{ "a missing group of digits", { CW_PIN_DIGITS, 4, 8, 3, 32 }, "7314",
	    CW_ERR_BAD_POLICY },
	{ "a missing group of bytes", { CW_PIN_BINARY, 4, 8, 3, 32 }, "7314",
	    CW_ERR_BAD_POLICY },
};

static const struct rule_row values[] = {
	{ "a value too short", { CW_PIN_DIGITS, 4, 8, 3, 0 }, "731",
	    CW_ERR_BAD_POLICY },
	{ "a value too long", { CW_PIN_DIGITS, 4, 8, 3, 0 }, "731426850",
	    CW_ERR_BAD_POLICY },
	{ "letters among digits", { CW_PIN_DIGITS, 4, 8, 3, 0 }, "731a",
	    CW_ERR_BAD_POLICY },
	{ "a sign among letters and digits",
	    { CW_PIN_ALPHANUMERIC, 4, 8, 3, 0 }, "7-1a", CW_ERR_BAD_POLICY },
	{ "what the keyboard has not", { CW_PIN_PRINTABLE, 4, 8, 3, 0 },
	    "73\t1a", CW_ERR_BAD_POLICY },
	{ "what is no UTF-8", { CW_PIN_TEXT, 4, 8, 3, 0 }, "731\xff",
	    CW_ERR_BAD_POLICY },
	{ "what may not be shown", { CW_PIN_TEXT, 4, 8, 3, 0 },
	    "731\xe2\x80\xae", CW_ERR_BAD_POLICY },
	{ "a sequence (1)", { CW_PIN_DIGITS, 4, 8, 3, 1 }, "4567",
	    CW_ERR_BAD_POLICY },
	{ "a sequence down (1)", { CW_PIN_DIGITS, 4, 8, 3, 1 }, "8765",
	    CW_ERR_BAD_POLICY },
	{ "three in a row (2)", { CW_PIN_DIGITS, 4, 8, 3, 2 }, "7771",
	    CW_ERR_BAD_POLICY },
	{ "few characters (4)", { CW_PIN_DIGITS, 4, 8, 3, 4 }, "7171",
	    CW_ERR_BAD_POLICY },
	{ "two in a row (8)", { CW_PIN_DIGITS, 4, 8, 3, 8 }, "7713",
	    CW_ERR_BAD_POLICY },
	{ "one twice (16)", { CW_PIN_DIGITS, 4, 8, 3, 16 }, "7173",
	    CW_ERR_BAD_POLICY },
	{ "no digit (32)", { CW_PIN_ALPHANUMERIC, 4, 8, 3, 32 }, "abcd",
	    CW_ERR_BAD_POLICY },
	{ "no capital (32)", { CW_PIN_PRINTABLE, 4, 8, 3, 32 }, "ab3-",
	    CW_ERR_BAD_POLICY },
	{ "the right ones", { CW_PIN_PRINTABLE, 4, 8, 3, 63 }, "aB3-", CW_OK },
	{ "32 letters", { CW_PIN_ALPHANUMERIC, 32, 32, 15, 0 },
	    "abcdefghijklmnopqrstuvwxyz012345", CW_OK },
	{ "UTF-8", { CW_PIN_TEXT, 4, 8, 1, 0 },
	    "\xc3\xa4\xc3\xb6\xc3\xbc\xc3\x9f", CW_OK },
	{ "bytes", { CW_PIN_BINARY, 4, 8, 3, 0 }, "\x01\xff\x02\xfe", CW_OK },
};

static bool
of_row(struct cw_kit *kit, const struct rule_row *row, bool puk)
{
	struct cw_command c = puk ? cw_kit_puk() : cw_kit_policy();
	struct cw_create_pin_policy *p = &c.u.create_pin_policy;

	if (puk) {
		c.u.create_puk_policy.rule = row->rule;
		c.u.create_puk_policy.value = cw_bytes_str(row->value);
	} else {
		p->rule = row->rule;
		p->value = cw_bytes_str(row->value);
		p->puk = 0;
	}
	if (row->want != CW_OK)
		return cw_kit_refuses(kit, c, row->want, row->what);
	return cw_kit_begin(kit) && cw_kit_runs(kit, c, row->what) &&
	    cw_kit_aborts(kit);
}

/* The same rule for a value that the holder would choose. */
static bool
of_holder(struct cw_kit *kit, const struct rule_row *row)
{
	struct cw_command c = cw_kit_policy();

	c.u.create_pin_policy.rule = row->rule;
	c.u.create_pin_policy.issuer_set = false;
	c.u.create_pin_policy.value = CW_BYTES_NONE;
	c.u.create_pin_policy.puk = 0;
	return cw_kit_refuses(kit, c, row->want, row->what);
}

static bool
limits(struct cw_kit *kit)
{
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++)
		if (!of_row(kit, &rules[i], false) ||
		    !of_row(kit, &rules[i], true) || !of_holder(kit, &rules[i]))
			return false;
	return true;
}

static bool
value_rule(struct cw_kit *kit)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (!of_row(kit, &values[i], false))
			return false;
	return true;
}

static bool
puk_rule(struct cw_kit *kit)
{
	for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
		if (!of_row(kit, &values[i], true))
			return false;
	return true;
}

/* ---- PUK policies ---- */

static bool
puk_result(struct cw_kit *kit)
{
	static struct cw_result_statement r;
	struct cw_command puk = cw_kit_puk();
	struct cw_command key = cw_kit_key(1, CW_KEY_P256, SIGN, "Key");
	uint8_t hash[CW_HASH_BYTES];
	struct cw_buf rule;
	bool right = false;

	key.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	if (!cw_kit_begin(kit) || !cw_kit_runs(kit, puk, "CREATE_PUK_POLICY") ||
	    !cw_kit_runs(kit, cw_kit_policy(), "CREATE_PIN_POLICY") ||
	    !cw_kit_makes(kit, key) || !cw_kit_closes(kit, &r))
		return false;
	cw_buf_init(&rule, 64);
	cw_pin_rule_put(&rule, &puk.u.create_puk_policy.rule);
	cw_hash(cw_buf_bytes(&rule), hash);
	cw_buf_wipe(&rule);
	for (size_t i = 0; i < r.n_items; i++)
		right = right ||
		    (r.items[i].object_id == CW_KIT_PUK_ID &&
			r.items[i].done == CW_DONE_PUK_POLICY &&
			memcmp(r.items[i].hash, hash, sizeof(hash)) == 0);
	return cw_kit_true(kit, right,
		   "the PUK policy with its rule's hash in the result") &&
	    cw_kit_true(kit, r.n_items == 3, "one item for each object");
}

static bool
puk_unused(struct cw_kit *kit)
{
	return cw_kit_begin(kit) &&
	    cw_kit_runs(kit, cw_kit_puk(), "CREATE_PUK_POLICY") &&
	    cw_kit_close_fails(kit, CW_ERR_BAD_POLICY,
		"CLOSE with a PUK policy without a PIN policy");
}

static bool
puk_unknown(struct cw_kit *kit)
{
	return cw_kit_refuses(kit, cw_kit_policy(), CW_ERR_UNKNOWN_ID,
	    "a PIN policy under a PUK that is not there");
}

static bool
bytes_of_holder(struct cw_kit *kit)
{
	struct cw_command c = cw_kit_policy();

	c.u.create_pin_policy.rule.format = CW_PIN_BINARY;
	c.u.create_pin_policy.issuer_set = false;
	c.u.create_pin_policy.value = CW_BYTES_NONE;
	c.u.create_pin_policy.puk = 0;
	return cw_kit_refuses(kit, c, CW_ERR_BAD_POLICY,
	    "a holder who is to choose bytes");
}

/* ---- groups ---- */

/* A key under the policy, with the issuer's PIN for its group or none. */
static struct cw_command
grouped(uint32_t id, unsigned usage, const char *pin)
{
	struct cw_command c = cw_kit_key(id, CW_KEY_P256, usage, "Grouped");

	c.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	if (pin != NULL)
		c.u.create_key.pin = cw_bytes_str(pin);
	return c;
}

static struct cw_command
grouping(enum cw_pin_grouping how)
{
	struct cw_command c = cw_kit_policy();

	c.u.create_pin_policy.grouping = how;
	c.u.create_pin_policy.value = CW_BYTES_NONE;
	c.u.create_pin_policy.puk = 0;
	return c;
}

static bool
begin_grouped(struct cw_kit *kit, enum cw_pin_grouping how)
{
	return cw_kit_begin(kit) &&
	    cw_kit_runs(kit, grouping(how), "CREATE_PIN_POLICY");
}

static bool
groups_differ(struct cw_kit *kit)
{
	return begin_grouped(kit, CW_PIN_SIGNATURE) &&
	    cw_kit_makes(kit, grouped(1, SIGN, "4711")) &&
	    cw_kit_ends(kit, grouped(2, BOTH, "4711"), CW_ERR_BAD_POLICY,
		"the same value for signatures and others") &&
	    begin_grouped(kit, CW_PIN_UNIQUE) &&
	    cw_kit_makes(kit, grouped(1, SIGN, "4711")) &&
	    cw_kit_ends(kit, grouped(2, BOTH, "4711"), CW_ERR_BAD_POLICY,
		"the same value for two usages") &&
	    begin_grouped(kit, CW_PIN_EACH) &&
	    cw_kit_makes(kit, grouped(1, SIGN, "4711")) &&
	    cw_kit_makes(kit, grouped(2, BOTH, "4711")) &&
	    cw_kit_closes(kit, NULL);
}

static bool
group_value(struct cw_kit *kit)
{
	return begin_grouped(kit, CW_PIN_SIGNATURE) &&
	    cw_kit_makes(kit, grouped(1, SIGN, "4711")) &&
	    cw_kit_ends(kit, grouped(2, SIGN, "8642"), CW_ERR_BAD_POLICY,
		"a second value for a group") &&
	    begin_grouped(kit, CW_PIN_SIGNATURE) &&
	    cw_kit_ends(kit, grouped(1, SIGN, NULL), CW_ERR_BAD_POLICY,
		"no value in a group's first key") &&
	    begin_grouped(kit, CW_PIN_SIGNATURE) &&
	    cw_kit_ends(kit, grouped(1, SIGN, "47"), CW_ERR_BAD_POLICY,
		"a value against the rule in a group's first key") &&
	    cw_kit_refuses(kit, grouped(1, SIGN, NULL), CW_ERR_UNKNOWN_ID,
		"a policy that is not there") &&
	    begin_grouped(kit, CW_PIN_SIGNATURE) &&
	    cw_kit_makes(kit, grouped(1, SIGN, "4711")) &&
	    cw_kit_makes(kit, grouped(2, SIGN, NULL)) &&
	    cw_kit_makes(kit, grouped(3, BOTH, "8642")) &&
	    cw_kit_closes(kit, NULL);
}

static bool
earlier_policy(struct cw_kit *kit)
{
	return begin_grouped(kit, CW_PIN_SIGNATURE) &&
	    cw_kit_makes(kit, grouped(1, SIGN, "4711")) &&
	    cw_kit_closes(kit, NULL) && cw_kit_begin(kit) &&
	    cw_kit_makes(kit, grouped(2, SIGN, NULL)) &&
	    cw_kit_ends(kit, grouped(3, BOTH, "8642"), CW_ERR_BAD_POLICY,
		"a new group of an earlier policy");
}

/* ---- the holder's values ---- */

static bool
set_pin(struct cw_kit *kit, const struct cw_pin_info *info, const char *pin,
    unsigned want, const char *what)
{
	struct cw_set_pin set = { .policy = info->policy,
		.group = info->group,
		.pin = cw_bytes_str(pin) };
	struct cw_buf b;
	unsigned sw;

	memcpy(set.session_id, kit->issuer.request.session_id,
	    sizeof(set.session_id));
	cw_buf_init(&b, 1024);
	cw_set_pin_encode(&set, &b);
	sw = cw_test_send(&kit->wire, 0x8018, 0, cw_buf_bytes(&b), NULL);
	cw_buf_wipe(&b);
	return cw_kit_sw(kit, sw, want, what);
}

/* A key whose group has no value yet: 6A88, and what PIN INFO says then. */
static bool
asked(struct cw_kit *kit, struct cw_command key, struct cw_pin_info *info)
{
	struct cw_test_issuer *issuer = &kit->issuer;
	struct cw_reply reply = { .err = CW_OK };

	issuer->pin = NULL;
	return cw_kit_err(kit, cw_test_issuer_command(issuer, &key, &reply),
		   CW_ERR_CARD_SAYS, "a key whose PIN is missing") &&
	    cw_kit_sw(kit, issuer->sw, 0x6A88, "a key whose PIN is missing") &&
	    cw_kit_sw(kit,
		cw_test_send(&kit->wire, 0x8016, 0, CW_BYTES_NONE, &kit->out),
		0x9000, "PIN INFO") &&
	    cw_kit_err(kit, cw_pin_info_decode(cw_buf_bytes(&kit->out), info),
		CW_OK, "pin-info") &&
	    cw_kit_true(kit,
		info->policy == CW_KIT_POLICY_ID && info->group != 0 &&
		    info->usage == key.u.create_key.usage &&
		    info->rule.min == 4 && info->rule.tries == 3,
		"PIN INFO says policy, rule, group and usage");
}

/* The same command again, now that there is a value. */
static bool
again(struct cw_kit *kit)
{
	return cw_kit_err(kit,
	    cw_test_issuer_send(&kit->issuer,
		cw_buf_bytes(&kit->issuer.command)),
	    CW_OK, "the same command with its PIN");
}

static bool
holders_value(struct cw_kit *kit)
{
	struct cw_command policy = grouping(CW_PIN_SIGNATURE);
	struct cw_pin_info info, other;

	policy.u.create_pin_policy.issuer_set = false;
	if (!cw_kit_begin(kit) ||
	    !cw_kit_runs(kit, policy, "CREATE_PIN_POLICY") ||
	    !asked(kit, grouped(1, SIGN, NULL), &info) ||
	    !set_pin(kit, &info, "471", 0x6A80, "a value against the rule") ||
	    !set_pin(kit, &info, "4711", 0x9000, "SET PIN") || !again(kit))
		return false;
	kit->issuer.i++;
	return asked(kit, grouped(2, BOTH, NULL), &other) &&
	    cw_kit_true(kit, other.group != info.group,
		"another group for another usage") &&
	    set_pin(kit, &other, "4711", 0x6A80, "another group's value") &&
	    set_pin(kit, &other, "8642", 0x9000, "SET PIN") && again(kit);
}

/* ---- tries ---- */

static bool
tries(struct cw_kit *kit)
{
	struct cw_command policy = cw_kit_policy();
	struct cw_command key = cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1");

	policy.u.create_pin_policy.rule.tries = 5;
	policy.u.create_pin_policy.puk = 0;
	key.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	return cw_kit_begin(kit) &&
	    cw_kit_runs(kit, policy, "CREATE_PIN_POLICY") &&
	    cw_kit_makes(kit, key) && cw_kit_closes(kit, NULL) &&
	    cw_kit_signs(kit, "1111", 0x63C4, "the first of 5 tries") &&
	    cw_kit_signs(kit, "1111", 0x63C3, "the second") &&
	    cw_kit_signs(kit, CW_KIT_KEY_PIN, 0x9000, "the right PIN") &&
	    cw_kit_signs(kit, "1111", 0x63C4, "the first of 5 again");
}

const struct cw_kit_check cw_kit_policies[] = {
	{ "policy-limits", "8", "a rule beyond the limits is refused", limits },
	{ "policy-value", "8", "an issuer's PIN keeps its rule", value_rule },
	{ "puk-value", "8", "a PUK keeps its rule", puk_rule },
	{ "puk-result", "7", "a PUK policy is in the result", puk_result },
	{ "puk-unused", "8", "CLOSE wants a PIN policy for each PUK policy",
	    puk_unused },
	{ "puk-unknown", "8", "a PUK policy must be there", puk_unknown },
	{ "policy-bytes", "8", "only the issuer chooses bytes",
	    bytes_of_holder },
	{ "policy-groups", "8", "groups that must differ do", groups_differ },
	{ "policy-group-value", "8",
	    "a value stands in each group's first key and no other",
	    group_value },
	{ "policy-earlier", "8", "an earlier policy takes no new group",
	    earlier_policy },
	{ "policy-holder", "8", "the holder is asked for each group's PIN",
	    holders_value },
	{ "policy-tries", "8", "the retry limit is the policy's", tries },
	{ NULL, NULL, NULL, NULL },
};
