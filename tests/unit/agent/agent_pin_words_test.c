/* SPDX-License-Identifier: Apache-2.0 */
/* PIN entry: what a question says, in which language. */
#include "agent/pin_entry.h"

#include "tests/support/check.h"

static struct cw_pin_prompt
prompt(enum cw_pin_what what, bool is_new)
{
	return (struct cw_pin_prompt){ .what = what,
		.is_new = is_new,
		.rule = &cw_pin_rule_piv,
		.tries_left = 3,
		.origin = cw_bytes_str("https://issuer.test"),
		.reader = "Reader 00" };
}

static void
a_question_says_rules_tries_origin_and_what_was_wrong(void **state)
{
	struct cw_pin_prompt p = prompt(CW_PIN_HOLDER, true);
	char text[CW_PIN_TEXT_MAX];

	(void)state;
	p.last = CW_ERR_PIN_WEAK;
	cw_pin_text(&p, text);
	assert_non_null(strstr(text, "6 to 8 digits"));
	assert_non_null(strstr(text, "no sequence"));
	assert_non_null(strstr(text, "too easy to guess"));
	assert_non_null(strstr(text, "https://issuer.test"));
	assert_null(strstr(text, "Tries"));
	p = prompt(CW_PIN_HOLDER, false);
	cw_pin_text(&p, text);
	assert_non_null(strstr(text, "Tries left: 3"));
	assert_non_null(strstr(text, "Reader 00"));
}

static void
a_question_is_asked_in_the_language_of_the_person(void **state)
{
	static const struct {
		const char *text, *rule, *label, *again;
	} rows[CW_LANGUAGES] = {
		{ "Choose a PIN", "It has 6 to 8 digits, no sequence",
		    "PIN:", "PIN again:" },
		{ "W\xc3\xa4hlen Sie eine PIN",
		    "Sie hat 6 bis 8 Ziffern, keine",
		    "PIN:", "PIN wiederholen:" },
		{ "Choisissez un code PIN",
		    "Il comporte de 6 \xc3\xa0 8 chiffres",
		    "Code PIN\xc2\xa0:", "Code PIN \xc3\xa0 nouveau\xc2\xa0:" },
		{ "Elija un PIN", "Tiene de 6 a 8 d\xc3\xadgitos",
		    "PIN:", "Repita el PIN:" },
	};
	char text[CW_PIN_TEXT_MAX];
	char label[CW_PIN_LABEL_MAX];

	(void)state;
	for (unsigned l = 0; l < CW_LANGUAGES; l++) {
		struct cw_pin_prompt p = prompt(CW_PIN_HOLDER, true);

		p.language = (enum cw_language)l;
		p.last = CW_ERR_PIN_WEAK;
		cw_pin_text(&p, text);
		assert_row(rows[l].text, strstr(text, rows[l].text) != NULL);
		assert_row(rows[l].rule, strstr(text, rows[l].rule) != NULL);
		assert_non_null(
		    strstr(text, cw_message_what(p.language, p.last)));
		assert_null(strchr(text, '$'));
		cw_pin_label(&p, false, label);
		assert_string_equal(label, rows[l].label);
		cw_pin_label(&p, true, label);
		assert_string_equal(label, rows[l].again);
	}
}

static void
text_that_could_drive_a_terminal_is_not_shown(void **state)
{
	struct cw_pin_prompt p = prompt(CW_PIN_HOLDER, false);
	char text[CW_PIN_TEXT_MAX];

	(void)state;
	p.origin = cw_bytes_str("https://a\x1b[2J");
	p.reader = "Reader \xe2\x80\xae";
	cw_pin_text(&p, text);
	assert_null(strchr(text, '\x1b'));
	assert_null(strstr(text, "Reader"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_question_says_rules_tries_origin_and_what_was_wrong),
		cmocka_unit_test(
		    a_question_is_asked_in_the_language_of_the_person),
		cmocka_unit_test(text_that_could_drive_a_terminal_is_not_shown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
