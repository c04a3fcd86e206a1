/* SPDX-License-Identifier: Apache-2.0 */
/* Examples of every message. */
#include "tests/support/samples.h"

#include <stdlib.h>

#include "proto/batch.h"
#include "proto/card_link.h"
#include "proto/command.h"
#include "proto/grant.h"
#include "proto/intent.h"
#include "proto/problem.h"
#include "proto/request.h"
#include "proto/token.h"

static const uint8_t bytes_a[32] = { 0xa1, 2, 3 };
static const uint8_t bytes_b[32] = { 0xb1, 2, 3 };
static const struct cw_scope sample_scope = {
	.keys_max = 1,
	.n_commands = 3,
	.commands = { 3, 4, 13 },
	.n_slots = 2,
	.slots = { 0x9a, 0x9c },
	.n_objects = 1,
	.objects = { 77 },
};

static struct cw_bytes
str(const char *s)
{
	return cw_bytes_str(s);
}

static void
must(bool ok)
{
	if (!ok)
		abort();
}

void
cw_sample_keys_init(struct cw_sample_keys *keys)
{
	struct cw_private_key *k = NULL;

	must(cw_key_generate(CW_KEY_P256, &keys->signer) == CW_OK);
	cw_key_public(keys->signer, &keys->signer_public);
	must(cw_key_generate(CW_KEY_P256, &k) == CW_OK);
	cw_key_public(k, &keys->other);
	cw_key_free(&k);
	must(cw_key_generate(CW_KEY_X25519, &k) == CW_OK);
	cw_key_public(k, &keys->x25519);
	cw_key_free(&k);
}

void
cw_sample_keys_wipe(struct cw_sample_keys *keys)
{
	cw_key_free(&keys->signer);
}

/* A decoder whose result has an encoder. */
#define ROUND_TRIP(name, type, decode, encode)                              \
	static enum cw_err name##_decode(const struct cw_sample_keys *keys, \
	    struct cw_bytes in, struct cw_buf *again)                       \
	{                                                                   \
		type x;                                                     \
		enum cw_err err = decode(in, &x);                           \
                                                                            \
		(void)keys;                                                 \
		if (err == CW_OK)                                           \
			encode(&x, again);                                  \
		return err;                                                 \
	}

/* A decoder that checks a signature; nobody can encode it again. */
#define SIGNED(name, type, verify)                                          \
	static enum cw_err name##_decode(const struct cw_sample_keys *keys, \
	    struct cw_bytes in, struct cw_buf *again)                       \
	{                                                                   \
		static type x;                                              \
                                                                            \
		(void)again;                                                \
		return verify(in, &keys->signer_public, &x);                \
	}

/* ---- messages 1 and 2 ---- */

static void
intent_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_intent intent = {
		.issuer_name = str("Example issuer"),
		.purpose = str("Sign in"),
		.action = CW_ACTION_ENROLL,
		.subject = str("CN=Ada"),
		.session_url = str("https://issuer.example/session"),
		.scope = sample_scope,
		.mode = CW_MODE_PSEUDONYMOUS,
		.expires_s = 1800000000,
	};

	(void)keys;
	cw_intent_encode(&intent, out);
}

ROUND_TRIP(intent, struct cw_intent, cw_intent_decode, cw_intent_encode)

static void
caps_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
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

static void
capabilities_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	struct cw_capabilities c = {
		.n_languages = 1,
		.languages = { str("en") },
		.agent = str("agent 1"),
	};
	struct cw_buf caps;

	cw_buf_init(&caps, 1024);
	caps_encode(keys, &caps);
	c.card_caps = cw_buf_bytes(&caps);
	cw_capabilities_encode(&c, out);
	cw_buf_wipe(&caps);
}

ROUND_TRIP(capabilities, struct cw_capabilities, cw_capabilities_decode,
    cw_capabilities_encode)

/* ---- signed things ---- */

static void
grant_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_grant grant = {
		.id = { 1 },
		.subject = str("CN=Ada"),
		.account = str("ada"),
		.profile = str("client"),
		.action = CW_ACTION_ENROLL,
		.mode = CW_MODE_PSEUDONYMOUS,
		.scope = sample_scope,
		.uses = 1,
		.not_after_s = 1800000000,
		.has_leaf = true,
		.has_pseudonym = true,
		.has_model = true,
		.model = str("Model"),
		.approvals = 2,
	};

	must(cw_grant_make(&grant, keys->signer, out) == CW_OK);
}

SIGNED(grant, struct cw_grant, cw_grant_verify)

static void
request_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	struct cw_request q = {
		.suite = cw_suite_find(1),
		.session_id = { 4 },
		.uri = str("https://issuer.example/session"),
		.issuer_ephemeral = keys->other,
		.scope = sample_scope,
		.mode = CW_MODE_IDENTIFIED,
		.time_s = 1790000000,
		.lifetime_s = 600,
		.command_limit = 8,
		.n_endorsements = 1,
		.endorsements = { str("endorsement") },
	};

	must(cw_request_make(&q, keys->signer, out) == CW_OK);
}

static enum cw_err
request_decode(const struct cw_sample_keys *keys, struct cw_bytes in,
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

static void
token_statement_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_token_statement s = { .mode = CW_MODE_PSEUDONYMOUS,
		.has_pseudonym = true };

	must(cw_token_statement_make(&s, keys->signer, out) == CW_OK);
}

SIGNED(token_statement, struct cw_token_statement, cw_token_statement_verify)

static void
key_statement_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_key_statement s = {
		.mode = CW_MODE_IDENTIFIED,
		.key_id = 5,
		.key = keys->other,
		.attributes = { CW_KEY_P256, CW_USAGE_SIGN, CW_ORIGIN_CARD,
		    false, 6, 0x9a },
	};

	must(cw_key_statement_make(&s, keys->signer, out) == CW_OK);
}

SIGNED(key_statement, struct cw_key_statement, cw_key_statement_verify)

static void
result_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	static const struct cw_result_statement s = {
		.has_counter = true,
		.counter = 3,
		.n_items = 2,
		.items = { { 5, CW_DONE_KEY, { 1 } },
		    { 6, CW_DONE_PIN_POLICY, { 2 } } },
	};

	must(cw_result_statement_make(&s, keys->signer, out) == CW_OK);
}

SIGNED(result, struct cw_result_statement, cw_result_statement_verify)

/* ---- message 4 ---- */

static void
message4_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_message4 m = { keys->x25519, str("sealed") };

	cw_message4_encode(&m, out);
}

ROUND_TRIP(message4, struct cw_message4, cw_message4_decode, cw_message4_encode)

static void
token_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
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

static void
card_info_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_card_info info = { str("Model"), str("1.0"), 24, true,
		str("0001") };

	(void)keys;
	cw_card_info_encode(&info, out);
}

ROUND_TRIP(card_info, struct cw_card_info, cw_card_info_decode,
    cw_card_info_encode)

/* ---- commands and replies ---- */

static const struct cw_command sample_commands[] = {
	{ .no = CW_CREATE_PIN_POLICY,
	    .u.create_pin_policy = { .id = 6,
		.rule = { CW_PIN_ALPHANUMERIC, 4, 12, 5, 3 },
		.issuer_set = true,
		.modifiable = true,
		.value = { bytes_a, 8 } } },
	{ .no = CW_CREATE_KEY,
	    .last = true,
	    .u.create_key = { .id = 5,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.pin_policy = 6,
		.slot = 0x9a,
		.name = { (const uint8_t *)"key", 3 } } },
	{ .no = CW_SET_CERTIFICATES,
	    .u.set_certificates = { .id = 5,
		.n_chain = 2,
		.chain = { { bytes_a, 32 }, { bytes_b, 32 } } } },
	{ .no = CW_LIST },
	{ .no = CW_CLOSE, .last = true, .u.close = { { 1, 2 } } },
};

#define COMMAND(i, name)                                                       \
	static void command_##name##_encode(const struct cw_sample_keys *keys, \
	    struct cw_buf *out)                                                \
	{                                                                      \
		(void)keys;                                                    \
		cw_command_encode(&sample_commands[i], out);                   \
	}

COMMAND(0, pin_policy)
COMMAND(1, create_key)
COMMAND(2, set_certificates)
COMMAND(3, list)
COMMAND(4, close)

ROUND_TRIP(command, struct cw_command, cw_command_decode, cw_command_encode)

static void
reply_encode(enum cw_command_no no, const struct cw_sample_keys *keys,
    struct cw_buf *out)
{
	struct cw_listed_key listed[1] = { { .id = 5,
	    .type = CW_KEY_P256,
	    .slot = 0x9a,
	    .n_chain = 1,
	    .chain = { { bytes_a, 32 } } } };
	const struct cw_reply reply = { .key = keys->other,
		.statement = str("statement"),
		.n_keys = 1,
		.keys = listed };

	cw_reply_encode(no, &reply, out);
}

static enum cw_err
reply_decode(enum cw_command_no no, struct cw_bytes in, struct cw_buf *again)
{
	static struct cw_listed_key listed[CW_KEYS_MAX];
	struct cw_reply x = { .keys = listed };
	enum cw_err err = cw_reply_decode(no, in, &x);

	if (err == CW_OK && x.err != CW_ERR_PEER_UNKNOWN)
		cw_reply_encode(no, &x, again);
	return err;
}

#define REPLY(number, name)                                                  \
	static void reply_##name##_encode(const struct cw_sample_keys *keys, \
	    struct cw_buf *out)                                              \
	{                                                                    \
		reply_encode(number, keys, out);                             \
	}                                                                    \
	static enum cw_err reply_##name##_decode(const struct cw_sample_keys \
						     *keys,                  \
	    struct cw_bytes in, struct cw_buf *again)                        \
	{                                                                    \
		(void)keys;                                                  \
		return reply_decode(number, in, again);                      \
	}

REPLY(CW_CREATE_PIN_POLICY, empty)
REPLY(CW_CREATE_KEY, create_key)
REPLY(CW_LIST, list)
REPLY(CW_CLOSE, close)

/* ---- batches ---- */

static void
batch_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_batch batch = { CW_PHASE_CREATING, 2,
		{ { bytes_a, 32 }, { bytes_b, 32 } } };

	(void)keys;
	cw_batch_encode(&batch, out);
}

ROUND_TRIP(batch, struct cw_batch, cw_batch_decode, cw_batch_encode)

static void
replies_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_batch batch = { .n = 2,
		.items = { { bytes_a, 32 }, { bytes_b, 32 } } };

	(void)keys;
	cw_replies_encode(&batch, out);
}

ROUND_TRIP(replies, struct cw_batch, cw_replies_decode, cw_replies_encode)

/* ---- APDU payloads and files ---- */

static void
pin_info_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_pin_info info = { 0, cw_pin_rule_piv, true, 3,
		cw_pin_rule_piv, 2 };

	(void)keys;
	cw_pin_info_encode(&info, out);
}

ROUND_TRIP(pin_info, struct cw_pin_info, cw_pin_info_decode, cw_pin_info_encode)

static void
set_pin_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_set_pin set = { { 1 }, 0, str("271828"),
		str("314159") };

	(void)keys;
	cw_set_pin_encode(&set, out);
}

ROUND_TRIP(set_pin, struct cw_set_pin, cw_set_pin_decode, cw_set_pin_encode)

static void
query_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	(void)keys;
	cw_status_query_encode(str("https://issuer.example"), out);
}

static enum cw_err
query_decode(const struct cw_sample_keys *keys, struct cw_bytes in,
    struct cw_buf *again)
{
	struct cw_bytes origin;
	enum cw_err err = cw_status_query_decode(in, &origin);

	(void)keys;
	if (err == CW_OK)
		cw_status_query_encode(origin, again);
	return err;
}

static void
status_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_status status = { str("https://issuer.example/session"),
		{ 1 }, str("message"), 1, CW_SESSION_OPEN };

	(void)keys;
	cw_status_encode(&status, out);
}

ROUND_TRIP(status, struct cw_status, cw_status_decode, cw_status_encode)

static void
list_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_public_slot slots[] = { { 0x9a, CW_KEY_P256, true } };

	(void)keys;
	cw_list_public_encode(slots, 1, out);
}

static enum cw_err
list_decode(const struct cw_sample_keys *keys, struct cw_bytes in,
    struct cw_buf *again)
{
	struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX];
	size_t n;
	enum cw_err err = cw_list_public_decode(in, slots, &n);

	(void)keys;
	if (err == CW_OK)
		cw_list_public_encode(slots, n, again);
	return err;
}

static void
personalisation_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_personalisation p = {
		.card_key = { bytes_a, 32 },
		.n_card_chain = 1,
		.card_chain = { { bytes_b, 32 } },
		.batch_key = { bytes_b, 32 },
		.n_batch_chain = 1,
		.batch_chain = { { bytes_a, 32 } },
		.model = str("Model"),
		.firmware = str("1.0"),
		.serial = str("0001"),
	};

	(void)keys;
	cw_personalisation_encode(&p, out);
}

ROUND_TRIP(personalisation, struct cw_personalisation,
    cw_personalisation_decode, cw_personalisation_encode)

static void
problem_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	(void)keys;
	cw_problem_encode(CW_ERR_INVITATION_USED, out);
}

static enum cw_err
problem_decode(const struct cw_sample_keys *keys, struct cw_bytes in,
    struct cw_buf *again)
{
	enum cw_err err;

	(void)keys;
	(void)again;
	return cw_problem_decode(in, &err);
}

const struct cw_sample cw_samples[] = {
	{ "intent", false, true, intent_encode, intent_decode },
	{ "card-caps", false, true, caps_encode, caps_decode },
	{ "capabilities", false, true, capabilities_encode,
	    capabilities_decode },
	{ "grant", true, false, grant_encode, grant_decode },
	{ "session-request", true, false, request_encode, request_decode },
	{ "message-4", false, false, message4_encode, message4_decode },
	{ "token", false, false, token_encode, token_decode },
	{ "card-info", false, true, card_info_encode, card_info_decode },
	{ "token-statement", true, false, token_statement_encode,
	    token_statement_decode },
	{ "key-statement", true, false, key_statement_encode,
	    key_statement_decode },
	{ "result-statement", true, false, result_encode, result_decode },
	{ "create-pin-policy", false, false, command_pin_policy_encode,
	    command_decode },
	{ "create-key", false, false, command_create_key_encode,
	    command_decode },
	{ "set-certificates", false, false, command_set_certificates_encode,
	    command_decode },
	{ "list", false, false, command_list_encode, command_decode },
	{ "close", false, false, command_close_encode, command_decode },
	{ "reply", false, false, reply_empty_encode, reply_empty_decode },
	{ "create-key-result", false, false, reply_create_key_encode,
	    reply_create_key_decode },
	{ "list-result", false, false, reply_list_encode, reply_list_decode },
	{ "close-result", false, false, reply_close_encode,
	    reply_close_decode },
	{ "batch", false, true, batch_encode, batch_decode },
	{ "replies", false, true, replies_encode, replies_decode },
	{ "pin-info", false, true, pin_info_encode, pin_info_decode },
	{ "set-pin", false, true, set_pin_encode, set_pin_decode },
	{ "status-query", false, true, query_encode, query_decode },
	{ "status", false, true, status_encode, status_decode },
	{ "list-public", false, true, list_encode, list_decode },
	{ "personalisation", false, true, personalisation_encode,
	    personalisation_decode },
	{ "problem", false, false, problem_encode, problem_decode },
};

const size_t cw_samples_n = sizeof(cw_samples) / sizeof(cw_samples[0]);
