/* SPDX-License-Identifier: Apache-2.0 */
/* A run's questions to the person. The card is free while a person thinks. */
#include "agent/run_internal.h"

#include "proto/base/secret.h"

static void
tell_pin(struct cw_run *run, const struct cw_pin_prompt *prompt)
{
	const struct cw_progress progress = { .kind = CW_PROGRESS_PERSON_BEGIN,
		.key = "pin",
		.problem = prompt->last,
		.reader = run->card.name,
		.has_tries = !prompt->is_new,
		.tries_left = prompt->tries_left };

	if (run->env.progress != NULL)
		run->env.progress(run->env.ctx, &progress);
}

static enum cw_err
ask(struct cw_run *run, struct cw_pin_prompt *prompt, struct cw_pin_value *out)
{
	struct cw_pin_entry *entry = run->env.pin_entry;
	enum cw_err err;

	if (entry == NULL)
		return CW_ERR_NO_PIN_ENTRY;
	if (cw_pin_rule_check(prompt->rule) != CW_OK)
		return CW_ERR_BAD_POLICY;
	for (size_t i = run->env.n_languages; i-- > 0;)
		(void)cw_message_lookup(run->env.languages[i],
		    &prompt->language);
	prompt->origin = run->env.origin;
	prompt->reader = run->card.name;
	tell_pin(run, prompt);
	err = prompt->is_new ? cw_pin_ask_new(entry, prompt, out) :
			       cw_pin_ask_existing(entry, prompt, out);
	cw_run_tell(run, CW_PROGRESS_PERSON_END, 0, "pin");
	return err;
}

enum cw_err
cw_run_ask_holder(struct cw_run *run, const struct cw_pin_info *info,
    unsigned tries_left, enum cw_err last)
{
	struct cw_pin_prompt prompt = {
		.what = CW_PIN_HOLDER,
		.rule = &info->rule,
		.tries_left = tries_left,
		.last = last,
	};

	if (tries_left == 0)
		return CW_ERR_PIN_BLOCKED;
	return ask(run, &prompt, run->pin);
}

static enum cw_err
ask_new(struct cw_run *run, const struct cw_pin_info *info)
{
	struct cw_pin_prompt pin = {
		.what = info->policy == 0 ? CW_PIN_HOLDER : CW_PIN_KEY,
		.is_new = true,
		.rule = &info->rule,
	};
	struct cw_pin_prompt puk = {
		.what = CW_PIN_PUK,
		.is_new = true,
		.rule = &info->puk_rule,
	};
	enum cw_err err = ask(run, &pin, run->pin);

	if (err == CW_OK && info->policy == 0)
		err = ask(run, &puk, run->puk);
	return err;
}

enum cw_err
cw_run_set_pin(struct cw_run *run)
{
	struct cw_pin_info info;
	struct cw_set_pin set = { 0 };
	enum cw_err err = cw_icc_pin_info(&run->card, &info);

	if (err != CW_OK)
		return err;
	cw_icc_end(&run->card);
	err = ask_new(run, &info);
	if (err == CW_OK)
		err = cw_icc_begin(&run->card);
	if (err == CW_OK) {
		memcpy(set.session_id, run->session_id, CW_SESSION_ID_BYTES);
		set.policy = info.policy;
		set.group = info.group;
		set.pin = cw_bytes(run->pin->bytes, run->pin->len);
		if (info.policy == 0)
			set.puk = cw_bytes(run->puk->bytes, run->puk->len);
		err = cw_icc_set_pin(&run->card, &set);
	}
	cw_wipe(run->pin, sizeof(*run->pin));
	cw_wipe(run->puk, sizeof(*run->puk));
	return err;
}
