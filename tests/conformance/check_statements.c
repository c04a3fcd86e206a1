/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 7: what the card signs. (What every session checks, as the
 * hashes in the statements, is in tests/support/issuer.c.) */
#include "tests/conformance/kit.h"

/* The chain of the present session's token, up to the vendor's root. */
static bool
check_chain(struct cw_kit *kit, enum cw_attestation_kind kind)
{
	const struct cw_token *token = &kit->issuer.token;
	struct cw_card_info info;
	struct cw_attestation a;

	return cw_kit_err(kit,
		   cw_trust_check_attestation(kit->trust, token->chain,
		       token->n_chain, kit->now_s, &a),
		   CW_OK, "the attestation chain") &&
	    cw_kit_true(kit, a.kind == kind,
		"the attestation key is of the kind that the mode wants") &&
	    cw_kit_err(kit, cw_card_info_decode(token->card_info, &info), CW_OK,
		"card-info") &&
	    cw_kit_true(kit, cw_bytes_is(info.model, a.model),
		"card-info names the model of the certificate");
}

static bool
in_mode(struct cw_kit *kit, enum cw_mode mode, enum cw_attestation_kind kind)
{
	if (!cw_card_caps_has_mode(&kit->caps, mode))
		return cw_kit_not_supported(kit, "the mode is not offered");
	kit->issuer.request.mode = mode;
	return cw_kit_begin(kit) && check_chain(kit, kind);
}

static bool
chain_1(struct cw_kit *kit)
{
	return in_mode(kit, CW_MODE_IDENTIFIED, CW_ATTESTATION_CARD);
}

static bool
chain_2(struct cw_kit *kit)
{
	return in_mode(kit, CW_MODE_PSEUDONYMOUS, CW_ATTESTATION_BATCH);
}

static bool
chain_3(struct cw_kit *kit)
{
	return in_mode(kit, CW_MODE_ANONYMOUS, CW_ATTESTATION_BATCH);
}

static bool
token(struct cw_kit *kit)
{
	return cw_kit_begin(kit);
}

static bool
key(struct cw_kit *kit)
{
	struct cw_public_key made;

	return cw_kit_begin(kit) && cw_kit_make_key(kit, 7, 0x9A, &made) &&
	    cw_kit_make_key(kit, 8, 0, &made);
}

static bool
result(struct cw_kit *kit)
{
	return cw_kit_err(kit,
		   cw_test_issuer_enroll(&kit->issuer, CW_KEY_P256, 0x9A),
		   CW_OK, "the result of a session with one key") &&
	    cw_kit_err(kit,
		cw_test_issuer_enroll(&kit->issuer, CW_KEY_P256, 0x9C), CW_OK,
		"the result of the next session");
}

static bool
key_types(struct cw_kit *kit)
{
	for (size_t i = 0; i < kit->caps.n_key_types; i++) {
		const struct cw_key_type_info *info =
		    cw_key_type_info(kit->caps.key_types[i]);

		if (info == NULL)
			continue;
		if (!cw_kit_err(kit,
			cw_test_issuer_enroll(&kit->issuer, info->type,
			    (uint8_t)(0x82 + i)),
			CW_OK, info->name))
			return false;
	}
	return true;
}

/* Items: the policy with the hash of its rule, the key that uses it. */
static bool
policy_item(struct cw_kit *kit)
{
	const struct cw_create_pin_policy policy = {
		.id = 20,
		.rule = { .format = CW_PIN_DIGITS,
		    .min = 6,
		    .max = 8,
		    .tries = 3 },
	};
	struct cw_command command = { .no = CW_CREATE_PIN_POLICY };
	const struct cw_create_key key = { .id = 21,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.pin_policy = 20 };
	struct cw_result_statement *r = &(struct cw_result_statement){ 0 };
	struct cw_reply reply = { .err = CW_OK };
	struct cw_public_key made;
	uint8_t hash[CW_HASH_BYTES];
	struct cw_buf rule;
	bool listed = false;

	command.u.create_pin_policy = policy;
	if (!cw_kit_begin(kit) ||
	    !cw_kit_err(kit,
		cw_test_issuer_command(&kit->issuer, &command, &reply), CW_OK,
		"CREATE_PIN_POLICY") ||
	    !cw_kit_err(kit,
		cw_test_issuer_create_key(&kit->issuer, &key, true, &made),
		CW_OK, "CREATE_KEY with a PIN policy") ||
	    !cw_kit_err(kit, cw_test_issuer_certify(&kit->issuer, 21, &made),
		CW_OK, "SET_CERTIFICATES") ||
	    !cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, r), CW_OK,
		"CLOSE"))
		return false;
	cw_buf_init(&rule, 64);
	cw_pin_rule_put(&rule, &policy.rule);
	cw_hash(cw_buf_bytes(&rule), hash);
	cw_buf_wipe(&rule);
	for (size_t i = 0; i < r->n_items; i++)
		listed = listed ||
		    (r->items[i].object_id == 20 &&
			r->items[i].done == CW_DONE_PIN_POLICY &&
			memcmp(r->items[i].hash, hash, sizeof(hash)) == 0);
	return cw_kit_true(kit, r->n_items == 2,
		   "one item for each object in the result") &&
	    cw_kit_true(kit, listed, "the PIN policy with its rule's hash");
}

const struct cw_kit_check cw_kit_statements[] = {
	{ "token", "7",
	    "the token statement is of this session, leaf and card-info",
	    token },
	{ "chain-mode-1", "7", "mode 1: a chain for the card's own key",
	    chain_1 },
	{ "chain-mode-2", "7", "mode 2: a chain for a batch key", chain_2 },
	{ "chain-mode-3", "7", "mode 3: a chain for a batch key", chain_3 },
	{ "key", "7",
	    "the key statement is of this session, issuer, key and attributes",
	    key },
	{ "key-types", "8", "every offered key type is made and certified",
	    key_types },
	{ "result", "7", "the result is of this session and says what was done",
	    result },
	{ "result-policy", "7", "a PIN policy is in the result", policy_item },
	{ NULL, NULL, NULL, NULL },
};
