/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tiny issuer in this process: plays all eight steps with a card on any
 * wire, by the same proto/ code as the real one, and can be told to misbehave.
 *
 *   struct cw_test_issuer issuer;
 *   cw_test_issuer_init(&issuer, wire);
 *   err = cw_test_issuer_enroll(&issuer, CW_KEY_P256, 0x9A);
 *   cw_test_issuer_wipe(&issuer);
 *
 * Functions return CW_OK, the error that they found in what the card said, the
 * card's error reply, or CARD_SAYS with the status word in issuer->sw.
 */
#ifndef CW_TESTS_ISSUER_H
#define CW_TESTS_ISSUER_H

#include "proto/channel.h"
#include "proto/command.h"
#include "proto/request.h"
#include "proto/token.h"
#include "tests/support/card_factory.h"

#define CW_TEST_PIN "831942"
#define CW_TEST_PUK "58203147"
#define CW_TEST_URI "https://issuer.test:8443/session"
#define CW_TEST_ORIGIN "https://issuer.test:8443"

struct cw_test_issuer {
	struct cw_test_wire wire;
	struct cw_private_key *management_key, *ca_key;
	struct cw_buf ca; /* certificate, DER */

	/* Of the next session; a test may change them before _request. */
	struct cw_request request; /* suite, mode, scope, uri, command limit */
	const char *model;         /* the card's; NULL: whatever it says */
	const char *pin, *puk;     /* given when asked; NULL: not given */

	/* Of the session that runs. */
	struct cw_buf caps;      /* the card's bytes */
	struct cw_buf r;         /* message 3 */
	struct cw_buf message_4; /* message 4 */
	struct cw_private_key *ephemeral;
	struct cw_channel channel;
	struct cw_buf token_plain;
	struct cw_token token;            /* views into token_plain */
	struct cw_public_key attestation; /* the leaf's key */
	unsigned i;                       /* commands answered */
	struct cw_buf command, reply;     /* the last one, encrypted */
	struct cw_buf reply_plain;
	uint8_t h_end[CW_HASH_BYTES]; /* for the last command sealed */
	uint8_t close_nonce[CW_NONCE_BYTES];
	struct cw_buf certificate; /* the last one made */
	unsigned sw;               /* the last status word */
};

/* Suite 1, mode 2, P-256 keys, scope: everything that the card has. */
void cw_test_issuer_init(struct cw_test_issuer *issuer,
    const struct cw_test_wire *wire);
void cw_test_issuer_wipe(struct cw_test_issuer *issuer);

/* ---- the steps ---- */

/* SELECT, GET CAPABILITIES. */
enum cw_err cw_test_issuer_capabilities(struct cw_test_issuer *issuer);

/* Makes R for these capabilities, with a new session id and ephemeral key. */
enum cw_err cw_test_issuer_request(struct cw_test_issuer *issuer);

/* OPEN SESSION with issuer->r; opens and checks message 4. */
enum cw_err cw_test_issuer_open(struct cw_test_issuer *issuer);

/* All three. */
enum cw_err cw_test_issuer_begin(struct cw_test_issuer *issuer);

/* Seals a command as the next one, into issuer->command. */
enum cw_err cw_test_issuer_seal(struct cw_test_issuer *issuer,
    const struct cw_command *command);

/* Sends bytes as COMMAND of this session; issuer->reply, issuer->sw. */
enum cw_err cw_test_issuer_send(struct cw_test_issuer *issuer,
    struct cw_bytes bytes);

/* Seals, sends (giving PIN and PUK when asked), opens the reply. */
enum cw_err cw_test_issuer_command(struct cw_test_issuer *issuer,
    const struct cw_command *command, struct cw_reply *reply);

/* SET PIN for what the card says it needs. */
enum cw_err cw_test_issuer_set_pin(struct cw_test_issuer *issuer);

/* CREATE_KEY (with a name, if it has none), and a check of the statement. */
enum cw_err cw_test_issuer_create_key(struct cw_test_issuer *issuer,
    const struct cw_create_key *key, bool last, struct cw_public_key *made);

/* Certifies a key and sends SET_CERTIFICATES; issuer->certificate. */
enum cw_err cw_test_issuer_certify(struct cw_test_issuer *issuer, uint32_t id,
    const struct cw_public_key *key);

/* CLOSE, and a check of the result statement; `result` may be NULL. */
enum cw_err cw_test_issuer_close(struct cw_test_issuer *issuer,
    struct cw_result_statement *result);

/* ---- whole sessions ---- */

/* One key (id: the slot's number, or 1) with its certificate. */
enum cw_err cw_test_issuer_enroll(struct cw_test_issuer *issuer,
    enum cw_key_type type, uint8_t slot);

/* Usage bits that fit a key type. */
unsigned cw_test_usage(enum cw_key_type type);

/* A certificate of the issuer's CA for any key, into issuer->certificate. */
enum cw_err cw_test_issuer_make_certificate(struct cw_test_issuer *issuer,
    const struct cw_public_key *key, const char *subject);

#endif
