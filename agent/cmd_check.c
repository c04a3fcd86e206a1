/* SPDX-License-Identifier: Apache-2.0 */
/* `check`: what of this machine's set-up works, and what to do about the
 * rest. Touches no card. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/check.h"
#include "agent/net.h"
#include "agent/jsonl.h"
#include "agent/options.h"
#include "agent/run.h"
#include "agent/show.h"
#include "proto/rfc4648.h"

void
cw_check_report(struct cw_check *c, const char *name, enum cw_err err,
    const char *text)
{
	struct cw_buf line;

	if (err != CW_OK && c->first == CW_OK)
		c->first = err;
	if (!c->json) {
		printf("%-4s %-10s %s\n", err == CW_OK ? "ok" : "NO", name,
		    err == CW_OK ? text : cw_err_what(err));
		if (err != CW_OK && text[0] != '\0')
			printf("     %-10s %s\n", "", text);
		if (err != CW_OK)
			printf("     %-10s %s\n", "", cw_err_remedy(err));
		return;
	}
	cw_buf_init(&line, 4096);
	cw_jsonl_open(&line, NULL, '{');
	cw_jsonl_str(&line, "event", "check");
	cw_jsonl_str(&line, "name", name);
	cw_jsonl_number(&line, "error", (uint64_t)err);
	cw_jsonl_str(&line, "text", err == CW_OK ? text : cw_err_what(err));
	if (err != CW_OK && text[0] != '\0')
		cw_jsonl_str(&line, "detail", text);
	cw_jsonl_close(&line, '}');
	cw_jsonl_print(&line);
}

static void
check_readers(struct cw_check *c)
{
	struct cw_reader_info *info = calloc(CW_READERS_MAX, sizeof(*info));
	struct cw_reader *reader = cw_reader_pcsc_open();
	char text[CW_READER_NAME_MAX + 2 * CW_ATR_MAX + 64];
	size_t n = 0;
	enum cw_err err = CW_ERR_NO_MEMORY;

	if (reader != NULL && info != NULL)
		err = reader->ops->list(reader, info, &n);
	cw_check_report(c, "pcscd", err, "the smart card service answers");
	if (err == CW_OK && n == 0)
		cw_check_report(c, "reader", CW_ERR_NO_READER, "");
	for (size_t i = 0; i < n; i++) {
		char atr[2 * CW_ATR_MAX + 1];

		cw_base16_encode(cw_bytes(info[i].atr, info[i].atr_len), atr);
		snprintf(text, sizeof(text), "%.*s: %s%s%s", CW_READER_NAME_MAX,
		    info[i].name, info[i].has_card ? "card, ATR " : "no card",
		    atr,
		    info[i].is_exclusive ? ", in use by another program" : "");
		cw_check_report(c, "reader", CW_OK, text);
	}
	cw_reader_close(&reader);
	free(info);
}

static void
check_dialog(struct cw_check *c, const char *program)
{
	struct cw_pin_entry *tty = cw_pin_entry_tty(0);
	char text[64] = "";
	enum cw_err err = CW_OK;

	if (tty != NULL)
		cw_check_report(c, "terminal", CW_OK,
		    "PINs can be asked for here");
	cw_pin_entry_close(&tty);
	err = cw_pinentry_flavor(program, text, sizeof(text));
	cw_check_report(c, "pinentry", err, text);
}

static void
check_memory(struct cw_check *c, const char *path)
{
	struct cw_known known;
	char text[sizeof(known.path) + 64];
	size_t n = 0;
	enum cw_err err = cw_known_init(&known, path);

	if (err == CW_OK)
		err = cw_known_count(&known, &n);
	if (err == CW_OK)
		snprintf(text, sizeof(text), "%zu issuers in %s", n,
		    known.path);
	cw_check_report(c, "memory", err, text);
}

int
cw_cmd_check(const struct cw_options *options)
{
	struct cw_check c = { .json = options->json };
	char text[256];

	snprintf(text, sizeof(text), "%s, protocol %d, pcsc-lite %s, %s",
	    CW_AGENT_VERSION, CW_VERSION, cw_reader_pcsc_version(),
	    cw_net_library());
	cw_check_report(&c, "versions", CW_OK, text);
	check_readers(&c);
	check_dialog(&c, options->pinentry);
	check_memory(&c, options->memory);
	cw_check_browsers(&c, options->root);
	return cw_err_exit_status(c.first);
}
