/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The card's side of a session, counted where it can be (operations, APDUs,
 * bytes, writes) on a card in this process; and its time over a real pcscd with
 * the card as a program of its own.
 */
#include "tests/load/card.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "agent/reader.h"
#include "proto/base/secret.h"
#include "tests/support/issuer.h"

#define READER "Virtual PCD 00 00"
#define PIPED_SESSIONS 20
#define APPEARS_MS 10000

/* ---- counted ---- */

struct counted {
	struct cw_test_card card;
	unsigned exchanges;
	size_t sent, received;
};

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct counted *c = ctx;

	c->card.wire.transmit(c->card.wire.ctx, command, response);
	c->exchanges++;
	c->sent += command.len;
	c->received += response->len;
}

/* The first session of a card, in which PIN and PUK are set as well. */
static bool
count_session(cw_load_figure *figure)
{
	struct counted c = { .exchanges = 0 };
	struct cw_test_wire wire = { transmit, &c };
	struct cw_card_operations before, after;
	struct cw_test_vendor vendor;
	struct cw_test_issuer issuer;
	bool right;

	cw_test_vendor_init(&vendor);
	cw_test_card_init(&c.card, &vendor);
	c.card.storage.written = 0;
	cw_test_issuer_init(&issuer, &wire);
	before = cw_card_operations(c.card.card);
	right = cw_test_issuer_enroll(&issuer, CW_KEY_P256, 0x9A) == CW_OK;
	after = cw_card_operations(c.card.card);
	figure("card_key_generations",
	    after.key_generations - before.key_generations, "operations");
	figure("card_agreements", after.agreements - before.agreements,
	    "operations");
	figure("card_verifications", after.verifications - before.verifications,
	    "operations");
	figure("card_signatures", after.signatures - before.signatures,
	    "operations");
	figure("card_apdu_exchanges", c.exchanges, "APDUs");
	figure("card_apdu_sent", (double)c.sent, "bytes");
	figure("card_apdu_received", (double)c.received, "bytes");
	figure("card_state_writes", after.stores - before.stores, "writes");
	figure("card_state_written", (double)c.card.storage.written, "bytes");
	cw_test_issuer_wipe(&issuer);
	cw_test_card_wipe(&c.card);
	cw_test_vendor_wipe(&vendor);
	return right;
}

/* ---- over PC/SC ---- */

struct piped {
	char folder[64], state[96];
	pid_t card;
	struct cw_reader *reader;
};

static void
transmit_pcsc(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_reader *reader = ctx;

	cw_buf_reset(response);
	if (reader->ops->transmit(reader, command, response) != CW_OK)
		cw_buf_reset(response);
}

static bool
run(const char *program, const char *how, const char *folder)
{
	int status = 1;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0) {
		execlp(program, program, how, folder, (char *)NULL);
		_exit(127);
	}
	return child > 0 && waitpid(child, &status, 0) == child && status == 0;
}

/* A personalised card in a file. */
static bool
make_card(const char *path)
{
	const struct cw_card_config config = { .state_path = path };
	struct cw_test_vendor vendor;
	struct cw_card *card = NULL;
	struct cw_buf b;
	enum cw_err err = cw_card_open(&config, &card);

	cw_buf_init(&b, 65536);
	cw_test_vendor_init(&vendor);
	cw_test_personalisation(&vendor, &b);
	if (err == CW_OK)
		err = cw_card_personalise(card, cw_buf_bytes(&b));
	cw_card_free(&card);
	cw_test_vendor_wipe(&vendor);
	cw_buf_wipe(&b);
	return err == CW_OK;
}

static pid_t
start_card(const char *build, const struct piped *p)
{
	char program[512];
	pid_t child;

	snprintf(program, sizeof(program), "%s/cardwright-card", build);
	fflush(NULL);
	child = fork();
	if (child != 0)
		return child;
	execl("scripts/reader", "scripts/reader", "run", p->folder, program,
	    "--state", p->state, "--port", "35963", (char *)NULL);
	_exit(127);
}

static bool
connect_card(struct piped *p)
{
	char socket[96];
	enum cw_err err;

	snprintf(socket, sizeof(socket), "%s/pcscd.comm", p->folder);
	setenv("PCSCLITE_CSOCK_NAME", socket, 1);
	p->reader = cw_reader_pcsc_open();
	if (p->reader == NULL)
		return false;
	do {
		struct cw_reader_info info[CW_READERS_MAX];
		size_t n;

		err = p->reader->ops->list(p->reader, info, &n);
		if (err == CW_OK)
			err = p->reader->ops->connect(p->reader, READER);
	} while (err != CW_OK &&
	    p->reader->ops->wait(p->reader, APPEARS_MS) == CW_OK);
	return err == CW_OK;
}

static double
now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

static bool
time_sessions(const struct piped *p, cw_load_figure *figure)
{
	const struct cw_test_wire wire = { transmit_pcsc, p->reader };
	struct cw_test_issuer issuer;
	double begin, best = 1e9;
	bool right = true;

	cw_test_issuer_init(&issuer, &wire);
	for (unsigned i = 0; right && i < PIPED_SESSIONS; i++) {
		begin = now_ms();
		right = cw_test_issuer_enroll(&issuer, CW_KEY_P256,
			    (uint8_t)(0x82 + i)) == CW_OK;
		if (now_ms() - begin < best)
			best = now_ms() - begin;
	}
	cw_test_issuer_wipe(&issuer);
	figure("card_session_pcsc", best, "ms");
	return right;
}

static bool
time_pcsc(const char *build, cw_load_figure *figure)
{
	struct piped p = { .card = -1 };
	bool right;

	snprintf(p.folder, sizeof(p.folder), "/tmp/w.XXXXXX");
	if (mkdtemp(p.folder) == NULL)
		return false;
	snprintf(p.state, sizeof(p.state), "%s/card.state", p.folder);
	right = make_card(p.state) && run("scripts/reader", "start", p.folder);
	if (right) {
		p.card = start_card(build, &p);
		right =
		    p.card > 0 && connect_card(&p) && time_sessions(&p, figure);
		if (p.reader != NULL)
			p.reader->ops->disconnect(p.reader, true);
		cw_reader_close(&p.reader);
	}
	if (p.card > 0) {
		kill(p.card, SIGTERM);
		waitpid(p.card, NULL, 0);
	}
	right = run("scripts/reader", "stop", p.folder) && right;
	return run("rm", "-rf", p.folder) && right;
}

bool
cw_load_card_figures(const char *build, cw_load_figure *figure)
{
	bool counted = cw_secret_process_init() && count_session(figure);

	return time_pcsc(build, figure) && counted;
}
