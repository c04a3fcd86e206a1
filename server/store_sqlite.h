/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the SQLite store: store_sqlite.c opens and lends out readers,
 * _writer.c commits, _wal.c writes the log, _sql.c holds the statements,
 * _session.c, _sessions.c and _rows.c the operations.
 */
#ifndef CW_SERVER_STORE_SQLITE_H
#define CW_SERVER_STORE_SQLITE_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "proto/base/log.h"
#include "server/store_cache.h"

enum cw_sql {
#define CW_SQL(name, text) CW_SQL_##name,
#include "server/store_sqlite.def"
#undef CW_SQL
	CW_SQL_COUNT
};

/* One connection with its prepared statements; one thread at a time. */
struct cw_sqlite_conn {
	sqlite3 *db;
	sqlite3_stmt *statements[CW_SQL_COUNT];
	struct cw_sqlite_conn *next_free;
};

#define CW_SQLITE_READERS 4

struct cw_sqlite;

/* A write. `apply` runs in the writer's transaction: a refusal (EXISTS,
 * UNKNOWN_SERIAL) must have changed nothing; STORE_FAILED undoes the group.
 * `after` runs in the writer's thread, in order, once it is durable. */
struct cw_sqlite_job {
	enum cw_err (*apply)(struct cw_sqlite *store,
	    struct cw_sqlite_conn *conn, void *arg);
	void (*after)(struct cw_sqlite *store, void *arg);
	void *arg;
	enum cw_err err;
	bool done;
	pthread_cond_t woken;
	struct cw_sqlite_job *next;
};

struct cw_sqlite_queue {
	struct cw_sqlite_job *first, **last;
	size_t n;
};

/* Invitations read lately. */
#define CW_SQLITE_RECENT 64
#define CW_SQLITE_RECENT_MS 1000

struct cw_sqlite_recent {
	uint64_t until_ms; /* 0: nothing is there */
	struct cw_invitation row;
};

struct cw_sqlite {
	struct cw_store store; /* first: the interface */
	char path[CW_PATH_MAX];
	struct cw_store_cache *cache;
	struct cw_sqlite_conn writer;
	struct cw_sqlite_conn readers[CW_SQLITE_READERS];
	struct cw_sqlite_conn *free_readers;
	pthread_mutex_t readers_mutex;
	pthread_cond_t reader_free;
	pthread_mutex_t recent_mutex;
	struct cw_sqlite_recent recent[CW_SQLITE_RECENT];
	pthread_t thread;
	bool thread_runs;
	pthread_mutex_t mutex; /* of all that follows */
	pthread_cond_t work;
	struct cw_sqlite_queue durable;  /* somebody waits for each */
	struct cw_sqlite_queue deferred; /* new sessions: with the next group */
	bool stop;
	bool leading;     /* somebody runs a group */
	unsigned company; /* how many more groups wait for others */
	bool idle;        /* the thread waits for a first new session */
	atomic_bool well;
	atomic_uint_fast64_t commits;
	atomic_uint_fast64_t last_number; /* of a session */
	atomic_uint_fast64_t steps;
};

/* Where the row of this id, hash or serial is. */
int64_t cw_sqlite_key(const uint8_t *id);

/* Makes the VFS of this name known: the system's, with gathered writes to the
 * write-ahead log (store_sqlite_wal.c). For connections that write. */
#define CW_SQLITE_VFS "cardwright"
void cw_sqlite_vfs_make(void);

/* The writing thread's life. After init the queues may be used. */
void cw_sqlite_writer_init(struct cw_sqlite *s);
enum cw_err cw_sqlite_writer_start(struct cw_sqlite *s)
    __attribute__((warn_unused_result));
void cw_sqlite_writer_stop(struct cw_sqlite *s);

/* Runs the write in the next group and waits until it is durable. */
enum cw_err cw_sqlite_write(struct cw_sqlite *s,
    enum cw_err (*apply)(struct cw_sqlite *, struct cw_sqlite_conn *, void *),
    void (*after)(struct cw_sqlite *, void *), void *arg)
    __attribute__((warn_unused_result));

/* Hands over a heap job that goes with the next group; nobody waits. Its
 * `after` frees it. Errors: STORE_FAILED when too many wait. */
enum cw_err cw_sqlite_defer(struct cw_sqlite *s, struct cw_sqlite_job *job)
    __attribute__((warn_unused_result));

/* A reader of one's own until it is given back. */
struct cw_sqlite_conn *cw_sqlite_reader(struct cw_sqlite *s);
void cw_sqlite_reader_done(struct cw_sqlite *s, struct cw_sqlite_conn *conn);

/* The number kept as CW_SQLITE_STEPS. Errors: STORE_FAILED. */
#define CW_SQLITE_STEPS "steps"

enum cw_err cw_sqlite_load_steps(struct cw_sqlite *s)
    __attribute__((warn_unused_result));

/* The statement, prepared and without bindings, or NULL (logged). All the
 * calls below take NULL and then fail. */
sqlite3_stmt *cw_sql_get(struct cw_sqlite_conn *conn, enum cw_sql sql);
void cw_sql_blob(sqlite3_stmt *st, int i, struct cw_bytes v); /* borrows */
void cw_sql_text(sqlite3_stmt *st, int i, const char *v);     /* borrows */
void cw_sql_int(sqlite3_stmt *st, int i, int64_t v);

/* Logs what SQLite says of `what`. Returns STORE_FAILED. */
enum cw_err cw_sql_failed(struct cw_sqlite_conn *conn, const char *what);

/* Runs a write to its end. Errors: STORE_FAILED (logged). */
enum cw_err cw_sql_run(struct cw_sqlite_conn *conn, sqlite3_stmt *st)
    __attribute__((warn_unused_result));

/* Next row: CW_OK; NOT_FOUND when there is none; STORE_FAILED. */
enum cw_err cw_sql_row(struct cw_sqlite_conn *conn, sqlite3_stmt *st)
    __attribute__((warn_unused_result));

/* Columns of a row. The copies say false when the length is another. */
struct cw_bytes cw_sql_column(sqlite3_stmt *st, int i);
uint64_t cw_sql_column_uint(sqlite3_stmt *st, int i); /* 0 if negative */
bool cw_sql_column_into(sqlite3_stmt *st, int i, uint8_t *out, size_t len);
void cw_sql_column_buf(sqlite3_stmt *st, int i, struct cw_buf *out);

/* A row of SESSION_LOAD or SESSION_EACH. Errors: STORE_CORRUPT. */
enum cw_err cw_sqlite_read_session(sqlite3_stmt *st, struct cw_session *out)
    __attribute__((warn_unused_result));

/* The operations of each table, into the interface. */
void cw_sqlite_session_ops(struct cw_store *store);
void cw_sqlite_sessions_ops(struct cw_store *store);
void cw_sqlite_row_ops(struct cw_store *store);
void cw_sqlite_approval_ops(struct cw_store *store);

#endif
