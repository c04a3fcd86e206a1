/* SPDX-License-Identifier: Apache-2.0 */
/* Parties and cards. */
#include "keys/party.h"

#include <stdio.h>
#include <unistd.h>

#include "keys/config.h"
#include "keys/keyfile.h"
#include "proto/base/secret.h"

#define CHAIN_BYTES_MAX ((size_t)CW_CHAIN_MAX * CW_CERT_MAX_BYTES)

/* Own certificate, then the issuer's chain up to but not with the root. */
static enum cw_err
join_chain(struct cw_party *party, const struct cw_party *issuer)
{
	size_t own = party->memory.len;
	size_t above =
	    issuer == NULL || issuer->self_signed ? 0 : issuer->n_chain;
	const uint8_t *at;

	for (size_t i = 0; i < above; i++)
		cw_buf_put(&party->memory, issuer->chain[i]);
	if (party->memory.err != CW_OK || above + 1 > CW_CHAIN_MAX)
		return CW_ERR_TOO_LARGE;
	at = party->memory.ptr;
	party->chain[0] = cw_bytes(at, own);
	at += own;
	for (size_t i = 0; i < above; i++) {
		party->chain[i + 1] = cw_bytes(at, issuer->chain[i].len);
		at += issuer->chain[i].len;
	}
	party->n_chain = above + 1;
	return CW_OK;
}

enum cw_err
cw_party_make(struct cw_party *party, enum cw_key_type type,
    struct cw_cert_spec spec, const struct cw_party *issuer, uint64_t now_s)
{
	struct cw_public_key pub;
	enum cw_err err;

	memset(party, 0, sizeof(*party));
	cw_buf_init(&party->memory, CHAIN_BYTES_MAX);
	party->self_signed = issuer == NULL;
	err = cw_key_generate(type, &party->key);
	if (err != CW_OK)
		return err;
	cw_key_public(party->key, &pub);
	spec.key = &pub;
	err = cw_cert_make(&spec,
	    issuer == NULL ? CW_BYTES_NONE : issuer->chain[0],
	    issuer == NULL ? party->key : issuer->key, now_s, &party->memory);
	if (err == CW_OK)
		err = join_chain(party, issuer);
	if (err != CW_OK)
		cw_party_wipe(party);
	return err;
}

enum cw_err
cw_party_store(const struct cw_party *party, const char *prefix,
    struct cw_bytes passphrase)
{
	char key[CW_PATH_MAX], cert[CW_PATH_MAX];
	enum cw_err err;

	if (snprintf(key, sizeof(key), "%s.key", prefix) >= (int)sizeof(key) ||
	    snprintf(cert, sizeof(cert), "%s.pem", prefix) >= (int)sizeof(cert))
		return CW_ERR_NO_FILE;
	if (access(cert, F_OK) == 0)
		return CW_ERR_EXISTS;
	err = cw_keyfile_store(key, party->key, passphrase);
	if (err == CW_OK) {
		err = cw_certfile_store(cert, party->chain, party->n_chain);
		if (err != CW_OK)
			unlink(key);
	}
	return err;
}

enum cw_err
cw_party_load(struct cw_party *party, const char *key_path,
    const char *cert_path, struct cw_passphrase *passphrase)
{
	struct cw_public_key own, certified;
	enum cw_err err;

	memset(party, 0, sizeof(*party));
	cw_buf_init(&party->memory, CHAIN_BYTES_MAX);
	err = cw_certfile_load(cert_path, &party->memory, party->chain,
	    &party->n_chain);
	if (err == CW_OK)
		err = cw_cert_public_key(party->chain[0], &certified);
	if (err == CW_OK)
		err = cw_cert_is_self_issued(party->chain[0],
		    &party->self_signed);
	if (err == CW_OK)
		err = cw_keyfile_load(key_path, passphrase, &party->key);
	if (err == CW_OK) {
		cw_key_public(party->key, &own);
		if (memcmp(&own, &certified, sizeof(own)) != 0)
			err = CW_ERR_BAD_PRIVATE_KEY;
	}
	if (err != CW_OK)
		cw_party_wipe(party);
	return err;
}

void
cw_party_wipe(struct cw_party *party)
{
	cw_key_free(&party->key);
	cw_buf_wipe(&party->memory);
	party->n_chain = 0;
}

struct cw_cert_spec
cw_attestation_spec(const char *subject, unsigned days,
    enum cw_attestation_kind kind, const char *model)
{
	return (struct cw_cert_spec){
		.subject = subject,
		.days = days,
		.path_length = CW_CERT_LEAF,
		.key_usage = "critical,digitalSignature",
		.extended_key_usage = CW_OID_EKU_ATTESTATION,
		.kind = kind,
		.model = model,
	};
}

static enum cw_err
write_personalisation(struct cw_personalisation *p, const struct cw_party *card,
    const struct cw_party *batch, const char *path)
{
	struct cw_buf card_key, batch_key, out;
	enum cw_err err;

	cw_buf_init(&card_key, CW_CERT_MAX_BYTES);
	cw_buf_init(&batch_key, CW_CERT_MAX_BYTES);
	cw_buf_init(&out, 4 * CHAIN_BYTES_MAX);
	err = cw_key_export(card->key, &card_key);
	if (err == CW_OK)
		err = cw_key_export(batch->key, &batch_key);
	if (err == CW_OK) {
		p->card_key = cw_buf_bytes(&card_key);
		p->batch_key = cw_buf_bytes(&batch_key);
		cw_personalisation_encode(p, &out);
		err = out.err;
	}
	if (err == CW_OK)
		err = cw_newfile_store(path, cw_buf_bytes(&out), 0600);
	cw_buf_wipe(&out);
	cw_buf_wipe(&batch_key);
	cw_buf_wipe(&card_key);
	return err;
}

enum cw_err
cw_party_personalise(const struct cw_card_names *names,
    const struct cw_party *batch_ca, const struct cw_party *batch,
    uint64_t now_s, const char *path)
{
	struct cw_cert_spec spec = cw_attestation_spec(names->subject,
	    names->days, CW_ATTESTATION_CARD, names->model);
	struct cw_personalisation p = {
		.model = cw_bytes_str(names->model),
		.firmware = cw_bytes_str(names->firmware),
		.serial = cw_bytes_str(names->serial),
	};
	struct cw_party card;
	enum cw_err err;

	err = cw_party_make(&card, CW_KEY_P256, spec, batch_ca, now_s);
	if (err != CW_OK)
		return err;
	p.n_card_chain = card.n_chain;
	memcpy(p.card_chain, card.chain, sizeof(p.card_chain));
	p.n_batch_chain = batch->n_chain;
	memcpy(p.batch_chain, batch->chain, sizeof(p.batch_chain));
	cw_random(p.card_secret, sizeof(p.card_secret));
	err = write_personalisation(&p, &card, batch, path);
	cw_wipe(&p, sizeof(p));
	cw_party_wipe(&card);
	return err;
}
