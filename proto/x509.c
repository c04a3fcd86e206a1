/* SPDX-License-Identifier: Apache-2.0 */
/* Single certificates: keys, names, PEM. Chains are in x509_chain.c. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "proto/x509.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "proto/x509_openssl.h"

X509 *
cw_x509_parse(struct cw_bytes der)
{
	const uint8_t *at = der.ptr;
	X509 *cert;

	if (der.len == 0 || der.len > CW_CERT_MAX_BYTES)
		return NULL;
	cert = d2i_X509(NULL, &at, (long)der.len);
	if (cert != NULL && at == der.ptr + der.len)
		return cert;
	X509_free(cert);
	ERR_clear_error();
	return NULL;
}

/* Raw key bits, without OpenSSL's key objects: cheap, and the same for all. */
static enum cw_err
point_key(const uint8_t *bits, size_t len, enum cw_key_type type, size_t n,
    struct cw_public_key *out)
{
	if (len != 1 + 2 * n || bits[0] != 0x04)
		return CW_ERR_BAD_KEY;
	out->type = type;
	out->x_len = (uint16_t)n;
	out->y_len = (uint16_t)n;
	memcpy(out->x, bits + 1, n);
	memcpy(out->y, bits + 1 + n, n);
	return CW_OK;
}

static enum cw_err
raw_key(const uint8_t *bits, size_t len, enum cw_key_type type,
    struct cw_public_key *out)
{
	if (len != 32)
		return CW_ERR_BAD_KEY;
	out->type = type;
	out->x_len = 32;
	memcpy(out->x, bits, len);
	return CW_OK;
}

static enum cw_err
rsa_key(const uint8_t *bits, size_t len, struct cw_public_key *out)
{
	RSA *rsa = d2i_RSAPublicKey(NULL, &bits, (long)len);
	enum cw_err err = CW_ERR_UNKNOWN_ALGORITHM;

	if (rsa == NULL) {
		ERR_clear_error();
		return CW_ERR_BAD_KEY;
	}
	if ((RSA_bits(rsa) == 2048 || RSA_bits(rsa) == 3072) &&
	    BN_num_bytes(RSA_get0_e(rsa)) <= 8) {
		out->type =
		    RSA_bits(rsa) == 3072 ? CW_KEY_RSA3072 : CW_KEY_RSA2048;
		out->x_len = (uint16_t)BN_bn2bin(RSA_get0_n(rsa), out->x);
		out->y_len = (uint16_t)BN_bn2bin(RSA_get0_e(rsa), out->y);
		err = CW_OK;
	}
	RSA_free(rsa);
	return err;
}

static enum cw_err
ec_key(const X509_ALGOR *alg, const uint8_t *bits, size_t len,
    struct cw_public_key *out)
{
	const void *curve = NULL;
	int kind;

	X509_ALGOR_get0(NULL, &kind, &curve, alg);
	if (kind != V_ASN1_OBJECT)
		return CW_ERR_UNKNOWN_ALGORITHM;
	switch (OBJ_obj2nid(curve)) {
	case NID_X9_62_prime256v1:
		return point_key(bits, len, CW_KEY_P256, 32, out);
	case NID_secp384r1:
		return point_key(bits, len, CW_KEY_P384, 48, out);
	default:
		return CW_ERR_UNKNOWN_ALGORITHM;
	}
}

enum cw_err
cw_x509_public_key(const X509 *cert, struct cw_public_key *out)
{
	ASN1_OBJECT *oid;
	const uint8_t *bits;
	int len;
	X509_ALGOR *alg;

	memset(out, 0, sizeof(*out));
	if (X509_PUBKEY_get0_param(&oid, &bits, &len, &alg,
		X509_get_X509_PUBKEY(cert)) != 1 ||
	    len <= 0)
		return CW_ERR_BAD_CERTIFICATE;
	switch (OBJ_obj2nid(oid)) {
	case NID_X9_62_id_ecPublicKey:
		return ec_key(alg, bits, (size_t)len, out);
	case NID_rsaEncryption:
		return rsa_key(bits, (size_t)len, out);
	case NID_ED25519:
		return raw_key(bits, (size_t)len, CW_KEY_ED25519, out);
	case NID_X25519:
		return raw_key(bits, (size_t)len, CW_KEY_X25519, out);
	default:
		return CW_ERR_UNKNOWN_ALGORITHM;
	}
}

enum cw_err
cw_cert_public_key(struct cw_bytes der, struct cw_public_key *out)
{
	X509 *cert = cw_x509_parse(der);
	enum cw_err err = CW_ERR_BAD_CERTIFICATE;

	memset(out, 0, sizeof(*out));
	if (cert != NULL)
		err = cw_x509_public_key(cert, out);
	if (err == CW_OK)
		err = cw_public_key_check(out);
	if (err != CW_OK)
		memset(out, 0, sizeof(*out));
	X509_free(cert);
	return err;
}

enum cw_err
cw_cert_serial(struct cw_bytes der, uint8_t serial[CW_SERIAL_MAX], size_t *len)
{
	X509 *cert = cw_x509_parse(der);
	const ASN1_INTEGER *n;
	enum cw_err err = CW_ERR_BAD_CERTIFICATE;

	if (cert == NULL)
		return err;
	n = X509_get0_serialNumber(cert);
	if (n->length > 0 && n->length <= CW_SERIAL_MAX &&
	    n->type == V_ASN1_INTEGER) {
		memcpy(serial, n->data, (size_t)n->length);
		*len = (size_t)n->length;
		err = CW_OK;
	}
	X509_free(cert);
	return err;
}

/* The text in the buffer; part of a name would be another name. */
static enum cw_err
take_text(BIO *bio, char *out, size_t size)
{
	const char *text;
	long len = BIO_get_mem_data(bio, &text);

	if (len < 0 || (size_t)len >= size)
		return CW_ERR_TOO_LARGE;
	if (len > 0)
		memcpy(out, text, (size_t)len);
	out[len] = '\0';
	return CW_OK;
}

enum cw_err
cw_cert_subject(struct cw_bytes der, char *out, size_t size)
{
	X509 *cert = cw_x509_parse(der);
	BIO *bio = BIO_new(BIO_s_mem());
	enum cw_err err = CW_ERR_BAD_CERTIFICATE;

	out[0] = '\0';
	if (cert != NULL && bio != NULL &&
	    X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
		err = take_text(bio, out, size);
	BIO_free(bio);
	X509_free(cert);
	ERR_clear_error();
	return err;
}

/* DER up to the key's bits: those of a curve have one size, so the head is
 * always the same (RFC 5480 2, RFC 8410 4). OpenSSL takes 27 us for it. */
static const struct spki_head {
	enum cw_key_type type;
	uint8_t len;
	uint8_t bytes[27];
} spki_heads[] = {
	{ CW_KEY_P256, 27,
	    { 0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
		0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03,
		0x01, 0x07, 0x03, 0x42, 0x00, 0x04 } },
	{ CW_KEY_P384, 24,
	    { 0x30, 0x76, 0x30, 0x10, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
		0x02, 0x01, 0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22, 0x03,
		0x62, 0x00, 0x04 } },
	{ CW_KEY_ED25519, 12,
	    { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21,
		0x00 } },
	{ CW_KEY_X25519, 12,
	    { 0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x6e, 0x03, 0x21,
		0x00 } },
};

bool
cw_x509_spki_key(struct cw_bytes spki, struct cw_public_key *out)
{
	for (size_t i = 0; i < sizeof(spki_heads) / sizeof(spki_heads[0]);
	     i++) {
		const struct spki_head *head = &spki_heads[i];
		const struct cw_key_type_info *info =
		    cw_key_type_info(head->type);

		if (spki.len != (size_t)head->len + info->x_len + info->y_len ||
		    memcmp(spki.ptr, head->bytes, head->len) != 0)
			continue;
		memset(out, 0, sizeof(*out));
		out->type = head->type;
		out->x_len = info->x_len;
		out->y_len = info->y_len;
		memcpy(out->x, spki.ptr + head->len, info->x_len);
		memcpy(out->y, spki.ptr + head->len + info->x_len, info->y_len);
		return true;
	}
	return false;
}

static enum cw_err
rsa_spki(const struct cw_public_key *key, struct cw_buf *out)
{
	RSA *rsa = RSA_new();
	BIGNUM *n = BN_bin2bn(key->x, key->x_len, NULL);
	BIGNUM *e = BN_bin2bn(key->y, key->y_len, NULL);
	uint8_t *at = NULL;
	int len = -1;

	if (rsa != NULL && n != NULL && e != NULL &&
	    RSA_set0_key(rsa, n, e, NULL) == 1) {
		n = NULL;
		e = NULL;
		len = i2d_RSA_PUBKEY(rsa, NULL);
	}
	if (len > 0)
		at = cw_buf_extend(out, (size_t)len);
	if (at != NULL)
		i2d_RSA_PUBKEY(rsa, &at);
	BN_free(n);
	BN_free(e);
	RSA_free(rsa);
	if (at != NULL)
		return CW_OK;
	ERR_clear_error();
	return out->err != CW_OK ? out->err : CW_ERR_CRYPTO_FAILED;
}

enum cw_err
cw_public_key_spki(const struct cw_public_key *key, struct cw_buf *out)
{
	enum cw_err err = cw_public_key_check(key);

	if (err != CW_OK)
		return err;
	for (size_t i = 0; i < sizeof(spki_heads) / sizeof(spki_heads[0]);
	     i++) {
		const struct spki_head *head = &spki_heads[i];

		if (head->type != key->type)
			continue;
		cw_buf_put(out, cw_bytes(head->bytes, head->len));
		cw_buf_put(out, cw_bytes(key->x, key->x_len));
		cw_buf_put(out, cw_bytes(key->y, key->y_len));
		return out->err;
	}
	return rsa_spki(key, out);
}

/* Whether the PEM reader stopped because nothing more is there. */
static bool
pem_ended(void)
{
	unsigned long e = ERR_peek_last_error();

	return ERR_GET_LIB(e) == ERR_LIB_PEM &&
	    ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

enum cw_err
cw_pem_certificates(const char *path,
    enum cw_err (*each)(void *ctx, struct cw_bytes der), void *ctx)
{
	BIO *bio = BIO_new_file(path, "r");
	enum cw_err err = CW_OK;
	size_t n = 0;
	X509 *cert;

	if (bio == NULL) {
		ERR_clear_error();
		return CW_ERR_NO_FILE;
	}
	while (err == CW_OK &&
	    (cert = PEM_read_bio_X509(bio, NULL, NULL, NULL)) != NULL) {
		uint8_t *der = NULL;
		int len = i2d_X509(cert, &der);

		err = len <= 0 ? CW_ERR_BAD_CERTIFICATE :
				 each(ctx, cw_bytes(der, (size_t)len));
		OPENSSL_free(der);
		X509_free(cert);
		n++;
	}
	if (err == CW_OK && (n == 0 || !pem_ended()))
		err = CW_ERR_BAD_CERTIFICATE;
	ERR_clear_error();
	BIO_free(bio);
	return err;
}
