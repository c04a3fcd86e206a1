/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ: -max_len=8192
 * A hostile card: every answer comes from the input (length in two bytes, then
 * the bytes). The issuer and the person behave. Whatever the card says, a run
 * ends, nothing is held, and no end is called good without the card's word.
 */
#include <stdlib.h>

#include "agent/run.h"
#include "proto/batch.h"
#include "tests/support/agent_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static enum cw_err
consent(void *ctx, const struct cw_consent *c)
{
	(void)ctx;
	(void)c;
	return CW_OK;
}

/* R as an issuer would make it for these capabilities. */
static enum cw_err
make_request(const struct cw_run_out *out, const struct cw_intent *intent,
    struct cw_buf *r)
{
	struct cw_request q = cw_fuzz_request(intent->mode);
	struct cw_capabilities c;
	struct cw_card_caps caps;
	enum cw_err err = cw_capabilities_decode(cw_buf_bytes(&out->bytes), &c);

	if (err == CW_OK)
		err = cw_card_caps_decode(c.card_caps, &caps);
	if (err != CW_OK)
		abort(); /* our own message */
	memcpy(q.card_nonce, caps.nonce, sizeof(q.card_nonce));
	cw_hash(c.card_caps, q.caps_hash);
	memcpy(q.intent_hash, c.intent_hash, sizeof(q.intent_hash));
	q.scope = intent->scope;
	cw_fuzz_sign(&q, r);
	return CW_OK;
}

static void
run_once(struct cw_run *run, const struct cw_intent *intent)
{
	static const uint8_t batch[] = { 0xa2, 0, 2, 1, 0x82, 0x4a, 0x83, 0x44,
		0xa1, 0x01, 0x18, 0x1f, 0xa0, 0x42, 1, 2, 0x4a, 0x83, 0x44,
		0xa1, 0x01, 0x18, 0x1f, 0xa0, 0x42, 3, 4 };
	struct cw_run_out out;
	struct cw_buf b;
	enum cw_run_resume found;
	enum cw_err err;

	cw_run_out_init(&out);
	cw_buf_init(&b, CW_BODY_MAX);
	err = cw_run_resume(run, &found, &out);
	if (err == CW_OK && found == CW_RESUME_NONE) {
		cw_intent_encode(intent, &b);
		err = cw_run_begin(run, cw_buf_bytes(&b), &out);
	}
	for (int i = 0; i < 4 && err == CW_OK && out.to == CW_RUN_TO_ISSUER;
	     i++) {
		err = make_request(&out, intent, &b);
		if (err == CW_OK)
			err = cw_run_answer(run, cw_buf_bytes(&b), &out);
	}
	for (int i = 0; i < 3 && err == CW_OK; i++)
		err = cw_run_answer(run, CW_BYTES_ARRAY(batch), &out);
	if (err == CW_OK)
		err = cw_run_answer(run, CW_BYTES_NONE, &out);
	cw_run_refused(run, CW_ERR_NO_SESSION, false);
	cw_buf_wipe(&b);
	cw_run_out_wipe(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cw_clock clock = cw_clock_fixed(CW_FUZZ_NOW_S);
	struct cw_pin_entry person = cw_fuzz_person();
	struct cw_fuzz_card card;
	struct cw_intent intent;
	const struct cw_run_env env = { .reader = &card.base,
		.origin = cw_bytes_str(CW_FUZZ_ORIGIN),
		.pin_entry = &person,
		.wants_changes = true,
		.clock = &clock,
		.consent = consent };
	struct cw_run *run;

	cw_fuzz_begin();
	if (size < 1)
		return 0;
	intent = cw_fuzz_intent(
	    data[0] & 1 ? CW_MODE_IDENTIFIED : CW_MODE_ANONYMOUS);
	cw_fuzz_card_init(&card);
	card.answers = cw_bytes(data + 1, size - 1);
	run = cw_run_new(&env);
	if (run == NULL)
		abort();
	run_once(run, &intent);
	cw_run_free(&run);
	if (card.is_begun)
		abort();
	return 0;
}
