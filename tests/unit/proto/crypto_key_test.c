/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys: storing them, and what a PIV slot does with them. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "proto/x509.h"
#include "tests/support/cert_maker.h"
#include "tests/support/check.h"

static const enum cw_key_type every_type[] = { CW_KEY_P256, CW_KEY_P384,
	CW_KEY_RSA2048, CW_KEY_RSA3072, CW_KEY_ED25519, CW_KEY_X25519 };

static struct cw_private_key *keys[COUNT(every_type)];
static struct cw_public_key publics[COUNT(every_type)];
static struct cw_buf out;

static int
make_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(every_type); i++) {
		if (cw_key_generate(every_type[i], &keys[i]) != CW_OK)
			return 1;
		cw_key_public(keys[i], &publics[i]);
	}
	return 0;
}

static int
free_keys(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(every_type); i++)
		cw_key_free(&keys[i]);
	return 0;
}

static int
begin(void **state)
{
	(void)state;
	cw_buf_init(&out, 4000);
	return 0;
}

static int
end(void **state)
{
	(void)state;
	cw_buf_wipe(&out);
	return ERR_peek_error() == 0 ? 0 : 1;
}

/* OpenSSL's idea of a public key. */
static EVP_PKEY *
evp_of(const struct cw_public_key *pub)
{
	struct cw_buf spki;
	const uint8_t *at;
	EVP_PKEY *key;

	cw_buf_init(&spki, 1000);
	assert_err(cw_public_key_spki(pub, &spki), CW_OK);
	at = spki.ptr;
	key = d2i_PUBKEY(NULL, &at, (long)spki.len);
	assert_non_null(key);
	cw_buf_wipe(&spki);
	return key;
}

/* ---- PKCS#8 ---- */

static void
an_exported_key_is_the_same_when_imported(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(every_type); i++) {
		struct cw_private_key *again;
		struct cw_public_key pub;
		struct cw_buf twice;
		const uint8_t *at;
		EVP_PKEY *evp;

		cw_buf_reset(&out);
		assert_err(cw_key_export(keys[i], &out), CW_OK);
		assert_err(cw_key_import(cw_buf_bytes(&out), &again), CW_OK);
		cw_key_public(again, &pub);
		assert_memory_equal(&pub, &publics[i], sizeof(pub));
		cw_buf_init(&twice, 4000);
		assert_err(cw_key_export(again, &twice), CW_OK);
		assert_true(
		    cw_bytes_equal(cw_buf_bytes(&out), cw_buf_bytes(&twice)));
		/* Others read it too. */
		at = out.ptr;
		evp = d2i_AutoPrivateKey(NULL, &at, (long)out.len);
		assert_non_null(evp);
		EVP_PKEY_free(evp);
		ERR_clear_error();
		cw_buf_wipe(&twice);
		cw_key_free(&again);
	}
}

static void
refuse_import(const char *what, struct cw_bytes der, enum cw_err want)
{
	struct cw_private_key *key;
	enum cw_err got = cw_key_import(der, &key);

	if (got != want)
		fail_msg("%s: %s", what, cw_err_name(got));
	assert_null(key);
}

static void
damaged_private_keys_are_refused(void **state)
{
	(void)state;
	refuse_import("nothing", CW_BYTES_NONE, CW_ERR_BAD_PRIVATE_KEY);
	refuse_import("text", cw_bytes_str("-----BEGIN"),
	    CW_ERR_BAD_PRIVATE_KEY);
	for (size_t i = 0; i < COUNT(every_type); i++) {
		const char *name = cw_key_type_info(every_type[i])->name;
		uint8_t *pub;

		cw_buf_reset(&out);
		assert_err(cw_key_export(keys[i], &out), CW_OK);
		cw_buf_put_u8(&out, 0);
		refuse_import(name, cw_buf_bytes(&out), CW_ERR_BAD_PRIVATE_KEY);
		for (size_t n = 0; n < out.len - 1; n += 11)
			refuse_import(name, cw_bytes(out.ptr, n),
			    CW_ERR_BAD_PRIVATE_KEY);
		/* The public half of another key. */
		cw_buf_truncate(&out, out.len - 1);
		pub = memmem(out.ptr, out.len, publics[i].x, publics[i].x_len);
		if (pub == NULL)
			continue; /* Curve25519 stores none */
		pub[publics[i].x_len / 2] ^= 4;
		refuse_import(name, cw_buf_bytes(&out), CW_ERR_BAD_PRIVATE_KEY);
	}
}

static void
private_keys_of_other_types_are_refused(void **state)
{
	static const char *const names[] = { "P-521", "RSA-1024", "Ed448" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		EVP_PKEY *evp = cw_test_evp_key(names[i]);
		PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(evp);
		uint8_t *der = NULL;
		int len = i2d_PKCS8_PRIV_KEY_INFO(p8, &der);

		assert_true(len > 0);
		refuse_import(names[i], cw_bytes(der, (size_t)len),
		    CW_ERR_UNKNOWN_ALGORITHM);
		OPENSSL_free(der);
		PKCS8_PRIV_KEY_INFO_free(p8);
		EVP_PKEY_free(evp);
	}
}

/* ---- scalars ---- */

static void
a_scalar_makes_the_same_key_again(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(every_type); i++) {
		struct cw_private_key *again;
		struct cw_public_key pub;
		uint8_t scalar[32] = { 0, 1 };

		if (every_type[i] != CW_KEY_P256 &&
		    every_type[i] != CW_KEY_X25519) {
			assert_err(cw_key_scalar(keys[i], scalar),
			    CW_ERR_UNKNOWN_ALGORITHM);
			assert_err(cw_key_from_scalar(every_type[i], scalar,
				       &again),
			    CW_ERR_UNKNOWN_ALGORITHM);
			continue;
		}
		assert_err(cw_key_scalar(keys[i], scalar), CW_OK);
		assert_err(cw_key_from_scalar(every_type[i], scalar, &again),
		    CW_OK);
		cw_key_public(again, &pub);
		assert_memory_equal(&pub, &publics[i], sizeof(pub));
		cw_key_free(&again);
	}
}

/* RFC 5903 8.1; RFC 7748 6.1. */
static void
published_scalars_agree_on_the_published_value(void **state)
{
	static const struct {
		enum cw_key_type type;
		const char *scalar, *x, *y, *z;
	} rows[] = {
		{ CW_KEY_P256,
		    "c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c5786"
		    "2d1433",
		    "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554"
		    "494bf63",
		    "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f330"
		    "39872ab",
		    "d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b"
		    "9442de" },
		{ CW_KEY_X25519,
		    "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51d"
		    "b92c2a",
		    "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f"
		    "882b4f",
		    "",
		    "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e"
		    "161742" },
	};
	uint8_t z[32];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_public_key peer = { .type = rows[i].type,
			.x_len = 32 };
		struct cw_private_key *key;
		struct cw_bytes y;

		memcpy(peer.x, cw_test_hex(&out, rows[i].x).ptr, 32);
		y = cw_test_hex(&out, rows[i].y);
		if (y.len > 0)
			memcpy(peer.y, y.ptr, y.len);
		peer.y_len = (uint16_t)y.len;
		assert_err(cw_key_from_scalar(rows[i].type,
			       cw_test_hex(&out, rows[i].scalar).ptr, &key),
		    CW_OK);
		assert_err(cw_agree(key, &peer, z), CW_OK);
		assert_hex(CW_BYTES_ARRAY(z), rows[i].z);
		cw_key_free(&key);
		assert_err(cw_key_to_agree(rows[i].type,
			       cw_test_hex(&out, rows[i].scalar).ptr, &key),
		    CW_OK);
		memset(z, 0, sizeof(z));
		assert_err(cw_agree(key, &peer, z), CW_OK);
		assert_hex(CW_BYTES_ARRAY(z), rows[i].z);
		cw_key_free(&key);
	}
}

static void
a_scalar_outside_the_group_is_refused(void **state)
{
	static const char *const bad[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551",
		"ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
	};

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++) {
		struct cw_private_key *key;

		assert_err(cw_key_from_scalar(CW_KEY_P256,
			       cw_test_hex(&out, bad[i]).ptr, &key),
		    CW_ERR_BAD_PRIVATE_KEY);
		assert_null(key);
		assert_err(cw_key_to_agree(CW_KEY_P256,
			       cw_test_hex(&out, bad[i]).ptr, &key),
		    CW_ERR_BAD_PRIVATE_KEY);
		assert_null(key);
	}
}

/* ---- PIV ---- */

static void
a_digest_is_signed_for_openssl_to_verify(void **state)
{
	static const uint8_t digest[65] = { 1, 2, 3 };
	static const size_t lengths[] = { 20, 32, 48, 64 };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		EVP_PKEY *evp = evp_of(&publics[i]);
		EC_KEY *ec = EVP_PKEY_get1_EC_KEY(evp);

		for (size_t j = 0; j < COUNT(lengths); j++) {
			cw_buf_reset(&out);
			assert_err(cw_key_sign_digest(keys[i],
				       cw_bytes(digest, lengths[j]), &out),
			    CW_OK);
			assert_int_equal(ECDSA_verify(0, digest,
					     (int)lengths[j], out.ptr,
					     (int)out.len, ec),
			    1);
		}
		cw_buf_reset(&out);
		assert_err(cw_key_sign_digest(keys[i], cw_bytes(digest, 19),
			       &out),
		    CW_ERR_OUT_OF_RANGE);
		assert_err(cw_key_sign_digest(keys[i], cw_bytes(digest, 65),
			       &out),
		    CW_ERR_OUT_OF_RANGE);
		assert_int_equal(out.len, 0);
		EC_KEY_free(ec);
		EVP_PKEY_free(evp);
	}
	/* Ed25519 takes the whole message (RFC 8032). */
	assert_err(cw_key_sign_digest(keys[4], cw_bytes(digest, 5), &out),
	    CW_OK);
	assert_err(cw_verify(&publics[4], cw_bytes(digest, 5),
		       cw_buf_bytes(&out)),
	    CW_OK);
	for (size_t i = 2; i < 6; i++)
		if (i != 4)
			assert_err(cw_key_sign_digest(keys[i],
				       cw_bytes(digest, 32), &out),
			    CW_ERR_UNKNOWN_ALGORITHM);
}

static void
a_block_comes_back_by_the_public_rsa_operation(void **state)
{
	uint8_t block[385] = { 0x00, 0x01, 0xff };
	uint8_t back[384];

	(void)state;
	for (size_t i = 2; i < 4; i++) {
		size_t n = publics[i].x_len;
		EVP_PKEY *evp = evp_of(&publics[i]);
		RSA *rsa = EVP_PKEY_get1_RSA(evp);

		cw_buf_reset(&out);
		assert_err(cw_key_rsa_private(keys[i], cw_bytes(block, n),
			       &out),
		    CW_OK);
		assert_int_equal(out.len, n);
		assert_int_equal(RSA_public_decrypt((int)n, out.ptr, back, rsa,
				     RSA_NO_PADDING),
		    (int)n);
		assert_memory_equal(back, block, n);
		cw_buf_reset(&out);
		/* Another length; the modulus itself and above. */
		assert_err(cw_key_rsa_private(keys[i], cw_bytes(block, n - 1),
			       &out),
		    CW_ERR_OUT_OF_RANGE);
		assert_err(cw_key_rsa_private(keys[i], cw_bytes(block, n + 1),
			       &out),
		    CW_ERR_OUT_OF_RANGE);
		assert_err(cw_key_rsa_private(keys[i],
			       cw_bytes(publics[i].x, n), &out),
		    CW_ERR_OUT_OF_RANGE);
		memset(back, 0xff, sizeof(back));
		assert_err(cw_key_rsa_private(keys[i], cw_bytes(back, n), &out),
		    CW_ERR_OUT_OF_RANGE);
		assert_int_equal(out.len, 0);
		RSA_free(rsa);
		EVP_PKEY_free(evp);
	}
	for (size_t i = 0; i < 6; i++)
		if (i != 2 && i != 3)
			assert_err(cw_key_rsa_private(keys[i],
				       cw_bytes(block, 256), &out),
			    CW_ERR_UNKNOWN_ALGORITHM);
}

/* A key's point as PIV sends it. */
static struct cw_bytes
point_of(const struct cw_public_key *key, struct cw_buf *b)
{
	cw_buf_reset(b);
	if (key->y_len > 0)
		cw_buf_put_u8(b, 0x04);
	cw_buf_put(b, cw_bytes(key->x, key->x_len));
	cw_buf_put(b, cw_bytes(key->y, key->y_len));
	return cw_buf_bytes(b);
}

static void
ecdh_of_both_sides_gives_the_same_x(void **state)
{
	static const size_t agreeing[] = { 0, 1, 5 };
	struct cw_buf point, x;

	(void)state;
	cw_buf_init(&point, 200);
	cw_buf_init(&x, 200);
	for (size_t i = 0; i < COUNT(agreeing); i++) {
		size_t k = agreeing[i];
		struct cw_private_key *other;
		struct cw_public_key pub;

		assert_err(cw_key_generate(every_type[k], &other), CW_OK);
		cw_key_public(other, &pub);
		cw_buf_reset(&out);
		cw_buf_reset(&x);
		assert_err(cw_key_ecdh(keys[k], point_of(&pub, &point), &out),
		    CW_OK);
		assert_err(cw_key_ecdh(other, point_of(&publics[k], &point),
			       &x),
		    CW_OK);
		assert_int_equal(x.len, pub.x_len);
		assert_true(
		    cw_bytes_equal(cw_buf_bytes(&x), cw_buf_bytes(&out)));
		cw_key_free(&other);
	}
	cw_buf_wipe(&point);
	cw_buf_wipe(&x);
}

static void
ecdh_refuses_what_is_no_point_of_the_curve(void **state)
{
	struct cw_buf b;
	struct cw_bytes p;

	(void)state;
	cw_buf_init(&b, 200);
	for (size_t i = 0; i < 2; i++) {
		p = point_of(&publics[i], &b);
		assert_err(cw_key_ecdh(keys[i], cw_bytes(p.ptr, p.len - 1),
			       &out),
		    CW_ERR_OUT_OF_RANGE);
		assert_err(cw_key_ecdh(keys[i], CW_BYTES_NONE, &out),
		    CW_ERR_OUT_OF_RANGE);
		assert_err(cw_key_ecdh(keys[1 - i], p, &out),
		    CW_ERR_OUT_OF_RANGE);
		b.ptr[0] = 0x02; /* compressed */
		assert_err(cw_key_ecdh(keys[i], p, &out), CW_ERR_OUT_OF_RANGE);
		b.ptr[0] = 0x04;
		b.ptr[b.len - 1] ^= 1;
		assert_err(cw_key_ecdh(keys[i], p, &out), CW_ERR_BAD_KEY);
	}
	p = point_of(&publics[5], &b);
	assert_err(cw_key_ecdh(keys[5], cw_bytes(p.ptr, 31), &out),
	    CW_ERR_OUT_OF_RANGE);
	memset(b.ptr, 0, 32);
	assert_err(cw_key_ecdh(keys[5], p, &out), CW_ERR_BAD_KEY);
	for (size_t i = 2; i < 5; i++)
		assert_err(cw_key_ecdh(keys[i], p, &out),
		    CW_ERR_UNKNOWN_ALGORITHM);
	assert_int_equal(out.len, 0);
	cw_buf_wipe(&b);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(an_exported_key_is_the_same_when_imported),
		TEST(damaged_private_keys_are_refused),
		TEST(private_keys_of_other_types_are_refused),
		TEST(a_scalar_makes_the_same_key_again),
		TEST(published_scalars_agree_on_the_published_value),
		TEST(a_scalar_outside_the_group_is_refused),
		TEST(a_digest_is_signed_for_openssl_to_verify),
		TEST(a_block_comes_back_by_the_public_rsa_operation),
		TEST(ecdh_of_both_sides_gives_the_same_x),
		TEST(ecdh_refuses_what_is_no_point_of_the_curve),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
