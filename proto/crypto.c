/* SPDX-License-Identifier: Apache-2.0 */
/* The contract's table of algorithms, and the choice of adapter. */
#include "proto/crypto.h"

#include <stdlib.h>

#include "proto/base/secret.h"
#include "proto/crypto_adapter.h"

#define SIGN 1u
#define DECRYPT 2u
#define AGREE 4u
#define AUTHENTICATE 8u

static const struct cw_key_type_info types[] = {
	{ CW_KEY_P256, "P-256", CW_ALG_ESP256, SIGN | AGREE | AUTHENTICATE, 32,
	    32 },
	{ CW_KEY_P384, "P-384", CW_ALG_ESP384, SIGN | AGREE | AUTHENTICATE, 48,
	    48 },
	{ CW_KEY_RSA2048, "RSA-2048", CW_ALG_NONE,
	    SIGN | DECRYPT | AUTHENTICATE, 0, 0 },
	{ CW_KEY_RSA3072, "RSA-3072", CW_ALG_NONE,
	    SIGN | DECRYPT | AUTHENTICATE, 0, 0 },
	{ CW_KEY_ED25519, "Ed25519", CW_ALG_ED25519, SIGN | AUTHENTICATE, 32,
	    0 },
	{ CW_KEY_X25519, "X25519", CW_ALG_NONE, AGREE, 32, 0 },
};

static const struct cw_key_adapter *const adapters[] = {
	[CW_KEY_P256] = &cw_adapter_ec,
	[CW_KEY_P384] = &cw_adapter_ec,
	[CW_KEY_RSA2048] = &cw_adapter_rsa,
	[CW_KEY_RSA3072] = &cw_adapter_rsa,
	[CW_KEY_ED25519] = &cw_adapter_curve25519,
	[CW_KEY_X25519] = &cw_adapter_curve25519,
};

const struct cw_key_type_info *
cw_key_type_info(uint64_t type)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if ((uint64_t)types[i].type == type)
			return &types[i];
	return NULL;
}

enum cw_key_type
cw_alg_key_type(int64_t alg)
{
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].alg != CW_ALG_NONE && types[i].alg == alg)
			return types[i].type;
	return (enum cw_key_type)0;
}

static const struct cw_key_adapter *
adapter(enum cw_key_type type)
{
	return cw_key_type_info(type) == NULL ? NULL : adapters[type];
}

static struct cw_private_key *
new_key(enum cw_key_type type, const struct cw_key_adapter *a)
{
	struct cw_private_key *key = calloc(1, sizeof(*key));

	if (key != NULL) {
		key->pub.type = type;
		key->adapter = a;
	}
	return key;
}

enum cw_err
cw_key_generate(enum cw_key_type type, struct cw_private_key **out)
{
	const struct cw_key_adapter *a = adapter(type);
	struct cw_private_key *key;
	enum cw_err err;

	*out = NULL;
	if (a == NULL)
		return CW_ERR_UNKNOWN_ALGORITHM;
	key = new_key(type, a);
	if (key == NULL)
		return CW_ERR_NO_MEMORY;
	err = a->generate(type, key);
	if (err == CW_OK)
		*out = key;
	else
		cw_key_free(&key);
	return err;
}

void
cw_key_free(struct cw_private_key **key)
{
	if (*key == NULL)
		return;
	(*key)->adapter->release(*key);
	cw_wipe(*key, sizeof(**key));
	free(*key);
	*key = NULL;
}

void
cw_key_public(const struct cw_private_key *key, struct cw_public_key *out)
{
	*out = key->pub;
}

enum cw_err
cw_key_scalar(const struct cw_private_key *key, uint8_t out[32])
{
	if (key->pub.type != CW_KEY_P256 && key->pub.type != CW_KEY_X25519)
		return CW_ERR_UNKNOWN_ALGORITHM;
	return key->adapter->scalar(key, out);
}

static enum cw_err
from_scalar(enum cw_key_type type, const uint8_t scalar[32], bool whole,
    struct cw_private_key **out)
{
	const struct cw_key_adapter *a = adapter(type);
	struct cw_private_key *key;
	enum cw_err err;

	*out = NULL;
	if (a == NULL || (type != CW_KEY_P256 && type != CW_KEY_X25519))
		return CW_ERR_UNKNOWN_ALGORITHM;
	key = new_key(type, a);
	if (key == NULL)
		return CW_ERR_NO_MEMORY;
	err = a->from_scalar(type, scalar, whole, key);
	if (err == CW_OK)
		*out = key;
	else
		cw_key_free(&key);
	return err;
}

enum cw_err
cw_key_from_scalar(enum cw_key_type type, const uint8_t scalar[32],
    struct cw_private_key **out)
{
	return from_scalar(type, scalar, true, out);
}

enum cw_err
cw_key_to_agree(enum cw_key_type type, const uint8_t scalar[32],
    struct cw_private_key **out)
{
	return from_scalar(type, scalar, false, out);
}

enum cw_err
cw_sign(const struct cw_private_key *key, struct cw_bytes message,
    struct cw_buf *out)
{
	const struct cw_key_type_info *info = cw_key_type_info(key->pub.type);

	if (info == NULL || info->alg == CW_ALG_NONE)
		return CW_ERR_UNKNOWN_ALGORITHM;
	return key->adapter->sign(key, message, out);
}

enum cw_err
cw_verify(const struct cw_public_key *key, struct cw_bytes message,
    struct cw_bytes signature)
{
	const struct cw_key_type_info *info = cw_key_type_info(key->type);
	const struct cw_key_adapter *a = adapter(key->type);

	if (a == NULL || info == NULL || info->alg == CW_ALG_NONE)
		return CW_ERR_UNKNOWN_ALGORITHM;
	return a->verify(key, message, signature);
}

enum cw_err
cw_public_key_check(const struct cw_public_key *key)
{
	const struct cw_key_adapter *a = adapter(key->type);

	return a == NULL ? CW_ERR_BAD_KEY : a->check(key);
}

enum cw_err
cw_agree(const struct cw_private_key *key, const struct cw_public_key *peer,
    uint8_t z[32])
{
	static const uint8_t zero[32];
	enum cw_err err;

	if (key->pub.type != CW_KEY_P256 && key->pub.type != CW_KEY_X25519)
		return CW_ERR_UNKNOWN_ALGORITHM;
	if (peer->type != key->pub.type)
		return CW_ERR_BAD_KEY;
	err = key->adapter->agree(key, peer, z);
	/* P-256 has a point with x = 0; X25519 has several that give it. */
	if (err == CW_OK &&
	    cw_secret_equal(cw_bytes(z, sizeof(zero)), CW_BYTES_ARRAY(zero)))
		err = CW_ERR_BAD_KEY;
	return err;
}

/* RFC 2104 over SHA-256, whose block is 64 bytes. At most three parts. */
static void
hmac(struct cw_bytes key, const struct cw_bytes *parts, size_t n,
    uint8_t out[CW_HASH_BYTES])
{
	uint8_t pad[64] = { 0 };
	struct cw_bytes all[4] = { CW_BYTES_ARRAY(pad) };

	if (key.len > sizeof(pad))
		cw_hash(key, pad);
	else if (key.len > 0)
		memcpy(pad, key.ptr, key.len);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36;
	for (size_t i = 0; i < n; i++)
		all[1 + i] = parts[i];
	cw_sha256(all, 1 + n, out);
	for (size_t i = 0; i < sizeof(pad); i++)
		pad[i] ^= 0x36 ^ 0x5c;
	all[1] = cw_bytes(out, CW_HASH_BYTES);
	cw_sha256(all, 2, out);
	cw_wipe(pad, sizeof(pad));
}

void
cw_hmac_sha256(struct cw_bytes key, struct cw_bytes message,
    uint8_t out[CW_HASH_BYTES])
{
	hmac(key, &message, 1, out);
}

void
cw_hkdf_extract(struct cw_bytes salt, struct cw_bytes ikm,
    uint8_t prk[CW_HASH_BYTES])
{
	cw_hmac_sha256(salt, ikm, prk);
}

void
cw_hkdf_expand(const uint8_t prk[CW_HASH_BYTES], struct cw_bytes info,
    uint8_t *out, size_t out_len)
{
	uint8_t block[CW_HASH_BYTES];
	uint8_t counter = 0;
	struct cw_bytes parts[] = { CW_BYTES_NONE, info, { &counter, 1 } };

	/* RFC 5869 2.3: T(i) = HMAC(PRK, T(i-1) | info | i) */
	while (out_len > 0) {
		size_t n = out_len < sizeof(block) ? out_len : sizeof(block);

		counter++;
		hmac(cw_bytes(prk, CW_HASH_BYTES), parts, 3, block);
		parts[0] = CW_BYTES_ARRAY(block);
		memcpy(out, block, n);
		out += n;
		out_len -= n;
	}
	cw_wipe(block, sizeof(block));
}
