/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A whole session between the reference card and a tiny issuer, both in this
 * process, with the keys of a development tree: CREATE_KEY for P-256 in slot 9A,
 * SET_CERTIFICATES, CLOSE, and PIN and PUK in between. Everything of it is kept.
 * What goes wrong ends the program with a message.
 */
#ifndef CW_TESTS_SESSION_PLAY_H
#define CW_TESTS_SESSION_PLAY_H

#include "proto/card_link.h"
#include "proto/evidence.h"
#include "tests/support/issuer.h"

#define CW_PLAY_APDUS_MAX 32
#define CW_PLAY_COMMANDS 3
#define CW_PLAY_OPERATORS 2

struct cw_play_party {
	struct cw_private_key *key;
	struct cw_buf memory;
	size_t n_chain;
	struct cw_bytes chain[CW_CHAIN_MAX];
};

struct cw_play_exchange {
	struct cw_buf command, command_plain, reply, reply_plain;
	uint8_t h[CW_HASH_BYTES]; /* after it */
};

struct cw_play {
	const char *tree;
	uint64_t time_s; /* of everything */
	struct cw_play_party management, authority, ca, vendor_root,
	    issuer_root; /* the roots without keys */
	/* In suite 1 operators approve the key. */
	size_t n_approvals; /* CW_PLAY_OPERATORS or 0 */
	struct cw_play_party operators[CW_PLAY_OPERATORS];
	struct cw_buf approvals[CW_PLAY_OPERATORS];
	struct cw_buf personalisation;
	struct cw_personalisation p;
	struct cw_private_key *attestation; /* the one of the mode */
	struct cw_card *card;
	struct cw_test_issuer issuer;
	struct cw_buf grant, intent, capabilities, ephemeral, certificate;
	uint8_t h_0[CW_HASH_BYTES];
	struct cw_play_exchange exchanges[CW_PLAY_COMMANDS];
	size_t n_apdus;
	struct cw_buf apdus[CW_PLAY_APDUS_MAX][2]; /* command, response */
};

/* Plays it with card `card` of the tree, at this time. */
void cw_play_run(struct cw_play *play, const char *tree, unsigned card,
    unsigned suite, enum cw_mode mode, uint64_t time_s);
void cw_play_wipe(struct cw_play *play);

/* The statement in the reply to command `i` (from 0). */
struct cw_bytes cw_play_statement(const struct cw_play *play, size_t i,
    enum cw_command_no no);

/* What was given to the card for its key: how many certificates. */
size_t cw_play_issued(const struct cw_play *play,
    struct cw_bytes chain[CW_CHAIN_MAX]);

/* What the issuer would keep of it, appended. */
void cw_play_evidence(const struct cw_play *play, struct cw_buf *out);

/* DIR/NAME, until the next call. */
const char *cw_play_path(const char *dir, const char *name);

/* Ends the program unless `err` is CW_OK. */
void cw_play_must(enum cw_err err, const char *what);

#endif
