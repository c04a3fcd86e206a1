/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 6 and 9, with power cut at a write: before or after, never
 * between. Only where the link can cut it. */
#include "tests/conformance/kit.h"

static bool
can_cut(struct cw_kit *kit)
{
	return kit->link.cut_at_write != NULL ||
	    cw_kit_not_supported(kit, "power cannot be cut here");
}

static void
cut(struct cw_kit *kit, bool after)
{
	kit->link.cut_at_write(kit->link.ctx, 1, after);
}

/* The command whose answer was lost is given again. */
static bool
goes_on(struct cw_kit *kit, struct cw_reply *reply)
{
	struct cw_test_issuer *issuer = &kit->issuer;

	if (!cw_kit_power(kit) ||
	    !cw_kit_err(kit,
		cw_test_issuer_send(issuer, cw_buf_bytes(&issuer->command)),
		CW_OK, "the same command after the loss of power"))
		return false;
	cw_buf_reset(&issuer->reply_plain);
	return cw_kit_err(kit,
		   cw_channel_open_reply(&issuer->channel, issuer->i + 1,
		       cw_buf_bytes(&issuer->command),
		       cw_buf_bytes(&issuer->reply), &issuer->reply_plain),
		   CW_OK, "its reply") &&
	    cw_kit_err(kit,
		cw_reply_decode(CW_CLOSE, cw_buf_bytes(&issuer->reply_plain),
		    reply),
		CW_OK, "its result");
}

static bool
at_close(struct cw_kit *kit, bool after)
{
	const struct cw_command c = { .no = CW_CLOSE, .last = true };
	struct cw_result_statement result;
	struct cw_reply reply = { .err = CW_OK };

	if (!can_cut(kit) || !cw_kit_until_close(kit, 0x9A, 0x9A) ||
	    !cw_kit_err(kit, cw_test_issuer_seal(&kit->issuer, &c), CW_OK,
		"CLOSE is sealed"))
		return false;
	cut(kit, after);
	(void)cw_test_issuer_send(&kit->issuer,
	    cw_buf_bytes(&kit->issuer.command));
	return cw_kit_power(kit) &&
	    cw_kit_true(kit, cw_kit_has_slot(kit, 0x9A) == after,
		"a CLOSE that was cut took effect whole or not at all") &&
	    goes_on(kit, &reply) &&
	    cw_kit_err(kit,
		cw_result_statement_verify(reply.statement,
		    &kit->issuer.attestation, &result),
		CW_OK, "the result") &&
	    cw_kit_true(kit, cw_kit_has_slot(kit, 0x9A),
		"the key is there after CLOSE");
}

static bool
before_close(struct cw_kit *kit)
{
	return at_close(kit, false);
}

static bool
after_close(struct cw_kit *kit)
{
	return at_close(kit, true);
}

/* The card answered with nothing, so nothing may have been kept of it that a
 * second answer would contradict. */
static bool
at_open(struct cw_kit *kit, bool after)
{
	if (!can_cut(kit) ||
	    !cw_kit_err(kit, cw_test_issuer_request(&kit->issuer), CW_OK,
		"R is made"))
		return false;
	cut(kit, after);
	(void)cw_test_issuer_open(&kit->issuer);
	if (!cw_kit_power(kit))
		return false;
	if (!after)
		return cw_kit_true(kit,
			   cw_test_issuer_open(&kit->issuer) ==
				   CW_ERR_CARD_SAYS &&
			       kit->issuer.sw == 0x6985,
			   "R for a nonce of before the loss of power") &&
		    cw_kit_enroll(kit, 0x9A);
	return cw_kit_err(kit, cw_test_issuer_open(&kit->issuer), CW_OK,
		   "the same R after the loss of power") &&
	    cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, NULL), CW_OK,
		"CLOSE");
}

static bool
before_open(struct cw_kit *kit)
{
	return at_open(kit, false);
}

static bool
after_open(struct cw_kit *kit)
{
	return at_open(kit, true);
}

static bool
reset_cut(struct cw_kit *kit)
{
	if (!can_cut(kit) || !cw_kit_enroll(kit, 0x9A))
		return false;
	cw_test_verify(&kit->wire, CW_TEST_PIN);
	cut(kit, false);
	cw_test_send(&kit->wire, 0x80EE, 0, CW_BYTES_NONE, NULL);
	return cw_kit_power(kit) &&
	    cw_kit_true(kit, cw_kit_has_slot(kit, 0x9A),
		"a RESET CARD that was cut changed nothing") &&
	    cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x9000,
		"the PIN is the same");
}

const struct cw_kit_check cw_kit_tearing[] = {
	{ "cut-open-before", "6", "OPEN SESSION cut before its write",
	    before_open },
	{ "cut-open-after", "6", "OPEN SESSION cut after its write",
	    after_open },
	{ "cut-close-before", "9", "CLOSE cut before its write", before_close },
	{ "cut-close-after", "9", "CLOSE cut after its write", after_close },
	{ "cut-reset", "11", "RESET CARD cut before its write", reset_cut },
	{ NULL, NULL, NULL, NULL },
};
