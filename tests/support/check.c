/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/check.h"

#include <sodium.h>
#include <stdio.h>

struct cw_bytes
cw_test_hex(struct cw_buf *b, const char *hex)
{
	size_t len = strlen(hex);
	size_t n = 0;
	uint8_t *at;

	cw_buf_wipe(b);
	cw_buf_init(b, len / 2 + 1);
	at = cw_buf_extend(b, len / 2 + 1);
	assert_non_null(at);
	assert_int_equal(sodium_hex2bin(at, len / 2 + 1, hex, len, " ", &n,
			     NULL),
	    0);
	cw_buf_truncate(b, n);
	return cw_buf_bytes(b);
}

static struct cw_buf input;

struct cw_bytes
cw_test_input(const char *hex)
{
	return cw_test_hex(&input, hex);
}

int
cw_test_input_free(void **state)
{
	(void)state;
	cw_buf_wipe(&input);
	return 0;
}

void
cw_test_assert_hex(struct cw_bytes bytes, const char *hex, const char *file,
    int line)
{
	struct cw_buf b = { 0 };
	struct cw_bytes want = cw_test_hex(&b, hex);
	bool equal = cw_bytes_equal(bytes, want);

	cw_buf_wipe(&b);
	if (equal)
		return;
	fprintf(stderr, "want %s\n got ", hex);
	for (size_t i = 0; i < bytes.len; i++)
		fprintf(stderr, "%02x", bytes.ptr[i]);
	fprintf(stderr, "\n");
	_fail(file, line);
}
