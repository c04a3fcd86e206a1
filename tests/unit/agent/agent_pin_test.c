/* SPDX-License-Identifier: Apache-2.0 */
/* PIN entry: rules, descriptor, terminal, pinentry. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "agent/assuan.h"
#include "agent/pin_entry.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/support/check.h"

static struct cw_pin_value *value;
static char folder[64];

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
assert_value(const char *want)
{
	assert_int_equal(value->len, strlen(want));
	assert_memory_equal(value->bytes, want, value->len);
}

/* ---- a descriptor ---- */

static const struct {
	const char *lines;
	enum cw_pin_what what;
	const char *value; /* NULL: err */
	enum cw_err err;
} fd_rows[] = {
	{ "831942\n58203147\n", CW_PIN_HOLDER, "831942", CW_OK },
	{ "831942\n58203147\n", CW_PIN_PUK, "58203147", CW_OK },
	{ "831942\r\n58203147\r\n", CW_PIN_HOLDER, "831942", CW_OK },
	{ "831942", CW_PIN_KEY, "831942", CW_OK },
	{ "831942\n", CW_PIN_PUK, NULL, CW_ERR_NO_PIN_ENTRY },
	{ "", CW_PIN_HOLDER, NULL, CW_ERR_NO_PIN_ENTRY },
	{ "123456789012345678901234567890123\n", CW_PIN_HOLDER, NULL,
	    CW_ERR_PIN_LENGTH },
	{ "123456\n", CW_PIN_HOLDER, NULL, CW_ERR_PIN_WEAK },
};

static void
a_descriptor_gives_pin_and_puk_as_lines(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(fd_rows); i++) {
		struct cw_pin_prompt p = prompt(fd_rows[i].what, true);
		struct cw_pin_entry *entry;
		int fds[2];
		enum cw_err err;

		assert_int_equal(pipe(fds), 0);
		assert_err(cw_fd_write(fds[1], cw_bytes_str(fd_rows[i].lines)),
		    CW_OK);
		close(fds[1]);
		entry = cw_pin_entry_fd(fds[0]);
		err = cw_pin_ask_new(entry, &p, value);
		assert_err(err, fd_rows[i].err);
		if (err == CW_OK)
			assert_value(fd_rows[i].value);
		else
			assert_int_equal(value->len, 0);
		cw_pin_entry_close(&entry);
		close(fds[0]);
	}
}

/* ---- a terminal ---- */

/* A child on a terminal of its own asks; the parent types. */
static enum cw_err
ask_on_terminal(bool is_new, const char *typed, char *seen, size_t size)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);
	size_t n = 0;
	int status = 0;
	pid_t child;

	assert_true(master >= 0);
	assert_int_equal(grantpt(master), 0);
	assert_int_equal(unlockpt(master), 0);
	child = fork();
	if (child == 0) {
		struct cw_pin_prompt p = prompt(CW_PIN_HOLDER, is_new);
		struct cw_pin_entry *entry;
		struct termios after;
		enum cw_err err;

		setsid();
		if (open(ptsname(master), O_RDWR) < 0)
			_exit(99);
		close(master);
		entry = cw_pin_entry_tty(2);
		if (entry == NULL)
			_exit(98);
		err = is_new ? cw_pin_ask_new(entry, &p, value) :
			       cw_pin_ask_existing(entry, &p, value);
		if (tcgetattr(3, &after) == 0 && !(after.c_lflag & ECHO))
			_exit(97);
		if (err == CW_OK &&
		    (value->len != 6 || memcmp(value->bytes, "831942", 6) != 0))
			_exit(96);
		_exit(err == CW_OK ? 0 : (int)err - 500);
	}
	/* Type each line when the prompt for it has been shown. */
	for (;;) {
		ssize_t got = read(master, seen + n, size - 1 - n);

		if (got <= 0)
			break;
		n += (size_t)got;
		seen[n] = '\0';
		if (n >= 2 && strcmp(seen + n - 2, ": ") == 0 &&
		    *typed != '\0') {
			size_t line = strcspn(typed, "\n") + 1;

			assert_int_equal(write(master, typed, line), line);
			typed += line;
		}
	}
	close(master);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) >= 96)
		fail_msg("child says %d", WEXITSTATUS(status));
	return WEXITSTATUS(status) == 0 ?
	    CW_OK :
	    (enum cw_err)(WEXITSTATUS(status) + 500);
}

static void
a_terminal_asks_twice_without_echo(void **state)
{
	char seen[4096];

	(void)state;
	assert_err(ask_on_terminal(true, "831942\n831942\n", seen,
		       sizeof(seen)),
	    CW_OK);
	assert_null(strstr(seen, "831942"));
	assert_non_null(strstr(seen, "PIN again: "));
}

static void
a_terminal_goes_round_again_when_the_two_differ(void **state)
{
	char seen[8192];

	(void)state;
	assert_err(ask_on_terminal(true, "831942\n831943\n831942\n831942\n",
		       seen, sizeof(seen)),
	    CW_OK);
	assert_non_null(strstr(seen, "two entries"));
}

static void
an_existing_pin_of_a_wrong_length_never_reaches_the_card(void **state)
{
	char seen[8192];

	(void)state;
	assert_err(ask_on_terminal(false, "83\n831942\n", seen, sizeof(seen)),
	    CW_OK);
	assert_non_null(strstr(seen, "too short"));
}

static void
control_d_refuses_and_silence_is_a_timeout(void **state)
{
	char seen[4096];

	(void)state;
	assert_err(ask_on_terminal(true, "\x04\n", seen, sizeof(seen)),
	    CW_ERR_REFUSED);
	assert_err(ask_on_terminal(true, "", seen, sizeof(seen)),
	    CW_ERR_PERSON_TIMEOUT);
}

/* ---- pinentry ---- */

static const char *
script(const char *text)
{
	static char path[96];
	char whole[4096];

	snprintf(path, sizeof(path), "%s/pinentry", folder);
	snprintf(whole, sizeof(whole), "#!/bin/sh\nlog=%s/log\n%s", folder,
	    text);
	assert_err(cw_file_store(path, cw_bytes_str(whole), 0700), CW_OK);
	return path;
}

/* Logs every line, answers GETPIN as told. */
#define FAKE(flavor, getpin)                                            \
	": >$log; echo OK ready\n"                                      \
	"while read -r line; do echo \"$line\" >>$log; case $line in\n" \
	"'GETINFO flavor') echo 'D " flavor "'; echo OK ;;\n"           \
	"GETPIN) " getpin " ;;\n"                                       \
	"OPTION*) echo 'ERR 83886254 Unknown option' ;;\n"              \
	"BYE) echo OK; exit ;;\n"                                       \
	"*) echo OK ;; esac; done\n"

static const struct {
	const char *name, *script;
	bool is_new;
	enum cw_err err;
} pinentries[] = {
	{ "an existing PIN", FAKE("gtk2", "echo 'D 831942'; echo OK"), false,
	    CW_OK },
	{ "escaped data", FAKE("gtk2", "echo 'D %38319%34%32'; echo OK"), false,
	    CW_OK },
	{ "repeated by the pinentry",
	    FAKE("gtk2", "echo 'S PIN_REPEATED'; echo 'D 831942'; echo OK"),
	    true, CW_OK },
	{ "repeated by asking again", FAKE("gtk2", "echo 'D 831942'; echo OK"),
	    true, CW_OK },
	{ "cancelled",
	    FAKE("gtk2", "echo 'ERR 83886179 Operation cancelled <P>'"), false,
	    CW_ERR_REFUSED },
	{ "fully cancelled", FAKE("gtk2", "echo 'ERR 83886278 gone'"), false,
	    CW_ERR_REFUSED },
	{ "not confirmed", FAKE("gtk2", "echo 'ERR 83886194 no'"), false,
	    CW_ERR_REFUSED },
	{ "timeout", FAKE("gtk2", "echo 'ERR 83886142 Timeout'"), false,
	    CW_ERR_PERSON_TIMEOUT },
	{ "no terminal for curses", FAKE("gtk2", "echo 'ERR 83918950 ENOTTY'"),
	    false, CW_ERR_NO_PIN_ENTRY },
	{ "dies at the question", FAKE("gtk2", "exit 1"), false,
	    CW_ERR_NO_PIN_ENTRY },
	{ "dies at once", "exit 1\n", false, CW_ERR_NO_PIN_ENTRY },
	{ "says no at once", "echo ERR 1 no; cat >/dev/null\n", false,
	    CW_ERR_NO_PIN_ENTRY },
	{ "floods", "exec yes x\n", false, CW_ERR_NO_PIN_ENTRY },
	{ "line without end", "head -c 100000 /dev/zero; cat >/dev/null\n",
	    false, CW_ERR_NO_PIN_ENTRY },
	{ "data without end",
	    FAKE("gtk2",
		"for i in 1 2 3 4 5 6 7 8 9; do echo "
		"'D 11111111111111111111'; done; echo OK"),
	    false, CW_ERR_PIN_LENGTH },
};

static void
each_end_of_a_pinentry_has_its_own_error(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(pinentries); i++) {
		struct cw_pin_prompt p =
		    prompt(CW_PIN_HOLDER, pinentries[i].is_new);
		struct cw_pin_entry *entry =
		    cw_pin_entry_pinentry(script(pinentries[i].script), 5);
		enum cw_err err;

		value->len = 0;
		err = entry->ask(entry, &p, value);
		if (err != pinentries[i].err)
			fail_msg("%s: %s", pinentries[i].name,
			    cw_err_name(err));
		if (err == CW_OK)
			assert_value("831942");
		cw_pin_entry_close(&entry);
	}
}

static void
a_program_that_is_not_there_is_no_way_to_ask(void **state)
{
	struct cw_pin_prompt p = prompt(CW_PIN_HOLDER, false);
	struct cw_pin_entry *entry =
	    cw_pin_entry_pinentry("/no/such/pinentry", 5);
	char flavor[32];

	(void)state;
	assert_err(entry->ask(entry, &p, value), CW_ERR_NO_PIN_ENTRY);
	cw_pin_entry_close(&entry);
	assert_err(cw_pinentry_flavor("/no/such/pinentry", flavor,
		       sizeof(flavor)),
	    CW_ERR_NO_PIN_ENTRY);
}

static void
what_a_pinentry_is_told_is_escaped(void **state)
{
	struct cw_pin_prompt p = prompt(CW_PIN_HOLDER, true);
	struct cw_pin_entry *entry =
	    cw_pin_entry_pinentry(script(
				      FAKE("gtk2", "echo 'D 831942'; echo OK")),
		5);
	char path[96];
	struct cw_buf log;
	char *text;

	(void)state;
	p.last = CW_ERR_PIN_MISMATCH;
	assert_err(entry->ask(entry, &p, value), CW_OK);
	cw_pin_entry_close(&entry);
	snprintf(path, sizeof(path), "%s/log", folder);
	cw_buf_init(&log, 65536);
	assert_err(cw_file_load(path, &log), CW_OK);
	cw_buf_put_u8(&log, 0);
	text = (char *)log.ptr;
	assert_non_null(strstr(text, "SETDESC Choose a PIN"));
	assert_non_null(strstr(text, "%0A"));
	assert_non_null(strstr(text, "SETERROR The two entries"));
	assert_non_null(strstr(text, "SETREPEAT"));
	assert_non_null(strstr(text, "SETTIMEOUT 5"));
	assert_null(strstr(text, "831942"));
	assert_null(strstr(text, "allow-external-password-cache"));
	cw_buf_wipe(&log);
}

static void
a_child_gets_none_of_our_descriptors(void **state)
{
	struct cw_pin_prompt p = prompt(CW_PIN_HOLDER, false);
	struct cw_pin_entry *entry = cw_pin_entry_pinentry(
	    script(FAKE("gtk2",
		"if [ -e /proc/$$/fd/77 ]; then echo ERR 83886179 leak; "
		"else echo 'D 831942'; echo OK; fi")),
	    5);
	int fd = open("/dev/null", O_RDONLY); /* without O_CLOEXEC */
	enum cw_err err;

	(void)state;
	assert_int_equal(dup2(fd, 77), 77);
	err = entry->ask(entry, &p, value);
	cw_pin_entry_close(&entry);
	close(fd);
	close(77);
	assert_err(err, CW_OK);
}

static void
lines_are_cut_behind_a_whole_character(void **state)
{
	char out[CW_ASSUAN_LINE_MAX + 1];
	char text[2000];
	size_t n;

	(void)state;
	n = cw_assuan_escape("SETDESC", "a%b\nc\r", out);
	assert_string_equal(out, "SETDESC a%25b%0Ac%0D");
	assert_int_equal(n, strlen(out));
	memset(text, '%', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	n = cw_assuan_escape("SETDESC", text, out);
	assert_in_range(n, CW_ASSUAN_LINE_MAX - 2, CW_ASSUAN_LINE_MAX);
	assert_string_equal(out + n - 3, "%25");
	for (size_t i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	text[sizeof(text) - 2] = '\0';
	n = cw_assuan_escape("SETDESC", text, out);
	assert_in_range(n, CW_ASSUAN_LINE_MAX - 2, CW_ASSUAN_LINE_MAX);
	assert_memory_equal(out + n - 3, "\xe2\x82\xac", 3);
}

static int
before_all(void **state)
{
	(void)state;
	if (!cw_secret_process_init())
		return 1;
	prctl(PR_SET_DUMPABLE, 1, 0, 0, 0); /* for leak checkers */
	cw_log_set_level(CW_LOG_ERROR);
	unsetenv("GPG_TTY");
	snprintf(folder, sizeof(folder), "/tmp/cw-pin-XXXXXX");
	value = cw_secret_new(sizeof(*value));
	return value != NULL && mkdtemp(folder) != NULL ? 0 : 1;
}

static int
after_all(void **state)
{
	static const char *const names[] = { "pinentry", "log", "" };

	(void)state;
	for (size_t i = 0; i < COUNT(names); i++) {
		char path[96];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		(void)remove(path);
	}
	cw_secret_free(&value);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_descriptor_gives_pin_and_puk_as_lines),
		cmocka_unit_test(a_terminal_asks_twice_without_echo),
		cmocka_unit_test(
		    a_terminal_goes_round_again_when_the_two_differ),
		cmocka_unit_test(
		    an_existing_pin_of_a_wrong_length_never_reaches_the_card),
		cmocka_unit_test(control_d_refuses_and_silence_is_a_timeout),
		cmocka_unit_test(each_end_of_a_pinentry_has_its_own_error),
		cmocka_unit_test(a_program_that_is_not_there_is_no_way_to_ask),
		cmocka_unit_test(what_a_pinentry_is_told_is_escaped),
		cmocka_unit_test(a_child_gets_none_of_our_descriptors),
		cmocka_unit_test(lines_are_cut_behind_a_whole_character),
	};

	return cmocka_run_group_tests(tests, before_all, after_all);
}
