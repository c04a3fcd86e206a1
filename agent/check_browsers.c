/* SPDX-License-Identifier: Apache-2.0 */
/* `check`: browsers and manifests. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agent/check.h"
#include "agent/manifest.h"

#define TEXT_MAX_BYTES (2 * CW_PATH_MAX + 64)

/* The same program, also by another name of it. */
static bool
is_own(const char *program)
{
	char own[CW_PATH_MAX];
	char *real = realpath(program, NULL);
	bool same = real != NULL && cw_manifest_own_program(own) == CW_OK &&
	    strcmp(real, own) == 0;

	free(real);
	return same;
}

/* What a manifest is good for; `text` says where it leads. */
static enum cw_err
judge(const struct cw_browser *browser, const char *path,
    char text[TEXT_MAX_BYTES])
{
	char program[CW_PATH_MAX] = "";
	bool is_allowed = false;
	enum cw_err err = cw_manifest_read(path, browser, program, &is_allowed);

	snprintf(text, TEXT_MAX_BYTES, "%s%s%s%s", path,
	    program[0] != '\0' ? " leads to " : "", program,
	    err == CW_OK && !is_allowed ? ", but not for our extension" : "");
	if (err != CW_OK)
		return err;
	if (access(program, X_OK) != 0 || !is_allowed)
		return CW_ERR_OTHER_MANIFEST;
	return is_own(program) ? CW_OK : CW_ERR_OTHER_MANIFEST;
}

/* The user's manifest counts before the system's, as in the browsers. */
static enum cw_err
find(const struct cw_browser *browser, const char *root,
    char text[TEXT_MAX_BYTES])
{
	const struct cw_manifest_place places[] = { { false, root },
		{ true, root } };
	enum cw_err err = CW_ERR_NO_MANIFEST;

	text[0] = '\0';
	for (size_t i = 0; i < 2 && err == CW_ERR_NO_MANIFEST; i++) {
		char path[CW_PATH_MAX];

		err = cw_manifest_path(browser, &places[i], path);
		if (err == CW_OK)
			err = judge(browser, path, text);
		if (err == CW_ERR_NO_FILE) {
			text[0] = '\0';
			err = CW_ERR_NO_MANIFEST;
		}
	}
	return err;
}

static void
check_one(struct cw_check *check, const struct cw_browser *b, const char *root,
    bool is_there, char text[TEXT_MAX_BYTES])
{
	static const char *const sandboxes[] = {
		[CW_SANDBOX_SNAP] = "installed as a snap",
		[CW_SANDBOX_FLATPAK] = "installed as a flatpak",
	};
	enum cw_sandbox sandbox = cw_browser_sandbox(b, root);
	enum cw_err err = find(b, root, text);

	/* A browser that is not there needs nothing; a manifest that leads
	 * astray is told all the same. */
	if (is_there || err == CW_ERR_OTHER_MANIFEST ||
	    err == CW_ERR_BAD_CONFIG)
		cw_check_report(check, b->name, err, text);
	if (sandbox != CW_SANDBOX_NONE)
		cw_check_report(check, b->name, CW_ERR_SANDBOXED_BROWSER,
		    sandboxes[sandbox]);
}

void
cw_check_browsers(struct cw_check *check, const char *root)
{
	char *text = calloc(1, TEXT_MAX_BYTES);
	bool any = false;

	if (text == NULL)
		return;
	for (const struct cw_browser *b = cw_browsers; b->name != NULL; b++) {
		bool is_there = cw_browser_find(b, text, TEXT_MAX_BYTES);

		check_one(check, b, root, is_there, text);
		any |= is_there;
	}
	if (!any)
		cw_check_report(check, "browser", CW_OK,
		    "none of those known here is in PATH");
	free(text);
}
