/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line says, in the person's language. */
#include <stdlib.h>

#include "agent/show.h"
#include "proto/command.h"
#include "tests/support/check.h"

static void
the_language_is_that_of_the_environment(void **state)
{
	static const struct {
		const char *locale;
		enum cw_language want;
	} rows[] = {
		{ "de_AT.UTF-8", CW_LANGUAGE_DE },
		{ "fr_CA", CW_LANGUAGE_FR },
		{ "es@euro", CW_LANGUAGE_ES },
		{ "en_GB.UTF-8", CW_LANGUAGE_EN },
		{ "it_IT.UTF-8", CW_LANGUAGE_EN },
		{ "C.UTF-8", CW_LANGUAGE_EN },
		{ "POSIX", CW_LANGUAGE_EN },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		setenv("LC_ALL", rows[i].locale, 1);
		assert_row(rows[i].locale, cw_show_language() == rows[i].want);
	}
	setenv("LC_ALL", "C.UTF-8", 1);
}

static void
a_scope_is_said_line_by_line_in_every_language(void **state)
{
	static const char *const want[CW_LANGUAGES] = {
		"make up to 2 keys, in slot 9A or 9C\ninstall certificates\n"
		"DELETE keys\nchange its objects 3, 7",
		"bis zu 2 Schl\xc3\xbcssel erzeugen, im Platz 9A oder 9C\n"
		"Zertifikate installieren\nSchl\xc3\xbcssel L\xc3\x96SCHEN\n"
		"seine Objekte 3, 7 \xc3\xa4ndern",
		"cr\xc3\xa9"
		"er jusqu\xe2\x80\x99\xc3\xa0 2 cl\xc3\xa9s, dans "
		"l\xe2\x80\x99"
		"emplacement 9A ou 9C\ninstaller des certificats\n"
		"SUPPRIMER des cl\xc3\xa9s\nmodifier ses objets 3, 7",
		"crear hasta 2 claves, en la ranura 9A o 9C\n"
		"instalar certificados\nBORRAR claves\n"
		"cambiar sus objetos 3, 7",
	};
	static const struct cw_scope scope = {
		.keys_max = 2,
		.n_slots = 2,
		.slots = { 0x9a, 0x9c },
		.n_objects = 2,
		.objects = { 3, 7 },
		.n_commands = 3,
		.commands = { CW_CREATE_KEY, CW_SET_CERTIFICATES,
		    CW_DELETE_KEY },
	};
	const struct cw_consent consent = { .scope = &scope };
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 4096);
	for (unsigned l = 0; l < CW_LANGUAGES; l++) {
		cw_buf_reset(&out);
		cw_show_scope((enum cw_language)l, &consent, &out);
		assert_row(want[l], cw_bytes_is(cw_buf_bytes(&out), want[l]));
	}
	cw_buf_wipe(&out);
}

/* By the names that the Intent has for it; what makes way for a new key is
 * replaced, by whichever command. */
static void
what_is_there_is_named(void **state)
{
	static const struct cw_scope scope = {
		.n_objects = 2,
		.objects = { 3, 7 },
		.n_commands = 3,
		.commands = { CW_LIST, CW_DELETE_KEY, CW_UNLOCK_KEY },
	};
	const struct cw_intent_object objects[] = {
		{ .id = 3, .slot = 0x9a, .name = cw_bytes_str("CN=Ada") },
		{ .id = 7, .name = cw_bytes_str("CN=Eve") },
	};
	static const struct {
		enum cw_action action;
		const char *want;
	} rows[] = {
		{ CW_ACTION_MANAGE,
		    "list the keys that it made before\n"
		    "DELETE keys: CN=Ada, in slot 9A\nDELETE keys: CN=Eve\n"
		    "unlock PINs: CN=Ada, in slot 9A\nunlock PINs: CN=Eve" },
		{ CW_ACTION_RENEW,
		    "list the keys that it made before\n"
		    "REPLACE keys: CN=Ada, in slot 9A\nREPLACE keys: CN=Eve\n"
		    "unlock PINs: CN=Ada, in slot 9A\nunlock PINs: CN=Eve" },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const struct cw_consent consent = { .scope = &scope,
			.action = rows[i].action,
			.n_objects = COUNT(objects),
			.objects = objects };
		struct cw_buf out;

		cw_buf_init(&out, 4096);
		cw_show_scope(CW_LANGUAGE_EN, &consent, &out);
		assert_row(rows[i].want,
		    cw_bytes_is(cw_buf_bytes(&out), rows[i].want));
		cw_buf_wipe(&out);
	}
}

static void
columns_count_characters_and_not_bytes(void **state)
{
	(void)state;
	assert_int_equal(cw_show_gap("", 3), 3);
	assert_int_equal(cw_show_gap("ab", 3), 1);
	assert_int_equal(cw_show_gap("\xc3\x84\xe2\x82\xac", 3), 1);
	assert_int_equal(cw_show_gap("abcd", 3), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_language_is_that_of_the_environment),
		cmocka_unit_test(
		    a_scope_is_said_line_by_line_in_every_language),
		cmocka_unit_test(what_is_there_is_named),
		cmocka_unit_test(columns_count_characters_and_not_bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
