/* SPDX-License-Identifier: Apache-2.0 */
/* Test certificates over OpenSSL's EVP and X509 interfaces. */
#include "tests/support/cert_maker.h"

#include <openssl/err.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/x509.h"

static void
must(bool truth, const char *what)
{
	if (truth)
		return;
	fprintf(stderr, "cert_maker: %s\n", what);
	ERR_print_errors_fp(stderr);
	abort();
}

EVP_PKEY *
cw_test_evp_key(const char *type)
{
	EVP_PKEY *key;

	if (strncmp(type, "P-", 2) == 0)
		key = EVP_EC_gen(type);
	else if (strncmp(type, "RSA-", 4) == 0)
		key = EVP_RSA_gen((unsigned)strtoul(type + 4, NULL, 10));
	else
		key = EVP_PKEY_Q_keygen(NULL, NULL, type);
	must(key != NULL, "key");
	return key;
}

static void
set_name(X509_NAME *name, const char *cn)
{
	must(X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
		 (const unsigned char *)cn, -1, -1, 0) == 1,
	    "name");
}

static void
set_names(const struct cw_test_cert_spec *s, X509 *cert)
{
	set_name(X509_get_subject_name(cert), s->subject);
	if (s->issuer_name != NULL)
		set_name(X509_get_issuer_name(cert), s->issuer_name);
	else
		must(X509_set_issuer_name(cert,
			 X509_get_subject_name(
			     s->issuer == NULL ? cert : s->issuer->cert)) == 1,
		    "issuer");
}

static void
add_conf(X509 *cert, int nid, const char *value)
{
	X509_EXTENSION *ext;

	if (value == NULL)
		return;
	ext = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
	must(ext != NULL && X509_add_ext(cert, ext, -1) == 1, value);
	X509_EXTENSION_free(ext);
}

static void
add_raw(X509 *cert, const char *oid, bool critical, struct cw_bytes value)
{
	ASN1_OBJECT *object = OBJ_txt2obj(oid, 1);
	ASN1_OCTET_STRING *octets = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext;

	must(ASN1_OCTET_STRING_set(octets, value.ptr, (int)value.len) == 1,
	    "octets");
	ext = X509_EXTENSION_create_by_OBJ(NULL, object, critical, octets);
	must(ext != NULL && X509_add_ext(cert, ext, -1) == 1, oid);
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(octets);
	ASN1_OBJECT_free(object);
}

static void
add_extensions(const struct cw_test_cert_spec *s, X509 *cert)
{
	static const uint8_t null[] = { 0x05, 0x00 };
	char email[80];

	add_conf(cert, NID_basic_constraints, s->basic_constraints);
	add_conf(cert, NID_key_usage, s->key_usage);
	add_conf(cert, NID_ext_key_usage, s->eku);
	add_conf(cert, NID_name_constraints, s->name_constraints);
	if (s->email != NULL) {
		snprintf(email, sizeof(email), "email:%s", s->email);
		add_conf(cert, NID_subject_alt_name, email);
	}
	if (s->unknown_critical != NULL)
		add_raw(cert, s->unknown_critical, true, CW_BYTES_ARRAY(null));
	if (s->attestation.len > 0)
		add_raw(cert, CW_OID_ATTESTATION, false, s->attestation);
	if (s->attestation_twice)
		add_raw(cert, CW_OID_ATTESTATION, false, s->attestation);
}

static void
sign(const struct cw_test_cert_spec *s, struct cw_test_cert *out)
{
	EVP_PKEY *key = s->issuer == NULL ? out->key : s->issuer->key;
	const char *digest = s->digest == NULL ? "SHA256" : s->digest;
	const EVP_MD *md = EVP_get_digestbyname(digest);
	int id = EVP_PKEY_get_base_id(key);
	uint8_t *at;
	int len;

	if (id == EVP_PKEY_ED25519 || id == EVP_PKEY_ED448)
		md = NULL;
	must(X509_sign(out->cert, key, md) > 0, "sign");
	cw_buf_init(&out->der, SIZE_MAX);
	len = i2d_X509(out->cert, NULL);
	at = cw_buf_extend(&out->der, (size_t)len);
	must(at != NULL && i2d_X509(out->cert, &at) == len, "encode");
	if (s->damage)
		out->der.ptr[out->der.len - 1] ^= 1;
}

void
cw_test_cert_make(const struct cw_test_cert_spec *s, struct cw_test_cert *out)
{
	static long serial = 1;
	int64_t from = s->from != 0 ? s->from : -CW_TEST_DAY;
	int64_t to = s->to != 0 ? s->to : 100 * CW_TEST_DAY;
	X509 *cert = X509_new();

	out->cert = cert;
	out->key = cw_test_evp_key(s->key == NULL ? "P-256" : s->key);
	must(X509_set_version(cert, s->version == 0 ? 2 : s->version - 1) &&
		ASN1_INTEGER_set(X509_get_serialNumber(cert), serial++) &&
		ASN1_TIME_set(X509_getm_notBefore(cert), CW_TEST_NOW + from) &&
		ASN1_TIME_set(X509_getm_notAfter(cert), CW_TEST_NOW + to) &&
		X509_set_pubkey(cert, out->key),
	    "fields");
	set_names(s, cert);
	add_extensions(s, cert);
	sign(s, out);
}

void
cw_test_cert_wipe(struct cw_test_cert *cert)
{
	EVP_PKEY_free(cert->key);
	X509_free(cert->cert);
	cw_buf_wipe(&cert->der);
	memset(cert, 0, sizeof(*cert));
}

struct cw_test_cert_spec
cw_test_ca_spec(const char *subject, const struct cw_test_cert *issuer)
{
	return (struct cw_test_cert_spec){
		.subject = subject,
		.issuer = issuer,
		.basic_constraints = "critical,CA:TRUE",
		.key_usage = "critical,keyCertSign,cRLSign",
	};
}

struct cw_test_cert_spec
cw_test_leaf_spec(const char *subject, const struct cw_test_cert *issuer)
{
	/* OCTET STRING of {0: 2, 1: "Model T"} */
	static const uint8_t attestation[] = { 0x04, 0x0c, 0xa2, 0x00, 0x02,
		0x01, 0x67, 'M', 'o', 'd', 'e', 'l', ' ', 'T' };

	return (struct cw_test_cert_spec){
		.subject = subject,
		.issuer = issuer,
		.key_usage = "critical,digitalSignature",
		.eku = CW_OID_EKU_ATTESTATION,
		.attestation = CW_BYTES_ARRAY(attestation),
	};
}
