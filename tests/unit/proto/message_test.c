/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/message.h"

#include "tests/support/check.h"

static void
the_language_is_the_one_that_the_header_likes_best(void **state)
{
	static const struct {
		const char *header;
		enum cw_language want;
	} rows[] = {
		{ "", CW_LANGUAGE_EN },
		{ "de", CW_LANGUAGE_DE },
		{ "DE-at", CW_LANGUAGE_DE },
		{ "de-Latn-CH-1996", CW_LANGUAGE_DE },
		{ "fr-CH, fr;q=0.9, en;q=0.8, de;q=0.7, *;q=0.5",
		    CW_LANGUAGE_FR },
		{ "it, pt-BR;q=0.9, es;q=0.2", CW_LANGUAGE_ES },
		{ "en;q=0.3,es;q=0.301", CW_LANGUAGE_ES },
		{ "en;q=0.3 , es ; q=1.000", CW_LANGUAGE_ES },
		{ "en;q=0.5,de;q=0.5", CW_LANGUAGE_EN },
		{ "de;q=0", CW_LANGUAGE_EN },
		{ "de;q=0, fr;q=0.001", CW_LANGUAGE_FR },
		{ "*", CW_LANGUAGE_EN },
		{ "it", CW_LANGUAGE_EN },
		{ "den", CW_LANGUAGE_EN },
		{ "d", CW_LANGUAGE_EN },
		{ "-de", CW_LANGUAGE_EN },
		{ ",,;,;q=,de;q=1.1,fr;q=x", CW_LANGUAGE_EN },
		{ "de;q=0.1234, es;q=0.1", CW_LANGUAGE_ES },
		{ "de;q=1,de;q=", CW_LANGUAGE_DE },
		{ "de;q=2,es;p=1", CW_LANGUAGE_EN },
		{ "de;q=5.", CW_LANGUAGE_EN },
		{ "fr;Q=0.5", CW_LANGUAGE_FR },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].header,
		    cw_message_accept(cw_bytes_str(rows[i].header)) ==
			rows[i].want);
}

static void
a_language_that_we_do_not_write_is_not_found(void **state)
{
	enum cw_language language = CW_LANGUAGE_FR;

	(void)state;
	assert_false(cw_message_lookup(cw_bytes_str("it-IT"), &language));
	assert_false(cw_message_lookup(CW_BYTES_NONE, &language));
	assert_int_equal(language, CW_LANGUAGE_FR);
	for (unsigned i = 0; i < CW_LANGUAGES; i++) {
		assert_true(cw_message_lookup(cw_bytes_str(cw_message_tag(
						  (enum cw_language)i)),
		    &language));
		assert_int_equal(language, i);
	}
}

static void
every_error_has_its_sentences_in_every_language(void **state)
{
	static const enum cw_err errors[] = {
#define CW_ERR(number, name, category, what, remedy) CW_ERR_##name,
#include "proto/base/errors.def"
#undef CW_ERR
	};

	(void)state;
	for (size_t i = 0; i < COUNT(errors); i++) {
		enum cw_err err = errors[i];

		assert_string_equal(cw_message_what(CW_LANGUAGE_EN, err),
		    cw_err_what(err));
		assert_string_equal(cw_message_remedy(CW_LANGUAGE_EN, err),
		    cw_err_remedy(err));
		for (unsigned l = CW_LANGUAGE_DE; l < CW_LANGUAGES; l++) {
			const char *what =
			    cw_message_what((enum cw_language)l, err);

			assert_row(cw_err_name(err),
			    strcmp(what, cw_err_what(err)) != 0);
			assert_row(cw_err_name(err),
			    what[0] != '\0' &&
				cw_message_remedy((enum cw_language)l,
				    err)[0] != '\0');
		}
	}
	/* A number that nobody wrote has the texts of an internal error. */
	assert_string_equal(cw_message_what(CW_LANGUAGE_DE, (enum cw_err)999),
	    cw_err_what(CW_ERR_INTERNAL));
}

static void
values_stand_where_each_language_wants_them(void **state)
{
	const struct cw_bytes values[] = { cw_bytes_str("P-256"),
		cw_bytes_str("9A") };
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 200);
	cw_message_put(&out, CW_LANGUAGE_EN, "key_in_slot", values, 2);
	assert_true(
	    cw_bytes_is(cw_buf_bytes(&out), "P-256 key in PIV slot 9A"));
	cw_buf_reset(&out);
	cw_message_put(&out, CW_LANGUAGE_ES, "key_in_slot", values, 2);
	assert_true(
	    cw_bytes_is(cw_buf_bytes(&out), "Clave P-256 en la ranura PIV 9A"));
	cw_buf_reset(&out);
	cw_message_put(&out, CW_LANGUAGE_EN, "key_in_slot", values, 1);
	assert_true(cw_bytes_is(cw_buf_bytes(&out), "P-256 key in PIV slot "));
	cw_buf_wipe(&out);
	assert_int_equal(cw_message_values("key_in_slot"), 2);
	assert_int_equal(cw_message_values("label_issuer"), 0);
}

static void
a_value_that_looks_like_a_placeholder_stays_what_it_is(void **state)
{
	const struct cw_bytes values[] = { cw_bytes_str("$2"),
		cw_bytes_str("$1") };
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 200);
	cw_message_put(&out, CW_LANGUAGE_EN, "key_in_slot", values, 2);
	assert_true(cw_bytes_is(cw_buf_bytes(&out), "$2 key in PIV slot $1"));
	cw_buf_wipe(&out);
}

static void
a_key_that_does_not_exist_gives_itself(void **state)
{
	struct cw_buf out;

	(void)state;
	assert_string_equal(cw_message(CW_LANGUAGE_DE, "no_such$"), "no_such$");
	assert_int_equal(cw_message_values("no_such$"), -1);
	cw_buf_init(&out, 20);
	cw_message_put(&out, CW_LANGUAGE_DE, "no_such$", NULL, 0);
	assert_true(cw_bytes_is(cw_buf_bytes(&out), "no_such$"));
	cw_buf_wipe(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    the_language_is_the_one_that_the_header_likes_best),
		cmocka_unit_test(a_language_that_we_do_not_write_is_not_found),
		cmocka_unit_test(
		    every_error_has_its_sentences_in_every_language),
		cmocka_unit_test(values_stand_where_each_language_wants_them),
		cmocka_unit_test(
		    a_value_that_looks_like_a_placeholder_stays_what_it_is),
		cmocka_unit_test(a_key_that_does_not_exist_gives_itself),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
