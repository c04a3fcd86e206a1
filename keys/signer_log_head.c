/* SPDX-License-Identifier: Apache-2.0 */
/* The log's head. */
#include "keys/signer_log_head.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "proto/base/secret.h"

#define LABEL "CW1 signer log head"

enum cw_err
cw_log_head_path(const char *path, char *out, size_t size)
{
	int n = snprintf(out, size, "%s.head", path);

	return n < 0 || (size_t)n >= size ? CW_ERR_TOO_LARGE : CW_OK;
}

static void
encode(const uint8_t key[CW_HASH_BYTES], const struct cw_log_head *head,
    uint8_t out[CW_LOG_HEAD_BYTES])
{
	uint8_t signed_part[sizeof(LABEL) - 1 + 8 + CW_HASH_BYTES];
	uint8_t *at = signed_part + sizeof(LABEL) - 1;

	memcpy(signed_part, LABEL, sizeof(LABEL) - 1);
	for (unsigned i = 0; i < 8; i++)
		at[i] = (uint8_t)(head->size >> (56 - 8 * i));
	memcpy(at + 8, head->last, CW_HASH_BYTES);
	memcpy(out, at, 8 + CW_HASH_BYTES);
	cw_hmac_sha256(cw_bytes(key, CW_HASH_BYTES),
	    CW_BYTES_ARRAY(signed_part), out + 8 + CW_HASH_BYTES);
}

enum cw_err
cw_log_head_read(int fd, const uint8_t key[CW_HASH_BYTES],
    struct cw_log_head *out)
{
	uint8_t is[CW_LOG_HEAD_BYTES] = { 0 }, should[CW_LOG_HEAD_BYTES];
	ssize_t n = pread(fd, is, sizeof(is), 0);

	memset(out, 0, sizeof(*out));
	if (n < 0)
		return CW_ERR_IO;
	for (unsigned i = 0; i < 8; i++)
		out->size = out->size << 8 | is[i];
	memcpy(out->last, is + 8, CW_HASH_BYTES);
	encode(key, out, should);
	return n == (ssize_t)sizeof(is) &&
		cw_secret_equal(CW_BYTES_ARRAY(is), CW_BYTES_ARRAY(should)) ?
	    CW_OK :
	    CW_ERR_LOG_CUT;
}

enum cw_err
cw_log_head_write(int fd, const uint8_t key[CW_HASH_BYTES],
    const struct cw_log_head *head)
{
	uint8_t bytes[CW_LOG_HEAD_BYTES];
	ssize_t n;

	encode(key, head, bytes);
	do
		n = pwrite(fd, bytes, sizeof(bytes), 0);
	while (n < 0 && errno == EINTR);
	if (n == (ssize_t)sizeof(bytes))
		return CW_OK;
	return n < 0 && errno != ENOSPC ? CW_ERR_IO : CW_ERR_NO_SPACE;
}
