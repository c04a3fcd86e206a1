/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/log.h"

#include <regex.h>
#include <unistd.h>

#include "tests/support/check.h"

/* What went to stderr since capture(), as a string. */
static char text[8192];
static int pipe_fds[2];
static int saved_stderr;

static void
capture(void)
{
	assert_int_equal(pipe(pipe_fds), 0);
	saved_stderr = dup(STDERR_FILENO);
	assert_true(dup2(pipe_fds[1], STDERR_FILENO) >= 0);
	close(pipe_fds[1]);
}

static void
release(void)
{
	ssize_t n;

	assert_true(dup2(saved_stderr, STDERR_FILENO) >= 0);
	close(saved_stderr);
	n = read(pipe_fds[0], text, sizeof(text) - 1);
	close(pipe_fds[0]);
	text[n > 0 ? n : 0] = '\0';
}

static bool
matches(const char *pattern)
{
	regex_t re;
	bool found;

	assert_int_equal(regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB), 0);
	found = regexec(&re, text, 0, NULL, 0) == 0;
	regfree(&re);
	return found;
}

static size_t
lines(void)
{
	size_t n = 0;

	for (const char *s = text; *s != '\0'; s++)
		n += *s == '\n' ? 1 : 0;
	return n;
}

static int
defaults(void **state)
{
	(void)state;
	cw_log_set_level(CW_LOG_INFO);
	cw_log_set_program("cardwright");
	return 0;
}

static void
an_event_is_one_line_with_time_program_level_and_name(void **state)
{
	(void)state;
	cw_log_set_program("card");
	capture();
	cw_log(CW_LOG_INFO, "session.begin", "id=%s n=%d", "ab", 7);
	release();
	assert_true(matches(
	    "^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\\."
	    "[0-9]{3}Z card\\[[0-9]+\\] info session\\.begin id=ab n=7\n$"));
}

static void
a_failure_carries_its_number_and_name_and_is_returned(void **state)
{
	enum cw_err got;

	(void)state;
	capture();
	got = cw_log_fail(CW_ERR_BAD_SIGNATURE, "grant.verify", "n=%d", 1);
	release();
	assert_err(got, CW_ERR_BAD_SIGNATURE);
	assert_true(matches(
	    " warn grant\\.verify error=200 name=BAD_SIGNATURE n=1\n$"));
}

static void
the_category_decides_the_level_of_a_failure(void **state)
{
	static const struct {
		enum cw_err err;
		const char *level;
	} rows[] = {
		{ CW_ERR_INTERNAL, " error " },
		{ CW_ERR_NO_MEMORY, " error " },
		{ CW_ERR_BAD_CONFIG, " error " },
		{ CW_ERR_TRUNCATED, " warn " },
		{ CW_ERR_NO_CARD, " warn " },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		capture();
		assert_err(cw_log_fail(rows[i].err, "e", "x=1"), rows[i].err);
		release();
		assert_non_null(strstr(text, rows[i].level));
	}
}

static void
what_is_above_the_level_is_not_written(void **state)
{
	(void)state;
	capture();
	cw_log(CW_LOG_DEBUG, "hidden", "x=1");
	cw_log_set_level(CW_LOG_ERROR);
	cw_log(CW_LOG_WARN, "hidden", "x=1");
	assert_err(cw_log_fail(CW_ERR_TRUNCATED, "hidden", "x=1"),
	    CW_ERR_TRUNCATED);
	cw_log(CW_LOG_ERROR, "shown", "x=1");
	cw_log_set_level(CW_LOG_DEBUG);
	cw_log(CW_LOG_DEBUG, "shown", "x=1");
	release();
	assert_null(strstr(text, "hidden"));
	assert_int_equal(lines(), 2);
}

static void
a_value_cannot_forge_a_second_line_or_drive_a_terminal(void **state)
{
	(void)state;
	capture();
	cw_log(CW_LOG_INFO, "e", "name=%s", "a\nforged\r\x1b[2J\x7f\t");
	release();
	assert_int_equal(lines(), 1);
	assert_non_null(strstr(text, "name=a?forged??[2J??\n"));
}

static void
a_long_event_is_cut_but_stays_one_whole_line(void **state)
{
	char value[2000];

	(void)state;
	memset(value, 'x', sizeof(value) - 1);
	value[sizeof(value) - 1] = '\0';
	capture();
	cw_log(CW_LOG_INFO, "e", "v=%s", value);
	assert_err(cw_log_fail(CW_ERR_TRUNCATED, "e", "v=%s", value),
	    CW_ERR_TRUNCATED);
	release();
	assert_int_equal(lines(), 2);
	assert_true(strlen(text) <= 2 * 1024);
	assert_int_equal(text[strlen(text) - 1], '\n');
}

static void
a_log_that_cannot_be_written_stops_nothing(void **state)
{
	int saved = dup(STDERR_FILENO);

	(void)state;
	close(STDERR_FILENO);
	cw_log(CW_LOG_ERROR, "e", "x=1");
	assert_true(dup2(saved, STDERR_FILENO) >= 0);
	close(saved);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(
		    an_event_is_one_line_with_time_program_level_and_name,
		    defaults),
		cmocka_unit_test_setup(
		    a_failure_carries_its_number_and_name_and_is_returned,
		    defaults),
		cmocka_unit_test_setup(
		    the_category_decides_the_level_of_a_failure, defaults),
		cmocka_unit_test_setup(what_is_above_the_level_is_not_written,
		    defaults),
		cmocka_unit_test_setup(
		    a_value_cannot_forge_a_second_line_or_drive_a_terminal,
		    defaults),
		cmocka_unit_test_setup(
		    a_long_event_is_cut_but_stays_one_whole_line, defaults),
		cmocka_unit_test_setup(
		    a_log_that_cannot_be_written_stops_nothing, defaults),
	};

	return cmocka_run_group_tests_name("log", tests, NULL, NULL);
}
