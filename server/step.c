/* SPDX-License-Identifier: Apache-2.0 */
/* What the steps share: batches, the one commit. */
#include "server/step.h"

#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "proto/rfc4648.h"

/* ---- the commit ---- */

enum cw_err
cw_step_commit(struct cw_step_run *run, enum cw_stage next)
{
	struct cw_session *s = run->session;
	struct cw_store *store = run->engine->store;
	enum cw_stage before = s->stage;
	size_t n_before = s->n_digests;
	struct cw_step step;
	enum cw_err err;

	if (n_before == CW_STEPS_MAX)
		return CW_ERR_COMMAND_LIMIT;
	if (!run->answers_waiting)
		memcpy(s->digests[s->n_digests++], run->digest, CW_HASH_BYTES);
	s->stage = next;
	if (next < CW_STAGE_DONE) {
		err = cw_session_secret_seal(run->secret, false,
		    run->engine->seal, s->id, &s->sealed);
		if (err != CW_OK)
			return err;
	} else {
		cw_buf_wipe(&s->sealed);
	}
	step.number = (unsigned)s->n_digests;
	step.message = run->message;
	step.answer = cw_buf_bytes(&run->answer);
	step.kept = cw_buf_bytes(&run->kept);
	step.now_s = run->now_s;
	step.n_retired = run->n_retired;
	step.retired = run->retired;
	cw_buf_reset(&s->batch);
	cw_buf_put(&s->batch, step.answer);
	run->certificate.changed_s = run->now_s;
	run->certificate.der = cw_buf_bytes(&run->der);
	err = run->answer.err != CW_OK ? run->answer.err :
	    run->kept.err != CW_OK     ? run->kept.err :
					 s->batch.err;
	if (err == CW_OK)
		err = store->session_step(store, s, before, n_before, &step,
		    run->certificate.status != CW_CERT_NONE ?
			&run->certificate :
			NULL);
	run->lost_race = err == CW_ERR_EXISTS;
	/* Before the answer leaves: see reconcile.h. */
	if (err == CW_OK)
		cw_seal_mark(run->engine->seal, store->steps(store));
	if (err == CW_OK && next >= CW_STAGE_DONE)
		atomic_fetch_sub(&run->engine->open_sessions, 1);
	return err;
}

enum cw_err
cw_step_extend(struct cw_step_run *run, const struct cw_grant *grant)
{
	const struct cw_profile *profile =
	    cw_config_profile(run->engine->config, grant->profile);
	struct cw_session *s = run->session;

	if (profile == NULL)
		return CW_ERR_UNKNOWN_PROFILE;
	s->expires_s =
	    s->created_s + cw_config_session_s(run->engine->config, profile);
	return CW_OK;
}

static void
log_end(const struct cw_session *session, enum cw_err why)
{
	char hex[9];

	cw_base16_encode(cw_bytes(session->id, 4), hex);
	cw_log_fail(why, "session.end", "session=%s stage=%s", hex,
	    cw_stage_name(session->stage));
}

enum cw_err
cw_step_end(struct cw_step_run *run, enum cw_err why)
{
	run->n_retired = 0;
	return cw_step_end_retiring(run, why);
}

enum cw_err
cw_step_end_retiring(struct cw_step_run *run, enum cw_err why)
{
	struct cw_session *s = run->session;
	enum cw_err err;

	run->answers_waiting = false;
	log_end(s, why);
	cw_buf_reset(&run->answer);
	cw_buf_reset(&run->kept);
	cw_buf_reset(&run->der);
	run->certificate.status = CW_CERT_NONE;
	if (cw_session_has_serial(s)) {
		/* Whether or not the signer has signed for it by now. */
		struct cw_certificate *c = &run->certificate;

		memset(c, 0, sizeof(*c));
		memcpy(c->serial, s->serial, sizeof(c->serial));
		memcpy(c->session, s->id, sizeof(c->session));
		c->status = s->stage == CW_STAGE_INSTALLING ?
		    CW_CERT_SUSPENDED :
		    CW_CERT_RESERVED;
		c->wanted = CW_REASON_CESSATION;
	}
	s->error = why;
	err = cw_step_commit(run, CW_STAGE_FAILED);
	run->has_ended = err == CW_OK;
	return err == CW_OK ? why : err;
}

bool
cw_step_is_transient(enum cw_err err)
{
	switch (cw_err_category(err)) {
	case CW_CAT_BUSY:
	case CW_CAT_RESOURCE:
	case CW_CAT_LOCAL:
	case CW_CAT_INTERNAL:
	case CW_CAT_NETWORK:
		return true;
	case CW_CAT_OK:
	case CW_CAT_INPUT:
	case CW_CAT_AUTH:
	case CW_CAT_STATE:
	case CW_CAT_CARD:
	case CW_CAT_PERSON:
		break;
	}
	return false;
}

/* ---- batches ---- */

enum cw_err
cw_step_put_batch(struct cw_step_run *run, enum cw_phase phase,
    const struct cw_command *commands, size_t n)
{
	struct cw_buf sealed[CW_STEP_COMMANDS_MAX];
	struct cw_buf plain;
	enum cw_err err = CW_OK;

	cw_buf_init(&plain, CW_COMMAND_MAX);
	run->batch->phase = phase;
	run->batch->n = n;
	for (size_t i = 0; i < CW_STEP_COMMANDS_MAX; i++)
		cw_buf_init(&sealed[i], CW_COMMAND_MAX);
	for (size_t i = 0; i < n && err == CW_OK; i++) {
		cw_buf_reset(&plain);
		cw_command_encode(&commands[i], &plain);
		err = plain.err;
		if (err == CW_OK)
			err = cw_channel_seal_command(&run->secret->channel,
			    run->secret->first + (unsigned)i,
			    cw_buf_bytes(&plain), &sealed[i]);
		run->batch->items[i] = cw_buf_bytes(&sealed[i]);
	}
	if (err == CW_OK) {
		cw_batch_encode(run->batch, &run->answer);
		err = run->answer.err;
	}
	for (size_t i = 0; i < CW_STEP_COMMANDS_MAX; i++)
		cw_buf_wipe(&sealed[i]);
	cw_buf_wipe(&plain);
	return err;
}

enum cw_err
cw_step_put_close(struct cw_step_run *run, enum cw_phase phase,
    const struct cw_command *first)
{
	struct cw_session_secret *secret = run->secret;
	struct cw_command *commands =
	    calloc(secret->n_deeds + 2, sizeof(*commands));
	struct cw_command *close;
	enum cw_err err;
	size_t n = 0;

	if (commands == NULL)
		return CW_ERR_NO_MEMORY;
	if (first != NULL)
		commands[n++] = *first;
	for (size_t i = 0; i < secret->n_deeds; i++, n++) {
		commands[n].no = secret->deeds[i].no;
		commands[n].u.on_key.target = secret->deeds[i].target;
		if (secret->deeds[i].no == CW_UPDATE_KEY)
			commands[n].u.on_key.id = secret->key_id;
	}
	close = &commands[n++];
	close->no = CW_CLOSE;
	close->last = true;
	cw_random(secret->close_nonce, sizeof(secret->close_nonce));
	memcpy(close->u.close.nonce, secret->close_nonce,
	    sizeof(secret->close_nonce));
	err = cw_step_put_batch(run, phase, commands, n);
	free(commands);
	return err;
}

/* All that there are must decrypt before one of them counts. */
static enum cw_err
open_all(struct cw_step_run *run, struct cw_buf *plain)
{
	enum cw_err err = CW_OK;

	for (size_t i = 0; i < run->replies->n && err == CW_OK; i++)
		err = cw_channel_open_reply(&run->secret->channel,
		    run->secret->first + (unsigned)i, run->batch->items[i],
		    run->replies->items[i], &plain[i]);
	return err;
}

enum cw_err
cw_step_open_replies(struct cw_step_run *run, const enum cw_command_no *nos,
    size_t n, struct cw_reply *replies, struct cw_buf *plain, bool *ended)
{
	enum cw_err err;

	*ended = false;
	err = cw_replies_decode(run->message, run->replies);
	if (err == CW_OK)
		err = cw_batch_decode(cw_buf_bytes(&run->session->batch),
		    run->batch);
	if (err == CW_OK && run->batch->n != n)
		err = CW_ERR_STORE_CORRUPT;
	if (err == CW_OK && run->replies->n > n)
		err = CW_ERR_WRONG_REPLY;
	if (err == CW_OK)
		err = open_all(run, plain);
	if (err != CW_OK)
		return err;
	*ended = true; /* what is wrong from here on, the card itself said */
	for (size_t i = 0; i < run->replies->n; i++) {
		err = cw_reply_decode(nos[i], cw_buf_bytes(&plain[i]),
		    &replies[i]);
		if (err != CW_OK)
			return CW_ERR_WRONG_REPLY;
		if (replies[i].err != CW_OK)
			return i + 1 == run->replies->n ? replies[i].err :
							  CW_ERR_WRONG_REPLY;
		if (nos[i] != CW_CLOSE)
			cw_channel_advance(&run->secret->channel,
			    run->batch->items[i], run->replies->items[i]);
	}
	if (run->replies->n < n)
		return CW_ERR_WRONG_REPLY;
	*ended = false;
	return CW_OK;
}
