/* SPDX-License-Identifier: Apache-2.0 */
/* Landlock (landlock(7)): which files, and no outgoing connections. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "proto/base/log.h"
#include "server/confine.h"

/* Of later kernels than Debian 12's headers are from (ABI 3 and 4). */
#define ACCESS_FS_TRUNCATE (UINT64_C(1) << 14)
#define ACCESS_NET_CONNECT (UINT64_C(1) << 1)

struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
};

#define READ (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)
#define WRITE                                   \
	(READ | LANDLOCK_ACCESS_FS_WRITE_FILE | \
	    LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG)
#define HANDLED                                                             \
	(WRITE | LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_MAKE_DIR | \
	    LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_MAKE_SYM |   \
	    LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
	    LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_BLOCK)

static enum cw_err
refuse(const char *what)
{
	return cw_log_fail(CW_ERR_CONFINEMENT, "confine", "what=%s cause=%s",
	    what, strerrorname_np(errno));
}

/* A path that is not there needs no rule. */
static enum cw_err
allow(int ruleset, const char *path, uint64_t access)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = access };
	struct stat st;
	long r;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return errno == ENOENT ? CW_OK : refuse(path);
	if (fstat(rule.parent_fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= LANDLOCK_ACCESS_FS_READ_FILE |
		    LANDLOCK_ACCESS_FS_WRITE_FILE | ACCESS_FS_TRUNCATE;
	r = syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH,
	    &rule, 0);
	close(rule.parent_fd);
	return r == 0 ? CW_OK : refuse(path);
}

static enum cw_err
add_rules(int ruleset, const struct cw_config *config, uint64_t handled)
{
	/* OpenSSL's configuration and modules, time, random, the null device. */
	static const char *const system[] = { "/etc/ssl", "/usr/lib", "/lib",
		"/lib64", "/usr/share/zoneinfo", "/etc/localtime",
		"/dev/urandom", "/dev/random", "/dev/null", "/proc/sys",
		"/sys/devices/system/cpu" };
	enum cw_err err = allow(ruleset, config->state,
	    (WRITE | ACCESS_FS_TRUNCATE) & handled);

	for (size_t i = 0; i < sizeof(system) / sizeof(system[0]); i++)
		if (err == CW_OK)
			err = allow(ruleset, system[i], READ);
	if (err == CW_OK && !config->plain)
		err = allow(ruleset, config->tls_certificate, READ);
	if (err == CW_OK && !config->plain)
		err = allow(ruleset, config->tls_key, READ);
	return err;
}

static long
find_abi(void)
{
#ifdef CW_SANITIZE
	return 0; /* its runtime reads /proc, and writes where it likes */
#else
	return syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
#endif
}

bool
cw_confine_has_landlock(void)
{
	return find_abi() >= 1;
}

enum cw_err
cw_confine_files(const struct cw_config *config)
{
	struct ruleset_attr attr = { .handled_access_fs = HANDLED };
	long abi = find_abi();
	enum cw_err err;
	long ruleset;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return refuse("no_new_privs");
	if (abi < 1) {
		cw_log(CW_LOG_WARN, "confine", "landlock=missing");
		return CW_OK;
	}
	if (abi >= 3)
		attr.handled_access_fs |= ACCESS_FS_TRUNCATE;
	if (abi >= 4)
		attr.handled_access_net = ACCESS_NET_CONNECT;
	ruleset = syscall(SYS_landlock_create_ruleset, &attr,
	    abi >= 4 ? sizeof(attr) : sizeof(attr.handled_access_fs), 0);
	if (ruleset < 0)
		return refuse("ruleset");
	err = add_rules((int)ruleset, config, attr.handled_access_fs);
	if (err == CW_OK &&
	    syscall(SYS_landlock_restrict_self, ruleset, 0) != 0)
		err = refuse("restrict");
	close((int)ruleset);
	return err;
}
