/* SPDX-License-Identifier: Apache-2.0 */
/* AES-256-CCM (RFC 9053 4.2) over OpenSSL, and the choice of AEAD. */
#include <limits.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <pthread.h>

#include "proto/base/secret.h"
#include "proto/crypto_adapter.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;
static EVP_CIPHER *ccm;

static void
look_up(void)
{
	ccm = EVP_CIPHER_fetch(NULL, "AES-256-CCM", NULL);
}

static EVP_CIPHER_CTX *
start(bool seal, const uint8_t *key, struct cw_bytes nonce, struct cw_bytes aad,
    size_t len, uint8_t *tag)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int n;

	pthread_once(&once, look_up);
	/* CCM wants nonce and tag length before the key, and the total length
	 * before the associated data (SP 800-38C). */
	if (ctx != NULL &&
	    EVP_CipherInit_ex2(ctx, ccm, NULL, NULL, seal, NULL) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_IVLEN, (int)nonce.len,
		NULL) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, CW_AEAD_TAG_BYTES,
		tag) == 1 &&
	    EVP_CipherInit_ex2(ctx, NULL, key, nonce.ptr, seal, NULL) == 1 &&
	    EVP_CipherUpdate(ctx, NULL, &n, NULL, (int)len) == 1 &&
	    (aad.len == 0 ||
		EVP_CipherUpdate(ctx, NULL, &n, aad.ptr, (int)aad.len) == 1))
		return ctx;
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return NULL;
}

static enum cw_err
ccm_seal(const uint8_t *key, struct cw_bytes nonce, struct cw_bytes aad,
    struct cw_bytes plain, uint8_t *out)
{
	EVP_CIPHER_CTX *ctx = start(true, key, nonce, aad, plain.len, NULL);
	static const uint8_t nothing[1];
	int n;
	bool ok = ctx != NULL &&
	    EVP_CipherUpdate(ctx, out, &n, plain.len == 0 ? nothing : plain.ptr,
		(int)plain.len) == 1 &&
	    EVP_CipherFinal_ex(ctx, out + plain.len, &n) == 1 &&
	    EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, CW_AEAD_TAG_BYTES,
		out + plain.len) == 1;

	EVP_CIPHER_CTX_free(ctx);
	return ok ? CW_OK : CW_ERR_CRYPTO_FAILED;
}

static enum cw_err
ccm_open(const uint8_t *key, struct cw_bytes nonce, struct cw_bytes aad,
    struct cw_bytes sealed, uint8_t *out)
{
	static const uint8_t nothing[1];
	size_t len = sealed.len - CW_AEAD_TAG_BYTES;
	uint8_t tag[CW_AEAD_TAG_BYTES];
	EVP_CIPHER_CTX *ctx;
	int n;
	bool ok;

	memcpy(tag, sealed.ptr + len, sizeof(tag));
	ctx = start(false, key, nonce, aad, len, tag);
	if (ctx == NULL)
		return CW_ERR_CRYPTO_FAILED;
	ok = EVP_CipherUpdate(ctx, out, &n, len == 0 ? nothing : sealed.ptr,
		 (int)len) == 1;
	EVP_CIPHER_CTX_free(ctx);
	ERR_clear_error();
	return ok ? CW_OK : CW_ERR_BAD_CIPHERTEXT;
}

struct aead {
	enum cw_alg alg;
	size_t nonce_bytes;
	enum cw_err (*seal)(const uint8_t *key, struct cw_bytes nonce,
	    struct cw_bytes aad, struct cw_bytes plain, uint8_t *out);
	enum cw_err (*open)(const uint8_t *key, struct cw_bytes nonce,
	    struct cw_bytes aad, struct cw_bytes sealed, uint8_t *out);
};

static const struct aead aeads[] = {
	{ CW_ALG_AES_CCM_16_128_256, 13, ccm_seal, ccm_open },
	{ CW_ALG_CHACHA20_POLY1305, 12, cw_sodium_seal, cw_sodium_open },
};

static const struct aead *
find(enum cw_alg alg)
{
	for (size_t i = 0; i < sizeof(aeads) / sizeof(aeads[0]); i++)
		if (aeads[i].alg == alg)
			return &aeads[i];
	return NULL;
}

size_t
cw_aead_nonce_bytes(enum cw_alg alg)
{
	const struct aead *aead = find(alg);

	return aead == NULL ? 0 : aead->nonce_bytes;
}

enum cw_err
cw_aead_seal(enum cw_alg alg, const uint8_t key[CW_AEAD_KEY_BYTES],
    struct cw_bytes nonce, struct cw_bytes aad, struct cw_bytes plain,
    struct cw_buf *out)
{
	const struct aead *aead = find(alg);
	size_t before = out->len;
	enum cw_err err;
	uint8_t *at;

	if (aead == NULL || nonce.len != aead->nonce_bytes)
		return CW_ERR_UNKNOWN_ALGORITHM;
	/* Two bytes of length field (13-byte nonce) bound CCM to 65,535. */
	if (plain.len > UINT16_MAX || aad.len > INT_MAX)
		return CW_ERR_TOO_LARGE;
	at = cw_buf_extend(out, plain.len + CW_AEAD_TAG_BYTES);
	if (at == NULL)
		return out->err;
	err = aead->seal(key, nonce, aad, plain, at);
	if (err != CW_OK)
		cw_buf_truncate(out, before);
	return err;
}

enum cw_err
cw_aead_open(enum cw_alg alg, const uint8_t key[CW_AEAD_KEY_BYTES],
    struct cw_bytes nonce, struct cw_bytes aad, struct cw_bytes sealed,
    struct cw_buf *out)
{
	const struct aead *aead = find(alg);
	size_t before = out->len;
	enum cw_err err;
	uint8_t *at;

	if (aead == NULL || nonce.len != aead->nonce_bytes)
		return CW_ERR_UNKNOWN_ALGORITHM;
	if (sealed.len < CW_AEAD_TAG_BYTES ||
	    sealed.len - CW_AEAD_TAG_BYTES > UINT16_MAX || aad.len > INT_MAX)
		return CW_ERR_BAD_CIPHERTEXT;
	at = cw_buf_extend(out, sealed.len - CW_AEAD_TAG_BYTES);
	if (at == NULL)
		return out->err;
	err = aead->open(key, nonce, aad, sealed, at);
	if (err != CW_OK)
		cw_buf_truncate(out, before);
	return err;
}
