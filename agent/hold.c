/* SPDX-License-Identifier: Apache-2.0 */
/* The holder at the card: connection, PINs, and finding keys. */
#include "agent/hold_internal.h"

#include <stdlib.h>

#include "proto/base/secret.h"

#define KEYS_MAX 1024u /* more than any card has: one that lies ends */

enum cw_err
cw_hold_open(struct cw_hold *hold)
{
	enum cw_err err;

	hold->tries_left = -1;
	cw_icc_init(&hold->card, hold->reader);
	cw_buf_init(&hold->key_bytes, CW_RESPONSE_MAX);
	hold->holder = cw_secret_new(sizeof(*hold->holder));
	hold->value = cw_secret_new(sizeof(*hold->value));
	hold->fresh = cw_secret_new(sizeof(*hold->fresh));
	if (hold->holder == NULL || hold->value == NULL || hold->fresh == NULL)
		return CW_ERR_NO_MEMORY;
	err = cw_icc_connect(&hold->card, hold->reader_name);
	if (err == CW_OK)
		err = cw_icc_begin(&hold->card);
	if (err == CW_OK)
		err = cw_icc_pin_info(&hold->card, &hold->info);
	cw_icc_end(&hold->card);
	return err;
}

void
cw_hold_close(struct cw_hold *hold)
{
	cw_icc_disconnect(&hold->card, false);
	cw_secret_free(&hold->holder);
	cw_secret_free(&hold->value);
	cw_secret_free(&hold->fresh);
	cw_buf_wipe(&hold->key_bytes);
}

/* ---- values ---- */

static enum cw_err
wrong(enum cw_pin_what what)
{
	return what == CW_PIN_PUK || what == CW_PIN_KEY_PUK ? CW_ERR_PUK_WRONG :
							      CW_ERR_PIN_WRONG;
}

static enum cw_err
blocked(struct cw_hold *hold, enum cw_pin_what what)
{
	hold->tries_left = 0;
	if (what == CW_PIN_KEY_PUK)
		return CW_ERR_KEY_PUK_BLOCKED;
	return what == CW_PIN_PUK ? CW_ERR_PUK_BLOCKED : CW_ERR_PIN_BLOCKED;
}

static void
address(const struct cw_hold *hold, struct cw_pin_prompt *prompt)
{
	prompt->language = hold->language;
	prompt->reader = hold->card.name;
	if (prompt->what == CW_PIN_KEY || prompt->what == CW_PIN_KEY_PUK)
		prompt->key = hold->key.attributes.name;
}

enum cw_err
cw_hold_try(struct cw_hold *hold, struct cw_pin_prompt *prompt,
    struct cw_pin_value *value, cw_hold_attempt attempt, void *ctx)
{
	enum cw_err err = CW_OK;

	if (hold->pin_entry == NULL)
		return CW_ERR_NO_PIN_ENTRY;
	address(hold, prompt);
	while (prompt->tries_left > 0) {
		err = cw_pin_ask_existing(hold->pin_entry, prompt, value);
		if (err == CW_OK)
			err = attempt(hold, ctx);
		if (err != CW_OK)
			cw_wipe(value, sizeof(*value));
		if (err == CW_ERR_PIN_BLOCKED)
			break;
		if (err != CW_ERR_PIN_WRONG)
			return err;
		prompt->tries_left = hold->card.tries_left;
		prompt->last = wrong(prompt->what);
		hold->tries_left = (int)prompt->tries_left;
		if (!hold->pin_entry->can_repeat && prompt->tries_left > 0)
			return prompt->last;
	}
	return blocked(hold, prompt->what);
}

enum cw_err
cw_hold_ask_new(struct cw_hold *hold, enum cw_pin_what what,
    const struct cw_pin_rule *rule)
{
	struct cw_pin_prompt prompt = { .what = what, .rule = rule };

	if (hold->fresh->len > 0)
		return CW_OK;
	address(hold, &prompt);
	return cw_pin_ask_new(hold->pin_entry, &prompt, hold->fresh);
}

struct cw_pin_prompt
cw_hold_prompt_pin(const struct cw_hold *hold)
{
	return (struct cw_pin_prompt){ .what = CW_PIN_HOLDER,
		.rule = &hold->info.rule,
		.tries_left = hold->info.tries_left };
}

struct cw_pin_prompt
cw_hold_prompt_puk(const struct cw_hold *hold)
{
	return (struct cw_pin_prompt){ .what = CW_PIN_PUK,
		.rule = &hold->info.puk_rule,
		.tries_left = hold->info.puk_tries_left };
}

struct holding {
	cw_hold_attempt attempt;
	void *ctx;
};

static enum cw_err
in_burst(struct cw_hold *hold, void *ctx)
{
	const struct holding *holding = ctx;
	enum cw_err err = cw_icc_begin(&hold->card);

	if (err != CW_OK)
		return err;
	if (hold->info.is_set)
		err = cw_icc_verify(&hold->card, cw_hold_bytes(hold->holder));
	if (err == CW_OK)
		err = holding->attempt(hold, holding->ctx);
	cw_icc_end(&hold->card);
	return err;
}

enum cw_err
cw_hold_as_holder(struct cw_hold *hold, cw_hold_attempt attempt, void *ctx)
{
	struct holding holding = { attempt, ctx };
	struct cw_pin_prompt prompt = cw_hold_prompt_pin(hold);
	enum cw_err err;

	if (!hold->info.is_set || hold->knows_holder)
		return in_burst(hold, &holding);
	err = cw_hold_try(hold, &prompt, hold->holder, in_burst, &holding);
	hold->knows_holder = err == CW_OK;
	return err;
}

/* ---- keys ---- */

struct each {
	void (*each)(void *ctx, const struct cw_held_key *key);
	void *ctx;
};

static enum cw_err
read_all(struct cw_hold *hold, void *ctx)
{
	const struct each *e = ctx;
	uint32_t handle = 0;

	for (unsigned n = 0; n < KEYS_MAX && handle < UINT32_MAX; n++) {
		enum cw_err err = cw_icc_read_key(&hold->card, handle + 1,
		    &hold->key_bytes, &hold->key);

		if (err == CW_ERR_NO_SUCH_KEY)
			return CW_OK;
		if (err != CW_OK)
			return err;
		if (hold->key.handle <= handle)
			return CW_ERR_CARD_SAYS;
		handle = hold->key.handle;
		e->each(e->ctx, &hold->key);
	}
	return CW_OK;
}

enum cw_err
cw_hold_each(struct cw_hold *hold,
    void (*each)(void *ctx, const struct cw_held_key *key), void *ctx)
{
	struct each e = { each, ctx };

	return cw_hold_as_holder(hold, read_all, &e);
}

struct search {
	const char *which;
	uint32_t number; /* 0: no number */
	uint32_t by_name, by_number;
	unsigned names;
};

static void
compare(void *ctx, const struct cw_held_key *key)
{
	struct search *s = ctx;

	if (cw_bytes_is(key->attributes.name, s->which)) {
		s->names++;
		s->by_name = key->handle;
	}
	if (key->handle == s->number)
		s->by_number = key->handle;
}

/* The whole of the card is looked through, then the key is read once more. */
static enum cw_err
find(struct cw_hold *hold, void *ctx)
{
	struct search *s = ctx;
	struct each e = { compare, s };
	uint32_t handle;
	enum cw_err err;

	s->names = 0;
	err = read_all(hold, &e);
	hold->key.handle = 0;
	if (err != CW_OK)
		return err;
	if (s->names > 1)
		return CW_ERR_KEY_NAME_TWICE;
	handle = s->names == 1 ? s->by_name : s->by_number;
	if (handle == 0)
		return CW_ERR_NO_SUCH_KEY;
	return cw_icc_read_key(&hold->card, handle, &hold->key_bytes,
	    &hold->key);
}

enum cw_err
cw_hold_find(struct cw_hold *hold, const char *which)
{
	struct search s = { .which = which };
	char *end = NULL;
	unsigned long number = strtoul(which, &end, 10);

	if (which[0] >= '0' && which[0] <= '9' && *end == '\0' &&
	    number <= UINT32_MAX)
		s.number = (uint32_t)number;
	return cw_hold_as_holder(hold, find, &s);
}
