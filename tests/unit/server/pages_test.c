/* SPDX-License-Identifier: Apache-2.0 */
/* The holder's pages: what they say, in which language, and what they escape. */
#include "server/pages.h"

#include <stdio.h>

#include "server/template.h"
#include "tests/support/check.h"
#include "tests/support/markup.h"

#define PAGE_MAX (64 * 1024)
#define EVIL "<b>\"&'</b>"
#define EVIL_SAFE "&lt;b&gt;"

static bool
contains(const struct cw_buf *b, const char *text)
{
	return memmem(b->ptr, b->len, text, strlen(text)) != NULL;
}

static struct cw_intent
intent_of(const char *text)
{
	return (struct cw_intent){ .issuer_name = cw_bytes_str(text),
		.purpose = cw_bytes_str(text),
		.subject = cw_bytes_str(text),
		.mode = CW_MODE_PSEUDONYMOUS,
		.expires_s = 1795262400 }; /* 2026-11-21 12:00 UTC */
}

static struct cw_cert_about
about_of(const char *text)
{
	struct cw_cert_about about = { .not_after_s = 1826798400,
		.uses = CW_CERT_USE_LOGIN | CW_CERT_USE_MAIL |
		    CW_CERT_USE_SIGN | CW_CERT_USE_CODE | CW_CERT_USE_SERVER };

	snprintf(about.subject.name, sizeof(about.subject.name), "%s", text);
	snprintf(about.subject.organisation, sizeof(about.subject.organisation),
	    "%s", text);
	snprintf(about.issuer.name, sizeof(about.issuer.name), "%s", text);
	snprintf(about.issuer.organisation, sizeof(about.issuer.organisation),
	    "%s", text);
	return about;
}

static const uint8_t serial[16] = { 0x0a, 0xff };
static const struct cw_profile profile = { .name = "person",
	.key_type = CW_KEY_P256,
	.slot = 0x9a };

/* Every page there is, filled with `text`; false behind the last one. */
static bool
make(unsigned n, enum cw_language language, const char *text,
    struct cw_buf *out)
{
	const struct cw_intent intent = intent_of(text);
	const struct cw_cert_about about = about_of(text);
	struct cw_page_outcome outcome = { .intent = &intent };

	cw_buf_init(out, PAGE_MAX);
	switch (n) {
	case 0:
		cw_page_invitation(language, &intent, text, out);
		return true;
	case 1:
		cw_page_enroll(language, &intent, &profile, out);
		return true;
	case 2:
		cw_page_enroll(language, &intent, NULL, out);
		return true;
	case 3:
		cw_page_done(language, &outcome, out);
		return true;
	case 4:
		outcome.about = &about;
		outcome.slot = 0x9a;
		outcome.serial = CW_BYTES_ARRAY(serial);
		cw_page_done(language, &outcome, out);
		return true;
	case 5:
		cw_page_error(language, CW_ERR_INVITATION_USED, out);
		return true;
	default:
		return false;
	}
}

static void
every_page_is_well_formed_and_full_in_every_language(void **state)
{
	static const char *const texts[] = { "A & B", "", EVIL,
		"Z\xc3\xbcrich {{t:page_skip}} {{issuer}} }} $1" };
	struct cw_buf page;

	(void)state;
	for (unsigned l = 0; l < CW_LANGUAGES; l++)
		for (size_t t = 0; t < COUNT(texts); t++)
			for (unsigned n = 0;
			     make(n, (enum cw_language)l, texts[t], &page);
			     n++) {
				const char *fault =
				    cw_markup_fault(cw_buf_bytes(&page));
				char lang[32];

				assert_err(page.err, CW_OK);
				assert_row(fault == NULL ? "" : fault,
				    fault == NULL);
				snprintf(lang, sizeof(lang),
				    "<html lang=\"%s\">",
				    cw_message_tag((enum cw_language)l));
				assert_true(contains(&page, lang));
				/* Only a value may look like a place. */
				assert_row(texts[t],
				    t == 3 || !contains(&page, "{{"));
				assert_false(contains(&page, "$2"));
				cw_buf_wipe(&page);
			}
}

static void
what_comes_from_others_is_text_and_nothing_else(void **state)
{
	struct cw_buf page;

	(void)state;
	for (unsigned n = 0; make(n, CW_LANGUAGE_EN, EVIL, &page); n++) {
		assert_false(contains(&page, "<b>"));
		assert_row("the text is there, escaped",
		    n == 5 || contains(&page, EVIL_SAFE));
		cw_buf_wipe(&page);
	}
	make(1, CW_LANGUAGE_EN, "{{subject}}", &page);
	assert_true(contains(&page, "<dd>{{subject}}</dd>"));
	cw_buf_wipe(&page);
}

static void
each_language_has_its_own_words(void **state)
{
	static const char *const words[CW_LANGUAGES][2] = {
		{ "What will happen", "21 November 2026, 12:00 UTC" },
		{ "Was geschehen wird", "21. November 2026, 12:00 Uhr (UTC)" },
		{ "Ce qui va se passer", "21 novembre 2026, 12:00 UTC" },
		{ "Lo que va a ocurrir", "21 de noviembre de 2026, 12:00 UTC" },
	};
	struct cw_buf page;

	(void)state;
	for (unsigned l = 0; l < CW_LANGUAGES; l++) {
		make(1, (enum cw_language)l, "x", &page);
		for (size_t i = 0; i < 2; i++)
			assert_row(words[l][i], contains(&page, words[l][i]));
		cw_buf_wipe(&page);
	}
}

static void
the_last_page_says_the_certificate_in_plain_words(void **state)
{
	static const char *const words[] = { "<dd>Ada<br>", ">Engines<",
		"logging in, signed and encrypted e-mail", "21 November 2027",
		"PIV slot 9A", "0aff0000000000000000000000000000" };
	struct cw_intent intent = intent_of("For tests");
	struct cw_cert_about about = { .not_after_s = 1826798400,
		.uses = CW_CERT_USE_LOGIN | CW_CERT_USE_MAIL,
		.subject = { "Ada", "Engines" },
		.issuer = { "Issuing CA", "" } };
	struct cw_page_outcome outcome = { .intent = &intent,
		.about = &about,
		.slot = 0x9a,
		.serial = CW_BYTES_ARRAY(serial) };
	struct cw_buf page;

	(void)state;
	cw_buf_init(&page, PAGE_MAX);
	cw_page_done(CW_LANGUAGE_EN, &outcome, &page);
	for (size_t i = 0; i < COUNT(words); i++)
		assert_row(words[i], contains(&page, words[i]));
	assert_true(contains(&page, "<dd>Issuing CA</dd>"));
	assert_false(contains(&page, "/me"));
	cw_buf_reset(&page);
	/* Without a common name the subject of the intent stands there. */
	about.subject.name[0] = '\0';
	intent.subject = cw_bytes_str("O=Engines");
	outcome.slot = 0;
	outcome.has_me = true;
	cw_page_done(CW_LANGUAGE_EN, &outcome, &page);
	assert_true(contains(&page, "<dd>O=Engines<br>"));
	assert_true(contains(&page, "outside the PIV slots"));
	assert_true(contains(&page, "href=\"/me\""));
	cw_buf_wipe(&page);
}

static void
every_error_has_a_page_with_cause_and_cure(void **state)
{
	static const enum cw_err errors[] = {
#define CW_ERR(number, name, category, what, remedy) CW_ERR_##name,
#include "proto/base/errors.def"
#undef CW_ERR
	};
	char number[32];
	struct cw_buf page;

	(void)state;
	cw_buf_init(&page, PAGE_MAX);
	for (size_t i = 0; i < COUNT(errors); i++)
		for (unsigned l = 0; l < CW_LANGUAGES; l++) {
			cw_buf_reset(&page);
			cw_page_error((enum cw_language)l, errors[i], &page);
			assert_null(cw_markup_fault(cw_buf_bytes(&page)));
			snprintf(number, sizeof(number), " %d</p>",
			    (int)errors[i]);
			assert_true(contains(&page, number));
		}
	cw_buf_wipe(&page);
}

static void
the_files_of_the_pages_are_there_and_others_are_not(void **state)
{
	static const char *const paths[] = { "/style.css", "/icon.svg",
		"/cardwright.js", "/enroll.js" };
	struct cw_page_file file;

	(void)state;
	for (size_t i = 0; i < COUNT(paths); i++) {
		assert_true(cw_page_file(cw_bytes_str(paths[i]), &file));
		assert_true(file.content.len > 100);
		assert_non_null(file.media_type);
	}
	assert_false(cw_page_file(cw_bytes_str("/page.html"), &file));
	assert_false(cw_page_file(CW_BYTES_NONE, &file));
}

static void
a_page_that_does_not_fit_is_an_error_and_no_half_page(void **state)
{
	struct cw_buf page;

	(void)state;
	cw_buf_init(&page, 3000);
	cw_page_enroll(CW_LANGUAGE_EN, &(struct cw_intent){ .mode = 1 },
	    &profile, &page);
	assert_err(page.err, CW_ERR_TOO_LARGE);
	cw_buf_wipe(&page);
}

/* ---- the templates' own language ---- */

static void
places_are_filled_as_their_kind_wants(void **state)
{
	static const struct {
		const char *page, *want;
	} rows[] = {
		{ "", "" },
		{ "text", "text" },
		{ "{{a}}{{html}}", "&lt;<i>" },
		{ "{{tag}}",
		    "&lt;a href=&quot;x&quot;&gt;&#39;&amp;&#39;&lt;/a&gt;" },
		{ "[{{none}}]", "[]" },
		{ "{{t:label_issuer}}", "Aussteller" },
		{ "{{t:key_plain:a}}", "&lt;-Schl\xc3\xbcssel" },
		{ "{{t:no_such_key}}", "no_such_key" },
		{ "{{?a}}x{{a}}{{/}}y", "x&lt;y" },
		{ "{{?none}}x{{a}}{{t:label_issuer}}{{/}}y", "y" },
		{ "x{{a", "x" },
		{ "}}{{/}}", "}}" },
	};
	const struct cw_place places[] = {
		{ "a", { (const uint8_t *)"<", 1 }, false },
		{ "html", { (const uint8_t *)"<i>", 3 }, true },
		{ "tag", cw_bytes_str("<a href=\"x\">'&'</a>"), false },
	};
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 1000);
	for (size_t i = 0; i < COUNT(rows); i++) {
		cw_buf_reset(&out);
		cw_template_fill(&out, CW_LANGUAGE_DE,
		    cw_bytes_str(rows[i].page), places, COUNT(places));
		assert_row(rows[i].page,
		    cw_bytes_is(cw_buf_bytes(&out), rows[i].want));
	}
	cw_buf_wipe(&out);
}

static void
markup_that_is_wrong_is_seen_by_these_tests(void **state)
{
	static const char *const bad[] = { "", "<p></p>",
		"<!doctype html>\n<p>", "<!doctype html>\n<p></b></p>",
		"<!doctype html>\n<p class=a></p>", "<!doctype html>\n</p>",
		"<!doctype html>\na & b", "<!doctype html>\n<P></P>",
		"<!doctype html>\n<p class=\"<\"></p>",
		"<!doctype html>\n<p class=\"", "<!doctype html>\n<p",
		"<!doctype html>\n>", "<!doctype html>\n<p style=\"a\"></p>",
		"<!doctype html>\n<p onclick=\"a\"></p>" };

	(void)state;
	for (size_t i = 0; i < COUNT(bad); i++)
		assert_row(bad[i], cw_markup_fault(cw_bytes_str(bad[i])));
	assert_null(cw_markup_fault(cw_bytes_str(
	    "<!doctype html>\n<p class=\"a &amp; b\" hidden>c<br></p>\n")));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    every_page_is_well_formed_and_full_in_every_language),
		cmocka_unit_test(
		    what_comes_from_others_is_text_and_nothing_else),
		cmocka_unit_test(each_language_has_its_own_words),
		cmocka_unit_test(
		    the_last_page_says_the_certificate_in_plain_words),
		cmocka_unit_test(every_error_has_a_page_with_cause_and_cure),
		cmocka_unit_test(
		    the_files_of_the_pages_are_there_and_others_are_not),
		cmocka_unit_test(
		    a_page_that_does_not_fit_is_an_error_and_no_half_page),
		cmocka_unit_test(places_are_filled_as_their_kind_wants),
		cmocka_unit_test(markup_that_is_wrong_is_seen_by_these_tests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
