/* SPDX-License-Identifier: Apache-2.0 */
/* The sweeper. */
#include "server/sweep.h"

#include <stdlib.h>
#include <time.h>

#include "proto/base/log.h"
#include "server/text.h"

#define DUE_MAX 64u
#define ENTRIES_MAX 64u
#define FORGET_AFTER_S (30ull * 24 * 3600)
#define DAILY_S (24 * 3600)
#define RECONCILED "signer_log"
#define FORGOT "forgot_s"

static void
log_certificate(const char *event, const uint8_t *serial, unsigned reason)
{
	char hex[2 * CW_SERIAL_BYTES + 1];

	cw_hexstr_encode(cw_bytes(serial, CW_SERIAL_BYTES), hex);
	cw_log(CW_LOG_INFO, event, "serial=%s reason=%u", hex, reason);
}

/* ---- certificates ---- */

static enum cw_err
revoke(struct cw_engine *engine, const struct cw_certificate *c)
{
	struct cw_store *store = engine->store;
	unsigned reason = c->wanted;
	uint64_t now_s = cw_clock_now_s(engine->clock);
	enum cw_err err = cw_signer_revoke(engine->signer, c->serial, reason);

	/* Reserved, and nothing was signed: no certificate, nothing to revoke. */
	if (err == CW_ERR_UNKNOWN_SERIAL && c->status == CW_CERT_RESERVED)
		return store->certificate_drop(store, c->serial);
	if (err != CW_OK)
		return err;
	log_certificate("certificate.revoked", c->serial, reason);
	return store->certificate_set(store, c->serial, CW_CERT_REVOKED, reason,
	    now_s);
}

static enum cw_err
sweep_certificates(struct cw_engine *engine)
{
	struct cw_certificate *due = calloc(DUE_MAX, sizeof(*due));
	enum cw_err first = CW_OK;
	size_t n = 0;

	if (due == NULL)
		return CW_ERR_NO_MEMORY;
	do {
		enum cw_err err = engine->store->certificate_due(engine->store,
		    due, DUE_MAX, &n);

		for (size_t i = 0; i < n && err != CW_ERR_SIGNER_DOWN &&
		     err != CW_ERR_STORE_FAILED;
		     i++) {
			err = revoke(engine, &due[i]);
			/* One odd row must not keep the others from it. */
			if (err != CW_OK)
				log_certificate("certificate.stays",
				    due[i].serial, due[i].wanted);
			if (first == CW_OK)
				first = err;
		}
		if (first == CW_OK)
			first = err;
	} while (n == DUE_MAX && first == CW_OK);
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

	err = store->session_expire(store, now_s, &n);
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
	uint64_t keep_s = engine->config->session_minutes * 60ull;
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

/* ---- reconciliation ---- */

static enum cw_err
reconcile_entry(struct cw_engine *engine, const struct cw_signer_entry *entry)
{
	struct cw_certificate known;
	bool reserved;
	enum cw_err err;

	if (entry->revoked)
		return CW_OK;
	/* Signed for a session that has not heard of it yet: it asks again, or
	 * runs out. This is asked first: whoever commits the certificate between
	 * the two questions is found by the second. */
	err = engine->store->session_reserved(engine->store, entry->serial,
	    &reserved);
	if (err != CW_OK || reserved)
		return err;
	err = engine->store->certificate_load(engine->store, entry->serial,
	    &known, NULL);
	if (err != CW_ERR_UNKNOWN_SERIAL)
		return err;
	log_certificate("certificate.unknown", entry->serial,
	    CW_REASON_CESSATION);
	return cw_signer_revoke(engine->signer, entry->serial,
	    CW_REASON_CESSATION);
}

enum cw_err
cw_sweep_reconcile(struct cw_engine *engine)
{
	struct cw_store *store = engine->store;
	struct cw_signer_entry entries[ENTRIES_MAX / 4];
	uint64_t from = 0;
	size_t n = 0;
	enum cw_err err = store->number_get(store, RECONCILED, &from);

	do {
		uint64_t at = from;

		if (err == CW_OK)
			err = cw_signer_log_read(engine->signer, from, entries,
			    sizeof(entries) / sizeof(entries[0]), &n);
		for (size_t i = 0; i < n && err == CW_OK; i++) {
			err = reconcile_entry(engine, &entries[i]);
			at = entries[i].index + 1;
		}
		if (err == CW_OK && at != from)
			err = store->number_set(store, RECONCILED, at);
		from = at;
	} while (err == CW_OK && n > 0);
	return err;
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
	bool reconciled = false;

	do {
		if (!reconciled)
			reconciled = cw_sweep_reconcile(s->engine) == CW_OK;
		/* What fails is logged there, and tried again. */
		if (cw_sweep_once(s->engine) == CW_ERR_SIGNER_DOWN)
			reconciled = false;
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
