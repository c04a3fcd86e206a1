/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step 6 to 7: the new key in, its certificate out. The signer makes the whole
 * check of the key statement; here it is only asked whether the key is the one
 * that was ordered.
 */
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/rfc4648.h"
#include "server/evidence.h"
#include "server/step.h"

static bool
is_ordered(const struct cw_attributes *a, const struct cw_create_key *order)
{
	return a->type == order->type && a->usage == order->usage &&
	    a->origin == CW_ORIGIN_CARD && !a->exportable &&
	    a->pin_policy == order->pin_policy && a->slot == order->slot &&
	    a->delete_guard == CW_GUARD_NONE && a->n_algorithms == 0 &&
	    cw_bytes_equal(a->name, order->name);
}

/*
 * The card has made what was ordered, and says so in its statement, whose
 * signature the signer checks (docs/protocol.md 7 "Message 6"). *ended: it has
 * not. The profile may have gone meanwhile: UNKNOWN_PROFILE.
 */
static enum cw_err
check_order(struct cw_step_run *run, const struct cw_grant *grant,
    const struct cw_reply *reply, bool *ended)
{
	const struct cw_profile *profile =
	    cw_config_profile(run->engine->config, grant->profile);
	struct cw_key_statement s;
	struct cw_create_key order;

	if (profile == NULL)
		return CW_ERR_UNKNOWN_PROFILE;
	order = cw_step_order(profile, grant, run->secret);
	*ended = cw_key_statement_decode(reply->statement, &s) != CW_OK ||
	    s.key_id != order.id ||
	    memcmp(&s.key, &reply->key, sizeof(s.key)) != 0 ||
	    !is_ordered(&s.attributes, &order);
	return *ended ? CW_ERR_WRONG_STATEMENT : CW_OK;
}

/* ---- approvals ---- */

/* What operators decided, as the signer wants it. */
struct decisions {
	unsigned rejected;
	size_t n;
	struct cw_bytes approvals[CW_OPERATORS_MAX];
	struct cw_buf memory[CW_OPERATORS_MAX];
};

static bool
take_decision(void *ctx, const struct cw_approval_row *row)
{
	struct decisions *d = ctx;

	d->rejected += !row->is_approved;
	if (row->is_approved && d->n < CW_OPERATORS_MAX)
		cw_buf_put(&d->memory[d->n++], row->bytes);
	return true;
}

static enum cw_err
load_decisions(struct cw_step_run *run, struct decisions *d)
{
	enum cw_err err;

	memset(d, 0, sizeof(*d));
	for (size_t i = 0; i < CW_OPERATORS_MAX; i++)
		cw_buf_init(&d->memory[i], CW_APPROVAL_MAX);
	err = run->engine->store->approval_each(run->engine->store,
	    run->session->id, take_decision, d);
	for (size_t i = 0; err == CW_OK && i < d->n; i++) {
		d->approvals[i] = cw_buf_bytes(&d->memory[i]);
		err = d->memory[i].err;
	}
	return err;
}

static void
wipe_decisions(struct decisions *d)
{
	for (size_t i = 0; i < CW_OPERATORS_MAX; i++)
		cw_buf_wipe(&d->memory[i]);
}

/* ---- the certificate ---- */

static enum cw_err
certify(struct cw_step_run *run, struct cw_bytes statement,
    const struct decisions *decisions)
{
	struct cw_session *s = run->session;
	struct cw_session_proof proof = { cw_buf_bytes(&s->request),
		s->request_tag, cw_buf_bytes(&s->grant),
		&run->secret->card_ephemeral, decisions->approvals,
		decisions->n };
	struct cw_verdict verdict;
	struct cw_buf token;
	enum cw_err err =
	    cw_verdict_decode(cw_buf_bytes(&s->verdict), &verdict);

	if (err != CW_OK)
		return CW_ERR_STORE_CORRUPT;
	err = cw_signer_certify(run->engine->signer, &proof, &verdict,
	    CW_BYTES_NONE, statement, s->serial, &run->der);
	if (err != CW_ERR_WRONG_STATEMENT)
		return err;
	/* The verdict is another signer's: it wants to see the token itself. */
	cw_buf_reset(&run->der);
	cw_buf_init(&token, CW_BODY_MAX);
	err = run->engine->store->step_load(run->engine->store, s->id, 1, NULL,
	    NULL, &token);
	if (err == CW_OK)
		err = cw_signer_certify(run->engine->signer, &proof, &verdict,
		    cw_buf_bytes(&token), statement, s->serial, &run->der);
	cw_buf_wipe(&token);
	return err;
}

static enum cw_err
install(struct cw_step_run *run, struct cw_bytes statement)
{
	struct cw_session_secret *secret = run->secret;
	const struct cw_engine_chains *chains;
	struct cw_command first;
	struct cw_set_certificates *set = &first.u.set_certificates;
	enum cw_err err = cw_engine_chains(run->engine, &chains);

	if (err != CW_OK)
		return err;
	cw_kept_key_put(&run->kept, statement, chains->version);
	memset(&first, 0, sizeof(first));
	first.no = CW_SET_CERTIFICATES;
	set->id = secret->key_id;
	set->n_chain = chains->info.n_ca + 1;
	set->chain[0] = cw_buf_bytes(&run->der);
	for (size_t i = 0; i < chains->info.n_ca; i++)
		set->chain[i + 1] = chains->info.ca[i];
	cw_certificates_hash(set->chain, set->n_chain, secret->chain_hash);
	return cw_step_put_close(run, CW_PHASE_INSTALLING, &first);
}

static void
put_text(char *out, size_t size, struct cw_bytes text)
{
	size_t n = text.len < size ? text.len : size - 1;

	memcpy(out, text.ptr, n);
	out[n] = '\0';
}

/* Pending until the card says that it has it. */
static void
put_certificate(struct cw_step_run *run, const struct cw_grant *grant)
{
	struct cw_certificate *c = &run->certificate;
	const struct cw_session *s = run->session;

	memcpy(c->serial, s->serial, sizeof(c->serial));
	memcpy(c->session, s->id, sizeof(c->session));
	memcpy(c->invitation, s->invitation, sizeof(c->invitation));
	put_text(c->subject, sizeof(c->subject), grant->subject);
	put_text(c->profile, sizeof(c->profile), grant->profile);
	c->status = CW_CERT_PENDING;
	c->wanted = CW_REASON_NONE;
}

static enum cw_err
answer(struct cw_step_run *run, const struct cw_grant *grant,
    struct cw_bytes statement, const struct decisions *decisions, bool *ended)
{
	enum cw_err err = certify(run, statement, decisions);

	*ended = err != CW_OK && !cw_step_is_transient(err);
	if (err == CW_OK)
		err = install(run, statement);
	run->session->error = CW_OK;
	if (err != CW_OK)
		return err;
	put_certificate(run, grant);
	return cw_step_commit(run, CW_STAGE_INSTALLING);
}

/* ---- message 6 ---- */

/* The invitation still stands, whoever has approved what. A store that has lost it
 * says so. Errors: BAD_INVITATION, with *ended. */
static enum cw_err
check_withdrawn(struct cw_step_run *run, unsigned *uses, bool *ended)
{
	struct cw_store *store = run->engine->store;
	struct cw_invitation invitation;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = store->invitation_load(store, run->session->invitation,
	    &invitation);
	if (err == CW_OK && invitation.withdrawn)
		err = CW_ERR_BAD_INVITATION;
	*uses = invitation.uses;
	*ended = err == CW_ERR_BAD_INVITATION;
	cw_invitation_wipe(&invitation);
	return err;
}

/* One invitation has only so many sessions that wait, whatever its cards do. */
static enum cw_err
check_waiting(struct cw_step_run *run, unsigned uses)
{
	uint64_t waiting = 0;
	enum cw_err err =
	    run->engine->store->session_count_waiting(run->engine->store,
		run->session->invitation, &waiting);

	return err == CW_OK && waiting >= cw_session_per_invitation(uses) ?
	    CW_ERR_TOO_BUSY :
	    err;
}

/* It is committed when it comes, its answer when it is approved: so the replies
 * are opened once, and the channel goes on from there. */
static enum cw_err
wait_for_approval(struct cw_step_run *run, const struct cw_grant *grant,
    struct cw_bytes statement, bool *ended)
{
	unsigned uses = 0;
	char hex[9];
	enum cw_err err = check_withdrawn(run, &uses, ended);

	if (err == CW_OK)
		err = check_waiting(run, uses);
	if (err == CW_OK)
		err = cw_step_extend(run, grant);
	if (err != CW_OK)
		return err;
	cw_buf_put(&run->kept, statement);
	run->session->error = CW_ERR_APPROVAL_PENDING;
	err = cw_step_commit(run, CW_STAGE_CREATING);
	cw_base16_encode(cw_bytes(run->session->id, 4), hex);
	if (err == CW_OK)
		cw_log(CW_LOG_INFO, "session.waits", "session=%s", hex);
	return err == CW_OK ? CW_ERR_APPROVAL_PENDING : err;
}

static enum cw_err
take_key(struct cw_step_run *run, const struct cw_reply *reply, bool *ended)
{
	static const struct decisions none;
	struct cw_grant grant;
	enum cw_err err;

	if (cw_grant_decode(cw_buf_bytes(&run->session->grant), &grant) !=
	    CW_OK)
		return CW_ERR_STORE_CORRUPT;
	err = check_order(run, &grant, reply, ended);
	if (err != CW_OK)
		return err;
	return grant.approvals > 0 ?
	    wait_for_approval(run, &grant, reply->statement, ended) :
	    answer(run, &grant, reply->statement, &none, ended);
}

static enum cw_err
answer_waiting(struct cw_step_run *run, const struct decisions *decisions,
    bool *ended)
{
	struct cw_store *store = run->engine->store;
	struct cw_grant grant;
	struct cw_buf statement;
	unsigned uses = 0;
	enum cw_err err = check_withdrawn(run, &uses, ended);

	if (err != CW_OK)
		return err;
	if (cw_grant_decode(cw_buf_bytes(&run->session->grant), &grant) !=
	    CW_OK)
		return CW_ERR_STORE_CORRUPT;
	*ended = decisions->rejected > 0;
	if (*ended)
		return CW_ERR_REJECTED;
	if (decisions->n < grant.approvals)
		return CW_ERR_APPROVAL_PENDING;
	cw_buf_init(&statement, CW_COMMAND_MAX);
	err = store->step_load(store, run->session->id,
	    (unsigned)run->session->n_digests, NULL, NULL, &statement);
	if (err == CW_OK)
		err = answer(run, &grant, cw_buf_bytes(&statement), decisions,
		    ended);
	cw_buf_wipe(&statement);
	return err;
}

enum cw_err
cw_step_approved(struct cw_step_run *run)
{
	struct decisions *decisions = malloc(sizeof(*decisions));
	bool ended = false;
	enum cw_err err;

	if (decisions == NULL)
		return CW_ERR_NO_MEMORY;
	run->answers_waiting = true;
	err = load_decisions(run, decisions);
	if (err == CW_OK)
		err = answer_waiting(run, decisions, &ended);
	if (ended)
		err = cw_step_end(run, err);
	wipe_decisions(decisions);
	free(decisions);
	return err;
}

/* How many commands the key request had: CREATE_KEY is the last. */
static enum cw_err
count_ordered(struct cw_step_run *run, size_t *n)
{
	enum cw_err err =
	    cw_batch_decode(cw_buf_bytes(&run->session->batch), run->batch);

	*n = run->batch->n;
	return err == CW_OK && *n >= 1 && *n <= CW_STEP_KEY_COMMANDS_MAX ?
	    CW_OK :
	    CW_ERR_STORE_CORRUPT;
}

enum cw_err
cw_step_keys(struct cw_step_run *run)
{
	static const enum cw_command_no all[CW_STEP_KEY_COMMANDS_MAX] = {
		CW_CREATE_PIN_POLICY, CW_CREATE_KEY
	};
	struct cw_reply replies[CW_STEP_KEY_COMMANDS_MAX];
	struct cw_buf plain[CW_STEP_KEY_COMMANDS_MAX];
	bool ended = false;
	enum cw_err err;
	size_t n = 0;

	memset(replies, 0, sizeof(replies));
	for (size_t i = 0; i < CW_STEP_KEY_COMMANDS_MAX; i++)
		cw_buf_init(&plain[i], CW_COMMAND_MAX);
	err = count_ordered(run, &n);
	if (err == CW_OK)
		err = cw_step_open_replies(run,
		    all + CW_STEP_KEY_COMMANDS_MAX - n, n, replies, plain,
		    &ended);
	if (err == CW_OK) {
		run->secret->first += (unsigned)n;
		err = take_key(run, &replies[n - 1], &ended);
	}
	if (ended)
		err = cw_step_end(run, err);
	for (size_t i = 0; i < CW_STEP_KEY_COMMANDS_MAX; i++)
		cw_buf_wipe(&plain[i]);
	return err;
}
