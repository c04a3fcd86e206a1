/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence made from nothing. */
#include "tests/support/evidence_world.h"

#include <stdio.h>
#include <stdlib.h>

#include "keys/certmaker.h"
#include "proto/channel.h"

static const struct cw_scope scope = {
	.keys_max = 1,
	.n_commands = 3,
	.commands = { 3, 4, 13 },
	.n_slots = 2,
	.slots = { 0x9A, 0x9C },
};

static void
must(enum cw_err err)
{
	if (err == CW_OK)
		return;
	fprintf(stderr, "evidence world: %s\n", cw_err_name(err));
	abort();
}

/* ---- parties ---- */

static void
make_key(struct cw_test_party *party)
{
	must(cw_key_generate(CW_KEY_P256, &party->key));
	cw_key_public(party->key, &party->public);
	cw_buf_init(&party->der, CW_CERT_MAX_BYTES);
}

void
cw_test_party_make(struct cw_test_party *party, const char *subject,
    const char *eku, struct cw_bytes ca, const struct cw_private_key *ca_key)
{
	const struct cw_cert_spec spec = {
		.subject = subject,
		.key = &party->public,
		.days = 30,
		.path_length = CW_CERT_LEAF,
		.key_usage = "critical,digitalSignature",
		.extended_key_usage = eku,
	};

	make_key(party);
	must(cw_cert_make(&spec, ca, ca_key, CW_TEST_NOW_S, &party->der));
}

void
cw_test_party_root(struct cw_test_party *party, const char *subject)
{
	const struct cw_cert_spec spec = {
		.subject = subject,
		.key = &party->public,
		.days = 3650,
		.path_length = 0,
		.key_usage = "critical,keyCertSign,cRLSign",
	};

	make_key(party);
	must(cw_cert_make(&spec, CW_BYTES_NONE, party->key, CW_TEST_NOW_S,
	    &party->der));
}

void
cw_test_party_wipe(struct cw_test_party *party)
{
	cw_key_free(&party->key);
	cw_buf_wipe(&party->der);
}

struct cw_trust *
cw_test_trust(struct cw_bytes root)
{
	struct cw_trust *trust = cw_trust_new();

	must(trust == NULL ? CW_ERR_NO_MEMORY : cw_trust_add_root(trust, root));
	return trust;
}

static void
make_attestation(struct cw_test_evidence *w)
{
	const struct cw_cert_spec spec = {
		.subject = "CN=Card",
		.key = &w->attestation.public,
		.days = 30,
		.path_length = CW_CERT_LEAF,
		.key_usage = "critical,digitalSignature",
		.extended_key_usage = CW_OID_EKU_ATTESTATION,
		.kind = w->mode == CW_MODE_IDENTIFIED ? CW_ATTESTATION_CARD :
							CW_ATTESTATION_BATCH,
		.model = CW_TEST_MODEL,
	};

	make_key(&w->attestation);
	must(cw_cert_make(&spec, cw_buf_bytes(&w->vendor.ca), w->vendor.ca_key,
	    CW_TEST_NOW_S, &w->attestation.der));
}

/* ---- stages ---- */

static void
make_certificates(struct cw_test_evidence *w)
{
	struct cw_bytes ca = cw_buf_bytes(&w->ca.der);

	cw_test_party_make(&w->management, "CN=Management", w->management_eku,
	    ca, w->ca.key);
	cw_test_party_make(&w->authority, "CN=Authority", w->authority_eku, ca,
	    w->ca.key);
	cw_test_party_make(&w->holder, "CN=Ada", NULL,
	    cw_buf_bytes(&w->holder_ca->der), w->holder_ca->key);
	make_attestation(w);
	w->grant_key = w->authority.key;
	w->request_key = w->management.key;
	w->token_key = w->attestation.key;
	w->statement_key = w->attestation.key;
	w->result_key = w->attestation.key;
	w->e.n_attestation = 2;
	w->e.attestation[0] = cw_buf_bytes(&w->attestation.der);
	w->e.attestation[1] = cw_buf_bytes(&w->vendor.ca);
	w->e.n_certificate = 1;
	w->e.certificate[0] = cw_buf_bytes(&w->holder.der);
	w->e.n_management = 1;
	w->e.management[0] = cw_buf_bytes(&w->management.der);
	w->e.n_authority = 1;
	w->e.authority[0] = cw_buf_bytes(&w->authority.der);
	w->grant = (struct cw_grant){
		.subject = cw_bytes_str("CN=Ada"),
		.account = cw_bytes_str("ada"),
		.profile = cw_bytes_str("client"),
		.action = CW_ACTION_ENROLL,
		.mode = w->mode,
		.scope = scope,
		.uses = 1,
		.not_after_s = CW_TEST_NOW_S + 60,
	};
}

static void
make_grant(struct cw_test_evidence *w)
{
	must(cw_grant_make(&w->grant, w->grant_key, &w->grant_bytes));
	w->e.grant = cw_buf_bytes(&w->grant_bytes);
	w->request = (struct cw_request){
		.suite = cw_suite_find(1),
		.uri = cw_bytes_str("https://issuer.test/session"),
		.issuer_ephemeral = w->holder.public, /* any P-256 key */
		.scope = scope,
		.mode = w->mode,
		.time_s = CW_TEST_NOW_S,
		.lifetime_s = 600,
		.command_limit = CW_TEST_EVIDENCE_COMMANDS,
	};
	cw_hash(w->e.grant, w->request.grant_hash);
	w->e.verified_s = CW_TEST_NOW_S + 300;
}

static void
make_request(struct cw_test_evidence *w)
{
	must(cw_request_make(&w->request, w->request_key, &w->request_bytes));
	w->e.request = cw_buf_bytes(&w->request_bytes);
	w->e.card_ephemeral = w->attestation.public; /* any P-256 key */
}

static void
make_message_4(struct cw_test_evidence *w)
{
	const struct cw_message4 m = { w->e.card_ephemeral,
		cw_bytes_str("sealed") };

	cw_message4_encode(&m, &w->message_4);
	must(w->message_4.err);
	w->e.message_4 = cw_buf_bytes(&w->message_4);
	w->info = (struct cw_card_info){
		.model = cw_bytes_str(CW_TEST_MODEL),
		.firmware = cw_bytes_str("1.0"),
		.keys_free = 24,
	};
	w->token = (struct cw_token_statement){
		.mode = w->mode,
		.has_pseudonym = w->mode == CW_MODE_PSEUDONYMOUS,
		.pseudonym = { w->mode == CW_MODE_PSEUDONYMOUS ? 7 : 0 },
	};
	cw_channel_th(w->e.request, &w->e.card_ephemeral, w->token.th);
	cw_hash(w->e.attestation[0], w->token.leaf_hash);
}

static void
make_token(struct cw_test_evidence *w)
{
	cw_card_info_encode(&w->info, &w->info_bytes);
	must(w->info_bytes.err);
	w->e.card_info = cw_buf_bytes(&w->info_bytes);
	if (w->token.card_info_hash[0] == 0)
		cw_hash(w->e.card_info, w->token.card_info_hash);
	must(cw_token_statement_make(&w->token, w->token_key, &w->token_bytes));
	w->e.token_statement = cw_buf_bytes(&w->token_bytes);
	w->key = (struct cw_key_statement){
		.mode = w->mode,
		.key_id = 5,
		.key = w->holder.public,
		.attributes = { .type = CW_KEY_P256,
		    .usage = CW_USAGE_SIGN,
		    .origin = CW_ORIGIN_CARD,
		    .slot = 0x9A },
	};
	cw_channel_th(w->e.request, &w->e.card_ephemeral, w->key.th);
	cw_hash(w->e.attestation[0], w->key.leaf_hash);
	cw_cose_key_hash(&w->management.public, w->key.management_hash);
}

/* h over what is in the file. */
static void
transcript(const struct cw_evidence *e, uint8_t h_end[CW_HASH_BYTES])
{
	struct cw_channel ch = { 0 };
	size_t last = e->n_commands - 1;

	cw_channel_th(e->request, &e->card_ephemeral, ch.th);
	cw_channel_begin(&ch, e->message_4);
	for (size_t i = 0; i < last; i++)
		cw_channel_advance(&ch, e->commands[i], e->replies[i]);
	cw_channel_h_end(&ch, e->commands[last], h_end);
}

static void
make_key_statement(struct cw_test_evidence *w)
{
	static const char *const commands[] = { "create", "set", "close" };
	static const char *const replies[] = { "created", "was set", "closed" };

	must(cw_key_statement_make(&w->key, w->statement_key, &w->key_bytes));
	w->e.n_keys = 1;
	w->e.key_statements[0] = cw_buf_bytes(&w->key_bytes);
	w->e.n_commands = CW_TEST_EVIDENCE_COMMANDS;
	for (size_t i = 0; i < CW_TEST_EVIDENCE_COMMANDS; i++) {
		w->e.commands[i] = cw_bytes_str(commands[i]);
		w->e.replies[i] = cw_bytes_str(replies[i]);
	}
	w->result = (struct cw_result_statement){
		.close_nonce = { 3, 1, 4 },
		.has_counter = w->mode != CW_MODE_ANONYMOUS,
		.counter = w->mode != CW_MODE_ANONYMOUS ? 1 : 0,
		.n_items = 1,
		.items = { { .object_id = 5, .done = CW_DONE_KEY } },
	};
	cw_channel_th(w->e.request, &w->e.card_ephemeral, w->result.th);
	cw_certificates_hash(w->e.certificate, w->e.n_certificate,
	    w->result.items[0].hash);
	transcript(&w->e, w->result.h_end);
}

static void
make_result(struct cw_test_evidence *w)
{
	static const uint8_t nonce[CW_NONCE_BYTES] = { 3, 1, 4 };

	must(cw_result_statement_make(&w->result, w->result_key,
	    &w->result_bytes));
	w->e.result_statement = cw_buf_bytes(&w->result_bytes);
	memcpy(w->e.close_nonce, nonce, sizeof(nonce));
	w->e.policy_version = cw_bytes_str("1");
	w->vendor_trust = cw_test_trust(cw_buf_bytes(&w->vendor.root));
	w->issuer_trust = cw_test_trust(cw_buf_bytes(&w->ca.der));
}

static void
make_end(struct cw_test_evidence *w)
{
	(void)w;
}

/* ---- all of it ---- */

static void
begin(struct cw_test_evidence *w, enum cw_mode mode)
{
	memset(w, 0, sizeof(*w));
	cw_test_vendor_init(&w->vendor);
	cw_test_vendor_init(&w->stranger);
	cw_test_party_root(&w->ca, "CN=Issuer");
	w->holder_ca = &w->ca;
	w->management_eku = CW_OID_EKU_MANAGEMENT;
	w->authority_eku = CW_OID_EKU_AUTHORITY;
	w->mode = mode;
	cw_buf_init(&w->grant_bytes, CW_GRANT_MAX);
	cw_buf_init(&w->request_bytes, CW_REQUEST_MAX);
	cw_buf_init(&w->message_4, CW_BODY_MAX);
	cw_buf_init(&w->info_bytes, CW_REQUEST_MAX);
	cw_buf_init(&w->token_bytes, CW_REQUEST_MAX);
	cw_buf_init(&w->key_bytes, CW_REQUEST_MAX);
	cw_buf_init(&w->result_bytes, CW_COMMAND_MAX);
}

void
cw_test_evidence_make(struct cw_test_evidence *w, enum cw_mode mode,
    enum cw_test_evidence_stage stage,
    void (*change)(struct cw_test_evidence *w))
{
	static void (*const make[CW_TEST_STAGES])(
	    struct cw_test_evidence * w) = {
		[CW_TEST_AT_CERTIFICATES] = make_certificates,
		[CW_TEST_AT_GRANT] = make_grant,
		[CW_TEST_AT_REQUEST] = make_request,
		[CW_TEST_AT_MESSAGE_4] = make_message_4,
		[CW_TEST_AT_TOKEN] = make_token,
		[CW_TEST_AT_KEY] = make_key_statement,
		[CW_TEST_AT_RESULT] = make_result,
		[CW_TEST_AT_END] = make_end,
	};

	begin(w, mode);
	for (int i = 0; i < CW_TEST_STAGES; i++) {
		if (i == (int)stage && change != NULL)
			change(w);
		make[i](w);
	}
}

void
cw_test_evidence_wipe(struct cw_test_evidence *w)
{
	cw_test_vendor_wipe(&w->vendor);
	cw_test_vendor_wipe(&w->stranger);
	cw_test_party_wipe(&w->ca);
	cw_test_party_wipe(&w->management);
	cw_test_party_wipe(&w->authority);
	cw_test_party_wipe(&w->attestation);
	cw_test_party_wipe(&w->holder);
	cw_buf_wipe(&w->grant_bytes);
	cw_buf_wipe(&w->request_bytes);
	cw_buf_wipe(&w->message_4);
	cw_buf_wipe(&w->info_bytes);
	cw_buf_wipe(&w->token_bytes);
	cw_buf_wipe(&w->key_bytes);
	cw_buf_wipe(&w->result_bytes);
	cw_trust_free(&w->vendor_trust);
	cw_trust_free(&w->issuer_trust);
}

enum cw_err
cw_test_evidence_verify(struct cw_test_evidence *w, const char **failed)
{
	return cw_evidence_verify(&w->e, w->vendor_trust, w->issuer_trust,
	    failed);
}
