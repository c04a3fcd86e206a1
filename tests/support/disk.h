/* SPDX-License-Identifier: Apache-2.0 */
/* A small disk of one's own, that can be full or read-only: a tmpfs in a private
 * mount namespace, which ends with the program. */
#ifndef CW_TESTS_DISK_H
#define CW_TESTS_DISK_H

#include <stdbool.h>
#include <stddef.h>

/* Once, at the start of a program, before any thread. False where neither root
 * nor a user namespace is to be had: `why` says so. */
bool cw_disk_namespace(const char **why);

struct cw_disk {
	char path[128];
};

/* Over the folder, which is made if it is missing. */
bool cw_disk_mount(struct cw_disk *disk, const char *path, unsigned kib);
void cw_disk_unmount(struct cw_disk *disk);

/* Until not one page more can be had; and room again. */
bool cw_disk_fill(const struct cw_disk *disk);
bool cw_disk_empty(const struct cw_disk *disk);

/* False as long as somebody has a file open for writing. */
bool cw_disk_set_read_only(const struct cw_disk *disk, bool read_only);

#endif
