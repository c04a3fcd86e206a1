/* SPDX-License-Identifier: Apache-2.0 */
/* A log and its past. */
#include "tests/support/log_file.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "tests/support/check.h"

const uint8_t cw_log_file_key[CW_TAG_BYTES] = { 7, 1, 8 };

struct cw_record
cw_log_file_certified(uint8_t n)
{
	static uint8_t certificate[300];
	struct cw_record r = { .kind = CW_RECORD_CERTIFIED,
		.time_s = 1700000000u + n,
		.key_id = n,
		.certificate = CW_BYTES_ARRAY(certificate) };

	memset(certificate, 0x5a, sizeof(certificate));
	memset(r.th, n, sizeof(r.th));
	memset(r.grant, 1, sizeof(r.grant));
	memset(r.request, n, sizeof(r.request));
	memset(r.serial, n, sizeof(r.serial));
	return r;
}

struct cw_record
cw_log_file_revoked(uint8_t n)
{
	struct cw_record r = { .kind = CW_RECORD_REVOKED, .reason = 1 };

	memset(r.serial, n, sizeof(r.serial));
	return r;
}

static void
keep(struct cw_log_file *f, struct cw_signer_log *log)
{
	struct cw_buf head;

	assert_err(cw_signer_log_commit(log), CW_OK);
	assert_true(f->commits < CW_LOG_FILE_COMMITS);
	f->ends[f->commits] = log->size;
	cw_buf_init(&head, CW_LOG_HEAD_BYTES);
	assert_err(cw_file_load(f->head_path, &head), CW_OK);
	assert_int_equal(head.len, CW_LOG_HEAD_BYTES);
	memcpy(f->heads[f->commits++], head.ptr, head.len);
	cw_buf_wipe(&head);
	cw_buf_reset(&f->whole);
	assert_err(cw_file_load(f->path, &f->whole), CW_OK);
	cw_buf_truncate(&f->whole, log->size);
}

void
cw_log_file_make(struct cw_log_file *f)
{
	const struct cw_record records[] = {
		{ .kind = CW_RECORD_START },
		cw_log_file_certified(1),
		cw_log_file_certified(2),
		cw_log_file_revoked(1),
		cw_log_file_certified(3),
		{ .kind = CW_RECORD_REQUESTED, .nonce = { 1 } },
		{ .kind = CW_RECORD_DONE, .th = { 1 } },
	};
	struct cw_signer_log log;

	memset(f, 0, sizeof(*f));
	/* where a sync costs nothing, if there is such a place */
	snprintf(f->dir, sizeof(f->dir), "%s/cw-log.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(f->dir));
	snprintf(f->path, sizeof(f->path), "%s/log", f->dir);
	snprintf(f->head_path, sizeof(f->head_path), "%s.head", f->path);
	cw_buf_init(&f->whole, (size_t)1 << 22);
	assert_err(cw_signer_log_open(&log, f->path, cw_log_file_key), CW_OK);
	for (size_t i = 0; i < COUNT(records); i++) {
		struct cw_record record = records[i];

		assert_err(cw_signer_log_append(&log, &record), CW_OK);
		keep(f, &log);
	}
	cw_signer_log_close(&log);
}

void
cw_log_file_free(struct cw_log_file *f)
{
	cw_buf_wipe(&f->whole);
	unlink(f->path);
	unlink(f->head_path);
	rmdir(f->dir);
}

void
cw_log_file_commit(struct cw_log_file *f, uint8_t first, size_t n)
{
	struct cw_signer_log log;

	assert_err(cw_log_file_open(f, &log, cw_buf_bytes(&f->whole),
		       f->commits),
	    CW_OK);
	for (size_t i = 0; i < n; i++) {
		struct cw_record r =
		    cw_log_file_certified((uint8_t)(first + i));

		assert_err(cw_signer_log_append(&log, &r), CW_OK);
	}
	keep(f, &log);
	cw_signer_log_close(&log);
}

size_t
cw_log_file_cut(const char *path)
{
	char head_path[128];
	struct cw_buf head;
	size_t size = 0;

	cw_buf_init(&head, CW_LOG_HEAD_BYTES);
	assert_err(cw_log_head_path(path, head_path, sizeof(head_path)), CW_OK);
	assert_err(cw_file_load(head_path, &head), CW_OK);
	assert_int_equal(head.len, CW_LOG_HEAD_BYTES);
	for (size_t i = 0; i < 8; i++)
		size = size << 8 | head.ptr[i];
	cw_buf_wipe(&head);
	assert_int_equal(truncate(path, (off_t)size), 0);
	return size;
}

static void
put(const char *path, struct cw_bytes bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_err(cw_fd_write(fd, bytes), CW_OK);
	close(fd);
}

void
cw_log_file_put(const struct cw_log_file *f, struct cw_bytes log,
    size_t commits)
{
	put(f->path, log);
	if (commits == 0)
		unlink(f->head_path);
	else
		put(f->head_path, CW_BYTES_ARRAY(f->heads[commits - 1]));
}

enum cw_err
cw_log_file_open(const struct cw_log_file *f, struct cw_signer_log *log,
    struct cw_bytes bytes, size_t commits)
{
	cw_log_file_put(f, bytes, commits);
	return cw_signer_log_open(log, f->path, cw_log_file_key);
}
