/* SPDX-License-Identifier: Apache-2.0 */
/* `enroll URL`: puts HTTP, reader, person and memory together. */
#include <limits.h>

#include "agent/enroll.h"
#include "agent/language.h"
#include "agent/options.h"
#include "agent/show.h"
#include "agent/stop.h"

#define WAIT_S 2 /* for a card: a script's is in */

struct enrolling {
	const struct cw_options *options;
	struct cw_show show;
	struct cw_clock clock;
	struct cw_known known;
	struct cw_reader *reader;
	struct cw_pin_entry *pin_entry;
	struct cw_net *net;
	struct cw_run *run;
	char language[CW_LANGUAGE_MAX];
};

static enum cw_err
consent(void *ctx, const struct cw_consent *asked)
{
	struct enrolling *e = ctx;

	e->show.makes_nothing =
	    asked->scope != NULL && asked->scope->keys_max == 0;
	return cw_show_consent(&e->show, asked, e->options->yes,
	    e->options->timeout_s);
}

static void
progress(void *ctx, const struct cw_progress *p)
{
	struct enrolling *e = ctx;

	cw_show_progress(&e->show, p);
}

static bool
is_stopped(void *ctx)
{
	(void)ctx;
	return cw_stop_requested();
}

static enum cw_err
set_up(struct enrolling *e)
{
	const struct cw_options *o = e->options;
	const struct cw_net_config http = {
		.url = o->operand,
		.ca_file = o->ca,
		.timeout_ms = o->timeout_s * 1000,
		.is_stopped = is_stopped,
	};
	struct cw_run_env env = {
		.reader_name = o->reader,
		.card_wait_ms =
		    (o->wait_s == CW_WAIT_USUAL ? WAIT_S : o->wait_s) * 1000,
		.known = &e->known,
		.clock = &e->clock,
		.consent = consent,
		.progress = progress,
		.is_stopped = is_stopped,
		.ctx = e,
	};
	enum cw_err err = cw_known_init(&e->known, o->memory);

	if (err == CW_OK)
		err = cw_net_open(&http, &e->net);
	if (err != CW_OK)
		return err;
	e->clock = cw_clock_system();
	e->reader = cw_reader_pcsc_open();
	e->pin_entry = o->pin_fd != UINT_MAX ?
	    cw_pin_entry_fd((int)o->pin_fd) :
	    cw_pin_entry_person(o->pinentry, o->timeout_s);
	if (e->reader == NULL || e->pin_entry == NULL)
		return CW_ERR_NO_MEMORY;
	env.reader = e->reader;
	env.pin_entry = e->pin_entry;
	env.origin = cw_bytes_str(cw_net_origin(e->net));
	if (cw_language_own(e->language)) {
		env.n_languages = 1;
		env.languages[0] = cw_bytes_str(e->language);
	}
	e->run = cw_run_new(&env);
	return e->run != NULL ? CW_OK : CW_ERR_NO_MEMORY;
}

int
cw_cmd_enroll(const struct cw_options *options)
{
	struct enrolling e = { .options = options };
	struct cw_enroll_result result = { 0 };
	uint16_t sw = 0;
	enum cw_err err;

	cw_stop_install();
	cw_show_init(&e.show, options->json);
	err = set_up(&e);
	if (err == CW_OK) {
		const struct cw_enroll enroll = {
			.url = options->operand,
			.net = e.net,
			.run = e.run,
			.patience_ms = options->timeout_s * 1000,
		};

		err = cw_enroll(&enroll, &result);
		sw = cw_run_status_word(e.run);
	}
	cw_run_free(&e.run);
	cw_pin_entry_close(&e.pin_entry);
	cw_reader_close(&e.reader);
	cw_net_close(&e.net);
	if (cw_stop_requested())
		return cw_stop_exit_status();
	if (err != CW_OK)
		return cw_show_error(options->json, err, sw,
		    result.retry_after_s);
	cw_show_done(&e.show, &result);
	return 0;
}
