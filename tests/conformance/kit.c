/* SPDX-License-Identifier: Apache-2.0 */
/* The conformance kit: running checks, and what they share. */
#include "tests/conformance/kit.h"

#include <stdio.h>

#include "proto/card_link.h"

#define INS_RESET_CARD 0x80EE
#define BLOCKING_PIN "480726"
#define TRIES_AT_MOST 15

const struct cw_kit_check *const cw_kit_tables[] = { cw_kit_encoding,
	cw_kit_open, cw_kit_statements, cw_kit_channel, cw_kit_commands,
	cw_kit_policies, cw_kit_keys, cw_kit_manage, cw_kit_rollover,
	cw_kit_pin, cw_kit_holder, cw_kit_use, cw_kit_privacy, cw_kit_piv,
	cw_kit_tearing, NULL };

const char *
cw_kit_verdict_name(enum cw_kit_verdict verdict)
{
	static const char *const names[CW_KIT_VERDICTS] = { "passed", "failed",
		"not supported" };

	return names[verdict];
}

/* ---- expectations ---- */

/* The first thing that was wrong is the one to be told. */
static bool
fails(struct cw_kit *kit, const char *what, const char *how)
{
	if (kit->why[0] == '\0')
		snprintf(kit->why, sizeof(kit->why), "%s%s", what, how);
	return false;
}

bool
cw_kit_true(struct cw_kit *kit, bool holds, const char *what)
{
	return holds || fails(kit, what, "");
}

bool
cw_kit_sw(struct cw_kit *kit, unsigned got, unsigned want, const char *what)
{
	char how[64];

	snprintf(how, sizeof(how), ": status word %04X, not %04X", got, want);
	return got == want || fails(kit, what, how);
}

bool
cw_kit_err(struct cw_kit *kit, enum cw_err got, enum cw_err want,
    const char *what)
{
	char how[128];

	if (got == want)
		return true;
	if (got == CW_ERR_CARD_SAYS)
		snprintf(how, sizeof(how), ": status word %04X, not %s",
		    kit->issuer.sw, cw_err_name(want));
	else
		snprintf(how, sizeof(how), ": %s, not %s", cw_err_name(got),
		    cw_err_name(want));
	return fails(kit, what, how);
}

bool
cw_kit_not_supported(struct cw_kit *kit, const char *what)
{
	kit->unsupported = true;
	return fails(kit, what, "");
}

/* ---- the kit ---- */

static void
transmit(void *ctx, struct cw_bytes command, struct cw_buf *response)
{
	struct cw_kit *kit = ctx;

	kit->link.transmit(kit->link.ctx, command, response);
}

void
cw_kit_init(struct cw_kit *kit, const struct cw_kit_link *link,
    struct cw_trust *trust, uint64_t now_s)
{
	memset(kit, 0, sizeof(*kit));
	kit->link = *link;
	kit->wire = (struct cw_test_wire){ transmit, kit };
	kit->trust = trust;
	kit->now_s = now_s;
	cw_buf_init(&kit->out, CW_RESPONSE_MAX);
	cw_kit_other_issuer(kit, &kit->issuer);
}

void
cw_kit_wipe(struct cw_kit *kit)
{
	cw_test_issuer_wipe(&kit->issuer);
	cw_buf_wipe(&kit->out);
}

bool
cw_kit_power(struct cw_kit *kit)
{
	return cw_kit_true(kit, kit->link.reset(kit->link.ctx),
		   "the card is there after a reset") &&
	    cw_kit_sw(kit, cw_test_select_provisioning(&kit->wire), 0x9000,
		"SELECT of the provisioning application");
}

/* Whoever cannot give the PIN any more blocks the PUK as well. */
static void
block_all(struct cw_kit *kit)
{
	unsigned n = 0;

	while (cw_test_verify(&kit->wire, BLOCKING_PIN) != 0x6983 &&
	    n++ < TRIES_AT_MOST)
		;
	n = 0;
	while (cw_test_two_pins(&kit->wire, 0x002C, 0x0080, "48072615",
		   BLOCKING_PIN) != 0x6983 &&
	    n++ < TRIES_AT_MOST)
		;
}

static bool
erase(struct cw_kit *kit)
{
	unsigned sw;

	if (!cw_kit_power(kit))
		return false;
	cw_test_verify(&kit->wire, CW_TEST_PIN);
	sw = cw_test_send(&kit->wire, INS_RESET_CARD, 0, CW_BYTES_NONE, NULL);
	if (sw == 0x6982) {
		block_all(kit);
		sw = cw_test_send(&kit->wire, INS_RESET_CARD, 0, CW_BYTES_NONE,
		    NULL);
	}
	return cw_kit_sw(kit, sw, 0x9000, "RESET CARD before the check") &&
	    cw_kit_power(kit);
}

static bool
prepare(struct cw_kit *kit)
{
	cw_test_issuer_wipe(&kit->issuer);
	cw_kit_other_issuer(kit, &kit->issuer);
	return erase(kit) &&
	    cw_kit_err(kit, cw_test_issuer_capabilities(&kit->issuer), CW_OK,
		"GET CAPABILITIES") &&
	    cw_kit_err(kit,
		cw_card_caps_decode(cw_buf_bytes(&kit->issuer.caps),
		    &kit->caps),
		CW_OK, "card-caps");
}

enum cw_kit_verdict
cw_kit_run(struct cw_kit *kit, const struct cw_kit_check *check)
{
	kit->unsupported = false;
	kit->why[0] = '\0';
	if (prepare(kit) && check->run(kit))
		return CW_KIT_PASSED;
	return kit->unsupported ? CW_KIT_UNSUPPORTED : CW_KIT_FAILED;
}

const struct cw_kit_check *
cw_kit_find(const char *name)
{
	for (size_t t = 0; cw_kit_tables[t] != NULL; t++)
		for (const struct cw_kit_check *c = cw_kit_tables[t];
		     c->name != NULL; c++)
			if (strcmp(c->name, name) == 0)
				return c;
	return NULL;
}

/* ---- what checks do with the card ---- */

bool
cw_kit_begin(struct cw_kit *kit)
{
	return cw_kit_err(kit, cw_test_issuer_begin(&kit->issuer), CW_OK,
	    "a session begins");
}

void
cw_kit_other_issuer(struct cw_kit *kit, struct cw_test_issuer *other)
{
	cw_test_issuer_init(other, &kit->wire);
	other->model = NULL;
}

bool
cw_kit_make_key(struct cw_kit *kit, uint32_t id, uint8_t slot,
    struct cw_public_key *made)
{
	const struct cw_create_key key = {
		.id = id,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE,
		.slot = slot,
	};

	return cw_kit_err(kit,
	    cw_test_issuer_create_key(&kit->issuer, &key, true, made), CW_OK,
	    "CREATE_KEY");
}

bool
cw_kit_until_close(struct cw_kit *kit, uint32_t id, uint8_t slot)
{
	struct cw_public_key made;

	return cw_kit_begin(kit) && cw_kit_make_key(kit, id, slot, &made) &&
	    cw_kit_err(kit, cw_test_issuer_certify(&kit->issuer, id, &made),
		CW_OK, "SET_CERTIFICATES");
}

bool
cw_kit_enroll(struct cw_kit *kit, uint8_t slot)
{
	return cw_kit_until_close(kit, slot, slot) &&
	    cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, NULL), CW_OK,
		"CLOSE");
}

bool
cw_kit_is_dead(struct cw_kit *kit, const char *what)
{
	struct cw_command list = { .no = CW_LIST };

	return cw_kit_err(kit, cw_test_issuer_seal(&kit->issuer, &list), CW_OK,
		   what) &&
	    cw_kit_err(kit,
		cw_test_issuer_send(&kit->issuer,
		    cw_buf_bytes(&kit->issuer.command)),
		CW_ERR_CARD_SAYS, what) &&
	    cw_kit_sw(kit, kit->issuer.sw, 0x6985, what);
}

bool
cw_kit_ends_with(struct cw_kit *kit, const struct cw_command *command,
    enum cw_err want, const char *what)
{
	struct cw_reply reply = { .err = CW_OK };

	return cw_kit_err(kit,
		   cw_test_issuer_command(&kit->issuer, command, &reply), want,
		   what) &&
	    cw_kit_is_dead(kit, what);
}

enum cw_err
cw_kit_send_plain(struct cw_kit *kit, struct cw_bytes plain,
    enum cw_command_no no)
{
	struct cw_test_issuer *issuer = &kit->issuer;
	struct cw_reply reply = { .err = CW_OK };
	struct cw_bytes bytes;
	enum cw_err err;

	cw_buf_reset(&issuer->command);
	err = cw_channel_seal_command(&issuer->channel, issuer->i + 1, plain,
	    &issuer->command);
	bytes = cw_buf_bytes(&issuer->command);
	if (err == CW_OK)
		err = cw_test_issuer_send(issuer, bytes);
	cw_buf_reset(&issuer->reply_plain);
	if (err == CW_OK)
		err = cw_channel_open_reply(&issuer->channel, issuer->i + 1,
		    bytes, cw_buf_bytes(&issuer->reply), &issuer->reply_plain);
	if (err != CW_OK)
		return err;
	issuer->i++;
	err = cw_reply_decode(no, cw_buf_bytes(&issuer->reply_plain), &reply);
	return err != CW_OK ? err : reply.err;
}

bool
cw_kit_has_slot(struct cw_kit *kit, uint8_t slot)
{
	struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX];
	size_t n = 0;

	if (cw_test_send(&kit->wire, 0x801E, 0, CW_BYTES_NONE, &kit->out) !=
		0x9000 ||
	    cw_list_public_decode(cw_buf_bytes(&kit->out), slots, &n) != CW_OK)
		return false;
	for (size_t i = 0; i < n; i++)
		if (slots[i].slot == slot)
			return true;
	return false;
}
