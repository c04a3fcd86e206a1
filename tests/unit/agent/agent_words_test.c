/* SPDX-License-Identifier: Apache-2.0 */
/* Words, options and encodings of the holder's commands. */
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "agent/key_words.h"
#include "agent/options.h"
#include "proto/pem.h"
#include "agent/pin_entry.h"
#include "proto/base/fdio.h"
#include "proto/base/secret.h"
#include "tests/support/check.h"

/* ---- names ---- */

static void
each_algorithm_has_its_name_and_others_that_are_in_use(void **state)
{
	(void)state;
	assert_string_equal(cw_algorithm_name(CW_ALG_ESP256), "ESP256");
	assert_string_equal(cw_algorithm_name(12345), "unknown");
	assert_int_equal(cw_algorithm_number("es256"), CW_ALG_ESP256);
	assert_int_equal(cw_algorithm_number("HMAC 256/256"), CW_ALG_HMAC_256);
	assert_int_equal(cw_algorithm_number("HS256"), CW_ALG_HMAC_256);
	assert_int_equal(cw_algorithm_number("unknown"), 0);
	assert_int_equal(cw_algorithm_number(""), 0);
}

static void
usages_come_one_by_one(void **state)
{
	unsigned both = CW_USAGE_SIGN | CW_USAGE_AGREE;

	(void)state;
	assert_string_equal(cw_key_word_usage(both, 0), "sign");
	assert_string_equal(cw_key_word_usage(both, 1), "agree");
	assert_null(cw_key_word_usage(both, 2));
	assert_string_equal(cw_key_word_type(CW_KEY_SECRET), "secret");
	assert_string_equal(cw_key_word_type((enum cw_key_type)99), "unknown");
}

/* ---- encodings ---- */

static void
pem_comes_back_as_it_went(void **state)
{
	struct cw_buf text;
	struct cw_buf back;
	uint8_t bytes[100];

	(void)state;
	cw_buf_init(&text, 4096);
	cw_buf_init(&back, 4096);
	for (size_t n = 1; n <= sizeof(bytes); n++) {
		cw_buf_reset(&text);
		cw_buf_reset(&back);
		cw_random(bytes, sizeof(bytes));
		cw_pem_put(&text, "PUBLIC KEY", cw_bytes(bytes, n));
		assert_err(cw_pem_get(cw_buf_bytes(&text), "PUBLIC KEY", &back),
		    CW_OK);
		assert_true(
		    cw_bytes_equal(cw_buf_bytes(&back), cw_bytes(bytes, n)));
	}
	cw_buf_wipe(&text);
	cw_buf_wipe(&back);
}

/* In two parts: scanners of sources look for keys by this label. */
#define SECRET_LABEL \
	"PRIVATE"    \
	" KEY"

static const char *const bad_pems[] = {
	"",
	"-----BEGIN PUBLIC KEY-----",
	"-----BEGIN PUBLIC KEY-----\nAAAA",
	"-----BEGIN PUBLIC KEY-----\nA*==\n-----END PUBLIC KEY-----",
	"-----BEGIN PUBLIC KEY-----\nAAAAA\n-----END PUBLIC KEY-----",
	"-----BEGIN " SECRET_LABEL "-----\nAAAA\n-----END " SECRET_LABEL
	"-----",
};

static void
what_is_no_pem_is_malformed(void **state)
{
	struct cw_buf back;

	(void)state;
	cw_buf_init(&back, 4096);
	for (size_t i = 0; i < COUNT(bad_pems); i++)
		assert_row(bad_pems[i],
		    cw_pem_get(cw_bytes_str(bad_pems[i]), "PUBLIC KEY",
			&back) == CW_ERR_MALFORMED);
	cw_buf_wipe(&back);
}

static const struct {
	const char *rs, *der;
} signatures[] = {
	{ "01 02", "30 06 02 01 01 02 01 02" },
	{ "80 7f", "30 07 02 02 00 80 02 01 7f" },
	{ "0001 00ff", "30 07 02 01 01 02 02 00 ff" },
	{ "0000 0000", "30 06 02 01 00 02 01 00" },
};

static void
a_signature_becomes_two_integers(void **state)
{
	struct cw_buf in;
	struct cw_buf out;

	(void)state;
	cw_buf_init(&in, 128);
	cw_buf_init(&out, 128);
	for (size_t i = 0; i < COUNT(signatures); i++) {
		cw_buf_reset(&out);
		cw_ecdsa_der_put(&out, cw_test_hex(&in, signatures[i].rs));
		assert_hex(cw_buf_bytes(&out), signatures[i].der);
	}
	cw_buf_wipe(&in);
	cw_buf_wipe(&out);
}

/* ---- options ---- */

#define WORDS 8

static const struct {
	const char *words[WORDS];
	enum cw_err err;
	const char *operand;
} lines[] = {
	{ { "keys" }, CW_OK, NULL },
	{ { "keys", "Mail" }, CW_ERR_USAGE, NULL },
	{ { "sign", "Mail" }, CW_OK, "Mail" },
	{ { "sign" }, CW_ERR_USAGE, NULL },
	{ { "sign", "Mail", "twice" }, CW_ERR_USAGE, NULL },
	{ { "sign", "--in", "a", "--out", "b", "--der", "Mail" }, CW_OK,
	    "Mail" },
	{ { "sign", "--algorithm", "PS256", "Mail" }, CW_OK, "Mail" },
	{ { "sign", "--algorithm" }, CW_ERR_USAGE, NULL },
	{ { "mac", "--der", "Mail" }, CW_ERR_USAGE, NULL },
	{ { "sign", "--yes", "Mail" }, CW_ERR_USAGE, NULL },
	{ { "export", "--in", "a", "Mail" }, CW_ERR_USAGE, NULL },
	{ { "change-pin" }, CW_OK, NULL },
	{ { "change-pin", "Mail" }, CW_OK, "Mail" },
	{ { "change-pin", "Mail", "twice" }, CW_ERR_USAGE, NULL },
	{ { "change-puk", "Mail" }, CW_ERR_USAGE, NULL },
	{ { "unblock", "--keep-pin", "Mail" }, CW_OK, "Mail" },
	{ { "change-pin", "--keep-pin", "Mail" }, CW_ERR_USAGE, NULL },
	{ { "delete", "Mail", "--yes" }, CW_OK, "Mail" },
	{ { "reset", "--yes", "--pin-fd", "3" }, CW_OK, NULL },
	{ { "reset", "Mail" }, CW_ERR_USAGE, NULL },
	{ { "reset", "--pin-fd", "-3" }, CW_ERR_USAGE, NULL },
	{ { "attest", "--subject", "CN=x", "--batch", "Mail" }, CW_OK, "Mail" },
	{ { "sign", "--subject", "CN=x", "Mail" }, CW_ERR_USAGE, NULL },
	{ { "enroll", "--out", "x", "URL" }, CW_ERR_USAGE, NULL },
};

static void
each_command_takes_its_own_options_and_no_others(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(lines); i++) {
		char copies[WORDS][32];
		char *argv[WORDS + 2] = { copies[0] };
		const struct cw_command_line *command;
		struct cw_options options;
		int n = 1;

		snprintf(copies[0], sizeof(copies[0]), "agent");
		for (; n < WORDS && lines[i].words[n - 1] != NULL; n++) {
			snprintf(copies[n], sizeof(copies[n]), "%s",
			    lines[i].words[n - 1]);
			argv[n] = copies[n];
		}
		if (cw_options_parse(n, argv, &command, &options) !=
		    lines[i].err)
			fail_msg("line %zu: %s", i, lines[i].words[0]);
		if (lines[i].err != CW_OK)
			continue;
		assert_string_equal(command->name, lines[i].words[0]);
		if (lines[i].operand == NULL)
			assert_null(options.operand);
		else
			assert_string_equal(options.operand, lines[i].operand);
	}
}

/* ---- PINs from a descriptor, in the order of the questions ---- */

static void
each_question_takes_the_next_line(void **state)
{
	struct cw_pin_prompt pin = { .what = CW_PIN_HOLDER,
		.rule = &cw_pin_rule_piv,
		.tries_left = 3 };
	struct cw_pin_prompt puk = { .what = CW_PIN_PUK,
		.rule = &cw_pin_rule_piv,
		.tries_left = 3 };
	struct cw_pin_value *value = cw_secret_new(sizeof(*value));
	struct cw_pin_entry *entry;
	int fds[2];

	(void)state;
	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_err(cw_fd_write(fds[1], cw_bytes_str("58203147\n831942\n\n")),
	    CW_OK);
	close(fds[1]);
	entry = cw_pin_entry_lines(fds[0]);
	assert_non_null(entry);
	assert_err(cw_pin_ask_existing(entry, &puk, value), CW_OK);
	assert_int_equal(value->len, 8);
	assert_err(cw_pin_ask_existing(entry, &pin, value), CW_OK);
	assert_int_equal(value->len, 6);
	/* An empty line is no PIN, and then there is none. */
	assert_err(cw_pin_ask_existing(entry, &pin, value), CW_ERR_PIN_LENGTH);
	assert_err(cw_pin_ask_existing(entry, &pin, value),
	    CW_ERR_NO_PIN_ENTRY);
	/* One that was wrong would be wrong again. */
	pin.last = CW_ERR_PIN_WRONG;
	assert_err(cw_pin_ask_existing(entry, &pin, value), CW_ERR_PIN_WRONG);
	cw_pin_entry_close(&entry);
	close(fds[0]);
	cw_secret_free(&value);
}

static void
the_words_before_a_keys_pin_name_the_key(void **state)
{
	struct cw_pin_prompt prompt = { .what = CW_PIN_KEY_PUK,
		.rule = &cw_pin_rule_piv,
		.tries_left = 2,
		.key = cw_bytes_str("Mail"),
		.reader = "Reader 00" };
	char text[CW_PIN_TEXT_MAX];

	(void)state;
	cw_pin_text(&prompt, text);
	assert_string_equal(text,
	    "Enter the PUK of the key.\nTries left: 2.\nKey: Mail\n"
	    "Reader: Reader 00");
	prompt.what = CW_PIN_KEY;
	prompt.is_new = true;
	cw_pin_text(&prompt, text);
	assert_non_null(strstr(text, "Choose a new PIN for the key."));
	/* What may not be shown is not. */
	prompt.key = cw_bytes_str("Mail\033[2J");
	cw_pin_text(&prompt, text);
	assert_null(strstr(text, "Mail"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    each_algorithm_has_its_name_and_others_that_are_in_use),
		cmocka_unit_test(usages_come_one_by_one),
		cmocka_unit_test(pem_comes_back_as_it_went),
		cmocka_unit_test(what_is_no_pem_is_malformed),
		cmocka_unit_test(a_signature_becomes_two_integers),
		cmocka_unit_test(
		    each_command_takes_its_own_options_and_no_others),
		cmocka_unit_test(each_question_takes_the_next_line),
		cmocka_unit_test(the_words_before_a_keys_pin_name_the_key),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
