/* SPDX-License-Identifier: Apache-2.0 */
/* COSE_Key, RFC 9052 7, RFC 9053 7 and RFC 8230 4, as narrow as session.cddl. */
#include "proto/cose.h"

#define LABEL_KTY 1
#define LABEL_CRV (-1)
#define LABEL_X (-2)
#define LABEL_Y (-3)
#define LABEL_N (-1) /* RFC 8230 4 */
#define LABEL_E (-2)

#define KTY_OKP 1
#define KTY_EC2 2
#define KTY_RSA 3

#define EXPONENT_MAX 32 /* FIPS 186-5 A.1.1: e < 2^256 */

struct shape {
	enum cw_key_type type;
	uint8_t kty;
	uint8_t crv;    /* RFC 9053 7.1; 0 for RSA */
	uint16_t x_len; /* coordinate or modulus */
};

static const struct shape shapes[] = {
	{ CW_KEY_P256, KTY_EC2, 1, 32 },
	{ CW_KEY_P384, KTY_EC2, 2, 48 },
	{ CW_KEY_X25519, KTY_OKP, 4, 32 },
	{ CW_KEY_ED25519, KTY_OKP, 6, 32 },
	{ CW_KEY_RSA2048, KTY_RSA, 0, 256 },
	{ CW_KEY_RSA3072, KTY_RSA, 0, 384 },
};

#define N_SHAPES (sizeof(shapes) / sizeof(shapes[0]))

static const struct shape *
shape_of_type(enum cw_key_type type)
{
	for (size_t i = 0; i < N_SHAPES; i++)
		if (shapes[i].type == type)
			return &shapes[i];
	return NULL;
}

/* By curve, or for RSA by the length of the modulus. */
static const struct shape *
shape_of(uint64_t kty, uint64_t crv, size_t x_len)
{
	for (size_t i = 0; i < N_SHAPES; i++)
		if (shapes[i].kty == kty && shapes[i].crv == crv &&
		    shapes[i].x_len == x_len)
			return &shapes[i];
	return NULL;
}

/* Not longer than the struct holds, and of the length that its type has. */
static bool
fits(const struct cw_public_key *key, const struct shape *s)
{
	if (s == NULL || key->x_len != s->x_len)
		return false;
	if (s->kty == KTY_RSA)
		return key->y_len > 0 && key->y_len <= EXPONENT_MAX;
	return key->y_len == (s->kty == KTY_EC2 ? s->x_len : 0);
}

void
cw_cose_key_put(struct cw_buf *b, const struct cw_public_key *key)
{
	const struct shape *s = shape_of_type(key->type);
	const struct cw_bytes x = cw_bytes(key->x, key->x_len);
	const struct cw_bytes y = cw_bytes(key->y, key->y_len);

	if (!fits(key, s)) {
		if (b->err == CW_OK)
			b->err = CW_ERR_BAD_KEY;
		return;
	}
	cw_cbor_put_map(b, s->kty == KTY_EC2 ? 4 : 3);
	cw_cbor_put_int(b, LABEL_KTY);
	cw_cbor_put_uint(b, s->kty);
	if (s->kty == KTY_RSA) {
		cw_cbor_put_int(b, LABEL_N);
		cw_cbor_put_bstr(b, x);
		cw_cbor_put_int(b, LABEL_E);
		cw_cbor_put_bstr(b, y);
		return;
	}
	cw_cbor_put_int(b, LABEL_CRV);
	cw_cbor_put_uint(b, s->crv);
	cw_cbor_put_int(b, LABEL_X);
	cw_cbor_put_bstr(b, x);
	if (s->kty == KTY_EC2) {
		cw_cbor_put_int(b, LABEL_Y);
		cw_cbor_put_bstr(b, y);
	}
}

/* The members behind kty, as far as the type has them. */
static void
get_members(struct cw_cbor_reader *r, uint64_t kty, uint64_t *crv,
    struct cw_bytes *x, struct cw_bytes *y)
{
	const size_t x_max = sizeof(((struct cw_public_key *)0)->x);
	const size_t y_max = sizeof(((struct cw_public_key *)0)->y);

	if (kty == KTY_RSA) {
		cw_cbor_key(r, LABEL_N);
		*x = cw_cbor_bstr(r, 1, x_max);
		cw_cbor_key(r, LABEL_E);
		*y = cw_cbor_bstr(r, 1, y_max);
		return;
	}
	cw_cbor_key(r, LABEL_CRV);
	*crv = cw_cbor_uint(r, 0, UINT64_MAX);
	cw_cbor_key(r, LABEL_X);
	*x = cw_cbor_bstr(r, 1, x_max);
	if (kty == KTY_EC2) {
		cw_cbor_key(r, LABEL_Y);
		*y = cw_cbor_bstr(r, 1, y_max);
	}
}

void
cw_cose_key_get(struct cw_cbor_reader *r, struct cw_public_key *key)
{
	const size_t pairs = cw_cbor_map(r, 4);
	const struct shape *s;
	struct cw_public_key got = { .x_len = 0 };
	struct cw_bytes x = CW_BYTES_NONE;
	struct cw_bytes y = CW_BYTES_NONE;
	uint64_t kty;
	uint64_t crv = 0;

	*key = got;
	cw_cbor_key(r, LABEL_KTY);
	kty = cw_cbor_uint(r, KTY_OKP, KTY_RSA);
	get_members(r, kty, &crv, &x, &y);
	cw_cbor_map_end(r);
	if (r->err != CW_OK)
		return;
	s = shape_of(kty, crv, x.len);
	got.x_len = (uint16_t)x.len;
	got.y_len = (uint16_t)y.len;
	/* A key has one encoding, or its hash would name it twice: no member
	 * more, and RSA numbers without leading zeros (RFC 8230 4). */
	if (!fits(&got, s) || pairs != (kty == KTY_EC2 ? 4U : 3U) ||
	    (kty == KTY_RSA && (x.ptr[0] < 0x80 || y.ptr[0] == 0))) {
		cw_cbor_fail(r, CW_ERR_BAD_KEY);
		return;
	}
	got.type = s->type;
	memcpy(got.x, x.ptr, x.len);
	if (y.len > 0)
		memcpy(got.y, y.ptr, y.len);
	*key = got;
}

void
cw_cose_key_hash(const struct cw_public_key *key, uint8_t out[CW_HASH_BYTES])
{
	/* A full buffer never grows, so this one stays on the stack. */
	uint8_t space[CW_RSA_MAX_BYTES + EXPONENT_MAX + 32];
	struct cw_buf b = {
		.ptr = space,
		.cap = sizeof(space),
		.max = sizeof(space),
	};

	cw_cose_key_put(&b, key);
	cw_hash(cw_buf_bytes(&b), out);
}
