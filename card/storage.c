/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state file: replaced in one step, private, and locked against a second
 * card. The lock is a file beside it, because replacing the state file
 * replaces what a lock on it would hold.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "card/inner.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"

#define PATH_BYTES 1024

struct file_storage {
	char path[PATH_BYTES];
	int lock;
};

static enum cw_err
file_load(void *ctx, struct cw_buf *out)
{
	const struct file_storage *f = ctx;
	struct stat st;

	if (stat(f->path, &st) == 0 && (st.st_mode & 077) != 0)
		return cw_log_fail(CW_ERR_FILE_MODE, "card.state", "path=%s",
		    f->path);
	return cw_file_load(f->path, out);
}

static enum cw_err
file_store(void *ctx, struct cw_bytes state)
{
	const struct file_storage *f = ctx;

	return cw_file_store(f->path, state, 0600);
}

static void
file_close(void *ctx)
{
	struct file_storage *f = ctx;

	close(f->lock);
	free(f);
}

/* Opens and locks the file beside the state file. */
static enum cw_err
lock(struct file_storage *f)
{
	char path[PATH_BYTES + sizeof(".lock")];

	if (snprintf(path, sizeof(path), "%s.lock", f->path) >=
	    (int)sizeof(path))
		return CW_ERR_USAGE;
	f->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (f->lock < 0)
		return cw_log_fail(CW_ERR_IO, "card.lock", "path=%s errno=%d",
		    path, errno);
	if (flock(f->lock, LOCK_EX | LOCK_NB) != 0)
		return cw_log_fail(errno == EWOULDBLOCK ? CW_ERR_LOCKED :
							  CW_ERR_IO,
		    "card.lock", "path=%s", path);
	return CW_OK;
}

enum cw_err
cw_card_file_storage(const char *path, struct cw_card_storage *out)
{
	struct file_storage *f = calloc(1, sizeof(*f));
	enum cw_err err = CW_OK;

	if (f == NULL)
		return CW_ERR_NO_MEMORY;
	f->lock = -1;
	if (snprintf(f->path, sizeof(f->path), "%s", path) >=
	    (int)sizeof(f->path))
		err = CW_ERR_USAGE;
	if (err == CW_OK)
		err = lock(f);
	if (err != CW_OK) {
		if (f->lock >= 0)
			close(f->lock);
		free(f);
		return err;
	}
	*out = (struct cw_card_storage){ .load = file_load,
		.store = file_store,
		.close = file_close,
		.ctx = f };
	return CW_OK;
}
