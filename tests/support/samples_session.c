/* SPDX-License-Identifier: Apache-2.0 */
/* Examples of messages 1 to 4, grants and statements. */
#include "proto/card_link.h"
#include "proto/grant.h"
#include "proto/intent.h"
#include "proto/request.h"
#include "proto/statement.h"
#include "proto/token.h"
#include "tests/support/samples_parts.h"

static struct cw_bytes
str(const char *s)
{
	return cw_bytes_str(s);
}

/* ---- messages 1 and 2 ---- */

void
cw_sample_intent_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_intent intent = {
		.issuer_name = str("Example issuer"),
		.purpose = str("Sign in"),
		.action = CW_ACTION_ENROLL,
		.subject = str("CN=Ada"),
		.session_url = str("https://issuer.example/session"),
		.scope = cw_sample_scope,
		.mode = CW_MODE_PSEUDONYMOUS,
		.expires_s = 1800000000,
	};

	(void)keys;
	cw_intent_encode(&intent, out);
}

ROUND_TRIP(intent, struct cw_intent, cw_intent_decode, cw_intent_encode)

void
cw_sample_caps_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_card_caps caps = {
		.n_suites = 2,
		.suites = { 1, 2 },
		.n_algs = 1,
		.algs = { CW_ALG_ESP256 },
		.n_key_types = 2,
		.key_types = { 1, 2 },
		.n_modes = 3,
		.modes = { 1, 2, 3 },
		.keys_max = 32,
		.command_max = 32768,
		.nonce = { 9, 8, 7 },
	};

	(void)keys;
	cw_card_caps_encode(&caps, out);
}

ROUND_TRIP(caps, struct cw_card_caps, cw_card_caps_decode, cw_card_caps_encode)

void
cw_sample_capabilities_encode(const struct cw_sample_keys *keys,
    struct cw_buf *out)
{
	struct cw_capabilities c = {
		.n_languages = 1,
		.languages = { str("en") },
		.agent = str("agent 1"),
	};
	struct cw_buf caps;

	cw_buf_init(&caps, 1024);
	cw_sample_caps_encode(keys, &caps);
	c.card_caps = cw_buf_bytes(&caps);
	cw_capabilities_encode(&c, out);
	cw_buf_wipe(&caps);
}

ROUND_TRIP(capabilities, struct cw_capabilities, cw_capabilities_decode,
    cw_capabilities_encode)

/* ---- signed things ---- */

void
cw_sample_grant_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_grant grant = {
		.id = { 1 },
		.subject = str("CN=Ada"),
		.account = str("ada"),
		.profile = str("client"),
		.action = CW_ACTION_ENROLL,
		.mode = CW_MODE_PSEUDONYMOUS,
		.scope = cw_sample_scope,
		.uses = 1,
		.not_after_s = 1800000000,
		.has_leaf = true,
		.has_pseudonym = true,
		.has_model = true,
		.model = str("Model"),
		.approvals = 2,
	};

	cw_sample_must(cw_grant_make(&grant, keys->signer, out) == CW_OK);
}

SIGNED(grant, struct cw_grant, cw_grant_verify)

void
cw_sample_request_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	struct cw_request q = {
		.suite = cw_suite_find(1),
		.session_id = { 4 },
		.uri = str("https://issuer.example/session"),
		.issuer_ephemeral = keys->other,
		.scope = cw_sample_scope,
		.mode = CW_MODE_IDENTIFIED,
		.time_s = 1790000000,
		.lifetime_s = 600,
		.command_limit = 8,
		.n_endorsements = 1,
		.endorsements = { str("endorsement") },
	};

	cw_sample_must(cw_request_make(&q, keys->signer, out) == CW_OK);
}

enum cw_err
cw_sample_request_decode(const struct cw_sample_keys *keys, struct cw_bytes in,
    struct cw_buf *again)
{
	struct cw_request x;
	enum cw_err err = cw_request_verify(in, &x);

	(void)again;
	if (err == CW_OK &&
	    memcmp(&x.management_key, &keys->signer_public,
		sizeof(x.management_key)) != 0)
		return CW_ERR_BAD_SIGNATURE;
	return err;
}

void
cw_sample_token_statement_encode(const struct cw_sample_keys *keys,
    struct cw_buf *out)
{
	const struct cw_token_statement s = { .mode = CW_MODE_PSEUDONYMOUS,
		.has_pseudonym = true };

	cw_sample_must(cw_token_statement_make(&s, keys->signer, out) == CW_OK);
}

SIGNED(token_statement, struct cw_token_statement, cw_token_statement_verify)

void
cw_sample_key_statement_encode(const struct cw_sample_keys *keys,
    struct cw_buf *out)
{
	const struct cw_key_statement s = {
		.mode = CW_MODE_IDENTIFIED,
		.key_id = 5,
		.key = keys->other,
		.attributes = { .type = CW_KEY_P256,
		    .usage = CW_USAGE_SIGN,
		    .origin = CW_ORIGIN_CARD,
		    .exportable = true,
		    .pin_policy = 6,
		    .slot = 0x9a,
		    .export_guard = CW_GUARD_PIN,
		    .delete_guard = CW_GUARD_NEVER,
		    .n_algorithms = 2,
		    .algorithms = { CW_ALG_ESP384, CW_ALG_ESP256 },
		    .name = { (const uint8_t *)"key", 3 } },
	};

	cw_sample_must(cw_key_statement_make(&s, keys->signer, out) == CW_OK);
}

SIGNED(key_statement, struct cw_key_statement, cw_key_statement_verify)

void
cw_sample_result_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	static const struct cw_result_statement s = {
		.has_counter = true,
		.counter = 3,
		.n_items = 2,
		.items = { { 5, CW_DONE_KEY, { 1 } },
		    { 6, CW_DONE_PIN_POLICY, { 2 } } },
	};

	cw_sample_must(
	    cw_result_statement_make(&s, keys->signer, out) == CW_OK);
}

SIGNED(result, struct cw_result_statement, cw_result_statement_verify)

/* ---- message 4 ---- */

void
cw_sample_message4_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_message4 m = { keys->x25519, str("sealed") };

	cw_message4_encode(&m, out);
}

ROUND_TRIP(message4, struct cw_message4, cw_message4_decode, cw_message4_encode)

void
cw_sample_token_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_token t = {
		.n_chain = 2,
		.chain = { str("leaf"), str("batch CA") },
		.statement = str("statement"),
		.card_info = str("information"),
		.has_pseudonym = true,
	};

	(void)keys;
	cw_token_encode(&t, out);
}

ROUND_TRIP(token, struct cw_token, cw_token_decode, cw_token_encode)

void
cw_sample_card_info_encode(const struct cw_sample_keys *keys,
    struct cw_buf *out)
{
	const struct cw_card_info info = { str("Model"), str("1.0"), 24, true,
		str("0001") };

	(void)keys;
	cw_card_info_encode(&info, out);
}

ROUND_TRIP(card_info, struct cw_card_info, cw_card_info_decode,
    cw_card_info_encode)
