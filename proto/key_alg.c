/* SPDX-License-Identifier: Apache-2.0 */
/* The table of algorithms of keys. */
#include "proto/key_alg.h"

#define TYPE(t) (1u << (t))
#define RSA (TYPE(CW_KEY_RSA2048) | TYPE(CW_KEY_RSA3072))
#define SIGNS (CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE)

static const struct row {
	int32_t alg;
	unsigned types; /* TYPE bits */
	unsigned usage; /* one of these allows it */
	unsigned operations;
} rows[] = {
	{ CW_ALG_ESP256, TYPE(CW_KEY_P256), SIGNS, TYPE(CW_OP_SIGN) },
	{ CW_ALG_ESP384, TYPE(CW_KEY_P384), SIGNS, TYPE(CW_OP_SIGN) },
	{ CW_ALG_ED25519, TYPE(CW_KEY_ED25519), SIGNS, TYPE(CW_OP_SIGN) },
	{ CW_ALG_RS256, RSA, SIGNS, TYPE(CW_OP_SIGN) },
	{ CW_ALG_RS384, RSA, SIGNS, TYPE(CW_OP_SIGN) },
	{ CW_ALG_RS512, RSA, SIGNS, TYPE(CW_OP_SIGN) },
	{ CW_ALG_PS256, RSA, SIGNS, TYPE(CW_OP_SIGN) },
	{ CW_ALG_PS384, RSA, SIGNS, TYPE(CW_OP_SIGN) },
	{ CW_ALG_PS512, RSA, SIGNS, TYPE(CW_OP_SIGN) },
	{ CW_ALG_RSA_OAEP_SHA1, RSA, CW_USAGE_DECRYPT, TYPE(CW_OP_DECRYPT) },
	{ CW_ALG_RSA_OAEP_SHA256, RSA, CW_USAGE_DECRYPT, TYPE(CW_OP_DECRYPT) },
	{ CW_ALG_RAW_AGREEMENT,
	    TYPE(CW_KEY_P256) | TYPE(CW_KEY_P384) | TYPE(CW_KEY_X25519),
	    CW_USAGE_AGREE, TYPE(CW_OP_AGREE) },
	{ CW_ALG_HMAC_256, TYPE(CW_KEY_SECRET), CW_USAGE_MAC, TYPE(CW_OP_MAC) },
	{ CW_ALG_AES_CCM_16_128_256, TYPE(CW_KEY_SECRET), CW_USAGE_ENCRYPT,
	    TYPE(CW_OP_ENCRYPT) | TYPE(CW_OP_DECRYPT) },
	{ CW_ALG_CHACHA20_POLY1305, TYPE(CW_KEY_SECRET), CW_USAGE_ENCRYPT,
	    TYPE(CW_OP_ENCRYPT) | TYPE(CW_OP_DECRYPT) },
};

static const struct row *
find(int32_t alg, enum cw_key_type type)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].alg == alg && (rows[i].types & TYPE(type)) != 0)
			return &rows[i];
	return NULL;
}

bool
cw_key_alg_fits(int32_t alg, enum cw_key_type type, unsigned usage)
{
	const struct row *row = find(alg, type);

	return row != NULL && (row->usage & usage) != 0;
}

static bool
is_endorsed(const struct cw_attributes *a, int32_t alg)
{
	for (size_t i = 0; i < a->n_algorithms; i++)
		if (a->algorithms[i] == alg)
			return true;
	return a->n_algorithms == 0;
}

enum cw_err
cw_key_alg_check(const struct cw_attributes *a, enum cw_key_operation operation,
    int32_t alg)
{
	const struct row *row = find(alg, a->type);

	if (row == NULL || (row->operations & TYPE(operation)) == 0 ||
	    !is_endorsed(a, alg))
		return CW_ERR_UNKNOWN_ALGORITHM;
	return (row->usage & a->usage) != 0 ? CW_OK : CW_ERR_BAD_USAGE;
}
