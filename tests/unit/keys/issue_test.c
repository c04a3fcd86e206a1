/* SPDX-License-Identifier: Apache-2.0 */
/* Holders' certificates as other software reads them: OpenSSL's library here,
 * the openssl and certtool programs where they are. TIMEOUT: 120 */
#include "tests/support/check.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keys/certmaker.h"
#include "keys/issue.h"
#include "keys/keyfile.h"
#include "keys/party.h"
#include "proto/base/secret.h"
#include "tests/support/keys_tree.h"

#define SUBJECT "CN=Jane Doe,emailAddress=jane@example.org,O=Example,C=DE"

static struct cw_keys_tree tree;
static struct cw_party ca;
static struct cw_issue *issue;
static uint64_t now_s;

static int
setup(void **state)
{
	struct cw_profile *extra;

	(void)state;
	now_s = (uint64_t)time(NULL);
	cw_keys_tree_make(&tree, 0);
	/* one more, with everything a profile can say */
	extra = &tree.config.profiles[tree.config.n_profiles++];
	*extra = tree.config.profiles[0];
	memcpy(extra->name, "extra", sizeof("extra"));
	memcpy(extra->policies, "1.2.3.4,1.2.3.5", sizeof("1.2.3.4,1.2.3.5"));
	memcpy(extra->subject_suffix, "O=Example,C=DE",
	    sizeof("O=Example,C=DE"));
	extra->lifetime_days = 36500;
	assert_err(cw_party_load(&ca, tree.config.ca_key, tree.config.ca_chain,
		       NULL),
	    CW_OK);
	assert_err(cw_issue_new(&tree.config, ca.chain[0], ca.key, &issue),
	    CW_OK);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cw_issue_free(&issue);
	cw_party_wipe(&ca);
	cw_keys_tree_free(&tree);
	return 0;
}

static void
make(const struct cw_profile *profile, const char *text, struct cw_buf *der)
{
	struct cw_private_key *key;
	struct cw_public_key pub;
	struct cw_issue_order order;
	struct cw_subject subject;
	uint8_t serial[16];

	assert_err(cw_key_generate(profile->key_type, &key), CW_OK);
	cw_key_public(key, &pub);
	cw_key_free(&key);
	cw_serial_random(serial);
	assert_err(cw_issue_subject(issue, profile, cw_bytes_str(text),
		       &subject),
	    CW_OK);
	cw_buf_init(der, CW_CERT_MAX_BYTES);
	order =
	    (struct cw_issue_order){ profile, &subject, &pub, serial, now_s };
	assert_err(cw_issue_make(issue, &order, der), CW_OK);
}

static X509 *
parse(const struct cw_buf *der)
{
	const uint8_t *at = der->ptr;
	X509 *x = d2i_X509(NULL, &at, (long)der->len);

	assert_non_null(x);
	assert_ptr_equal(at, der->ptr + der->len);
	return x;
}

/* Exit status of a program whose output goes nowhere; 127 if it is not here. */
static int
run(const char *const argv[])
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0) {
		if (freopen("/dev/null", "w", stdout) == NULL ||
		    freopen("/dev/null", "w", stderr) == NULL)
			_exit(126);
		execvp(argv[0], (char *const *)(uintptr_t)argv);
		_exit(127);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static void
a_certificate_reads_back_byte_for_byte(void **state)
{
	struct cw_public_key pub;
	struct cw_buf der;
	uint8_t *again;
	X509 *x;
	int len;

	(void)state;
	for (size_t i = 0; i < tree.config.n_profiles; i++) {
		make(&tree.config.profiles[i], SUBJECT, &der);
		x = parse(&der);
		again = NULL;
		/* encoded anew from its fields, not from OpenSSL's copy */
		len = i2d_re_X509_tbs(x, &again);
		assert_true(len > 0 && (size_t)len + 4 < der.len);
		assert_memory_equal(again, der.ptr + 4, (size_t)len);
		OPENSSL_free(again);
		again = NULL;
		len = i2d_X509(x, &again);
		assert_int_equal(len, der.len);
		assert_memory_equal(again, der.ptr, der.len);
		OPENSSL_free(again);
		assert_int_equal(X509_get_version(x), X509_VERSION_3);
		assert_err(cw_cert_public_key(cw_buf_bytes(&der), &pub), CW_OK);
		assert_int_equal(pub.type, tree.config.profiles[i].key_type);
		X509_free(x);
		cw_buf_wipe(&der);
	}
}

static void
openssl_and_gnutls_accept_it(void **state)
{
	const char *root = strdup(cw_keys_tree_path(&tree, "issuer-root.pem"));
	const char *leaf = strdup(cw_keys_tree_path(&tree, "leaf.pem"));
	const char *chain = strdup(cw_keys_tree_path(&tree, "chain.pem"));
	struct cw_bytes certs[2];
	struct cw_buf der;

	(void)state;
	for (size_t i = 0; i < tree.config.n_profiles; i++) {
		const char *const verify[] = { "openssl", "verify",
			"-x509_strict", "-CAfile", root, "-untrusted",
			tree.config.ca_chain, leaf, NULL };
		const char *const certtool[] = { "certtool", "--verify",
			"--load-ca-certificate", root, "--infile", chain,
			NULL };
		int status;

		make(&tree.config.profiles[i], SUBJECT, &der);
		certs[0] = cw_buf_bytes(&der);
		certs[1] = ca.chain[0];
		assert_err(cw_certfile_store(leaf, certs, 1), CW_OK);
		assert_err(cw_certfile_store(chain, certs, 2), CW_OK);
		assert_int_equal(run(verify), 0);
		status = run(certtool);
		assert_true(status == 0 || status == 127);
		unlink(leaf);
		unlink(chain);
		cw_buf_wipe(&der);
	}
	free((void *)(uintptr_t)root);
	free((void *)(uintptr_t)leaf);
	free((void *)(uintptr_t)chain);
}

static int
extension(const X509 *x, int nid)
{
	return X509_get_ext_by_NID(x, nid, -1);
}

static void
extensions_are_those_of_the_profile(void **state)
{
	const struct cw_profile *extra =
	    cw_config_profile(&tree.config, cw_bytes_str("extra"));
	struct cw_buf der;
	X509 *x;

	(void)state;
	make(extra, SUBJECT, &der);
	x = parse(&der);
	assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
	assert_int_equal(X509_get_extended_key_usage(x),
	    XKU_SSL_CLIENT | XKU_SMIME);
	assert_int_equal(X509_check_ca(x), 0);
	assert_int_equal(X509_check_email(x, "jane@example.org", 0, 0), 1);
	assert_true(extension(x, NID_certificate_policies) >= 0);
	assert_int_equal(X509_get_ext_count(x), 7);
	/* not longer than its CA */
	assert_true(ASN1_TIME_cmp_time_t(X509_get0_notAfter(x),
			(time_t)now_s + 7300L * 86400) <= 0);
	X509_free(x);
	cw_buf_wipe(&der);
}

static void
a_subject_without_address_has_no_alternative_name(void **state)
{
	struct cw_buf der;
	X509 *x;

	(void)state;
	/* after one with an address: nothing stays in the template */
	make(&tree.config.profiles[0], SUBJECT, &der);
	cw_buf_wipe(&der);
	make(&tree.config.profiles[0], "CN=Jane Doe", &der);
	x = parse(&der);
	assert_int_equal(extension(x, NID_subject_alt_name), -1);
	assert_int_equal(extension(x, NID_certificate_policies), -1);
	assert_int_equal(X509_get_ext_count(x), 5);
	X509_free(x);
	cw_buf_wipe(&der);
}

static void
a_subject_that_the_profile_does_not_end_is_refused(void **state)
{
	const struct cw_profile *extra =
	    cw_config_profile(&tree.config, cw_bytes_str("extra"));
	struct cw_subject s;

	(void)state;
	assert_err(cw_issue_subject(issue, extra,
		       cw_bytes_str("CN=a,O=Example,C=DE"), &s),
	    CW_OK);
	assert_err(cw_issue_subject(issue, extra,
		       cw_bytes_str("CN=a,O=Example,C=FR"), &s),
	    CW_ERR_PROFILE_REFUSES);
	assert_err(cw_issue_subject(issue, extra,
		       cw_bytes_str("CN=a\\,O=Example,C=DE"), &s),
	    CW_ERR_PROFILE_REFUSES);
}

static void
an_expired_ca_issues_nothing(void **state)
{
	struct cw_public_key pub;
	struct cw_issue_order order;
	struct cw_subject s;
	uint8_t serial[16];
	struct cw_buf der;

	(void)state;
	cw_key_public(ca.key, &pub);
	cw_serial_random(serial);
	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	assert_err(cw_issue_subject(issue, &tree.config.profiles[0],
		       cw_bytes_str("CN=a"), &s),
	    CW_OK);
	order = (struct cw_issue_order){ &tree.config.profiles[0], &s, &pub,
		serial, now_s + 7300ull * 86400 };
	assert_err(cw_issue_make(issue, &order, &der),
	    CW_ERR_EXPIRED_CERTIFICATE);
	cw_buf_wipe(&der);
}

static void
a_profile_that_cannot_be_encoded_is_refused_at_start(void **state)
{
	struct cw_profile *p = &tree.config.profiles[0];
	struct cw_profile kept = *p;
	struct cw_issue *none = NULL;

	(void)state;
	memcpy(p->key_usage, "digitalSignatur", sizeof("digitalSignatur"));
	assert_err(cw_issue_new(&tree.config, ca.chain[0], ca.key, &none),
	    CW_ERR_BAD_CONFIG);
	*p = kept;
	memcpy(p->policies, "1.x", sizeof("1.x"));
	assert_err(cw_issue_new(&tree.config, ca.chain[0], ca.key, &none),
	    CW_ERR_BAD_CONFIG);
	*p = kept;
	memcpy(p->subject_suffix, "Example", sizeof("Example"));
	assert_err(cw_issue_new(&tree.config, ca.chain[0], ca.key, &none),
	    CW_ERR_BAD_CONFIG);
	*p = kept;
	assert_null(none);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_certificate_reads_back_byte_for_byte),
		cmocka_unit_test(openssl_and_gnutls_accept_it),
		cmocka_unit_test(extensions_are_those_of_the_profile),
		cmocka_unit_test(
		    a_subject_without_address_has_no_alternative_name),
		cmocka_unit_test(
		    a_subject_that_the_profile_does_not_end_is_refused),
		cmocka_unit_test(an_expired_ca_issues_nothing),
		cmocka_unit_test(
		    a_profile_that_cannot_be_encoded_is_refused_at_start),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
