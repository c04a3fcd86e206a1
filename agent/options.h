/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: a table of commands and a table of options. */
#ifndef CW_AGENT_OPTIONS_H
#define CW_AGENT_OPTIONS_H

#include <stdbool.h>
#include <stdio.h>

#include "proto/base/err.h"

struct cw_options {
	const char *operand;  /* URL or ORIGIN */
	const char *reader;   /* --reader */
	const char *pinentry; /* --pinentry */
	const char *ca;       /* --ca */
	const char *memory;   /* --memory */
	unsigned pin_fd;      /* --pin-fd; UINT_MAX: not given */
	unsigned timeout_s;   /* --timeout */
	unsigned wait_s;      /* --wait */
	const char *root;     /* --root */
	const char *program;  /* --program */
	bool yes, json, verbose, user, system;
	enum cw_err refusal; /* native: what every caller is told, or CW_OK */
};

struct cw_command_line {
	const char *name;
	unsigned bit;        /* which options it takes */
	const char *operand; /* its name, or NULL */
	const char *help;
	int (*run)(const struct cw_options *options);
};

extern const struct cw_command_line cw_commands[]; /* ends with name NULL */

/* What every command starts with. */
void cw_options_init(struct cw_options *options);

/* Errors: USAGE, said on stderr. */
enum cw_err cw_options_parse(int argc, char **argv,
    const struct cw_command_line **command, struct cw_options *options)
    __attribute__((warn_unused_result));

void cw_options_usage(FILE *out);

#define CW_CMD_ENROLL 1u
#define CW_CMD_CARDS 2u
#define CW_CMD_CHECK 4u
#define CW_CMD_FORGET 8u
#define CW_CMD_NATIVE 16u
#define CW_CMD_INSTALL 32u
#define CW_CMD_UNINSTALL 64u
#define CW_CMD_ABORT 128u

int cw_cmd_enroll(const struct cw_options *options);
int cw_cmd_cards(const struct cw_options *options);
int cw_cmd_check(const struct cw_options *options);
int cw_cmd_install(const struct cw_options *options);
int cw_cmd_uninstall(const struct cw_options *options);
int cw_cmd_native(const struct cw_options *options);
int cw_cmd_abort(const struct cw_options *options);
int cw_cmd_forget(const struct cw_options *options);

#endif
