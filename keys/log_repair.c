/* SPDX-License-Identifier: Apache-2.0 */
/* The log of a signer that does not start: seen, and cut. */
#include "keys/log_repair.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/keyfile.h"
#include "keys/signer_log_check.h"
#include "proto/base/fdio.h"

struct repair {
	const struct cw_log_repair *o;
	struct cw_signer_log log;
	struct cw_log_check check;
	struct stat st;
	struct cw_bytes all;
	char head[CW_PATH_MAX];
	enum cw_err head_err;
};

static enum cw_err
load_key(struct repair *r)
{
	struct cw_buf b;
	enum cw_err err;

	cw_buf_init(&b, CW_TAG_BYTES);
	err = cw_file_load_own(r->o->tag_key, &b);
	if (err == CW_OK && b.len != CW_TAG_BYTES)
		err = CW_ERR_BAD_PRIVATE_KEY;
	if (err == CW_OK)
		err = cw_signer_log_init(&r->log, b.ptr);
	cw_buf_wipe(&b);
	return err;
}

static enum cw_err
open_log(struct repair *r)
{
	struct cw_signer_log *log = &r->log;
	void *map;

	log->fd = open(r->o->log, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (log->fd < 0)
		return errno == ENOENT ? CW_ERR_NO_FILE : CW_ERR_IO;
	if (flock(log->fd, LOCK_EX | LOCK_NB) != 0)
		return errno == EWOULDBLOCK ? CW_ERR_LOCKED : CW_ERR_IO;
	if (fstat(log->fd, &r->st) != 0 || !S_ISREG(r->st.st_mode))
		return CW_ERR_IO;
	if (r->st.st_size == 0)
		return CW_OK;
	map = mmap(NULL, (size_t)r->st.st_size, PROT_READ, MAP_PRIVATE, log->fd,
	    0);
	if (map == MAP_FAILED)
		return CW_ERR_IO;
	r->all = cw_bytes(map, (size_t)r->st.st_size);
	return CW_OK;
}

/* A head that is not there or cannot be believed says nothing. */
static enum cw_err
open_head(struct repair *r)
{
	enum cw_err err = cw_log_head_path(r->o->log, r->head, sizeof(r->head));

	if (err != CW_OK)
		return err;
	r->log.head_fd = open(r->head, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	if (r->log.head_fd < 0 && errno != ENOENT)
		return CW_ERR_IO;
	r->head_err = r->log.head_fd < 0 ?
	    CW_ERR_LOG_CUT :
	    cw_log_head_read(r->log.head_fd, r->log.key, &r->check.head);
	r->check.has_head = r->head_err == CW_OK;
	return CW_OK;
}

/* What the signer would say. */
static enum cw_err
judge(const struct repair *r)
{
	const struct cw_log_check *c = &r->check;

	if (c->tail == CW_LOG_TAIL_DAMAGED)
		return CW_ERR_BAD_STATE_FILE;
	return !c->head_was_seen || r->head_err != CW_OK ? CW_ERR_LOG_CUT :
							   CW_OK;
}

static void
say(const struct repair *r)
{
	static const char *const tails[] = {
		[CW_LOG_TAIL_NONE] = "nothing but room",
		[CW_LOG_TAIL_TORN] = "a write that was never finished",
		[CW_LOG_TAIL_DAMAGED] = "records that are not what they were",
	};
	const struct cw_log_check *c = &r->check;
	size_t revoked = 0;

	for (size_t i = 0; i < r->log.index.n_entries; i++)
		revoked += r->log.index.entries[i].revoked;
	printf("%s: %llu bytes hold: %zu certificates, %zu of them revoked\n",
	    r->o->log, (unsigned long long)r->log.size, r->log.index.n_entries,
	    revoked);
	printf("behind them: %zu bytes, %s", c->used, tails[c->tail]);
	if (c->tail == CW_LOG_TAIL_DAMAGED)
		printf(" (%s)", cw_err_name(c->why));
	if (!c->has_head)
		printf("\n%s: missing, or not by this key\n", r->head);
	else
		printf("\n%s: the log goes to byte %llu%s\n", r->head,
		    (unsigned long long)c->head.size,
		    c->head_was_seen ? "" : ", which is not what is there");
}

/* The signer's own user must be able to write it. */
static enum cw_err
make_head(struct repair *r)
{
	struct cw_signer_log *log = &r->log;

	if (log->head_fd >= 0)
		return CW_OK;
	log->head_fd = open(r->head,
	    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
	return log->head_fd >= 0 &&
		fchown(log->head_fd, r->st.st_uid, r->st.st_gid) == 0 ?
	    CW_OK :
	    CW_ERR_IO;
}

static enum cw_err
cut(struct repair *r)
{
	char path[CW_PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s.cut-%llu", r->o->log,
	    (unsigned long long)r->log.size);
	enum cw_err err = CW_OK;

	if (n < 0 || (size_t)n >= sizeof(path))
		return CW_ERR_TOO_LARGE;
	if (r->check.used > 0) {
		err = cw_newfile_store(path,
		    cw_bytes(r->all.ptr + r->log.size, r->check.used), 0600);
		if (err == CW_OK &&
		    (ftruncate(r->log.fd, (off_t)r->log.size) != 0 ||
			fsync(r->log.fd) != 0))
			err = CW_ERR_IO;
	}
	if (err == CW_OK)
		err = make_head(r);
	if (err == CW_OK)
		err = cw_signer_log_sync_head(&r->log, r->o->log);
	if (err == CW_OK)
		printf("cut: the log ends at byte %llu now%s%s\n",
		    (unsigned long long)r->log.size,
		    r->check.used > 0 ? "; what stood behind it is in " : "",
		    r->check.used > 0 ? path : "");
	return err;
}

enum cw_err
cw_log_repair_run(const struct cw_log_repair *o)
{
	struct repair r = { .o = o, .log = { .fd = -1, .head_fd = -1 } };
	enum cw_err err;

	if (o->log == NULL || o->tag_key == NULL)
		return CW_ERR_USAGE;
	err = load_key(&r);
	if (err != CW_OK)
		return err;
	err = open_log(&r);
	if (err == CW_OK)
		err = open_head(&r);
	if (err == CW_OK)
		err = cw_signer_log_check(&r.log, r.all, &r.check);
	if (err == CW_OK) {
		say(&r);
		err = judge(&r);
		if (err != CW_OK && o->cut)
			err = cut(&r);
	}
	if (r.all.len > 0)
		munmap((void *)(uintptr_t)r.all.ptr, r.all.len);
	cw_signer_log_close(&r.log);
	return err;
}
