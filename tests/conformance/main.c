/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cardwright-conformance: the checks over PC/SC, and the report.
 *
 *   cardwright-conformance --reader NAME --vendor-root FILE --erase
 *                          [--only CHECK]... [--json FILE]
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "agent/reader.h"
#include "proto/base/secret.h"
#include "tests/conformance/kit.h"
#include "tests/support/json_write.h"

#define ONLY_MAX 64

struct options {
	const char *reader, *vendor_root, *json;
	bool erase, list;
	size_t n_only;
	const char *only[ONLY_MAX];
};

struct run {
	struct cw_reader *reader;
	const char *name;
	unsigned n[CW_KIT_VERDICTS];
	FILE *json_file;
	struct cw_json_writer json;
};

static const char usage[] =
    "usage: cardwright-conformance --reader NAME --vendor-root FILE --erase\n"
    "                              [--only CHECK]... [--json FILE]\n"
    "       cardwright-conformance --list\n"
    "\n"
    "Checks the card in the reader against docs/protocol.md. All that is on\n"
    "the card is erased. Exit status: 0 no check failed, 1 some did, 2 the\n"
    "checks could not be run.\n";

/* ---- the link over PC/SC ---- */

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct run *run = ctx;

	cw_buf_reset(response);
	if (run->reader->ops->transmit(run->reader, command, response) != CW_OK)
		cw_buf_reset(response);
}

static bool
reset(void *ctx)
{
	struct run *run = ctx;

	run->reader->ops->disconnect(run->reader, true);
	return run->reader->ops->connect(run->reader, run->name) == CW_OK;
}

/* ---- the report ---- */

static void
report(struct run *run, const struct cw_kit_check *check,
    enum cw_kit_verdict verdict, const char *why)
{
	run->n[verdict]++;
	printf("%-13s %-4s %-20s %s\n", cw_kit_verdict_name(verdict),
	    check->clause, check->name, check->must);
	if (verdict != CW_KIT_PASSED)
		printf("%18s %s\n", "", why);
	fflush(stdout);
	if (run->json_file == NULL)
		return;
	cw_json_open(&run->json, NULL, '{');
	cw_json_put_text(&run->json, "check", check->name);
	cw_json_put_text(&run->json, "clause", check->clause);
	cw_json_put_text(&run->json, "must", check->must);
	cw_json_put_text(&run->json, "verdict", cw_kit_verdict_name(verdict));
	cw_json_put_text(&run->json, "why",
	    verdict == CW_KIT_PASSED ? "" : why);
	cw_json_close(&run->json, '}');
}

static bool
is_wanted(const struct options *o, const struct cw_kit_check *check)
{
	for (size_t i = 0; i < o->n_only; i++)
		if (strcmp(o->only[i], check->name) == 0)
			return true;
	return o->n_only == 0;
}

static void
run_all(struct run *run, const struct options *o, struct cw_kit *kit)
{
	for (size_t t = 0; cw_kit_tables[t] != NULL; t++)
		for (const struct cw_kit_check *c = cw_kit_tables[t];
		     c->name != NULL; c++)
			if (is_wanted(o, c)) {
				enum cw_kit_verdict verdict =
				    cw_kit_run(kit, c);

				report(run, c, verdict, kit->why);
			}
}

static void
list(void)
{
	for (size_t t = 0; cw_kit_tables[t] != NULL; t++)
		for (const struct cw_kit_check *c = cw_kit_tables[t];
		     c->name != NULL; c++)
			printf("%-4s %-20s %s\n", c->clause, c->name, c->must);
}

/* ---- the command line ---- */

static bool
parse(int argc, char **argv, struct options *o)
{
	static const struct option longs[] = {
		{ "reader", required_argument, NULL, 'r' },
		{ "vendor-root", required_argument, NULL, 'v' },
		{ "json", required_argument, NULL, 'j' },
		{ "only", required_argument, NULL, 'o' },
		{ "erase", no_argument, NULL, 'e' },
		{ "list", no_argument, NULL, 'l' },
		{ NULL, 0, NULL, 0 },
	};
	int c;

	while ((c = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		if (c == 'r')
			o->reader = optarg;
		else if (c == 'v')
			o->vendor_root = optarg;
		else if (c == 'j')
			o->json = optarg;
		else if (c == 'e')
			o->erase = true;
		else if (c == 'l')
			o->list = true;
		else if (c == 'o' && o->n_only < ONLY_MAX &&
		    cw_kit_find(optarg) != NULL)
			o->only[o->n_only++] = optarg;
		else
			return false;
	}
	return optind == argc &&
	    (o->list ||
		(o->erase && o->reader != NULL && o->vendor_root != NULL));
}

static enum cw_err
add_root(void *ctx, struct cw_bytes der)
{
	return cw_trust_add_root(ctx, der);
}

static enum cw_err
open_json(struct run *run, const struct options *o)
{
	if (o->json == NULL)
		return CW_OK;
	run->json_file = fopen(o->json, "w");
	if (run->json_file == NULL)
		return CW_ERR_IO;
	run->json = (struct cw_json_writer){ .file = run->json_file };
	cw_json_open(&run->json, NULL, '[');
	return CW_OK;
}

static enum cw_err
close_json(struct run *run)
{
	if (run->json_file == NULL)
		return CW_OK;
	cw_json_close(&run->json, ']');
	return fclose(run->json_file) == 0 ? CW_OK : CW_ERR_IO;
}

static enum cw_err
check_card(const struct options *o, struct cw_trust *trust, struct run *run)
{
	const struct cw_kit_link link = { transmit, reset, NULL, run };
	struct cw_kit kit;
	enum cw_err err;

	run->name = o->reader;
	run->reader = cw_reader_pcsc_open();
	if (run->reader == NULL)
		return CW_ERR_NO_MEMORY;
	err = run->reader->ops->connect(run->reader, o->reader);
	if (err == CW_OK)
		err = open_json(run, o);
	if (err == CW_OK) {
		cw_kit_init(&kit, &link, trust, (uint64_t)time(NULL));
		run_all(run, o, &kit);
		cw_kit_wipe(&kit);
		run->reader->ops->disconnect(run->reader, true);
		err = close_json(run);
	}
	cw_reader_close(&run->reader);
	return err;
}

int
main(int argc, char **argv)
{
	struct options o = { .reader = NULL };
	struct run run = { .reader = NULL };
	struct cw_trust *trust;
	enum cw_err err;

	if (!parse(argc, argv, &o)) {
		fputs(usage, stderr);
		return 2;
	}
	if (o.list) {
		list();
		return 0;
	}
	trust = cw_secret_process_init() ? cw_trust_new() : NULL;
	err = trust == NULL ?
	    CW_ERR_NO_MEMORY :
	    cw_pem_certificates(o.vendor_root, add_root, trust);
	if (err == CW_OK)
		err = check_card(&o, trust, &run);
	cw_trust_free(&trust);
	if (err != CW_OK) {
		fprintf(stderr, "cardwright-conformance: %s %s\n",
		    cw_err_what(err), cw_err_remedy(err));
		return 2;
	}
	printf("%u passed, %u failed, %u not supported\n", run.n[CW_KIT_PASSED],
	    run.n[CW_KIT_FAILED], run.n[CW_KIT_UNSUPPORTED]);
	return run.n[CW_KIT_FAILED] == 0 ? 0 : 1;
}
