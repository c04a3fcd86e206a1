/* SPDX-License-Identifier: Apache-2.0 */
/* One line an event, whole lines only. */
#include "proto/base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 1024

static atomic_int max_level = CW_LOG_INFO;
static const char *program = "cardwright";

void
cw_log_set_level(enum cw_log_level level)
{
	atomic_store(&max_level, (int)level);
}

void
cw_log_set_program(const char *name)
{
	program = name;
}

/* A value from outside must not forge a second line or drive a terminal. */
static void
strip_controls(char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			*s = '?';
}

static void
write_line(enum cw_log_level level, const char *event, enum cw_err err,
    const char *details)
{
	static const char *const names[] = { "error", "warn", "info", "debug" };
	char line[LINE_MAX_BYTES];
	struct timespec now = { 0 };
	struct tm tm;
	size_t n;
	ssize_t ignored;

	clock_gettime(CLOCK_REALTIME, &now);
	gmtime_r(&now.tv_sec, &tm);
	n = strftime(line, sizeof(line), "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(line + n, sizeof(line) - n, ".%03ldZ %s[%d] %s %s",
	    now.tv_nsec / 1000000, program, (int)getpid(), names[level], event);
	n = strlen(line);
	if (err != CW_OK)
		snprintf(line + n, sizeof(line) - n, " error=%d name=%s",
		    (int)err, cw_err_name(err));
	n = strlen(line);
	snprintf(line + n, sizeof(line) - n, " %s", details);
	strip_controls(line);
	n = strlen(line);
	if (n == sizeof(line) - 1)
		n--;
	line[n] = '\n';
	/* A log that cannot be written must not stop a session. */
	ignored = write(STDERR_FILENO, line, n + 1);
	(void)ignored;
}

void
cw_log(enum cw_log_level level, const char *event, const char *fmt, ...)
{
	char details[LINE_MAX_BYTES];
	va_list ap;

	if ((int)level > atomic_load(&max_level))
		return;
	va_start(ap, fmt);
	vsnprintf(details, sizeof(details), fmt, ap);
	va_end(ap);
	write_line(level, event, CW_OK, details);
}

enum cw_err
cw_log_fail(enum cw_err err, const char *event, const char *fmt, ...)
{
	enum cw_err_category cat = cw_err_category(err);
	enum cw_log_level level = cat == CW_CAT_INTERNAL ||
		cat == CW_CAT_RESOURCE || cat == CW_CAT_LOCAL ?
	    CW_LOG_ERROR :
	    CW_LOG_WARN;
	char details[LINE_MAX_BYTES];
	va_list ap;

	if ((int)level > atomic_load(&max_level))
		return err;
	va_start(ap, fmt);
	vsnprintf(details, sizeof(details), fmt, ap);
	va_end(ap);
	write_line(level, event, err, details);
	return err;
}
