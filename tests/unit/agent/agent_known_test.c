/* SPDX-License-Identifier: Apache-2.0 */
/* The memory of issuers. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/known.h"
#include "agent/language.h"
#include "agent/url.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "tests/support/check.h"

static char folder[64];
static struct cw_known known;

static int
setup(void **state)
{
	char path[128];

	(void)state;
	cw_log_set_level(CW_LOG_ERROR);
	snprintf(folder, sizeof(folder), "/tmp/cw-known-XXXXXX");
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/deep/er/issuers", folder);
	assert_err(cw_known_init(&known, path), CW_OK);
	return 0;
}

static int
teardown(void **state)
{
	static const char *const names[] = { "deep/er/issuers",
		"deep/er/issuers.lock", "deep/er", "deep", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char path[128];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)remove(path);
	}
	return 0;
}

static struct cw_known_issuer
issuer(const char *origin, uint8_t seed)
{
	struct cw_known_issuer i = { .first_seen_s = 1900000000 };

	snprintf(i.origin, sizeof(i.origin), "%s", origin);
	memset(i.key_hash, seed, sizeof(i.key_hash));
	return i;
}

static void
what_was_put_is_found_and_nothing_else(void **state)
{
	struct cw_known_issuer a = issuer("https://a.test", 1);
	struct cw_known_issuer b = issuer("https://b.test:8443", 2);
	struct cw_known_issuer out;
	bool found;

	(void)state;
	b.state = CW_KNOWN_BEGUN;
	memset(b.session_id, 9, sizeof(b.session_id));
	assert_err(cw_known_find(&known, cw_bytes_str(a.origin), &out, &found),
	    CW_OK);
	assert_false(found);
	assert_err(cw_known_put(&known, &a), CW_OK);
	assert_err(cw_known_put(&known, &b), CW_OK);
	assert_err(cw_known_find(&known, cw_bytes_str(b.origin), &out, &found),
	    CW_OK);
	assert_true(found);
	assert_memory_equal(&out, &b, sizeof(b));
	assert_err(cw_known_find(&known, cw_bytes_str("https://b.test"), &out,
		       &found),
	    CW_OK);
	assert_false(found);
}

static void
the_same_origin_is_replaced_and_can_be_forgotten(void **state)
{
	struct cw_known_issuer a = issuer("https://a.test", 1);
	struct cw_known_issuer out;
	bool found;
	size_t n;

	(void)state;
	assert_err(cw_known_put(&known, &a), CW_OK);
	a.state = CW_KNOWN_FINISHED;
	assert_err(cw_known_put(&known, &a), CW_OK);
	assert_err(cw_known_count(&known, &n), CW_OK);
	assert_int_equal(n, 1);
	assert_err(cw_known_find(&known, cw_bytes_str(a.origin), &out, &found),
	    CW_OK);
	assert_int_equal(out.state, CW_KNOWN_FINISHED);
	assert_err(cw_known_forget(&known, cw_bytes_str(a.origin)), CW_OK);
	assert_err(cw_known_forget(&known, cw_bytes_str(a.origin)),
	    CW_ERR_NO_FILE);
	assert_err(cw_known_count(&known, &n), CW_OK);
	assert_int_equal(n, 0);
}

static void
a_file_that_others_can_write_is_not_read(void **state)
{
	struct cw_known_issuer a = issuer("https://a.test", 1);
	struct stat st;
	size_t n;

	(void)state;
	assert_err(cw_known_put(&known, &a), CW_OK);
	assert_int_equal(stat(known.path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(known.path, 0620), 0);
	assert_err(cw_known_count(&known, &n), CW_ERR_FILE_MODE);
	assert_err(cw_known_put(&known, &a), CW_ERR_FILE_MODE);
}

#define HASH "0101010101010101010101010101010101010101010101010101010101010101"
#define ID "02020202020202020202020202020202"

static const char *const bad_files[] = {
	"x",
	"\n",
	"https://a.test " HASH " 1 - -", /* no end of line */
	"https://a.test " HASH " 1 -\n",
	"https://a.test " HASH " 1 - begun\n",
	"https://a.test " HASH " 1 " ID " -\n",
	"https://a.test " HASH " 1 " ID " begun more\n",
	"https://a.test " HASH " x - -\n",
	"https://a.test " HASH " 9999999999999999999 - -\n",
	"https://a.test 01 1 - -\n",
	"https://a.test " HASH " 1 - -\n\n",
};

static void
a_file_without_sense_is_refused_and_left_alone(void **state)
{
	struct cw_known_issuer a = issuer("https://a.test", 1);

	(void)state;
	assert_err(cw_known_put(&known, &a), CW_OK);
	for (size_t i = 0; i < COUNT(bad_files); i++) {
		struct cw_buf b;
		size_t n;

		assert_err(cw_file_store(known.path, cw_bytes_str(bad_files[i]),
			       0600),
		    CW_OK);
		if (cw_known_count(&known, &n) != CW_ERR_BAD_STATE_FILE)
			fail_msg("file %zu was taken", i);
		assert_err(cw_known_put(&known, &a), CW_ERR_BAD_STATE_FILE);
		cw_buf_init(&b, 4096);
		assert_err(cw_file_load(known.path, &b), CW_OK);
		assert_true(cw_bytes_is(cw_buf_bytes(&b), bad_files[i]));
		cw_buf_wipe(&b);
	}
}

static const struct {
	const char *state_home, *home, *path;
} homes[] = {
	{ "/s", "/h", "/s/cardwright/issuers" },
	{ NULL, "/h", "/h/.local/state/cardwright/issuers" },
	{ "relative", "/h", "/h/.local/state/cardwright/issuers" },
	{ NULL, NULL, NULL },
};

static void
the_memory_lies_where_xdg_says(void **state)
{
	struct cw_known k;

	(void)state;
	for (size_t i = 0; i < COUNT(homes); i++) {
		unsetenv("XDG_STATE_HOME");
		unsetenv("HOME");
		if (homes[i].state_home != NULL)
			setenv("XDG_STATE_HOME", homes[i].state_home, 1);
		if (homes[i].home != NULL)
			setenv("HOME", homes[i].home, 1);
		assert_err(cw_known_init(&k, NULL),
		    homes[i].path != NULL ? CW_OK : CW_ERR_BAD_CONFIG);
		if (homes[i].path != NULL)
			assert_string_equal(k.path, homes[i].path);
	}
}

/* ---- small things ---- */

static const struct {
	const char *url, *origin; /* NULL: refused */
} urls[] = {
	{ "https://Issuer.Test/i/abc", "https://issuer.test" },
	{ "https://issuer.test:443/", "https://issuer.test" },
	{ "https://issuer.test:8443/x?y", "https://issuer.test:8443" },
	{ "http://localhost:8080/", "http://localhost:8080" },
	{ "http://127.0.0.1/", "http://127.0.0.1" },
	{ "http://[::1]:80/", "http://[::1]" },
	/* Only the ASCII form of an IDN. */
	{ "https://b\xc3\xbc.test/", NULL },
	{ "https://xn--bcher-kva.test/", "https://xn--bcher-kva.test" },
	{ "http://issuer.test/", NULL },
	{ "http://127.evil.test/", NULL },
	{ "http://localhost.evil.test/", NULL },
	{ "https://user:pw@issuer.test/", NULL },
	{ "ftp://issuer.test/", NULL },
	{ "file:///etc/passwd", NULL },
	{ "issuer.test", NULL },
	{ "", NULL },
};

static void
origins_are_as_browsers_write_them(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(urls); i++) {
		char origin[CW_URI_MAX + 1] = "";
		bool loopback;
		enum cw_err err =
		    cw_url_canonical_origin(urls[i].url, origin, &loopback);

		if ((err == CW_OK) != (urls[i].origin != NULL) ||
		    (err == CW_OK && strcmp(origin, urls[i].origin) != 0))
			fail_msg("%s: %s %s", urls[i].url, cw_err_name(err),
			    origin);
	}
}

static void
links_lead_nowhere_else(void **state)
{
	char out[CW_URI_MAX + 1];

	(void)state;
	cw_url_resolve("https://a.test/x/y", "/intent", "https://a.test", out);
	assert_string_equal(out, "https://a.test/intent");
	cw_url_resolve("https://a.test/x/y", "//b.test/intent",
	    "https://a.test", out);
	assert_string_equal(out, "");
	cw_url_resolve("https://a.test/", "http://a.test/", "https://a.test",
	    out);
	assert_string_equal(out, "");
}

static void
locales_become_language_tags(void **state)
{
	static const char *const rows[][2] = { { "de_DE.UTF-8", "de-DE" },
		{ "fr", "fr" }, { "es_ES@euro", "es-ES" }, { "C", "" },
		{ "POSIX", "" }, { "C.UTF-8", "" }, { "../x", "" } };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		char tag[CW_LANGUAGE_MAX];

		assert_int_equal(cw_language_tag(rows[i][0], tag),
		    rows[i][1][0] != '\0');
		assert_string_equal(tag, rows[i][1]);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_was_put_is_found_and_nothing_else),
		TEST(the_same_origin_is_replaced_and_can_be_forgotten),
		TEST(a_file_that_others_can_write_is_not_read),
		TEST(a_file_without_sense_is_refused_and_left_alone),
		TEST(the_memory_lies_where_xdg_says),
		cmocka_unit_test(origins_are_as_browsers_write_them),
		cmocka_unit_test(links_lead_nowhere_else),
		cmocka_unit_test(locales_become_language_tags),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
