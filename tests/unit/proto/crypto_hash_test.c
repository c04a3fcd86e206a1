/* SPDX-License-Identifier: Apache-2.0 */
/* SHA-256, HMAC, HKDF, AEAD and random numbers, by published values. */
#include <openssl/err.h>

#include "proto/crypto.h"
#include "tests/support/check.h"

static struct cw_buf a, b, c;

static int
wipe(void **state)
{
	(void)state;
	cw_buf_wipe(&a);
	cw_buf_wipe(&b);
	cw_buf_wipe(&c);
	return ERR_peek_error() == 0 ? 0 : 1;
}

/* FIPS 180-4, examples of NIST's CSRC. */
static void
sha256_gives_the_published_values(void **state)
{
	uint8_t h[CW_HASH_BYTES];

	(void)state;
	cw_hash(CW_BYTES_NONE, h);
	assert_hex(CW_BYTES_ARRAY(h),
	    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
	cw_hash(cw_bytes_str("abc"), h);
	assert_hex(CW_BYTES_ARRAY(h),
	    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

static void
sha256_of_parts_is_that_of_the_whole(void **state)
{
	const struct cw_bytes parts[] = { cw_bytes_str("a"), CW_BYTES_NONE,
		cw_bytes_str("bc") };
	uint8_t of_parts[CW_HASH_BYTES];
	uint8_t whole[CW_HASH_BYTES];

	(void)state;
	cw_sha256(parts, 3, of_parts);
	cw_hash(cw_bytes_str("abc"), whole);
	assert_memory_equal(of_parts, whole, sizeof(whole));
	cw_sha256(NULL, 0, of_parts);
	cw_hash(CW_BYTES_NONE, whole);
	assert_memory_equal(of_parts, whole, sizeof(whole));
}

/* RFC 4231 4.2, 4.3, 4.7 (key of 131 bytes), and the empty key. */
static void
hmac_takes_keys_of_every_length(void **state)
{
	static const struct {
		uint8_t byte; /* the key is this one repeated, or "Jefe" */
		size_t len;
		const char *message, *want;
	} rows[] = {
		{ 0x0b, 20, "Hi There",
		    "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e"
		    "32cff7" },
		{ 0, 4, "what do ya want for nothing?",
		    "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964"
		    "ec3843" },
		{ 0xaa, 131,
		    "Test Using Larger Than Block-Size Key - Hash Key First",
		    "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0e"
		    "e37f54" },
		{ 0, 0, "",
		    "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c7121442"
		    "92c5ad" },
	};
	uint8_t key[131];
	uint8_t mac[CW_HASH_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		memset(key, rows[i].byte, sizeof(key));
		if (rows[i].len == 4)
			memcpy(key, "Jefe", 4);
		cw_hmac_sha256(cw_bytes(rows[i].len == 0 ? NULL : key,
				   rows[i].len),
		    cw_bytes_str(rows[i].message), mac);
		assert_hex(CW_BYTES_ARRAY(mac), rows[i].want);
	}
}

/* RFC 5869 A.1 to A.3. */
static void
hkdf_gives_the_published_values(void **state)
{
	uint8_t prk[CW_HASH_BYTES];
	uint8_t okm[82];
	uint8_t counting[256];

	(void)state;
	for (size_t i = 0; i < sizeof(counting); i++)
		counting[i] = (uint8_t)i;
	memset(okm, 0x0b, 22);
	cw_hkdf_extract(cw_bytes(counting, 13), cw_bytes(okm, 22), prk);
	assert_hex(CW_BYTES_ARRAY(prk),
	    "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5");
	cw_hkdf_expand(prk, cw_bytes(counting + 0xf0, 10), okm, 42);
	assert_hex(cw_bytes(okm, 42),
	    "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
	    "34007208d5b887185865");

	cw_hkdf_extract(cw_bytes(counting + 0x60, 80), cw_bytes(counting, 80),
	    prk);
	cw_hkdf_expand(prk, cw_bytes(counting + 0xb0, 80), okm, 82);
	assert_hex(cw_bytes(okm, 82),
	    "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c"
	    "59045a99cac7827271cb41c65e590e09da3275600c2f09b8367793a9aca3db71"
	    "cc30c58179ec3e87c14c01d5c1f3434f1d87");

	memset(okm, 0x0b, 22);
	cw_hkdf_extract(CW_BYTES_NONE, cw_bytes(okm, 22), prk);
	cw_hkdf_expand(prk, CW_BYTES_NONE, okm, 42);
	assert_hex(cw_bytes(okm, 42),
	    "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
	    "9d201395faa4b61a96c8");
}

static void
hkdf_writes_what_is_asked_and_no_more(void **state)
{
	static uint8_t most[255 * 32 + 1];
	const uint8_t prk[CW_HASH_BYTES] = { 1 };
	uint8_t few[33];

	(void)state;
	most[255 * 32] = 0x5a;
	cw_hkdf_expand(prk, CW_BYTES_NONE, most, 255 * 32);
	assert_int_equal(most[255 * 32], 0x5a);
	for (size_t n = 0; n < sizeof(few); n++) {
		memset(few, 0x5a, sizeof(few));
		cw_hkdf_expand(prk, CW_BYTES_NONE, few, n);
		assert_true(n == 0 || memcmp(few, most, n) == 0);
		assert_int_equal(few[n], 0x5a);
	}
}

/* ---- AEAD ---- */

static const enum cw_alg algs[] = { CW_ALG_AES_CCM_16_128_256,
	CW_ALG_CHACHA20_POLY1305 };
static uint8_t key[CW_AEAD_KEY_BYTES];
static uint8_t nonce[CW_AEAD_NONCE_MAX];

static int
count_up(void **state)
{
	for (uint8_t i = 0; i < sizeof(key); i++)
		key[i] = i;
	memcpy(nonce, key, sizeof(nonce));
	cw_buf_init(&a, 70000);
	cw_buf_init(&b, 70000);
	return wipe(state);
}

static struct cw_bytes
nonce_for(enum cw_alg alg)
{
	return cw_bytes(nonce, cw_aead_nonce_bytes(alg));
}

/* Values of Python's cryptography 38; key and nonce count up from 0. */
static void
sealing_gives_the_bytes_that_others_compute(void **state)
{
	static const struct {
		const char *aad, *plain, *want[2];
	} rows[] = {
		{ "aad", "Cardwright",
		    { "5f66d9027bda13efa9a4ab4fbbb9f39c31fef3fbb6277dd3382a",
			"ca9a7a645e65cc27dff704bc95bb797e9f2da0f6a6007c579"
			"fe8" } },
		{ "", "",
		    { "5ca387835c0d63b16110f45241370da8",
			"295a498b8841a1c5f55d4d606f731159" } },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows) * COUNT(algs); i++) {
		enum cw_alg alg = algs[i % 2];
		struct cw_bytes aad = cw_bytes_str(rows[i / 2].aad);
		struct cw_bytes plain = cw_bytes_str(rows[i / 2].plain);

		if (plain.len == 0)
			aad = plain = CW_BYTES_NONE;
		cw_buf_reset(&a);
		cw_buf_reset(&b);
		/* Both append. */
		cw_buf_put_u8(&a, 0xee);
		cw_buf_put_u8(&b, 0xee);
		assert_err(cw_aead_seal(alg, key, nonce_for(alg), aad, plain,
			       &a),
		    CW_OK);
		assert_int_equal(a.ptr[0], 0xee);
		assert_hex(cw_bytes(a.ptr + 1, a.len - 1),
		    rows[i / 2].want[i % 2]);
		assert_err(cw_aead_open(alg, key, nonce_for(alg), aad,
			       cw_bytes(a.ptr + 1, a.len - 1), &b),
		    CW_OK);
		assert_true(
		    cw_bytes_equal(cw_bytes(b.ptr + 1, b.len - 1), plain));
	}
}

/* Opens b's bytes; it must be refused and leave what was there before. */
static void
must_not_open(enum cw_alg alg, struct cw_bytes aad)
{
	cw_buf_reset(&a);
	cw_buf_put_str(&a, "before");
	assert_err(cw_aead_open(alg, key, nonce_for(alg), aad, cw_buf_bytes(&b),
		       &a),
	    CW_ERR_BAD_CIPHERTEXT);
	assert_true(cw_bytes_is(cw_buf_bytes(&a), "before"));
}

static void
a_changed_bit_anywhere_is_refused(void **state)
{
	uint8_t aad[] = "aad";

	(void)state;
	for (size_t i = 0; i < COUNT(algs) * 2; i++) {
		enum cw_alg alg = algs[i / 2];
		/* Without a plaintext there is only the tag to check. */
		struct cw_bytes plain =
		    i % 2 ? cw_bytes_str("plain text") : CW_BYTES_NONE;
		struct {
			uint8_t *at;
			size_t len;
		} places[] = { { key, sizeof(key) },
			{ nonce, cw_aead_nonce_bytes(alg) },
			{ aad, sizeof(aad) }, { NULL, 0 } };

		cw_buf_reset(&b);
		assert_err(cw_aead_seal(alg, key, nonce_for(alg),
			       CW_BYTES_ARRAY(aad), plain, &b),
		    CW_OK);
		places[3].at = b.ptr;
		places[3].len = b.len;
		for (size_t p = 0; p < COUNT(places); p++)
			for (size_t bit = 0; bit < 8 * places[p].len; bit++) {
				uint8_t *at = &places[p].at[bit / 8];

				*at ^= (uint8_t)(1u << bit % 8);
				must_not_open(alg, CW_BYTES_ARRAY(aad));
				*at ^= (uint8_t)(1u << bit % 8);
			}
		must_not_open(alg, CW_BYTES_NONE);
	}
}

static void
a_cut_ciphertext_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(algs); i++) {
		cw_buf_reset(&b);
		assert_err(cw_aead_seal(algs[i], key, nonce_for(algs[i]),
			       CW_BYTES_NONE, cw_bytes_str("plain text"), &b),
		    CW_OK);
		while (b.len > 0) {
			cw_buf_truncate(&b, b.len - 1);
			must_not_open(algs[i], CW_BYTES_NONE);
		}
	}
}

static void
another_algorithm_or_nonce_length_is_refused(void **state)
{
	const struct cw_bytes none = CW_BYTES_NONE;
	uint8_t sealed[CW_AEAD_TAG_BYTES] = { 0 };

	(void)state;
	assert_int_equal(cw_aead_nonce_bytes(CW_ALG_AES_CCM_16_128_256), 13);
	assert_int_equal(cw_aead_nonce_bytes(CW_ALG_CHACHA20_POLY1305), 12);
	assert_int_equal(cw_aead_nonce_bytes(CW_ALG_ESP256), 0);
	for (size_t n = 0; n <= 13; n++)
		for (size_t i = 0; i < COUNT(algs); i++) {
			if (n == cw_aead_nonce_bytes(algs[i]))
				continue;
			assert_err(cw_aead_seal(algs[i], key,
				       cw_bytes(nonce, n), none, none, &a),
			    CW_ERR_UNKNOWN_ALGORITHM);
			assert_err(cw_aead_open(algs[i], key,
				       cw_bytes(nonce, n), none,
				       CW_BYTES_ARRAY(sealed), &a),
			    CW_ERR_UNKNOWN_ALGORITHM);
		}
	assert_err(cw_aead_seal(CW_ALG_ESP256, key, none, none, none, &a),
	    CW_ERR_UNKNOWN_ALGORITHM);
	assert_err(cw_aead_open(CW_ALG_ESP256, key, none, none,
		       CW_BYTES_ARRAY(sealed), &a),
	    CW_ERR_UNKNOWN_ALGORITHM);
	assert_int_equal(a.len, 0);
}

static void
what_does_not_fit_is_refused(void **state)
{
	static uint8_t big[65536 + CW_AEAD_TAG_BYTES];

	(void)state;
	for (size_t i = 0; i < COUNT(algs); i++) {
		cw_buf_reset(&a);
		assert_err(cw_aead_seal(algs[i], key, nonce_for(algs[i]),
			       CW_BYTES_NONE, cw_bytes(big, 65536), &a),
		    CW_ERR_TOO_LARGE);
		assert_int_equal(a.len, 0);
		assert_err(cw_aead_seal(algs[i], key, nonce_for(algs[i]),
			       CW_BYTES_NONE, cw_bytes(big, 65535), &a),
		    CW_OK);
		cw_buf_reset(&b);
		assert_err(cw_aead_open(algs[i], key, nonce_for(algs[i]),
			       CW_BYTES_NONE, cw_buf_bytes(&a), &b),
		    CW_OK);
		assert_err(cw_aead_open(algs[i], key, nonce_for(algs[i]),
			       CW_BYTES_NONE, CW_BYTES_ARRAY(big), &b),
		    CW_ERR_BAD_CIPHERTEXT);
		/* The buffer is full: its own error. */
		cw_buf_init(&c, 25);
		assert_err(cw_aead_seal(algs[i], key, nonce_for(algs[i]),
			       CW_BYTES_NONE, cw_bytes(big, 10), &c),
		    CW_ERR_TOO_LARGE);
		cw_buf_wipe(&c);
	}
}

static void
random_numbers_differ(void **state)
{
	uint8_t x[32] = { 0 };
	uint8_t y[32] = { 0 };

	(void)state;
	cw_random(x, sizeof(x));
	cw_random(y, sizeof(y));
	assert_memory_not_equal(x, y, sizeof(x));
	cw_random(x, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, count_up, wipe)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(sha256_gives_the_published_values),
		TEST(sha256_of_parts_is_that_of_the_whole),
		TEST(hmac_takes_keys_of_every_length),
		TEST(hkdf_gives_the_published_values),
		TEST(hkdf_writes_what_is_asked_and_no_more),
		TEST(sealing_gives_the_bytes_that_others_compute),
		TEST(a_changed_bit_anywhere_is_refused),
		TEST(a_cut_ciphertext_is_refused),
		TEST(another_algorithm_or_nonce_length_is_refused),
		TEST(what_does_not_fit_is_refused),
		TEST(random_numbers_differ),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
