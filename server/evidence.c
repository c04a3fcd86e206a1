/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence out of the store. */
#include "server/evidence.h"

#include <stdlib.h>

#include "proto/token.h"
#include "server/engine.h"

void
cw_kept_key_put(struct cw_buf *kept, struct cw_bytes statement,
    const char *policy_version)
{
	cw_cbor_put_array(kept, 2);
	cw_cbor_put_bstr(kept, statement);
	cw_cbor_put_str(kept, policy_version);
}

enum cw_err
cw_kept_key_get(struct cw_bytes kept, struct cw_bytes *statement,
    struct cw_bytes *policy_version)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, kept);
	cw_cbor_array(&r, 2, 2);
	*statement = cw_cbor_bstr(&r, 0, CW_BODY_MAX);
	*policy_version =
	    cw_cbor_tstr(&r, CW_POLICY_VERSION_CHARS, CW_POLICY_VERSION_CHARS);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r) == CW_OK ? CW_OK : CW_ERR_STORE_CORRUPT;
}

void
cw_kept_result_put(struct cw_buf *kept,
    const uint8_t close_nonce[CW_NONCE_BYTES], struct cw_bytes statement,
    uint64_t verified_s)
{
	cw_cbor_put_array(kept, 3);
	cw_cbor_put_bstr(kept, cw_bytes(close_nonce, CW_NONCE_BYTES));
	cw_cbor_put_bstr(kept, statement);
	cw_cbor_put_uint(kept, verified_s);
}

enum cw_err
cw_kept_result_get(struct cw_bytes kept, uint8_t close_nonce[CW_NONCE_BYTES],
    struct cw_bytes *statement, uint64_t *verified_s)
{
	uint8_t nonce[CW_NONCE_BYTES];
	struct cw_cbor_reader r;
	struct cw_bytes said;
	uint64_t time_s;

	cw_cbor_init(&r, kept);
	cw_cbor_array(&r, 3, 3);
	cw_cbor_bstr_into(&r, nonce, sizeof(nonce));
	said = cw_cbor_bstr(&r, 1, CW_BODY_MAX);
	time_s = cw_cbor_uint(&r, 0, UINT64_MAX);
	cw_cbor_array_end(&r);
	if (cw_cbor_finish(&r) != CW_OK)
		return CW_ERR_STORE_CORRUPT;
	if (close_nonce != NULL)
		memcpy(close_nonce, nonce, sizeof(nonce));
	if (statement != NULL)
		*statement = said;
	if (verified_s != NULL)
		*verified_s = time_s;
	return CW_OK;
}

/* Everything that the evidence borrows from. */
struct gathering {
	struct cw_evidence evidence;
	struct cw_certificate certificate;
	struct cw_session session;
	struct cw_buf der, policy;
	struct cw_buf approvals[CW_OPERATORS_MAX];
	struct cw_buf operators[CW_OPERATORS_MAX];
	size_t n_steps;
	struct cw_buf messages[CW_STEPS_MAX];
	struct cw_buf answers[CW_STEPS_MAX];
	struct cw_buf kept[CW_STEPS_MAX];
	struct cw_batch batch;
	struct cw_batch replies;
	struct cw_signer_info info;
};

static struct gathering *
gathering_new(void)
{
	struct gathering *g = calloc(1, sizeof(*g));

	if (g == NULL)
		return NULL;
	cw_session_init(&g->session);
	cw_buf_init(&g->der, CW_CERT_MAX_BYTES);
	cw_buf_init(&g->policy, CW_EVIDENCE_MAX);
	for (size_t i = 0; i < CW_OPERATORS_MAX; i++) {
		cw_buf_init(&g->approvals[i], CW_APPROVAL_MAX);
		cw_buf_init(&g->operators[i], CW_CERT_MAX_BYTES);
	}
	for (size_t i = 0; i < CW_STEPS_MAX; i++) {
		cw_buf_init(&g->messages[i], CW_BODY_MAX);
		cw_buf_init(&g->answers[i], CW_BODY_MAX);
		cw_buf_init(&g->kept[i], CW_BODY_MAX);
	}
	return g;
}

static void
gathering_free(struct gathering *g)
{
	cw_session_wipe(&g->session);
	cw_buf_wipe(&g->der);
	cw_buf_wipe(&g->policy);
	for (size_t i = 0; i < CW_OPERATORS_MAX; i++) {
		cw_buf_wipe(&g->approvals[i]);
		cw_buf_wipe(&g->operators[i]);
	}
	for (size_t i = 0; i < CW_STEPS_MAX; i++) {
		cw_buf_wipe(&g->messages[i]);
		cw_buf_wipe(&g->answers[i]);
		cw_buf_wipe(&g->kept[i]);
	}
	free(g);
}

static enum cw_err
load(struct gathering *g, struct cw_store *store, const uint8_t *serial)
{
	enum cw_err err =
	    store->certificate_load(store, serial, &g->certificate, &g->der);

	if (err == CW_OK)
		err = store->session_load(store, g->certificate.session,
		    &g->session);
	return err;
}

static enum cw_err
load_steps(struct gathering *g, struct cw_store *store)
{
	enum cw_err err = CW_OK;

	if (g->session.stage != CW_STAGE_DONE)
		return CW_ERR_NOT_CONFIRMED;
	g->n_steps = g->session.n_digests;
	if (g->n_steps < 3)
		return CW_ERR_STORE_CORRUPT;
	for (unsigned i = 0; i < g->n_steps && err == CW_OK; i++)
		err = store->step_load(store, g->session.id, i + 1,
		    &g->messages[i], &g->answers[i], &g->kept[i]);
	return err;
}

/* Commands are what answered step k, replies what came in step k + 1. */
static enum cw_err
gather_rounds(struct gathering *g)
{
	struct cw_evidence *e = &g->evidence;

	for (size_t k = 0; k + 1 < g->n_steps; k++) {
		enum cw_err err =
		    cw_batch_decode(cw_buf_bytes(&g->answers[k]), &g->batch);

		if (err == CW_OK)
			err =
			    cw_replies_decode(cw_buf_bytes(&g->messages[k + 1]),
				&g->replies);
		if (err != CW_OK || g->batch.n != g->replies.n ||
		    e->n_commands + g->batch.n > CW_COMMANDS_MAX)
			return CW_ERR_STORE_CORRUPT;
		for (size_t i = 0; i < g->batch.n; i++, e->n_commands++) {
			e->commands[e->n_commands] = g->batch.items[i];
			e->replies[e->n_commands] = g->replies.items[i];
		}
	}
	return CW_OK;
}

static enum cw_err
gather_token(struct gathering *g)
{
	struct cw_evidence *e = &g->evidence;
	struct cw_message4 m;
	struct cw_token token;

	e->message_4 = cw_buf_bytes(&g->messages[0]);
	if (cw_message4_decode(e->message_4, &m) != CW_OK ||
	    cw_token_decode(cw_buf_bytes(&g->kept[0]), &token) != CW_OK)
		return CW_ERR_STORE_CORRUPT;
	e->card_ephemeral = m.card_ephemeral;
	e->n_attestation = token.n_chain;
	memcpy(e->attestation, token.chain, sizeof(token.chain));
	e->token_statement = token.statement;
	e->card_info = token.card_info;
	return CW_OK;
}

static enum cw_err
gather_result(struct gathering *g)
{
	struct cw_evidence *e = &g->evidence;

	return cw_kept_result_get(cw_buf_bytes(&g->kept[g->n_steps - 1]),
	    e->close_nonce, &e->result_statement, &e->verified_s);
}

static enum cw_err
gather_key(struct gathering *g, struct cw_store *store)
{
	struct cw_evidence *e = &g->evidence;
	char version[CW_POLICY_VERSION_CHARS + 1] = { 0 };
	enum cw_err err =
	    cw_kept_key_get(cw_buf_bytes(&g->kept[g->n_steps - 2]),
		&e->key_statements[0], &e->policy_version);

	if (err != CW_OK)
		return err;
	e->n_keys = e->key_statements[0].len > 0;
	memcpy(version, e->policy_version.ptr, CW_POLICY_VERSION_CHARS);
	err = store->policy_load(store, version, &g->policy);
	if (err == CW_OK)
		err = cw_policy_decode(cw_buf_bytes(&g->policy), &g->info);
	return err == CW_ERR_STORE_FAILED || err == CW_OK ?
	    err :
	    CW_ERR_STORE_CORRUPT;
}

static bool
take_approval(void *ctx, const struct cw_approval_row *row)
{
	struct gathering *g = ctx;
	struct cw_evidence *e = &g->evidence;
	size_t i = e->n_approvals;

	if (row->is_approved && i < CW_OPERATORS_MAX) {
		cw_buf_put(&g->approvals[i], row->bytes);
		cw_buf_put(&g->operators[i], row->certificate);
		e->approvals[i] = cw_buf_bytes(&g->approvals[i]);
		e->operators[i] = cw_buf_bytes(&g->operators[i]);
		e->n_approvals++;
	}
	return true;
}

static void
gather_chains(struct gathering *g)
{
	struct cw_evidence *e = &g->evidence;

	if (e->n_keys > 0) {
		e->certificate[0] = cw_buf_bytes(&g->der);
		memcpy(&e->certificate[1], g->info.ca,
		    g->info.n_ca * sizeof(g->info.ca[0]));
		e->n_certificate = g->info.n_ca + 1;
	}
	memcpy(e->management, g->info.management, sizeof(e->management));
	e->n_management = g->info.n_management;
	memcpy(e->authority, g->info.authority, sizeof(e->authority));
	e->n_authority = g->info.n_authority;
}

static enum cw_err
gather(struct gathering *g, struct cw_store *store, struct cw_buf *out)
{
	enum cw_err err = load_steps(g, store);

	if (err == CW_OK)
		err = gather_rounds(g);
	if (err == CW_OK)
		err = gather_token(g);
	if (err == CW_OK)
		err = gather_key(g, store);
	if (err == CW_OK)
		err = gather_result(g);
	if (err == CW_OK)
		err = store->approval_each(store, g->session.id, take_approval,
		    g);
	if (err != CW_OK)
		return err;
	g->evidence.request = cw_buf_bytes(&g->session.request);
	g->evidence.grant = cw_buf_bytes(&g->session.grant);
	gather_chains(g);
	cw_evidence_encode(&g->evidence, out);
	return out->err;
}

enum cw_err
cw_evidence_export(struct cw_store *store,
    const uint8_t serial[CW_SERIAL_BYTES], struct cw_buf *out)
{
	struct gathering *g = gathering_new();
	enum cw_err err;

	if (g == NULL)
		return CW_ERR_NO_MEMORY;
	err = load(g, store, serial);
	if (err == CW_OK)
		err = gather(g, store, out);
	gathering_free(g);
	return err;
}

enum cw_err
cw_evidence_export_session(struct cw_store *store,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_buf *out)
{
	struct gathering *g = gathering_new();
	enum cw_err err;

	if (g == NULL)
		return CW_ERR_NO_MEMORY;
	err = store->session_load(store, id, &g->session);
	if (err == CW_OK && cw_session_has_serial(&g->session))
		err = load(g, store, g->session.serial);
	if (err == CW_OK)
		err = gather(g, store, out);
	gathering_free(g);
	return err;
}
