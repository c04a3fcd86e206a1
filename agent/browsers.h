/* SPDX-License-Identifier: Apache-2.0 */
/* The extension, and the browsers that may start the agent for it. */
#ifndef CW_AGENT_BROWSERS_H
#define CW_AGENT_BROWSERS_H

#include <stdbool.h>
#include <stddef.h>

#define CW_NATIVE_NAME "io.cardwright.agent"

/* From the public key in agent/extension/manifest.json. */
#define CW_EXTENSION_CHROMIUM "edceamngaogbiecbdhocffodbdaieojc"
#define CW_EXTENSION_FIREFOX "cardwright@cardwright.io"

#define CW_ORIGIN_CHROMIUM "chrome-extension://" CW_EXTENSION_CHROMIUM "/"

struct cw_browser {
	const char *name;
	bool is_firefox;           /* the other kind of manifest */
	const char *system_folder; /* of manifests, below / */
	const char *user_folder;   /* … below ~/.config, Firefox: below ~ */
	const char *programs[3];   /* in PATH; ends with NULL */
	const char *snap;          /* its name as a snap */
	const char *flatpak;       /* … as a flatpak */
};

extern const struct cw_browser cw_browsers[]; /* ends with name NULL */

enum cw_sandbox {
	CW_SANDBOX_NONE,
	CW_SANDBOX_SNAP,
	CW_SANDBOX_FLATPAK,
};

/* The browser's program in PATH; false if there is none. */
bool cw_browser_find(const struct cw_browser *browser, char *out, size_t size);

/* Whether it is (also) installed in a sandbox, from which it cannot start this
 * program. `root` stands before the system's folders, or is NULL. */
enum cw_sandbox cw_browser_sandbox(const struct cw_browser *browser,
    const char *root);

enum cw_caller {
	CW_CALLER_NONE,    /* not started by a browser */
	CW_CALLER_OURS,    /* for our extension */
	CW_CALLER_UNKNOWN, /* for another one */
};

/*
 * Who has started this program, by its arguments: Chromium and its relatives
 * give "chrome-extension://ID/", Firefox the manifest's path and the id.
 * Arguments behind these are theirs and are passed over.
 */
enum cw_caller cw_browser_caller(int argc, char *const *argv);

#endif
