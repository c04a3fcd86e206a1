/* SPDX-License-Identifier: Apache-2.0 */
/* The question on the terminal: what is an answer, and what refuses. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/show.h"
#include "tests/support/check.h"

#define SECONDS 2
#define EARLY "\t" /* in front of what is typed before the question */

static const struct cw_scope scope = { .keys_max = 1 };

static enum cw_err
ask_consent(enum cw_language language)
{
	const struct cw_show show = { .language = language };
	const struct cw_consent consent = {
		.origin = cw_bytes_str("https://issuer.test"),
		.issuer_name = cw_bytes_str("Issuer"),
		.purpose = cw_bytes_str("Tests"),
		.subject = cw_bytes_str("CN=Ada"),
		.action = CW_ACTION_ENROLL,
		.mode = CW_MODE_ANONYMOUS,
		.scope = &scope,
	};

	return cw_show_consent(&show, &consent, false, SECONDS);
}

static enum cw_err
ask_question(enum cw_language language)
{
	return cw_show_question(language,
	    cw_bytes_str("The key for issuer.test will be gone."), SECONDS);
}

/* In a child, whose terminal this is. */
static void
be_asked(const char *terminal, enum cw_err (*ask)(enum cw_language),
    enum cw_language language)
{
	enum cw_err err;

	setsid();
	if (open(terminal, O_RDWR) < 0)
		_exit(99);
	err = ask(language);
	_exit(err == CW_OK ? 0 : (int)err - 500);
}

static enum cw_err
answer(enum cw_err (*ask)(enum cw_language), enum cw_language language,
    const char *typed)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
	char seen[4096];
	size_t n = 0;
	int slave, status = 0;
	pid_t child;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	/* Keeps what is typed while the child has not opened it yet. */
	slave = open(ptsname(master), O_RDWR | O_NOCTTY | O_CLOEXEC);
	assert_true(slave >= 0);
	if (typed[0] == EARLY[0]) {
		size_t len = strlen(typed) - 1;

		assert_int_equal(write(master, typed + 1, len), len);
		typed = "";
	}
	child = fork();
	if (child == 0)
		be_asked(ptsname(master), ask, language);
	close(slave);
	for (;;) {
		ssize_t got = read(master, seen + n, sizeof(seen) - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
		seen[n] = '\0';
		/* The question ends with a blank. */
		if (strstr(seen, "issuer.test") != NULL && seen[n - 1] == ' ' &&
		    *typed != '\0') {
			assert_int_equal(write(master, typed, strlen(typed)),
			    strlen(typed));
			typed = "";
		}
	}
	close(master);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status) == 0 ?
	    CW_OK :
	    (enum cw_err)(WEXITSTATUS(status) + 500);
}

static void
only_a_yes_behind_the_question_accepts(void **state)
{
	static const struct {
		const char *typed;
		enum cw_language language;
		enum cw_err want;
	} rows[] = {
		{ "y\n", CW_LANGUAGE_EN, CW_OK },
		{ "YES\n", CW_LANGUAGE_EN, CW_OK },
		{ "ja\n", CW_LANGUAGE_DE, CW_OK },
		{ "yes\n", CW_LANGUAGE_DE, CW_OK },
		{ "ja\n", CW_LANGUAGE_EN, CW_ERR_REFUSED },
		{ "n\n", CW_LANGUAGE_EN, CW_ERR_REFUSED },
		{ "\n", CW_LANGUAGE_EN, CW_ERR_REFUSED },
		{ "yesterday\n", CW_LANGUAGE_EN, CW_ERR_REFUSED },
		{ "\x04", CW_LANGUAGE_EN, CW_ERR_REFUSED },
		{ "y", CW_LANGUAGE_EN, CW_ERR_PERSON_TIMEOUT },
		{ EARLY "y\n", CW_LANGUAGE_EN, CW_ERR_PERSON_TIMEOUT },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		print_message("row %zu\n", i);
		assert_err(answer(ask_consent, rows[i].language, rows[i].typed),
		    rows[i].want);
		assert_err(answer(ask_question, rows[i].language,
			       rows[i].typed),
		    rows[i].want);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_a_yes_behind_the_question_accepts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
