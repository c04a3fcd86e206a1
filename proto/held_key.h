/* SPDX-License-Identifier: Apache-2.0 */
/* What the holder's programs ask of keys on a card outside a session
 * (session.cddl "APDU payloads"). Views borrow. */
#ifndef CW_PROTO_HELD_KEY_H
#define CW_PROTO_HELD_KEY_H

#include "proto/apdu.h"
#include "proto/command.h"
#include "proto/key_alg.h"
#include "proto/properties.h"

/* The arguments of any of these instructions; which ones each has is a table.
 * What is absent is 0 or empty. */
struct cw_key_request {
	uint32_t handle;
	enum cw_key_operation operation;
	int32_t algorithm;
	struct cw_bytes data;
	struct cw_bytes type; /* of an extension */
	struct cw_bytes name; /* of a property; a subject */
	struct cw_bytes pin;  /* PIN or PUK, whichever it needs */
	struct cw_bytes new_pin;
	uint32_t attestation; /* 1 the card's own, 2 its batch's */
};

#define CW_USE_MAX 32768 /* bytes to be signed, decrypted, … */

/* `ins`: CW_INS_READ_KEY to CW_INS_UNBLOCK_KEY, DELETE, ATTEST_OFFLINE. */
void cw_key_request_encode(enum cw_ins ins, const struct cw_key_request *q,
    struct cw_buf *out);
/* Errors: the reader's, BAD_TEXT; UNKNOWN_COMMAND for another instruction. */
enum cw_err cw_key_request_decode(enum cw_ins ins, struct cw_bytes in,
    struct cw_key_request *out) __attribute__((warn_unused_result));

struct cw_held_extension {
	struct cw_bytes type;
	enum cw_extension_kind kind;
	struct cw_bytes media_type;
};

/* The answer to READ KEY. */
struct cw_held_key {
	uint32_t handle;
	struct cw_attributes attributes;
	struct cw_public_key key; /* type 0: a secret */
	size_t n_chain;
	struct cw_bytes chain[CW_CHAIN_MAX];
	bool has_pin, is_modifiable; /* outside PIV slots */
	struct cw_pin_rule pin_rule;
	unsigned pin_tries;
	bool has_puk;
	struct cw_pin_rule puk_rule;
	unsigned puk_tries;
	bool exported;
	size_t n_extensions;
	struct cw_held_extension extensions[CW_EXTENSIONS_MAX];
};

void cw_held_key_encode(const struct cw_held_key *k, struct cw_buf *out);
enum cw_err cw_held_key_decode(struct cw_bytes in, struct cw_held_key *out)
    __attribute__((warn_unused_result));

/* The answer to ATTEST OFFLINE. */
struct cw_attested {
	struct cw_bytes statement;
	size_t n_chain;
	struct cw_bytes chain[CW_CHAIN_MAX];
};

void cw_attested_encode(const struct cw_attested *a, struct cw_buf *out);
enum cw_err cw_attested_decode(struct cw_bytes in, struct cw_attested *out)
    __attribute__((warn_unused_result));

/* ---- the offline statement ---- */

struct cw_offline_statement {
	uint8_t challenge[CW_HASH_BYTES]; /* H(challenge) */
	uint8_t request[CW_HASH_BYTES];   /* H([subject, public key]) */
	struct cw_attributes attributes;
};

/* H of the array of a subject (RFC 4514) and a public key. */
void cw_offline_request_hash(struct cw_bytes subject,
    const struct cw_public_key *key, uint8_t out[CW_HASH_BYTES]);

enum cw_err cw_offline_statement_make(const struct cw_offline_statement *s,
    const struct cw_private_key *attestation, struct cw_buf *out)
    __attribute__((warn_unused_result));
enum cw_err cw_offline_statement_verify(struct cw_bytes in,
    const struct cw_public_key *attestation, struct cw_offline_statement *out)
    __attribute__((warn_unused_result));

#endif
