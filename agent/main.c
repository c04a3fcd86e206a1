/* SPDX-License-Identifier: Apache-2.0 */
/* cardwright-agent: picks the command and lets it run. */
#include <stdio.h>
#include <string.h>

#include "agent/browsers.h"
#include "agent/options.h"
#include "agent/run.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"

int
main(int argc, char **argv)
{
	const struct cw_command_line *command = NULL;
	struct cw_options options;
	enum cw_caller caller;
	enum cw_err err;

	if (!cw_secret_process_init())
		return cw_err_exit_status(CW_ERR_INTERNAL);
	cw_log_set_program("cardwright-agent");
	if (argc == 2 && strcmp(argv[1], "--version") == 0) {
		printf("cardwright-agent %s\n", CW_AGENT_VERSION);
		return 0;
	}
	if (argc == 2 && strcmp(argv[1], "--help") == 0) {
		cw_options_usage(stdout);
		return 0;
	}
	caller = cw_browser_caller(argc, argv);
	if (caller != CW_CALLER_NONE) {
		cw_log_set_level(CW_LOG_ERROR);
		cw_options_init(&options);
		if (caller != CW_CALLER_OURS)
			options.refusal = CW_ERR_UNKNOWN_EXTENSION;
		return cw_cmd_native(&options);
	}
	err = cw_options_parse(argc, argv, &command, &options);
	if (err != CW_OK)
		return cw_err_exit_status(err);
	cw_log_set_level(options.verbose ? CW_LOG_DEBUG : CW_LOG_ERROR);
	return command->run(&options);
}
