/* SPDX-License-Identifier: Apache-2.0 */
/* The holder's pages. */
#include "server/pages.h"

#include <pthread.h>
#include <stdio.h>
#include <time.h>

#include "proto/rfc4648.h"
#include "proto/x509.h"
#include "server/template.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define PART_MAX (32 * 1024)

/* The files are built into the program: nothing is read at run time. */
#define PAGE(name, file)                             \
	__asm__(".section .rodata\n"                 \
		".balign 16\n"                       \
		"cw_www_" #name "_begin:\n"          \
		".incbin \"www/" file "\"\n"         \
		"cw_www_" #name "_end:\n"            \
		".byte 0\n"                          \
		".previous\n");                      \
	extern const uint8_t cw_www_##name##_begin[] \
	    __attribute__((visibility("hidden")));   \
	extern const uint8_t cw_www_##name##_end[]   \
	    __attribute__((visibility("hidden")))

PAGE(page, "page.html");
PAGE(invitation, "invitation.html");
PAGE(enroll, "enroll.html");
PAGE(enroll_head, "enroll_head.html");
PAGE(texts, "texts.html");
PAGE(done, "done.html");
PAGE(managed, "managed.html");
PAGE(pending, "pending.html");
PAGE(me, "me.html");
PAGE(certificate, "certificate.html");
PAGE(error, "error.html");
PAGE(style, "style.css");
PAGE(icon, "icon.svg");
PAGE(api, "cardwright.js");
PAGE(script, "enroll.js");

#define PAGE_BYTES(name)                \
	cw_bytes(cw_www_##name##_begin, \
	    (size_t)(cw_www_##name##_end - cw_www_##name##_begin))

/* ---- files ---- */

bool
cw_page_file(struct cw_bytes path, struct cw_page_file *out)
{
	static const char script_type[] = "text/javascript; charset=utf-8";
	const struct {
		const char *path;
		struct cw_page_file file;
	} files[] = {
		{ "/style.css",
		    { "text/css; charset=utf-8", PAGE_BYTES(style) } },
		{ "/icon.svg", { "image/svg+xml", PAGE_BYTES(icon) } },
		{ "/cardwright.js", { script_type, PAGE_BYTES(api) } },
		{ "/enroll.js", { script_type, PAGE_BYTES(script) } },
	};

	for (size_t i = 0; i < COUNT(files); i++)
		if (cw_bytes_is(path, files[i].path)) {
			*out = files[i].file;
			return true;
		}
	return false;
}

/* A browser keeps the files for a while; a page asks for those of its own
 * version, which is the hash of them all. */
static char version_text[9];
static pthread_once_t version_once = PTHREAD_ONCE_INIT;

static void
make_version(void)
{
	const struct cw_bytes files[] = { PAGE_BYTES(style), PAGE_BYTES(api),
		PAGE_BYTES(script) };
	uint8_t hashes[COUNT(files) * CW_HASH_BYTES];
	uint8_t hash[CW_HASH_BYTES];

	for (size_t i = 0; i < COUNT(files); i++)
		cw_hash(files[i], hashes + i * CW_HASH_BYTES);
	cw_hash(CW_BYTES_ARRAY(hashes), hash);
	cw_base16_encode(cw_bytes(hash, 4), version_text);
}

/* ---- words ---- */

/* "21 November 2026, 12:00 UTC". */
static void
put_time(struct cw_buf *out, enum cw_language language, uint64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;
	char day[16];
	char month[24];
	char year[16];
	char clock[16];

	if (gmtime_r(&t, &tm) == NULL) {
		cw_buf_printf(out, "%llu", (unsigned long long)time_s);
		return;
	}
	snprintf(day, sizeof(day), "%d", tm.tm_mday);
	snprintf(month, sizeof(month), "month_%d", tm.tm_mon + 1);
	snprintf(year, sizeof(year), "%d", tm.tm_year + 1900);
	strftime(clock, sizeof(clock), "%H:%M", &tm);
	cw_message_put(out, language, "date_time",
	    (const struct cw_bytes[]){ cw_bytes_str(day),
		cw_bytes_str(cw_message(language, month)), cw_bytes_str(year),
		cw_bytes_str(clock) },
	    4);
}

/* A key's algorithm and where it lies. */
static void
put_key(struct cw_buf *out, enum cw_language language,
    const struct cw_profile *profile)
{
	const struct cw_key_type_info *type =
	    profile == NULL ? NULL : cw_key_type_info(profile->key_type);
	char slot[8] = "";
	const struct cw_bytes values[] = { type == NULL ?
		    CW_BYTES_NONE :
		    cw_bytes_str(type->name),
		{ (const uint8_t *)slot, 2 } };

	if (profile != NULL && profile->slot != 0) {
		snprintf(slot, sizeof(slot), "%02X", profile->slot);
		cw_message_put(out, language, "key_in_slot", values, 2);
	} else {
		cw_message_put(out, language, "key_plain", values, 1);
	}
}

static void
put_slot(struct cw_buf *out, enum cw_language language, uint8_t slot)
{
	char text[8];
	struct cw_bytes value;

	snprintf(text, sizeof(text), "%02X", slot);
	value = cw_bytes_str(text);
	if (slot != 0)
		cw_message_put(out, language, "slot_piv", &value, 1);
	else
		cw_buf_put_str(out, cw_message(language, "slot_own"));
}

static void
put_uses(struct cw_buf *out, enum cw_language language, unsigned uses)
{
	static const struct {
		unsigned use;
		const char *key;
	} texts[] = {
		{ CW_CERT_USE_LOGIN, "use_login" },
		{ CW_CERT_USE_MAIL, "use_mail" },
		{ CW_CERT_USE_SIGN, "use_sign" },
		{ CW_CERT_USE_CODE, "use_code" },
		{ CW_CERT_USE_SERVER, "use_server" },
	};

	for (size_t i = 0; i < COUNT(texts); i++)
		if ((uses & texts[i].use) != 0) {
			if (out->len > 0)
				cw_buf_put_str(out, ", ");
			cw_buf_put_str(out, cw_message(language, texts[i].key));
		}
}

static const char *const learns[] = {
	[CW_MODE_IDENTIFIED] = "mode_identified",
	[CW_MODE_PSEUDONYMOUS] = "mode_pseudonymous",
	[CW_MODE_ANONYMOUS] = "mode_anonymous",
};

/* ---- pages ---- */

struct page {
	enum cw_language language;
	const char *title; /* a key */
	struct cw_bytes issuer;
	struct cw_bytes head, content; /* templates */
};

/* The content in its frame. */
static void
put_page(const struct page *p, const struct cw_place *places, size_t n,
    struct cw_buf *out)
{
	const char *title = cw_message(p->language, p->title);
	struct cw_bytes issuer =
	    p->issuer.len > 0 ? p->issuer : cw_bytes_str("Cardwright");
	struct cw_buf head;
	struct cw_buf content;
	struct cw_buf full_title;

	pthread_once(&version_once, make_version);
	cw_buf_init(&head, PART_MAX);
	cw_buf_init(&content, PART_MAX);
	cw_buf_init(&full_title, PART_MAX);
	cw_buf_printf(&full_title, "%s – %.*s", title, (int)issuer.len,
	    (const char *)issuer.ptr);
	cw_template_fill(&head, p->language, p->head,
	    &(struct cw_place){ "version", cw_bytes_str(version_text), false },
	    1);
	cw_template_fill(&content, p->language, p->content, places, n);
	cw_template_fill(out, p->language, PAGE_BYTES(page),
	    (const struct cw_place[]){
		{ "lang", cw_bytes_str(cw_message_tag(p->language)), false },
		{ "title", cw_buf_bytes(&full_title), false },
		{ "version", cw_bytes_str(version_text), false },
		{ "issuer", issuer, false },
		{ "head", cw_buf_bytes(&head), true },
		{ "content", cw_buf_bytes(&content), true } },
	    6);
	if (out->err == CW_OK)
		out->err = head.err != CW_OK ? head.err : content.err;
	cw_buf_wipe(&head);
	cw_buf_wipe(&content);
	cw_buf_wipe(&full_title);
}

void
cw_page_invitation(enum cw_language language, const struct cw_intent *intent,
    const char *url, struct cw_buf *out)
{
	const struct page page = { language, "page_invitation_title",
		intent->issuer_name, CW_BYTES_NONE, PAGE_BYTES(invitation) };
	struct cw_buf expires;

	cw_buf_init(&expires, PART_MAX);
	put_time(&expires, language, intent->expires_s);
	put_page(&page,
	    (const struct cw_place[]){ { "issuer", intent->issuer_name, false },
		{ "purpose", intent->purpose, false },
		{ "url", cw_bytes_str(url), false },
		{ "expires", cw_buf_bytes(&expires), false } },
	    4, out);
	cw_buf_wipe(&expires);
}

void
cw_page_enroll(enum cw_language language, const struct cw_intent *intent,
    const struct cw_profile *profile, struct cw_buf *out)
{
	const struct page page = { language, "page_enroll_title",
		intent->issuer_name, PAGE_BYTES(enroll_head),
		PAGE_BYTES(enroll) };
	struct cw_buf expires;
	struct cw_deeds_words deeds;
	struct cw_buf texts;
	struct cw_buf key;

	cw_deeds_words_init(&deeds);
	cw_deeds_meant(intent, &deeds);
	cw_buf_init(&expires, PART_MAX);
	cw_buf_init(&texts, PART_MAX);
	cw_buf_init(&key, PART_MAX);
	put_time(&expires, language, intent->expires_s);
	if (cw_scope_makes_keys(&intent->scope))
		put_key(&key, language, profile);
	cw_template_fill(&texts, language, PAGE_BYTES(texts), NULL, 0);
	put_page(&page,
	    (const struct cw_place[]){ { "issuer", intent->issuer_name, false },
		{ "purpose", intent->purpose, false },
		{ "subject", intent->subject, false },
		{ "learns",
		    cw_bytes_str(cw_message(language, learns[intent->mode])),
		    false },
		{ "key", cw_buf_bytes(&key), false },
		{ "replaces", cw_buf_bytes(&deeds.replaced), false },
		{ "deletes", cw_buf_bytes(&deeds.deleted), false },
		{ "unlocks", cw_buf_bytes(&deeds.unlocked), false },
		{ "expires", cw_buf_bytes(&expires), false },
		{ "hash", cw_bytes_str("#"), false },
		{ "texts", cw_buf_bytes(&texts), true } },
	    11, out);
	cw_deeds_words_wipe(&deeds);
	cw_buf_wipe(&expires);
	cw_buf_wipe(&texts);
	cw_buf_wipe(&key);
}

static void
put_pending(enum cw_language language, const struct cw_intent *intent,
    struct cw_buf *out)
{
	const struct page page = { language, "page_pending_title",
		intent->issuer_name, CW_BYTES_NONE, PAGE_BYTES(pending) };

	put_page(&page, NULL, 0, out);
}

static void
put_managed(enum cw_language language, const struct cw_page_outcome *outcome,
    struct cw_buf *out)
{
	const struct cw_intent *intent = outcome->intent;
	const struct page page = { language, "page_managed_title",
		intent->issuer_name, CW_BYTES_NONE, PAGE_BYTES(managed) };

	put_page(&page,
	    (const struct cw_place[]){
		{ "deleted", cw_buf_bytes(&outcome->deeds->deleted), false },
		{ "unlocked", cw_buf_bytes(&outcome->deeds->unlocked), false },
		{ "purpose", intent->purpose, false } },
	    3, out);
}

void
cw_page_done(enum cw_language language, const struct cw_page_outcome *outcome,
    struct cw_buf *out)
{
	const struct cw_cert_about *about = outcome->about;
	const struct cw_intent *intent = outcome->intent;
	const struct page page = { language, "page_done_title",
		intent->issuer_name, CW_BYTES_NONE, PAGE_BYTES(done) };
	struct cw_buf until;
	struct cw_buf slot;
	struct cw_buf uses;
	char serial[2 * CW_SERIAL_MAX + 1];

	if (outcome->deeds != NULL) {
		put_managed(language, outcome, out);
		return;
	}
	if (about == NULL) {
		put_pending(language, intent, out);
		return;
	}
	cw_buf_init(&until, PART_MAX);
	cw_buf_init(&slot, PART_MAX);
	cw_buf_init(&uses, PART_MAX);
	put_time(&until, language, about->not_after_s);
	put_slot(&slot, language, outcome->slot);
	put_uses(&uses, language, about->uses);
	cw_base16_encode(outcome->serial, serial);
	put_page(&page,
	    (const struct cw_place[]){
		{ "name",
		    about->subject.name[0] != '\0' ?
			cw_bytes_str(about->subject.name) :
			intent->subject,
		    false },
		{ "organisation", cw_bytes_str(about->subject.organisation),
		    false },
		{ "purpose", intent->purpose, false },
		{ "uses", cw_buf_bytes(&uses), false },
		{ "by", cw_bytes_str(about->issuer.name), false },
		{ "by_organisation", cw_bytes_str(about->issuer.organisation),
		    false },
		{ "until", cw_buf_bytes(&until), false },
		{ "slot", cw_buf_bytes(&slot), false },
		{ "serial", cw_bytes_str(serial), false },
		{ "me", cw_bytes_str(outcome->has_me ? "/me" : ""), false } },
	    10, out);
	cw_buf_wipe(&until);
	cw_buf_wipe(&slot);
	cw_buf_wipe(&uses);
}

static const char *
state_key(const struct cw_page_certificate *c, uint64_t now_s)
{
	static const char *const keys[] = {
		[CW_CERT_PENDING] = "state_pending",
		[CW_CERT_ACTIVE] = "state_active",
		[CW_CERT_SUSPENDED] = "state_suspended",
		[CW_CERT_REVOKED] = "state_revoked",
	};

	if (c->status == CW_CERT_ACTIVE && now_s > c->about.not_after_s)
		return "state_over";
	return c->status < CW_CERT_PENDING || (size_t)c->status >= COUNT(keys) ?
	    "state_pending" :
	    keys[c->status];
}

static void
put_certificate(enum cw_language language, const struct cw_page_certificate *c,
    uint64_t now_s, struct cw_buf *out)
{
	const struct cw_cert_about *about = &c->about;
	char serial[2 * CW_SERIAL_BYTES + 1];
	struct cw_buf from;
	struct cw_buf until;

	cw_buf_init(&from, PART_MAX);
	cw_buf_init(&until, PART_MAX);
	put_time(&from, language, about->not_before_s);
	put_time(&until, language, about->not_after_s);
	cw_base16_encode(CW_BYTES_ARRAY(c->serial), serial);
	cw_template_fill(out, language, PAGE_BYTES(certificate),
	    (const struct cw_place[]){
		{ "name", cw_bytes_str(about->subject.name), false },
		{ "organisation", cw_bytes_str(about->subject.organisation),
		    false },
		{ "state",
		    cw_bytes_str(cw_message(language, state_key(c, now_s))),
		    false },
		{ "from", cw_buf_bytes(&from), false },
		{ "until", cw_buf_bytes(&until), false },
		{ "serial", cw_bytes_str(serial), false } },
	    6);
	cw_buf_wipe(&from);
	cw_buf_wipe(&until);
}

void
cw_page_me(enum cw_language language, const struct cw_page_me *me,
    struct cw_buf *out)
{
	const struct page page = { language, "page_me_title", me->issuer,
		CW_BYTES_NONE, PAGE_BYTES(me) };
	struct cw_buf own;
	struct cw_buf others;

	cw_buf_init(&own, PART_MAX);
	cw_buf_init(&others, PART_MAX);
	put_certificate(language, &me->own, me->now_s, &own);
	for (size_t i = 0; i < me->n_others; i++)
		put_certificate(language, &me->others[i], me->now_s, &others);
	put_page(&page,
	    (const struct cw_place[]){ { "own", cw_buf_bytes(&own), true },
		{ "others", cw_buf_bytes(&others), true },
		{ "none", cw_bytes_str(me->n_others == 0 ? "yes" : ""),
		    false } },
	    3, out);
	cw_buf_wipe(&own);
	cw_buf_wipe(&others);
}

void
cw_page_error(enum cw_language language, enum cw_err err, struct cw_buf *out)
{
	const struct page page = { language, "page_failed_title", CW_BYTES_NONE,
		CW_BYTES_NONE, PAGE_BYTES(error) };
	char number[16];

	snprintf(number, sizeof(number), "%d", (int)err);
	put_page(&page,
	    (const struct cw_place[]){
		{ "number", cw_bytes_str(number), false },
		{ "what", cw_bytes_str(cw_message_what(language, err)), false },
		{ "remedy", cw_bytes_str(cw_message_remedy(language, err)),
		    false } },
	    3, out);
}
