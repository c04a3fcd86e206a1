/* SPDX-License-Identifier: Apache-2.0 */
/* cardwrightd: the issuer. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "server/parent.h"

static const char help[] =
    "usage: cardwrightd --config FILE [--ready-fd N] [--verbose]\n"
    "\n"
    "  --config FILE  the issuer's configuration (docs/operations.md)\n"
    "  --ready-fd N   write a line to this descriptor when requests are\n"
    "                 answered, and close it\n"
    "  --verbose      log every request\n"
    "  --help         this text\n";

struct options {
	const char *config;
	int ready_fd;
};

/* -1: go on; anything else is the exit status. */
static int
read_options(int argc, char **argv, struct options *out)
{
	static const struct option options[] = {
		{ "config", required_argument, NULL, 'c' },
		{ "ready-fd", required_argument, NULL, 'r' },
		{ "verbose", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	char *end = NULL;
	int c;

	while ((c = getopt_long(argc, argv, "c:vh", options, NULL)) != -1) {
		if (c == 'c') {
			out->config = optarg;
		} else if (c == 'r') {
			out->ready_fd = (int)strtol(optarg, &end, 10);
			if (*end != '\0' || out->ready_fd < 0)
				out->config = NULL;
		} else if (c == 'v') {
			cw_log_set_level(CW_LOG_DEBUG);
		} else {
			fputs(help, c == 'h' ? stdout : stderr);
			return c == 'h' ? 0 : cw_err_exit_status(CW_ERR_USAGE);
		}
	}
	if (out->config != NULL && optind == argc)
		return -1;
	fputs(help, stderr);
	return cw_err_exit_status(CW_ERR_USAGE);
}

int
main(int argc, char **argv)
{
	struct options options = { .ready_fd = -1 };
	struct cw_config *config;
	char message[512];
	enum cw_err err;
	int status = read_options(argc, argv, &options);

	if (status >= 0)
		return status;
	cw_log_set_program("cardwrightd");
	if (!cw_secret_process_init())
		return cw_err_exit_status(CW_ERR_INTERNAL);
	config = calloc(1, sizeof(*config));
	if (config == NULL)
		return cw_err_exit_status(CW_ERR_NO_MEMORY);
	err = cw_config_load(options.config, config, message, sizeof(message));
	if (err != CW_OK) {
		fprintf(stderr, "cardwrightd: %s\n", message);
		status = cw_err_exit_status(err);
	} else {
		status = cw_parent_run(config, options.ready_fd);
	}
	free(config);
	return status;
}
