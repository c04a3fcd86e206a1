/* SPDX-License-Identifier: Apache-2.0 */
/* RSA, and PKCS#8 of every key type, over OpenSSL 3.0. RSA is for a card's
 * PIV slots only: it signs nothing of the protocol. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdlib.h>

#include "proto/base/secret.h"
#include "proto/crypto_adapter.h"

static int
modulus_bits(enum cw_key_type type)
{
	return type == CW_KEY_RSA3072 ? 3072 : 2048;
}

static enum cw_err
set_public(RSA *rsa, struct cw_public_key *pub)
{
	const BIGNUM *n = RSA_get0_n(rsa);
	const BIGNUM *e = RSA_get0_e(rsa);

	if (BN_num_bytes(n) > CW_RSA_MAX_BYTES || BN_num_bytes(e) > 8)
		return CW_ERR_BAD_KEY;
	pub->x_len = (uint16_t)BN_bn2bin(n, pub->x);
	pub->y_len = (uint16_t)BN_bn2bin(e, pub->y);
	return CW_OK;
}

static enum cw_err
generate(enum cw_key_type type, struct cw_private_key *key)
{
	BIGNUM *e = BN_new();
	RSA *rsa = RSA_new();
	enum cw_err err = CW_ERR_CRYPTO_FAILED;

	key->handle = rsa;
	if (e != NULL && rsa != NULL && BN_set_word(e, RSA_F4) == 1 &&
	    RSA_generate_key_ex(rsa, modulus_bits(type), e, NULL) == 1)
		err = set_public(rsa, &key->pub);
	else
		ERR_clear_error();
	BN_free(e);
	return err;
}

static void
release(struct cw_private_key *key)
{
	RSA_free(key->handle);
}

static enum cw_err
check(const struct cw_public_key *key)
{
	bool ok = key->x_len == (unsigned)modulus_bits(key->type) / 8 &&
	    (key->x[0] & 0x80) != 0 && (key->x[key->x_len - 1] & 1) != 0 &&
	    key->y_len > 0 && key->y_len <= 8 && key->y[0] != 0 &&
	    (key->y[key->y_len - 1] & 1) != 0 &&
	    (key->y_len > 1 || key->y[0] > 1);

	return ok ? CW_OK : CW_ERR_BAD_KEY;
}

const struct cw_key_adapter cw_adapter_rsa = { .generate = generate,
	.release = release,
	.check = check };

enum cw_err
cw_key_rsa_private(const struct cw_private_key *key, struct cw_bytes block,
    struct cw_buf *out)
{
	uint8_t *at;

	if (key->adapter != &cw_adapter_rsa)
		return CW_ERR_UNKNOWN_ALGORITHM;
	/* RFC 8017 5.2.1: a representative below the modulus. */
	if (block.len != key->pub.x_len ||
	    memcmp(block.ptr, key->pub.x, block.len) >= 0)
		return CW_ERR_OUT_OF_RANGE;
	at = cw_buf_extend(out, block.len);
	if (at == NULL)
		return out->err;
	/* OpenSSL blinds the operation by itself. */
	if (RSA_private_encrypt((int)block.len, block.ptr, at, key->handle,
		RSA_NO_PADDING) == (int)block.len)
		return CW_OK;
	ERR_clear_error();
	cw_buf_truncate(out, out->len - block.len);
	return CW_ERR_CRYPTO_FAILED;
}

/* ---- PKCS#8 ---- */

EVP_PKEY *
cw_openssl_key(const struct cw_private_key *key)
{
	EVP_PKEY *pkey = NULL;
	uint8_t secret[32];
	int id = key->pub.type == CW_KEY_ED25519 ? EVP_PKEY_ED25519 :
						   EVP_PKEY_X25519;

	if (key->adapter == &cw_adapter_curve25519) {
		if (key->adapter->scalar(key, secret) == CW_OK)
			pkey = EVP_PKEY_new_raw_private_key(id, NULL, secret,
			    sizeof(secret));
		cw_wipe(secret, sizeof(secret));
		return pkey;
	}
	pkey = EVP_PKEY_new();
	if (pkey == NULL)
		return NULL;
	if ((key->adapter == &cw_adapter_ec ?
		    EVP_PKEY_set1_EC_KEY(pkey, key->handle) :
		    EVP_PKEY_set1_RSA(pkey, key->handle)) == 1)
		return pkey;
	EVP_PKEY_free(pkey);
	return NULL;
}

enum cw_err
cw_key_export(const struct cw_private_key *key, struct cw_buf *out)
{
	EVP_PKEY *pkey = cw_openssl_key(key);
	PKCS8_PRIV_KEY_INFO *p8 = pkey == NULL ? NULL : EVP_PKEY2PKCS8(pkey);
	int len = p8 == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(p8, NULL);
	uint8_t *at = len <= 0 ? NULL : cw_buf_extend(out, (size_t)len);

	if (at != NULL)
		i2d_PKCS8_PRIV_KEY_INFO(p8, &at);
	PKCS8_PRIV_KEY_INFO_free(p8); /* wipes */
	EVP_PKEY_free(pkey);
	if (at != NULL)
		return CW_OK;
	ERR_clear_error();
	return out->err != CW_OK ? out->err : CW_ERR_CRYPTO_FAILED;
}

static enum cw_key_type
ec_type(const EC_KEY *ec)
{
	switch (EC_GROUP_get_curve_name(EC_KEY_get0_group(ec))) {
	case NID_X9_62_prime256v1:
		return CW_KEY_P256;
	case NID_secp384r1:
		return CW_KEY_P384;
	default:
		return (enum cw_key_type)0;
	}
}

static enum cw_err
import_ec(EVP_PKEY *pkey, struct cw_private_key *key)
{
	EC_KEY *ec = EVP_PKEY_get1_EC_KEY(pkey);
	uint8_t point[1 + 2 * 48];
	size_t n;

	key->adapter = &cw_adapter_ec;
	key->handle = ec;
	if (ec == NULL)
		return CW_ERR_BAD_PRIVATE_KEY;
	key->pub.type = ec_type(ec);
	/* RFC 5480 2.1.1: curves are named, never described. */
	if ((int)key->pub.type == 0 || EC_KEY_decoded_from_explicit_params(ec))
		return CW_ERR_UNKNOWN_ALGORITHM;
	if (EC_KEY_check_key(ec) != 1)
		return CW_ERR_BAD_PRIVATE_KEY;
	n = key->pub.type == CW_KEY_P384 ? 48 : 32;
	if (EC_POINT_point2oct(EC_KEY_get0_group(ec),
		EC_KEY_get0_public_key(ec), POINT_CONVERSION_UNCOMPRESSED,
		point, sizeof(point), NULL) != 1 + 2 * n)
		return CW_ERR_BAD_PRIVATE_KEY;
	key->pub.x_len = (uint16_t)n;
	key->pub.y_len = (uint16_t)n;
	memcpy(key->pub.x, point + 1, n);
	memcpy(key->pub.y, point + 1 + n, n);
	return CW_OK;
}

/*
 * Whether the parts of the key belong together: one operation there and back.
 * RSA_check_key would also prove the primes, for 100 times the price; whoever
 * made this file could have chosen bad primes as well as kept a copy.
 */
static bool
is_pair(RSA *rsa)
{
	static const uint8_t two[CW_RSA_MAX_BYTES] = { 0, 2 };
	uint8_t there[CW_RSA_MAX_BYTES];
	uint8_t back[CW_RSA_MAX_BYTES];
	int n = RSA_size(rsa);

	return RSA_private_encrypt(n, two, there, rsa, RSA_NO_PADDING) == n &&
	    RSA_public_decrypt(n, there, back, rsa, RSA_NO_PADDING) == n &&
	    memcmp(two, back, (size_t)n) == 0;
}

static enum cw_err
import_rsa(EVP_PKEY *pkey, struct cw_private_key *key)
{
	RSA *rsa = EVP_PKEY_get1_RSA(pkey);

	key->adapter = &cw_adapter_rsa;
	key->handle = rsa;
	if (rsa == NULL)
		return CW_ERR_BAD_PRIVATE_KEY;
	if (RSA_bits(rsa) != 2048 && RSA_bits(rsa) != 3072)
		return CW_ERR_UNKNOWN_ALGORITHM;
	key->pub.type = RSA_bits(rsa) == 3072 ? CW_KEY_RSA3072 : CW_KEY_RSA2048;
	/* A private exponent has no reason to be longer than the modulus; the
	 * operation takes as long as it is. */
	if (set_public(rsa, &key->pub) != CW_OK || check(&key->pub) != CW_OK ||
	    BN_num_bits(RSA_get0_d(rsa)) > RSA_bits(rsa) || !is_pair(rsa))
		return CW_ERR_BAD_PRIVATE_KEY;
	return CW_OK;
}

static enum cw_err
import_raw(EVP_PKEY *pkey, enum cw_key_type type, struct cw_private_key *key)
{
	uint8_t secret[32];
	size_t len = sizeof(secret);
	enum cw_err err = CW_ERR_BAD_PRIVATE_KEY;

	key->adapter = &cw_adapter_curve25519;
	key->pub.type = type;
	if (EVP_PKEY_get_raw_private_key(pkey, secret, &len) == 1 &&
	    len == sizeof(secret))
		err = key->adapter->from_scalar(type, secret, true, key);
	cw_wipe(secret, sizeof(secret));
	return err;
}

static enum cw_err
import_evp(EVP_PKEY *pkey, struct cw_private_key *key)
{
	switch (EVP_PKEY_get_base_id(pkey)) {
	case EVP_PKEY_EC:
		return import_ec(pkey, key);
	case EVP_PKEY_RSA:
		return import_rsa(pkey, key);
	case EVP_PKEY_ED25519:
		return import_raw(pkey, CW_KEY_ED25519, key);
	case EVP_PKEY_X25519:
		return import_raw(pkey, CW_KEY_X25519, key);
	default:
		return CW_ERR_UNKNOWN_ALGORITHM;
	}
}

enum cw_err
cw_key_import(struct cw_bytes pkcs8, struct cw_private_key **out)
{
	const uint8_t *at = pkcs8.ptr;
	PKCS8_PRIV_KEY_INFO *p8 =
	    d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)pkcs8.len);
	EVP_PKEY *pkey = p8 == NULL ? NULL : EVP_PKCS82PKEY(p8);
	struct cw_private_key *key = calloc(1, sizeof(*key));
	enum cw_err err = CW_ERR_BAD_PRIVATE_KEY;

	*out = NULL;
	if (key == NULL) {
		err = CW_ERR_NO_MEMORY;
	} else {
		key->adapter = &cw_adapter_rsa; /* its release takes NULL */
		if (pkey != NULL && at == pkcs8.ptr + pkcs8.len)
			err = import_evp(pkey, key);
	}
	if (err == CW_OK) {
		*out = key;
		key = NULL;
	}
	ERR_clear_error();
	cw_key_free(&key);
	EVP_PKEY_free(pkey);
	PKCS8_PRIV_KEY_INFO_free(p8);
	return err;
}
