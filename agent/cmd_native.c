/* SPDX-License-Identifier: Apache-2.0 */
/* `native`: the host that a browser starts for the extension. */
#include <stdlib.h>
#include <unistd.h>

#include "agent/native_pipe.h"
#include "agent/options.h"
#include "agent/stop.h"

#define PERSON_S 300

struct host {
	struct cw_reader *reader;
	struct cw_pin_entry *pin_entry;
	struct cw_native_pipe *pipe;
	struct cw_known known;
	struct cw_clock clock;
};

/* Which dialog asks for PINs: tests and people with a taste choose one. */
static const char *
pinentry(const struct cw_options *o)
{
	return o->pinentry != NULL ? o->pinentry :
				     getenv("CARDWRIGHT_PINENTRY");
}

static const char *
pin_kind(const void *ctx)
{
	char flavor[64];

	return cw_pinentry_flavor(pinentry(ctx), flavor, sizeof(flavor)) ==
		CW_OK ?
	    "pinentry" :
	    "none";
}

static enum cw_err
set_up(struct host *h, const struct cw_options *o)
{
	struct cw_reader *watched = NULL;
	int from = -1;
	int to = -1;
	enum cw_err err = cw_native_guard(&from, &to);

	if (err != CW_OK)
		return err;
	watched = cw_reader_pcsc_open();
	h->pipe = cw_native_pipe_open(from, to, watched);
	h->reader = cw_reader_pcsc_open();
	h->pin_entry = cw_pin_entry_pinentry(pinentry(o), PERSON_S);
	h->clock = cw_clock_system();
	if (h->pipe == NULL || h->reader == NULL || h->pin_entry == NULL)
		return CW_ERR_NO_MEMORY;
	return CW_OK;
}

int
cw_cmd_native(const struct cw_options *options)
{
	struct host h = { 0 };
	struct cw_native_config config = { .person_ms = PERSON_S * 1000,
		.card_ms = 1000 *
		    (options->wait_s == CW_WAIT_USUAL ? PERSON_S :
							options->wait_s),
		.patience_ms = options->timeout_s * 1000,
		.refusal = options->refusal,
		.pin_kind = pin_kind,
		.pin_ctx = options };
	enum cw_err err;

	cw_stop_install();
	err = set_up(&h, options);
	if (err == CW_OK) {
		if (config.refusal == CW_OK)
			config.refusal =
			    cw_known_init(&h.known, options->memory);
		config.link = cw_native_pipe_link(h.pipe);
		config.reader = h.reader;
		config.pin_entry = h.pin_entry;
		config.known = &h.known;
		config.clock = &h.clock;
		err = cw_native_serve(&config);
	}
	cw_pin_entry_close(&h.pin_entry);
	cw_reader_close(&h.reader);
	cw_native_pipe_close(&h.pipe);
	return cw_stop_requested() ? 0 : cw_err_exit_status(err);
}
