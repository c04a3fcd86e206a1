/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make_session TREE OUT: plays a whole session per suite with the keys and cards
 * of a development tree (cardwright-keys dev) and writes into the folder OUT
 * every value of them, the secrets included, and the evidence:
 *
 *   session-suite1.json  evidence-suite1.cbor    mode 2, with two approvals
 *   session-suite2.json  evidence-suite2.cbor    mode 1
 */
#include <stdlib.h>

#include "proto/base/clock.h"
#include "proto/base/fdio.h"
#include "proto/base/secret.h"
#include "tests/support/json_write.h"
#include "tests/support/session_play.h"

/* ---- the vector file ---- */

/* nonce_i and the array that is external_aad, from docs/protocol.md 6. */
static void
put_sealing(struct cw_json_writer *w, const char *nonce_name,
    const char *aad_name, const struct cw_channel *ch, const uint8_t *iv,
    const char *label, unsigned i, const struct cw_bytes *command)
{
	uint8_t nonce[CW_AEAD_NONCE_MAX], hash[CW_HASH_BYTES];
	size_t n = ch->suite->nonce_bytes;
	struct cw_buf aad;

	memcpy(nonce, iv, n);
	nonce[n - 1] ^= (uint8_t)i;
	cw_json_put_hex(w, nonce_name, cw_bytes(nonce, n));
	cw_buf_init(&aad, 256);
	cw_cbor_put_array(&aad, i == 0 ? 2 : command == NULL ? 3 : 4);
	cw_cbor_put_str(&aad, label);
	cw_cbor_put_bstr(&aad, CW_BYTES_ARRAY(ch->th));
	if (i > 0)
		cw_cbor_put_uint(&aad, i);
	if (command != NULL) {
		cw_hash(*command, hash);
		cw_cbor_put_bstr(&aad, CW_BYTES_ARRAY(hash));
	}
	cw_json_put_hex(w, aad_name, cw_buf_bytes(&aad));
	cw_buf_wipe(&aad);
}

static void
put_scalar(struct cw_json_writer *w, const char *name,
    const struct cw_private_key *key)
{
	uint8_t scalar[32];

	cw_play_must(cw_key_scalar(key, scalar), name);
	cw_json_put_hex(w, name, CW_BYTES_ARRAY(scalar));
}

static void
put_secrets(struct cw_json_writer *w, const struct cw_play *play)
{
	cw_json_open(w, "secrets", '{');
	put_scalar(w, "issuer_ephemeral", play->issuer.ephemeral);
	put_scalar(w, "management_key", play->issuer.management_key);
	put_scalar(w, "authority_key", play->authority.key);
	put_scalar(w, "attestation_key", play->attestation);
	for (size_t i = 0; i < CW_PLAY_OPERATORS; i++) {
		char name[32];

		snprintf(name, sizeof(name), "operator_%zu_key", i + 1);
		if (i < play->n_approvals)
			put_scalar(w, name, play->operators[i].key);
		else
			cw_json_put_null(w, name);
	}
	if (play->issuer.token.has_pseudonym)
		cw_json_put_hex(w, "card_secret",
		    CW_BYTES_ARRAY(play->p.card_secret));
	else
		cw_json_put_null(w, "card_secret");
	cw_json_close(w, '}');
}

/* Both ends' halves of two batches: CREATE_KEY; SET_CERTIFICATES and CLOSE. */
static void
put_batch(struct cw_json_writer *w, const struct cw_play *play,
    const char *down, const char *up, size_t from, size_t to)
{
	struct cw_batch commands = { .phase = from == 0 ? CW_PHASE_CREATING :
							  CW_PHASE_INSTALLING };
	struct cw_batch replies = { .n = to - from };
	struct cw_buf out;

	commands.n = to - from;
	for (size_t i = from; i < to; i++) {
		commands.items[i - from] =
		    cw_buf_bytes(&play->exchanges[i].command);
		replies.items[i - from] =
		    cw_buf_bytes(&play->exchanges[i].reply);
	}
	cw_buf_init(&out, CW_BODY_MAX);
	cw_batch_encode(&commands, &out);
	cw_play_must(out.err, "batch");
	cw_json_put_hex(w, down, cw_buf_bytes(&out));
	cw_buf_reset(&out);
	cw_replies_encode(&replies, &out);
	cw_play_must(out.err, "replies");
	cw_json_put_hex(w, up, cw_buf_bytes(&out));
	cw_buf_wipe(&out);
}

static void
put_messages(struct cw_json_writer *w, const struct cw_play *play)
{
	cw_json_open(w, "messages", '{');
	cw_json_put_hex(w, "1", cw_buf_bytes(&play->intent));
	cw_json_put_hex(w, "2", cw_buf_bytes(&play->capabilities));
	cw_json_put_hex(w, "3", cw_buf_bytes(&play->issuer.r));
	cw_json_put_hex(w, "4", cw_buf_bytes(&play->issuer.message_4));
	put_batch(w, play, "5", "6", 0, 1);
	put_batch(w, play, "7", "8", 1, CW_PLAY_COMMANDS);
	cw_json_close(w, '}');
}

static void
put_schedule(struct cw_json_writer *w, const struct cw_play *play)
{
	const struct cw_channel *ch = &play->issuer.channel;
	uint8_t z[32], prk[CW_HASH_BYTES];
	struct cw_message4 m;

	cw_play_must(cw_message4_decode(cw_buf_bytes(&play->issuer.message_4),
			 &m),
	    "message 4");
	cw_play_must(cw_agree(play->issuer.ephemeral, &m.card_ephemeral, z),
	    "Z");
	cw_hkdf_extract(CW_BYTES_ARRAY(ch->th), CW_BYTES_ARRAY(z), prk);
	cw_json_put_hex(w, "card_ephemeral", cw_buf_bytes(&play->ephemeral));
	cw_json_put_hex(w, "th", CW_BYTES_ARRAY(ch->th));
	cw_json_put_hex(w, "z", CW_BYTES_ARRAY(z));
	cw_json_put_hex(w, "prk", CW_BYTES_ARRAY(prk));
	cw_json_put_hex(w, "down_key", CW_BYTES_ARRAY(ch->down_key));
	cw_json_put_hex(w, "down_iv",
	    cw_bytes(ch->down_iv, ch->suite->nonce_bytes));
	cw_json_put_hex(w, "up_key", CW_BYTES_ARRAY(ch->up_key));
	cw_json_put_hex(w, "up_iv",
	    cw_bytes(ch->up_iv, ch->suite->nonce_bytes));
}

static void
put_token(struct cw_json_writer *w, const struct cw_play *play)
{
	const struct cw_test_issuer *issuer = &play->issuer;
	const struct cw_token *token = &issuer->token;

	cw_json_open(w, "token", '{');
	put_sealing(w, "nonce", "aad", &issuer->channel, issuer->channel.up_iv,
	    "CW1 token", 0, NULL);
	cw_json_put_hex(w, "plaintext", cw_buf_bytes(&issuer->token_plain));
	cw_json_put_list(w, "chain", token->chain, token->n_chain);
	cw_json_put_hex(w, "statement", token->statement);
	cw_json_put_hex(w, "card_info", token->card_info);
	if (token->has_pseudonym)
		cw_json_put_hex(w, "pseudonym",
		    CW_BYTES_ARRAY(token->pseudonym));
	else
		cw_json_put_null(w, "pseudonym");
	cw_json_close(w, '}');
}

static void
put_exchange(struct cw_json_writer *w, const struct cw_play *play, unsigned i)
{
	const struct cw_play_exchange *x = &play->exchanges[i - 1];
	const struct cw_channel *ch = &play->issuer.channel;
	struct cw_bytes command = cw_buf_bytes(&x->command);

	cw_json_open(w, NULL, '{');
	cw_json_put_number(w, "i", i);
	cw_json_put_hex(w, "command_plaintext",
	    cw_buf_bytes(&x->command_plain));
	put_sealing(w, "command_nonce", "command_aad", ch, ch->down_iv,
	    "CW1 down", i, NULL);
	cw_json_put_hex(w, "command", command);
	cw_json_put_hex(w, "reply_plaintext", cw_buf_bytes(&x->reply_plain));
	put_sealing(w, "reply_nonce", "reply_aad", ch, ch->up_iv, "CW1 up", i,
	    &command);
	cw_json_put_hex(w, "reply", cw_buf_bytes(&x->reply));
	if (i < CW_PLAY_COMMANDS)
		cw_json_put_hex(w, "h", CW_BYTES_ARRAY(x->h));
	else
		cw_json_put_null(w, "h");
	cw_json_close(w, '}');
}

static void
put_outcome(struct cw_json_writer *w, const struct cw_play *play)
{
	struct cw_bytes chain[CW_CHAIN_MAX];
	struct cw_bytes key = cw_play_statement(play, 0, CW_CREATE_KEY);
	struct cw_bytes lists[2][CW_PLAY_OPERATORS];

	cw_json_put_hex(w, "h_0", CW_BYTES_ARRAY(play->h_0));
	cw_json_open(w, "exchanges", '[');
	for (unsigned i = 1; i <= CW_PLAY_COMMANDS; i++)
		put_exchange(w, play, i);
	cw_json_close(w, ']');
	cw_json_put_hex(w, "h_end", CW_BYTES_ARRAY(play->issuer.h_end));
	cw_json_put_list(w, "key_statements", &key, 1);
	cw_json_put_hex(w, "close_nonce",
	    CW_BYTES_ARRAY(play->issuer.close_nonce));
	cw_json_put_hex(w, "result_statement",
	    cw_play_statement(play, CW_PLAY_COMMANDS - 1, CW_CLOSE));
	cw_json_put_list(w, "issued", chain, cw_play_issued(play, chain));
	for (size_t i = 0; i < play->n_approvals; i++)
		lists[0][i] = cw_buf_bytes(&play->approvals[i]);
	for (size_t i = 0; i < play->n_approvals; i++)
		lists[1][i] = play->operators[i].chain[0];
	cw_json_put_list(w, "approvals", lists[0], play->n_approvals);
	cw_json_put_list(w, "operators", lists[1], play->n_approvals);
}

/* What is sent to the card under this instruction. */
static const char *
apdu_name(uint8_t ins)
{
	static const struct {
		uint8_t ins;
		const char *name;
	} names[] = { { 0xA4, "SELECT" }, { 0x10, "GET CAPABILITIES" },
		{ 0x12, "OPEN SESSION" }, { 0x14, "COMMAND" },
		{ 0x16, "PIN INFO" }, { 0x18, "SET PIN" } };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].ins == ins)
			return names[i].name;
	return "?";
}

static void
put_apdus(struct cw_json_writer *w, const struct cw_play *play)
{
	cw_json_open(w, "apdus", '[');
	for (size_t i = 0; i < play->n_apdus; i++) {
		const struct cw_buf *apdu = play->apdus[i];

		cw_json_open(w, NULL, '{');
		cw_json_put_text(w, "name", apdu_name(apdu[0].ptr[1]));
		cw_json_put_hex(w, "command", cw_buf_bytes(&apdu[0]));
		cw_json_put_hex(w, "response", cw_buf_bytes(&apdu[1]));
		cw_json_close(w, '}');
	}
	cw_json_close(w, ']');
}

static void
write_session(const struct cw_play *play, const char *out, const char *name)
{
	const struct cw_request *request = &play->issuer.request;
	struct cw_json_writer w = { .file =
					fopen(cw_play_path(out, name), "w") };

	cw_play_must(w.file == NULL ? CW_ERR_IO : CW_OK, name);
	cw_json_open(&w, NULL, '{');
	cw_json_put_text(&w, "description",
	    "A whole session with its secrets, for tests: docs/protocol.md");
	cw_json_put_number(&w, "suite", request->suite->id);
	cw_json_put_number(&w, "mode", request->mode);
	cw_json_put_number(&w, "time", play->time_s);
	cw_json_put_hex(&w, "vendor_root", play->vendor_root.chain[0]);
	cw_json_put_hex(&w, "issuer_root", play->issuer_root.chain[0]);
	cw_json_put_list(&w, "management", play->management.chain,
	    play->management.n_chain);
	cw_json_put_list(&w, "authority", play->authority.chain,
	    play->authority.n_chain);
	put_secrets(&w, play);
	cw_json_put_hex(&w, "grant", cw_buf_bytes(&play->grant));
	put_messages(&w, play);
	put_schedule(&w, play);
	put_token(&w, play);
	put_outcome(&w, play);
	put_apdus(&w, play);
	cw_json_close(&w, '}');
	cw_play_must(fclose(w.file) == 0 ? CW_OK : CW_ERR_IO, name);
}

/* ---- all of it ---- */

static void
make(const char *tree, const char *out, unsigned suite, enum cw_mode mode)
{
	struct cw_play *play = calloc(1, sizeof(*play));
	const struct cw_clock clock = cw_clock_system();
	struct cw_buf evidence;
	char name[32];

	cw_play_must(play == NULL ? CW_ERR_NO_MEMORY : CW_OK, "play");
	cw_play_run(play, tree, suite, suite, mode, cw_clock_now_s(&clock));
	snprintf(name, sizeof(name), "session-suite%u.json", suite);
	write_session(play, out, name);
	cw_buf_init(&evidence, CW_EVIDENCE_MAX);
	cw_play_evidence(play, &evidence);
	snprintf(name, sizeof(name), "evidence-suite%u.cbor", suite);
	cw_play_must(cw_file_store(cw_play_path(out, name),
			 cw_buf_bytes(&evidence), 0644),
	    name);
	cw_buf_wipe(&evidence);
	cw_play_wipe(play);
	free(play);
}

int
main(int argc, char **argv)
{
	if (argc != 3) {
		fputs("usage: make_session TREE OUT\n", stderr);
		return 2;
	}
	if (!cw_secret_process_init())
		cw_play_must(CW_ERR_INTERNAL, "start");
	make(argv[1], argv[2], 1, CW_MODE_PSEUDONYMOUS);
	make(argv[1], argv[2], 2, CW_MODE_IDENTIFIED);
	return 0;
}
