/* SPDX-License-Identifier: Apache-2.0 */
/*
 * make bench: what a session costs, measured on the real programs over TLS.
 * Prints `name value unit` lines and writes them to BUILD/bench.json.
 *
 *   bench [--build DIR] [--sessions N] [--open N]
 *
 * A session is steps 1 to 8: GET intent and four POSTs on a kept-alive
 * connection, one P-256 key. The issuer's CPU time is the kernel's (utime and
 * stime of web and signer); the crypto floor is measured on the same core.
 */
#include <getopt.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <curl/curl.h>

#include "tests/load/card.h"
#include "tests/load/client.h"
#include "tests/load/floor.h"
#include "tests/support/daemon.h"

#define CLIENTS_MAX 64
#define GRANT_USES 1000

struct options {
	const char *build;
	unsigned sessions; /* in each measured run */
	unsigned open;     /* the larger of the two memory figures */
};

/* ---- figures ---- */

static FILE *json;
static bool failed;

static void
figure(const char *name, double value, const char *unit)
{
	printf("%-44s %12.3f %s\n", name, value, unit);
	fflush(stdout);
	fprintf(json,
	    "%s\n  {\"name\": \"%s\", \"value\": %.3f, \"unit\": "
	    "\"%s\"}",
	    ftell(json) > 1 ? "," : "", name, value, unit);
}

static void
figure_of(const char *name, const char *what, double value, const char *unit)
{
	char full[128];

	snprintf(full, sizeof(full), "%s_%s", name, what);
	figure(full, value, unit);
}

/* ---- clients in another process ---- */

/* Shared with the child that runs the clients. */
struct run {
	const struct cw_daemon *server;
	unsigned clients, sessions; /* sessions each */
	enum cw_load_step last;
	char invitation[CLIENTS_MAX][512];
	/* filled in by the child */
	unsigned failed;
	double seconds;
	uint32_t *step_us[CW_LOAD_STEPS]; /* clients × sessions */
};

struct worker {
	struct run *run;
	unsigned index;
	pthread_barrier_t *start;
};

static void *
work(void *ctx)
{
	struct worker *w = ctx;
	struct run *run = w->run;
	struct cw_load_client *client = cw_load_client_new(run->server->url,
	    run->server->ca, cw_buf_bytes(&run->server->personalisation));
	uint64_t us[CW_LOAD_STEPS];
	bool ok =
	    cw_load_client_join(client, run->invitation[w->index]) == CW_OK;

	pthread_barrier_wait(w->start);
	for (unsigned i = 0; i < run->sessions; i++) {
		memset(us, 0, sizeof(us));
		if (!ok ||
		    cw_load_client_session(client, run->last, us) != CW_OK)
			__atomic_fetch_add(&run->failed, 1, __ATOMIC_RELAXED);
		for (size_t k = 0; k < CW_LOAD_STEPS; k++)
			run->step_us[k][w->index * run->sessions + i] =
			    (uint32_t)us[k];
	}
	cw_load_client_free(&client);
	return NULL;
}

static double
now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void
run_workers(struct run *run)
{
	pthread_t threads[CLIENTS_MAX];
	struct worker workers[CLIENTS_MAX];
	pthread_barrier_t start;
	double began;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	pthread_barrier_init(&start, NULL, run->clients + 1);
	for (unsigned i = 0; i < run->clients; i++) {
		workers[i] = (struct worker){ run, i, &start };
		if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0)
			_exit(1);
	}
	pthread_barrier_wait(&start);
	began = now_s();
	for (unsigned i = 0; i < run->clients; i++)
		pthread_join(threads[i], NULL);
	run->seconds = now_s() - began;
}

static void
on_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (cpu >= 0)
		sched_setaffinity(0, sizeof(set), &set);
}

static void *
shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		abort();
	return p;
}

/* Runs clients in a child process, on `cpu` if not negative. */
static struct run *
run_clients(const struct cw_daemon *server, unsigned clients, unsigned sessions,
    enum cw_load_step last, unsigned mode, int cpu)
{
	struct run *run = shared(sizeof(*run));
	int status = 1;
	pid_t pid;

	run->server = server;
	run->clients = clients;
	run->sessions = sessions;
	run->last = last;
	for (size_t k = 0; k < CW_LOAD_STEPS; k++)
		run->step_us[k] = shared(sizeof(uint32_t) * clients * sessions);
	for (unsigned i = 0; i < clients; i++)
		if (!cw_daemon_invite(server, GRANT_USES, mode,
			run->invitation[i], sizeof(run->invitation[i])))
			failed = true;
	pid = fork();
	if (pid == 0) {
		on_cpu(cpu);
		run_workers(run);
		_exit(0);
	}
	waitpid(pid, &status, 0);
	/* A figure of a run that failed would be a lie. */
	if (status != 0 || run->failed > 0) {
		fprintf(stderr, "bench: %u of %u sessions failed\n",
		    run->failed, clients * sessions);
		failed = true;
	}
	return run;
}

/* ---- what is measured ---- */

#define HEALTH_MS 1100 /* after that long /healthz asks anew */

static uint64_t
number_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	return at == NULL ? 0 : strtoull(at + strlen(name) + 2, NULL, 10);
}

struct commits {
	uint64_t store, signer;
};

static struct commits
commits_now(const struct cw_daemon *server)
{
	const struct timespec pause = { HEALTH_MS / 1000,
		HEALTH_MS % 1000 * 1000000 };
	struct cw_load_client *client = cw_load_client_new(server->url,
	    server->ca, cw_buf_bytes(&server->personalisation));
	char text[2048] = "";
	struct cw_bytes body;

	nanosleep(&pause, NULL);
	if (client != NULL && cw_load_client_health(client, false) == CW_OK) {
		body = cw_load_client_body(client);
		snprintf(text, sizeof(text), "%.*s", (int)body.len,
		    (const char *)body.ptr);
	}
	cw_load_client_free(&client);
	return (struct commits){ number_after(text, "store_commits"),
		number_after(text, "signer_commits") };
}

static int
by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a;
	uint32_t y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
percentiles(const struct run *run)
{
	static const char *const names[CW_LOAD_STEPS] = { "step_1_intent",
		"step_2_3_request", "step_4_5_token", "step_6_7_keys",
		"step_8_result" };
	size_t n = (size_t)run->clients * run->sessions;

	for (size_t k = 0; k < CW_LOAD_STEPS; k++) {
		qsort(run->step_us[k], n, sizeof(uint32_t), by_size);
		figure_of(names[k], "p50", run->step_us[k][n / 2], "us");
		figure_of(names[k], "p99", run->step_us[k][n * 99 / 100], "us");
	}
}

/* One invitation carries at most GRANT_USES sessions. */
static unsigned
sessions_each(const struct options *o, unsigned clients)
{
	unsigned each = o->sessions / clients;

	return each < GRANT_USES ? each : GRANT_USES;
}

/* CPU of the issuer for a session, with so many clients on the other core. */
static double
session_cpu(const struct cw_daemon *server, unsigned clients, unsigned sessions,
    unsigned mode, const char *name, bool details)
{
	struct cw_daemon_figures before;
	struct cw_daemon_figures after;
	struct commits before_commits = commits_now(server);
	struct commits after_commits;
	unsigned total = clients * sessions;
	struct run *run;
	double web;
	double signer;

	cw_daemon_usage(server, &before);
	run = run_clients(server, clients, sessions, CW_LOAD_RESULT, mode, 1);
	cw_daemon_usage(server, &after);
	web = (after.web_us - before.web_us) / total;
	signer = (after.signer_us - before.signer_us) / total;
	figure_of(name, "web_cpu", web, "us");
	figure_of(name, "signer_cpu", signer, "us");
	figure_of(name, "cpu", web + signer, "us");
	after_commits = commits_now(server);
	figure_of(name, "store_commits",
	    (double)(after_commits.store - before_commits.store) / total,
	    "commits");
	figure_of(name, "signer_commits",
	    (double)(after_commits.signer - before_commits.signer) / total,
	    "commits");
	if (details)
		percentiles(run);
	return web + signer;
}

static void
cpu_figures(const struct options *o)
{
	static const struct {
		const char *name;
		unsigned mode, clients;
	} rows[] = {
		{ "session_mode1_1_client", 1, 1 },
		{ "session_mode1_8_clients", 1, 8 },
		{ "session_mode1_64_clients", 1, 64 },
		{ "session_mode2_8_clients", 2, 8 },
	};
	struct cw_floor_row floor_rows[CW_FLOOR_ROWS];
	struct cw_daemon server;
	double cpu[4];
	double floor_us;

	if (!cw_daemon_start(&server, o->build, 0,
		"threads = 80\nopen_sessions_max = 30000\n"))
		exit(1);
	/* Warm: caches of chains, code, connections of the store. */
	run_clients(&server, 4, 25, CW_LOAD_RESULT, 1, 1);
	for (size_t i = 0; i < 4; i++)
		cpu[i] = session_cpu(&server, rows[i].clients,
		    sessions_each(o, rows[i].clients), rows[i].mode,
		    rows[i].name, i == 1);
	on_cpu(0);
	floor_us = cw_floor_measure(2, floor_rows);
	for (size_t i = 0; i < CW_FLOOR_ROWS; i++) {
		char name[128];

		snprintf(name, sizeof(name), "floor (%s)", floor_rows[i].name);
		figure(name, floor_rows[i].us, "us");
	}
	figure("crypto_floor", floor_us, "us");
	for (size_t i = 0; i < 4; i++)
		figure_of(rows[i].name, "ratio", cpu[i] / floor_us, "x");
	cw_daemon_stop(&server);
}

static void
request_figures(const struct cw_daemon *server, unsigned n)
{
	struct cw_daemon_figures before;
	struct cw_daemon_figures after;
	double cost[2];

	for (int fresh = 0; fresh <= 1; fresh++) {
		struct cw_load_client *client = cw_load_client_new(server->url,
		    server->ca, cw_buf_bytes(&server->personalisation));
		double web;

		cw_daemon_usage(server, &before);
		for (unsigned i = 0; i < n; i++)
			if (cw_load_client_health(client, fresh == 1) != CW_OK)
				failed = true;
		cw_daemon_usage(server, &after);
		web = after.web_us - before.web_us;
		cost[fresh] = web / n;
		cw_load_client_free(&client);
	}
	figure("request_kept_alive_cpu", cost[0], "us");
	figure("tls_handshake_cpu", cost[1] - cost[0], "us");
}

static void
throughput_figures(const struct options *o)
{
	static const unsigned clients[] = { 1, 8, 64 };
	struct cw_daemon server;

	if (!cw_daemon_start(&server, o->build, -1,
		"threads = 80\nopen_sessions_max = 30000\n"))
		exit(1);
	figure("start", server.start_ms, "ms");
	run_clients(&server, 4, 25, CW_LOAD_RESULT, 1, -1);
	for (size_t i = 0; i < 3; i++) {
		struct run *run = run_clients(&server, clients[i],
		    sessions_each(o, clients[i]), CW_LOAD_RESULT, 1, -1);
		char name[64];

		snprintf(name, sizeof(name), "sessions_per_second_%u_clients",
		    clients[i]);
		figure(name, run->clients * run->sessions / run->seconds,
		    "1/s");
	}
	request_figures(&server, 500);
	cw_daemon_stop(&server);
}

static void
memory_figures(const struct options *o)
{
	const unsigned counts[2] = { 1000, o->open };
	struct cw_daemon server;
	struct cw_daemon_figures usage;
	unsigned open = 0;

	if (!cw_daemon_start(&server, o->build, -1,
		"threads = 80\nopen_sessions_max = 30000\n"))
		exit(1);
	cw_daemon_usage(&server, &usage);
	figure("memory_0_open_sessions",
	    (double)(usage.web_kb + usage.signer_kb) / 1024, "MiB");
	for (size_t i = 0; i < 2; i++) {
		char name[64];

		run_clients(&server, 8, (counts[i] - open) / 8, CW_LOAD_TOKEN,
		    1, -1);
		open = counts[i];
		cw_daemon_usage(&server, &usage);
		snprintf(name, sizeof(name), "memory_%u_open_sessions", open);
		figure(name, (double)(usage.web_kb + usage.signer_kb) / 1024,
		    "MiB");
	}
	cw_daemon_stop(&server);
}

static bool
read_options(int argc, char **argv, struct options *o)
{
	static const struct option options[] = {
		{ "build", required_argument, NULL, 'b' },
		{ "sessions", required_argument, NULL, 's' },
		{ "open", required_argument, NULL, 'o' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
		if (c == 'b')
			o->build = optarg;
		else if (c == 's')
			o->sessions = (unsigned)strtoul(optarg, NULL, 10);
		else if (c == 'o')
			o->open = (unsigned)strtoul(optarg, NULL, 10);
		else
			return false;
	}
	return o->sessions >= 64 && o->open >= 1008;
}

int
main(int argc, char **argv)
{
	struct options o = { "build", 2400, 10000 };
	char path[512];

	if (!read_options(argc, argv, &o)) {
		fprintf(stderr,
		    "usage: bench [--build DIR] [--sessions N] "
		    "[--open N]\n");
		return 2;
	}
	snprintf(path, sizeof(path), "%.400s/bench.json", o.build);
	json = fopen(path, "we");
	if (json == NULL) {
		perror(path);
		return 1;
	}
	fputs("[", json);
	cpu_figures(&o);
	throughput_figures(&o);
	memory_figures(&o);
	if (!cw_load_card_figures(o.build, figure))
		failed = true;
	fputs("\n]\n", json);
	return fclose(json) == 0 && !failed ? 0 : 1;
}
