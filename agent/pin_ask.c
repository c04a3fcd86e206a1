/* SPDX-License-Identifier: Apache-2.0 */
/* PIN entry: the rules, the words, and going round again. */
#include "agent/pin_entry.h"

#include <stdio.h>

#include "proto/base/secret.h"
#include "proto/text.h"

#define ASK_MAX 10 /* times for one new PIN */

static const char *const labels[] = {
	[CW_PIN_HOLDER] = "PIN",
	[CW_PIN_PUK] = "PUK",
	[CW_PIN_KEY] = "PIN",
};

static const char *const existing[] = {
	[CW_PIN_HOLDER] = "Enter the PIN of your card.",
	[CW_PIN_PUK] = "Enter the PUK of your card.",
	[CW_PIN_KEY] = "Enter the PIN of the keys.",
};

static const char *const chosen[] = {
	[CW_PIN_HOLDER] = "Choose a PIN for your card. "
			  "You will need it whenever the card is used.",
	[CW_PIN_PUK] = "Choose a PUK for your card. It unblocks the card "
		       "after too many wrong PINs: write it down.",
	[CW_PIN_KEY] = "Choose a PIN for the new keys.",
};

static const char *const formats[] = {
	[CW_PIN_DIGITS] = "digits",
	[CW_PIN_ALPHANUMERIC] = "letters and digits",
	[CW_PIN_PRINTABLE] = "characters of the keyboard",
	[CW_PIN_TEXT] = "characters",
	[CW_PIN_BINARY] = "bytes",
};

const char *
cw_pin_label(enum cw_pin_what what)
{
	return labels[what];
}

void
cw_pin_entry_close(struct cw_pin_entry **entry)
{
	if (*entry != NULL)
		(*entry)->close(*entry);
	*entry = NULL;
}

static void
add(char out[CW_PIN_TEXT_MAX], const char *separator, const char *text)
{
	size_t n = strlen(out);

	snprintf(out + n, CW_PIN_TEXT_MAX - n, "%s%s", n > 0 ? separator : "",
	    text);
}

static void
add_rule(char out[CW_PIN_TEXT_MAX], const struct cw_pin_rule *rule)
{
	char line[160];

	if (rule->min == rule->max)
		snprintf(line, sizeof(line), "It has %u %s", rule->min,
		    formats[rule->format]);
	else
		snprintf(line, sizeof(line), "It has %u to %u %s", rule->min,
		    rule->max, formats[rule->format]);
	add(out, "\n", line);
	if ((rule->forbidden & CW_PIN_NO_SEQUENCE) != 0)
		add(out, ", ", "no sequence like 123456");
	if ((rule->forbidden & CW_PIN_NO_REPEATS) != 0)
		add(out, ", ", "no character three times in a row");
	if ((rule->forbidden & CW_PIN_NO_FEW) != 0)
		add(out, ", ", "at least three different characters");
	if ((rule->forbidden & CW_PIN_NO_PAIRS) != 0)
		add(out, ", ", "no character twice in a row");
	if ((rule->forbidden & CW_PIN_NO_TWICE) != 0)
		add(out, ", ", "no character twice");
	if ((rule->forbidden & CW_PIN_NO_MISSING) != 0)
		add(out, ", ",
		    rule->format == CW_PIN_ALPHANUMERIC ?
			"letters as well as digits" :
			"small and capital letters, digits and others");
	add(out, "", ".");
}

void
cw_pin_text(const struct cw_pin_prompt *prompt, char out[CW_PIN_TEXT_MAX])
{
	char line[CW_URI_MAX + 160];

	out[0] = '\0';
	if (prompt->last != CW_OK)
		add(out, "\n", cw_err_what(prompt->last));
	add(out, "\n",
	    prompt->is_new ? chosen[prompt->what] : existing[prompt->what]);
	if (prompt->is_new)
		add_rule(out, prompt->rule);
	if (!prompt->is_new) {
		snprintf(line, sizeof(line), "Tries left: %u.",
		    prompt->tries_left);
		add(out, "\n", line);
	}
	/* It has been checked where it came in; shown text is checked again. */
	if (cw_text_is_displayable(prompt->origin)) {
		snprintf(line, sizeof(line), "Asked for: %.*s",
		    (int)prompt->origin.len, (const char *)prompt->origin.ptr);
		add(out, "\n", line);
	}
	if (prompt->reader != NULL &&
	    cw_text_is_displayable(cw_bytes_str(prompt->reader))) {
		snprintf(line, sizeof(line), "Reader: %s", prompt->reader);
		add(out, "\n", line);
	}
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
