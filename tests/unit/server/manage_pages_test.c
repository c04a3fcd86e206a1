/* SPDX-License-Identifier: Apache-2.0 */
/* What the holder's pages say of sessions about what a card holds already. */
#include <stdio.h>

#include "tests/support/manage_world.h"
#include "tests/support/server_ask.h"

#define PERSON "person"

static bool
contains(const struct cw_http_response *r, const char *text)
{
	return memmem(r->body.ptr, r->body.len, text, strlen(text)) != NULL;
}

/* The page as whoever has opened the invitation sees it. */
static void
get(struct cw_server_world *w, const char *path, struct cw_http_response *out)
{
	char cookie[512];
	char form[64];
	const struct cw_server_asked post = { .method = "POST",
		.path = form,
		.media_type = "application/x-www-form-urlencoded",
		.origin = w->config.url };
	const struct cw_server_asked ask = { .method = "GET",
		.path = path,
		.cookies = cookie };

	snprintf(form, sizeof(form), "/i/%s", w->code);
	cw_server_ask(w, &post, out);
	assert_int_equal(out->status, 303);
	snprintf(cookie, sizeof(cookie), "__Host-cardwright=%s", out->cookie);
	cw_http_response_wipe(out);
	cw_server_ask(w, &ask, out);
	assert_int_equal(out->status, 200);
}

static void
the_pages_say_what_happens_and_what_was_done(void **state)
{
	static const struct {
		const char *action, *before, *not_before, *after;
	} rows[] = {
		{ "renew",
		    "Replaced by it</dt><dd>CN=Ada Lovelace,O=Example "
		    "(9A)</dd>",
		    "Deleted from", "Your certificate" },
		{ "unlock",
		    "The PIN is unblocked for</dt><dd>CN=Ada "
		    "Lovelace,O=Example (9A)</dd>",
		    "Made inside",
		    "PIN unblocked for</dt><dd>CN=Ada Lovelace,O=Example "
		    "(9A)</dd>" },
		{ "manage",
		    "Deleted from your card</dt><dd>CN=Ada "
		    "Lovelace,O=Example (9A)</dd>",
		    "Made inside",
		    "Deleted</dt><dd>CN=Ada Lovelace,O=Example (9A)</dd>" },
	};
	struct cw_server_world *w = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		char serial[CW_MANAGE_SERIAL];
		struct cw_http_response page;
		struct cw_server_play play;
		char cookie[512];
		const struct cw_server_asked done = { .method = "GET",
			.path = "/done",
			.cookies = cookie };
		uint64_t now_s = cw_clock_now_s(&w->clock);
		char text[CW_COOKIE_CHARS + 1];

		cw_server_card_new(w);
		cw_manage_enroll(w, PERSON, serial);
		cw_manage_about(w, rows[i].action, serial, false);
		get(w, "/enroll", &page);
		assert_row(rows[i].before, contains(&page, rows[i].before));
		assert_false(contains(&page, rows[i].not_before));
		cw_http_response_wipe(&page);
		get(w, "/done", &page);
		assert_true(contains(&page, "Nothing has been confirmed yet"));
		cw_http_response_wipe(&page);
		cw_server_play_begin(w, &play, 0);
		cw_server_play_finish(w, &play, 1);
		/* The invitation is used up; its cookie still shows the end. */
		cw_seal_cookie(w->seal, w->invitation.code_hash, now_s + 3600,
		    text);
		snprintf(cookie, sizeof(cookie), "__Host-cardwright=%s", text);
		cw_server_ask(w, &done, &page);
		assert_row(rows[i].after, contains(&page, rows[i].after));
		cw_http_response_wipe(&page);
		cw_server_play_wipe(&play);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(the_pages_say_what_happens_and_what_was_done),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
