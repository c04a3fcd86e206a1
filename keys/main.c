/* SPDX-License-Identifier: Apache-2.0 */
/* cardwright-keys: the development tree, and the ceremonies. */
#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "keys/ceremony.h"
#include "keys/devtree.h"
#include "keys/log_repair.h"
#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"

struct options {
	struct cw_ceremony_options ceremony;
	const char *dir, *url, *cards;
	struct cw_log_repair repair;
};

enum { TEXT, NUMBER, DESCRIPTOR, KEY_TYPE, FLAG, HELP };

#define OPTION(field) offsetof(struct options, field)

static const struct {
	struct option option;
	int kind;
	size_t at;
	const char *help;
} table[] = {
	{ { "dir", 1, NULL, 0 }, TEXT, OPTION(dir), "dev: folder (keys/dev)" },
	{ { "cards", 1, NULL, 0 }, TEXT, OPTION(cards),
	    "dev: how many cards (3)" },
	{ { "url", 1, NULL, 0 }, TEXT, OPTION(url),
	    "dev: the issuer's URL (https://localhost:8443)" },
	{ { "subject", 1, NULL, 0 }, TEXT, OPTION(ceremony.subject),
	    "who the certificate names, CN=…,O=…" },
	{ { "days", 1, NULL, 0 }, NUMBER, OPTION(ceremony.days),
	    "how long the certificate is valid" },
	{ { "key-type", 1, NULL, 0 }, KEY_TYPE, OPTION(ceremony.key_type),
	    "P-256 (default), P-384 or Ed25519" },
	{ { "ca-key", 1, NULL, 0 }, TEXT, OPTION(ceremony.ca_key),
	    "the issuer's private key" },
	{ { "ca-cert", 1, NULL, 0 }, TEXT, OPTION(ceremony.ca_cert),
	    "the issuer's certificate, with those above it but the root" },
	{ { "out", 1, NULL, 0 }, TEXT, OPTION(ceremony.out),
	    "writes OUT.key and OUT.pem; card and tag-key: OUT" },
	{ { "model", 1, NULL, 0 }, TEXT, OPTION(ceremony.model),
	    "batch-ca, card: the card model" },
	{ { "firmware", 1, NULL, 0 }, TEXT, OPTION(ceremony.firmware),
	    "card: firmware version" },
	{ { "serial", 1, NULL, 0 }, TEXT, OPTION(ceremony.serial),
	    "card: serial number" },
	{ { "batch-key", 1, NULL, 0 }, TEXT, OPTION(ceremony.batch_key),
	    "card: the batch's shared attestation key" },
	{ { "batch-cert", 1, NULL, 0 }, TEXT, OPTION(ceremony.batch_cert),
	    "card: its certificate" },
	{ { "new-cert", 1, NULL, 0 }, TEXT, OPTION(ceremony.new_cert),
	    "endorsement: certificate of the new key; --ca-key: the old key" },
	{ { "epoch", 1, NULL, 0 }, NUMBER, OPTION(ceremony.epoch),
	    "endorsement: a number above all earlier ones" },
	{ { "log", 1, NULL, 0 }, TEXT, OPTION(repair.log),
	    "log-repair: the signer's log" },
	{ { "tag-key", 1, NULL, 0 }, TEXT, OPTION(repair.tag_key),
	    "log-repair: its tag key" },
	{ { "cut", 0, NULL, 0 }, FLAG, OPTION(repair.cut),
	    "log-repair: cut off what does not hold" },
	{ { "passphrase-fd", 1, NULL, 0 }, DESCRIPTOR,
	    OPTION(ceremony.passphrase_fd),
	    "descriptor with the new key's passphrase (else asked for)" },
	{ { "ca-passphrase-fd", 1, NULL, 0 }, DESCRIPTOR,
	    OPTION(ceremony.ca_passphrase_fd),
	    "descriptor with the passphrase of the keys that are read" },
	{ { "unencrypted", 0, NULL, 0 }, FLAG, OPTION(ceremony.unencrypted),
	    "the new key gets no passphrase" },
	{ { "help", 0, NULL, 0 }, HELP, 0, "this text" },
};

#define TABLE_N (sizeof(table) / sizeof(table[0]))

static bool
parse_number(const char *text, unsigned long max, unsigned *out)
{
	char *end;
	unsigned long n;

	errno = 0;
	n = strtoul(text, &end, 10);
	*out = (unsigned)n;
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 &&
	    n <= max;
}

static bool
parse_key_type(const char *text, enum cw_key_type *out)
{
	static const enum cw_key_type signing[] = { CW_KEY_P256, CW_KEY_P384,
		CW_KEY_ED25519 };

	for (size_t i = 0; i < sizeof(signing) / sizeof(signing[0]); i++)
		if (strcmp(cw_key_type_info(signing[i])->name, text) == 0) {
			*out = signing[i];
			return true;
		}
	return false;
}

static bool
set_option(struct options *o, size_t i, const char *value)
{
	uint8_t *at = (uint8_t *)o + table[i].at;
	unsigned n;

	switch (table[i].kind) {
	case TEXT:
		memcpy(at, &value, sizeof(value));
		return true;
	case NUMBER:
		if (!parse_number(value, 36600, &n))
			return false;
		memcpy(at, &n, sizeof(n));
		return n > 0;
	case DESCRIPTOR:
		if (!parse_number(value, INT_MAX, &n))
			return false;
		memcpy(at, &n, sizeof(n));
		return true;
	case KEY_TYPE:
		return parse_key_type(value, &o->ceremony.key_type);
	default:
		*(bool *)at = true;
		return true;
	}
}

static enum cw_err
help(void)
{
	printf("usage: cardwright-keys COMMAND [OPTION…]\n\ncommands:\n"
	       "  dev             everything for development, without "
	       "questions\n");
	for (size_t i = 0; cw_ceremonies[i].name != NULL; i++)
		printf("  %-15s %s\n", cw_ceremonies[i].name,
		    cw_ceremonies[i].help);
	printf("  %-15s %s\n", "log-repair",
	    "say what of a signer's log holds; with --cut, keep only that");
	printf("\noptions:\n");
	for (size_t i = 0; i < TABLE_N; i++)
		printf("  --%-17s %s\n", table[i].option.name, table[i].help);
	return CW_OK;
}

static bool
parse_options(int argc, char **argv, struct options *o, bool *wants_help)
{
	struct option longs[TABLE_N + 1] = { 0 };
	int c, i = 0;

	for (size_t k = 0; k < TABLE_N; k++)
		longs[k] = table[k].option;
	while ((c = getopt_long(argc, argv, "", longs, &i)) == 0) {
		if (table[i].kind == HELP) {
			*wants_help = true;
		} else if (!set_option(o, (size_t)i, optarg)) {
			fprintf(stderr, "cardwright-keys: --%s %s: bad value\n",
			    table[i].option.name, optarg);
			return false;
		}
	}
	return c == -1;
}

static enum cw_err
run_dev(const struct options *o)
{
	struct cw_devtree tree = {
		.dir = o->dir != NULL ? o->dir : "keys/dev",
		.url = o->url != NULL ? o->url : "https://localhost:8443",
		.n_cards = 3,
		.now_s = o->ceremony.now_s,
	};
	bool made;
	enum cw_err err;

	if (o->cards != NULL &&
	    !parse_number(o->cards, CW_DEVTREE_CARDS_MAX, &tree.n_cards))
		return CW_ERR_USAGE;
	err = cw_devtree_make(&tree, &made);
	if (err == CW_OK)
		printf("%s: %s\n", tree.dir,
		    made ? "made" : "complete, left alone");
	return err;
}

static enum cw_err
run(const char *command, const struct options *o)
{
	if (strcmp(command, "dev") == 0)
		return run_dev(o);
	if (strcmp(command, "log-repair") == 0)
		return cw_log_repair_run(&o->repair);
	for (size_t i = 0; cw_ceremonies[i].name != NULL; i++)
		if (strcmp(cw_ceremonies[i].name, command) == 0)
			return cw_ceremonies[i].run(&cw_ceremonies[i],
			    &o->ceremony);
	return CW_ERR_USAGE;
}

int
main(int argc, char **argv)
{
	struct cw_clock clock = cw_clock_system();
	struct options o = { .ceremony = { .key_type = CW_KEY_P256,
				 .passphrase_fd = -1,
				 .ca_passphrase_fd = -1 } };
	bool wants_help = false;
	enum cw_err err = CW_ERR_USAGE;

	cw_log_set_program("cardwright-keys");
	umask(022);
	if (!cw_secret_process_init())
		return cw_err_exit_status(CW_ERR_INTERNAL);
	o.ceremony.now_s = cw_clock_now_s(&clock);
	if (parse_options(argc, argv, &o, &wants_help) &&
	    (wants_help || optind + 1 == argc))
		err = wants_help ? help() : run(argv[optind], &o);
	if (err != CW_OK)
		fprintf(stderr, "cardwright-keys: %s %s\n", cw_err_what(err),
		    cw_err_remedy(err));
	return cw_err_exit_status(err);
}
