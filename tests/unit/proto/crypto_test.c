/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures and key agreement: what is made verifies, all else is refused. */
#include "proto/crypto.h"

#include <openssl/err.h>

#include "tests/support/check.h"

static const enum cw_key_type every_type[] = { CW_KEY_P256, CW_KEY_P384,
	CW_KEY_RSA2048, CW_KEY_RSA3072, CW_KEY_ED25519, CW_KEY_X25519 };

/* One key of each, made once: RSA takes its time. */
static struct cw_private_key *keys[COUNT(every_type)];
static struct cw_public_key publics[COUNT(every_type)];

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
no_openssl_error_is_left(void **state)
{
	(void)state;
	return ERR_peek_error() == 0 ? 0 : 1;
}

static void
every_type_of_the_table_makes_keys_of_its_sizes(void **state)
{
	static const struct {
		size_t x, y;
		int64_t alg;
	} want[] = { { 32, 32, -9 }, { 48, 48, -51 }, { 256, 3, 0 },
		{ 384, 3, 0 }, { 32, 0, -19 }, { 32, 0, 0 } };

	(void)state;
	for (size_t i = 0; i < COUNT(every_type); i++) {
		const struct cw_key_type_info *info =
		    cw_key_type_info(every_type[i]);

		assert_non_null(info);
		assert_int_equal(info->type, every_type[i]);
		assert_int_equal(info->alg, want[i].alg);
		assert_int_equal(publics[i].type, every_type[i]);
		assert_int_equal(publics[i].x_len, want[i].x);
		assert_int_equal(publics[i].y_len, want[i].y);
		assert_true(info->x_len == 0 || info->x_len == want[i].x);
		assert_err(cw_public_key_check(&publics[i]), CW_OK);
		if (want[i].alg != 0)
			assert_int_equal(cw_alg_key_type(want[i].alg),
			    every_type[i]);
	}
}

static void
a_number_that_is_no_type_makes_no_key(void **state)
{
	static const uint64_t no[] = { 0, 7, 255, UINT64_MAX, 1ull << 32 | 1 };
	struct cw_private_key *key;
	struct cw_public_key pub = { .type = (enum cw_key_type)7 };

	(void)state;
	for (size_t i = 0; i < COUNT(no); i++)
		assert_null(cw_key_type_info(no[i]));
	assert_int_equal(cw_alg_key_type(0), 0);
	assert_int_equal(cw_alg_key_type(-7), 0);
	assert_int_equal(cw_alg_key_type(31), 0);
	assert_err(cw_key_generate((enum cw_key_type)0, &key),
	    CW_ERR_UNKNOWN_ALGORITHM);
	assert_null(key);
	cw_key_free(&key); /* takes NULL */
	assert_err(cw_public_key_check(&pub), CW_ERR_BAD_KEY);
	assert_err(cw_verify(&pub, CW_BYTES_NONE, CW_BYTES_NONE),
	    CW_ERR_UNKNOWN_ALGORITHM);
}

/* ---- signatures ---- */

static bool
signs(size_t i)
{
	return cw_key_type_info(every_type[i])->alg != CW_ALG_NONE;
}

static void
a_signature_verifies_with_its_key_and_message_only(void **state)
{
	const struct cw_bytes message = cw_bytes_str("message");
	struct cw_buf sig;

	(void)state;
	cw_buf_init(&sig, 1000);
	for (size_t i = 0; i < COUNT(every_type); i++) {
		struct cw_private_key *other;
		struct cw_public_key other_public;

		if (!signs(i))
			continue;
		cw_buf_reset(&sig);
		assert_err(cw_sign(keys[i], message, &sig), CW_OK);
		assert_int_equal(sig.len,
		    every_type[i] == CW_KEY_P384 ? 96 : 64);
		assert_err(cw_verify(&publics[i], message, cw_buf_bytes(&sig)),
		    CW_OK);
		assert_err(cw_verify(&publics[i], cw_bytes_str("massage"),
			       cw_buf_bytes(&sig)),
		    CW_ERR_BAD_SIGNATURE);
		assert_err(cw_verify(&publics[i], CW_BYTES_NONE,
			       cw_buf_bytes(&sig)),
		    CW_ERR_BAD_SIGNATURE);
		assert_err(cw_key_generate(every_type[i], &other), CW_OK);
		cw_key_public(other, &other_public);
		assert_err(cw_verify(&other_public, message,
			       cw_buf_bytes(&sig)),
		    CW_ERR_BAD_SIGNATURE);
		cw_key_free(&other);
		assert_null(other);
		/* The empty message can be signed, and is appended. */
		assert_err(cw_sign(keys[i], CW_BYTES_NONE, &sig), CW_OK);
		assert_err(cw_verify(&publics[i], CW_BYTES_NONE,
			       cw_bytes(sig.ptr + sig.len / 2, sig.len / 2)),
		    CW_OK);
	}
	cw_buf_wipe(&sig);
}

static void
a_changed_byte_of_a_signature_is_refused(void **state)
{
	const struct cw_bytes message = cw_bytes_str("message");
	struct cw_buf sig;

	(void)state;
	cw_buf_init(&sig, 1000);
	for (size_t i = 0; i < COUNT(every_type); i++) {
		cw_buf_reset(&sig);
		if (!signs(i))
			continue;
		assert_err(cw_sign(keys[i], message, &sig), CW_OK);
		for (size_t at = 0; at < sig.len; at += 3) {
			sig.ptr[at] ^= 0x40;
			assert_err(cw_verify(&publics[i], message,
				       cw_buf_bytes(&sig)),
			    CW_ERR_BAD_SIGNATURE);
			sig.ptr[at] ^= 0x40;
		}
		cw_buf_put_u8(&sig, 0);
		while (sig.len > 0) { /* every other length */
			struct cw_bytes all = cw_buf_bytes(&sig);

			if (all.len != (every_type[i] == CW_KEY_P384 ? 96 : 64))
				assert_err(cw_verify(&publics[i], message, all),
				    CW_ERR_BAD_SIGNATURE);
			cw_buf_truncate(&sig, sig.len - 1);
		}
	}
	cw_buf_wipe(&sig);
}

/* FIPS 186-5 6.4.2: r and s are in 1..n-1. */
static void
r_and_s_outside_their_range_are_refused(void **state)
{
	static const char n[] =
	    "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";
	static const char zero[] =
	    "0000000000000000000000000000000000000000000000000000000000000000";
	static const char ones[] =
	    "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
	static const char *const bad[] = { n, zero, ones };
	const struct cw_bytes message = cw_bytes_str("message");
	struct cw_buf good, bytes, sig;

	(void)state;
	cw_buf_init(&good, 100);
	cw_buf_init(&bytes, 100);
	cw_buf_init(&sig, 100);
	assert_err(cw_sign(keys[0], message, &good), CW_OK);
	for (size_t i = 0; i < COUNT(bad) * 3; i++) {
		struct cw_bytes value = cw_test_hex(&bytes, bad[i / 3]);
		bool bad_r = i % 3 != 1;
		bool bad_s = i % 3 != 0;

		cw_buf_reset(&sig);
		cw_buf_put(&sig, bad_r ? value : cw_bytes(good.ptr, 32));
		cw_buf_put(&sig, bad_s ? value : cw_bytes(good.ptr + 32, 32));
		assert_err(cw_verify(&publics[0], message, cw_buf_bytes(&sig)),
		    CW_ERR_BAD_SIGNATURE);
	}
	cw_buf_wipe(&good);
	cw_buf_wipe(&bytes);
	cw_buf_wipe(&sig);
}

static void
a_key_that_does_not_sign_says_so(void **state)
{
	uint8_t signature[64] = { 0 };
	struct cw_buf sig;

	(void)state;
	cw_buf_init(&sig, 1000);
	for (size_t i = 0; i < COUNT(every_type); i++) {
		if (signs(i))
			continue;
		assert_err(cw_sign(keys[i], CW_BYTES_NONE, &sig),
		    CW_ERR_UNKNOWN_ALGORITHM);
		assert_err(cw_verify(&publics[i], CW_BYTES_NONE,
			       CW_BYTES_ARRAY(signature)),
		    CW_ERR_UNKNOWN_ALGORITHM);
	}
	assert_int_equal(sig.len, 0);
}

static void
a_full_buffer_is_its_own_error(void **state)
{
	struct cw_buf sig;

	(void)state;
	for (size_t i = 0; i < COUNT(every_type); i++) {
		cw_buf_init(&sig, 63);
		if (signs(i))
			assert_err(cw_sign(keys[i], CW_BYTES_NONE, &sig),
			    CW_ERR_TOO_LARGE);
		cw_buf_wipe(&sig);
	}
}

/* ---- public keys ---- */

struct wrong {
	const char *what;
	enum cw_key_type type;
	void (*change)(struct cw_public_key *key);
};

#define CHANGE(name, ...)                         \
	static void name(struct cw_public_key *k) \
	{                                         \
		__VA_ARGS__;                      \
	}

CHANGE(off_curve, k->y[k->y_len - 1] ^= 1)
CHANGE(infinity, memset(k->x, 0, 48); memset(k->y, 0, 48))
CHANGE(beyond_field, memset(k->x, 0xff, k->x_len))
CHANGE(short_x, k->x_len--)
CHANGE(short_y, k->y_len--)
CHANGE(no_y, k->y_len = 0)
CHANGE(long_x, k->x_len = 48)
CHANGE(nothing, k->x_len = 0)
CHANGE(a_y, k->y_len = 32)
CHANGE(small_order, memset(k->x, 0, 32); k->x[0] = 1)
CHANGE(not_canonical, memset(k->x, 0xff, 32))
CHANGE(short_modulus, k->x[0] &= 0x7f)
CHANGE(even_modulus, k->x[k->x_len - 1] &= 0xfe)
CHANGE(other_modulus, k->x_len = 320)
CHANGE(no_exponent, k->y_len = 0)
CHANGE(exponent_1, k->y_len = 1; k->y[0] = 1)
CHANGE(even_exponent, k->y[k->y_len - 1] ^= 1)
CHANGE(leading_zero, k->y[0] = 0)
CHANGE(long_exponent, k->y_len = 9; memset(k->y, 3, 9))

static const struct wrong wrongs[] = {
	{ "P-256 off the curve", CW_KEY_P256, off_curve },
	{ "P-384 off the curve", CW_KEY_P384, off_curve },
	{ "P-256 zeros", CW_KEY_P256, infinity },
	{ "P-256 x >= p", CW_KEY_P256, beyond_field },
	{ "P-256 short x", CW_KEY_P256, short_x },
	{ "P-256 short y", CW_KEY_P256, short_y },
	{ "P-256 without y", CW_KEY_P256, no_y },
	{ "P-256 with x of P-384", CW_KEY_P256, long_x },
	{ "Ed25519 empty", CW_KEY_ED25519, nothing },
	{ "Ed25519 with y", CW_KEY_ED25519, a_y },
	{ "Ed25519 small order", CW_KEY_ED25519, small_order },
	{ "Ed25519 not canonical", CW_KEY_ED25519, not_canonical },
	{ "X25519 short", CW_KEY_X25519, short_x },
	{ "RSA 2047 bits", CW_KEY_RSA2048, short_modulus },
	{ "RSA even modulus", CW_KEY_RSA2048, even_modulus },
	{ "RSA 2560 bits", CW_KEY_RSA3072, other_modulus },
	{ "RSA without exponent", CW_KEY_RSA2048, no_exponent },
	{ "RSA exponent 1", CW_KEY_RSA2048, exponent_1 },
	{ "RSA even exponent", CW_KEY_RSA2048, even_exponent },
	{ "RSA leading zero", CW_KEY_RSA2048, leading_zero },
	{ "RSA long exponent", CW_KEY_RSA2048, long_exponent },
};

static void
a_public_key_that_is_none_is_refused(void **state)
{
	uint8_t signature[96] = { 1 };

	(void)state;
	for (size_t i = 0; i < COUNT(wrongs); i++) {
		struct cw_public_key key = publics[wrongs[i].type - 1];
		struct cw_bytes sig =
		    cw_bytes(signature, key.type == CW_KEY_P384 ? 96 : 64);
		enum cw_err err;

		assert_err(cw_public_key_check(&key), CW_OK);
		wrongs[i].change(&key);
		assert_row(wrongs[i].what,
		    cw_public_key_check(&key) == CW_ERR_BAD_KEY);
		if (cw_key_type_info(key.type)->alg == CW_ALG_NONE)
			continue;
		err = cw_verify(&key, CW_BYTES_NONE, sig);
		assert_row(wrongs[i].what,
		    err == CW_ERR_BAD_KEY ||
			(key.type == CW_KEY_ED25519 &&
			    err == CW_ERR_BAD_SIGNATURE));
	}
}

/* ---- key agreement ---- */

static void
both_sides_agree_on_the_same_value(void **state)
{
	static const enum cw_key_type types[] = { CW_KEY_P256, CW_KEY_X25519 };

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct cw_private_key *other;
		struct cw_public_key pub;
		uint8_t z1[32];
		uint8_t z2[32];

		assert_err(cw_key_generate(types[i], &other), CW_OK);
		cw_key_public(other, &pub);
		assert_err(cw_agree(keys[types[i] - 1], &pub, z1), CW_OK);
		assert_err(cw_agree(other, &publics[types[i] - 1], z2), CW_OK);
		assert_memory_equal(z1, z2, 32);
		cw_key_free(&other);
	}
}

/* Points of order 1, 2, 4 and 8: RFC 7748 6.1, and libsodium's own list. */
static void
an_x25519_point_of_small_order_is_refused(void **state)
{
	static const char *const points[] = {
		"0000000000000000000000000000000000000000000000000000000000000000",
		"0100000000000000000000000000000000000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
	};
	struct cw_buf bytes;

	(void)state;
	cw_buf_init(&bytes, 32);
	for (size_t i = 0; i < COUNT(points); i++) {
		struct cw_public_key key = { .type = CW_KEY_X25519,
			.x_len = 32 };
		uint8_t z[32];

		memcpy(key.x, cw_test_hex(&bytes, points[i]).ptr, 32);
		assert_row(points[i],
		    cw_agree(keys[5], &key, z) == CW_ERR_BAD_KEY);
	}
	cw_buf_wipe(&bytes);
}

static void
agreement_refuses_other_keys(void **state)
{
	struct cw_public_key off = publics[0];
	uint8_t z[32];

	(void)state;
	off.y[0] ^= 1;
	assert_err(cw_agree(keys[0], &off, z), CW_ERR_BAD_KEY);
	assert_err(cw_agree(keys[0], &publics[5], z), CW_ERR_BAD_KEY);
	assert_err(cw_agree(keys[0], &publics[1], z), CW_ERR_BAD_KEY);
	assert_err(cw_agree(keys[5], &publics[0], z), CW_ERR_BAD_KEY);
	assert_err(cw_agree(keys[5], &publics[4], z), CW_ERR_BAD_KEY);
	for (size_t i = 1; i < 5; i++)
		assert_err(cw_agree(keys[i], &publics[i], z),
		    CW_ERR_UNKNOWN_ALGORITHM);
}

#define TEST(f) cmocka_unit_test_teardown(f, no_openssl_error_is_left)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_type_of_the_table_makes_keys_of_its_sizes),
		TEST(a_number_that_is_no_type_makes_no_key),
		TEST(a_signature_verifies_with_its_key_and_message_only),
		TEST(a_changed_byte_of_a_signature_is_refused),
		TEST(r_and_s_outside_their_range_are_refused),
		TEST(a_key_that_does_not_sign_says_so),
		TEST(a_full_buffer_is_its_own_error),
		TEST(a_public_key_that_is_none_is_refused),
		TEST(both_sides_agree_on_the_same_value),
		TEST(an_x25519_point_of_small_order_is_refused),
		TEST(agreement_refuses_other_keys),
	};

	return cmocka_run_group_tests(tests, make_keys, free_keys);
}
