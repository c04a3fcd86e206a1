/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_PIN_POLICY: a PIN for keys outside the PIV slots. */
#include "card/command.h"

static unsigned
count_policies(const struct cw_card *card)
{
	const struct cw_card_session *s;
	const struct cw_card_policy *p;
	unsigned n = 0;

	for (p = card->state->objects.policies; p != NULL; p = p->next)
		n++;
	for (s = card->state->sessions; s != NULL; s = s->next)
		for (p = s->objects.policies; p != NULL; p = p->next)
			n++;
	return n;
}

/* An issuer's value must keep its own rule; a holder's comes by SET PIN. */
static enum cw_err
check(const struct cw_create_pin_policy *c)
{
	enum cw_err err = cw_pin_rule_check(&c->rule);

	if (err == CW_OK && c->issuer_set != (c->value.len > 0))
		err = CW_ERR_BAD_POLICY;
	if (err == CW_OK && c->issuer_set &&
	    cw_pin_check(&c->rule, c->value) != CW_OK)
		err = CW_ERR_BAD_POLICY;
	return err;
}

enum cw_err
cw_card_do_pin_policy(struct cw_card_job *job, const struct cw_command *command)
{
	const struct cw_create_pin_policy *c = &command->u.create_pin_policy;
	const struct cw_reply reply = { .err = CW_OK };
	struct cw_card_policy *policy;
	enum cw_err err = check(c);

	if (err != CW_OK)
		return err;
	if (cw_card_has_id(job, c->id))
		return CW_ERR_DUPLICATE_ID;
	if (count_policies(job->card) >= CW_CARD_POLICIES_MAX)
		return CW_ERR_CARD_FULL;
	policy = cw_card_policy_new();
	if (policy == NULL)
		return CW_ERR_NO_MEMORY;
	memcpy(policy->owner, job->session->owner, sizeof(policy->owner));
	policy->id = c->id;
	policy->rule = c->rule;
	policy->issuer_set = c->issuer_set;
	policy->modifiable = c->modifiable;
	if (c->issuer_set)
		cw_card_pin_set(&policy->pin, c->value, c->rule.tries);
	cw_card_policies_append(&job->session->objects.policies, policy);
	cw_reply_encode(CW_CREATE_PIN_POLICY, &reply, job->plain);
	return CW_OK;
}
