/* SPDX-License-Identifier: Apache-2.0 */
/* Invitations, certificates, policies and numbers in SQLite. */
#include <stdio.h>

#include "proto/base/clock.h"
#include "server/store_sqlite.h"

static struct cw_sqlite *
self(struct cw_store *store)
{
	return (struct cw_sqlite *)store;
}

/* A write of one statement: bind, run, and what it means if no row changed. */
struct write {
	enum cw_sql sql;
	void (*bind)(sqlite3_stmt *st, const struct write *w);
	enum cw_err if_none;
	const void *row;
	const uint8_t *key;
	int64_t a, b, c;
	const char *name;
	struct cw_bytes content;
};

static enum cw_err
apply_write(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	const struct write *w = arg;
	sqlite3_stmt *st = cw_sql_get(conn, w->sql);
	enum cw_err err;

	(void)s;
	w->bind(st, w);
	err = cw_sql_run(conn, st);
	return err == CW_OK && sqlite3_changes(conn->db) == 0 ? w->if_none :
								err;
}

static enum cw_err
write_row(struct cw_store *store, struct write *w)
{
	return cw_sqlite_write(self(store), apply_write, NULL, w);
}

/* ---- invitations ---- */

static void
bind_invitation(sqlite3_stmt *st, const struct write *w)
{
	const struct cw_invitation *v = w->row;

	cw_sql_int(st, 1, cw_sqlite_key(v->code_hash));
	cw_sql_blob(st, 2, CW_BYTES_ARRAY(v->code_hash));
	cw_sql_blob(st, 3, cw_buf_bytes(&v->grant));
	cw_sql_blob(st, 4, cw_buf_bytes(&v->intent));
	cw_sql_int(st, 5, (int64_t)v->created_s);
	cw_sql_int(st, 6, (int64_t)v->expires_s);
	cw_sql_int(st, 7, v->uses);
}

static enum cw_err
invitation_add(struct cw_store *store, const struct cw_invitation *invitation)
{
	struct write w = { .sql = CW_SQL_INVITATION_ADD,
		.bind = bind_invitation,
		.if_none = CW_ERR_EXISTS,
		.row = invitation };

	return write_row(store, &w);
}

static void
bind_key(sqlite3_stmt *st, const struct write *w)
{
	cw_sql_int(st, 1, cw_sqlite_key(w->key));
	cw_sql_blob(st, 2, cw_bytes(w->key, (size_t)w->a));
}

static enum cw_err
apply_withdraw(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	const struct write *w = arg;
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_WITHDRAW);
	enum cw_err err = apply_write(s, conn, arg);

	cw_sql_blob(st, 1, cw_bytes(w->key, CW_HASH_BYTES));
	return err == CW_OK ? cw_sql_run(conn, st) : err;
}

static void
after_withdraw(struct cw_sqlite *s, void *arg)
{
	(void)arg;
	cw_store_cache_clear(s->cache);
}

static enum cw_err
invitation_withdraw(struct cw_store *store, const uint8_t *code_hash)
{
	struct write w = { .sql = CW_SQL_INVITATION_WITHDRAW,
		.bind = bind_key,
		.if_none = CW_ERR_BAD_INVITATION,
		.key = code_hash,
		.a = CW_HASH_BYTES };
	enum cw_err err =
	    cw_sqlite_write(self(store), apply_withdraw, after_withdraw, &w);

	pthread_mutex_lock(&self(store)->recent_mutex);
	self(store)->recent[code_hash[0] % CW_SQLITE_RECENT].until_ms = 0;
	pthread_mutex_unlock(&self(store)->recent_mutex);
	return err;
}

static enum cw_err
read_invitation(sqlite3_stmt *st, struct cw_invitation *out)
{
	if (!cw_sql_column_into(st, 0, out->code_hash, sizeof(out->code_hash)))
		return CW_ERR_STORE_CORRUPT;
	cw_sql_column_buf(st, 1, &out->grant);
	cw_sql_column_buf(st, 2, &out->intent);
	out->created_s = cw_sql_column_uint(st, 3);
	out->expires_s = cw_sql_column_uint(st, 4);
	out->uses = (unsigned)cw_sql_column_uint(st, 5);
	out->withdrawn = sqlite3_column_int(st, 6) != 0;
	out->used = (unsigned)cw_sql_column_uint(st, 7);
	return out->grant.err != CW_OK || out->intent.err != CW_OK ?
	    CW_ERR_STORE_CORRUPT :
	    CW_OK;
}

static enum cw_err
load_invitation(struct cw_sqlite *s, const uint8_t *code_hash,
    struct cw_invitation *out)
{
	struct cw_sqlite_conn *conn = cw_sqlite_reader(s);
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_INVITATION_LOAD);
	enum cw_err err;

	cw_sql_int(st, 1, cw_sqlite_key(code_hash));
	err = cw_sql_row(conn, st);
	if (err == CW_OK) {
		err = read_invitation(st, out);
		sqlite3_reset(st);
	}
	cw_sqlite_reader_done(s, conn);
	if (err == CW_ERR_NOT_FOUND ||
	    (err == CW_OK &&
		memcmp(out->code_hash, code_hash, CW_HASH_BYTES) != 0))
		return CW_ERR_BAD_INVITATION;
	return err;
}

/* Every session asks twice for the same row, which only another process
 * changes: what was read is good for a second. */
static enum cw_err
invitation_load(struct cw_store *store, const uint8_t *code_hash,
    struct cw_invitation *out)
{
	struct cw_sqlite *s = self(store);
	struct cw_sqlite_recent *r =
	    &s->recent[code_hash[0] % CW_SQLITE_RECENT];
	uint64_t now_ms = cw_clock_monotonic_ms();
	bool found;
	enum cw_err err = CW_OK;

	pthread_mutex_lock(&s->recent_mutex);
	found = now_ms < r->until_ms &&
	    memcmp(r->row.code_hash, code_hash, CW_HASH_BYTES) == 0;
	if (found)
		err = cw_invitation_copy(out, &r->row);
	pthread_mutex_unlock(&s->recent_mutex);
	if (found)
		return err;
	err = load_invitation(s, code_hash, out);
	if (err != CW_OK)
		return err;
	pthread_mutex_lock(&s->recent_mutex);
	r->until_ms = cw_invitation_copy(&r->row, out) == CW_OK ?
	    now_ms + CW_SQLITE_RECENT_MS :
	    0;
	pthread_mutex_unlock(&s->recent_mutex);
	return CW_OK;
}

static enum cw_err
invitation_used(struct cw_store *store, const uint8_t *code_hash,
    unsigned *used, unsigned *confirmed)
{
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(self(store));
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_INVITATION_USED);
	enum cw_err err;

	cw_sql_int(st, 1, cw_sqlite_key(code_hash));
	cw_sql_blob(st, 2, cw_bytes(code_hash, CW_HASH_BYTES));
	err = cw_sql_row(conn, st);
	*used = err == CW_OK ? (unsigned)cw_sql_column_uint(st, 0) : 0;
	*confirmed = err == CW_OK ? (unsigned)cw_sql_column_uint(st, 1) : 0;
	sqlite3_reset(st);
	cw_sqlite_reader_done(self(store), conn);
	return err;
}

static enum cw_err
invitation_each(struct cw_store *store,
    bool (*each)(void *ctx, const struct cw_invitation *row), void *ctx)
{
	struct cw_sqlite_conn *conn = cw_sqlite_settled_reader(self(store));
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_INVITATION_EACH);
	struct cw_invitation row;
	enum cw_err err;

	cw_invitation_init(&row);
	while ((err = cw_sql_row(conn, st)) == CW_OK)
		if ((err = read_invitation(st, &row)) != CW_OK ||
		    !each(ctx, &row))
			break;
	sqlite3_reset(st);
	cw_invitation_wipe(&row);
	cw_sqlite_reader_done(self(store), conn);
	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
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
bind_set(sqlite3_stmt *st, const struct write *w)
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
	struct write w = { .sql = CW_SQL_CERTIFICATE_SET,
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
	struct write w = { .sql = CW_SQL_CERTIFICATE_DROP,
		.bind = bind_key,
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
bind_policy(sqlite3_stmt *st, const struct write *w)
{
	cw_sql_text(st, 1, w->name);
	cw_sql_blob(st, 2, w->content);
}

static enum cw_err
policy_put(struct cw_store *store, const char *version, struct cw_bytes content)
{
	struct write w = { .sql = CW_SQL_POLICY_PUT,
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
bind_number(sqlite3_stmt *st, const struct write *w)
{
	cw_sql_text(st, 1, w->name);
	cw_sql_int(st, 2, w->a);
}

static enum cw_err
number_set(struct cw_store *store, const char *name, uint64_t value)
{
	struct write w = { .sql = CW_SQL_NUMBER_SET,
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
	store->invitation_add = invitation_add;
	store->invitation_load = invitation_load;
	store->invitation_used = invitation_used;
	store->invitation_withdraw = invitation_withdraw;
	store->invitation_each = invitation_each;
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
