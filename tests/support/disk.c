/* SPDX-License-Identifier: Apache-2.0 */
/* tmpfs in a namespace (mount_namespaces(7), user_namespaces(7)). */
#include "tests/support/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static bool
put(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok =
	    fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* An ordinary user is itself in there, too. */
static bool
map_user(uid_t uid, gid_t gid)
{
	char line[64];

	snprintf(line, sizeof(line), "%u %u 1", uid, uid);
	if (!put("/proc/self/setgroups", "deny") ||
	    !put("/proc/self/uid_map", line))
		return false;
	snprintf(line, sizeof(line), "%u %u 1", gid, gid);
	return put("/proc/self/gid_map", line);
}

bool
cw_disk_namespace(const char **why)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();

	*why = "no private mount namespace on this machine";
	if (uid == 0 ? unshare(CLONE_NEWNS) != 0 :
		       unshare(CLONE_NEWUSER | CLONE_NEWNS) != 0 ||
		    !map_user(uid, gid))
		return false;
	return mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
}

bool
cw_disk_mount(struct cw_disk *disk, const char *path, unsigned kib)
{
	char options[64];

	snprintf(disk->path, sizeof(disk->path), "%s", path);
	snprintf(options, sizeof(options), "mode=0700,size=%uk", kib);
	if (mkdir(path, 0700) != 0 && errno != EEXIST)
		return false;
	return mount("none", path, "tmpfs", MS_NODEV | MS_NOSUID, options) == 0;
}

void
cw_disk_unmount(struct cw_disk *disk)
{
	if (disk->path[0] != '\0')
		umount2(disk->path, MNT_DETACH);
	disk->path[0] = '\0';
}

static void
ballast(const struct cw_disk *disk, char *path, size_t size)
{
	snprintf(path, size, "%s/ballast", disk->path);
}

bool
cw_disk_fill(const struct cw_disk *disk)
{
	static const char page[4096] = "";
	char path[160];
	ssize_t n;
	int fd;

	ballast(disk, path, sizeof(path));
	fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
	if (fd < 0)
		return false;
	while ((n = write(fd, page, sizeof(page))) > 0)
		;
	close(fd);
	return n < 0;
}

bool
cw_disk_empty(const struct cw_disk *disk)
{
	char path[160];

	ballast(disk, path, sizeof(path));
	return unlink(path) == 0;
}

static bool
remount(const struct cw_disk *disk, bool read_only)
{
	return mount("none", disk->path, NULL,
		   MS_REMOUNT | MS_NODEV | MS_NOSUID |
		       (read_only ? MS_RDONLY : 0),
		   NULL) == 0;
}

bool
cw_disk_set_read_only(const struct cw_disk *disk, bool read_only)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	/* The threads of a process that was killed end one by one. */
	for (unsigned i = 0; i < 2000; i++) {
		if (remount(disk, read_only))
			return true;
		if (errno != EBUSY)
			return false;
		nanosleep(&pause, NULL);
	}
	return false;
}
