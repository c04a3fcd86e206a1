/* SPDX-License-Identifier: Apache-2.0 */
/* Prepared statements of the SQLite store, their bindings and columns. */
#include "server/store_sqlite.h"

static const char *const texts[] = {
#define CW_SQL(name, text) text,
#include "server/store_sqlite.def"
#undef CW_SQL
};

int64_t
cw_sqlite_key(const uint8_t *id)
{
	uint64_t key = 0;

	for (size_t i = 0; i < sizeof(key); i++)
		key = key << 8 | id[i];
	return (int64_t)key;
}

enum cw_err
cw_sql_failed(struct cw_sqlite_conn *conn, const char *what)
{
	return cw_log_fail(CW_ERR_STORE_FAILED, "store.failed",
	    "what=%s sqlite=%d text=\"%s\"", what,
	    conn->db == NULL ? 0 : sqlite3_extended_errcode(conn->db),
	    conn->db == NULL ? "not open" : sqlite3_errmsg(conn->db));
}

sqlite3_stmt *
cw_sql_get(struct cw_sqlite_conn *conn, enum cw_sql sql)
{
	sqlite3_stmt **st;

	if (conn == NULL)
		return NULL;
	st = &conn->statements[sql];
	if (*st == NULL &&
	    sqlite3_prepare_v3(conn->db, texts[sql], -1,
		SQLITE_PREPARE_PERSISTENT, st, NULL) != SQLITE_OK) {
		(void)cw_sql_failed(conn, "prepare");
		return NULL;
	}
	sqlite3_reset(*st);
	return *st;
}

void
cw_sql_blob(sqlite3_stmt *st, int i, struct cw_bytes v)
{
	static const uint8_t nothing[1];

	/* A NULL pointer would be stored as NULL, not as empty. */
	if (st != NULL)
		sqlite3_bind_blob(st, i, v.len == 0 ? nothing : v.ptr,
		    (int)v.len, SQLITE_STATIC);
}

void
cw_sql_text(sqlite3_stmt *st, int i, const char *v)
{
	if (st != NULL)
		sqlite3_bind_text(st, i, v, -1, SQLITE_STATIC);
}

void
cw_sql_int(sqlite3_stmt *st, int i, int64_t v)
{
	if (st != NULL)
		sqlite3_bind_int64(st, i, v);
}

enum cw_err
cw_sql_row(struct cw_sqlite_conn *conn, sqlite3_stmt *st)
{
	int rc = st == NULL ? SQLITE_ERROR : sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return CW_OK;
	if (rc == SQLITE_DONE) {
		sqlite3_reset(st);
		return CW_ERR_NOT_FOUND;
	}
	if (st != NULL) {
		(void)cw_sql_failed(conn, sqlite3_sql(st));
		sqlite3_reset(st);
	}
	return CW_ERR_STORE_FAILED;
}

enum cw_err
cw_sql_run(struct cw_sqlite_conn *conn, sqlite3_stmt *st)
{
	enum cw_err err = cw_sql_row(conn, st);

	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
}

struct cw_bytes
cw_sql_column(sqlite3_stmt *st, int i)
{
	const void *ptr = sqlite3_column_blob(st, i);

	return cw_bytes(ptr, (size_t)sqlite3_column_bytes(st, i));
}

uint64_t
cw_sql_column_uint(sqlite3_stmt *st, int i)
{
	int64_t v = sqlite3_column_int64(st, i);

	return v < 0 ? 0 : (uint64_t)v;
}

bool
cw_sql_column_into(sqlite3_stmt *st, int i, uint8_t *out, size_t len)
{
	struct cw_bytes v = cw_sql_column(st, i);

	if (v.len != len)
		return false;
	memcpy(out, v.ptr, len);
	return true;
}

void
cw_sql_column_buf(sqlite3_stmt *st, int i, struct cw_buf *out)
{
	if (out == NULL)
		return;
	cw_buf_reset(out);
	cw_buf_put(out, cw_sql_column(st, i));
}
