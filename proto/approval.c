/* SPDX-License-Identifier: Apache-2.0 */
/* Approvals. */
#include "proto/approval.h"

#define PAYLOAD_MAX 128

enum cw_err
cw_approval_make(const struct cw_approval *approval,
    const struct cw_private_key *operator_key, struct cw_buf *out)
{
	struct cw_buf payload;
	enum cw_err err;

	cw_buf_init(&payload, PAYLOAD_MAX);
	cw_cbor_put_array(&payload, 4);
	cw_cbor_put_str(&payload, "CW1 approval");
	cw_cbor_put_bstr(&payload, CW_BYTES_ARRAY(approval->statement_hash));
	cw_cbor_put_bool(&payload, approval->is_approved);
	cw_cbor_put_uint(&payload, approval->time_s);
	err = payload.err;
	if (err == CW_OK)
		err = cw_cose_sign1_make(operator_key, CW_TYP_APPROVAL,
		    cw_buf_bytes(&payload), out);
	cw_buf_wipe(&payload);
	return err;
}

enum cw_err
cw_approval_verify(struct cw_bytes in, const struct cw_public_key *operator_key,
    struct cw_approval *out)
{
	struct cw_cose_sign1 sign1;
	struct cw_cbor_reader r;
	enum cw_err err = in.len > CW_APPROVAL_MAX ?
	    CW_ERR_TOO_LARGE :
	    cw_cose_sign1_decode(in, CW_TYP_APPROVAL, &sign1);

	memset(out, 0, sizeof(*out));
	if (err == CW_OK)
		err = cw_cose_sign1_verify(&sign1, operator_key, CW_BYTES_NONE);
	if (err != CW_OK)
		return err;
	cw_cbor_init(&r, sign1.payload);
	cw_cbor_array(&r, 4, 4);
	cw_cbor_label(&r, "CW1 approval");
	cw_cbor_bstr_into(&r, out->statement_hash, sizeof(out->statement_hash));
	out->is_approved = cw_cbor_bool(&r);
	out->time_s = cw_cbor_uint(&r, 0, INT64_MAX);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}

unsigned
cw_approvals_count(const struct cw_bytes *approvals, size_t n,
    const struct cw_public_key *operators, size_t n_operators,
    struct cw_bytes key_statement)
{
	uint8_t hash[CW_HASH_BYTES];
	unsigned count = 0;

	cw_hash(key_statement, hash);
	for (size_t o = 0; o < n_operators; o++) {
		bool found = false;

		for (size_t i = 0; i < o && !found; i++)
			found = memcmp(&operators[i], &operators[o],
				    sizeof(operators[o])) == 0;
		if (found)
			continue;
		for (size_t i = 0; i < n && !found; i++) {
			struct cw_approval a;

			found = cw_approval_verify(approvals[i], &operators[o],
				    &a) == CW_OK &&
			    a.is_approved &&
			    memcmp(a.statement_hash, hash, sizeof(hash)) == 0;
		}
		count += found;
	}
	return count;
}
