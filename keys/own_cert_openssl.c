/* SPDX-License-Identifier: Apache-2.0 */
/* The issuer's own certificates. */
#include "keys/own_cert.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <time.h>

static bool
get_time(const ASN1_TIME *asn1, uint64_t *out)
{
	struct tm tm;
	time_t t;

	if (ASN1_TIME_to_tm(asn1, &tm) != 1)
		return false;
	t = timegm(&tm);
	*out = t < 0 ? 0 : (uint64_t)t;
	return true;
}

static bool
narrow(const X509 *cert, struct cw_own_window *w)
{
	uint64_t from, to;

	if (!get_time(X509_get0_notBefore(cert), &from) ||
	    !get_time(X509_get0_notAfter(cert), &to))
		return false;
	if (from > w->from_s)
		w->from_s = from;
	if (to < w->to_s)
		w->to_s = to;
	return true;
}

/* OpenSSL says every usage where the extension is missing. */
static bool
has_usage(X509 *cert, uint32_t usage)
{
	return (X509_get_extension_flags(cert) & EXFLAG_KUSAGE) != 0 &&
	    (X509_get_key_usage(cert) & usage) != 0;
}

static bool
has_eku(const X509 *cert, const char *oid)
{
	EXTENDED_KEY_USAGE *eku =
	    X509_get_ext_d2i(cert, NID_ext_key_usage, NULL, NULL);
	ASN1_OBJECT *want = OBJ_txt2obj(oid, 1);
	bool found = false;

	for (int i = 0; want != NULL && i < sk_ASN1_OBJECT_num(eku); i++)
		if (OBJ_cmp(sk_ASN1_OBJECT_value(eku, i), want) == 0)
			found = true;
	ASN1_OBJECT_free(want);
	EXTENDED_KEY_USAGE_free(eku);
	return found;
}

static bool
is_fit(X509 *cert, const char *eku)
{
	uint32_t flags = X509_get_extension_flags(cert);
	bool is_ca = (flags & EXFLAG_CA) != 0;

	if (X509_get_version(cert) != X509_VERSION_3 ||
	    (flags & (EXFLAG_INVALID | EXFLAG_CRITICAL)) != 0)
		return false;
	if (eku == NULL)
		return is_ca && has_usage(cert, KU_KEY_CERT_SIGN);
	return !is_ca && has_usage(cert, KU_DIGITAL_SIGNATURE) &&
	    has_eku(cert, eku);
}

static bool
is_signed_by(X509 *cert, X509 *issuer)
{
	EVP_PKEY *key = X509_get0_pubkey(issuer);

	return key != NULL &&
	    X509_NAME_cmp(X509_get_issuer_name(cert),
		X509_get_subject_name(issuer)) == 0 &&
	    X509_verify(cert, key) == 1;
}

enum cw_err
cw_own_cert_check(const struct cw_bytes *chain, size_t n, const char *eku,
    struct cw_own_window *window)
{
	X509 *below = NULL, *cert = NULL;
	enum cw_err err = n == 0 ? CW_ERR_BAD_CERTIFICATE : CW_OK;

	*window = (struct cw_own_window){ 0, UINT64_MAX };
	for (size_t i = 0; err == CW_OK && i < n; i++) {
		const uint8_t *der = chain[i].ptr;

		cert = d2i_X509(NULL, &der, (long)chain[i].len);
		if (cert == NULL || !narrow(cert, window))
			err = CW_ERR_BAD_CERTIFICATE;
		else if (!is_fit(cert, i == 0 ? eku : NULL))
			err = CW_ERR_BAD_CONSTRAINTS;
		else if (below != NULL && !is_signed_by(below, cert))
			err = CW_ERR_UNTRUSTED_CHAIN;
		X509_free(below);
		below = cert;
		cert = NULL;
	}
	X509_free(below);
	ERR_clear_error();
	return err;
}

bool
cw_own_window_has(const struct cw_own_window *window, uint64_t now_s)
{
	return now_s >= window->from_s && now_s <= window->to_s;
}
