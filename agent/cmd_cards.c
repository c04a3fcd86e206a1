/* SPDX-License-Identifier: Apache-2.0 */
/* `cards`: readers, cards, and the slots with certificates. */
#include <stdio.h>

#include "agent/icc.h"
#include "agent/jsonl.h"
#include "agent/options.h"
#include "agent/show.h"
#include "proto/rfc4648.h"

#define LINE_MAX_BYTES 8192

struct listing {
	const struct cw_reader_info *info;
	enum cw_err err; /* of looking at the card */
	size_t n;
	struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX];
};

static const char *
type_name(enum cw_key_type type)
{
	const struct cw_key_type_info *info = cw_key_type_info(type);

	return info != NULL ? info->name : "unknown";
}

static void
look(struct cw_reader *reader, struct listing *l)
{
	struct cw_icc card;

	cw_icc_init(&card, reader);
	l->n = 0;
	l->err = cw_icc_connect(&card, l->info->name);
	if (l->err == CW_OK)
		l->err = cw_icc_begin(&card);
	if (l->err == CW_OK)
		l->err = cw_icc_list_public(&card, l->slots, &l->n);
	cw_icc_disconnect(&card, false);
}

static void
show_text(const struct listing *l)
{
	printf("%s\n", l->info->name);
	if (l->err != CW_OK) {
		printf("  %s\n", cw_message_what(cw_show_language(), l->err));
		return;
	}
	if (l->n == 0)
		printf("  %s\n", cw_message(cw_show_language(), "cli_no_keys"));
	for (size_t i = 0; i < l->n; i++)
		printf("  slot %02X  %-9s %s\n", l->slots[i].slot,
		    type_name(l->slots[i].type),
		    l->slots[i].has_certificate ? "with certificate" :
						  "without certificate");
}

static void
show_json(const struct listing *l)
{
	char atr[2 * CW_ATR_MAX + 1];
	struct cw_buf line;

	cw_buf_init(&line, LINE_MAX_BYTES);
	cw_jsonl_open(&line, NULL, '{');
	cw_jsonl_str(&line, "event", "reader");
	cw_jsonl_str(&line, "reader", l->info->name);
	cw_base16_encode(cw_bytes(l->info->atr, l->info->atr_len), atr);
	cw_jsonl_bool(&line, "card", l->info->has_card);
	cw_jsonl_str(&line, "atr", atr);
	cw_jsonl_number(&line, "error", (uint64_t)l->err);
	cw_jsonl_open(&line, "slots", '[');
	for (size_t i = 0; i < l->n; i++) {
		char slot[8];

		snprintf(slot, sizeof(slot), "%02X", l->slots[i].slot);
		cw_jsonl_open(&line, NULL, '{');
		cw_jsonl_str(&line, "slot", slot);
		cw_jsonl_str(&line, "type", type_name(l->slots[i].type));
		cw_jsonl_bool(&line, "certificate",
		    l->slots[i].has_certificate);
		cw_jsonl_close(&line, '}');
	}
	cw_jsonl_close(&line, ']');
	cw_jsonl_close(&line, '}');
	cw_jsonl_print(&line);
}

int
cw_cmd_cards(const struct cw_options *options)
{
	struct cw_reader_info info[CW_READERS_MAX];
	struct cw_reader *reader = cw_reader_pcsc_open();
	size_t n = 0;
	size_t shown = 0;
	enum cw_err err = CW_ERR_NO_MEMORY;

	if (reader != NULL)
		err = reader->ops->list(reader, info, &n);
	for (size_t i = 0; i < n; i++) {
		struct listing l = { .info = &info[i], .err = CW_ERR_NO_CARD };

		if (options->reader != NULL &&
		    strcmp(options->reader, info[i].name) != 0)
			continue;
		shown++;
		if (info[i].has_card)
			look(reader, &l);
		if (options->json)
			show_json(&l);
		else
			show_text(&l);
	}
	cw_reader_close(&reader);
	if (err == CW_OK && shown == 0)
		err = CW_ERR_NO_READER;
	return err == CW_OK ? 0 : cw_show_error(options->json, err, 0, 0);
}
