/* SPDX-License-Identifier: Apache-2.0 */
/* Progress, outcome and errors. */
#include "agent/show.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/jsonl.h"
#include "agent/language.h"

#define LINE_MAX_BYTES 8192

static const struct {
	const char *key, *message;
} texts[] = {
	{ "intent", "progress_intent" },
	{ "capabilities", "progress_capabilities" },
	{ "request", "progress_request" },
	{ "token", "progress_token" },
	{ "management-request", "progress_management_request" },
	{ "management-response", "progress_management_response" },
	{ "key-request", "progress_key_request" },
	{ "key-response", "progress_key_response" },
	{ "certificates", "progress_certificates" },
	{ "result", "progress_result" },
	{ "card", "cli_wait_card" },
};

enum cw_language
cw_show_language(void)
{
	enum cw_language language = CW_LANGUAGE_EN;
	char tag[CW_LANGUAGE_MAX];

	if (cw_language_own(tag))
		(void)cw_message_lookup(cw_bytes_str(tag), &language);
	return language;
}

int
cw_show_gap(const char *text, int width)
{
	int n = 0;

	/* Every byte that continues no character begins one (RFC 3629 3). */
	for (; *text != '\0'; text++)
		n += ((unsigned char)*text & 0xc0) != 0x80;
	return n < width ? width - n : 0;
}

static const char *
words(const struct cw_show *show, const char *key)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].key, key) == 0)
			return cw_message(show->language, texts[i].message);
	return NULL;
}

void
cw_show_init(struct cw_show *show, bool json)
{
	*show =
	    (struct cw_show){ .json = json, .language = cw_show_language() };
	show->start_ms = show->last_ms = cw_clock_monotonic_ms();
}

static void
event(struct cw_buf *line, const char *name)
{
	cw_buf_init(line, LINE_MAX_BYTES);
	cw_jsonl_open(line, NULL, '{');
	cw_jsonl_str(line, "event", name);
}

static void
finish(struct cw_buf *line)
{
	cw_jsonl_close(line, '}');
	cw_jsonl_print(line);
}

static void
show_step(const struct cw_show *show, const struct cw_progress *p, uint64_t ms)
{
	struct cw_buf line;

	if (!show->json) {
		const char *text = words(show, p->key);

		if (text == NULL)
			text = p->key;
		printf("  %u  %s%*s %6" PRIu64 " ms\n", p->step, text,
		    cw_show_gap(text, 24), "", ms);
		fflush(stdout);
		return;
	}
	event(&line, "step");
	cw_jsonl_number(&line, "step", p->step);
	cw_jsonl_str(&line, "key", p->key);
	cw_jsonl_number(&line, "ms", ms);
	finish(&line);
}

static void
show_waiting(const struct cw_show *show, const struct cw_progress *p)
{
	struct cw_buf line;

	if (show->json) {
		event(&line, "waiting");
		cw_jsonl_str(&line, "for", p->key);
		finish(&line);
	} else if (words(show, p->key) != NULL) {
		printf("%s\n", words(show, p->key));
		fflush(stdout);
	}
}

void
cw_show_progress(struct cw_show *show, const struct cw_progress *progress)
{
	uint64_t now = cw_clock_monotonic_ms();

	switch (progress->kind) {
	case CW_PROGRESS_END:
		show_step(show, progress, now - show->last_ms);
		show->last_ms = now;
		break;
	case CW_PROGRESS_PERSON_BEGIN:
		show->person_ms = now;
		show_waiting(show, progress);
		break;
	case CW_PROGRESS_PERSON_END:
		/* A person's time is nobody's cost. */
		show->last_ms += now - show->person_ms;
		show->start_ms += now - show->person_ms;
		break;
	case CW_PROGRESS_BEGIN:
	default:
		break;
	}
}

void
cw_show_done(struct cw_show *show, const struct cw_enroll_result *result)
{
	uint64_t ms = cw_clock_monotonic_ms() - show->start_ms;
	struct cw_buf line;

	if (!show->json) {
		printf("%s (%" PRIu64 " ms)\n",
		    cw_message(show->language,
			result->is_resumed      ? "cli_done_resumed" :
			    show->makes_nothing ? "cli_done_managed" :
						  "cli_done"),
		    ms);
		fflush(stdout);
		return;
	}
	event(&line, "done");
	cw_jsonl_bool(&line, "resumed", result->is_resumed);
	cw_jsonl_number(&line, "retries", result->retries);
	cw_jsonl_number(&line, "ms", ms);
	finish(&line);
}

/* "cardwright-agent: error 507 CARD_SAYS: … (status word 6F00)" and the cure. */
static void
print_error(enum cw_err err, const char *word, unsigned retry_after_s,
    int tries_left)
{
	enum cw_language language = cw_show_language();
	struct cw_bytes value;
	struct cw_buf text;
	char number[16];

	cw_buf_init(&text, LINE_MAX_BYTES);
	cw_buf_put_str(&text, "cardwright-agent: ");
	snprintf(number, sizeof(number), "%d", (int)err);
	value = cw_bytes_str(number);
	cw_message_put(&text, language, "cli_error", &value, 1);
	cw_buf_printf(&text, " %s: %s", cw_err_name(err),
	    cw_message_what(language, err));
	if (word[0] != '\0') {
		value = cw_bytes_str(word);
		cw_buf_put_str(&text, " (");
		cw_message_put(&text, language, "cli_status_word", &value, 1);
		cw_buf_put_str(&text, ")");
	}
	cw_buf_printf(&text, "\n  %s\n", cw_message_remedy(language, err));
	if (retry_after_s > 0) {
		snprintf(number, sizeof(number), "%u", retry_after_s);
		value = cw_bytes_str(number);
		cw_buf_put_str(&text, "  ");
		cw_message_put(&text, language, "cli_come_back", &value, 1);
		cw_buf_put_u8(&text, '\n');
	}
	if (tries_left >= 0) {
		snprintf(number, sizeof(number), "%d", tries_left);
		value = cw_bytes_str(number);
		cw_buf_put_str(&text, "  ");
		cw_message_put(&text, language, "pin_tries_left", &value, 1);
		cw_buf_put_u8(&text, '\n');
	}
	fprintf(stderr, "%.*s", (int)text.len,
	    text.len > 0 ? (const char *)text.ptr : "");
	cw_buf_wipe(&text);
}

static int
show_error(bool json, enum cw_err err, uint16_t sw, unsigned retry_after_s,
    int tries_left)
{
	char word[8] = "";
	struct cw_buf line;

	if (err == CW_ERR_CARD_SAYS && sw != 0)
		snprintf(word, sizeof(word), "%04X", sw);
	if (!json) {
		print_error(err, word, retry_after_s, tries_left);
		return cw_err_exit_status(err);
	}
	event(&line, "error");
	cw_jsonl_number(&line, "number", (uint64_t)err);
	cw_jsonl_str(&line, "name", cw_err_name(err));
	cw_jsonl_str(&line, "category",
	    cw_err_category_name(cw_err_category(err)));
	cw_jsonl_str(&line, "what", cw_err_what(err));
	cw_jsonl_str(&line, "remedy", cw_err_remedy(err));
	if (word[0] != '\0')
		cw_jsonl_str(&line, "status_word", word);
	if (retry_after_s > 0)
		cw_jsonl_number(&line, "retry_after_s", retry_after_s);
	if (tries_left >= 0)
		cw_jsonl_number(&line, "tries_left", (uint64_t)tries_left);
	finish(&line);
	return cw_err_exit_status(err);
}

int
cw_show_error(bool json, enum cw_err err, uint16_t sw, unsigned retry_after_s)
{
	return show_error(json, err, sw, retry_after_s, -1);
}

int
cw_show_pin_error(bool json, enum cw_err err, uint16_t sw, int tries_left)
{
	return show_error(json, err, sw, 0, tries_left);
}
