/* SPDX-License-Identifier: Apache-2.0 */
/* Ceremonies: what each makes is a row of the table. */
#include "keys/ceremony.h"

#include <stdio.h>

#include "keys/config.h"
#include "keys/keyfile.h"
#include "proto/base/secret.h"
#include "proto/endorsement.h"

static enum cw_err
new_passphrase(const struct cw_ceremony_options *o, struct cw_passphrase *p,
    struct cw_bytes *text)
{
	*text = CW_BYTES_NONE;
	cw_passphrase_init(p, o->passphrase_fd);
	if (o->unencrypted)
		return CW_OK;
	return cw_passphrase_get(p, o->out, true, text);
}

static struct cw_cert_spec
make_spec(const struct cw_ceremony *self, const struct cw_ceremony_options *o)
{
	return (struct cw_cert_spec){
		.subject = o->subject,
		.days = o->days != 0 ? o->days : self->days,
		.path_length = self->path_length,
		.key_usage = self->key_usage,
		.extended_key_usage = self->extended_key_usage,
	};
}

/* The issuer, if there is one, then the new key with its certificate. */
static enum cw_err
make_one(const struct cw_ceremony *self, const struct cw_ceremony_options *o,
    struct cw_party *party, struct cw_bytes passphrase)
{
	struct cw_passphrase ca_passphrase;
	struct cw_party issuer = { 0 };
	enum cw_err err = CW_OK;

	if (o->subject == NULL || o->out == NULL ||
	    self->has_issuer != (o->ca_key != NULL) ||
	    self->has_issuer != (o->ca_cert != NULL))
		return CW_ERR_USAGE;
	cw_passphrase_init(&ca_passphrase, o->ca_passphrase_fd);
	if (self->has_issuer)
		err = cw_party_load(&issuer, o->ca_key, o->ca_cert,
		    &ca_passphrase);
	if (err == CW_OK)
		err = cw_party_make(party, o->key_type, make_spec(self, o),
		    self->has_issuer ? &issuer : NULL, o->now_s);
	if (err == CW_OK)
		err = cw_party_store(party, o->out, passphrase);
	cw_passphrase_wipe(&ca_passphrase);
	cw_party_wipe(&issuer);
	return err;
}

static enum cw_err
run_key(const struct cw_ceremony *self, const struct cw_ceremony_options *o)
{
	struct cw_passphrase passphrase;
	struct cw_party party = { 0 };
	struct cw_bytes text;
	enum cw_err err;

	if (o->out == NULL)
		return CW_ERR_USAGE;
	err = new_passphrase(o, &passphrase, &text);
	if (err == CW_OK)
		err = make_one(self, o, &party, text);
	cw_party_wipe(&party);
	cw_passphrase_wipe(&passphrase);
	return err;
}

/* A batch CA comes with the attestation key that all its cards share. */
static enum cw_err
run_batch(const struct cw_ceremony *self, const struct cw_ceremony_options *o)
{
	struct cw_party ca = { 0 }, batch = { 0 };
	struct cw_passphrase passphrase;
	char prefix[CW_PATH_MAX];
	struct cw_cert_spec spec;
	struct cw_bytes text;
	enum cw_err err;

	if (o->model == NULL || o->out == NULL ||
	    snprintf(prefix, sizeof(prefix), "%s-attestation", o->out) >=
		(int)sizeof(prefix))
		return CW_ERR_USAGE;
	err = new_passphrase(o, &passphrase, &text);
	if (err == CW_OK)
		err = make_one(self, o, &ca, text);
	if (err == CW_OK) {
		spec = cw_attestation_spec(o->subject,
		    o->days != 0 ? o->days : self->days, CW_ATTESTATION_BATCH,
		    o->model);
		err = cw_party_make(&batch, CW_KEY_P256, spec, &ca, o->now_s);
	}
	if (err == CW_OK)
		err = cw_party_store(&batch, prefix, text);
	cw_party_wipe(&batch);
	cw_party_wipe(&ca);
	cw_passphrase_wipe(&passphrase);
	return err;
}

static enum cw_err
run_card(const struct cw_ceremony *self, const struct cw_ceremony_options *o)
{
	struct cw_card_names names = { o->subject, o->model, o->firmware,
		o->serial, o->days != 0 ? o->days : self->days };
	struct cw_party ca = { 0 }, batch = { 0 };
	struct cw_passphrase passphrase;
	enum cw_err err;

	if (o->subject == NULL || o->out == NULL || o->ca_key == NULL ||
	    o->ca_cert == NULL || o->batch_key == NULL ||
	    o->batch_cert == NULL || o->model == NULL || o->firmware == NULL ||
	    o->serial == NULL)
		return CW_ERR_USAGE;
	cw_passphrase_init(&passphrase, o->ca_passphrase_fd);
	err = cw_party_load(&ca, o->ca_key, o->ca_cert, &passphrase);
	if (err == CW_OK)
		err = cw_party_load(&batch, o->batch_key, o->batch_cert,
		    &passphrase);
	if (err == CW_OK)
		err =
		    cw_party_personalise(&names, &ca, &batch, o->now_s, o->out);
	cw_passphrase_wipe(&passphrase);
	cw_party_wipe(&batch);
	cw_party_wipe(&ca);
	return err;
}

static enum cw_err
run_tag_key(const struct cw_ceremony *self, const struct cw_ceremony_options *o)
{
	uint8_t key[32];
	enum cw_err err;

	(void)self;
	if (o->out == NULL)
		return CW_ERR_USAGE;
	cw_random(key, sizeof(key));
	err = cw_newfile_store(o->out, CW_BYTES_ARRAY(key), 0600);
	cw_wipe(key, sizeof(key));
	return err;
}

/*
 * The old management key (--ca-key) endorses the new one, for as many days as
 * agents may meet it the first time. It is public: every R carries it.
 */
static enum cw_err
run_endorsement(const struct cw_ceremony *self,
    const struct cw_ceremony_options *o)
{
	struct cw_endorsement e = { .epoch = o->epoch };
	struct cw_passphrase passphrase;
	struct cw_bytes chain[CW_CHAIN_MAX];
	struct cw_party old = { 0 };
	struct cw_buf memory, out;
	enum cw_err err;
	size_t n;

	if (o->out == NULL || o->ca_key == NULL || o->ca_cert == NULL ||
	    o->new_cert == NULL || o->epoch == 0)
		return CW_ERR_USAGE;
	e.not_after_s =
	    o->now_s + (uint64_t)86400 * (o->days != 0 ? o->days : self->days);
	cw_buf_init(&memory, CW_BODY_MAX);
	cw_buf_init(&out, CW_REQUEST_MAX);
	cw_passphrase_init(&passphrase, o->ca_passphrase_fd);
	err = cw_party_load(&old, o->ca_key, o->ca_cert, &passphrase);
	if (err == CW_OK)
		err = cw_certfile_load(o->new_cert, &memory, chain, &n);
	if (err == CW_OK)
		err = cw_cert_public_key(chain[0], &e.to);
	if (err == CW_OK)
		err = cw_endorsement_make(&e, old.key, &out);
	/* What nobody would take is not written: a key for itself. */
	if (err == CW_OK)
		err = cw_endorsement_verify(cw_buf_bytes(&out), &e);
	if (err == CW_OK)
		err = cw_newfile_store(o->out, cw_buf_bytes(&out), 0644);
	cw_passphrase_wipe(&passphrase);
	cw_party_wipe(&old);
	cw_buf_wipe(&memory);
	cw_buf_wipe(&out);
	return err;
}

#define CA_USAGE "critical,keyCertSign,cRLSign"
#define KEY_USAGE "critical,digitalSignature"

const struct cw_ceremony cw_ceremonies[] = {
	{ "vendor-root", "a card vendor's root", run_key, false, 1, 9130,
	    CA_USAGE, NULL },
	{ "batch-ca", "a CA for a batch of cards, and the batch's shared key",
	    run_batch, true, 0, 7300, CA_USAGE, NULL },
	{ "card", "personalise a card: writes the file it is given", run_card,
	    true, CW_CERT_LEAF, 5475, KEY_USAGE, NULL },
	{ "issuer-root", "an issuer's root", run_key, false, 1, 9130, CA_USAGE,
	    NULL },
	{ "issuing-ca", "the CA that certifies holders' keys", run_key, true, 0,
	    3650, CA_USAGE, NULL },
	{ "management-key", "the key that signs session requests", run_key,
	    true, CW_CERT_LEAF, 1825, KEY_USAGE, CW_OID_EKU_MANAGEMENT },
	{ "authority-key", "the key that signs grants", run_key, true,
	    CW_CERT_LEAF, 1825, KEY_USAGE, CW_OID_EKU_AUTHORITY },
	{ "operator-key", "a key of an operator, who approves", run_key, true,
	    CW_CERT_LEAF, 1825, KEY_USAGE, CW_OID_EKU_OPERATOR },
	{ "tag-key", "the secret by which the signer knows its own tags",
	    run_tag_key, false, CW_CERT_LEAF, 0, NULL, NULL },
	{ "endorsement", "the old management key signs the new one",
	    run_endorsement, true, CW_CERT_LEAF, 1825, NULL, NULL },
	{ NULL, NULL, NULL, false, 0, 0, NULL, NULL },
};
