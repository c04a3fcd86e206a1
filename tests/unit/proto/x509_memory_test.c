/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The shape of chains, and what is remembered of them.
 * RUN: threads
 */
#include <openssl/err.h>
#include <pthread.h>
#include <stdio.h>

#include "proto/x509.h"
#include "tests/support/cert_maker.h"
#include "tests/support/check.h"

#define DAY CW_TEST_DAY

enum who {
	ROOT,
	ROOT_2,
	CA,
	CA_2,
	LEAF,
	CARD,
	DIRECT,
	DIRECT_2,
	MANAGEMENT,
	N
};

static struct cw_test_cert certs[N];
static struct cw_trust *trust;

/* {0: 1, 1: "M"}: a card's own key. */
static const uint8_t own_key[] = { 0x04, 0x06, 0xa2, 0x00, 0x01, 0x01, 0x61,
	'M' };

static int
make_certs(void **state)
{
	struct cw_test_cert_spec s[N] = {
		[ROOT] = cw_test_ca_spec("Root", NULL),
		[ROOT_2] = cw_test_ca_spec("Root 2", NULL),
		[CA] = cw_test_ca_spec("CA", &certs[ROOT]),
		[CA_2] = cw_test_ca_spec("CA 2", &certs[CA]),
		[LEAF] = cw_test_leaf_spec("Leaf", &certs[CA]),
		[CARD] = cw_test_leaf_spec("Card", &certs[CA]),
		[DIRECT] = cw_test_leaf_spec("Direct", &certs[ROOT]),
		[DIRECT_2] = cw_test_leaf_spec("Direct 2", &certs[ROOT_2]),
		[MANAGEMENT] = cw_test_leaf_spec("Management", &certs[CA]),
	};

	(void)state;
	s[CA].to = 50 * DAY;
	s[LEAF].from = -DAY / 2;
	s[CARD].attestation = CW_BYTES_ARRAY(own_key);
	s[MANAGEMENT].eku = CW_OID_EKU_MANAGEMENT;
	s[MANAGEMENT].attestation = CW_BYTES_NONE;
	for (size_t i = 0; i < N; i++)
		cw_test_cert_make(&s[i], &certs[i]);
	return 0;
}

static int
wipe_certs(void **state)
{
	(void)state;
	for (size_t i = 0; i < N; i++)
		cw_test_cert_wipe(&certs[i]);
	return 0;
}

static int
new_trust(void **state)
{
	(void)state;
	trust = cw_trust_new();
	return trust == NULL ||
	    cw_trust_add_root(trust, cw_buf_bytes(&certs[ROOT].der)) != CW_OK ||
	    cw_trust_add_root(trust, cw_buf_bytes(&certs[ROOT_2].der)) != CW_OK;
}

static int
free_trust(void **state)
{
	(void)state;
	cw_trust_free(&trust);
	cw_trust_free(&trust); /* nothing is freed twice */
	return ERR_peek_error() == 0 ? 0 : 1;
}

static struct cw_bytes
der(enum who who)
{
	return cw_buf_bytes(&certs[who].der);
}

static enum cw_err
check_at(enum who leaf, int64_t after_s)
{
	const struct cw_bytes chain[] = { der(leaf), der(CA) };
	struct cw_attestation a;

	return cw_trust_check_attestation(trust, chain,
	    leaf == DIRECT || leaf == DIRECT_2 ? 1 : 2,
	    (uint64_t)(CW_TEST_NOW + after_s), &a);
}

static void
a_chain_of_another_shape_is_refused(void **state)
{
	static const struct {
		const char *what;
		size_t n;
		enum who chain[CW_CHAIN_MAX + 1];
		enum cw_err want;
	} rows[] = {
		{ "as it should be", 2, { LEAF, CA }, CW_OK },
		{ "empty", 0, { LEAF }, CW_ERR_UNTRUSTED_CHAIN },
		{ "17 certificates", 17, { LEAF, CA }, CW_ERR_UNTRUSTED_CHAIN },
		{ "no CA", 1, { LEAF }, CW_ERR_UNTRUSTED_CHAIN },
		{ "root included", 3, { LEAF, CA, ROOT },
		    CW_ERR_UNTRUSTED_CHAIN },
		{ "root only", 1, { ROOT }, CW_ERR_BAD_CONSTRAINTS },
		{ "another root behind", 3, { LEAF, CA, ROOT_2 },
		    CW_ERR_UNTRUSTED_CHAIN },
		{ "CA twice", 3, { LEAF, CA, CA }, CW_ERR_UNTRUSTED_CHAIN },
		{ "one between", 3, { LEAF, CA_2, CA },
		    CW_ERR_UNTRUSTED_CHAIN },
		{ "leaf last", 2, { CA, LEAF }, CW_ERR_BAD_CONSTRAINTS },
		{ "leaf as issuer", 3, { LEAF, CARD, CA },
		    CW_ERR_BAD_CONSTRAINTS },
		{ "another CA", 2, { LEAF, CA_2 }, CW_ERR_UNTRUSTED_CHAIN },
	};
	struct cw_bytes chain[CW_CHAIN_MAX + 1];
	struct cw_attestation a;

	(void)state;
	/* Twice: with and without an issuer that is known. */
	for (size_t i = 0; i < 2 * COUNT(rows); i++) {
		size_t row = i % COUNT(rows);

		for (size_t j = 0; j <= CW_CHAIN_MAX; j++)
			chain[j] = der(rows[row].chain[j]);
		assert_row(rows[row].what,
		    cw_trust_check_attestation(trust, chain, rows[row].n,
			CW_TEST_NOW, &a) == rows[row].want);
	}
}

static void
what_is_no_certificate_is_refused(void **state)
{
	static uint8_t long_one[CW_CERT_MAX_BYTES + 1];
	uint8_t longer[2048];
	size_t n = certs[LEAF].der.len;
	const struct cw_bytes rows[] = {
		CW_BYTES_NONE,
		cw_bytes(longer, 1),
		cw_bytes(longer, n - 1), /* cut */
		cw_bytes(longer, n + 1), /* a byte behind it */
		CW_BYTES_ARRAY(long_one),
		cw_bytes_str("certificate"),
	};
	struct cw_attestation a;
	struct cw_public_key key;

	(void)state;
	memset(longer, 0, sizeof(longer));
	memcpy(longer, certs[LEAF].der.ptr, n);
	memcpy(long_one, certs[LEAF].der.ptr, n);
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct cw_bytes first[] = { rows[i], der(CA) };
		const struct cw_bytes second[] = { der(LEAF), rows[i] };

		assert_err(cw_trust_check_attestation(trust, first, 2,
			       CW_TEST_NOW, &a),
		    CW_ERR_BAD_CERTIFICATE);
		assert_err(cw_trust_check_attestation(trust, second, 2,
			       CW_TEST_NOW, &a),
		    CW_ERR_BAD_CERTIFICATE);
		assert_err(cw_trust_check(trust, second, 2, CW_TEST_NOW, NULL,
			       &key),
		    CW_ERR_BAD_CERTIFICATE);
		assert_err(cw_trust_add_root(trust, rows[i]),
		    CW_ERR_BAD_CERTIFICATE);
	}
}

static void
what_is_remembered_expires_with_the_chain(void **state)
{
	(void)state;
	for (int known = 0; known < 2; known++) {
		/* Of a batch: the leaf begins, the CA ends first. */
		assert_err(check_at(LEAF, -DAY / 2 - 1),
		    CW_ERR_EXPIRED_CERTIFICATE);
		assert_err(check_at(LEAF, -DAY / 2), CW_OK);
		assert_err(check_at(LEAF, 50 * DAY), CW_OK);
		assert_err(check_at(LEAF, 50 * DAY + 1),
		    CW_ERR_EXPIRED_CERTIFICATE);
		/* Of a card, under the CA that is known. */
		assert_err(check_at(CARD, 50 * DAY), CW_OK);
		assert_err(check_at(CARD, 50 * DAY + 1),
		    CW_ERR_EXPIRED_CERTIFICATE);
	}
	assert_err(check_at(LEAF, INT64_MAX - CW_TEST_NOW),
	    CW_ERR_EXPIRED_CERTIFICATE);
	assert_err(check_at(LEAF, INT64_MIN), CW_ERR_EXPIRED_CERTIFICATE);
}

static void
a_changed_byte_makes_a_known_chain_another_one(void **state)
{
	uint8_t leaf[2048];
	uint8_t ca[2048];
	const struct cw_bytes chain[] = {
		cw_bytes(leaf, certs[LEAF].der.len),
		cw_bytes(ca, certs[CA].der.len),
	};
	struct cw_attestation a;

	(void)state;
	memcpy(leaf, certs[LEAF].der.ptr, chain[0].len);
	memcpy(ca, certs[CA].der.ptr, chain[1].len);
	assert_err(cw_trust_check_attestation(trust, chain, 2, CW_TEST_NOW, &a),
	    CW_OK);
	for (size_t i = 0; i < chain[0].len + chain[1].len; i++) {
		uint8_t *at =
		    i < chain[0].len ? &leaf[i] : &ca[i - chain[0].len];

		*at ^= 0x10;
		if (cw_trust_check_attestation(trust, chain, 2, CW_TEST_NOW,
			&a) == CW_OK)
			fail_msg("byte %zu", i);
		*at ^= 0x10;
	}
}

static void
a_root_that_was_not_added_is_not_trusted(void **state)
{
	struct cw_trust *other = cw_trust_new();
	const struct cw_bytes chain[] = { der(LEAF), der(CA) };
	struct cw_attestation a;
	struct cw_public_key key;

	(void)state;
	assert_err(cw_trust_add_root(other, der(ROOT_2)), CW_OK);
	assert_err(cw_trust_add_root(other, der(ROOT_2)), CW_OK); /* again */
	assert_err(cw_trust_check_attestation(other, chain, 2, CW_TEST_NOW, &a),
	    CW_ERR_UNTRUSTED_CHAIN);
	assert_err(cw_trust_check(other, chain, 2, CW_TEST_NOW, NULL, &key),
	    CW_ERR_UNTRUSTED_CHAIN);
	cw_trust_free(&other);
}

static void
leaves_directly_below_two_roots_are_told_apart(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++) {
		assert_err(check_at(DIRECT, 0), CW_OK);
		assert_err(check_at(DIRECT_2, 0), CW_OK);
	}
}

/* The restriction holds for the second leaf as for the first. */
static void
name_constraints_hold_under_a_known_issuer(void **state)
{
	struct cw_test_cert ca = { 0 };
	struct cw_test_cert good = { 0 };
	struct cw_test_cert bad = { 0 };
	struct cw_test_cert_spec s = cw_test_ca_spec("NC", &certs[ROOT]);
	struct cw_test_cert_spec leaf = cw_test_leaf_spec("a@good.test", &ca);
	struct cw_attestation a;

	(void)state;
	s.name_constraints = "critical,permitted;email:good.test";
	cw_test_cert_make(&s, &ca);
	leaf.email = "a@good.test";
	cw_test_cert_make(&leaf, &good);
	leaf.email = "a@bad.test";
	cw_test_cert_make(&leaf, &bad);
	for (int i = 0; i < 2; i++) {
		const struct cw_bytes yes[] = { cw_buf_bytes(&good.der),
			cw_buf_bytes(&ca.der) };
		const struct cw_bytes no[] = { cw_buf_bytes(&bad.der),
			cw_buf_bytes(&ca.der) };

		assert_err(cw_trust_check_attestation(trust, yes, 2,
			       CW_TEST_NOW, &a),
		    CW_OK);
		assert_err(cw_trust_check_attestation(trust, no, 2, CW_TEST_NOW,
			       &a),
		    CW_ERR_BAD_CONSTRAINTS);
	}
	cw_test_cert_wipe(&ca);
	cw_test_cert_wipe(&good);
	cw_test_cert_wipe(&bad);
}

static void
more_batches_than_are_remembered_are_all_accepted(void **state)
{
	static struct cw_test_cert batch[70];
	struct cw_attestation a;
	char name[20];

	(void)state;
	for (size_t i = 0; i < COUNT(batch); i++) {
		struct cw_test_cert_spec s =
		    cw_test_leaf_spec(name, &certs[CA]);

		snprintf(name, sizeof(name), "Batch %zu", i);
		cw_test_cert_make(&s, &batch[i]);
	}
	for (size_t i = 0; i < 2 * COUNT(batch); i++) {
		const struct cw_bytes chain[] = {
			cw_buf_bytes(&batch[i % COUNT(batch)].der), der(CA)
		};
		uint8_t hash[CW_HASH_BYTES];

		assert_err(cw_trust_check_attestation(trust, chain, 2,
			       CW_TEST_NOW, &a),
		    CW_OK);
		cw_hash(chain[0], hash);
		assert_memory_equal(a.leaf_hash, hash, sizeof(hash));
	}
	for (size_t i = 0; i < COUNT(batch); i++)
		cw_test_cert_wipe(&batch[i]);
}

static void
an_ordinary_chain_is_checked_for_its_usage(void **state)
{
	static const struct {
		const char *what;
		enum who leaf;
		const char *eku;
		enum cw_err want;
	} rows[] = {
		{ "right", MANAGEMENT, CW_OID_EKU_MANAGEMENT, CW_OK },
		{ "any", MANAGEMENT, NULL, CW_OK },
		{ "authority", MANAGEMENT, CW_OID_EKU_AUTHORITY,
		    CW_ERR_BAD_CONSTRAINTS },
		{ "attestation", LEAF, CW_OID_EKU_MANAGEMENT,
		    CW_ERR_BAD_CONSTRAINTS },
		{ "a CA", CA_2, NULL, CW_ERR_BAD_CONSTRAINTS },
	};
	static const struct cw_public_key zero;
	struct cw_public_key want;
	struct cw_public_key got;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct cw_bytes chain[] = { der(rows[i].leaf), der(CA) };

		assert_row(rows[i].what,
		    cw_trust_check(trust, chain, 2, CW_TEST_NOW, rows[i].eku,
			&got) == rows[i].want);
		assert_err(cw_cert_public_key(chain[0], &want), CW_OK);
		assert_row(rows[i].what,
		    memcmp(&got, rows[i].want == CW_OK ? &want : &zero,
			sizeof(got)) == 0);
	}
	assert_err(check_at(MANAGEMENT, 0), CW_ERR_BAD_CONSTRAINTS);
}

/* As YubiKeys' own CAs are; nothing of Cardwright's makes such. */
static void
a_ca_without_key_usage_serves_where_no_usage_is_asked(void **state)
{
	struct cw_test_cert ca = { 0 };
	struct cw_test_cert leaf = { 0 };
	struct cw_test_cert_spec s = cw_test_ca_spec("Device", &certs[ROOT]);
	struct cw_test_cert_spec l = cw_test_leaf_spec("Slot", &ca);
	struct cw_bytes chain[2];
	struct cw_attestation a;
	struct cw_public_key key;

	(void)state;
	s.key_usage = NULL;
	cw_test_cert_make(&s, &ca);
	cw_test_cert_make(&l, &leaf);
	chain[0] = cw_buf_bytes(&leaf.der);
	chain[1] = cw_buf_bytes(&ca.der);
	assert_err(cw_trust_check(trust, chain, 2, CW_TEST_NOW, NULL, &key),
	    CW_OK);
	assert_err(cw_trust_check(trust, chain, 2, CW_TEST_NOW,
		       CW_OID_EKU_ATTESTATION, &key),
	    CW_ERR_BAD_CONSTRAINTS);
	assert_err(cw_trust_check_attestation(trust, chain, 2, CW_TEST_NOW, &a),
	    CW_ERR_BAD_CONSTRAINTS);
	cw_test_cert_wipe(&ca);
	cw_test_cert_wipe(&leaf);
}

static void *
check_often(void *failed)
{
	for (int i = 0; i < 40; i++) {
		enum who who = i % 3 == 0 ? CARD : i % 3 == 1 ? LEAF : DIRECT;

		if (check_at(who, 0) != CW_OK)
			*(bool *)failed = true;
	}
	return NULL;
}

static void
threads_share_what_is_remembered(void **state)
{
	pthread_t threads[8];
	bool failed[8] = { false };

	(void)state;
	for (size_t i = 0; i < COUNT(threads); i++)
		assert_int_equal(pthread_create(&threads[i], NULL, check_often,
				     &failed[i]),
		    0);
	for (size_t i = 0; i < COUNT(threads); i++) {
		pthread_join(threads[i], NULL);
		assert_false(failed[i]);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, new_trust, free_trust)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_chain_of_another_shape_is_refused),
		TEST(what_is_no_certificate_is_refused),
		TEST(what_is_remembered_expires_with_the_chain),
		TEST(a_changed_byte_makes_a_known_chain_another_one),
		TEST(a_root_that_was_not_added_is_not_trusted),
		TEST(leaves_directly_below_two_roots_are_told_apart),
		TEST(name_constraints_hold_under_a_known_issuer),
		TEST(more_batches_than_are_remembered_are_all_accepted),
		TEST(an_ordinary_chain_is_checked_for_its_usage),
		TEST(a_ca_without_key_usage_serves_where_no_usage_is_asked),
		TEST(threads_share_what_is_remembered),
	};

	return cmocka_run_group_tests(tests, make_certs, wipe_certs);
}
