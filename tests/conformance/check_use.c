/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 11 "The holder's keys": USE KEY. */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "tests/conformance/steps.h"

#define TEXT "what is to be signed"

static bool
offers(const struct cw_kit *kit, enum cw_key_type type)
{
	return cw_card_caps_has_key_type(&kit->caps, type);
}

/* A committed key of this type, read back. */
static bool
with_key(struct cw_kit *kit, enum cw_key_type type, unsigned usage,
    struct cw_held_key *k)
{
	return cw_kit_commits(kit, cw_kit_key(2, type, usage, "Used")) &&
	    cw_kit_held(kit, "Used", k);
}

/* Deletes it, so that the next one has its name. */
static bool
drop(struct cw_kit *kit, uint32_t handle)
{
	const struct cw_key_request q = { .handle = handle };

	return cw_kit_holds(kit, CW_INS_DELETE, &q, 0x9000, "DELETE");
}

static bool
uses(struct cw_kit *kit, uint32_t handle, enum cw_key_operation operation,
    int32_t algorithm, struct cw_bytes data, unsigned want, const char *what)
{
	return cw_kit_uses(kit, handle, operation, algorithm, data, NULL, want,
	    what);
}

static bool
sign(struct cw_kit *kit)
{
	static const enum cw_key_type types[] = { CW_KEY_P256, CW_KEY_P384,
		CW_KEY_ED25519 };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		const struct cw_key_type_info *info =
		    cw_key_type_info(types[i]);
		struct cw_held_key k;
		struct cw_public_key key;

		if (!offers(kit, types[i]))
			continue;
		if (!with_key(kit, types[i], CW_USAGE_SIGN, &k))
			return false;
		key = k.key;
		if (!uses(kit, k.handle, CW_OP_SIGN, info->alg,
			cw_bytes_str(TEXT), 0x9000, info->name) ||
		    !cw_kit_err(kit,
			cw_verify(&key, cw_bytes_str(TEXT),
			    cw_buf_bytes(&kit->out)),
			CW_OK, info->name) ||
		    !drop(kit, k.handle))
			return false;
	}
	return true;
}

/* ---- RSA: verified and encrypted by OpenSSL ---- */

static EVP_PKEY *
rsa_of(struct cw_kit *kit)
{
	const uint8_t *at = kit->issuer.certificate.ptr;
	X509 *x = d2i_X509(NULL, &at, (long)kit->issuer.certificate.len);
	EVP_PKEY *key = x == NULL ? NULL : X509_get_pubkey(x);

	X509_free(x);
	return key;
}

static bool
verifies(EVP_PKEY *key, bool pss, struct cw_bytes signature)
{
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	EVP_PKEY_CTX *ctx = NULL;
	bool right = md != NULL &&
	    EVP_DigestVerifyInit_ex(md, &ctx, "SHA256", NULL, NULL, key,
		NULL) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx,
		pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
	    (!pss ||
		EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) ==
		    1) &&
	    EVP_DigestVerify(md, signature.ptr, signature.len,
		(const uint8_t *)TEXT, strlen(TEXT)) == 1;

	EVP_MD_CTX_free(md);
	return right;
}

static size_t
encrypts(EVP_PKEY *key, uint8_t out[CW_RSA_MAX_BYTES])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	size_t n = CW_RSA_MAX_BYTES;
	bool right = ctx != NULL && EVP_PKEY_encrypt_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) == 1 &&
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_encrypt(ctx, out, &n, (const uint8_t *)TEXT,
		strlen(TEXT)) == 1;

	EVP_PKEY_CTX_free(ctx);
	return right ? n : 0;
}

static bool
rsa_with(struct cw_kit *kit, uint32_t handle, EVP_PKEY *key)
{
	uint8_t block[CW_RSA_MAX_BYTES];
	size_t n = encrypts(key, block);

	return cw_kit_true(kit, n > 0, "an RSA ciphertext") &&
	    uses(kit, handle, CW_OP_SIGN, CW_ALG_RS256, cw_bytes_str(TEXT),
		0x9000, "RS256") &&
	    cw_kit_true(kit, verifies(key, false, cw_buf_bytes(&kit->out)),
		"a signature by RS256") &&
	    uses(kit, handle, CW_OP_SIGN, CW_ALG_PS256, cw_bytes_str(TEXT),
		0x9000, "PS256") &&
	    cw_kit_true(kit, verifies(key, true, cw_buf_bytes(&kit->out)),
		"a signature by PS256") &&
	    uses(kit, handle, CW_OP_DECRYPT, CW_ALG_RSA_OAEP_SHA256,
		cw_bytes(block, n), 0x9000, "RSAES-OAEP") &&
	    cw_kit_true(kit, cw_bytes_is(cw_buf_bytes(&kit->out), TEXT),
		"what was encrypted") &&
	    uses(kit, handle, CW_OP_DECRYPT, CW_ALG_RSA_OAEP_SHA256,
		cw_bytes(block, n - 1), 0x6A80, "a ciphertext that is short");
}

static bool
rsa(struct cw_kit *kit)
{
	bool tried = false;

	for (enum cw_key_type type = CW_KEY_RSA2048; type <= CW_KEY_RSA3072;
	     type++) {
		struct cw_held_key k;
		EVP_PKEY *key;
		bool right;

		if (!offers(kit, type))
			continue;
		tried = true;
		if (!with_key(kit, type, CW_USAGE_SIGN | CW_USAGE_DECRYPT, &k))
			return false;
		key = rsa_of(kit);
		right = cw_kit_true(kit, key != NULL, "an RSA certificate") &&
		    rsa_with(kit, k.handle, key);
		EVP_PKEY_free(key);
		if (!right || !drop(kit, k.handle))
			return false;
	}
	return tried || cw_kit_not_supported(kit, "no RSA is offered");
}

/* ---- agreement ---- */

static struct cw_bytes
point_of(const struct cw_public_key *key, uint8_t out[1 + 2 * 48])
{
	if (key->y_len == 0)
		return cw_bytes(key->x, key->x_len);
	out[0] = 4;
	memcpy(out + 1, key->x, key->x_len);
	memcpy(out + 1 + key->x_len, key->y, key->y_len);
	return cw_bytes(out, (size_t)1 + key->x_len + key->y_len);
}

static bool
agrees(struct cw_kit *kit, const struct cw_held_key *k,
    const struct cw_private_key *peer)
{
	const uint32_t handle = k->handle;
	const struct cw_public_key own = k->key;
	struct cw_public_key public_key;
	uint8_t bytes[1 + 2 * 48];
	uint8_t z[32];
	struct cw_bytes point;

	cw_key_public(peer, &public_key);
	point = point_of(&public_key, bytes);
	if (!cw_kit_err(kit, cw_agree(peer, &own, z), CW_OK, "an agreement") ||
	    !uses(kit, handle, CW_OP_AGREE, CW_ALG_RAW_AGREEMENT, point, 0x9000,
		"an agreement") ||
	    !cw_kit_true(kit,
		cw_bytes_equal(cw_buf_bytes(&kit->out), CW_BYTES_ARRAY(z)),
		"both have the same secret"))
		return false;
	memset(bytes + 1, 0, sizeof(bytes) - 1);
	return uses(kit, handle, CW_OP_AGREE, CW_ALG_RAW_AGREEMENT,
	    public_key.y_len == 0 ? cw_bytes(bytes + 1, 32) :
				    cw_bytes(bytes, point.len),
	    0x6A80, "a point that is none");
}

static bool
agree(struct cw_kit *kit)
{
	static const enum cw_key_type types[] = { CW_KEY_P256, CW_KEY_X25519 };

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		struct cw_private_key *peer = NULL;
		struct cw_held_key k;
		bool right;

		if (!offers(kit, types[i]))
			continue;
		right = with_key(kit, types[i], CW_USAGE_AGREE, &k) &&
		    cw_kit_err(kit, cw_key_generate(types[i], &peer), CW_OK,
			"a peer's key") &&
		    agrees(kit, &k, peer);
		cw_key_free(&peer);
		if (!right || !drop(kit, k.handle))
			return false;
	}
	return true;
}

/* ---- secrets ---- */

static bool
mac(struct cw_kit *kit)
{
	uint8_t want[CW_HASH_BYTES];
	struct cw_held_key k;

	cw_hmac_sha256(cw_kit_secret(), cw_bytes_str(TEXT), want);
	return with_key(kit, CW_KEY_SECRET, CW_USAGE_MAC, &k) &&
	    uses(kit, k.handle, CW_OP_MAC, CW_ALG_HMAC_256, cw_bytes_str(TEXT),
		0x9000, "HMAC") &&
	    cw_kit_true(kit,
		cw_bytes_equal(cw_buf_bytes(&kit->out), CW_BYTES_ARRAY(want)),
		"HMAC 256/256");
}

static bool
cipher_with(struct cw_kit *kit, uint32_t handle, enum cw_alg alg)
{
	size_t n = cw_aead_nonce_bytes(alg);
	struct cw_bytes sealed;
	struct cw_buf first, plain;
	bool right;

	cw_buf_init(&first, 1024);
	cw_buf_init(&plain, 1024);
	right = uses(kit, handle, CW_OP_ENCRYPT, alg, cw_bytes_str(TEXT),
		    0x9000, "encryption") &&
	    cw_kit_true(kit,
		kit->out.len == n + strlen(TEXT) + CW_AEAD_TAG_BYTES,
		"nonce, ciphertext and tag");
	cw_buf_put(&first, cw_buf_bytes(&kit->out));
	sealed = cw_buf_bytes(&first);
	right = right &&
	    cw_kit_err(kit,
		cw_aead_open(alg, cw_kit_secret().ptr, cw_bytes(first.ptr, n),
		    CW_BYTES_NONE, cw_bytes(first.ptr + n, first.len - n),
		    &plain),
		CW_OK, "what was encrypted") &&
	    uses(kit, handle, CW_OP_ENCRYPT, alg, cw_bytes_str(TEXT), 0x9000,
		"encryption") &&
	    cw_kit_true(kit, memcmp(kit->out.ptr, first.ptr, n) != 0,
		"a nonce is used once") &&
	    uses(kit, handle, CW_OP_DECRYPT, alg, sealed, 0x9000,
		"decryption") &&
	    cw_kit_true(kit, cw_bytes_is(cw_buf_bytes(&kit->out), TEXT),
		"what was encrypted, decrypted");
	if (right)
		first.ptr[first.len - 1] ^= 1;
	right = right &&
	    uses(kit, handle, CW_OP_DECRYPT, alg, sealed, 0x6A80,
		"a ciphertext that is not genuine");
	cw_buf_wipe(&first);
	cw_buf_wipe(&plain);
	return right;
}

static bool
cipher(struct cw_kit *kit)
{
	struct cw_held_key k;

	return with_key(kit, CW_KEY_SECRET, CW_USAGE_ENCRYPT, &k) &&
	    cipher_with(kit, k.handle, CW_ALG_AES_CCM_16_128_256) &&
	    cipher_with(kit, k.handle, CW_ALG_CHACHA20_POLY1305);
}

/* ---- what a key does not do ---- */

static bool
algorithm(struct cw_kit *kit)
{
	struct cw_command c =
	    cw_kit_key(2, CW_KEY_SECRET, CW_USAGE_ENCRYPT, "Used");
	struct cw_held_key k;

	c.u.create_key.n_algorithms = 1;
	c.u.create_key.algorithms[0] = CW_ALG_CHACHA20_POLY1305;
	return cw_kit_commits(kit, c) && cw_kit_held(kit, "Used", &k) &&
	    uses(kit, k.handle, CW_OP_ENCRYPT, CW_ALG_AES_CCM_16_128_256,
		cw_bytes_str(TEXT), 0x6985,
		"an algorithm that is not the key's") &&
	    uses(kit, k.handle, CW_OP_MAC, CW_ALG_HMAC_256, cw_bytes_str(TEXT),
		0x6985, "an operation that is not the key's") &&
	    uses(kit, k.handle, CW_OP_ENCRYPT, CW_ALG_CHACHA20_POLY1305,
		cw_bytes_str(TEXT), 0x9000, "the key's own");
}

static bool
in_slot(struct cw_kit *kit)
{
	struct cw_command c = cw_kit_key(2, CW_KEY_P256, CW_USAGE_SIGN, "Used");
	struct cw_held_key k;

	c.u.create_key.slot = 0x9A;
	return cw_kit_commits(kit, c) &&
	    cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x9000,
		"VERIFY") &&
	    cw_kit_held(kit, "Used", &k) &&
	    uses(kit, k.handle, CW_OP_SIGN, CW_ALG_ESP256, cw_bytes_str(TEXT),
		0x6985, "USE KEY of a key in a slot");
}

const struct cw_kit_check cw_kit_use[] = {
	{ "use-sign", "11", "keys sign with their algorithm", sign },
	{ "use-rsa", "11", "RSA signs with both paddings, and decrypts", rsa },
	{ "use-agree", "11", "keys agree with a peer", agree },
	{ "use-mac", "11", "a secret makes MACs", mac },
	{ "use-cipher", "11", "a secret encrypts with fresh nonces", cipher },
	{ "use-algorithm", "8", "a key is used with its algorithms alone",
	    algorithm },
	{ "use-slot", "11", "USE KEY is for keys outside the slots", in_slot },
	{ NULL, NULL, NULL, NULL },
};
