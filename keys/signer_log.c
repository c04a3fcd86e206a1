/* SPDX-License-Identifier: Apache-2.0 */
/* The log: verified at start, then only appended to. */
#include "keys/signer_log.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/signer_log_check.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"

#define ROOM_STEP 65536u

/* Nothing is kept of what cannot have been answered; anything else stays for a
 * person to see. */
static enum cw_err
judge(struct cw_signer_log *log, const struct cw_log_check *c)
{
	unsigned long long at = log->size;

	if (c->tail == CW_LOG_TAIL_DAMAGED)
		return cw_log_fail(CW_ERR_BAD_STATE_FILE, "signer.log.corrupt",
		    "at=%llu bytes=%zu why=%s", at, c->used,
		    cw_err_name(c->why));
	if (!c->head_was_seen)
		return cw_log_fail(CW_ERR_LOG_CUT, "signer.log.cut",
		    "at=%llu head=%llu", at, (unsigned long long)c->head.size);
	if (c->tail == CW_LOG_TAIL_NONE)
		return CW_OK;
	cw_log(CW_LOG_WARN, "signer.log.torn", "at=%llu bytes=%zu", at,
	    c->used);
	log->room = log->size;
	return ftruncate(log->fd, (off_t)at) == 0 && fsync(log->fd) == 0 ?
	    CW_OK :
	    CW_ERR_IO;
}

/* With the wrong key head and records are both foreign; the records say so more
 * clearly. */
static enum cw_err
load(struct cw_signer_log *log, size_t size)
{
	struct cw_log_check check = { .has_head = true };
	enum cw_err head, err;
	void *map = NULL;

	head = cw_log_head_read(log->head_fd, log->key, &check.head);
	if (head == CW_ERR_IO)
		return head;
	if (size > 0) {
		map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, log->fd, 0);
		if (map == MAP_FAILED)
			return CW_ERR_IO;
	}
	log->room = size;
	err = cw_signer_log_check(log, cw_bytes(map, size), &check);
	if (size > 0)
		munmap(map, size);
	if (err != CW_OK)
		return err;
	return head == CW_OK ? judge(log, &check) : head;
}

/* A new file's name must last too. */
static enum cw_err
sync_folder(const char *path)
{
	char copy[CW_PATH_MAX];
	enum cw_err err;
	int fd;

	snprintf(copy, sizeof(copy), "%s", path);
	fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return CW_ERR_IO;
	err = fsync(fd) == 0 ? CW_OK : CW_ERR_IO;
	close(fd);
	return err;
}

static enum cw_err
open_file(const char *path, int flags, int *fd, struct stat *st)
{
	*fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
	if (*fd < 0)
		return errno == ENOENT ? CW_ERR_NO_FILE : CW_ERR_IO;
	if (fstat(*fd, st) != 0 || !S_ISREG(st->st_mode))
		return CW_ERR_IO;
	return (st->st_mode & (S_IRWXG | S_IRWXO)) != 0 ? CW_ERR_FILE_MODE :
							  CW_OK;
}

static enum cw_err
write_head(struct cw_signer_log *log)
{
	struct cw_log_head head = { .size = log->size };

	memcpy(head.last, log->last, CW_HASH_BYTES);
	return cw_log_head_write(log->head_fd, log->key, &head);
}

enum cw_err
cw_signer_log_sync_head(struct cw_signer_log *log, const char *path)
{
	enum cw_err err = write_head(log);

	if (err == CW_OK && fsync(log->head_fd) != 0)
		err = CW_ERR_IO;
	return err == CW_OK && path != NULL ? sync_folder(path) : err;
}

/* Both or neither: the head is there, and durable, before the first record. */
static enum cw_err
open_head(struct cw_signer_log *log, const char *path, bool is_new)
{
	char head[CW_PATH_MAX];
	struct stat st;
	enum cw_err err = cw_log_head_path(path, head, sizeof(head));

	if (err == CW_OK)
		err = open_file(head, is_new ? O_CREAT : 0, &log->head_fd, &st);
	if (err == CW_ERR_NO_FILE)
		return cw_log_fail(CW_ERR_LOG_CUT, "signer.log.head", "file=%s",
		    head);
	/* A log that lost all its bytes has a head that says so. */
	if (err != CW_OK || !is_new || st.st_size > 0)
		return err;
	return cw_signer_log_sync_head(log, path);
}

static enum cw_err
open_files(struct cw_signer_log *log, const char *path)
{
	struct stat st;
	enum cw_err err = open_file(path, O_CREAT, &log->fd, &st);

	if (err == CW_OK && flock(log->fd, LOCK_EX | LOCK_NB) != 0)
		err = errno == EWOULDBLOCK ? CW_ERR_LOCKED : CW_ERR_IO;
	if (err == CW_OK)
		err = open_head(log, path, st.st_size == 0);
	return err == CW_OK ? load(log, (size_t)st.st_size) : err;
}

enum cw_err
cw_signer_log_init(struct cw_signer_log *log,
    const uint8_t tag_key[CW_TAG_BYTES])
{
	static const char label[] = "CW1 signer log";

	memset(log, 0, sizeof(*log));
	log->fd = log->head_fd = -1;
	cw_buf_init(&log->pending, CW_LOG_PENDING_MAX);
	cw_index_init(&log->index);
	log->key = cw_secret_new(CW_HASH_BYTES);
	if (log->key == NULL)
		return CW_ERR_NO_MEMORY;
	cw_hmac_sha256(cw_bytes(tag_key, CW_TAG_BYTES), cw_bytes_str(label),
	    log->key);
	return CW_OK;
}

enum cw_err
cw_signer_log_open(struct cw_signer_log *log, const char *path,
    const uint8_t tag_key[CW_TAG_BYTES])
{
	enum cw_err err = cw_signer_log_init(log, tag_key);

	if (err == CW_OK)
		err = open_files(log, path);
	if (err == CW_OK)
		err = cw_signer_log_sync_head(log, NULL);
	if (err != CW_OK)
		cw_signer_log_close(log);
	return err;
}

void
cw_signer_log_close(struct cw_signer_log *log)
{
	if (log->head_fd >= 0) {
		(void)fdatasync(log->head_fd); /* else it is an older one */
		close(log->head_fd);
	}
	if (log->fd >= 0)
		close(log->fd);
	log->fd = log->head_fd = -1;
	cw_secret_free(&log->key);
	cw_buf_wipe(&log->pending);
	cw_index_wipe(&log->index);
}

enum cw_err
cw_signer_log_append(struct cw_signer_log *log, struct cw_record *record)
{
	struct cw_buf *b = &log->pending;
	size_t start = b->len, len;
	uint8_t mac[CW_RECORD_MAC];
	struct cw_bytes cbor;
	enum cw_err err;

	memcpy(record->previous, log->last, CW_HASH_BYTES);
	cw_buf_put_u32be(b, 0);
	cw_record_encode(record, b);
	if (b->err != CW_OK)
		return b->err;
	len = b->len - start - CW_RECORD_HEAD;
	b->ptr[start] = (uint8_t)(len >> 24);
	b->ptr[start + 1] = (uint8_t)(len >> 16);
	b->ptr[start + 2] = (uint8_t)(len >> 8);
	b->ptr[start + 3] = (uint8_t)len;
	cw_signer_log_mac(log, cw_bytes(b->ptr + start + CW_RECORD_HEAD, len),
	    mac);
	cw_buf_put(b, CW_BYTES_ARRAY(mac));
	if (b->err != CW_OK)
		return b->err;
	cbor = cw_bytes(b->ptr + start + CW_RECORD_HEAD, len);
	err = cw_index_add(&log->index, record,
	    log->size + start + CW_RECORD_HEAD, len);
	if (err == CW_OK)
		cw_hash(cbor, log->last);
	else
		cw_buf_truncate(b, start);
	return err;
}

static enum cw_err
write_at(int fd, struct cw_bytes bytes, uint64_t at)
{
	while (bytes.len > 0) {
		ssize_t n = pwrite(fd, bytes.ptr, bytes.len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 && errno != ENOSPC && errno != EDQUOT ?
			    CW_ERR_IO :
			    CW_ERR_NO_SPACE;
		bytes.ptr += n;
		bytes.len -= (size_t)n;
		at += (uint64_t)n;
	}
	return CW_OK;
}

/* Zeros up to a step behind `end`: within them a commit changes no size, and
 * fdatasync has no inode to write. Without them it does, and that is all. */
static void
make_room(struct cw_signer_log *log, uint64_t end)
{
	static const uint8_t zeros[ROOM_STEP];

	if (end > log->room)
		log->room = end +
		    (write_at(log->fd, CW_BYTES_ARRAY(zeros), end) == CW_OK ?
			    ROOM_STEP :
			    0);
}

enum cw_err
cw_signer_log_commit(struct cw_signer_log *log)
{
	enum cw_err err;

	if (log->pending.len == 0)
		return CW_OK;
	err = write_at(log->fd, cw_buf_bytes(&log->pending), log->size);
	if (err == CW_OK)
		make_room(log, log->size + log->pending.len);
	if (err == CW_OK && fdatasync(log->fd) != 0)
		err = CW_ERR_IO;
	if (err == CW_OK) {
		log->commits++;
		log->size += log->pending.len;
		cw_buf_reset(&log->pending);
		err = write_head(log);
	}
	if (err != CW_OK)
		return cw_log_fail(CW_ERR_SIGNER_LOG, "signer.log.write",
		    "why=%s errno=%d", cw_err_name(err), errno);
	return CW_OK;
}

static bool
read_at(int fd, uint8_t *out, size_t len, uint64_t at)
{
	while (len > 0) {
		ssize_t n = pread(fd, out, len, (off_t)at);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		out += n;
		at += (uint64_t)n;
		len -= (size_t)n;
	}
	return true;
}

enum cw_err
cw_signer_log_certificate(const struct cw_signer_log *log,
    const struct cw_index_entry *entry, struct cw_buf *out)
{
	uint8_t *copy = NULL;
	struct cw_record record;
	struct cw_bytes cbor;
	struct cw_buf b;
	enum cw_err err = CW_OK;

	cw_buf_init(&b, CW_RECORD_MAX);
	if (entry->at >= log->size) {
		cbor = cw_bytes(log->pending.ptr + (entry->at - log->size),
		    entry->len);
	} else {
		copy = cw_buf_extend(&b, entry->len);
		cbor = cw_buf_bytes(&b);
		if (copy == NULL ||
		    !read_at(log->fd, copy, entry->len, entry->at))
			err = CW_ERR_SIGNER_LOG;
	}
	if (err == CW_OK && cw_record_decode(cbor, &record) != CW_OK)
		err = CW_ERR_SIGNER_LOG;
	if (err == CW_OK)
		cw_buf_put(out, record.certificate);
	cw_buf_wipe(&b);
	return err;
}
