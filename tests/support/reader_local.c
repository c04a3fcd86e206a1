/* SPDX-License-Identifier: Apache-2.0 */
/* A reader over cards in this process. */
#include "tests/support/reader_local.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/apdu.h"

static struct cw_local_reader *
local(struct cw_reader *reader)
{
	return (struct cw_local_reader *)reader;
}

static void
name_of(size_t i, char out[CW_READER_NAME_MAX + 1])
{
	snprintf(out, CW_READER_NAME_MAX + 1, "Local reader %02u 00",
	    (unsigned)i & 0xff);
}

/* ISO 7816-3: TS, T0 with k historical bytes; category 80, tag 73: the third
 * software function table without the bit for extended length. */
static const uint8_t short_atr[] = { 0x3B, 0x85, 0x80, 0x01, 0x80, 0x73, 0x00,
	0x00, 0x80, 0x00 };

static void
fill_atr(const struct cw_local_reader *r, const struct cw_test_card *card,
    uint8_t atr[CW_ATR_MAX], size_t *len)
{
	struct cw_bytes bytes =
	    r->is_short ? CW_BYTES_ARRAY(short_atr) : cw_card_atr(card->card);

	memcpy(atr, bytes.ptr, bytes.len);
	*len = bytes.len;
}

static enum cw_err
local_list(struct cw_reader *reader, struct cw_reader_info info[CW_READERS_MAX],
    size_t *n)
{
	struct cw_local_reader *r = local(reader);

	*n = 0;
	if (r->list_error != CW_OK)
		return r->list_error;
	for (; *n < r->n_readers; (*n)++) {
		struct cw_reader_info *i = &info[*n];

		memset(i, 0, sizeof(*i));
		name_of(*n, i->name);
		i->has_card = r->cards[*n] != NULL && !r->is_out;
		if (i->has_card)
			fill_atr(r, r->cards[*n], i->atr, &i->atr_len);
	}
	return CW_OK;
}

static enum cw_err
local_wait(struct cw_reader *reader, unsigned timeout_ms)
{
	struct cw_local_reader *r = local(reader);

	(void)timeout_ms;
	r->waits++;
	if (r->on_wait != NULL)
		r->on_wait(r->ctx);
	if (r->is_out && r->insert_after != 0 && r->waits >= r->insert_after)
		cw_local_reader_insert(r);
	return r->is_out ? CW_ERR_PERSON_TIMEOUT : CW_OK;
}

static enum cw_err
local_connect(struct cw_reader *reader, const char *name)
{
	struct cw_local_reader *r = local(reader);

	if (r->connect_error != CW_OK)
		return r->connect_error;
	for (size_t i = 0; i < r->n_readers; i++) {
		char own[CW_READER_NAME_MAX + 1];

		name_of(i, own);
		if (strcmp(own, name) != 0)
			continue;
		if (r->cards[i] == NULL || r->is_out)
			return CW_ERR_NO_CARD;
		r->connected = r->cards[i];
		fill_atr(r, r->connected, reader->atr, &reader->atr_len);
		reader->resets++;
		return CW_OK;
	}
	return CW_ERR_NO_READER;
}

static void
pull(struct cw_local_reader *r)
{
	cw_card_power(r->connected->card, false);
	r->is_out = true;
}

static void
flip(uint8_t *at)
{
	*at ^= 0x04;
}

/* A copy of the command with one bit of its data changed. */
static void
change_command(struct cw_local_reader *r, struct cw_bytes command,
    struct cw_buf *response)
{
	struct cw_buf copy;

	cw_buf_init(&copy, CW_APDU_MAX);
	cw_buf_put(&copy, command);
	if (copy.len > 8)
		flip(copy.ptr + copy.len - copy.len / 3);
	cw_card_transmit(r->connected->card, cw_buf_bytes(&copy), response);
	cw_buf_wipe(&copy);
}

static enum cw_err
faulty(struct cw_local_reader *r, struct cw_bytes command,
    struct cw_buf *response)
{
	struct cw_card *card = r->connected->card;

	if (r->fault == CW_LOCAL_PULL_BEFORE) {
		pull(r);
		return CW_ERR_CARD_REMOVED;
	}
	if (r->fault == CW_LOCAL_CHANGE_COMMAND)
		change_command(r, command, response);
	else
		cw_card_transmit(card, command, response);
	if (r->fault == CW_LOCAL_PULL_AFTER)
		pull(r);
	if (r->fault == CW_LOCAL_PULL_AFTER || r->fault == CW_LOCAL_LOSE_REPLY)
		return CW_ERR_CARD_REMOVED;
	if (r->fault == CW_LOCAL_SHORT_REPLY)
		cw_buf_truncate(response, 1);
	if (r->fault == CW_LOCAL_CHANGE_REPLY && response->len > 2)
		flip(response->ptr + (response->len - 2) / 2);
	if (r->fault == CW_LOCAL_REPEAT)
		cw_card_transmit(card, command, response);
	if (r->fault == CW_LOCAL_OTHER_RESET)
		r->other_wants_reset = true;
	return CW_OK;
}

static enum cw_err
local_transmit(struct cw_reader *reader, struct cw_bytes command,
    struct cw_buf *out)
{
	struct cw_local_reader *r = local(reader);
	struct cw_buf response;
	enum cw_err err = CW_OK;

	if (r->connected == NULL || r->is_out)
		return CW_ERR_CARD_REMOVED;
	if (!r->is_begun) {
		fprintf(stderr, "an APDU outside a transaction\n");
		abort();
	}
	r->apdus++;
	if (command.len > r->longest)
		r->longest = command.len;
	cw_buf_init(&response, CW_RESPONSE_MAX);
	if (r->fault != CW_LOCAL_NO_FAULT && r->apdus == r->fault_at)
		err = faulty(r, command, &response);
	else
		cw_card_transmit(r->connected->card, command, &response);
	if (err == CW_OK && r->on_reply != NULL)
		r->on_reply(r->ctx, command, &response);
	if (err == CW_OK && response.len < 2)
		err = CW_ERR_CARD_REMOVED;
	if (err == CW_OK) {
		cw_buf_put(out, cw_buf_bytes(&response));
		err = out->err;
	}
	cw_buf_wipe(&response);
	return err;
}

static enum cw_err
local_begin(struct cw_reader *reader)
{
	struct cw_local_reader *r = local(reader);

	if (r->connected == NULL || r->is_out)
		return CW_ERR_CARD_REMOVED;
	if (r->is_begun) {
		fprintf(stderr, "a transaction inside a transaction\n");
		abort();
	}
	if (r->other_wants_reset) {
		cw_card_reset(r->connected->card);
		reader->resets++;
		r->other_wants_reset = false;
	}
	r->is_begun = true;
	r->begins++;
	return CW_OK;
}

static void
local_end(struct cw_reader *reader, bool reset)
{
	struct cw_local_reader *r = local(reader);

	r->is_begun = false;
	r->ends++;
	if (reset && !r->is_out) {
		cw_card_reset(r->connected->card);
		reader->resets++;
		r->resets_at_end++;
	}
}

static void
local_disconnect(struct cw_reader *reader, bool reset)
{
	struct cw_local_reader *r = local(reader);

	if (reset && r->connected != NULL && !r->is_out)
		cw_card_reset(r->connected->card);
	r->connected = NULL;
}

static void
local_close(struct cw_reader *reader)
{
	(void)reader;
}

static const struct cw_reader_ops ops = {
	.list = local_list,
	.wait = local_wait,
	.connect = local_connect,
	.transmit = local_transmit,
	.begin = local_begin,
	.end = local_end,
	.disconnect = local_disconnect,
	.close = local_close,
};

void
cw_local_reader_init(struct cw_local_reader *reader, struct cw_test_card *card)
{
	memset(reader, 0, sizeof(*reader));
	reader->base.ops = &ops;
	reader->cards[0] = card;
	reader->n_readers = 1;
}

void
cw_local_reader_insert(struct cw_local_reader *reader)
{
	for (size_t i = 0; i < reader->n_readers; i++)
		if (reader->cards[i] != NULL)
			cw_card_power(reader->cards[i]->card, true);
	reader->is_out = false;
	reader->is_begun = false;
	reader->connected = NULL;
}
