/* SPDX-License-Identifier: Apache-2.0 */
/* A card's words, for tests of the signer. */
#include "tests/support/keys_card.h"

#include <stdio.h>
#include <stdlib.h>

#include "keys/certmaker.h"
#include "keys/devtree.h"
#include "proto/channel.h"

static void
need(enum cw_err err, const char *what)
{
	if (err == CW_OK)
		return;
	fprintf(stderr, "keys_card: %s: %s\n", what, cw_err_name(err));
	exit(99);
}

void
cw_keys_card_load(struct cw_keys_card *card, const struct cw_keys_tree *tree,
    unsigned number)
{
	memset(card, 0, sizeof(*card));
	cw_buf_init(&card->memory, CW_BODY_MAX);
	cw_keys_tree_card(tree, number, &card->memory);
	need(cw_personalisation_decode(cw_buf_bytes(&card->memory), &card->p),
	    "personalisation");
	need(cw_key_import(card->p.card_key, &card->own), "own key");
	need(cw_key_import(card->p.batch_key, &card->batch), "batch key");
}

void
cw_keys_card_free(struct cw_keys_card *card)
{
	cw_key_free(&card->own);
	cw_key_free(&card->batch);
	cw_buf_wipe(&card->memory);
}

struct cw_grant
cw_keys_grant(uint64_t now_s)
{
	struct cw_grant g = {
		.subject = cw_bytes_str("CN=Jane Doe,O=Example,C=DE"),
		.account = cw_bytes_str("jane"),
		.profile = cw_bytes_str("person"),
		.action = CW_ACTION_ENROLL,
		.mode = CW_MODE_IDENTIFIED,
		.scope = { .keys_max = 1,
		    .n_commands = 3,
		    .commands = { 3, 4, 13 },
		    .n_slots = 1,
		    .slots = { 0x9a } },
		.uses = 1,
		.not_after_s = now_s + 3600,
	};

	cw_random(g.id, sizeof(g.id));
	return g;
}

struct cw_request
cw_keys_request(const struct cw_grant *grant)
{
	struct cw_request q = {
		.suite = cw_suite_find(1),
		.uri = cw_bytes_str(CW_KEYS_TREE_URL "/session"),
		.scope = grant->scope,
		.mode = grant->mode,
		.lifetime_s = 600,
		.command_limit = 16,
	};
	struct cw_private_key *key;

	need(cw_key_generate(q.suite->agreement, &key), "ephemeral key");
	cw_key_public(key, &q.issuer_ephemeral);
	cw_key_free(&key);
	cw_random(q.session_id, sizeof(q.session_id));
	cw_random(q.card_nonce, sizeof(q.card_nonce));
	cw_random(q.caps_hash, sizeof(q.caps_hash));
	cw_random(q.intent_hash, sizeof(q.intent_hash));
	return q;
}

void
cw_keys_session_init(struct cw_keys_session *x, const struct cw_keys_card *card,
    enum cw_mode mode)
{
	memset(x, 0, sizeof(*x));
	x->card = card;
	x->mode = mode;
	cw_buf_init(&x->grant, CW_GRANT_MAX);
	cw_buf_init(&x->request, CW_REQUEST_MAX);
	cw_buf_init(&x->token, CW_COMMAND_MAX);
	cw_buf_init(&x->statement, CW_COMMAND_MAX);
	cw_serial_random(x->serial);
}

void
cw_keys_session_wipe(struct cw_keys_session *x)
{
	cw_buf_wipe(&x->grant);
	cw_buf_wipe(&x->request);
	cw_buf_wipe(&x->token);
	cw_buf_wipe(&x->statement);
}

static const struct cw_private_key *
attestation_key(const struct cw_keys_session *x)
{
	return x->mode == CW_MODE_IDENTIFIED ? x->card->own : x->card->batch;
}

static const struct cw_bytes *
chain(const struct cw_keys_session *x, size_t *n)
{
	bool own = x->mode == CW_MODE_IDENTIFIED;

	*n = own ? x->card->p.n_card_chain : x->card->p.n_batch_chain;
	return own ? x->card->p.card_chain : x->card->p.batch_chain;
}

void
cw_keys_session_token(struct cw_keys_session *x,
    const uint8_t th[CW_HASH_BYTES], enum cw_mode mode)
{
	bool own = x->mode == CW_MODE_IDENTIFIED;
	struct cw_card_info info = { .model = x->card->p.model,
		.firmware = x->card->p.firmware,
		.keys_free = 10,
		.serial = own ? x->card->p.serial : CW_BYTES_NONE };
	struct cw_token_statement s = { .mode = mode,
		.has_pseudonym = x->mode == CW_MODE_PSEUDONYMOUS };
	struct cw_token token = { .has_pseudonym = s.has_pseudonym };
	struct cw_buf card_info, statement;

	cw_buf_init(&card_info, 1024);
	cw_buf_init(&statement, 4096);
	cw_card_info_encode(&info, &card_info);
	memcpy(token.chain, chain(x, &token.n_chain), sizeof(token.chain));
	memcpy(s.th, th, CW_HASH_BYTES);
	cw_hash(token.chain[0], s.leaf_hash);
	cw_hash(cw_buf_bytes(&card_info), s.card_info_hash);
	need(cw_token_statement_make(&s, attestation_key(x), &statement),
	    "token statement");
	token.statement = cw_buf_bytes(&statement);
	token.card_info = cw_buf_bytes(&card_info);
	cw_buf_reset(&x->token);
	cw_token_encode(&token, &x->token);
	need(x->token.err, "token");
	cw_buf_wipe(&card_info);
	cw_buf_wipe(&statement);
}

void
cw_keys_session_open(struct cw_keys_session *x)
{
	struct cw_request request;
	struct cw_private_key *key;

	need(cw_request_decode(cw_buf_bytes(&x->request), &request), "request");
	need(cw_key_generate(request.suite->agreement, &key), "ephemeral");
	cw_key_public(key, &x->card_ephemeral);
	cw_key_free(&key);
	cw_channel_th(cw_buf_bytes(&x->request), &x->card_ephemeral, x->th);
	x->proof = (struct cw_session_proof){
		.request = cw_buf_bytes(&x->request),
		.request_tag = x->request_tag,
		.grant = cw_buf_bytes(&x->grant),
		.card_ephemeral = &x->card_ephemeral,
	};
	cw_keys_session_token(x, x->th, x->mode);
}

struct cw_key_statement
cw_keys_session_key(const struct cw_keys_session *x,
    const struct cw_public_key *management, uint32_t key_id)
{
	struct cw_key_statement s = { .mode = x->mode,
		.key_id = key_id,
		.attributes = { .type = CW_KEY_P256,
		    .usage = CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE,
		    .origin = CW_ORIGIN_CARD,
		    .slot = 0x9a } };
	struct cw_private_key *key;
	size_t n;

	need(cw_key_generate(CW_KEY_P256, &key), "key");
	cw_key_public(key, &s.key);
	cw_key_free(&key);
	memcpy(s.th, x->th, CW_HASH_BYTES);
	cw_cose_key_hash(management, s.management_hash);
	cw_hash(chain(x, &n)[0], s.leaf_hash);
	return s;
}

void
cw_keys_session_state(struct cw_keys_session *x,
    const struct cw_key_statement *statement)
{
	cw_buf_reset(&x->statement);
	need(cw_key_statement_make(statement, attestation_key(x),
		 &x->statement),
	    "key statement");
}
