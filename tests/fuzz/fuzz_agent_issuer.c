/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ: -max_len=8192
 * A hostile issuer: Intent, session request and batches come from the input
 * (length in two bytes, then the bytes). The first byte says which of the first
 * two are made well instead, so that what comes behind them is reached. The
 * card says yes to everything.
 */
#include <stdlib.h>
#include <sys/prctl.h>

#include "agent/run.h"
#include "agent/show.h"
#include "proto/apdu.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "proto/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_S 1900000000
#define URI "https://issuer.test/session"

static struct cw_private_key *management;
static struct cw_buf caps_bytes;

static enum cw_err
card_list(struct cw_reader *reader, struct cw_reader_info info[CW_READERS_MAX],
    size_t *n)
{
	(void)reader;
	memset(info, 0, sizeof(*info));
	memcpy(info->name, "fuzz", 5);
	info->has_card = true;
	*n = 1;
	return CW_OK;
}

static enum cw_err
card_connect(struct cw_reader *reader, const char *name)
{
	(void)reader;
	(void)name;
	return CW_OK;
}

static enum cw_err
card_transmit(struct cw_reader *reader, struct cw_bytes command,
    struct cw_buf *response)
{
	(void)reader;
	if (command.ptr[1] == CW_INS_GET_CAPABILITIES)
		cw_buf_put(response, cw_buf_bytes(&caps_bytes));
	cw_buf_put_u16be(response, CW_SW_OK);
	return response->err;
}

static enum cw_err
card_begin(struct cw_reader *reader)
{
	(void)reader;
	return CW_OK;
}

static void
card_end(struct cw_reader *reader, bool reset)
{
	(void)reader;
	(void)reset;
}

static const struct cw_reader_ops ops = {
	.list = card_list,
	.connect = card_connect,
	.transmit = card_transmit,
	.begin = card_begin,
	.end = card_end,
	.disconnect = card_end,
};

/* What is shown must be fit to be shown. */
static enum cw_err
consent(void *ctx, const struct cw_consent *c)
{
	struct cw_buf text;

	(void)ctx;
	cw_buf_init(&text, 8192);
	cw_show_scope(CW_LANGUAGE_FR, c->scope, &text);
	if (text.err != CW_OK || cw_show_mode(CW_LANGUAGE_FR, c->mode) == NULL)
		abort();
	cw_buf_wipe(&text);
	return CW_OK;
}

static struct cw_bytes
next(struct cw_bytes *in)
{
	struct cw_bytes part = CW_BYTES_NONE;
	size_t len;

	if (in->len < 2)
		return part;
	len = (size_t)in->ptr[0] << 8 | in->ptr[1];
	if (len > in->len - 2)
		len = in->len - 2;
	part = cw_bytes(in->ptr + 2, len);
	*in = cw_bytes(in->ptr + 2 + len, in->len - 2 - len);
	return part;
}

static void
good_intent(struct cw_buf *out)
{
	const struct cw_intent intent = { .issuer_name = cw_bytes_str("I"),
		.purpose = cw_bytes_str("P"),
		.action = CW_ACTION_ENROLL,
		.subject = cw_bytes_str("CN=S"),
		.session_url = cw_bytes_str(URI),
		.mode = CW_MODE_PSEUDONYMOUS,
		.expires_s = NOW_S + 60 };

	cw_intent_encode(&intent, out);
}

/* A genuine R, with its payload's fields shaken by the input. */
static void
good_request(struct cw_bytes intent, struct cw_bytes noise, struct cw_buf *out)
{
	struct cw_request q = { .suite = cw_suite_find(1),
		.uri = cw_bytes_str(URI),
		.mode = CW_MODE_PSEUDONYMOUS,
		.time_s = NOW_S,
		.lifetime_s = 60,
		.command_limit = 9 };

	cw_hash(cw_buf_bytes(&caps_bytes), q.caps_hash);
	cw_hash(intent, q.intent_hash);
	cw_key_public(management, &q.issuer_ephemeral);
	if (noise.len >= 4) {
		q.time_s += noise.ptr[0];
		q.intent_hash[noise.ptr[1] & 31] ^= noise.ptr[2];
		q.mode = (enum cw_mode)(1 + noise.ptr[3] % 3);
	}
	if (cw_request_make(&q, management, out) != CW_OK)
		abort();
}

static void
set_up(void)
{
	const struct cw_card_caps caps = { .n_suites = 1,
		.n_algs = 1,
		.n_key_types = 1,
		.n_modes = 1,
		.suites = { 1 },
		.algs = { CW_ALG_ESP256 },
		.key_types = { 1 },
		.modes = { 2 },
		.keys_max = 1,
		.command_max = 32768 };

	/* Leak checkers must be able to look at us. */
	if (!cw_secret_process_init() || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) ||
	    cw_key_generate(CW_KEY_P256, &management) != CW_OK)
		abort();
	cw_buf_init(&caps_bytes, 1024);
	cw_card_caps_encode(&caps, &caps_bytes);
	cw_log_set_level(CW_LOG_ERROR);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cw_clock clock = cw_clock_fixed(NOW_S);
	struct cw_reader reader = { .ops = &ops };
	const struct cw_run_env env = { .reader = &reader,
		.origin = cw_bytes_str("https://issuer.test"),
		.clock = &clock,
		.consent = consent };
	struct cw_bytes in = cw_bytes(data + 1, size - 1);
	struct cw_run_out out;
	struct cw_buf intent, request;
	struct cw_run *run;
	enum cw_err err;

	if (management == NULL)
		set_up();
	if (size < 1)
		return 0;
	run = cw_run_new(&env);
	if (run == NULL)
		abort();
	cw_run_out_init(&out);
	cw_buf_init(&intent, CW_BODY_MAX);
	cw_buf_init(&request, CW_BODY_MAX);
	if (data[0] & 1)
		good_intent(&intent);
	else
		cw_buf_put(&intent, next(&in));
	err = cw_run_begin(run, cw_buf_bytes(&intent), &out);
	if (data[0] & 2)
		good_request(cw_buf_bytes(&intent), next(&in), &request);
	else
		cw_buf_put(&request, next(&in));
	if (err == CW_OK)
		err = cw_run_answer(run, cw_buf_bytes(&request), &out);
	while (err == CW_OK && in.len > 0 && out.to != CW_RUN_TO_NOBODY)
		err = cw_run_answer(run, next(&in), &out);
	cw_buf_wipe(&intent);
	cw_buf_wipe(&request);
	cw_run_out_wipe(&out);
	cw_run_free(&run);
	return 0;
}
