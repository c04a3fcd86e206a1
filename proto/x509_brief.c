/* SPDX-License-Identifier: Apache-2.0 */
/* Names, number and end of a certificate. */
#include "proto/x509_brief.h"

#include <openssl/bio.h>
#include <openssl/err.h>

#include "proto/text.h"
#include "proto/x509_openssl.h"

static enum cw_err
take_name(const X509_NAME *name, char out[CW_BRIEF_NAME_MAX + 1])
{
	BIO *bio = BIO_new(BIO_s_mem());
	enum cw_err err = CW_ERR_BAD_CERTIFICATE;
	char *text;

	if (bio != NULL && name != NULL &&
	    X509_NAME_print_ex(bio, name, 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0) {
		long len = BIO_get_mem_data(bio, &text);

		err = len > CW_BRIEF_NAME_MAX ? CW_ERR_TOO_LARGE : CW_OK;
		if (err == CW_OK) {
			memcpy(out, text, (size_t)len);
			out[len] = '\0';
			if (!cw_text_is_displayable(cw_bytes_str(out)))
				err = CW_ERR_BAD_CERTIFICATE;
		}
	}
	BIO_free(bio);
	return err;
}

static enum cw_err
take_end(const X509 *cert, uint64_t *out)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days = -1;
	int seconds = -1;
	bool ok = epoch != NULL &&
	    ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(cert)) ==
		1 &&
	    days >= 0 && seconds >= 0;

	ASN1_TIME_free(epoch);
	*out = ok ? (uint64_t)days * 86400 + (uint64_t)seconds : 0;
	return ok ? CW_OK : CW_ERR_BAD_CERTIFICATE;
}

enum cw_err
cw_cert_brief_read(struct cw_bytes der, struct cw_cert_brief *out)
{
	X509 *cert = cw_x509_parse(der);
	enum cw_err err = CW_ERR_BAD_CERTIFICATE;

	memset(out, 0, sizeof(*out));
	if (cert != NULL)
		err = take_name(X509_get_subject_name(cert), out->subject);
	if (err == CW_OK)
		err = take_name(X509_get_issuer_name(cert), out->issuer);
	if (err == CW_OK)
		err = take_end(cert, &out->not_after_s);
	if (err == CW_OK)
		err = cw_cert_serial(der, out->serial, &out->serial_len);
	X509_free(cert);
	ERR_clear_error();
	if (err != CW_OK)
		memset(out, 0, sizeof(*out));
	return err;
}
