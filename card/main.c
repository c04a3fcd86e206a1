/* SPDX-License-Identifier: Apache-2.0 */
/* cardwright-card: the reference card in a virtual reader. Options and wiring;
 * the card is card.c, the reader vpcd.c. */
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "card/card.h"
#include "card/vpcd.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"

#define PERSONALISATION_MAX 65536

static volatile sig_atomic_t stop;

static void
on_signal(int number)
{
	(void)number;
	stop = 1;
}

struct options {
	struct cw_card_config card;
	struct cw_vpcd_config vpcd;
	const char *personalisation;
	bool only_personalise;
};

static void
usage(FILE *to)
{
	fprintf(to,
	    "usage: cardwright-card --state FILE [options]\n"
	    "A smart card in software, in a vpcd reader (docs/card.md).\n"
	    "  --state FILE        what the card keeps; made if it is missing\n"
	    "  --personalise FILE  give it its attestation keys, unless it has\n"
	    "                      them; without --port, nothing else is done\n"
	    "  --port N            of the reader's slot (35963)\n"
	    "  --host NAME         where the reader is (127.0.0.1)\n"
	    "  --storage-max N     bytes of state that fit (1048576)\n"
	    "  --keys-max N        keys that fit (32)\n"
	    "  --help\n");
}

static bool
number(const char *text, unsigned long max, unsigned long *out)
{
	char *end;

	if (*text < '0' || *text > '9')
		return false;
	*out = strtoul(text, &end, 10);
	return *end == '\0' && *out > 0 && *out <= max;
}

enum {
	OPT_STATE = 1,
	OPT_PERSONALISE,
	OPT_PORT,
	OPT_HOST,
	OPT_STORAGE,
	OPT_KEYS,
	OPT_HELP
};

static const struct option long_options[] = {
	{ "state", required_argument, NULL, OPT_STATE },
	{ "personalise", required_argument, NULL, OPT_PERSONALISE },
	{ "port", required_argument, NULL, OPT_PORT },
	{ "host", required_argument, NULL, OPT_HOST },
	{ "storage-max", required_argument, NULL, OPT_STORAGE },
	{ "keys-max", required_argument, NULL, OPT_KEYS },
	{ "help", no_argument, NULL, OPT_HELP },
	{ NULL, 0, NULL, 0 },
};

static bool
set_option(struct options *o, int option)
{
	unsigned long n = 0;

	switch (option) {
	case OPT_STATE:
		o->card.state_path = optarg;
		return true;
	case OPT_PERSONALISE:
		o->personalisation = optarg;
		return true;
	case OPT_HOST:
		o->vpcd.host = optarg;
		return true;
	case OPT_PORT:
		if (!number(optarg, UINT16_MAX, &n))
			return false;
		o->vpcd.port = (uint16_t)n;
		return true;
	case OPT_STORAGE:
		if (!number(optarg, INT_MAX, &n))
			return false;
		o->card.storage_max = n;
		return true;
	case OPT_KEYS:
		if (!number(optarg, CW_CARD_KEYS_MAX, &n))
			return false;
		o->card.keys_max = (unsigned)n;
		return true;
	case OPT_HELP:
		usage(stdout);
		exit(0);
	default:
		return false;
	}
}

/* Without effect on a card that has been personalised: a service may always
 * be started with the same options. */
static enum cw_err
personalise(struct cw_card *card, const char *path)
{
	struct cw_buf bytes;
	enum cw_err err;

	if (cw_card_is_personalised(card))
		return CW_OK;
	cw_buf_init(&bytes, PERSONALISATION_MAX);
	err = cw_file_load(path, &bytes);
	if (err == CW_OK)
		err = cw_card_personalise(card, cw_buf_bytes(&bytes));
	cw_buf_wipe(&bytes);
	if (err != CW_OK)
		cw_log_fail(err, "card.personalise", "file=%s", path);
	return err;
}

static enum cw_err
run(struct options *o)
{
	struct cw_card *card = NULL;
	enum cw_err err = cw_card_open(&o->card, &card);

	if (err == CW_OK && o->personalisation != NULL)
		err = personalise(card, o->personalisation);
	if (err == CW_OK && !o->only_personalise)
		err = cw_vpcd_run(card, &o->vpcd);
	cw_card_free(&card);
	return err;
}

int
main(int argc, char **argv)
{
	const struct sigaction action = { .sa_handler = on_signal };
	struct options o = { .vpcd = { .host = "127.0.0.1", .stop = &stop } };
	enum cw_err err;
	int option;

	cw_log_set_program("cardwright-card");
	if (!cw_secret_process_init())
		return cw_err_exit_status(CW_ERR_INTERNAL);
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1)
		if (!set_option(&o, option)) {
			usage(stderr);
			return cw_err_exit_status(CW_ERR_USAGE);
		}
	if (optind != argc || o.card.state_path == NULL) {
		usage(stderr);
		return cw_err_exit_status(CW_ERR_USAGE);
	}
	o.only_personalise = o.personalisation != NULL && o.vpcd.port == 0;
	if (o.vpcd.port == 0)
		o.vpcd.port = CW_VPCD_PORT;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	err = run(&o);
	if (err != CW_OK)
		fprintf(stderr, "cardwright-card: %s %s\n", cw_err_what(err),
		    cw_err_remedy(err));
	return cw_err_exit_status(err);
}
