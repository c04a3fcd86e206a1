/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ: -max_len=8192
 * A hostile extension: the input is what it writes, frames and all. The first
 * byte puts well-formed messages in front, so that what comes behind them is
 * reached. The card says yes to everything. Whatever is written, the host ends
 * with one last word, holds no card, and says only frames that can be read.
 */
#include <stdlib.h>

#include "agent/native.h"
#include "agent/native_frame.h"
#include "proto/rfc4648.h"
#include "tests/support/agent_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct link {
	struct cw_native_link base;
	struct cw_bytes in;
	struct cw_buf first[3]; /* well-formed messages that come before */
	size_t n_first, at;
	bool is_over; /* the host's last word was said */
};

static enum cw_err
link_next(struct cw_native_link *base, int timeout_ms,
    struct cw_native_message *out)
{
	struct link *l = (struct link *)base;
	struct cw_bytes frame;
	enum cw_err err;

	(void)timeout_ms;
	cw_native_message_wipe(out);
	if (l->at < l->n_first)
		return cw_native_message_decode(cw_buf_bytes(
						    &l->first[l->at++]),
		    out);
	err = cw_native_frame_take(&l->in, &frame);
	if (err == CW_ERR_TRUNCATED)
		return CW_ERR_CANCELLED;
	return err != CW_OK ? err : cw_native_message_decode(frame, out);
}

static enum cw_err
link_send(struct cw_native_link *base, struct cw_bytes json)
{
	struct link *l = (struct link *)base;
	struct cw_buf frame;
	struct cw_bytes in, again;

	if (l->is_over || json.len < 2 || json.ptr[0] != '{' ||
	    json.ptr[json.len - 1] != '}')
		abort();
	if (memmem(json.ptr, json.len, "{\"type\":\"failed\"", 16) != NULL ||
	    memmem(json.ptr, json.len, "{\"type\":\"done\"", 14) != NULL)
		l->is_over = true;
	cw_buf_init(&frame, CW_NATIVE_MAX + CW_NATIVE_HEAD);
	cw_native_frame_put(&frame, json);
	in = cw_buf_bytes(&frame);
	if (cw_native_frame_take(&in, &again) != CW_OK || in.len != 0 ||
	    !cw_bytes_equal(again, json))
		abort();
	cw_buf_wipe(&frame);
	return CW_OK;
}

static void
link_readers(struct cw_native_link *base, struct cw_readers *out)
{
	(void)base;
	memset(out, 0, sizeof(*out));
}

static bool
link_is_stopped(struct cw_native_link *base)
{
	(void)base;
	return false;
}

static const char *
pin_kind(const void *ctx)
{
	(void)ctx;
	return "none";
}

static void
put_first(struct link *l, const char *json)
{
	cw_buf_put_str(&l->first[l->n_first++], json);
}

static void
put_start(struct link *l)
{
	const struct cw_intent intent = cw_fuzz_intent(CW_MODE_PSEUDONYMOUS);
	char text[1024];
	struct cw_buf bytes;

	cw_buf_init(&bytes, 512);
	cw_intent_encode(&intent, &bytes);
	if (bytes.err != CW_OK)
		abort();
	cw_base64url_encode(cw_buf_bytes(&bytes), text);
	cw_buf_printf(&l->first[l->n_first++],
	    "{\"type\":\"start\",\"origin\":\"" CW_FUZZ_ORIGIN "\","
	    "\"intent\":\"%s\"}",
	    text);
	cw_buf_wipe(&bytes);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const struct cw_clock clock = cw_clock_fixed(CW_FUZZ_NOW_S);
	struct cw_pin_entry person = cw_fuzz_person();
	struct cw_fuzz_card card;
	struct link l = { .base = { .next = link_next,
			      .send = link_send,
			      .readers = link_readers,
			      .is_stopped = link_is_stopped } };
	const struct cw_native_config config = { .link = &l.base,
		.reader = &card.base,
		.pin_entry = &person,
		.pin_kind = pin_kind,
		.clock = &clock };
	enum cw_err err;

	cw_fuzz_begin();
	if (size < 1)
		return 0;
	cw_fuzz_card_init(&card);
	card.says_yes = true;
	l.in = cw_bytes(data + 1, size - 1);
	for (size_t i = 0; i < 3; i++)
		cw_buf_init(&l.first[i], 2048);
	if (data[0] % 4 >= 1)
		put_first(&l, "{\"type\":\"hello\",\"version\":1}");
	if (data[0] % 4 >= 2)
		put_start(&l);
	if (data[0] % 4 >= 3)
		put_first(&l, "{\"type\":\"accept\"}");
	err = cw_native_serve(&config);
	if (!l.is_over || card.is_begun || err == CW_OK)
		abort();
	for (size_t i = 0; i < 3; i++)
		cw_buf_wipe(&l.first[i]);
	return 0;
}
