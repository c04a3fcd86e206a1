/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One group at a time: new sessions and steps in a frame of the journal, then
 * everything else in a transaction, which applies the journal first.
 *
 * After a write that failed, of either kind, nothing is known of what the disk
 * has: nothing more goes to the journal before a transaction has applied it up
 * to its last good frame and begun it anew.
 */
#include "server/store_sqlite.h"

#include <stdlib.h>

/* ---- transactions ---- */

/* The journal begins anew, where the database now says. */
static void
applied(struct cw_sqlite *s, const struct cw_journal_place *next)
{
	cw_journal_begin(s->journal, next);
	s->is_begun = true;
	s->beginning = *next;
	cw_buf_reset(&s->unapplied);
	cw_store_cache_applied(s->cache);
	if (s->must_apply) /* another process may have applied what failed */
		cw_store_cache_clear(s->cache);
	s->must_apply = cw_journal_room(s->journal) == 0;
	atomic_store(&s->has_unapplied, false);
}

/* What is in the journal, and then a list; `only` limits it to its first. */
static enum cw_err
transaction(struct cw_sqlite *s, struct cw_sqlite_job *writes, bool only)
{
	struct cw_sqlite_conn *conn = &s->writer;
	enum cw_err err = cw_sql_run(conn, cw_sql_get(conn, CW_SQL_BEGIN));
	int changes = sqlite3_total_changes(conn->db);
	struct cw_journal_place next;
	bool is_next = false;

	if (err == CW_OK)
		err = cw_sqlite_apply(s, conn, &next, &is_next);
	for (struct cw_sqlite_job *job = writes; job != NULL && err == CW_OK;
	     job = job->next) {
		job->err = job->apply(s, conn, job->arg);
		if (job->err == CW_ERR_STORE_FAILED)
			err = job->err;
		if (only)
			break;
	}
	if (err == CW_OK)
		err = cw_sql_run(conn, cw_sql_get(conn, CW_SQL_COMMIT));
	if (err == CW_OK)
		atomic_fetch_add(&s->commits,
		    sqlite3_total_changes(conn->db) != changes);
	else if (!sqlite3_get_autocommit(conn->db) &&
	    cw_sql_run(conn, cw_sql_get(conn, CW_SQL_ROLLBACK)) != CW_OK)
		cw_log(CW_LOG_ERROR, "store.rollback", "path=%s", s->path);
	if (err == CW_OK && is_next)
		applied(s, &next);
	s->must_apply = s->is_owner && (s->must_apply || err != CW_OK);
	atomic_store(&s->well, err == CW_OK && !s->must_apply);
	return err;
}

/* Whatever `after` does (the cache, for one) it does in the order of commits
 * and before anybody who waits goes on. */
static void
finish(struct cw_sqlite *s, struct cw_sqlite_job *first,
    const struct cw_sqlite_job *end, enum cw_err err)
{
	struct cw_sqlite_job *next;

	for (struct cw_sqlite_job *job = first; job != end; job = job->next)
		if (err != CW_OK)
			job->err = CW_ERR_STORE_FAILED;
		else if (job->err == CW_OK && job->after != NULL)
			job->after(s, job->arg);
	for (; first != end; first = next) {
		next = first->next;
		sem_post(&first->woken); /* from here on it may be gone */
	}
}

/* One that fails must not take the others with it: after a failed group each
 * is tried alone. */
static void
run_writes(struct cw_sqlite *s, struct cw_sqlite_job *first)
{
	enum cw_err err;

	if (first == NULL)
		return;
	err = transaction(s, first, false);
	if (err == CW_OK) {
		finish(s, first, NULL, err);
		return;
	}
	for (struct cw_sqlite_job *next; first != NULL; first = next) {
		next = first->next;
		err = transaction(s, first, true);
		finish(s, first, next, err);
	}
}

/* ---- the journal ---- */

/* Whether a step of the same session is in the frame already. */
static bool
is_second(const struct cw_sqlite_job *first, const struct cw_sqlite_job *job)
{
	for (; first != job; first = first->next)
		if (first->kind == CW_SQLITE_STEP && first->err == CW_OK &&
		    memcmp(first->id, job->id, sizeof(job->id)) == 0)
			return true;
	return false;
}

/* From `first` on into the frame: those that fit. The first that does not is
 * returned. */
static struct cw_sqlite_job *
fill(struct cw_sqlite *s, struct cw_sqlite_job *first)
{
	size_t room = cw_journal_room(s->journal);
	struct cw_sqlite_job *job;

	cw_buf_reset(&s->frame);
	for (job = first; job != NULL; job = job->next) {
		size_t before = s->frame.len;

		job->err =
		    job->kind == CW_SQLITE_STEP && is_second(first, job) ?
		    CW_ERR_EXISTS :
		    job->record(s, job, &s->frame);
		if (s->frame.err != CW_OK)
			return job;
		if (s->frame.len > room) {
			cw_buf_truncate(&s->frame, before);
			return job;
		}
		if (job->err == CW_OK && job->kind == CW_SQLITE_ADD)
			cw_store_cache_journaled(s->cache, job->id);
	}
	return NULL;
}

/* New sessions that are not written down wait on, before those that came
 * meanwhile; the others' jobs are done with. */
static void
finish_adds(struct cw_sqlite *s, struct cw_sqlite_job **first,
    const struct cw_sqlite_job *end, enum cw_err err)
{
	struct cw_sqlite_queue kept;
	struct cw_sqlite_job *job;

	cw_sqlite_queue_init(&kept);
	while ((job = *first) != end && job->kind == CW_SQLITE_ADD) {
		*first = job->next;
		if (err == CW_OK) {
			free(job);
			continue;
		}
		cw_store_cache_renew(s->cache, job->id);
		cw_sqlite_queue_put(&kept, job);
	}
	if (kept.first == NULL)
		return;
	pthread_mutex_lock(&s->mutex);
	cw_sqlite_queue_move_all(&kept, &s->deferred);
	cw_sqlite_queue_move_all(&s->deferred, &kept);
	pthread_mutex_unlock(&s->mutex);
}

/* Before anybody is told: the mark is then written once for all of them. */
static void
count_steps(struct cw_sqlite *s, const struct cw_sqlite_job *first,
    const struct cw_sqlite_job *end)
{
	uint64_t n = 0;

	for (; first != end; first = first->next)
		n += first->kind == CW_SQLITE_STEP && first->err == CW_OK;
	atomic_fetch_add(&s->steps_stored, n);
}

static enum cw_err
write_frame(struct cw_sqlite *s)
{
	enum cw_err err;

	if (s->frame.err != CW_OK)
		return CW_ERR_STORE_FAILED;
	if (s->frame.len == 0)
		return CW_OK;
	atomic_store(&s->has_unapplied, true);
	err = cw_journal_append(s->journal, cw_buf_bytes(&s->frame));
	if (err == CW_OK) {
		cw_buf_put(&s->unapplied, cw_buf_bytes(&s->frame));
		atomic_fetch_add(&s->commits, 1);
	}
	s->must_apply = err != CW_OK;
	atomic_store(&s->well, err == CW_OK);
	return err;
}

/* Room for whatever comes, and nothing that is unsure. */
static enum cw_err
make_room(struct cw_sqlite *s)
{
	enum cw_err err = transaction(s, NULL, false);

	return err == CW_OK && s->must_apply ? CW_ERR_STORE_FAILED : err;
}

/* New sessions first, then steps. A record that does not fit in what is left
 * waits for a transaction, after which there is room for any. */
static void
run_journal(struct cw_sqlite *s, struct cw_sqlite_job *first)
{
	bool is_full = false;

	while (first != NULL) {
		struct cw_sqlite_job *end = NULL;
		enum cw_err err =
		    s->must_apply || is_full ? make_room(s) : CW_OK;

		if (err == CW_OK) {
			end = fill(s, first);
			err = is_full && end == first ? CW_ERR_STORE_FAILED :
							write_frame(s);
		}
		if (err == CW_OK)
			count_steps(s, first, end);
		else
			end = NULL;
		finish_adds(s, &first, end, err);
		finish(s, first, end, err);
		is_full = end != NULL;
		first = end;
	}
}

enum cw_err
cw_sqlite_begin(struct cw_sqlite *s)
{
	s->must_apply = s->is_owner;
	return transaction(s, NULL, false);
}

void
cw_sqlite_run(struct cw_sqlite *s, struct cw_sqlite_job *journal,
    struct cw_sqlite_job *writes)
{
	run_journal(s, journal);
	run_writes(s, writes);
}
