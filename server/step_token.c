/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step 4 to 5: the token in, the key request out. The serial of the certificate
 * to be is reserved with the session in the same commit, so that whatever the
 * signer certifies for it is known to the store, crash or not.
 */
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

/* A positive number of exactly 16 bytes, so that its DER form has no sign byte
 * (RFC 5280 4.1.2.2). */
static void
choose_serial(uint8_t serial[CW_SERIAL_BYTES])
{
	cw_random(serial, CW_SERIAL_BYTES);
	serial[0] = (uint8_t)((serial[0] & 0x3f) | 0x40);
}

/* A PIN of the holder's own choice, by the rule that PIV's PIN has. */
static void
order_pin(uint32_t key_id, struct cw_command *command)
{
	struct cw_create_pin_policy *p = &command->u.create_pin_policy;

	command->no = CW_CREATE_PIN_POLICY;
	p->id = cw_step_pin_policy_id(key_id);
	p->rule = *cw_step_pin_rule();
	p->modifiable = true;
}

struct cw_create_key
cw_step_order(const struct cw_profile *profile, const struct cw_grant *grant,
    uint32_t key_id)
{
	bool has_policy = profile->pin && profile->slot == 0;

	return (struct cw_create_key){ .id = key_id,
		.type = profile->key_type,
		.usage = profile->usage,
		.slot = profile->slot,
		.pin_policy = has_policy ? cw_step_pin_policy_id(key_id) : 0,
		.name = grant->profile };
}

static enum cw_err
ask_for_key(struct cw_step_run *run, const struct cw_grant *grant)
{
	const struct cw_profile *profile =
	    cw_config_profile(run->engine->config, grant->profile);
	struct cw_session_secret *secret = run->secret;
	struct cw_command commands[CW_STEP_KEY_COMMANDS_MAX];
	struct cw_create_key order;
	uint32_t id = 0;
	size_t n = 0;

	if (profile == NULL)
		return CW_ERR_UNKNOWN_PROFILE;
	cw_random((uint8_t *)&id, sizeof(id));
	secret->key_id = (id & 0x7fffffff) | 1; /* never 0 */
	secret->first = 1;
	memset(commands, 0, sizeof(commands));
	order = cw_step_order(profile, grant, secret->key_id);
	if (order.pin_policy != 0)
		order_pin(secret->key_id, &commands[n++]);
	commands[n].u.create_key = order;
	commands[n].no = CW_CREATE_KEY;
	commands[n++].last = true;
	return cw_step_put_batch(run, CW_PHASE_CREATING, commands, n);
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
	choose_serial(run->session->serial);
	err = ask_for_key(run, &grant);
	/* Operators' time begins when there is something to approve. */
	if (err == CW_OK && grant.approvals == 0)
		err = cw_step_extend(run);
	return err != CW_OK ? err : cw_step_commit(run, CW_STAGE_CREATING);
}
