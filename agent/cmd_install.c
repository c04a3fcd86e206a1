/* SPDX-License-Identifier: Apache-2.0 */
/* `install`, `uninstall`: the manifests of all browsers, for one user or for
 * all. A browser that comes later finds its own there. */
#include <stdio.h>
#include <sys/stat.h>

#include "agent/jsonl.h"
#include "agent/manifest.h"
#include "agent/options.h"
#include "agent/show.h"

/* One line for one browser. */
static void
report(const struct cw_options *o, const char *event,
    const struct cw_browser *browser, const char *path, enum cw_err err)
{
	struct cw_buf line;

	if (!o->json) {
		printf("%-4s %-10s %s\n", err == CW_OK ? "ok" : "NO",
		    browser->name, path);
		return;
	}
	cw_buf_init(&line, 4096);
	cw_jsonl_open(&line, NULL, '{');
	cw_jsonl_str(&line, "event", event);
	cw_jsonl_str(&line, "browser", browser->name);
	cw_jsonl_str(&line, "path", path);
	cw_jsonl_number(&line, "error", (uint64_t)err);
	cw_jsonl_close(&line, '}');
	cw_jsonl_print(&line);
}

static enum cw_err
find_program(const struct cw_options *o, char out[CW_PATH_MAX])
{
	int n;

	if (o->program == NULL)
		return cw_manifest_own_program(out);
	/* Browsers take absolute paths only. */
	if (o->program[0] != '/')
		return CW_ERR_USAGE;
	n = snprintf(out, CW_PATH_MAX, "%s", o->program);
	return n < CW_PATH_MAX ? CW_OK : CW_ERR_USAGE;
}

static int
go(const struct cw_options *o, bool is_install)
{
	const struct cw_manifest_place place = { .is_system = o->system,
		.root = o->root };
	char program[CW_PATH_MAX];
	enum cw_err first = CW_OK;

	/* Which of the two is never guessed. */
	if (o->user == o->system) {
		fprintf(stderr, "cardwright-agent: --user or --system?\n");
		return cw_err_exit_status(CW_ERR_USAGE);
	}
	/* For everybody, however private root keeps what is its own. */
	if (o->system)
		(void)umask(022);
	first = is_install ? find_program(o, program) : CW_OK;
	if (first != CW_OK)
		return cw_show_error(o->json, first, 0, 0);
	for (const struct cw_browser *b = cw_browsers; b->name != NULL; b++) {
		char path[CW_PATH_MAX] = "";
		enum cw_err err = cw_manifest_path(b, &place, path);

		if (err == CW_OK)
			err = is_install ?
			    cw_manifest_install(b, &place, program) :
			    cw_manifest_remove(b, &place);
		if (!is_install && err == CW_ERR_NO_FILE)
			continue; /* nothing to remove */
		report(o, is_install ? "install" : "uninstall", b, path, err);
		if (first == CW_OK)
			first = err;
	}
	return first == CW_OK ? 0 : cw_show_error(o->json, first, 0, 0);
}

int
cw_cmd_install(const struct cw_options *options)
{
	return go(options, true);
}

int
cw_cmd_uninstall(const struct cw_options *options)
{
	return go(options, false);
}
