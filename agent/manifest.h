/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Native messaging manifests: the file by which a browser finds this program
 * and sees which extension may start it. Made, removed and looked at.
 */
#ifndef CW_AGENT_MANIFEST_H
#define CW_AGENT_MANIFEST_H

#include "agent/browsers.h"
#include "proto/base/buf.h"

#define CW_PATH_MAX 1024

/* Where manifests are for one user, or for all. */
struct cw_manifest_place {
	bool is_system;
	const char *root; /* in front of the system's folders; NULL: none */
};

/* The file's path in `out`. Errors: BAD_CONFIG (no home, or a path that is too
 * long). */
enum cw_err cw_manifest_path(const struct cw_browser *browser,
    const struct cw_manifest_place *place, char out[CW_PATH_MAX])
    __attribute__((warn_unused_result));

/* Its text for the program at this absolute path. Errors in out->err. */
void cw_manifest_make(const struct cw_browser *browser, const char *program,
    struct cw_buf *out);

/* Writes it, and the folders that are missing. Errors: BAD_CONFIG, IO,
 * NO_SPACE. */
enum cw_err cw_manifest_install(const struct cw_browser *browser,
    const struct cw_manifest_place *place, const char *program)
    __attribute__((warn_unused_result));

/* Removes it, and folders that are empty then. Errors: NO_FILE, BAD_CONFIG,
 * IO. */
enum cw_err cw_manifest_remove(const struct cw_browser *browser,
    const struct cw_manifest_place *place) __attribute__((warn_unused_result));

/*
 * Where a manifest leads: the program's path in `program`, and whether our
 * extension may start it. Errors: NO_FILE, IO, BAD_CONFIG (the browser would
 * not use it: no JSON, another name, another type, no absolute path).
 */
enum cw_err cw_manifest_read(const char *path, const struct cw_browser *browser,
    char program[CW_PATH_MAX], bool *is_allowed)
    __attribute__((warn_unused_result));

/* The path of this very program. Errors: IO. */
enum cw_err cw_manifest_own_program(char out[CW_PATH_MAX])
    __attribute__((warn_unused_result));

#endif
