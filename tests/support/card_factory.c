/* SPDX-License-Identifier: Apache-2.0 */
/* Cards for tests. */
#include "tests/support/card_factory.h"

#include <stdio.h>
#include <stdlib.h>

#include "keys/certmaker.h"
#include "proto/apdu.h"
#include "proto/card_link.h"

#define PIN_BYTES 8

static void
must(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "card factory: %s\n", what);
	abort();
}

/* ---- a vendor ---- */

static void
make_ca(const char *subject, struct cw_bytes issuer,
    const struct cw_private_key *issuer_key, struct cw_private_key **key,
    struct cw_buf *out)
{
	struct cw_public_key public;
	struct cw_cert_spec spec = {
		.subject = subject,
		.key = &public,
		.days = 3650,
		.path_length = issuer.len == 0 ? 1 : 0,
		.key_usage = "critical,keyCertSign,cRLSign",
	};

	cw_buf_init(out, CW_CERT_MAX_BYTES);
	must(cw_key_generate(CW_KEY_P256, key) == CW_OK, "CA key");
	cw_key_public(*key, &public);
	must(cw_cert_make(&spec, issuer, issuer_key != NULL ? issuer_key : *key,
		 CW_TEST_NOW_S, out) == CW_OK,
	    "CA certificate");
}

void
cw_test_vendor_init(struct cw_test_vendor *vendor)
{
	make_ca("CN=Test vendor root", CW_BYTES_NONE, NULL, &vendor->root_key,
	    &vendor->root);
	make_ca("CN=Test batch CA", cw_buf_bytes(&vendor->root),
	    vendor->root_key, &vendor->ca_key, &vendor->ca);
}

void
cw_test_vendor_wipe(struct cw_test_vendor *vendor)
{
	cw_key_free(&vendor->root_key);
	cw_key_free(&vendor->ca_key);
	cw_buf_wipe(&vendor->root);
	cw_buf_wipe(&vendor->ca);
}

static void
make_leaf(const struct cw_test_vendor *vendor, enum cw_attestation_kind kind,
    struct cw_buf *pkcs8, struct cw_buf *certificate)
{
	struct cw_private_key *key = NULL;
	struct cw_public_key public;
	struct cw_cert_spec spec = {
		.subject = kind == CW_ATTESTATION_CARD ? "CN=Test card 1" :
							 "CN=Test batch 1",
		.key = &public,
		.days = 3650,
		.path_length = CW_CERT_LEAF,
		.key_usage = "critical,digitalSignature",
		.extended_key_usage = CW_OID_EKU_ATTESTATION,
		.kind = kind,
		.model = CW_TEST_MODEL,
	};

	cw_buf_init(pkcs8, 4096);
	cw_buf_init(certificate, CW_CERT_MAX_BYTES);
	must(cw_key_generate(CW_KEY_P256, &key) == CW_OK, "attestation key");
	cw_key_public(key, &public);
	must(cw_key_export(key, pkcs8) == CW_OK, "attestation key's export");
	must(cw_cert_make(&spec, cw_buf_bytes(&vendor->ca), vendor->ca_key,
		 CW_TEST_NOW_S, certificate) == CW_OK,
	    "attestation certificate");
	cw_key_free(&key);
}

void
cw_test_personalisation(const struct cw_test_vendor *vendor, struct cw_buf *out)
{
	struct cw_personalisation p = { .n_card_chain = 2, .n_batch_chain = 2 };
	struct cw_buf key[2], certificate[2];

	make_leaf(vendor, CW_ATTESTATION_CARD, &key[0], &certificate[0]);
	make_leaf(vendor, CW_ATTESTATION_BATCH, &key[1], &certificate[1]);
	cw_random(p.card_secret, sizeof(p.card_secret));
	p.card_key = cw_buf_bytes(&key[0]);
	p.batch_key = cw_buf_bytes(&key[1]);
	p.card_chain[0] = cw_buf_bytes(&certificate[0]);
	p.batch_chain[0] = cw_buf_bytes(&certificate[1]);
	p.card_chain[1] = p.batch_chain[1] = cw_buf_bytes(&vendor->ca);
	p.model = cw_bytes_str(CW_TEST_MODEL);
	p.firmware = cw_bytes_str("1.0");
	p.serial = cw_bytes_str("0001");
	cw_personalisation_encode(&p, out);
	must(out->err == CW_OK, "personalisation");
	for (int i = 0; i < 2; i++) {
		cw_buf_wipe(&key[i]);
		cw_buf_wipe(&certificate[i]);
	}
}

/* ---- storage ---- */

static enum cw_err
load(void *ctx, struct cw_buf *out)
{
	const struct cw_test_storage *s = ctx;

	if (s->bytes.len == 0)
		return CW_ERR_NO_FILE;
	cw_buf_put(out, cw_buf_bytes(&s->bytes));
	return out->err;
}

static enum cw_err
store(void *ctx, struct cw_bytes state)
{
	struct cw_test_storage *s = ctx;
	bool unsure = false;

	if (s->is_dead)
		return CW_ERR_IO;
	s->stores++;
	s->written += state.len;
	if (s->tear != CW_TEST_TEAR_NONE && s->stores == s->tear_at) {
		s->is_dead = s->tear == CW_TEST_TEAR_BEFORE ||
		    s->tear == CW_TEST_TEAR_AFTER;
		if (s->tear == CW_TEST_TEAR_BEFORE ||
		    s->tear == CW_TEST_TEAR_FULL)
			return CW_ERR_NO_SPACE;
		unsure = s->tear == CW_TEST_TEAR_UNSURE;
	}
	cw_buf_reset(&s->bytes);
	cw_buf_put(&s->bytes, state);
	return unsure ? CW_ERR_IO : s->bytes.err;
}

void
cw_test_storage_init(struct cw_test_storage *storage)
{
	memset(storage, 0, sizeof(*storage));
	cw_buf_init(&storage->bytes, CW_CARD_STORAGE_MAX);
	storage->ops = (struct cw_card_storage){ .load = load,
		.store = store,
		.ctx = storage };
}

void
cw_test_storage_wipe(struct cw_test_storage *storage)
{
	cw_buf_wipe(&storage->bytes);
}

/* ---- a card ---- */

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_test_card *card = ctx;

	cw_buf_reset(response);
	if (!card->storage.is_dead)
		cw_card_transmit(card->card, command, response);
	/* An answer that was on its way when the power went is lost. */
	if (card->storage.is_dead)
		cw_buf_reset(response);
}

void
cw_test_card_init(struct cw_test_card *card,
    const struct cw_test_vendor *vendor)
{
	struct cw_buf personalisation;

	memset(card, 0, sizeof(*card));
	cw_test_storage_init(&card->storage);
	card->config.storage = &card->storage.ops;
	card->wire = (struct cw_test_wire){ transmit, card };
	must(cw_card_open(&card->config, &card->card) == CW_OK, "card");
	cw_buf_init(&personalisation, 65536);
	cw_test_personalisation(vendor, &personalisation);
	must(cw_card_personalise(card->card, cw_buf_bytes(&personalisation)) ==
		CW_OK,
	    "personalising");
	cw_buf_wipe(&personalisation);
}

void
cw_test_card_wipe(struct cw_test_card *card)
{
	cw_card_free(&card->card);
	cw_test_storage_wipe(&card->storage);
}

void
cw_test_card_power_cycle(struct cw_test_card *card)
{
	cw_card_free(&card->card);
	card->storage.is_dead = false;
	card->storage.tear = CW_TEST_TEAR_NONE;
	must(cw_card_open(&card->config, &card->card) == CW_OK,
	    "card from its storage");
}

/* ---- APDUs ---- */

unsigned
cw_test_send(const struct cw_test_wire *wire, unsigned cla_ins, unsigned p1_p2,
    struct cw_bytes data, struct cw_buf *out)
{
	const struct cw_apdu apdu = {
		.cla = (uint8_t)(cla_ins >> 8),
		.ins = (uint8_t)cla_ins,
		.p1 = (uint8_t)(p1_p2 >> 8),
		.p2 = (uint8_t)p1_p2,
		.data = data,
		.le = CW_LE_EXTENDED,
		.extended = true,
	};
	struct cw_buf command, response;
	unsigned sw = 0;

	cw_buf_init(&command, CW_APDU_MAX);
	cw_buf_init(&response, CW_RESPONSE_MAX);
	cw_apdu_encode(&apdu, &command);
	must(command.err == CW_OK, "APDU");
	wire->transmit(wire->ctx, cw_buf_bytes(&command), &response);
	if (response.len >= 2) {
		sw = (unsigned)response.ptr[response.len - 2] << 8 |
		    response.ptr[response.len - 1];
		cw_buf_truncate(&response, response.len - 2);
	}
	if (out != NULL) {
		cw_buf_reset(out);
		cw_buf_put(out, cw_buf_bytes(&response));
		must(out->err == CW_OK, "room for the answer");
	}
	cw_buf_wipe(&command);
	cw_buf_wipe(&response);
	return sw;
}

unsigned
cw_test_select_provisioning(const struct cw_test_wire *wire)
{
	return cw_test_send(wire, 0x00A4, 0x0400,
	    cw_bytes((const uint8_t *)CW_AID, CW_AID_BYTES), NULL);
}

unsigned
cw_test_select_piv(const struct cw_test_wire *wire)
{
	static const uint8_t aid[] = { 0xA0, 0x00, 0x00, 0x03, 0x08, 0x00, 0x00,
		0x10, 0x00, 0x01, 0x00 };

	return cw_test_send(wire, 0x00A4, 0x0400, CW_BYTES_ARRAY(aid), NULL);
}

static void
pad(uint8_t out[PIN_BYTES], const char *pin)
{
	size_t len = strlen(pin);

	memset(out, 0xFF, PIN_BYTES);
	memcpy(out, pin, len < PIN_BYTES ? len : PIN_BYTES);
}

unsigned
cw_test_verify(const struct cw_test_wire *wire, const char *pin)
{
	uint8_t data[PIN_BYTES];

	pad(data, pin);
	return cw_test_send(wire, 0x0020, 0x0080, CW_BYTES_ARRAY(data), NULL);
}

unsigned
cw_test_two_pins(const struct cw_test_wire *wire, unsigned ins,
    unsigned reference, const char *first, const char *second)
{
	uint8_t data[2 * PIN_BYTES];

	pad(data, first);
	pad(data + PIN_BYTES, second);
	return cw_test_send(wire, ins, reference, CW_BYTES_ARRAY(data), NULL);
}
