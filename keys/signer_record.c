/* SPDX-License-Identifier: Apache-2.0 */
/* Records of the signer's log. */
#include "keys/signer_record.h"

#include "proto/cbor.h"

static const size_t items[] = {
	[CW_RECORD_START] = 5,
	[CW_RECORD_CERTIFIED] = 9,
	[CW_RECORD_REVOKED] = 5,
	[CW_RECORD_REQUESTED] = 5,
	[CW_RECORD_DONE] = 5,
};

bool
cw_reason_is_valid(uint64_t reason)
{
	return reason <= 10 && reason != 7 && reason != 8;
}

void
cw_record_encode(const struct cw_record *r, struct cw_buf *out)
{
	cw_cbor_put_array(out, items[r->kind]);
	cw_cbor_put_uint(out, r->kind);
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(r->previous));
	cw_cbor_put_uint(out, r->time_s);
	if (r->kind == CW_RECORD_START) {
		cw_cbor_put_bstr(out, CW_BYTES_ARRAY(r->management));
		cw_cbor_put_bstr(out, CW_BYTES_ARRAY(r->ca));
		return;
	}
	if (r->kind == CW_RECORD_REVOKED) {
		cw_cbor_put_bstr(out, CW_BYTES_ARRAY(r->serial));
		cw_cbor_put_uint(out, r->reason);
		return;
	}
	if (r->kind == CW_RECORD_REQUESTED || r->kind == CW_RECORD_DONE) {
		cw_cbor_put_bstr(out, CW_BYTES_ARRAY(r->grant));
		cw_cbor_put_bstr(out,
		    r->kind == CW_RECORD_DONE ? CW_BYTES_ARRAY(r->th) :
						CW_BYTES_ARRAY(r->nonce));
		return;
	}
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(r->th));
	cw_cbor_put_uint(out, r->key_id);
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(r->grant));
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(r->request));
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(r->serial));
	cw_cbor_put_bstr(out, r->certificate);
}

static void
get_certified(struct cw_cbor_reader *r, struct cw_record *out)
{
	cw_cbor_bstr_into(r, out->th, sizeof(out->th));
	out->key_id = cw_cbor_u32(r, 1, UINT32_MAX);
	cw_cbor_bstr_into(r, out->grant, sizeof(out->grant));
	cw_cbor_bstr_into(r, out->request, sizeof(out->request));
	cw_cbor_bstr_into(r, out->serial, sizeof(out->serial));
	out->certificate = cw_cbor_bstr(r, 1, CW_CERT_MAX_BYTES);
}

enum cw_err
cw_record_decode(struct cw_bytes in, struct cw_record *out)
{
	struct cw_cbor_reader r;
	size_t n;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	n = cw_cbor_array(&r, 5, 9);
	out->kind = cw_cbor_u32(&r, CW_RECORD_START, CW_RECORD_DONE);
	if (r.err == CW_OK && n != items[out->kind])
		cw_cbor_fail(&r, CW_ERR_OUT_OF_RANGE);
	cw_cbor_bstr_into(&r, out->previous, sizeof(out->previous));
	out->time_s = cw_cbor_uint(&r, 0, INT64_MAX);
	if (out->kind == CW_RECORD_START) {
		cw_cbor_bstr_into(&r, out->management, CW_HASH_BYTES);
		cw_cbor_bstr_into(&r, out->ca, CW_HASH_BYTES);
	} else if (out->kind == CW_RECORD_REVOKED) {
		cw_cbor_bstr_into(&r, out->serial, sizeof(out->serial));
		out->reason = cw_cbor_u32(&r, 0, 10);
	} else if (out->kind == CW_RECORD_REQUESTED) {
		cw_cbor_bstr_into(&r, out->grant, sizeof(out->grant));
		cw_cbor_bstr_into(&r, out->nonce, sizeof(out->nonce));
	} else if (out->kind == CW_RECORD_DONE) {
		cw_cbor_bstr_into(&r, out->grant, sizeof(out->grant));
		cw_cbor_bstr_into(&r, out->th, sizeof(out->th));
	} else if (out->kind == CW_RECORD_CERTIFIED) {
		get_certified(&r, out);
	}
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}
