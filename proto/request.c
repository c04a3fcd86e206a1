/* SPDX-License-Identifier: Apache-2.0 */
/* Message 3: the session request. */
#include "proto/request.h"

static void
encode_payload(const struct cw_request *q, const struct cw_public_key *own,
    struct cw_buf *b)
{
	cw_cbor_put_array(b, 17);
	cw_cbor_put_str(b, "CW1 request");
	cw_cbor_put_uint(b, CW_VERSION);
	cw_cbor_put_uint(b, q->suite->id);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(q->session_id));
	cw_cbor_put_tstr(b, q->uri);
	cw_cose_key_put(b, &q->issuer_ephemeral);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(q->card_nonce));
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(q->caps_hash));
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(q->intent_hash));
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(q->grant_hash));
	cw_scope_put(b, &q->scope);
	cw_cbor_put_uint(b, q->mode);
	cw_cbor_put_uint(b, q->time_s);
	cw_cbor_put_uint(b, q->lifetime_s);
	cw_cbor_put_uint(b, q->command_limit);
	cw_cose_key_put(b, own);
	cw_cbor_put_array(b, q->n_endorsements);
	for (size_t i = 0; i < q->n_endorsements; i++)
		cw_cbor_put_bstr(b, q->endorsements[i]);
}

enum cw_err
cw_request_make(const struct cw_request *request,
    const struct cw_private_key *management, struct cw_buf *out)
{
	struct cw_public_key own;
	struct cw_buf payload;
	enum cw_err err;

	cw_key_public(management, &own);
	cw_buf_init(&payload, CW_REQUEST_MAX);
	encode_payload(request, &own, &payload);
	err = payload.err;
	if (err == CW_OK)
		err = cw_cose_sign1_make(management, CW_TYP_REQUEST,
		    cw_buf_bytes(&payload), out);
	cw_buf_wipe(&payload);
	return err;
}

/* version and suite come first, so that a newer request is refused by name. */
static void
get_head(struct cw_cbor_reader *r, struct cw_request *q)
{
	cw_cbor_array(r, 17, 17);
	cw_cbor_label(r, "CW1 request");
	if (cw_cbor_uint(r, 0, UINT32_MAX) != CW_VERSION)
		cw_cbor_fail(r, CW_ERR_BAD_VERSION);
	q->suite = cw_suite_find(cw_cbor_uint(r, 0, UINT32_MAX));
	if (q->suite == NULL)
		cw_cbor_fail(r, CW_ERR_BAD_SUITE);
}

static enum cw_err
decode_payload(struct cw_bytes in, struct cw_request *q)
{
	struct cw_cbor_reader r;

	memset(q, 0, sizeof(*q));
	cw_cbor_init(&r, in);
	get_head(&r, q);
	cw_cbor_bstr_into(&r, q->session_id, sizeof(q->session_id));
	q->uri = cw_cbor_tstr(&r, 1, CW_URI_MAX);
	cw_cose_key_get(&r, &q->issuer_ephemeral);
	cw_cbor_bstr_into(&r, q->card_nonce, sizeof(q->card_nonce));
	cw_cbor_bstr_into(&r, q->caps_hash, sizeof(q->caps_hash));
	cw_cbor_bstr_into(&r, q->intent_hash, sizeof(q->intent_hash));
	cw_cbor_bstr_into(&r, q->grant_hash, sizeof(q->grant_hash));
	cw_scope_get(&r, &q->scope);
	q->mode = cw_cbor_u32(&r, 1, CW_MODE_ANONYMOUS);
	q->time_s = cw_cbor_uint(&r, 0, INT64_MAX);
	q->lifetime_s = cw_cbor_uint(&r, 1, CW_LIFETIME_MAX_S);
	q->command_limit = cw_cbor_u32(&r, 1, CW_COMMANDS_MAX);
	cw_cose_key_get(&r, &q->management_key);
	q->n_endorsements = cw_cbor_array(&r, 0, CW_ENDORSEMENTS_MAX);
	for (size_t i = 0; i < q->n_endorsements; i++)
		q->endorsements[i] = cw_cbor_bstr(&r, 1, CW_REQUEST_MAX);
	cw_cbor_array_end(&r);
	cw_cbor_array_end(&r);
	if (r.err == CW_OK && q->issuer_ephemeral.type != q->suite->agreement)
		return CW_ERR_BAD_KEY;
	return cw_cbor_finish(&r);
}

enum cw_err
cw_request_decode(struct cw_bytes in, struct cw_request *out)
{
	struct cw_cose_sign1 sign1;
	enum cw_err err = in.len > CW_REQUEST_MAX ? CW_ERR_TOO_LARGE : CW_OK;

	if (err == CW_OK)
		err = cw_cose_sign1_decode(in, CW_TYP_REQUEST, &sign1);
	return err != CW_OK ? err : decode_payload(sign1.payload, out);
}

enum cw_err
cw_request_verify(struct cw_bytes in, struct cw_request *out)
{
	struct cw_cose_sign1 sign1;
	enum cw_err err = in.len > CW_REQUEST_MAX ? CW_ERR_TOO_LARGE : CW_OK;

	if (err == CW_OK)
		err = cw_cose_sign1_decode(in, CW_TYP_REQUEST, &sign1);
	if (err == CW_OK)
		err = decode_payload(sign1.payload, out);
	if (err == CW_OK)
		err = cw_cose_sign1_verify(&sign1, &out->management_key,
		    CW_BYTES_NONE);
	return err;
}
