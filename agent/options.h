/* SPDX-License-Identifier: Apache-2.0 */
/* The command line: a table of commands and a table of options. */
#ifndef CW_AGENT_OPTIONS_H
#define CW_AGENT_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

#include "proto/base/err.h"

#define CW_WAIT_USUAL UINT_MAX /* as the command has it */

struct cw_options {
	const char *operand;   /* URL, ORIGIN or KEY; NULL where it may lack */
	const char *reader;    /* --reader */
	const char *pinentry;  /* --pinentry */
	const char *ca;        /* --ca */
	const char *memory;    /* --memory */
	unsigned pin_fd;       /* --pin-fd; UINT_MAX: not given */
	unsigned timeout_s;    /* --timeout */
	unsigned wait_s;       /* --wait, or CW_WAIT_USUAL */
	const char *root;      /* --root */
	const char *program;   /* --program */
	const char *in, *out;  /* --in, --out: NULL or "-": standard ones */
	const char *algorithm; /* --algorithm */
	const char *subject;   /* --subject */
	bool yes, json, verbose, user, system, der, keep_pin, batch;
	enum cw_err refusal; /* native: what every caller is told, or CW_OK */
};

struct cw_command_line {
	const char *name;
	unsigned bit;        /* which options it takes */
	const char *operand; /* its name, in brackets if optional, or NULL */
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
#define CW_CMD_KEYS (1u << 8)
#define CW_CMD_CERTIFICATE (1u << 9)
#define CW_CMD_PUBLIC_KEY (1u << 10)
#define CW_CMD_SIGN (1u << 11)
#define CW_CMD_DECRYPT (1u << 12)
#define CW_CMD_AGREE (1u << 13)
#define CW_CMD_MAC (1u << 14)
#define CW_CMD_ENCRYPT (1u << 15)
#define CW_CMD_EXPORT (1u << 16)
#define CW_CMD_CHANGE_PIN (1u << 17)
#define CW_CMD_CHANGE_PUK (1u << 18)
#define CW_CMD_UNBLOCK (1u << 19)
#define CW_CMD_DELETE (1u << 20)
#define CW_CMD_RESET (1u << 21)
#define CW_CMD_ATTEST (1u << 22)

int cw_cmd_enroll(const struct cw_options *options);
int cw_cmd_cards(const struct cw_options *options);
int cw_cmd_check(const struct cw_options *options);
int cw_cmd_install(const struct cw_options *options);
int cw_cmd_uninstall(const struct cw_options *options);
int cw_cmd_native(const struct cw_options *options);
int cw_cmd_abort(const struct cw_options *options);
int cw_cmd_forget(const struct cw_options *options);
int cw_cmd_keys(const struct cw_options *options);
int cw_cmd_certificate(const struct cw_options *options);
int cw_cmd_public_key(const struct cw_options *options);
int cw_cmd_sign(const struct cw_options *options);
int cw_cmd_decrypt(const struct cw_options *options);
int cw_cmd_agree(const struct cw_options *options);
int cw_cmd_mac(const struct cw_options *options);
int cw_cmd_encrypt(const struct cw_options *options);
int cw_cmd_export(const struct cw_options *options);
int cw_cmd_change_pin(const struct cw_options *options);
int cw_cmd_change_puk(const struct cw_options *options);
int cw_cmd_unblock(const struct cw_options *options);
int cw_cmd_delete(const struct cw_options *options);
int cw_cmd_reset(const struct cw_options *options);
int cw_cmd_attest(const struct cw_options *options);

#endif
