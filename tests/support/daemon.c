/* SPDX-License-Identifier: Apache-2.0 */
/* Starts, asks and ends the issuer. */
#include "tests/support/daemon.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/fdio.h"

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

/* execv takes strings that it may not change, but its type does not say so. */
static void
become(const char *const argv[])
{
	char *copy[16] = { NULL };

	for (size_t i = 0; i < 15 && argv[i] != NULL; i++)
		copy[i] = strdup(argv[i]);
	execv(copy[0], copy);
	_exit(127);
}

/* Runs a program, waits for it, and gives what it printed. */
static bool
run(const char *const argv[], char *line, size_t size)
{
	int out[2];
	int status = 0;
	size_t n = 0;
	ssize_t got;
	pid_t pid;

	if (pipe2(out, O_CLOEXEC) != 0)
		return false;
	pid = fork();
	if (pid == 0) {
		dup2(out[1], STDOUT_FILENO);
		become(argv);
	}
	close(out[1]);
	while ((got = read(out[0], line + n, size - 1 - n)) > 0)
		n += (size_t)got;
	line[n] = '\0';
	close(out[0]);
	return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static void
path(char *out, size_t size, const char *dir, const char *name)
{
	snprintf(out, size, "%.200s/%.40s", dir, name);
}

/* For an issuer that comes again: one that nobody has, and that the kernel gives
 * to nobody meanwhile. */
static unsigned
free_port(void)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	unsigned port = 0;
	int fd;

	while (port == 0) {
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (fd < 0 || getrandom(&port, sizeof(port), 0) < 0)
			return 0;
		port = 10240 + port % 22528;
		at.sin_port = htons((uint16_t)port);
		if (bind(fd, (struct sockaddr *)&at, sizeof(at)) != 0)
			port = 0;
		close(fd);
	}
	return port;
}

/* The configuration that `cardwright-keys dev` wrote, with the issuer's port and
 * more lines. */
static bool
write_config(const struct cw_daemon *s)
{
	char from[256];
	char to[256];
	char line[1024];
	FILE *in;
	FILE *out;

	path(from, sizeof(from), s->dir, "issuer.ini");
	path(to, sizeof(to), s->dir, "test.ini");
	in = fopen(from, "re");
	out = fopen(to, "we");
	if (in == NULL || out == NULL)
		return false;
	while (fgets(line, sizeof(line), in) != NULL) {
		if (strncmp(line, "listen", 6) == 0)
			fprintf(out, "listen = 127.0.0.1:%u\n%s", s->port,
			    s->lines);
		else if (strncmp(line, "url", 3) == 0)
			fprintf(out, "url = https://localhost:%u\n", s->port);
		else
			fputs(line, out);
	}
	fclose(in);
	return fclose(out) == 0;
}

static void
become_server(const struct cw_daemon *s, int ready)
{
	char program[300];
	char config[256];
	char log[256];
	char fd[16];
	const char *argv[] = { program, "--config", config, "--ready-fd", fd,
		NULL };
	cpu_set_t set;

	if (s->cpu >= 0) {
		CPU_ZERO(&set);
		CPU_SET((unsigned)s->cpu, &set);
		sched_setaffinity(0, sizeof(set), &set);
	}
	path(program, sizeof(program), s->build, "cardwrightd");
	path(config, sizeof(config), s->dir, "test.ini");
	path(log, sizeof(log), s->dir, "log");
	snprintf(fd, sizeof(fd), "%d", ready);
	dup2(open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600),
	    STDERR_FILENO);
	fcntl(ready, F_SETFD, 0);
	become(argv);
}

static bool
wait_ready(struct cw_daemon *s, int fd)
{
	char line[512];
	size_t n = 0;
	ssize_t got;
	char *url;

	while (n < sizeof(line) - 1 &&
	    (got = read(fd, line + n, sizeof(line) - 1 - n)) > 0)
		n += (size_t)got;
	line[n] = '\0';
	url = strstr(line, "url=");
	if (url == NULL)
		return false;
	url += 4;
	url[strcspn(url, " \n")] = '\0';
	snprintf(s->url, sizeof(s->url), "%.120s", url);
	s->port = (unsigned)strtoul(strrchr(s->url, ':') + 1, NULL, 10);
	return write_config(s); /* from now on with this port */
}

bool
cw_daemon_launch(struct cw_daemon *s)
{
	double start = now_ms();
	int ready[2];
	bool ok;

	if (pipe2(ready, O_CLOEXEC) != 0)
		return false;
	s->parent = fork();
	if (s->parent == 0)
		become_server(s, ready[1]);
	close(ready[1]);
	ok = wait_ready(s, ready[0]);
	s->start_ms = now_ms() - start;
	close(ready[0]);
	if (!ok)
		fprintf(stderr, "issuer: no issuer; see %s/log\n", s->dir);
	return ok;
}

bool
cw_daemon_make(struct cw_daemon *s, const char *build, int cpu,
    const char *config_lines)
{
	char program[300];
	char line[256];
	const char *keys[] = { program, "dev", "--dir", s->dir, NULL };

	memset(s, 0, sizeof(*s));
	s->cpu = cpu;
	s->port = free_port();
	snprintf(s->lines, sizeof(s->lines), "%s", config_lines);
	snprintf(s->build, sizeof(s->build), "%.200s", build);
	snprintf(s->dir, sizeof(s->dir), "/tmp/cw-issuer.XXXXXX");
	path(program, sizeof(program), build, "cardwright-keys");
	if (mkdtemp(s->dir) == NULL || !run(keys, line, sizeof(line)) ||
	    !write_config(s)) {
		perror("issuer: keys and configuration");
		return false;
	}
	path(s->ca, sizeof(s->ca), s->dir, "tls-root.pem");
	snprintf(line, sizeof(line), "%s/cards/card-1.personalisation", s->dir);
	cw_buf_init(&s->personalisation, 65536);
	return cw_file_load(line, &s->personalisation) == CW_OK;
}

bool
cw_daemon_start(struct cw_daemon *s, const char *build, int cpu,
    const char *config_lines)
{
	return cw_daemon_make(s, build, cpu, config_lines) &&
	    cw_daemon_launch(s);
}

static void
wait_for_end(pid_t pid)
{
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static void
end(struct cw_daemon *s)
{
	if (s->parent > 0) {
		kill(s->parent, SIGTERM);
		wait_for_end(s->parent);
	}
	s->parent = 0;
}

bool
cw_daemon_restart(struct cw_daemon *s)
{
	end(s);
	return cw_daemon_launch(s);
}

void
cw_daemon_stop(struct cw_daemon *s)
{
	char line[16];
	const char *remove[] = { "/bin/rm", "-rf", s->dir, NULL };

	end(s);
	cw_buf_wipe(&s->personalisation);
	if (strncmp(s->dir, "/tmp/cw-issuer.", 15) == 0 &&
	    !run(remove, line, sizeof(line)))
		fprintf(stderr, "issuer: %s stays\n", s->dir);
}

bool
cw_daemon_invite(const struct cw_daemon *s, unsigned uses, unsigned mode,
    char *url, size_t size)
{
	char program[300];
	char config[256];
	char n[16];
	char m[16];
	const char *argv[] = { program, "--config", config, "invite",
		"--subject", "CN=Load Test", "--profile", "person", "--uses", n,
		"--mode", m, NULL };

	path(program, sizeof(program), s->build, "cardwright-admin");
	path(config, sizeof(config), s->dir, "test.ini");
	snprintf(n, sizeof(n), "%u", uses);
	snprintf(m, sizeof(m), "%u", mode);
	if (!run(argv, url, size))
		return false;
	url[strcspn(url, "\n")] = '\0';
	return true;
}

bool
cw_daemon_admin(const struct cw_daemon *s, const char *const *words, char *out,
    size_t size)
{
	char program[300];
	char config[256];
	const char *argv[16] = { program, "--config", config };

	path(program, sizeof(program), s->build, "cardwright-admin");
	path(config, sizeof(config), s->dir, "test.ini");
	for (size_t i = 0; i < 12 && words[i] != NULL; i++)
		argv[3 + i] = words[i];
	return run(argv, out, size);
}

/* ---- killing ---- */

static bool
answers(const struct cw_daemon *s)
{
	char url[160];
	char out[1024];
	const char *argv[] = { "/usr/bin/curl", "--silent", "--fail",
		"--cacert", s->ca, "--max-time", "60", url, NULL };

	snprintf(url, sizeof(url), "%s/healthz", s->url);
	return run(argv, out, sizeof(out));
}

/* Polls a condition that the parent brings about: at most 20 s. */
static bool
wait_until_back(const struct cw_daemon *s, enum cw_daemon_process which,
    pid_t before)
{
	const struct timespec pause = { .tv_nsec = 20000000 };

	for (unsigned i = 0; i < 1000; i++) {
		pid_t now = cw_daemon_process(s, which);

		if (now != 0 && now != before && answers(s))
			return true;
		nanosleep(&pause, NULL);
	}
	fprintf(stderr, "issuer: does not come back; see %s/log\n", s->dir);
	return false;
}

bool
cw_daemon_wait(const struct cw_daemon *s, enum cw_daemon_process which)
{
	return wait_until_back(s, which, 0);
}

bool
cw_daemon_kill(struct cw_daemon *s, enum cw_daemon_process which)
{
	pid_t pid;

	if (which == CW_DAEMON_ALL) {
		cw_daemon_kill_after(s, 0);
		return cw_daemon_launch(s);
	}
	pid = cw_daemon_process(s, which);
	return pid > 0 && kill(pid, SIGKILL) == 0 &&
	    wait_until_back(s, which, pid);
}

void
cw_daemon_kill_after(struct cw_daemon *s, unsigned us)
{
	/* As when the machine stops: the parent first, so that it starts
	 * nothing again. */
	const pid_t pids[] = { s->parent, cw_daemon_process(s, CW_DAEMON_WEB),
		cw_daemon_process(s, CW_DAEMON_SIGNER) };
	const struct timespec pause = { us / 1000000, us % 1000000 * 1000 };

	nanosleep(&pause, NULL);
	for (size_t i = 0; i < sizeof(pids) / sizeof(pids[0]); i++)
		if (pids[i] > 0)
			kill(pids[i], SIGKILL);
	wait_for_end(s->parent);
	s->parent = 0;
}

/* Stopped, dead or gone: no more of its files are written. */
static bool
is_still(pid_t pid)
{
	char name[64];
	char state = 'X';
	FILE *f;

	snprintf(name, sizeof(name), "/proc/%d/stat", (int)pid);
	f = fopen(name, "re");
	if (f == NULL || fscanf(f, "%*d (%*[^)]) %c", &state) != 1)
		state = 'X';
	if (f != NULL)
		fclose(f);
	return strchr("TZX", state) != NULL;
}

static bool
wait_until_still(pid_t pid)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (unsigned i = 0; i < 5000 && !is_still(pid); i++)
		nanosleep(&pause, NULL);
	return is_still(pid);
}

bool
cw_daemon_kill_and(struct cw_daemon *s, enum cw_daemon_process which,
    bool (*meanwhile)(void *ctx), void *ctx)
{
	pid_t pid = cw_daemon_process(s, which);
	bool ok = pid > 0 && kill(s->parent, SIGSTOP) == 0 &&
	    wait_until_still(s->parent) && kill(pid, SIGKILL) == 0 &&
	    wait_until_still(pid) && meanwhile(ctx);

	kill(s->parent, SIGCONT);
	return ok;
}

static unsigned
occurrences(const char *text, const char *what)
{
	unsigned n = 0;

	for (const char *at = text; (at = strstr(at, what)) != NULL; at++)
		n++;
	return n;
}

struct cw_daemon_count
cw_daemon_count(const struct cw_daemon *s)
{
	static char out[65536];
	char program[300];
	char config[256];
	const char *argv[] = { program, "--config", config, "list", NULL };

	path(program, sizeof(program), s->build, "cardwright-admin");
	path(config, sizeof(config), s->dir, "test.ini");
	if (!run(argv, out, sizeof(out)))
		return (struct cw_daemon_count){ UINT32_MAX, UINT32_MAX,
			UINT32_MAX };
	return (struct cw_daemon_count){ occurrences(out, " active "),
		occurrences(out, " pending "), occurrences(out, " revoked ") };
}

unsigned
cw_daemon_logged(const struct cw_daemon *s, const char *text)
{
	char name[256];
	char line[2048];
	unsigned n = 0;
	FILE *f;

	path(name, sizeof(name), s->dir, "log");
	f = fopen(name, "re");
	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		n += strstr(line, text) != NULL;
	if (f != NULL)
		fclose(f);
	return n;
}

bool
cw_daemon_wait_logged(const struct cw_daemon *s, const char *text, unsigned n,
    unsigned ms)
{
	const struct timespec pause = { .tv_nsec = 10000000 };

	for (unsigned i = 0; i < ms; i += 10) {
		if (cw_daemon_logged(s, text) >= n)
			return true;
		nanosleep(&pause, NULL);
	}
	return false;
}
