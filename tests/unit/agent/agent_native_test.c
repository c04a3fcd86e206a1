/* SPDX-License-Identifier: Apache-2.0 */
/* The native host, message by message: what it says, and what it refuses. */
#include <stdio.h>
#include <stdlib.h>

#include "agent/browsers.h"
#include "agent/native_frame.h"
#include "tests/support/check.h"
#include "tests/support/native_world.h"

#define HELLO                                                      \
	"{\"type\":\"hello\",\"version\":1,\"extension\":\"1.0\"," \
	"\"languages\":[\"de-DE\",\"en\"]}"
#define ACCEPT "{\"type\":\"accept\",\"reader\":null}"
#define REFUSE "{\"type\":\"refuse\"}"
#define DROP "{\"type\":\"drop\"}"
#define CANCEL_REPLY(id, word) \
	"{\"type\":\"reply\",\"id\":" #id ",\"error\":\"" word "\"}"
/* What is different each time becomes "…": bodies and serial numbers. */
static void
mask(const struct cw_buf *said, struct cw_buf *out)
{
	static const char *const names[] = { "\"body\":\"", "\"serial\":\"" };
	const char *at = (const char *)said->ptr;
	const char *end = at + said->len;

	while (at < end) {
		bool found = false;

		for (size_t i = 0; i < COUNT(names); i++) {
			size_t len = strlen(names[i]);

			if ((size_t)(end - at) < len ||
			    memcmp(at, names[i], len) != 0)
				continue;
			cw_buf_put_str(out, names[i]);
			cw_buf_put_str(out, "...");
			at += len + strcspn(at + len, "\"");
			found = true;
		}
		if (!found)
			cw_buf_put_u8(out, (uint8_t)*at++);
	}
	cw_buf_put_u8(out, 0);
}

static const char whole_session[] =
    "{\"type\":\"hello\",\"version\":1,\"agent\":\"0.1.0\","
    "\"capabilities\":[\"enroll\"]}\n"
    "{\"type\":\"status\",\"pcscd\":true,\"readers\":[{\"name\":"
    "\"Local reader 00 00\",\"card\":\"cardwright\"}],\"pin\":"
    "\"pinentry\"}\n"
    "{\"type\":\"progress\",\"phase\":\"intent\",\"key\":"
    "\"reading-request\",\"state\":\"end\",\"step\":1}\n"
    "{\"type\":\"consent\",\"origin\":\"https://issuer.test:8443\","
    "\"host_ascii\":\"issuer.test:8443\",\"issuer\":\"Test issuer\","
    "\"purpose\":\"Tests\",\"subject\":\"CN=Test holder\",\"action\":"
    "\"enroll\",\"mode\":2,\"new\":true,\"resume\":false,\"keys_max\":1,"
    "\"commands\":[3,4,13],\"makes\":[{\"kind\":\"key\",\"algorithm\":"
    "null,\"slot\":\"9A\"}],\"replaces\":[],\"deletes\":[],\"unlocks\":"
    "[],\"readers\":[{\"name\":\"Local reader 00 00\",\"card\":"
    "\"cardwright\"}]}\n"
    "{\"type\":\"progress\",\"phase\":\"capabilities\",\"key\":"
    "\"reading-card\",\"state\":\"begin\",\"step\":2}\n"
    "{\"type\":\"progress\",\"phase\":\"capabilities\",\"key\":"
    "\"reading-card\",\"state\":\"end\",\"step\":2}\n"
    "{\"type\":\"post\",\"id\":1,\"url\":"
    "\"https://issuer.test:8443/session\",\"body\":\"...\"}\n"
    "{\"type\":\"progress\",\"phase\":\"session\",\"key\":"
    "\"checking-issuer\",\"state\":\"end\",\"step\":3}\n"
    "{\"type\":\"progress\",\"phase\":\"session\",\"key\":"
    "\"opening-session\",\"state\":\"begin\",\"step\":4}\n"
    "{\"type\":\"progress\",\"phase\":\"session\",\"key\":"
    "\"opening-session\",\"state\":\"end\",\"step\":4}\n"
    "{\"type\":\"post\",\"id\":2,\"url\":"
    "\"https://issuer.test:8443/session/SESSION\",\"body\":\"...\"}\n"
    "{\"type\":\"progress\",\"phase\":\"keys\",\"key\":"
    "\"creating-keys\",\"state\":\"end\",\"step\":5}\n"
    "{\"type\":\"progress\",\"phase\":\"keys\",\"key\":"
    "\"creating-keys\",\"state\":\"begin\",\"step\":6}\n"
    "{\"type\":\"wait\",\"for\":\"pin\",\"reader\":"
    "\"Local reader 00 00\",\"tries_left\":null}\n"
    "{\"type\":\"wait\",\"for\":null}\n"
    "{\"type\":\"wait\",\"for\":\"pin\",\"reader\":"
    "\"Local reader 00 00\",\"tries_left\":null}\n"
    "{\"type\":\"wait\",\"for\":null}\n"
    "{\"type\":\"progress\",\"phase\":\"keys\",\"key\":"
    "\"creating-keys\",\"state\":\"end\",\"step\":6}\n"
    "{\"type\":\"post\",\"id\":3,\"url\":"
    "\"https://issuer.test:8443/session/SESSION\",\"body\":\"...\"}\n"
    "{\"type\":\"progress\",\"phase\":\"certificates\",\"key\":"
    "\"receiving-certificates\",\"state\":\"end\",\"step\":7}\n"
    "{\"type\":\"progress\",\"phase\":\"result\",\"key\":"
    "\"installing-certificates\",\"state\":\"begin\",\"step\":8}\n"
    "{\"type\":\"progress\",\"phase\":\"result\",\"key\":"
    "\"installing-certificates\",\"state\":\"end\",\"step\":8}\n"
    "{\"type\":\"post\",\"id\":4,\"url\":"
    "\"https://issuer.test:8443/session/SESSION\",\"body\":\"...\"}\n"
    "{\"type\":\"done\",\"resumed\":false,\"cards_objects\":[{\"what\":"
    "\"created\",\"slot\":\"9A\",\"algorithm\":\"P-256\",\"subject\":"
    "\"CN=Test holder\",\"issuer\":\"CN=Test issuing CA\",\"serial\":\"...\","
    "\"not_after\":\"NOT_AFTER\"}]}\n";

/* Session ids and dates, which masking by name would hide too much of. */
static void
replace(char *text, const char *before, const char *word, char until)
{
	for (char *at = strstr(text, before); at != NULL;
	     at = strstr(at, before)) {
		char *end;

		at += strlen(before);
		end = strchr(at, until);
		if (end == NULL || (size_t)(end - at) < strlen(word))
			return;
		memcpy(at, word, strlen(word));
		memmove(at + strlen(word), end, strlen(end) + 1);
	}
}

/* cmocka cuts long texts. */
static void
assert_lines(const char *got, const char *want)
{
	while (*want != '\0') {
		size_t len = strcspn(want, "\n") + 1;
		size_t other = strcspn(got, "\n");

		if (strncmp(got, want, len) != 0)
			fail_msg("%.*s\ninstead of\n%.*s", (int)other, got,
			    (int)len, want);
		want += len;
		got += len;
	}
	assert_string_equal(got, "");
}

static void
a_whole_session_is_said_in_exactly_these_words(void **state)
{
	static const char *const script[] = { HELLO, "{\"type\":\"status\"}",
		"@start", ACCEPT, NULL };
	struct cw_native_world *n = *state;
	struct cw_buf masked;
	enum cw_err err;

	n->w.intent.scope = (struct cw_scope){ .keys_max = 1,
		.n_commands = 3,
		.n_slots = 1,
		.commands = { 3, 4, 13 },
		.slots = { 0x9A } };
	cw_world_new_session(&n->w);
	err = cw_native_world_play(n, script);
	cw_buf_init(&masked, 1024 * (size_t)1024);
	mask(&n->said, &masked);
	replace((char *)masked.ptr, "/session/", "SESSION", '"');
	replace((char *)masked.ptr, "\"not_after\":\"", "NOT_AFTER", '"');
	assert_lines((char *)masked.ptr, whole_session);
	assert_err(err, CW_OK);
	assert_true(n->w.is_confirmed);
	assert_false(n->w.reader.is_begun);
	/* The greeting said which language. */
	assert_int_equal(n->w.prompts[0].language, CW_LANGUAGE_DE);
	cw_buf_wipe(&masked);
}

static void
a_homograph_host_is_shown_in_ascii(void **state)
{
	static const char *const script[] = { HELLO, "@start", REFUSE, NULL };
	struct cw_native_world *n = *state;

	n->w.env.origin = cw_bytes_str("https://xn--issur-4ve.test");
	n->w.intent.session_url =
	    cw_bytes_str("https://xn--issur-4ve.test/session");
	cw_world_new_session(&n->w);
	assert_err(cw_native_world_play(n, script), CW_ERR_REFUSED);
	assert_true(
	    cw_native_world_said(n, "\"host_ascii\":\"xn--issur-4ve.test\""));
}

/* ---- what is pushed, and what is remembered ---- */

static void
readers_are_pushed_to_whoever_watches(void **state)
{
	static const char *const script[] = { HELLO,
		"{\"type\":\"status\",\"watch\":true}", "@readers", "@start",
		"@readers", REFUSE, NULL };
	struct cw_native_world *n = *state;
	unsigned statuses = 0;

	assert_err(cw_native_world_play(n, script), CW_ERR_REFUSED);
	cw_buf_put_u8(&n->said, 0);
	for (const char *at = (char *)n->said.ptr;
	     (at = strstr(at, "{\"type\":\"status\"")) != NULL; at++)
		statuses++;
	assert_int_equal(statuses, 2);
	assert_non_null(strstr((char *)n->said.ptr, "{\"type\":\"readers\""));
}

static void
nobody_who_does_not_watch_is_told(void **state)
{
	static const char *const script[] = { HELLO, "@readers", "@end", NULL };
	struct cw_native_world *n = *state;

	assert_err(cw_native_world_play(n, script), CW_ERR_CANCELLED);
	assert_false(cw_native_world_said(n, "\"status\""));
}

static void
a_status_without_the_service_says_why(void **state)
{
	static const char *const script[] = { HELLO, "{\"type\":\"status\"}",
		"@end", NULL };
	struct cw_native_world *n = *state;

	n->w.reader.list_error = CW_ERR_PCSC_FORBIDDEN;
	assert_err(cw_native_world_play(n, script), CW_ERR_CANCELLED);
	assert_true(cw_native_world_said(n,
	    "\"pcscd\":false,\"error\":{\"number\":501,"));
}

static void
a_run_that_was_cut_off_goes_on_and_says_so(void **state)
{
	static const char *const first[] = { HELLO, "@start", ACCEPT, "@reply",
		"@reply", "@end", NULL };
	static const char *const second[] = { HELLO, "@start", ACCEPT, NULL };
	struct cw_native_world *n = *state;

	assert_err(cw_native_world_play(n, first), CW_ERR_CANCELLED);
	assert_true(cw_native_world_said(n, "\"resumable\":true"));
	assert_err(cw_native_world_play(n, second), CW_OK);
	assert_true(cw_native_world_said(n, "\"new\":false,\"resume\":true"));
	assert_true(cw_native_world_said(n, "\"done\",\"resumed\":true"));
	assert_true(n->w.is_confirmed);
}

/* A session is open on the card, begun where nobody can ask. */
static void
begin_elsewhere(struct cw_native_world *n)
{
	static const char *const script[] = { HELLO, "@start", ACCEPT, "@reply",
		"@reply", "@end", NULL };

	assert_err(cw_native_world_play(n, script), CW_ERR_CANCELLED);
	assert_true(cw_native_world_said(n, "\"resumable\":true"));
	assert_err(cw_known_forget(&n->w.known, n->w.env.origin), CW_OK);
}

static void
another_computers_session_goes_on_only_if_the_person_says_so(void **state)
{
	static const char *const refuse[] = { HELLO, "@start", ACCEPT,
		"@readers", REFUSE, NULL };
	static const char *const late[] = { HELLO, "@start", ACCEPT, "@timeout",
		NULL };
	static const char *const wrong[] = { HELLO, "@start", DROP, NULL };
	static const char *const accept[] = { HELLO, "@start", ACCEPT, ACCEPT,
		NULL };
	struct cw_native_world *n = *state;

	begin_elsewhere(n);
	assert_err(cw_native_world_play(n, refuse), CW_ERR_REFUSED);
	assert_true(cw_native_world_said(n, "{\"type\":\"unfinished\","));
	assert_false(cw_native_world_said(n, "\"post\""));
	assert_err(cw_native_world_play(n, late), CW_ERR_PERSON_TIMEOUT);
	assert_err(cw_native_world_play(n, wrong), CW_ERR_WRONG_STEP);
	assert_false(n->w.is_confirmed);
	assert_err(cw_native_world_play(n, accept), CW_OK);
	assert_true(cw_native_world_said(n, "\"done\",\"resumed\":true"));
	assert_true(n->w.is_confirmed);
}

static void
another_computers_session_can_be_dropped_for_the_one_agreed_to(void **state)
{
	static const char *const script[] = { HELLO, "@start", ACCEPT, DROP,
		NULL };
	struct cw_native_world *n = *state;

	begin_elsewhere(n);
	cw_world_new_session(&n->w);
	assert_err(cw_native_world_play(n, script), CW_OK);
	assert_true(cw_native_world_said(n, "\"done\",\"resumed\":false"));
	assert_true(n->w.is_confirmed);
}

static void
a_late_answer_to_an_earlier_post_is_passed_over(void **state)
{
	static const char *const script[] = { HELLO, "@start", ACCEPT,
		CANCEL_REPLY(1, "network"), CANCEL_REPLY(1, "timeout"),
		"@reply", NULL };
	struct cw_native_world *n = *state;

	assert_err(cw_native_world_play(n, script), CW_OK);
	assert_true(cw_native_world_said(n, "\"id\":5"));
}

static void
another_extension_is_told_so_and_nothing_else(void **state)
{
	static const char *const script[] = { HELLO, NULL };
	struct cw_native_world *n = *state;

	n->config.refusal = CW_ERR_UNKNOWN_EXTENSION;
	assert_err(cw_native_world_play(n, script), CW_ERR_UNKNOWN_EXTENSION);
	assert_int_equal(n->at, 0);
	assert_true(cw_native_world_said(n, "\"number\":714"));
	assert_false(cw_native_world_said(n, "\"hello\""));
}

static void
arguments_say_which_extension_it_is(void **state)
{
	static const struct {
		const char *argv[4];
		enum cw_caller caller;
	} rows[] = {
		{ { "agent", CW_ORIGIN_CHROMIUM }, CW_CALLER_OURS },
		{ { "agent", CW_ORIGIN_CHROMIUM, "--parent-window=0" },
		    CW_CALLER_OURS },
		{ { "agent", "chrome-extension://abc/" }, CW_CALLER_UNKNOWN },
		{ { "agent", CW_ORIGIN_CHROMIUM "x" }, CW_CALLER_UNKNOWN },
		{ { "agent", "/a/b.json", CW_EXTENSION_FIREFOX },
		    CW_CALLER_OURS },
		{ { "agent", "/a/b.json", "other@example" },
		    CW_CALLER_UNKNOWN },
		{ { "agent", "/a/b.json" }, CW_CALLER_NONE },
		{ { "agent", "enroll" }, CW_CALLER_NONE },
		{ { "agent" }, CW_CALLER_NONE },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int argc = 0;

		while (argc < 4 && rows[i].argv[argc] != NULL)
			argc++;
		assert_int_equal(cw_browser_caller(argc,
				     (char *const *)(uintptr_t)rows[i].argv),
		    rows[i].caller);
	}
}

#define TEST(name)                                                   \
	cmocka_unit_test_setup_teardown(name, cw_native_world_setup, \
	    cw_native_world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(a_whole_session_is_said_in_exactly_these_words),
		TEST(a_homograph_host_is_shown_in_ascii),
		TEST(readers_are_pushed_to_whoever_watches),
		TEST(nobody_who_does_not_watch_is_told),
		TEST(a_status_without_the_service_says_why),
		TEST(a_run_that_was_cut_off_goes_on_and_says_so),
		TEST(
		    another_computers_session_goes_on_only_if_the_person_says_so),
		TEST(
		    another_computers_session_can_be_dropped_for_the_one_agreed_to),
		TEST(a_late_answer_to_an_earlier_post_is_passed_over),
		TEST(another_extension_is_told_so_and_nothing_else),
		TEST(arguments_say_which_extension_it_is),
	};

	return cmocka_run_group_tests(tests, cw_world_before_all,
	    cw_world_after_all);
}
