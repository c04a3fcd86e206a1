/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel says of the issuer's processes. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/support/daemon.h"

struct one {
	double cpu_us;
	size_t resident_kb;
};

/* utime and stime of all threads (proc(5) stat, fields 14 and 15), and VmRSS. */
static bool
read_process(pid_t pid, struct one *out)
{
	char name[64];
	char text[2048];
	unsigned long utime = 0;
	unsigned long stime = 0;
	const char *p;
	size_t n;
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	f = fopen(name, "re");
	if (f == NULL)
		return false;
	n = fread(text, 1, sizeof(text) - 1, f);
	fclose(f);
	text[n] = '\0';
	p = strrchr(text, ')');
	if (p == NULL ||
	    sscanf(p + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		&utime, &stime) != 2)
		return false;
	out->cpu_us =
	    (double)(utime + stime) * 1e6 / (double)sysconf(_SC_CLK_TCK);
	snprintf(name, sizeof(name), "/proc/%d/status", (int)pid);
	f = fopen(name, "re");
	out->resident_kb = 0;
	while (f != NULL && fgets(text, sizeof(text), f) != NULL)
		if (strncmp(text, "VmRSS:", 6) == 0)
			out->resident_kb = strtoul(text + 6, NULL, 10);
	if (f != NULL)
		fclose(f);
	return true;
}

/* The web process has many threads, the signer one. */
static size_t
threads(pid_t pid)
{
	char name[64];
	size_t n = 0;
	DIR *dir;

	snprintf(name, sizeof(name), "/proc/%d/task", (int)pid);
	dir = opendir(name);
	while (dir != NULL && readdir(dir) != NULL)
		n++;
	if (dir != NULL)
		closedir(dir);
	return n < 2 ? 0 : n - 2; /* . and .. */
}

pid_t
cw_daemon_process(const struct cw_daemon *s, enum cw_daemon_process which)
{
	char name[64];
	FILE *f;
	int pid;
	pid_t found = 0;

	snprintf(name, sizeof(name), "/proc/%d/task/%d/children",
	    (int)s->parent, (int)s->parent);
	f = fopen(name, "re");
	while (f != NULL && fscanf(f, "%d", &pid) == 1)
		if ((threads(pid) > 1) == (which == CW_DAEMON_WEB))
			found = pid;
	if (f != NULL)
		fclose(f);
	return found;
}

void
cw_daemon_usage(const struct cw_daemon *s, struct cw_daemon_figures *usage)
{
	char name[64];
	FILE *f;
	int pid;

	memset(usage, 0, sizeof(*usage));
	snprintf(name, sizeof(name), "/proc/%d/task/%d/children",
	    (int)s->parent, (int)s->parent);
	f = fopen(name, "re");
	while (f != NULL && fscanf(f, "%d", &pid) == 1) {
		struct one one = { 0 };

		if (!read_process(pid, &one))
			continue;
		if (threads(pid) > 1) {
			usage->web_us += one.cpu_us;
			usage->web_kb += one.resident_kb;
		} else {
			usage->signer_us += one.cpu_us;
			usage->signer_kb += one.resident_kb;
		}
	}
	if (f != NULL)
		fclose(f);
}
