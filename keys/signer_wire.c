/* SPDX-License-Identifier: Apache-2.0 */
/* Packets between web process and signer: a row for each operation. */
#include "keys/signer_wire.h"

#include "keys/signer_record.h"
#include "proto/cbor.h"
#include "proto/channel.h"
#include "proto/fields.h"

static void
put_sign(const struct cw_signer_request *q, struct cw_buf *b)
{
	const struct cw_request *f = &q->fields;

	cw_cbor_put_bstr(b, q->grant);
	cw_cbor_put_array(b, 11);
	cw_cbor_put_uint(b, f->suite == NULL ? 0 : f->suite->id);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(f->session_id));
	cw_cbor_put_tstr(b, f->uri);
	cw_cose_key_put(b, &f->issuer_ephemeral);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(f->card_nonce));
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(f->caps_hash));
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(f->intent_hash));
	cw_scope_put(b, &f->scope);
	cw_cbor_put_uint(b, f->mode);
	cw_cbor_put_uint(b, f->lifetime_s);
	cw_cbor_put_uint(b, f->command_limit);
}

static void
get_sign(struct cw_cbor_reader *r, struct cw_signer_request *q)
{
	struct cw_request *f = &q->fields;

	q->grant = cw_cbor_bstr(r, 1, CW_GRANT_MAX);
	cw_cbor_array(r, 11, 11);
	f->suite = cw_suite_find(cw_cbor_uint(r, 0, UINT32_MAX));
	if (f->suite == NULL)
		cw_cbor_fail(r, CW_ERR_BAD_SUITE);
	cw_cbor_bstr_into(r, f->session_id, sizeof(f->session_id));
	f->uri = cw_cbor_tstr(r, 1, CW_URI_MAX);
	cw_cose_key_get(r, &f->issuer_ephemeral);
	if (r->err == CW_OK && f->issuer_ephemeral.type != f->suite->agreement)
		cw_cbor_fail(r, CW_ERR_BAD_KEY);
	cw_cbor_bstr_into(r, f->card_nonce, sizeof(f->card_nonce));
	cw_cbor_bstr_into(r, f->caps_hash, sizeof(f->caps_hash));
	cw_cbor_bstr_into(r, f->intent_hash, sizeof(f->intent_hash));
	cw_scope_get(r, &f->scope);
	f->mode = cw_cbor_u32(r, CW_MODE_IDENTIFIED, CW_MODE_ANONYMOUS);
	f->lifetime_s = cw_cbor_uint(r, 1, CW_LIFETIME_MAX_S);
	f->command_limit = cw_cbor_u32(r, 1, CW_COMMANDS_MAX);
	cw_cbor_array_end(r);
}

static void
put_proof(const struct cw_proof *p, struct cw_buf *b)
{
	cw_cbor_put_array(b, 4);
	cw_cbor_put_bstr(b, p->request);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(p->tag));
	cw_cbor_put_bstr(b, p->grant);
	cw_cose_key_put(b, &p->card_ephemeral);
}

static void
get_proof(struct cw_cbor_reader *r, struct cw_proof *p)
{
	cw_cbor_array(r, 4, 4);
	p->request = cw_cbor_bstr(r, 1, CW_REQUEST_MAX);
	cw_cbor_bstr_into(r, p->tag, sizeof(p->tag));
	p->grant = cw_cbor_bstr(r, 1, CW_GRANT_MAX);
	cw_cose_key_get(r, &p->card_ephemeral);
	cw_cbor_array_end(r);
}

static void
put_token(const struct cw_signer_request *q, struct cw_buf *b)
{
	put_proof(&q->proof, b);
	cw_cbor_put_bstr(b, q->token);
}

static void
get_token(struct cw_cbor_reader *r, struct cw_signer_request *q)
{
	get_proof(r, &q->proof);
	q->token = cw_cbor_bstr(r, 1, CW_BODY_MAX);
}

/* What was found of the token, and the token again if that is another signer's. */
static void
put_found(const struct cw_signer_request *q, struct cw_buf *b)
{
	struct cw_buf verdict;

	put_proof(&q->proof, b);
	cw_buf_init(&verdict, CW_REQUEST_MAX);
	cw_verdict_encode(&q->verdict, &verdict);
	if (verdict.err == CW_OK)
		cw_cbor_put_bstr(b, cw_buf_bytes(&verdict));
	else if (b->err == CW_OK)
		b->err = verdict.err;
	cw_buf_wipe(&verdict);
	cw_cbor_put_bstr(b, q->token);
}

static void
get_found(struct cw_cbor_reader *r, struct cw_signer_request *q)
{
	struct cw_bytes verdict;
	enum cw_err err;

	get_proof(r, &q->proof);
	verdict = cw_cbor_bstr(r, 1, CW_REQUEST_MAX);
	q->token = cw_cbor_bstr(r, 0, CW_BODY_MAX);
	if (r->err != CW_OK)
		return;
	err = cw_verdict_decode(verdict, &q->verdict);
	if (err != CW_OK)
		cw_cbor_fail(r, err);
}

static void
put_certify(const struct cw_signer_request *q, struct cw_buf *b)
{
	put_found(q, b);
	cw_cbor_put_bstr(b, q->key_statement);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(q->serial));
	cw_field_put_bstrs(b, q->approvals, q->n_approvals);
}

/* RFC 5280 4.1.2.2: positive. The web process draws them so. */
static void
get_serial(struct cw_cbor_reader *r, struct cw_signer_request *q)
{
	static const uint8_t zero[CW_SERIAL_BYTES];

	cw_cbor_bstr_into(r, q->serial, sizeof(q->serial));
	if (r->err == CW_OK &&
	    ((q->serial[0] & 0x80) != 0 ||
		memcmp(q->serial, zero, sizeof(zero)) == 0))
		cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
}

static void
get_certify(struct cw_cbor_reader *r, struct cw_signer_request *q)
{
	get_found(r, q);
	q->key_statement = cw_cbor_bstr(r, 1, CW_COMMAND_MAX);
	get_serial(r, q);
	q->n_approvals = cw_field_bstrs(r, 0, CW_OPERATORS_MAX, CW_APPROVAL_MAX,
	    q->approvals);
}

static void
put_done(const struct cw_signer_request *q, struct cw_buf *b)
{
	put_found(q, b);
	cw_cbor_put_bstr(b, q->result);
}

static void
get_done(struct cw_cbor_reader *r, struct cw_signer_request *q)
{
	get_found(r, q);
	q->result = cw_cbor_bstr(r, 1, CW_COMMAND_MAX);
}

static void
put_revoke(const struct cw_signer_request *q, struct cw_buf *b)
{
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(q->serial));
	cw_cbor_put_uint(b, q->reason);
}

static void
get_revoke(struct cw_cbor_reader *r, struct cw_signer_request *q)
{
	get_serial(r, q);
	q->reason = cw_cbor_u32(r, 0, 10);
	if (r->err == CW_OK && !cw_reason_is_valid(q->reason))
		cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
}

static void
put_read(const struct cw_signer_request *q, struct cw_buf *b)
{
	cw_cbor_put_uint(b, q->from);
	cw_cbor_put_uint(b, q->max);
}

static void
get_read(struct cw_cbor_reader *r, struct cw_signer_request *q)
{
	q->from = cw_cbor_uint(r, 0, INT64_MAX);
	q->max = cw_cbor_u32(r, 1, CW_SIGNER_READ_MAX);
}

static const struct row {
	size_t arguments, results;
	void (*put)(const struct cw_signer_request *q, struct cw_buf *b);
	void (*get)(struct cw_cbor_reader *r, struct cw_signer_request *q);
} rows[CW_SIGNER_OPS] = {
	[CW_SIGNER_INFO] = { 0, 5, NULL, NULL },
	[CW_SIGNER_SIGN] = { 2, 2, put_sign, get_sign },
	[CW_SIGNER_TOKEN] = { 2, 1, put_token, get_token },
	[CW_SIGNER_CERTIFY] = { 6, 1, put_certify, get_certify },
	[CW_SIGNER_REVOKE] = { 2, 0, put_revoke, get_revoke },
	[CW_SIGNER_READ] = { 2, 1, put_read, get_read },
	[CW_SIGNER_DONE] = { 4, 0, put_done, get_done },
};

size_t
cw_signer_results(enum cw_signer_op op)
{
	return rows[op].results;
}

void
cw_signer_request_encode(const struct cw_signer_request *q, struct cw_buf *out)
{
	cw_cbor_put_array(out, 2 + rows[q->op].arguments);
	cw_cbor_put_uint(out, q->id);
	cw_cbor_put_uint(out, q->op);
	if (rows[q->op].put != NULL)
		rows[q->op].put(q, out);
}

enum cw_err
cw_signer_request_decode(struct cw_bytes packet, struct cw_signer_request *out)
{
	struct cw_cbor_reader r;
	size_t n;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, packet);
	n = cw_cbor_array(&r, 2, 8);
	out->id = cw_cbor_uint(&r, 0, UINT64_MAX);
	out->op = cw_cbor_u32(&r, CW_SIGNER_INFO, CW_SIGNER_DONE);
	if (r.err == CW_OK && n != 2 + rows[out->op].arguments)
		cw_cbor_fail(&r, CW_ERR_OUT_OF_RANGE);
	if (r.err == CW_OK && rows[out->op].get != NULL)
		rows[out->op].get(&r, out);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}

void
cw_signer_answer_encode(uint64_t id, enum cw_err err, size_t n,
    struct cw_bytes results, struct cw_buf *out)
{
	cw_cbor_put_array(out, err == CW_OK ? 2 + n : 2);
	cw_cbor_put_uint(out, id);
	cw_cbor_put_uint(out, err);
	if (err == CW_OK)
		cw_buf_put(out, results);
}

enum cw_err
cw_signer_answer_open(struct cw_bytes packet, uint64_t id,
    struct cw_cbor_reader *r)
{
	uint64_t number;

	cw_cbor_init(r, packet);
	cw_cbor_array(r, 2, 7);
	if (cw_cbor_uint(r, 0, UINT64_MAX) != id)
		cw_cbor_fail(r, CW_ERR_WRONG_REPLY);
	number = cw_cbor_uint(r, 0, 999);
	if (r->err == CW_OK && number != 0)
		return cw_err_from_number(number);
	return r->err;
}
