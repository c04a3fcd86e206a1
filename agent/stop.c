/* SPDX-License-Identifier: Apache-2.0 */
/* Signals: a flag, a pipe that wakes whoever polls, and an alarm clock. */
#include "agent/stop.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "proto/base/clock.h"

#define GRACE_MS 800L /* Chromium kills after 2 s, Firefox after 1 s more */

static atomic_int stopped; /* the signal's number */
static volatile sig_atomic_t has_terminal;
static int wake[2] = { -1, -1 };
static int terminal;
static struct termios terminal_state;

static void
on_stop(int number)
{
	const struct itimerval grace = { .it_value = {
					     .tv_usec = GRACE_MS * 1000 } };
	int saved = errno;
	ssize_t ignored;

	if (stopped == 0)
		setitimer(ITIMER_REAL, &grace, NULL);
	stopped = number;
	ignored = write(wake[1], "", 1);
	(void)ignored;
	errno = saved;
}

/* Only async-signal-safe calls. If a transaction is held, pcscd resets the
 * card as soon as we are gone. */
static void
on_alarm(int number)
{
	(void)number;
	if (has_terminal)
		tcsetattr(terminal, TCSANOW, &terminal_state);
	_exit(128 + stopped);
}

void
cw_stop_install(void)
{
	struct sigaction stop = { .sa_handler = on_stop,
		.sa_flags = SA_RESTART };
	struct sigaction alarm_action = { .sa_handler = on_alarm };

	if (wake[0] >= 0 || pipe2(wake, O_CLOEXEC | O_NONBLOCK) != 0)
		return;
	sigemptyset(&stop.sa_mask);
	sigemptyset(&alarm_action.sa_mask);
	sigaction(SIGINT, &stop, NULL);
	sigaction(SIGTERM, &stop, NULL);
	sigaction(SIGHUP, &stop, NULL);
	sigaction(SIGALRM, &alarm_action, NULL);
}

void
cw_stop_request(void)
{
	on_stop(SIGTERM);
}

bool
cw_stop_requested(void)
{
	return stopped != 0;
}

int
cw_stop_exit_status(void)
{
	return 128 + stopped;
}

void
cw_stop_keep_terminal(int fd, const struct termios *saved)
{
	has_terminal = 0;
	if (saved == NULL)
		return;
	terminal = fd;
	terminal_state = *saved;
	has_terminal = 1;
}

enum cw_err
cw_stop_poll(int fd, int timeout_ms)
{
	struct pollfd fds[2] = {
		{ .fd = fd, .events = POLLIN },
		{ .fd = wake[0], .events = POLLIN }, /* ignored while -1 */
	};
	uint64_t end = cw_clock_monotonic_ms() + (uint64_t)(timeout_ms + 1);

	for (;;) {
		uint64_t now = cw_clock_monotonic_ms();
		int left = timeout_ms < 0 ? -1 :
		    now >= end            ? 0 :
					    (int)(end - now);
		int n = poll(fds, 2, left);

		if (stopped || (n > 0 && fds[1].revents != 0))
			return CW_ERR_REFUSED;
		if (n > 0)
			return CW_OK;
		if (n == 0)
			return CW_ERR_PERSON_TIMEOUT;
		if (errno != EINTR)
			return CW_ERR_IO;
	}
}
