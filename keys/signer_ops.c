/* SPDX-License-Identifier: Apache-2.0 */
/* The other requests, and the table of all. */
#include "keys/signer_state.h"
#include "proto/base/log.h"
#include "proto/fields.h"

enum cw_err
cw_signer_op_info(struct cw_signer_state *s)
{
	struct cw_buf *b = &s->results;

	cw_cose_key_put(b, &s->management_public);
	cw_field_put_bstrs(b, s->ca_chain.items, s->ca_chain.n);
	cw_field_put_bstrs(b, s->management_chain.items, s->management_chain.n);
	cw_field_put_bstrs(b, s->authority_chain.items, s->authority_chain.n);
	cw_cbor_put_uint(b, s->log.commits);
	return CW_OK;
}

enum cw_err
cw_signer_op_revoke(struct cw_signer_state *s)
{
	const struct cw_index_entry *e =
	    cw_index_by_serial(&s->log.index, s->request.serial);
	struct cw_record record = { .kind = CW_RECORD_REVOKED,
		.time_s = cw_clock_now_s(&s->clock),
		.reason = s->request.reason };

	if (e == NULL)
		return CW_ERR_UNKNOWN_SERIAL;
	if (e->revoked)
		return CW_OK;
	memcpy(record.serial, s->request.serial, CW_SERIAL_BYTES);
	return cw_signer_log_append(&s->log, &record);
}

enum cw_err
cw_signer_op_read(struct cw_signer_state *s)
{
	const struct cw_index *x = &s->log.index;
	uint64_t from = s->request.from;
	uint64_t n = from < x->n_entries ? x->n_entries - from : 0;
	struct cw_buf *b = &s->results;

	if (n > s->request.max)
		n = s->request.max;
	cw_cbor_put_array(b, n);
	for (uint64_t i = from; i < from + n; i++) {
		const struct cw_index_entry *e = &x->entries[i];

		cw_cbor_put_array(b, 5);
		cw_cbor_put_uint(b, i);
		cw_cbor_put_bool(b, e->revoked);
		cw_cbor_put_bstr(b, CW_BYTES_ARRAY(e->serial));
		cw_cbor_put_bstr(b, cw_bytes(e->th_key, CW_HASH_BYTES));
		cw_cbor_put_uint(b, e->time_s);
	}
	return CW_OK;
}

static const struct {
	const char *name;
	enum cw_err (*run)(struct cw_signer_state *s);
} ops[CW_SIGNER_OPS] = {
	[CW_SIGNER_INFO] = { "info", cw_signer_op_info },
	[CW_SIGNER_SIGN] = { "sign", cw_signer_op_sign },
	[CW_SIGNER_TOKEN] = { "token", cw_signer_op_token },
	[CW_SIGNER_CERTIFY] = { "certify", cw_signer_op_certify },
	[CW_SIGNER_REVOKE] = { "revoke", cw_signer_op_revoke },
	[CW_SIGNER_READ] = { "read", cw_signer_op_read },
	[CW_SIGNER_DONE] = { "done", cw_signer_op_done },
};

enum cw_err
cw_signer_handle(struct cw_signer_state *s, struct cw_bytes packet,
    struct cw_buf *answer)
{
	struct cw_signer_request *q = &s->request;
	enum cw_err err = cw_signer_request_decode(packet, q);

	if (err != CW_OK)
		return cw_log_fail(err, "signer.malformed", "bytes=%zu",
		    packet.len);
	cw_buf_reset(&s->results);
	err = ops[q->op].run(s);
	if (err == CW_OK)
		err = s->results.err;
	if (err == CW_ERR_NO_MEMORY || err == CW_ERR_SIGNER_LOG)
		return err;
	if (err != CW_OK)
		cw_log_fail(err, "signer.refused", "operation=%s",
		    ops[q->op].name);
	cw_buf_reset(answer);
	cw_signer_answer_encode(q->id, err, cw_signer_results(q->op),
	    cw_buf_bytes(&s->results), answer);
	return answer->err;
}
