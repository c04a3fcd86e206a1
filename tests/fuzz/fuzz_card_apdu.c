/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ: -max_len=4096
 * A hostile host, and an issuer that has gone mad, against a personalised card.
 * The input is a list of steps: one byte what, two bytes how long, data. The
 * answer always has a status word; afterwards what the card has stored is a
 * card, and its state is the same after encoding.
 */
#include <stdlib.h>

#include "card/state.h"
#include "tests/support/issuer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define STEPS_MAX 24

static struct cw_test_vendor vendor;
static struct cw_test_card fresh; /* every run starts as this one */
static struct cw_test_issuer issuer;

struct world {
	struct cw_test_storage storage;
	struct cw_card *card;
};

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct world *w = ctx;

	cw_card_transmit(w->card, command, response);
	if (response->len < 2)
		abort();
}

static void
step_apdu(struct world *w, struct cw_bytes data)
{
	struct cw_buf response;

	cw_buf_init(&response, CW_CARD_STORAGE_MAX);
	transmit(w, data, &response);
	cw_buf_wipe(&response);
}

static void
step_select(struct world *w, struct cw_bytes data)
{
	(void)w;
	if (data.len % 2 == 0)
		(void)cw_test_select_piv(&issuer.wire);
	else
		(void)cw_test_select_provisioning(&issuer.wire);
}

static void
step_reset(struct world *w, struct cw_bytes data)
{
	(void)data;
	cw_card_reset(w->card);
}

static void
step_begin(struct world *w, struct cw_bytes data)
{
	(void)w;
	issuer.request.mode = (enum cw_mode)(1 + data.len % 3);
	(void)!cw_test_issuer_begin(&issuer);
}

/* The data as an authentic plaintext. */
static void
step_command(struct world *w, struct cw_bytes data)
{
	(void)w;
	if (issuer.channel.suite == NULL)
		return;
	cw_buf_reset(&issuer.command);
	if (cw_channel_seal_command(&issuer.channel, issuer.i + 1, data,
		&issuer.command) != CW_OK)
		return;
	if (cw_test_issuer_send(&issuer, cw_buf_bytes(&issuer.command)) !=
	    CW_OK)
		return;
	cw_channel_advance(&issuer.channel, cw_buf_bytes(&issuer.command),
	    cw_buf_bytes(&issuer.reply));
	issuer.i++;
}

static void
step_set_pin(struct world *w, struct cw_bytes data)
{
	(void)w;
	(void)data;
	(void)!cw_test_issuer_set_pin(&issuer);
}

static void
step_key(struct world *w, struct cw_bytes data)
{
	const struct cw_create_key key = { .id = 1 + (uint32_t)data.len % 4,
		.type = CW_KEY_P256,
		.usage = 1,
		.slot = 0x9E };
	struct cw_public_key made;

	(void)w;
	if (issuer.channel.suite != NULL &&
	    cw_test_issuer_create_key(&issuer, &key, false, &made) == CW_OK)
		(void)!cw_test_issuer_certify(&issuer, key.id, &made);
}

static void
step_close(struct world *w, struct cw_bytes data)
{
	(void)w;
	(void)data;
	if (issuer.channel.suite != NULL)
		(void)!cw_test_issuer_close(&issuer, NULL);
}

static void (*const steps[])(struct world *w, struct cw_bytes data) = {
	step_apdu,
	step_select,
	step_reset,
	step_begin,
	step_command,
	step_set_pin,
	step_key,
	step_close,
};

static void
begin(struct world *w)
{
	struct cw_card_config config = { .keys_max = 4, .storage_max = 24000 };

	if (fresh.card == NULL) {
		const struct cw_test_wire none = { 0 };

		cw_test_vendor_init(&vendor);
		cw_test_card_init(&fresh, &vendor);
		cw_test_issuer_init(&issuer, &none);
	}
	cw_test_storage_init(&w->storage);
	cw_buf_put(&w->storage.bytes, cw_buf_bytes(&fresh.storage.bytes));
	config.storage = &w->storage.ops;
	if (cw_card_open(&config, &w->card) != CW_OK)
		abort();
	issuer.wire = (struct cw_test_wire){ transmit, w };
	cw_channel_wipe(&issuer.channel);
}

/* What is stored is a state, and the only encoding of it. */
static void
check(struct world *w)
{
	struct cw_card_state *state = NULL;
	struct cw_buf again;

	if (cw_card_state_decode(cw_buf_bytes(&w->storage.bytes), &state) !=
	    CW_OK)
		abort();
	cw_buf_init(&again, CW_CARD_STORAGE_MAX);
	cw_card_state_encode(state, &again);
	if (!cw_bytes_equal(cw_buf_bytes(&again),
		cw_buf_bytes(&w->storage.bytes)))
		abort();
	cw_buf_wipe(&again);
	cw_card_state_free(&state);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct world w;

	begin(&w);
	for (int i = 0; i < STEPS_MAX && size >= 3; i++) {
		size_t what = data[0] % (sizeof(steps) / sizeof(steps[0]));
		size_t len = (size_t)data[1] << 8 | data[2];

		data += 3;
		size -= 3;
		if (len > size)
			len = size;
		steps[what](&w, cw_bytes(data, len));
		data += len;
		size -= len;
	}
	check(&w);
	cw_card_free(&w.card);
	cw_test_storage_wipe(&w.storage);
	return 0;
}
