/* SPDX-License-Identifier: Apache-2.0 */
/* A vendor, a card, an issuer. */
#include "tests/support/card_world.h"

#include <stdlib.h>

#include "card/state.h"
#include "proto/apdu.h"
#include "proto/card_link.h"

static struct cw_test_vendor vendor;

int
cw_test_world_begin(void **state)
{
	(void)state;
	cw_test_vendor_init(&vendor);
	return 0;
}

int
cw_test_world_end(void **state)
{
	(void)state;
	cw_test_vendor_wipe(&vendor);
	return 0;
}

int
cw_test_world_setup(void **state)
{
	struct cw_test_world *w = calloc(1, sizeof(*w));

	if (w == NULL)
		return -1;
	cw_test_card_init(&w->card, &vendor);
	cw_test_issuer_init(&w->issuer, &w->card.wire);
	cw_buf_init(&w->out, CW_RESPONSE_MAX);
	*state = w;
	return 0;
}

int
cw_test_world_teardown(void **state)
{
	struct cw_test_world *w = *state;

	cw_test_issuer_wipe(&w->issuer);
	cw_test_card_wipe(&w->card);
	cw_buf_wipe(&w->out);
	free(w);
	return 0;
}

const struct cw_test_vendor *
cw_test_world_vendor(void)
{
	return &vendor;
}

struct cw_test_world *
cw_test_world_renew(void **state)
{
	cw_test_world_teardown(state);
	cw_test_world_setup(state);
	return *state;
}

void
cw_test_world_issuer(struct cw_test_world *w, struct cw_test_issuer *issuer)
{
	cw_test_issuer_init(issuer, &w->card.wire);
}

/* ---- commands ---- */

const struct cw_create_key cw_test_key_9a = {
	.id = 7,
	.type = CW_KEY_P256,
	.usage = CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE,
	.slot = 0x9A,
	.name = { (const uint8_t *)"Key", 3 },
};

const struct cw_create_pin_policy cw_test_policy = {
	.id = 20,
	.rule = { .format = CW_PIN_DIGITS, .min = 4, .max = 6, .tries = 5 },
};

struct cw_command
cw_test_key_command(const struct cw_create_key *key)
{
	struct cw_command c = { .no = CW_CREATE_KEY };

	c.u.create_key = *key;
	if (key->name.len == 0)
		c.u.create_key.name = cw_bytes_str("Key");
	return c;
}

struct cw_command
cw_test_policy_command(const struct cw_create_pin_policy *policy)
{
	struct cw_command c = { .no = CW_CREATE_PIN_POLICY };

	c.u.create_pin_policy = *policy;
	return c;
}

enum cw_err
cw_test_run(struct cw_test_issuer *issuer, const struct cw_command *command)
{
	struct cw_reply reply = { .err = CW_OK };

	return cw_test_issuer_command(issuer, command, &reply);
}

void
cw_test_must_run(struct cw_test_issuer *issuer, struct cw_command command)
{
	assert_err(cw_test_run(issuer, &command), CW_OK);
}

void
cw_test_ends_with(struct cw_test_world *w, struct cw_command command,
    enum cw_err want)
{
	struct cw_test_issuer *issuer = &w->issuer;
	struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX];
	struct cw_buf first;
	size_t n = 99;

	assert_err(cw_test_run(issuer, &command), want);
	cw_buf_init(&first, CW_COMMAND_MAX);
	cw_buf_put(&first, cw_buf_bytes(&issuer->reply));
	/* The same bytes get the same reply, after the end too. */
	cw_test_card_power_cycle(&w->card);
	cw_test_select_provisioning(&issuer->wire);
	assert_err(cw_test_issuer_send(issuer, cw_buf_bytes(&issuer->command)),
	    CW_OK);
	assert_true(
	    cw_bytes_equal(cw_buf_bytes(&first), cw_buf_bytes(&issuer->reply)));
	cw_buf_wipe(&first);
	/* Anything else meets "no session". */
	assert_err(cw_test_issuer_close(issuer, NULL), CW_ERR_CARD_SAYS);
	assert_sw(issuer->sw, 0x6985);
	assert_sw(cw_test_send(&issuer->wire, 0x801E, 0, CW_BYTES_NONE,
		      &w->out),
	    0x9000);
	assert_err(cw_list_public_decode(cw_buf_bytes(&w->out), slots, &n),
	    CW_OK);
	assert_int_equal(n, 0);
}

void
cw_test_run_plain(struct cw_test_issuer *issuer, struct cw_bytes plain)
{
	cw_buf_reset(&issuer->command);
	assert_err(cw_channel_seal_command(&issuer->channel, issuer->i + 1,
		       plain, &issuer->command),
	    CW_OK);
	assert_err(cw_test_issuer_send(issuer, cw_buf_bytes(&issuer->command)),
	    CW_OK);
	cw_buf_reset(&issuer->reply_plain);
	assert_err(cw_channel_open_reply(&issuer->channel, issuer->i + 1,
		       cw_buf_bytes(&issuer->command),
		       cw_buf_bytes(&issuer->reply), &issuer->reply_plain),
	    CW_OK);
}

void
cw_test_state_reads_back(struct cw_test_world *w)
{
	struct cw_bytes stored = cw_buf_bytes(&w->card.storage.bytes);
	struct cw_card_state *decoded = NULL;
	struct cw_buf again;

	assert_err(cw_card_state_decode(stored, &decoded), CW_OK);
	cw_buf_init(&again, CW_CARD_STORAGE_MAX);
	cw_card_state_encode(decoded, &again);
	assert_true(cw_bytes_equal(stored, cw_buf_bytes(&again)));
	cw_card_state_free(&decoded);
	cw_buf_wipe(&again);
}
