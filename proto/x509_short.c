/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way for an attestation leaf whose issuer is known. d2i_X509 costs
 * 120 us, nearly all of it for OpenSSL's search for somebody who decodes the
 * key, and its templates for the rest another 20; here a strict reader takes 1,
 * and the key is its bits. Only leaves of the form that docs/protocol.md wants
 * and vendors make are read: fixed values of the extensions, each once, nothing
 * else. Everything that is accepted here X509_verify_cert would accept; what is
 * not gets its answer there.
 */
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

#include "proto/der.h"
#include "proto/text.h"
#include "proto/x509_openssl.h"

/* ---- its parts ---- */

/* RFC 5280 4.1: version 3, no unique identifiers. */
static bool
read_body(struct cw_x509_leaf *leaf)
{
	static const uint8_t version_3[] = { 0x02, 0x01, 0x02 };
	struct cw_der all = cw_der(leaf->body);
	struct cw_der r = cw_der_enter(&all, CW_DER_SEQUENCE);
	struct cw_bytes version = cw_der_contents(&r, CW_DER_CONTEXT(0));
	struct cw_der extensions;

	leaf->serial = cw_der_positive(&r);
	leaf->inner_algorithm = cw_der_item(&r, CW_DER_SEQUENCE);
	leaf->issuer = cw_der_item(&r, CW_DER_SEQUENCE);
	leaf->validity = cw_der_contents(&r, CW_DER_SEQUENCE);
	leaf->subject = cw_der_item(&r, CW_DER_SEQUENCE);
	leaf->spki = cw_der_item(&r, CW_DER_SEQUENCE);
	extensions = cw_der_enter(&r, CW_DER_CONTEXT(3));
	leaf->extensions = cw_der_contents(&extensions, CW_DER_SEQUENCE);
	return cw_der_finish(&all) && cw_der_finish(&r) &&
	    cw_der_finish(&extensions) &&
	    cw_bytes_equal(version, CW_BYTES_ARRAY(version_3));
}

bool
cw_x509_leaf_read(struct cw_bytes der, struct cw_x509_leaf *out)
{
	struct cw_der all = cw_der(der);
	struct cw_der r = cw_der_enter(&all, CW_DER_SEQUENCE);

	*out = (struct cw_x509_leaf){ .der = der };
	out->body = cw_der_item(&r, CW_DER_SEQUENCE);
	out->algorithm = cw_der_item(&r, CW_DER_SEQUENCE);
	out->signature = cw_der_bits(&r);
	return der.len <= CW_CERT_MAX_BYTES && cw_der_finish(&all) &&
	    cw_der_finish(&r) && read_body(out);
}

/* Of single attributes, whose text is of a type that needs no conversion. */
static bool
name_is_usual(struct cw_bytes name)
{
	struct cw_der all = cw_der(name);
	struct cw_der r = cw_der_enter(&all, CW_DER_SEQUENCE);

	while (r.rest.len > 0) {
		struct cw_der set = cw_der_enter(&r, CW_DER_SET);
		struct cw_der one = cw_der_enter(&set, CW_DER_SEQUENCE);
		unsigned tag;
		struct cw_bytes text;

		(void)cw_der_oid(&one);
		tag = cw_der_tag(&one);
		if (tag != CW_DER_UTF8 && tag != CW_DER_PRINTABLE &&
		    tag != CW_DER_IA5)
			return false;
		text = cw_der_contents(&one, tag);
		if (!cw_der_finish(&set) || !cw_der_finish(&one) ||
		    !cw_text_is_utf8(text))
			return false;
	}
	return cw_der_finish(&r);
}

/* ---- time ---- */

static int
two_digits(const uint8_t *p)
{
	return p[0] >= '0' && p[0] <= '9' && p[1] >= '0' && p[1] <= '9' ?
	    (p[0] - '0') * 10 + p[1] - '0' :
	    -1;
}

/* RFC 5280 4.1.2.5: seconds are there, and the zone is Z. */
static bool
read_time(struct cw_der *r, time_t *out)
{
	bool is_long = cw_der_tag(r) == CW_DER_TIME;
	struct cw_bytes v =
	    cw_der_contents(r, is_long ? CW_DER_TIME : CW_DER_UTC_TIME);
	int n[7] = { 0 }; /* century, year, month, day, hour, minute, second */
	struct tm tm = { 0 };
	struct tm same;

	if (v.len != (is_long ? 15 : 13) || v.ptr[v.len - 1] != 'Z')
		return false;
	for (size_t i = is_long ? 0 : 1; i < 7; i++, v.ptr += 2) {
		n[i] = two_digits(v.ptr);
		if (n[i] < 0)
			return false;
	}
	if (!is_long)
		n[0] = n[1] < 50 ? 20 : 19;
	tm.tm_year = n[0] * 100 + n[1] - 1900;
	tm.tm_mon = n[2] - 1;
	tm.tm_mday = n[3];
	tm.tm_hour = n[4];
	tm.tm_min = n[5];
	tm.tm_sec = n[6];
	*out = timegm(&tm);
	/* What is no date came back as another. */
	return gmtime_r(out, &same) != NULL && same.tm_mon == n[2] - 1 &&
	    same.tm_mday == n[3] && same.tm_hour == n[4] &&
	    same.tm_min == n[5] && same.tm_sec == n[6];
}

static bool
narrow(struct cw_bytes validity, struct cw_x509_span *span)
{
	struct cw_der r = cw_der(validity);
	time_t from;
	time_t to;

	if (!read_time(&r, &from) || !read_time(&r, &to) || !cw_der_finish(&r))
		return false;
	cw_x509_span_narrow(span, from, to);
	return true;
}

/* ---- extensions ---- */

enum extension { BASIC, USAGE, EKU, SUBJECT_ID, ISSUER_ID, ATTESTATION, KINDS };

/* CW_OID_ARC in DER, and the numbers under it. */
#define ARC                                                               \
	0x69, 0x81, 0xd6, 0x9f, 0xce, 0x94, 0xd1, 0xe0, 0xea, 0xa9, 0xef, \
	    0x9b, 0x9d, 0x94, 0xb8, 0xcd, 0x97, 0xa1, 0xe0, 0x16
#define ARC_BYTES 20
#define ARC_ATTESTATION 1
#define ARC_EKU_ATTESTATION 2

static bool
is_ours(struct cw_bytes oid, uint8_t number)
{
	static const uint8_t arc[ARC_BYTES] = { ARC };

	return oid.len == ARC_BYTES + 1 &&
	    memcmp(oid.ptr, arc, ARC_BYTES) == 0 &&
	    oid.ptr[ARC_BYTES] == number;
}

static enum extension
kind_of(struct cw_bytes oid, bool is_critical)
{
	static const uint8_t standard[] = { /* 2.5.29: RFC 5280 4.2.1 */
		[BASIC] = 19,
		[USAGE] = 15,
		[EKU] = 37,
		[SUBJECT_ID] = 14,
		[ISSUER_ID] = 35
	};
	size_t i = 0;

	if (is_ours(oid, ARC_ATTESTATION) && !is_critical)
		return ATTESTATION;
	if (oid.len != 3 || oid.ptr[0] != 0x55 || oid.ptr[1] != 0x1d)
		return KINDS;
	while (i < sizeof(standard) && standard[i] != oid.ptr[2])
		i++;
	return i < sizeof(standard) ? (enum extension)i : KINDS;
}

static bool
is_key_id(struct cw_bytes v)
{
	struct cw_der r = cw_der(v);

	return cw_der_contents(&r, CW_DER_OCTET_STRING).len > 0 &&
	    cw_der_finish(&r);
}

/* SEQUENCE of the one member [0], as the issuer has it. */
static bool
is_issuers_id(struct cw_bytes v, X509 *issuer)
{
	const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(issuer);

	return id != NULL && v.len > 4 && v.len < 128 && v.ptr[0] == 0x30 &&
	    v.ptr[1] == v.len - 2 && v.ptr[2] == 0x80 &&
	    v.ptr[3] == v.len - 4 &&
	    cw_bytes_equal(cw_bytes(v.ptr + 4, v.len - 4),
		cw_bytes(ASN1_STRING_get0_data(id),
		    (size_t)ASN1_STRING_length(id)));
}

/* SEQUENCE of the one OBJECT IDENTIFIER. */
static bool
is_attestation_eku(struct cw_bytes v)
{
	struct cw_der all = cw_der(v);
	struct cw_der r = cw_der_enter(&all, CW_DER_SEQUENCE);
	struct cw_bytes oid = cw_der_oid(&r);

	return cw_der_finish(&all) && cw_der_finish(&r) &&
	    is_ours(oid, ARC_EKU_ATTESTATION);
}

static bool
extension_is_usual(enum extension kind, struct cw_bytes v, X509 *issuer,
    struct cw_attestation *out)
{
	static const uint8_t no_ca[] = { 0x30, 0x00 };
	static const uint8_t signs[] = { 0x03, 0x02, 0x07, 0x80 };

	switch (kind) {
	case BASIC:
		return cw_bytes_equal(v, CW_BYTES_ARRAY(no_ca));
	case USAGE:
		return cw_bytes_equal(v, CW_BYTES_ARRAY(signs));
	case EKU:
		return is_attestation_eku(v);
	case SUBJECT_ID:
		return is_key_id(v);
	case ISSUER_ID:
		return is_issuers_id(v, issuer);
	case ATTESTATION:
		return cw_x509_attestation_value(v, out) == CW_OK;
	case KINDS:
	default:
		return false;
	}
}

static bool
extensions_are_usual(struct cw_bytes list, X509 *issuer,
    struct cw_attestation *out)
{
	static const uint8_t yes[] = { 0xff };
	struct cw_der r = cw_der(list);
	bool seen[KINDS + 1] = { false };

	while (r.rest.len > 0) {
		struct cw_der one = cw_der_enter(&r, CW_DER_SEQUENCE);
		struct cw_bytes oid = cw_der_oid(&one);
		bool is_critical = cw_der_tag(&one) == CW_DER_BOOLEAN;
		enum extension kind = kind_of(oid, is_critical);
		struct cw_bytes value;

		if (is_critical && /* false is not written: X.690 11.5 */
		    !cw_bytes_equal(cw_der_contents(&one, CW_DER_BOOLEAN),
			CW_BYTES_ARRAY(yes)))
			return false;
		value = cw_der_contents(&one, CW_DER_OCTET_STRING);
		if (!cw_der_finish(&one) || seen[kind] ||
		    !extension_is_usual(kind, value, issuer, out))
			return false;
		seen[kind] = true;
	}
	return cw_der_finish(&r) && seen[USAGE] && seen[EKU] &&
	    seen[ATTESTATION];
}

/* ---- the signature ---- */

/* AlgorithmIdentifiers in DER, parameters as they must be (RFC 5758 3.2, RFC 4055
 * 5, RFC 8410 3). */
#define ALGORITHM_BYTES 15
#define RSA ((enum cw_key_type)0) /* of any size */
static const struct algorithm {
	enum cw_key_type type; /* of the issuer's key */
	const EVP_MD *(*digest)(void);
	size_t half; /* of ECDSA's signature */
	size_t len;
	uint8_t bytes[ALGORITHM_BYTES];
} algorithms[] = {
	{ CW_KEY_P256, NULL, 32, 12,
	    { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03,
		0x02 } },
	{ CW_KEY_P384, NULL, 48, 12,
	    { 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03,
		0x03 } },
	{ CW_KEY_ED25519, NULL, 0, 7,
	    { 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70 } },
	{ RSA, EVP_sha256, 0, 15,
	    { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
		0x01, 0x0b, 0x05, 0x00 } },
	{ RSA, EVP_sha384, 0, 15,
	    { 0x30, 0x0d, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01,
		0x01, 0x0c, 0x05, 0x00 } },
};

static bool
rsa_is_signed(const struct cw_x509_leaf *leaf, X509 *issuer,
    const EVP_MD *digest)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool good = ctx != NULL && key != NULL &&
	    EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA &&
	    EVP_DigestVerifyInit(ctx, NULL, digest, NULL, key) == 1 &&
	    EVP_DigestVerify(ctx, leaf->signature.ptr, leaf->signature.len,
		leaf->body.ptr, leaf->body.len) == 1;

	EVP_MD_CTX_free(ctx);
	return good;
}

/* r and s, each on so many bytes (RFC 3279 2.2.3). */
static struct cw_bytes
plain_signature(struct cw_bytes der, size_t half, uint8_t out[CW_SIGNATURE_MAX])
{
	struct cw_der all = cw_der(der);
	struct cw_der r = cw_der_enter(&all, CW_DER_SEQUENCE);

	memset(out, 0, 2 * half);
	for (size_t i = 1; i <= 2; i++) {
		struct cw_bytes v = cw_der_positive(&r);

		if (v.len > 0 && v.len <= half)
			memcpy(out + i * half - v.len, v.ptr, v.len);
		else
			r.failed = true;
	}
	return cw_der_finish(&all) && cw_der_finish(&r) ?
	    cw_bytes(out, 2 * half) :
	    CW_BYTES_NONE;
}

/* RFC 5280 4.1.1.2: both name the same algorithm. */
static bool
is_signed(const struct cw_x509_leaf *leaf, X509 *issuer)
{
	uint8_t memory[CW_SIGNATURE_MAX];
	struct cw_bytes signature = leaf->signature;
	const struct algorithm *a = NULL;
	struct cw_public_key key;

	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (cw_bytes_equal(leaf->algorithm,
			cw_bytes(algorithms[i].bytes, algorithms[i].len)))
			a = &algorithms[i];
	if (a == NULL ||
	    !cw_bytes_equal(leaf->algorithm, leaf->inner_algorithm))
		return false;
	if (a->digest != NULL)
		return rsa_is_signed(leaf, issuer, a->digest());
	if (a->half > 0)
		signature = plain_signature(signature, a->half, memory);
	return cw_x509_public_key(issuer, &key) == CW_OK &&
	    key.type == a->type &&
	    cw_verify(&key, leaf->body, signature) == CW_OK;
}

/* ---- all of it ---- */

bool
cw_x509_leaf_accept(const struct cw_x509_leaf *leaf, X509 *issuer, time_t now,
    struct cw_x509_span *span, struct cw_attestation *out)
{
	if (leaf->serial.len > CW_SERIAL_MAX || !name_is_usual(leaf->subject) ||
	    cw_bytes_equal(leaf->subject, leaf->issuer) || /* self-issued */
	    !narrow(leaf->validity, span) || now < span->from ||
	    now > span->to ||
	    !extensions_are_usual(leaf->extensions, issuer, out) ||
	    !cw_x509_spki_key(leaf->spki, &out->key) ||
	    cw_public_key_check(&out->key) != CW_OK ||
	    cw_key_type_info(out->key.type)->alg == CW_ALG_NONE ||
	    !is_signed(leaf, issuer))
		return false;
	cw_hash(leaf->der, out->leaf_hash);
	return true;
}
