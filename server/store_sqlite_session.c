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

/* ---- reading ---- */

static enum cw_err
load_now(struct cw_sqlite *s, struct cw_sqlite_conn *conn, const uint8_t *id,
    struct cw_session *out)
{
	enum cw_err err =
	    conn == NULL ? CW_ERR_STORE_FAILED : read_session(conn, id, out);

	cw_sqlite_reader_done(s, conn);
	return err;
}

/* What is not in the cache is not in the journal either, and nobody else adds
 * sessions: what is not in the filter is nowhere. */
static enum cw_err
session_load(struct cw_store *store, const uint8_t *id, struct cw_session *out)
{
	struct cw_sqlite *s = self(store);
	uint64_t stamp;
	enum cw_err err;

	if (!s->is_owner)
		return load_now(s, cw_sqlite_settled_reader(s), id, out);
	if (cw_store_cache_get(s->cache, id, out, &stamp))
		return CW_OK;
	if (!cw_store_filter_may_have(s->filter, (uint64_t)cw_sqlite_key(id)))
		return CW_ERR_NO_SESSION;
	err = load_now(s, cw_sqlite_reader(s), id, out);
	if (err == CW_OK)
		cw_store_cache_fill(s->cache, out, stamp);
	return err;
}

static enum cw_err
step_load(struct cw_store *store, const uint8_t *id, unsigned number,
    struct cw_buf *message, struct cw_buf *answer, struct cw_buf *kept)
{
	struct cw_sqlite *s = self(store);
	struct cw_store_cache_state state = { .is_applied = s->is_owner };
	struct cw_sqlite_conn *conn;
	enum cw_err err;

	(void)cw_store_cache_state(s->cache, id, &state);
	conn = state.is_applied ? cw_sqlite_reader(s) :
				  cw_sqlite_settled_reader(s);
	err = conn == NULL ? CW_ERR_STORE_FAILED :
			     read_step(conn, id, number, message, answer, kept);
	cw_sqlite_reader_done(s, conn);
	return err;
}

/* ---- new sessions ---- */

/* Its record, from the cache, which it cannot have left. */
static enum cw_err
record_add(struct cw_sqlite *s, struct cw_sqlite_job *job, struct cw_buf *frame)
{
	struct cw_store_record record;
	struct cw_session session;
	enum cw_err err = CW_OK;

	cw_session_init(&session);
	if (cw_store_cache_get(s->cache, job->id, &session, NULL)) {
		cw_store_record_add(&record, &session);
		cw_store_record_encode(&record, frame);
	} else {
		err = CW_ERR_STORE_FAILED;
	}
	cw_session_wipe(&session);
	return err;
}

static enum cw_err
defer_add(struct cw_sqlite *s, const struct cw_session *session)
{
	struct cw_sqlite_job *job = calloc(1, sizeof(*job));
	enum cw_err err;

	if (job == NULL)
		return CW_ERR_NO_MEMORY;
	job->kind = CW_SQLITE_ADD;
	memcpy(job->id, session->id, sizeof(job->id));
	job->record = record_add;
	err = cw_sqlite_defer(s, job);
	if (err != CW_OK)
		free(job);
	return err;
}

static enum cw_err
session_add(struct cw_store *store, struct cw_session *session)
{
	struct cw_sqlite *s = self(store);
	enum cw_err err = CW_OK;

	session->row = next_number(s);
	if (!s->is_owner)
		return CW_ERR_STORE_FAILED;
	/* While writes fail, say so at once rather than in step 4. */
	if (!atomic_load(&s->well))
		err = cw_sqlite_try(s);
	if (err == CW_OK && !atomic_load(&s->well))
		err = CW_ERR_STORE_FAILED;
	if (err != CW_OK)
		return err;
	cw_store_filter_put(s->filter, (uint64_t)cw_sqlite_key(session->id));
	err = cw_store_cache_add(s->cache, session);
	if (err == CW_OK && (err = defer_add(s, session)) != CW_OK)
		cw_store_cache_drop_new(s->cache, session->id);
	return err;
}

/* ---- steps ---- */

struct step_args {
	const struct cw_session *after;
	enum cw_stage before;
	size_t n_before;
	const struct cw_step *step;
	const struct cw_certificate *certificate;
	struct cw_store_cache_entry *entry; /* a copy of `after` */
};

/* As it is stored, by the writer's connection. */
static enum cw_err
read_state(struct cw_sqlite_conn *conn, const uint8_t *id,
    struct cw_store_cache_state *out)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_STATE);
	uint8_t row_id[CW_SESSION_ID_BYTES];
	uint64_t stage;
	enum cw_err err;

	cw_sql_int(st, 1, cw_sqlite_key(id));
	err = cw_sql_row(conn, st);
	if (err != CW_OK)
		return err;
	out->row = cw_sql_column_uint(st, 0);
	stage = cw_sql_column_uint(st, 1);
	out->stage = (enum cw_stage)stage;
	out->n_digests = cw_sql_column_uint(st, 2) / CW_HASH_BYTES;
	out->is_new = false;
	if (!cw_sql_column_into(st, 3, row_id, sizeof(row_id)) ||
	    memcmp(row_id, id, sizeof(row_id)) != 0)
		err = CW_ERR_NOT_FOUND;
	sqlite3_reset(st);
	return err;
}

/* The session as it is now decides the race: there is one leader at a time, and
 * a step before this one is in the cache, or in the same frame. */
static enum cw_err
record_step(struct cw_sqlite *s, struct cw_sqlite_job *job,
    struct cw_buf *frame)
{
	const struct step_args *a = job->arg;
	struct cw_store_cache_state state;
	struct cw_store_record record;
	enum cw_err err = CW_OK;

	if (!cw_store_cache_state(s->cache, job->id, &state))
		err = read_state(&s->writer, job->id, &state);
	if (err == CW_ERR_NOT_FOUND ||
	    (err == CW_OK &&
		(state.row != a->after->row || state.stage != a->before ||
		    state.n_digests != a->n_before)))
		return CW_ERR_EXISTS;
	if (err != CW_OK || state.is_new)
		return CW_ERR_STORE_FAILED;
	cw_store_record_step(&record, a->after, a->step, a->certificate);
	cw_store_record_encode(&record, frame);
	return CW_OK;
}

static void
after_step(struct cw_sqlite *s, void *arg)
{
	struct step_args *a = arg;

	cw_store_cache_put(s->cache, a->entry);
	a->entry = NULL;
}

static enum cw_err
session_step(struct cw_store *store, const struct cw_session *after,
    enum cw_stage before, size_t n_before, const struct cw_step *step,
    const struct cw_certificate *certificate)
{
	struct cw_sqlite *s = self(store);
	struct step_args args = { after, before, n_before, step, certificate,
		cw_store_cache_entry_new(after) };
	struct cw_sqlite_job job = { .kind = CW_SQLITE_STEP,
		.record = record_step,
		.after = after_step,
		.arg = &args };
	enum cw_err err;

	if (args.entry == NULL)
		return CW_ERR_NO_MEMORY;
	memcpy(job.id, after->id, sizeof(job.id));
	err = s->is_owner ? cw_sqlite_submit(s, &job) : CW_ERR_STORE_FAILED;
	cw_store_cache_entry_free(args.entry);
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
