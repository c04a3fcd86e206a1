/* SPDX-License-Identifier: Apache-2.0 */
/* Operators' decisions in SQLite. */
#include "server/store_sqlite.h"

static struct cw_sqlite *
self(struct cw_store *store)
{
	return (struct cw_sqlite *)store;
}

struct add_args {
	const uint8_t *id;
	const struct cw_approval_row *row;
};

static enum cw_err
apply_add(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	const struct add_args *a = arg;
	const struct cw_approval_row *v = a->row;
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_APPROVAL_ADD);
	enum cw_err err;

	(void)s;
	cw_sql_int(st, 1, cw_sqlite_key(a->id));
	cw_sql_blob(st, 2, cw_bytes(a->id, CW_SESSION_ID_BYTES));
	cw_sql_blob(st, 3, CW_BYTES_ARRAY(v->operator_hash));
	cw_sql_int(st, 4, v->is_approved);
	cw_sql_int(st, 5, (int64_t)v->time_s);
	cw_sql_blob(st, 6, v->bytes);
	cw_sql_blob(st, 7, v->certificate);
	err = cw_sql_run(conn, st);
	return err == CW_OK && sqlite3_changes(conn->db) == 0 ? CW_ERR_EXISTS :
								err;
}

static enum cw_err
approval_add(struct cw_store *store, const uint8_t *id,
    const struct cw_approval_row *row)
{
	struct add_args args = { id, row };

	return cw_sqlite_write(self(store), apply_add, NULL, &args);
}

static enum cw_err
approval_each(struct cw_store *store, const uint8_t *id,
    bool (*each)(void *ctx, const struct cw_approval_row *row), void *ctx)
{
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(self(store));
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_APPROVAL_EACH);
	struct cw_approval_row row;
	enum cw_err err;

	cw_sql_int(st, 1, cw_sqlite_key(id));
	while ((err = cw_sql_row(conn, st)) == CW_OK) {
		if (!cw_sql_column_into(st, 0, row.operator_hash,
			sizeof(row.operator_hash))) {
			err = CW_ERR_STORE_CORRUPT;
			break;
		}
		row.is_approved = cw_sql_column_uint(st, 1) != 0;
		row.time_s = cw_sql_column_uint(st, 2);
		row.bytes = cw_sql_column(st, 3);
		row.certificate = cw_sql_column(st, 4);
		if (!each(ctx, &row))
			break;
	}
	sqlite3_reset(st);
	cw_sqlite_reader_done(self(store), conn);
	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
}

void
cw_sqlite_approval_ops(struct cw_store *store)
{
	store->approval_add = approval_add;
	store->approval_each = approval_each;
}
