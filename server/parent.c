/* SPDX-License-Identifier: Apache-2.0 */
/* The parent process. */
#include "server/parent.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "server/listen.h"
#include "server/separate.h"
#include "server/serve.h"
#include "server/systemd.h"
#include "server/user.h"

#define BACK_OFF_FIRST_MS 100u
#define BACK_OFF_MAX_MS 30000u
#define STEADY_MS 60000u /* ran so long: the next death begins at the first */
#define END_MS 8000u

struct parent;

struct child {
	const char *name;
	int (*run)(const struct cw_config *config, const int *channels,
	    size_t n, int ready_fd);
	const int *channels; /* its ends */
	pid_t pid;           /* 0: not running */
	int ready_fd;        /* the end that is read; -1: none */
	bool ready;
	uint64_t started_ms;
	uint64_t again_ms; /* when to start it again */
	unsigned back_off_ms;
};

enum { SIGNER, WEB, CHILDREN };

struct parent {
	struct cw_config *config;
	int signal_fd, ready_fd;
	uint64_t started_ms;
	bool announced;
	int ends[CHILDREN][CW_SIGNER_CHANNELS];
	struct child children[CHILDREN];
};

/* ---- start ---- */

static enum cw_err
make_state(const struct cw_config *config)
{
	struct stat st;

	if (mkdir(config->state, 0700) != 0 && errno != EEXIST)
		return cw_log_fail(CW_ERR_IO, "state", "path=%s cause=%s",
		    config->state, strerrorname_np(errno));
	if (stat(config->state, &st) != 0 || !S_ISDIR(st.st_mode))
		return cw_log_fail(CW_ERR_IO, "state", "path=%s cause=ENOTDIR",
		    config->state);
	if ((st.st_mode & 077) != 0)
		return cw_log_fail(CW_ERR_FILE_MODE, "state", "path=%s",
		    config->state);
	return CW_OK;
}

static enum cw_err
make_channels(struct parent *p)
{
	for (size_t i = 0; i < CW_SIGNER_CHANNELS; i++) {
		int pair[2];

		if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0,
			pair) != 0)
			return cw_log_fail(CW_ERR_IO, "channels", "cause=%s",
			    strerrorname_np(errno));
		p->ends[SIGNER][i] = pair[0];
		p->ends[WEB][i] = pair[1];
	}
	return CW_OK;
}

static enum cw_err
watch_signals(struct parent *p)
{
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGCHLD);
	if (sigprocmask(SIG_BLOCK, &signals, NULL) != 0)
		return CW_ERR_INTERNAL;
	p->signal_fd = signalfd(-1, &signals, SFD_CLOEXEC);
	return p->signal_fd < 0 ? CW_ERR_IO : CW_OK;
}

/* What a child has no business with. */
static void
close_foreign(struct parent *p, struct child *own, int ready_fd)
{
	close(p->signal_fd);
	if (own != &p->children[WEB]) {
		close(p->config->listen_fd);
		if (p->config->holder_listen_fd >= 0)
			close(p->config->holder_listen_fd);
	}
	if (p->ready_fd >= 0)
		close(p->ready_fd);
	for (size_t c = 0; c < CHILDREN; c++) {
		if (p->children[c].ready_fd >= 0 &&
		    p->children[c].ready_fd != ready_fd)
			close(p->children[c].ready_fd);
		if (&p->children[c] == own)
			continue;
		for (size_t i = 0; i < CW_SIGNER_CHANNELS; i++)
			close(p->ends[c][i]);
	}
}

static _Noreturn void
child_main(struct parent *p, struct child *c, pid_t parent, int ready_fd)
{
	sigset_t none;
	int status;

	/* Without its parent nobody would start it again, or end it; and the next
	 * parent needs the port and the log. It is made to be killed. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(0);
	close_foreign(p, c, ready_fd);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	cw_log_set_program(c->name);
	/* Not the signer, which without a user would become the web's. */
	if (c == &p->children[WEB] &&
	    cw_user_become(p->config->issuer_user, p->config->state) != CW_OK)
		_exit(cw_err_exit_status(CW_ERR_CONFINEMENT));
	status = c->run(p->config, c->channels, CW_SIGNER_CHANNELS, ready_fd);
	exit(status);
}

/* Answers for the web process that died must not meet the next one. */
static void
drain(const int *channels)
{
	char byte;

	for (size_t i = 0; i < CW_SIGNER_CHANNELS; i++)
		while (
		    recv(channels[i], &byte, 1, MSG_DONTWAIT | MSG_TRUNC) > 0)
			continue;
}

static void
start(struct parent *p, struct child *c)
{
	pid_t parent = getpid();
	int ready[2];

	c->started_ms = cw_clock_monotonic_ms();
	c->ready = false;
	if (pipe2(ready, O_CLOEXEC) != 0)
		return;
	/* What waits for the signer it shall answer. */
	if (c == &p->children[WEB])
		drain(c->channels);
	c->pid = fork();
	if (c->pid == 0) {
		close(ready[0]);
		child_main(p, c, parent, ready[1]);
	}
	close(ready[1]);
	if (c->pid < 0) {
		c->pid = 0;
		close(ready[0]);
		c->again_ms = c->started_ms + c->back_off_ms;
		return;
	}
	c->ready_fd = ready[0];
	cw_log(CW_LOG_DEBUG, "child.start", "process=%s pid=%d", c->name,
	    (int)c->pid);
}

/* ---- watching ---- */

static void
plan_restart(struct child *c, int status)
{
	uint64_t now_ms = cw_clock_monotonic_ms();

	if (now_ms - c->started_ms >= STEADY_MS || c->back_off_ms == 0)
		c->back_off_ms = BACK_OFF_FIRST_MS;
	else
		c->back_off_ms = c->back_off_ms * 2 > BACK_OFF_MAX_MS ?
		    BACK_OFF_MAX_MS :
		    c->back_off_ms * 2;
	c->again_ms = now_ms + c->back_off_ms;
	cw_log(CW_LOG_ERROR, "child.died",
	    "process=%s exit=%d signal=%d again_ms=%u", c->name,
	    WIFEXITED(status) ? WEXITSTATUS(status) : -1,
	    WIFSIGNALED(status) ? WTERMSIG(status) : 0, c->back_off_ms);
}

static void
reap(struct parent *p, bool restart)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		for (size_t i = 0; i < CHILDREN; i++) {
			struct child *c = &p->children[i];

			if (c->pid != pid)
				continue;
			c->pid = 0;
			c->ready = false;
			if (c->ready_fd >= 0)
				close(c->ready_fd);
			c->ready_fd = -1;
			if (restart)
				plan_restart(c, status);
		}
}

static void
announce(struct parent *p)
{
	const struct cw_config *config = p->config;
	unsigned ms = (unsigned)(cw_clock_monotonic_ms() - p->started_ms);

	p->announced = true;
	cw_systemd_notify("READY=1");
	cw_log(CW_LOG_INFO, "ready", "url=%s listen=%s start_ms=%u holder=%s",
	    config->url, config->listen, ms, config->holder_url);
	if (p->ready_fd >= 0) {
		char line[2 * CW_URI_MAX + 256];
		int n = snprintf(line, sizeof(line),
		    "ready url=%s listen=%s start_ms=%u holder=%s\n",
		    config->url, config->listen, ms, config->holder_url);

		if (cw_fd_write(p->ready_fd,
			cw_bytes((const uint8_t *)line, (size_t)n)) != CW_OK)
			cw_log(CW_LOG_WARN, "ready.fd", "fd=%d", p->ready_fd);
		close(p->ready_fd);
		p->ready_fd = -1;
	}
}

static void
take_ready(struct parent *p, struct child *c)
{
	char byte;

	c->ready = read(c->ready_fd, &byte, 1) == 1;
	close(c->ready_fd);
	c->ready_fd = -1;
	for (size_t i = 0; i < CHILDREN; i++)
		if (!p->children[i].ready)
			return;
	if (!p->announced)
		announce(p);
}

/* False when it is time to end. */
static bool
take_signal(struct parent *p)
{
	struct signalfd_siginfo info;

	if (read(p->signal_fd, &info, sizeof(info)) != sizeof(info))
		return true;
	if (info.ssi_signo != SIGCHLD)
		return false;
	reap(p, true);
	return true;
}

/* Starts what is due; says how long nothing will be. */
static int
start_due(struct parent *p)
{
	uint64_t now_ms = cw_clock_monotonic_ms();
	int wait_ms = -1;

	for (size_t i = 0; i < CHILDREN; i++) {
		struct child *c = &p->children[i];

		if (c->pid == 0 && now_ms >= c->again_ms)
			start(p, c);
		if (c->pid == 0 && c->again_ms > now_ms) {
			int left = (int)(c->again_ms - now_ms);

			wait_ms =
			    wait_ms < 0 || left < wait_ms ? left : wait_ms;
		}
	}
	return wait_ms;
}

static void
watch(struct parent *p)
{
	bool running = true;

	while (running) {
		int wait_ms = start_due(p);
		struct pollfd fds[1 + CHILDREN] = { { .fd = p->signal_fd,
		    .events = POLLIN } };

		for (size_t i = 0; i < CHILDREN; i++) {
			fds[1 + i].fd = p->children[i].ready_fd;
			fds[1 + i].events = POLLIN;
		}
		if (poll(fds, 1 + CHILDREN, wait_ms) < 0 && errno != EINTR)
			break;
		for (size_t i = 0; i < CHILDREN; i++)
			if (fds[1 + i].revents != 0 &&
			    p->children[i].ready_fd >= 0)
				take_ready(p, &p->children[i]);
		if (fds[0].revents != 0)
			running = take_signal(p);
	}
}

/* ---- end ---- */

static void
end_child(struct parent *p, struct child *c)
{
	uint64_t until = cw_clock_monotonic_ms() + END_MS;

	if (c->pid == 0)
		return;
	kill(c->pid, SIGTERM);
	while (c->pid != 0 && cw_clock_monotonic_ms() < until) {
		struct pollfd fd = { .fd = p->signal_fd, .events = POLLIN };
		struct signalfd_siginfo info;

		if (poll(&fd, 1, 100) > 0 &&
		    read(p->signal_fd, &info, sizeof(info)) < 0)
			break;
		reap(p, false);
	}
	if (c->pid != 0) {
		cw_log(CW_LOG_WARN, "child.kill", "process=%s", c->name);
		kill(c->pid, SIGKILL);
		(void)waitpid(c->pid, NULL, 0);
		c->pid = 0;
	}
}

static void
init(struct parent *p, struct cw_config *config, int ready_fd)
{
	memset(p, 0, sizeof(*p));
	p->config = config;
	p->signal_fd = -1;
	p->ready_fd = ready_fd;
	p->started_ms = cw_clock_monotonic_ms();
	p->children[SIGNER].name = "cardwrightd-signer";
	p->children[SIGNER].run = cw_signer_run;
	p->children[WEB].name = "cardwrightd-web";
	p->children[WEB].run = cw_serve_run;
	for (size_t i = 0; i < CHILDREN; i++) {
		p->children[i].channels = p->ends[i];
		p->children[i].ready_fd = -1;
	}
}

int
cw_parent_run(struct cw_config *config, int ready_fd)
{
	struct parent p;
	enum cw_err err;

	init(&p, config, ready_fd);
	err = make_state(config);
	if (err == CW_OK)
		err = cw_separate(config);
	if (err == CW_OK)
		err = cw_listen_reserve(config);
	if (err == CW_OK)
		err = make_channels(&p);
	if (err == CW_OK)
		err = watch_signals(&p);
	if (err != CW_OK)
		return cw_err_exit_status(err);
	watch(&p);
	cw_systemd_notify("STOPPING=1");
	/* The web process first: it may still have something to ask. */
	end_child(&p, &p.children[WEB]);
	end_child(&p, &p.children[SIGNER]);
	cw_listen_release(config);
	cw_log(CW_LOG_INFO, "end", "state=%s", config->state);
	return 0;
}
