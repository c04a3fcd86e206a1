/* SPDX-License-Identifier: Apache-2.0 */
/* cardwright-admin: options, and the table of commands. */
#include <getopt.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "server/admin.h"
#include "server/serve.h"

enum kind { TEXT, NUMBER, FLAG, HELP };

#define AT(field) offsetof(struct cw_admin, field)

static const struct {
	struct option option;
	enum kind kind;
	size_t at;  /* of the value */
	size_t has; /* of the bool that it was given; 0: none */
} options[] = {
	{ { "config", 1, NULL, 0 }, TEXT, AT(config_path), 0 },
	{ { "subject", 1, NULL, 0 }, TEXT, AT(subject), 0 },
	{ { "profile", 1, NULL, 0 }, TEXT, AT(profile), 0 },
	{ { "account", 1, NULL, 0 }, TEXT, AT(account), 0 },
	{ { "purpose", 1, NULL, 0 }, TEXT, AT(purpose), 0 },
	{ { "authority-key", 1, NULL, 0 }, TEXT, AT(authority_key), 0 },
	{ { "bind-model", 1, NULL, 0 }, TEXT, AT(bind_model), 0 },
	{ { "bind-leaf", 1, NULL, 0 }, TEXT, AT(bind_leaf), 0 },
	{ { "bind-pseudonym", 1, NULL, 0 }, TEXT, AT(bind_pseudonym), 0 },
	{ { "operator-key", 1, NULL, 0 }, TEXT, AT(operator_key), 0 },
	{ { "action", 1, NULL, 0 }, TEXT, AT(action), 0 },
	{ { "certificates", 1, NULL, 0 }, TEXT, AT(certificates), 0 },
	{ { "with-key", 0, NULL, 0 }, FLAG, AT(with_key), 0 },
	{ { "approvals", 1, NULL, 0 }, NUMBER, AT(approvals), 0 },
	{ { "uses", 1, NULL, 0 }, NUMBER, AT(uses), 0 },
	{ { "hours", 1, NULL, 0 }, NUMBER, AT(hours), 0 },
	{ { "mode", 1, NULL, 0 }, NUMBER, AT(mode), 0 },
	{ { "passphrase-fd", 1, NULL, 0 }, NUMBER, AT(passphrase_fd),
	    AT(has_passphrase_fd) },
	{ { "reason", 1, NULL, 0 }, NUMBER, AT(reason), AT(has_reason) },
	{ { "entries", 1, NULL, 0 }, NUMBER, AT(entries), AT(has_entries) },
	{ { "wait", 0, NULL, 0 }, FLAG, AT(wait), 0 },
	{ { "out", 1, NULL, 0 }, TEXT, AT(out), 0 },
	{ { "vendor-root", 1, NULL, 0 }, TEXT, AT(vendor_root), 0 },
	{ { "issuer", 1, NULL, 0 }, TEXT, AT(issuer), 0 },
	{ { "json", 0, NULL, 0 }, FLAG, AT(json), 0 },
	{ { "help", 0, NULL, 0 }, HELP, 0, 0 },
};

#define N_OPTIONS (sizeof(options) / sizeof(options[0]))

static const char help[] =
    "usage: cardwright-admin [--config FILE] COMMAND\n"
    "\n"
    "  invite --subject DN --profile NAME   prints the invitation's URL\n"
    "      [--account TEXT] [--purpose TEXT] [--uses N] [--hours N]\n"
    "      [--mode 1|2|3] [--authority-key FILE] [--passphrase-fd N]\n"
    "      [--bind-model TEXT] [--bind-leaf HEX] [--bind-pseudonym HEX]\n"
    "      [--approvals N]\n"
    "  invite --action renew|manage|unlock  about what cards hold already:\n"
    "      --certificates SERIAL[,SERIAL...], or by --subject, --account,\n"
    "      --bind-leaf, --bind-pseudonym; unlock may renew too: --with-key\n"
    "  withdraw CODE|URL        the invitation is not valid any more\n"
    "  invitations | list | sessions [--json]\n"
    "                           invitations, certificates, sessions\n"
    "  approvals [--json]       sessions that wait for operators\n"
    "  approve|reject SESSION --operator-key FILE [--passphrase-fd N]\n"
    "    [--subject TEXT]       asks at the terminal, or TEXT must be the subject\n"
    "  revoke SERIAL [--reason N] [--wait]  reason: RFC 5280 5.3.1\n"
    "  log-accept [--entries N] after a restore: the signer's log is shorter\n"
    "  evidence export SERIAL|SESSION --out FILE\n"
    "  evidence verify FILE --vendor-root PEM --issuer PEM\n"
    "                           needs no configuration and no network\n"
    "\n"
    "The configuration is issuer.ini here unless --config names it.\n"
    "Exit status: 0, or by the kind of error (docs/errors.md).\n";

static const struct {
	const char *words[2];
	bool has_argument, needs_config, needs_store;
	enum cw_err (*run)(struct cw_admin *admin);
} commands[] = {
	{ { "invite", NULL }, false, true, true, cw_admin_invite },
	{ { "withdraw", NULL }, true, true, true, cw_admin_withdraw },
	{ { "invitations", NULL }, false, true, true, cw_admin_invitations },
	{ { "list", NULL }, false, true, true, cw_admin_list },
	{ { "sessions", NULL }, false, true, true, cw_admin_sessions },
	{ { "approvals", NULL }, false, true, true, cw_admin_approvals },
	{ { "approve", NULL }, true, true, true, cw_admin_approve },
	{ { "reject", NULL }, true, true, true, cw_admin_reject },
	{ { "revoke", NULL }, true, true, true, cw_admin_revoke },
	{ { "log-accept", NULL }, false, true, true, cw_admin_log_accept },
	{ { "evidence", "export" }, true, true, true,
	    cw_admin_evidence_export },
	{ { "evidence", "verify" }, true, false, false,
	    cw_admin_evidence_verify },
};

static int
usage(void)
{
	fputs(help, stderr);
	return cw_err_exit_status(CW_ERR_USAGE);
}

static bool
set_option(struct cw_admin *admin, size_t i, const char *text)
{
	char *field = (char *)admin + options[i].at;
	unsigned long value;
	char *end;

	if (options[i].has != 0)
		*((char *)admin + options[i].has) = 1;
	if (options[i].kind == TEXT) {
		memcpy(field, &text, sizeof(text));
		return true;
	}
	if (options[i].kind == FLAG) {
		*field = 1;
		return true;
	}
	value = strtoul(text, &end, 10);
	if (*text == '\0' || *end != '\0' || value > UINT32_MAX)
		return false;
	memcpy(field, &(unsigned){ (unsigned)value }, sizeof(unsigned));
	return true;
}

/* -1: go on. */
static int
read_options(int argc, char **argv, struct cw_admin *admin)
{
	struct option all[N_OPTIONS + 1];
	int i;
	int c;

	for (size_t k = 0; k < N_OPTIONS; k++)
		all[k] = options[k].option;
	memset(&all[N_OPTIONS], 0, sizeof(all[0]));
	while ((c = getopt_long(argc, argv, "", all, &i)) != -1) {
		if (c != 0)
			return usage();
		if (options[i].kind == HELP) {
			fputs(help, stdout);
			return 0;
		}
		if (!set_option(admin, (size_t)i, optarg))
			return usage();
	}
	return -1;
}

static enum cw_err
open_all(struct cw_admin *admin, bool store)
{
	char message[512];
	char path[CW_PATH_MAX];
	enum cw_err err;

	admin->config = calloc(1, sizeof(*admin->config));
	if (admin->config == NULL)
		return CW_ERR_NO_MEMORY;
	err = cw_config_load(admin->config_path, admin->config, message,
	    sizeof(message));
	if (err != CW_OK) {
		fprintf(stderr, "cardwright-admin: %s\n", message);
		return err;
	}
	if (!store)
		return CW_OK;
	err = cw_state_path(admin->config, CW_STORE_FILE, path);
	if (err == CW_OK)
		err = cw_admin_make_state(admin->config);
	if (err == CW_OK)
		err = cw_store_join_sqlite(path, &admin->store);
	return err == CW_OK ? CW_OK : cw_admin_say(err, path);
}

static int
run(struct cw_admin *admin, char **words, int n)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		int used = commands[i].words[1] == NULL ? 1 : 2;
		enum cw_err err;

		if (n != used + commands[i].has_argument ||
		    strcmp(words[0], commands[i].words[0]) != 0 ||
		    (used == 2 && strcmp(words[1], commands[i].words[1]) != 0))
			continue;
		if (commands[i].has_argument)
			admin->argument = words[used];
		err = commands[i].needs_config ?
		    open_all(admin, commands[i].needs_store) :
		    CW_OK;
		if (err == CW_OK)
			err = commands[i].run(admin);
		cw_store_close(&admin->store);
		free(admin->config);
		return cw_err_exit_status(err);
	}
	return usage();
}

int
main(int argc, char **argv)
{
	struct cw_admin admin;
	int status;

	memset(&admin, 0, sizeof(admin));
	admin.config_path = "issuer.ini";
	status = read_options(argc, argv, &admin);
	if (status >= 0)
		return status;
	cw_log_set_program("cardwright-admin");
	if (!cw_secret_process_init())
		return cw_err_exit_status(CW_ERR_INTERNAL);
	return optind == argc ? usage() :
				run(&admin, argv + optind, argc - optind);
}
