/* SPDX-License-Identifier: Apache-2.0 */
/* The agent's messages. */
#include "agent/native_say.h"

#include <time.h>

#include "agent/jsonl.h"
#include "agent/show.h"
#include "proto/command.h"
#include "proto/rfc4648.h"
#include "proto/x509_brief.h"

static void
begin(struct cw_buf *out, const char *type)
{
	cw_jsonl_open(out, NULL, '{');
	cw_jsonl_str(out, "type", type);
}

static void
end(struct cw_buf *out)
{
	cw_jsonl_close(out, '}');
}

void
cw_native_say_hello(struct cw_buf *out)
{
	begin(out, "hello");
	cw_jsonl_number(out, "version", CW_NATIVE_VERSION);
	cw_jsonl_str(out, "agent", CW_AGENT_VERSION);
	cw_jsonl_open(out, "capabilities", '[');
	cw_jsonl_str(out, NULL, "enroll");
	cw_jsonl_close(out, ']');
	end(out);
}

static void
put_readers(struct cw_buf *out, const struct cw_readers *readers)
{
	cw_jsonl_open(out, "readers", '[');
	for (size_t i = 0; i < readers->n; i++) {
		cw_jsonl_open(out, NULL, '{');
		cw_jsonl_str(out, "name", readers->info[i].name);
		cw_jsonl_str(out, "card", cw_watch_card(&readers->info[i]));
		cw_jsonl_close(out, '}');
	}
	cw_jsonl_close(out, ']');
}

static void
put_error(struct cw_buf *out, enum cw_err err)
{
	cw_jsonl_open(out, "error", '{');
	cw_jsonl_number(out, "number", (uint64_t)err);
	cw_jsonl_str(out, "name", cw_err_name(err));
	cw_jsonl_str(out, "sentence", cw_err_what(err));
	cw_jsonl_str(out, "remedy", cw_err_remedy(err));
	cw_jsonl_close(out, '}');
}

void
cw_native_say_status(struct cw_buf *out, const struct cw_readers *readers,
    const char *pin_kind)
{
	begin(out, "status");
	cw_jsonl_bool(out, "pcscd", readers->err == CW_OK);
	if (readers->err != CW_OK)
		put_error(out, readers->err);
	put_readers(out, readers);
	cw_jsonl_str(out, "pin", pin_kind);
	end(out);
}

void
cw_native_say_readers(struct cw_buf *out, const struct cw_readers *readers)
{
	begin(out, "readers");
	put_readers(out, readers);
	end(out);
}

/* ---- consent ---- */

/* As people know them: "9A". */
static void
put_slot_name(uint8_t slot, char out[3])
{
	static const char digits[] = "0123456789ABCDEF";

	out[0] = digits[slot >> 4];
	out[1] = digits[slot & 15];
	out[2] = '\0';
}

static void
put_slot(struct cw_buf *out, const char *slot)
{
	cw_jsonl_open(out, NULL, '{');
	cw_jsonl_str(out, "kind", "key");
	cw_jsonl_null(out, "algorithm");
	if (slot != NULL)
		cw_jsonl_str(out, "slot", slot);
	else
		cw_jsonl_null(out, "slot");
	cw_jsonl_close(out, '}');
}

/* An Intent names slots that may be used, not keys that will be made. */
static void
put_makes(struct cw_buf *out, const struct cw_scope *scope)
{
	cw_jsonl_open(out, "makes", '[');
	for (size_t i = 0; i < scope->n_slots; i++) {
		char slot[3];

		put_slot_name(scope->slots[i], slot);
		if (cw_scope_has_command(scope, CW_CREATE_KEY))
			put_slot(out, slot);
	}
	if (scope->n_slots == 0 && cw_scope_has_command(scope, CW_CREATE_KEY))
		put_slot(out, NULL);
	cw_jsonl_close(out, ']');
}

/* An object by its number, and what the Intent calls it. */
static void
put_object(struct cw_buf *out, const char *kind, uint32_t id,
    const struct cw_intent_object *named)
{
	char slot[3];

	cw_jsonl_open(out, NULL, '{');
	cw_jsonl_str(out, "kind", kind);
	cw_jsonl_number(out, "object", id);
	if (named != NULL) {
		cw_jsonl_text(out, "name", named->name);
		if (named->slot != 0) {
			put_slot_name(named->slot, slot);
			cw_jsonl_str(out, "slot", slot);
		}
	}
	cw_jsonl_close(out, '}');
}

static void
put_objects(struct cw_buf *out, const char *name, const char *kind,
    const struct cw_consent *c, bool may)
{
	const struct cw_scope *scope = c->scope;

	cw_jsonl_open(out, name, '[');
	for (size_t i = 0; may && i < scope->n_objects; i++)
		put_object(out, kind, scope->objects[i],
		    i < c->n_objects ? &c->objects[i] : NULL);
	if (may && scope->n_objects == 0) {
		cw_jsonl_open(out, NULL, '{');
		cw_jsonl_str(out, "kind", kind);
		cw_jsonl_null(out, "object");
		cw_jsonl_close(out, '}');
	}
	cw_jsonl_close(out, ']');
}

static void
put_scope(struct cw_buf *out, const struct cw_consent *c)
{
	const struct cw_scope *scope = c->scope;
	bool deletes = cw_scope_has_command(scope, CW_DELETE_KEY);
	/* What goes for a new key is replaced, by whichever command. */
	bool replaces = cw_scope_has_command(scope, CW_UPDATE_KEY) ||
	    (deletes && c->action == CW_ACTION_RENEW);

	cw_jsonl_number(out, "keys_max", scope->keys_max);
	cw_jsonl_open(out, "commands", '[');
	for (size_t i = 0; i < scope->n_commands; i++)
		cw_jsonl_number(out, NULL, scope->commands[i]);
	cw_jsonl_close(out, ']');
	put_makes(out, scope);
	put_objects(out, "replaces", "key", c, replaces);
	put_objects(out, "deletes", "key", c,
	    deletes && c->action != CW_ACTION_RENEW);
	put_objects(out, "unlocks", "pin", c,
	    cw_scope_has_command(scope, CW_UNLOCK_KEY));
}

void
cw_native_say_consent(struct cw_buf *out, const struct cw_consent *consent,
    bool may_resume, const struct cw_readers *readers)
{
	struct cw_bytes host = consent->origin;
	const uint8_t *colon = memchr(host.ptr, ':', host.len);

	if (colon != NULL && host.len > (size_t)(colon - host.ptr) + 3)
		host = cw_bytes(colon + 3,
		    host.len - (size_t)(colon - host.ptr) - 3);
	begin(out, "consent");
	cw_jsonl_text(out, "origin", consent->origin);
	cw_jsonl_text(out, "host_ascii", host);
	cw_jsonl_text(out, "issuer", consent->issuer_name);
	cw_jsonl_text(out, "purpose", consent->purpose);
	cw_jsonl_text(out, "subject", consent->subject);
	cw_jsonl_str(out, "action", cw_show_action(consent->action));
	cw_jsonl_number(out, "mode", (uint64_t)consent->mode);
	cw_jsonl_bool(out, "new", consent->is_new);
	cw_jsonl_bool(out, "resume", may_resume);
	put_scope(out, consent);
	put_readers(out, readers);
	end(out);
}

void
cw_native_say_unfinished(struct cw_buf *out, const struct cw_consent *consent,
    const char *reader)
{
	begin(out, "unfinished");
	cw_jsonl_text(out, "origin", consent->origin);
	cw_jsonl_str(out, "reader", reader);
	end(out);
}

/* ---- the run ---- */

void
cw_native_say_post(struct cw_buf *out, uint64_t id, const char *url,
    struct cw_bytes body)
{
	struct cw_buf text;
	uint8_t *to;

	cw_buf_init(&text, CW_BODY_MAX * 2);
	to = cw_buf_extend(&text, (body.len * 4 + 2) / 3 + 1);
	if (to == NULL) {
		out->err = text.err;
		return;
	}
	cw_base64url_encode(body, (char *)to);
	begin(out, "post");
	cw_jsonl_number(out, "id", id);
	cw_jsonl_str(out, "url", url);
	cw_jsonl_str(out, "body", (const char *)text.ptr);
	end(out);
	cw_buf_wipe(&text);
}

/* A run's words for its steps, and the extension's. */
static const struct {
	const char *step, *phase, *key;
} steps[] = {
	{ "intent", "intent", "reading-request" },
	{ "capabilities", "capabilities", "reading-card" },
	{ "request", "session", "checking-issuer" },
	{ "token", "session", "opening-session" },
	{ "management-request", "session", "managing-keys" },
	{ "management-response", "session", "managing-keys" },
	{ "key-request", "keys", "creating-keys" },
	{ "key-response", "keys", "creating-keys" },
	{ "certificates", "certificates", "receiving-certificates" },
	{ "result", "result", "installing-certificates" },
};

static bool
say_step(struct cw_buf *out, const struct cw_progress *p)
{
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (strcmp(steps[i].step, p->key) == 0) {
			begin(out, "progress");
			cw_jsonl_str(out, "phase", steps[i].phase);
			cw_jsonl_str(out, "key", steps[i].key);
			cw_jsonl_str(out, "state",
			    p->kind == CW_PROGRESS_BEGIN ? "begin" : "end");
			cw_jsonl_number(out, "step", p->step);
			end(out);
			return true;
		}
	return false;
}

static void
say_wait(struct cw_buf *out, const struct cw_progress *p)
{
	const char *what = p->key;

	if (p->problem == CW_ERR_NO_READER)
		what = "reader";
	else if (p->problem == CW_ERR_CARD_BUSY)
		what = "card-in-use";
	begin(out, "wait");
	cw_jsonl_str(out, "for", what);
	if (p->reader != NULL && p->reader[0] != '\0')
		cw_jsonl_str(out, "reader", p->reader);
	else
		cw_jsonl_null(out, "reader");
	if (p->has_tries)
		cw_jsonl_number(out, "tries_left", p->tries_left);
	else
		cw_jsonl_null(out, "tries_left");
	if (p->problem != CW_OK)
		put_error(out, p->problem);
	end(out);
}

bool
cw_native_say_progress(struct cw_buf *out, const struct cw_progress *progress)
{
	bool is_wait = progress->kind == CW_PROGRESS_PERSON_BEGIN;

	if (progress->kind == CW_PROGRESS_BEGIN ||
	    progress->kind == CW_PROGRESS_END)
		return say_step(out, progress);
	/* The question has a message of its own. */
	if (strcmp(progress->key, "consent") == 0)
		return false;
	if (is_wait) {
		say_wait(out, progress);
		return true;
	}
	begin(out, "wait");
	cw_jsonl_null(out, "for");
	end(out);
	return true;
}

static void
put_certificate(struct cw_buf *out, const struct cw_cert_brief *brief)
{
	char serial[2 * CW_SERIAL_MAX + 1];
	time_t at = (time_t)brief->not_after_s;
	struct tm tm;
	char text[32] = "";

	cw_base16_encode(cw_bytes(brief->serial, brief->serial_len), serial);
	cw_jsonl_str(out, "subject", brief->subject);
	cw_jsonl_str(out, "issuer", brief->issuer);
	cw_jsonl_str(out, "serial", serial);
	if (gmtime_r(&at, &tm) != NULL)
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
	cw_jsonl_str(out, "not_after", text);
}

static void
put_change(struct cw_buf *out, const struct cw_change *change)
{
	static const char *const words[] = {
		[CW_CHANGE_CREATED] = "created",
		[CW_CHANGE_REPLACED] = "replaced",
		[CW_CHANGE_DELETED] = "deleted",
		[CW_CHANGE_UNLOCKED] = "unlocked",
	};
	const struct cw_key_type_info *type = cw_key_type_info(change->type);
	struct cw_cert_brief brief;
	char slot[3];

	put_slot_name(change->slot, slot);
	cw_jsonl_open(out, NULL, '{');
	cw_jsonl_str(out, "what", words[change->what]);
	if (change->what == CW_CHANGE_UNLOCKED) {
		cw_jsonl_str(out, "kind", "pin");
		cw_jsonl_close(out, '}');
		return;
	}
	cw_jsonl_str(out, "slot", slot);
	cw_jsonl_str(out, "algorithm", type != NULL ? type->name : "unknown");
	if (cw_cert_brief_read(change->certificate, &brief) == CW_OK)
		put_certificate(out, &brief);
	cw_jsonl_close(out, '}');
}

void
cw_native_say_done(struct cw_buf *out, bool is_resumed,
    const struct cw_run *run)
{
	struct cw_change changes[CW_RUN_CHANGES_MAX];
	size_t n = cw_run_changes(run, changes);

	begin(out, "done");
	cw_jsonl_bool(out, "resumed", is_resumed);
	cw_jsonl_open(out, "cards_objects", '[');
	for (size_t i = 0; i < n; i++)
		put_change(out, &changes[i]);
	cw_jsonl_close(out, ']');
	end(out);
}

void
cw_native_say_failed(struct cw_buf *out, enum cw_err err, uint16_t status_word,
    unsigned retry_after_s, bool is_resumable)
{
	begin(out, "failed");
	put_error(out, err);
	if (err == CW_ERR_CARD_SAYS && status_word != 0) {
		char text[5];
		const uint8_t sw[2] = { (uint8_t)(status_word >> 8),
			(uint8_t)status_word };

		cw_base16_encode(CW_BYTES_ARRAY(sw), text);
		cw_jsonl_str(out, "status_word", text);
	}
	if (retry_after_s > 0)
		cw_jsonl_number(out, "retry_after", retry_after_s);
	cw_jsonl_bool(out, "resumable", is_resumable);
	end(out);
}
