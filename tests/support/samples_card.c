/* SPDX-License-Identifier: Apache-2.0 */
/* Examples of commands, replies, batches, APDU payloads and files. */
#include "proto/batch.h"
#include "proto/card_link.h"
#include "proto/command.h"
#include "proto/problem.h"
#include "proto/properties.h"
#include "tests/support/samples_parts.h"

static const uint8_t bytes_a[32] = { 0xa1, 2, 3 };
static const uint8_t bytes_b[32] = { 0xb1, 2, 3 };

static struct cw_bytes
str(const char *s)
{
	return cw_bytes_str(s);
}

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
	{ .no = CW_CREATE_PUK_POLICY,
	    .u.create_puk_policy = { .id = 8,
		.rule = { CW_PIN_TEXT, 4, 12, 15, 63 },
		.value = { bytes_a, 8 } } },
	{ .no = CW_CREATE_PIN_POLICY,
	    .u.create_pin_policy = { .id = 6,
		.rule = { CW_PIN_BINARY, 4, 32, 5, 8 },
		.issuer_set = true,
		.grouping = CW_PIN_UNIQUE,
		.puk = 8 } },
	{ .no = CW_IMPORT_SYMMETRIC_KEY,
	    .u.create_key = { .id = 9,
		.type = CW_KEY_SECRET,
		.usage = CW_USAGE_MAC,
		.pin_policy = 6,
		.name = { (const uint8_t *)"key", 3 },
		.exportable = true,
		.export_guard = CW_GUARD_PIN,
		.delete_guard = CW_GUARD_PUK,
		.n_algorithms = 1,
		.algorithms = { 5 },
		.pin = { bytes_b, 6 },
		.secret = { bytes_a, 32 } } },
	{ .no = CW_IMPORT_PRIVATE_KEY,
	    .u.create_key = { .id = 9,
		.type = CW_KEY_RSA3072,
		.usage = CW_USAGE_DECRYPT,
		.slot = 0x82,
		.name = { (const uint8_t *)"key", 3 },
		.secret = { bytes_a, 32 } } },
	{ .no = CW_SET_EXTENSION,
	    .u.set_extension = { .id = 5,
		.type = { (const uint8_t *)"https://x.example/t", 19 },
		.kind = CW_EXTENSION_LOGOTYPE,
		.media_type = { (const uint8_t *)"image/png", 9 },
		.data = { bytes_a, 32 } } },
	{ .no = CW_LIST, .u.list = { .after = 7 } },
	{ .no = CW_DELETE_KEY, .u.on_key = { .target = 5 } },
	{ .no = CW_UNLOCK_KEY, .u.on_key = { .target = 5 } },
	{ .no = CW_UPDATE_KEY, .u.on_key = { .id = 6, .target = 5 } },
	{ .no = CW_CLONE_KEY_PROTECTION, .u.on_key = { 6, 5 } },
};

#define COMMAND(i, name)                                                   \
	void cw_sample_command_##name##_encode(const struct cw_sample_keys \
						   *keys,                  \
	    struct cw_buf *out)                                            \
	{                                                                  \
		(void)keys;                                                \
		cw_command_encode(&sample_commands[i], out);               \
	}

COMMAND(0, pin_policy)
COMMAND(1, create_key)
COMMAND(2, set_certificates)
COMMAND(3, list)
COMMAND(4, close)
COMMAND(5, puk_policy)
COMMAND(6, grouped_policy)
COMMAND(7, import_secret)
COMMAND(8, import_private)
COMMAND(9, set_extension)
COMMAND(10, list_after)
COMMAND(11, delete_key)
COMMAND(12, unlock_key)
COMMAND(13, update_key)
COMMAND(14, clone_protection)

ROUND_TRIP(command, struct cw_command, cw_command_decode, cw_command_encode)

static void
reply_encode(enum cw_command_no no, const struct cw_sample_keys *keys,
    struct cw_buf *out)
{
	struct cw_listed_key listed[1] = { { .id = 5,
	    .attributes = { .type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.origin = CW_ORIGIN_IMPORTED,
		.exportable = true,
		.pin_policy = 6,
		.export_guard = CW_GUARD_PUK,
		.delete_guard = CW_GUARD_NEVER,
		.n_algorithms = 2,
		.algorithms = { -257, -9 },
		.name = { (const uint8_t *)"key", 3 } },
	    .n_chain = 1,
	    .chain = { { bytes_a, 32 } },
	    .has_pin = true,
	    .pin_tries = 3,
	    .has_puk = true,
	    .puk_tries = 15,
	    .exported = true,
	    .n_extensions = 1,
	    .extensions = { { (const uint8_t *)"type", 4 } } } };
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

#define REPLY(number, name)                                                    \
	void cw_sample_reply_##name##_encode(const struct cw_sample_keys       \
						 *keys,                        \
	    struct cw_buf *out)                                                \
	{                                                                      \
		reply_encode(number, keys, out);                               \
	}                                                                      \
	enum cw_err                                                            \
	    cw_sample_reply_##name##_decode(const struct cw_sample_keys *keys, \
		struct cw_bytes in, struct cw_buf *again)                      \
	{                                                                      \
		(void)keys;                                                    \
		return reply_decode(number, in, again);                        \
	}

REPLY(CW_CREATE_PIN_POLICY, empty)
REPLY(CW_CREATE_KEY, create_key)
REPLY(CW_LIST, list)
REPLY(CW_CLOSE, close)

/* ---- batches ---- */

void
cw_sample_batch_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_batch batch = { CW_PHASE_CREATING, 2,
		{ { bytes_a, 32 }, { bytes_b, 32 } } };

	(void)keys;
	cw_batch_encode(&batch, out);
}

ROUND_TRIP(batch, struct cw_batch, cw_batch_decode, cw_batch_encode)

void
cw_sample_replies_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_batch batch = { .n = 2,
		.items = { { bytes_a, 32 }, { bytes_b, 32 } } };

	(void)keys;
	cw_replies_encode(&batch, out);
}

ROUND_TRIP(replies, struct cw_batch, cw_replies_decode, cw_replies_encode)

/* ---- APDU payloads and files ---- */

void
cw_sample_pin_info_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_pin_info info = { .rule = cw_pin_rule_piv,
		.is_set = true,
		.tries_left = 3,
		.puk_rule = cw_pin_rule_piv,
		.puk_tries_left = 2 };

	(void)keys;
	cw_pin_info_encode(&info, out);
}

ROUND_TRIP(pin_info, struct cw_pin_info, cw_pin_info_decode, cw_pin_info_encode)

void
cw_sample_key_pin_info_encode(const struct cw_sample_keys *keys,
    struct cw_buf *out)
{
	const struct cw_pin_info info = { .policy = 6,
		.rule = { CW_PIN_TEXT, 4, 8, 15, 1 },
		.tries_left = 15,
		.group = 5,
		.usage = 1 };

	(void)keys;
	cw_pin_info_encode(&info, out);
}

void
cw_sample_key_set_pin_encode(const struct cw_sample_keys *keys,
    struct cw_buf *out)
{
	const struct cw_set_pin set = { .session_id = { 1 },
		.policy = 6,
		.pin = str("271828"),
		.group = 5 };

	(void)keys;
	cw_set_pin_encode(&set, out);
}

void
cw_sample_properties_encode(const struct cw_sample_keys *keys,
    struct cw_buf *out)
{
	const struct cw_properties p = { .n = 2,
		.items = { { str("Counter"), true, { bytes_a, 4 } },
		    { str("Algorithm"), false, CW_BYTES_NONE } } };

	(void)keys;
	cw_properties_encode(&p, out);
}

ROUND_TRIP(properties, struct cw_properties, cw_properties_decode,
    cw_properties_encode)

void
cw_sample_set_pin_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_set_pin set = { .session_id = { 1 },
		.pin = str("271828"),
		.puk = str("314159") };

	(void)keys;
	cw_set_pin_encode(&set, out);
}

ROUND_TRIP(set_pin, struct cw_set_pin, cw_set_pin_decode, cw_set_pin_encode)

void
cw_sample_query_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	(void)keys;
	cw_status_query_encode(str("https://issuer.example"), out);
}

enum cw_err
cw_sample_query_decode(const struct cw_sample_keys *keys, struct cw_bytes in,
    struct cw_buf *again)
{
	struct cw_bytes origin;
	enum cw_err err = cw_status_query_decode(in, &origin);

	(void)keys;
	if (err == CW_OK)
		cw_status_query_encode(origin, again);
	return err;
}

void
cw_sample_status_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_status status = { str("https://issuer.example/session"),
		{ 1 }, str("message"), 1, CW_SESSION_OPEN };

	(void)keys;
	cw_status_encode(&status, out);
}

ROUND_TRIP(status, struct cw_status, cw_status_decode, cw_status_encode)

void
cw_sample_list_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_public_slot slots[] = { { 0x9a, CW_KEY_P256, true } };

	(void)keys;
	cw_list_public_encode(slots, 1, out);
}

enum cw_err
cw_sample_list_decode(const struct cw_sample_keys *keys, struct cw_bytes in,
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

void
cw_sample_personalisation_encode(const struct cw_sample_keys *keys,
    struct cw_buf *out)
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

void
cw_sample_problem_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	(void)keys;
	cw_problem_encode(CW_ERR_BAD_GRANT, true, out);
}

enum cw_err
cw_sample_problem_decode(const struct cw_sample_keys *keys, struct cw_bytes in,
    struct cw_buf *again)
{
	enum cw_err err;
	bool ended;

	(void)keys;
	(void)again;
	return cw_problem_decode(in, &err, &ended);
}
