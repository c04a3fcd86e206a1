/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COSE (RFC 9052) as session.cddl narrows it: COSE_Sign1, COSE_Encrypt0,
 * COSE_Key, untagged, with exactly the headers that the protocol uses.
 */
#ifndef CW_PROTO_COSE_H
#define CW_PROTO_COSE_H

#include "proto/cbor.h"
#include "proto/crypto.h"

/* ---- COSE_Key ---- */

/* Encodes deterministically (session.cddl cose-key); sets BAD_KEY in the
 * buffer for a key whose lengths are not those of its type. */
void cw_cose_key_put(struct cw_buf *b, const struct cw_public_key *key);

/* Reads one with exactly the members of its type; the point itself is checked by
 * cw_public_key_check or at use. BAD_KEY: a curve or length that no key type
 * has, another member, RSA numbers with leading zeros. Zeroed on error. */
void cw_cose_key_get(struct cw_cbor_reader *r, struct cw_public_key *key);

/* H(COSE_Key): how keys are named in statements. For a valid key. */
void cw_cose_key_hash(const struct cw_public_key *key,
    uint8_t out[CW_HASH_BYTES]);

/* ---- COSE_Sign1 ---- */

struct cw_cose_sign1 {
	struct cw_bytes protected_header; /* contents of the byte string */
	enum cw_alg alg;
	struct cw_bytes typ; /* RFC 9596 */
	struct cw_bytes payload;
	struct cw_bytes signature;
};

/*
 * Splits a Sign1; views borrow from `in`. `typ` must be exactly the one given:
 * WRONG_LABEL. Errors: those of the reader, UNKNOWN_ALGORITHM, BAD_COSE (another
 * number of items or headers). Zeroed on error; nothing is verified yet.
 */
enum cw_err cw_cose_sign1_decode(struct cw_bytes in, const char *typ,
    struct cw_cose_sign1 *out) __attribute__((warn_unused_result));

/* Verifies over Sig_structure (RFC 9052 4.4). The key's type must be that of
 * the algorithm. Errors: BAD_SIGNATURE, BAD_KEY. */
enum cw_err cw_cose_sign1_verify(const struct cw_cose_sign1 *sign1,
    const struct cw_public_key *key, struct cw_bytes external_aad)
    __attribute__((warn_unused_result));

/* Makes a Sign1 over `payload`, appended to `out`; external_aad empty. */
enum cw_err cw_cose_sign1_make(const struct cw_private_key *key,
    const char *typ, struct cw_bytes payload, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* The bytes that are signed: Sig_structure, for tests and other verifiers. */
void cw_cose_sig_structure(struct cw_bytes protected_header,
    struct cw_bytes external_aad, struct cw_bytes payload, struct cw_buf *out);

/* ---- COSE_Encrypt0 ---- */

/* Appends [protected {1: alg}, {}, ciphertext] with Enc_structure (RFC 9052
 * 5.3) over `external_aad`. No IV header: the nonce is implied. */
enum cw_err cw_cose_encrypt0_seal(enum cw_alg alg,
    const uint8_t key[CW_AEAD_KEY_BYTES], struct cw_bytes nonce,
    struct cw_bytes external_aad, struct cw_bytes plain, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* Appends the plaintext. Errors: the reader's, BAD_COSE (another algorithm
 * than `alg`), BAD_CIPHERTEXT. */
enum cw_err cw_cose_encrypt0_open(enum cw_alg alg,
    const uint8_t key[CW_AEAD_KEY_BYTES], struct cw_bytes nonce,
    struct cw_bytes external_aad, struct cw_bytes in, struct cw_buf *plain)
    __attribute__((warn_unused_result));

void cw_cose_enc_structure(struct cw_bytes protected_header,
    struct cw_bytes external_aad, struct cw_buf *out);

#endif
