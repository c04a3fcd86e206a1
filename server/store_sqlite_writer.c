/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Group commit. Whoever has something to write and finds nobody writing leads:
 * it writes all that has queued up (store_sqlite_group.c), while what comes
 * meanwhile queues up for the next leader. Alone, no thread is switched to;
 * under load many sessions share one sync. A thread of its own only writes new
 * sessions that no leader has taken along for a while.
 */
#include "server/store_sqlite.h"

#include <stdlib.h>
#include <time.h>

#define DEFER_MS 100
#define RETRY_MS 1000
#define DEFERRED_MAX 20000
#define GATHER_US 3000
#define COMPANY_GROUPS 8
#define FRAME_MAX (2 * CW_JOURNAL_FRAME)

void
cw_sqlite_queue_init(struct cw_sqlite_queue *q)
{
	q->first = NULL;
	q->last = &q->first;
	q->n = 0;
}

void
cw_sqlite_queue_put(struct cw_sqlite_queue *q, struct cw_sqlite_job *job)
{
	job->next = NULL;
	*q->last = job;
	q->last = &job->next;
	q->n++;
}

struct cw_sqlite_job *
cw_sqlite_queue_take_all(struct cw_sqlite_queue *q)
{
	struct cw_sqlite_job *first = q->first;

	cw_sqlite_queue_init(q);
	return first;
}

void
cw_sqlite_queue_move_all(struct cw_sqlite_queue *to,
    struct cw_sqlite_queue *from)
{
	struct cw_sqlite_job *job = cw_sqlite_queue_take_all(from);

	for (struct cw_sqlite_job *next; job != NULL; job = next) {
		next = job->next;
		cw_sqlite_queue_put(to, job);
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

/* Leads one group, and gives the lead to the first that came meanwhile. The
 * mutex is held before and after. */
static void
lead(struct cw_sqlite *s)
{
	struct cw_sqlite_job *writes;
	struct cw_sqlite_job *next;
	struct cw_sqlite_queue journal;

	gather(s);
	if (s->steps.n + s->writes.n > 1)
		s->company = COMPANY_GROUPS;
	else if (s->company > 0)
		s->company--;
	cw_sqlite_queue_init(&journal);
	cw_sqlite_queue_move_all(&journal, &s->deferred);
	cw_sqlite_queue_move_all(&journal, &s->steps);
	writes = cw_sqlite_queue_take_all(&s->writes);
	pthread_mutex_unlock(&s->mutex);
	cw_sqlite_run(s, journal.first, writes);
	pthread_mutex_lock(&s->mutex);
	next = s->steps.first != NULL ? s->steps.first : s->writes.first;
	s->leading = next != NULL;
	if (next != NULL) {
		next->leads = true;
		sem_post(&next->woken);
	} else if (s->stop) {
		pthread_cond_signal(&s->work);
	}
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
		if (due && s->deferred.first != NULL) {
			s->leading = true;
			lead(s);
		}
	}
	pthread_mutex_unlock(&s->mutex);
	return NULL;
}

void
cw_sqlite_writer_init(struct cw_sqlite *s)
{
	pthread_condattr_t monotonic;

	cw_sqlite_queue_init(&s->steps);
	cw_sqlite_queue_init(&s->writes);
	cw_buf_init(&s->frame, FRAME_MAX);
	cw_buf_init(&s->unapplied, CW_JOURNAL_BYTES);
	cw_sqlite_queue_init(&s->deferred);
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
	/* So that the database is all there is; if not, the journal is too. */
	if (s->is_begun && atomic_load(&s->has_unapplied) &&
	    cw_sqlite_begin(s) != CW_OK)
		cw_log(CW_LOG_WARN, "store.journal", "what=left path=%s",
		    s->journal_path);
	/* Those that could not be stored to the last. */
	for (struct cw_sqlite_job *next,
	     *job = cw_sqlite_queue_take_all(&s->deferred);
	     job != NULL; job = next) {
		next = job->next;
		free(job);
	}
	cw_buf_wipe(&s->frame);
	cw_buf_wipe(&s->unapplied);
	pthread_mutex_destroy(&s->mutex);
	pthread_cond_destroy(&s->work);
}

enum cw_err
cw_sqlite_submit(struct cw_sqlite *s, struct cw_sqlite_job *job)
{
	sem_init(&job->woken, 0, 0);
	pthread_mutex_lock(&s->mutex);
	cw_sqlite_queue_put(job->kind == CW_SQLITE_STEP ? &s->steps :
							  &s->writes,
	    job);
	job->leads = !s->leading;
	s->leading = true;
	if (!job->leads) {
		pthread_mutex_unlock(&s->mutex);
		while (sem_wait(&job->woken) != 0)
			continue; /* a signal came */
		if (job->leads)
			pthread_mutex_lock(&s->mutex);
	}
	if (job->leads) { /* its own is in the group */
		lead(s);
		pthread_mutex_unlock(&s->mutex);
	}
	sem_destroy(&job->woken);
	return job->err;
}

enum cw_err
cw_sqlite_write(struct cw_sqlite *s,
    enum cw_err (*apply)(struct cw_sqlite *, struct cw_sqlite_conn *, void *),
    void (*after)(struct cw_sqlite *, void *), void *arg)
{
	struct cw_sqlite_job job = { .kind = CW_SQLITE_WRITE,
		.apply = apply,
		.after = after,
		.arg = arg };

	return cw_sqlite_submit(s, &job);
}

static enum cw_err
apply_nothing(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	(void)s;
	(void)conn;
	(void)arg;
	return CW_OK;
}

enum cw_err
cw_sqlite_try(struct cw_sqlite *s)
{
	return cw_sqlite_write(s, apply_nothing, NULL, NULL);
}

enum cw_err
cw_sqlite_settle(struct cw_sqlite *s)
{
	return s->is_owner && !atomic_load(&s->has_unapplied) ?
	    CW_OK :
	    cw_sqlite_try(s);
}

enum cw_err
cw_sqlite_defer(struct cw_sqlite *s, struct cw_sqlite_job *job)
{
	enum cw_err err = CW_OK;

	pthread_mutex_lock(&s->mutex);
	if (s->deferred.n >= DEFERRED_MAX)
		err = CW_ERR_STORE_FAILED;
	else
		cw_sqlite_queue_put(&s->deferred, job);
	if (err == CW_OK && s->idle)
		pthread_cond_signal(&s->work);
	pthread_mutex_unlock(&s->mutex);
	return err;
}
