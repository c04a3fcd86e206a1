/* SPDX-License-Identifier: Apache-2.0 */
/* RSA with padding, for keys outside the PIV slots (RFC 8017; RFC 8230). */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "proto/crypto_adapter.h"
#include "proto/key_alg.h"

static const struct scheme {
	int32_t alg;
	int padding;
	const char *hash;
} schemes[] = {
	{ CW_ALG_RS256, RSA_PKCS1_PADDING, "SHA256" },
	{ CW_ALG_RS384, RSA_PKCS1_PADDING, "SHA384" },
	{ CW_ALG_RS512, RSA_PKCS1_PADDING, "SHA512" },
	{ CW_ALG_PS256, RSA_PKCS1_PSS_PADDING, "SHA256" },
	{ CW_ALG_PS384, RSA_PKCS1_PSS_PADDING, "SHA384" },
	{ CW_ALG_PS512, RSA_PKCS1_PSS_PADDING, "SHA512" },
	{ CW_ALG_RSA_OAEP_SHA1, RSA_PKCS1_OAEP_PADDING, "SHA1" },
	{ CW_ALG_RSA_OAEP_SHA256, RSA_PKCS1_OAEP_PADDING, "SHA256" },
};

static const struct scheme *
find(const struct cw_private_key *key, int32_t alg, bool oaep)
{
	if (key->adapter != &cw_adapter_rsa)
		return NULL;
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (schemes[i].alg == alg &&
		    (schemes[i].padding == RSA_PKCS1_OAEP_PADDING) == oaep)
			return &schemes[i];
	return NULL;
}

/* Signing or decrypting, by what was set up. */
static enum cw_err
finish(const struct cw_private_key *key, EVP_MD_CTX *md, EVP_PKEY_CTX *ctx,
    struct cw_bytes in, struct cw_buf *out)
{
	size_t before = out->len, n = key->pub.x_len;
	uint8_t *at = cw_buf_extend(out, n);
	int ok;

	if (at == NULL)
		return out->err;
	ok = md != NULL ? EVP_DigestSign(md, at, &n, in.ptr, in.len) :
			  EVP_PKEY_decrypt(ctx, at, &n, in.ptr, in.len);
	cw_buf_truncate(out, ok == 1 ? before + n : before);
	ERR_clear_error();
	if (ok == 1)
		return CW_OK;
	return md != NULL ? CW_ERR_CRYPTO_FAILED : CW_ERR_BAD_CIPHERTEXT;
}

enum cw_err
cw_key_rsa_sign(const struct cw_private_key *key, int32_t alg,
    struct cw_bytes message, struct cw_buf *out)
{
	const struct scheme *scheme = find(key, alg, false);
	EVP_PKEY *pkey;
	EVP_MD_CTX *md;
	EVP_PKEY_CTX *ctx;
	enum cw_err err = CW_ERR_CRYPTO_FAILED;

	if (scheme == NULL)
		return CW_ERR_UNKNOWN_ALGORITHM;
	pkey = cw_openssl_key(key);
	md = EVP_MD_CTX_new();
	if (pkey != NULL && md != NULL &&
	    EVP_DigestSignInit_ex(md, &ctx, scheme->hash, NULL, NULL, pkey,
		NULL) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, scheme->padding) == 1 &&
	    (scheme->padding != RSA_PKCS1_PSS_PADDING ||
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) ==
		    1))
		err = finish(key, md, NULL, message, out);
	EVP_MD_CTX_free(md);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return err;
}

enum cw_err
cw_key_rsa_decrypt(const struct cw_private_key *key, int32_t alg,
    struct cw_bytes ciphertext, struct cw_buf *out)
{
	const struct scheme *scheme = find(key, alg, true);
	EVP_PKEY *pkey;
	EVP_PKEY_CTX *ctx;
	enum cw_err err = CW_ERR_CRYPTO_FAILED;

	if (scheme == NULL)
		return CW_ERR_UNKNOWN_ALGORITHM;
	if (ciphertext.len != key->pub.x_len)
		return CW_ERR_OUT_OF_RANGE;
	pkey = cw_openssl_key(key);
	ctx = pkey == NULL ? NULL : EVP_PKEY_CTX_new(pkey, NULL);
	if (ctx != NULL && EVP_PKEY_decrypt_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, scheme->padding) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, scheme->hash, NULL) == 1 &&
	    EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, scheme->hash, NULL) == 1)
		err = finish(key, NULL, ctx, ciphertext, out);
	EVP_PKEY_CTX_free(ctx);
	EVP_PKEY_free(pkey);
	ERR_clear_error();
	return err;
}
