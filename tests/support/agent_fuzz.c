/* SPDX-License-Identifier: Apache-2.0 */
/* A card, a person and an issuer for harnesses. */
#include "tests/support/agent_fuzz.h"

#include <stdlib.h>
#include <sys/prctl.h>

#include "proto/apdu.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"

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

/* Nothing ever changes here. */
static enum cw_err
card_wait(struct cw_reader *reader, unsigned timeout_ms)
{
	(void)reader;
	(void)timeout_ms;
	return CW_ERR_NO_PCSC;
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
	struct cw_fuzz_card *c = (struct cw_fuzz_card *)reader;
	struct cw_bytes answer;

	if (!c->is_begun)
		abort();
	if (c->says_yes) {
		if (command.ptr[1] == CW_INS_GET_CAPABILITIES)
			cw_buf_put(response, cw_buf_bytes(&caps_bytes));
		cw_buf_put_u16be(response, CW_SW_OK);
		return response->err;
	}
	answer = cw_fuzz_part(&c->answers);
	if (answer.len < 2)
		return CW_ERR_CARD_REMOVED;
	cw_buf_put(response, answer);
	return response->err;
}

static enum cw_err
card_begin(struct cw_reader *reader)
{
	struct cw_fuzz_card *c = (struct cw_fuzz_card *)reader;

	if (c->is_begun)
		abort();
	c->is_begun = true;
	return CW_OK;
}

static void
card_end(struct cw_reader *reader, bool reset)
{
	(void)reset;
	((struct cw_fuzz_card *)reader)->is_begun = false;
}

static void
card_disconnect(struct cw_reader *reader, bool reset)
{
	(void)reader;
	(void)reset;
}

static const struct cw_reader_ops ops = {
	.list = card_list,
	.wait = card_wait,
	.connect = card_connect,
	.transmit = card_transmit,
	.begin = card_begin,
	.end = card_end,
	.disconnect = card_disconnect,
};

void
cw_fuzz_card_init(struct cw_fuzz_card *card)
{
	*card = (struct cw_fuzz_card){ .base.ops = &ops };
}

void
cw_fuzz_begin(void)
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

	if (management != NULL)
		return;
	/* Leak checkers must be able to look at us. */
	if (!cw_secret_process_init() || prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) ||
	    cw_key_generate(CW_KEY_P256, &management) != CW_OK)
		abort();
	cw_buf_init(&caps_bytes, 1024);
	cw_card_caps_encode(&caps, &caps_bytes);
	cw_log_set_level(CW_LOG_ERROR);
}

struct cw_bytes
cw_fuzz_caps(void)
{
	return cw_buf_bytes(&caps_bytes);
}

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

struct cw_pin_entry
cw_fuzz_person(void)
{
	return (struct cw_pin_entry){ .ask = person_ask };
}

struct cw_bytes
cw_fuzz_part(struct cw_bytes *in)
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

struct cw_intent
cw_fuzz_intent(enum cw_mode mode)
{
	return (struct cw_intent){ .issuer_name = cw_bytes_str("I"),
		.purpose = cw_bytes_str("P"),
		.action = CW_ACTION_ENROLL,
		.subject = cw_bytes_str("CN=S"),
		.session_url = cw_bytes_str(CW_FUZZ_URI),
		.mode = mode,
		.expires_s = CW_FUZZ_NOW_S + 60 };
}

struct cw_request
cw_fuzz_request(enum cw_mode mode)
{
	struct cw_request q = { .suite = cw_suite_find(1),
		.uri = cw_bytes_str(CW_FUZZ_URI),
		.mode = mode,
		.time_s = CW_FUZZ_NOW_S,
		.lifetime_s = 60,
		.command_limit = 9 };

	cw_key_public(management, &q.issuer_ephemeral);
	return q;
}

void
cw_fuzz_sign(const struct cw_request *request, struct cw_buf *out)
{
	cw_buf_reset(out);
	if (cw_request_make(request, management, out) != CW_OK)
		abort();
}
