/* SPDX-License-Identifier: Apache-2.0 */
/* PEM, by OpenSSL. */
#include "proto/pem.h"

#include <limits.h>

#include <openssl/err.h>
#include <openssl/pem.h>

void
cw_pem_put(struct cw_buf *out, const char *label, struct cw_bytes der)
{
	BIO *bio = BIO_new(BIO_s_mem());
	char *text = NULL;
	long len = 0;

	if (bio != NULL && der.len <= LONG_MAX &&
	    PEM_write_bio(bio, label, "", der.ptr, (long)der.len) > 0)
		len = BIO_get_mem_data(bio, &text);
	if (len > 0)
		cw_buf_put(out, cw_bytes((const uint8_t *)text, (size_t)len));
	else if (out->err == CW_OK)
		out->err = CW_ERR_NO_MEMORY;
	BIO_free(bio);
	ERR_clear_error();
}

enum cw_err
cw_pem_get(struct cw_bytes text, const char *label, struct cw_buf *der)
{
	BIO *bio = text.len > INT_MAX ?
	    NULL :
	    BIO_new_mem_buf(text.ptr, (int)text.len);
	enum cw_err err = bio == NULL ? CW_ERR_NO_MEMORY : CW_ERR_MALFORMED;
	char *name, *header;
	uint8_t *bytes;
	long len;

	while (err == CW_ERR_MALFORMED &&
	    PEM_read_bio(bio, &name, &header, &bytes, &len) == 1) {
		if (strcmp(name, label) == 0) {
			cw_buf_put(der, cw_bytes(bytes, (size_t)len));
			err = der->err;
		}
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(bytes);
	}
	BIO_free(bio);
	ERR_clear_error();
	return err;
}
