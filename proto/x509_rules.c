/* SPDX-License-Identifier: Apache-2.0 */
/* What this project asks of certificates beyond X509_verify_cert. */
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/x509v3.h>

#include "proto/cbor.h"
#include "proto/text.h"
#include "proto/x509_openssl.h"

#define UNUSABLE (EXFLAG_INVALID | EXFLAG_CRITICAL)

bool
cw_x509_algorithm_allowed(int nid)
{
	static const int allowed[] = {
		NID_ecdsa_with_SHA256,
		NID_ecdsa_with_SHA384,
		NID_ED25519,
		NID_sha256WithRSAEncryption,
		NID_sha384WithRSAEncryption,
	};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		if (allowed[i] == nid)
			return true;
	return false;
}

/* RFC 5280 4.2.1.9, 4.2.1.3; 6.1.4 (k) to (o). 4.2.1.3 wants keyUsage in every
 * CA, 6.1.4 (n) takes those without: real devices' are (YubiKeys' F9). */
bool
cw_x509_may_issue(X509 *cert, bool needs_usage)
{
	uint32_t flags = X509_get_extension_flags(cert);

	return X509_get_version(cert) == X509_VERSION_3 &&
	    (flags & UNUSABLE) == 0 && (flags & EXFLAG_CA) != 0 &&
	    (!needs_usage || (flags & EXFLAG_KUSAGE) != 0) &&
	    (X509_get_key_usage(cert) & KU_KEY_CERT_SIGN) != 0;
}

bool
cw_x509_is_oid(const ASN1_OBJECT *oid, const char *dotted)
{
	ASN1_OBJECT *wanted = OBJ_txt2obj(dotted, 1);
	bool same = wanted != NULL && OBJ_cmp(oid, wanted) == 0;

	ASN1_OBJECT_free(wanted);
	return same;
}

static bool
has_eku(X509 *cert, const char *dotted)
{
	EXTENDED_KEY_USAGE *eku =
	    X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	bool found = false;

	for (int i = 0; i < sk_ASN1_OBJECT_num(eku); i++)
		found |= cw_x509_is_oid(sk_ASN1_OBJECT_value(eku, i), dotted);
	EXTENDED_KEY_USAGE_free(eku);
	return found;
}

bool
cw_x509_leaf_usable(X509 *leaf, const char *eku)
{
	uint32_t flags = X509_get_extension_flags(leaf);

	if (X509_get_version(leaf) != X509_VERSION_3 ||
	    (flags & (UNUSABLE | EXFLAG_CA)) != 0)
		return false;
	return eku == NULL ||
	    ((flags & EXFLAG_KUSAGE) != 0 &&
		(X509_get_key_usage(leaf) & KU_DIGITAL_SIGNATURE) != 0 &&
		has_eku(leaf, eku));
}

bool
cw_x509_restricts_below(X509 *cert)
{
	return X509_get_ext_by_NID(cert, NID_name_constraints, -1) >= 0 ||
	    X509_get_ext_by_NID(cert, NID_sbgp_ipAddrBlock, -1) >= 0 ||
	    X509_get_ext_by_NID(cert, NID_sbgp_autonomousSysNum, -1) >= 0;
}

static enum cw_err
read_attestation(struct cw_bytes cbor, struct cw_attestation *out)
{
	struct cw_cbor_reader r;
	struct cw_bytes model;

	cw_cbor_init(&r, cbor);
	cw_cbor_map(&r, 8);
	cw_cbor_key(&r, 0);
	out->kind = cw_cbor_u32(&r, CW_ATTESTATION_CARD, CW_ATTESTATION_BATCH);
	cw_cbor_key(&r, 1);
	model = cw_cbor_tstr(&r, 1, sizeof(out->model) - 1);
	cw_cbor_map_end(&r);
	if (cw_cbor_finish(&r) != CW_OK || !cw_text_is_displayable(model))
		return CW_ERR_BAD_CONSTRAINTS;
	memcpy(out->model, model.ptr, model.len);
	out->model[model.len] = '\0';
	return CW_OK;
}

/* An OCTET STRING is all of the extension's value. */
enum cw_err
cw_x509_attestation_value(struct cw_bytes value, struct cw_attestation *out)
{
	const uint8_t *p = value.ptr;
	ASN1_OCTET_STRING *inner =
	    d2i_ASN1_OCTET_STRING(NULL, &p, (long)value.len);
	enum cw_err err = CW_ERR_BAD_CONSTRAINTS;

	if (inner != NULL && p == value.ptr + value.len)
		err = read_attestation(cw_bytes(ASN1_STRING_get0_data(inner),
					   (size_t)ASN1_STRING_length(inner)),
		    out);
	ASN1_OCTET_STRING_free(inner);
	return err;
}

/* An extension may be there only once (RFC 5280 4.2). */
enum cw_err
cw_x509_attestation(X509 *leaf, struct cw_attestation *out)
{
	ASN1_OBJECT *oid = OBJ_txt2obj(CW_OID_ATTESTATION, 1);
	int at = oid == NULL ? -1 : X509_get_ext_by_OBJ(leaf, oid, -1);
	bool once = at >= 0 && X509_get_ext_by_OBJ(leaf, oid, at) < 0;
	const ASN1_OCTET_STRING *value;

	ASN1_OBJECT_free(oid);
	if (!once)
		return CW_ERR_BAD_CONSTRAINTS;
	value = X509_EXTENSION_get_data(X509_get_ext(leaf, at));
	return cw_x509_attestation_value(cw_bytes(ASN1_STRING_get0_data(value),
					     (size_t)ASN1_STRING_length(value)),
	    out);
}

static bool
to_time(const ASN1_TIME *t, time_t *out)
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) != 1)
		return false;
	*out = timegm(&tm);
	return true;
}

void
cw_x509_span_narrow(struct cw_x509_span *span, time_t from, time_t to)
{
	span->from = from > span->from ? from : span->from;
	span->to = to < span->to ? to : span->to;
}

bool
cw_x509_narrow(const ASN1_TIME *from, const ASN1_TIME *to,
    struct cw_x509_span *span)
{
	time_t a;
	time_t b;

	if (!to_time(from, &a) || !to_time(to, &b))
		return false;
	cw_x509_span_narrow(span, a, b);
	return true;
}
