/* SPDX-License-Identifier: Apache-2.0 */
/* What the command line shows: progress, the question, errors; as lines for
 * people or as JSON for scripts. */
#ifndef CW_AGENT_SHOW_H
#define CW_AGENT_SHOW_H

#include "agent/enroll.h"
#include "proto/message.h"

struct cw_show {
	bool json;
	enum cw_language language;
	uint64_t start_ms, last_ms; /* monotonic: of all, of the last step */
	uint64_t person_ms;         /* when the person was asked, or 0 */
	bool makes_nothing;         /* what was asked for makes no key */
};

/* The language of what is said to the person: from the environment. What goes
 * into JSON is English. */
enum cw_language cw_show_language(void);

/* How many blanks make `text` (UTF-8) `width` characters wide; at least 0. */
int cw_show_gap(const char *text, int width);

void cw_show_init(struct cw_show *show, bool json);
void cw_show_progress(struct cw_show *show, const struct cw_progress *progress);
void cw_show_done(struct cw_show *show, const struct cw_enroll_result *result);

/* Number, name, what and what to do; `sw` and `retry_after_s` may be 0. Gives
 * the exit status. */
int cw_show_error(bool json, enum cw_err err, uint16_t sw,
    unsigned retry_after_s);

/* The same, with the tries that a PIN or PUK has left; below 0: not told. */
int cw_show_pin_error(bool json, enum cw_err err, uint16_t sw, int tries_left);

/* The text on the terminal, and whether the person says yes to "Go on?".
 * Errors: REFUSED (also without a terminal), PERSON_TIMEOUT. */
enum cw_err cw_show_question(enum cw_language language, struct cw_bytes text,
    unsigned timeout_s) __attribute__((warn_unused_result));

/*
 * Shows who asks for what. With `yes` that is all; otherwise the person at the
 * terminal is asked, and anything but "y" or "yes" (or the first letter of the
 * word for it in their language) refuses.
 * Errors: REFUSED, PERSON_TIMEOUT.
 */
enum cw_err cw_show_consent(const struct cw_show *show,
    const struct cw_consent *consent, bool yes, unsigned timeout_s)
    __attribute__((warn_unused_result));

/* What the scope allows, in words, one line each, without a final newline. */
void cw_show_scope(enum cw_language language, const struct cw_consent *consent,
    struct cw_buf *out);

/* "enroll", "renew", "manage", "unlock". */
const char *cw_show_action(enum cw_action action);

/* What an issuer learns of the card in this mode. */
const char *cw_show_mode(enum cw_language language, enum cw_mode mode);

#endif
