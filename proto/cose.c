/* SPDX-License-Identifier: Apache-2.0 */
/*
 * COSE_Sign1 and COSE_Encrypt0. Both decoders take exactly the headers of
 * session.cddl and no other, so a header that this code does not understand,
 * critical (RFC 9052 3.1) or not, is never passed over.
 */
#include "proto/cose.h"

#define LABEL_ALG 1  /* RFC 9052 3.1 */
#define LABEL_TYP 16 /* RFC 9596 2 */

#define HEADS_MAX 64 /* what a structure adds to its parts */

/* Enough for what most messages have; the rest grows out of it. */
#define USUAL_AAD 192
#define USUAL_TBS 768

/* Opens the array and says BAD_COSE when it is not one of `n` items. */
static void
open_array(struct cw_cbor_reader *r, size_t n)
{
	if (cw_cbor_array(r, 0, SIZE_MAX) != n)
		cw_cbor_fail(r, CW_ERR_BAD_COSE);
}

/* A map of exactly `n` pairs, BAD_COSE otherwise. */
static void
open_map(struct cw_cbor_reader *r, size_t n)
{
	if (cw_cbor_map(r, SIZE_MAX) != n)
		cw_cbor_fail(r, CW_ERR_BAD_COSE);
}

/* ---- COSE_Sign1 ---- */

void
cw_cose_sig_structure(struct cw_bytes protected_header,
    struct cw_bytes external_aad, struct cw_bytes payload, struct cw_buf *out)
{
	cw_cbor_put_array(out, 4);
	cw_cbor_put_str(out, "Signature1");
	cw_cbor_put_bstr(out, protected_header);
	cw_cbor_put_bstr(out, external_aad);
	cw_cbor_put_bstr(out, payload);
}

/* protected = { 1: alg, 16: typ } */
static enum cw_err
sign1_header(struct cw_cose_sign1 *s, const char *typ)
{
	struct cw_cbor_reader r;
	int64_t alg;

	cw_cbor_init(&r, s->protected_header);
	open_map(&r, 2);
	cw_cbor_key(&r, LABEL_ALG);
	alg = cw_cbor_int(&r, INT64_MIN, INT64_MAX);
	if (cw_alg_key_type(alg) == 0)
		cw_cbor_fail(&r, CW_ERR_UNKNOWN_ALGORITHM);
	cw_cbor_key(&r, LABEL_TYP);
	s->alg = (enum cw_alg)alg;
	s->typ = cw_cbor_tstr(&r, 0, SIZE_MAX);
	if (!cw_bytes_is(s->typ, typ))
		cw_cbor_fail(&r, CW_ERR_WRONG_LABEL);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

enum cw_err
cw_cose_sign1_decode(struct cw_bytes in, const char *typ,
    struct cw_cose_sign1 *out)
{
	struct cw_cbor_reader r;
	enum cw_err err;

	cw_cbor_init(&r, in);
	open_array(&r, 4);
	out->protected_header = cw_cbor_bstr(&r, 0, SIZE_MAX);
	open_map(&r, 0);
	cw_cbor_map_end(&r);
	out->payload = cw_cbor_bstr(&r, 0, SIZE_MAX);
	out->signature = cw_cbor_bstr(&r, 0, CW_SIGNATURE_MAX);
	cw_cbor_array_end(&r);
	err = cw_cbor_finish(&r);
	if (err == CW_OK)
		err = sign1_header(out, typ);
	if (err != CW_OK)
		*out = (struct cw_cose_sign1){ 0 };
	return err;
}

enum cw_err
cw_cose_sign1_verify(const struct cw_cose_sign1 *sign1,
    const struct cw_public_key *key, struct cw_bytes external_aad)
{
	const enum cw_key_type type = cw_alg_key_type(sign1->alg);
	uint8_t memory[USUAL_TBS];
	struct cw_buf tbs;
	enum cw_err err;

	/* RFC 9864 2.1: the algorithm says which curve, so the key must agree. */
	if (type == 0 || key->type != type)
		return CW_ERR_BAD_KEY;
	cw_buf_init_on(&tbs,
	    HEADS_MAX + sign1->protected_header.len + external_aad.len +
		sign1->payload.len,
	    memory, sizeof(memory));
	cw_cose_sig_structure(sign1->protected_header, external_aad,
	    sign1->payload, &tbs);
	err = tbs.err;
	if (err == CW_OK)
		err = cw_verify(key, cw_buf_bytes(&tbs), sign1->signature);
	cw_buf_wipe(&tbs);
	return err;
}

/* Appends the signature of a key over the Sig_structure. */
static enum cw_err
sign_structure(const struct cw_private_key *key, struct cw_bytes header,
    struct cw_bytes payload, struct cw_buf *signature)
{
	uint8_t memory[USUAL_TBS];
	struct cw_buf tbs;
	enum cw_err err;

	cw_buf_init_on(&tbs, HEADS_MAX + header.len + payload.len, memory,
	    sizeof(memory));
	cw_cose_sig_structure(header, CW_BYTES_NONE, payload, &tbs);
	err = tbs.err;
	if (err == CW_OK)
		err = cw_sign(key, cw_buf_bytes(&tbs), signature);
	cw_buf_wipe(&tbs);
	return err;
}

enum cw_err
cw_cose_sign1_make(const struct cw_private_key *key, const char *typ,
    struct cw_bytes payload, struct cw_buf *out)
{
	struct cw_public_key public_key;
	const struct cw_key_type_info *info;
	uint8_t memory[2][HEADS_MAX * 2];
	struct cw_buf header;
	struct cw_buf signature;
	enum cw_err err;

	cw_key_public(key, &public_key);
	info = cw_key_type_info((uint64_t)public_key.type);
	if (info == NULL || info->alg == CW_ALG_NONE)
		return CW_ERR_UNKNOWN_ALGORITHM;
	cw_buf_init_on(&header, HEADS_MAX + strlen(typ), memory[0],
	    sizeof(memory[0]));
	cw_buf_init_on(&signature, CW_SIGNATURE_MAX, memory[1],
	    sizeof(memory[1]));
	cw_cbor_put_map(&header, 2);
	cw_cbor_put_int(&header, LABEL_ALG);
	cw_cbor_put_int(&header, info->alg);
	cw_cbor_put_int(&header, LABEL_TYP);
	cw_cbor_put_str(&header, typ);
	err = header.err;
	if (err == CW_OK)
		err = sign_structure(key, cw_buf_bytes(&header), payload,
		    &signature);
	if (err == CW_OK) {
		cw_cbor_put_array(out, 4);
		cw_cbor_put_bstr(out, cw_buf_bytes(&header));
		cw_cbor_put_map(out, 0);
		cw_cbor_put_bstr(out, payload);
		cw_cbor_put_bstr(out, cw_buf_bytes(&signature));
		err = out->err;
	}
	cw_buf_wipe(&header);
	cw_buf_wipe(&signature);
	return err;
}

/* ---- COSE_Encrypt0 ---- */

void
cw_cose_enc_structure(struct cw_bytes protected_header,
    struct cw_bytes external_aad, struct cw_buf *out)
{
	cw_cbor_put_array(out, 3);
	cw_cbor_put_str(out, "Encrypt0");
	cw_cbor_put_bstr(out, protected_header);
	cw_cbor_put_bstr(out, external_aad);
}

/* The bytes of { 1: alg }, the only protected header there is. */
static void
encrypt0_header(enum cw_alg alg, struct cw_buf *out)
{
	cw_cbor_put_map(out, 1);
	cw_cbor_put_int(out, LABEL_ALG);
	cw_cbor_put_int(out, alg);
}

enum cw_err
cw_cose_encrypt0_seal(enum cw_alg alg, const uint8_t key[CW_AEAD_KEY_BYTES],
    struct cw_bytes nonce, struct cw_bytes external_aad, struct cw_bytes plain,
    struct cw_buf *out)
{
	const size_t before = out->len;
	uint8_t memory[HEADS_MAX + USUAL_AAD];
	struct cw_buf header;
	struct cw_buf aad;
	enum cw_err err;

	if (cw_aead_nonce_bytes(alg) == 0)
		return CW_ERR_UNKNOWN_ALGORITHM;
	cw_buf_init_on(&header, HEADS_MAX, memory, HEADS_MAX);
	encrypt0_header(alg, &header);
	cw_buf_init_on(&aad, HEADS_MAX + header.len + external_aad.len,
	    memory + HEADS_MAX, USUAL_AAD);
	cw_cose_enc_structure(cw_buf_bytes(&header), external_aad, &aad);
	cw_cbor_put_array(out, 3);
	cw_cbor_put_bstr(out, cw_buf_bytes(&header));
	cw_cbor_put_map(out, 0);
	cw_cbor_put_bstr_head(out, plain.len + CW_AEAD_TAG_BYTES);
	err = header.err != CW_OK ? header.err : aad.err;
	if (err == CW_OK)
		err = out->err;
	if (err == CW_OK)
		err = cw_aead_seal(alg, key, nonce, cw_buf_bytes(&aad), plain,
		    out);
	if (err != CW_OK)
		cw_buf_truncate(out, before);
	cw_buf_wipe(&header);
	cw_buf_wipe(&aad);
	return err;
}

/* Splits [protected, {}, ciphertext]; protected must be { 1: alg }. */
static enum cw_err
encrypt0_decode(enum cw_alg alg, struct cw_bytes in, struct cw_bytes *header,
    struct cw_bytes *ciphertext)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, in);
	open_array(&r, 3);
	*header = cw_cbor_bstr(&r, 0, SIZE_MAX);
	open_map(&r, 0);
	cw_cbor_map_end(&r);
	*ciphertext = cw_cbor_bstr(&r, 0, SIZE_MAX);
	cw_cbor_array_end(&r);
	if (cw_cbor_finish(&r) != CW_OK)
		return r.err;

	cw_cbor_init(&r, *header);
	open_map(&r, 1);
	cw_cbor_key(&r, LABEL_ALG);
	if (cw_cbor_int(&r, INT64_MIN, INT64_MAX) != alg)
		cw_cbor_fail(&r, CW_ERR_BAD_COSE);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

enum cw_err
cw_cose_encrypt0_open(enum cw_alg alg, const uint8_t key[CW_AEAD_KEY_BYTES],
    struct cw_bytes nonce, struct cw_bytes external_aad, struct cw_bytes in,
    struct cw_buf *plain)
{
	struct cw_bytes header;
	struct cw_bytes ciphertext;
	uint8_t memory[USUAL_AAD];
	struct cw_buf aad;
	enum cw_err err = encrypt0_decode(alg, in, &header, &ciphertext);

	if (err != CW_OK)
		return err;
	cw_buf_init_on(&aad, HEADS_MAX + header.len + external_aad.len, memory,
	    sizeof(memory));
	cw_cose_enc_structure(header, external_aad, &aad);
	err = aad.err;
	if (err == CW_OK)
		err = cw_aead_open(alg, key, nonce, cw_buf_bytes(&aad),
		    ciphertext, plain);
	cw_buf_wipe(&aad);
	return err;
}
