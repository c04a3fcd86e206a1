/* SPDX-License-Identifier: Apache-2.0 */
/* Options, as a table; the usage text comes from the same table. */
#include "agent/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum kind { KIND_FLAG, KIND_TEXT, KIND_NUMBER };

struct row {
	const char *name, *value; /* value: how the usage calls it */
	enum kind kind;
	size_t offset; /* in struct cw_options */
	unsigned commands, max;
	const char *help;
};

#define INSTALLING (CW_CMD_INSTALL | CW_CMD_UNINSTALL)
/* Bytes in; bytes out; all that the holder does. */
#define READING                                                     \
	(CW_CMD_SIGN | CW_CMD_DECRYPT | CW_CMD_AGREE | CW_CMD_MAC | \
	    CW_CMD_ENCRYPT | CW_CMD_ATTEST)
#define WRITING \
	(READING | CW_CMD_EXPORT | CW_CMD_CERTIFICATE | CW_CMD_PUBLIC_KEY)
#define HOLDING                                                          \
	(WRITING | CW_CMD_KEYS | CW_CMD_CHANGE_PIN | CW_CMD_CHANGE_PUK | \
	    CW_CMD_UNBLOCK | CW_CMD_DELETE | CW_CMD_RESET)
#define ALL                                                            \
	(CW_CMD_ENROLL | CW_CMD_CARDS | CW_CMD_CHECK | CW_CMD_FORGET | \
	    CW_CMD_ABORT | INSTALLING | HOLDING)
#define DIALOG (CW_CMD_ENROLL | CW_CMD_CHECK | CW_CMD_NATIVE)
#define AT(member) offsetof(struct cw_options, member)

static const struct row rows[] = {
	{ "reader", "NAME", KIND_TEXT, AT(reader),
	    CW_CMD_ENROLL | CW_CMD_CARDS | CW_CMD_ABORT | HOLDING, 0,
	    "the reader to use, as `cards` names it" },
	{ "wait", "S", KIND_NUMBER, AT(wait_s), CW_CMD_ENROLL | CW_CMD_NATIVE,
	    3600, "seconds to wait for a card (2; for a browser 300)" },
	{ "in", "FILE", KIND_TEXT, AT(in), READING, 0,
	    "what is to be signed, decrypted, ... (standard input)" },
	{ "out", "FILE", KIND_TEXT, AT(out), WRITING, 0,
	    "where the result goes (standard output)" },
	{ "algorithm", "NAME", KIND_TEXT, AT(algorithm),
	    READING & ~CW_CMD_ATTEST, 0,
	    "instead of the first that the key allows: PS256, ..." },
	{ "der", NULL, KIND_FLAG, AT(der),
	    CW_CMD_SIGN | CW_CMD_CERTIFICATE | CW_CMD_PUBLIC_KEY, 0,
	    "DER: an ECDSA signature as in X.509; no PEM" },
	{ "subject", "NAME", KIND_TEXT, AT(subject), CW_CMD_ATTEST, 0,
	    "the subject that will be asked for, as \"CN=Erika\"" },
	{ "batch", NULL, KIND_FLAG, AT(batch), CW_CMD_ATTEST, 0,
	    "as one of its batch, instead of as this very card" },
	{ "keep-pin", NULL, KIND_FLAG, AT(keep_pin), CW_CMD_UNBLOCK, 0,
	    "give a key's tries back and keep its PIN" },
	{ "yes", NULL, KIND_FLAG, AT(yes),
	    CW_CMD_ENROLL | CW_CMD_DELETE | CW_CMD_RESET, 0,
	    "accept without asking, for scripts" },
	{ "pin-fd", "N", KIND_NUMBER, AT(pin_fd), CW_CMD_ENROLL | HOLDING,
	    65535, "read PINs and PUKs as lines from descriptor N" },
	{ "pinentry", "PROGRAM", KIND_TEXT, AT(pinentry), DIALOG | HOLDING, 0,
	    "ask for PINs by this pinentry" },
	{ "ca", "FILE", KIND_TEXT, AT(ca), CW_CMD_ENROLL, 0,
	    "trust these roots (PEM) for the issuer's TLS, too" },
	{ "timeout", "S", KIND_NUMBER, AT(timeout_s),
	    CW_CMD_ENROLL | CW_CMD_NATIVE | HOLDING, 86400,
	    "seconds of patience with network and person (60)" },
	{ "memory", "FILE", KIND_TEXT, AT(memory), DIALOG | CW_CMD_FORGET, 0,
	    "the remembered issuers, instead of the user's own file" },
	{ "user", NULL, KIND_FLAG, AT(user), INSTALLING, 0,
	    "for this user's browsers" },
	{ "system", NULL, KIND_FLAG, AT(system), INSTALLING, 0,
	    "for the browsers of all users" },
	{ "root", "DIR", KIND_TEXT, AT(root), INSTALLING | CW_CMD_CHECK, 0,
	    "a folder in front of the system's own, for packages" },
	{ "program", "PATH", KIND_TEXT, AT(program), CW_CMD_INSTALL, 0,
	    "the program that browsers start, instead of this one" },
	{ "json", NULL, KIND_FLAG, AT(json), ALL, 0,
	    "one JSON object per line on standard output" },
	{ "verbose", NULL, KIND_FLAG, AT(verbose), ALL | CW_CMD_NATIVE, 0,
	    "log to standard error; never PINs, keys or contents" },
};

#define ROWS (sizeof(rows) / sizeof(rows[0]))

void
cw_options_usage(FILE *out)
{
	fprintf(out, "usage: cardwright-agent COMMAND [OPTION...]\n\n");
	for (const struct cw_command_line *c = cw_commands; c->name != NULL;
	     c++) {
		char left[32];

		snprintf(left, sizeof(left), "%s %s", c->name,
		    c->operand != NULL ? c->operand : "");
		fprintf(out, "  %-22s %s\n", left, c->help);
	}
	fprintf(out, "\n");
	for (size_t i = 0; i < ROWS; i++) {
		char left[32];

		snprintf(left, sizeof(left), "--%s %s", rows[i].name,
		    rows[i].value != NULL ? rows[i].value : "");
		fprintf(out, "  %-22s %s\n", left, rows[i].help);
	}
	fprintf(out, "  %-22s %s\n  %-22s %s\n", "--version", "", "--help", "");
	fprintf(out,
	    "\nExit status: 0, or by the error's category; "
	    "see cardwright-agent(1).\n");
}

static enum cw_err
usage_error(const char *what, const char *which)
{
	fprintf(stderr,
	    "cardwright-agent: %s%s\n"
	    "Try: cardwright-agent --help\n",
	    what, which);
	return CW_ERR_USAGE;
}

static enum cw_err
take(const struct row *row, char *value, struct cw_options *options)
{
	char *at = (char *)options + row->offset;
	char *end = NULL;
	unsigned long n;

	if (row->kind == KIND_FLAG) {
		*(bool *)(void *)at = true;
		return CW_OK;
	}
	if (row->kind == KIND_TEXT) {
		*(const char **)(void *)at = value;
		return CW_OK;
	}
	errno = 0;
	n = strtoul(value, &end, 10);
	if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 ||
	    n > row->max)
		return usage_error("not a number that can be used here: ",
		    value);
	*(unsigned *)(void *)at = (unsigned)n;
	return CW_OK;
}

static const struct cw_command_line *
find_command(const char *name)
{
	for (const struct cw_command_line *c = cw_commands; c->name != NULL;
	     c++)
		if (strcmp(c->name, name) == 0)
			return c;
	return NULL;
}

void
cw_options_init(struct cw_options *options)
{
	*options = (struct cw_options){ .pin_fd = UINT_MAX,
		.timeout_s = 60,
		.wait_s = CW_WAIT_USUAL };
}

static enum cw_err
take_operand(int n, char **operands, const struct cw_command_line *command,
    struct cw_options *options)
{
	const char *name = command->operand;

	if (n > (name != NULL) || (n == 0 && name != NULL && name[0] != '['))
		return usage_error("it takes ",
		    name != NULL ? name : "no operand");
	if (n == 1)
		options->operand = operands[0];
	return CW_OK;
}

enum cw_err
cw_options_parse(int argc, char **argv, const struct cw_command_line **command,
    struct cw_options *options)
{
	struct option list[ROWS + 1] = { 0 };
	enum cw_err err = CW_OK;
	int which;

	cw_options_init(options);
	*command = argc > 1 ? find_command(argv[1]) : NULL;
	if (*command == NULL)
		return usage_error("no such command: ",
		    argc > 1 ? argv[1] : "(none)");
	for (size_t i = 0; i < ROWS; i++)
		list[i] = (struct option){ .name = rows[i].name,
			.has_arg = rows[i].kind != KIND_FLAG,
			.val = (int)i };
	optind = 1;
	opterr = 0;
	while (err == CW_OK &&
	    (which = getopt_long(argc - 1, argv + 1, "", list, NULL)) != -1) {
		if (which == '?' || (size_t)which >= ROWS)
			return usage_error("no such option, or no value: ",
			    argv[optind]);
		if ((rows[which].commands & (*command)->bit) == 0)
			return usage_error("not an option of this command: --",
			    rows[which].name);
		err = take(&rows[which], optarg, options);
	}
	if (err != CW_OK)
		return err;
	return take_operand(argc - 1 - optind, argv + 1 + optind, *command,
	    options);
}
