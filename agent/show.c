/* SPDX-License-Identifier: Apache-2.0 */
/* Progress, outcome and errors. */
#include "agent/show.h"

#include <inttypes.h>
#include <stdio.h>

#include "agent/jsonl.h"

#define LINE_MAX_BYTES 8192

static const struct {
	const char *key, *words;
} texts[] = {
	{ "intent", "Intent" },
	{ "capabilities", "Capabilities" },
	{ "request", "Session request" },
	{ "token", "Session token" },
	{ "management-request", "Management request" },
	{ "management-response", "Managing keys" },
	{ "key-request", "Key request" },
	{ "key-response", "Creating keys" },
	{ "certificates", "Certificates" },
	{ "result", "Installing certificates" },
	{ "card", "Waiting for a card: put it into the reader." },
};

static const char *
words(const char *key)
{
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (strcmp(texts[i].key, key) == 0)
			return texts[i].words;
	return NULL;
}

void
cw_show_init(struct cw_show *show, bool json)
{
	*show = (struct cw_show){ .json = json };
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
		printf("  %u  %-24s %6" PRIu64 " ms\n", p->step, words(p->key),
		    ms);
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
	} else if (words(p->key) != NULL) {
		printf("%s\n", words(p->key));
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
		    result->is_resumed ?
			"Done: an earlier session was brought to its end" :
			"Done: the card holds the new keys and certificates",
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

int
cw_show_error(bool json, enum cw_err err, uint16_t sw, unsigned retry_after_s)
{
	char word[8] = "";
	struct cw_buf line;

	if (err == CW_ERR_CARD_SAYS && sw != 0)
		snprintf(word, sizeof(word), "%04X", sw);
	if (!json) {
		fprintf(stderr,
		    "cardwright-agent: error %d %s: %s%s%s%s\n  %s\n", (int)err,
		    cw_err_name(err), cw_err_what(err),
		    word[0] != '\0' ? " (status word " : "", word,
		    word[0] != '\0' ? ")" : "", cw_err_remedy(err));
		if (retry_after_s > 0)
			fprintf(stderr, "  Come back in %u seconds.\n",
			    retry_after_s);
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
	finish(&line);
	return cw_err_exit_status(err);
}
