/* SPDX-License-Identifier: Apache-2.0 */
/* Key and result statements. */
#include "proto/statement.h"

#include "proto/fields.h"

/* Signs a payload and wipes it. */
static enum cw_err
finish(struct cw_buf *payload, const char *typ,
    const struct cw_private_key *attestation, struct cw_buf *out)
{
	enum cw_err err = payload->err;

	if (err == CW_OK)
		err = cw_cose_sign1_make(attestation, typ,
		    cw_buf_bytes(payload), out);
	cw_buf_wipe(payload);
	return err;
}

/* Checks the signature (not if `attestation` is NULL) and gives a reader over
 * the payload. */
static enum cw_err
start(struct cw_bytes in, const char *typ,
    const struct cw_public_key *attestation, struct cw_cbor_reader *r)
{
	struct cw_cose_sign1 sign1;
	enum cw_err err = cw_cose_sign1_decode(in, typ, &sign1);

	if (err == CW_OK && attestation != NULL)
		err = cw_cose_sign1_verify(&sign1, attestation, CW_BYTES_NONE);
	if (err == CW_OK)
		cw_cbor_init(r, sign1.payload);
	return err;
}

enum cw_err
cw_key_statement_make(const struct cw_key_statement *s,
    const struct cw_private_key *attestation, struct cw_buf *out)
{
	struct cw_buf b;

	cw_buf_init(&b, CW_REQUEST_MAX);
	cw_cbor_put_array(&b, 8);
	cw_cbor_put_str(&b, "CW1 key");
	cw_cbor_put_bstr(&b, CW_BYTES_ARRAY(s->th));
	cw_cbor_put_bstr(&b, CW_BYTES_ARRAY(s->management_hash));
	cw_cbor_put_uint(&b, s->mode);
	cw_cbor_put_bstr(&b, CW_BYTES_ARRAY(s->leaf_hash));
	cw_cbor_put_uint(&b, s->key_id);
	cw_cose_key_put(&b, &s->key);
	cw_attributes_put(&b, &s->attributes);
	return finish(&b, CW_TYP_KEY, attestation, out);
}

static enum cw_err
read_key_statement(struct cw_bytes in, const struct cw_public_key *attestation,
    struct cw_key_statement *out)
{
	struct cw_cbor_reader r;
	enum cw_err err;

	memset(out, 0, sizeof(*out));
	err = start(in, CW_TYP_KEY, attestation, &r);
	if (err != CW_OK)
		return err;
	cw_cbor_array(&r, 8, 8);
	cw_cbor_label(&r, "CW1 key");
	cw_cbor_bstr_into(&r, out->th, sizeof(out->th));
	cw_cbor_bstr_into(&r, out->management_hash,
	    sizeof(out->management_hash));
	out->mode = cw_cbor_u32(&r, 1, CW_MODE_ANONYMOUS);
	cw_cbor_bstr_into(&r, out->leaf_hash, sizeof(out->leaf_hash));
	out->key_id = cw_cbor_u32(&r, 1, UINT32_MAX);
	cw_cose_key_get(&r, &out->key);
	cw_attributes_get(&r, &out->attributes);
	cw_cbor_array_end(&r);
	if (r.err == CW_OK && out->key.type != out->attributes.type)
		return CW_ERR_WRONG_STATEMENT;
	return cw_cbor_finish(&r);
}

enum cw_err
cw_key_statement_decode(struct cw_bytes in, struct cw_key_statement *out)
{
	return read_key_statement(in, NULL, out);
}

enum cw_err
cw_key_statement_verify(struct cw_bytes in,
    const struct cw_public_key *attestation, struct cw_key_statement *out)
{
	return read_key_statement(in, attestation, out);
}

enum cw_err
cw_result_statement_make(const struct cw_result_statement *s,
    const struct cw_private_key *attestation, struct cw_buf *out)
{
	struct cw_buf b;

	cw_buf_init(&b, CW_COMMAND_MAX);
	cw_cbor_put_array(&b, 6);
	cw_cbor_put_str(&b, "CW1 result");
	cw_cbor_put_bstr(&b, CW_BYTES_ARRAY(s->th));
	cw_cbor_put_bstr(&b, CW_BYTES_ARRAY(s->h_end));
	cw_cbor_put_bstr(&b, CW_BYTES_ARRAY(s->close_nonce));
	if (s->has_counter)
		cw_cbor_put_uint(&b, s->counter);
	else
		cw_cbor_put_null(&b);
	cw_cbor_put_array(&b, s->n_items);
	for (size_t i = 0; i < s->n_items; i++) {
		cw_cbor_put_array(&b, 3);
		cw_cbor_put_uint(&b, s->items[i].object_id);
		cw_cbor_put_uint(&b, s->items[i].done);
		cw_cbor_put_bstr(&b, CW_BYTES_ARRAY(s->items[i].hash));
	}
	return finish(&b, CW_TYP_RESULT, attestation, out);
}

static void
get_items(struct cw_cbor_reader *r, struct cw_result_statement *out)
{
	out->n_items = cw_cbor_array(r, 0, CW_DONE_MAX);
	for (size_t i = 0; i < out->n_items; i++) {
		struct cw_result_item *item = &out->items[i];

		cw_cbor_array(r, 3, 3);
		item->object_id = cw_cbor_u32(r, 1, UINT32_MAX);
		item->done = cw_cbor_u32(r, 1, CW_DONE_CLONED);
		cw_cbor_bstr_into(r, item->hash, sizeof(item->hash));
		cw_cbor_array_end(r);
	}
	cw_cbor_array_end(r);
}

static enum cw_err
read_result(struct cw_bytes payload, struct cw_result_statement *out)
{
	struct cw_cbor_reader r;

	/* Of 10 KiB of items only those that there are. */
	memset(out, 0, offsetof(struct cw_result_statement, items));
	cw_cbor_init(&r, payload);
	cw_cbor_array(&r, 6, 6);
	cw_cbor_label(&r, "CW1 result");
	cw_cbor_bstr_into(&r, out->th, sizeof(out->th));
	cw_cbor_bstr_into(&r, out->h_end, sizeof(out->h_end));
	cw_cbor_bstr_into(&r, out->close_nonce, sizeof(out->close_nonce));
	out->has_counter = !cw_cbor_is_null(&r);
	if (out->has_counter)
		out->counter = cw_cbor_uint(&r, 0, INT64_MAX);
	get_items(&r, out);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}

enum cw_err
cw_result_statement_read(struct cw_bytes in, struct cw_result_statement *out)
{
	struct cw_cose_sign1 sign1;
	enum cw_err err = cw_cose_sign1_decode(in, CW_TYP_RESULT, &sign1);

	return err != CW_OK ? err : read_result(sign1.payload, out);
}

enum cw_err
cw_result_statement_verify(struct cw_bytes in,
    const struct cw_public_key *attestation, struct cw_result_statement *out)
{
	struct cw_cbor_reader r;
	enum cw_err err = start(in, CW_TYP_RESULT, attestation, &r);

	return err != CW_OK ? err : read_result(r.in, out);
}

void
cw_certificates_hash(const struct cw_bytes *chain, size_t n,
    uint8_t out[CW_HASH_BYTES])
{
	struct cw_buf b;

	cw_buf_init(&b, CW_BODY_MAX * 4);
	cw_field_put_bstrs(&b, chain, n);
	cw_hash(cw_buf_bytes(&b), out);
	cw_buf_wipe(&b);
}
