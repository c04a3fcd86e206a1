/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 10: what an issuer learns in each mode. */
#include "tests/conformance/kit.h"

static bool
in_mode(struct cw_kit *kit, enum cw_mode mode)
{
	if (!cw_card_caps_has_mode(&kit->caps, mode))
		return cw_kit_not_supported(kit, "the mode is not offered");
	kit->issuer.request.mode = mode;
	return true;
}

static bool
begins_as(struct cw_kit *kit, struct cw_test_issuer *issuer,
    uint8_t pseudonym[CW_HASH_BYTES])
{
	if (!cw_kit_err(kit, cw_test_issuer_begin(issuer), CW_OK,
		"a session begins"))
		return false;
	memcpy(pseudonym, issuer->token.pseudonym, CW_HASH_BYTES);
	return true;
}

static bool
pseudonym(struct cw_kit *kit)
{
	uint8_t first[CW_HASH_BYTES], again[CW_HASH_BYTES],
	    others[CW_HASH_BYTES];
	struct cw_test_issuer other;
	bool right;

	if (!in_mode(kit, CW_MODE_PSEUDONYMOUS))
		return false;
	cw_kit_other_issuer(kit, &other);
	right = begins_as(kit, &kit->issuer, first) && cw_kit_power(kit) &&
	    begins_as(kit, &kit->issuer, again) &&
	    begins_as(kit, &other, others) &&
	    cw_kit_true(kit, memcmp(first, again, sizeof(first)) == 0,
		"an issuer sees one pseudonym") &&
	    cw_kit_true(kit, memcmp(first, others, sizeof(first)) != 0,
		"two issuers see two pseudonyms");
	cw_test_issuer_wipe(&other);
	return right;
}

static bool
anonymous(struct cw_kit *kit)
{
	const struct cw_command list = { .no = CW_LIST };
	struct cw_reply reply = { .err = CW_OK };
	enum cw_err err;

	/* A result with a counter would be refused in CLOSE. */
	if (!in_mode(kit, CW_MODE_ANONYMOUS) || !cw_kit_enroll(kit, 0x9A) ||
	    !cw_kit_begin(kit))
		return false;
	err = cw_test_issuer_command(&kit->issuer, &list, &reply);
	return cw_kit_true(kit, err != CW_OK && err != CW_ERR_CARD_SAYS,
		   "LIST in mode 3 gets an error reply") &&
	    cw_kit_is_dead(kit, "the session after LIST in mode 3");
}

static bool
closes(struct cw_kit *kit, uint64_t *counter)
{
	struct cw_result_statement result;

	if (!cw_kit_begin(kit) ||
	    !cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, &result), CW_OK,
		"CLOSE"))
		return false;
	*counter = result.counter;
	return true;
}

static bool
counters(struct cw_kit *kit)
{
	uint64_t first = 0, second = 0, third = 0;

	return in_mode(kit, CW_MODE_PSEUDONYMOUS) && closes(kit, &first) &&
	    closes(kit, &second) && cw_kit_power(kit) && closes(kit, &third) &&
	    cw_kit_true(kit, first < second && second < third,
		"the counter of a result only rises");
}

static bool
card_counter(struct cw_kit *kit)
{
	uint64_t first = 0, second = 0;

	if (!in_mode(kit, CW_MODE_IDENTIFIED) || !closes(kit, &first))
		return false;
	cw_test_issuer_wipe(&kit->issuer);
	cw_kit_other_issuer(kit, &kit->issuer);
	return in_mode(kit, CW_MODE_IDENTIFIED) && closes(kit, &second) &&
	    cw_kit_true(kit, first < second,
		"in mode 1 the counter is the card's, not an issuer's");
}

/* Nobody can verify it, so nobody learns which card this is. */
static bool
blocked(struct cw_kit *kit)
{
	for (unsigned i = 0; i < 3; i++)
		(void)cw_test_verify(&kit->wire, "480726");
	return cw_kit_true(kit,
		   cw_test_issuer_begin(&kit->issuer) == CW_ERR_CARD_SAYS,
		   "mode 1 with a blocked PIN") &&
	    cw_kit_sw(kit, kit->issuer.sw, 0x6982, "mode 1 with a blocked PIN");
}

static bool
identified(struct cw_kit *kit)
{
	if (!cw_kit_enroll(kit, 0x9A) || !in_mode(kit, CW_MODE_IDENTIFIED) ||
	    !cw_kit_power(kit) ||
	    !cw_kit_true(kit,
		cw_test_issuer_begin(&kit->issuer) == CW_ERR_CARD_SAYS,
		"mode 1 without the PIN"))
		return false;
	return cw_kit_sw(kit, kit->issuer.sw, 0x6982,
		   "mode 1 without the PIN") &&
	    cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x9000,
		"the PIN") &&
	    cw_kit_err(kit, cw_test_issuer_open(&kit->issuer), CW_OK,
		"mode 1 after the PIN, with the same nonce") &&
	    cw_kit_power(kit) && blocked(kit);
}

static bool
selected_again(struct cw_kit *kit)
{
	return cw_kit_enroll(kit, 0x9A) && in_mode(kit, CW_MODE_IDENTIFIED) &&
	    cw_kit_power(kit) &&
	    cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x9000,
		"the PIN") &&
	    cw_kit_sw(kit, cw_test_select_piv(&kit->wire), 0x9000, "PIV") &&
	    cw_kit_true(kit,
		cw_test_issuer_begin(&kit->issuer) == CW_ERR_CARD_SAYS,
		"mode 1 with a PIN of before SELECT") &&
	    cw_kit_sw(kit, kit->issuer.sw, 0x6982,
		"mode 1 with a PIN of before SELECT");
}

const struct cw_kit_check cw_kit_privacy[] = {
	{ "pseudonym", "10", "one pseudonym for an issuer, another for others",
	    pseudonym },
	{ "anonymous", "10", "mode 3: no LIST, no counter", anonymous },
	{ "counter", "10", "the counter of a result only rises", counters },
	{ "counter-card", "10", "mode 1: one counter for the card",
	    card_counter },
	{ "identified", "10", "mode 1 wants the holder's PIN", identified },
	{ "identified-select", "10", "mode 1 wants it since SELECT",
	    selected_again },
	{ NULL, NULL, NULL, NULL },
};
