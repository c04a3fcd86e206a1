/* SPDX-License-Identifier: Apache-2.0 */
/* The kinds of sessions that are played for the table of fields. */
#ifndef CW_TESTS_FIELDS_WORLD_H
#define CW_TESTS_FIELDS_WORLD_H

#include "proto/base/buf.h"
#include "proto/limits.h"
#include "tests/fields/tap.h"

/* Plays one, with taps; false: there is no such kind. */
bool cw_fields_enrol(const char *kind, unsigned suite, enum cw_mode mode,
    const char *wanted);
bool cw_fields_command(const char *kind, unsigned suite, enum cw_mode mode,
    const char *wanted);
bool cw_fields_holder(const char *kind, unsigned suite, enum cw_mode mode,
    const char *wanted);

/* What the decoder of a rule says to bytes, which are signed where they are to be;
 * false: there is none. */
bool cw_fields_decode(const char *rule, struct cw_buf *bytes, enum cw_err *err);

/* At the end of the program. */
void cw_fields_decode_end(void);
void cw_fields_enrol_end(void);
void cw_fields_command_end(void);

/*
 * R as the web process has it from the signer: the taps of a stolen management
 * key, "issuer", and "issuer and agent", where the agent has seen another R than
 * the card gets.
 */
void cw_request_tap(struct cw_buf *request);

/* OPEN SESSION's data: replaced if the agent looks away. */
void cw_past_agent_take(struct cw_buf *data);

#endif
