/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ: -max_len=8192
 * A hostile card: every answer comes from the input (length in two bytes, then
 * the bytes). The issuer and the person behave. Whatever the card says, a run
 * ends, nothing is held, and no end is called good without the card's word.
 */
#include <stdlib.h>
#include <sys/prctl.h>

#include "agent/icc.h"
#include "agent/run.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "proto/batch.h"
#include "proto/command.h"
#include "proto/request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define NOW_S 1900000000
#define URI "https://issuer.test/session"

struct card {
	struct cw_reader base;
	struct cw_bytes left;
	bool is_begun;
};

static struct cw_private_key *management;

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
	struct card *c = (struct card *)reader;
	size_t len;

	(void)command;
	if (!c->is_begun)
		abort();
	if (c->left.len < 2)
		return CW_ERR_CARD_REMOVED;
	len = ((size_t)c->left.ptr[0] << 8 | c->left.ptr[1]) % 4096;
	c->left = cw_bytes(c->left.ptr + 2, c->left.len - 2);
	if (len > c->left.len)
		len = c->left.len;
	cw_buf_put(response, cw_bytes(c->left.ptr, len));
	c->left = cw_bytes(c->left.ptr + len, c->left.len - len);
	return len < 2 ? CW_ERR_CARD_REMOVED : response->err;
}

static enum cw_err
card_begin(struct cw_reader *reader)
{
	struct card *c = (struct card *)reader;

	if (c->is_begun)
		abort();
	c->is_begun = true;
	return CW_OK;
}

static void
card_end(struct cw_reader *reader, bool reset)
{
	(void)reset;
	((struct card *)reader)->is_begun = false;
}

static void
card_disconnect(struct cw_reader *reader, bool reset)
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
	.disconnect = card_disconnect,
};

static enum cw_err
person_ask(struct cw_pin_entry *entry, const struct cw_pin_prompt *prompt,
    struct cw_pin_value *out)
{
	char text[CW_PIN_TEXT_MAX];

	(void)entry;
	cw_pin_text(prompt, text);
	out->len = prompt->rule->min;
	for (size_t i = 0; i < out->len; i++)
		out->bytes[i] = (uint8_t)('0' + i * 7 % 10);
	return CW_OK;
}

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
	struct cw_request q = { .suite = cw_suite_find(1),
		.uri = cw_bytes_str(URI),
		.scope = intent->scope,
		.mode = intent->mode,
		.time_s = NOW_S,
		.lifetime_s = 60,
		.command_limit = 9 };
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
	cw_key_public(management, &q.issuer_ephemeral);
	cw_buf_reset(r);
	return cw_request_make(&q, management, r);
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
	cw_run_refused(run, CW_ERR_NO_SESSION);
	cw_buf_wipe(&b);
	cw_run_out_wipe(&out);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cw_clock clock = cw_clock_fixed(NOW_S);
	struct cw_pin_entry person = { .ask = person_ask };
	struct card card = { .base.ops = &ops };
	struct cw_intent intent = { .issuer_name = cw_bytes_str("I"),
		.purpose = cw_bytes_str("P"),
		.action = CW_ACTION_ENROLL,
		.subject = cw_bytes_str("CN=S"),
		.session_url = cw_bytes_str(URI),
		.mode = CW_MODE_PSEUDONYMOUS,
		.expires_s = NOW_S + 60 };
	const struct cw_run_env env = { .reader = &card.base,
		.origin = cw_bytes_str("https://issuer.test"),
		.pin_entry = &person,
		.clock = &clock,
		.consent = consent };
	struct cw_run *run;

	if (management == NULL) {
		/* Leak checkers must be able to look at us. */
		if (!cw_secret_process_init() ||
		    prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) ||
		    cw_key_generate(CW_KEY_P256, &management) != CW_OK)
			abort();
		cw_log_set_level(CW_LOG_ERROR);
	}
	if (size < 1)
		return 0;
	intent.mode = data[0] & 1 ? CW_MODE_IDENTIFIED : CW_MODE_ANONYMOUS;
	card.left = cw_bytes(data + 1, size - 1);
	run = cw_run_new(&env);
	if (run == NULL)
		abort();
	run_once(run, &intent);
	cw_run_free(&run);
	if (card.is_begun)
		abort();
	return 0;
}
