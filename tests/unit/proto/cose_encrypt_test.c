/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Encrypt0. Published vectors: tests/vectors/cose.sh. */
#include "proto/cose.h"

#include "tests/support/check.h"

static const uint8_t aead_key[CW_AEAD_KEY_BYTES] = { 1, 2, 3 };
static const uint8_t nonce_bytes[CW_AEAD_NONCE_MAX] = { 9, 8, 7 };

static const struct {
	enum cw_alg alg;
	size_t nonce_len;
	const char *head; /* up to the ciphertext of three bytes */
} ciphers[] = {
	{ CW_ALG_AES_CCM_16_128_256, 13, "83 44a101181f a0 53" },
	{ CW_ALG_CHACHA20_POLY1305, 12, "83 44a1011818 a0 53" },
};

static struct cw_bytes
nonce_for(size_t i)
{
	return cw_bytes(nonce_bytes, ciphers[i].nonce_len);
}

static void
the_authenticated_bytes_are_those_of_rfc_9052(void **state)
{
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 100);
	cw_cose_enc_structure(cw_test_input("a101181f"), cw_bytes_str("aad"),
	    &out);
	assert_hex(cw_buf_bytes(&out),
	    "83 68456e637279707430 44a101181f 43616164");
	cw_buf_wipe(&out);
}

static void
what_is_sealed_opens_and_any_changed_byte_is_noticed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(ciphers); i++) {
		struct cw_bytes aad = cw_bytes_str("aad");
		struct cw_buf sealed;
		struct cw_buf plain;

		cw_buf_init(&sealed, 100);
		cw_buf_init(&plain, 100);
		assert_err(cw_cose_encrypt0_seal(ciphers[i].alg, aead_key,
			       nonce_for(i), aad, cw_bytes_str("abc"), &sealed),
		    CW_OK);
		assert_hex(cw_bytes(sealed.ptr, 8), ciphers[i].head);
		assert_int_equal(sealed.len, 8 + 3 + CW_AEAD_TAG_BYTES);
		cw_buf_put_str(&plain, "before ");
		assert_err(cw_cose_encrypt0_open(ciphers[i].alg, aead_key,
			       nonce_for(i), aad, cw_buf_bytes(&sealed),
			       &plain),
		    CW_OK);
		assert_true(cw_bytes_is(cw_buf_bytes(&plain), "before abc"));
		for (size_t k = 0; k < sealed.len * 8; k++) {
			enum cw_err err;

			sealed.ptr[k / 8] ^= (uint8_t)(1 << k % 8);
			err = cw_cose_encrypt0_open(ciphers[i].alg, aead_key,
			    nonce_for(i), aad, cw_buf_bytes(&sealed), &plain);
			assert_int_not_equal(err, CW_OK);
			if (k / 8 >= 8)
				assert_err(err, CW_ERR_BAD_CIPHERTEXT);
			sealed.ptr[k / 8] ^= (uint8_t)(1 << k % 8);
		}
		assert_int_equal(plain.len, 10);
		cw_buf_wipe(&sealed);
		cw_buf_wipe(&plain);
	}
}

static void
a_ciphertext_opens_with_its_own_key_nonce_and_context_only(void **state)
{
	static const uint8_t other_key[CW_AEAD_KEY_BYTES] = { 1, 2, 4 };
	static const uint8_t other_nonce[CW_AEAD_NONCE_MAX] = { 9, 8, 8 };

	(void)state;
	for (size_t i = 0; i < COUNT(ciphers); i++) {
		enum cw_alg alg = ciphers[i].alg;
		struct cw_bytes aad = cw_bytes_str("aad");
		struct cw_bytes in;
		struct cw_buf b;
		struct cw_buf plain;

		cw_buf_init(&b, 100);
		cw_buf_init(&plain, 100);
		assert_err(cw_cose_encrypt0_seal(alg, aead_key, nonce_for(i),
			       aad, cw_bytes_str("abc"), &b),
		    CW_OK);
		in = cw_buf_bytes(&b);
		assert_err(cw_cose_encrypt0_open(alg, other_key, nonce_for(i),
			       aad, in, &plain),
		    CW_ERR_BAD_CIPHERTEXT);
		assert_err(cw_cose_encrypt0_open(alg, aead_key,
			       cw_bytes(other_nonce, ciphers[i].nonce_len), aad,
			       in, &plain),
		    CW_ERR_BAD_CIPHERTEXT);
		assert_err(cw_cose_encrypt0_open(alg, aead_key, nonce_for(i),
			       CW_BYTES_NONE, in, &plain),
		    CW_ERR_BAD_CIPHERTEXT);
		/* The other algorithm of the two is not what was agreed. */
		assert_err(cw_cose_encrypt0_open(ciphers[1 - i].alg, aead_key,
			       nonce_for(1 - i), aad, in, &plain),
		    CW_ERR_BAD_COSE);
		assert_int_equal(plain.len, 0);
		cw_buf_wipe(&b);
		cw_buf_wipe(&plain);
	}
}

static void
an_encrypt0_has_exactly_the_headers_of_the_protocol(void **state)
{
	static const struct {
		const char *what, *hex;
		enum cw_err want;
	} rows[] = {
		{ "tagged", "d083 44a101181f a0 40", CW_ERR_WRONG_TYPE },
		{ "two items", "82 44a101181f a0", CW_ERR_BAD_COSE },
		{ "four items", "84 44a101181f a0 40 80", CW_ERR_BAD_COSE },
		{ "a nonce header", "83 44a101181f a105 4100 40",
		    CW_ERR_BAD_COSE },
		{ "no protected header", "83 40 a0 40", CW_ERR_TRUNCATED },
		{ "empty protected header", "83 41a0 a0 40", CW_ERR_BAD_COSE },
		{ "one header more", "83 46a201181f0400 a0 40",
		    CW_ERR_BAD_COSE },
		{ "another header", "83 43a10400 a0 40", CW_ERR_MISSING_FIELD },
		{ "a private header", "83 43a12000 a0 40",
		    CW_ERR_MISSING_FIELD },
		{ "AES-GCM", "83 43a10103 a0 40", CW_ERR_BAD_COSE },
		{ "algorithm by name", "83 44a1016161 a0 40",
		    CW_ERR_WRONG_TYPE },
		{ "bytes behind the header", "83 45a101181f00 a0 40",
		    CW_ERR_TRAILING },
		{ "detached ciphertext", "83 44a101181f a0 f6",
		    CW_ERR_WRONG_TYPE },
		{ "no tag", "83 44a101181f a0 40", CW_ERR_BAD_CIPHERTEXT },
		{ "fifteen bytes",
		    "83 44a101181f a0"
		    "4f000000000000000000000000000000",
		    CW_ERR_BAD_CIPHERTEXT },
		{ "trailing bytes", "83 44a101181f a0 40 00", CW_ERR_TRAILING },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_buf plain;
		enum cw_err err;

		cw_buf_init(&plain, 100);
		err = cw_cose_encrypt0_open(CW_ALG_AES_CCM_16_128_256, aead_key,
		    nonce_for(0), CW_BYTES_NONE, cw_test_input(rows[i].hex),
		    &plain);
		if (err != rows[i].want)
			fail_msg("%s: %s, not %s", rows[i].what,
			    cw_err_name(err), cw_err_name(rows[i].want));
		assert_int_equal(plain.len, 0);
		cw_buf_wipe(&plain);
	}
}

static void
a_failed_seal_leaves_the_output_as_it_was(void **state)
{
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 20);
	cw_buf_put_str(&out, "before");
	assert_err(cw_cose_encrypt0_seal(CW_ALG_ESP256, aead_key, nonce_for(0),
		       CW_BYTES_NONE, CW_BYTES_NONE, &out),
	    CW_ERR_UNKNOWN_ALGORITHM);
	assert_true(cw_bytes_is(cw_buf_bytes(&out), "before"));
	assert_err(cw_cose_encrypt0_seal(CW_ALG_AES_CCM_16_128_256, aead_key,
		       nonce_for(0), CW_BYTES_NONE, cw_bytes_str("abc"), &out),
	    CW_ERR_TOO_LARGE);
	assert_true(cw_bytes_is(cw_buf_bytes(&out), "before"));
	cw_buf_wipe(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_authenticated_bytes_are_those_of_rfc_9052),
		cmocka_unit_test(
		    what_is_sealed_opens_and_any_changed_byte_is_noticed),
		cmocka_unit_test(
		    a_ciphertext_opens_with_its_own_key_nonce_and_context_only),
		cmocka_unit_test(
		    an_encrypt0_has_exactly_the_headers_of_the_protocol),
		cmocka_unit_test(a_failed_seal_leaves_the_output_as_it_was),
	};

	return cmocka_run_group_tests_name("cose encrypt0", tests, NULL,
	    cw_test_input_free);
}
