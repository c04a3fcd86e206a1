/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The crypto contract: all that the protocol needs of a crypto library.
 * Algorithms are data (enum and table). Implementations: crypto_*openssl.c
 * (NIST curves, RSA, AES-CCM, SHA-2), crypto_sodium.c (Curve25519, ChaCha20,
 * random numbers); crypto.c picks by the table, and has HMAC and HKDF. All
 * functions are thread-safe; every failure that is not the peer's doing is
 * CRYPTO_FAILED or NO_MEMORY, and a full buffer TOO_LARGE.
 */
#ifndef CW_PROTO_CRYPTO_H
#define CW_PROTO_CRYPTO_H

#include "proto/base/buf.h"

#define CW_HASH_BYTES 32
#define CW_AEAD_KEY_BYTES 32
#define CW_AEAD_TAG_BYTES 16
#define CW_AEAD_NONCE_MAX 13
#define CW_SIGNATURE_MAX 384 /* RSA-3072 */
#define CW_RSA_MAX_BYTES 384

/* session.cddl key-type; the numbers go over the wire. */
enum cw_key_type {
	CW_KEY_P256 = 1,
	CW_KEY_P384 = 2,
	CW_KEY_RSA2048 = 3,
	CW_KEY_RSA3072 = 4,
	CW_KEY_ED25519 = 5,
	CW_KEY_X25519 = 6,
};

/* COSE algorithm numbers (RFC 9864, RFC 9053). */
enum cw_alg {
	CW_ALG_NONE = 0,
	CW_ALG_ESP256 = -9,
	CW_ALG_ESP384 = -51,
	CW_ALG_ED25519 = -19,
	CW_ALG_AES_CCM_16_128_256 = 31,
	CW_ALG_CHACHA20_POLY1305 = 24,
};

/*
 * A public key by value. EC: x = point x, y = point y, each coord_len bytes.
 * OKP: x only. RSA: x = modulus, y = public exponent, both without leading
 * zeros. Unused bytes are zero, so that two equal keys compare equal by memcmp.
 */
struct cw_public_key {
	enum cw_key_type type;
	uint16_t x_len;
	uint16_t y_len;
	uint8_t x[CW_RSA_MAX_BYTES];
	uint8_t y[48];
};

/* A private key, opaque, in memory that is wiped when it is freed. */
struct cw_private_key;

struct cw_key_type_info {
	enum cw_key_type type;
	const char *name;      /* "P-256", "RSA-2048", … */
	enum cw_alg alg;       /* signs with this COSE algorithm, or NONE */
	unsigned usage;        /* allowed bits of session.cddl usage */
	uint16_t x_len, y_len; /* sizes of a public key; 0 where variable */
};

/* NULL for a number that is no key type. */
const struct cw_key_type_info *cw_key_type_info(uint64_t type);

/* The key type that verifies this algorithm, or 0. */
enum cw_key_type cw_alg_key_type(int64_t alg);

/* ---- private keys ---- */

/* Makes a key pair. Errors: UNKNOWN_ALGORITHM, CRYPTO_FAILED, NO_MEMORY. */
enum cw_err cw_key_generate(enum cw_key_type type, struct cw_private_key **out)
    __attribute__((warn_unused_result));

/* Wipes and frees; NULL-safe; nulls the pointer. */
void cw_key_free(struct cw_private_key **key);

void cw_key_public(const struct cw_private_key *key, struct cw_public_key *out);

/* PKCS#8 PrivateKeyInfo (RFC 5958) in DER, unencrypted: treat as a secret. */
enum cw_err cw_key_export(const struct cw_private_key *key, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* One key and nothing behind it; its halves must belong together. Errors:
 * BAD_PRIVATE_KEY, UNKNOWN_ALGORITHM. */
enum cw_err cw_key_import(struct cw_bytes pkcs8, struct cw_private_key **out)
    __attribute__((warn_unused_result));

/* The 32-byte scalar of a P-256 or X25519 key, and back: for sealed storage of
 * ephemeral keys. Errors: UNKNOWN_ALGORITHM, BAD_PRIVATE_KEY. */
enum cw_err cw_key_scalar(const struct cw_private_key *key, uint8_t out[32])
    __attribute__((warn_unused_result));
enum cw_err cw_key_from_scalar(enum cw_key_type type, const uint8_t scalar[32],
    struct cw_private_key **out) __attribute__((warn_unused_result));
/* The same for cw_agree and nothing else: without the public half, which costs
 * as much as the agreement (X25519: 33 us). */
enum cw_err cw_key_to_agree(enum cw_key_type type, const uint8_t scalar[32],
    struct cw_private_key **out) __attribute__((warn_unused_result));

/*
 * COSE signature (RFC 9053 2: r || s for ECDSA, RFC 8032 for Ed25519) by the
 * key's own algorithm, over the message. Errors: UNKNOWN_ALGORITHM.
 */
enum cw_err cw_sign(const struct cw_private_key *key, struct cw_bytes message,
    struct cw_buf *out) __attribute__((warn_unused_result));

/* Errors: BAD_SIGNATURE (also another length, or r or s not in 1..n-1); BAD_KEY
 * if the point is not on its curve; UNKNOWN_ALGORITHM. Ed25519 as libsodium
 * does it: a key or R of small order, or not canonical, is BAD_SIGNATURE. */
enum cw_err cw_verify(const struct cw_public_key *key, struct cw_bytes message,
    struct cw_bytes signature) __attribute__((warn_unused_result));

/* Appends Ecdsa-Sig-Value (RFC 3279 2.2.3) of r and s, one behind the other and
 * of one length (RFC 9053 2.1). Errors, in out->err: NO_MEMORY, those of the
 * buffer. */
void cw_ecdsa_der_put(struct cw_buf *out, struct cw_bytes signature);

/* CW_OK if the key is a valid point or RSA key of its type: BAD_KEY. */
enum cw_err cw_public_key_check(const struct cw_public_key *key)
    __attribute__((warn_unused_result));

/*
 * Z = x coordinate (P-256) or X25519 output, 32 bytes; the caller wipes it.
 * Errors: BAD_KEY (not on the curve, another type, or a zero Z),
 * UNKNOWN_ALGORITHM.
 */
enum cw_err cw_agree(const struct cw_private_key *key,
    const struct cw_public_key *peer, uint8_t z[32])
    __attribute__((warn_unused_result));

/*
 * What a card does with a finished digest or padded block (PIV GENERAL
 * AUTHENTICATE, SP 800-73-4 3.2.4): ECDSA over a digest as a DER signature;
 * the raw RSA private operation on a block of modulus length; ECDH with an
 * uncompressed point of the key's curve giving x, for P-256, P-384; X25519 with
 * 32 bytes; Ed25519 over the whole message. Errors: UNKNOWN_ALGORITHM,
 * OUT_OF_RANGE (length of the input: a digest has 20..64 bytes; a block that is
 * not below the modulus), BAD_KEY.
 */
enum cw_err cw_key_sign_digest(const struct cw_private_key *key,
    struct cw_bytes digest, struct cw_buf *der)
    __attribute__((warn_unused_result));
enum cw_err cw_key_rsa_private(const struct cw_private_key *key,
    struct cw_bytes block, struct cw_buf *out)
    __attribute__((warn_unused_result));
enum cw_err cw_key_ecdh(const struct cw_private_key *key, struct cw_bytes point,
    struct cw_buf *x) __attribute__((warn_unused_result));

/*
 * RSA over a message (RS256 to PS512: RFC 8230, RFC 8812, the salt as long as
 * the hash), and RSAES-OAEP with one hash for both (RFC 8230 3). Errors:
 * UNKNOWN_ALGORITHM, OUT_OF_RANGE (not a block of the modulus),
 * BAD_CIPHERTEXT.
 */
enum cw_err cw_key_rsa_sign(const struct cw_private_key *key, int32_t alg,
    struct cw_bytes message, struct cw_buf *out)
    __attribute__((warn_unused_result));
enum cw_err cw_key_rsa_decrypt(const struct cw_private_key *key, int32_t alg,
    struct cw_bytes ciphertext, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* ---- hashing, key derivation, AEAD, random ---- */

/* SHA-256 over the parts, one after the other. */
void cw_sha256(const struct cw_bytes *parts, size_t n,
    uint8_t out[CW_HASH_BYTES]);
static inline void
cw_hash(struct cw_bytes in, uint8_t out[CW_HASH_BYTES])
{
	cw_sha256(&in, 1, out);
}

/* RFC 2104 with SHA-256, any key length. */
void cw_hmac_sha256(struct cw_bytes key, struct cw_bytes message,
    uint8_t out[CW_HASH_BYTES]);

/* RFC 5869 with SHA-256; out_len <= 255 * 32. */
void cw_hkdf_extract(struct cw_bytes salt, struct cw_bytes ikm,
    uint8_t prk[CW_HASH_BYTES]);
void cw_hkdf_expand(const uint8_t prk[CW_HASH_BYTES], struct cw_bytes info,
    uint8_t *out, size_t out_len);

/* 13 for AES-CCM, 12 for ChaCha20/Poly1305, 0 for what is no AEAD. */
size_t cw_aead_nonce_bytes(enum cw_alg alg);

/* Appends ciphertext and tag. Errors: UNKNOWN_ALGORITHM, TOO_LARGE. */
enum cw_err cw_aead_seal(enum cw_alg alg, const uint8_t key[CW_AEAD_KEY_BYTES],
    struct cw_bytes nonce, struct cw_bytes aad, struct cw_bytes plain,
    struct cw_buf *out) __attribute__((warn_unused_result));

/* Appends the plaintext. Errors: BAD_CIPHERTEXT (nothing is appended then),
 * UNKNOWN_ALGORITHM. */
enum cw_err cw_aead_open(enum cw_alg alg, const uint8_t key[CW_AEAD_KEY_BYTES],
    struct cw_bytes nonce, struct cw_bytes aad, struct cw_bytes sealed,
    struct cw_buf *out) __attribute__((warn_unused_result));

void cw_random(uint8_t *out, size_t len);

#endif
