/* SPDX-License-Identifier: Apache-2.0 */
/* `forget ORIGIN`: the next session with it is a first one again. */
#include <stdio.h>

#include "agent/jsonl.h"
#include "agent/known.h"
#include "agent/options.h"
#include "agent/show.h"
#include "agent/url.h"

int
cw_cmd_forget(const struct cw_options *options)
{
	char origin[CW_URI_MAX + 1];
	struct cw_known known;
	struct cw_buf line;
	bool loopback;
	enum cw_err err =
	    cw_url_canonical_origin(options->operand, origin, &loopback);

	if (err == CW_OK)
		err = cw_known_init(&known, options->memory);
	if (err == CW_OK)
		err = cw_known_forget(&known, cw_bytes_str(origin));
	if (err == CW_ERR_NO_FILE) {
		fprintf(stderr,
		    "cardwright-agent: nothing is remembered of %s\n", origin);
		return cw_err_exit_status(err);
	}
	if (err != CW_OK)
		return cw_show_error(options->json, err, 0, 0);
	if (!options->json) {
		printf("Forgotten: %s\n", origin);
		return 0;
	}
	cw_buf_init(&line, sizeof(origin) + 64);
	cw_jsonl_open(&line, NULL, '{');
	cw_jsonl_str(&line, "event", "forgotten");
	cw_jsonl_str(&line, "origin", origin);
	cw_jsonl_close(&line, '}');
	cw_jsonl_print(&line);
	return 0;
}
