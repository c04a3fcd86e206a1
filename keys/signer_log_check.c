/* SPDX-License-Identifier: Apache-2.0 */
/* What of the log's bytes holds. */
#include "keys/signer_log_check.h"

#include "proto/base/secret.h"

/* What a disk writes whole or not at all. */
#define SECTOR 512

void
cw_signer_log_mac(const struct cw_signer_log *log, struct cw_bytes cbor,
    uint8_t out[CW_RECORD_MAC])
{
	cw_hmac_sha256(cw_bytes(log->key, CW_HASH_BYTES), cbor, out);
}

static uint32_t
get_u32be(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	    (uint32_t)p[2] << 8 | p[3];
}

static bool
is_zero(const uint8_t *p, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (p[i] != 0)
			return false;
	return true;
}

/* The first record of these bytes, with its head and MAC; 0 if the bytes end
 * before its length, or it has none that can be. */
static size_t
frame_length(struct cw_bytes rest)
{
	uint32_t len = rest.len < CW_RECORD_HEAD ? 0 : get_u32be(rest.ptr);

	return len == 0 || len > CW_RECORD_MAX ?
	    0 :
	    CW_RECORD_HEAD + len + CW_RECORD_MAC;
}

/* One whole frame that follows the record before. */
static enum cw_err
take_record(struct cw_signer_log *log, struct cw_bytes frame)
{
	struct cw_bytes cbor = cw_bytes(frame.ptr + CW_RECORD_HEAD,
	    frame.len - CW_RECORD_HEAD - CW_RECORD_MAC);
	uint8_t mac[CW_RECORD_MAC];
	struct cw_record record;
	enum cw_err err = cw_record_decode(cbor, &record);

	if (err != CW_OK)
		return err;
	if (memcmp(record.previous, log->last, CW_HASH_BYTES) != 0)
		return CW_ERR_BAD_SIGNATURE;
	cw_signer_log_mac(log, cbor, mac);
	if (!cw_secret_equal(CW_BYTES_ARRAY(mac),
		cw_bytes(cbor.ptr + cbor.len, CW_RECORD_MAC)))
		return log->size == 0 ? CW_ERR_LOG_KEY : CW_ERR_BAD_SIGNATURE;
	err = cw_index_add(&log->index, &record, log->size + CW_RECORD_HEAD,
	    cbor.len);
	if (err != CW_OK)
		return err;
	cw_hash(cbor, log->last);
	log->size += frame.len;
	return CW_OK;
}

/* The file ends inside the first record: what is there of its CBOR must be the
 * beginning of some, so that a changed length makes no record disappear. */
static bool
ends_early(struct cw_bytes rest)
{
	struct cw_record record;
	size_t frame = frame_length(rest), cbor, there;
	enum cw_err err;

	if (rest.len <= CW_RECORD_HEAD)
		return true;
	if (frame == 0 || rest.len >= frame)
		return false;
	cbor = frame - CW_RECORD_HEAD - CW_RECORD_MAC;
	there = rest.len - CW_RECORD_HEAD;
	err = cw_record_decode(cw_bytes(rest.ptr + CW_RECORD_HEAD,
				   there < cbor ? there : cbor),
	    &record);
	return err == CW_ERR_TRUNCATED || (err == CW_OK && there >= cbor);
}

/* A part of the first record that is in one sector of the file is all zeros:
 * room that was never written. `at` is where the record lies in the file. */
static bool
has_hole(struct cw_bytes rest, uint64_t at)
{
	size_t frame = frame_length(rest);
	size_t from = 0, to = SECTOR - (size_t)(at % SECTOR);

	/* Without a length all that is sure is that its sectors are missing. */
	if (frame == 0)
		frame = CW_RECORD_HEAD;
	while (from < frame && from < rest.len) {
		size_t end = to < frame ? to : frame;

		if (end > rest.len)
			end = rest.len;
		if (is_zero(rest.ptr + from, end - from))
			return true;
		from = to;
		to += SECTOR;
	}
	return false;
}

static void
judge_tail(struct cw_log_check *c, struct cw_bytes rest, uint64_t at)
{
	c->used = rest.len;
	while (c->used > 0 && rest.ptr[c->used - 1] == 0)
		c->used--;
	if (c->used == 0)
		c->tail = CW_LOG_TAIL_NONE;
	else if (c->used <= CW_LOG_PENDING_MAX &&
	    (ends_early(rest) || has_hole(rest, at)))
		c->tail = CW_LOG_TAIL_TORN;
	else
		c->tail = CW_LOG_TAIL_DAMAGED;
}

enum cw_err
cw_signer_log_check(struct cw_signer_log *log, struct cw_bytes all,
    struct cw_log_check *c)
{
	enum cw_err err = CW_OK;

	c->head_was_seen = !c->has_head || c->head.size == 0;
	while (err == CW_OK) {
		size_t frame = frame_length(all);

		if (c->has_head && log->size == c->head.size && log->size > 0)
			c->head_was_seen =
			    memcmp(log->last, c->head.last, CW_HASH_BYTES) == 0;
		if (frame == 0 || frame > all.len) {
			c->why = CW_ERR_TRUNCATED;
			break;
		}
		err = take_record(log, cw_bytes(all.ptr, frame));
		c->why = err;
		if (err == CW_OK) {
			all.ptr += frame;
			all.len -= frame;
		}
	}
	if (err == CW_ERR_NO_MEMORY || err == CW_ERR_LOG_KEY)
		return err;
	judge_tail(c, all, log->size);
	return CW_OK;
}
