/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/base/fdio.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/check.h"

static char folder[] = "/tmp/cw-fdio-XXXXXX";
static char path[64];

static int
make_folder(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	if (mkdtemp(folder) == NULL)
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int
remove_folder(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

/* A writer that needs many small writes; returns its process. */
static pid_t
write_slowly(int fd, const char *bytes)
{
	pid_t pid = fork();

	if (pid == 0) {
		for (; *bytes != '\0'; bytes++) {
			usleep(2000);
			if (write(fd, bytes, 1) != 1)
				_exit(1);
		}
		_exit(0);
	}
	return pid;
}

static void
a_read_goes_on_until_all_is_there(void **state)
{
	int fds[2];
	char got[6];
	pid_t pid;

	(void)state;
	assert_int_equal(pipe(fds), 0);
	pid = write_slowly(fds[1], "abcdef");
	close(fds[1]);
	assert_err(cw_fd_read(fds[0], got, 6), CW_OK);
	assert_memory_equal(got, "abcdef", 6);
	assert_err(cw_fd_read(fds[0], got, 0), CW_OK);
	assert_err(cw_fd_read(fds[0], got, 1), CW_ERR_CLOSED);
	close(fds[0]);
	waitpid(pid, NULL, 0);
}

static void
an_end_before_the_last_byte_is_closed(void **state)
{
	int fds[2];
	char got[3];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	assert_int_equal(write(fds[1], "ab", 2), 2);
	close(fds[1]);
	assert_err(cw_fd_read(fds[0], got, 3), CW_ERR_CLOSED);
	close(fds[0]);
}

static void
a_bad_descriptor_is_an_input_output_error(void **state)
{
	char got[1];

	(void)state;
	assert_err(cw_fd_read(-1, got, 1), CW_ERR_IO);
	assert_err(cw_fd_write(-1, cw_bytes_str("a")), CW_ERR_IO);
	assert_err(cw_fd_write(-1, CW_BYTES_NONE), CW_OK);
}

static void
a_write_larger_than_the_pipe_arrives_whole(void **state)
{
	static uint8_t bytes[300000];
	int fds[2];
	int status = 1;
	pid_t pid;

	(void)state;
	memset(bytes, 7, sizeof(bytes));
	assert_int_equal(pipe(fds), 0);
	pid = fork();
	if (pid == 0) {
		static uint8_t got[sizeof(bytes)];

		close(fds[1]);
		if (cw_fd_read(fds[0], got, sizeof(got)) != CW_OK)
			_exit(1);
		_exit(memcmp(got, bytes, sizeof(got)) == 0 ? 0 : 2);
	}
	close(fds[0]);
	assert_err(cw_fd_write(fds[1], CW_BYTES_ARRAY(bytes)), CW_OK);
	close(fds[1]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
writing_to_nobody_is_closed(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	close(fds[0]);
	assert_err(cw_fd_write(fds[1], cw_bytes_str("a")), CW_ERR_CLOSED);
	close(fds[1]);
}

static void
a_full_device_is_no_space(void **state)
{
	int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	assert_err(cw_fd_write(fd, cw_bytes_str("a")), CW_ERR_NO_SPACE);
	close(fd);
}

static void
a_stored_file_is_loaded_again_with_its_mode(void **state)
{
	struct cw_buf b;
	struct stat st;

	(void)state;
	cw_buf_init(&b, 100);
	assert_err(cw_file_store(path, cw_bytes_str("first"), 0600), CW_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_err(cw_file_load(path, &b), CW_OK);
	assert_true(cw_bytes_is(cw_buf_bytes(&b), "first"));
	cw_buf_reset(&b);
	assert_err(cw_file_store(path, cw_bytes_str("2"), 0600), CW_OK);
	assert_err(cw_file_load(path, &b), CW_OK);
	assert_true(cw_bytes_is(cw_buf_bytes(&b), "2"));
	cw_buf_reset(&b);
	assert_err(cw_file_store(path, CW_BYTES_NONE, 0600), CW_OK);
	assert_err(cw_file_load(path, &b), CW_OK);
	assert_int_equal(b.len, 0);
	cw_buf_wipe(&b);
}

static void
what_others_may_read_is_no_file_of_one_s_own(void **state)
{
	static const mode_t others[] = { 0640, 0620, 0610, 0604, 0602, 0601 };
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 100);
	assert_err(cw_file_store(path, cw_bytes_str("own"), 0600), CW_OK);
	assert_err(cw_file_load_own(path, &b), CW_OK);
	assert_true(cw_bytes_is(cw_buf_bytes(&b), "own"));
	cw_buf_reset(&b);
	for (size_t i = 0; i < COUNT(others); i++) {
		assert_int_equal(chmod(path, others[i]), 0);
		assert_err(cw_file_load_own(path, &b), CW_ERR_FILE_MODE);
		assert_int_equal(b.len, 0);
	}
	assert_err(cw_file_load_own("/nonexistent/file", &b), CW_ERR_NO_FILE);
	cw_buf_wipe(&b);
}

static void
no_temporary_file_stays_behind(void **state)
{
	char temp[80];

	(void)state;
	snprintf(temp, sizeof(temp), "%s.new", path);
	assert_err(cw_file_store(path, cw_bytes_str("a"), 0600), CW_OK);
	assert_int_equal(access(temp, F_OK), -1);
}

/* A power cut may leave one, of any length. */
static void
an_old_temporary_file_is_in_nobodys_way(void **state)
{
	char temp[80];
	struct cw_buf b;

	(void)state;
	snprintf(temp, sizeof(temp), "%s.new", path);
	assert_err(cw_file_store(temp, cw_bytes_str("half-written"), 0600),
	    CW_OK);
	assert_err(cw_file_store(path, cw_bytes_str("a"), 0600), CW_OK);
	cw_buf_init(&b, 100);
	assert_err(cw_file_load(path, &b), CW_OK);
	assert_true(cw_bytes_is(cw_buf_bytes(&b), "a"));
	cw_buf_wipe(&b);
}

static void
an_old_temporary_file_does_not_lend_its_mode(void **state)
{
	char temp[80];
	struct stat st;

	(void)state;
	snprintf(temp, sizeof(temp), "%s.new", path);
	assert_err(cw_file_store(temp, cw_bytes_str("x"), 0600), CW_OK);
	assert_int_equal(chmod(temp, 0644), 0);
	assert_err(cw_file_store(path, cw_bytes_str("secret"), 0600), CW_OK);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void
a_file_larger_than_the_buffer_allows_is_too_large(void **state)
{
	struct cw_buf b;

	(void)state;
	assert_err(cw_file_store(path, cw_bytes_str("abc"), 0600), CW_OK);
	cw_buf_init(&b, 3);
	assert_err(cw_file_load(path, &b), CW_OK);
	cw_buf_wipe(&b);
	cw_buf_init(&b, 2);
	assert_err(cw_file_load(path, &b), CW_ERR_TOO_LARGE);
	cw_buf_wipe(&b);
}

static void
what_is_no_file_is_not_loaded(void **state)
{
	struct cw_buf b;

	(void)state;
	cw_buf_init(&b, 100);
	assert_err(cw_file_load("/nonexistent/file", &b), CW_ERR_NO_FILE);
	assert_err(cw_file_load(folder, &b), CW_ERR_IO);
	assert_err(cw_file_load("/dev/null", &b), CW_ERR_IO);
	assert_int_equal(b.len, 0);
	cw_buf_wipe(&b);
}

static void
a_file_in_no_folder_is_not_stored(void **state)
{
	char name[5000];

	(void)state;
	assert_err(cw_file_store("/nonexistent/file", CW_BYTES_NONE, 0600),
	    CW_ERR_IO);
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_err(cw_file_store(name, CW_BYTES_NONE, 0600), CW_ERR_IO);
}

/* rename(2) of a file onto a folder fails; nothing may be left behind. */
static void
a_failed_replacement_leaves_no_temporary_file(void **state)
{
	char temp[80];

	(void)state;
	snprintf(temp, sizeof(temp), "%s.new", folder);
	assert_err(cw_file_store(folder, cw_bytes_str("a"), 0600), CW_ERR_IO);
	assert_int_equal(access(temp, F_OK), -1);
}

/* ---- fsync that fails ---- */

int __real_fsync(int fd);
int __wrap_fsync(int fd);

static int good_syncs = -1; /* then one fails; -1: none does */

int
__wrap_fsync(int fd)
{
	if (good_syncs-- == 0) {
		errno = EIO;
		return -1;
	}
	return __real_fsync(fd);
}

static void
assert_holds(const char *text)
{
	char temp[80];
	struct cw_buf b;

	snprintf(temp, sizeof(temp), "%s.new", path);
	assert_int_equal(access(temp, F_OK), -1);
	cw_buf_init(&b, 100);
	assert_err(cw_file_load(path, &b), CW_OK);
	assert_true(cw_bytes_is(cw_buf_bytes(&b), text));
	cw_buf_wipe(&b);
}

static void
bytes_that_cannot_be_made_durable_replace_nothing(void **state)
{
	(void)state;
	assert_err(cw_file_store(path, cw_bytes_str("old"), 0600), CW_OK);
	good_syncs = 0;
	assert_err(cw_file_store(path, cw_bytes_str("new"), 0600), CW_ERR_IO);
	assert_holds("old");
}

/* The one error after which the new bytes are there: the header says so. */
static void
when_only_the_folder_fails_the_new_bytes_are_there(void **state)
{
	(void)state;
	assert_err(cw_file_store(path, cw_bytes_str("old"), 0600), CW_OK);
	good_syncs = 1;
	assert_err(cw_file_store(path, cw_bytes_str("new"), 0600), CW_ERR_IO);
	assert_holds("new");
	good_syncs = -1;
	assert_err(cw_file_store(path, cw_bytes_str("newer"), 0600), CW_OK);
	assert_holds("newer");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_read_goes_on_until_all_is_there),
		cmocka_unit_test(an_end_before_the_last_byte_is_closed),
		cmocka_unit_test(a_bad_descriptor_is_an_input_output_error),
		cmocka_unit_test(a_write_larger_than_the_pipe_arrives_whole),
		cmocka_unit_test(writing_to_nobody_is_closed),
		cmocka_unit_test(a_full_device_is_no_space),
		cmocka_unit_test(a_stored_file_is_loaded_again_with_its_mode),
		cmocka_unit_test(what_others_may_read_is_no_file_of_one_s_own),
		cmocka_unit_test(no_temporary_file_stays_behind),
		cmocka_unit_test(an_old_temporary_file_is_in_nobodys_way),
		cmocka_unit_test(an_old_temporary_file_does_not_lend_its_mode),
		cmocka_unit_test(
		    a_file_larger_than_the_buffer_allows_is_too_large),
		cmocka_unit_test(what_is_no_file_is_not_loaded),
		cmocka_unit_test(a_file_in_no_folder_is_not_stored),
		cmocka_unit_test(a_failed_replacement_leaves_no_temporary_file),
		cmocka_unit_test(
		    bytes_that_cannot_be_made_durable_replace_nothing),
		cmocka_unit_test(
		    when_only_the_folder_fails_the_new_bytes_are_there),
	};

	return cmocka_run_group_tests_name("fdio", tests, make_folder,
	    remove_folder);
}
