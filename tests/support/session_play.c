/* SPDX-License-Identifier: Apache-2.0 */
/* A whole session, kept. */
#include "tests/support/session_play.h"

#include <stdio.h>
#include <stdlib.h>

#include "keys/certmaker.h"
#include "keys/devtree.h"
#include "keys/keyfile.h"
#include "proto/approval.h"
#include "proto/base/fdio.h"
#include "proto/grant.h"
#include "proto/intent.h"

#define SUBJECT "CN=Test holder"
#define SLOT 0x9A
#define KEY_ID 1

void
cw_play_must(enum cw_err err, const char *what)
{
	if (err == CW_OK)
		return;
	fprintf(stderr, "session: %s: %s\n", what, cw_err_name(err));
	exit(1);
}

const char *
cw_play_path(const char *dir, const char *name)
{
	static char path[512];

	if (snprintf(path, sizeof(path), "%s/%s", dir, name) >=
	    (int)sizeof(path))
		cw_play_must(CW_ERR_NO_FILE, dir);
	return path;
}

static void
keep(struct cw_buf *to, struct cw_bytes bytes)
{
	cw_buf_init(to, CW_EVIDENCE_MAX);
	cw_buf_put(to, bytes);
	cw_play_must(to->err, "memory");
}

/* ---- keys and certificates ---- */

/* NAME.pem and, if there is one, NAME.key. */
static void
load_party(const struct cw_play *play, const char *name, bool has_key,
    struct cw_play_party *party)
{
	char file[64];

	cw_buf_init(&party->memory, (size_t)CW_CHAIN_MAX * CW_CERT_MAX_BYTES);
	snprintf(file, sizeof(file), "%s.pem", name);
	cw_play_must(cw_certfile_load(cw_play_path(play->tree, file),
			 &party->memory, party->chain, &party->n_chain),
	    file);
	snprintf(file, sizeof(file), "%s.key", name);
	if (has_key)
		cw_play_must(cw_keyfile_load(cw_play_path(play->tree, file),
				 NULL, &party->key),
		    file);
}

static void
load_tree(struct cw_play *play, unsigned card, enum cw_mode mode)
{
	char name[64];

	load_party(play, "management", true, &play->management);
	load_party(play, "authority", true, &play->authority);
	load_party(play, "issuing-ca", true, &play->ca);
	load_party(play, "vendor-root", false, &play->vendor_root);
	load_party(play, "issuer-root", false, &play->issuer_root);
	for (unsigned i = 0; i < play->n_approvals; i++) {
		snprintf(name, sizeof(name), "operator-%u", i + 1);
		load_party(play, name, true, &play->operators[i]);
	}
	snprintf(name, sizeof(name), "cards/card-%u.personalisation", card);
	cw_buf_init(&play->personalisation, CW_BODY_MAX);
	cw_play_must(cw_file_load_own(cw_play_path(play->tree, name),
			 &play->personalisation),
	    name);
	cw_play_must(cw_personalisation_decode(cw_buf_bytes(
						   &play->personalisation),
			 &play->p),
	    name);
	cw_play_must(cw_key_import(mode == CW_MODE_IDENTIFIED ?
			     play->p.card_key :
			     play->p.batch_key,
			 &play->attestation),
	    "attestation key");
}

/* ---- the play ---- */

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_play *play = ctx;

	cw_card_transmit(play->card, command, response);
	if (play->n_apdus == CW_PLAY_APDUS_MAX)
		cw_play_must(CW_ERR_TOO_LARGE, "APDUs");
	keep(&play->apdus[play->n_apdus][0], command);
	keep(&play->apdus[play->n_apdus++][1], cw_buf_bytes(response));
}

/* The test issuer with the keys of the tree, and what this session may do. */
static void
prepare_issuer(struct cw_play *play, unsigned suite, enum cw_mode mode)
{
	const struct cw_test_wire wire = { transmit, play };
	struct cw_test_issuer *issuer = &play->issuer;

	cw_test_issuer_init(issuer, &wire);
	cw_key_free(&issuer->management_key);
	cw_key_free(&issuer->ca_key);
	issuer->management_key = play->management.key;
	issuer->ca_key = play->ca.key;
	play->management.key = play->ca.key = NULL;
	cw_buf_reset(&issuer->ca);
	cw_buf_put(&issuer->ca, play->ca.chain[0]);
	issuer->request.suite = cw_suite_find(suite);
	issuer->request.mode = mode;
	issuer->request.time_s = play->time_s;
	issuer->request.command_limit = 16;
	issuer->request.scope = (struct cw_scope){
		.keys_max = 1,
		.n_commands = CW_PLAY_COMMANDS,
		.commands = { CW_CREATE_KEY, CW_SET_CERTIFICATES, CW_CLOSE },
		.n_slots = 1,
		.slots = { SLOT },
	};
}

static void
make_grant_and_intent(struct cw_play *play)
{
	struct cw_request *request = &play->issuer.request;
	struct cw_grant grant = {
		.subject = cw_bytes_str(SUBJECT),
		.account = cw_bytes_str("holder"),
		.profile = cw_bytes_str("person"),
		.action = CW_ACTION_ENROLL,
		.mode = request->mode,
		.scope = request->scope,
		.uses = 1,
		.not_after_s = play->time_s + 86400,
		.has_model = true,
		.model = cw_bytes_str(CW_DEVTREE_MODEL),
		.approvals = (unsigned)play->n_approvals,
	};
	const struct cw_intent intent = {
		.issuer_name = cw_bytes_str("Test issuer"),
		.purpose = cw_bytes_str("A certificate for signing in"),
		.action = CW_ACTION_ENROLL,
		.subject = cw_bytes_str(SUBJECT),
		.session_url = request->uri,
		.scope = request->scope,
		.mode = request->mode,
		.expires_s = play->time_s + 86400,
	};

	cw_random(grant.id, sizeof(grant.id));
	cw_buf_init(&play->grant, CW_GRANT_MAX);
	cw_play_must(cw_grant_make(&grant, play->authority.key, &play->grant),
	    "grant");
	cw_hash(cw_buf_bytes(&play->grant), request->grant_hash);
	cw_buf_init(&play->intent, CW_BODY_MAX);
	cw_intent_encode(&intent, &play->intent);
	cw_play_must(play->intent.err, "intent");
	cw_hash(cw_buf_bytes(&play->intent), request->intent_hash);
}

static void
make_capabilities(struct cw_play *play)
{
	struct cw_test_issuer *issuer = &play->issuer;
	struct cw_capabilities capabilities = {
		.n_languages = 2,
		.languages = { cw_bytes_str("en"), cw_bytes_str("de") },
		.agent = cw_bytes_str("make_session 1"),
	};

	cw_play_must(cw_test_issuer_capabilities(issuer), "GET CAPABILITIES");
	capabilities.card_caps = cw_buf_bytes(&issuer->caps);
	memcpy(capabilities.intent_hash, issuer->request.intent_hash,
	    CW_HASH_BYTES);
	cw_buf_init(&play->capabilities, CW_BODY_MAX);
	cw_capabilities_encode(&capabilities, &play->capabilities);
	cw_play_must(play->capabilities.err, "capabilities");
}

/* What the test issuer does too, but for cards of its own model. */
static void
open_session(struct cw_play *play)
{
	struct cw_test_issuer *issuer = &play->issuer;
	struct cw_message4 m;

	cw_play_must(cw_test_issuer_request(issuer), "R");
	if (cw_test_send(&issuer->wire, 0x8012, 0, cw_buf_bytes(&issuer->r),
		&issuer->message_4) != 0x9000)
		cw_play_must(CW_ERR_CARD_SAYS, "OPEN SESSION");
	cw_play_must(cw_message4_decode(cw_buf_bytes(&issuer->message_4), &m),
	    "message 4");
	cw_play_must(cw_channel_init(&issuer->channel, issuer->request.suite,
			 cw_buf_bytes(&issuer->r), &m.card_ephemeral,
			 issuer->ephemeral, &m.card_ephemeral),
	    "channel");
	cw_play_must(cw_channel_open_token(&issuer->channel, m.token,
			 &issuer->token_plain),
	    "sealed token");
	cw_play_must(cw_token_decode(cw_buf_bytes(&issuer->token_plain),
			 &issuer->token),
	    "token");
	cw_play_must(cw_cert_public_key(issuer->token.chain[0],
			 &issuer->attestation),
	    "attestation");
	cw_channel_begin(&issuer->channel, cw_buf_bytes(&issuer->message_4));
	memcpy(play->h_0, issuer->channel.h, sizeof(play->h_0));
	cw_buf_init(&play->ephemeral, CW_BODY_MAX);
	cw_cose_key_put(&play->ephemeral, &m.card_ephemeral);
}

/* Keeps the command that was just answered. */
static void
keep_exchange(struct cw_play *play)
{
	const struct cw_test_issuer *issuer = &play->issuer;
	struct cw_play_exchange *x = &play->exchanges[issuer->i - 1];

	keep(&x->command, cw_buf_bytes(&issuer->command));
	keep(&x->reply, cw_buf_bytes(&issuer->reply));
	keep(&x->reply_plain, cw_buf_bytes(&issuer->reply_plain));
	cw_buf_init(&x->command_plain, CW_BODY_MAX);
	cw_play_must(cw_channel_open_command(&issuer->channel, issuer->i,
			 cw_buf_bytes(&x->command), &x->command_plain),
	    "command");
	memcpy(x->h, issuer->channel.h, sizeof(x->h));
}

static void
certify(struct cw_play *play, const struct cw_public_key *key)
{
	const struct cw_cert_spec spec = {
		.subject = SUBJECT,
		.key = key,
		.days = 730,
		.path_length = CW_CERT_LEAF,
		.key_usage = "critical,digitalSignature",
		.extended_key_usage = "clientAuth",
	};
	struct cw_command command = { .no = CW_SET_CERTIFICATES };
	struct cw_set_certificates *set = &command.u.set_certificates;
	struct cw_reply reply = { .err = CW_OK };

	cw_buf_init(&play->certificate, CW_CERT_MAX_BYTES);
	cw_play_must(cw_cert_make(&spec, play->ca.chain[0], play->issuer.ca_key,
			 play->time_s, &play->certificate),
	    "certificate");
	set->id = KEY_ID;
	set->n_chain = cw_play_issued(play, set->chain);
	cw_play_must(cw_test_issuer_command(&play->issuer, &command, &reply),
	    "SET_CERTIFICATES");
}

static void
run_session(struct cw_play *play)
{
	const struct cw_create_key key = {
		.id = KEY_ID,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE,
		.slot = SLOT,
		.name = cw_bytes_str("Signing in"),
	};
	struct cw_public_key made;

	cw_play_must(cw_test_issuer_create_key(&play->issuer, &key, true,
			 &made),
	    "CREATE_KEY");
	keep_exchange(play);
	certify(play, &made);
	keep_exchange(play);
	cw_play_must(cw_test_issuer_close(&play->issuer, NULL), "CLOSE");
	keep_exchange(play);
}

struct cw_bytes
cw_play_statement(const struct cw_play *play, size_t i, enum cw_command_no no)
{
	struct cw_reply reply;

	cw_play_must(cw_reply_decode(no,
			 cw_buf_bytes(&play->exchanges[i].reply_plain), &reply),
	    "reply");
	return reply.statement;
}

size_t
cw_play_issued(const struct cw_play *play, struct cw_bytes chain[CW_CHAIN_MAX])
{
	size_t n = 0;

	chain[n++] = cw_buf_bytes(&play->certificate);
	for (size_t i = 0; i < play->ca.n_chain; i++)
		chain[n++] = play->ca.chain[i];
	return n;
}

/* What the operators sign, once the card has stated its key. */
static void
approve(struct cw_play *play)
{
	struct cw_approval approval = { .is_approved = true,
		.time_s = play->time_s };

	cw_hash(cw_play_statement(play, 0, CW_CREATE_KEY),
	    approval.statement_hash);
	for (size_t i = 0; i < play->n_approvals; i++) {
		cw_buf_init(&play->approvals[i], CW_APPROVAL_MAX);
		cw_play_must(cw_approval_make(&approval, play->operators[i].key,
				 &play->approvals[i]),
		    "approval");
	}
}

/* ---- the evidence ---- */

static void
copy_chain(struct cw_bytes to[CW_CHAIN_MAX], size_t *n_to,
    const struct cw_bytes *from, size_t n)
{
	memcpy(to, from, n * sizeof(*from));
	*n_to = n;
}

static void
fill_evidence(const struct cw_play *play, struct cw_evidence *e)
{
	const struct cw_test_issuer *issuer = &play->issuer;

	e->request = cw_buf_bytes(&issuer->r);
	e->message_4 = cw_buf_bytes(&issuer->message_4);
	for (size_t i = 0; i < CW_PLAY_COMMANDS; i++) {
		e->commands[i] = cw_buf_bytes(&play->exchanges[i].command);
		e->replies[i] = cw_buf_bytes(&play->exchanges[i].reply);
	}
	e->n_commands = CW_PLAY_COMMANDS;
	copy_chain(e->attestation, &e->n_attestation, issuer->token.chain,
	    issuer->token.n_chain);
	e->token_statement = issuer->token.statement;
	e->card_info = issuer->token.card_info;
	e->n_keys = 1;
	e->key_statements[0] = cw_play_statement(play, 0, CW_CREATE_KEY);
	memcpy(e->close_nonce, issuer->close_nonce, sizeof(e->close_nonce));
	e->result_statement =
	    cw_play_statement(play, CW_PLAY_COMMANDS - 1, CW_CLOSE);
	e->grant = cw_buf_bytes(&play->grant);
	e->n_certificate = cw_play_issued(play, e->certificate);
	copy_chain(e->management, &e->n_management, play->management.chain,
	    play->management.n_chain);
	copy_chain(e->authority, &e->n_authority, play->authority.chain,
	    play->authority.n_chain);
	e->n_approvals = play->n_approvals;
	for (size_t i = 0; i < play->n_approvals; i++) {
		e->approvals[i] = cw_buf_bytes(&play->approvals[i]);
		e->operators[i] = play->operators[i].chain[0];
	}
	e->policy_version = cw_bytes_str("1");
	e->verified_s = play->time_s;
}

void
cw_play_evidence(const struct cw_play *play, struct cw_buf *out)
{
	struct cw_evidence *e = calloc(1, sizeof(*e));
	struct cw_message4 m;

	cw_play_must(e == NULL ? CW_ERR_NO_MEMORY : CW_OK, "evidence");
	cw_play_must(cw_message4_decode(cw_buf_bytes(&play->issuer.message_4),
			 &m),
	    "message 4");
	e->card_ephemeral = m.card_ephemeral;
	fill_evidence(play, e);
	cw_evidence_encode(e, out);
	cw_play_must(out->err, "evidence");
	free(e);
}

/* ---- all of it ---- */

void
cw_play_run(struct cw_play *play, const char *tree, unsigned card,
    unsigned suite, enum cw_mode mode, uint64_t time_s)
{
	const struct cw_card_config config = { 0 };

	memset(play, 0, sizeof(*play));
	play->tree = tree;
	play->time_s = time_s;
	play->n_approvals = suite == 1 ? CW_PLAY_OPERATORS : 0;
	load_tree(play, card, mode);
	cw_play_must(cw_card_open(&config, &play->card), "card");
	cw_play_must(cw_card_personalise(play->card,
			 cw_buf_bytes(&play->personalisation)),
	    "personalisation");
	prepare_issuer(play, suite, mode);
	make_grant_and_intent(play);
	make_capabilities(play);
	open_session(play);
	run_session(play);
	approve(play);
}

static void
wipe_party(struct cw_play_party *party)
{
	cw_key_free(&party->key);
	cw_buf_wipe(&party->memory);
}

void
cw_play_wipe(struct cw_play *play)
{
	cw_test_issuer_wipe(&play->issuer);
	cw_card_free(&play->card);
	cw_key_free(&play->attestation);
	wipe_party(&play->management);
	wipe_party(&play->authority);
	wipe_party(&play->ca);
	wipe_party(&play->vendor_root);
	wipe_party(&play->issuer_root);
	for (size_t i = 0; i < play->n_approvals; i++) {
		wipe_party(&play->operators[i]);
		cw_buf_wipe(&play->approvals[i]);
	}
	cw_buf_wipe(&play->personalisation);
	cw_buf_wipe(&play->grant);
	cw_buf_wipe(&play->intent);
	cw_buf_wipe(&play->capabilities);
	cw_buf_wipe(&play->ephemeral);
	cw_buf_wipe(&play->certificate);
	for (size_t i = 0; i < CW_PLAY_COMMANDS; i++) {
		cw_buf_wipe(&play->exchanges[i].command);
		cw_buf_wipe(&play->exchanges[i].command_plain);
		cw_buf_wipe(&play->exchanges[i].reply);
		cw_buf_wipe(&play->exchanges[i].reply_plain);
	}
	for (size_t i = 0; i < play->n_apdus; i++) {
		cw_buf_wipe(&play->apdus[i][0]);
		cw_buf_wipe(&play->apdus[i][1]);
	}
}
