/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong cards at work. */
#include "tests/support/wrong_card.h"

#include <stdio.h>

#include "tests/support/check.h"

#define INS_AT 1 /* in an APDU */

struct cw_card *cw_wrong_card;
uint8_t cw_wrong_ins;
static const char *flaw; /* NULL: none */
static const struct cw_wrong_card *cards;
static size_t n_cards;
static const struct cw_wrong_hooks *hooks;

bool
cw_wrong_has(const char *name)
{
	return flaw != NULL && cw_wrong_card != NULL && strcmp(flaw, name) == 0;
}

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_kit_world *w = ctx;

	cw_wrong_card = w->card.card;
	cw_wrong_ins = command.len > INS_AT ? command.ptr[INS_AT] : 0;
	hooks->before();
	w->card.wire.transmit(w->card.wire.ctx, command, response);
	hooks->after(response);
	cw_wrong_card = NULL;
	cw_wrong_ins = 0;
}

/* 1 if it was missed. */
static unsigned
try_one(struct cw_kit_world *w, const struct cw_wrong_card *card)
{
	const struct cw_kit_check *check = cw_kit_find(card->check);
	bool caught;

	assert_row(card->check, check != NULL);
	w->kit.link.transmit = transmit;
	flaw = NULL;
	if (cw_kit_run(&w->kit, check) != CW_KIT_PASSED)
		fail_msg("%s: %s", card->check, w->kit.why);
	flaw = card->flaw;
	caught = cw_kit_run(&w->kit, check) == CW_KIT_FAILED;
	flaw = NULL;
	printf("# %s%-24s %-18s %s\n", caught ? "" : "NOT CAUGHT ", card->flaw,
	    card->check, w->kit.why);
	return caught ? 0 : 1;
}

static void
each_wrong_card_is_caught_by_its_check(void **state)
{
	unsigned missed = 0;

	for (size_t i = 0; i < n_cards; i++) {
		missed += try_one(*state, &cards[i]);
		cw_kit_world_teardown(state);
		cw_kit_world_setup(state);
	}
	assert_int_equal(missed, 0);
}

int
cw_wrong_cards_main(const struct cw_wrong_card *all, size_t n,
    const struct cw_wrong_hooks *with)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
		    each_wrong_card_is_caught_by_its_check, cw_kit_world_setup,
		    cw_kit_world_teardown),
	};

	cards = all;
	n_cards = n;
	hooks = with;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
