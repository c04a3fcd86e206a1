/* SPDX-License-Identifier: Apache-2.0 */
/* Personalisation: what the factory gave the card, once. */
#include "card/inner.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"

static enum cw_err
load_attestor(struct cw_card_attestor *a, struct cw_bytes pkcs8,
    const struct cw_bytes *chain, size_t n)
{
	struct cw_public_key own, leaf;
	enum cw_err err = cw_key_import(pkcs8, &a->key);

	if (err != CW_OK)
		return err;
	err = cw_cert_public_key(chain[0], &leaf);
	if (err != CW_OK)
		return err;
	cw_key_public(a->key, &own);
	if (memcmp(&own, &leaf, sizeof(own)) != 0)
		return CW_ERR_WRONG_CERTIFICATE;
	if (cw_key_type_info(own.type)->alg == CW_ALG_NONE)
		return CW_ERR_UNKNOWN_ALGORITHM;
	cw_hash(chain[0], a->leaf_hash);
	a->chain = chain;
	a->n_chain = n;
	return CW_OK;
}

void
cw_card_wipe_personalisation(struct cw_card *card)
{
	cw_key_free(&card->own.key);
	cw_key_free(&card->batch.key);
	cw_wipe(&card->own, sizeof(card->own));
	cw_wipe(&card->batch, sizeof(card->batch));
	cw_wipe(&card->personal, sizeof(card->personal));
	cw_buf_wipe(&card->personal_bytes);
}

static enum cw_err
load(struct cw_card *card, struct cw_bytes personalisation)
{
	struct cw_personalisation *p = &card->personal;
	enum cw_err err;

	cw_buf_put(&card->personal_bytes, personalisation);
	if (card->personal_bytes.err != CW_OK)
		return card->personal_bytes.err;
	err = cw_personalisation_decode(cw_buf_bytes(&card->personal_bytes), p);
	if (err == CW_OK)
		err = load_attestor(&card->own, p->card_key, p->card_chain,
		    p->n_card_chain);
	if (err == CW_OK)
		err = load_attestor(&card->batch, p->batch_key, p->batch_chain,
		    p->n_batch_chain);
	return err;
}

enum cw_err
cw_card_load_personalisation(struct cw_card *card)
{
	struct cw_bytes stored = cw_buf_bytes(&card->state->personalisation);
	enum cw_err err;

	if (stored.len == 0)
		return CW_OK;
	err = load(card, stored);
	if (err != CW_OK)
		cw_card_wipe_personalisation(card);
	return err;
}

bool
cw_card_is_personalised(const struct cw_card *card)
{
	return card->own.key != NULL;
}

enum cw_err
cw_card_personalise(struct cw_card *card, struct cw_bytes personalisation)
{
	enum cw_err err;

	if (cw_card_is_personalised(card))
		return CW_ERR_ALREADY_PERSONALISED;
	err = load(card, personalisation);
	if (err == CW_OK) {
		cw_buf_put(&card->state->personalisation, personalisation);
		err = cw_card_commit(card, CW_CARD_KEEP_RESERVE);
	}
	if (err != CW_OK)
		cw_card_wipe_personalisation(card);
	return err;
}

const struct cw_card_attestor *
cw_card_attestor(const struct cw_card *card, enum cw_mode mode)
{
	return mode == CW_MODE_IDENTIFIED ? &card->own : &card->batch;
}

void
cw_card_pseudonym(const struct cw_card *card,
    const uint8_t owner[CW_HASH_BYTES], uint8_t out[CW_HASH_BYTES])
{
	cw_hmac_sha256(CW_BYTES_ARRAY(card->personal.card_secret),
	    cw_bytes(owner, CW_HASH_BYTES), out);
}
