/* SPDX-License-Identifier: Apache-2.0 */
/* Public keys and signatures in the forms of X.509, without OpenSSL's key
 * objects, which cost more than a signature. */
#include "keys/issue_parts.h"

#include <openssl/asn1t.h>
#include <openssl/x509.h>

/* RFC 8017 A.1.1; OpenSSL's macros want a type name. */
typedef struct cw_rsa_bits {
	ASN1_INTEGER *n, *e;
} cw_rsa_bits;

/* clang-format off */
ASN1_SEQUENCE(cw_rsa_bits) = {
	ASN1_SIMPLE(cw_rsa_bits, n, ASN1_INTEGER),
	ASN1_SIMPLE(cw_rsa_bits, e, ASN1_INTEGER),
} static_ASN1_SEQUENCE_END(cw_rsa_bits)
/* clang-format on */

struct algorithm {
	enum cw_key_type type;
	int key_nid; /* RFC 5480, 8410, 3279 */
	int param;   /* V_ASN1_… */
	int curve_nid;
	int signature_nid; /* 0: signs no certificate */
};

static const struct algorithm algorithms[] = {
	{ CW_KEY_P256, NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT,
	    NID_X9_62_prime256v1, NID_ecdsa_with_SHA256 },
	{ CW_KEY_P384, NID_X9_62_id_ecPublicKey, V_ASN1_OBJECT, NID_secp384r1,
	    NID_ecdsa_with_SHA384 },
	{ CW_KEY_RSA2048, NID_rsaEncryption, V_ASN1_NULL, 0, 0 },
	{ CW_KEY_RSA3072, NID_rsaEncryption, V_ASN1_NULL, 0, 0 },
	{ CW_KEY_ED25519, NID_ED25519, V_ASN1_UNDEF, 0, NID_ED25519 },
	{ CW_KEY_X25519, NID_X25519, V_ASN1_UNDEF, 0, 0 },
};

static const struct algorithm *
find(enum cw_key_type type)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(algorithms[0]); i++)
		if (algorithms[i].type == type)
			return &algorithms[i];
	return NULL;
}

static enum cw_err
put_algorithm(int nid, int param, void *value, struct cw_buf *out)
{
	X509_ALGOR *alg = X509_ALGOR_new();
	enum cw_err err = CW_ERR_NO_MEMORY;
	uint8_t *at;
	int len;

	if (alg != NULL &&
	    X509_ALGOR_set0(alg, OBJ_nid2obj(nid), param, value) == 1) {
		len = i2d_X509_ALGOR(alg, NULL);
		at = len <= 0 ? NULL : cw_buf_extend(out, (size_t)len);
		if (at != NULL) {
			i2d_X509_ALGOR(alg, &at);
			err = CW_OK;
		}
	}
	X509_ALGOR_free(alg);
	return err;
}

enum cw_err
cw_issue_key_algorithm(enum cw_key_type type, struct cw_buf *out)
{
	const struct algorithm *a = find(type);

	if (a == NULL)
		return CW_ERR_UNKNOWN_ALGORITHM;
	return put_algorithm(a->key_nid, a->param,
	    a->curve_nid == 0 ? NULL : OBJ_nid2obj(a->curve_nid), out);
}

enum cw_err
cw_issue_signature_algorithm(enum cw_key_type type, struct cw_buf *out)
{
	const struct algorithm *a = find(type);

	if (a == NULL || a->signature_nid == 0)
		return CW_ERR_UNKNOWN_ALGORITHM;
	/* RFC 5758 3.2, RFC 8410 3: parameters are absent */
	return put_algorithm(a->signature_nid, V_ASN1_UNDEF, NULL, out);
}

static enum cw_err
rsa_bits(const struct cw_public_key *key, struct cw_buf *out)
{
	const ASN1_ITEM *item = ASN1_ITEM_rptr(cw_rsa_bits);
	cw_rsa_bits *bits = (cw_rsa_bits *)ASN1_item_new(item);
	enum cw_err err = CW_ERR_NO_MEMORY;
	uint8_t *at;
	int len;

	if (bits == NULL)
		return CW_ERR_NO_MEMORY;
	if (ASN1_STRING_set(bits->n, key->x, key->x_len) == 1 &&
	    ASN1_STRING_set(bits->e, key->y, key->y_len) == 1) {
		len = ASN1_item_i2d((ASN1_VALUE *)bits, NULL, item);
		at = len <= 0 ? NULL : cw_buf_extend(out, (size_t)len);
		if (at != NULL) {
			ASN1_item_i2d((ASN1_VALUE *)bits, &at, item);
			err = CW_OK;
		}
	}
	ASN1_item_free((ASN1_VALUE *)bits, item);
	return err;
}

enum cw_err
cw_issue_key_bits(const struct cw_public_key *key, struct cw_buf *out)
{
	const struct algorithm *a = find(key->type);

	if (a == NULL)
		return CW_ERR_BAD_KEY;
	if (a->key_nid == NID_rsaEncryption)
		return rsa_bits(key, out);
	if (a->curve_nid != 0)
		cw_buf_put_u8(out, POINT_CONVERSION_UNCOMPRESSED);
	cw_buf_put(out, cw_bytes(key->x, key->x_len));
	if (a->curve_nid != 0)
		cw_buf_put(out, cw_bytes(key->y, key->y_len));
	return out->err;
}

enum cw_err
cw_issue_signature(enum cw_key_type type, struct cw_bytes cose,
    struct cw_buf *out)
{
	if (type == CW_KEY_ED25519)
		cw_buf_put(out, cose);
	else
		cw_ecdsa_der_put(out, cose);
	return out->err;
}
