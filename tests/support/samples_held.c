/* SPDX-License-Identifier: Apache-2.0 */
/* Examples of what the holder's programs say to a card. */
#include "proto/endorsement.h"
#include "proto/held_key.h"
#include "tests/support/samples_parts.h"

static const uint8_t bytes[32] = { 0xa1, 2, 3 };

static const struct cw_key_request request = {
	.handle = 5,
	.operation = CW_OP_SIGN,
	.algorithm = CW_ALG_RS256,
	.data = { bytes, 32 },
	.type = { (const uint8_t *)"type", 4 },
	.name = { (const uint8_t *)"CN=Name", 7 },
	.pin = { bytes, 8 },
	.new_pin = { bytes, 6 },
	.attestation = 2,
};

#define REQUEST(ins, name)                                                \
	void cw_sample_##name##_encode(const struct cw_sample_keys *keys, \
	    struct cw_buf *out)                                           \
	{                                                                 \
		(void)keys;                                               \
		cw_key_request_encode(ins, &request, out);                \
	}                                                                 \
	enum cw_err cw_sample_##name##_decode(const struct cw_sample_keys \
						  *keys,                  \
	    struct cw_bytes in, struct cw_buf *again)                     \
	{                                                                 \
		struct cw_key_request q;                                  \
		enum cw_err err = cw_key_request_decode(ins, in, &q);     \
                                                                          \
		(void)keys;                                               \
		if (err == CW_OK)                                         \
			cw_key_request_encode(ins, &q, again);            \
		return err;                                               \
	}

REQUEST(CW_INS_READ_KEY, read_key)
REQUEST(CW_INS_USE_KEY, use_key)
REQUEST(CW_INS_READ_EXTENSION, read_extension)
REQUEST(CW_INS_WRITE_PROPERTY, write_property)
REQUEST(CW_INS_EXPORT_KEY, export_key)
REQUEST(CW_INS_CHANGE_KEY_PIN, change_key_pin)
REQUEST(CW_INS_UNBLOCK_KEY, unblock_key)
REQUEST(CW_INS_ATTEST_OFFLINE, attest_offline)

void
cw_sample_held_key_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_held_key k = {
		.handle = 5,
		.attributes = { .type = CW_KEY_P256,
		    .usage = CW_USAGE_SIGN,
		    .origin = CW_ORIGIN_CARD,
		    .pin_policy = 6,
		    .name = { (const uint8_t *)"key", 3 } },
		.key = keys->other,
		.n_chain = 1,
		.chain = { { bytes, 32 } },
		.has_pin = true,
		.is_modifiable = true,
		.pin_rule = { CW_PIN_TEXT, 4, 12, 15, 63 },
		.pin_tries = 14,
		.has_puk = true,
		.puk_rule = { CW_PIN_DIGITS, 8, 8, 3, 0 },
		.puk_tries = 3,
		.exported = true,
		.n_extensions = 2,
		.extensions = { { { (const uint8_t *)"a", 1 },
				    CW_EXTENSION_PLAIN, CW_BYTES_NONE },
		    { { (const uint8_t *)"b", 1 }, CW_EXTENSION_LOGOTYPE,
			{ (const uint8_t *)"image/png", 9 } } },
	};

	cw_held_key_encode(&k, out);
}

ROUND_TRIP(held_key, struct cw_held_key, cw_held_key_decode, cw_held_key_encode)

void
cw_sample_attested_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_attested a = { .statement = { bytes, 32 },
		.n_chain = 1,
		.chain = { { bytes, 32 } } };

	(void)keys;
	cw_attested_encode(&a, out);
}

ROUND_TRIP(attested, struct cw_attested, cw_attested_decode, cw_attested_encode)

void
cw_sample_offline_encode(const struct cw_sample_keys *keys, struct cw_buf *out)
{
	const struct cw_offline_statement s = {
		.challenge = { 1 },
		.request = { 2 },
		.attributes = { .type = CW_KEY_P256,
		    .usage = CW_USAGE_SIGN,
		    .origin = CW_ORIGIN_CARD,
		    .slot = 0x9a },
	};

	cw_sample_must(
	    cw_offline_statement_make(&s, keys->signer, out) == CW_OK);
}

SIGNED(offline, struct cw_offline_statement, cw_offline_statement_verify)

void
cw_sample_endorsement_encode(const struct cw_sample_keys *keys,
    struct cw_buf *out)
{
	const struct cw_endorsement e = { .to = keys->other,
		.epoch = 1,
		.not_after_s = 1900000000 };

	cw_sample_must(cw_endorsement_make(&e, keys->signer, out) == CW_OK);
}

enum cw_err
cw_sample_endorsement_decode(const struct cw_sample_keys *keys,
    struct cw_bytes in, struct cw_buf *again)
{
	struct cw_endorsement e;

	(void)keys;
	(void)again;
	return cw_endorsement_verify(in, &e);
}
