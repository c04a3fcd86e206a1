/* SPDX-License-Identifier: Apache-2.0 */
/* The browsers, as a table, and their arguments. */
#include "agent/browsers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CHROMIUM "chrome-extension://"

const struct cw_browser cw_browsers[] = {
	{ "chromium", false, "etc/chromium/native-messaging-hosts",
	    "chromium/NativeMessagingHosts", { "chromium", "chromium-browser" },
	    "chromium", "org.chromium.Chromium" },
	{ "chrome", false, "etc/opt/chrome/native-messaging-hosts",
	    "google-chrome/NativeMessagingHosts",
	    { "google-chrome", "google-chrome-stable" }, "chrome",
	    "com.google.Chrome" },
	{ "edge", false, "etc/opt/edge/native-messaging-hosts",
	    "microsoft-edge/NativeMessagingHosts",
	    { "microsoft-edge", "microsoft-edge-stable" }, "microsoft-edge",
	    "com.microsoft.Edge" },
	{ "firefox", true, "usr/lib/mozilla/native-messaging-hosts",
	    ".mozilla/native-messaging-hosts", { "firefox", "firefox-esr" },
	    "firefox", "org.mozilla.firefox" },
	{ 0 },
};

static bool
find_in_path(const char *name, char *out, size_t size)
{
	const char *at = getenv("PATH");

	while (at != NULL && *at != '\0') {
		size_t len = strcspn(at, ":");
		int n = snprintf(out, size, "%.*s/%s", (int)len, at, name);

		if (n > 0 && (size_t)n < size && access(out, X_OK) == 0)
			return true;
		at += len + (at[len] == ':');
	}
	return false;
}

bool
cw_browser_find(const struct cw_browser *browser, char *out, size_t size)
{
	for (size_t i = 0; browser->programs[i] != NULL; i++)
		if (find_in_path(browser->programs[i], out, size))
			return true;
	return false;
}

static bool
exists(const char *before, const char *folder, const char *name)
{
	char path[1024];
	int n = snprintf(path, sizeof(path), "%s%s%s",
	    before != NULL ? before : "", folder, name);

	return n > 0 && n < (int)sizeof(path) && access(path, F_OK) == 0;
}

enum cw_sandbox
cw_browser_sandbox(const struct cw_browser *browser, const char *root)
{
	if (exists(root, "/snap/bin/", browser->snap) ||
	    exists(root, "/var/lib/snapd/snap/bin/", browser->snap))
		return CW_SANDBOX_SNAP;
	if (exists(root, "/var/lib/flatpak/exports/bin/", browser->flatpak) ||
	    exists(getenv("HOME"), "/.local/share/flatpak/exports/bin/",
		browser->flatpak))
		return CW_SANDBOX_FLATPAK;
	return CW_SANDBOX_NONE;
}

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
		is_ours = strcmp(argv[1], CW_ORIGIN_CHROMIUM) == 0;
	else if (argc >= 3 && argv[1][0] == '/' && ends(argv[1], ".json"))
		is_ours = strcmp(argv[2], CW_EXTENSION_FIREFOX) == 0;
	else
		return CW_CALLER_NONE;
	return is_ours ? CW_CALLER_OURS : CW_CALLER_UNKNOWN;
}
