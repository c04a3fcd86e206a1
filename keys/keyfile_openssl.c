/* SPDX-License-Identifier: Apache-2.0 */
/* Private keys in PEM, by OpenSSL. OpenSSL wipes the buffers of its memory BIOs
 * and of its key structures when it frees them. */
#include "keys/keyfile.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/x509.h>

#include "proto/base/fdio.h"
#include "proto/pem.h"

/* RFC 7914: 16 MiB and about 50 ms on a desktop machine. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 1

static struct cw_bytes
bio_bytes(BIO *bio)
{
	char *ptr = NULL;
	long len = BIO_get_mem_data(bio, &ptr);

	return cw_bytes((const uint8_t *)ptr, len > 0 ? (size_t)len : 0);
}

static bool
write_encrypted(BIO *bio, PKCS8_PRIV_KEY_INFO *p8, struct cw_bytes passphrase)
{
	X509_ALGOR *pbe = PKCS5_pbe2_set_scrypt(EVP_aes_256_cbc(), NULL, 0,
	    NULL, SCRYPT_N, SCRYPT_R, SCRYPT_P);
	X509_SIG *sealed = NULL;
	bool ok;

	if (pbe != NULL)
		sealed = PKCS8_set0_pbe((const char *)passphrase.ptr,
		    (int)passphrase.len, p8, pbe);
	if (sealed == NULL)
		X509_ALGOR_free(pbe);
	ok = sealed != NULL && PEM_write_bio_PKCS8(bio, sealed) == 1;
	X509_SIG_free(sealed);
	return ok;
}

enum cw_err
cw_keyfile_store(const char *path, const struct cw_private_key *key,
    struct cw_bytes passphrase)
{
	PKCS8_PRIV_KEY_INFO *p8 = NULL;
	BIO *bio = BIO_new(BIO_s_mem());
	const uint8_t *at;
	struct cw_buf der;
	enum cw_err err;
	bool ok;

	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	err = bio == NULL ? CW_ERR_NO_MEMORY : cw_key_export(key, &der);
	if (err != CW_OK)
		goto out;
	at = der.ptr;
	p8 = d2i_PKCS8_PRIV_KEY_INFO(NULL, &at, (long)der.len);
	ok = p8 != NULL &&
	    (passphrase.len == 0 ?
		    PEM_write_bio_PKCS8_PRIV_KEY_INFO(bio, p8) == 1 :
		    write_encrypted(bio, p8, passphrase));
	err = ok ? cw_newfile_store(path, bio_bytes(bio), 0600) :
		   CW_ERR_CRYPTO_FAILED;
out:
	PKCS8_PRIV_KEY_INFO_free(p8);
	BIO_free(bio);
	cw_buf_wipe(&der);
	ERR_clear_error();
	return err;
}

struct question {
	struct cw_passphrase *passphrase;
	const char *path;
	enum cw_err err;
};

/* OpenSSL's callback: only called for an encrypted key. */
static int
answer(char *out, int size, int writing, void *ctx)
{
	struct question *q = ctx;
	struct cw_bytes text;

	(void)writing;
	if (q->passphrase == NULL) {
		q->err = CW_ERR_BAD_PRIVATE_KEY;
		return -1;
	}
	q->err = cw_passphrase_get(q->passphrase, q->path, false, &text);
	if (q->err != CW_OK || text.len > (size_t)size)
		return -1;
	memcpy(out, text.ptr, text.len);
	return (int)text.len;
}

static enum cw_err
import(EVP_PKEY *pkey, struct cw_private_key **out)
{
	PKCS8_PRIV_KEY_INFO *p8 = EVP_PKEY2PKCS8(pkey);
	uint8_t *der = NULL;
	int len = p8 == NULL ? -1 : i2d_PKCS8_PRIV_KEY_INFO(p8, &der);
	enum cw_err err = CW_ERR_BAD_PRIVATE_KEY;

	if (len > 0) {
		err = cw_key_import(cw_bytes(der, (size_t)len), out);
		OPENSSL_clear_free(der, (size_t)len);
	}
	PKCS8_PRIV_KEY_INFO_free(p8);
	return err;
}

enum cw_err
cw_keyfile_load(const char *path, struct cw_passphrase *passphrase,
    struct cw_private_key **out)
{
	struct question q = { passphrase, path, CW_OK };
	EVP_PKEY *pkey = NULL;
	BIO *bio = NULL;
	struct cw_buf pem;
	enum cw_err err;

	*out = NULL;
	cw_buf_init(&pem, 65536);
	err = cw_file_load_own(path, &pem);
	if (err == CW_OK) {
		bio = BIO_new_mem_buf(pem.ptr, (int)pem.len);
		pkey = PEM_read_bio_PrivateKey(bio, NULL, answer, &q);
		err = q.err;
	}
	if (err == CW_OK)
		err = pkey == NULL ? CW_ERR_BAD_PRIVATE_KEY : import(pkey, out);
	EVP_PKEY_free(pkey);
	BIO_free(bio);
	cw_buf_wipe(&pem);
	ERR_clear_error();
	return err;
}

enum cw_err
cw_certfile_store(const char *path, const struct cw_bytes *chain, size_t n)
{
	struct cw_buf text;
	enum cw_err err;

	cw_buf_init(&text,
	    n * 2 * CW_CERT_MAX_BYTES); /* base64 and two lines */
	for (size_t i = 0; i < n; i++)
		cw_pem_put(&text, PEM_STRING_X509, chain[i]);
	err = text.err;
	if (err == CW_OK)
		err = cw_newfile_store(path, cw_buf_bytes(&text), 0644);
	cw_buf_wipe(&text);
	return err;
}
