/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests on disk. */
#include "agent/manifest.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/jsonl.h"
#include "proto/base/fdio.h"

#define MANIFEST_MAX 4096
#define FILE_NAME CW_NATIVE_NAME ".json"

/* What stands before a user's folder: Chromium and its relatives go by
 * XDG_CONFIG_HOME, Firefox by the home alone. */
static enum cw_err
user_base(const struct cw_browser *browser, char out[CW_PATH_MAX])
{
	const char *config = getenv("XDG_CONFIG_HOME");
	const char *home = getenv("HOME");
	int n;

	if (!browser->is_firefox && config != NULL && config[0] == '/')
		n = snprintf(out, CW_PATH_MAX, "%s", config);
	else if (home != NULL && home[0] == '/')
		n = snprintf(out, CW_PATH_MAX, "%s%s", home,
		    browser->is_firefox ? "" : "/.config");
	else
		return CW_ERR_BAD_CONFIG;
	return n < CW_PATH_MAX ? CW_OK : CW_ERR_BAD_CONFIG;
}

enum cw_err
cw_manifest_path(const struct cw_browser *browser,
    const struct cw_manifest_place *place, char out[CW_PATH_MAX])
{
	char base[CW_PATH_MAX] = "";
	enum cw_err err = CW_OK;
	int n;

	if (!place->is_system)
		err = user_base(browser, base);
	else if (place->root != NULL)
		snprintf(base, sizeof(base), "%s", place->root);
	if (err != CW_OK)
		return err;
	n = snprintf(out, CW_PATH_MAX, "%s/%s/%s", base,
	    place->is_system ? browser->system_folder : browser->user_folder,
	    FILE_NAME);
	return n < CW_PATH_MAX ? CW_OK : CW_ERR_BAD_CONFIG;
}

void
cw_manifest_make(const struct cw_browser *browser, const char *program,
    struct cw_buf *out)
{
	cw_jsonl_open(out, NULL, '{');
	cw_jsonl_str(out, "name", CW_NATIVE_NAME);
	cw_jsonl_str(out, "description",
	    "Cardwright: keys and certificates for smart cards");
	cw_jsonl_str(out, "path", program);
	cw_jsonl_str(out, "type", "stdio");
	cw_jsonl_open(out,
	    browser->is_firefox ? "allowed_extensions" : "allowed_origins",
	    '[');
	cw_jsonl_str(out, NULL,
	    browser->is_firefox ? CW_EXTENSION_FIREFOX : CW_ORIGIN_CHROMIUM);
	cw_jsonl_close(out, ']');
	cw_jsonl_close(out, '}');
	cw_buf_put_u8(out, '\n');
}

/* All folders of the path. A browser's own are private to its user. */
static enum cw_err
make_folders(const char *path, bool is_system)
{
	char part[CW_PATH_MAX];

	for (const char *at = strchr(path + 1, '/'); at != NULL;
	     at = strchr(at + 1, '/')) {
		memcpy(part, path, (size_t)(at - path));
		part[at - path] = '\0';
		if (mkdir(part, is_system ? 0755 : 0700) != 0 &&
		    errno != EEXIST)
			return errno == ENOSPC ? CW_ERR_NO_SPACE : CW_ERR_IO;
	}
	return CW_OK;
}

enum cw_err
cw_manifest_install(const struct cw_browser *browser,
    const struct cw_manifest_place *place, const char *program)
{
	char path[CW_PATH_MAX];
	struct cw_buf text;
	enum cw_err err = cw_manifest_path(browser, place, path);

	if (err == CW_OK)
		err = make_folders(path, place->is_system);
	if (err != CW_OK)
		return err;
	cw_buf_init(&text, MANIFEST_MAX);
	cw_manifest_make(browser, program, &text);
	err = text.err;
	if (err == CW_OK)
		err = cw_file_store(path, cw_buf_bytes(&text), 0644);
	cw_buf_wipe(&text);
	return err;
}

enum cw_err
cw_manifest_remove(const struct cw_browser *browser,
    const struct cw_manifest_place *place)
{
	char path[CW_PATH_MAX];
	char *end;
	enum cw_err err = cw_manifest_path(browser, place, path);

	if (err != CW_OK)
		return err;
	if (unlink(path) != 0)
		return errno == ENOENT || errno == ENOTDIR ? CW_ERR_NO_FILE :
							     CW_ERR_IO;
	/* The folder for manifests and the one above it, if that was all. */
	for (int i = 0; i < 2 && (end = strrchr(path, '/')) != NULL; i++) {
		*end = '\0';
		if (rmdir(path) != 0)
			break;
	}
	return CW_OK;
}

enum cw_err
cw_manifest_own_program(char out[CW_PATH_MAX])
{
	ssize_t n = readlink("/proc/self/exe", out, CW_PATH_MAX - 1);

	if (n <= 0 || n >= CW_PATH_MAX - 1)
		return CW_ERR_IO;
	out[n] = '\0';
	return CW_OK;
}
