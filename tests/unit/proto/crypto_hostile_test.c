/* SPDX-License-Identifier: Apache-2.0 */
/* Keys that somebody made so that they hurt. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "proto/crypto.h"
#include "tests/support/check.h"

static int
queue_is_empty(void **state)
{
	(void)state;
	return ERR_peek_error() == 0 ? 0 : 1;
}

/* Takes the key. */
static enum cw_err
import(EVP_PKEY *evp)
{
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(evp);
	struct cw_private_key *key = NULL;
	uint8_t *der = NULL;
	int len = p8 == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(p8, &der);
	enum cw_err err;

	assert_true(len > 0);
	err = cw_key_import(cw_bytes(der, (size_t)len), &key);
	assert_int_equal(key != NULL, err == CW_OK);
	cw_key_free(&key);
	OPENSSL_free(der);
	PKCS8_PRIV_KEY_INFO_free(p8);
	EVP_PKEY_free(evp);
	return err;
}

/* ---- RSA ---- */

/* One good key, of which a row spoils a part. */
struct parts {
	BIGNUM *n, *e, *d, *p, *q, *dp, *dq, *qinv;
};

static void
good(struct parts *p)
{
	(void)p;
}

static void
exponents_of_one(struct parts *p)
{
	BN_one(p->e);
	BN_one(p->d);
	BN_one(p->dp);
	BN_one(p->dq);
}

static void
even_exponent(struct parts *p)
{
	BN_add_word(p->e, 1);
}

static void
long_public_exponent(struct parts *p)
{
	BN_lshift(p->e, p->e, 64);
	BN_add_word(p->e, 1);
}

/* Without the primes' help it would keep the processor busy. */
static void
long_private_exponent(struct parts *p)
{
	BN_lshift(p->d, p->d, 100000);
}

static void
other_private_exponent(struct parts *p)
{
	BN_add_word(p->d, 2);
	BN_add_word(p->dp, 2);
}

static void
even_modulus(struct parts *p)
{
	BN_sub_word(p->n, 1);
}

static void
even_prime(struct parts *p)
{
	BN_add_word(p->p, 1);
}

static void
zero_primes(struct parts *p)
{
	BN_zero(p->p);
	BN_zero(p->q);
}

static void
broken_rsa_keys_are_not_imported(void **state)
{
	static const struct {
		const char *what;
		void (*spoil)(struct parts *p);
		enum cw_err want;
	} rows[] = {
		{ "good", good, CW_OK },
		{ "exponents of one", exponents_of_one,
		    CW_ERR_BAD_PRIVATE_KEY },
		{ "even exponent", even_exponent, CW_ERR_BAD_PRIVATE_KEY },
		{ "long public exponent", long_public_exponent,
		    CW_ERR_BAD_PRIVATE_KEY },
		{ "long private exponent", long_private_exponent,
		    CW_ERR_BAD_PRIVATE_KEY },
		{ "another private exponent", other_private_exponent,
		    CW_ERR_BAD_PRIVATE_KEY },
		{ "even modulus", even_modulus, CW_ERR_BAD_PRIVATE_KEY },
		{ "even prime", even_prime, CW_ERR_BAD_PRIVATE_KEY },
		{ "no primes", zero_primes, CW_ERR_BAD_PRIVATE_KEY },
	};
	RSA *from = RSA_new();
	BIGNUM *f4 = BN_new();

	(void)state;
	BN_set_word(f4, RSA_F4);
	assert_int_equal(RSA_generate_key_ex(from, 2048, f4, NULL), 1);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct parts p = {
			BN_dup(RSA_get0_n(from)),
			BN_dup(RSA_get0_e(from)),
			BN_dup(RSA_get0_d(from)),
			BN_dup(RSA_get0_p(from)),
			BN_dup(RSA_get0_q(from)),
			BN_dup(RSA_get0_dmp1(from)),
			BN_dup(RSA_get0_dmq1(from)),
			BN_dup(RSA_get0_iqmp(from)),
		};
		EVP_PKEY *evp = EVP_PKEY_new();
		RSA *rsa = RSA_new();
		enum cw_err err;

		rows[i].spoil(&p);
		assert_int_equal(RSA_set0_key(rsa, p.n, p.e, p.d), 1);
		assert_int_equal(RSA_set0_factors(rsa, p.p, p.q), 1);
		assert_int_equal(RSA_set0_crt_params(rsa, p.dp, p.dq, p.qinv),
		    1);
		assert_int_equal(EVP_PKEY_assign_RSA(evp, rsa), 1);
		err = import(evp);
		if (err != rows[i].want)
			fail_msg("%s: %s", rows[i].what, cw_err_name(err));
	}
	BN_free(f4);
	RSA_free(from);
}

/* ---- elliptic curves ---- */

static EVP_PKEY *
ec_key(int curve, int flag)
{
	EVP_PKEY *evp = EVP_PKEY_new();
	EC_KEY *ec = EC_KEY_new_by_curve_name(curve);

	EC_KEY_set_asn1_flag(ec, flag);
	assert_int_equal(EC_KEY_generate_key(ec), 1);
	assert_int_equal(EVP_PKEY_assign_EC_KEY(evp, ec), 1);
	return evp;
}

/* RFC 5480 2.1.1: specifiedCurve MUST NOT be used. */
static void
curves_come_by_name_only(void **state)
{
	static const struct {
		int curve, flag;
		enum cw_err want;
	} rows[] = {
		{ NID_X9_62_prime256v1, OPENSSL_EC_NAMED_CURVE, CW_OK },
		{ NID_secp384r1, OPENSSL_EC_NAMED_CURVE, CW_OK },
		{ NID_X9_62_prime256v1, OPENSSL_EC_EXPLICIT_CURVE,
		    CW_ERR_UNKNOWN_ALGORITHM },
		{ NID_secp384r1, OPENSSL_EC_EXPLICIT_CURVE,
		    CW_ERR_UNKNOWN_ALGORITHM },
		{ NID_secp521r1, OPENSSL_EC_NAMED_CURVE,
		    CW_ERR_UNKNOWN_ALGORITHM },
		{ NID_secp256k1, OPENSSL_EC_NAMED_CURVE,
		    CW_ERR_UNKNOWN_ALGORITHM },
		{ NID_secp256k1, OPENSSL_EC_EXPLICIT_CURVE,
		    CW_ERR_UNKNOWN_ALGORITHM },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_err(import(ec_key(rows[i].curve, rows[i].flag)),
		    rows[i].want);
}

/* Half of the point (0, sqrt b): whose scalar is 2 gets a Z of zeros. */
static void
a_zero_z_is_refused(void **state)
{
	struct cw_public_key peer = { .type = CW_KEY_P256,
		.x_len = 32,
		.y_len = 32 };
	const uint8_t two[32] = { [31] = 2 };
	struct cw_private_key *key;
	struct cw_buf b = { 0 };
	uint8_t z[32];

	(void)state;
	memcpy(peer.x,
	    cw_test_hex(&b,
		"81bfb55b010b1bdf08b8d9d8590087aa"
		"278e28febff3b05632eeff09011c5579")
		.ptr,
	    32);
	memcpy(peer.y,
	    cw_test_hex(&b,
		"8cd2f199d9815d7585073034eb76c93d"
		"50799b354b0fb1e77eb75eba8bff3d58")
		.ptr,
	    32);
	assert_err(cw_public_key_check(&peer), CW_OK);
	assert_err(cw_key_from_scalar(CW_KEY_P256, two, &key), CW_OK);
	assert_err(cw_agree(key, &peer, z), CW_ERR_BAD_KEY);
	cw_key_free(&key);
	/* RFC 7748 6.1: points of small order. */
	peer = (struct cw_public_key){ .type = CW_KEY_X25519, .x_len = 32 };
	for (uint8_t x = 0; x < 2; x++) {
		peer.x[0] = x;
		assert_err(cw_key_from_scalar(CW_KEY_X25519, two, &key), CW_OK);
		assert_err(cw_agree(key, &peer, z), CW_ERR_BAD_KEY);
		cw_key_free(&key);
	}
	cw_buf_wipe(&b);
}

static void
what_is_no_point_is_no_key(void **state)
{
	static const struct {
		const char *what, *x;
	} rows[] = {
		{ "zero", "00" },
		{ "the field's prime",
		    "ffffffff00000001000000000000000000000000ffffffffffffffff"
		    "ffffffff" },
		{ "beyond the field",
		    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffff"
		    "ffffffff" },
	};
	struct cw_private_key *own;
	struct cw_buf b = { 0 };
	uint8_t z[32];

	(void)state;
	assert_err(cw_key_generate(CW_KEY_P256, &own), CW_OK);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_public_key key = { .type = CW_KEY_P256,
			.x_len = 32,
			.y_len = 32 };
		struct cw_bytes x = cw_test_hex(&b, rows[i].x);

		memcpy(key.x, x.ptr, x.len);
		assert_err(cw_public_key_check(&key), CW_ERR_BAD_KEY);
		assert_err(cw_agree(own, &key, z), CW_ERR_BAD_KEY);
		cw_buf_reset(&b);
		assert_err(cw_verify(&key, CW_BYTES_NONE, cw_bytes(key.x, 64)),
		    CW_ERR_BAD_KEY);
	}
	cw_key_free(&own);
	cw_buf_wipe(&b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(broken_rsa_keys_are_not_imported,
		    queue_is_empty),
		cmocka_unit_test_teardown(curves_come_by_name_only,
		    queue_is_empty),
		cmocka_unit_test_teardown(a_zero_z_is_refused, queue_is_empty),
		cmocka_unit_test_teardown(what_is_no_point_is_no_key,
		    queue_is_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
