/* SPDX-License-Identifier: Apache-2.0 */
/* Arguments of browsers. */
#include "agent/browsers.h"

#include <string.h>

#define CHROMIUM "chrome-extension://"

static bool
ends(const char *text, const char *with)
{
	size_t len = strlen(text);
	size_t end = strlen(with);

	return len >= end && strcmp(text + len - end, with) == 0;
}

enum cw_caller
cw_browser_caller(int argc, char *const *argv)
{
	bool is_ours;

	if (argc < 2)
		return CW_CALLER_NONE;
	if (strncmp(argv[1], CHROMIUM, strlen(CHROMIUM)) == 0)
		is_ours =
		    strcmp(argv[1], CHROMIUM CW_EXTENSION_CHROMIUM "/") == 0;
	else if (argc >= 3 && argv[1][0] == '/' && ends(argv[1], ".json"))
		is_ours = strcmp(argv[2], CW_EXTENSION_FIREFOX) == 0;
	else
		return CW_CALLER_NONE;
	return is_ours ? CW_CALLER_OURS : CW_CALLER_UNKNOWN;
}
