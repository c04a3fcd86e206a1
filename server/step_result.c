/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step 8: the card's attested result. What it confirms becomes active in the
 * same commit that keeps the evidence; anything else is taken back.
 */
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/rfc4648.h"
#include "server/evidence.h"
#include "server/step.h"

/* The rule's hash, as a result has it (docs/protocol.md 7). */
static enum cw_err
hash_pin_rule(uint8_t out[CW_HASH_BYTES])
{
	struct cw_buf b;
	enum cw_err err;

	cw_buf_init(&b, 64);
	cw_pin_rule_put(&b, cw_step_pin_rule());
	cw_hash(cw_buf_bytes(&b), out);
	err = b.err;
	cw_buf_wipe(&b);
	return err;
}

static bool
has_item(const struct cw_result_statement *r, uint32_t id, enum cw_done done,
    const uint8_t hash[CW_HASH_BYTES])
{
	for (size_t i = 0; i < r->n_items; i++)
		if (r->items[i].object_id == id && r->items[i].done == done &&
		    memcmp(r->items[i].hash, hash, CW_HASH_BYTES) == 0)
			return true;
	return false;
}

/* The new key, with these certificates, and its PIN policy if one was ordered. */
static bool
has_key(const struct cw_session_secret *secret,
    const struct cw_result_statement *r, const uint8_t rule[CW_HASH_BYTES])
{
	return has_item(r, secret->key_id, CW_DONE_KEY, secret->chain_hash) &&
	    (!secret->has_policy ||
		has_item(r, cw_step_pin_policy_id(secret->key_id),
		    CW_DONE_PIN_POLICY, rule));
}

/* What was there, in the words of a result: an update is told of by the new key's
 * certificates, the rest by the target's own. */
static bool
has_deed(const struct cw_session_secret *secret, const struct cw_deed *d,
    const struct cw_result_statement *r)
{
	static const enum cw_done done[] = {
		[CW_DELETE_KEY] = CW_DONE_DELETED,
		[CW_UNLOCK_KEY] = CW_DONE_UNLOCKED,
		[CW_UPDATE_KEY] = CW_DONE_UPDATED,
	};

	return has_item(r, d->target, done[d->no],
	    d->no == CW_UPDATE_KEY ? secret->chain_hash : d->chain_hash);
}

/* Exactly what was ordered was done. */
static enum cw_err
check_items(const struct cw_step_run *run, const struct cw_result_statement *r)
{
	const struct cw_session_secret *secret = run->secret;
	bool makes_key = secret->key_id != 0;
	uint8_t rule[CW_HASH_BYTES];

	if (hash_pin_rule(rule) != CW_OK)
		return CW_ERR_NO_MEMORY;
	if (r->n_items !=
		(size_t)makes_key + secret->has_policy + secret->n_deeds ||
	    (makes_key && !has_key(secret, r, rule)))
		return CW_ERR_WRONG_STATEMENT;
	for (size_t i = 0; i < secret->n_deeds; i++)
		if (!has_deed(secret, &secret->deeds[i], r))
			return CW_ERR_WRONG_STATEMENT;
	return CW_OK;
}

static enum cw_err
check_result(struct cw_step_run *run, struct cw_bytes statement)
{
	struct cw_session_secret *secret = run->secret;
	struct cw_result_statement *r = malloc(sizeof(*r));
	uint8_t h_end[CW_HASH_BYTES];
	struct cw_verdict verdict;
	struct cw_grant grant;
	enum cw_err err;

	if (r == NULL)
		return CW_ERR_NO_MEMORY;
	err = cw_verdict_decode(cw_buf_bytes(&run->session->verdict), &verdict);
	if (err == CW_OK)
		err =
		    cw_grant_decode(cw_buf_bytes(&run->session->grant), &grant);
	if (err != CW_OK)
		err = CW_ERR_STORE_CORRUPT;
	if (err == CW_OK)
		err = cw_result_statement_verify(statement,
		    &verdict.attestation.key, r);
	if (err == CW_OK) {
		cw_channel_h_end(&secret->channel,
		    run->batch->items[run->batch->n - 1], h_end);
		err = memcmp(r->th, secret->channel.th, sizeof(r->th)) != 0 ||
			memcmp(r->h_end, h_end, sizeof(h_end)) != 0 ||
			memcmp(r->close_nonce, secret->close_nonce,
			    sizeof(r->close_nonce)) != 0 ||
			r->has_counter != (grant.mode != CW_MODE_ANONYMOUS) ?
		    CW_ERR_WRONG_STATEMENT :
		    check_items(run, r);
	}
	free(r);
	return err;
}

/* The keys that are gone: nothing may be signed with them any more. */
static void
retire(struct cw_step_run *run)
{
	const struct cw_session_secret *secret = run->secret;

	for (size_t i = 0; i < secret->n_deeds; i++) {
		struct cw_retired *gone = &run->retired[run->n_retired];

		if (secret->deeds[i].no == CW_UNLOCK_KEY)
			continue;
		memcpy(gone->serial, secret->deeds[i].serial,
		    sizeof(gone->serial));
		gone->reason = secret->key_id != 0 ? CW_REASON_SUPERSEDED :
						     CW_REASON_CESSATION;
		run->n_retired++;
	}
}

static enum cw_err
ask_to_count(struct cw_step_run *run, struct cw_bytes statement)
{
	struct cw_session *s = run->session;
	struct cw_store *store = run->engine->store;
	struct cw_session_proof proof = { cw_buf_bytes(&s->request),
		s->request_tag, cw_buf_bytes(&s->grant),
		&run->secret->card_ephemeral, NULL, 0 };
	struct cw_verdict verdict;
	struct cw_buf token;
	enum cw_err err =
	    cw_verdict_decode(cw_buf_bytes(&s->verdict), &verdict);

	if (err != CW_OK)
		return CW_ERR_STORE_CORRUPT;
	err = cw_signer_done(run->engine->signer, &proof, &verdict,
	    CW_BYTES_NONE, statement);
	if (err != CW_ERR_WRONG_STATEMENT)
		return err;
	/* The verdict is another signer's: it wants to see the token itself. */
	cw_buf_init(&token, CW_BODY_MAX);
	err = store->step_load(store, s->id, 1, NULL, NULL, &token);
	if (err == CW_OK)
		err = cw_signer_done(run->engine->signer, &proof, &verdict,
		    cw_buf_bytes(&token), statement);
	cw_buf_wipe(&token);
	return err;
}

/* Where nothing was certified the signer counts the use by the result. If it will
 * not, that undoes nothing on the card: what was done there is kept. */
static enum cw_err
count(struct cw_step_run *run, struct cw_bytes statement)
{
	enum cw_err err;

	if (cw_session_has_serial(run->session))
		return CW_OK;
	err = ask_to_count(run, statement);
	if (err == CW_OK || cw_step_is_transient(err))
		return err;
	cw_log_fail(err, "session.uncounted", "deeds=%zu",
	    run->secret->n_deeds);
	return CW_OK;
}

static enum cw_err
accept(struct cw_step_run *run, struct cw_bytes statement)
{
	struct cw_certificate *c = &run->certificate;
	struct cw_session *s = run->session;
	char hex[9];
	enum cw_err err;

	cw_kept_result_put(&run->kept, run->secret->close_nonce, statement,
	    run->now_s);
	if (cw_session_has_serial(s)) {
		memcpy(c->serial, s->serial, sizeof(c->serial));
		memcpy(c->session, s->id, sizeof(c->session));
		memcpy(c->invitation, s->invitation, sizeof(c->invitation));
		c->status = CW_CERT_ACTIVE;
		c->wanted = CW_REASON_NONE;
	}
	retire(run);
	err = cw_step_commit(run, CW_STAGE_DONE);
	cw_base16_encode(cw_bytes(s->id, 4), hex);
	if (err == CW_OK)
		cw_log(CW_LOG_INFO, "session.done", "session=%s managed=%zu",
		    hex, run->secret->n_deeds);
	return err;
}

/* The replies of the last batch, and the numbers of its commands. */
struct closing {
	size_t n;
	enum cw_command_no nos[CW_STEP_COMMANDS_MAX];
	struct cw_buf plain[CW_STEP_COMMANDS_MAX];
	struct cw_reply *replies;
};

static void
closing_init(struct closing *c, const struct cw_session_secret *secret)
{
	c->n = 0;
	if (secret->key_id != 0)
		c->nos[c->n++] = CW_SET_CERTIFICATES;
	for (size_t i = 0; i < secret->n_deeds; i++)
		c->nos[c->n++] = secret->deeds[i].no;
	c->nos[c->n++] = CW_CLOSE;
	for (size_t i = 0; i < c->n; i++)
		cw_buf_init(&c->plain[i], CW_COMMAND_MAX);
	c->replies = calloc(c->n, sizeof(*c->replies));
}

static void
closing_wipe(struct closing *c)
{
	for (size_t i = 0; i < c->n; i++)
		cw_buf_wipe(&c->plain[i]);
	free(c->replies);
}

enum cw_err
cw_step_result(struct cw_step_run *run)
{
	struct closing c;
	bool ended = false;
	enum cw_err err = CW_ERR_NO_MEMORY;

	closing_init(&c, run->secret);
	if (c.replies != NULL)
		err = cw_step_open_replies(run, c.nos, c.n, c.replies, c.plain,
		    &ended);
	if (err == CW_OK) {
		err = check_result(run, c.replies[c.n - 1].statement);
		ended = err != CW_OK && !cw_step_is_transient(err);
	}
	if (err == CW_OK)
		err = count(run, c.replies[c.n - 1].statement);
	if (err == CW_OK)
		err = accept(run, c.replies[c.n - 1].statement);
	else if (ended)
		err = cw_step_end(run, err);
	closing_wipe(&c);
	return err;
}
