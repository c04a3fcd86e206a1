/* SPDX-License-Identifier: Apache-2.0 */
/* The question before any card is touched. Refusing is the default. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/jsonl.h"
#include "agent/show.h"
#include "agent/stop.h"
#include "proto/base/fdio.h"
#include "proto/command.h"
#include "proto/text.h"

#define TEXT_MAX_BYTES 8192

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
	[CW_MODE_IDENTIFIED] = "exactly which card this is",
	[CW_MODE_PSEUDONYMOUS] = "the card's model, and that it is the same "
				 "card when you come back",
	[CW_MODE_ANONYMOUS] = "the card's model and nothing else",
};

/* What the commands of a scope do to a card. */
static const struct {
	enum cw_command_no no;
	const char *words;
} deeds[] = {
	{ CW_CREATE_PIN_POLICY, "set rules for a PIN" },
	{ CW_CREATE_PUK_POLICY, "set rules for a PUK" },
	{ CW_SET_CERTIFICATES, "install certificates" },
	{ CW_IMPORT_SYMMETRIC_KEY, "put a secret key on the card" },
	{ CW_IMPORT_PRIVATE_KEY, "put a private key on the card" },
	{ CW_SET_EXTENSION, "attach data to keys" },
	{ CW_LIST, "list the keys that it made before" },
	{ CW_DELETE_KEY, "DELETE keys" },
	{ CW_UNLOCK_KEY, "unlock PINs" },
	{ CW_UPDATE_KEY, "REPLACE keys" },
	{ CW_CLONE_KEY_PROTECTION, "copy the protection of keys" },
};

const char *
cw_show_mode(enum cw_mode mode)
{
	return modes[mode];
}

const char *
cw_show_action(enum cw_action action)
{
	return actions[action];
}

void
cw_show_scope(const struct cw_scope *scope, struct cw_buf *out)
{
	const char *separator = "";

	if (cw_scope_has_command(scope, CW_CREATE_KEY)) {
		cw_buf_printf(out, "make up to %u %s", scope->keys_max,
		    scope->keys_max == 1 ? "key" : "keys");
		for (size_t i = 0; i < scope->n_slots; i++)
			cw_buf_printf(out, "%s%02X",
			    i == 0 ? ", in slot " : " or ", scope->slots[i]);
		separator = "\n";
	}
	for (size_t i = 0; i < sizeof(deeds) / sizeof(deeds[0]); i++)
		if (cw_scope_has_command(scope, deeds[i].no)) {
			cw_buf_printf(out, "%s%s", separator, deeds[i].words);
			separator = "\n";
		}
	for (size_t i = 0; i < scope->n_objects; i++)
		cw_buf_printf(out, "%s%u",
		    i == 0 ? "\nchange its objects " : ", ",
		    (unsigned)scope->objects[i]);
}

/* Texts come checked from the decoder; what reaches a terminal is checked
 * where it is shown as well. */
static struct cw_bytes
shown(struct cw_bytes text)
{
	return cw_text_is_displayable(text) ? text :
					      cw_bytes_str("(not displayable)");
}

static void
row(struct cw_buf *out, const char *label, struct cw_bytes text)
{
	struct cw_bytes t = shown(text);

	cw_buf_printf(out, "  %-12s %.*s\n", label, (int)t.len,
	    (const char *)t.ptr);
}

static void
put_scope(struct cw_buf *out, const struct cw_scope *scope)
{
	struct cw_buf lines;
	const char *label = "It may";

	cw_buf_init(&lines, TEXT_MAX_BYTES);
	cw_show_scope(scope, &lines);
	cw_buf_put_u8(&lines, '\n');
	for (size_t at = 0; at < lines.len;) {
		const uint8_t *end =
		    memchr(lines.ptr + at, '\n', lines.len - at);
		size_t len = (size_t)(end - (lines.ptr + at));

		row(out, label, cw_bytes(lines.ptr + at, len));
		label = "";
		at += len + 1;
	}
	cw_buf_wipe(&lines);
}

static void
put_question(struct cw_buf *out, const struct cw_consent *c)
{
	struct cw_bytes origin = shown(c->origin);

	if (c->is_resume) {
		cw_buf_printf(out,
		    "This card holds an unfinished session with %.*s.\n",
		    (int)origin.len, (const char *)origin.ptr);
		return;
	}
	cw_buf_printf(out, "%.*s asks for your card.\n", (int)origin.len,
	    (const char *)origin.ptr);
	if (c->is_new)
		cw_buf_put_str(out, "  This issuer is NEW to this computer.\n");
	row(out, "Issuer", c->issuer_name);
	row(out, "Purpose", c->purpose);
	row(out, "Certificate", c->subject);
	put_scope(out, c->scope);
	row(out, "It learns", cw_bytes_str(cw_show_mode(c->mode)));
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
	}
	cw_jsonl_close(&line, '}');
	cw_jsonl_print(&line);
}

/* "y" or "yes" on the terminal; a line that is anything else refuses. */
static enum cw_err
read_yes(int fd, unsigned timeout_s)
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
	return strcmp(line, "y") == 0 || strcmp(line, "yes") == 0 ?
	    CW_OK :
	    CW_ERR_REFUSED;
}

enum cw_err
cw_show_consent(const struct cw_show *show, const struct cw_consent *consent,
    bool yes, unsigned timeout_s)
{
	int fd = yes ? STDOUT_FILENO :
		       open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct cw_buf text;
	enum cw_err err = CW_OK;

	if (show->json)
		print_json(consent);
	if (fd < 0) {
		fprintf(stderr,
		    "cardwright-agent: there is no terminal to ask "
		    "on; --yes accepts without asking\n");
		return CW_ERR_REFUSED;
	}
	cw_buf_init(&text, TEXT_MAX_BYTES);
	put_question(&text, consent);
	if (!yes)
		cw_buf_put_str(&text,
		    consent->is_resume ? "Go on? [y/N] " : "Accept? [y/N] ");
	if (!yes || !show->json)
		err = cw_fd_write(fd, cw_buf_bytes(&text));
	cw_buf_wipe(&text);
	if (!yes) {
		err = err == CW_OK ? read_yes(fd, timeout_s) : CW_ERR_REFUSED;
		close(fd);
	}
	return yes ? CW_OK : err;
}
