/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The short way for an attestation leaf whose issuer is known. d2i_X509 costs
 * 120 us, nearly all of it for OpenSSL's search for somebody who decodes the
 * key; here the key is its bits. Only leaves of the form that docs/protocol.md
 * wants and vendors make are read: fixed values of the extensions, each once,
 * nothing else. Everything that is accepted here X509_verify_cert would accept;
 * what is not gets its answer there.
 */
#include <openssl/asn1t.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "proto/x509_openssl.h"

/* RFC 5280 4.1 without unique identifiers. OpenSSL's macros want type names;
 * ASN1_TYPE holds whole items in DER. */
typedef struct {
	ASN1_INTEGER *version, *serial;
	X509_ALGOR *algorithm;
	ASN1_TYPE *issuer;
	X509_VAL *validity;
	X509_NAME *subject;
	ASN1_TYPE *spki;
	STACK_OF(X509_EXTENSION) * extensions;
} cw_leaf_body;

typedef struct {
	ASN1_TYPE *body;
	X509_ALGOR *algorithm;
	ASN1_BIT_STRING *signature;
} cw_leaf;

/* clang-format off */
ASN1_SEQUENCE(cw_leaf_body) = {
	ASN1_EXP(cw_leaf_body, version, ASN1_INTEGER, 0),
	ASN1_SIMPLE(cw_leaf_body, serial, ASN1_INTEGER),
	ASN1_SIMPLE(cw_leaf_body, algorithm, X509_ALGOR),
	ASN1_SIMPLE(cw_leaf_body, issuer, ASN1_ANY),
	ASN1_SIMPLE(cw_leaf_body, validity, X509_VAL),
	ASN1_SIMPLE(cw_leaf_body, subject, X509_NAME),
	ASN1_SIMPLE(cw_leaf_body, spki, ASN1_ANY),
	ASN1_EXP_SEQUENCE_OF(cw_leaf_body, extensions, X509_EXTENSION, 3),
} static_ASN1_SEQUENCE_END(cw_leaf_body)

ASN1_SEQUENCE(cw_leaf) = {
	ASN1_SIMPLE(cw_leaf, body, ASN1_ANY),
	ASN1_SIMPLE(cw_leaf, algorithm, X509_ALGOR),
	ASN1_SIMPLE(cw_leaf, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END(cw_leaf)
/* clang-format on */

struct cw_x509_leaf {
	struct cw_bytes der;
	cw_leaf *outer;
	cw_leaf_body *body;
};

/* All of the bytes as one item, or NULL. */
static void *
decode(struct cw_bytes der, const ASN1_ITEM *item)
{
	const uint8_t *at = der.ptr;
	ASN1_VALUE *value = ASN1_item_d2i(NULL, &at, (long)der.len, item);

	if (value != NULL && at != der.ptr + der.len) {
		ASN1_item_free(value, item);
		value = NULL;
	}
	return value;
}

/* Empty unless the item is a SEQUENCE. */
static struct cw_bytes
sequence(const ASN1_TYPE *item)
{
	if (item->type != V_ASN1_SEQUENCE)
		return CW_BYTES_NONE;
	return cw_bytes(item->value.sequence->data,
	    (size_t)item->value.sequence->length);
}

bool
cw_x509_leaf_read(struct cw_bytes der, struct cw_x509_leaf **out)
{
	struct cw_x509_leaf *leaf = OPENSSL_zalloc(sizeof(*leaf));

	*out = leaf;
	if (leaf == NULL || der.len == 0 || der.len > CW_CERT_MAX_BYTES)
		return false;
	leaf->der = der;
	leaf->outer = decode(der, ASN1_ITEM_rptr(cw_leaf));
	if (leaf->outer != NULL)
		leaf->body = decode(sequence(leaf->outer->body),
		    ASN1_ITEM_rptr(cw_leaf_body));
	return leaf->body != NULL;
}

void
cw_x509_leaf_free(struct cw_x509_leaf *leaf)
{
	if (leaf == NULL)
		return;
	ASN1_item_free((ASN1_VALUE *)leaf->body, ASN1_ITEM_rptr(cw_leaf_body));
	ASN1_item_free((ASN1_VALUE *)leaf->outer, ASN1_ITEM_rptr(cw_leaf));
	OPENSSL_free(leaf);
}

struct cw_bytes
cw_x509_leaf_issuer(const struct cw_x509_leaf *leaf)
{
	return sequence(leaf->body->issuer);
}

/* ---- extensions ---- */

enum extension { BASIC, USAGE, EKU, SUBJECT_ID, ISSUER_ID, ATTESTATION, KINDS };

static enum extension
kind_of(X509_EXTENSION *extension)
{
	const ASN1_OBJECT *oid = X509_EXTENSION_get_object(extension);

	switch (OBJ_obj2nid(oid)) {
	case NID_basic_constraints:
		return BASIC;
	case NID_key_usage:
		return USAGE;
	case NID_ext_key_usage:
		return EKU;
	case NID_subject_key_identifier:
		return SUBJECT_ID;
	case NID_authority_key_identifier:
		return ISSUER_ID;
	default:
		return cw_x509_is_oid(oid, CW_OID_ATTESTATION) &&
			!X509_EXTENSION_get_critical(extension) ?
		    ATTESTATION :
		    KINDS;
	}
}

static bool
is_key_id(struct cw_bytes v)
{
	return v.len > 2 && v.len < 128 && v.ptr[0] == V_ASN1_OCTET_STRING &&
	    v.ptr[1] == v.len - 2;
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
	const uint8_t *at = v.ptr + 2;
	ASN1_OBJECT *oid;
	bool same;

	if (v.len < 4 || v.len >= 128 || v.ptr[0] != 0x30 ||
	    v.ptr[1] != v.len - 2)
		return false;
	oid = d2i_ASN1_OBJECT(NULL, &at, (long)v.len - 2);
	same = oid != NULL && at == v.ptr + v.len &&
	    cw_x509_is_oid(oid, CW_OID_EKU_ATTESTATION);
	ASN1_OBJECT_free(oid);
	return same;
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
extensions_are_usual(const struct cw_x509_leaf *leaf, X509 *issuer,
    struct cw_attestation *out)
{
	const STACK_OF(X509_EXTENSION) *list = leaf->body->extensions;
	bool seen[KINDS + 1] = { false };

	for (int i = 0; i < sk_X509_EXTENSION_num(list); i++) {
		X509_EXTENSION *extension = sk_X509_EXTENSION_value(list, i);
		const ASN1_OCTET_STRING *value =
		    X509_EXTENSION_get_data(extension);
		enum extension kind = kind_of(extension);

		if (seen[kind] ||
		    !extension_is_usual(kind,
			cw_bytes(ASN1_STRING_get0_data(value),
			    (size_t)ASN1_STRING_length(value)),
			issuer, out))
			return false;
		seen[kind] = true;
	}
	return seen[USAGE] && seen[EKU] && seen[ATTESTATION];
}

/* ---- all of it ---- */

static bool
body_is_usual(const cw_leaf_body *body)
{
	const struct cw_bytes issuer = sequence(body->issuer);
	const uint8_t *der;
	size_t len;

	return ASN1_INTEGER_get(body->version) == X509_VERSION_3 &&
	    X509_NAME_get0_der(body->subject, &der, &len) == 1 &&
	    !cw_bytes_equal(cw_bytes(der, len), issuer); /* self-issued */
}

/* RFC 5280 4.1.1.2: both name the same algorithm. */
static bool
is_signed(const struct cw_x509_leaf *leaf, X509 *issuer)
{
	const ASN1_OBJECT *oid;

	X509_ALGOR_get0(&oid, NULL, NULL, leaf->outer->algorithm);
	return X509_ALGOR_cmp(leaf->outer->algorithm, leaf->body->algorithm) ==
	    0 &&
	    cw_x509_algorithm_allowed(OBJ_obj2nid(oid)) &&
	    ASN1_item_verify(ASN1_ITEM_rptr(ASN1_ANY), leaf->outer->algorithm,
		leaf->outer->signature, leaf->outer->body,
		X509_get0_pubkey(issuer)) == 1;
}

bool
cw_x509_leaf_accept(const struct cw_x509_leaf *leaf, X509 *issuer, time_t now,
    struct cw_x509_span *span, struct cw_attestation *out)
{
	const X509_VAL *validity = leaf->body->validity;

	if (!body_is_usual(leaf->body) ||
	    !cw_x509_narrow(validity->notBefore, validity->notAfter, span) ||
	    now < span->from || now > span->to ||
	    !extensions_are_usual(leaf, issuer, out) ||
	    !cw_x509_spki_key(sequence(leaf->body->spki), &out->key) ||
	    cw_public_key_check(&out->key) != CW_OK ||
	    cw_key_type_info(out->key.type)->alg == CW_ALG_NONE ||
	    !is_signed(leaf, issuer))
		return false;
	cw_hash(leaf->der, out->leaf_hash);
	return true;
}
