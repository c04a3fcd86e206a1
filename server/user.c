/* SPDX-License-Identifier: Apache-2.0 */
/* Becoming another user. */
#include "server/user.h"

#include <dirent.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keys/confine.h"
#include "proto/base/log.h"

/* Only the folder and the files straight in it; no links are followed. */
static bool
hand_over(const char *folder, uid_t uid, gid_t gid)
{
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	bool good = dir != NULL && fchown(fd, uid, gid) == 0;

	while (good && (entry = readdir(dir)) != NULL)
		if (entry->d_type == DT_REG)
			good = fchownat(fd, entry->d_name, uid, gid,
				   AT_SYMLINK_NOFOLLOW) == 0;
	if (dir != NULL)
		closedir(dir);
	else if (fd >= 0)
		close(fd);
	return good;
}

enum cw_err
cw_user_become(const char *name, const char *folder)
{
	const struct passwd *user;

	if (geteuid() != 0)
		return CW_OK;
	if (name[0] != '\0') {
		user = getpwnam(name);
		if (user == NULL ||
		    !hand_over(folder, user->pw_uid, user->pw_gid))
			return cw_log_fail(CW_ERR_CONFINEMENT, "user",
			    "name=%s", name);
	}
	return cw_confine_user(name, folder);
}
