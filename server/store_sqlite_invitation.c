/* SPDX-License-Identifier: Apache-2.0 */
/* Invitations in SQLite. */
#include "proto/base/clock.h"
#include "server/store_sqlite.h"

static struct cw_sqlite *
self(struct cw_store *store)
{
	return (struct cw_sqlite *)store;
}

static void
bind_invitation(sqlite3_stmt *st, const struct cw_sqlite_row *w)
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
	struct cw_sqlite_row w = { .sql = CW_SQL_INVITATION_ADD,
		.bind = bind_invitation,
		.if_none = CW_ERR_EXISTS,
		.row = invitation };

	return cw_sqlite_write(self(store), cw_sqlite_apply_row, NULL, &w);
}

static enum cw_err
apply_withdraw(struct cw_sqlite *s, struct cw_sqlite_conn *conn, void *arg)
{
	const struct cw_sqlite_row *w = arg;
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_WITHDRAW);
	enum cw_err err = cw_sqlite_apply_row(s, conn, arg);

	cw_sql_blob(st, 1, cw_bytes(w->key, CW_HASH_BYTES));
	return err == CW_OK ? cw_sql_run(conn, st) : err;
}

static void
after_withdraw(struct cw_sqlite *s, void *arg)
{
	(void)arg;
	cw_store_cache_clear(s->cache);
}

/* Where it is kept, or the one that gives its place up for it. */
static struct cw_sqlite_recent *
recent_of(struct cw_sqlite *s, const uint8_t *code_hash)
{
	size_t i = (size_t)code_hash[0] << 8 | code_hash[1];

	return &s->recent[i % CW_SQLITE_RECENT];
}

static enum cw_err
invitation_withdraw(struct cw_store *store, const uint8_t *code_hash)
{
	struct cw_sqlite_row w = { .sql = CW_SQL_INVITATION_WITHDRAW,
		.bind = cw_sqlite_bind_key,
		.if_none = CW_ERR_BAD_INVITATION,
		.key = code_hash,
		.a = CW_HASH_BYTES };
	enum cw_err err =
	    cw_sqlite_write(self(store), apply_withdraw, after_withdraw, &w);

	pthread_mutex_lock(&self(store)->recent_mutex);
	recent_of(self(store), code_hash)->until_ms = 0;
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
	struct cw_sqlite_recent *r = recent_of(s, code_hash);
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

void
cw_sqlite_invitation_ops(struct cw_store *store)
{
	store->invitation_add = invitation_add;
	store->invitation_load = invitation_load;
	store->invitation_used = invitation_used;
	store->invitation_withdraw = invitation_withdraw;
	store->invitation_each = invitation_each;
}
