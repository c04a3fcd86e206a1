/* SPDX-License-Identifier: Apache-2.0 */
/* What keeps the web process from the keys, and when it is not enough. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "server/separate.h"
#include "tests/support/check.h"

#define ROOT 0
#define WEB 101
#define SIGNER 102
#define ADA 1000

struct row {
	const char *name;
	struct cw_separation s;
	const char *how; /* NULL: refused */
};

#define KEYS_OF(who) .n_owners = 2, .owners = { (who), ADA }
#define USERS(by, a, b) .self = (by), .web = (a), .signer = (b)

static const struct row rows[] = {
	{ "root, two users", { USERS(ROOT, WEB, SIGNER), KEYS_OF(SIGNER) },
	    "users" },
	{ "root, two users, keys of root",
	    { USERS(ROOT, WEB, SIGNER), KEYS_OF(ROOT) }, "users" },
	{ "root, a signer that stays root",
	    { USERS(ROOT, WEB, ROOT), KEYS_OF(ROOT) }, "users" },
	{ "root, both stay root", { USERS(ROOT, ROOT, ROOT), KEYS_OF(ROOT) },
	    NULL },
	{ "the same with Landlock",
	    { USERS(ROOT, ROOT, ROOT), KEYS_OF(ROOT), .has_landlock = true },
	    NULL },
	{ "root, one user for both", { USERS(ROOT, WEB, WEB), KEYS_OF(ROOT) },
	    NULL },
	{ "root, only the signer changes",
	    { USERS(ROOT, ROOT, SIGNER), KEYS_OF(SIGNER) }, NULL },
	{ "root, keys of the web's user",
	    { USERS(ROOT, WEB, SIGNER), KEYS_OF(WEB), .has_landlock = true },
	    NULL },
	{ "root, one user, and that will do",
	    { USERS(ROOT, ROOT, ROOT), KEYS_OF(ROOT), .one_user = true },
	    "nothing" },
	{ "the same with Landlock",
	    { USERS(ROOT, ROOT, ROOT), KEYS_OF(ROOT), .one_user = true,
		.has_landlock = true },
	    "landlock" },
	{ "two users, though one would do",
	    { USERS(ROOT, WEB, SIGNER), KEYS_OF(SIGNER), .one_user = true },
	    "users" },
	{ "somebody, with Landlock",
	    { USERS(ADA, ADA, ADA), KEYS_OF(ADA), .has_landlock = true },
	    "landlock" },
	{ "somebody, without", { USERS(ADA, ADA, ADA), KEYS_OF(ADA) }, NULL },
	{ "somebody, without, and that will do",
	    { USERS(ADA, ADA, ADA), KEYS_OF(ADA), .one_user = true },
	    "nothing" },
};

static void
a_web_process_that_could_open_the_keys_is_not_started(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		const char *how = NULL;
		enum cw_err err = cw_separation_judge(&rows[i].s, &how);

		assert_row(rows[i].name,
		    err ==
			(rows[i].how == NULL ? CW_ERR_NOT_SEPARATED : CW_OK));
		if (rows[i].how != NULL)
			assert_string_equal(how, rows[i].how);
	}
}

static void
a_user_that_does_not_exist_is_said_to_be_missing(void **state)
{
	static struct cw_config config;
	struct cw_separation s;

	(void)state;
	snprintf(config.issuer_user, sizeof(config.issuer_user),
	    "no such user");
	assert_err(cw_separation_find(&config, &s),
	    geteuid() == 0 ? CW_ERR_CONFINEMENT : CW_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_web_process_that_could_open_the_keys_is_not_started),
		cmocka_unit_test(
		    a_user_that_does_not_exist_is_said_to_be_missing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
