/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GENERAL AUTHENTICATE (SP 800-73-4 part 2, 3.2.4): signs, decrypts and agrees
 * with the key of a slot, within its usage and after its PIN.
 */
#include "card/inner.h"
#include "card/tlv.h"

#define MANAGEMENT_KEY 0x9B
#define CHALLENGE_BYTES 16

/* When a slot wants the PIN (SP 800-73-4 part 1, table 4b). */
enum pin_policy { PIN_ONCE, PIN_ALWAYS, PIN_NEVER };

static enum pin_policy
slot_policy(uint8_t slot)
{
	if (slot == 0x9C)
		return PIN_ALWAYS;
	return slot == 0x9E ? PIN_NEVER : PIN_ONCE;
}

/*
 * A block for RSA's private operation: with padding of PKCS #1 v1.5 (type 1)
 * or PSS (trailer BC) it is there to be signed. Whatever else may be a
 * ciphertext. RSA cannot tell more (docs/card.md "Usage").
 */
static bool
is_signature_block(struct cw_bytes block)
{
	return block.len > 2 &&
	    ((block.ptr[0] == 0x00 && block.ptr[1] == 0x01) ||
		block.ptr[block.len - 1] == 0xBC);
}

static bool
allows_rsa(unsigned usage, struct cw_bytes block)
{
	if (is_signature_block(block))
		return (usage & (CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE)) != 0;
	return (usage & CW_USAGE_DECRYPT) != 0;
}

/* What the data field asks for: a signature (81) or an agreement (85). */
struct request {
	struct cw_bytes challenge, exponentiation;
	bool has_response; /* an empty 82: the place of the answer */
};

static bool
parse(struct cw_bytes in, struct request *q)
{
	struct cw_bytes value, fields;
	unsigned tag;

	memset(q, 0, sizeof(*q));
	if (!cw_tlv_next(&in, &tag, &fields) || tag != 0x7C || in.len != 0)
		return false;
	while (cw_tlv_next(&fields, &tag, &value)) {
		if (tag == 0x81)
			q->challenge = value;
		else if (tag == 0x85)
			q->exponentiation = value;
		else if (tag == 0x82 && value.len == 0)
			q->has_response = true;
		else
			return false;
	}
	return fields.len == 0 && q->has_response &&
	    (q->challenge.len > 0) != (q->exponentiation.len > 0);
}

static enum cw_err
use_ec(const struct cw_private_key *key, const struct request *q,
    struct cw_buf *out)
{
	return q->challenge.len > 0 ?
	    cw_key_sign_digest(key, q->challenge, out) :
	    cw_key_ecdh(key, q->exponentiation, out);
}

static enum cw_err
use_rsa(const struct cw_private_key *key, const struct request *q,
    struct cw_buf *out)
{
	return cw_key_rsa_private(key, q->challenge, out);
}

static enum cw_err
use_ed25519(const struct cw_private_key *key, const struct request *q,
    struct cw_buf *out)
{
	return cw_sign(key, q->challenge, out);
}

/* SP 800-78-5 table 10. It has no Curve25519: E0 and E1 are what YubiKeys
 * use. */
static const struct algorithm {
	uint8_t id;
	enum cw_key_type type;
	enum cw_err (*use)(const struct cw_private_key *key,
	    const struct request *q, struct cw_buf *out);
} algorithms[] = {
	{ 0x07, CW_KEY_RSA2048, use_rsa },
	{ 0x11, CW_KEY_P256, use_ec },
	{ 0x14, CW_KEY_P384, use_ec },
	{ 0x05, CW_KEY_RSA3072, use_rsa },
	{ 0xE0, CW_KEY_ED25519, use_ed25519 },
	{ 0xE1, CW_KEY_X25519, use_ec },
};

static bool
allows(const struct cw_attributes *a, const struct request *q)
{
	bool rsa = a->type == CW_KEY_RSA2048 || a->type == CW_KEY_RSA3072;

	/* Usage fits the type: RSA and Ed25519 have no AGREE, X25519 nothing
	 * else (docs/protocol.md "Commands"). */
	if (q->exponentiation.len > 0)
		return (a->usage & CW_USAGE_AGREE) != 0;
	if (rsa)
		return allows_rsa(a->usage, q->challenge);
	return (a->usage & (CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE)) != 0;
}

static bool
has_pin(const struct cw_card *card, uint8_t slot, bool fresh)
{
	switch (slot_policy(slot)) {
	case PIN_NEVER:
		return true;
	case PIN_ALWAYS:
		return fresh;
	case PIN_ONCE:
	default:
		return card->ram.pin_verified;
	}
}

static uint16_t
use(const struct algorithm *algorithm, const struct cw_card_key *key,
    const struct request *q, struct cw_buf *out)
{
	struct cw_private_key *private = NULL;
	struct cw_buf result;
	enum cw_err err;

	err = cw_key_import(cw_buf_bytes(&key->private_key), &private);
	cw_buf_init(&result, 1024);
	if (err == CW_OK)
		err = algorithm->use(private, q, &result);
	cw_key_free(&private);
	if (err == CW_OK) {
		struct cw_buf inner;

		cw_buf_init(&inner, 1024 + 8);
		cw_tlv_put(&inner, 0x82, cw_buf_bytes(&result));
		cw_tlv_put(out, 0x7C, cw_buf_bytes(&inner));
		cw_buf_wipe(&inner);
	}
	cw_buf_wipe(&result);
	return cw_card_sw(err);
}

/*
 * A challenge for the card management key, which this card does not have: no
 * response to it is ever right. Hosts take it as random numbers.
 */
static uint16_t
give_challenge(const struct cw_apdu *apdu, struct cw_buf *out)
{
	static const uint8_t wanted[] = { 0x7C, 0x02, 0x81, 0x00 };
	uint8_t random[CHALLENGE_BYTES];
	struct cw_buf inner;

	if (!cw_bytes_equal(apdu->data, CW_BYTES_ARRAY(wanted)))
		return CW_SW_SECURITY;
	cw_random(random, sizeof(random));
	cw_buf_init(&inner, sizeof(random) + 2);
	cw_tlv_put(&inner, 0x81, CW_BYTES_ARRAY(random));
	cw_tlv_put(out, 0x7C, cw_buf_bytes(&inner));
	cw_buf_wipe(&inner);
	return CW_SW_OK;
}

uint16_t
cw_card_piv_authenticate(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	const struct algorithm *algorithm = NULL;
	const struct cw_card_key *key =
	    cw_card_find_slot(&card->state->objects, apdu->p2);
	bool fresh = card->ram.pin_fresh;
	struct request q;

	card->ram.pin_fresh = false;
	if (apdu->p2 == MANAGEMENT_KEY)
		return give_challenge(apdu, out);
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (key != NULL && algorithms[i].id == apdu->p1 &&
		    algorithms[i].type == key->attributes.type)
			algorithm = &algorithms[i];
	if (algorithm == NULL)
		return CW_SW_WRONG_P1P2; /* no such key, or another algorithm */
	if (!parse(apdu->data, &q))
		return CW_SW_BAD_DATA;
	if (!has_pin(card, apdu->p2, fresh))
		return CW_SW_SECURITY;
	if (!allows(&key->attributes, &q))
		return CW_SW_NO_SESSION; /* 6985: conditions of use */
	return use(algorithm, key, &q, out);
}
