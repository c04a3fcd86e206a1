/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The write-ahead log in large writes. SQLite writes every page that a
 * transaction changed on its own, in two calls, and syncs the file at the
 * commit; here they are gathered and go to the system in one call before that.
 * All other files, and what SQLite means by its calls, stay as they are: what
 * is gathered is written before the log is synced, read, measured or closed,
 * and no reader looks at frames before the sync after which they are announced.
 */
#include <pthread.h>
#include <stdlib.h>

#include "server/store_sqlite.h"

/* 7 frames of a page of 16384 bytes, or 31 of one of 4096. SQLite's own file layer
 * takes writes of less than 0x20000 bytes; of a length that is a multiple of it, it
 * writes nothing. */
#define GATHERED_MAX (31 * 4120)

struct wal_file {
	sqlite3_file base; /* first: what SQLite sees */
	uint8_t *gathered; /* GATHERED_MAX */
	int n;
	sqlite3_int64 at; /* where they belong */
	/* The system's own sqlite3_file stands behind this struct. */
};

static sqlite3_vfs vfs;

static sqlite3_vfs *
parent(void)
{
	return vfs.pAppData;
}

static sqlite3_file *
real(sqlite3_file *file)
{
	return (sqlite3_file *)((struct wal_file *)file + 1);
}

/* What cannot be written is not kept: SQLite takes the transaction back. */
static int
flush(sqlite3_file *file)
{
	struct wal_file *w = (struct wal_file *)file;
	int n = w->n;

	w->n = 0;
	return n == 0 ?
	    SQLITE_OK :
	    real(file)->pMethods->xWrite(real(file), w->gathered, n, w->at);
}

static int
wal_close(sqlite3_file *file)
{
	int written = flush(file);
	int closed = real(file)->pMethods->xClose(real(file));

	free(((struct wal_file *)file)->gathered);
	return written != SQLITE_OK ? written : closed;
}

static int
wal_read(sqlite3_file *file, void *out, int n, sqlite3_int64 at)
{
	int rc = flush(file);

	return rc != SQLITE_OK ?
	    rc :
	    real(file)->pMethods->xRead(real(file), out, n, at);
}

static int
wal_write(sqlite3_file *file, const void *in, int n, sqlite3_int64 at)
{
	struct wal_file *w = (struct wal_file *)file;
	int rc = SQLITE_OK;

	if (w->n > 0 && (at != w->at + w->n || n > GATHERED_MAX - w->n))
		rc = flush(file);
	if (rc != SQLITE_OK)
		return rc;
	if (n > GATHERED_MAX)
		return real(file)->pMethods->xWrite(real(file), in, n, at);
	if (w->n == 0)
		w->at = at;
	memcpy(w->gathered + w->n, in, (size_t)n);
	w->n += n;
	return SQLITE_OK;
}

static int
wal_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	int rc = flush(file);

	return rc != SQLITE_OK ?
	    rc :
	    real(file)->pMethods->xTruncate(real(file), size);
}

static int
wal_sync(sqlite3_file *file, int flags)
{
	int rc = flush(file);

	return rc != SQLITE_OK ? rc :
				 real(file)->pMethods->xSync(real(file), flags);
}

static int
wal_size(sqlite3_file *file, sqlite3_int64 *size)
{
	int rc = flush(file);

	return rc != SQLITE_OK ?
	    rc :
	    real(file)->pMethods->xFileSize(real(file), size);
}

static int
wal_lock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xLock(real(file), level);
}

static int
wal_unlock(sqlite3_file *file, int level)
{
	return real(file)->pMethods->xUnlock(real(file), level);
}

static int
wal_reserved(sqlite3_file *file, int *out)
{
	return real(file)->pMethods->xCheckReservedLock(real(file), out);
}

static int
wal_control(sqlite3_file *file, int op, void *arg)
{
	int rc = flush(file);

	return rc != SQLITE_OK ?
	    rc :
	    real(file)->pMethods->xFileControl(real(file), op, arg);
}

static int
wal_sector(sqlite3_file *file)
{
	return real(file)->pMethods->xSectorSize(real(file));
}

static int
wal_characteristics(sqlite3_file *file)
{
	return real(file)->pMethods->xDeviceCharacteristics(real(file));
}

static const sqlite3_io_methods wal_methods = { 1, wal_close, wal_read,
	wal_write, wal_truncate, wal_sync, wal_size, wal_lock, wal_unlock,
	wal_reserved, wal_control, wal_sector, wal_characteristics, NULL, NULL,
	NULL, NULL, NULL, NULL };

static int
vfs_open(sqlite3_vfs *self, const char *name, sqlite3_file *file, int flags,
    int *out_flags)
{
	struct wal_file *w = (struct wal_file *)file;
	int rc;

	(void)self;
	if ((flags & SQLITE_OPEN_WAL) == 0)
		return parent()->xOpen(parent(), name, file, flags, out_flags);
	memset(w, 0, sizeof(*w));
	w->gathered = malloc(GATHERED_MAX);
	if (w->gathered == NULL)
		return SQLITE_NOMEM;
	rc = parent()->xOpen(parent(), name, real(file), flags, out_flags);
	if (rc == SQLITE_OK)
		w->base.pMethods = &wal_methods;
	else
		free(w->gathered);
	return rc;
}

static void
make_vfs(void)
{
	sqlite3_vfs *system;

	/* Before SQLite's first call: to count the memory that it has, which nobody
	 * asks for, it would take one lock of all connections for each piece. */
	(void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	system = sqlite3_vfs_find(NULL);
	if (system == NULL)
		return;
	vfs = *system;
	vfs.pNext = NULL;
	vfs.zName = CW_SQLITE_VFS;
	vfs.pAppData = system;
	vfs.szOsFile += (int)sizeof(struct wal_file);
	vfs.xOpen = vfs_open;
	(void)sqlite3_vfs_register(&vfs, 0);
}

void
cw_sqlite_vfs_make(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, make_vfs);
}
