/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's handler, asked directly. */
#include "tests/support/keys_desk.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void
need(enum cw_err err, const char *what)
{
	if (err == CW_OK)
		return;
	fprintf(stderr, "keys_desk: %s: %s\n", what, cw_err_name(err));
	exit(99);
}

void
cw_keys_desk_open(struct cw_keys_desk *d)
{
	memset(d, 0, sizeof(*d));
	cw_keys_tree_make(&d->tree, 2);
	for (unsigned i = 0; i < 2; i++)
		cw_keys_card_load(&d->cards[i], &d->tree, i + 1);
	d->authority = cw_keys_tree_authority(&d->tree);
	cw_buf_init(&d->packet, CW_SIGNER_PACKET_MAX);
	cw_buf_init(&d->answer, CW_SIGNER_PACKET_MAX);
	cw_buf_init(&d->certificate, CW_CERT_MAX_BYTES);
	d->now_s = (uint64_t)time(NULL);
	need(cw_signer_state_open(&d->state, &d->tree.config), "state");
	cw_keys_desk_at(d, d->now_s);
}

void
cw_keys_desk_close(struct cw_keys_desk *d)
{
	cw_signer_state_close(&d->state);
	cw_key_free(&d->authority);
	for (unsigned i = 0; i < 2; i++)
		cw_keys_card_free(&d->cards[i]);
	cw_buf_wipe(&d->packet);
	cw_buf_wipe(&d->answer);
	cw_buf_wipe(&d->certificate);
	cw_keys_tree_free(&d->tree);
}

enum cw_err
cw_keys_desk_restart(struct cw_keys_desk *d)
{
	enum cw_err err;

	cw_signer_state_close(&d->state);
	err = cw_signer_state_open(&d->state, &d->tree.config);
	cw_keys_desk_at(d, d->now_s);
	return err;
}

void
cw_keys_desk_at(struct cw_keys_desk *d, uint64_t now_s)
{
	d->now_s = now_s;
	d->state.clock = cw_clock_fixed(now_s);
}

enum cw_err
cw_keys_desk_ask(struct cw_keys_desk *d, const struct cw_signer_request *q,
    struct cw_cbor_reader *results)
{
	enum cw_err err;

	cw_buf_reset(&d->packet);
	cw_signer_request_encode(q, &d->packet);
	need(d->packet.err, "packet");
	err = cw_signer_handle(&d->state, cw_buf_bytes(&d->packet), &d->answer);
	if (err != CW_OK)
		return err;
	need(cw_signer_log_commit(&d->state.log), "commit");
	return cw_signer_answer_open(cw_buf_bytes(&d->answer), q->id, results);
}

enum cw_err
cw_keys_desk_sign(struct cw_keys_desk *d, struct cw_keys_session *x,
    const struct cw_request *fields)
{
	struct cw_signer_request q = { .op = CW_SIGNER_SIGN,
		.grant = cw_buf_bytes(&x->grant),
		.fields = *fields };
	struct cw_cbor_reader r;
	enum cw_err err = cw_keys_desk_ask(d, &q, &r);

	if (err != CW_OK)
		return err;
	cw_buf_reset(&x->request);
	cw_buf_put(&x->request, cw_cbor_bstr(&r, 1, CW_REQUEST_MAX));
	cw_cbor_bstr_into(&r, x->request_tag, CW_TAG_BYTES);
	return r.err;
}

static struct cw_proof
proof_of(const struct cw_keys_session *x)
{
	struct cw_proof p = { .request = cw_buf_bytes(&x->request),
		.grant = cw_buf_bytes(&x->grant),
		.card_ephemeral = x->card_ephemeral };

	memcpy(p.tag, x->request_tag, CW_TAG_BYTES);
	return p;
}

enum cw_err
cw_keys_desk_token(struct cw_keys_desk *d, struct cw_keys_session *x)
{
	struct cw_signer_request q = { .op = CW_SIGNER_TOKEN,
		.proof = proof_of(x),
		.token = cw_buf_bytes(&x->token) };
	struct cw_cbor_reader r;
	enum cw_err err = cw_keys_desk_ask(d, &q, &r);

	if (err != CW_OK)
		return err;
	return cw_verdict_decode(cw_cbor_bstr(&r, 1, CW_REQUEST_MAX),
	    &x->verdict);
}

enum cw_err
cw_keys_desk_certify(struct cw_keys_desk *d, struct cw_keys_session *x,
    bool with_token)
{
	struct cw_signer_request q = { .op = CW_SIGNER_CERTIFY,
		.proof = proof_of(x),
		.verdict = x->verdict,
		.token = with_token ? cw_buf_bytes(&x->token) : CW_BYTES_NONE,
		.key_statement = cw_buf_bytes(&x->statement) };
	struct cw_cbor_reader r;
	enum cw_err err;

	memcpy(q.serial, x->serial, CW_SERIAL_BYTES);
	q.n_approvals = x->proof.n_approvals;
	for (size_t i = 0; i < q.n_approvals; i++)
		q.approvals[i] = x->proof.approvals[i];
	err = cw_keys_desk_ask(d, &q, &r);
	if (err != CW_OK)
		return err;
	cw_buf_reset(&d->certificate);
	cw_buf_put(&d->certificate, cw_cbor_bstr(&r, 1, CW_CERT_MAX_BYTES));
	return r.err;
}

enum cw_err
cw_keys_desk_revoke(struct cw_keys_desk *d, const struct cw_keys_session *x)
{
	struct cw_signer_request q = { .op = CW_SIGNER_REVOKE, .reason = 5 };
	struct cw_cbor_reader r;

	memcpy(q.serial, x->serial, CW_SERIAL_BYTES);
	return cw_keys_desk_ask(d, &q, &r);
}

void
cw_keys_desk_signed(struct cw_keys_desk *d, struct cw_keys_session *x,
    const struct cw_grant *grant, unsigned number)
{
	struct cw_request fields = cw_keys_request(grant);

	cw_keys_session_init(x, &d->cards[number], grant->mode);
	need(cw_grant_make(grant, d->authority, &x->grant), "grant");
	need(cw_keys_desk_sign(d, x, &fields), "sign");
	cw_keys_session_open(x);
}

void
cw_keys_desk_opened(struct cw_keys_desk *d, struct cw_keys_session *x,
    const struct cw_grant *grant, unsigned number)
{
	cw_keys_desk_signed(d, x, grant, number);
	need(cw_keys_desk_token(d, x), "token");
}

void
cw_keys_desk_stated(struct cw_keys_desk *d, struct cw_keys_session *x,
    const struct cw_grant *grant, uint32_t key_id)
{
	struct cw_key_statement statement;

	cw_keys_desk_opened(d, x, grant, 0);
	statement = cw_keys_session_key(x, &d->state.management_public, key_id);
	cw_keys_session_state(x, &statement);
}

void
cw_keys_desk_certified(struct cw_keys_desk *d, struct cw_keys_session *x,
    const struct cw_grant *grant, uint32_t key_id)
{
	cw_keys_desk_stated(d, x, grant, key_id);
	need(cw_keys_desk_certify(d, x, false), "certify");
}

void
cw_keys_desk_foreign_request(struct cw_keys_session *x)
{
	struct cw_private_key *key;
	struct cw_request q;
	struct cw_buf copy;

	cw_buf_init(&copy, CW_REQUEST_MAX);
	cw_buf_put(&copy, cw_buf_bytes(&x->request));
	need(cw_request_decode(cw_buf_bytes(&copy), &q), "foreign R");
	need(cw_key_generate(CW_KEY_P256, &key), "foreign R");
	cw_buf_reset(&x->request);
	need(cw_request_make(&q, key, &x->request), "foreign R");
	cw_key_free(&key);
	cw_buf_wipe(&copy);
	cw_keys_session_open(x);
}

/* ---- a desk for all tests of a program ---- */

struct cw_keys_desk cw_keys_desk;
struct cw_keys_session cw_keys_other;

int
cw_keys_desk_begin(void **state)
{
	struct cw_grant grant;

	(void)state;
	cw_keys_desk_open(&cw_keys_desk);
	grant = cw_keys_grant(cw_keys_desk.now_s);
	cw_keys_desk_opened(&cw_keys_desk, &cw_keys_other, &grant, 1);
	return 0;
}

int
cw_keys_desk_end(void **state)
{
	(void)state;
	cw_keys_session_wipe(&cw_keys_other);
	cw_keys_desk_close(&cw_keys_desk);
	return 0;
}

void
cw_keys_session_leave(struct cw_keys_session *x)
{
	(void)x;
}

void
cw_keys_session_other_ephemeral(struct cw_keys_session *x)
{
	x->card_ephemeral = cw_keys_other.card_ephemeral;
}

void
cw_keys_session_other_grant(struct cw_keys_session *x)
{
	cw_buf_reset(&x->grant);
	cw_buf_put(&x->grant, cw_buf_bytes(&cw_keys_other.grant));
}

void
cw_keys_session_wrong_tag(struct cw_keys_session *x)
{
	x->request_tag[0] ^= 1;
}
