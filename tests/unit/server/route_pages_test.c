/* SPDX-License-Identifier: Apache-2.0 */
/* Pages over the routes: languages and headers. */
#include <stdio.h>

#include "server/http.h"
#include "tests/support/server_world.h"

static void
get(struct cw_server_world *w, const char *path, const char *languages,
    struct cw_http_response *out)
{
	struct cw_http_request request = {
		.method = cw_bytes_str("GET"),
		.path = cw_bytes_str(path),
		.address = "127.0.0.1",
	};
	struct cw_http_target target;

	if (languages != NULL)
		request.languages = cw_bytes_str(languages);
	cw_http_response_init(out);
	if (cw_route_check(&w->engine, &request, &target, out))
		cw_route_answer(&w->engine, &request, &target, out);
}

static bool
contains(const struct cw_buf *b, const char *text)
{
	return memmem(b->ptr, b->len, text, strlen(text)) != NULL;
}

static bool
head_has(struct cw_server_world *w, const struct cw_http_response *r,
    const char *line)
{
	struct cw_buf head;
	bool found;

	cw_buf_init(&head, 4096);
	cw_http_head(&w->engine, r, true, &head);
	found = contains(&head, line);
	cw_buf_wipe(&head);
	return found;
}

static void
pages_speak_the_language_that_the_browser_asks_for(void **state)
{
	struct cw_server_world *w = *state;
	static const struct {
		const char *languages, *words, *head;
	} rows[] = {
		{ NULL, "invites you", "Content-Language: en\r\n" },
		{ "fr-CH, en;q=0.5", "vous invite",
		    "Content-Language: fr\r\n" },
		{ "it, de;q=0.1", "Sie ein", "Content-Language: de\r\n" },
	};
	char path[64];

	snprintf(path, sizeof(path), "/i/%s", w->code);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_http_response r;

		get(w, path, rows[i].languages, &r);
		assert_row(rows[i].words, contains(&r.body, rows[i].words));
		assert_row(rows[i].head, head_has(w, &r, rows[i].head));
		assert_true(head_has(w, &r,
		    "Vary: Accept, Accept-Language, Cookie\r\n"));
		assert_true(head_has(w, &r, "Cache-Control: no-store\r\n"));
		cw_http_response_wipe(&r);
	}
}

static void
errors_speak_it_too(void **state)
{
	struct cw_server_world *w = *state;
	static const struct {
		const char *path, *words;
	} rows[] = {
		{ "/nothing", "No hay nada en esta direcci" },
		{ "/done", "Abra de nuevo el enlace" },
		{ "/i/AAAA", "La invitaci" },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_http_response r;

		get(w, rows[i].path, "es", &r);
		assert_row(rows[i].words, contains(&r.body, rows[i].words));
		cw_http_response_wipe(&r);
	}
}

static void
the_invitation_says_its_own_address_for_the_command_line(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_http_response r;
	char path[64];
	char command[1024];

	snprintf(path, sizeof(path), "/i/%s", w->code);
	snprintf(command, sizeof(command), "cardwright-agent enroll %s%s<",
	    w->config.url, path);
	get(w, path, NULL, &r);
	assert_true(contains(&r.body, command));
	cw_http_response_wipe(&r);
}

static void
the_files_of_the_pages_are_served_and_may_be_kept(void **state)
{
	struct cw_server_world *w = *state;
	static const char *const paths[] = { "/style.css", "/icon.svg",
		"/cardwright.js", "/enroll.js" };

	for (size_t i = 0; i < COUNT(paths); i++) {
		struct cw_http_response r;

		get(w, paths[i], NULL, &r);
		assert_int_equal(r.status, 200);
		assert_true(r.fixed.len > 0);
		assert_true(head_has(w, &r, "Cache-Control: max-age=3600\r\n"));
		assert_false(head_has(w, &r, "Vary:"));
		assert_true(head_has(w, &r, "script-src 'self';"));
		assert_false(head_has(w, &r, "unsafe"));
		cw_http_response_wipe(&r);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    pages_speak_the_language_that_the_browser_asks_for),
		cw_server_test(errors_speak_it_too),
		cw_server_test(
		    the_invitation_says_its_own_address_for_the_command_line),
		cw_server_test(
		    the_files_of_the_pages_are_served_and_may_be_kept),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
