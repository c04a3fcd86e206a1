/* SPDX-License-Identifier: Apache-2.0 */
/* Whole reads and writes on descriptors, and files replaced in one step. */
#ifndef CW_BASE_FDIO_H
#define CW_BASE_FDIO_H

#include <sys/types.h>

#include "proto/base/buf.h"
#include "proto/base/err.h"

/* Reads exactly `len` bytes. Errors: IO, CLOSED (end before the last byte). */
enum cw_err cw_fd_read(int fd, void *ptr, size_t len)
    __attribute__((warn_unused_result));

/* Writes all of it, whatever the interruptions. Errors: IO, CLOSED, NO_SPACE. */
enum cw_err cw_fd_write(int fd, struct cw_bytes bytes)
    __attribute__((warn_unused_result));

/*
 * The whole file into `out` (initialised by the caller, whose maximum holds).
 * Errors: NO_FILE, IO, TOO_LARGE, NO_MEMORY.
 */
enum cw_err cw_file_load(const char *path, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* The same of one that its owner alone may read or write. Errors: FILE_MODE,
 * too. */
enum cw_err cw_file_load_own(const char *path, struct cw_buf *out)
    __attribute__((warn_unused_result));

/*
 * Replaces the file so that after a kill or power cut at any instant it holds
 * either the old or the new bytes: temporary file beside it, fsync, rename,
 * fsync of the folder. Errors: NO_SPACE, the old bytes are there; IO, the same,
 * unless only the folder's fsync failed: then the new bytes are there and a
 * power cut may bring the old ones back. So a caller that is told IO must be
 * content with either.
 */
enum cw_err cw_file_store(const char *path, struct cw_bytes bytes, mode_t mode)
    __attribute__((warn_unused_result));

#endif
