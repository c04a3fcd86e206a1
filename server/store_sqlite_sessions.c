/* SPDX-License-Identifier: Apache-2.0 */
/* Many sessions at once in SQLite: those that run out, and listings. */
#include "server/store_sqlite.h"

static struct cw_sqlite *
self(struct cw_store *store)
{
	return (struct cw_sqlite *)store;
}

enum cw_err
cw_sqlite_fill_filter(struct cw_sqlite *s)
{
	struct cw_sqlite_conn *conn = cw_sqlite_reader(s);
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_KEYS);
	enum cw_err err;

	while ((err = cw_sql_row(conn, st)) == CW_OK)
		cw_store_filter_put(s->filter,
		    (uint64_t)sqlite3_column_int64(st, 0));
	cw_sqlite_reader_done(s, conn);
	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
}

struct expire_args {
	int64_t until_s, now_s;
	unsigned n;
};

static enum cw_err
run_until(struct cw_sqlite_conn *conn, enum cw_sql sql,
    const struct expire_args *a)
{
	sqlite3_stmt *st = cw_sql_get(conn, sql);

	cw_sql_int(st, 1, a->until_s);
	return cw_sql_run(conn, st);
}

/* Serials that were reserved get rows: whether the signer has signed for them is
 * for the sweeper to find out. */
static enum cw_err
expire_reserved(struct cw_sqlite_conn *conn, const struct expire_args *a)
{
	sqlite3_stmt *list = cw_sql_get(conn, CW_SQL_EXPIRE_LIST);
	uint8_t serial[CW_SERIAL_BYTES];
	enum cw_err err;

	cw_sql_int(list, 1, a->until_s);
	while ((err = cw_sql_row(conn, list)) == CW_OK) {
		sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_EXPIRE_RESERVED);

		if (!cw_sql_column_into(list, 1, serial, sizeof(serial)))
			err = CW_ERR_STORE_FAILED;
		cw_sql_int(st, 1, a->now_s);
		cw_sql_int(st, 2, cw_sqlite_key(serial));
		cw_sql_int(st, 3, (int64_t)cw_sql_column_uint(list, 0));
		if (err == CW_OK)
			err = cw_sql_run(conn, st);
		if (err != CW_OK)
			break;
	}
	sqlite3_reset(list);
	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
}

static enum cw_err
expire_pending(struct cw_sqlite_conn *conn, const struct expire_args *a)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_EXPIRE_PENDING);

	cw_sql_int(st, 1, a->until_s);
	cw_sql_int(st, 2, a->now_s);
	return cw_sql_run(conn, st);
}

static enum cw_err
apply_expire(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	struct expire_args *a = arg;
	enum cw_err err = expire_reserved(conn, a);

	(void)s;
	if (err == CW_OK)
		err = expire_pending(conn, a);
	if (err == CW_OK)
		err = run_until(conn, CW_SQL_SESSION_EXPIRE, a);
	a->n = err == CW_OK ? (unsigned)sqlite3_changes(conn->db) : 0;
	return err;
}

static void
after_expire(struct cw_sqlite *s, void *arg)
{
	const struct expire_args *a = arg;

	if (a->n > 0)
		cw_store_cache_clear(s->cache);
}

static int64_t
column_time(uint64_t time_s)
{
	return time_s > INT64_MAX ? INT64_MAX : (int64_t)time_s;
}

static enum cw_err
session_expire(struct cw_store *store, uint64_t until_s, uint64_t now_s,
    unsigned *n)
{
	struct expire_args args = { column_time(until_s), column_time(now_s),
		0 };
	enum cw_err err =
	    cw_sqlite_write(self(store), apply_expire, after_expire, &args);

	*n = args.n;
	return err;
}

static enum cw_err
apply_forget(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	enum cw_err err = run_until(conn, CW_SQL_FORGET_STEPS, arg);

	(void)s;
	if (err == CW_OK)
		err = run_until(conn, CW_SQL_SESSION_FORGET, arg);
	return err != CW_OK ? err :
			      run_until(conn, CW_SQL_FORGET_APPROVALS, arg);
}

static enum cw_err
session_forget(struct cw_store *store, uint64_t before_s)
{
	struct expire_args args = { column_time(before_s), 0, 1 };

	return cw_sqlite_write(self(store), apply_forget, after_expire, &args);
}

static enum cw_err
session_count_open(struct cw_store *store, uint64_t *n)
{
	struct cw_sqlite *s = self(store);
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(s);
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_COUNT_OPEN);
	enum cw_err err = cw_sql_row(conn, st);

	*n = err == CW_OK ? cw_sql_column_uint(st, 0) : 0;
	sqlite3_reset(st);
	cw_sqlite_reader_done(s, conn);
	return err;
}

static enum cw_err
count_of(struct cw_store *store, enum cw_sql sql, const uint8_t *code_hash,
    uint64_t *n)
{
	struct cw_sqlite *s = self(store);
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(s);
	sqlite3_stmt *st = cw_sql_get(conn, sql);
	enum cw_err err;

	cw_sql_blob(st, 1, cw_bytes(code_hash, CW_HASH_BYTES));
	err = cw_sql_row(conn, st);
	*n = err == CW_OK ? cw_sql_column_uint(st, 0) : 0;
	sqlite3_reset(st);
	cw_sqlite_reader_done(s, conn);
	return err;
}

static enum cw_err
session_count_waiting(struct cw_store *store, const uint8_t *code_hash,
    uint64_t *n)
{
	return count_of(store, CW_SQL_SESSION_COUNT_WAITING, code_hash, n);
}

static enum cw_err
session_count_closing(struct cw_store *store, const uint8_t *code_hash,
    uint64_t *n)
{
	return count_of(store, CW_SQL_SESSION_COUNT_CLOSING, code_hash, n);
}

static enum cw_err
session_managed(struct cw_store *store, const uint8_t *code_hash,
    struct cw_session *out)
{
	struct cw_sqlite *s = self(store);
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(s);
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_MANAGED);
	uint8_t id[CW_SESSION_ID_BYTES];
	enum cw_err err;

	cw_sql_blob(st, 2, cw_bytes(code_hash, CW_HASH_BYTES));
	err = cw_sql_row(conn, st);
	if (err == CW_OK && !cw_sql_column_into(st, 0, id, sizeof(id)))
		err = CW_ERR_STORE_CORRUPT;
	sqlite3_reset(st);
	cw_sqlite_reader_done(s, conn);
	if (err == CW_OK)
		err = store->session_load(store, id, out);
	return err == CW_ERR_NOT_FOUND ? CW_ERR_NO_SESSION : err;
}

static enum cw_err
session_reserved(struct cw_store *store, const uint8_t *serial, bool *found)
{
	struct cw_sqlite *s = self(store);
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(s);
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_SERIALS);
	uint8_t row[CW_SERIAL_BYTES];
	enum cw_err err = CW_OK;

	*found = false;
	while (!*found && (err = cw_sql_row(conn, st)) == CW_OK)
		*found = cw_sql_column_into(st, 0, row, sizeof(row)) &&
		    memcmp(row, serial, sizeof(row)) == 0;
	sqlite3_reset(st);
	cw_sqlite_reader_done(s, conn);
	return *found || err == CW_ERR_NOT_FOUND ? CW_OK : err;
}

static enum cw_err
session_each(struct cw_store *store,
    bool (*each)(void *ctx, const struct cw_session *row), void *ctx)
{
	struct cw_sqlite *s = self(store);
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(s);
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_EACH);
	struct cw_session row;
	enum cw_err err;

	cw_session_init(&row);
	while ((err = cw_sql_row(conn, st)) == CW_OK)
		if ((err = cw_sqlite_read_session(st, &row)) != CW_OK ||
		    !each(ctx, &row))
			break;
	sqlite3_reset(st);
	cw_session_wipe(&row);
	cw_sqlite_reader_done(s, conn);
	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
}

void
cw_sqlite_sessions_ops(struct cw_store *store)
{
	store->session_expire = session_expire;
	store->session_forget = session_forget;
	store->session_count_open = session_count_open;
	store->session_count_waiting = session_count_waiting;
	store->session_count_closing = session_count_closing;
	store->session_managed = session_managed;
	store->session_reserved = session_reserved;
	store->session_each = session_each;
}
