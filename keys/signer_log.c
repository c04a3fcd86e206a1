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

#include "proto/base/fdio.h"
#include "proto/base/log.h"

/* What one round of requests can leave pending, with room to spare. */
#define PENDING_MAX ((size_t)4 * CW_SIGNER_CHANNELS * CW_RECORD_MAX)

static uint32_t
get_u32be(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static enum cw_err
corrupt(uint64_t at, enum cw_err why)
{
	return cw_log_fail(CW_ERR_BAD_STATE_FILE, "signer.log.corrupt",
	    "at=%llu why=%s", (unsigned long long)at, cw_err_name(why));
}

/* A whole record that follows the one before. */
static enum cw_err
take_record(struct cw_signer_log *log, struct cw_bytes cbor, uint64_t at)
{
	struct cw_record record;
	enum cw_err err = cw_record_decode(cbor, &record);

	if (err == CW_OK &&
	    memcmp(record.previous, log->last, CW_HASH_BYTES) != 0)
		err = CW_ERR_BAD_SIGNATURE;
	if (err == CW_OK)
		err = cw_index_add(&log->index, &record, at, cbor.len);
	if (err == CW_ERR_NO_MEMORY)
		return err;
	if (err != CW_OK)
		return corrupt(at, err);
	cw_hash(cbor, log->last);
	return CW_OK;
}

/*
 * Less than a record is left. It is what a torn write leaves only if its bytes
 * are the beginning of one record and no whole one: a changed length must not
 * make an answered record disappear.
 */
static enum cw_err
check_torn(const struct cw_signer_log *log, struct cw_bytes rest)
{
	struct cw_record record;
	struct cw_bytes cbor;
	enum cw_err err;

	if (rest.len <= CW_RECORD_HEAD)
		return CW_OK;
	cbor = cw_bytes(rest.ptr + CW_RECORD_HEAD, rest.len - CW_RECORD_HEAD);
	err = cw_record_decode(cbor, &record);
	if (err != CW_ERR_TRUNCATED)
		return corrupt(log->size, err);
	return CW_OK;
}

static enum cw_err
take_all(struct cw_signer_log *log, struct cw_bytes all)
{
	enum cw_err err = CW_OK;

	while (err == CW_OK && all.len > 0) {
		size_t len = all.len < CW_RECORD_HEAD ? 0 : get_u32be(all.ptr);

		if (len > CW_RECORD_MAX)
			return corrupt(log->size, CW_ERR_TOO_LARGE);
		if (all.len < CW_RECORD_HEAD || all.len - CW_RECORD_HEAD < len)
			return check_torn(log, all);
		err = take_record(log, cw_bytes(all.ptr + CW_RECORD_HEAD, len),
		    log->size + CW_RECORD_HEAD);
		all.ptr += CW_RECORD_HEAD + len;
		all.len -= CW_RECORD_HEAD + len;
		if (err == CW_OK)
			log->size += CW_RECORD_HEAD + len;
	}
	return err;
}

static enum cw_err
load(struct cw_signer_log *log, const struct stat *st)
{
	size_t size = (size_t)st->st_size;
	enum cw_err err;
	void *map;

	if (size == 0)
		return CW_OK;
	map = mmap(NULL, size, PROT_READ, MAP_PRIVATE, log->fd, 0);
	if (map == MAP_FAILED)
		return CW_ERR_IO;
	err = take_all(log, cw_bytes(map, size));
	munmap(map, size);
	if (err == CW_OK && log->size < size) {
		cw_log(CW_LOG_WARN, "signer.log.torn", "at=%llu bytes=%llu",
		    (unsigned long long)log->size,
		    (unsigned long long)(size - log->size));
		if (ftruncate(log->fd, (off_t)log->size) != 0 ||
		    fsync(log->fd) != 0)
			err = CW_ERR_IO;
	}
	return err;
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

enum cw_err
cw_signer_log_open(struct cw_signer_log *log, const char *path)
{
	struct stat st;
	enum cw_err err;

	memset(log, 0, sizeof(*log));
	cw_buf_init(&log->pending, PENDING_MAX);
	cw_index_init(&log->index);
	log->fd = open(path,
	    O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (log->fd < 0)
		err = errno == ENOENT ? CW_ERR_NO_FILE : CW_ERR_IO;
	else if (flock(log->fd, LOCK_EX | LOCK_NB) != 0)
		err = errno == EWOULDBLOCK ? CW_ERR_LOCKED : CW_ERR_IO;
	else if (fstat(log->fd, &st) != 0 || !S_ISREG(st.st_mode))
		err = CW_ERR_IO;
	else if ((st.st_mode & (S_IRWXG | S_IRWXO)) != 0)
		err = CW_ERR_FILE_MODE;
	else
		err = load(log, &st);
	if (err == CW_OK && log->size == 0)
		err = sync_folder(path);
	if (err != CW_OK)
		cw_signer_log_close(log);
	return err;
}

void
cw_signer_log_close(struct cw_signer_log *log)
{
	if (log->fd >= 0)
		close(log->fd);
	log->fd = -1;
	cw_buf_wipe(&log->pending);
	cw_index_wipe(&log->index);
}

enum cw_err
cw_signer_log_append(struct cw_signer_log *log, struct cw_record *record)
{
	struct cw_buf *b = &log->pending;
	size_t start = b->len, len;
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
	cbor = cw_bytes(b->ptr + start + CW_RECORD_HEAD, len);
	err = cw_index_add(&log->index, record,
	    log->size + start + CW_RECORD_HEAD, len);
	if (err == CW_OK)
		cw_hash(cbor, log->last);
	else
		cw_buf_truncate(b, start);
	return err;
}

enum cw_err
cw_signer_log_commit(struct cw_signer_log *log)
{
	enum cw_err err;

	if (log->pending.len == 0)
		return CW_OK;
	err = cw_fd_write(log->fd, cw_buf_bytes(&log->pending));
	if (err == CW_OK && fdatasync(log->fd) != 0)
		err = CW_ERR_IO;
	if (err != CW_OK)
		return cw_log_fail(CW_ERR_SIGNER_LOG, "signer.log.write",
		    "why=%s errno=%d", cw_err_name(err), errno);
	log->size += log->pending.len;
	cw_buf_reset(&log->pending);
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
