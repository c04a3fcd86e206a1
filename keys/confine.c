/* SPDX-License-Identifier: Apache-2.0 */
/* Confinement by user, descriptors and seccomp. */
#include "keys/confine.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <seccomp.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/log.h"

#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define RELAXED 1
#endif
#endif
#if defined(CW_SANITIZE) || defined(__SANITIZE_ADDRESS__) || \
    defined(__SANITIZE_THREAD__)
#define RELAXED 1
#endif

static enum cw_err
refuse(const char *what)
{
	return cw_log_fail(CW_ERR_CONFINEMENT, "confine", "what=%s errno=%d",
	    what, errno);
}

enum cw_err
cw_confine_user(const char *user, const char *path)
{
	const struct passwd *pw;
	struct stat st;
	int death = 0;
	uid_t uid;
	gid_t gid;

	if (geteuid() != 0)
		return CW_OK;
	if (user[0] != '\0') {
		pw = getpwnam(user);
		if (pw == NULL)
			return refuse("no such user");
		uid = pw->pw_uid;
		gid = pw->pw_gid;
	} else {
		if (stat(path, &st) != 0)
			return refuse("stat");
		uid = st.st_uid;
		gid = st.st_gid;
	}
	if (uid == 0)
		return CW_OK;
	if (prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0) != 0)
		return refuse("pdeathsig");
	if (setgroups(0, NULL) != 0 || setresgid(gid, gid, gid) != 0 ||
	    setresuid(uid, uid, uid) != 0)
		return refuse("setuid");
	/* A change of user makes a process dumpable or not by a setting of the
	 * kernel's, and forgets the signal at its parent's death; say both again. */
	if (prctl(PR_SET_PDEATHSIG, death, 0, 0, 0) != 0)
		return refuse("pdeathsig");
	return prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0 ? CW_OK :
							 refuse("dumpable");
}

static int
ascending(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

void
cw_confine_descriptors(int *keep, size_t n)
{
	unsigned from = STDERR_FILENO + 1;

	qsort(keep, n, sizeof(*keep), ascending);
	for (size_t i = 0; i < n; i++) {
		if (keep[i] < (int)from)
			continue;
		if (keep[i] > (int)from)
			close_range(from, (unsigned)keep[i] - 1, 0);
		from = (unsigned)keep[i] + 1;
	}
	close_range(from, ~0u, 0);
}

#ifndef RELAXED
/* Allowed with any arguments. */
static const int allowed[] = {
	SCMP_SYS(epoll_wait),
	SCMP_SYS(epoll_pwait),
	SCMP_SYS(epoll_ctl),
	SCMP_SYS(recvmsg),
	SCMP_SYS(recvfrom),
	SCMP_SYS(sendmsg),
	SCMP_SYS(sendto),
	SCMP_SYS(read),
	SCMP_SYS(write),
	SCMP_SYS(pread64),
	SCMP_SYS(pwrite64),
	SCMP_SYS(fdatasync),
	SCMP_SYS(close),
	SCMP_SYS(futex),
	SCMP_SYS(munmap),
	SCMP_SYS(mremap),
	SCMP_SYS(madvise),
	SCMP_SYS(brk),
	SCMP_SYS(mlock),
	SCMP_SYS(munlock),
	SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday),
	SCMP_SYS(time),
	SCMP_SYS(getrandom),
	SCMP_SYS(getpid),
	SCMP_SYS(gettid),
	SCMP_SYS(sched_yield),
	SCMP_SYS(rt_sigprocmask),
	SCMP_SYS(rt_sigreturn),
	SCMP_SYS(restart_syscall),
	SCMP_SYS(exit),
	SCMP_SYS(exit_group),
};

/* Libraries try these and live without. */
static const int refused[] = {
	SCMP_SYS(open),
	SCMP_SYS(openat),
	SCMP_SYS(stat),
	SCMP_SYS(lstat),
	SCMP_SYS(fstat),
	SCMP_SYS(newfstatat),
	SCMP_SYS(statx),
	SCMP_SYS(access),
	SCMP_SYS(readlink),
	SCMP_SYS(readlinkat),
	SCMP_SYS(ioctl),
	SCMP_SYS(sysinfo),
};

static int
add_rules(scmp_filter_ctx filter)
{
	/* Memory, but never code. */
	const struct scmp_arg_cmp not_code =
	    SCMP_A2(SCMP_CMP_MASKED_EQ, PROT_EXEC, 0);
	int r;

	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++) {
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
		if (r != 0)
			return r;
	}
	for (size_t i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		r = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), refused[i],
		    0);
		if (r != 0)
			return r;
	}
	r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1,
	    not_code);
	if (r == 0)
		r = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect),
		    1, not_code);
	return r;
}

static enum cw_err
give_up(void)
{
	const struct rlimit files = { 0, 0 };
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int r = -ENOMEM;

	if (filter != NULL)
		r = add_rules(filter);
	if (r == 0 && setrlimit(RLIMIT_NOFILE, &files) != 0)
		r = -errno;
	if (r == 0)
		r = seccomp_load(filter);
	seccomp_release(filter);
	errno = -r;
	return r == 0 ? CW_OK : refuse("seccomp");
}
#else
static enum cw_err
give_up(void)
{
	return CW_OK;
}
#endif

enum cw_err
cw_confine_signer(void)
{
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return refuse("no_new_privs");
	return give_up();
}
