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
