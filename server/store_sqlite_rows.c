/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates, policies and numbers in SQLite. */
#include <stdio.h>

#include "server/store_sqlite.h"

static struct cw_sqlite *
self(struct cw_store *store)
{
	return (struct cw_sqlite *)store;
}

enum cw_err
cw_sqlite_apply_row(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	const struct cw_sqlite_row *w = arg;
	sqlite3_stmt *st = cw_sql_get(conn, w->sql);
	enum cw_err err;

	(void)s;
	w->bind(st, w);
	err = cw_sql_run(conn, st);
	return err == CW_OK && sqlite3_changes(conn->db) == 0 ? w->if_none :
								err;
}

static enum cw_err
write_row(struct cw_store *store, struct cw_sqlite_row *w)
{
	return cw_sqlite_write(self(store), cw_sqlite_apply_row, NULL, w);
}

void
cw_sqlite_bind_key(sqlite3_stmt *st, const struct cw_sqlite_row *w)
{
	cw_sql_int(st, 1, cw_sqlite_key(w->key));
	cw_sql_blob(st, 2, cw_bytes(w->key, (size_t)w->a));
}

/* ---- certificates ---- */

static enum cw_err
read_certificate(sqlite3_stmt *st, struct cw_certificate *out,
    struct cw_buf *der)
{
	struct cw_bytes subject = cw_sql_column(st, 5);
	struct cw_bytes profile = cw_sql_column(st, 6);
	uint64_t status = cw_sql_column_uint(st, 2);

	memset(out, 0, sizeof(*out));
	if (!cw_sql_column_into(st, 0, out->serial, sizeof(out->serial)) ||
	    !cw_sql_column_into(st, 1, out->session, sizeof(out->session)) ||
	    subject.len >= sizeof(out->subject) ||
	    profile.len >= sizeof(out->profile))
		return CW_ERR_STORE_CORRUPT;
	out->status = (enum cw_certificate_status)status;
	out->wanted = (unsigned)cw_sql_column_uint(st, 3);
	out->changed_s = cw_sql_column_uint(st, 4);
	if (subject.len > 0)
		memcpy(out->subject, subject.ptr, subject.len);
	if (profile.len > 0)
		memcpy(out->profile, profile.ptr, profile.len);
	cw_sql_column_buf(st, 7, der);
	out->row = cw_sql_column_uint(st, 8);
	return der != NULL ? der->err : CW_OK;
}

/* Finds by the number of a serial or of an invitation. */
static enum cw_err
find_certificate(struct cw_store *store, enum cw_sql sql, int64_t key,
    struct cw_certificate *out, struct cw_buf *der)
{
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(self(store));
	sqlite3_stmt *st = cw_sql_get(conn, sql);
	enum cw_err err;

	cw_sql_int(st, 1, key);
	err = cw_sql_row(conn, st);
	if (err == CW_OK) {
		err = read_certificate(st, out, der);
		sqlite3_reset(st);
	}
	cw_sqlite_reader_done(self(store), conn);
	return err == CW_ERR_NOT_FOUND ? CW_ERR_UNKNOWN_SERIAL : err;
}

static enum cw_err
certificate_load(struct cw_store *store, const uint8_t *serial,
    struct cw_certificate *out, struct cw_buf *der)
{
	enum cw_err err = find_certificate(store, CW_SQL_CERTIFICATE_LOAD,
	    cw_sqlite_key(serial), out, der);

	return err == CW_OK &&
		memcmp(out->serial, serial, CW_SERIAL_BYTES) != 0 ?
	    CW_ERR_UNKNOWN_SERIAL :
	    err;
}

static enum cw_err
certificate_confirmed(struct cw_store *store, const uint8_t *code_hash,
    struct cw_certificate *out, struct cw_buf *der)
{
	return find_certificate(store, CW_SQL_CERTIFICATE_CONFIRMED,
	    cw_sqlite_key(code_hash), out, der);
}

static void
bind_set(sqlite3_stmt *st, const struct cw_sqlite_row *w)
{
	cw_sql_int(st, 1, cw_sqlite_key(w->key));
	cw_sql_blob(st, 2, cw_bytes(w->key, CW_SERIAL_BYTES));
	cw_sql_int(st, 3, w->a);
	cw_sql_int(st, 4, w->b);
	cw_sql_int(st, 5, w->c);
}

static enum cw_err
certificate_set(struct cw_store *store, const uint8_t *serial,
    enum cw_certificate_status status, unsigned wanted, uint64_t now_s)
{
	struct cw_sqlite_row w = { .sql = CW_SQL_CERTIFICATE_SET,
		.bind = bind_set,
		.if_none = CW_ERR_UNKNOWN_SERIAL,
		.key = serial,
		.a = status,
		.b = wanted,
		.c = (int64_t)now_s };

	return write_row(store, &w);
}

static enum cw_err
certificate_drop(struct cw_store *store, const uint8_t *serial)
{
	struct cw_sqlite_row w = { .sql = CW_SQL_CERTIFICATE_DROP,
		.bind = cw_sqlite_bind_key,
		.if_none = CW_OK,
		.key = serial,
		.a = CW_SERIAL_BYTES };

	return write_row(store, &w);
}

/* Rows of a statement that is bound. */
static enum cw_err
list_certificates(struct cw_store *store, struct cw_sqlite_conn *conn,
    sqlite3_stmt *st, struct cw_certificate *out, size_t max, size_t *n)
{
	enum cw_err err = CW_OK;

	*n = 0;
	while (*n < max && (err = cw_sql_row(conn, st)) == CW_OK)
		if ((err = read_certificate(st, &out[(*n)++], NULL)) != CW_OK)
			break;
	sqlite3_reset(st);
	cw_sqlite_reader_done(self(store), conn);
	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
}

static enum cw_err
certificate_due(struct cw_store *store, uint64_t after,
    struct cw_certificate *out, size_t max, size_t *n)
{
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(self(store));
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_CERTIFICATE_DUE);

	cw_sql_int(st, 1, (int64_t)max);
	cw_sql_int(st, 2, (int64_t)after);
	return list_certificates(store, conn, st, out, max, n);
}

static enum cw_err
certificate_of(struct cw_store *store, const char *subject,
    struct cw_certificate *out, size_t max, size_t *n)
{
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(self(store));
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_CERTIFICATE_OF);

	cw_sql_text(st, 1, subject);
	cw_sql_int(st, 2, (int64_t)max);
	return list_certificates(store, conn, st, out, max, n);
}

static enum cw_err
certificate_each(struct cw_store *store,
    bool (*each)(void *ctx, const struct cw_certificate *row), void *ctx)
{
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(self(store));
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_CERTIFICATE_EACH);
	struct cw_certificate row;
	enum cw_err err;

	while ((err = cw_sql_row(conn, st)) == CW_OK)
		if ((err = read_certificate(st, &row, NULL)) != CW_OK ||
		    !each(ctx, &row))
			break;
	sqlite3_reset(st);
	cw_sqlite_reader_done(self(store), conn);
	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
}

/* ---- policies and numbers ---- */

static void
bind_policy(sqlite3_stmt *st, const struct cw_sqlite_row *w)
{
	cw_sql_text(st, 1, w->name);
	cw_sql_blob(st, 2, w->content);
}

static enum cw_err
policy_put(struct cw_store *store, const char *version, struct cw_bytes content)
{
	struct cw_sqlite_row w = { .sql = CW_SQL_POLICY_PUT,
		.bind = bind_policy,
		.if_none = CW_OK,
		.name = version,
		.content = content };

	return write_row(store, &w);
}

static enum cw_err
policy_load(struct cw_store *store, const char *version, struct cw_buf *content)
{
	struct cw_sqlite_conn *conn = cw_sqlite_reader(self(store));
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_POLICY_LOAD);
	enum cw_err err;

	cw_sql_text(st, 1, version);
	err = cw_sql_row(conn, st);
	if (err == CW_OK) {
		cw_sql_column_buf(st, 0, content);
		err = content->err;
		sqlite3_reset(st);
	}
	cw_sqlite_reader_done(self(store), conn);
	return err;
}

static enum cw_err
number_get(struct cw_store *store, const char *name, uint64_t *value)
{
	struct cw_sqlite_conn *conn = cw_sqlite_reader(self(store));
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_NUMBER_GET);
	enum cw_err err;

	cw_sql_text(st, 1, name);
	err = cw_sql_row(conn, st);
	*value = err == CW_OK ? cw_sql_column_uint(st, 0) : 0;
	sqlite3_reset(st);
	cw_sqlite_reader_done(self(store), conn);
	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
}

static void
bind_number(sqlite3_stmt *st, const struct cw_sqlite_row *w)
{
	cw_sql_text(st, 1, w->name);
	cw_sql_int(st, 2, w->a);
}

static enum cw_err
number_set(struct cw_store *store, const char *name, uint64_t value)
{
	struct cw_sqlite_row w = { .sql = CW_SQL_NUMBER_SET,
		.bind = bind_number,
		.if_none = CW_OK,
		.name = name,
		.a = (int64_t)value };

	return write_row(store, &w);
}

enum cw_err
cw_sqlite_load_steps(struct cw_sqlite *s)
{
	uint64_t steps = 0;
	enum cw_err err = number_get(&s->store, CW_SQLITE_STEPS, &steps);

	atomic_store(&s->steps_stored, steps);
	return err;
}

static enum cw_err
set_steps(struct cw_store *store, uint64_t steps)
{
	enum cw_err err = number_set(store, CW_SQLITE_STEPS, steps);

	if (err == CW_OK)
		atomic_store(&self(store)->steps_stored, steps);
	return err;
}

void
cw_sqlite_row_ops(struct cw_store *store)
{
	store->certificate_load = certificate_load;
	store->certificate_confirmed = certificate_confirmed;
	store->certificate_of = certificate_of;
	store->certificate_set = certificate_set;
	store->certificate_drop = certificate_drop;
	store->certificate_due = certificate_due;
	store->certificate_each = certificate_each;
	store->policy_put = policy_put;
	store->policy_load = policy_load;
	store->number_get = number_get;
	store->number_set = number_set;
	store->set_steps = set_steps;
}
