/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions and their steps in SQLite. */
#include <stdlib.h>
#include <time.h>

#include "server/store_sqlite.h"

static struct cw_sqlite *
self(struct cw_store *store)
{
	return (struct cw_sqlite *)store;
}

/* ---- rows ---- */

static struct cw_bytes
digests_of(const struct cw_session *session)
{
	return cw_bytes(session->digests[0],
	    session->n_digests * CW_HASH_BYTES);
}

/* A session's number: rising, and never given twice, also after a restart. */
static uint64_t
next_number(struct cw_sqlite *s)
{
	struct timespec now;
	uint64_t last = atomic_load(&s->last_number);
	uint64_t us;

	clock_gettime(CLOCK_REALTIME, &now);
	us = (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
	do
		us = us > last ? us : last + 1;
	while (!atomic_compare_exchange_weak(&s->last_number, &last, us));
	return us;
}

static enum cw_err
insert(struct cw_sqlite_conn *conn, const struct cw_session *session)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_ADD);

	cw_sql_int(st, 1, cw_sqlite_key(session->id));
	cw_sql_blob(st, 2, CW_BYTES_ARRAY(session->id));
	cw_sql_blob(st, 3, CW_BYTES_ARRAY(session->invitation));
	cw_sql_int(st, 4, session->stage);
	cw_sql_int(st, 5, session->error);
	cw_sql_int(st, 6, (int64_t)session->created_s);
	cw_sql_int(st, 7, (int64_t)session->expires_s);
	cw_sql_blob(st, 8, CW_BYTES_ARRAY(session->serial));
	cw_sql_blob(st, 9, digests_of(session));
	cw_sql_blob(st, 10, CW_BYTES_ARRAY(session->request_tag));
	cw_sql_blob(st, 11, cw_buf_bytes(&session->request));
	cw_sql_blob(st, 12, cw_buf_bytes(&session->grant));
	cw_sql_blob(st, 13, cw_buf_bytes(&session->verdict));
	cw_sql_blob(st, 14, cw_buf_bytes(&session->sealed));
	cw_sql_int(st, 15, (int64_t)session->row);
	return cw_sql_run(conn, st);
}

enum cw_err
cw_sqlite_read_session(sqlite3_stmt *st, struct cw_session *out)
{
	struct cw_bytes digests = cw_sql_column(st, 7);
	uint64_t stage = cw_sql_column_uint(st, 2);
	uint64_t error = cw_sql_column_uint(st, 3);

	if (!cw_sql_column_into(st, 0, out->id, sizeof(out->id)) ||
	    !cw_sql_column_into(st, 1, out->invitation,
		sizeof(out->invitation)) ||
	    !cw_sql_column_into(st, 6, out->serial, sizeof(out->serial)) ||
	    !cw_sql_column_into(st, 8, out->request_tag,
		sizeof(out->request_tag)) ||
	    digests.len > sizeof(out->digests) ||
	    digests.len % CW_HASH_BYTES != 0)
		return CW_ERR_STORE_CORRUPT;
	out->stage = (enum cw_stage)stage;
	out->error = (enum cw_err)error;
	out->created_s = cw_sql_column_uint(st, 4);
	out->expires_s = cw_sql_column_uint(st, 5);
	out->n_digests = digests.len / CW_HASH_BYTES;
	if (digests.len > 0)
		memcpy(out->digests, digests.ptr, digests.len);
	cw_sql_column_buf(st, 9, &out->request);
	cw_sql_column_buf(st, 10, &out->grant);
	cw_sql_column_buf(st, 11, &out->verdict);
	cw_sql_column_buf(st, 12, &out->sealed);
	out->row = cw_sql_column_uint(st, 13);
	return out->request.err != CW_OK || out->grant.err != CW_OK ||
		out->verdict.err != CW_OK || out->sealed.err != CW_OK ?
	    CW_ERR_STORE_CORRUPT :
	    CW_OK;
}

static enum cw_err
read_step(struct cw_sqlite_conn *conn, const uint8_t *id, unsigned number,
    struct cw_buf *message, struct cw_buf *answer, struct cw_buf *kept)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_STEP_LOAD);
	enum cw_err err;

	cw_sql_int(st, 1, cw_sqlite_key(id));
	cw_sql_int(st, 2, number);
	err = cw_sql_row(conn, st);
	if (err == CW_OK) {
		cw_sql_column_buf(st, 0, message);
		cw_sql_column_buf(st, 1, answer);
		cw_sql_column_buf(st, 2, kept);
		sqlite3_reset(st);
	}
	return err == CW_ERR_NOT_FOUND ? CW_ERR_NO_SESSION : err;
}

static enum cw_err
read_session(struct cw_sqlite_conn *conn, const uint8_t *id,
    struct cw_session *out)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_LOAD);
	enum cw_err err;

	cw_sql_int(st, 1, cw_sqlite_key(id));
	err = cw_sql_row(conn, st);
	if (err == CW_ERR_NOT_FOUND)
		return CW_ERR_NO_SESSION;
	if (err != CW_OK)
		return err;
	err = cw_sqlite_read_session(st, out);
	sqlite3_reset(st);
	if (err == CW_OK && memcmp(out->id, id, sizeof(out->id)) != 0)
		return CW_ERR_NO_SESSION;
	if (err == CW_OK && out->n_digests > 0)
		err = read_step(conn, id, (unsigned)out->n_digests, NULL,
		    &out->batch, NULL);
	return err;
}

/* ---- operations ---- */

static enum cw_err
session_load(struct cw_store *store, const uint8_t *id, struct cw_session *out)
{
	struct cw_sqlite *s = self(store);
	struct cw_sqlite_conn *conn;
	uint64_t stamp;
	enum cw_err err;

	if (cw_store_cache_get(s->cache, id, out, &stamp))
		return CW_OK;
	conn = cw_sqlite_reader(s);
	err = read_session(conn, id, out);
	cw_sqlite_reader_done(s, conn);
	if (err == CW_OK)
		cw_store_cache_fill(s->cache, out, stamp);
	return err;
}

static enum cw_err
apply_add(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	const struct cw_sqlite_job *job = arg;
	struct cw_session session;
	enum cw_err err = CW_OK;

	cw_session_init(&session);
	/* It cannot have left the cache, unless memory is gone. */
	if (cw_store_cache_get(s->cache, (const uint8_t *)(job + 1), &session,
		NULL))
		err = insert(conn, &session);
	cw_session_wipe(&session);
	return err;
}

static void
after_add(struct cw_sqlite *s, void *arg)
{
	struct cw_sqlite_job *job = arg;

	cw_store_cache_saved(s->cache, (const uint8_t *)(job + 1));
	free(job);
}

static enum cw_err
apply_add_now(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	enum cw_err err = insert(conn, arg);

	(void)s;
	return err == CW_OK && sqlite3_changes(conn->db) == 0 ? CW_ERR_EXISTS :
								err;
}

/* The job and, behind it, the id of the session that waits in the cache. */
static enum cw_err
defer_add(struct cw_sqlite *s, const struct cw_session *session)
{
	struct cw_sqlite_job *job =
	    calloc(1, sizeof(*job) + sizeof(session->id));
	enum cw_err err;

	if (job == NULL)
		return CW_ERR_NO_MEMORY;
	job->apply = apply_add;
	job->after = after_add;
	job->arg = job;
	memcpy(job + 1, session->id, sizeof(session->id));
	err = cw_sqlite_defer(s, job);
	if (err != CW_OK)
		free(job);
	return err;
}

static enum cw_err
session_add(struct cw_store *store, struct cw_session *session)
{
	struct cw_sqlite *s = self(store);
	enum cw_err err;

	session->row = next_number(s);
	/* While writes fail, say so at once rather than in step 4. */
	if (!atomic_load(&s->well))
		return cw_sqlite_write(s, apply_add_now, NULL, session);
	err = cw_store_cache_put(s->cache, session, true);
	if (err == CW_OK && (err = defer_add(s, session)) != CW_OK)
		cw_store_cache_drop(s->cache, session->id);
	return err;
}

struct step_args {
	const struct cw_session *after;
	enum cw_stage before;
	size_t n_before;
	const struct cw_step *step;
	const struct cw_certificate *certificate;
	uint64_t steps; /* stored by then */
};

static enum cw_err
put_certificate(struct cw_sqlite_conn *conn, uint64_t row,
    const struct cw_certificate *c)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_CERTIFICATE_STEP);

	cw_sql_int(st, 1, (int64_t)row);
	cw_sql_blob(st, 2, CW_BYTES_ARRAY(c->serial));
	cw_sql_blob(st, 3, CW_BYTES_ARRAY(c->session));
	cw_sql_int(st, 4, cw_sqlite_key(c->invitation));
	cw_sql_int(st, 5, c->status);
	cw_sql_int(st, 6, c->wanted);
	cw_sql_int(st, 7, (int64_t)c->changed_s);
	cw_sql_text(st, 8, c->subject);
	cw_sql_text(st, 9, c->profile);
	cw_sql_blob(st, 10, c->der);
	cw_sql_int(st, 11, cw_sqlite_key(c->serial));
	return cw_sql_run(conn, st);
}

static enum cw_err
put_step(struct cw_sqlite_conn *conn, uint64_t row, const struct cw_step *step)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_STEP_ADD);

	cw_sql_int(st, 1, (int64_t)row);
	cw_sql_int(st, 2, step->number);
	cw_sql_blob(st, 3, step->message);
	cw_sql_blob(st, 4, step->answer);
	cw_sql_blob(st, 5, step->kept);
	return cw_sql_run(conn, st);
}

static enum cw_err
put_retired(struct cw_sqlite_conn *conn, const struct cw_step *step)
{
	enum cw_err err = CW_OK;

	for (size_t i = 0; err == CW_OK && i < step->n_retired; i++) {
		const struct cw_retired *r = &step->retired[i];
		sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_CERTIFICATE_RETIRE);

		cw_sql_int(st, 1, cw_sqlite_key(r->serial));
		cw_sql_blob(st, 2, CW_BYTES_ARRAY(r->serial));
		cw_sql_int(st, 3, r->reason);
		cw_sql_int(st, 4, (int64_t)step->now_s);
		err = cw_sql_run(conn, st);
	}
	return err;
}

static enum cw_err
count_step(struct cw_sqlite_conn *conn, uint64_t *steps)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_STEP_COUNT);
	enum cw_err err = cw_sql_row(conn, st);

	*steps = err == CW_OK ? cw_sql_column_uint(st, 0) : 0;
	sqlite3_reset(st);
	return err == CW_ERR_NOT_FOUND ? CW_ERR_STORE_FAILED : err;
}

/* The session's row decides the race: who does not find it as it was has
 * changed nothing. That (session, number) is the step's row id is the second lock. */
static enum cw_err
apply_step(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	struct step_args *a = arg;
	const struct cw_session *after = a->after;
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_STEP);
	enum cw_err err;

	(void)s;
	cw_sql_int(st, 1, (int64_t)after->row);
	cw_sql_blob(st, 2, CW_BYTES_ARRAY(after->id));
	cw_sql_int(st, 3, after->stage);
	cw_sql_int(st, 4, after->error);
	cw_sql_blob(st, 5, CW_BYTES_ARRAY(after->serial));
	cw_sql_blob(st, 6, digests_of(after));
	cw_sql_blob(st, 7, cw_buf_bytes(&after->verdict));
	cw_sql_blob(st, 8, cw_buf_bytes(&after->sealed));
	cw_sql_int(st, 9, a->before);
	cw_sql_int(st, 10, (int64_t)(a->n_before * CW_HASH_BYTES));
	cw_sql_int(st, 11, (int64_t)after->expires_s);
	err = cw_sql_run(conn, st);
	if (err == CW_OK && sqlite3_changes(conn->db) == 0)
		return CW_ERR_EXISTS;
	if (err == CW_OK && a->step != NULL)
		err = put_step(conn, after->row, a->step);
	if (err == CW_OK && a->step != NULL)
		err = put_retired(conn, a->step);
	if (err == CW_OK && a->certificate != NULL)
		err = put_certificate(conn, after->row, a->certificate);
	return err == CW_OK ? count_step(conn, &a->steps) : err;
}

static void
after_step(struct cw_sqlite *s, void *arg)
{
	const struct step_args *a = arg;

	atomic_store(&s->steps, a->steps); /* in the order of commits */
	if (cw_store_cache_put(s->cache, a->after, false) != CW_OK)
		cw_store_cache_drop(s->cache, a->after->id);
}

static enum cw_err
session_step(struct cw_store *store, const struct cw_session *after,
    enum cw_stage before, size_t n_before, const struct cw_step *step,
    const struct cw_certificate *certificate)
{
	struct cw_sqlite *s = self(store);
	struct step_args args = { after, before, n_before, step, certificate,
		0 };
	enum cw_err err = cw_sqlite_write(s, apply_step, after_step, &args);

	if (err == CW_ERR_EXISTS)
		cw_store_cache_drop(s->cache, after->id);
	return err;
}

static enum cw_err
step_load(struct cw_store *store, const uint8_t *id, unsigned number,
    struct cw_buf *message, struct cw_buf *answer, struct cw_buf *kept)
{
	struct cw_sqlite *s = self(store);
	struct cw_sqlite_conn *conn = cw_sqlite_reader(s);
	enum cw_err err = read_step(conn, id, number, message, answer, kept);

	cw_sqlite_reader_done(s, conn);
	return err;
}

void
cw_sqlite_session_ops(struct cw_store *store)
{
	store->session_add = session_add;
	store->session_load = session_load;
	store->session_step = session_step;
	store->step_load = step_load;
}
