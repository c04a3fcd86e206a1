/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance kit on a card in this process. */
#include "tests/support/kit_world.h"

#include <stdlib.h>

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_kit_world *w = ctx;

	w->card.wire.transmit(w->card.wire.ctx, command, response);
}

static bool
reset(void *ctx)
{
	struct cw_kit_world *w = ctx;

	cw_test_card_power_cycle(&w->card);
	return true;
}

static void
cut_at_write(void *ctx, unsigned n, bool after)
{
	struct cw_test_storage *storage =
	    &((struct cw_kit_world *)ctx)->card.storage;

	storage->tear = after ? CW_TEST_TEAR_AFTER : CW_TEST_TEAR_BEFORE;
	storage->tear_at = storage->stores + n;
}

int
cw_kit_world_setup(void **state)
{
	struct cw_kit_world *w = calloc(1, sizeof(*w));
	struct cw_kit_link link = { transmit, reset, cut_at_write, w };

	if (w == NULL)
		return -1;
	cw_test_vendor_init(&w->vendor);
	cw_test_card_init(&w->card, &w->vendor);
	w->trust = cw_trust_new();
	*state = w;
	if (w->trust == NULL ||
	    cw_trust_add_root(w->trust, cw_buf_bytes(&w->vendor.root)) != CW_OK)
		return -1;
	cw_kit_init(&w->kit, &link, w->trust, CW_TEST_NOW_S);
	return 0;
}

int
cw_kit_world_teardown(void **state)
{
	struct cw_kit_world *w = *state;

	cw_kit_wipe(&w->kit);
	cw_trust_free(&w->trust);
	cw_test_card_wipe(&w->card);
	cw_test_vendor_wipe(&w->vendor);
	free(w);
	return 0;
}
