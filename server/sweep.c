/* SPDX-License-Identifier: Apache-2.0 */
/* The sweeper. */
#include "server/sweep.h"

#include <stdlib.h>
#include <time.h>

#include "proto/base/log.h"
#include "proto/request.h"
#include "proto/rfc4648.h"
#include "server/reconcile.h"

#define DUE_MAX 64u
#define FORGET_AFTER_S (30ull * 24 * 3600)
#define DAILY_S (24 * 3600)
#define SOON_S 5
/* Beyond a session's time: R's began by the signer's clock. */
#define RESERVED_MARGIN_S (2ull * CW_CLOCK_SKEW_S)
#define FORGOT "forgot_s"

static void
log_certificate(const char *event, const uint8_t *serial, unsigned reason)
{
	char hex[2 * CW_SERIAL_BYTES + 1];

	cw_base16_encode(cw_bytes(serial, CW_SERIAL_BYTES), hex);
	cw_log(CW_LOG_INFO, event, "serial=%s reason=%u", hex, reason);
}

/* ---- certificates ---- */

/*
 * What has only been reserved: the signer may sign it as long as R's time lasts,
 * for a request may be on its way to it, or wait while it is stopped. So it is
 * asked at once, and again when it refuses by itself; what it does not know then
 * is no certificate and never will be.
 */
static enum cw_err
may_be_signed_until(struct cw_engine *engine, const struct cw_certificate *c,
    uint64_t *until_s)
{
	struct cw_request request;
	struct cw_session session;
	enum cw_err err;

	cw_session_init(&session);
	err = engine->store->session_load(engine->store, c->session, &session);
	*until_s = err == CW_OK ? session.expires_s : c->changed_s;
	/* It waited for operators, and may have been cut short: R was not. */
	if (err == CW_OK && session.n_digests > 1 &&
	    cw_request_verify(cw_buf_bytes(&session.request), &request) ==
		CW_OK &&
	    *until_s < request.time_s + request.lifetime_s)
		*until_s = request.time_s + request.lifetime_s;
	*until_s += RESERVED_MARGIN_S;
	cw_session_wipe(&session);
	return err == CW_ERR_NO_SESSION ? CW_OK : err;
}

static enum cw_err
revoke(struct cw_engine *engine, const struct cw_certificate *c)
{
	struct cw_store *store = engine->store;
	unsigned reason = c->wanted;
	uint64_t now_s = cw_clock_now_s(engine->clock);
	uint64_t until_s = 0;
	enum cw_err err = CW_OK;

	if (c->status == CW_CERT_RESERVED)
		err = may_be_signed_until(engine, c, &until_s);
	if (err != CW_OK || (now_s > c->changed_s + SOON_S && now_s < until_s))
		return err;
	err = cw_signer_revoke(engine->signer, c->serial, reason);
	if (err == CW_ERR_UNKNOWN_SERIAL && c->status == CW_CERT_RESERVED)
		return now_s < until_s ?
		    CW_OK :
		    store->certificate_drop(store, c->serial);
	if (err != CW_OK)
		return err;
	log_certificate("certificate.revoked", c->serial, reason);
	return store->certificate_set(store, c->serial, CW_CERT_REVOKED, reason,
	    now_s);
}

static bool
is_down(enum cw_err err)
{
	return err == CW_ERR_SIGNER_DOWN || err == CW_ERR_STORE_FAILED;
}

static enum cw_err
sweep_certificates(struct cw_engine *engine)
{
	struct cw_certificate *due = calloc(DUE_MAX, sizeof(*due));
	enum cw_err first = CW_OK;
	enum cw_err err = CW_OK;
	uint64_t after = 0;
	size_t n = DUE_MAX;

	if (due == NULL)
		return CW_ERR_NO_MEMORY;
	while (n == DUE_MAX && !is_down(err)) {
		err = engine->store->certificate_due(engine->store, after, due,
		    DUE_MAX, &n);
		if (first == CW_OK)
			first = err;
		for (size_t i = 0; i < n && !is_down(err); i++) {
			after = due[i].row;
			err = revoke(engine, &due[i]);
			/* Odd rows, however many, must not keep the others
			 * from it. */
			if (err != CW_OK)
				log_certificate("certificate.stays",
				    due[i].serial, due[i].wanted);
			if (first == CW_OK)
				first = err;
		}
	}
	free(due);
	return first;
}

/* ---- sessions ---- */

static enum cw_err
sweep_sessions(struct cw_engine *engine)
{
	struct cw_store *store = engine->store;
	uint64_t now_s = cw_clock_now_s(engine->clock);
	uint64_t open = 0;
	uint64_t last = 0;
	unsigned n = 0;
	enum cw_err err;

	err = store->session_expire(store, now_s, now_s, &n);
	if (err == CW_OK && n > 0)
		cw_log(CW_LOG_INFO, "session.expired", "n=%u", n);
	if (err == CW_OK)
		err = store->session_count_open(store, &open);
	if (err == CW_OK)
		atomic_store(&engine->open_sessions, (int64_t)open);
	if (err == CW_OK)
		err = store->number_get(store, FORGOT, &last);
	if (err == CW_OK && last + DAILY_S <= now_s) {
		err = store->session_forget(store, now_s - FORGET_AFTER_S);
		if (err == CW_OK)
			err = store->number_set(store, FORGOT, now_s);
	}
	return err;
}

enum cw_err
cw_sweep_once(struct cw_engine *engine)
{
	uint64_t keep_s = cw_config_session_max_s(engine->config);
	enum cw_err errs[] = {
		cw_seal_rotate(engine->seal, cw_clock_now_s(engine->clock),
		    keep_s > DAILY_S ? keep_s : DAILY_S),
		sweep_sessions(engine),
		sweep_certificates(engine),
	};

	for (size_t i = 0; i < sizeof(errs) / sizeof(errs[0]); i++)
		if (errs[i] != CW_OK)
			return cw_log_fail(errs[i], "sweep", "part=%zu", i);
	return CW_OK;
}

/* ---- the thread ---- */

struct cw_sweeper {
	struct cw_engine *engine;
	unsigned period_s;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t woken;
	bool stop;
};

/* True if it is time to end. */
static bool
pause_for(struct cw_sweeper *s, unsigned seconds)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += seconds;
	pthread_mutex_lock(&s->mutex);
	while (!s->stop &&
	    pthread_cond_timedwait(&s->woken, &s->mutex, &until) == 0)
		continue;
	stop = s->stop;
	pthread_mutex_unlock(&s->mutex);
	return stop;
}

static void *
sweeper_main(void *arg)
{
	struct cw_sweeper *s = arg;
	atomic_bool *reconciled = &s->engine->reconciled;

	do {
		/* What fails is logged there, and tried again. */
		if (!atomic_load(reconciled) &&
		    cw_reconcile_log(s->engine) != CW_OK)
			cw_log(CW_LOG_WARN, "reconcile", "state=later");
		if (cw_sweep_once(s->engine) == CW_ERR_SIGNER_DOWN)
			atomic_store(reconciled, false);
	} while (!pause_for(s, s->period_s));
	return NULL;
}

struct cw_sweeper *
cw_sweeper_new(struct cw_engine *engine, unsigned period_s)
{
	struct cw_sweeper *s = calloc(1, sizeof(*s));
	pthread_condattr_t monotonic;

	if (s == NULL)
		return NULL;
	s->engine = engine;
	s->period_s = period_s;
	pthread_mutex_init(&s->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->woken, &monotonic);
	pthread_condattr_destroy(&monotonic);
	if (pthread_create(&s->thread, NULL, sweeper_main, s) != 0) {
		free(s);
		return NULL;
	}
	return s;
}

void
cw_sweeper_free(struct cw_sweeper **sweeper)
{
	struct cw_sweeper *s = *sweeper;

	if (s == NULL)
		return;
	pthread_mutex_lock(&s->mutex);
	s->stop = true;
	pthread_cond_signal(&s->woken);
	pthread_mutex_unlock(&s->mutex);
	pthread_join(s->thread, NULL);
	pthread_cond_destroy(&s->woken);
	pthread_mutex_destroy(&s->mutex);
	free(s);
	*sweeper = NULL;
}
