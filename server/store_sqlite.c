/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The embedded store: schema, connections, life. WAL with synchronous=FULL: a
 * commit that returned survives a power cut.
 */
#include "server/store_sqlite.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

/* 1 had no approvals, 2 no index of sessions without certificates, 3 no journal:
 * they are made to be 4. */
#define SCHEMA_VERSION 4
#define CACHE_MAX 2048
#define JOURNAL_END "-steps"

static const char schema[] =
    "CREATE TABLE IF NOT EXISTS invitation(key INTEGER PRIMARY KEY,"
    "code_hash BLOB NOT NULL,grant_ BLOB NOT NULL,intent BLOB NOT NULL,"
    "created_s INTEGER NOT NULL,expires_s INTEGER NOT NULL,"
    "uses INTEGER NOT NULL,withdrawn INTEGER NOT NULL);"
    "CREATE TABLE IF NOT EXISTS session(n INTEGER PRIMARY KEY,"
    "key INTEGER NOT NULL,id BLOB NOT NULL,invitation BLOB NOT NULL,stage INTEGER NOT NULL,"
    "error INTEGER NOT NULL,created_s INTEGER NOT NULL,"
    "expires_s INTEGER NOT NULL,serial BLOB NOT NULL,digests BLOB NOT NULL,"
    "tag BLOB NOT NULL,request BLOB NOT NULL,grant_ BLOB NOT NULL,"
    "verdict BLOB NOT NULL,sealed BLOB NOT NULL);"
    "CREATE UNIQUE INDEX IF NOT EXISTS session_key ON session(key);"
    "CREATE INDEX IF NOT EXISTS session_open ON session(expires_s) "
    "WHERE stage<4;"
    "CREATE INDEX IF NOT EXISTS session_managed ON session(invitation) "
    "WHERE stage=4 AND serial=x'00000000000000000000000000000000';"
    "CREATE TABLE IF NOT EXISTS step(id INTEGER PRIMARY KEY,"
    "message BLOB NOT NULL,answer BLOB NOT NULL,kept BLOB NOT NULL);"
    "CREATE TABLE IF NOT EXISTS certificate(id INTEGER PRIMARY KEY,"
    "serial_key INTEGER NOT NULL,serial BLOB NOT NULL,session BLOB NOT NULL,"
    "invitation INTEGER NOT NULL,status INTEGER NOT NULL,"
    "wanted INTEGER NOT NULL,changed_s INTEGER NOT NULL,"
    "subject TEXT NOT NULL,profile TEXT NOT NULL,der BLOB NOT NULL);"
    "CREATE INDEX IF NOT EXISTS certificate_wanted ON certificate(status) "
    "WHERE wanted<256 AND status<5;"
    "CREATE UNIQUE INDEX IF NOT EXISTS certificate_serial ON "
    "certificate(serial_key);"
    "CREATE INDEX IF NOT EXISTS certificate_invitation ON "
    "certificate(invitation);"
    "CREATE INDEX IF NOT EXISTS certificate_subject ON certificate(subject);"
    "CREATE TABLE IF NOT EXISTS approval(session INTEGER NOT NULL,"
    "operator BLOB NOT NULL,approved INTEGER NOT NULL,time_s INTEGER NOT NULL,"
    "bytes BLOB NOT NULL,certificate BLOB NOT NULL,"
    "PRIMARY KEY(session,operator)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS policy(version TEXT PRIMARY KEY,"
    "content BLOB NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS number(name TEXT PRIMARY KEY,"
    "value INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS journal(id INTEGER PRIMARY KEY,"
    "at INTEGER NOT NULL,last BLOB NOT NULL);";

/* ---- connections ---- */

static void
conn_close(struct cw_sqlite_conn *conn)
{
	for (size_t i = 0; i < CW_SQL_COUNT; i++)
		sqlite3_finalize(conn->statements[i]);
	sqlite3_close(conn->db);
	memset(conn, 0, sizeof(*conn));
}

static enum cw_err
conn_open(struct cw_sqlite_conn *conn, const char *path, bool writes)
{
	/* A session's rows are 10 KiB: in pages of 16 KiB there are fewer to log,
	 * copy and read. A store that exists keeps the pages that it has. */
	static const char pragmas[] =
	    "PRAGMA page_size=16384;"
	    "PRAGMA journal_mode=WAL;PRAGMA synchronous=FULL;"
	    "PRAGMA temp_store=MEMORY;PRAGMA wal_autocheckpoint=500;";
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX |
	    (writes ? SQLITE_OPEN_CREATE : 0);

	cw_sqlite_vfs_make();
	if (sqlite3_open_v2(path, &conn->db, flags,
		writes ? CW_SQLITE_VFS : NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(conn->db, 5000) != SQLITE_OK ||
	    sqlite3_exec(conn->db, pragmas, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(conn->db,
		writes ? "PRAGMA cache_size=-4096" : "PRAGMA cache_size=-512",
		NULL, NULL, NULL) != SQLITE_OK)
		return cw_sql_failed(conn, path);
	/* SQLite makes do with a file that can only be read, and would stay with
	 * that when the disk is well again: a new process opens it anew. */
	if (sqlite3_db_readonly(conn->db, "main") != 0)
		return cw_log_fail(CW_ERR_STORE_FAILED, "store.readonly",
		    "path=%s", path);
	return CW_OK;
}

static int
user_version(void *out, int n, char **values, char **names)
{
	(void)names;
	if (n == 1 && values[0] != NULL)
		*(long *)out = strtol(values[0], NULL, 10);
	return 0;
}

/* A store of another version is left alone. */
static enum cw_err
make_schema(struct cw_sqlite_conn *conn, const char *path)
{
	char set[64];
	long version = -1;

	snprintf(set, sizeof(set), "PRAGMA user_version=%d", SCHEMA_VERSION);
	if (sqlite3_exec(conn->db, "PRAGMA user_version", user_version,
		&version, NULL) != SQLITE_OK)
		return cw_sql_failed(conn, path);
	if (version == SCHEMA_VERSION)
		return CW_OK;
	if (version < 0 || version > SCHEMA_VERSION)
		return cw_log_fail(CW_ERR_STORE_CORRUPT, "store.version",
		    "path=%s version=%ld known=%d", path, version,
		    SCHEMA_VERSION);
	if (sqlite3_exec(conn->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) !=
		SQLITE_OK ||
	    sqlite3_exec(conn->db, schema, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(conn->db, set, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(conn->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		return cw_sql_failed(conn, path);
	return CW_OK;
}

struct cw_sqlite_conn *
cw_sqlite_reader(struct cw_sqlite *s)
{
	struct cw_sqlite_conn *conn;

	pthread_mutex_lock(&s->readers_mutex);
	while (s->free_readers == NULL)
		pthread_cond_wait(&s->reader_free, &s->readers_mutex);
	conn = s->free_readers;
	s->free_readers = conn->next_free;
	pthread_mutex_unlock(&s->readers_mutex);
	return conn;
}

struct cw_sqlite_conn *
cw_sqlite_settled_reader(struct cw_sqlite *s)
{
	return cw_sqlite_settle(s) == CW_OK ? cw_sqlite_reader(s) : NULL;
}

void
cw_sqlite_reader_done(struct cw_sqlite *s, struct cw_sqlite_conn *conn)
{
	if (conn == NULL)
		return;
	pthread_mutex_lock(&s->readers_mutex);
	conn->next_free = s->free_readers;
	s->free_readers = conn;
	pthread_cond_signal(&s->reader_free);
	pthread_mutex_unlock(&s->readers_mutex);
}

/* ---- life ---- */

static void
store_close(struct cw_store *store)
{
	struct cw_sqlite *s = (struct cw_sqlite *)store;

	cw_sqlite_writer_stop(s);
	cw_journal_close(&s->journal);
	for (size_t i = 0; i < CW_SQLITE_READERS; i++)
		conn_close(&s->readers[i]);
	conn_close(&s->writer);
	cw_store_cache_free(&s->cache);
	cw_store_filter_free(&s->filter);
	for (size_t i = 0; i < CW_SQLITE_RECENT; i++)
		cw_invitation_wipe(&s->recent[i].row);
	pthread_mutex_destroy(&s->recent_mutex);
	pthread_mutex_destroy(&s->readers_mutex);
	pthread_cond_destroy(&s->reader_free);
	free(s);
}

static uint64_t
commits(struct cw_store *store)
{
	return atomic_load(&((struct cw_sqlite *)store)->commits);
}

static uint64_t
steps(struct cw_store *store)
{
	return atomic_load(&((struct cw_sqlite *)store)->steps_stored);
}

static bool
is_well(struct cw_store *store)
{
	return atomic_load(&((struct cw_sqlite *)store)->well);
}

static void
init(struct cw_sqlite *s, const char *path, bool is_owner)
{
	snprintf(s->path, sizeof(s->path), "%s", path);
	snprintf(s->journal_path, sizeof(s->journal_path), "%s" JOURNAL_END,
	    path);
	s->is_owner = is_owner;
	s->store.close = store_close;
	s->store.commits = commits;
	s->store.steps = steps;
	s->store.is_well = is_well;
	cw_sqlite_session_ops(&s->store);
	cw_sqlite_sessions_ops(&s->store);
	cw_sqlite_invitation_ops(&s->store);
	cw_sqlite_row_ops(&s->store);
	cw_sqlite_approval_ops(&s->store);
	pthread_mutex_init(&s->readers_mutex, NULL);
	pthread_cond_init(&s->reader_free, NULL);
	pthread_mutex_init(&s->recent_mutex, NULL);
	for (size_t i = 0; i < CW_SQLITE_RECENT; i++)
		cw_invitation_init(&s->recent[i].row);
	cw_sqlite_writer_init(s);
	atomic_store(&s->well, true);
}

static enum cw_err
open_files(struct cw_sqlite *s)
{
	mode_t mask = umask(077);
	enum cw_err err = conn_open(&s->writer, s->path, true);

	if (err == CW_OK && s->is_owner)
		err = cw_journal_open(s->journal_path, &s->journal);
	umask(mask);
	if (err == CW_OK)
		err = make_schema(&s->writer, s->path);
	for (size_t i = 0; i < CW_SQLITE_READERS && err == CW_OK; i++) {
		err = conn_open(&s->readers[i], s->path, false);
		s->readers[i].next_free = s->free_readers;
		s->free_readers = &s->readers[i];
	}
	return err;
}

static enum cw_err
open_store(const char *path, bool is_owner, struct cw_store **out)
{
	struct cw_sqlite *s = calloc(1, sizeof(*s));
	enum cw_err err;

	if (s == NULL)
		return CW_ERR_NO_MEMORY;
	init(s, path, is_owner);
	s->cache = cw_store_cache_new(CACHE_MAX);
	s->filter = is_owner ? cw_store_filter_new() : NULL;
	err = s->cache == NULL || (is_owner && s->filter == NULL) ?
	    CW_ERR_NO_MEMORY :
	    open_files(s);
	if (err == CW_OK)
		err = cw_sqlite_begin(s);
	if (err == CW_OK && is_owner)
		err = cw_sqlite_fill_filter(s);
	if (err == CW_OK)
		err = cw_sqlite_load_steps(s);
	if (err == CW_OK)
		err = cw_sqlite_writer_start(s);
	if (err != CW_OK) {
		store_close(&s->store);
		return err;
	}
	*out = &s->store;
	return CW_OK;
}

enum cw_err
cw_store_open_sqlite(const char *path, struct cw_store **out)
{
	return open_store(path, true, out);
}

enum cw_err
cw_store_join_sqlite(const char *path, struct cw_store **out)
{
	return open_store(path, false, out);
}
