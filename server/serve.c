/* SPDX-License-Identifier: Apache-2.0 */
/* The web process. */
#include "server/serve.h"

#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "server/confine.h"
#include "server/reconcile.h"
#include "server/sweep.h"
#include "server/web.h"

#define SWEEP_SECONDS 2

enum cw_err
cw_state_path(const struct cw_config *config, const char *name,
    char out[CW_PATH_MAX])
{
	int n = snprintf(out, CW_PATH_MAX, "%s/%s", config->state, name);

	return n < 0 || n >= CW_PATH_MAX ? CW_ERR_TOO_LARGE : CW_OK;
}

struct parts {
	struct cw_clock clock;
	struct cw_store *store;
	struct cw_signer *signer;
	struct cw_seal *seal;
	struct cw_engine engine;
	bool has_engine;
	struct cw_sweeper *sweeper;
	struct cw_web *web;
};

static enum cw_err
open_state(const struct cw_config *config, struct parts *p)
{
	char path[CW_PATH_MAX];
	enum cw_err err = cw_state_path(config, CW_STORE_FILE, path);

	if (err == CW_OK)
		err = cw_store_open_sqlite(path, &p->store);
	if (err == CW_OK)
		err = cw_state_path(config, CW_EPOCH_FILE, path);
	if (err == CW_OK)
		err = cw_seal_open(path, cw_clock_now_s(&p->clock), &p->seal);
	return err;
}

static enum cw_err
open_parts(const struct cw_config *config, const int *channels, size_t n,
    struct parts *p)
{
	const struct cw_engine_chains *chains;
	uint64_t open = 0;
	enum cw_err err;

	p->clock = cw_clock_system();
	err = open_state(config, p);
	if (err != CW_OK)
		return err;
	p->signer = cw_signer_new(channels, n);
	if (p->signer == NULL)
		return CW_ERR_NO_MEMORY;
	cw_engine_init(&p->engine, config, p->store, p->signer, p->seal,
	    &p->clock);
	p->has_engine = true;
	/* Not being able to ask the signer yet is no reason not to start. */
	err = cw_reconcile_begin(&p->engine);
	if (err == CW_OK || err == CW_ERR_SIGNER_DOWN)
		err = p->store->session_count_open(p->store, &open);
	atomic_store(&p->engine.open_sessions, (int64_t)open);
	if (err == CW_OK)
		err = cw_web_open(&p->engine, &p->web);
	if (err == CW_OK && cw_engine_chains(&p->engine, &chains) != CW_OK)
		cw_log(CW_LOG_WARN, "serve.signer", "state=down");
	if (err == CW_OK)
		p->sweeper = cw_sweeper_new(&p->engine, SWEEP_SECONDS);
	if (err == CW_OK && p->sweeper == NULL)
		err = CW_ERR_NO_MEMORY;
	return err == CW_OK ? cw_confine_calls() : err;
}

/* In the order that leaves nothing behind: no more requests, no more sweeps,
 * then the store, which writes what it still holds. */
static void
close_parts(struct parts *p)
{
	cw_web_close(&p->web);
	cw_sweeper_free(&p->sweeper);
	if (p->has_engine)
		cw_engine_wipe(&p->engine);
	cw_signer_free(&p->signer);
	cw_seal_free(&p->seal);
	cw_store_close(&p->store);
}

int
cw_serve_run(const struct cw_config *config, const int *channels, size_t n,
    int ready_fd)
{
	struct parts *p = calloc(1, sizeof(*p));
	sigset_t signals;
	enum cw_err err;
	int got;

	if (p == NULL)
		return cw_err_exit_status(CW_ERR_NO_MEMORY);
	/* Many threads, each with short-lived buffers of some 10 KiB: few heaps,
	 * which are not given back between two requests. */
	mallopt(M_ARENA_MAX, 4);
	mallopt(M_TRIM_THRESHOLD, 16 * 1024 * 1024);
	mallopt(M_TOP_PAD, 256 * 1024);
	mallopt(M_MMAP_THRESHOLD, 1024 * 1024);
	/* Before any thread, so that all of them inherit it. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	err = cw_confine_files(config);
	if (err == CW_OK)
		err = open_parts(config, channels, n, p);
	if (err == CW_OK) {
		if (ready_fd >= 0 && write(ready_fd, "1", 1) == 1)
			close(ready_fd);
		sigwait(&signals, &got);
	} else {
		cw_log_fail(err, "serve.start", "state=%s", config->state);
	}
	close_parts(p);
	free(p);
	return cw_err_exit_status(err);
}
