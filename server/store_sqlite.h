/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the SQLite store: store_sqlite.c opens and lends out readers,
 * _writer.c finds a leader, _group.c commits, _apply.c brings over what is in the journal, _wal.c writes
 * SQLite's log, _sql.c holds the statements, _session.c, _sessions.c, _invitation.c,
 * _approval.c and _rows.c the operations.
 *
 * New sessions and steps go to the journal (store_journal.h) and into the cache;
 * all that was journaled is applied at the beginning of every transaction, by
 * whichever process it is. Everything else is written in transactions.
 */
#ifndef CW_SERVER_STORE_SQLITE_H
#define CW_SERVER_STORE_SQLITE_H

#include <pthread.h>
#include <semaphore.h>
#include <sqlite3.h>
#include <stdatomic.h>

#include "proto/base/log.h"
#include "server/store_cache.h"
#include "server/store_filter.h"
#include "server/store_journal.h"
#include "server/store_record.h"

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

enum cw_sqlite_kind {
	CW_SQLITE_WRITE, /* in a transaction */
	CW_SQLITE_ADD,   /* in the journal; nobody waits for it */
	CW_SQLITE_STEP,  /* in the journal */
};

/* A write. `apply` runs in the leader's transaction, or `record` puts it into
 * the journal's frame: a refusal (EXISTS, UNKNOWN_SERIAL) must have changed
 * nothing; STORE_FAILED undoes the group. `after` runs in the leader's thread,
 * in order, once it is durable. */
struct cw_sqlite_job {
	enum cw_sqlite_kind kind;
	uint8_t id[CW_SESSION_ID_BYTES]; /* of ADD and STEP */
	enum cw_err (*apply)(struct cw_sqlite *store,
	    struct cw_sqlite_conn *conn, void *arg);
	enum cw_err (*record)(struct cw_sqlite *store,
	    struct cw_sqlite_job *job, struct cw_buf *frame);
	void (*after)(struct cw_sqlite *store, void *arg);
	void *arg;
	enum cw_err err;
	bool leads; /* it is woken to lead; if not, it is done */
	sem_t woken;
	struct cw_sqlite_job *next;
};

struct cw_sqlite_queue {
	struct cw_sqlite_job *first, **last;
	size_t n;
};

/* Invitations read lately, by H(code): so many places that those which are used at
 * one time hardly ever share one. */
#define CW_SQLITE_RECENT 1024
#define CW_SQLITE_RECENT_MS 1000

struct cw_sqlite_recent {
	uint64_t until_ms; /* 0: nothing is there */
	struct cw_invitation row;
};

struct cw_sqlite {
	struct cw_store store; /* first: the interface */
	char path[CW_PATH_MAX];
	char journal_path[CW_PATH_MAX + 8];
	bool is_owner; /* the others neither add sessions nor steps */
	struct cw_store_cache *cache;
	struct cw_store_filter *filter;    /* the owner's: of all sessions */
	struct cw_sqlite_conn writer;      /* of the leader, as what follows */
	struct cw_journal *journal;        /* the owner's */
	bool is_begun;                     /* frames go into it */
	struct cw_journal_place beginning; /* of the journal */
	struct cw_buf frame;
	struct cw_buf unapplied; /* all that is in the journal */
	bool must_apply; /* a write failed: nothing else before it is applied */
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
	struct cw_sqlite_queue steps;    /* somebody waits for each */
	struct cw_sqlite_queue writes;   /* and for these */
	struct cw_sqlite_queue deferred; /* new sessions: with the next group */
	bool stop;
	bool leading;     /* somebody runs a group */
	unsigned company; /* how many more groups wait for others */
	bool idle;        /* the thread waits for a first new session */
	atomic_bool well;
	atomic_uint_fast64_t commits;
	atomic_uint_fast64_t last_number; /* of a session */
	atomic_uint_fast64_t steps_stored;
	atomic_bool has_unapplied; /* something may be in the journal only */
};

/* Where the row of this id, hash or serial is. */
int64_t cw_sqlite_key(const uint8_t *id);

/* Sets SQLite up, and makes the VFS of this name known: the system's, with gathered writes to the
 * write-ahead log (store_sqlite_wal.c). For connections that write. */
#define CW_SQLITE_VFS "cardwright"
void cw_sqlite_vfs_make(void);

/* The writing thread's life. After init the queues may be used. */
void cw_sqlite_writer_init(struct cw_sqlite *s);
enum cw_err cw_sqlite_writer_start(struct cw_sqlite *s)
    __attribute__((warn_unused_result));
void cw_sqlite_writer_stop(struct cw_sqlite *s);

/* Applies what is in the journal and begins it anew: what an earlier owner left,
 * before anything else is written or read; and what this one leaves. Alone. */
enum cw_err cw_sqlite_begin(struct cw_sqlite *s)
    __attribute__((warn_unused_result));
/* The leader's work: lists of ADDs and STEPs, and of WRITEs; either may be NULL.
 * Every job is done then, or waits in `deferred` again. */
void cw_sqlite_run(struct cw_sqlite *s, struct cw_sqlite_job *journal,
    struct cw_sqlite_job *writes);

void cw_sqlite_queue_init(struct cw_sqlite_queue *q);
void cw_sqlite_queue_put(struct cw_sqlite_queue *q, struct cw_sqlite_job *job);
struct cw_sqlite_job *cw_sqlite_queue_take_all(struct cw_sqlite_queue *q);
void cw_sqlite_queue_move_all(struct cw_sqlite_queue *to,
    struct cw_sqlite_queue *from);

/* Runs the job in the next group and waits until it is durable. */
enum cw_err cw_sqlite_submit(struct cw_sqlite *s, struct cw_sqlite_job *job)
    __attribute__((warn_unused_result));

/* The same for a write in a transaction. */
enum cw_err cw_sqlite_write(struct cw_sqlite *s,
    enum cw_err (*apply)(struct cw_sqlite *, struct cw_sqlite_conn *, void *),
    void (*after)(struct cw_sqlite *, void *), void *arg)
    __attribute__((warn_unused_result));

/* Hands over a heap job that goes with the next group and is freed then; nobody
 * waits. Errors: STORE_FAILED when too many wait. */
enum cw_err cw_sqlite_defer(struct cw_sqlite *s, struct cw_sqlite_job *job)
    __attribute__((warn_unused_result));

/* An empty transaction: whether the disk is well. */
enum cw_err cw_sqlite_try(struct cw_sqlite *s)
    __attribute__((warn_unused_result));

/* All that was stored before this call is in the database, for readers. */
enum cw_err cw_sqlite_settle(struct cw_sqlite *s)
    __attribute__((warn_unused_result));

/* Applies what is in the journal, within a transaction. If *is_next, the place
 * to begin the journal at once it is committed is in *next. */
enum cw_err cw_sqlite_apply(struct cw_sqlite *s, struct cw_sqlite_conn *conn,
    struct cw_journal_place *next, bool *is_next)
    __attribute__((warn_unused_result));

/* Puts the sessions of the database into the owner's filter. */
enum cw_err cw_sqlite_fill_filter(struct cw_sqlite *s)
    __attribute__((warn_unused_result));

/* A reader of one's own until it is given back. What is in the journal only, it
 * does not see: cw_sqlite_settled_reader does. */
struct cw_sqlite_conn *cw_sqlite_reader(struct cw_sqlite *s);
/* NULL when that cannot be (logged). */
struct cw_sqlite_conn *cw_sqlite_settled_reader(struct cw_sqlite *s);
/* NULL-safe. */
void cw_sqlite_reader_done(struct cw_sqlite *s, struct cw_sqlite_conn *conn);

/* The number kept as CW_SQLITE_STEPS. Errors: STORE_FAILED. */
#define CW_SQLITE_STEPS "steps"

enum cw_err cw_sqlite_load_steps(struct cw_sqlite *s)
    __attribute__((warn_unused_result));

/* The statement, prepared and without bindings, or NULL (logged), also without a
 * connection. All the calls below take NULL and then fail. */
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

/* A write of one statement: bind, run, and what it means if no row changed. */
struct cw_sqlite_row {
	enum cw_sql sql;
	void (*bind)(sqlite3_stmt *st, const struct cw_sqlite_row *w);
	enum cw_err if_none;
	const void *row;
	const uint8_t *key;
	int64_t a, b, c;
	const char *name;
	struct cw_bytes content;
};

/* For a job: `arg` is such a row. */
enum cw_err cw_sqlite_apply_row(struct cw_sqlite *s,
    struct cw_sqlite_conn *conn, void *arg) __attribute__((warn_unused_result));
/* Binds the row's key, of which `a` is the length, and its number. */
void cw_sqlite_bind_key(sqlite3_stmt *st, const struct cw_sqlite_row *w);

/* A row of SESSION_LOAD or SESSION_EACH. Errors: STORE_CORRUPT. */
enum cw_err cw_sqlite_read_session(sqlite3_stmt *st, struct cw_session *out)
    __attribute__((warn_unused_result));

/* The operations of each table, into the interface. */
void cw_sqlite_session_ops(struct cw_store *store);
void cw_sqlite_sessions_ops(struct cw_store *store);
void cw_sqlite_row_ops(struct cw_store *store);
void cw_sqlite_invitation_ops(struct cw_store *store);
void cw_sqlite_approval_ops(struct cw_store *store);

#endif
