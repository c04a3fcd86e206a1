/* SPDX-License-Identifier: Apache-2.0 */
/* Single certificates: keys, serial, subject, PEM files, real ones. */
#include "proto/x509.h"

#include <glob.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/cert_maker.h"
#include "tests/support/check.h"

static int
no_openssl_error_is_left(void **state)
{
	(void)state;
	return ERR_peek_error() == 0 ? 0 : 1;
}

/* A self-signed certificate of this key; X25519 cannot sign, a CA does. */
static void
make(const char *key, const char *subject, struct cw_test_cert *out)
{
	struct cw_test_cert_spec ca = cw_test_ca_spec("CA", NULL);
	struct cw_test_cert issuer;
	struct cw_test_cert_spec s = cw_test_leaf_spec(subject, &issuer);

	cw_test_cert_make(&ca, &issuer);
	s.key = key;
	cw_test_cert_make(&s, out);
	cw_test_cert_wipe(&issuer);
}

static void
the_key_of_each_type_is_read_and_written_as_openssl_does(void **state)
{
	static const struct {
		const char *name;
		enum cw_key_type type;
	} rows[] = {
		{ "P-256", CW_KEY_P256 },
		{ "P-384", CW_KEY_P384 },
		{ "RSA-2048", CW_KEY_RSA2048 },
		{ "RSA-3072", CW_KEY_RSA3072 },
		{ "Ed25519", CW_KEY_ED25519 },
		{ "X25519", CW_KEY_X25519 },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_cert cert;
		struct cw_public_key key;
		struct cw_buf spki;
		uint8_t *want = NULL;
		int len;

		make(rows[i].name, "Key", &cert);
		assert_err(cw_cert_public_key(cw_buf_bytes(&cert.der), &key),
		    CW_OK);
		assert_int_equal(key.type, rows[i].type);
		cw_buf_init(&spki, 1000);
		assert_err(cw_public_key_spki(&key, &spki), CW_OK);
		len = i2d_PUBKEY(cert.key, &want);
		assert_true(len > 0);
		assert_true(cw_bytes_equal(cw_buf_bytes(&spki),
		    cw_bytes(want, (size_t)len)));
		OPENSSL_free(want);
		cw_buf_wipe(&spki);
		cw_test_cert_wipe(&cert);
	}
}

static void
a_key_that_the_protocol_lacks_is_refused(void **state)
{
	static const char *const names[] = { "P-521", "RSA-1024", "RSA-4096",
		"Ed448", "X448" };
	static const struct cw_public_key zero;

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		struct cw_test_cert cert;
		struct cw_public_key key;

		make(names[i], "Key", &cert);
		assert_row(names[i],
		    cw_cert_public_key(cw_buf_bytes(&cert.der), &key) ==
			CW_ERR_UNKNOWN_ALGORITHM);
		assert_memory_equal(&key, &zero, sizeof(key));
		cw_test_cert_wipe(&cert);
	}
}

/* Where the point's bytes are in the DER. */
static uint8_t *
find(struct cw_buf *der, const uint8_t *what, size_t len)
{
	return memmem(der->ptr, der->len, what, len);
}

static void
a_point_off_its_curve_is_refused(void **state)
{
	struct cw_test_cert cert;
	struct cw_public_key key;
	struct cw_buf spki;
	uint8_t *at;

	(void)state;
	make("P-256", "Key", &cert);
	assert_err(cw_cert_public_key(cw_buf_bytes(&cert.der), &key), CW_OK);
	at = find(&cert.der, key.y, 32);
	assert_non_null(at);
	at[31] ^= 1;
	assert_err(cw_cert_public_key(cw_buf_bytes(&cert.der), &key),
	    CW_ERR_BAD_KEY);
	at[31] ^= 1;
	assert_err(cw_cert_public_key(cw_buf_bytes(&cert.der), &key), CW_OK);
	/* Not uncompressed: RFC 5480 2.2 allows it, session.cddl does not. */
	at = find(&cert.der, key.x, 32);
	at[-1] = 0x06;
	assert_err(cw_cert_public_key(cw_buf_bytes(&cert.der), &key),
	    CW_ERR_BAD_KEY);

	memset(&key, 0, sizeof(key));
	key.type = CW_KEY_P256;
	key.x_len = key.y_len = 32;
	cw_buf_init(&spki, 1000);
	assert_err(cw_public_key_spki(&key, &spki), CW_ERR_BAD_KEY);
	assert_int_equal(spki.len, 0);
	cw_buf_wipe(&spki);
	cw_test_cert_wipe(&cert);
}

/* A certificate whose serial number is the bytes, perhaps negative. */
static void
make_serial(const char *hex, struct cw_buf *der)
{
	struct cw_test_cert_spec s = cw_test_ca_spec("Serial", NULL);
	struct cw_test_cert cert;
	BIGNUM *n = NULL;
	uint8_t *at;
	int len;

	cw_test_cert_make(&s, &cert);
	BN_hex2bn(&n, hex);
	BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert.cert));
	X509_sign(cert.cert, cert.key, EVP_sha256());
	cw_buf_init(der, CW_CERT_MAX_BYTES);
	len = i2d_X509(cert.cert, NULL);
	at = cw_buf_extend(der, (size_t)len);
	assert_non_null(at);
	i2d_X509(cert.cert, &at);
	BN_free(n);
	cw_test_cert_wipe(&cert);
}

static void
a_serial_number_is_read_without_a_sign_byte(void **state)
{
	static const struct {
		const char *hex, *want; /* NULL: refused */
	} rows[] = {
		{ "00", "00" },
		{ "01", "01" },
		{ "7F", "7f" },
		{ "80", "80" },
		{ "FFEE", "ffee" },
		{ "112233445566778899AABBCCDDEEFF0011223344",
		    "112233445566778899aabbccddeeff0011223344" },
		{ "11223344556677889900AABBCCDDEEFF0011223344", NULL },
		{ "-01", NULL },
	};
	uint8_t serial[CW_SERIAL_MAX];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_buf der;
		size_t len = 0;
		enum cw_err err;

		make_serial(rows[i].hex, &der);
		err = cw_cert_serial(cw_buf_bytes(&der), serial, &len);
		if (rows[i].want == NULL) {
			assert_err(err, CW_ERR_BAD_CERTIFICATE);
		} else {
			assert_err(err, CW_OK);
			assert_hex(cw_bytes(serial, len), rows[i].want);
		}
		cw_buf_wipe(&der);
	}
}

static void
a_subject_is_rfc_4514_text(void **state)
{
	static const struct {
		const char *name, *want;
	} rows[] = {
		{ "Ada", "CN=Ada" },
		{ "M\xc3\xbcller", "CN=M\xc3\xbcller" },
		{ "a,b", "CN=a\\,b" },
		{ "a\nb", "CN=a\\0Ab" },
		{ " a ", "CN=\\ a\\ " },
	};
	char text[40];

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_cert cert;

		make("P-256", rows[i].name, &cert);
		assert_err(cw_cert_subject(cw_buf_bytes(&cert.der), text,
			       sizeof(text)),
		    CW_OK);
		assert_string_equal(text, rows[i].want);
		cw_test_cert_wipe(&cert);
	}
}

static void
a_subject_that_does_not_fit_is_not_cut(void **state)
{
	struct cw_test_cert cert;
	char text[7];

	(void)state;
	make("P-256", "Ada", &cert); /* CN=Ada: six characters */
	assert_err(cw_cert_subject(cw_buf_bytes(&cert.der), text, 7), CW_OK);
	assert_string_equal(text, "CN=Ada");
	assert_err(cw_cert_subject(cw_buf_bytes(&cert.der), text, 6),
	    CW_ERR_TOO_LARGE);
	assert_string_equal(text, "");
	cw_test_cert_wipe(&cert);
}

static void
bytes_that_are_no_certificate_have_no_parts(void **state)
{
	const struct cw_bytes no = cw_bytes_str("0\x82\x01\x01 certificate");
	struct cw_public_key key;
	uint8_t serial[CW_SERIAL_MAX];
	char text[10];
	size_t len;

	(void)state;
	assert_err(cw_cert_public_key(no, &key), CW_ERR_BAD_CERTIFICATE);
	assert_err(cw_cert_serial(no, serial, &len), CW_ERR_BAD_CERTIFICATE);
	assert_err(cw_cert_subject(no, text, sizeof(text)),
	    CW_ERR_BAD_CERTIFICATE);
}

/* ---- PEM files ---- */

static unsigned seen;

static enum cw_err
count(void *stop_after, struct cw_bytes der)
{
	struct cw_public_key key;
	enum cw_err err = cw_cert_public_key(der, &key);

	if (err == CW_OK && ++seen == *(unsigned *)stop_after)
		err = CW_ERR_EXISTS;
	return err;
}

static enum cw_err
read_pem(const char *path, unsigned stop_after)
{
	seen = 0;
	return cw_pem_certificates(path, count, &stop_after);
}

static void
a_pem_file_gives_its_certificates_in_order(void **state)
{
	static const struct {
		const char *what, *form; /* c: certificate, d: damaged */
		unsigned stop_after, seen;
		enum cw_err want;
	} rows[] = {
		{ "one", "c", 0, 1, CW_OK },
		{ "three, text between", "ctctc", 0, 3, CW_OK },
		{ "stopped", "ccc", 2, 2, CW_ERR_EXISTS },
		{ "none", "", 0, 0, CW_ERR_BAD_CERTIFICATE },
		{ "text", "tt", 0, 0, CW_ERR_BAD_CERTIFICATE },
		{ "damaged", "d", 0, 0, CW_ERR_BAD_CERTIFICATE },
		{ "second damaged", "cd", 0, 1, CW_ERR_BAD_CERTIFICATE },
	};
	struct cw_test_cert cert;
	char path[] = "/tmp/x509_test.XXXXXX";
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	make("P-256", "PEM", &cert);
	for (size_t i = 0; i < COUNT(rows); i++) {
		FILE *f = fopen(path, "w");

		for (const char *c = rows[i].form; *c != '\0'; c++)
			if (*c == 'c')
				PEM_write_X509(f, cert.cert);
			else if (*c == 'd')
				fputs("-----BEGIN CERTIFICATE-----\nAAAA\n"
				      "-----END CERTIFICATE-----\n",
				    f);
			else
				fputs("some text\n", f);
		fclose(f);
		assert_row(rows[i].what,
		    read_pem(path, rows[i].stop_after) == rows[i].want &&
			seen == rows[i].seen);
	}
	unlink(path);
	assert_err(read_pem(path, 0), CW_ERR_NO_FILE);
	cw_test_cert_wipe(&cert);
}

/* ---- certificates of real devices, where they are at hand ---- */

static void
real_attestation_chains_can_be_read(void **state)
{
	const char *top = getenv("TOP");
	char pattern[1000];
	glob_t files = { 0 };
	unsigned read = 0;

	(void)state;
	snprintf(pattern, sizeof(pattern),
	    "%s/../shared/vectors/yubico-piv/[firs]*/*.pem",
	    top == NULL ? "." : top);
	if (glob(pattern, 0, NULL, &files) != 0) {
		print_message("the certificates are not on this machine\n");
		skip();
	}
	for (size_t i = 0; i < files.gl_pathc; i++) {
		enum cw_err err = read_pem(files.gl_pathv[i], 0);

		if (err != CW_OK && err != CW_ERR_UNKNOWN_ALGORITHM)
			fail_msg("%s: %s", files.gl_pathv[i], cw_err_name(err));
		read += seen;
	}
	assert_true(read > 10);
	globfree(&files);
}

#define TEST(f) cmocka_unit_test_teardown(f, no_openssl_error_is_left)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(the_key_of_each_type_is_read_and_written_as_openssl_does),
		TEST(a_key_that_the_protocol_lacks_is_refused),
		TEST(a_point_off_its_curve_is_refused),
		TEST(a_serial_number_is_read_without_a_sign_byte),
		TEST(a_subject_is_rfc_4514_text),
		TEST(a_subject_that_does_not_fit_is_not_cut),
		TEST(bytes_that_are_no_certificate_have_no_parts),
		TEST(a_pem_file_gives_its_certificates_in_order),
		TEST(real_attestation_chains_can_be_read),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
