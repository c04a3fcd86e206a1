/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's secrets as they are sealed: [suite, scalar], or
 * [channel, E_c, key, has a policy, policy, first, listed, nonce, hash, [* deed]] with
 * deed = [command, target, hash, serial].
 */
#include "proto/base/log.h"
#include "server/step.h"

#define USUAL 512 /* bytes, where there is nothing to manage */

static void
put_deeds(struct cw_buf *b, const struct cw_session_secret *s)
{
	cw_cbor_put_array(b, s->n_deeds);
	for (size_t i = 0; i < s->n_deeds; i++) {
		const struct cw_deed *d = &s->deeds[i];

		cw_cbor_put_array(b, 4);
		cw_cbor_put_uint(b, d->no);
		cw_cbor_put_uint(b, d->target);
		cw_cbor_put_bstr(b, CW_BYTES_ARRAY(d->chain_hash));
		cw_cbor_put_bstr(b, CW_BYTES_ARRAY(d->serial));
	}
}

static void
put_channel(struct cw_buf *b, const struct cw_session_secret *s)
{
	uint8_t memory[USUAL];
	struct cw_buf channel;

	cw_buf_init_on(&channel, CW_SECRET_PLAIN_MAX, memory, sizeof(memory));
	cw_channel_encode(&s->channel, &channel);
	cw_cbor_put_bstr(b, cw_buf_bytes(&channel));
	if (b->err == CW_OK)
		b->err = channel.err;
	cw_buf_wipe(&channel);
}

enum cw_err
cw_session_secret_seal(const struct cw_session_secret *secret, bool ephemeral,
    struct cw_seal *seal, const uint8_t *id, struct cw_buf *sealed)
{
	uint8_t memory[USUAL];
	struct cw_buf plain;
	enum cw_err err;

	cw_buf_init_on(&plain, CW_SECRET_PLAIN_MAX, memory, sizeof(memory));
	if (ephemeral) {
		cw_cbor_put_array(&plain, 2);
		cw_cbor_put_uint(&plain, secret->suite->id);
		cw_cbor_put_bstr(&plain, CW_BYTES_ARRAY(secret->scalar));
	} else {
		cw_cbor_put_array(&plain, 10);
		put_channel(&plain, secret);
		cw_cose_key_put(&plain, &secret->card_ephemeral);
		cw_cbor_put_uint(&plain, secret->key_id);
		cw_cbor_put_bool(&plain, secret->has_policy);
		cw_cbor_put_uint(&plain, secret->policy);
		cw_cbor_put_uint(&plain, secret->first);
		cw_cbor_put_uint(&plain, secret->listed);
		cw_cbor_put_bstr(&plain, CW_BYTES_ARRAY(secret->close_nonce));
		cw_cbor_put_bstr(&plain, CW_BYTES_ARRAY(secret->chain_hash));
		put_deeds(&plain, secret);
	}
	cw_buf_reset(sealed);
	err = plain.err;
	if (err == CW_OK)
		err = cw_seal_put(seal, id, cw_buf_bytes(&plain), sealed);
	cw_buf_wipe(&plain);
	return err != CW_OK ? err : sealed->err;
}

static void
get_deeds(struct cw_cbor_reader *r, struct cw_session_secret *s)
{
	s->n_deeds = cw_cbor_array(r, 0, CW_DEEDS_MAX);
	for (size_t i = 0; i < s->n_deeds; i++) {
		struct cw_deed *d = &s->deeds[i];

		cw_cbor_array(r, 4, 4);
		d->no = cw_cbor_u32(r, CW_DELETE_KEY, CW_UPDATE_KEY);
		d->target = cw_cbor_u32(r, 1, UINT32_MAX);
		cw_cbor_bstr_into(r, d->chain_hash, sizeof(d->chain_hash));
		cw_cbor_bstr_into(r, d->serial, sizeof(d->serial));
		cw_cbor_array_end(r);
	}
	cw_cbor_array_end(r);
}

static enum cw_err
decode_secret(struct cw_bytes in, bool ephemeral, struct cw_session_secret *out)
{
	struct cw_cbor_reader r;
	struct cw_bytes channel = CW_BYTES_NONE;

	cw_cbor_init(&r, in);
	if (ephemeral) {
		cw_cbor_array(&r, 2, 2);
		out->suite = cw_suite_find(cw_cbor_uint(&r, 0, UINT32_MAX));
		cw_cbor_bstr_into(&r, out->scalar, sizeof(out->scalar));
		cw_cbor_array_end(&r);
		return out->suite == NULL ? CW_ERR_BAD_SUITE :
					    cw_cbor_finish(&r);
	}
	cw_cbor_array(&r, 10, 10);
	channel = cw_cbor_bstr(&r, 1, CW_SECRET_PLAIN_MAX);
	cw_cose_key_get(&r, &out->card_ephemeral);
	out->key_id = cw_cbor_u32(&r, 0, UINT32_MAX);
	out->has_policy = cw_cbor_bool(&r);
	out->policy = cw_cbor_u32(&r, 0, UINT32_MAX);
	out->first = cw_cbor_u32(&r, 0, CW_COMMANDS_MAX);
	out->listed = cw_cbor_u32(&r, 0, UINT32_MAX);
	cw_cbor_bstr_into(&r, out->close_nonce, sizeof(out->close_nonce));
	cw_cbor_bstr_into(&r, out->chain_hash, sizeof(out->chain_hash));
	get_deeds(&r, out);
	cw_cbor_array_end(&r);
	if (cw_cbor_finish(&r) != CW_OK)
		return r.err;
	return cw_channel_decode(channel, &out->channel);
}

enum cw_err
cw_session_secret_open(struct cw_session_secret *secret, struct cw_seal *seal,
    const struct cw_session *session)
{
	uint8_t memory[USUAL];
	struct cw_buf plain;
	enum cw_err err;

	memset(secret, 0, sizeof(*secret));
	cw_buf_init_on(&plain, CW_SECRET_PLAIN_MAX, memory, sizeof(memory));
	err = cw_seal_get(seal, session->id, cw_buf_bytes(&session->sealed),
	    &plain);
	if (err == CW_OK)
		err = decode_secret(cw_buf_bytes(&plain),
		    session->stage == CW_STAGE_OPENED, secret);
	if (err == CW_OK && session->stage != CW_STAGE_OPENED)
		secret->suite = secret->channel.suite;
	cw_buf_wipe(&plain);
	/* The epoch may be over; anything else cannot be. */
	if (err == CW_OK || err == CW_ERR_SESSION_EXPIRED)
		return err;
	return cw_log_fail(CW_ERR_STORE_CORRUPT, "session.sealed", "cause=%d",
	    (int)err);
}
