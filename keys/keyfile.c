/* SPDX-License-Identifier: Apache-2.0 */
/* Files that must not exist yet, and files that only their owner may read. */
#include "keys/keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/fdio.h"

enum cw_err
cw_newfile_store(const char *path, struct cw_bytes bytes, mode_t mode)
{
	enum cw_err err;
	int fd = open(path,
	    O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode);

	if (fd < 0)
		return errno == EEXIST ? CW_ERR_EXISTS :
		    errno == ENOSPC    ? CW_ERR_NO_SPACE :
		    errno == ENOENT    ? CW_ERR_NO_FILE :
					 CW_ERR_IO;
	err = cw_fd_write(fd, bytes);
	if (err == CW_OK && fsync(fd) != 0)
		err = errno == ENOSPC ? CW_ERR_NO_SPACE : CW_ERR_IO;
	close(fd);
	if (err != CW_OK)
		unlink(path);
	return err;
}

struct chain_loader {
	struct cw_buf *memory;
	size_t n;
	size_t ends[CW_CHAIN_MAX];
};

static enum cw_err
take_certificate(void *ctx, struct cw_bytes der)
{
	struct chain_loader *l = ctx;

	if (l->n == CW_CHAIN_MAX)
		return CW_ERR_TOO_LARGE;
	cw_buf_put(l->memory, der);
	l->ends[l->n++] = l->memory->len;
	return l->memory->err;
}

enum cw_err
cw_certfile_load(const char *path, struct cw_buf *memory,
    struct cw_bytes chain[CW_CHAIN_MAX], size_t *n)
{
	struct chain_loader l = { .memory = memory };
	size_t start = memory->len;
	enum cw_err err = cw_pem_certificates(path, take_certificate, &l);

	if (err == CW_OK && l.n == 0)
		err = CW_ERR_BAD_CERTIFICATE;
	/* The memory moves while it grows, so views are taken at the end. */
	for (size_t i = 0; err == CW_OK && i < l.n; i++) {
		chain[i] = cw_bytes(memory->ptr + start, l.ends[i] - start);
		start = l.ends[i];
	}
	*n = l.n;
	return err;
}
