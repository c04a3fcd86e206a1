/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's log on disk: as it was, locked, full. What a crash or somebody
 * leaves of it is in signer_log_damage_test.c. */
#include "tests/support/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/support/log_file.h"

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

/* As it was after the last commit. */
static enum cw_err
open_whole(struct cw_signer_log *log)
{
	return cw_log_file_open(&file, log, cw_buf_bytes(&file.whole),
	    file.commits);
}

static void
a_log_says_after_a_restart_what_it_said_before(void **state)
{
	const struct cw_record keyless = { .nonce = { 1 }, .th = { 1 } };
	struct cw_record r = cw_log_file_certified(2);
	struct cw_signer_log log;
	struct cw_buf der;

	(void)state;
	assert_err(open_whole(&log), CW_OK);
	assert_int_equal(log.index.n_entries, 3);
	assert_true(log.index.entries[0].revoked);
	assert_false(log.index.entries[1].revoked);
	assert_true(cw_index_has_key(&log.index, r.th, 2));
	assert_false(cw_index_has_key(&log.index, r.th, 1));
	assert_int_equal(cw_index_session_keys(&log.index, r.th), 1);
	assert_int_equal(cw_index_uses(&log.index, r.grant, NULL), 2);
	assert_int_equal(cw_index_uses(&log.index, r.grant, r.th), 1);
	assert_non_null(cw_index_by_serial(&log.index, r.serial));
	assert_int_equal(cw_index_requests(&log.index, keyless.grant), 1);
	assert_true(
	    cw_index_has_request(&log.index, keyless.grant, keyless.nonce));
	assert_false(cw_index_has_request(&log.index, r.grant, keyless.nonce));
	assert_true(cw_index_is_done(&log.index, keyless.th));
	assert_int_equal(cw_index_uses(&log.index, keyless.grant, NULL), 1);
	assert_int_equal(cw_index_uses(&log.index, keyless.grant, keyless.th),
	    0);
	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	assert_err(cw_signer_log_certificate(&log,
		       cw_index_by_request(&log.index, r.request), &der),
	    CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&der), r.certificate));
	cw_buf_wipe(&der);
	cw_signer_log_close(&log);
}

static void
what_was_certified_is_not_logged_again(void **state)
{
	struct cw_record key = cw_log_file_certified(2),
			 serial = cw_log_file_certified(8),
			 request = cw_log_file_certified(8),
			 session = cw_log_file_certified(2),
			 none = cw_log_file_revoked(7),
			 asked = { .kind = CW_RECORD_REQUESTED,
				 .nonce = { 1 } },
			 done = { .kind = CW_RECORD_DONE, .th = { 1 } };
	struct cw_signer_log log;

	(void)state;
	assert_err(open_whole(&log), CW_OK);
	memset(key.serial, 8, sizeof(key.serial));
	memset(key.request, 8, sizeof(key.request));
	assert_err(cw_signer_log_append(&log, &key), CW_ERR_ALREADY_CERTIFIED);
	memset(serial.serial, 2, sizeof(serial.serial));
	assert_err(cw_signer_log_append(&log, &serial),
	    CW_ERR_ALREADY_CERTIFIED);
	memset(request.request, 2, sizeof(request.request));
	assert_err(cw_signer_log_append(&log, &request),
	    CW_ERR_ALREADY_CERTIFIED);
	session.key_id = 8;
	memset(session.serial, 8, sizeof(session.serial));
	memset(session.request, 8, sizeof(session.request));
	memset(session.grant, 2, sizeof(session.grant));
	assert_err(cw_signer_log_append(&log, &session),
	    CW_ERR_WRONG_STATEMENT);
	assert_err(cw_signer_log_append(&log, &none), CW_ERR_UNKNOWN_SERIAL);
	assert_err(cw_signer_log_append(&log, &asked), CW_ERR_EXISTS);
	assert_err(cw_signer_log_append(&log, &done), CW_ERR_EXISTS);
	memcpy(done.th, key.th, sizeof(done.th));
	assert_err(cw_signer_log_append(&log, &done), CW_ERR_WRONG_STATEMENT);
	assert_int_equal(log.pending.len, 0);
	cw_signer_log_close(&log);
}

static void
many_certificates_are_all_found(void **state)
{
	struct cw_signer_log log;

	(void)state;
	unlink(file.path);
	unlink(file.head_path);
	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key), CW_OK);
	for (uint32_t i = 1; i <= 3000; i++) {
		struct cw_record r = cw_log_file_certified(1);

		memcpy(r.th, &i, sizeof(i));
		memcpy(r.serial, &i, sizeof(i));
		memcpy(r.request, &i, sizeof(i));
		memcpy(r.grant, &i, 1);
		assert_err(cw_signer_log_append(&log, &r), CW_OK);
		if (i % 10 == 0)
			assert_err(cw_signer_log_commit(&log), CW_OK);
	}
	cw_signer_log_close(&log);
	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key), CW_OK);
	assert_int_equal(log.index.n_entries, 3000);
	for (uint32_t i = 1; i <= 3000; i++) {
		struct cw_record r = cw_log_file_certified(1);

		memcpy(r.th, &i, sizeof(i));
		memcpy(r.serial, &i, sizeof(i));
		assert_true(cw_index_has_key(&log.index, r.th, 1));
		assert_non_null(cw_index_by_serial(&log.index, r.serial));
	}
	cw_signer_log_close(&log);
}

static off_t
file_size(void)
{
	struct stat st;

	assert_int_equal(stat(file.path, &st), 0);
	return st.st_size;
}

/* A size that changes is an inode that fdatasync must write. */
static void
few_commits_change_the_size_of_the_file(void **state)
{
	struct cw_signer_log log;
	unsigned changes = 0;
	off_t size;

	(void)state;
	assert_err(open_whole(&log), CW_OK);
	size = file_size();
	for (uint8_t n = 10; n < 210; n++) {
		struct cw_record r = cw_log_file_certified(n);

		assert_err(cw_signer_log_append(&log, &r), CW_OK);
		assert_err(cw_signer_log_commit(&log), CW_OK);
		changes += file_size() != size;
		size = file_size();
	}
	assert_in_range(changes, 1, 3);
	cw_signer_log_close(&log);
	/* What is there is known again, and is used. */
	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key), CW_OK);
	assert_int_equal(log.index.n_entries, 203);
	assert_int_equal(log.room, size);
	cw_signer_log_close(&log);
}

/* What cannot be made ahead is made when it is needed. */
static int
append_without_room(void)
{
	const struct rlimit limit = { file.whole.len + 2000,
		file.whole.len + 2000 };
	struct cw_signer_log log;

	signal(SIGXFSZ, SIG_IGN);
	if (open_whole(&log) != CW_OK || setrlimit(RLIMIT_FSIZE, &limit) != 0)
		return 1;
	for (uint8_t n = 10; n < 13; n++) {
		struct cw_record r = cw_log_file_certified(n);

		if (cw_signer_log_append(&log, &r) != CW_OK ||
		    cw_signer_log_commit(&log) != CW_OK)
			return 2;
	}
	return 0;
}

static void
a_log_goes_on_where_there_is_no_room_to_be_ahead(void **state)
{
	struct cw_signer_log log;
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(append_without_room());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key), CW_OK);
	assert_int_equal(log.index.n_entries, 6);
	cw_signer_log_close(&log);
}

static void
one_process_at_a_time_holds_the_log(void **state)
{
	struct cw_signer_log log, second;

	(void)state;
	assert_err(open_whole(&log), CW_OK);
	assert_err(cw_signer_log_open(&second, file.path, cw_log_file_key),
	    CW_ERR_LOCKED);
	cw_signer_log_close(&log);
	assert_err(cw_signer_log_open(&second, file.path, cw_log_file_key),
	    CW_OK);
	cw_signer_log_close(&second);
}

static void
a_log_that_others_may_read_is_refused(void **state)
{
	struct cw_signer_log log;

	(void)state;
	assert_int_equal(chmod(file.path, 0640), 0);
	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key),
	    CW_ERR_FILE_MODE);
	assert_int_equal(chmod(file.path, 0600), 0);
	unlink(file.path);
	assert_int_equal(symlink("/dev/null", file.path), 0);
	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key),
	    CW_ERR_IO);
	unlink(file.path);
	assert_err(cw_signer_log_open(&log, "/nonexistent/log",
		       cw_log_file_key),
	    CW_ERR_NO_FILE);
}

/* In a child, because the limit is for the whole process. */
static int
fill_up(void)
{
	const struct rlimit limit = { file.whole.len + 100,
		file.whole.len + 100 };
	struct cw_record more = cw_log_file_certified(9);
	struct cw_signer_log log;

	signal(SIGXFSZ, SIG_IGN);
	if (open_whole(&log) != CW_OK || setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
	    cw_signer_log_append(&log, &more) != CW_OK)
		return 1;
	return cw_signer_log_commit(&log) == CW_ERR_SIGNER_LOG ? 0 : 2;
}

static void
a_full_disk_is_an_error_and_leaves_a_log_that_opens(void **state)
{
	struct cw_signer_log log;
	int status = 0;
	pid_t pid = fork();

	(void)state;
	assert_true(pid >= 0);
	if (pid == 0)
		_exit(fill_up());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	assert_err(cw_signer_log_open(&log, file.path, cw_log_file_key), CW_OK);
	assert_int_equal(log.index.n_entries, 3);
	assert_int_equal(log.size, file.whole.len);
	cw_signer_log_close(&log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_log_says_after_a_restart_what_it_said_before),
		cmocka_unit_test(what_was_certified_is_not_logged_again),
		cmocka_unit_test(many_certificates_are_all_found),
		cmocka_unit_test(few_commits_change_the_size_of_the_file),
		cmocka_unit_test(
		    a_log_goes_on_where_there_is_no_room_to_be_ahead),
		cmocka_unit_test(one_process_at_a_time_holds_the_log),
		cmocka_unit_test(
		    a_full_disk_is_an_error_and_leaves_a_log_that_opens),
		cmocka_unit_test(a_log_that_others_may_read_is_refused),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
