/* SPDX-License-Identifier: Apache-2.0 */
/* Message 4: card ephemeral key, and the sealed token with its statement. */
#ifndef CW_PROTO_TOKEN_H
#define CW_PROTO_TOKEN_H

#include "proto/cose.h"
#include "proto/limits.h"
#include "proto/x509.h"

struct cw_message4 {
	struct cw_public_key card_ephemeral;
	struct cw_bytes token; /* COSE_Encrypt0 */
};

void cw_message4_encode(const struct cw_message4 *m, struct cw_buf *out);
enum cw_err cw_message4_decode(struct cw_bytes in, struct cw_message4 *out)
    __attribute__((warn_unused_result));

/* The token's plaintext; views borrow. */
struct cw_token {
	size_t n_chain;
	struct cw_bytes chain[CW_CHAIN_MAX]; /* DER, leaf first, without root */
	struct cw_bytes statement;           /* Sign1 */
	struct cw_bytes card_info;           /* bytes of card-info */
	bool has_pseudonym;
	uint8_t pseudonym[CW_HASH_BYTES];
};

void cw_token_encode(const struct cw_token *token, struct cw_buf *out);
enum cw_err cw_token_decode(struct cw_bytes in, struct cw_token *out)
    __attribute__((warn_unused_result));

struct cw_card_info {
	struct cw_bytes model;
	struct cw_bytes firmware;
	uint64_t keys_free;
	bool pin_set;
	struct cw_bytes serial; /* mode 1 only; empty otherwise */
};

void cw_card_info_encode(const struct cw_card_info *info, struct cw_buf *out);
enum cw_err cw_card_info_decode(struct cw_bytes in, struct cw_card_info *out)
    __attribute__((warn_unused_result));

struct cw_token_statement {
	uint8_t th[CW_HASH_BYTES];
	enum cw_mode mode;
	uint8_t leaf_hash[CW_HASH_BYTES];
	uint8_t card_info_hash[CW_HASH_BYTES];
	bool has_pseudonym;
	uint8_t pseudonym[CW_HASH_BYTES];
};

enum cw_err cw_token_statement_make(const struct cw_token_statement *s,
    const struct cw_private_key *attestation, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* Signature and form. Errors: BAD_SIGNATURE, WRONG_LABEL, the reader's. */
enum cw_err cw_token_statement_verify(struct cw_bytes in,
    const struct cw_public_key *attestation, struct cw_token_statement *out)
    __attribute__((warn_unused_result));

/*
 * The issuer's whole check of a token, after its chain gave `attestation`:
 * statement over this th and mode, leaf and card information as hashed,
 * attestation kind and pseudonym as the mode wants them, the certificate's
 * model in the card information, serial only in mode 1.
 * Errors: BAD_SIGNATURE, WRONG_STATEMENT, WRONG_MODE, the reader's.
 */
enum cw_err cw_token_check(const struct cw_token *token,
    const struct cw_attestation *attestation, const uint8_t th[CW_HASH_BYTES],
    enum cw_mode mode) __attribute__((warn_unused_result));

#endif
