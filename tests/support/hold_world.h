/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A holder with a card in this process, and a person who answers from a list:
 *
 *   cw_hold_world_card(*state, with_slot);     what is on the card
 *   cw_hold_world_begin(&f, state, answers);
 *   ... cw_hold_open(&f.hold) ...
 *   cw_hold_world_end(&f);
 */
#ifndef CW_TESTS_HOLD_WORLD_H
#define CW_TESTS_HOLD_WORLD_H

#include "agent/hold.h"
#include "tests/support/card_play.h"
#include "tests/support/reader_local.h"

#define CW_HOLD_ANSWERS 8

struct cw_hold_person {
	struct cw_pin_entry base;
	const char *const *answers; /* NULL behind the last: refuses */
	size_t n;                   /* asked so far */
	struct cw_pin_prompt prompts[CW_HOLD_ANSWERS];
	struct cw_local_reader *reader;
};

struct cw_hold_world {
	struct cw_test_world *w;
	struct cw_local_reader reader;
	struct cw_hold_person person;
	struct cw_hold hold;
	struct cw_buf out;
};

/* `state` is cw_test_world_setup's. The person can be asked again. */
void cw_hold_world_begin(struct cw_hold_world *f, void **state,
    const char *const *answers);
void cw_hold_world_end(struct cw_hold_world *f);

/*
 * "Key 1" with PIN and PUK that signs, "Secret" without; "free" may leave with
 * the PIN and go with the PUK, "kept" is the issuer's to delete, "fixed" has a
 * PIN that stays, and two are called "twin". With a slot there is a key in 9A
 * (number 8), and so the card's own PIN.
 */
void cw_hold_world_card(struct cw_test_world *w, bool with_slot);

/* "text" signed by the key that was found. */
enum cw_err cw_hold_world_sign(struct cw_hold *hold, struct cw_buf *out);

/* ATTEST OFFLINE of the key that was found, for "challenge" and "CN=Erika". */
enum cw_err cw_hold_world_attest(struct cw_hold *hold, struct cw_buf *out);

#endif
