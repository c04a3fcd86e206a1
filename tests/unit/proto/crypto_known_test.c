/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A known key says of every signature what cw_verify says.
 * RUN: threads
 */
#include <openssl/err.h>
#include <pthread.h>

#include "proto/crypto.h"
#include "tests/support/check.h"

/* FIPS 186-5, P-256. */
static const uint8_t order[32] = { 0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00,
	0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa,
	0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25,
	0x51 };

static int
queue_is_empty(void **state)
{
	(void)state;
	return ERR_peek_error() == 0 ? 0 : 1;
}

static struct cw_private_key *
make(enum cw_key_type type, struct cw_public_key *public_key)
{
	struct cw_private_key *key = NULL;

	assert_err(cw_key_generate(type, &key), CW_OK);
	cw_key_public(key, public_key);
	return key;
}

static void
assert_same(const struct cw_known_key *known, const struct cw_public_key *key,
    struct cw_bytes message, struct cw_bytes signature, enum cw_err want)
{
	assert_err(cw_verify(key, message, signature), want);
	assert_err(cw_known_key_verify(known, message, signature), want);
}

static void
good_signatures_are_good_and_changed_ones_are_not(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 3; round++) {
		struct cw_public_key public_key;
		struct cw_private_key *key = make(CW_KEY_P256, &public_key);
		struct cw_known_key *known;

		assert_err(cw_known_key_new(&public_key, &known), CW_OK);
		for (size_t i = 0; i < 40; i++) {
			uint8_t text[40] = { (uint8_t)i };
			struct cw_bytes message = cw_bytes(text, i);
			struct cw_buf sig;

			cw_buf_init(&sig, CW_SIGNATURE_MAX);
			assert_err(cw_sign(key, message, &sig), CW_OK);
			assert_same(known, &public_key, message,
			    cw_buf_bytes(&sig), CW_OK);
			sig.ptr[i % 64] ^= (uint8_t)(1u << i % 8);
			assert_same(known, &public_key, message,
			    cw_buf_bytes(&sig), CW_ERR_BAD_SIGNATURE);
			sig.ptr[i % 64] ^= (uint8_t)(1u << i % 8);
			text[i] ^= 1;
			assert_same(known, &public_key, cw_bytes(text, i + 1),
			    cw_buf_bytes(&sig), CW_ERR_BAD_SIGNATURE);
			cw_buf_wipe(&sig);
		}
		cw_known_key_free(&known);
		cw_key_free(&key);
	}
}

static void
another_key_signs_nothing_for_it(void **state)
{
	struct cw_public_key one;
	struct cw_public_key two;
	struct cw_private_key *key = make(CW_KEY_P256, &one);
	struct cw_private_key *other = make(CW_KEY_P256, &two);
	struct cw_known_key *known;
	struct cw_buf sig;

	(void)state;
	cw_buf_init(&sig, CW_SIGNATURE_MAX);
	assert_err(cw_known_key_new(&one, &known), CW_OK);
	assert_err(cw_sign(other, cw_bytes_str("x"), &sig), CW_OK);
	assert_same(known, &one, cw_bytes_str("x"), cw_buf_bytes(&sig),
	    CW_ERR_BAD_SIGNATURE);
	cw_buf_wipe(&sig);
	cw_known_key_free(&known);
	cw_key_free(&other);
	cw_key_free(&key);
}

/* FIPS 186-5 6.4.2: r and s in 1..n-1, and 64 bytes. */
static void
numbers_out_of_range_and_other_lengths_are_refused(void **state)
{
	static const uint8_t zero[32],
	    ones[32] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff };
	static const uint8_t *const values[] = { zero, order, ones };
	struct cw_public_key public_key;
	struct cw_private_key *key = make(CW_KEY_P256, &public_key);
	struct cw_bytes message = cw_bytes_str("a message");
	struct cw_known_key *known;
	struct cw_buf sig;
	uint8_t changed[65] = { 0 };

	(void)state;
	cw_buf_init(&sig, CW_SIGNATURE_MAX);
	assert_err(cw_known_key_new(&public_key, &known), CW_OK);
	assert_err(cw_sign(key, message, &sig), CW_OK);
	for (size_t i = 0; i < COUNT(values); i++)
		for (size_t half = 0; half < 64; half += 32) {
			memcpy(changed, sig.ptr, 64);
			memcpy(changed + half, values[i], 32);
			assert_same(known, &public_key, message,
			    cw_bytes(changed, 64), CW_ERR_BAD_SIGNATURE);
		}
	memcpy(changed, sig.ptr, 64);
	for (size_t n = 0; n <= sizeof(changed); n++)
		assert_same(known, &public_key, message, cw_bytes(changed, n),
		    n == 64 ? CW_OK : CW_ERR_BAD_SIGNATURE);
	cw_buf_wipe(&sig);
	cw_known_key_free(&known);
	cw_key_free(&key);
}

static void
only_points_of_p256_can_be_known(void **state)
{
	static const enum cw_key_type others[] = { CW_KEY_P384, CW_KEY_ED25519,
		CW_KEY_X25519 };
	struct cw_public_key public_key;
	struct cw_private_key *key;
	struct cw_known_key *known;

	(void)state;
	for (size_t i = 0; i < COUNT(others); i++) {
		key = make(others[i], &public_key);
		assert_err(cw_known_key_new(&public_key, &known),
		    CW_ERR_UNKNOWN_ALGORITHM);
		assert_null(known);
		cw_key_free(&key);
	}
	key = make(CW_KEY_P256, &public_key);
	public_key.y[31] ^= 1;
	assert_err(cw_known_key_new(&public_key, &known), CW_ERR_BAD_KEY);
	public_key.y[31] ^= 1;
	public_key.y_len = 31;
	assert_err(cw_known_key_new(&public_key, &known), CW_ERR_BAD_KEY);
	assert_null(known);
	cw_key_free(&key);
}

#define USERS 4

struct user {
	struct cw_known_key *known;
	struct cw_bytes message, signature;
	bool ok;
};

static void *
verify_often(void *arg)
{
	struct user *u = arg;

	u->ok = true;
	for (unsigned i = 0; i < 50; i++)
		u->ok &= cw_known_key_verify(u->known, u->message,
			     u->signature) == CW_OK;
	cw_known_key_free(&u->known);
	return NULL;
}

static void
it_lives_as_long_as_its_last_user(void **state)
{
	struct cw_public_key public_key;
	struct cw_private_key *key = make(CW_KEY_P256, &public_key);
	struct cw_bytes message = cw_bytes_str("a message");
	pthread_t threads[USERS];
	struct user users[USERS];
	struct cw_known_key *known;
	struct cw_buf sig;

	(void)state;
	cw_buf_init(&sig, CW_SIGNATURE_MAX);
	assert_err(cw_known_key_new(&public_key, &known), CW_OK);
	assert_err(cw_sign(key, message, &sig), CW_OK);
	for (size_t i = 0; i < USERS; i++) {
		users[i] = (struct user){ cw_known_key_share(known), message,
			cw_buf_bytes(&sig), false };
		assert_int_equal(pthread_create(&threads[i], NULL, verify_often,
				     &users[i]),
		    0);
	}
	cw_known_key_free(&known);
	assert_null(known);
	cw_known_key_free(&known);
	assert_null(cw_known_key_share(NULL));
	for (size_t i = 0; i < USERS; i++) {
		pthread_join(threads[i], NULL);
		assert_true(users[i].ok);
	}
	cw_buf_wipe(&sig);
	cw_key_free(&key);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    good_signatures_are_good_and_changed_ones_are_not),
		cmocka_unit_test(another_key_signs_nothing_for_it),
		cmocka_unit_test(
		    numbers_out_of_range_and_other_lengths_are_refused),
		cmocka_unit_test(only_points_of_p256_can_be_known),
		cmocka_unit_test(it_lives_as_long_as_its_last_user),
	};

	return cmocka_run_group_tests(tests, NULL, queue_is_empty);
}
