/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From the journal into SQLite: the records of a session together, so that its
 * row is written once, as it is after the last of them. Where the journal was
 * read to is in the database itself and changes with the rows: each record is
 * applied once, whoever does it.
 */
#include <stdlib.h>

#include "server/store_sqlite.h"

/* ---- rows ---- */

static enum cw_err
insert_session(struct cw_sqlite_conn *conn, const struct cw_store_record *add,
    const struct cw_store_record *last)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_ADD);

	cw_sql_int(st, 1, cw_sqlite_key(add->id));
	cw_sql_blob(st, 2, CW_BYTES_ARRAY(add->id));
	cw_sql_blob(st, 3, CW_BYTES_ARRAY(add->invitation));
	cw_sql_int(st, 4, (int64_t)last->stage);
	cw_sql_int(st, 5, (int64_t)last->error);
	cw_sql_int(st, 6, (int64_t)add->created_s);
	cw_sql_int(st, 7, (int64_t)last->expires_s);
	cw_sql_blob(st, 8, CW_BYTES_ARRAY(last->serial));
	cw_sql_blob(st, 9, last->digests);
	cw_sql_blob(st, 10, CW_BYTES_ARRAY(add->request_tag));
	cw_sql_blob(st, 11, add->request);
	cw_sql_blob(st, 12, add->grant);
	cw_sql_blob(st, 13, last->verdict);
	cw_sql_blob(st, 14, last->sealed);
	cw_sql_int(st, 15, (int64_t)add->row);
	return cw_sql_run(conn, st);
}

static enum cw_err
update_session(struct cw_sqlite_conn *conn, const struct cw_store_record *last)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_SESSION_STEP);

	cw_sql_int(st, 1, (int64_t)last->row);
	cw_sql_blob(st, 2, CW_BYTES_ARRAY(last->id));
	cw_sql_int(st, 3, (int64_t)last->stage);
	cw_sql_int(st, 4, (int64_t)last->error);
	cw_sql_blob(st, 5, CW_BYTES_ARRAY(last->serial));
	cw_sql_blob(st, 6, last->digests);
	cw_sql_blob(st, 7, last->verdict);
	cw_sql_blob(st, 8, last->sealed);
	cw_sql_int(st, 9, (int64_t)last->expires_s);
	return cw_sql_run(conn, st);
}

static enum cw_err
put_step(struct cw_sqlite_conn *conn, const struct cw_store_record *r)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_STEP_ADD);

	cw_sql_int(st, 1, (int64_t)r->row);
	cw_sql_int(st, 2, (int64_t)r->number);
	cw_sql_blob(st, 3, r->message);
	cw_sql_blob(st, 4, r->answer);
	cw_sql_blob(st, 5, r->kept);
	return cw_sql_run(conn, st);
}

static enum cw_err
put_certificate(struct cw_sqlite_conn *conn, const struct cw_store_record *r)
{
	const struct cw_certificate *c = &r->certificate;
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_CERTIFICATE_STEP);

	cw_sql_int(st, 1, (int64_t)r->row);
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
retire(struct cw_sqlite_conn *conn, const struct cw_store_record *r)
{
	enum cw_err err = CW_OK;

	for (size_t i = 0; i < r->n_retired && err == CW_OK; i++) {
		struct cw_retired one = cw_store_record_retired(r, i);
		sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_CERTIFICATE_RETIRE);

		cw_sql_int(st, 1, cw_sqlite_key(one.serial));
		cw_sql_blob(st, 2, CW_BYTES_ARRAY(one.serial));
		cw_sql_int(st, 3, one.reason);
		cw_sql_int(st, 4, (int64_t)r->now_s);
		err = cw_sql_run(conn, st);
	}
	return err;
}

/* ---- the records of one session ---- */

struct item {
	uint64_t row;
	struct cw_bytes
	    bytes; /* their order in memory is that of the journal */
};

/* What was journaled was checked before; a row that is not there was deleted by
 * hand. Its certificate and steps are kept all the same. */
static void
check_changed(struct cw_sqlite_conn *conn, const struct cw_store_record *r)
{
	if (sqlite3_changes(conn->db) == 0)
		(void)cw_log_fail(CW_ERR_STORE_FAILED, "store.journal",
		    "what=session row=%llu", (unsigned long long)r->row);
}

static enum cw_err
apply_row(struct cw_sqlite_conn *conn, struct cw_bytes first,
    struct cw_bytes last)
{
	struct cw_store_record add;
	struct cw_store_record after;
	enum cw_err err = cw_store_record_decode(first, &add);

	if (err == CW_OK)
		err = cw_store_record_decode(last, &after);
	if (err == CW_OK)
		err = add.kind == CW_STORE_ADD ?
		    insert_session(conn, &add, &after) :
		    update_session(conn, &after);
	if (err == CW_OK)
		check_changed(conn, &after);
	return err;
}

/* What the steps count up to, and whether they touch other sessions' rows. */
struct sums {
	uint64_t steps, retired;
};

static enum cw_err
apply_session(struct cw_sqlite_conn *conn, const struct item *items, size_t n,
    struct sums *sums)
{
	enum cw_err err = apply_row(conn, items[0].bytes, items[n - 1].bytes);

	for (size_t i = 0; i < n && err == CW_OK; i++) {
		struct cw_store_record r;

		err = cw_store_record_decode(items[i].bytes, &r);
		if (err == CW_OK && r.has_step)
			err = put_step(conn, &r);
		if (err == CW_OK && r.has_certificate)
			err = put_certificate(conn, &r);
		sums->steps += r.kind == CW_STORE_STEP;
		sums->retired += r.n_retired;
	}
	return err;
}

/* ---- all of them ---- */

static int
by_row(const void *a, const void *b)
{
	const struct item *x = a;
	const struct item *y = b;

	if (x->row != y->row)
		return x->row < y->row ? -1 : 1;
	return x->bytes.ptr < y->bytes.ptr ? -1 : x->bytes.ptr > y->bytes.ptr;
}

/* The heap is the caller's, also after an error. */
static enum cw_err
sort(struct cw_bytes in, struct item **items, size_t *n)
{
	size_t room = 0;
	struct cw_bytes bytes;
	enum cw_err err;

	*items = NULL;
	*n = 0;
	while ((err = cw_store_record_next(&in, &bytes)) == CW_OK) {
		if (*n == room) {
			struct item *more;

			room = 2 * room + 64;
			more = reallocarray(*items, room, sizeof(**items));
			if (more == NULL)
				return CW_ERR_NO_MEMORY;
			*items = more;
		}
		(*items)[*n].bytes = bytes;
		err = cw_store_record_row(bytes, &(*items)[*n].row);
		if (err != CW_OK)
			return err;
		++*n;
	}
	if (err != CW_ERR_NOT_FOUND)
		return err;
	if (*n > 0)
		qsort(*items, *n, sizeof(**items), by_row);
	return CW_OK;
}

static enum cw_err
apply_all(struct cw_sqlite_conn *conn, struct cw_bytes in)
{
	struct sums sums = { 0, 0 };
	sqlite3_stmt *count;
	struct item *items;
	size_t n;
	enum cw_err err = sort(in, &items, &n);

	for (size_t i = 0, end; i < n && err == CW_OK; i = end) {
		for (end = i + 1; end < n && items[end].row == items[i].row;)
			end++;
		err = apply_session(conn, &items[i], end - i, &sums);
	}
	/* When all certificates are there: nothing brings one back that is
	 * suspended, whichever came first. */
	for (size_t i = 0; i < n && err == CW_OK && sums.retired > 0; i++) {
		struct cw_store_record r;

		err = cw_store_record_decode(items[i].bytes, &r);
		if (err == CW_OK)
			err = retire(conn, &r);
	}
	free(items);
	if (err != CW_OK || sums.steps == 0)
		return err;
	count = cw_sql_get(conn, CW_SQL_STEP_COUNT);
	cw_sql_int(count, 1, (int64_t)sums.steps);
	return cw_sql_run(conn, count);
}

/* ---- the journal's place ---- */

static enum cw_err
load_place(struct cw_sqlite_conn *conn, struct cw_journal_place *place)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_JOURNAL_GET);
	enum cw_err err = cw_sql_row(conn, st);

	memset(place, 0, sizeof(*place));
	if (err == CW_OK) {
		place->at = cw_sql_column_uint(st, 0);
		if (!cw_sql_column_into(st, 1, place->check,
			sizeof(place->check)))
			err = CW_ERR_STORE_CORRUPT;
		sqlite3_reset(st);
	}
	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
}

static enum cw_err
store_place(struct cw_sqlite_conn *conn, const struct cw_journal_place *place)
{
	sqlite3_stmt *st = cw_sql_get(conn, CW_SQL_JOURNAL_SET);

	cw_sql_int(st, 1, (int64_t)place->at);
	cw_sql_blob(st, 2, CW_BYTES_ARRAY(place->check));
	return cw_sql_run(conn, st);
}

/* Into `in` what is behind the place. The owner knows how far that must go, and
 * that nothing behind its end was promised to anybody. */
static enum cw_err
read_records(struct cw_sqlite *s, const struct cw_journal_place *end,
    struct cw_journal_place *place, struct cw_buf *in)
{
	enum cw_err err = cw_journal_read(s->journal_path, place,
	    end != NULL ? end->at : CW_JOURNAL_BYTES, in);

	if (err == CW_OK && end != NULL && place->at < end->at)
		err = cw_log_fail(CW_ERR_STORE_FAILED, "store.journal",
		    "what=short at=%llu end=%llu",
		    (unsigned long long)place->at, (unsigned long long)end->at);
	return err;
}

/* The owner has them in memory, unless another process has applied some. */
static enum cw_err
apply_behind(struct cw_sqlite *s, struct cw_sqlite_conn *conn,
    struct cw_journal_place *place)
{
	const struct cw_journal_place *end =
	    s->is_begun ? cw_journal_end(s->journal) : NULL;
	struct cw_buf in;
	enum cw_err err;

	if (end != NULL && s->unapplied.err == CW_OK &&
	    place->at == s->beginning.at &&
	    memcmp(place->check, s->beginning.check, sizeof(place->check)) == 0)
		return apply_all(conn, cw_buf_bytes(&s->unapplied));
	cw_buf_init(&in, CW_JOURNAL_BYTES);
	err = read_records(s, end, place, &in);
	if (err == CW_OK)
		err = apply_all(conn, cw_buf_bytes(&in));
	cw_buf_wipe(&in);
	return err;
}

enum cw_err
cw_sqlite_apply(struct cw_sqlite *s, struct cw_sqlite_conn *conn,
    struct cw_journal_place *next, bool *is_next)
{
	struct cw_journal_place place;
	uint64_t before;
	enum cw_err err;

	*is_next = false;
	if (s->is_begun && !s->must_apply &&
	    cw_journal_end(s->journal)->at == 0)
		return CW_OK;
	err = load_place(conn, &place);
	before = place.at;
	if (err == CW_OK)
		err = apply_behind(s, conn, &place);
	if (s->is_owner)
		cw_journal_place_new(&place);
	if (err == CW_OK && (s->is_owner || place.at != before))
		err = store_place(conn, &place);
	*is_next = err == CW_OK && s->is_owner;
	*next = place;
	return err == CW_ERR_NO_MEMORY ? CW_ERR_STORE_FAILED : err;
}
