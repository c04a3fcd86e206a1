/* SPDX-License-Identifier: Apache-2.0 */
/* Statements of the card about keys and the whole session. Views borrow. */
#ifndef CW_PROTO_STATEMENT_H
#define CW_PROTO_STATEMENT_H

#include "proto/cose.h"
#include "proto/limits.h"

enum cw_origin { CW_ORIGIN_CARD = 1, CW_ORIGIN_IMPORTED = 2 };

/* What an operation on a key needs (docs/protocol.md "Keys"). */
enum cw_guard {
	CW_GUARD_NONE = 0,
	CW_GUARD_PIN = 1,
	CW_GUARD_PUK = 2,
	CW_GUARD_NEVER = 3, /* nobody but the issuer */
};

#define CW_ALGORITHMS_MAX 16

/* Attributes of a key, as the card enforces them. */
struct cw_attributes {
	enum cw_key_type type; /* or CW_KEY_SECRET */
	unsigned usage;        /* CW_USAGE_ bits */
	enum cw_origin origin;
	bool exportable;
	uint32_t pin_policy;        /* object id, or 0 */
	uint8_t slot;               /* PIV key reference, or 0 */
	enum cw_guard export_guard; /* NONE, PIN or PUK, if exportable */
	enum cw_guard delete_guard; /* for the holder */
	size_t n_algorithms;        /* 0: all that fit type and usage */
	int32_t algorithms[CW_ALGORITHMS_MAX]; /* COSE, ascending */
	struct cw_bytes name;                  /* may be empty */
};

/* A type that no key pair has: an imported secret of 1..128 bytes. */
#define CW_KEY_SECRET ((enum cw_key_type)7)
#define CW_SECRET_MAX 128

#define CW_USAGE_SIGN 1u
#define CW_USAGE_DECRYPT 2u
#define CW_USAGE_AGREE 4u
#define CW_USAGE_AUTHENTICATE 8u
#define CW_USAGE_MAC 16u     /* this and the rest: secrets */
#define CW_USAGE_ENCRYPT 32u /* both ways */
#define CW_USAGE_KEEP 64u    /* nothing but EXPORT */
#define CW_USAGE_PAIR 15u    /* all bits of key pairs */

void cw_attributes_put(struct cw_buf *b, const struct cw_attributes *a);
void cw_attributes_get(struct cw_cbor_reader *r, struct cw_attributes *a);

/* COSE algorithm numbers, ascending and unique: NOT_DETERMINISTIC. */
void cw_algorithms_put(struct cw_buf *b, const int32_t *algorithms, size_t n);
size_t cw_algorithms_get(struct cw_cbor_reader *r,
    int32_t algorithms[CW_ALGORITHMS_MAX]);

struct cw_key_statement {
	uint8_t th[CW_HASH_BYTES];
	uint8_t management_hash[CW_HASH_BYTES]; /* H(COSE_Key) */
	enum cw_mode mode;
	uint8_t leaf_hash[CW_HASH_BYTES];
	uint32_t key_id;
	struct cw_public_key key;
	struct cw_attributes attributes;
};

enum cw_err cw_key_statement_make(const struct cw_key_statement *s,
    const struct cw_private_key *attestation, struct cw_buf *out)
    __attribute__((warn_unused_result));
enum cw_err cw_key_statement_verify(struct cw_bytes in,
    const struct cw_public_key *attestation, struct cw_key_statement *out)
    __attribute__((warn_unused_result));
/* What it says; that the card says it is for somebody else to verify. */
enum cw_err cw_key_statement_decode(struct cw_bytes in,
    struct cw_key_statement *out) __attribute__((warn_unused_result));

/* What a result says was done with an object (session.cddl). */
enum cw_done {
	CW_DONE_PIN_POLICY = 1,
	CW_DONE_KEY = 2, /* hash of CBOR [+ bstr]: the certificate chain */
	CW_DONE_DELETED = 3,
	CW_DONE_UPDATED = 4,
	CW_DONE_UNLOCKED = 5,
	CW_DONE_EXTENSION = 6,
	CW_DONE_PUK_POLICY = 7,
	CW_DONE_IMPORTED = 8,
	CW_DONE_CLONED = 9,
};

#define CW_DONE_MAX 256

struct cw_result_item {
	uint32_t object_id;
	enum cw_done done;
	uint8_t
	    hash[CW_HASH_BYTES]; /* of the object or its certificate chain */
};

struct cw_result_statement {
	uint8_t th[CW_HASH_BYTES];
	uint8_t h_end[CW_HASH_BYTES];
	uint8_t close_nonce[CW_NONCE_BYTES];
	bool has_counter; /* not in mode 3 */
	uint64_t counter;
	size_t n_items;
	struct cw_result_item items[CW_DONE_MAX];
};

enum cw_err cw_result_statement_make(const struct cw_result_statement *s,
    const struct cw_private_key *attestation, struct cw_buf *out)
    __attribute__((warn_unused_result));
/* Reads one whose signature was verified before, or does not matter. */
enum cw_err cw_result_statement_read(struct cw_bytes in,
    struct cw_result_statement *out) __attribute__((warn_unused_result));
enum cw_err cw_result_statement_verify(struct cw_bytes in,
    const struct cw_public_key *attestation, struct cw_result_statement *out)
    __attribute__((warn_unused_result));

/* H(CBOR [+ bstr DER]), as it stands in results. */
void cw_certificates_hash(const struct cw_bytes *chain, size_t n,
    uint8_t out[CW_HASH_BYTES]);

#endif
