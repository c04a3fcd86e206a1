/* SPDX-License-Identifier: Apache-2.0 */
/* Steps 4, 6 and 8: tokens, keys, and results where no key was certified. */
#include <stdlib.h>

#include "keys/signer_state.h"
#include "proto/approval.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"

static void
put_verdict(struct cw_signer_state *s, const struct cw_verdict *verdict)
{
	cw_buf_reset(&s->scratch);
	cw_verdict_encode(verdict, &s->scratch);
	cw_cbor_put_bstr(&s->results, cw_buf_bytes(&s->scratch));
}

enum cw_err
cw_signer_op_token(struct cw_signer_state *s)
{
	struct cw_verdict verdict;
	struct cw_session session;
	enum cw_err err;

	err = cw_signer_check_proof(s, &s->request.proof, &session);
	if (err == CW_OK)
		err = cw_signer_check_token_in(s, &session, s->request.token,
		    &verdict);
	if (err == CW_OK)
		put_verdict(s, &verdict);
	return err;
}

/* What was asked, in one hash: two requests are the same if this is. Tags and
 * token only prove it and do not count. */
static void
hash_request(struct cw_signer_state *s, uint8_t out[CW_HASH_BYTES])
{
	const struct cw_signer_request *q = &s->request;
	struct cw_buf *b = &s->scratch;

	cw_buf_reset(b);
	cw_cbor_put_array(b, 6);
	cw_cbor_put_str(b, "CW1 signer certify");
	cw_cbor_put_bstr(b, q->proof.request);
	cw_cose_key_put(b, &q->proof.card_ephemeral);
	cw_cbor_put_bstr(b, q->proof.grant);
	cw_cbor_put_bstr(b, q->key_statement);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(q->serial));
	cw_hash(cw_buf_bytes(b), out);
}

/* The verdict's tag says that this signer saw the token in this very session;
 * without a match the token itself must be there. */
static enum cw_err
take_verdict(struct cw_signer_state *s, const struct cw_session *x)
{
	struct cw_verdict *v = &s->request.verdict;
	uint8_t tag[CW_TAG_BYTES];

	cw_signer_verdict_tag(s, x, v, tag);
	if (cw_secret_equal(CW_BYTES_ARRAY(tag), CW_BYTES_ARRAY(v->tag)))
		return CW_OK;
	if (s->request.token.len == 0)
		return CW_ERR_WRONG_STATEMENT;
	return cw_signer_check_token_in(s, x, s->request.token, v);
}

static enum cw_err
check_verdict(struct cw_signer_state *s, const struct cw_session *x)
{
	enum cw_err err = take_verdict(s, x);

	return err == CW_OK ?
	    cw_signer_check_binding(s, &x->grant, &s->request.verdict) :
	    err;
}

static bool
fits_session(const struct cw_signer_state *s, const struct cw_session *x,
    const struct cw_key_statement *k)
{
	return memcmp(k->th, x->th, CW_HASH_BYTES) == 0 &&
	    memcmp(k->management_hash, s->management_hash, CW_HASH_BYTES) ==
	    0 &&
	    k->mode == x->request.mode &&
	    memcmp(k->leaf_hash, s->request.verdict.attestation.leaf_hash,
		CW_HASH_BYTES) == 0;
}

/* docs/protocol.md: the card states what it enforces; the profile wants it so. */
static bool
fits_profile(const struct cw_profile *p, const struct cw_attributes *a)
{
	/* The holder's PIN is for all slots but 9E (keys/config.c). */
	bool has_pin = a->slot != 0 || a->pin_policy != 0;

	return a->type == p->key_type && a->usage == p->usage &&
	    a->slot == p->slot && a->origin == CW_ORIGIN_CARD &&
	    !a->exportable && (has_pin || !p->pin);
}

/* No more keys, and in no other slots, than R's scope allows. */
static enum cw_err
check_scope(const struct cw_signer_state *s, const struct cw_session *x,
    const struct cw_key_statement *k)
{
	const struct cw_scope *scope = &x->request.scope;

	if (x->grant.action == CW_ACTION_MANAGE)
		return CW_ERR_PROFILE_REFUSES;
	if (!cw_scope_makes_keys(scope))
		return CW_ERR_BAD_SCOPE;
	if (cw_index_session_keys(&s->log.index, x->th) >= scope->keys_max)
		return CW_ERR_BAD_SCOPE;
	if (k->attributes.slot != 0 &&
	    !cw_scope_has_slot(scope, k->attributes.slot))
		return CW_ERR_BAD_SCOPE;
	return CW_OK;
}

static enum cw_err
check_key(struct cw_signer_state *s, const struct cw_session *x,
    struct cw_key_statement *k)
{
	const struct cw_index *index = &s->log.index;
	enum cw_err err;

	err = cw_key_statement_verify(s->request.key_statement,
	    &s->request.verdict.attestation.key, k);
	if (err != CW_OK)
		return err;
	if (!fits_session(s, x, k))
		return CW_ERR_WRONG_STATEMENT;
	if (!fits_profile(x->profile, &k->attributes))
		return CW_ERR_PROFILE_REFUSES;
	if (cw_index_has_key(index, x->th, k->key_id) ||
	    cw_index_by_serial(index, s->request.serial) != NULL)
		return CW_ERR_ALREADY_CERTIFIED;
	if (cw_index_uses(index, x->grant.id, x->th) >= x->grant.uses)
		return CW_ERR_INVITATION_USED;
	err = check_scope(s, x, k);
	if (err == CW_OK)
		err = cw_public_key_check(&k->key);
	return err;
}

/* About this very statement; each operator counts once, and only while his own
 * certificate is valid. */
static enum cw_err
check_approvals(struct cw_signer_state *s, const struct cw_session *x)
{
	struct cw_public_key *valid = s->valid_operators;
	size_t n = 0;

	for (size_t i = 0; i < s->n_operators; i++)
		if (cw_own_window_has(&s->operator_windows[i], x->now_s))
			valid[n++] = s->operators[i];
	return x->grant.approvals == 0 ||
		cw_approvals_count(s->request.approvals, s->request.n_approvals,
		    valid, n, s->request.key_statement) >= x->grant.approvals ?
	    CW_OK :
	    CW_ERR_APPROVAL_PENDING;
}

static enum cw_err
issue(struct cw_signer_state *s, const struct cw_session *x,
    const struct cw_key_statement *k, const uint8_t hash[CW_HASH_BYTES])
{
	struct cw_record record = { .kind = CW_RECORD_CERTIFIED,
		.time_s = x->now_s,
		.key_id = k->key_id };
	struct cw_issue_order order = { .profile = x->profile,
		.key = &k->key,
		.serial = s->request.serial,
		.now_s = x->now_s };
	const struct cw_subject *subject;
	struct cw_buf *der = &s->scratch;
	enum cw_err err;

	if (!cw_own_window_has(&s->ca_window, x->now_s))
		return CW_ERR_ISSUER_EXPIRED;
	err = cw_signer_check_subject(s, &x->grant, x->grant_hash, x->profile,
	    &subject);
	if (err != CW_OK)
		return err;
	cw_buf_reset(der);
	order.subject = subject;
	err = cw_issue_make(s->issue, &order, der);
	if (err != CW_OK)
		return err;
	memcpy(record.th, x->th, CW_HASH_BYTES);
	memcpy(record.grant, x->grant.id, CW_GRANT_ID_BYTES);
	memcpy(record.request, hash, CW_HASH_BYTES);
	memcpy(record.serial, s->request.serial, CW_SERIAL_BYTES);
	record.certificate = cw_buf_bytes(der);
	err = cw_signer_log_append(&s->log, &record);
	if (err == CW_OK)
		cw_cbor_put_bstr(&s->results, record.certificate);
	return err;
}

enum cw_err
cw_signer_op_certify(struct cw_signer_state *s)
{
	const struct cw_index_entry *before;
	struct cw_key_statement key;
	uint8_t hash[CW_HASH_BYTES];
	struct cw_session session;
	enum cw_err err;

	/* First, so that an answer that was lost can be had again however late. */
	hash_request(s, hash);
	if (s->scratch.err != CW_OK)
		return CW_ERR_NO_MEMORY;
	before = cw_index_by_request(&s->log.index, hash);
	if (before != NULL) {
		cw_buf_reset(&s->scratch);
		err = cw_signer_log_certificate(&s->log, before, &s->scratch);
		cw_cbor_put_bstr(&s->results, cw_buf_bytes(&s->scratch));
		return err;
	}
	err = cw_signer_check_proof(s, &s->request.proof, &session);
	if (err == CW_OK)
		err = check_verdict(s, &session);
	if (err == CW_OK)
		err = check_key(s, &session, &key);
	if (err == CW_OK)
		err = check_approvals(s, &session);
	if (err == CW_OK)
		err = issue(s, &session, &key, hash);
	return err;
}

/* Only a card could have said it, in this very session. What it did is the web
 * process's to check: a use is a use, also when it is late. */
static enum cw_err
check_done(struct cw_signer_state *s, const struct cw_session *x)
{
	struct cw_result_statement *r = calloc(1, sizeof(*r));
	enum cw_err err;

	if (r == NULL)
		return CW_ERR_NO_MEMORY;
	err = cw_result_statement_verify(s->request.result,
	    &s->request.verdict.attestation.key, r);
	if (err == CW_OK && memcmp(r->th, x->th, CW_HASH_BYTES) != 0)
		err = CW_ERR_WRONG_STATEMENT;
	free(r);
	return err;
}

enum cw_err
cw_signer_op_done(struct cw_signer_state *s)
{
	struct cw_record record = { .kind = CW_RECORD_DONE };
	struct cw_session x;
	enum cw_err err = cw_signer_read_proof(s, &s->request.proof, &x);

	if (err == CW_OK)
		err = take_verdict(s, &x);
	if (err == CW_OK)
		err = check_done(s, &x);
	if (err != CW_OK || cw_index_is_done(&s->log.index, x.th))
		return err;
	record.time_s = x.now_s;
	memcpy(record.grant, x.grant.id, CW_GRANT_ID_BYTES);
	memcpy(record.th, x.th, CW_HASH_BYTES);
	return cw_signer_log_append(&s->log, &record);
}
