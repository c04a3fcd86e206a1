/* SPDX-License-Identifier: Apache-2.0 */
/* Between crypto.c, which picks, and the two adapters. Not for others. */
#ifndef CW_PROTO_CRYPTO_ADAPTER_H
#define CW_PROTO_CRYPTO_ADAPTER_H

#include "proto/crypto.h"

/* The adapter that made the key owns `handle`. */
struct cw_private_key {
	struct cw_public_key pub;
	const struct cw_key_adapter *adapter;
	void *handle;
};

struct cw_key_adapter {
	enum cw_err (
	    *generate)(enum cw_key_type type, struct cw_private_key *key);
	void (*release)(struct cw_private_key *key);
	enum cw_err (*sign)(const struct cw_private_key *key,
	    struct cw_bytes message, struct cw_buf *out);
	enum cw_err (*verify)(const struct cw_public_key *key,
	    struct cw_bytes message, struct cw_bytes signature);
	enum cw_err (*check)(const struct cw_public_key *key);
	enum cw_err (*agree)(const struct cw_private_key *key,
	    const struct cw_public_key *peer, uint8_t z[32]);
	enum cw_err (
	    *scalar)(const struct cw_private_key *key, uint8_t out[32]);
	/* whole: with its public half. */
	enum cw_err (*from_scalar)(enum cw_key_type type,
	    const uint8_t scalar[32], bool whole, struct cw_private_key *key);
};

extern const struct cw_key_adapter cw_adapter_ec;
extern const struct cw_key_adapter cw_adapter_rsa;
extern const struct cw_key_adapter cw_adapter_curve25519;

/* OpenSSL's own form of any key; the caller frees it. NULL: it failed. */
struct evp_pkey_st *cw_openssl_key(const struct cw_private_key *key);

/* ChaCha20/Poly1305 (RFC 8439) in crypto_sodium.c; `out` has room. */
enum cw_err cw_sodium_seal(const uint8_t *key, struct cw_bytes nonce,
    struct cw_bytes aad, struct cw_bytes plain, uint8_t *out);
enum cw_err cw_sodium_open(const uint8_t *key, struct cw_bytes nonce,
    struct cw_bytes aad, struct cw_bytes sealed, uint8_t *out);

#endif
