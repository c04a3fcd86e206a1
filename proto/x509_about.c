/* SPDX-License-Identifier: Apache-2.0 */
/* Names, dates and uses of a certificate, for people. */
#include "proto/x509_about.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "proto/text.h"
#include "proto/x509_openssl.h"

/* The last one of its kind is the most specific; a part of it is nothing. */
static void
take_part(const X509_NAME *name, int nid, char out[CW_TEXT_MAX + 1])
{
	unsigned char *text = NULL;
	int at = -1;
	int len = -1;

	for (int i; (i = X509_NAME_get_index_by_NID(name, nid, at)) >= 0;)
		at = i;
	if (at >= 0)
		len = ASN1_STRING_to_UTF8(&text,
		    X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
	if (len > 0 && len <= CW_TEXT_MAX &&
	    cw_text_is_displayable(cw_bytes(text, (size_t)len)))
		memcpy(out, text, (size_t)len);
	OPENSSL_free(text);
}

static void
take_party(const X509_NAME *name, struct cw_cert_party *out)
{
	take_part(name, NID_commonName, out->name);
	take_part(name, NID_organizationName, out->organisation);
}

static unsigned
uses(X509 *cert)
{
	static const struct {
		uint32_t flag;
		unsigned use;
	} extended[] = {
		{ XKU_SSL_CLIENT, CW_CERT_USE_LOGIN },
		{ XKU_SMIME, CW_CERT_USE_MAIL },
		{ XKU_SSL_SERVER, CW_CERT_USE_SERVER },
		{ XKU_CODE_SIGN, CW_CERT_USE_CODE },
	};
	uint32_t flags = X509_get_extension_flags(cert);
	unsigned found = 0;

	if ((flags & EXFLAG_XKUSAGE) != 0)
		for (size_t i = 0; i < sizeof(extended) / sizeof(extended[0]);
		     i++)
			if ((X509_get_extended_key_usage(cert) &
				extended[i].flag) != 0)
				found |= extended[i].use;
	if ((flags & EXFLAG_KUSAGE) != 0 &&
	    (X509_get_key_usage(cert) & KU_NON_REPUDIATION) != 0)
		found |= CW_CERT_USE_SIGN;
	return found;
}

enum cw_err
cw_cert_about(struct cw_bytes der, struct cw_cert_about *out)
{
	X509 *cert = cw_x509_parse(der);
	struct cw_x509_span span = CW_X509_ALWAYS;

	memset(out, 0, sizeof(*out));
	if (cert == NULL ||
	    !cw_x509_narrow(X509_get0_notBefore(cert), X509_get0_notAfter(cert),
		&span) ||
	    span.to < span.from) {
		X509_free(cert);
		ERR_clear_error();
		return CW_ERR_BAD_CERTIFICATE;
	}
	out->not_before_s = (uint64_t)span.from;
	out->not_after_s = (uint64_t)span.to;
	take_party(X509_get_subject_name(cert), &out->subject);
	take_party(X509_get_issuer_name(cert), &out->issuer);
	out->uses = uses(cert);
	X509_free(cert);
	ERR_clear_error();
	return CW_OK;
}
