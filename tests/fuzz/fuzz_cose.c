/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ: -max_len=4096
 * COSE decoders on any bytes. The first byte chooses one of four. What is
 * taken, put together again from its parts, is the same bytes.
 */
#include <stdlib.h>

#include "proto/cose.h"

#define TYP "a/b"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t aead_key[CW_AEAD_KEY_BYTES] = { 1 };
static const uint8_t nonce[CW_AEAD_NONCE_MAX] = { 2 };

static void
must(bool truth)
{
	if (!truth)
		abort();
}

static void
sign1(struct cw_bytes in)
{
	struct cw_public_key none = { .type = CW_KEY_ED25519, .x_len = 32 };
	struct cw_cose_sign1 s;
	struct cw_buf again;

	if (cw_cose_sign1_decode(in, TYP, &s) != CW_OK)
		return;
	must(cw_bytes_is(s.typ, TYP) && cw_alg_key_type(s.alg) != 0);
	must(cw_cose_sign1_verify(&s, &none, CW_BYTES_NONE) != CW_OK);
	cw_buf_init(&again, in.len + 16);
	cw_cbor_put_array(&again, 4);
	cw_cbor_put_bstr(&again, s.protected_header);
	cw_cbor_put_map(&again, 0);
	cw_cbor_put_bstr(&again, s.payload);
	cw_cbor_put_bstr(&again, s.signature);
	must(cw_bytes_equal(in, cw_buf_bytes(&again)));
	cw_buf_wipe(&again);
}

static void
key(struct cw_bytes in)
{
	struct cw_cbor_reader r;
	struct cw_public_key got;
	struct cw_buf again;
	uint8_t hash[CW_HASH_BYTES];

	cw_cbor_init(&r, in);
	cw_cose_key_get(&r, &got);
	if (cw_cbor_finish(&r) != CW_OK)
		return;
	cw_cose_key_hash(&got, hash);
	cw_buf_init(&again, in.len + 16);
	cw_cose_key_put(&again, &got);
	must(cw_bytes_equal(in, cw_buf_bytes(&again)));
	cw_buf_wipe(&again);
}

static void
encrypt0(struct cw_bytes in, enum cw_alg alg)
{
	struct cw_bytes n = cw_bytes(nonce, cw_aead_nonce_bytes(alg));
	struct cw_buf plain;
	struct cw_buf again;

	cw_buf_init(&plain, in.len + 16);
	cw_buf_init(&again, in.len + 16);
	if (cw_cose_encrypt0_open(alg, aead_key, n, CW_BYTES_NONE, in,
		&plain) == CW_OK) {
		must(cw_cose_encrypt0_seal(alg, aead_key, n, CW_BYTES_NONE,
			 cw_buf_bytes(&plain), &again) == CW_OK);
		must(cw_bytes_equal(in, cw_buf_bytes(&again)));
	}
	must(plain.len <= in.len);
	cw_buf_wipe(&plain);
	cw_buf_wipe(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_bytes in;

	if (size < 1)
		return 0;
	in = cw_bytes(data + 1, size - 1);
	switch (data[0] % 4) {
	case 0:
		sign1(in);
		break;
	case 1:
		key(in);
		break;
	case 2:
		encrypt0(in, CW_ALG_AES_CCM_16_128_256);
		break;
	default:
		encrypt0(in, CW_ALG_CHACHA20_POLY1305);
	}
	return 0;
}
