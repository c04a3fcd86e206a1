/* SPDX-License-Identifier: Apache-2.0 */
/* Step 4: the token in, the key request or the first management round out. */
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "server/step.h"

/* K, and the token's plaintext into run->kept. */
static enum cw_err
open_token(struct cw_step_run *run, struct cw_message4 *m)
{
	struct cw_session_secret *secret = run->secret;
	struct cw_private_key *own = NULL;
	enum cw_err err = cw_message4_decode(run->message, m);

	if (err == CW_OK)
		err = cw_key_to_agree(secret->suite->agreement, secret->scalar,
		    &own);
	if (err == CW_OK)
		err = cw_channel_init(&secret->channel, secret->suite,
		    cw_buf_bytes(&run->session->request), &m->card_ephemeral,
		    own, &m->card_ephemeral);
	if (err == CW_OK)
		err = cw_channel_open_token(&secret->channel, m->token,
		    &run->kept);
	cw_key_free(&own);
	return err;
}

static enum cw_err
check_token(struct cw_step_run *run, const struct cw_message4 *m)
{
	struct cw_session *s = run->session;
	struct cw_session_proof proof = { cw_buf_bytes(&s->request),
		s->request_tag, cw_buf_bytes(&s->grant), &m->card_ephemeral,
		NULL, 0 };
	struct cw_verdict verdict;
	enum cw_err err = cw_signer_check_token(run->engine->signer, &proof,
	    cw_buf_bytes(&run->kept), &verdict);

	if (err != CW_OK)
		return err;
	cw_verdict_encode(&verdict, &s->verdict);
	return s->verdict.err;
}

enum cw_err
cw_step_token(struct cw_step_run *run)
{
	struct cw_session_secret *secret = run->secret;
	struct cw_message4 m;
	struct cw_grant grant;
	enum cw_err err = open_token(run, &m);

	/* A token that the signer refuses may be anybody's: the host can make
	 * an ephemeral key too. It changes nothing. */
	if (err == CW_OK)
		err = check_token(run, &m);
	if (err == CW_OK)
		err =
		    cw_grant_decode(cw_buf_bytes(&run->session->grant), &grant);
	if (err != CW_OK)
		return err;
	secret->card_ephemeral = m.card_ephemeral;
	cw_channel_begin(&secret->channel, run->message);
	cw_wipe(secret->scalar, sizeof(secret->scalar));
	secret->first = 1;
	/* Operators' time begins when there is something to approve. */
	if (grant.approvals == 0)
		err = cw_step_extend(run, &grant);
	if (err != CW_OK)
		return err;
	return grant.action == CW_ACTION_ENROLL ?
	    cw_step_order_key(run, &grant) :
	    cw_step_look(run);
}
