/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit. Whoever has something to write and finds nobody writing leads:
 * it writes all that has queued up in one transaction, while what comes
 * meanwhile queues up for the next leader. Alone, no thread is switched to;
 * under load many sessions share one sync. A thread of its own only writes new
 * sessions that no leader has taken along for a while.
 */
#include "server/store_sqlite.h"

#include <time.h>

#define DEFER_MS 100
#define RETRY_MS 1000
#define DEFERRED_MAX 20000
#define GATHER_US 3000
#define COMPANY_GROUPS 8

static void
queue_init(struct cw_sqlite_queue *q)
{
	q->first = NULL;
	q->last = &q->first;
	q->n = 0;
}

static void
queue_put(struct cw_sqlite_queue *q, struct cw_sqlite_job *job)
{
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
	q->n++;
}

static struct cw_sqlite_job *
queue_take_all(struct cw_sqlite_queue *q)
{
	struct cw_sqlite_job *first = q->first;

	queue_init(q);
	return first;
}

/* One transaction over two lists; `only` limits the second to its first. */
static enum cw_err
transaction(struct cw_sqlite *s, struct cw_sqlite_job *deferred,
    struct cw_sqlite_job *durable, bool only)
{
	struct cw_sqlite_conn *conn = &s->writer;
	enum cw_err err = cw_sql_run(conn, cw_sql_get(conn, CW_SQL_BEGIN));
	struct cw_sqlite_job *job;

	if (err != CW_OK)
		return err;
	for (job = deferred; job != NULL && err == CW_OK; job = job->next)
		err = job->apply(s, conn, job->arg);
	for (job = durable; job != NULL && err == CW_OK; job = job->next) {
		job->err = job->apply(s, conn, job->arg);
		if (job->err == CW_ERR_STORE_FAILED)
			err = job->err;
		if (only)
			break;
	}
	if (err == CW_OK)
		err = cw_sql_run(conn, cw_sql_get(conn, CW_SQL_COMMIT));
	if (err == CW_OK)
		atomic_fetch_add(&s->commits, 1);
	else if (!sqlite3_get_autocommit(conn->db) &&
	    cw_sql_run(conn, cw_sql_get(conn, CW_SQL_ROLLBACK)) != CW_OK)
		cw_log(CW_LOG_ERROR, "store.rollback", "path=%s", s->path);
	return err;
}

/* Whatever `after` does (the cache, for one) it does in the order of commits
 * and before anybody who waits goes on. */
static void
finish(struct cw_sqlite *s, struct cw_sqlite_job *durable, bool only,
    enum cw_err err)
{
	struct cw_sqlite_job *next;

	for (struct cw_sqlite_job *job = durable; job != NULL; job = next) {
		next = job->next;
		if (err != CW_OK)
			job->err = CW_ERR_STORE_FAILED;
		else if (job->err == CW_OK && job->after != NULL)
			job->after(s, job->arg);
		pthread_mutex_lock(&s->mutex);
		job->done = true; /* from here on it may be gone */
		pthread_cond_signal(&job->woken);
		pthread_mutex_unlock(&s->mutex);
		if (only)
			break;
	}
}

static void
finish_deferred(struct cw_sqlite *s, struct cw_sqlite_job *first)
{
	struct cw_sqlite_job *next;

	for (struct cw_sqlite_job *job = first; job != NULL; job = next) {
		next = job->next;
		job->after(s, job->arg);
	}
}

/* Puts unstored new sessions back, before those that came meanwhile. */
static void
keep_deferred(struct cw_sqlite *s, struct cw_sqlite_job *first)
{
	struct cw_sqlite_job *later;

	pthread_mutex_lock(&s->mutex);
	later = queue_take_all(&s->deferred);
	for (struct cw_sqlite_job *next; first != NULL; first = next) {
		next = first->next;
		queue_put(&s->deferred, first);
	}
	for (struct cw_sqlite_job *next; later != NULL; later = next) {
		next = later->next;
		queue_put(&s->deferred, later);
	}
	pthread_mutex_unlock(&s->mutex);
}

/* One that fails must not take the others with it: after a failed group each
 * is tried alone. */
static void
run_group(struct cw_sqlite *s, struct cw_sqlite_job *deferred,
    struct cw_sqlite_job *durable)
{
	enum cw_err err = transaction(s, deferred, durable, false);

	if (err == CW_OK) {
		finish_deferred(s, deferred);
		finish(s, durable, false, err);
		atomic_store(&s->well, true);
		return;
	}
	if (deferred != NULL) {
		err = transaction(s, deferred, NULL, false);
		if (err == CW_OK)
			finish_deferred(s, deferred);
		else
			keep_deferred(s, deferred);
		atomic_store(&s->well, err == CW_OK);
		if (err != CW_OK) {
			finish(s, durable, false, err);
			return;
		}
	}
	for (struct cw_sqlite_job *next; durable != NULL; durable = next) {
		next = durable->next;
		err = transaction(s, NULL, durable, true);
		atomic_store(&s->well, err == CW_OK);
		finish(s, durable, true, err);
	}
}

/* A moment for others to come along, if some did lately: under load fewer and
 * larger groups cost each session less, alone nobody waits. All of the moment,
 * however many have come: a group must be able to grow. */
static void
gather(struct cw_sqlite *s)
{
	const struct timespec moment = { .tv_nsec = GATHER_US * 1000 };

	if (s->company == 0)
		return;
	pthread_mutex_unlock(&s->mutex);
	(void)nanosleep(&moment, NULL);
	pthread_mutex_lock(&s->mutex);
}

/* Leads one group. The mutex is held before and after. */
static void
lead(struct cw_sqlite *s)
{
	struct cw_sqlite_job *deferred;
	struct cw_sqlite_job *durable;

	s->leading = true;
	gather(s);
	if (s->durable.n > 1)
		s->company = COMPANY_GROUPS;
	else if (s->company > 0)
		s->company--;
	deferred = queue_take_all(&s->deferred);
	durable = queue_take_all(&s->durable);
	pthread_mutex_unlock(&s->mutex);
	run_group(s, deferred, durable);
	pthread_mutex_lock(&s->mutex);
	s->leading = false;
	/* The first that came meanwhile leads the next one. */
	if (s->durable.first != NULL)
		pthread_cond_signal(&s->durable.first->woken);
	else if (s->stop)
		pthread_cond_signal(&s->work);
}

/* True when new sessions have waited long enough, or it is time to end. */
static bool
wait_deferred(struct cw_sqlite *s)
{
	struct timespec until;
	long ms = atomic_load(&s->well) ? DEFER_MS : RETRY_MS;

	s->idle = true;
	while (!s->stop && s->deferred.first == NULL)
		pthread_cond_wait(&s->work, &s->mutex);
	s->idle = false;
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_nsec += ms % 1000 * 1000000;
	until.tv_sec += ms / 1000 + until.tv_nsec / 1000000000;
	until.tv_nsec %= 1000000000;
	while (!s->stop &&
	    pthread_cond_timedwait(&s->work, &s->mutex, &until) == 0)
		continue;
	while (s->stop && s->leading)
		pthread_cond_wait(&s->work, &s->mutex);
	return !s->leading;
}

static void *
writer_main(void *arg)
{
	struct cw_sqlite *s = arg;
	bool stop = false;

	pthread_mutex_lock(&s->mutex);
	while (!stop) {
		bool due = wait_deferred(s);

		stop = s->stop;
		if (due && s->deferred.first != NULL)
			lead(s);
	}
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}

void
cw_sqlite_writer_init(struct cw_sqlite *s)
{
	pthread_condattr_t monotonic;

	queue_init(&s->durable);
	queue_init(&s->deferred);
	pthread_mutex_init(&s->mutex, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&s->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
}

enum cw_err
cw_sqlite_writer_start(struct cw_sqlite *s)
{
	s->thread_runs = pthread_create(&s->thread, NULL, writer_main, s) == 0;
	return s->thread_runs ? CW_OK : CW_ERR_NO_MEMORY;
}

void
cw_sqlite_writer_stop(struct cw_sqlite *s)
{
	if (s->thread_runs) {
		pthread_mutex_lock(&s->mutex);
		s->stop = true;
		pthread_cond_signal(&s->work);
		pthread_mutex_unlock(&s->mutex);
		pthread_join(s->thread, NULL);
	}
	/* Those that could not be stored to the last. */
	finish_deferred(s, queue_take_all(&s->deferred));
	pthread_mutex_destroy(&s->mutex);
	pthread_cond_destroy(&s->work);
}

enum cw_err
cw_sqlite_write(struct cw_sqlite *s,
    enum cw_err (*apply)(struct cw_sqlite *, struct cw_sqlite_conn *, void *),
    void (*after)(struct cw_sqlite *, void *), void *arg)
{
	struct cw_sqlite_job job = { .apply = apply,
		.after = after,
		.arg = arg };

	pthread_cond_init(&job.woken, NULL);
	pthread_mutex_lock(&s->mutex);
	queue_put(&s->durable, &job);
	while (!job.done)
		if (s->leading)
			pthread_cond_wait(&job.woken, &s->mutex);
		else
			lead(s);
	pthread_mutex_unlock(&s->mutex);
	pthread_cond_destroy(&job.woken);
	return job.err;
}

enum cw_err
cw_sqlite_defer(struct cw_sqlite *s, struct cw_sqlite_job *job)
{
	enum cw_err err = CW_OK;

	pthread_mutex_lock(&s->mutex);
	if (s->deferred.n >= DEFERRED_MAX)
		err = CW_ERR_STORE_FAILED;
	else
		queue_put(&s->deferred, job);
	if (err == CW_OK && s->idle)
		pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->mutex);
	return err;
}
