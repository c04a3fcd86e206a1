/* SPDX-License-Identifier: Apache-2.0 */
/* Frames in a file that is written from its beginning again and again. */
#include "server/store_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/crypto.h"

struct cw_journal {
	int fd;         /* each write is durable when it returns */
	bool is_open;   /* frames may be written */
	uint8_t *block; /* the frame that is written, CW_JOURNAL_FRAME */
	struct cw_journal_place end;
};

static enum cw_err
failed(const char *what, int why)
{
	return cw_log_fail(CW_ERR_STORE_FAILED, "store.journal",
	    "what=%s errno=%d", what, why);
}

static uint64_t
whole_blocks(uint64_t n)
{
	return (n + CW_JOURNAL_BLOCK - 1) / CW_JOURNAL_BLOCK * CW_JOURNAL_BLOCK;
}

static void
check_of(const uint8_t before[CW_JOURNAL_CHECK], struct cw_bytes length,
    struct cw_bytes content, uint8_t check[CW_JOURNAL_CHECK])
{
	struct cw_bytes parts[] = { cw_bytes(before, CW_JOURNAL_CHECK), length,
		content };
	uint8_t hash[CW_HASH_BYTES];

	cw_sha256(parts, 3, hash);
	memcpy(check, hash, CW_JOURNAL_CHECK);
}

/* ---- the file ---- */

static bool
write_at(int fd, const uint8_t *bytes, size_t n, uint64_t at)
{
	while (n > 0) {
		ssize_t done = pwrite(fd, bytes, n, (off_t)at);

		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			return false;
		bytes += done;
		n -= (size_t)done;
		at += (size_t)done;
	}
	return true;
}

/* The name in the folder must last as well. */
static bool
sync_folder(const char *path)
{
	char *copy = strdup(path);
	int fd = copy == NULL ?
	    -1 :
	    open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	bool done = fd >= 0 && fsync(fd) == 0;

	if (fd >= 0)
		close(fd);
	free(copy);
	return done;
}

/* To its full length, in blocks that are really there. */
static bool
fill_up(const char *path)
{
	static const uint8_t zeros[1u << 16];
	int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
	struct stat st;
	bool done = fd >= 0 && fstat(fd, &st) == 0;
	uint64_t at = done ? (uint64_t)st.st_size : 0;
	bool is_full = at >= CW_JOURNAL_BYTES;

	while (done && at < CW_JOURNAL_BYTES) {
		size_t n = sizeof(zeros) - (size_t)(at % sizeof(zeros));

		done = write_at(fd, zeros, n, at);
		at += n;
	}
	done = done && (is_full || (fsync(fd) == 0 && sync_folder(path)));
	if (fd >= 0)
		close(fd);
	return done;
}

/* Past the page cache, where the file system can: less work for the same. */
static int
open_file(const char *path)
{
	const int flags = O_RDWR | O_CREAT | O_DSYNC | O_CLOEXEC | O_NOFOLLOW;
	int fd = open(path, flags | O_DIRECT, 0600);

	return fd >= 0 || errno != EINVAL ? fd : open(path, flags, 0600);
}

/* Of the open file, so that it is let go with the process. */
static bool
own(int fd)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

enum cw_err
cw_journal_open(const char *path, struct cw_journal **out)
{
	struct cw_journal *j = calloc(1, sizeof(*j));
	enum cw_err err = CW_OK;

	if (j == NULL)
		return CW_ERR_NO_MEMORY;
	j->fd = open_file(path);
	if (j->fd < 0)
		err = failed("open", errno);
	else if (!own(j->fd))
		err = failed("owned", errno);
	else if (!fill_up(path))
		err = failed("make", errno);
	else if (posix_memalign((void **)&j->block, CW_JOURNAL_BLOCK,
		     CW_JOURNAL_FRAME) != 0)
		err = CW_ERR_NO_MEMORY;
	if (err != CW_OK)
		cw_journal_close(&j);
	*out = j;
	return err;
}

void
cw_journal_close(struct cw_journal **journal)
{
	if (*journal == NULL)
		return;
	if ((*journal)->fd >= 0)
		close((*journal)->fd);
	free((*journal)->block);
	free(*journal);
	*journal = NULL;
}

/* ---- frames ---- */

void
cw_journal_place_new(struct cw_journal_place *place)
{
	place->at = 0;
	cw_random(place->check, sizeof(place->check));
}

/* What was in front is gone for every other beginning too. */
void
cw_journal_begin(struct cw_journal *journal,
    const struct cw_journal_place *place)
{
	journal->end = *place;
	memset(journal->block, 0, CW_JOURNAL_BLOCK);
	journal->is_open =
	    write_at(journal->fd, journal->block, CW_JOURNAL_BLOCK, 0);
	if (!journal->is_open)
		(void)failed("begin", errno);
}

const struct cw_journal_place *
cw_journal_end(const struct cw_journal *journal)
{
	return &journal->end;
}

size_t
cw_journal_room(const struct cw_journal *journal)
{
	uint64_t left = CW_JOURNAL_BYTES - journal->end.at;

	if (left > CW_JOURNAL_FRAME)
		left = CW_JOURNAL_FRAME;
	return !journal->is_open || left == 0 ? 0 :
						(size_t)left - CW_JOURNAL_HEAD;
}

enum cw_err
cw_journal_append(struct cw_journal *journal, struct cw_bytes content)
{
	uint8_t *block = journal->block;
	size_t used = CW_JOURNAL_HEAD + content.len;
	size_t whole = (size_t)whole_blocks(used);

	if (content.len == 0 || content.len > cw_journal_room(journal))
		return CW_ERR_STORE_FAILED;
	for (size_t i = 0; i < 4; i++)
		block[i] = (uint8_t)(content.len >> (24 - 8 * i));
	check_of(journal->end.check, cw_bytes(block, 4), content, block + 4);
	memcpy(block + CW_JOURNAL_HEAD, content.ptr, content.len);
	memset(block + used, 0, whole - used);
	journal->is_open = write_at(journal->fd, block, whole, journal->end.at);
	if (!journal->is_open)
		return failed("write", errno);
	memcpy(journal->end.check, block + 4, CW_JOURNAL_CHECK);
	journal->end.at += whole;
	return CW_OK;
}

/* ---- reading ---- */

/* -1 for an error; less than `n` at the end of the file. */
static ssize_t
read_at(int fd, uint8_t *bytes, size_t n, uint64_t at)
{
	size_t have = 0;

	while (have < n) {
		ssize_t got =
		    pread(fd, bytes + have, n - have, (off_t)(at + have));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -1;
		if (got == 0)
			break;
		have += (size_t)got;
	}
	return (ssize_t)have;
}

/* One frame behind *place: NOT_FOUND if there is none that counts. */
static enum cw_err
read_frame(int fd, struct cw_journal_place *place, uint64_t end_at,
    struct cw_buf *out)
{
	uint8_t head[CW_JOURNAL_HEAD];
	uint8_t check[CW_JOURNAL_CHECK];
	size_t before = out->len;
	ssize_t got = read_at(fd, head, sizeof(head), place->at);
	uint32_t n = (uint32_t)head[0] << 24 | (uint32_t)head[1] << 16 |
	    (uint32_t)head[2] << 8 | head[3];
	uint8_t *content;

	if (got < 0)
		return failed("read", errno);
	if ((size_t)got < sizeof(head) || n == 0 ||
	    place->at + whole_blocks(CW_JOURNAL_HEAD + n) > end_at)
		return CW_ERR_NOT_FOUND;
	content = cw_buf_extend(out, n);
	if (content == NULL)
		return CW_ERR_NO_MEMORY;
	got = read_at(fd, content, n, place->at + CW_JOURNAL_HEAD);
	if (got < 0)
		return failed("read", errno);
	check_of(place->check, cw_bytes(head, 4), cw_bytes(content, n), check);
	if ((size_t)got < n || memcmp(check, head + 4, sizeof(check)) != 0) {
		cw_buf_truncate(out, before);
		return CW_ERR_NOT_FOUND;
	}
	memcpy(place->check, check, sizeof(check));
	place->at += whole_blocks(CW_JOURNAL_HEAD + n);
	return CW_OK;
}

enum cw_err
cw_journal_read(const char *path, struct cw_journal_place *place,
    uint64_t end_at, struct cw_buf *out)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	enum cw_err err;

	if (fd < 0)
		return errno == ENOENT ? CW_OK : failed("open", errno);
	if (end_at > CW_JOURNAL_BYTES)
		end_at = CW_JOURNAL_BYTES;
	do
		err = read_frame(fd, place, end_at, out);
	while (err == CW_OK);
	close(fd);
	return err == CW_ERR_NOT_FOUND ? CW_OK : err;
}
