/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: plain-only
 * What a confined web process cannot do any more, each tried in a child. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "server/confine.h"
#include "tests/support/check.h"

static char folder[] = "/tmp/cw-confine-XXXXXX";
static struct cw_config *config;

static const char *
path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	return path;
}

static int
begin(void **state)
{
	(void)state;
	config = calloc(1, sizeof(*config));
	assert_non_null(config);
	assert_non_null(mkdtemp(folder));
	snprintf(config->state, sizeof(config->state), "%s", path_of("state"));
	assert_int_equal(mkdir(config->state, 0700), 0);
	assert_err(cw_file_store(path_of("ca.key"), cw_bytes_str("key"), 0600),
	    CW_OK);
	assert_err(cw_file_store(path_of("tls.key"), cw_bytes_str("key"), 0600),
	    CW_OK);
	snprintf(config->tls_key, sizeof(config->tls_key), "%s",
	    path_of("tls.key"));
	snprintf(config->tls_certificate, sizeof(config->tls_certificate), "%s",
	    path_of("tls.pem"));
	return 0;
}

static int
end(void **state)
{
	(void)state;
	unlink(path_of("ca.key"));
	unlink(path_of("tls.key"));
	rmdir(path_of("state"));
	rmdir(folder);
	free(config);
	return 0;
}

/* Runs `attempt` confined; gives its exit status, or -1 for a signal. */
static int
confined(int (*attempt)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(cw_confine_files(config) == CW_OK &&
			    cw_confine_calls() == CW_OK ?
			attempt() :
			99);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static bool
has_landlock(void)
{
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
		   LANDLOCK_CREATE_RULESET_VERSION) > 0;
}

/* 0: opened; otherwise errno. */
static int
try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC, 0600);

	return fd >= 0 ? 0 : errno;
}

static int
open_key(void)
{
	return try_open(path_of("ca.key"), O_RDONLY);
}

static int
open_passwd(void)
{
	return try_open("/etc/passwd", O_RDONLY);
}

static int
make_outside(void)
{
	return try_open(path_of("new"), O_WRONLY | O_CREAT);
}

static void
no_file_outside_the_state_folder_can_be_opened(void **state)
{
	(void)state;
	if (!has_landlock())
		skip();
	assert_int_equal(confined(open_key), EACCES);
	assert_int_equal(confined(open_passwd), EACCES);
	assert_int_equal(confined(make_outside), EACCES);
}

static int
use_state(void)
{
	int r = try_open(path_of("state/file"), O_RDWR | O_CREAT);

	if (r == 0)
		r = rename(path_of("state/file"), config->state) == 0 ? 1 : 0;
	if (r == 0)
		r = unlink(path_of("state/file")) == 0 ? 0 : errno;
	return r;
}

static int
open_tls(void)
{
	return try_open(path_of("tls.key"), O_RDONLY);
}

static int
write_tls(void)
{
	return try_open(path_of("tls.key"), O_RDWR);
}

static void
the_state_folder_and_the_tls_files_can_be_used(void **state)
{
	(void)state;
	assert_int_equal(confined(use_state), 0);
	assert_int_equal(confined(open_tls), 0);
	if (has_landlock())
		assert_int_equal(confined(write_tls), EACCES);
}

static int
make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) < 0 ? errno : 0;
}

static int
make_process(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	return pid < 0 ? errno : 0;
}

static int
make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ?
	    errno :
	    0;
}

static int
signal_others(void)
{
	return kill(getppid(), 0) != 0 ? errno : 0;
}

static void
no_socket_process_or_code_can_be_made(void **state)
{
	(void)state;
	assert_int_equal(confined(make_socket), EPERM);
	assert_int_equal(confined(make_process), EPERM);
	assert_int_equal(confined(make_code), EPERM);
	assert_int_equal(confined(signal_others), EPERM);
}

static int
run_program(void)
{
	char *argv[] = { NULL };

	execve("/bin/true", argv, argv);
	return 0;
}

static void
a_try_to_run_a_program_is_the_end(void **state)
{
	(void)state;
	assert_int_equal(confined(run_program), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    no_file_outside_the_state_folder_can_be_opened),
		cmocka_unit_test(
		    the_state_folder_and_the_tls_files_can_be_used),
		cmocka_unit_test(no_socket_process_or_code_can_be_made),
		cmocka_unit_test(a_try_to_run_a_program_is_the_end),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
