/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way for leaves of a known issuer: it takes what is usual, and never
 * says anything else than the whole way.
 */
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "keys/certmaker.h"
#include "proto/x509_openssl.h"
#include "tests/support/cert_maker.h"
#include "tests/support/check.h"

static struct cw_test_cert root, ca, good, leaf;

static void
add(X509 *cert, X509 *issuer, int nid, const char *value)
{
	X509_EXTENSION *extension;
	X509V3_CTX ctx;

	X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(extension);
	assert_int_equal(X509_add_ext(cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

/* Signs anew and encodes. */
static void
seal(struct cw_test_cert *cert, const struct cw_test_cert *issuer)
{
	uint8_t *at;
	int len;

	assert_true(X509_sign(cert->cert, issuer->key, EVP_sha256()) > 0);
	len = i2d_X509(cert->cert, NULL);
	cw_buf_reset(&cert->der);
	at = cw_buf_extend(&cert->der, (size_t)len);
	assert_int_equal(i2d_X509(cert->cert, &at), len);
}

static int
make_cas(void **state)
{
	struct cw_test_cert_spec s = cw_test_ca_spec("Root", NULL);

	(void)state;
	cw_test_cert_make(&s, &root);
	s = cw_test_ca_spec("CA", &root);
	cw_test_cert_make(&s, &ca);
	add(ca.cert, root.cert, NID_subject_key_identifier, "hash");
	seal(&ca, &root);
	s = cw_test_leaf_spec("Good", &ca);
	cw_test_cert_make(&s, &good);
	return 0;
}

static int
wipe_cas(void **state)
{
	(void)state;
	cw_test_cert_wipe(&root);
	cw_test_cert_wipe(&ca);
	cw_test_cert_wipe(&good);
	return ERR_peek_error() == 0 ? 0 : 1;
}

static bool
goes_short_below(struct cw_bytes der, const struct cw_test_cert *above)
{
	struct cw_x509_span span = CW_X509_ALWAYS;
	struct cw_x509_leaf read;
	struct cw_attestation a;
	X509 *issuer = cw_x509_parse(cw_buf_bytes(&above->der));
	bool accepted = cw_x509_leaf_read(der, &read) &&
	    cw_x509_leaf_accept(&read, issuer, CW_TEST_NOW, &span, &a);

	X509_free(issuer);
	ERR_clear_error();
	return accepted;
}

static bool
goes_short(struct cw_bytes der)
{
	return goes_short_below(der, &ca);
}

static enum cw_err
check(struct cw_trust *trust, struct cw_bytes der, struct cw_attestation *a)
{
	const struct cw_bytes chain[] = { der, cw_buf_bytes(&ca.der) };

	return cw_trust_check_attestation(trust, chain, 2, CW_TEST_NOW, a);
}

/* By a trust that knows the issuer, and by one that does not: the same. */
static enum cw_err
check_both(struct cw_bytes der)
{
	struct cw_attestation fresh, known;
	enum cw_err want = CW_OK;
	enum cw_err got = CW_OK;

	for (int i = 0; i < 2; i++) {
		struct cw_trust *trust = cw_trust_new();

		assert_err(cw_trust_add_root(trust, cw_buf_bytes(&root.der)),
		    CW_OK);
		if (i == 0) {
			want = check(trust, der, &fresh);
		} else {
			assert_err(check(trust, cw_buf_bytes(&good.der),
				       &known),
			    CW_OK);
			got = check(trust, der, &known);
		}
		cw_trust_free(&trust);
	}
	assert_err(got, want);
	assert_memory_equal(&known, &fresh, sizeof(known));
	return got;
}

/* ---- what vendors make ---- */

static void
leaves_of_the_product_go_the_short_way(void **state)
{
	static const enum cw_key_type types[] = { CW_KEY_P256, CW_KEY_P384,
		CW_KEY_ED25519 };

	(void)state;
	for (size_t i = 0; i < 2 * COUNT(types); i++) {
		struct cw_private_key *ca_key, *key;
		struct cw_public_key pub;
		struct cw_cert_spec spec = {
			.subject = "CN=Card",
			.key = &pub,
			.days = 30,
			.path_length = CW_CERT_LEAF,
			.key_usage = "critical,digitalSignature",
			.extended_key_usage = CW_OID_EKU_ATTESTATION,
			.kind = i < COUNT(types) ? 1 : 2,
			.model = "Model T",
		};
		struct cw_buf der, p8;
		PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(ca.key);
		uint8_t *at;

		cw_buf_init(&p8, 1000);
		at = cw_buf_extend(&p8,
		    (size_t)i2d_PKCS8_PRIV_KEY_INFO(info, NULL));
		i2d_PKCS8_PRIV_KEY_INFO(info, &at);
		PKCS8_PRIV_KEY_INFO_free(info);
		assert_err(cw_key_import(cw_buf_bytes(&p8), &ca_key), CW_OK);
		assert_err(cw_key_generate(types[i % COUNT(types)], &key),
		    CW_OK);
		cw_key_public(key, &pub);
		cw_buf_init(&der, CW_CERT_MAX_BYTES);
		assert_err(cw_cert_make(&spec, cw_buf_bytes(&ca.der), ca_key,
			       CW_TEST_NOW, &der),
		    CW_OK);
		assert_true(goes_short(cw_buf_bytes(&der)));
		assert_err(check_both(cw_buf_bytes(&der)), CW_OK);
		cw_buf_wipe(&der);
		cw_buf_wipe(&p8);
		cw_key_free(&key);
		cw_key_free(&ca_key);
	}
}

static void
any_key_of_an_issuer_will_do(void **state)
{
	static const struct {
		const char *key, *digest;
		bool is_short;
	} rows[] = {
		{ "P-256", "SHA256", true },
		{ "P-384", "SHA384", true },
		{ "Ed25519", NULL, true },
		{ "RSA-2048", "SHA256", true },
		{ "RSA-3072", "SHA384", true },
		{ "P-384", "SHA256", false },
		{ "RSA-2048", "SHA512", false },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_cert_spec s = cw_test_ca_spec("Other", &root);
		struct cw_test_cert other, one;

		s.key = rows[i].key;
		cw_test_cert_make(&s, &other);
		s = cw_test_leaf_spec("Leaf", &other);
		s.digest = rows[i].digest;
		cw_test_cert_make(&s, &one);
		assert_row(rows[i].key,
		    goes_short_below(cw_buf_bytes(&one.der), &other) ==
			rows[i].is_short);
		one.der.ptr[one.der.len - 1] ^= 1;
		assert_false(goes_short_below(cw_buf_bytes(&one.der), &other));
		cw_test_cert_wipe(&one);
		cw_test_cert_wipe(&other);
	}
}

/* ---- what is not usual ---- */

static struct cw_test_cert_spec spec;

static void
nothing(void)
{
}

static void
says_no_ca(void)
{
	add(leaf.cert, ca.cert, NID_basic_constraints, "CA:FALSE");
}

static void
names_its_issuers_key(void)
{
	add(leaf.cert, ca.cert, NID_authority_key_identifier, "keyid");
}

static void
add_raw(int nid, struct cw_bytes bytes)
{
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *extension;

	ASN1_OCTET_STRING_set(value, bytes.ptr, (int)bytes.len);
	extension = X509_EXTENSION_create_by_NID(NULL, nid, 0, value);
	assert_int_equal(X509_add_ext(leaf.cert, extension, -1), 1);
	X509_EXTENSION_free(extension);
	ASN1_OCTET_STRING_free(value);
}

static void
names_another_key(void)
{
	static const uint8_t id[] = { 0x30, 0x06, 0x80, 0x04, 1, 2, 3, 4 };

	add_raw(NID_authority_key_identifier, CW_BYTES_ARRAY(id));
}

static void
names_no_key(void)
{
	static const uint8_t id[] = { 0x30, 0x00 };

	add_raw(NID_authority_key_identifier, CW_BYTES_ARRAY(id));
}

static void
names_issuer_and_serial_number(void)
{
	add(leaf.cert, ca.cert, NID_authority_key_identifier,
	    "keyid,issuer:always");
}

static void
may_repudiate_nothing(void)
{
	spec.key_usage = "critical,digitalSignature,nonRepudiation";
}

static void
two_usages(void)
{
	spec.eku = CW_OID_EKU_ATTESTATION ",clientAuth";
}

static void
another_extension(void)
{
	add(leaf.cert, ca.cert, NID_crl_distribution_points,
	    "URI:http://vendor.test/crl");
}

static void
two_key_usages(void)
{
	add(leaf.cert, ca.cert, NID_key_usage, "digitalSignature");
}

static void
two_key_identifiers(void)
{
	add(leaf.cert, ca.cert, NID_subject_key_identifier, "hash");
	add(leaf.cert, ca.cert, NID_subject_key_identifier, "00:11");
}

static void
no_ca_with_a_path_length(void)
{
	add(leaf.cert, ca.cert, NID_basic_constraints, "CA:FALSE,pathlen:1");
}

static void
key_identifier_is_no_octets(void)
{
	static const uint8_t null[] = { 0x05, 0x00 };

	add_raw(NID_subject_key_identifier, CW_BYTES_ARRAY(null));
}

static void
named_as_its_issuer(void)
{
	spec.subject = "CA";
}

static void
a_leaf_of_another_form_goes_the_whole_way(void **state)
{
	static const struct {
		const char *what;
		void (*before)(void); /* it is made */
		void (*after)(void);  /* and signed again */
		bool is_short;
		enum cw_err want;
	} rows[] = {
		{ "usual", nothing, nothing, true, CW_OK },
		{ "CA:FALSE", nothing, says_no_ca, true, CW_OK },
		{ "issuer's key", nothing, names_its_issuers_key, true, CW_OK },
		{ "another key", nothing, names_another_key, false,
		    CW_ERR_UNTRUSTED_CHAIN },
		{ "no key", nothing, names_no_key, false, CW_OK },
		{ "issuer and serial number", nothing,
		    names_issuer_and_serial_number, false, CW_OK },
		{ "nonRepudiation", may_repudiate_nothing, nothing, false,
		    CW_OK },
		{ "two EKUs", two_usages, nothing, false, CW_OK },
		{ "CRL", nothing, another_extension, false, CW_OK },
		{ "keyUsage twice", nothing, two_key_usages, false,
		    CW_ERR_BAD_CONSTRAINTS },
		{ "key identifier twice", nothing, two_key_identifiers, false,
		    CW_ERR_BAD_CONSTRAINTS },
		{ "path length of no CA", nothing, no_ca_with_a_path_length,
		    false, CW_OK },
		{ "strange key identifier", nothing,
		    key_identifier_is_no_octets, false,
		    CW_ERR_BAD_CONSTRAINTS },
		{ "issuer's name", named_as_its_issuer, nothing, false,
		    CW_ERR_UNTRUSTED_CHAIN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		enum cw_err err;

		spec = cw_test_leaf_spec("Leaf", &ca);
		rows[i].before();
		cw_test_cert_make(&spec, &leaf);
		rows[i].after();
		seal(&leaf, &ca);
		print_message("# %s\n", rows[i].what);
		assert_int_equal(goes_short(cw_buf_bytes(&leaf.der)),
		    rows[i].is_short);
		err = check_both(cw_buf_bytes(&leaf.der));
		if (err != rows[i].want)
			fail_msg("%s: %s", rows[i].what, cw_err_name(err));
		cw_test_cert_wipe(&leaf);
	}
}

/* Outside the signed part are its algorithm and the bits' own head. */
static void
what_stands_around_the_signed_part_counts(void **state)
{
	static const uint8_t sha256[] = { 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce,
		0x3d, 0x04, 0x03, 0x02 };
	uint8_t der[2048];
	size_t len = good.der.len;
	struct cw_bytes all = cw_bytes(der, len);
	uint8_t *first;
	uint8_t *second;

	(void)state;
	memcpy(der, good.der.ptr, len);
	assert_true(goes_short(all));
	first = memmem(der, len, sha256, sizeof(sha256));
	assert_non_null(first);
	second = memmem(first + 1, len - (size_t)(first + 1 - der), sha256,
	    sizeof(sha256));
	assert_non_null(second);
	second[9] = 0x03; /* ecdsa-with-SHA384 */
	assert_false(goes_short(all));
	assert_int_not_equal(check_both(all), CW_OK);
	second[9] = 0x02;
	second[10 + 2] = 0x01; /* unused bits of the BIT STRING */
	assert_false(goes_short(all));
	assert_int_not_equal(check_both(all), CW_OK);
	second[10 + 2] = 0x00;
	assert_true(goes_short(all));
	assert_false(goes_short(cw_bytes(der, len - 1)));
	assert_false(goes_short(cw_bytes(der, len + 1)));
	assert_false(goes_short(cw_bytes(der, 0)));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(leaves_of_the_product_go_the_short_way),
		cmocka_unit_test(a_leaf_of_another_form_goes_the_whole_way),
		cmocka_unit_test(what_stands_around_the_signed_part_counts),
		cmocka_unit_test(any_key_of_an_issuer_will_do),
	};

	return cmocka_run_group_tests(tests, make_cas, wipe_cas);
}
