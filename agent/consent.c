/* SPDX-License-Identifier: Apache-2.0 */
/* The question before any card is touched. Refusing is the default. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <termios.h>
#include <unistd.h>

#include "agent/jsonl.h"
#include "agent/show.h"
#include "agent/stop.h"
#include "proto/base/fdio.h"
#include "proto/command.h"
#include "proto/grant.h"
#include "proto/text.h"

#define TEXT_MAX_BYTES 65536 /* 32 objects with their names, three times */

static const char *const actions[] = {
	[CW_ACTION_ENROLL] = "enroll",
	[CW_ACTION_RENEW] = "renew",
	[CW_ACTION_MANAGE] = "manage",
	[CW_ACTION_UNLOCK] = "unlock",
};

static const char *const mode_names[] = {
	[CW_MODE_IDENTIFIED] = "identified",
	[CW_MODE_PSEUDONYMOUS] = "pseudonymous",
	[CW_MODE_ANONYMOUS] = "anonymous",
};

static const char *const modes[] = {
	[CW_MODE_IDENTIFIED] = "mode_identified",
	[CW_MODE_PSEUDONYMOUS] = "mode_pseudonymous",
	[CW_MODE_ANONYMOUS] = "mode_anonymous",
};

/* What the commands of a scope do to a card. */
static const struct {
	enum cw_command_no no;
	const char *key;
} deeds[] = {
	{ CW_CREATE_PIN_POLICY, "cli_does_pin_rules" },
	{ CW_CREATE_PUK_POLICY, "cli_does_puk_rules" },
	{ CW_SET_CERTIFICATES, "cli_does_certificates" },
	{ CW_IMPORT_SYMMETRIC_KEY, "cli_does_import_secret" },
	{ CW_IMPORT_PRIVATE_KEY, "cli_does_import_private" },
	{ CW_SET_EXTENSION, "cli_does_extension" },
	{ CW_LIST, "cli_does_list" },
	{ CW_DELETE_KEY, "cli_does_delete" },
	{ CW_UNLOCK_KEY, "cli_does_unlock" },
	{ CW_UPDATE_KEY, "cli_does_replace" },
	{ CW_CLONE_KEY_PROTECTION, "cli_does_clone" },
};

const char *
cw_show_mode(enum cw_language language, enum cw_mode mode)
{
	return cw_message(language, modes[mode]);
}

const char *
cw_show_action(enum cw_action action)
{
	return actions[action];
}

/* "make up to 2 keys, in slot 9A or 9C". */
static void
put_keys(enum cw_language language, const struct cw_scope *scope,
    struct cw_buf *out)
{
	struct cw_bytes value;
	struct cw_buf slots;
	char count[16];

	snprintf(count, sizeof(count), "%u", scope->keys_max);
	value = cw_bytes_str(count);
	if (scope->keys_max == 1)
		cw_buf_put_str(out, cw_message(language, "cli_make_key"));
	else
		cw_message_put(out, language, "cli_make_keys", &value, 1);
	if (scope->n_slots == 0)
		return;
	cw_buf_init(&slots, TEXT_MAX_BYTES);
	for (size_t i = 0; i < scope->n_slots; i++) {
		if (i > 0)
			cw_buf_printf(&slots, " %s ",
			    cw_message(language, "cli_or"));
		cw_buf_printf(&slots, "%02X", scope->slots[i]);
	}
	value = cw_buf_bytes(&slots);
	cw_buf_put_str(out, ", ");
	cw_message_put(out, language, "cli_slots", &value, 1);
	cw_buf_wipe(&slots);
}

static void
put_objects(enum cw_language language, const struct cw_scope *scope,
    struct cw_buf *out)
{
	struct cw_bytes value;
	struct cw_buf list;

	cw_buf_init(&list, TEXT_MAX_BYTES);
	for (size_t i = 0; i < scope->n_objects; i++)
		cw_buf_printf(&list, "%s%u", i == 0 ? "" : ", ",
		    (unsigned)scope->objects[i]);
	value = cw_buf_bytes(&list);
	cw_buf_put_u8(out, '\n');
	cw_message_put(out, language, "cli_objects", &value, 1);
	cw_buf_wipe(&list);
}

/* "REPLACE keys: CN=Ada Lovelace, in slot 9A", a line for each. */
static void
put_named(enum cw_language language, const char *deed,
    const struct cw_consent *c, struct cw_buf *out)
{
	for (size_t i = 0; i < c->n_objects; i++) {
		const struct cw_intent_object *o = &c->objects[i];
		char slot[3];
		struct cw_bytes value = cw_bytes_str(slot);

		cw_buf_printf(out, "%s%s: %.*s", i > 0 ? "\n" : "", deed,
		    (int)o->name.len, (const char *)o->name.ptr);
		if (o->slot == 0)
			continue;
		snprintf(slot, sizeof(slot), "%02X", o->slot);
		value.len = 2;
		cw_buf_put_str(out, ", ");
		cw_message_put(out, language, "cli_slots", &value, 1);
	}
}

/* What is done to objects; the rest has no names. */
static bool
is_on_objects(enum cw_command_no no)
{
	return no == CW_DELETE_KEY || no == CW_UNLOCK_KEY ||
	    no == CW_UPDATE_KEY;
}

void
cw_show_scope(enum cw_language language, const struct cw_consent *c,
    struct cw_buf *out)
{
	const struct cw_scope *scope = c->scope;
	const char *separator = "";

	if (cw_scope_has_command(scope, CW_CREATE_KEY)) {
		put_keys(language, scope, out);
		separator = "\n";
	}
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++) {
		/* What goes for a new key is replaced, by whichever command. */
		bool renews = deeds[i].no == CW_DELETE_KEY &&
		    c->action == CW_ACTION_RENEW;
		const char *deed = cw_message(language,
		    renews ? "cli_does_replace" : deeds[i].key);

		if (!cw_scope_has_command(scope, deeds[i].no))
			continue;
		cw_buf_put_str(out, separator);
		if (is_on_objects(deeds[i].no) && c->n_objects > 0)
			put_named(language, deed, c, out);
		else
			cw_buf_put_str(out, deed);
		separator = "\n";
	}
	if (scope->n_objects > c->n_objects)
		put_objects(language, scope, out);
}

/* Texts come checked from the decoder; what reaches a terminal is checked
 * where it is shown as well. */
static struct cw_bytes
shown(enum cw_language language, struct cw_bytes text)
{
	return cw_text_is_displayable(text) ?
	    text :
	    cw_bytes_str(cw_message(language, "cli_not_displayable"));
}

static void
row(struct cw_buf *out, enum cw_language language, const char *key,
    struct cw_bytes text)
{
	const char *label = key == NULL ? "" : cw_message(language, key);
	struct cw_bytes t = shown(language, text);

	cw_buf_printf(out, "  %s%*s %.*s\n", label, cw_show_gap(label, 12), "",
	    (int)t.len, (const char *)t.ptr);
}

static void
put_scope(struct cw_buf *out, enum cw_language language,
    const struct cw_consent *c)
{
	struct cw_buf lines;
	const char *key = "cli_may";

	cw_buf_init(&lines, TEXT_MAX_BYTES);
	cw_show_scope(language, c, &lines);
	cw_buf_put_u8(&lines, '\n');
	if (lines.err != CW_OK && out->err == CW_OK)
		out->err = lines.err;
	for (size_t at = 0; lines.err == CW_OK && at < lines.len;) {
		const uint8_t *end =
		    memchr(lines.ptr + at, '\n', lines.len - at);
		size_t len = (size_t)(end - (lines.ptr + at));

		row(out, language, key, cw_bytes(lines.ptr + at, len));
		key = NULL;
		at += len + 1;
	}
	cw_buf_wipe(&lines);
}

static void
put_question(struct cw_buf *out, enum cw_language language,
    const struct cw_consent *c)
{
	struct cw_bytes origin = shown(language, c->origin);

	cw_message_put(out, language,
	    c->is_resume ? "cli_unfinished" : "cli_asks", &origin, 1);
	cw_buf_put_u8(out, '\n');
	if (c->is_resume)
		return;
	if (c->is_new)
		cw_buf_printf(out, "  %s\n", cw_message(language, "cli_new"));
	row(out, language, "label_issuer", c->issuer_name);
	row(out, language, "cli_purpose", c->purpose);
	if (cw_scope_makes_keys(c->scope))
		row(out, language, "cli_certificate", c->subject);
	put_scope(out, language, c);
	row(out, language, "cli_learns",
	    cw_bytes_str(cw_show_mode(language, c->mode)));
}

static void
print_json(const struct cw_consent *c)
{
	struct cw_buf line;

	cw_buf_init(&line, TEXT_MAX_BYTES);
	cw_jsonl_open(&line, NULL, '{');
	cw_jsonl_str(&line, "event", c->is_resume ? "resume" : "intent");
	cw_jsonl_text(&line, "origin", c->origin);
	if (!c->is_resume) {
		cw_jsonl_bool(&line, "new_origin", c->is_new);
		cw_jsonl_text(&line, "issuer", c->issuer_name);
		cw_jsonl_text(&line, "purpose", c->purpose);
		cw_jsonl_str(&line, "action", cw_show_action(c->action));
		cw_jsonl_text(&line, "subject", c->subject);
		cw_jsonl_str(&line, "mode", mode_names[c->mode]);
		cw_jsonl_number(&line, "keys_max", c->scope->keys_max);
		cw_jsonl_open(&line, "objects", '[');
		for (size_t i = 0; i < c->n_objects; i++)
			cw_jsonl_text(&line, NULL, c->objects[i].name);
		cw_jsonl_close(&line, ']');
	}
	cw_jsonl_close(&line, '}');
	cw_jsonl_print(&line);
}

/* Whether `line` is one of the words in `words`. */
static bool
is_among(const char *line, const char *words)
{
	size_t n = strlen(line);

	for (const char *at = words; n > 0 && at != NULL;
	     at = strchr(at, ' ') == NULL ? NULL : strchr(at, ' ') + 1)
		if (strncmp(at, line, n) == 0 &&
		    (at[n] == ' ' || at[n] == '\0'))
			return true;
	return false;
}

/* A yes on the terminal, in the person's language or in English; a line that
 * is anything else refuses. */
static enum cw_err
read_yes(int fd, enum cw_language language, unsigned timeout_s)
{
	char line[16] = { 0 };
	size_t n = 0;

	for (;;) {
		enum cw_err err = cw_stop_poll(fd, (int)timeout_s * 1000);
		char c = 0;
		ssize_t got;

		if (err != CW_OK)
			return err;
		got = read(fd, &c, 1);
		if (got < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (got <= 0)
			return CW_ERR_REFUSED;
		if (c == '\n')
			break;
		if (n < sizeof(line) - 1)
			line[n++] = (char)(c | 0x20);
	}
	return is_among(line, cw_message(language, "cli_yes")) ||
		is_among(line, cw_message(CW_LANGUAGE_EN, "cli_yes")) ?
	    CW_OK :
	    CW_ERR_REFUSED;
}

/* Half a question is none, and what was typed before it could be read is no
 * answer to it. */
static enum cw_err
ask(int fd, const struct cw_buf *question, enum cw_language language,
    unsigned timeout_s)
{
	if (question->err != CW_OK)
		return question->err;
	if (tcflush(fd, TCIFLUSH) != 0 ||
	    cw_fd_write(fd, cw_buf_bytes(question)) != CW_OK)
		return CW_ERR_REFUSED;
	return read_yes(fd, language, timeout_s);
}

static enum cw_err
no_terminal(enum cw_language language)
{
	fprintf(stderr, "cardwright-agent: %s\n",
	    cw_message(language, "cli_no_terminal"));
	return CW_ERR_REFUSED;
}

enum cw_err
cw_show_question(enum cw_language language, struct cw_bytes text,
    unsigned timeout_s)
{
	int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct cw_buf all;
	enum cw_err err;

	if (fd < 0)
		return no_terminal(language);
	cw_buf_init(&all, TEXT_MAX_BYTES);
	cw_buf_put(&all, text);
	cw_buf_printf(&all, "\n%s ", cw_message(language, "cli_go_on"));
	err = ask(fd, &all, language, timeout_s);
	cw_buf_wipe(&all);
	close(fd);
	return err;
}

enum cw_err
cw_show_consent(const struct cw_show *show, const struct cw_consent *consent,
    bool yes, unsigned timeout_s)
{
	int fd = yes ? STDOUT_FILENO :
		       open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct cw_buf text;
	enum cw_err err, ignored;

	if (show->json)
		print_json(consent);
	if (fd < 0)
		return no_terminal(show->language);
	cw_buf_init(&text, TEXT_MAX_BYTES);
	put_question(&text, show->language, consent);
	if (!yes)
		cw_buf_printf(&text, "%s ",
		    cw_message(show->language,
			consent->is_resume ? "cli_go_on" : "cli_accept"));
	err = text.err;
	if (!yes) {
		err = ask(fd, &text, show->language, timeout_s);
	} else if (err == CW_OK && !show->json) {
		ignored = cw_fd_write(fd, cw_buf_bytes(&text));
		(void)ignored;
	}
	cw_buf_wipe(&text);
	if (!yes)
		close(fd);
	return err;
}
