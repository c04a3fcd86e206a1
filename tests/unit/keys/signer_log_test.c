/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's log on disk: torn, changed, locked, full. TIMEOUT: 120 */
#include "tests/support/check.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "keys/signer_log.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"

static char dir[64], path[96];
static struct cw_buf whole; /* a log of RECORDS records */
static size_t ends[8];
static size_t records;

static struct cw_record
certified(uint8_t n)
{
	static uint8_t certificate[300];
	struct cw_record r = { .kind = CW_RECORD_CERTIFIED,
		.time_s = 1700000000u + n,
		.key_id = n,
		.certificate = CW_BYTES_ARRAY(certificate) };

	memset(r.th, n, sizeof(r.th));
	memset(r.grant, 1, sizeof(r.grant));
	memset(r.request, n, sizeof(r.request));
	memset(r.serial, n, sizeof(r.serial));
	return r;
}

static struct cw_record
revoked(uint8_t n)
{
	struct cw_record r = { .kind = CW_RECORD_REVOKED, .reason = 1 };

	memset(r.serial, n, sizeof(r.serial));
	return r;
}

static void
append(struct cw_signer_log *log, struct cw_record record)
{
	assert_err(cw_signer_log_append(log, &record), CW_OK);
	assert_err(cw_signer_log_commit(log), CW_OK);
	ends[records++] = log->size;
}

static int
setup(void **state)
{
	struct cw_record start = { .kind = CW_RECORD_START };
	struct cw_signer_log log;

	(void)state;
	/* where a sync costs nothing, if there is such a place */
	snprintf(dir, sizeof(dir), "%s/cw-log.XXXXXX",
	    access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	assert_err(cw_signer_log_open(&log, path), CW_OK);
	append(&log, start);
	append(&log, certified(1));
	append(&log, certified(2));
	append(&log, revoked(1));
	append(&log, certified(3));
	cw_signer_log_close(&log);
	cw_buf_init(&whole, 65536);
	assert_err(cw_file_load(path, &whole), CW_OK);
	assert_int_equal(whole.len, ends[records - 1]);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cw_buf_wipe(&whole);
	unlink(path);
	rmdir(dir);
	return 0;
}

static enum cw_err
open_bytes(struct cw_signer_log *log, struct cw_bytes bytes)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_err(cw_fd_write(fd, bytes), CW_OK);
	close(fd);
	return cw_signer_log_open(log, path);
}

static void
a_log_says_after_a_restart_what_it_said_before(void **state)
{
	struct cw_record r = certified(2);
	struct cw_signer_log log;
	struct cw_buf der;

	(void)state;
	assert_err(open_bytes(&log, cw_buf_bytes(&whole)), CW_OK);
	assert_int_equal(log.index.n_entries, 3);
	assert_true(log.index.entries[0].revoked);
	assert_false(log.index.entries[1].revoked);
	assert_true(cw_index_has_key(&log.index, r.th, 2));
	assert_false(cw_index_has_key(&log.index, r.th, 1));
	assert_int_equal(cw_index_session_keys(&log.index, r.th), 1);
	assert_int_equal(cw_index_uses(&log.index, r.grant, NULL), 2);
	assert_int_equal(cw_index_uses(&log.index, r.grant, r.th), 1);
	assert_non_null(cw_index_by_serial(&log.index, r.serial));
	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	assert_err(cw_signer_log_certificate(&log,
		       cw_index_by_request(&log.index, r.request), &der),
	    CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&der), r.certificate));
	cw_buf_wipe(&der);
	cw_signer_log_close(&log);
}

static void
a_last_record_torn_at_any_byte_is_cut_off(void **state)
{
	struct cw_record more = certified(9);
	struct cw_signer_log log;
	size_t kept = 0;

	(void)state;
	cw_log_set_level(CW_LOG_ERROR);
	for (size_t len = 0; len <= whole.len; len++) {
		if (kept < records && len == ends[kept])
			kept++;
		assert_err(open_bytes(&log, cw_bytes(whole.ptr, len)), CW_OK);
		assert_int_equal(log.size, kept == 0 ? 0 : ends[kept - 1]);
		assert_err(cw_signer_log_append(&log, &more), CW_OK);
		assert_err(cw_signer_log_commit(&log), CW_OK);
		cw_signer_log_close(&log);
		if (len % 64 != 0)
			continue;
		assert_err(cw_signer_log_open(&log, path), CW_OK);
		cw_signer_log_close(&log);
	}
}

static void
a_changed_record_is_noticed(void **state)
{
	struct cw_signer_log log;
	enum cw_err err;

	(void)state;
	cw_log_set_level(CW_LOG_ERROR);
	for (size_t i = 0; i < ends[records - 2]; i++) {
		whole.ptr[i] ^= 1;
		err = open_bytes(&log, cw_buf_bytes(&whole));
		whole.ptr[i] ^= 1;
		assert_err(err, CW_ERR_BAD_STATE_FILE);
	}
	/* the length of the last one, too: it must not vanish as torn */
	for (size_t i = ends[records - 2]; i < ends[records - 2] + 4; i++) {
		whole.ptr[i] ^= 1;
		err = open_bytes(&log, cw_buf_bytes(&whole));
		whole.ptr[i] ^= 1;
		assert_err(err, CW_ERR_BAD_STATE_FILE);
	}
}

static void
a_record_left_out_or_repeated_is_noticed(void **state)
{
	struct cw_signer_log log;
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 65536);
	cw_buf_put(&b, cw_bytes(whole.ptr, ends[0]));
	cw_buf_put(&b, cw_bytes(whole.ptr + ends[1], whole.len - ends[1]));
	assert_err(open_bytes(&log, cw_buf_bytes(&b)), CW_ERR_BAD_STATE_FILE);
	cw_buf_reset(&b);
	cw_buf_put(&b, cw_buf_bytes(&whole));
	cw_buf_put(&b, cw_bytes(whole.ptr + ends[3], ends[4] - ends[3]));
	assert_err(open_bytes(&log, cw_buf_bytes(&b)), CW_ERR_BAD_STATE_FILE);
	cw_buf_reset(&b);
	cw_buf_put(&b, cw_bytes(whole.ptr + ends[0], whole.len - ends[0]));
	assert_err(open_bytes(&log, cw_buf_bytes(&b)), CW_ERR_BAD_STATE_FILE);
	cw_buf_wipe(&b);
}

static void
bytes_behind_the_end_are_noticed(void **state)
{
	struct cw_signer_log log;
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 65536);
	cw_buf_put(&b, cw_buf_bytes(&whole));
	cw_buf_put(&b, cw_bytes((const uint8_t[8]){ 0 }, 8));
	assert_err(open_bytes(&log, cw_buf_bytes(&b)), CW_ERR_BAD_STATE_FILE);
	cw_buf_wipe(&b);
}

static void
what_was_certified_is_not_logged_again(void **state)
{
	struct cw_record key = certified(2), serial = certified(8),
			 request = certified(8), session = certified(2),
			 none = revoked(7);
	struct cw_signer_log log;

	(void)state;
	assert_err(open_bytes(&log, cw_buf_bytes(&whole)), CW_OK);
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
	assert_int_equal(log.pending.len, 0);
	cw_signer_log_close(&log);
}

static void
many_certificates_are_all_found(void **state)
{
	struct cw_signer_log log;

	(void)state;
	assert_err(open_bytes(&log, CW_BYTES_NONE), CW_OK);
	for (uint32_t i = 1; i <= 3000; i++) {
		struct cw_record r = certified(1);

		memcpy(r.th, &i, sizeof(i));
		memcpy(r.serial, &i, sizeof(i));
		memcpy(r.request, &i, sizeof(i));
		memcpy(r.grant, &i, 1);
		assert_err(cw_signer_log_append(&log, &r), CW_OK);
		if (i % 10 == 0)
			assert_err(cw_signer_log_commit(&log), CW_OK);
	}
	cw_signer_log_close(&log);
	assert_err(cw_signer_log_open(&log, path), CW_OK);
	assert_int_equal(log.index.n_entries, 3000);
	for (uint32_t i = 1; i <= 3000; i++) {
		struct cw_record r = certified(1);

		memcpy(r.th, &i, sizeof(i));
		memcpy(r.serial, &i, sizeof(i));
		assert_true(cw_index_has_key(&log.index, r.th, 1));
		assert_non_null(cw_index_by_serial(&log.index, r.serial));
	}
	cw_signer_log_close(&log);
}

static void
one_process_at_a_time_holds_the_log(void **state)
{
	struct cw_signer_log log, second;

	(void)state;
	assert_err(open_bytes(&log, cw_buf_bytes(&whole)), CW_OK);
	assert_err(cw_signer_log_open(&second, path), CW_ERR_LOCKED);
	cw_signer_log_close(&log);
	assert_err(cw_signer_log_open(&second, path), CW_OK);
	cw_signer_log_close(&second);
}

static void
a_log_that_others_may_read_is_refused(void **state)
{
	struct cw_signer_log log;

	(void)state;
	assert_int_equal(chmod(path, 0640), 0);
	assert_err(cw_signer_log_open(&log, path), CW_ERR_FILE_MODE);
	assert_int_equal(chmod(path, 0600), 0);
	unlink(path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_err(cw_signer_log_open(&log, path), CW_ERR_IO);
	unlink(path);
	assert_err(cw_signer_log_open(&log, "/nonexistent/log"),
	    CW_ERR_NO_FILE);
}

/* In a child, because the limit is for the whole process. */
static int
fill_up(void)
{
	const struct rlimit limit = { whole.len + 100, whole.len + 100 };
	struct cw_record more = certified(9);
	struct cw_signer_log log;

	signal(SIGXFSZ, SIG_IGN);
	if (open_bytes(&log, cw_buf_bytes(&whole)) != CW_OK ||
	    setrlimit(RLIMIT_FSIZE, &limit) != 0 ||
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
	assert_err(cw_signer_log_open(&log, path), CW_OK);
	assert_int_equal(log.index.n_entries, 3);
	assert_int_equal(log.size, whole.len);
	cw_signer_log_close(&log);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_log_says_after_a_restart_what_it_said_before),
		cmocka_unit_test(a_last_record_torn_at_any_byte_is_cut_off),
		cmocka_unit_test(a_changed_record_is_noticed),
		cmocka_unit_test(a_record_left_out_or_repeated_is_noticed),
		cmocka_unit_test(bytes_behind_the_end_are_noticed),
		cmocka_unit_test(what_was_certified_is_not_logged_again),
		cmocka_unit_test(many_certificates_are_all_found),
		cmocka_unit_test(one_process_at_a_time_holds_the_log),
		cmocka_unit_test(
		    a_full_disk_is_an_error_and_leaves_a_log_that_opens),
		cmocka_unit_test(a_log_that_others_may_read_is_refused),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
