/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ: -max_len=8192
 * A hostile issuer: Intent, session request and batches come from the input
 * (length in two bytes, then the bytes). The first byte says which of the first
 * two are made well instead, so that what comes behind them is reached. The
 * card says yes to everything.
 */
#include <stdlib.h>

#include "agent/run.h"
#include "agent/show.h"
#include "tests/support/agent_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is shown must be fit to be shown. */
static enum cw_err
consent(void *ctx, const struct cw_consent *c)
{
	struct cw_buf text;

	(void)ctx;
	cw_buf_init(&text, 8192);
	cw_show_scope(CW_LANGUAGE_FR, c, &text);
	if (text.err != CW_OK || cw_show_mode(CW_LANGUAGE_FR, c->mode) == NULL)
		abort();
	cw_buf_wipe(&text);
	return CW_OK;
}

/* A genuine R, with its payload's fields shaken by the input. */
static void
good_request(struct cw_bytes intent, struct cw_bytes noise, struct cw_buf *out)
{
	struct cw_request q = cw_fuzz_request(CW_MODE_PSEUDONYMOUS);

	cw_hash(cw_fuzz_caps(), q.caps_hash);
	cw_hash(intent, q.intent_hash);
	if (noise.len >= 4) {
		q.time_s += noise.ptr[0];
		q.intent_hash[noise.ptr[1] & 31] ^= noise.ptr[2];
		q.mode = (enum cw_mode)(1 + noise.ptr[3] % 3);
	}
	cw_fuzz_sign(&q, out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cw_clock clock = cw_clock_fixed(CW_FUZZ_NOW_S);
	const struct cw_intent good = cw_fuzz_intent(CW_MODE_PSEUDONYMOUS);
	struct cw_fuzz_card card;
	const struct cw_run_env env = { .reader = &card.base,
		.origin = cw_bytes_str(CW_FUZZ_ORIGIN),
		.clock = &clock,
		.consent = consent };
	struct cw_bytes in = cw_bytes(data + 1, size - 1);
	struct cw_run_out out;
	struct cw_buf intent, request;
	struct cw_run *run;
	enum cw_err err;

	cw_fuzz_begin();
	if (size < 1)
		return 0;
	cw_fuzz_card_init(&card);
	card.says_yes = true;
	run = cw_run_new(&env);
	if (run == NULL)
		abort();
	cw_run_out_init(&out);
	cw_buf_init(&intent, CW_BODY_MAX);
	cw_buf_init(&request, CW_BODY_MAX);
	if (data[0] & 1)
		cw_intent_encode(&good, &intent);
	else
		cw_buf_put(&intent, cw_fuzz_part(&in));
	err = cw_run_begin(run, cw_buf_bytes(&intent), &out);
	if (data[0] & 2)
		good_request(cw_buf_bytes(&intent), cw_fuzz_part(&in),
		    &request);
	else
		cw_buf_put(&request, cw_fuzz_part(&in));
	if (err == CW_OK)
		err = cw_run_answer(run, cw_buf_bytes(&request), &out);
	while (err == CW_OK && in.len > 0 && out.to != CW_RUN_TO_NOBODY)
		err = cw_run_answer(run, cw_fuzz_part(&in), &out);
	cw_buf_wipe(&intent);
	cw_buf_wipe(&request);
	cw_run_out_wipe(&out);
	cw_run_free(&run);
	return 0;
}
