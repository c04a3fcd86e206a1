/* SPDX-License-Identifier: Apache-2.0 */
/* A signer's log repaired: nothing is changed unasked, nothing is thrown away. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/log_repair.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/support/log_file.h"

static struct cw_log_file file;
static char key_path[96], cut_path[128];

static int
setup(void **state)
{
	int fd;

	(void)state;
	cw_log_set_level(CW_LOG_ERROR);
	cw_log_file_make(&file);
	snprintf(key_path, sizeof(key_path), "%s/tag.key", file.dir);
	fd = open(key_path, O_WRONLY | O_CREAT, 0600);
	assert_true(fd >= 0);
	assert_err(cw_fd_write(fd, CW_BYTES_ARRAY(cw_log_file_key)), CW_OK);
	close(fd);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	unlink(key_path);
	cw_log_file_free(&file);
	return 0;
}

static enum cw_err
repair(bool cut)
{
	const struct cw_log_repair o = { file.path, key_path, cut };

	return cw_log_repair_run(&o);
}

/* Where --cut puts what stood behind `at`. */
static const char *
cut_file(size_t at)
{
	snprintf(cut_path, sizeof(cut_path), "%s.cut-%zu", file.path, at);
	return cut_path;
}

static void
assert_file(const char *path, struct cw_bytes want)
{
	struct cw_buf is;

	cw_buf_init(&is, (size_t)1 << 20);
	assert_err(cw_file_load(path, &is), CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&is), want));
	cw_buf_wipe(&is);
}

static void
opens_with(size_t commits)
{
	struct cw_signer_log log;

	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key), CW_OK);
	assert_int_equal(log.size, file.ends[commits - 1]);
	cw_signer_log_close(&log);
}

static void
a_log_that_holds_is_left_alone(void **state)
{
	(void)state;
	cw_log_file_put(&file, cw_buf_bytes(&file.whole), file.commits);
	assert_err(repair(false), CW_OK);
	assert_err(repair(true), CW_OK);
	assert_file(file.path, cw_buf_bytes(&file.whole));
	assert_int_equal(access(cut_file(file.whole.len), F_OK), -1);
}

static void
a_changed_byte_costs_what_comes_behind_it_and_no_more(void **state)
{
	(void)state;
	for (size_t i = 1; i < file.commits; i++) {
		size_t at = file.ends[i - 1];
		struct cw_bytes rest =
		    cw_bytes(file.whole.ptr + at, file.whole.len - at);

		file.whole.ptr[at + 20] ^= 1;
		cw_log_file_put(&file, cw_buf_bytes(&file.whole), file.commits);
		assert_err(repair(false), CW_ERR_BAD_STATE_FILE);
		assert_file(file.path, cw_buf_bytes(&file.whole));
		assert_err(repair(true), CW_OK);
		assert_file(cut_file(at), rest);
		file.whole.ptr[at + 20] ^= 1;
		opens_with(i);
		assert_int_equal(unlink(cut_path), 0);
	}
}

static void
what_was_cut_off_once_is_not_written_over(void **state)
{
	size_t at = file.ends[3];

	(void)state;
	file.whole.ptr[at + 20] ^= 1;
	cw_log_file_put(&file, cw_buf_bytes(&file.whole), file.commits);
	assert_err(repair(true), CW_OK);
	cw_log_file_put(&file, cw_buf_bytes(&file.whole), file.commits);
	assert_err(repair(true), CW_ERR_EXISTS);
	assert_file(file.path, cw_buf_bytes(&file.whole));
	file.whole.ptr[at + 20] ^= 1;
	assert_int_equal(unlink(cut_file(at)), 0);
}

static void
a_log_that_was_cut_goes_on_from_where_it_is(void **state)
{
	(void)state;
	for (size_t n = 1; n < file.commits; n++) {
		cw_log_file_put(&file,
		    cw_bytes(file.whole.ptr, file.ends[n - 1]), file.commits);
		assert_err(repair(false), CW_ERR_LOG_CUT);
		assert_err(repair(true), CW_OK);
		opens_with(n);
	}
}

static void
a_lost_head_is_made_anew_and_private(void **state)
{
	struct stat st;

	(void)state;
	cw_log_file_put(&file, cw_buf_bytes(&file.whole), 0);
	assert_err(repair(false), CW_ERR_LOG_CUT);
	assert_int_equal(access(file.head_path, F_OK), -1);
	assert_err(repair(true), CW_OK);
	assert_int_equal(stat(file.head_path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	opens_with(file.commits);
}

static void
another_key_or_a_running_signer_repairs_nothing(void **state)
{
	const struct cw_log_repair other = { file.path, file.head_path, true },
				   none = { file.path, NULL, true };
	struct cw_signer_log log;

	(void)state;
	cw_log_file_put(&file, cw_buf_bytes(&file.whole), file.commits);
	assert_int_equal(truncate(file.head_path, CW_TAG_BYTES), 0);
	assert_err(cw_log_repair_run(&other), CW_ERR_LOG_KEY);
	assert_err(cw_log_repair_run(&none), CW_ERR_USAGE);
	assert_file(file.path, cw_buf_bytes(&file.whole));
	assert_err(cw_log_file_open(&file, &log, cw_buf_bytes(&file.whole),
		       file.commits),
	    CW_OK);
	assert_err(repair(true), CW_ERR_LOCKED);
	cw_signer_log_close(&log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_log_that_holds_is_left_alone),
		cmocka_unit_test(
		    a_changed_byte_costs_what_comes_behind_it_and_no_more),
		cmocka_unit_test(what_was_cut_off_once_is_not_written_over),
		cmocka_unit_test(a_log_that_was_cut_goes_on_from_where_it_is),
		cmocka_unit_test(a_lost_head_is_made_anew_and_private),
		cmocka_unit_test(
		    another_key_or_a_running_signer_repairs_nothing),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
