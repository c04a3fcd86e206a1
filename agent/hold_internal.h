/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the holder's operations. */
#ifndef CW_AGENT_HOLD_INTERNAL_H
#define CW_AGENT_HOLD_INTERNAL_H

#include "agent/hold.h"

/* What is tried with a value: begins and ends its own burst. */
typedef enum cw_err (*cw_hold_attempt)(struct cw_hold *hold, void *ctx);

/*
 * Asks for a value that exists and tries, until it is right, cannot be asked
 * for again, or has no tries left. It is wiped unless the attempt was CW_OK.
 */
enum cw_err cw_hold_try(struct cw_hold *hold, struct cw_pin_prompt *prompt,
    struct cw_pin_value *value, cw_hold_attempt attempt, void *ctx)
    __attribute__((warn_unused_result));

/* Asks for a new value into hold->fresh, once: it is kept until close. */
enum cw_err cw_hold_ask_new(struct cw_hold *hold, enum cw_pin_what what,
    const struct cw_pin_rule *rule) __attribute__((warn_unused_result));

/* The attempt with the card's PIN verified in its burst, where one is set; it
 * is asked for the first time only. */
enum cw_err cw_hold_as_holder(struct cw_hold *hold, cw_hold_attempt attempt,
    void *ctx) __attribute__((warn_unused_result));

/* Prompts for the card's own PIN and PUK. */
struct cw_pin_prompt cw_hold_prompt_pin(const struct cw_hold *hold);
struct cw_pin_prompt cw_hold_prompt_puk(const struct cw_hold *hold);

static inline struct cw_bytes
cw_hold_bytes(const struct cw_pin_value *value)
{
	return cw_bytes(value->bytes, value->len);
}

#endif
