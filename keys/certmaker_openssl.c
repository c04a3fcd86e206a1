/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates for ceremonies, by OpenSSL's X.509. Time does not matter here. */
#include "keys/certmaker.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "proto/x509_subject.h"
#include "proto/cbor.h"

#define SKEW_S 300
#define DAY_S 86400

struct maker {
	const struct cw_cert_spec *spec;
	X509 *cert;
	X509 *issuer; /* itself when self-signed */
};

void
cw_serial_random(uint8_t serial[16])
{
	cw_random(serial, 16);
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
}

static bool
add_extension(struct maker *m, int nid, const char *value)
{
	X509_EXTENSION *ext;
	X509V3_CTX ctx;
	bool ok;

	if (value == NULL)
		return true;
	X509V3_set_ctx(&ctx, m->issuer, m->cert, NULL, NULL, 0);
	ext = X509V3_EXT_nconf_nid(NULL, &ctx, nid, value);
	ok = ext != NULL && X509_add_ext(m->cert, ext, -1) == 1;
	X509_EXTENSION_free(ext);
	return ok;
}

/* RFC 7093 2 (1): the first 160 bits of SHA-256 over the key's BIT STRING. */
static bool
add_key_ids(struct maker *m)
{
	ASN1_BIT_STRING *bits = X509_get0_pubkey_bitstr(m->cert);
	ASN1_OCTET_STRING *id = ASN1_OCTET_STRING_new();
	uint8_t hash[CW_HASH_BYTES];
	bool ok;

	if (id == NULL || bits == NULL) {
		ASN1_OCTET_STRING_free(id);
		return false;
	}
	cw_hash(cw_bytes(ASN1_STRING_get0_data(bits),
		    (size_t)ASN1_STRING_length(bits)),
	    hash);
	ok = ASN1_OCTET_STRING_set(id, hash, 20) == 1 &&
	    X509_add1_ext_i2d(m->cert, NID_subject_key_identifier, id, 0,
		X509V3_ADD_DEFAULT) == 1;
	ASN1_OCTET_STRING_free(id);
	return ok &&
	    (m->issuer == m->cert ||
		add_extension(m, NID_authority_key_identifier, "keyid:always"));
}

/* x509.h: DER OCTET STRING of CBOR {0: kind, 1: model}; not critical, so that
 * other software still reads the chain. */
static bool
add_attestation(struct maker *m)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(CW_OID_ATTESTATION, 1);
	ASN1_OCTET_STRING *cbor = ASN1_OCTET_STRING_new();
	ASN1_OCTET_STRING *value = ASN1_OCTET_STRING_new();
	X509_EXTENSION *ext = NULL;
	uint8_t *der = NULL;
	struct cw_buf b;
	bool ok = false;
	int len;

	cw_buf_init(&b, CW_CERT_MAX_BYTES);
	cw_cbor_put_map(&b, 2);
	cw_cbor_put_uint(&b, 0);
	cw_cbor_put_uint(&b, m->spec->kind);
	cw_cbor_put_uint(&b, 1);
	cw_cbor_put_str(&b, m->spec->model);
	if (b.err != CW_OK || oid == NULL || cbor == NULL || value == NULL ||
	    ASN1_OCTET_STRING_set(cbor, b.ptr, (int)b.len) != 1)
		goto out;
	len = i2d_ASN1_OCTET_STRING(cbor, &der);
	if (len <= 0 || ASN1_OCTET_STRING_set(value, der, len) != 1)
		goto out;
	ext = X509_EXTENSION_create_by_OBJ(NULL, oid, 0, value);
	ok = ext != NULL && X509_add_ext(m->cert, ext, -1) == 1;
out:
	X509_EXTENSION_free(ext);
	ASN1_OCTET_STRING_free(value);
	ASN1_OCTET_STRING_free(cbor);
	ASN1_OBJECT_free(oid);
	OPENSSL_free(der);
	cw_buf_wipe(&b);
	return ok;
}

static bool
add_extensions(struct maker *m)
{
	const struct cw_cert_spec *s = m->spec;
	char constraints[64] = "critical,CA:FALSE";

	if (s->path_length >= 0)
		BIO_snprintf(constraints, sizeof(constraints),
		    "critical,CA:TRUE,pathlen:%d", s->path_length);
	return add_extension(m, NID_basic_constraints, constraints) &&
	    add_extension(m, NID_key_usage, s->key_usage) &&
	    add_extension(m, NID_ext_key_usage, s->extended_key_usage) &&
	    add_extension(m, NID_subject_alt_name, s->alternative_names) &&
	    add_key_ids(m) && (s->kind == 0 || add_attestation(m));
}

static bool
set_validity(struct maker *m, uint64_t now_s)
{
	time_t from = (time_t)now_s - SKEW_S;
	time_t to = from + (time_t)m->spec->days * DAY_S;
	const ASN1_TIME *end = X509_get0_notAfter(m->issuer);

	if (ASN1_TIME_set(X509_getm_notBefore(m->cert), from) == NULL)
		return false;
	if (m->issuer != m->cert && ASN1_TIME_cmp_time_t(end, to) < 0)
		return X509_set1_notAfter(m->cert, end) == 1;
	return ASN1_TIME_set(X509_getm_notAfter(m->cert), to) != NULL;
}

static bool
set_serial(X509 *cert)
{
	uint8_t serial[16];
	BIGNUM *n;
	bool ok;

	cw_serial_random(serial);
	n = BN_bin2bn(serial, sizeof(serial), NULL);
	ok = n != NULL &&
	    BN_to_ASN1_INTEGER(n, X509_get_serialNumber(cert)) != NULL;
	BN_free(n);
	return ok;
}

static enum cw_err
set_subject(struct maker *m)
{
	const uint8_t *at;
	struct cw_subject subject;
	X509_NAME *name;
	enum cw_err err;

	err = cw_subject_parse(cw_bytes_str(m->spec->subject), &subject);
	if (err != CW_OK)
		return err;
	at = subject.name;
	name = d2i_X509_NAME(NULL, &at, (long)subject.name_len);
	if (name == NULL || X509_set_subject_name(m->cert, name) != 1)
		err = CW_ERR_NO_MEMORY;
	X509_NAME_free(name);
	if (err == CW_OK &&
	    X509_set_issuer_name(m->cert, X509_get_subject_name(m->issuer)) !=
		1)
		err = CW_ERR_NO_MEMORY;
	return err;
}

static enum cw_err
set_key(struct maker *m)
{
	const uint8_t *at;
	struct cw_buf spki;
	X509_PUBKEY *key = NULL;
	EVP_PKEY *pkey = NULL;
	enum cw_err err;

	cw_buf_init(&spki, CW_CERT_MAX_BYTES);
	err = cw_public_key_spki(m->spec->key, &spki);
	at = spki.ptr;
	if (err == CW_OK)
		key = d2i_X509_PUBKEY(NULL, &at, (long)spki.len);
	if (key != NULL)
		pkey = X509_PUBKEY_get0(key);
	if (err == CW_OK &&
	    (pkey == NULL || X509_set_pubkey(m->cert, pkey) != 1))
		err = CW_ERR_BAD_KEY;
	X509_PUBKEY_free(key);
	cw_buf_wipe(&spki);
	return err;
}

static enum cw_err
sign(X509 *cert, const struct cw_private_key *key)
{
	EVP_PKEY *pkey = NULL;
	const EVP_MD *md = EVP_sha256();
	struct cw_public_key pub;
	const uint8_t *at;
	struct cw_buf der;
	enum cw_err err;

	cw_key_public(key, &pub);
	if (pub.type == CW_KEY_P384)
		md = EVP_sha384();
	else if (pub.type == CW_KEY_ED25519)
		md = NULL;
	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	err = cw_key_export(key, &der);
	at = der.ptr;
	if (err == CW_OK)
		pkey = d2i_AutoPrivateKey(NULL, &at, (long)der.len);
	if (err == CW_OK && (pkey == NULL || X509_sign(cert, pkey, md) <= 0))
		err = CW_ERR_CRYPTO_FAILED;
	EVP_PKEY_free(pkey);
	cw_buf_wipe(&der);
	return err;
}

static enum cw_err
put_der(X509 *cert, struct cw_buf *out)
{
	int len = i2d_X509(cert, NULL);
	uint8_t *at = len <= 0 ? NULL : cw_buf_extend(out, (size_t)len);

	if (at == NULL)
		return out->err != CW_OK ? out->err : CW_ERR_CRYPTO_FAILED;
	i2d_X509(cert, &at);
	return CW_OK;
}

enum cw_err
cw_cert_make(const struct cw_cert_spec *spec, struct cw_bytes issuer,
    const struct cw_private_key *issuer_key, uint64_t now_s, struct cw_buf *out)
{
	struct maker m = { .spec = spec, .cert = X509_new() };
	const uint8_t *at = issuer.ptr;
	enum cw_err err;

	if (m.cert == NULL)
		return CW_ERR_NO_MEMORY;
	m.issuer =
	    issuer.len == 0 ? m.cert : d2i_X509(NULL, &at, (long)issuer.len);
	err = m.issuer == NULL ? CW_ERR_BAD_CERTIFICATE : set_subject(&m);
	if (err == CW_OK)
		err = set_key(&m);
	if (err == CW_OK &&
	    (X509_set_version(m.cert, X509_VERSION_3) != 1 ||
		!set_serial(m.cert) || !set_validity(&m, now_s)))
		err = CW_ERR_CRYPTO_FAILED;
	if (err == CW_OK && !add_extensions(&m))
		err = CW_ERR_OUT_OF_RANGE;
	if (err == CW_OK)
		err = sign(m.cert, issuer_key);
	if (err == CW_OK)
		err = put_der(m.cert, out);
	if (m.issuer != m.cert)
		X509_free(m.issuer);
	X509_free(m.cert);
	ERR_clear_error();
	return err;
}

enum cw_err
cw_cert_is_self_issued(struct cw_bytes der, bool *out)
{
	const uint8_t *at = der.ptr;
	X509 *cert = d2i_X509(NULL, &at, (long)der.len);

	if (cert == NULL) {
		ERR_clear_error();
		return CW_ERR_BAD_CERTIFICATE;
	}
	*out = X509_NAME_cmp(X509_get_subject_name(cert),
		   X509_get_issuer_name(cert)) == 0;
	X509_free(cert);
	return CW_OK;
}
