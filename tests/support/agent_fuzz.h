/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the harnesses of the agent share: a card whose answers are the input or
 * always yes, a person who answers, a good Intent, and parts of the input.
 */
#ifndef CW_TESTS_AGENT_FUZZ_H
#define CW_TESTS_AGENT_FUZZ_H

#include "agent/pin_entry.h"
#include "agent/reader.h"
#include "proto/base/clock.h"
#include "proto/intent.h"
#include "proto/request.h"

#define CW_FUZZ_NOW_S 1900000000
#define CW_FUZZ_ORIGIN "https://issuer.test"
#define CW_FUZZ_URI CW_FUZZ_ORIGIN "/session"

struct cw_fuzz_card {
	struct cw_reader base;
	bool says_yes;           /* 9000 to everything, and its capabilities */
	struct cw_bytes answers; /* otherwise: parts */
	bool is_begun;           /* misuse aborts */
};

/* Once for each input, before anything else; makes keys the first time. */
void cw_fuzz_begin(void);

void cw_fuzz_card_init(struct cw_fuzz_card *card);

/* Its card-caps, while it says yes. */
struct cw_bytes cw_fuzz_caps(void);

/* Types what fits the rule. */
struct cw_pin_entry cw_fuzz_person(void);

/* The next part: a length in two bytes, then that much or what is left. */
struct cw_bytes cw_fuzz_part(struct cw_bytes *in);

struct cw_intent cw_fuzz_intent(enum cw_mode mode);

/* A request with all that does not depend on the card. */
struct cw_request cw_fuzz_request(enum cw_mode mode);

/* Signs it with the issuer's key. */
void cw_fuzz_sign(const struct cw_request *request, struct cw_buf *out);

#endif
