/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a card says in a session, without the card: tokens and statements made
 * from a personalisation, with any field changed. For tests of the signer.
 */
#ifndef CW_TESTS_KEYS_CARD_H
#define CW_TESTS_KEYS_CARD_H

#include "proto/card_link.h"
#include "proto/grant.h"
#include "proto/request.h"
#include "proto/statement.h"
#include "proto/token.h"
#include "tests/support/keys_tree.h"

struct cw_keys_card {
	struct cw_buf memory;
	struct cw_personalisation p;
	struct cw_private_key *own, *batch;
};

void cw_keys_card_load(struct cw_keys_card *card,
    const struct cw_keys_tree *tree, unsigned number);
void cw_keys_card_free(struct cw_keys_card *card);

/* One session: what the web process has of it. */
struct cw_keys_session {
	const struct cw_keys_card *card;
	enum cw_mode mode;
	struct cw_buf grant, request, token, statement;
	uint8_t request_tag[CW_TAG_BYTES];
	struct cw_public_key card_ephemeral;
	uint8_t th[CW_HASH_BYTES];
	struct cw_session_proof proof;
	struct cw_verdict verdict;
	uint8_t serial[CW_SERIAL_BYTES];
};

/* A grant that the development profiles allow: person, mode 1, one use. */
struct cw_grant cw_keys_grant(uint64_t now_s);

/* The request that fits the grant: everything that the web process fills in. */
struct cw_request cw_keys_request(const struct cw_grant *grant);

void cw_keys_session_init(struct cw_keys_session *x,
    const struct cw_keys_card *card, enum cw_mode mode);
void cw_keys_session_wipe(struct cw_keys_session *x);

/* After x->request and x->request_tag are there: the card's ephemeral key, th,
 * and the token, whose plain parts a test may then change and sign again. */
void cw_keys_session_open(struct cw_keys_session *x);

/* The token again, with this th and mode in its statement. */
void cw_keys_session_token(struct cw_keys_session *x,
    const uint8_t th[CW_HASH_BYTES], enum cw_mode mode);

/* A key statement of this session for a fresh key; the caller may change it. */
struct cw_key_statement cw_keys_session_key(const struct cw_keys_session *x,
    const struct cw_public_key *management, uint32_t key_id);

/* Signs it by the card's attestation key of the session's mode. */
void cw_keys_session_state(struct cw_keys_session *x,
    const struct cw_key_statement *statement);

#endif
