/* SPDX-License-Identifier: Apache-2.0 */
/* The holder and the card: its PIN, its PUK, and the end of all of it. */
#include "agent/hold_internal.h"

/* An instruction with the value just asked for and perhaps a new one. */
struct job {
	enum cw_pin_what what; /* the new value, which has this rule */
	const struct cw_pin_rule *rule;
	enum cw_err (*run)(struct cw_hold *hold);
};

static enum cw_err
do_job(struct cw_hold *hold, void *ctx)
{
	const struct job *job = ctx;
	enum cw_err err = cw_hold_ask_new(hold, job->what, job->rule);

	if (err == CW_OK)
		err = cw_icc_begin(&hold->card);
	if (err == CW_OK)
		err = job->run(hold);
	cw_icc_end(&hold->card);
	return err;
}

static enum cw_err
run_change_pin(struct cw_hold *hold)
{
	return cw_icc_change_pin(&hold->card, CW_ICC_PIN,
	    cw_hold_bytes(hold->value), cw_hold_bytes(hold->fresh));
}

static enum cw_err
run_change_puk(struct cw_hold *hold)
{
	return cw_icc_change_pin(&hold->card, CW_ICC_PUK,
	    cw_hold_bytes(hold->value), cw_hold_bytes(hold->fresh));
}

static enum cw_err
run_unblock(struct cw_hold *hold)
{
	return cw_icc_unblock_pin(&hold->card, cw_hold_bytes(hold->value),
	    cw_hold_bytes(hold->fresh));
}

enum cw_err
cw_hold_change(struct cw_hold *hold, enum cw_icc_reference reference)
{
	bool is_puk = reference == CW_ICC_PUK;
	struct job job = {
		.what = is_puk ? CW_PIN_PUK : CW_PIN_HOLDER,
		.rule = is_puk ? &hold->info.puk_rule : &hold->info.rule,
		.run = is_puk ? run_change_puk : run_change_pin,
	};
	struct cw_pin_prompt prompt =
	    is_puk ? cw_hold_prompt_puk(hold) : cw_hold_prompt_pin(hold);

	if (!hold->info.is_set)
		return CW_ERR_NO_SUCH_PIN;
	return cw_hold_try(hold, &prompt, hold->value, do_job, &job);
}

enum cw_err
cw_hold_unblock(struct cw_hold *hold)
{
	struct job job = { CW_PIN_HOLDER, &hold->info.rule, run_unblock };
	struct cw_pin_prompt prompt = cw_hold_prompt_puk(hold);

	if (!hold->info.is_set)
		return CW_ERR_NO_SUCH_PIN;
	return cw_hold_try(hold, &prompt, hold->value, do_job, &job);
}

static enum cw_err
do_reset(struct cw_hold *hold, void *ctx)
{
	(void)ctx;
	return cw_icc_reset_card(&hold->card);
}

enum cw_err
cw_hold_reset(struct cw_hold *hold)
{
	/* Without a PIN that could be given there is none to be verified. */
	if (hold->info.is_set && hold->info.tries_left == 0 &&
	    hold->info.puk_tries_left == 0)
		hold->info.is_set = false;
	return cw_hold_as_holder(hold, do_reset, NULL);
}
