/* SPDX-License-Identifier: Apache-2.0 */
/*
 * USE KEY for keys outside the PIV slots, and the data that is attached to
 * keys. The PIN comes with every use: nothing stays open on the card.
 */
#include "card/holder.h"
#include "proto/base/secret.h"

#define NONCE_MAX CW_AEAD_NONCE_MAX

/* ---- operations ---- */

static enum cw_err
sign(const struct cw_private_key *key, const struct cw_key_request *q,
    struct cw_buf *out)
{
	return q->algorithm == CW_ALG_ESP256 || q->algorithm == CW_ALG_ESP384 ||
		q->algorithm == CW_ALG_ED25519 ?
	    cw_sign(key, q->data, out) :
	    cw_key_rsa_sign(key, q->algorithm, q->data, out);
}

static enum cw_err
use_pair(const struct cw_card_key *key, const struct cw_key_request *q,
    struct cw_buf *out)
{
	struct cw_private_key *pair = NULL;
	enum cw_err err = cw_key_import(cw_buf_bytes(&key->private_key), &pair);

	if (err == CW_OK && q->operation == CW_OP_SIGN)
		err = sign(pair, q, out);
	else if (err == CW_OK && q->operation == CW_OP_DECRYPT)
		err = cw_key_rsa_decrypt(pair, q->algorithm, q->data, out);
	else if (err == CW_OK)
		err = cw_key_ecdh(pair, q->data, out);
	cw_key_free(&pair);
	return err;
}

/* The card chooses the nonce, and puts it in front. */
static enum cw_err
encrypt(const struct cw_card_key *key, const struct cw_key_request *q,
    struct cw_buf *out)
{
	enum cw_alg alg = (enum cw_alg)q->algorithm;
	size_t n = cw_aead_nonce_bytes(alg);
	uint8_t nonce[NONCE_MAX];

	cw_random(nonce, n);
	cw_buf_put(out, cw_bytes(nonce, n));
	return cw_aead_seal(alg, key->private_key.ptr, cw_bytes(nonce, n),
	    CW_BYTES_NONE, q->data, out);
}

static enum cw_err
decrypt(const struct cw_card_key *key, const struct cw_key_request *q,
    struct cw_buf *out)
{
	enum cw_alg alg = (enum cw_alg)q->algorithm;
	size_t n = cw_aead_nonce_bytes(alg);

	if (q->data.len < n + CW_AEAD_TAG_BYTES)
		return CW_ERR_OUT_OF_RANGE;
	return cw_aead_open(alg, key->private_key.ptr, cw_bytes(q->data.ptr, n),
	    CW_BYTES_NONE, cw_bytes(q->data.ptr + n, q->data.len - n), out);
}

static enum cw_err
use_secret(const struct cw_card_key *key, const struct cw_key_request *q,
    struct cw_buf *out)
{
	uint8_t mac[CW_HASH_BYTES];

	if (q->operation == CW_OP_ENCRYPT)
		return encrypt(key, q, out);
	if (q->operation == CW_OP_DECRYPT)
		return decrypt(key, q, out);
	cw_hmac_sha256(cw_buf_bytes(&key->private_key), q->data, mac);
	cw_buf_put(out, CW_BYTES_ARRAY(mac));
	return CW_OK;
}

uint16_t
cw_card_use_key(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_key_request q;
	struct cw_card_key *key;
	struct cw_buf result;
	enum cw_err err;
	uint16_t sw = cw_card_held(card, apdu, &q, &key);

	if (sw == CW_SW_OK &&
	    (key->attributes.slot != 0 ||
		cw_key_alg_check(&key->attributes, q.operation, q.algorithm) !=
		    CW_OK))
		sw = CW_SW_NO_SESSION;
	if (sw == CW_SW_OK)
		sw = cw_card_own_pin(card, key, q.pin);
	if (sw != CW_SW_OK)
		return sw;
	cw_buf_init(&result, CW_USE_MAX + 64);
	err = key->attributes.type == CW_KEY_SECRET ?
	    use_secret(key, &q, &result) :
	    use_pair(key, &q, &result);
	/* The tries that the PIN gave back, if it has one. */
	sw = key->attributes.pin_policy == 0 ?
	    CW_SW_OK :
	    cw_card_sw(cw_card_commit(card, CW_CARD_USE_RESERVE));
	if (sw == CW_SW_OK)
		sw = cw_card_sw(err);
	if (sw == CW_SW_OK)
		cw_buf_put(out, cw_buf_bytes(&result));
	cw_buf_wipe(&result);
	return sw;
}

/* ---- extensions ---- */

static struct cw_card_extension *
find(const struct cw_card_key *key, struct cw_bytes type)
{
	struct cw_card_extension *e = key->extensions;

	while (e != NULL && !cw_bytes_equal(cw_buf_bytes(&e->type), type))
		e = e->next;
	return e;
}

/* The key and its extension that a command of the holder names. */
static uint16_t
held_extension(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_key_request *q, struct cw_card_key **key,
    struct cw_card_extension **e)
{
	uint16_t sw = cw_card_held(card, apdu, q, key);

	if (sw == CW_SW_OK)
		sw = cw_card_holder_here(card);
	if (sw != CW_SW_OK)
		return sw;
	*e = find(*key, q->type);
	return *e == NULL ? CW_SW_NOT_FOUND : CW_SW_OK;
}

/* Confidential ones are read with the PIN of the key, or of the slot. */
uint16_t
cw_card_read_extension(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_card_extension *e;
	struct cw_key_request q;
	struct cw_card_key *key;
	uint16_t sw = held_extension(card, apdu, &q, &key, &e);

	if (sw != CW_SW_OK)
		return sw;
	if (e->kind == CW_EXTENSION_CONFIDENTIAL) {
		sw = cw_card_guard(card, key, CW_GUARD_PIN, q.pin);
		if (sw == CW_SW_OK)
			sw = cw_card_sw(
			    cw_card_commit(card, CW_CARD_USE_RESERVE));
		if (sw != CW_SW_OK)
			return sw;
	}
	cw_buf_put(out, cw_buf_bytes(&e->data));
	return CW_SW_OK;
}

/* Replaces one value; the bag is written anew. */
static uint16_t
write_property(struct cw_card_extension *e, const struct cw_key_request *q)
{
	struct cw_properties p;
	struct cw_buf next;
	size_t i = 0;

	if (cw_properties_decode(cw_buf_bytes(&e->data), &p) != CW_OK)
		return CW_SW_NO_SESSION;
	while (i < p.n && !cw_bytes_equal(p.items[i].name, q->name))
		i++;
	if (i == p.n)
		return CW_SW_NOT_FOUND;
	if (!p.items[i].is_writable)
		return CW_SW_NO_SESSION;
	p.items[i].value = q->data;
	cw_buf_init(&next, CW_EXTENSION_MAX);
	cw_properties_encode(&p, &next);
	if (next.err != CW_OK) {
		cw_buf_wipe(&next);
		return CW_SW_FULL;
	}
	cw_buf_move(&e->data, &next);
	return CW_SW_OK;
}

uint16_t
cw_card_write_property(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_card_extension *e;
	struct cw_key_request q;
	struct cw_card_key *key;
	uint16_t wrote, sw = held_extension(card, apdu, &q, &key, &e);

	(void)out;
	if (sw != CW_SW_OK)
		return sw;
	if (e->kind != CW_EXTENSION_PROPERTIES)
		return CW_SW_NO_SESSION;
	sw = cw_card_own_pin(card, key, q.pin);
	if (sw != CW_SW_OK)
		return sw;
	wrote = write_property(e, &q);
	sw = cw_card_sw(cw_card_commit(card, CW_CARD_KEEP_RESERVE));
	return sw != CW_SW_OK ? sw : wrote;
}
