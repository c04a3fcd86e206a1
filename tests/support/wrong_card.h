/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cards that are wrong in one thing each: the reference card with one of its
 * functions done otherwise (a .wrap file beside the test), or with something
 * done to it before or after an APDU; and the check that must find it.
 */
#ifndef CW_TESTS_WRONG_CARD_H
#define CW_TESTS_WRONG_CARD_H

#include "card/inner.h"
#include "tests/support/kit_world.h"

struct cw_wrong_card {
	const char *flaw, *check;
};

/* Of the APDU at work: NULL and 0 between APDUs. */
extern struct cw_card *cw_wrong_card;
extern uint8_t cw_wrong_ins;

/* True if the card at work has this flaw. */
bool cw_wrong_has(const char *flaw);

/* A function of the card that is done otherwise, and the real one. */
#define OTHERWISE(type, name, ...)       \
	type __real_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__); \
	type __wrap_##name(__VA_ARGS__)

/* What flaws do before an APDU, and after it, to its response. */
struct cw_wrong_hooks {
	void (*before)(void);
	void (*after)(struct cw_buf *response);
};

/* A test program's main: each check passes on the right card and fails on its
 * wrong one. */
int cw_wrong_cards_main(const struct cw_wrong_card *cards, size_t n,
    const struct cw_wrong_hooks *hooks);

#endif
