/* SPDX-License-Identifier: Apache-2.0 */
/* Curve25519, ChaCha20/Poly1305 and random numbers over libsodium. */
#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>

#include "proto/base/secret.h"
#include "proto/crypto_adapter.h"

/*
 * Plain heap memory, wiped at release: ephemeral keys live for one message.
 * Guarded memory would cost each of them 33 us, as much as making it (36 us).
 * Core dumps are off (cw_secret_process_init).
 */
struct sodium_key {
	uint8_t secret[crypto_sign_SECRETKEYBYTES]; /* seed and public, or x */
};

static void
init(void)
{
	/* Fails only where the system has no random numbers at all. */
	if (sodium_init() < 0)
		abort();
}

/* libsodium chooses its fast code, and may be used by threads, only after it
 * has been started; programs do that first thing, tests may not. */
static void
start(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, init);
}

static enum cw_err
load(const uint8_t secret[32], bool whole, struct cw_private_key *key)
{
	struct sodium_key *k = calloc(1, sizeof(*k));

	start();
	if (k == NULL)
		return CW_ERR_NO_MEMORY;
	key->handle = k;
	key->pub.x_len = 32;
	if (key->pub.type == CW_KEY_ED25519) {
		crypto_sign_seed_keypair(key->pub.x, k->secret, secret);
		return CW_OK;
	}
	memcpy(k->secret, secret, 32);
	if (whole && crypto_scalarmult_base(key->pub.x, k->secret) != 0)
		return CW_ERR_BAD_PRIVATE_KEY;
	return CW_OK;
}

static enum cw_err
generate(enum cw_key_type type, struct cw_private_key *key)
{
	uint8_t secret[32];
	enum cw_err err;

	(void)type;
	cw_random(secret, sizeof(secret));
	err = load(secret, true, key);
	cw_wipe(secret, sizeof(secret));
	return err;
}

static void
release(struct cw_private_key *key)
{
	if (key->handle != NULL)
		cw_wipe(key->handle, sizeof(struct sodium_key));
	free(key->handle);
}

static enum cw_err
sign(const struct cw_private_key *key, struct cw_bytes message,
    struct cw_buf *out)
{
	const struct sodium_key *k = key->handle;
	uint8_t *at = cw_buf_extend(out, crypto_sign_BYTES);

	if (at == NULL)
		return out->err;
	crypto_sign_detached(at, NULL, message.ptr, message.len, k->secret);
	return CW_OK;
}

static enum cw_err
verify(const struct cw_public_key *key, struct cw_bytes message,
    struct cw_bytes signature)
{
	if (key->type != CW_KEY_ED25519)
		return CW_ERR_UNKNOWN_ALGORITHM;
	start();
	if (key->x_len != 32)
		return CW_ERR_BAD_KEY;
	if (signature.len != crypto_sign_BYTES ||
	    crypto_sign_verify_detached(signature.ptr, message.ptr, message.len,
		key->x) != 0)
		return CW_ERR_BAD_SIGNATURE;
	return CW_OK;
}

static enum cw_err
check(const struct cw_public_key *key)
{
	start();
	if (key->x_len != 32 || key->y_len != 0)
		return CW_ERR_BAD_KEY;
	if (key->type == CW_KEY_ED25519 &&
	    crypto_core_ed25519_is_valid_point(key->x) != 1)
		return CW_ERR_BAD_KEY;
	return CW_OK; /* every string is an X25519 point (RFC 7748 5) */
}

/* libsodium refuses a zero output (RFC 7748 6.1). */
static enum cw_err
agree(const struct cw_private_key *key, const struct cw_public_key *peer,
    uint8_t z[32])
{
	const struct sodium_key *k = key->handle;

	if (peer->x_len != 32 || crypto_scalarmult(z, k->secret, peer->x) != 0)
		return CW_ERR_BAD_KEY;
	return CW_OK;
}

static enum cw_err
scalar(const struct cw_private_key *key, uint8_t out[32])
{
	const struct sodium_key *k = key->handle;

	memcpy(out, k->secret, 32);
	return CW_OK;
}

static enum cw_err
from_scalar(enum cw_key_type type, const uint8_t secret[32], bool whole,
    struct cw_private_key *key)
{
	(void)type;
	return load(secret, whole, key);
}

const struct cw_key_adapter cw_adapter_curve25519 = { generate, release, sign,
	verify, check, agree, scalar, from_scalar };

enum cw_err
cw_sodium_seal(const uint8_t *key, struct cw_bytes nonce, struct cw_bytes aad,
    struct cw_bytes plain, uint8_t *out)
{
	unsigned long long n;

	start();
	crypto_aead_chacha20poly1305_ietf_encrypt(out, &n, plain.ptr, plain.len,
	    aad.ptr, aad.len, NULL, nonce.ptr, key);
	return CW_OK;
}

enum cw_err
cw_sodium_open(const uint8_t *key, struct cw_bytes nonce, struct cw_bytes aad,
    struct cw_bytes sealed, uint8_t *out)
{
	unsigned long long n;

	start();
	if (crypto_aead_chacha20poly1305_ietf_decrypt(out, &n, NULL, sealed.ptr,
		sealed.len, aad.ptr, aad.len, nonce.ptr, key) != 0)
		return CW_ERR_BAD_CIPHERTEXT;
	return CW_OK;
}

void
cw_random(uint8_t *out, size_t len)
{
	start();
	randombytes_buf(out, len);
}
