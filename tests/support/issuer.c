/* SPDX-License-Identifier: Apache-2.0 */
/* A tiny issuer. */
#include "tests/support/issuer.h"

#include <stdio.h>
#include <stdlib.h>

#include "keys/certmaker.h"
#include "proto/apdu.h"
#include "proto/card_link.h"
#include "proto/intent.h"

static const struct cw_scope full_scope = {
	.keys_max = CW_KEYS_MAX,
	.n_commands = CW_SCOPE_COMMANDS_MAX,
	.commands = { CW_CREATE_PUK_POLICY, CW_CREATE_PIN_POLICY, CW_CREATE_KEY,
	    CW_SET_CERTIFICATES, CW_IMPORT_SYMMETRIC_KEY, CW_IMPORT_PRIVATE_KEY,
	    CW_SET_EXTENSION, CW_LIST, CW_DELETE_KEY, CW_UNLOCK_KEY,
	    CW_UPDATE_KEY, CW_CLONE_KEY_PROTECTION, CW_CLOSE },
	.n_objects = 7,
	.objects = { 1, 2, 3, 4, 5, 6, 7 },
	.n_slots = 24,
	.slots = { 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8A, 0x8B,
	    0x8C, 0x8D, 0x8E, 0x8F, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95, 0x9A,
	    0x9C, 0x9D, 0x9E },
};

static void
must(enum cw_err err)
{
	if (err == CW_OK)
		return;
	fprintf(stderr, "test issuer: %s\n", cw_err_name(err));
	abort();
}

void
cw_test_issuer_init(struct cw_test_issuer *issuer,
    const struct cw_test_wire *wire)
{
	struct cw_public_key ca;
	const struct cw_cert_spec spec = {
		.subject = "CN=Test issuing CA",
		.key = &ca,
		.days = 3650,
		.path_length = 0,
		.key_usage = "critical,keyCertSign,cRLSign",
	};

	memset(issuer, 0, sizeof(*issuer));
	issuer->wire = *wire;
	cw_buf_init(&issuer->ca, CW_CERT_MAX_BYTES);
	cw_buf_init(&issuer->caps, 1024);
	cw_buf_init(&issuer->r, CW_REQUEST_MAX);
	cw_buf_init(&issuer->message_4, CW_BODY_MAX);
	cw_buf_init(&issuer->token_plain, CW_BODY_MAX);
	cw_buf_init(&issuer->command, CW_BODY_MAX);
	cw_buf_init(&issuer->reply, CW_BODY_MAX);
	cw_buf_init(&issuer->reply_plain, CW_BODY_MAX);
	cw_buf_init(&issuer->certificate, CW_CERT_MAX_BYTES);
	must(cw_key_generate(CW_KEY_P256, &issuer->management_key));
	must(cw_key_generate(CW_KEY_P256, &issuer->ca_key));
	cw_key_public(issuer->ca_key, &ca);
	must(cw_cert_make(&spec, CW_BYTES_NONE, issuer->ca_key, CW_TEST_NOW_S,
	    &issuer->ca));
	issuer->request = (struct cw_request){
		.suite = cw_suite_find(1),
		.uri = cw_bytes_str(CW_TEST_URI),
		.scope = full_scope,
		.mode = CW_MODE_PSEUDONYMOUS,
		.time_s = CW_TEST_NOW_S,
		.lifetime_s = 3600,
		.command_limit = CW_COMMANDS_MAX,
	};
	issuer->model = CW_TEST_MODEL;
	issuer->pin = CW_TEST_PIN;
	issuer->puk = CW_TEST_PUK;
}

void
cw_test_issuer_wipe(struct cw_test_issuer *issuer)
{
	cw_key_free(&issuer->management_key);
	cw_key_free(&issuer->ca_key);
	cw_key_free(&issuer->ephemeral);
	cw_channel_wipe(&issuer->channel);
	cw_buf_wipe(&issuer->ca);
	cw_buf_wipe(&issuer->caps);
	cw_buf_wipe(&issuer->r);
	cw_buf_wipe(&issuer->message_4);
	cw_buf_wipe(&issuer->token_plain);
	cw_buf_wipe(&issuer->command);
	cw_buf_wipe(&issuer->reply);
	cw_buf_wipe(&issuer->reply_plain);
	cw_buf_wipe(&issuer->certificate);
}

static enum cw_err
says(struct cw_test_issuer *issuer, unsigned sw)
{
	issuer->sw = sw;
	return sw == CW_SW_OK ? CW_OK : CW_ERR_CARD_SAYS;
}

/* ---- the steps ---- */

enum cw_err
cw_test_issuer_capabilities(struct cw_test_issuer *issuer)
{
	unsigned sw = cw_test_select_provisioning(&issuer->wire);

	if (sw == CW_SW_OK)
		sw = cw_test_send(&issuer->wire, 0x8010, 0, CW_BYTES_NONE,
		    &issuer->caps);
	return says(issuer, sw);
}

enum cw_err
cw_test_issuer_request(struct cw_test_issuer *issuer)
{
	struct cw_request *q = &issuer->request;
	struct cw_card_caps caps;
	enum cw_err err =
	    cw_card_caps_decode(cw_buf_bytes(&issuer->caps), &caps);

	if (err != CW_OK)
		return err;
	cw_key_free(&issuer->ephemeral);
	err = cw_key_generate(q->suite->agreement, &issuer->ephemeral);
	if (err != CW_OK)
		return err;
	cw_key_public(issuer->ephemeral, &q->issuer_ephemeral);
	cw_random(q->session_id, sizeof(q->session_id));
	memcpy(q->card_nonce, caps.nonce, sizeof(q->card_nonce));
	cw_hash(cw_buf_bytes(&issuer->caps), q->caps_hash);
	cw_buf_reset(&issuer->r);
	return cw_request_make(q, issuer->management_key, &issuer->r);
}

/* Message 4: channel, token, statement. */
static enum cw_err
check_message_4(struct cw_test_issuer *issuer)
{
	struct cw_bytes bytes = cw_buf_bytes(&issuer->message_4);
	struct cw_card_info info = { .firmware = { NULL, 0 } };
	struct cw_attestation a;
	struct cw_message4 m;
	enum cw_err err = cw_message4_decode(bytes, &m);

	if (err == CW_OK)
		err = cw_channel_init(&issuer->channel, issuer->request.suite,
		    cw_buf_bytes(&issuer->r), &m.card_ephemeral,
		    issuer->ephemeral, &m.card_ephemeral);
	cw_buf_reset(&issuer->token_plain);
	if (err == CW_OK)
		err = cw_channel_open_token(&issuer->channel, m.token,
		    &issuer->token_plain);
	if (err == CW_OK)
		err = cw_token_decode(cw_buf_bytes(&issuer->token_plain),
		    &issuer->token);
	if (err == CW_OK)
		err = cw_cert_public_key(issuer->token.chain[0], &a.key);
	if (err == CW_OK)
		err = cw_card_info_decode(issuer->token.card_info, &info);
	if (err != CW_OK)
		return err;
	a.kind = issuer->request.mode == CW_MODE_IDENTIFIED ?
	    CW_ATTESTATION_CARD :
	    CW_ATTESTATION_BATCH;
	if (issuer->model != NULL)
		info.model = cw_bytes_str(issuer->model);
	snprintf(a.model, sizeof(a.model), "%.*s", (int)info.model.len,
	    (const char *)info.model.ptr);
	cw_hash(issuer->token.chain[0], a.leaf_hash);
	issuer->attestation = a.key;
	cw_channel_begin(&issuer->channel, bytes);
	issuer->i = 0;
	return cw_token_check(&issuer->token, &a, issuer->channel.th,
	    issuer->request.mode);
}

enum cw_err
cw_test_issuer_open(struct cw_test_issuer *issuer)
{
	enum cw_err err = says(issuer,
	    cw_test_send(&issuer->wire, 0x8012, 0, cw_buf_bytes(&issuer->r),
		&issuer->message_4));

	return err == CW_OK ? check_message_4(issuer) : err;
}

enum cw_err
cw_test_issuer_begin(struct cw_test_issuer *issuer)
{
	enum cw_err err = cw_test_issuer_capabilities(issuer);

	if (err == CW_OK)
		err = cw_test_issuer_request(issuer);
	return err == CW_OK ? cw_test_issuer_open(issuer) : err;
}

enum cw_err
cw_test_issuer_seal(struct cw_test_issuer *issuer,
    const struct cw_command *command)
{
	struct cw_buf plain;
	enum cw_err err;

	cw_buf_init(&plain, CW_BODY_MAX);
	cw_command_encode(command, &plain);
	cw_buf_reset(&issuer->command);
	err = plain.err;
	if (err == CW_OK)
		err = cw_channel_seal_command(&issuer->channel, issuer->i + 1,
		    cw_buf_bytes(&plain), &issuer->command);
	cw_channel_h_end(&issuer->channel, cw_buf_bytes(&issuer->command),
	    issuer->h_end);
	cw_buf_wipe(&plain);
	return err;
}

enum cw_err
cw_test_issuer_send(struct cw_test_issuer *issuer, struct cw_bytes bytes)
{
	struct cw_buf data;
	enum cw_err err;

	cw_buf_init(&data, CW_APDU_MAX);
	cw_buf_put(&data, CW_BYTES_ARRAY(issuer->request.session_id));
	cw_buf_put(&data, bytes);
	err = says(issuer,
	    cw_test_send(&issuer->wire, 0x8014, 0, cw_buf_bytes(&data),
		&issuer->reply));
	cw_buf_wipe(&data);
	return err;
}

enum cw_err
cw_test_issuer_set_pin(struct cw_test_issuer *issuer)
{
	struct cw_set_pin set = { .pin = cw_bytes_str(issuer->pin) };
	struct cw_pin_info info;
	struct cw_buf b;
	unsigned sw;
	enum cw_err err;

	cw_buf_init(&b, 1024);
	sw = cw_test_send(&issuer->wire, 0x8016, 0, CW_BYTES_NONE, &b);
	err = says(issuer, sw);
	if (err == CW_OK)
		err = cw_pin_info_decode(cw_buf_bytes(&b), &info);
	if (err == CW_OK) {
		memcpy(set.session_id, issuer->request.session_id,
		    sizeof(set.session_id));
		set.policy = info.policy;
		set.group = info.group;
		if (info.policy == 0)
			set.puk = cw_bytes_str(issuer->puk);
		cw_buf_reset(&b);
		cw_set_pin_encode(&set, &b);
		err = says(issuer,
		    cw_test_send(&issuer->wire, 0x8018, 0, cw_buf_bytes(&b),
			NULL));
	}
	cw_buf_wipe(&b);
	return err;
}

enum cw_err
cw_test_issuer_command(struct cw_test_issuer *issuer,
    const struct cw_command *command, struct cw_reply *reply)
{
	struct cw_bytes bytes;
	enum cw_err err = cw_test_issuer_seal(issuer, command);

	if (err != CW_OK)
		return err;
	bytes = cw_buf_bytes(&issuer->command);
	err = cw_test_issuer_send(issuer, bytes);
	if (issuer->sw == CW_SW_PIN_NEEDED && issuer->pin != NULL) {
		err = cw_test_issuer_set_pin(issuer);
		if (err == CW_OK)
			err = cw_test_issuer_send(issuer, bytes);
	}
	if (err != CW_OK)
		return err;
	cw_buf_reset(&issuer->reply_plain);
	err = cw_channel_open_reply(&issuer->channel, issuer->i + 1, bytes,
	    cw_buf_bytes(&issuer->reply), &issuer->reply_plain);
	if (err != CW_OK)
		return err;
	cw_channel_advance(&issuer->channel, bytes,
	    cw_buf_bytes(&issuer->reply));
	issuer->i++;
	err = cw_reply_decode(command->no, cw_buf_bytes(&issuer->reply_plain),
	    reply);
	return err != CW_OK ? err : reply->err;
}

/* What a key statement must say of the key that was asked for. */
static bool
is_as_asked(const struct cw_test_issuer *issuer, const struct cw_create_key *c,
    const struct cw_reply *reply, const struct cw_key_statement *s)
{
	struct cw_public_key management;
	uint8_t hash[CW_HASH_BYTES];

	cw_key_public(issuer->management_key, &management);
	cw_cose_key_hash(&management, hash);
	return memcmp(s->th, issuer->channel.th, sizeof(s->th)) == 0 &&
	    memcmp(s->management_hash, hash, sizeof(hash)) == 0 &&
	    memcmp(&s->key, &reply->key, sizeof(s->key)) == 0 &&
	    s->mode == issuer->request.mode && s->key_id == c->id &&
	    s->attributes.type == c->type && s->attributes.usage == c->usage &&
	    s->attributes.origin == CW_ORIGIN_CARD &&
	    s->attributes.exportable == c->exportable &&
	    s->attributes.export_guard == c->export_guard &&
	    s->attributes.delete_guard == c->delete_guard &&
	    s->attributes.slot == c->slot &&
	    s->attributes.pin_policy == c->pin_policy &&
	    s->attributes.n_algorithms == c->n_algorithms &&
	    memcmp(s->attributes.algorithms, c->algorithms,
		sizeof(c->algorithms)) == 0 &&
	    (c->name.len == 0 || cw_bytes_equal(s->attributes.name, c->name));
}

enum cw_err
cw_test_issuer_create_key(struct cw_test_issuer *issuer,
    const struct cw_create_key *key, bool last, struct cw_public_key *made)
{
	struct cw_command command = { .no = CW_CREATE_KEY, .last = last };
	struct cw_key_statement statement;
	struct cw_reply reply = { .err = CW_OK };
	enum cw_err err;

	command.u.create_key = *key;
	if (key->name.len == 0)
		command.u.create_key.name = cw_bytes_str("Test key");
	err = cw_test_issuer_command(issuer, &command, &reply);
	if (err == CW_OK)
		err = cw_key_statement_verify(reply.statement,
		    &issuer->attestation, &statement);
	if (err == CW_OK && !is_as_asked(issuer, key, &reply, &statement))
		err = CW_ERR_WRONG_STATEMENT;
	*made = reply.key;
	return err;
}

enum cw_err
cw_test_issuer_make_certificate(struct cw_test_issuer *issuer,
    const struct cw_public_key *key, const char *subject)
{
	const struct cw_cert_spec spec = {
		.subject = subject,
		.key = key,
		.days = 365,
		.path_length = CW_CERT_LEAF,
		.key_usage = (cw_test_usage(key->type) & CW_USAGE_AGREE) != 0 ?
		    "critical,digitalSignature,keyAgreement" :
		    "critical,digitalSignature",
	};

	cw_buf_reset(&issuer->certificate);
	return cw_cert_make(&spec, cw_buf_bytes(&issuer->ca), issuer->ca_key,
	    CW_TEST_NOW_S, &issuer->certificate);
}

enum cw_err
cw_test_issuer_certify(struct cw_test_issuer *issuer, uint32_t id,
    const struct cw_public_key *key)
{
	struct cw_command command = { .no = CW_SET_CERTIFICATES };
	struct cw_set_certificates *set = &command.u.set_certificates;
	struct cw_reply reply = { .err = CW_OK };
	enum cw_err err =
	    cw_test_issuer_make_certificate(issuer, key, "CN=Test holder");

	if (err != CW_OK)
		return err;
	set->id = id;
	set->n_chain = 2;
	set->chain[0] = cw_buf_bytes(&issuer->certificate);
	set->chain[1] = cw_buf_bytes(&issuer->ca);
	return cw_test_issuer_command(issuer, &command, &reply);
}

enum cw_err
cw_test_issuer_close(struct cw_test_issuer *issuer,
    struct cw_result_statement *result)
{
	struct cw_command command = { .no = CW_CLOSE, .last = true };
	struct cw_result_statement own;
	struct cw_reply reply = { .err = CW_OK };
	enum cw_err err;

	if (result == NULL)
		result = &own;
	cw_random(issuer->close_nonce, sizeof(issuer->close_nonce));
	memcpy(command.u.close.nonce, issuer->close_nonce,
	    sizeof(issuer->close_nonce));
	err = cw_test_issuer_command(issuer, &command, &reply);
	if (err == CW_OK)
		err = cw_result_statement_verify(reply.statement,
		    &issuer->attestation, result);
	if (err != CW_OK)
		return err;
	if (memcmp(result->th, issuer->channel.th, sizeof(result->th)) != 0 ||
	    memcmp(result->h_end, issuer->h_end, sizeof(result->h_end)) != 0 ||
	    memcmp(result->close_nonce, issuer->close_nonce,
		sizeof(result->close_nonce)) != 0 ||
	    result->has_counter == (issuer->request.mode == CW_MODE_ANONYMOUS))
		return CW_ERR_WRONG_STATEMENT;
	return CW_OK;
}

/* ---- whole sessions ---- */

unsigned
cw_test_usage(enum cw_key_type type)
{
	return cw_key_type_info(type)->usage;
}

static bool
has_certificate(const struct cw_test_issuer *issuer, uint32_t id,
    const struct cw_result_statement *result)
{
	const struct cw_bytes chain[2] = { cw_buf_bytes(&issuer->certificate),
		cw_buf_bytes(&issuer->ca) };
	uint8_t hash[CW_HASH_BYTES];

	cw_certificates_hash(chain, 2, hash);
	return result->n_items == 1 && result->items[0].object_id == id &&
	    result->items[0].done == CW_DONE_KEY &&
	    memcmp(result->items[0].hash, hash, sizeof(hash)) == 0;
}

enum cw_err
cw_test_issuer_enroll(struct cw_test_issuer *issuer, enum cw_key_type type,
    uint8_t slot)
{
	const struct cw_create_key key = {
		.id = slot != 0 ? slot : 1,
		.type = type,
		.usage = cw_test_usage(type),
		.slot = slot,
	};
	struct cw_result_statement result;
	struct cw_public_key made;
	enum cw_err err = cw_test_issuer_begin(issuer);

	if (err == CW_OK)
		err = cw_test_issuer_create_key(issuer, &key, true, &made);
	if (err == CW_OK)
		err = cw_test_issuer_certify(issuer, key.id, &made);
	if (err == CW_OK)
		err = cw_test_issuer_close(issuer, &result);
	if (err == CW_OK && !has_certificate(issuer, key.id, &result))
		err = CW_ERR_WRONG_REPLY;
	return err;
}
