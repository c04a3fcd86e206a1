/* SPDX-License-Identifier: Apache-2.0 */
/* What `cardwright-admin approve` asks at the terminal before it signs: this
 * program has one of its own, whose other end answers. */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "proto/rfc4648.h"
#include "server/admin.h"
#include "tests/support/server_world.h"

static int person = -1; /* the terminal's other end */

/* The terminal of this process, in a session of its own. */
static bool
open_terminal(void)
{
	int own;

	person = posix_openpt(O_RDWR | O_NOCTTY);
	if (person < 0 || setsid() < 0 || grantpt(person) != 0 ||
	    unlockpt(person) != 0)
		return false;
	own = open(ptsname(person), O_RDWR | O_NOCTTY);
	return own >= 0 && ioctl(own, TIOCSCTTY, 0) == 0;
}

/* Waits for these words on the screen, where what was typed stands as well. */
static void
assert_shown(const char *words)
{
	struct pollfd ready = { .fd = person, .events = POLLIN };
	char screen[1024] = "";
	size_t len = 0;

	while (strstr(screen, words) == NULL) {
		ssize_t n;

		if (poll(&ready, 1, 10000) != 1)
			fail_msg("\"%s\" in place of \"%s\"", screen, words);
		n = read(person, screen + len, sizeof(screen) - 1 - len);
		assert_in_range(n, 1, sizeof(screen));
		len += (size_t)n;
		screen[len] = '\0';
	}
}

static enum cw_err
approve(struct cw_server_world *w, const struct cw_server_play *play,
    const char *typed)
{
	char id[2 * CW_SESSION_ID_BYTES + 1];
	char key[256];
	struct cw_admin admin = { .config = &w->config,
		.store = w->store,
		.argument = id,
		.operator_key = key };

	snprintf(key, sizeof(key), "%s",
	    cw_keys_tree_path(w->tree, "operator-1.key"));
	cw_base16_encode(CW_BYTES_ARRAY(play->id), id);
	assert_int_equal(write(person, typed, strlen(typed)), strlen(typed));
	return cw_admin_approve(&admin);
}

static void
begin(struct cw_server_world *w, struct cw_server_play *play)
{
	w->profile = "approved";
	w->approvals = 2;
	cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
	cw_server_play_begin(w, play, 1);
	cw_server_play_message(w, play, 2);
	assert_err(cw_server_play_post(w, play, 2), CW_ERR_APPROVAL_PENDING);
}

static bool
count(void *ctx, const struct cw_approval_row *row)
{
	(void)row;
	++*(unsigned *)ctx;
	return true;
}

static const struct row {
	const char *typed;
	bool is_yes;
} rows[] = {
	{ "\n", false },
	{ "n\n", false },
	{ "no\n", false },
	{ "Y\n", false },
	{ "yes, please\n", false },
	{ "a sentence that is longer than any answer\n", false },
	{ "\x04", false }, /* end of file */
	{ "y\n", true },
	{ "yes\n", true },
};

static void
only_yes_at_the_terminal_signs(void **state)
{
	struct cw_server_world *w = *state;

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_server_play play;
		unsigned n = 0;

		begin(w, &play);
		assert_row(rows[i].typed,
		    approve(w, &play, rows[i].typed) ==
			(rows[i].is_yes ? CW_OK : CW_ERR_REFUSED));
		assert_shown("Sign this? [y/N]");
		assert_err(w->store->approval_each(w->store, play.id, count,
			       &n),
		    CW_OK);
		assert_int_equal(n, rows[i].is_yes);
		tcflush(person, TCIOFLUSH);
		cw_server_play_wipe(&play);
	}
}

/* Nobody types: a question would wait for ever. */
static void
a_subject_that_is_named_is_not_asked_for(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	char id[2 * CW_SESSION_ID_BYTES + 1];
	char key[256];
	struct cw_admin admin = { .config = &w->config,
		.store = w->store,
		.argument = id,
		.operator_key = key,
		.subject = "CN=Somebody Else" };

	begin(w, &play);
	snprintf(key, sizeof(key), "%s",
	    cw_keys_tree_path(w->tree, "operator-1.key"));
	cw_base16_encode(CW_BYTES_ARRAY(play.id), id);
	assert_err(cw_admin_approve(&admin), CW_ERR_REFUSED);
	admin.subject = "CN=Ada Lovelace";
	assert_err(cw_admin_approve(&admin), CW_OK);
	cw_server_play_wipe(&play);
}

static int
run(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(only_yes_at_the_terminal_signs),
		cw_server_test(a_subject_that_is_named_is_not_asked_for),
	};

	if (!open_terminal())
		return 1;
	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}

/* Only the leader of a session gets a terminal, and only who leads no group can
 * begin one: a child. */
int
main(void)
{
	pid_t pid = fork();
	int status = 0;

	if (pid == 0)
		exit(run());
	if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
		return 1;
	return WEXITSTATUS(status);
}
