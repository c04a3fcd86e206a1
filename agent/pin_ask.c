/* SPDX-License-Identifier: Apache-2.0 */
/* PIN entry: the rules, the words, and going round again. */
#include "agent/pin_entry.h"

#include <stdio.h>

#include "proto/base/secret.h"
#include "proto/text.h"

#define ASK_MAX 10 /* times for one new PIN */

/* ---- words ---- */

static const char *const labels[] = {
	[CW_PIN_HOLDER] = "pin_label",
	[CW_PIN_PUK] = "puk_label",
	[CW_PIN_KEY] = "pin_label",
	[CW_PIN_KEY_PUK] = "puk_label",
};

static const char *const existing[] = {
	[CW_PIN_HOLDER] = "pin_enter_holder",
	[CW_PIN_PUK] = "pin_enter_puk",
	[CW_PIN_KEY] = "pin_enter_key",
	[CW_PIN_KEY_PUK] = "pin_enter_key_puk",
};

static const char *const chosen[] = {
	[CW_PIN_HOLDER] = "pin_choose_holder",
	[CW_PIN_PUK] = "pin_choose_puk",
	[CW_PIN_KEY] = "pin_choose_key",
	[CW_PIN_KEY_PUK] = "pin_choose_puk",
};

/* With one length, and with a range of them. */
static const struct {
	const char *exact, *range;
} formats[] = {
	[CW_PIN_DIGITS] = { "pin_rule_exact_digits", "pin_rule_range_digits" },
	[CW_PIN_ALPHANUMERIC] = { "pin_rule_exact_alphanumeric",
	    "pin_rule_range_alphanumeric" },
	[CW_PIN_PRINTABLE] = { "pin_rule_exact_printable",
	    "pin_rule_range_printable" },
	[CW_PIN_TEXT] = { "pin_rule_exact_text", "pin_rule_range_text" },
	[CW_PIN_BINARY] = { "pin_rule_exact_binary", "pin_rule_range_binary" },
};

static const struct {
	unsigned pattern;
	const char *key;
} patterns[] = {
	{ CW_PIN_NO_SEQUENCE, "pin_rule_no_sequence" },
	{ CW_PIN_NO_REPEATS, "pin_rule_no_repeats" },
	{ CW_PIN_NO_FEW, "pin_rule_no_few" },
	{ CW_PIN_NO_PAIRS, "pin_rule_no_pairs" },
	{ CW_PIN_NO_TWICE, "pin_rule_no_twice" },
};

void
cw_pin_label(const struct cw_pin_prompt *prompt, bool is_again,
    char out[CW_PIN_LABEL_MAX])
{
	const struct cw_bytes label =
	    cw_bytes_str(cw_message(prompt->language, labels[prompt->what]));
	struct cw_buf text;

	cw_buf_init(&text, CW_PIN_LABEL_MAX - 1);
	cw_message_put(&text, prompt->language,
	    is_again ? "pin_prompt_again" : "pin_prompt", &label, 1);
	snprintf(out, CW_PIN_LABEL_MAX, "%.*s", (int)text.len,
	    text.len > 0 ? (const char *)text.ptr : "");
	cw_buf_wipe(&text);
}

static void
begin_line(struct cw_buf *out)
{
	if (out->len > 0)
		cw_buf_put_u8(out, '\n');
}

static void
put_rule(struct cw_buf *out, enum cw_language language,
    const struct cw_pin_rule *rule)
{
	char min[16];
	char max[16];
	struct cw_bytes values[2];

	snprintf(min, sizeof(min), "%u", rule->min);
	snprintf(max, sizeof(max), "%u", rule->max);
	values[0] = cw_bytes_str(min);
	values[1] = cw_bytes_str(max);
	if (rule->min == rule->max)
		cw_message_put(out, language, formats[rule->format].exact,
		    values, 1);
	else
		cw_message_put(out, language, formats[rule->format].range,
		    values, 2);
	for (size_t i = 0; i < sizeof(patterns) / sizeof(patterns[0]); i++)
		if ((rule->forbidden & patterns[i].pattern) != 0)
			cw_buf_printf(out, ", %s",
			    cw_message(language, patterns[i].key));
	if ((rule->forbidden & CW_PIN_NO_MISSING) != 0)
		cw_buf_printf(out, ", %s",
		    cw_message(language,
			rule->format == CW_PIN_ALPHANUMERIC ?
			    "pin_rule_letters_digits" :
			    "pin_rule_all_kinds"));
	cw_buf_put_u8(out, '.');
}

/* It has been checked where it came in; what is shown is checked again. */
static void
put_from(struct cw_buf *out, enum cw_language language, const char *key,
    struct cw_bytes text)
{
	if (text.len == 0 || !cw_text_is_displayable(text))
		return;
	begin_line(out);
	cw_message_put(out, language, key, &text, 1);
}

void
cw_pin_text(const struct cw_pin_prompt *prompt, char out[CW_PIN_TEXT_MAX])
{
	enum cw_language language = prompt->language;
	struct cw_buf text;
	struct cw_bytes tries;
	char number[16];

	cw_buf_init(&text, CW_PIN_TEXT_MAX - 1);
	if (prompt->last != CW_OK)
		cw_buf_put_str(&text, cw_message_what(language, prompt->last));
	begin_line(&text);
	cw_buf_put_str(&text,
	    cw_message(language,
		!prompt->is_new         ? existing[prompt->what] :
		    prompt->key.len > 0 ? "pin_change_key" :
					  chosen[prompt->what]));
	begin_line(&text);
	if (prompt->is_new) {
		put_rule(&text, language, prompt->rule);
	} else {
		snprintf(number, sizeof(number), "%u", prompt->tries_left);
		tries = cw_bytes_str(number);
		cw_message_put(&text, language, "pin_tries_left", &tries, 1);
	}
	put_from(&text, language, "pin_asked_for", prompt->origin);
	put_from(&text, language, "pin_key", prompt->key);
	if (prompt->reader != NULL)
		put_from(&text, language, "pin_reader",
		    cw_bytes_str(prompt->reader));
	snprintf(out, CW_PIN_TEXT_MAX, "%.*s", (int)text.len,
	    text.len > 0 ? (const char *)text.ptr : "");
	cw_buf_wipe(&text);
}

/* ---- asking ---- */

struct cw_pin_entry *
cw_pin_entry_person(const char *pinentry, unsigned timeout_s)
{
	struct cw_pin_entry *entry = NULL;

	if (pinentry == NULL)
		entry = cw_pin_entry_tty(timeout_s);
	return entry != NULL ? entry :
			       cw_pin_entry_pinentry(pinentry, timeout_s);
}

void
cw_pin_entry_close(struct cw_pin_entry **entry)
{
	if (*entry != NULL)
		(*entry)->close(*entry);
	*entry = NULL;
}

static void
clear(struct cw_pin_value *value)
{
	cw_wipe(value, sizeof(*value));
}

enum cw_err
cw_pin_ask_new(struct cw_pin_entry *entry, struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	enum cw_err err = CW_OK;

	prompt->is_new = true;
	for (int i = 0; i < ASK_MAX; i++) {
		clear(out);
		err = entry->ask(entry, prompt, out);
		if (err == CW_OK)
			err = cw_pin_check(prompt->rule,
			    cw_bytes(out->bytes, out->len));
		if (err == CW_OK)
			return CW_OK;
		clear(out);
		if (!entry->can_repeat ||
		    cw_err_category(err) != CW_CAT_PERSON ||
		    err == CW_ERR_REFUSED || err == CW_ERR_PERSON_TIMEOUT)
			return err;
		prompt->last = err;
	}
	return err;
}

enum cw_err
cw_pin_ask_existing(struct cw_pin_entry *entry, struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	enum cw_err err = CW_OK;

	prompt->is_new = false;
	for (int i = 0; i < ASK_MAX; i++) {
		clear(out);
		err = entry->ask(entry, prompt, out);
		if (err != CW_OK && err != CW_ERR_PIN_LENGTH)
			return err;
		/* A slip of the finger should not cost a try on the card. */
		if (err == CW_OK && out->len >= prompt->rule->min &&
		    out->len <= prompt->rule->max)
			return CW_OK;
		err = CW_ERR_PIN_LENGTH;
		clear(out);
		if (!entry->can_repeat)
			break;
		prompt->last = err;
	}
	return err;
}
