/* SPDX-License-Identifier: Apache-2.0 */
/* The offline statement: about a key, outside a session. */
#include "proto/held_key.h"

void
cw_offline_request_hash(struct cw_bytes subject,
    const struct cw_public_key *key, uint8_t out[CW_HASH_BYTES])
{
	struct cw_buf b;

	cw_buf_init(&b, 1024);
	cw_cbor_put_array(&b, 2);
	cw_cbor_put_tstr(&b, subject);
	cw_cose_key_put(&b, key);
	cw_hash(cw_buf_bytes(&b), out);
	cw_buf_wipe(&b);
}

enum cw_err
cw_offline_statement_make(const struct cw_offline_statement *s,
    const struct cw_private_key *attestation, struct cw_buf *out)
{
	struct cw_buf b;
	enum cw_err err;

	cw_buf_init(&b, CW_REQUEST_MAX);
	cw_cbor_put_array(&b, 4);
	cw_cbor_put_str(&b, "CW1 offline key");
	cw_cbor_put_bstr(&b, CW_BYTES_ARRAY(s->challenge));
	cw_cbor_put_bstr(&b, CW_BYTES_ARRAY(s->request));
	cw_attributes_put(&b, &s->attributes);
	err = b.err;
	if (err == CW_OK)
		err = cw_cose_sign1_make(attestation, CW_TYP_OFFLINE,
		    cw_buf_bytes(&b), out);
	cw_buf_wipe(&b);
	return err;
}

enum cw_err
cw_offline_statement_verify(struct cw_bytes in,
    const struct cw_public_key *attestation, struct cw_offline_statement *out)
{
	struct cw_cose_sign1 sign1;
	struct cw_cbor_reader r;
	enum cw_err err = cw_cose_sign1_decode(in, CW_TYP_OFFLINE, &sign1);

	memset(out, 0, sizeof(*out));
	if (err == CW_OK)
		err = cw_cose_sign1_verify(&sign1, attestation, CW_BYTES_NONE);
	if (err != CW_OK)
		return err;
	cw_cbor_init(&r, sign1.payload);
	cw_cbor_array(&r, 4, 4);
	cw_cbor_label(&r, "CW1 offline key");
	cw_cbor_bstr_into(&r, out->challenge, sizeof(out->challenge));
	cw_cbor_bstr_into(&r, out->request, sizeof(out->request));
	cw_attributes_get(&r, &out->attributes);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}
