/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Sign1. Published vectors: tests/vectors/cose.sh. */
#include "proto/cose.h"

#include "tests/support/check.h"

#define TYP "a/b"

/* { 1: alg, 16: "a/b" } with ESP256, ESP384, Ed25519 */
#define HEADER_256 "a2012810 63612f62"
#define HEADER_ED "a2013210 63612f62"

static struct cw_private_key *
new_key(enum cw_key_type type, struct cw_public_key *public_key)
{
	struct cw_private_key *key = NULL;

	assert_err(cw_key_generate(type, &key), CW_OK);
	cw_key_public(key, public_key);
	return key;
}

static void
the_signed_bytes_are_those_of_rfc_9052(void **state)
{
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 100);
	cw_cose_sig_structure(cw_test_input("a10128"), cw_bytes_str("aad"),
	    cw_bytes_str("hi"), &out);
	assert_hex(cw_buf_bytes(&out),
	    "84 6a5369676e617475726531 43a10128 43616164 426869");
	cw_buf_reset(&out);
	cw_cose_sig_structure(CW_BYTES_NONE, CW_BYTES_NONE, CW_BYTES_NONE,
	    &out);
	assert_hex(cw_buf_bytes(&out), "84 6a5369676e617475726531 40 40 40");
	cw_buf_wipe(&out);
}

static void
what_a_key_signs_decodes_and_verifies(void **state)
{
	static const struct {
		enum cw_key_type type;
		enum cw_alg alg;
		const char *header;
		size_t signature_len;
	} rows[] = {
		{ CW_KEY_P256, CW_ALG_ESP256, HEADER_256, 64 },
		{ CW_KEY_P384, CW_ALG_ESP384, "a201383210 63612f62", 96 },
		{ CW_KEY_ED25519, CW_ALG_ED25519, HEADER_ED, 64 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_public_key pub;
		struct cw_private_key *key = new_key(rows[i].type, &pub);
		struct cw_cose_sign1 s;
		struct cw_buf out;

		cw_buf_init(&out, 300);
		assert_err(cw_cose_sign1_make(key, TYP, cw_bytes_str("pay"),
			       &out),
		    CW_OK);
		assert_err(cw_cbor_check(cw_buf_bytes(&out)), CW_OK);
		assert_err(cw_cose_sign1_decode(cw_buf_bytes(&out), TYP, &s),
		    CW_OK);
		assert_int_equal(s.alg, rows[i].alg);
		assert_hex(s.protected_header, rows[i].header);
		assert_true(cw_bytes_is(s.typ, TYP));
		assert_true(cw_bytes_is(s.payload, "pay"));
		assert_int_equal(s.signature.len, rows[i].signature_len);
		assert_err(cw_cose_sign1_verify(&s, &pub, CW_BYTES_NONE),
		    CW_OK);
		cw_buf_wipe(&out);
		cw_key_free(&key);
	}
}

static void
a_signature_holds_for_nothing_else(void **state)
{
	struct cw_public_key pub;
	struct cw_public_key other;
	struct cw_private_key *key = new_key(CW_KEY_P256, &pub);
	struct cw_private_key *other_key = new_key(CW_KEY_P256, &other);
	struct cw_cose_sign1 s;
	struct cw_cose_sign1 bad;
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 300);
	assert_err(cw_cose_sign1_make(key, TYP, cw_bytes_str("pay"), &out),
	    CW_OK);
	assert_err(cw_cose_sign1_decode(cw_buf_bytes(&out), TYP, &s), CW_OK);
	assert_err(cw_cose_sign1_verify(&s, &other, CW_BYTES_NONE),
	    CW_ERR_BAD_SIGNATURE);
	assert_err(cw_cose_sign1_verify(&s, &pub, cw_bytes_str("aad")),
	    CW_ERR_BAD_SIGNATURE);
	bad = s;
	bad.payload = cw_bytes_str("pax");
	assert_err(cw_cose_sign1_verify(&bad, &pub, CW_BYTES_NONE),
	    CW_ERR_BAD_SIGNATURE);
	bad = s;
	bad.protected_header = cw_test_input("a2012810 63612f63");
	assert_err(cw_cose_sign1_verify(&bad, &pub, CW_BYTES_NONE),
	    CW_ERR_BAD_SIGNATURE);
	bad = s;
	bad.signature.len--;
	assert_err(cw_cose_sign1_verify(&bad, &pub, CW_BYTES_NONE),
	    CW_ERR_BAD_SIGNATURE);
	bad.signature.len = 0;
	assert_err(cw_cose_sign1_verify(&bad, &pub, CW_BYTES_NONE),
	    CW_ERR_BAD_SIGNATURE);
	cw_buf_wipe(&out);
	cw_key_free(&key);
	cw_key_free(&other_key);
}

static void
the_algorithm_must_be_that_of_the_key(void **state)
{
	static const enum cw_key_type others[] = { CW_KEY_P384, CW_KEY_ED25519,
		CW_KEY_X25519 };
	struct cw_public_key pub;
	struct cw_private_key *key = new_key(CW_KEY_P256, &pub);
	struct cw_cose_sign1 s;
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 300);
	assert_err(cw_cose_sign1_make(key, TYP, cw_bytes_str("pay"), &out),
	    CW_OK);
	assert_err(cw_cose_sign1_decode(cw_buf_bytes(&out), TYP, &s), CW_OK);
	for (size_t i = 0; i < COUNT(others); i++) {
		struct cw_public_key other;
		struct cw_private_key *other_key = new_key(others[i], &other);

		assert_err(cw_cose_sign1_verify(&s, &other, CW_BYTES_NONE),
		    CW_ERR_BAD_KEY);
		cw_key_free(&other_key);
	}
	/* Nor can zeroed structs pass for algorithm 0 and key type 0. */
	memset(&s, 0, sizeof(s));
	assert_err(cw_cose_sign1_verify(&s, &pub, CW_BYTES_NONE),
	    CW_ERR_BAD_KEY);
	memset(&pub, 0, sizeof(pub));
	assert_err(cw_cose_sign1_verify(&s, &pub, CW_BYTES_NONE),
	    CW_ERR_BAD_KEY);
	cw_buf_wipe(&out);
	cw_key_free(&key);
}

static void
a_key_that_cannot_sign_is_refused(void **state)
{
	struct cw_public_key pub;
	struct cw_private_key *key = new_key(CW_KEY_X25519, &pub);
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 300);
	assert_err(cw_cose_sign1_make(key, TYP, cw_bytes_str("pay"), &out),
	    CW_ERR_UNKNOWN_ALGORITHM);
	assert_int_equal(out.len, 0);
	cw_buf_wipe(&out);
	cw_key_free(&key);
}

static void
a_message_that_does_not_fit_is_too_large(void **state)
{
	struct cw_public_key pub;
	struct cw_private_key *key = new_key(CW_KEY_ED25519, &pub);
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 60);
	assert_err(cw_cose_sign1_make(key, TYP, cw_bytes_str("pay"), &out),
	    CW_ERR_TOO_LARGE);
	cw_buf_wipe(&out);
	cw_key_free(&key);
}

static const struct {
	const char *what, *hex;
	enum cw_err want;
} messages[] = {
	{ "as it should be", "84 48" HEADER_256 "a0 4101 4102", CW_OK },
	{ "Ed25519", "84 48" HEADER_ED "a0 4101 4102", CW_OK },
	{ "empty payload", "84 48" HEADER_256 "a0 40 4102", CW_OK },
	{ "tagged", "d284 48" HEADER_256 "a0 4101 4102", CW_ERR_WRONG_TYPE },
	{ "three items", "83 48" HEADER_256 "a0 4101", CW_ERR_BAD_COSE },
	{ "five items", "85 48" HEADER_256 "a0 4101 4102 00", CW_ERR_BAD_COSE },
	{ "no item", "80", CW_ERR_BAD_COSE },
	{ "an unprotected header", "84 48" HEADER_256 "a1044131 4101 4102",
	    CW_ERR_BAD_COSE },
	{ "an unprotected header below zero",
	    "84 48" HEADER_256 "a12000 4101 4102", CW_ERR_BAD_COSE },
	{ "unprotected is an array", "84 48" HEADER_256 "80 4101 4102",
	    CW_ERR_WRONG_TYPE },
	{ "detached payload", "84 48" HEADER_256 "a0 f6 4102",
	    CW_ERR_WRONG_TYPE },
	{ "payload is text", "84 48" HEADER_256 "a0 6161 4102",
	    CW_ERR_WRONG_TYPE },
	{ "no protected header", "84 40 a0 4101 4102", CW_ERR_TRUNCATED },
	{ "empty protected header", "84 41a0 a0 4101 4102", CW_ERR_BAD_COSE },
	{ "only alg", "84 43a10128 a0 4101 4102", CW_ERR_BAD_COSE },
	{ "only typ", "84 46a11063612f62 a0 4101 4102", CW_ERR_BAD_COSE },
	{ "a critical header",
	    "84 4ba3012802811010 63612f62"
	    "a0 4101 4102",
	    CW_ERR_BAD_COSE },
	{ "another header for typ",
	    "84 47a2012804423131"
	    "a0 4101 4102",
	    CW_ERR_UNKNOWN_FIELD },
	{ "a private header for typ",
	    "84 45a201282000"
	    "a0 4101 4102",
	    CW_ERR_MISSING_FIELD },
	{ "a private header for alg",
	    "84 48a2 10 63612f62 2000"
	    "a0 4101 4102",
	    CW_ERR_MISSING_FIELD },
	{ "headers unsorted", "84 48a21063612f620128 a0 4101 4102",
	    CW_ERR_MISSING_FIELD },
	{ "bytes behind the headers", "84 49" HEADER_256 "00 a0 4101 4102",
	    CW_ERR_TRAILING },
	{ "the old ES256", "84 48a2012610 63612f62 a0 4101 4102",
	    CW_ERR_UNKNOWN_ALGORITHM },
	{ "algorithm 0", "84 48a2010010 63612f62 a0 4101 4102",
	    CW_ERR_UNKNOWN_ALGORITHM },
	{ "an AEAD algorithm",
	    "84 49a201181f10 63612f62"
	    "a0 4101 4102",
	    CW_ERR_UNKNOWN_ALGORITHM },
	{ "an algorithm beyond 32 bits",
	    "84 50a2013b0000000100000008 10 63612f62 a0 4101 4102",
	    CW_ERR_UNKNOWN_ALGORITHM },
	{ "an algorithm by name",
	    "84 4ba201634553 50 10 63612f62"
	    "a0 4101 4102",
	    CW_ERR_WRONG_TYPE },
	{ "another typ", "84 48a2012810 63612f63 a0 4101 4102",
	    CW_ERR_WRONG_LABEL },
	{ "a longer typ", "84 49a2012810 64612f6262 a0 4101 4102",
	    CW_ERR_WRONG_LABEL },
	{ "typ as a number", "84 45a201281007 a0 4101 4102",
	    CW_ERR_WRONG_TYPE },
	{ "trailing bytes", "84 48" HEADER_256 "a0 4101 4102 00",
	    CW_ERR_TRAILING },
	{ "cut", "84 48" HEADER_256 "a0 4101 41", CW_ERR_TRUNCATED },
};

static void
a_sign1_has_exactly_the_headers_of_the_protocol(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(messages); i++) {
		static const struct cw_cose_sign1 none;
		struct cw_cose_sign1 s;
		enum cw_err err =
		    cw_cose_sign1_decode(cw_test_input(messages[i].hex), TYP,
			&s);

		if (err != messages[i].want)
			fail_msg("%s: %s, not %s", messages[i].what,
			    cw_err_name(err), cw_err_name(messages[i].want));
		if (err != CW_OK)
			assert_memory_equal(&s, &none, sizeof(s));
	}
}

static void
a_signature_is_at_most_as_long_as_any_key_makes_it(void **state)
{
	struct cw_cose_sign1 s;

	(void)state;
	for (size_t len = CW_SIGNATURE_MAX; len <= CW_SIGNATURE_MAX + 1;
	     len++) {
		struct cw_buf b;
		uint8_t *at;

		cw_buf_init(&b, 500);
		cw_cbor_put_array(&b, 4);
		cw_cbor_put_bstr(&b, cw_test_input(HEADER_256));
		cw_cbor_put_map(&b, 0);
		cw_cbor_put_bstr(&b, CW_BYTES_NONE);
		cw_cbor_put_bstr_head(&b, len);
		at = cw_buf_extend(&b, len);
		assert_non_null(at);
		memset(at, 1, len);
		assert_err(cw_cose_sign1_decode(cw_buf_bytes(&b), TYP, &s),
		    len > CW_SIGNATURE_MAX ? CW_ERR_OUT_OF_RANGE : CW_OK);
		cw_buf_wipe(&b);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_signed_bytes_are_those_of_rfc_9052),
		cmocka_unit_test(what_a_key_signs_decodes_and_verifies),
		cmocka_unit_test(a_signature_holds_for_nothing_else),
		cmocka_unit_test(the_algorithm_must_be_that_of_the_key),
		cmocka_unit_test(a_key_that_cannot_sign_is_refused),
		cmocka_unit_test(a_message_that_does_not_fit_is_too_large),
		cmocka_unit_test(
		    a_sign1_has_exactly_the_headers_of_the_protocol),
		cmocka_unit_test(
		    a_signature_is_at_most_as_long_as_any_key_makes_it),
	};

	return cmocka_run_group_tests_name("cose sign1", tests, NULL,
	    cw_test_input_free);
}
