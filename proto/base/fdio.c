/* SPDX-License-Identifier: Apache-2.0 */
/* Descriptors: nothing short, nothing torn. */
#include "proto/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

enum cw_err
cw_fd_read(int fd, void *ptr, size_t len)
{
	uint8_t *at = ptr;

	while (len > 0) {
		ssize_t n = read(fd, at, len);

		if (n == 0)
			return CW_ERR_CLOSED;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == ECONNRESET ? CW_ERR_CLOSED : CW_ERR_IO;
		at += n;
		len -= (size_t)n;
	}
	return CW_OK;
}

enum cw_err
cw_fd_write(int fd, struct cw_bytes bytes)
{
	while (bytes.len > 0) {
		ssize_t n = write(fd, bytes.ptr, bytes.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
			return CW_ERR_CLOSED;
		if (n < 0 && (errno == ENOSPC || errno == EDQUOT))
			return CW_ERR_NO_SPACE;
		if (n < 0)
			return CW_ERR_IO;
		bytes.ptr += n;
		bytes.len -= (size_t)n;
	}
	return CW_OK;
}

static enum cw_err
load(const char *path, mode_t nobody_may, struct cw_buf *out)
{
	enum cw_err err = CW_OK;
	struct stat st;
	uint8_t *at;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return errno == ENOENT ? CW_ERR_NO_FILE : CW_ERR_IO;
	if (fstat(fd, &st) != 0 || !S_ISREG(st.st_mode))
		err = CW_ERR_IO;
	else if ((st.st_mode & nobody_may) != 0)
		err = CW_ERR_FILE_MODE;
	if (err == CW_OK) {
		at = cw_buf_extend(out, (size_t)st.st_size);
		err = at == NULL ? out->err :
				   cw_fd_read(fd, at, (size_t)st.st_size);
	}
	close(fd);
	return err;
}

enum cw_err
cw_file_load(const char *path, struct cw_buf *out)
{
	return load(path, 0, out);
}

enum cw_err
cw_file_load_own(const char *path, struct cw_buf *out)
{
	return load(path, S_IRWXG | S_IRWXO, out);
}

/* Longer paths are refused; a stack frame stays small. */
#define PATH_BYTES 1024

/* Opened before the rename, so that only its fsync is left to fail behind it. */
static int
open_folder(const char *path)
{
	char copy[PATH_BYTES];

	if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
		return -1;
	return open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static enum cw_err
write_new(const char *path, struct cw_bytes bytes, mode_t mode)
{
	enum cw_err err;
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);

	if (fd < 0)
		return errno == ENOSPC ? CW_ERR_NO_SPACE : CW_ERR_IO;
	err = cw_fd_write(fd, bytes);
	if (err == CW_OK && fsync(fd) != 0)
		err = errno == ENOSPC ? CW_ERR_NO_SPACE : CW_ERR_IO;
	close(fd);
	return err;
}

enum cw_err
cw_file_store(const char *path, struct cw_bytes bytes, mode_t mode)
{
	char temp[PATH_BYTES];
	enum cw_err err;
	int folder;

	if (snprintf(temp, sizeof(temp), "%s.new", path) >= (int)sizeof(temp))
		return CW_ERR_IO;
	folder = open_folder(path);
	if (folder < 0)
		return CW_ERR_IO;
	/* What a crash left behind must not lend its mode to a secret. */
	unlink(temp);
	err = write_new(temp, bytes, mode);
	if (err == CW_OK && rename(temp, path) != 0)
		err = CW_ERR_IO;
	if (err != CW_OK)
		unlink(temp);
	else if (fsync(folder) != 0)
		err = CW_ERR_IO;
	close(folder);
	return err;
}
