/* SPDX-License-Identifier: Apache-2.0 */
/* What a confined process can no longer do. */
#include "tests/support/check.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "keys/confine.h"
#include "proto/base/secret.h"
#include "proto/crypto.h"

/* ---- each runs confined and says 0 for success, else errno ---- */

static int
opens_a_file(void)
{
	return open("/etc/passwd", O_RDONLY) >= 0 ? 0 : errno;
}

static int
makes_a_file(void)
{
	return open("/tmp/cw-confine", O_WRONLY | O_CREAT, 0600) >= 0 ? 0 :
									errno;
}

static int
makes_a_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0 ? 0 : errno;
}

static int
runs_a_program(void)
{
	char *const none[] = { NULL };

	return execve("/bin/true", none, none) == 0 ? 0 : errno;
}

static int
forks(void)
{
	return fork() >= 0 ? 0 : errno;
}

static int
kills(void)
{
	return kill(getppid(), 0) == 0 ? 0 : errno;
}

static int
makes_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED ?
	    0 :
	    errno;
}

static int
works(void)
{
	struct cw_private_key *key = NULL;
	struct cw_buf signature;
	void *secret;
	int r;

	cw_buf_init(&signature, CW_SIGNATURE_MAX);
	secret = cw_secret_new(100);
	r = secret == NULL || time(NULL) == 0 ||
	    cw_key_generate(CW_KEY_P256, &key) != CW_OK ||
	    cw_sign(key, cw_bytes_str("text"), &signature) != CW_OK;
	cw_key_free(&key);
	cw_secret_free(&secret);
	cw_buf_wipe(&signature);
	return r;
}

#define KILLED (-SIGSYS)

static const struct row {
	const char *name;
	int (*act)(void);
	int want;
} rows[] = {
	{ "works", works, 0 },
	{ "opens a file", opens_a_file, EPERM },
	{ "makes a file", makes_a_file, EPERM },
	{ "makes a socket", makes_a_socket, KILLED },
	{ "runs a program", runs_a_program, KILLED },
	{ "forks", forks, KILLED },
	{ "signals its parent", kills, KILLED },
	{ "makes memory that runs", makes_code, KILLED },
};

static int
confined(int (*act)(void))
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(cw_confine_signer() == CW_OK ? act() : 255);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

static void
only_what_a_signer_needs_is_left(void **state)
{
	(void)state;
#ifdef CW_SANITIZE
	skip(); /* no filter under sanitizers: keys/confine.h */
#endif
	for (size_t i = 0; i < COUNT(rows); i++)
		assert_row(rows[i].name, confined(rows[i].act) == rows[i].want);
}

static void
only_the_descriptors_named_are_left(void **state)
{
	int keep[3], fds[6], status = 0;
	pid_t pid;

	(void)state;
	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = open("/dev/null", O_RDONLY);
	keep[0] = fds[4];
	keep[1] = fds[1];
	keep[2] = 1;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		int left = 0;

		cw_confine_descriptors(keep, 3);
		for (size_t i = 0; i < COUNT(fds); i++)
			left += (fcntl(fds[i], F_GETFD) >= 0) << i;
		_exit(left);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1 << 1 | 1 << 4);
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

/* In a child: the user it ends up as, 255 for a refusal. */
static int
user_after(const char *user, const char *path)
{
	int status = 0;
	pid_t pid = fork();

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(cw_confine_user(user, path) != CW_OK ?
			255 :
			(int)(geteuid() % 200));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WEXITSTATUS(status);
}

static void
root_becomes_the_user_named_or_the_owner(void **state)
{
	char path[] = "/tmp/cw-confine.XXXXXX";
	int fd = mkstemp(path);
	int own = (int)(geteuid() % 200);

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(user_after("", path), own);
	if (geteuid() == 0) {
		assert_int_equal(chown(path, 65534, 65534), 0);
		assert_int_equal(user_after("", path), 65534 % 200);
		assert_int_equal(user_after("nobody", "/none"), 65534 % 200);
		assert_int_equal(user_after("no such user", path), 255);
		assert_int_equal(user_after("", "/nonexistent"), 255);
	} else {
		assert_int_equal(user_after("root", path), own);
	}
	unlink(path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_a_signer_needs_is_left),
		cmocka_unit_test(only_the_descriptors_named_are_left),
		cmocka_unit_test(root_becomes_the_user_named_or_the_owner),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
