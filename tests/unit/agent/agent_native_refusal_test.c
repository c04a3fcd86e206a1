/* SPDX-License-Identifier: Apache-2.0 */
/* The native host before a hostile extension, page or issuer. */
#include <stdio.h>

#include "tests/support/check.h"
#include "tests/support/native_world.h"

#define HELLO                                                      \
	"{\"type\":\"hello\",\"version\":1,\"extension\":\"1.0\"," \
	"\"languages\":[\"de-DE\",\"en\"]}"
#define ACCEPT "{\"type\":\"accept\",\"reader\":null}"
#define REFUSE "{\"type\":\"refuse\"}"
#define CANCEL_REPLY(id, word) \
	"{\"type\":\"reply\",\"id\":" #id ",\"error\":\"" word "\"}"
#define START(origin, intent)                              \
	"{\"type\":\"start\",\"origin\":\"" origin "\",\"" \
	"intent\":\"" intent "\"}"

static const struct refusal {
	const char *what;
	const char *script[6];
	enum cw_err err;
	bool heard_by_card;
} refusals[] = {
	{ "no greeting first", { "{\"type\":\"status\"}" }, CW_ERR_WRONG_STEP,
	    false },
	{ "another version", { "{\"type\":\"hello\",\"version\":2}" },
	    CW_ERR_BAD_VERSION, false },
	{ "a greeting that does not come", { "@timeout" },
	    CW_ERR_PERSON_TIMEOUT, false },
	{ "two greetings", { HELLO, HELLO }, CW_ERR_WRONG_STEP, false },
	{ "a type that is not known", { HELLO, "{\"type\":\"sudo\"}" },
	    CW_ERR_MALFORMED, false },
	{ "what is not JSON", { HELLO, "{\"type\":" }, CW_ERR_MALFORMED,
	    false },
	{ "acceptance before the question", { HELLO, ACCEPT },
	    CW_ERR_WRONG_STEP, false },
	{ "a reply that nobody asked for",
	    { HELLO, CANCEL_REPLY(1, "network") }, CW_ERR_WRONG_STEP, false },
	{ "an origin without TLS", { HELLO, START("http://issuer.test", "") },
	    CW_ERR_ORIGIN_NOT_ALLOWED, false },
	{ "an origin with a path",
	    { HELLO, START("https://issuer.test/x", "") },
	    CW_ERR_ORIGIN_NOT_ALLOWED, false },
	{ "an origin with a user",
	    { HELLO, START("https://me@issuer.test", "") },
	    CW_ERR_ORIGIN_NOT_ALLOWED, false },
	{ "an origin with a default port",
	    { HELLO, START("https://issuer.test:443", "") },
	    CW_ERR_ORIGIN_NOT_ALLOWED, false },
	{ "an origin in capitals", { HELLO, START("https://Issuer.test", "") },
	    CW_ERR_ORIGIN_NOT_ALLOWED, false },
	{ "an opaque origin", { HELLO, START("null", "") },
	    CW_ERR_ORIGIN_NOT_ALLOWED, false },
	{ "a homograph that is not in ASCII",
	    { HELLO, START("https://issu\xd0\xb5r.test", "") },
	    CW_ERR_ORIGIN_NOT_ALLOWED, false },
	{ "no Intent", { HELLO, START("https://issuer.test:8443", "") },
	    CW_ERR_TRUNCATED, false },
	{ "an Intent that is none",
	    { HELLO, START("https://issuer.test:8443", "gA") },
	    CW_ERR_WRONG_TYPE, false },
	{ "the person's no", { HELLO, "@start", REFUSE }, CW_ERR_REFUSED,
	    false },
	{ "no answer of the person", { HELLO, "@start", "@timeout" },
	    CW_ERR_PERSON_TIMEOUT, false },
	{ "a status in the middle of the question",
	    { HELLO, "@start", "{\"type\":\"status\"}" }, CW_ERR_WRONG_STEP,
	    false },
	{ "another start", { HELLO, "@start", "@start" }, CW_ERR_WRONG_STEP,
	    false },
	{ "the browser's end before the question", { HELLO, "@end" },
	    CW_ERR_CANCELLED, false },
	{ "the browser's end during the question", { HELLO, "@start", "@end" },
	    CW_ERR_CANCELLED, false },
	{ "the browser's end afterwards", { HELLO, "@start", ACCEPT, "@end" },
	    CW_ERR_CANCELLED, true },
	{ "a reply of the future",
	    { HELLO, "@start", ACCEPT, CANCEL_REPLY(2, "network") },
	    CW_ERR_WRONG_STEP, true },
	{ "acceptance twice", { HELLO, "@start", ACCEPT, ACCEPT },
	    CW_ERR_WRONG_STEP, true },
	{ "a page that is closed",
	    { HELLO, "@start", ACCEPT, CANCEL_REPLY(1, "tab-gone") },
	    CW_ERR_PAGE_GONE, true },
	{ "a redirection",
	    { HELLO, "@start", ACCEPT, CANCEL_REPLY(1, "redirect") },
	    CW_ERR_REDIRECTED, true },
	{ "a body that is too large",
	    { HELLO, "@start", ACCEPT, CANCEL_REPLY(1, "too-large") },
	    CW_ERR_TOO_LARGE, true },
	{ "a failure that is not known",
	    { HELLO, "@start", ACCEPT, CANCEL_REPLY(1, "cosmic-rays") },
	    CW_ERR_MALFORMED, true },
	{ "a success without the media type",
	    { HELLO, "@start", ACCEPT,
		"{\"type\":\"reply\",\"id\":1,\"status\":200,"
		"\"content_type\":\"text/html\",\"body\":\"\"}" },
	    CW_ERR_MEDIA_TYPE, true },
	{ "a status that is no success",
	    { HELLO, "@start", ACCEPT,
		"{\"type\":\"reply\",\"id\":1,\"status\":404,\"body\":\"\"}" },
	    CW_ERR_NOT_FOUND, true },
	{ "an approval that is pending",
	    { HELLO, "@start", ACCEPT,
		"{\"type\":\"reply\",\"id\":1,\"status\":202,"
		"\"retry_after\":7,\"body\":\"\"}" },
	    CW_ERR_APPROVAL_PENDING, true },
	{ "a reader that is not there",
	    { HELLO, "@start", "{\"type\":\"accept\",\"reader\":\"x\"}" },
	    CW_ERR_NO_READER, false },
};

static void
every_refusal_has_its_number_and_leaves_the_card_alone(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(refusals); i++) {
		const struct refusal *r = &refusals[i];
		struct cw_native_world *n = test_calloc(1, sizeof(*n));
		char number[32];
		enum cw_err err;

		cw_native_world_init(n, cw_world_vendor());
		n->config.person_ms = n->config.card_ms = 300;
		err = cw_native_world_play(n, r->script);
		if (err != r->err)
			fail_msg("%s: %s", r->what, cw_err_name(err));
		snprintf(number, sizeof(number), "\"number\":%d,", (int)r->err);
		if (!cw_native_world_said(n, "{\"type\":\"failed\"") ||
		    !cw_native_world_said(n, number))
			fail_msg("%s: not said", r->what);
		if (!r->heard_by_card && n->w.reader.apdus > 0)
			fail_msg("%s: the card heard of it", r->what);
		if (n->w.reader.is_begun || n->w.reader.connected != NULL)
			fail_msg("%s: the card is held", r->what);
		cw_native_world_wipe(n);
		test_free(n);
	}
}

/* ---- a hostile issuer ---- */

static void
escape_sequence(struct cw_world *w)
{
	w->intent.subject = cw_bytes_str("CN=\x1b]0;x\x07");
}

static void
line_break(struct cw_world *w)
{
	w->intent.purpose = cw_bytes_str("Tests\nIssuer: Bank");
}

static void
direction_override(struct cw_world *w)
{
	w->intent.issuer_name = cw_bytes_str("Bank \xe2\x80\xae evil");
}

static void
direction_isolate(struct cw_world *w)
{
	w->intent.purpose = cw_bytes_str("\xe2\x81\xa7 Bank \xe2\x81\xa9");
}

static void
zero_width(struct cw_world *w)
{
	w->intent.issuer_name = cw_bytes_str("Ba\xe2\x80\x8bnk");
}

static void
overlong(struct cw_world *w)
{
	static char text[CW_TEXT_MAX + 2];

	memset(text, 'A', sizeof(text) - 1);
	w->intent.purpose = cw_bytes_str(text);
}

static void
other_site(struct cw_world *w)
{
	w->intent.session_url = cw_bytes_str("https://evil.test/session");
}

static void
other_port(struct cw_world *w)
{
	w->intent.session_url = cw_bytes_str("https://issuer.test:8444/s");
}

static void
longer_host(struct cw_world *w)
{
	w->intent.session_url =
	    cw_bytes_str("https://issuer.test:8443.evil.test/s");
}

static void
user_in_url(struct cw_world *w)
{
	w->intent.session_url =
	    cw_bytes_str("https://issuer.test:8443@evil.test/s");
}

static const struct {
	const char *what;
	void (*edit)(struct cw_world *w);
	enum cw_err err;
} hostile[] = {
	{ "escape sequences", escape_sequence, CW_ERR_BAD_TEXT },
	{ "line breaks", line_break, CW_ERR_BAD_TEXT },
	{ "a direction override", direction_override, CW_ERR_BAD_TEXT },
	{ "direction isolates", direction_isolate, CW_ERR_BAD_TEXT },
	{ "characters without width", zero_width, CW_ERR_BAD_TEXT },
	{ "a text that is too long", overlong, CW_ERR_OUT_OF_RANGE },
	{ "another site's address", other_site, CW_ERR_BAD_ORIGIN },
	{ "another port", other_port, CW_ERR_BAD_ORIGIN },
	{ "a host that only begins so", longer_host, CW_ERR_BAD_ORIGIN },
	{ "the host as a user's name", user_in_url, CW_ERR_BAD_ORIGIN },
};

static void
an_intent_that_deceives_is_not_shown(void **state)
{
	static const char *const script[] = { HELLO, "@start", ACCEPT, NULL };

	(void)state;
	for (size_t i = 0; i < COUNT(hostile); i++) {
		struct cw_native_world *n = test_calloc(1, sizeof(*n));
		enum cw_err err;

		cw_native_world_init(n, cw_world_vendor());
		hostile[i].edit(&n->w);
		cw_world_new_session(&n->w);
		err = cw_native_world_play(n, script);
		if (err != hostile[i].err)
			fail_msg("%s: %s", hostile[i].what, cw_err_name(err));
		if (cw_native_world_said(n, "\"consent\""))
			fail_msg("%s: shown", hostile[i].what);
		assert_int_equal(n->w.reader.apdus, 0);
		cw_native_world_wipe(n);
		test_free(n);
	}
}

/* The world's encoder does not make such a text. */
static void
an_intent_with_bytes_that_are_no_utf8_is_not_shown(void **state)
{
	static const char *const script[] = { HELLO, "@start", ACCEPT, NULL };
	struct cw_native_world *n = *state;
	struct cw_buf *bytes = &n->w.intent_bytes;
	uint8_t *at = memmem(bytes->ptr, bytes->len, "CN=Te", 5);

	assert_non_null(at);
	at[3] = 0xc0;
	at[4] = 0xaf;
	assert_err(cw_native_world_play(n, script), CW_ERR_NOT_UTF8);
	assert_false(cw_native_world_said(n, "\"consent\""));
}

static void
request_of_another_site(struct cw_world *w)
{
	w->issuer.request.uri = cw_bytes_str("https://evil.test:8443/session");
}

static void
a_signed_request_of_another_origin_never_reaches_the_card(void **state)
{
	static const char *const script[] = { HELLO, "@start", ACCEPT, NULL };
	struct cw_native_world *n = *state;

	n->w.edit_request = request_of_another_site;
	assert_err(cw_native_world_play(n, script), CW_ERR_BAD_ORIGIN);
	assert_false(cw_native_world_said(n, "opening-session"));
}

#define TEST(name)                                                   \
	cmocka_unit_test_setup_teardown(name, cw_native_world_setup, \
	    cw_native_world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(every_refusal_has_its_number_and_leaves_the_card_alone),
		TEST(an_intent_that_deceives_is_not_shown),
		TEST(an_intent_with_bytes_that_are_no_utf8_is_not_shown),
		TEST(a_signed_request_of_another_origin_never_reaches_the_card),
	};

	return cmocka_run_group_tests(tests, cw_world_before_all,
	    cw_world_after_all);
}
