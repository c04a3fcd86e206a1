/* SPDX-License-Identifier: Apache-2.0 */
/* The configuration file: what it says, and where it is wrong. */
#include "tests/support/check.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "keys/config.h"

#define ISSUER                                                 \
	"[issuer]\nname = Example\nurl = https://ca.example\n" \
	"listen = 127.0.0.1:8443\nstate = state\n"
#define TLS "tls_certificate = tls.pem\ntls_key = /etc/tls.key\n"
#define SIGNER                                                         \
	"[signer]\nmanagement_key = m.key\nmanagement_chain = m.pem\n" \
	"ca_key = ca.key\nca_chain = ca.pem\nauthority = a.pem\n"      \
	"vendor_roots = v.pem\nlog = log\ntag_key = tag\n"
#define MODEL "[model \"Card 1\"]\nwithdrawn = no\n"
#define PROFILE                                                      \
	"[profile \"person\"]\nkey_type = P-256\nslot = 9A\n"        \
	"usage = sign, authenticate\nmodes = identified,anonymous\n" \
	"suites = 1, 2\nlifetime_days = 730\n"                       \
	"key_usage = critical,digitalSignature\n"
#define ALL ISSUER TLS SIGNER MODEL PROFILE

static char path[64];
static char message[512];
static struct cw_config config;

static enum cw_err
load(const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
	return cw_config_load(path, &config, message, sizeof(message));
}

static int
setup(void **state)
{
	int fd;

	(void)state;
	snprintf(path, sizeof(path), "/tmp/cw-config.XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(path);
	return 0;
}

static void
a_whole_file_is_read(void **state)
{
	const struct cw_profile *p;

	(void)state;
	assert_err(load("; comment\n\n" ALL
			"# more\nuses_max = 5\nsubject_suffix = O=Example\n"
			"[admin]\nauthority_key = a.key\n"
			"[profile \"sign\"]\nkey_type = Ed25519\nslot = none\n"
			"usage = sign\nmodes = pseudonymous\nsuites = 2\n"
			"lifetime_days = 1\nkey_usage = digitalSignature\n"
			"pin = no\n"),
	    CW_OK);
	assert_string_equal(message, "");
	assert_string_equal(config.name, "Example");
	assert_string_equal(config.url, "https://ca.example");
	assert_string_equal(config.tls_certificate, "/tmp/tls.pem");
	assert_string_equal(config.tls_key, "/etc/tls.key");
	assert_string_equal(config.log, "/tmp/log");
	assert_string_equal(config.authority_key, "/tmp/a.key");
	assert_int_equal(config.session_minutes, 30);
	assert_int_equal(config.passphrase_fd, -1);
	assert_int_equal(config.n_profiles, 2);
	p = cw_config_profile(&config, cw_bytes_str("person"));
	assert_ptr_equal(p, &config.profiles[0]);
	assert_int_equal(p->key_type, CW_KEY_P256);
	assert_int_equal(p->slot, 0x9a);
	assert_int_equal(p->usage, CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE);
	assert_int_equal(p->modes, 1 << 1 | 1 << 3);
	assert_int_equal(p->suites, 1 << 1 | 1 << 2);
	assert_int_equal(p->uses_max, 5);
	assert_true(p->pin);
	assert_string_equal(p->key_usage, "critical,digitalSignature");
	assert_int_equal(config.profiles[1].slot, 0);
	assert_false(config.profiles[1].pin);
	assert_int_equal(config.profiles[1].uses_max, 1);
	assert_null(cw_config_profile(&config, cw_bytes_str("perso")));
	assert_non_null(cw_config_model(&config, cw_bytes_str("Card 1")));
}

static void
a_model_needs_no_line_of_its_own(void **state)
{
	(void)state;
	assert_err(load(ISSUER TLS SIGNER
		       "[model \"A\"]\n[model \"B\"]\n" PROFILE),
	    CW_OK);
	assert_int_equal(config.n_models, 2);
	assert_string_equal(config.models[1].name, "B");
}

struct row {
	const char *text;
	const char *line, *reason; /* both stand in the message */
};

static const struct row rows[] = {
	{ "x = 1\n" ALL, ":1: ", "before the first section" },
	{ "[other]\n" ALL, ":1: ", "no section" },
	{ "[issuer \"a\"]\n" ALL, ":1: ", "written [issuer]" },
	{ "[model]\n" ALL, ":1: ", "written [model \"NAME\"]" },
	{ "[model \"\"]\n" ALL, ":1: ", "empty" },
	{ "[model \"\x1b\"]\n" ALL, ":1: ", "not text" },
	{ ALL MODEL, ":27: ", "second time" },
	{ ALL PROFILE, ":27: ", "second time" },
	{ ALL ISSUER, ":27: ", "second time" },
	{ ISSUER "name = Again\n", ":6: ", "second time" },
	{ ISSUER "colour = blue\n", ":6: ", "has no name colour" },
	{ ISSUER "no value\n", ":6: ", "neither [section] nor name = value" },
	{ ISSUER "  threads = 3\n", ":6: ", "begins with a space" },
	{ ISSUER "threads = 0\n", ":6: ", "outside its range" },
	{ ISSUER "threads = x\n", ":6: ", "whole number" },
	{ ISSUER "threads = 3x\n", ":6: ", "whole number" },
	{ ISSUER "threads = -3\n", ":6: ", "whole number" },
	{ ISSUER "threads = 99999999999999999999\n", ":6: ", "whole number" },
	{ ISSUER "plain = maybe\n", ":6: ", "yes or no" },
	{ ISSUER "tls_root =\n", ":6: ", "empty" },
	{ "[issuer]\nurl = https://ca.example/path\n", ":2: ", "https://host" },
	{ "[issuer]\nurl = ftp://ca.example\n", ":2: ", "https://host" },
	{ "[issuer]\nname = a\n[signer]\n", ":3: ", "no url" },
	{ ISSUER TLS, ":7: ", "[signer] is missing" },
	{ ISSUER TLS SIGNER MODEL, ":18: ", "one profile" },
	{ ISSUER TLS SIGNER PROFILE, ":24: ", "one model" },
	{ ISSUER SIGNER MODEL PROFILE, ":24: ", "tls_certificate and tls_key" },
	{ ISSUER TLS "plain = yes\n" SIGNER MODEL PROFILE,
	    ":27: ", "exclude each other" },
	{ "[profile \"p\"]\nkey_type = P-521\n", ":2: ", "key type" },
	{ "[profile \"p\"]\nslot = 9B\n", ":2: ", "slot" },
	{ "[profile \"p\"]\nslot = 154\n", ":2: ", "slot" },
	{ "[profile \"p\"]\nusage = sign, sign\n", ":2: ", "usage" },
	{ "[profile \"p\"]\nusage = sign authenticate\n", ":2: ", "usage" },
	{ "[profile \"p\"]\nusage = sign,\n", ":2: ", "usage" },
	{ "[profile \"p\"]\nmodes = secret\n", ":2: ", "modes" },
	{ "[profile \"p\"]\nsuites = 3\n", ":2: ", "suites" },
	{ "[profile \"p\"]\npin = perhaps\n", ":2: ", "pin" },
	{ "[profile \"p\"]\nkey_type = P-256\nslot = 9E\nusage = sign\n"
	  "modes = identified\nsuites = 1\nlifetime_days = 1\n"
	  "key_usage = digitalSignature\n[model \"M\"]\n",
	    ":9: ", "slot 9E" },
	{ "[profile \"p\"]\nkey_type = P-256\n[model \"M\"]\n",
	    ":3: ", "no slot" },
};

static void
an_error_is_named_with_its_line(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_row(rows[i].text,
		    load(rows[i].text) == CW_ERR_BAD_CONFIG);
		assert_row(message, strstr(message, path) == message);
		assert_row(message, strstr(message, rows[i].line) != NULL);
		assert_row(message, strstr(message, rows[i].reason) != NULL);
	}
}

static void
a_line_that_is_too_long_is_not_cut_in_two(void **state)
{
	char text[2048];

	(void)state;
	snprintf(text, sizeof(text), ISSUER "tls_root = %0300d\n", 1);
	assert_err(load(text), CW_ERR_BAD_CONFIG);
	assert_non_null(strstr(message, ":6: the line is longer"));
}

static void
a_line_has_at_most_198_bytes(void **state)
{
	(void)state;
	for (int len = 197; len <= 199; len++) {
		char text[2048];
		int zeros = len - (int)strlen("tls_root = ");

		snprintf(text, sizeof(text), ISSUER "tls_root = %0*d\n", zeros,
		    1);
		message[0] = '\0';
		(void)load(text);
		assert_int_equal(strstr(message, ":6: the line is longer") !=
			NULL,
		    len > 198);
	}
}

static void
plain_http_is_only_for_loopback(void **state)
{
	(void)state;
	assert_err(load("[issuer]\nname = E\nurl = http://ca.example\n"
			"listen = 0.0.0.0:80\nstate = s\nplain = yes\n" SIGNER
			    MODEL PROFILE),
	    CW_ERR_BAD_CONFIG);
	assert_non_null(strstr(message, "loopback"));
	assert_err(load(ISSUER "plain = yes\n" SIGNER MODEL PROFILE), CW_OK);
	assert_true(config.plain);
	assert_err(load("[issuer]\nname = E\nurl = https://ca.example\n"
			"listen = unix:/run/x\nstate = s\nplain = yes\n"
			"forwarded_header = Forwarded\n" SIGNER MODEL PROFILE),
	    CW_OK);
	assert_string_equal(config.listen, "unix:/run/x");
	assert_string_equal(config.forwarded_header, "Forwarded");
	assert_int_equal(config.listen_fd, -1);
}

static void
what_needs_plain_http_or_tls_says_so(void **state)
{
	(void)state;
	assert_err(load("[issuer]\nname = E\nurl = https://ca.example\n"
			"listen = unix:/run/x\nstate = s\n" TLS SIGNER MODEL
			    PROFILE),
	    CW_ERR_BAD_CONFIG);
	assert_non_null(strstr(message, "unix:PATH needs plain"));
	assert_err(load(ISSUER TLS
		       "forwarded_header = Forwarded\n" SIGNER MODEL PROFILE),
	    CW_ERR_BAD_CONFIG);
	assert_non_null(strstr(message, "forwarded_header needs plain"));
	assert_err(load(ISSUER "plain = yes\nholder_listen = 127.0.0.1:1\n"
			       "holder_url = https://x\n" SIGNER MODEL PROFILE),
	    CW_ERR_BAD_CONFIG);
	assert_non_null(strstr(message, "holder_listen needs TLS"));
	assert_err(load(ISSUER TLS
		       "holder_listen = 127.0.0.1:1\n" SIGNER MODEL PROFILE),
	    CW_ERR_BAD_CONFIG);
	assert_non_null(strstr(message, "need each other"));
}

static void
a_missing_file_is_said_to_be_missing(void **state)
{
	(void)state;
	assert_err(cw_config_load("/nonexistent/issuer.ini", &config, message,
		       sizeof(message)),
	    CW_ERR_NO_FILE);
	assert_non_null(strstr(message, "/nonexistent/issuer.ini"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_file_is_read),
		cmocka_unit_test(a_model_needs_no_line_of_its_own),
		cmocka_unit_test(an_error_is_named_with_its_line),
		cmocka_unit_test(a_line_that_is_too_long_is_not_cut_in_two),
		cmocka_unit_test(a_line_has_at_most_198_bytes),
		cmocka_unit_test(plain_http_is_only_for_loopback),
		cmocka_unit_test(what_needs_plain_http_or_tls_says_so),
		cmocka_unit_test(a_missing_file_is_said_to_be_missing),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
