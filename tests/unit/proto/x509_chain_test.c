/* SPDX-License-Identifier: Apache-2.0 */
/* Which chains are taken, and which rule refuses the others. */
#include <openssl/err.h>

#include "proto/x509.h"
#include "tests/support/cert_maker.h"
#include "tests/support/check.h"

/* A root, a CA and a leaf; a test changes a spec before it makes them. */
struct world {
	struct cw_test_cert_spec root_spec, ca_spec, leaf_spec;
	struct cw_test_cert root, ca, leaf, good;
	struct cw_trust *trust;
};

static void
plan(struct world *w)
{
	memset(w, 0, sizeof(*w));
	w->root_spec = cw_test_ca_spec("Root", NULL);
	w->ca_spec = cw_test_ca_spec("Batch CA", &w->root);
	w->leaf_spec = cw_test_leaf_spec("Leaf", &w->ca);
}

static void
build(struct world *w)
{
	struct cw_test_cert_spec good = cw_test_leaf_spec("Good", &w->ca);

	cw_test_cert_make(&w->root_spec, &w->root);
	cw_test_cert_make(&w->ca_spec, &w->ca);
	cw_test_cert_make(&w->leaf_spec, &w->leaf);
	cw_test_cert_make(&good, &w->good);
	w->trust = cw_trust_new();
	assert_non_null(w->trust);
	assert_err(cw_trust_add_root(w->trust, cw_buf_bytes(&w->root.der)),
	    CW_OK);
}

static void
wipe(struct world *w)
{
	cw_trust_free(&w->trust);
	cw_test_cert_wipe(&w->root);
	cw_test_cert_wipe(&w->ca);
	cw_test_cert_wipe(&w->leaf);
	cw_test_cert_wipe(&w->good);
	/* A TLS connection of this thread would take it for its own. */
	assert_int_equal(ERR_peek_error(), 0);
}

static enum cw_err
check(struct world *w, const struct cw_test_cert *leaf,
    struct cw_attestation *out)
{
	const struct cw_bytes chain[] = { cw_buf_bytes(&leaf->der),
		cw_buf_bytes(&w->ca.der) };

	return cw_trust_check_attestation(w->trust, chain, 2, CW_TEST_NOW, out);
}

static void
a_good_chain_says_whose_key_it_is(void **state)
{
	static const struct {
		const char *root, *ca, *leaf, *digest;
		enum cw_key_type type;
	} rows[] = {
		{ "P-256", "P-256", "P-256", "SHA256", CW_KEY_P256 },
		{ "P-384", "P-256", "P-384", "SHA384", CW_KEY_P384 },
		{ "RSA-2048", "RSA-2048", "P-256", "SHA256", CW_KEY_P256 },
		{ "RSA-2048", "RSA-2048", "P-256", "SHA384", CW_KEY_P256 },
		{ "Ed25519", "Ed25519", "Ed25519", NULL, CW_KEY_ED25519 },
	};
	struct cw_attestation a;
	struct cw_public_key key;
	uint8_t hash[CW_HASH_BYTES];
	struct world w;

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		plan(&w);
		w.root_spec.key = rows[i].root;
		w.ca_spec.key = rows[i].ca;
		w.leaf_spec.key = rows[i].leaf;
		w.ca_spec.digest = w.leaf_spec.digest = rows[i].digest;
		build(&w);
		/* Whole way, then as a chain that is known. */
		for (int known = 0; known < 2; known++) {
			assert_err(check(&w, &w.leaf, &a), CW_OK);
			assert_int_equal(a.kind, CW_ATTESTATION_BATCH);
			assert_string_equal(a.model, "Model T");
			assert_int_equal(a.key.type, rows[i].type);
			assert_err(cw_cert_public_key(cw_buf_bytes(&w.leaf.der),
				       &key),
			    CW_OK);
			assert_memory_equal(&a.key, &key, sizeof(key));
			cw_hash(cw_buf_bytes(&w.leaf.der), hash);
			assert_memory_equal(a.leaf_hash, hash, sizeof(hash));
		}
		/* Another leaf of an issuer that is known. */
		assert_err(check(&w, &w.good, &a), CW_OK);
		wipe(&w);
	}
}

struct refusal {
	const char *what;
	void (*change)(struct world *w);
	enum cw_err want;
};

static const uint8_t not_octets[] = { 0x0c, 0x01, 'x' };
static const uint8_t octets_and_more[] = { 0x04, 0x06, 0xa2, 0x00, 0x02, 0x01,
	0x61, 'M', 0x00 };
static const uint8_t kind_3[] = { 0x04, 0x06, 0xa2, 0x00, 0x03, 0x01, 0x61,
	'M' };
static const uint8_t no_kind[] = { 0x04, 0x04, 0xa1, 0x01, 0x61, 'M' };
static const uint8_t no_model[] = { 0x04, 0x03, 0xa1, 0x00, 0x02 };
static const uint8_t empty_model[] = { 0x04, 0x05, 0xa2, 0x00, 0x02, 0x01,
	0x60 };
static const uint8_t line_feed[] = { 0x04, 0x06, 0xa2, 0x00, 0x02, 0x01, 0x61,
	'\n' };
static const uint8_t zero_byte[] = { 0x04, 0x06, 0xa2, 0x00, 0x02, 0x01, 0x61,
	0 };
static const uint8_t third_key[] = { 0x04, 0x08, 0xa3, 0x00, 0x02, 0x01, 0x61,
	'M', 0x02, 0x00 };
static const uint8_t trailing_cbor[] = { 0x04, 0x07, 0xa2, 0x00, 0x02, 0x01,
	0x61, 'M', 0x00 };

#define CHANGE(name, ...)                 \
	static void name(struct world *w) \
	{                                 \
		__VA_ARGS__;              \
	}

CHANGE(leaf_is_a_ca, w->leaf_spec.basic_constraints = "critical,CA:TRUE")
CHANGE(leaf_without_usage, w->leaf_spec.key_usage = NULL)
CHANGE(leaf_may_only_agree, w->leaf_spec.key_usage = "critical,keyAgreement")
CHANGE(leaf_without_eku, w->leaf_spec.eku = NULL)
CHANGE(leaf_of_management, w->leaf_spec.eku = CW_OID_EKU_MANAGEMENT)
CHANGE(leaf_for_anything, w->leaf_spec.eku = "anyExtendedKeyUsage")
CHANGE(leaf_unknown_critical, w->leaf_spec.unknown_critical = "1.2.3.4")
CHANGE(leaf_critical_attestation, w->leaf_spec.attestation = CW_BYTES_NONE;
       w->leaf_spec.unknown_critical = CW_OID_ATTESTATION)
CHANGE(leaf_version_1, w->leaf_spec.version = 1)
CHANGE(leaf_damaged, w->leaf_spec.damage = true)
CHANGE(leaf_sha1, w->leaf_spec.digest = "SHA1")
CHANGE(leaf_md5_rsa, w->ca_spec.key = "RSA-2048"; w->leaf_spec.digest = "MD5")
CHANGE(leaf_sha512, w->leaf_spec.digest = "SHA512")
CHANGE(leaf_sha3, w->leaf_spec.digest = "SHA3-256")
CHANGE(leaf_expired, w->leaf_spec.to = -1)
CHANGE(leaf_not_yet, w->leaf_spec.from = 1)
CHANGE(leaf_rsa, w->leaf_spec.key = "RSA-2048")
CHANGE(leaf_p521, w->leaf_spec.key = "P-521")
CHANGE(leaf_other_issuer, w->leaf_spec.issuer_name = "Somebody")
CHANGE(leaf_silent, w->leaf_spec.attestation = CW_BYTES_NONE)
CHANGE(leaf_twice, w->leaf_spec.attestation_twice = true)
CHANGE(leaf_no_octets, w->leaf_spec.attestation = CW_BYTES_ARRAY(not_octets))
CHANGE(leaf_more, w->leaf_spec.attestation = CW_BYTES_ARRAY(octets_and_more))
CHANGE(leaf_kind_3, w->leaf_spec.attestation = CW_BYTES_ARRAY(kind_3))
CHANGE(leaf_no_kind, w->leaf_spec.attestation = CW_BYTES_ARRAY(no_kind))
CHANGE(leaf_no_model, w->leaf_spec.attestation = CW_BYTES_ARRAY(no_model))
CHANGE(leaf_empty_model, w->leaf_spec.attestation = CW_BYTES_ARRAY(empty_model))
CHANGE(leaf_line_feed, w->leaf_spec.attestation = CW_BYTES_ARRAY(line_feed))
CHANGE(leaf_zero_byte, w->leaf_spec.attestation = CW_BYTES_ARRAY(zero_byte))
CHANGE(leaf_third_key, w->leaf_spec.attestation = CW_BYTES_ARRAY(third_key))
CHANGE(leaf_trailing, w->leaf_spec.attestation = CW_BYTES_ARRAY(trailing_cbor))

static const struct refusal leaves[] = {
	{ "a CA", leaf_is_a_ca, CW_ERR_BAD_CONSTRAINTS },
	{ "no keyUsage", leaf_without_usage, CW_ERR_BAD_CONSTRAINTS },
	{ "keyAgreement only", leaf_may_only_agree, CW_ERR_BAD_CONSTRAINTS },
	{ "no EKU", leaf_without_eku, CW_ERR_BAD_CONSTRAINTS },
	{ "another EKU", leaf_of_management, CW_ERR_BAD_CONSTRAINTS },
	{ "any EKU", leaf_for_anything, CW_ERR_BAD_CONSTRAINTS },
	{ "unknown critical", leaf_unknown_critical, CW_ERR_BAD_CONSTRAINTS },
	{ "critical attestation", leaf_critical_attestation,
	    CW_ERR_BAD_CONSTRAINTS },
	{ "version 1", leaf_version_1, CW_ERR_BAD_CONSTRAINTS },
	{ "signature", leaf_damaged, CW_ERR_BAD_SIGNATURE },
	{ "SHA-1", leaf_sha1, CW_ERR_UNKNOWN_ALGORITHM },
	{ "MD5", leaf_md5_rsa, CW_ERR_UNKNOWN_ALGORITHM },
	{ "SHA-512", leaf_sha512, CW_ERR_UNKNOWN_ALGORITHM },
	{ "SHA-3", leaf_sha3, CW_ERR_UNKNOWN_ALGORITHM },
	{ "expired", leaf_expired, CW_ERR_EXPIRED_CERTIFICATE },
	{ "not yet valid", leaf_not_yet, CW_ERR_EXPIRED_CERTIFICATE },
	{ "RSA cannot sign", leaf_rsa, CW_ERR_BAD_CONSTRAINTS },
	{ "P-521", leaf_p521, CW_ERR_UNKNOWN_ALGORITHM },
	{ "another issuer", leaf_other_issuer, CW_ERR_UNTRUSTED_CHAIN },
	{ "no attestation", leaf_silent, CW_ERR_BAD_CONSTRAINTS },
	{ "two attestations", leaf_twice, CW_ERR_BAD_CONSTRAINTS },
	{ "no octet string", leaf_no_octets, CW_ERR_BAD_CONSTRAINTS },
	{ "bytes behind it", leaf_more, CW_ERR_BAD_CONSTRAINTS },
	{ "kind 3", leaf_kind_3, CW_ERR_BAD_CONSTRAINTS },
	{ "no kind", leaf_no_kind, CW_ERR_BAD_CONSTRAINTS },
	{ "no model", leaf_no_model, CW_ERR_BAD_CONSTRAINTS },
	{ "empty model", leaf_empty_model, CW_ERR_BAD_CONSTRAINTS },
	{ "control in model", leaf_line_feed, CW_ERR_BAD_CONSTRAINTS },
	{ "zero in model", leaf_zero_byte, CW_ERR_BAD_CONSTRAINTS },
	{ "unknown field", leaf_third_key, CW_ERR_BAD_CONSTRAINTS },
	{ "bytes behind CBOR", leaf_trailing, CW_ERR_BAD_CONSTRAINTS },
};

CHANGE(ca_is_none, w->ca_spec.basic_constraints = "critical,CA:FALSE")
CHANGE(ca_unsaid, w->ca_spec.basic_constraints = NULL)
CHANGE(ca_without_usage, w->ca_spec.key_usage = NULL)
CHANGE(ca_may_only_sign, w->ca_spec.key_usage = "critical,digitalSignature")
CHANGE(ca_unknown_critical, w->ca_spec.unknown_critical = "1.2.3.4")
CHANGE(ca_version_1, w->ca_spec.version = 1)
CHANGE(ca_damaged, w->ca_spec.damage = true)
CHANGE(ca_sha1, w->ca_spec.digest = "SHA1")
CHANGE(ca_expired, w->ca_spec.to = -1)
CHANGE(ca_not_yet, w->ca_spec.from = 1)
CHANGE(ca_small_rsa, w->ca_spec.key = "RSA-1024")
CHANGE(ca_other_issuer, w->ca_spec.issuer_name = "Somebody")
CHANGE(ca_self_signed, w->ca_spec.issuer = NULL)
CHANGE(root_is_none, w->root_spec.basic_constraints = "critical,CA:FALSE")
CHANGE(root_may_only_sign, w->root_spec.key_usage = "critical,digitalSignature")
CHANGE(root_for_leaves,
    w->root_spec.basic_constraints = "critical,CA:TRUE,pathlen:0")
CHANGE(root_expired, w->root_spec.to = -1)

static const struct refusal issuers[] = {
	{ "CA:FALSE", ca_is_none, CW_ERR_BAD_CONSTRAINTS },
	{ "no basicConstraints", ca_unsaid, CW_ERR_BAD_CONSTRAINTS },
	{ "no keyUsage", ca_without_usage, CW_ERR_BAD_CONSTRAINTS },
	{ "no keyCertSign", ca_may_only_sign, CW_ERR_BAD_CONSTRAINTS },
	{ "unknown critical", ca_unknown_critical, CW_ERR_BAD_CONSTRAINTS },
	{ "version 1", ca_version_1, CW_ERR_BAD_CONSTRAINTS },
	{ "signature", ca_damaged, CW_ERR_BAD_SIGNATURE },
	{ "SHA-1", ca_sha1, CW_ERR_UNKNOWN_ALGORITHM },
	{ "expired", ca_expired, CW_ERR_EXPIRED_CERTIFICATE },
	{ "not yet valid", ca_not_yet, CW_ERR_EXPIRED_CERTIFICATE },
	{ "small key", ca_small_rsa, CW_ERR_BAD_CONSTRAINTS },
	{ "another issuer", ca_other_issuer, CW_ERR_UNTRUSTED_CHAIN },
	{ "self-signed", ca_self_signed, CW_ERR_UNTRUSTED_CHAIN },
	{ "root is no CA", root_is_none, CW_ERR_BAD_CONSTRAINTS },
	{ "root may not certify", root_may_only_sign, CW_ERR_BAD_CONSTRAINTS },
	{ "path too long", root_for_leaves, CW_ERR_BAD_CONSTRAINTS },
	{ "expired root", root_expired, CW_ERR_EXPIRED_CERTIFICATE },
};

static void
refuse(const struct refusal *row, bool known_issuer)
{
	static const struct cw_attestation zero;
	struct cw_attestation a;
	enum cw_err got;
	struct world w;

	plan(&w);
	row->change(&w);
	build(&w);
	if (known_issuer)
		assert_err(check(&w, &w.good, &a), CW_OK);
	got = check(&w, &w.leaf, &a);
	if (got != row->want)
		fail_msg("%s: %s, not %s", row->what, cw_err_name(got),
		    cw_err_name(row->want));
	assert_row(row->what, memcmp(&a, &zero, sizeof(a)) == 0);
	/* Nothing of it was remembered. */
	assert_row(row->what, check(&w, &w.leaf, &a) == row->want);
	wipe(&w);
}

static void
a_leaf_that_breaks_a_rule_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(leaves); i++)
		refuse(&leaves[i], false);
}

static void
a_leaf_that_breaks_a_rule_is_refused_under_a_known_issuer(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(leaves); i++)
		refuse(&leaves[i], true);
}

static void
an_issuer_that_breaks_a_rule_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(issuers); i++)
		refuse(&issuers[i], false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_good_chain_says_whose_key_it_is),
		cmocka_unit_test(a_leaf_that_breaks_a_rule_is_refused),
		cmocka_unit_test(
		    a_leaf_that_breaks_a_rule_is_refused_under_a_known_issuer),
		cmocka_unit_test(an_issuer_that_breaks_a_rule_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
