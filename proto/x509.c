/* SPDX-License-Identifier: Apache-2.0 */
/* Single certificates: keys, names, PEM. Chains are in x509_chain.c. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include "proto/x509.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
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
	if (cert != NULL && at != der.ptr + der.len) {
		X509_free(cert);
		cert = NULL;
	}
	return cert;
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

	if (rsa == NULL)
		return CW_ERR_BAD_KEY;
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

enum cw_err
cw_cert_subject(struct cw_bytes der, char *out, size_t size)
{
	X509 *cert = cw_x509_parse(der);
	BIO *bio = BIO_new(BIO_s_mem());
	enum cw_err err = CW_ERR_BAD_CERTIFICATE;
	int n = -1;

	if (cert != NULL && bio != NULL &&
	    X509_NAME_print_ex(bio, X509_get_subject_name(cert), 0,
		XN_FLAG_RFC2253 & ~(unsigned long)ASN1_STRFLGS_ESC_MSB) >= 0)
		n = BIO_read(bio, out, (int)size - 1);
	if (n >= 0) {
		out[n] = '\0';
		err = CW_OK;
	}
	BIO_free(bio);
	X509_free(cert);
	return err;
}

static enum cw_err
spki_of(EVP_PKEY *pkey, struct cw_buf *out)
{
	int len = i2d_PUBKEY(pkey, NULL);
	uint8_t *at = len <= 0 ? NULL : cw_buf_extend(out, (size_t)len);

	if (at == NULL)
		return out->err != CW_OK ? out->err : CW_ERR_CRYPTO_FAILED;
	i2d_PUBKEY(pkey, &at);
	return CW_OK;
}

static EVP_PKEY *
ec_pkey(const struct cw_public_key *key)
{
	EVP_PKEY *pkey = EVP_PKEY_new();
	EC_KEY *ec = EC_KEY_new_by_curve_name(
	    key->type == CW_KEY_P384 ? NID_secp384r1 : NID_X9_62_prime256v1);
	uint8_t point[1 + 2 * 48] = { 0x04 };
	size_t n = key->x_len;

	memcpy(point + 1, key->x, n);
	memcpy(point + 1 + n, key->y, n);
	if (pkey != NULL && ec != NULL &&
	    EC_KEY_oct2key(ec, point, 1 + 2 * n, NULL) == 1 &&
	    EVP_PKEY_assign_EC_KEY(pkey, ec) == 1)
		return pkey;
	EC_KEY_free(ec);
	EVP_PKEY_free(pkey);
	return NULL;
}

static EVP_PKEY *
rsa_pkey(const struct cw_public_key *key)
{
	EVP_PKEY *pkey = EVP_PKEY_new();
	RSA *rsa = RSA_new();
	BIGNUM *n = BN_bin2bn(key->x, key->x_len, NULL);
	BIGNUM *e = BN_bin2bn(key->y, key->y_len, NULL);

	if (pkey != NULL && rsa != NULL && n != NULL && e != NULL &&
	    RSA_set0_key(rsa, n, e, NULL) == 1 &&
	    EVP_PKEY_assign_RSA(pkey, rsa) == 1)
		return pkey;
	if (rsa == NULL || RSA_get0_n(rsa) == NULL) {
		BN_free(n);
		BN_free(e);
	}
	RSA_free(rsa);
	EVP_PKEY_free(pkey);
	return NULL;
}

enum cw_err
cw_public_key_spki(const struct cw_public_key *key, struct cw_buf *out)
{
	EVP_PKEY *pkey = NULL;
	enum cw_err err = cw_public_key_check(key);

	if (err != CW_OK)
		return err;
	switch (key->type) {
	case CW_KEY_P256:
	case CW_KEY_P384:
		pkey = ec_pkey(key);
		break;
	case CW_KEY_RSA2048:
	case CW_KEY_RSA3072:
		pkey = rsa_pkey(key);
		break;
	case CW_KEY_ED25519:
	case CW_KEY_X25519:
		pkey = EVP_PKEY_new_raw_public_key(key->type == CW_KEY_ED25519 ?
			EVP_PKEY_ED25519 :
			EVP_PKEY_X25519,
		    NULL, key->x, 32);
		break;
	default:
		break;
	}
	err = pkey == NULL ? CW_ERR_CRYPTO_FAILED : spki_of(pkey, out);
	EVP_PKEY_free(pkey);
	return err;
}

enum cw_err
cw_pem_certificates(const char *path,
    enum cw_err (*each)(void *ctx, struct cw_bytes der), void *ctx)
{
	BIO *bio = BIO_new_file(path, "r");
	enum cw_err err = CW_OK;
	size_t n = 0;
	X509 *cert;

	if (bio == NULL)
		return CW_ERR_NO_FILE;
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
	BIO_free(bio);
	return err == CW_OK && n == 0 ? CW_ERR_BAD_CERTIFICATE : err;
}
