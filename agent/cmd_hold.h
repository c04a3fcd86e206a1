/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands of the holder share: card, PIN entry, bytes in and out. */
#ifndef CW_AGENT_CMD_HOLD_H
#define CW_AGENT_CMD_HOLD_H

#include "agent/hold.h"
#include "agent/options.h"

struct cw_holding {
	const struct cw_options *options;
	struct cw_hold hold;
	struct cw_reader *reader;
	struct cw_pin_entry *pin_entry;
	struct cw_buf in, out; /* at most CW_USE_MAX bytes in */
};

/* Nothing but what the others need; cw_holding_end may follow at any time. */
void cw_holding_init(struct cw_holding *h, const struct cw_options *options);

/* --in, or standard input, into h->in. Errors: NO_FILE, IO, TOO_LARGE, REFUSED
 * (a signal came). */
enum cw_err cw_holding_read(struct cw_holding *h)
    __attribute__((warn_unused_result));

/* That bytes would not go to a terminal: USAGE, said on stderr. */
enum cw_err cw_holding_check_out(const struct cw_holding *h)
    __attribute__((warn_unused_result));

/* Card and PIN entry, and the key if the command line names one. */
enum cw_err cw_holding_begin(struct cw_holding *h)
    __attribute__((warn_unused_result));

/* h->out to --out (a new file of this mode in the place of an old one) or
 * standard output; with --json what was done, as an event. `algorithm` may be
 * 0. */
enum cw_err cw_holding_write(struct cw_holding *h, const char *event,
    int32_t algorithm, unsigned mode) __attribute__((warn_unused_result));

/* What was done without any output: an event, or the catalogue's text. */
void cw_holding_say(const struct cw_holding *h, const char *event,
    const char *key);

/* Says the error, if there is one; frees all; the exit status. */
int cw_holding_end(struct cw_holding *h, enum cw_err err);

#endif
