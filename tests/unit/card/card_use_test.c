/* SPDX-License-Identifier: Apache-2.0 */
/* USE KEY: what each key does with each algorithm, and what it does not; and
 * the PIN that it needs. */
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "proto/x509.h"
#include "tests/support/card_play.h"

#define MESSAGE "What is to be signed"

/* One key outside the slots, with key 1's PIN if `pin`, committed; its
 * certificate is in issuer.certificate. */
static uint32_t
with_key(struct cw_test_world *w, enum cw_key_type type, unsigned usage,
    int32_t algorithm, bool pin)
{
	struct cw_create_key key = { .id = 2,
		.type = type,
		.usage = usage,
		.pin_policy = pin ? CW_PLAY_POLICY_ID : 0,
		.n_algorithms = algorithm != 0,
		.algorithms = { algorithm },
		.name = { (const uint8_t *)"Used", 4 } };

	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	return cw_play_held(w, "Used").handle;
}

static uint32_t
with_secret(struct cw_test_world *w, unsigned usage)
{
	struct cw_create_key key = cw_play_secret;

	key.usage = usage;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_import(&key));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	return cw_play_held(w, "Secret").handle;
}

static unsigned
use(struct cw_test_world *w, uint32_t handle, enum cw_key_operation operation,
    int32_t algorithm, struct cw_bytes data)
{
	const struct cw_key_request q = { .handle = handle,
		.operation = operation,
		.algorithm = algorithm,
		.data = data };

	return cw_play_hold(w, CW_INS_USE_KEY, &q);
}

/* ---- signatures ---- */

static void
keys_sign_with_their_algorithm(void **state)
{
	static const struct {
		enum cw_key_type type;
		int32_t algorithm;
	} rows[] = {
		{ CW_KEY_P256, CW_ALG_ESP256 },
		{ CW_KEY_P384, CW_ALG_ESP384 },
		{ CW_KEY_ED25519, CW_ALG_ED25519 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		uint32_t handle =
		    with_key(w, rows[i].type, CW_USAGE_SIGN, 0, false);
		struct cw_public_key key;

		assert_sw(use(w, handle, CW_OP_SIGN, rows[i].algorithm,
			      cw_bytes_str(MESSAGE)),
		    0x9000);
		assert_err(cw_cert_public_key(cw_buf_bytes(
						  &w->issuer.certificate),
			       &key),
		    CW_OK);
		assert_err(cw_verify(&key, cw_bytes_str(MESSAGE),
			       cw_buf_bytes(&w->out)),
		    CW_OK);
	}
}

static EVP_PKEY *
rsa_public(struct cw_test_world *w)
{
	const uint8_t *at = w->issuer.certificate.ptr;
	X509 *x = d2i_X509(NULL, &at, (long)w->issuer.certificate.len);
	EVP_PKEY *key = X509_get_pubkey(x);

	X509_free(x);
	assert_non_null(key);
	return key;
}

static void
rsa_signs_with_both_paddings(void **state)
{
	static const struct {
		int32_t algorithm;
		const char *hash;
		int padding;
	} rows[] = {
		{ CW_ALG_RS256, "SHA256", RSA_PKCS1_PADDING },
		{ CW_ALG_RS384, "SHA384", RSA_PKCS1_PADDING },
		{ CW_ALG_RS512, "SHA512", RSA_PKCS1_PADDING },
		{ CW_ALG_PS256, "SHA256", RSA_PKCS1_PSS_PADDING },
		{ CW_ALG_PS384, "SHA384", RSA_PKCS1_PSS_PADDING },
		{ CW_ALG_PS512, "SHA512", RSA_PKCS1_PSS_PADDING },
	};
	struct cw_test_world *w = *state;
	uint32_t handle = with_key(w, CW_KEY_RSA2048, CW_USAGE_SIGN, 0, false);
	EVP_PKEY *key = rsa_public(w);

	for (size_t i = 0; i < COUNT(rows); i++) {
		EVP_MD_CTX *md = EVP_MD_CTX_new();
		EVP_PKEY_CTX *ctx;

		assert_sw(use(w, handle, CW_OP_SIGN, rows[i].algorithm,
			      cw_bytes_str(MESSAGE)),
		    0x9000);
		assert_int_equal(EVP_DigestVerifyInit_ex(md, &ctx, rows[i].hash,
				     NULL, NULL, key, NULL),
		    1);
		assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx,
				     rows[i].padding),
		    1);
		if (rows[i].padding == RSA_PKCS1_PSS_PADDING)
			assert_int_equal(EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx,
					     RSA_PSS_SALTLEN_DIGEST),
			    1);
		assert_int_equal(EVP_DigestVerify(md, w->out.ptr, w->out.len,
				     (const uint8_t *)MESSAGE, strlen(MESSAGE)),
		    1);
		EVP_MD_CTX_free(md);
	}
	EVP_PKEY_free(key);
}

/* ---- decryption ---- */

static void
oaep(EVP_PKEY *key, const char *hash, struct cw_buf *out)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
	uint8_t sealed[384];
	size_t n = sizeof(sealed);

	assert_int_equal(EVP_PKEY_encrypt_init(ctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx,
			     RSA_PKCS1_OAEP_PADDING),
	    1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_oaep_md_name(ctx, hash, NULL), 1);
	assert_int_equal(EVP_PKEY_CTX_set_rsa_mgf1_md_name(ctx, hash, NULL), 1);
	assert_int_equal(EVP_PKEY_encrypt(ctx, sealed, &n,
			     (const uint8_t *)"key", 3),
	    1);
	cw_buf_reset(out);
	cw_buf_put(out, cw_bytes(sealed, n));
	EVP_PKEY_CTX_free(ctx);
}

static void
rsa_decrypts_with_both_hashes_and_nothing_damaged(void **state)
{
	static const struct {
		int32_t algorithm;
		const char *hash;
	} rows[] = { { CW_ALG_RSA_OAEP_SHA1, "SHA1" },
		{ CW_ALG_RSA_OAEP_SHA256, "SHA256" } };
	struct cw_test_world *w = *state;
	uint32_t handle =
	    with_key(w, CW_KEY_RSA2048, CW_USAGE_DECRYPT, 0, false);
	EVP_PKEY *key = rsa_public(w);
	struct cw_buf sealed;

	cw_buf_init(&sealed, 384);
	for (size_t i = 0; i < COUNT(rows); i++) {
		oaep(key, rows[i].hash, &sealed);
		assert_sw(use(w, handle, CW_OP_DECRYPT, rows[i].algorithm,
			      cw_buf_bytes(&sealed)),
		    0x9000);
		assert_true(cw_bytes_is(cw_buf_bytes(&w->out), "key"));
		assert_sw(use(w, handle, CW_OP_DECRYPT, rows[1 - i].algorithm,
			      cw_buf_bytes(&sealed)),
		    0x6A80);
		assert_sw(use(w, handle, CW_OP_DECRYPT, rows[i].algorithm,
			      cw_bytes(sealed.ptr, sealed.len - 1)),
		    0x6A80);
		sealed.ptr[40] ^= 1;
		assert_sw(use(w, handle, CW_OP_DECRYPT, rows[i].algorithm,
			      cw_buf_bytes(&sealed)),
		    0x6A80);
	}
	cw_buf_wipe(&sealed);
	EVP_PKEY_free(key);
}

/* ---- agreement ---- */

static void
keys_agree_with_a_peer(void **state)
{
	static const enum cw_key_type types[] = { CW_KEY_P256, CW_KEY_X25519 };

	for (size_t i = 0; i < COUNT(types); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		uint32_t handle =
		    with_key(w, types[i], CW_USAGE_AGREE, 0, false);
		struct cw_private_key *peer = NULL;
		struct cw_public_key own, public;
		uint8_t point[65] = { 4 }, z[32];
		struct cw_bytes data;

		assert_err(cw_key_generate(types[i], &peer), CW_OK);
		cw_key_public(peer, &public);
		memcpy(point + 1, public.x, 32);
		memcpy(point + 33, public.y, 32);
		data = types[i] == CW_KEY_P256 ? CW_BYTES_ARRAY(point) :
						 cw_bytes(public.x, 32);
		assert_sw(use(w, handle, CW_OP_AGREE, CW_ALG_RAW_AGREEMENT,
			      data),
		    0x9000);
		assert_err(cw_cert_public_key(cw_buf_bytes(
						  &w->issuer.certificate),
			       &own),
		    CW_OK);
		assert_err(cw_agree(peer, &own, z), CW_OK);
		assert_true(
		    cw_bytes_equal(cw_buf_bytes(&w->out), CW_BYTES_ARRAY(z)));
		assert_sw(use(w, handle, CW_OP_AGREE, CW_ALG_RAW_AGREEMENT,
			      cw_bytes(data.ptr, data.len - 1)),
		    0x6A80);
		cw_key_free(&peer);
	}
}

/* ---- secrets ---- */

static void
a_secret_makes_macs(void **state)
{
	struct cw_test_world *w = *state;
	uint32_t handle = with_secret(w, CW_USAGE_MAC);
	uint8_t want[CW_HASH_BYTES];

	cw_hmac_sha256(cw_play_secret.secret, cw_bytes_str(MESSAGE), want);
	assert_sw(use(w, handle, CW_OP_MAC, CW_ALG_HMAC_256,
		      cw_bytes_str(MESSAGE)),
	    0x9000);
	assert_true(
	    cw_bytes_equal(cw_buf_bytes(&w->out), CW_BYTES_ARRAY(want)));
}

static void
a_secret_encrypts_and_decrypts(void **state)
{
	static const int32_t algorithms[] = { CW_ALG_AES_CCM_16_128_256,
		CW_ALG_CHACHA20_POLY1305 };
	struct cw_test_world *w = *state;
	uint32_t handle = with_secret(w, CW_USAGE_ENCRYPT);
	struct cw_buf first, second;

	cw_buf_init(&first, 1024);
	cw_buf_init(&second, 1024);
	for (size_t i = 0; i < COUNT(algorithms); i++) {
		assert_sw(use(w, handle, CW_OP_ENCRYPT, algorithms[i],
			      cw_bytes_str(MESSAGE)),
		    0x9000);
		cw_buf_move(&first, &w->out);
		cw_buf_init(&w->out, CW_RESPONSE_MAX);
		/* Never the same nonce, and so never the same bytes. */
		assert_sw(use(w, handle, CW_OP_ENCRYPT, algorithms[i],
			      cw_bytes_str(MESSAGE)),
		    0x9000);
		assert_false(cw_bytes_equal(cw_buf_bytes(&first),
		    cw_buf_bytes(&w->out)));
		assert_sw(use(w, handle, CW_OP_DECRYPT, algorithms[i],
			      cw_buf_bytes(&first)),
		    0x9000);
		assert_true(cw_bytes_is(cw_buf_bytes(&w->out), MESSAGE));
		first.ptr[first.len - 1] ^= 1;
		assert_sw(use(w, handle, CW_OP_DECRYPT, algorithms[i],
			      cw_buf_bytes(&first)),
		    0x6A80);
		for (size_t len = 1; len <= 29; len += 4)
			assert_sw(use(w, handle, CW_OP_DECRYPT, algorithms[i],
				      cw_bytes(first.ptr, len)),
			    0x6A80);
	}
	cw_buf_wipe(&first);
	cw_buf_wipe(&second);
}

/* ---- what a key does not do ---- */

static void
a_key_does_nothing_else(void **state)
{
	static const struct {
		const char *name;
		enum cw_key_type type;
		unsigned usage;
		int32_t endorsed;
		enum cw_key_operation operation;
		int32_t algorithm;
	} rows[] = {
		{ "another usage", CW_KEY_P256, CW_USAGE_AGREE, 0, CW_OP_SIGN,
		    CW_ALG_ESP256 },
		{ "agreement without the usage", CW_KEY_P256, CW_USAGE_SIGN, 0,
		    CW_OP_AGREE, CW_ALG_RAW_AGREEMENT },
		{ "another type's algorithm", CW_KEY_P256, CW_USAGE_SIGN, 0,
		    CW_OP_SIGN, CW_ALG_ESP384 },
		{ "no algorithm", CW_KEY_P256, CW_USAGE_SIGN, 0, CW_OP_SIGN,
		    12345 },
		{ "an algorithm that is not endorsed", CW_KEY_RSA2048,
		    CW_USAGE_SIGN, CW_ALG_PS256, CW_OP_SIGN, CW_ALG_RS256 },
		{ "another operation", CW_KEY_P256, CW_USAGE_SIGN, 0,
		    CW_OP_DECRYPT, CW_ALG_ESP256 },
		{ "a secret's operation", CW_KEY_P256, CW_USAGE_SIGN, 0,
		    CW_OP_MAC, CW_ALG_HMAC_256 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		uint32_t handle = with_key(w, rows[i].type, rows[i].usage,
		    rows[i].endorsed, false);

		print_message("%s\n", rows[i].name);
		assert_sw(use(w, handle, rows[i].operation, rows[i].algorithm,
			      cw_bytes_str(MESSAGE)),
		    0x6985);
	}
}

static void
a_secret_does_what_its_usage_says(void **state)
{
	struct cw_test_world *w = *state;
	uint32_t handle = with_secret(w, CW_USAGE_MAC);

	assert_sw(use(w, handle, CW_OP_ENCRYPT, CW_ALG_CHACHA20_POLY1305,
		      cw_bytes_str(MESSAGE)),
	    0x6985);
	w = cw_test_world_renew(state);
	handle = with_secret(w, CW_USAGE_ENCRYPT);
	assert_sw(use(w, handle, CW_OP_MAC, CW_ALG_HMAC_256,
		      cw_bytes_str(MESSAGE)),
	    0x6985);
}

static void
keys_in_slots_are_used_through_piv_only(void **state)
{
	struct cw_test_world *w = *state;

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(use(w, 1, CW_OP_SIGN, CW_ALG_ESP256, cw_bytes_str(MESSAGE)),
	    0x6985);
}

static void
a_key_that_is_not_there_is_not_found(void **state)
{
	struct cw_test_world *w = *state;

	(void)cw_test_select_provisioning(&w->card.wire);
	assert_sw(use(w, 77, CW_OP_SIGN, CW_ALG_ESP256, cw_bytes_str(MESSAGE)),
	    0x6A82);
	assert_sw(cw_test_send(&w->card.wire, 0x8032, 0, cw_bytes_str("none"),
		      NULL),
	    0x6A80);
}

/* ---- the PIN ---- */

static unsigned
sign_with(struct cw_test_world *w, uint32_t handle, const char *pin)
{
	struct cw_key_request q = { .handle = handle,
		.operation = CW_OP_SIGN,
		.algorithm = CW_ALG_ESP256,
		.data = cw_bytes_str(MESSAGE) };

	if (pin != NULL)
		q.pin = cw_bytes_str(pin);
	return cw_play_hold(w, CW_INS_USE_KEY, &q);
}

static void
each_use_needs_the_pin(void **state)
{
	struct cw_test_world *w = *state;
	uint32_t handle = with_key(w, CW_KEY_P256, CW_USAGE_SIGN, 0, true);

	assert_sw(sign_with(w, handle, NULL), 0x6982);
	assert_sw(sign_with(w, handle, CW_PLAY_PIN), 0x9000);
	assert_sw(sign_with(w, handle, NULL), 0x6982);
	assert_sw(sign_with(w, handle, "4712"), 0x63C2);
	assert_int_equal(cw_play_held(w, "Used").pin_tries, 2);
	assert_sw(sign_with(w, handle, CW_PLAY_PIN), 0x9000);
	assert_int_equal(cw_play_held(w, "Used").pin_tries, 3);
}

/* Key 1 has the same PIN: one counter for the group. */
static void
keys_of_a_group_block_together(void **state)
{
	struct cw_test_world *w = *state;
	uint32_t handle = with_key(w, CW_KEY_P256, CW_USAGE_SIGN, 0, true);
	uint32_t sibling = cw_play_held(w, "Key 1").handle;

	assert_sw(sign_with(w, handle, "4712"), 0x63C2);
	assert_sw(sign_with(w, sibling, "4712"), 0x63C1);
	assert_sw(sign_with(w, handle, "47110"), 0x6983);
	assert_sw(sign_with(w, sibling, CW_PLAY_PIN), 0x6983);
	assert_int_equal(cw_play_held(w, "Key 1").pin_tries, 0);
}

static void
a_try_is_counted_before_it_is_compared(void **state)
{
	struct cw_test_world *w = *state;
	uint32_t handle = with_key(w, CW_KEY_P256, CW_USAGE_SIGN, 0, true);

	w->card.storage.tear = CW_TEST_TEAR_AFTER;
	w->card.storage.tear_at = w->card.storage.stores + 1;
	assert_sw(sign_with(w, handle, CW_PLAY_PIN), 0);
	cw_test_card_power_cycle(&w->card);
	(void)cw_test_select_provisioning(&w->card.wire);
	assert_int_equal(cw_play_held(w, "Used").pin_tries, 2);
	/* Nothing leaves when the success cannot be written. */
	w->card.storage.tear = CW_TEST_TEAR_FULL;
	w->card.storage.tear_at = w->card.storage.stores + 2;
	assert_sw(sign_with(w, handle, CW_PLAY_PIN), 0x6581);
	assert_int_equal(w->out.len, 0);
	w->card.storage.tear = CW_TEST_TEAR_NONE;
	assert_sw(sign_with(w, handle, CW_PLAY_PIN), 0x9000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(keys_sign_with_their_algorithm),
		world_test(rsa_signs_with_both_paddings),
		world_test(rsa_decrypts_with_both_hashes_and_nothing_damaged),
		world_test(keys_agree_with_a_peer),
		world_test(a_secret_makes_macs),
		world_test(a_secret_encrypts_and_decrypts),
		world_test(a_key_does_nothing_else),
		world_test(a_secret_does_what_its_usage_says),
		world_test(keys_in_slots_are_used_through_piv_only),
		world_test(a_key_that_is_not_there_is_not_found),
		world_test(each_use_needs_the_pin),
		world_test(keys_of_a_group_block_together),
		world_test(a_try_is_counted_before_it_is_compared),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
