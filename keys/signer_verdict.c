/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict's form, for the store and for the way back to the signer. */
#include "keys/signer.h"
#include "proto/fields.h"

void
cw_verdict_encode(const struct cw_verdict *v, struct cw_buf *out)
{
	cw_cbor_put_array(out, 6);
	cw_cbor_put_uint(out, v->attestation.kind);
	cw_cbor_put_str(out, v->attestation.model);
	cw_cose_key_put(out, &v->attestation.key);
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(v->attestation.leaf_hash));
	if (v->has_pseudonym)
		cw_cbor_put_bstr(out, CW_BYTES_ARRAY(v->pseudonym));
	else
		cw_cbor_put_null(out);
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(v->tag));
}

enum cw_err
cw_verdict_decode(struct cw_bytes in, struct cw_verdict *out)
{
	struct cw_cbor_reader r;
	struct cw_bytes model;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_array(&r, 6, 6);
	out->attestation.kind =
	    cw_cbor_u32(&r, CW_ATTESTATION_CARD, CW_ATTESTATION_BATCH);
	model = cw_field_text(&r);
	cw_cose_key_get(&r, &out->attestation.key);
	cw_cbor_bstr_into(&r, out->attestation.leaf_hash, CW_HASH_BYTES);
	out->has_pseudonym = !cw_cbor_is_null(&r);
	if (out->has_pseudonym)
		cw_cbor_bstr_into(&r, out->pseudonym, CW_HASH_BYTES);
	cw_cbor_bstr_into(&r, out->tag, sizeof(out->tag));
	cw_cbor_array_end(&r);
	if (r.err == CW_OK)
		memcpy(out->attestation.model, model.ptr, model.len);
	return cw_cbor_finish(&r);
}
