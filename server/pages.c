/* SPDX-License-Identifier: Apache-2.0 */
/* The holder's pages. */
#include "server/pages.h"

#include <stdio.h>
#include <time.h>

#include "server/text.h"

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

PAGE(invitation, "invitation.html");
PAGE(enroll, "enroll.html");
PAGE(done, "done.html");
PAGE(error, "error.html");
PAGE(style, "style.css");

#define PAGE_BYTES(name)                \
	cw_bytes(cw_www_##name##_begin, \
	    (size_t)(cw_www_##name##_end - cw_www_##name##_begin))

struct place {
	const char *name;
	struct cw_bytes text;
};

static const struct place *
find_place(const struct place *places, size_t n, struct cw_bytes name)
{
	for (size_t i = 0; i < n; i++)
		if (cw_bytes_is(name, places[i].name))
			return &places[i];
	return NULL;
}

static const uint8_t *
find_pair(struct cw_bytes in, const char *pair)
{
	return in.len < 2 ? NULL : memmem(in.ptr, in.len, pair, 2);
}

/* Copies the page; a place without a value stays empty. */
static void
fill(struct cw_bytes page, const struct place *places, size_t n,
    struct cw_buf *out)
{
	const uint8_t *open;

	while ((open = find_pair(page, "{{")) != NULL) {
		size_t before = (size_t)(open - page.ptr);
		struct cw_bytes rest =
		    cw_bytes(open + 2, page.len - before - 2);
		const uint8_t *shut = find_pair(rest, "}}");
		const struct place *place;
		size_t len;

		if (shut == NULL)
			break;
		len = (size_t)(shut - rest.ptr);
		cw_buf_put(out, cw_bytes(page.ptr, before));
		place = find_place(places, n, cw_bytes(rest.ptr, len));
		if (place != NULL)
			cw_html_put(out, place->text);
		page = cw_bytes(shut + 2, rest.len - len - 2);
	}
	cw_buf_put(out, page);
}

static void
put_time(char *out, size_t size, uint64_t time_s)
{
	time_t t = (time_t)time_s;
	struct tm tm;

	if (gmtime_r(&t, &tm) == NULL ||
	    strftime(out, size, "%Y-%m-%d %H:%M UTC", &tm) == 0)
		snprintf(out, size, "%llu", (unsigned long long)time_s);
}

void
cw_page_invitation(const struct cw_intent *intent, struct cw_buf *out)
{
	char expires[48];
	struct place places[] = {
		{ "issuer", intent->issuer_name },
		{ "purpose", intent->purpose },
		{ "expires", CW_BYTES_NONE },
	};

	put_time(expires, sizeof(expires), intent->expires_s);
	places[2].text = cw_bytes_str(expires);
	fill(PAGE_BYTES(invitation), places, 3, out);
}

static const char *const learns[] = {
	[CW_MODE_IDENTIFIED] = "which card this is, by its serial number",
	[CW_MODE_PSEUDONYMOUS] =
	    "the card's model, and a number by which it recognises this card "
	    "again, and nobody else does",
	[CW_MODE_ANONYMOUS] = "the card's model only",
};

void
cw_page_enroll(const struct cw_intent *intent, const struct cw_profile *profile,
    struct cw_buf *out)
{
	const struct cw_key_type_info *type =
	    profile == NULL ? NULL : cw_key_type_info(profile->key_type);
	char key[64];
	char expires[48];
	struct place places[] = {
		{ "issuer", intent->issuer_name },
		{ "purpose", intent->purpose },
		{ "subject", intent->subject },
		{ "learns", cw_bytes_str(learns[intent->mode]) },
		{ "key", CW_BYTES_NONE },
		{ "expires", CW_BYTES_NONE },
	};

	if (profile != NULL && profile->slot != 0)
		snprintf(key, sizeof(key), "%s key in PIV slot %02X",
		    type == NULL ? "new" : type->name, profile->slot);
	else
		snprintf(key, sizeof(key), "%s key",
		    type == NULL ? "new" : type->name);
	put_time(expires, sizeof(expires), intent->expires_s);
	places[4].text = cw_bytes_str(key);
	places[5].text = cw_bytes_str(expires);
	fill(PAGE_BYTES(enroll), places, 6, out);
}

void
cw_page_done(bool is_done, struct cw_buf *out)
{
	struct place places[] = {
		{ "title",
		    cw_bytes_str(is_done ? "Your card is ready" :
					   "Nothing has been confirmed yet") },
		{ "text",
		    cw_bytes_str(is_done ?
			    "The card has confirmed its new key and certificate. "
			    "You can close this page and use the card." :
			    "The card has not confirmed a certificate for this "
			    "invitation. Go back and run the enrolment again; an "
			    "unfinished session goes on.") },
	};

	fill(PAGE_BYTES(done), places, 2, out);
}

void
cw_page_error(enum cw_err err, struct cw_buf *out)
{
	char number[16];
	struct place places[] = {
		{ "number", CW_BYTES_NONE },
		{ "what", cw_bytes_str(cw_err_what(err)) },
		{ "remedy", cw_bytes_str(cw_err_remedy(err)) },
	};

	snprintf(number, sizeof(number), "%d", (int)err);
	places[0].text = cw_bytes_str(number);
	fill(PAGE_BYTES(error), places, 3, out);
}

struct cw_bytes
cw_page_style(void)
{
	return PAGE_BYTES(style);
}
