/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/cose.h"

#include "tests/support/check.h"

#define B15 "0102030405060708090a0b0c0d0e0f"
#define B16 "00" B15
#define B32 B16 B16
#define B48 B32 B16

static struct cw_buf input;

static int
free_input(void **state)
{
	(void)state;
	cw_buf_wipe(&input);
	return 0;
}

static enum cw_err
decode(struct cw_bytes in, struct cw_public_key *key)
{
	struct cw_cbor_reader r;

	memset(key, 0xee, sizeof(*key));
	cw_cbor_init(&r, in);
	cw_cose_key_get(&r, key);
	return cw_cbor_finish(&r);
}

/* A modulus of `n_len` bytes that begins with `first`, and an exponent. */
static struct cw_bytes
rsa(size_t n_len, uint8_t first, const char *e_hex)
{
	uint8_t n[CW_RSA_MAX_BYTES + 1];
	struct cw_buf e = { 0 };

	memset(n, 0x5a, sizeof(n));
	n[0] = first;
	cw_buf_wipe(&input);
	cw_buf_init(&input, 1024);
	cw_cbor_put_map(&input, 3);
	cw_cbor_put_int(&input, 1);
	cw_cbor_put_int(&input, 3);
	cw_cbor_put_int(&input, -1);
	cw_cbor_put_bstr(&input, cw_bytes(n, n_len));
	cw_cbor_put_int(&input, -2);
	cw_cbor_put_bstr(&input, cw_test_hex(&e, e_hex));
	cw_buf_wipe(&e);
	assert_err(input.err, CW_OK);
	return cw_buf_bytes(&input);
}

static void
check_round_trip(struct cw_bytes in, enum cw_key_type type, size_t x_len,
    size_t y_len)
{
	struct cw_public_key key;
	struct cw_buf again;
	uint8_t hash[CW_HASH_BYTES];
	uint8_t want[CW_HASH_BYTES];

	assert_err(decode(in, &key), CW_OK);
	assert_int_equal(key.type, type);
	assert_int_equal(key.x_len, x_len);
	assert_int_equal(key.y_len, y_len);
	/* Unused bytes are zero, so that equal keys compare equal. */
	for (size_t i = x_len; i < sizeof(key.x); i++)
		assert_int_equal(key.x[i], 0);
	for (size_t i = y_len; i < sizeof(key.y); i++)
		assert_int_equal(key.y[i], 0);
	cw_buf_init(&again, 1024);
	cw_cose_key_put(&again, &key);
	assert_err(again.err, CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&again), in));
	cw_buf_wipe(&again);
	cw_cose_key_hash(&key, hash);
	cw_hash(in, want);
	assert_memory_equal(hash, want, sizeof(hash));
}

static void
each_key_type_has_one_encoding_and_its_hash(void **state)
{
	static const struct {
		enum cw_key_type type;
		size_t x_len, y_len;
		const char *hex;
	} rows[] = {
		{ CW_KEY_P256, 32, 32, "a4 0102 2001 215820" B32 "225820" B32 },
		{ CW_KEY_P384, 48, 48, "a4 0102 2002 215830" B48 "225830" B48 },
		{ CW_KEY_X25519, 32, 0, "a3 0101 2004 215820" B32 },
		{ CW_KEY_ED25519, 32, 0, "a3 0101 2006 215820" B32 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		check_round_trip(cw_test_hex(&input, rows[i].hex), rows[i].type,
		    rows[i].x_len, rows[i].y_len);
	check_round_trip(rsa(256, 0x80, "010001"), CW_KEY_RSA2048, 256, 3);
	check_round_trip(rsa(384, 0xff, "03"), CW_KEY_RSA3072, 384, 1);
	check_round_trip(rsa(256, 0x80, "01" B15 B16), CW_KEY_RSA2048, 256, 32);
}

static void
rsa_numbers_have_their_length_and_no_leading_zero(void **state)
{
	static const struct {
		size_t n_len;
		uint8_t first;
		const char *e_hex;
		enum cw_err want;
	} rows[] = {
		{ 256, 0x80, "010001", CW_OK },
		{ 255, 0x80, "010001", CW_ERR_BAD_KEY },
		{ 257, 0x80, "010001", CW_ERR_BAD_KEY },
		{ 384, 0x80, "010001", CW_OK },
		{ 383, 0x80, "010001", CW_ERR_BAD_KEY },
		{ 385, 0x80, "010001", CW_ERR_OUT_OF_RANGE },
		{ 128, 0x80, "010001", CW_ERR_BAD_KEY },
		{ 256, 0x7f, "010001", CW_ERR_BAD_KEY },
		{ 256, 0x00, "010001", CW_ERR_BAD_KEY },
		{ 256, 0x80, "00010001", CW_ERR_BAD_KEY },
		{ 256, 0x80, "00", CW_ERR_BAD_KEY },
		{ 256, 0x80, "", CW_ERR_OUT_OF_RANGE },
		{ 256, 0x80, "01" B15 B16, CW_OK },
		{ 256, 0x80, "01" B32, CW_ERR_BAD_KEY },
		{ 256, 0x80, "01" B48, CW_ERR_OUT_OF_RANGE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_public_key key;

		assert_err(decode(rsa(rows[i].n_len, rows[i].first,
				      rows[i].e_hex),
			       &key),
		    rows[i].want);
	}
}

static const struct {
	const char *what, *hex;
	enum cw_err want;
} bad_keys[] = {
	{ "symmetric", "a2 0104 204101", CW_ERR_OUT_OF_RANGE },
	{ "type 0", "a2 0100 204101", CW_ERR_OUT_OF_RANGE },
	{ "type by name", "a2 016161 204101", CW_ERR_WRONG_TYPE },
	{ "no type", "a2 2004 215820" B32, CW_ERR_MISSING_FIELD },
	{ "empty", "a0", CW_ERR_MISSING_FIELD },
	{ "an array", "80", CW_ERR_WRONG_TYPE },
	{ "P-521", "a4 0102 2003 215820" B32 "225820" B32, CW_ERR_BAD_KEY },
	{ "X448", "a3 0101 2005 215820" B32, CW_ERR_BAD_KEY },
	{ "P-256 as OKP", "a3 0101 2001 215820" B32, CW_ERR_BAD_KEY },
	{ "Ed25519 as EC2", "a4 0102 2006 215820" B32 "225820" B32,
	    CW_ERR_BAD_KEY },
	{ "curve by name", "a3 0101 206161 215820" B32, CW_ERR_WRONG_TYPE },
	{ "curve 2^32 + 4", "a3 0101 201b0000000100000004 215820" B32,
	    CW_ERR_BAD_KEY },
	{ "short x", "a3 0101 2006 2150" B16, CW_ERR_BAD_KEY },
	{ "long x", "a3 0101 2006 215830" B48, CW_ERR_BAD_KEY },
	{ "empty x", "a3 0101 2006 2140", CW_ERR_OUT_OF_RANGE },
	{ "P-256 with coordinates of P-384",
	    "a4 0102 2001 215830" B48 "225830" B48, CW_ERR_BAD_KEY },
	{ "P-384 with coordinates of P-256",
	    "a4 0102 2002 215820" B32 "225820" B32, CW_ERR_BAD_KEY },
	{ "y shorter than x", "a4 0102 2001 215820" B32 "2250" B16,
	    CW_ERR_BAD_KEY },
	{ "compressed point", "a4 0102 2001 215820" B32 "22f5",
	    CW_ERR_WRONG_TYPE },
	{ "no y", "a3 0102 2001 215820" B32, CW_ERR_MISSING_FIELD },
	{ "no x", "a3 0102 2001 225820" B32, CW_ERR_MISSING_FIELD },
	{ "y on a Montgomery curve", "a4 0101 2004 215820" B32 "225820" B32,
	    CW_ERR_BAD_KEY },
	{ "a private part", "a4 0101 2004 215820" B32 "235820" B32,
	    CW_ERR_BAD_KEY },
	{ "a private part, EC",
	    "a5 0102 2001 215820" B32 "225820" B32 "235820" B32,
	    CW_ERR_OUT_OF_RANGE },
	{ "a key id", "a4 0101 024101 2004 215820" B32, CW_ERR_UNKNOWN_FIELD },
	{ "unsorted", "a3 2004 0101 215820" B32, CW_ERR_MISSING_FIELD },
	{ "a member twice", "a4 0101 0101 2004 215820" B32,
	    CW_ERR_NOT_DETERMINISTIC },
};

static void
what_is_no_key_of_the_protocol_is_refused_and_zeroed(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_keys); i++) {
		static const struct cw_public_key none;
		struct cw_public_key key;
		enum cw_err err =
		    decode(cw_test_hex(&input, bad_keys[i].hex), &key);

		if (err != bad_keys[i].want)
			fail_msg("%s: %s, not %s", bad_keys[i].what,
			    cw_err_name(err), cw_err_name(bad_keys[i].want));
		assert_memory_equal(&key, &none, sizeof(key));
	}
}

static void
a_key_that_is_none_is_not_written(void **state)
{
	static const struct {
		int type;
		uint16_t x_len, y_len;
	} rows[] = {
		{ 0, 32, 32 },
		{ 7, 32, 32 },
		{ CW_KEY_P256, 32, 0 },
		{ CW_KEY_P256, 31, 32 },
		{ CW_KEY_P256, 48, 48 },
		{ CW_KEY_ED25519, 32, 32 },
		{ CW_KEY_RSA2048, 256, 0 },
		{ CW_KEY_RSA2048, 256, 33 },
		{ CW_KEY_RSA2048, 384, 3 },
		{ CW_KEY_RSA3072, UINT16_MAX, 3 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_public_key key = {
			.x_len = rows[i].x_len,
			.y_len = rows[i].y_len,
		};
		struct cw_buf b;

		memcpy(&key.type, &rows[i].type, sizeof(key.type));
		cw_buf_init(&b, 1024);
		cw_cose_key_put(&b, &key);
		assert_err(b.err, CW_ERR_BAD_KEY);
		assert_int_equal(b.len, 0);
		cw_buf_wipe(&b);
	}
}

static void
keys_that_differ_have_different_hashes(void **state)
{
	struct cw_public_key key;
	uint8_t one[CW_HASH_BYTES];
	uint8_t other[CW_HASH_BYTES];

	(void)state;
	assert_err(decode(cw_test_hex(&input, "a3 0101 2004 215820" B32), &key),
	    CW_OK);
	cw_cose_key_hash(&key, one);
	key.type = CW_KEY_ED25519;
	cw_cose_key_hash(&key, other);
	assert_memory_not_equal(one, other, sizeof(one));
	key.type = CW_KEY_X25519;
	key.x[31] ^= 1;
	cw_cose_key_hash(&key, other);
	assert_memory_not_equal(one, other, sizeof(one));
}

static void
a_generated_key_comes_back_the_same(void **state)
{
	static const enum cw_key_type types[] = { CW_KEY_P256, CW_KEY_P384,
		CW_KEY_RSA2048, CW_KEY_ED25519, CW_KEY_X25519 };

	(void)state;
	for (size_t i = 0; i < COUNT(types); i++) {
		struct cw_private_key *key = NULL;
		struct cw_public_key pub;
		struct cw_public_key again;
		struct cw_buf b;

		assert_err(cw_key_generate(types[i], &key), CW_OK);
		cw_key_public(key, &pub);
		cw_buf_init(&b, 1024);
		cw_cose_key_put(&b, &pub);
		assert_err(decode(cw_buf_bytes(&b), &again), CW_OK);
		assert_memory_equal(&pub, &again, sizeof(pub));
		cw_buf_wipe(&b);
		cw_key_free(&key);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_key_type_has_one_encoding_and_its_hash),
		cmocka_unit_test(
		    rsa_numbers_have_their_length_and_no_leading_zero),
		cmocka_unit_test(
		    what_is_no_key_of_the_protocol_is_refused_and_zeroed),
		cmocka_unit_test(a_key_that_is_none_is_not_written),
		cmocka_unit_test(keys_that_differ_have_different_hashes),
		cmocka_unit_test(a_generated_key_comes_back_the_same),
	};

	return cmocka_run_group_tests_name("cose key", tests, NULL, free_input);
}
