/* SPDX-License-Identifier: Apache-2.0 */
/* What a crash, a disk or somebody leaves of the signer's log. TIMEOUT: 120 */
#include "tests/support/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/support/log_file.h"

#define SECTOR 512

static struct cw_log_file file;

static int
setup(void **state)
{
	(void)state;
	cw_log_set_level(CW_LOG_ERROR);
	cw_log_file_make(&file);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cw_log_file_free(&file);
	return 0;
}

/* A log that was opened takes one more record, and opens again. */
static void
goes_on(struct cw_signer_log *log, uint64_t size)
{
	struct cw_record more = cw_log_file_certified(99);

	assert_int_equal(log->size, size);
	assert_err(cw_signer_log_append(log, &more), CW_OK);
	assert_err(cw_signer_log_commit(log), CW_OK);
	size = log->size;
	cw_signer_log_close(log);
	assert_err(cw_signer_log_open(log, file.path, cw_log_file_key), CW_OK);
	assert_int_equal(log->size, size);
	cw_signer_log_close(log);
}

/* How many commits end within the first `len` bytes. */
static size_t
commits_in(size_t len)
{
	size_t n = 0;

	while (n < file.commits && file.ends[n] <= len)
		n++;
	return n;
}

static void
a_write_torn_at_any_byte_is_cut_off(void **state)
{
	struct cw_signer_log log;

	(void)state;
	for (size_t len = file.ends[0]; len <= file.whole.len; len++) {
		size_t n = commits_in(len);

		assert_err(cw_log_file_open(&file, &log,
			       cw_bytes(file.whole.ptr, len), n),
		    CW_OK);
		goes_on(&log, file.ends[n - 1]);
	}
}

static void
a_log_cut_at_any_byte_is_noticed(void **state)
{
	struct cw_signer_log log;

	(void)state;
	for (size_t len = 0; len < file.whole.len; len++)
		assert_err(cw_log_file_open(&file, &log,
			       cw_bytes(file.whole.ptr, len), file.commits),
		    CW_ERR_LOG_CUT);
}

static void
a_tail_that_became_zeros_at_any_byte_is_noticed(void **state)
{
	struct cw_signer_log log;
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, file.whole.len);
	for (size_t from = 0; from < file.whole.len; from++) {
		enum cw_err err;

		cw_buf_reset(&b);
		cw_buf_put(&b, cw_buf_bytes(&file.whole));
		memset(b.ptr + from, 0, b.len - from);
		if (memcmp(b.ptr, file.whole.ptr, b.len) == 0)
			continue; /* its last byte happens to be zero */
		err = cw_log_file_open(&file, &log, cw_buf_bytes(&b),
		    file.commits);
		assert_true(err == CW_ERR_LOG_CUT ||
		    err == CW_ERR_BAD_STATE_FILE || err == CW_ERR_LOG_KEY);
	}
	cw_buf_wipe(&b);
}

/* Also where the head is older: then the HMAC alone must do. */
static void
any_changed_bit_is_noticed(void **state)
{
	struct cw_signer_log log;

	(void)state;
	for (size_t i = 0; i < file.whole.len * 8; i++) {
		uint8_t bit = (uint8_t)(1 << i % 8);
		enum cw_err err, older;

		file.whole.ptr[i / 8] ^= bit;
		err = cw_log_file_open(&file, &log, cw_buf_bytes(&file.whole),
		    file.commits);
		older =
		    cw_log_file_open(&file, &log, cw_buf_bytes(&file.whole), 1);
		file.whole.ptr[i / 8] ^= bit;
		assert_int_not_equal(err, CW_OK);
		assert_true(older == CW_ERR_BAD_STATE_FILE ||
		    older == CW_ERR_LOG_KEY ||
		    (i / 8 < file.ends[0] && older == CW_ERR_LOG_CUT));
	}
}

static void
a_record_left_out_repeated_or_made_without_the_key_is_noticed(void **state)
{
	static const uint8_t other_key[CW_TAG_BYTES] = { 1 };
	const uint8_t *p = file.whole.ptr;
	const size_t *ends = file.ends;
	struct cw_signer_log log;
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 65536);
	cw_buf_put(&b, cw_bytes(p, ends[0]));
	cw_buf_put(&b, cw_bytes(p + ends[1], ends[4] - ends[1]));
	assert_err(cw_log_file_open(&file, &log, cw_buf_bytes(&b), 1),
	    CW_ERR_BAD_STATE_FILE);
	cw_buf_reset(&b);
	cw_buf_put(&b, cw_bytes(p, ends[4]));
	cw_buf_put(&b, cw_bytes(p + ends[3], ends[4] - ends[3]));
	assert_err(cw_log_file_open(&file, &log, cw_buf_bytes(&b), 5),
	    CW_ERR_BAD_STATE_FILE);
	cw_buf_reset(&b);
	cw_buf_put(&b, cw_bytes(p + ends[0], ends[4] - ends[0]));
	assert_err(cw_log_file_open(&file, &log, cw_buf_bytes(&b), 1),
	    CW_ERR_BAD_STATE_FILE);
	cw_buf_wipe(&b);
	cw_log_file_put(&file, cw_buf_bytes(&file.whole), file.commits);
	assert_err(cw_signer_log_open(&log, file.path, other_key),
	    CW_ERR_LOG_KEY);
}

static void
zeros_behind_the_end_are_room(void **state)
{
	struct cw_signer_log log;
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 1 << 20);
	for (size_t n = 1; n < 600000; n = n * 3 + 1) {
		cw_buf_reset(&b);
		cw_buf_put(&b, cw_buf_bytes(&file.whole));
		memset(cw_buf_extend(&b, n), 0, n);
		assert_err(cw_log_file_open(&file, &log, cw_buf_bytes(&b),
			       file.commits),
		    CW_OK);
		goes_on(&log, file.ends[file.commits - 1]);
	}
	/* a file system that gave a new log its length but no bytes */
	assert_err(cw_log_file_open(&file, &log,
		       cw_bytes(b.ptr + file.whole.len, SECTOR), 0),
	    CW_ERR_LOG_CUT);
	cw_buf_wipe(&b);
}

/* Four records written at once, of which any sectors stayed zeros. */
static void
a_write_of_which_any_sectors_are_missing_is_cut_off(void **state)
{
	size_t start = file.whole.len, first = start / SECTOR, n;
	struct cw_signer_log log;
	struct cw_buf b;

	(void)state;
	cw_log_file_commit(&file, 50, 4);
	n = (file.whole.len - 1) / SECTOR - first + 1;
	assert_true(n >= 4);
	cw_buf_init(&b, file.whole.len);
	for (size_t missing = 1; missing < (size_t)1 << n; missing++) {
		cw_buf_reset(&b);
		cw_buf_put(&b, cw_buf_bytes(&file.whole));
		for (size_t s = 0; s < n; s++) {
			size_t from = (first + s) * SECTOR, to = from + SECTOR;

			if ((missing & (size_t)1 << s) == 0)
				continue;
			from = from < start ? start : from;
			to = to > b.len ? b.len : to;
			memset(b.ptr + from, 0, to - from);
		}
		assert_err(cw_log_file_open(&file, &log, cw_buf_bytes(&b),
			       file.commits - 1),
		    CW_OK);
		assert_in_range(log.size, start, b.len - 1);
		goes_on(&log, log.size);
		/* but not when they are known to have been there */
		assert_err(cw_log_file_open(&file, &log, cw_buf_bytes(&b),
			       file.commits),
		    CW_ERR_LOG_CUT);
	}
	cw_buf_wipe(&b);
	file.commits--;
	cw_buf_truncate(&file.whole, start);
}

/* A sector lost in the middle is no write that was not finished: what comes
 * behind it is more than one write can be. */
static void
a_sector_missing_in_the_middle_is_noticed(void **state)
{
	struct cw_signer_log log;
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, (size_t)1 << 21);
	cw_buf_put(&b, cw_buf_bytes(&file.whole));
	memset(b.ptr + SECTOR, 0, SECTOR);
	memset(cw_buf_extend(&b, CW_LOG_PENDING_MAX + SECTOR), 1,
	    CW_LOG_PENDING_MAX + SECTOR);
	assert_err(cw_log_file_open(&file, &log, cw_buf_bytes(&b), 1),
	    CW_ERR_BAD_STATE_FILE);
	cw_buf_wipe(&b);
}

static void
a_log_without_its_head_or_with_another_is_noticed(void **state)
{
	struct cw_signer_log log;

	(void)state;
	assert_err(cw_log_file_open(&file, &log, cw_buf_bytes(&file.whole), 0),
	    CW_ERR_LOG_CUT);
	for (size_t i = 0; i < CW_LOG_HEAD_BYTES; i++) {
		file.heads[4][i] ^= 1;
		assert_err(cw_log_file_open(&file, &log,
			       cw_buf_bytes(&file.whole), 5),
		    CW_ERR_LOG_CUT);
		file.heads[4][i] ^= 1;
	}
	cw_log_file_put(&file, cw_buf_bytes(&file.whole), file.commits);
	assert_int_equal(truncate(file.head_path, 71), 0);
	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key),
	    CW_ERR_LOG_CUT);
	assert_int_equal(chmod(file.head_path, 0640), 0);
	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key),
	    CW_ERR_FILE_MODE);
	unlink(file.head_path);
	cw_log_file_put(&file, CW_BYTES_NONE, file.commits);
	unlink(file.path);
	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key),
	    CW_ERR_LOG_CUT);
}

/* What a disk in somebody's hands can do unseen: the past, as a whole. */
static void
an_older_log_with_its_own_head_opens(void **state)
{
	struct cw_signer_log log;

	(void)state;
	for (size_t n = 1; n <= file.commits; n++) {
		assert_err(cw_log_file_open(&file, &log,
			       cw_bytes(file.whole.ptr, file.ends[n - 1]), n),
		    CW_OK);
		cw_signer_log_close(&log);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_write_torn_at_any_byte_is_cut_off),
		cmocka_unit_test(a_log_cut_at_any_byte_is_noticed),
		cmocka_unit_test(
		    a_tail_that_became_zeros_at_any_byte_is_noticed),
		cmocka_unit_test(any_changed_bit_is_noticed),
		cmocka_unit_test(
		    a_record_left_out_repeated_or_made_without_the_key_is_noticed),
		cmocka_unit_test(zeros_behind_the_end_are_room),
		cmocka_unit_test(
		    a_write_of_which_any_sectors_are_missing_is_cut_off),
		cmocka_unit_test(a_sector_missing_in_the_middle_is_noticed),
		cmocka_unit_test(
		    a_log_without_its_head_or_with_another_is_noticed),
		cmocka_unit_test(an_older_log_with_its_own_head_opens),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
