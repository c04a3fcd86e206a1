/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Step 5: the key request. The serial of the certificate to be is reserved with
 * the session in the same commit, so that whatever the signer certifies for it is
 * known to the store, crash or not.
 */
#include "server/step.h"

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
    const struct cw_session_secret *secret)
{
	return (struct cw_create_key){ .id = secret->key_id,
		.type = profile->key_type,
		.usage = profile->usage,
		.slot = profile->slot,
		.pin_policy = secret->has_policy ?
		    cw_step_pin_policy_id(secret->key_id) :
		    secret->policy,
		.name = grant->profile };
}

enum cw_err
cw_step_order_key(struct cw_step_run *run, const struct cw_grant *grant)
{
	const struct cw_profile *profile =
	    cw_config_profile(run->engine->config, grant->profile);
	struct cw_session_secret *secret = run->secret;
	struct cw_command commands[CW_STEP_KEY_COMMANDS_MAX];
	enum cw_err err;
	uint32_t id = 0;
	size_t n = 0;

	if (profile == NULL)
		return CW_ERR_UNKNOWN_PROFILE;
	cw_random((uint8_t *)&id, sizeof(id));
	secret->key_id = (id & 0x7fffffff) | 1; /* never 0 */
	secret->has_policy =
	    profile->pin && profile->slot == 0 && secret->policy == 0;
	memset(commands, 0, sizeof(commands));
	if (secret->has_policy)
		order_pin(secret->key_id, &commands[n++]);
	commands[n].u.create_key = cw_step_order(profile, grant, secret);
	commands[n].no = CW_CREATE_KEY;
	commands[n++].last = true;
	choose_serial(run->session->serial);
	err = cw_step_put_batch(run, CW_PHASE_CREATING, commands, n);
	return err != CW_OK ? err : cw_step_commit(run, CW_STAGE_CREATING);
}
