/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PIN entry by pinentry (its manual, "Implementing a pinentry", is the
 * protocol): one process for each question.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "agent/assuan.h"
#include "agent/pin_entry.h"
#include "proto/base/secret.h"

#define DEFAULT_PROGRAM "pinentry"

/* libgpg-error's codes, the low 16 bits of an ERR line's number. */
#define GPG_TIMEOUT 62
#define GPG_CANCELED 99
#define GPG_NOT_CONFIRMED 114
#define GPG_FULLY_CANCELED 198

struct entry_pinentry {
	struct cw_pin_entry base;
	char program[1024];
	unsigned timeout_s;
	struct cw_assuan *assuan;   /* guarded */
	struct cw_pin_value *again; /* guarded */
};

static const struct {
	unsigned code;
	enum cw_err err;
} errors[] = {
	{ GPG_TIMEOUT, CW_ERR_PERSON_TIMEOUT },
	{ GPG_CANCELED, CW_ERR_REFUSED },
	{ GPG_NOT_CONFIRMED, CW_ERR_REFUSED },
	{ GPG_FULLY_CANCELED, CW_ERR_REFUSED },
};

/* What is none of these, such as ENOTTY, is no way to show a dialog. */
static enum cw_err
meaning(unsigned error)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++)
		if (errors[i].code == (error & 0xffff))
			return errors[i].err;
	return CW_ERR_NO_PIN_ENTRY;
}

/* A setting; a pinentry that does not know it goes without. */
static enum cw_err
set(struct cw_assuan *a, const char *command, const char *argument)
{
	bool ok;

	return cw_assuan_call(a, command, argument, &ok);
}

static enum cw_err
set_option(struct cw_assuan *a, const char *name, const char *value)
{
	char line[512];

	if (value == NULL || value[0] == '\0' ||
	    snprintf(line, sizeof(line), "%s=%s", name, value) >=
		(int)sizeof(line))
		return CW_OK;
	return set(a, "OPTION", line);
}

/* The terminal it may draw on: ours, whichever descriptor shows it. */
static const char *
terminal(void)
{
	const char *name = getenv("GPG_TTY");

	for (int fd = 0; fd < 3 && name == NULL; fd++)
		name = ttyname(fd);
	return name;
}

static const char *
locale(void)
{
	static const char *const names[] = { "LC_ALL", "LC_CTYPE", "LANG" };
	const char *value = NULL;

	for (size_t i = 0; i < 3 && (value == NULL || value[0] == '\0'); i++)
		value = getenv(names[i]);
	return value;
}

/*
 * A pinentry of the flavour "tty" without a terminal says "cancelled", as if
 * the person had: so it is not asked at all then.
 */
static enum cw_err
check_flavor(struct cw_assuan *a, char *out, size_t size)
{
	bool ok;
	enum cw_err err = cw_assuan_call(a, "GETINFO", "flavor", &ok);

	if (err != CW_OK)
		return err;
	snprintf(out, size, "%.*s", ok ? (int)a->data_len : 0,
	    (const char *)a->data);
	if ((strcmp(out, "tty") == 0 || strcmp(out, "curses") == 0) &&
	    terminal() == NULL)
		return CW_ERR_NO_PIN_ENTRY;
	return CW_OK;
}

static enum cw_err
set_environment(struct cw_assuan *a)
{
	const char *name = terminal();
	enum cw_err err = set_option(a, "ttyname", name);

	if (err == CW_OK && name != NULL)
		err = set_option(a, "ttytype", getenv("TERM"));
	if (err == CW_OK)
		err = set_option(a, "lc-ctype", locale());
	if (err == CW_OK)
		err = set_option(a, "display", getenv("DISPLAY"));
	return err;
}

static enum cw_err
set_texts(struct cw_assuan *a, const struct cw_pin_prompt *prompt)
{
	char text[CW_PIN_TEXT_MAX];
	char label[CW_PIN_LABEL_MAX];
	struct cw_pin_prompt without = *prompt;
	enum cw_err err;

	/* What was wrong has a place of its own in the dialog. */
	without.last = CW_OK;
	cw_pin_text(&without, text);
	err = set(a, "SETTITLE", "Cardwright");
	if (err == CW_OK)
		err = set(a, "SETDESC", text);
	cw_pin_label(prompt, false, label);
	if (err == CW_OK)
		err = set(a, "SETPROMPT", label);
	if (err == CW_OK && prompt->last != CW_OK)
		err = set(a, "SETERROR",
		    cw_message_what(prompt->language, prompt->last));
	return err;
}

static enum cw_err
get_pin(struct cw_assuan *a, struct cw_pin_value *out)
{
	bool ok;
	enum cw_err err = cw_assuan_call(a, "GETPIN", NULL, &ok);

	if (err != CW_OK)
		return err;
	if (!ok)
		return meaning(a->error);
	if (a->data_len > sizeof(out->bytes))
		return CW_ERR_PIN_LENGTH;
	out->len = a->data_len;
	memcpy(out->bytes, a->data, a->data_len);
	cw_wipe(a->data, sizeof(a->data));
	return CW_OK;
}

/* The second time: by the pinentry itself, or where it cannot, by asking. */
static enum cw_err
get_again(struct entry_pinentry *entry, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	struct cw_assuan *a = entry->assuan;
	char label[CW_PIN_LABEL_MAX];
	enum cw_err err;

	cw_pin_label(prompt, true, label);
	err = set(a, "SETPROMPT", label);
	if (err == CW_OK)
		err = get_pin(a, entry->again);
	if (err == CW_OK &&
	    !cw_secret_equal(cw_bytes(out->bytes, out->len),
		cw_bytes(entry->again->bytes, entry->again->len)))
		err = CW_ERR_PIN_MISMATCH;
	cw_wipe(entry->again, sizeof(*entry->again));
	return err;
}

static enum cw_err
converse(struct entry_pinentry *entry, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	struct cw_assuan *a = entry->assuan;
	char text[CW_PIN_LABEL_MAX];
	enum cw_err err = check_flavor(a, text, sizeof(text));

	if (err == CW_OK)
		err = set_environment(a);
	if (err == CW_OK)
		err = set_texts(a, prompt);
	snprintf(text, sizeof(text), "%u", entry->timeout_s);
	if (err == CW_OK && entry->timeout_s > 0)
		err = set(a, "SETTIMEOUT", text);
	cw_pin_label(prompt, true, text);
	if (err == CW_OK && prompt->is_new)
		err = set(a, "SETREPEAT", text);
	if (err == CW_OK && prompt->is_new)
		err = set(a, "SETREPEATERROR",
		    cw_message_what(prompt->language, CW_ERR_PIN_MISMATCH));
	if (err == CW_OK)
		err = get_pin(a, out);
	if (err == CW_OK && prompt->is_new && !a->was_repeated)
		err = get_again(entry, prompt, out);
	return err;
}

static enum cw_err
pinentry_ask(struct cw_pin_entry *base, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	struct entry_pinentry *entry = (struct entry_pinentry *)base;
	enum cw_err err;

	entry->assuan->timeout_s = entry->timeout_s;
	err = cw_assuan_open(entry->assuan, entry->program);
	if (err == CW_OK)
		err = converse(entry, prompt, out);
	cw_assuan_close(entry->assuan);
	return err;
}

static void
pinentry_close(struct cw_pin_entry *base)
{
	struct entry_pinentry *entry = (struct entry_pinentry *)base;

	cw_secret_free(&entry->assuan);
	cw_secret_free(&entry->again);
	free(entry);
}

struct cw_pin_entry *
cw_pin_entry_pinentry(const char *program, unsigned timeout_s)
{
	struct entry_pinentry *entry = calloc(1, sizeof(*entry));

	if (entry == NULL)
		return NULL;
	entry->base = (struct cw_pin_entry){ .ask = pinentry_ask,
		.close = pinentry_close,
		.can_repeat = true,
		.name = "pinentry" };
	entry->timeout_s = timeout_s;
	snprintf(entry->program, sizeof(entry->program), "%s",
	    program != NULL ? program : DEFAULT_PROGRAM);
	entry->assuan = cw_secret_new(sizeof(*entry->assuan));
	entry->again = cw_secret_new(sizeof(*entry->again));
	if (entry->assuan == NULL || entry->again == NULL) {
		pinentry_close(&entry->base);
		return NULL;
	}
	entry->assuan->to = entry->assuan->from = -1;
	return &entry->base;
}

enum cw_err
cw_pinentry_flavor(const char *program, char *out, size_t size)
{
	struct cw_pin_entry *base = cw_pin_entry_pinentry(program, 5);
	struct entry_pinentry *entry = (struct entry_pinentry *)base;
	enum cw_err err;

	out[0] = '\0';
	if (entry == NULL)
		return CW_ERR_NO_MEMORY;
	entry->assuan->timeout_s = 5;
	err = cw_assuan_open(entry->assuan, entry->program);
	if (err == CW_OK)
		err = check_flavor(entry->assuan, out, size);
	cw_assuan_close(entry->assuan);
	cw_pin_entry_close(&base);
	return err;
}
