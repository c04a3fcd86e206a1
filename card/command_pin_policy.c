/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_PUK_POLICY and CREATE_PIN_POLICY: PINs for keys outside the PIV
 * slots. */
#include "card/command.h"

static bool
has_id(const struct cw_card_job *job, uint32_t id)
{
	return cw_card_has_id(&job->session->objects, job->session, id) ||
	    cw_card_has_id(&job->card->state->objects, job->session, id);
}

/* ---- PUK ---- */

enum cw_err
cw_card_do_puk_policy(struct cw_card_job *job, const struct cw_command *command)
{
	const struct cw_create_puk_policy *c = &command->u.create_puk_policy;
	const struct cw_reply reply = { .err = CW_OK };
	struct cw_card_puk *puk;
	enum cw_err err = cw_pin_rule_check(&c->rule);

	if (err == CW_OK && cw_pin_check(&c->rule, c->value) != CW_OK)
		err = CW_ERR_BAD_POLICY;
	if (err != CW_OK)
		return err;
	if (has_id(job, c->id))
		return CW_ERR_DUPLICATE_ID;
	if (cw_card_count_puks(job->card) >= CW_CARD_PUKS_MAX)
		return CW_ERR_CARD_FULL;
	puk = cw_card_puk_new();
	if (puk == NULL)
		return CW_ERR_NO_MEMORY;
	memcpy(puk->owner, job->session->owner, sizeof(puk->owner));
	puk->id = c->id;
	puk->rule = c->rule;
	cw_card_pin_set(&puk->pin, c->value, c->rule.tries);
	cw_card_puks_append(&job->session->objects.puks, puk);
	cw_reply_encode(CW_CREATE_PUK_POLICY, &reply, job->plain);
	return CW_OK;
}

/* ---- PIN ---- */

/* An issuer's value must keep its own rule; a holder's comes by SET PIN, and
 * nobody asks a person for bytes. */
static enum cw_err
check(const struct cw_card_job *job, const struct cw_create_pin_policy *c)
{
	const struct cw_card_session *session = job->session;
	enum cw_err err = cw_pin_rule_check(&c->rule);

	if (err != CW_OK)
		return err;
	if (c->rule.format == CW_PIN_BINARY && !c->issuer_set)
		return CW_ERR_BAD_POLICY;
	if (c->value.len > 0 && cw_pin_check(&c->rule, c->value) != CW_OK)
		return CW_ERR_BAD_POLICY;
	if (has_id(job, c->id))
		return CW_ERR_DUPLICATE_ID;
	if (c->puk != 0 &&
	    cw_card_find_puk(&session->objects, session, c->puk) == NULL &&
	    cw_card_find_puk(&job->card->state->objects, session, c->puk) ==
		NULL)
		return CW_ERR_UNKNOWN_ID;
	return cw_card_count_policies(job->card) < CW_CARD_POLICIES_MAX ?
	    CW_OK :
	    CW_ERR_CARD_FULL;
}

enum cw_err
cw_card_do_pin_policy(struct cw_card_job *job, const struct cw_command *command)
{
	const struct cw_create_pin_policy *c = &command->u.create_pin_policy;
	const struct cw_reply reply = { .err = CW_OK };
	struct cw_card_policy *policy;
	enum cw_err err = check(job, c);

	if (err != CW_OK)
		return err;
	policy = cw_card_policy_new();
	if (policy == NULL)
		return CW_ERR_NO_MEMORY;
	memcpy(policy->owner, job->session->owner, sizeof(policy->owner));
	policy->id = c->id;
	policy->rule = c->rule;
	policy->issuer_set = c->issuer_set;
	policy->modifiable = c->modifiable;
	policy->grouping = c->grouping;
	policy->puk = c->puk;
	if (c->value.len > 0)
		err = cw_card_set_group(policy, 0, c->value);
	if (err != CW_OK) {
		cw_card_policy_free(&policy);
		return err;
	}
	cw_card_policies_append(&job->session->objects.policies, policy);
	cw_reply_encode(CW_CREATE_PIN_POLICY, &reply, job->plain);
	return CW_OK;
}
