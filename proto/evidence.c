/* SPDX-License-Identifier: Apache-2.0 */
/* The evidence file. */
#include "proto/evidence.h"

#include "proto/fields.h"

static void
put_field(struct cw_buf *b, unsigned key, struct cw_bytes value)
{
	cw_cbor_put_uint(b, key);
	cw_cbor_put_bstr(b, value);
}

static void
put_list(struct cw_buf *b, unsigned key, const struct cw_bytes *items, size_t n)
{
	cw_cbor_put_uint(b, key);
	cw_field_put_bstrs(b, items, n);
}

void
cw_evidence_encode(const struct cw_evidence *e, struct cw_buf *out)
{
	cw_cbor_put_map(out, e->n_approvals > 0 ? 20 : 18);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_str(out, "CW1 evidence");
	put_field(out, 1, e->request);
	cw_cbor_put_uint(out, 2);
	cw_cose_key_put(out, &e->card_ephemeral);
	put_field(out, 3, e->message_4);
	put_list(out, 4, e->commands, e->n_commands);
	put_list(out, 5, e->replies, e->n_commands);
	put_list(out, 6, e->attestation, e->n_attestation);
	put_field(out, 7, e->token_statement);
	put_field(out, 8, e->card_info);
	put_list(out, 9, e->key_statements, e->n_keys);
	put_field(out, 10, CW_BYTES_ARRAY(e->close_nonce));
	put_field(out, 11, e->result_statement);
	put_field(out, 12, e->grant);
	put_list(out, 13, e->certificate, e->n_certificate);
	put_list(out, 14, e->management, e->n_management);
	put_list(out, 15, e->authority, e->n_authority);
	cw_cbor_put_uint(out, 16);
	cw_cbor_put_tstr(out, e->policy_version);
	cw_cbor_put_uint(out, 17);
	cw_cbor_put_uint(out, e->verified_s);
	if (e->n_approvals > 0) {
		put_list(out, 18, e->approvals, e->n_approvals);
		put_list(out, 19, e->operators, e->n_approvals);
	}
}

static struct cw_bytes
get_field(struct cw_cbor_reader *r, int64_t key, size_t max)
{
	cw_cbor_key(r, key);
	return cw_cbor_bstr(r, 1, max);
}

static size_t
get_chain(struct cw_cbor_reader *r, int64_t key, size_t min,
    struct cw_bytes *items)
{
	cw_cbor_key(r, key);
	return cw_field_bstrs(r, min, CW_CHAIN_MAX, CW_CERT_MAX_BYTES, items);
}

static void
get_transcript(struct cw_cbor_reader *r, struct cw_evidence *e)
{
	cw_cbor_key(r, 0);
	cw_cbor_label(r, "CW1 evidence");
	e->request = get_field(r, 1, CW_REQUEST_MAX);
	cw_cbor_key(r, 2);
	cw_cose_key_get(r, &e->card_ephemeral);
	e->message_4 = get_field(r, 3, CW_BODY_MAX);
	cw_cbor_key(r, 4);
	e->n_commands =
	    cw_field_bstrs(r, 1, CW_COMMANDS_MAX, CW_COMMAND_MAX, e->commands);
	cw_cbor_key(r, 5);
	if (cw_field_bstrs(r, 1, CW_COMMANDS_MAX, CW_COMMAND_MAX, e->replies) !=
	    e->n_commands)
		cw_cbor_fail(r, CW_ERR_BAD_EVIDENCE);
}

static void
get_approvals(struct cw_cbor_reader *r, struct cw_evidence *e)
{
	if (!cw_cbor_key_opt(r, 18))
		return;
	e->n_approvals = cw_field_bstrs(r, 1, CW_OPERATORS_MAX, CW_APPROVAL_MAX,
	    e->approvals);
	cw_cbor_key(r, 19);
	if (cw_field_bstrs(r, 1, CW_OPERATORS_MAX, CW_CERT_MAX_BYTES,
		e->operators) != e->n_approvals)
		cw_cbor_fail(r, CW_ERR_BAD_EVIDENCE);
}

enum cw_err
cw_evidence_decode(struct cw_bytes in, struct cw_evidence *out)
{
	struct cw_cbor_reader r;

	if (in.len > CW_EVIDENCE_MAX)
		return CW_ERR_TOO_LARGE;
	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 32);
	get_transcript(&r, out);
	out->n_attestation = get_chain(&r, 6, 1, out->attestation);
	out->token_statement = get_field(&r, 7, CW_REQUEST_MAX);
	out->card_info = get_field(&r, 8, CW_REQUEST_MAX);
	cw_cbor_key(&r, 9);
	out->n_keys = cw_field_bstrs(&r, 0, CW_KEYS_MAX, CW_REQUEST_MAX,
	    out->key_statements);
	cw_cbor_key(&r, 10);
	cw_cbor_bstr_into(&r, out->close_nonce, sizeof(out->close_nonce));
	out->result_statement = get_field(&r, 11, CW_COMMAND_MAX);
	out->grant = get_field(&r, 12, CW_GRANT_MAX);
	out->n_certificate = get_chain(&r, 13, 0, out->certificate);
	out->n_management = get_chain(&r, 14, 1, out->management);
	out->n_authority = get_chain(&r, 15, 1, out->authority);
	cw_cbor_key(&r, 16);
	out->policy_version = cw_field_text(&r);
	cw_cbor_key(&r, 17);
	out->verified_s = cw_cbor_uint(&r, 0, INT64_MAX);
	get_approvals(&r, out);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}
