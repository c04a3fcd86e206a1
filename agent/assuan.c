/* SPDX-License-Identifier: Apache-2.0 */
/* A child that speaks Assuan. */
#include "agent/assuan.h"

#include <fcntl.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/stop.h"
#include "proto/base/fdio.h"
#include "proto/base/secret.h"
#include "proto/rfc4648.h"

#define GOODBYE_MS 300

size_t
cw_assuan_escape(const char *command, const char *argument,
    char out[CW_ASSUAN_LINE_MAX + 1])
{
	size_t n = (size_t)snprintf(out, CW_ASSUAN_LINE_MAX + 1, "%s%s",
	    command, argument != NULL ? " " : "");
	size_t whole = n; /* where the last whole character ended */

	for (const char *c = argument; c != NULL && *c != '\0'; c++) {
		bool must = *c == '%' || *c == '\n' || *c == '\r';

		if (((uint8_t)*c & 0xc0) != 0x80)
			whole = n;
		/* Measured: a longer line ends the process. So the limit
		 * holds after escaping. */
		if (n + (must ? 3 : 1) > CW_ASSUAN_LINE_MAX) {
			n = whole;
			break;
		}
		if (must)
			n += (size_t)snprintf(out + n, 4, "%%%02X",
			    (unsigned)(uint8_t)*c);
		else
			out[n++] = *c;
	}
	out[n] = '\0';
	return n;
}

/* Pipes as descriptors 0 and 1 of the child, and none of ours. */
static int
spawn(struct cw_assuan *a, const char *program, const int in[2],
    const int out[2])
{
	char *const argv[] = { (char *)(uintptr_t)program, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attr;
	sigset_t signals;
	int r;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attr);
	posix_spawn_file_actions_adddup2(&actions, in[0], STDIN_FILENO);
	posix_spawn_file_actions_adddup2(&actions, out[1], STDOUT_FILENO);
	posix_spawn_file_actions_addclosefrom_np(&actions, 3);
	sigemptyset(&signals);
	posix_spawnattr_setsigmask(&attr, &signals);
	sigaddset(&signals, SIGPIPE);
	posix_spawnattr_setsigdefault(&attr, &signals);
	posix_spawnattr_setflags(&attr,
	    POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = posix_spawnp(&a->child, program, &actions, &attr, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attr);
	return r;
}

/* The next line into a->line, without its line feed. */
static enum cw_err
read_line(struct cw_assuan *a)
{
	for (;;) {
		char *end = memchr(a->in, '\n', a->have);
		enum cw_err err;
		ssize_t n;

		if (end != NULL) {
			size_t len = (size_t)(end - a->in);

			if (len > CW_ASSUAN_LINE_MAX)
				return CW_ERR_NO_PIN_ENTRY;
			memcpy(a->line, a->in, len);
			a->line[len] = '\0';
			a->have -= len + 1;
			memmove(a->in, end + 1, a->have);
			return CW_OK;
		}
		if (a->have == sizeof(a->in))
			return CW_ERR_NO_PIN_ENTRY;
		/* The dialog has its own clock; this one is for a child that
		 * hangs. */
		err = cw_stop_poll(a->from, (int)(a->timeout_s + 5) * 1000);
		if (err != CW_OK)
			return err;
		n = read(a->from, a->in + a->have, sizeof(a->in) - a->have);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return CW_ERR_NO_PIN_ENTRY;
		a->have += (size_t)n;
	}
}

static void
take_data(struct cw_assuan *a, const char *text)
{
	for (; *text != '\0' && a->data_len < sizeof(a->data); text++) {
		uint8_t c = (uint8_t)*text;

		if (c == '%' &&
		    cw_base16_decode(cw_bytes((const uint8_t *)text + 1,
					 strnlen(text + 1, 2)),
			&c, 1))
			text += 2;
		a->data[a->data_len++] = c;
	}
}

static bool
starts(const char *line, const char *word)
{
	size_t len = strlen(word);

	return strncmp(line, word, len) == 0 &&
	    (line[len] == ' ' || line[len] == '\0');
}

/* Lines up to OK or ERR. */
static enum cw_err
read_answer(struct cw_assuan *a, bool *ok)
{
	a->data_len = 0;
	a->error = 0;
	a->was_repeated = false;
	for (int i = 0; i < 1000; i++) {
		enum cw_err err = read_line(a);

		if (err != CW_OK)
			return err;
		*ok = starts(a->line, "OK");
		if (*ok)
			return CW_OK;
		if (starts(a->line, "ERR")) {
			a->error = (unsigned)strtoul(a->line + 3, NULL, 10);
			return CW_OK;
		}
		if (strncmp(a->line, "D ", 2) == 0)
			take_data(a, a->line + 2);
		if (starts(a->line, "S PIN_REPEATED"))
			a->was_repeated = true;
		/* Everything else (S, #) tells us nothing. */
	}
	return CW_ERR_NO_PIN_ENTRY;
}

enum cw_err
cw_assuan_call(struct cw_assuan *a, const char *command, const char *argument,
    bool *ok)
{
	char line[CW_ASSUAN_LINE_MAX + 1];
	size_t n = cw_assuan_escape(command, argument, line);

	*ok = false;
	line[n++] = '\n';
	if (cw_fd_write(a->to, cw_bytes((const uint8_t *)line, n)) != CW_OK)
		return CW_ERR_NO_PIN_ENTRY;
	return read_answer(a, ok);
}

enum cw_err
cw_assuan_open(struct cw_assuan *a, const char *program)
{
	int in[2] = { -1, -1 };
	int out[2] = { -1, -1 };
	unsigned timeout_s = a->timeout_s;
	bool ok = false;
	enum cw_err err;

	memset(a, 0, sizeof(*a));
	a->timeout_s = timeout_s;
	a->to = a->from = -1;
	if (pipe2(in, O_CLOEXEC) != 0)
		return CW_ERR_NO_PIN_ENTRY;
	if (pipe2(out, O_CLOEXEC) != 0) {
		close(in[0]);
		close(in[1]);
		return CW_ERR_NO_PIN_ENTRY;
	}
	if (spawn(a, program, in, out) != 0)
		a->child = 0;
	close(in[0]);
	close(out[1]);
	a->to = in[1];
	a->from = out[0];
	err = a->child == 0 ? CW_ERR_NO_PIN_ENTRY : read_answer(a, &ok);
	if (err == CW_OK && !ok)
		err = CW_ERR_NO_PIN_ENTRY;
	if (err != CW_OK)
		cw_assuan_close(a);
	return err;
}

void
cw_assuan_close(struct cw_assuan *a)
{
	enum cw_err ignored = CW_OK;

	if (a->to >= 0) {
		ignored = cw_fd_write(a->to, cw_bytes_str("BYE\n"));
		(void)ignored;
		close(a->to);
	}
	if (a->from >= 0)
		close(a->from);
	a->to = a->from = -1;
	for (int i = 0; a->child > 0 && i < GOODBYE_MS / 10; i++) {
		if (waitpid(a->child, NULL, WNOHANG) != 0)
			a->child = 0;
		else
			usleep(10000);
	}
	if (a->child > 0) {
		kill(a->child, SIGKILL);
		waitpid(a->child, NULL, 0);
		a->child = 0;
	}
	cw_wipe(a->in, sizeof(a->in));
	cw_wipe(a->line, sizeof(a->line));
	cw_wipe(a->data, sizeof(a->data));
}
