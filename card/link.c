/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ISO 7816-4 below the applications: chained commands, responses in parts, and
 * the way from a command to its handler.
 */
#include "card/inner.h"

#define CLA_CHAINING 0x10 /* ISO 7816-4 5.4.1: not the last of a chain */
#define CLA_SM 0x0C       /* secure messaging */
#define CLA_CHANNEL 0x03  /* logical channel other than 0 */

/* vpcd carries at most 65,535 bytes, status word included. */
#define DATA_MAX ((size_t)65533)

static const struct cw_card_application *const applications[] = {
	&cw_card_provisioning,
	&cw_card_piv,
};

void
cw_card_link_wipe(struct cw_card_ram *ram)
{
	cw_buf_wipe(&ram->chain);
	cw_buf_wipe(&ram->response);
	ram->response_at = 0;
	ram->chaining = false;
}

static void
answer(struct cw_buf *response, unsigned sw)
{
	cw_buf_put_u16be(response, (uint16_t)sw);
}

/* ---- SELECT ---- */

static bool
names(const struct cw_card_application *app, struct cw_bytes aid)
{
	return aid.len >= app->aid_shortest && aid.len <= app->aid.len &&
	    memcmp(aid.ptr, app->aid.ptr, aid.len) == 0;
}

/*
 * ISO 7816-4 11.2.2: by application identifier, first or only occurrence. What
 * was verified in an application is forgotten when another one is selected
 * (SP 800-73-4 part 2, 3.1.1), and in the provisioning application by every
 * SELECT (docs/protocol.md "Privacy"). A SELECT that finds nothing changes
 * nothing.
 */
static uint16_t
select_application(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	const struct cw_card_application *app = NULL;

	if (apdu->p1 != 0x04)
		return CW_SW_FUNCTION;
	if ((apdu->p2 & 0xF3) != 0x00)
		return CW_SW_WRONG_P1P2;
	for (size_t i = 0; i < sizeof(applications) / sizeof(applications[0]);
	     i++)
		if (names(applications[i], apdu->data))
			app = applications[i];
	if (app == NULL)
		return CW_SW_NOT_FOUND;
	if (app != card->ram.application || app == &cw_card_provisioning)
		card->ram.pin_verified = false;
	card->ram.pin_fresh = false;
	card->ram.application = app;
	return app->select(card, out);
}

/* ---- responses in parts ---- */

/* Gives up to `le` of the data that waits, and says what is left. */
static void
give(struct cw_card_ram *ram, size_t le, struct cw_buf *response)
{
	size_t left = ram->response.len - ram->response_at;
	size_t n = left < le ? left : le;

	if (n > DATA_MAX)
		n = DATA_MAX;
	if (n > 0)
		cw_buf_put(response,
		    cw_bytes(ram->response.ptr + ram->response_at, n));
	ram->response_at += n;
	left -= n;
	if (left > 0) {
		answer(response,
		    CW_SW_MORE | (left > 0xFF ? 0u : (unsigned)left));
		return;
	}
	cw_buf_wipe(&ram->response);
	ram->response_at = 0;
	answer(response, CW_SW_OK);
}

/* ISO 7816-4 11.8.1. Le beyond what waits is answered with the right one,
 * except that 256 (00) and more mean "what there is". */
static void
get_response(struct cw_card_ram *ram, const struct cw_apdu *apdu,
    struct cw_buf *response)
{
	size_t left = ram->response.len - ram->response_at;

	if (apdu->p1 != 0 || apdu->p2 != 0)
		answer(response, CW_SW_WRONG_P1P2);
	else if (left == 0)
		answer(response, CW_SW_NO_SESSION);
	else if (apdu->le == CW_LE_NONE)
		answer(response, CW_SW_WRONG_LENGTH);
	else if (apdu->le < CW_LE_SHORT && apdu->le > left)
		answer(response, CW_SW_WRONG_LE | (unsigned)left);
	else
		give(ram, apdu->le, response);
}

/* ---- dispatch ---- */

static const struct cw_card_instruction *
find(const struct cw_card *card, const struct cw_apdu *apdu, uint16_t *sw)
{
	const struct cw_card_application *app = card->ram.application;
	bool ins_known = false;

	for (size_t i = 0; app != NULL && i < app->n_instructions; i++) {
		if (app->instructions[i].ins != apdu->ins)
			continue;
		ins_known = true;
		if (app->instructions[i].cla == apdu->cla)
			return &app->instructions[i];
	}
	*sw = ins_known ? CW_SW_WRONG_CLA : CW_SW_WRONG_INS;
	return NULL;
}

static void
run(struct cw_card *card, const struct cw_apdu *apdu, struct cw_buf *response)
{
	static const struct cw_card_instruction select = { 0x00, CW_INS_SELECT,
		0, select_application };
	const struct cw_card_instruction *instruction = &select;
	struct cw_card_ram *ram = &card->ram;
	uint16_t sw = CW_SW_INTERNAL;

	if (apdu->cla != 0x00 || apdu->ins != CW_INS_SELECT)
		instruction = find(card, apdu, &sw);
	/* A command that is not known is another command, too. */
	if (instruction == NULL || (instruction->flags & CW_CARD_FRESH) == 0)
		ram->pin_fresh = false;
	if (instruction != NULL) {
		sw = instruction->run(card, apdu, &ram->response);
		if (ram->response.err != CW_OK || card->broken)
			sw = CW_SW_INTERNAL;
	}
	if (sw != CW_SW_OK) {
		cw_buf_wipe(&ram->response);
		answer(response, sw);
		return;
	}
	/* Without Le all data waits (61xx), as it must where Le cannot be. */
	give(ram, apdu->le, response);
}

/* Takes one part of a chain. True: the whole command is in *apdu now. */
static bool
chain(struct cw_card *card, struct cw_apdu *apdu, bool more,
    struct cw_buf *response)
{
	struct cw_card_ram *ram = &card->ram;
	const uint8_t head[4] = { apdu->cla, apdu->ins, apdu->p1, apdu->p2 };
	const struct cw_card_instruction *instruction;
	uint16_t sw = CW_SW_OK;

	if (!ram->chaining) {
		instruction = find(card, apdu, &sw);
		if (instruction != NULL &&
		    (instruction->flags & CW_CARD_CHAIN) == 0)
			sw = CW_SW_WRONG_CLA;
		memcpy(ram->chain_head, head, sizeof(head));
	}
	if (sw == CW_SW_OK) {
		cw_buf_put(&ram->chain, apdu->data);
		if (ram->chain.err != CW_OK)
			sw = CW_SW_WRONG_LENGTH;
	}
	if (sw != CW_SW_OK) {
		cw_buf_wipe(&ram->chain);
		ram->chaining = false;
		answer(response, sw);
		return false;
	}
	ram->chaining = more;
	if (more) {
		answer(response, CW_SW_OK);
		return false;
	}
	apdu->data = cw_buf_bytes(&ram->chain);
	return true;
}

static bool
continues(const struct cw_card_ram *ram, const struct cw_apdu *apdu)
{
	const uint8_t head[4] = { apdu->cla, apdu->ins, apdu->p1, apdu->p2 };

	return memcmp(head, ram->chain_head, sizeof(head)) == 0;
}

static void
dispatch(struct cw_card *card, struct cw_apdu *apdu, struct cw_buf *response)
{
	struct cw_card_ram *ram = &card->ram;
	bool more = (apdu->cla & CLA_CHAINING) != 0;
	bool select = apdu->ins == CW_INS_SELECT;

	apdu->cla = (uint8_t)(apdu->cla & ~CLA_CHAINING);
	if (ram->chaining && !continues(ram, apdu)) {
		/* A chain that was broken off is forgotten: a program that
		 * died in the middle of one must not hinder the next. */
		cw_buf_wipe(&ram->chain);
		ram->chaining = false;
		if (!select) {
			answer(response, CW_SW_LAST_EXPECTED);
			return;
		}
	}
	if (!more && apdu->cla == 0x00 && apdu->ins == CW_INS_GET_RESPONSE) {
		get_response(ram, apdu, response);
		return;
	}
	cw_buf_wipe(&ram->response);
	ram->response_at = 0;
	if ((more || ram->chaining) && !chain(card, apdu, more, response))
		return;
	run(card, apdu, response);
	cw_buf_wipe(&ram->chain);
}

void
cw_card_transmit(struct cw_card *card, struct cw_bytes command,
    struct cw_buf *response)
{
	struct cw_apdu apdu;

	cw_buf_reset(response);
	if (card->broken)
		answer(response, CW_SW_INTERNAL);
	else if (cw_apdu_decode(command, &apdu) != CW_OK)
		answer(response, CW_SW_WRONG_LENGTH);
	else if ((apdu.cla & CLA_CHANNEL) != 0)
		answer(response, 0x6881); /* ISO 7816-4: logical channels */
	else if ((apdu.cla & CLA_SM) != 0)
		answer(response, CW_SW_SM_UNSUPPORTED);
	else
		dispatch(card, &apdu, response);
}
