/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state as one CBOR item (docs/card.md "State file"):
 *
 *   state   = [1, personalisation: bstr, guid, pin, puk, [* counter],
 *              objects, [* session]]
 *   pin     = [value: bstr, tries]
 *   counter = [owner, value]
 *   objects = [[* key], [* policy]]
 *   key     = [owner, id, type, usage, origin, exportable, policy, slot,
 *              cose-key, name, private key, chain]
 *   policy  = [owner, id, pin-rule, issuer-set, modifiable, pin]
 *   session = [id, H(R), owner, uri, message 4, state, mode, scope, limit,
 *              answered, failures, n complete, [* [hash, reply]],
 *              channel / null, objects, pin, puk]
 */
#include "card/state.h"

#include "proto/base/secret.h"

#define STATE_VERSION 1

/* ---- writing ---- */

static void
put_fixed(struct cw_buf *b, const uint8_t *ptr, size_t len)
{
	cw_cbor_put_bstr(b, cw_bytes(ptr, len));
}

static void
put_pin(struct cw_buf *b, const struct cw_card_pin *pin)
{
	cw_cbor_put_array(b, 2);
	put_fixed(b, pin->value, pin->len);
	cw_cbor_put_uint(b, pin->tries);
}

static void
put_key(struct cw_buf *b, const struct cw_card_key *key)
{
	cw_cbor_put_array(b, 12);
	put_fixed(b, key->owner, sizeof(key->owner));
	cw_cbor_put_uint(b, key->id);
	cw_cbor_put_uint(b, (uint64_t)key->attributes.type);
	cw_cbor_put_uint(b, key->attributes.usage);
	cw_cbor_put_uint(b, (uint64_t)key->attributes.origin);
	cw_cbor_put_bool(b, key->attributes.exportable);
	cw_cbor_put_uint(b, key->attributes.pin_policy);
	cw_cbor_put_uint(b, key->attributes.slot);
	cw_cose_key_put(b, &key->public_key);
	cw_cbor_put_bstr(b, cw_buf_bytes(&key->name));
	cw_cbor_put_bstr(b, cw_buf_bytes(&key->private_key));
	cw_cbor_put_bstr(b, cw_buf_bytes(&key->chain));
}

static void
put_policy(struct cw_buf *b, const struct cw_card_policy *policy)
{
	cw_cbor_put_array(b, 6);
	put_fixed(b, policy->owner, sizeof(policy->owner));
	cw_cbor_put_uint(b, policy->id);
	cw_pin_rule_put(b, &policy->rule);
	cw_cbor_put_bool(b, policy->issuer_set);
	cw_cbor_put_bool(b, policy->modifiable);
	put_pin(b, &policy->pin);
}

static void
put_objects(struct cw_buf *b, const struct cw_card_objects *objects)
{
	const struct cw_card_key *key;
	const struct cw_card_policy *policy;
	size_t n = 0;

	cw_cbor_put_array(b, 2);
	for (key = objects->keys; key != NULL; key = key->next)
		n++;
	cw_cbor_put_array(b, n);
	for (key = objects->keys; key != NULL; key = key->next)
		put_key(b, key);
	n = 0;
	for (policy = objects->policies; policy != NULL; policy = policy->next)
		n++;
	cw_cbor_put_array(b, n);
	for (policy = objects->policies; policy != NULL; policy = policy->next)
		put_policy(b, policy);
}

static void
put_records(struct cw_buf *b, const struct cw_card_session *session)
{
	const struct cw_card_record *record;
	size_t n = 0;

	for (record = session->records; record != NULL; record = record->next)
		n++;
	cw_cbor_put_uint(b, session->n_complete);
	cw_cbor_put_array(b, n);
	for (record = session->records; record != NULL; record = record->next) {
		cw_cbor_put_array(b, 2);
		put_fixed(b, record->command_hash, CW_HASH_BYTES);
		cw_cbor_put_bstr(b, cw_buf_bytes(&record->reply));
	}
}

static void
put_channel(struct cw_buf *b, const struct cw_card_session *session)
{
	struct cw_buf channel;

	if (session->state != CW_SESSION_OPEN) {
		cw_cbor_put_null(b);
		return;
	}
	cw_buf_init(&channel, 1024);
	cw_channel_encode(&session->channel, &channel);
	if (channel.err != CW_OK && b->err == CW_OK)
		b->err = channel.err;
	cw_cbor_put_bstr(b, cw_buf_bytes(&channel));
	cw_buf_wipe(&channel);
}

static void
put_session(struct cw_buf *b, const struct cw_card_session *session)
{
	cw_cbor_put_array(b, 17);
	put_fixed(b, session->id, sizeof(session->id));
	put_fixed(b, session->request_hash, sizeof(session->request_hash));
	put_fixed(b, session->owner, sizeof(session->owner));
	cw_cbor_put_bstr(b, cw_buf_bytes(&session->uri));
	cw_cbor_put_bstr(b, cw_buf_bytes(&session->message_4));
	cw_cbor_put_uint(b, (uint64_t)session->state);
	cw_cbor_put_uint(b, (uint64_t)session->mode);
	cw_scope_put(b, &session->scope);
	cw_cbor_put_uint(b, session->command_limit);
	cw_cbor_put_uint(b, session->answered);
	cw_cbor_put_uint(b, session->failures);
	put_records(b, session);
	put_channel(b, session);
	put_objects(b, &session->objects);
	put_pin(b, &session->pin);
	put_pin(b, &session->puk);
}

void
cw_card_state_encode(const struct cw_card_state *state, struct cw_buf *out)
{
	const struct cw_card_session *session;
	size_t n = 0;

	cw_cbor_put_array(out, 8);
	cw_cbor_put_uint(out, STATE_VERSION);
	cw_cbor_put_bstr(out, cw_buf_bytes(&state->personalisation));
	put_fixed(out, state->guid, sizeof(state->guid));
	put_pin(out, &state->pin);
	put_pin(out, &state->puk);
	cw_cbor_put_array(out, state->n_counters);
	for (size_t i = 0; i < state->n_counters; i++) {
		cw_cbor_put_array(out, 2);
		put_fixed(out, state->counters[i].owner, CW_HASH_BYTES);
		cw_cbor_put_uint(out, state->counters[i].value);
	}
	put_objects(out, &state->objects);
	for (session = state->sessions; session != NULL;
	     session = session->next)
		n++;
	cw_cbor_put_array(out, n);
	for (session = state->sessions; session != NULL;
	     session = session->next)
		put_session(out, session);
}

/* ---- reading ---- */

static void
get_buf(struct cw_cbor_reader *r, struct cw_buf *b)
{
	cw_buf_put(b, cw_cbor_bstr(r, 0, b->max));
	if (b->err != CW_OK)
		cw_cbor_fail(r, b->err);
}

static void
get_pin(struct cw_cbor_reader *r, struct cw_card_pin *pin)
{
	struct cw_bytes value;

	cw_cbor_array(r, 2, 2);
	value = cw_cbor_bstr(r, 0, sizeof(pin->value));
	if (value.len > 0)
		memcpy(pin->value, value.ptr, value.len);
	pin->len = (uint8_t)value.len;
	pin->tries = (uint8_t)cw_cbor_uint(r, 0, 15);
	cw_cbor_array_end(r);
}

static void
get_key(struct cw_cbor_reader *r, struct cw_card_key *key)
{
	cw_cbor_array(r, 12, 12);
	cw_cbor_bstr_into(r, key->owner, sizeof(key->owner));
	key->id = cw_cbor_u32(r, 1, UINT32_MAX);
	key->attributes.type = cw_cbor_u32(r, 1, 6);
	key->attributes.usage = cw_cbor_u32(r, 1, 15);
	key->attributes.origin = cw_cbor_u32(r, 1, 2);
	key->attributes.exportable = cw_cbor_bool(r);
	key->attributes.pin_policy = cw_cbor_u32(r, 0, UINT32_MAX);
	key->attributes.slot = (uint8_t)cw_cbor_uint(r, 0, 0xFF);
	cw_cose_key_get(r, &key->public_key);
	get_buf(r, &key->name);
	get_buf(r, &key->private_key);
	get_buf(r, &key->chain);
	cw_cbor_array_end(r);
}

static void
get_policy(struct cw_cbor_reader *r, struct cw_card_policy *policy)
{
	cw_cbor_array(r, 6, 6);
	cw_cbor_bstr_into(r, policy->owner, sizeof(policy->owner));
	policy->id = cw_cbor_u32(r, 1, UINT32_MAX);
	cw_pin_rule_get(r, &policy->rule);
	policy->issuer_set = cw_cbor_bool(r);
	policy->modifiable = cw_cbor_bool(r);
	get_pin(r, &policy->pin);
	cw_cbor_array_end(r);
}

static void
get_objects(struct cw_cbor_reader *r, struct cw_card_objects *objects)
{
	size_t n;

	cw_cbor_array(r, 2, 2);
	n = cw_cbor_array(r, 0, CW_CARD_KEYS_MAX);
	for (size_t i = 0; i < n && r->err == CW_OK; i++) {
		struct cw_card_key *key = cw_card_key_new();

		if (key == NULL) {
			cw_cbor_fail(r, CW_ERR_NO_MEMORY);
			return;
		}
		get_key(r, key);
		cw_card_keys_append(&objects->keys, key);
	}
	cw_cbor_array_end(r);
	n = cw_cbor_array(r, 0, CW_CARD_POLICIES_MAX);
	for (size_t i = 0; i < n && r->err == CW_OK; i++) {
		struct cw_card_policy *policy = cw_card_policy_new();

		if (policy == NULL) {
			cw_cbor_fail(r, CW_ERR_NO_MEMORY);
			return;
		}
		get_policy(r, policy);
		cw_card_policies_append(&objects->policies, policy);
	}
	cw_cbor_array_end(r);
	cw_cbor_array_end(r);
}

static void
get_records(struct cw_cbor_reader *r, struct cw_card_session *session)
{
	size_t n;

	session->n_complete = (size_t)cw_cbor_uint(r, 0, CW_COMMANDS_MAX);
	n = cw_cbor_array(r, session->n_complete, CW_COMMANDS_MAX);
	for (size_t i = 0; i < n && r->err == CW_OK; i++) {
		struct cw_card_record *record = cw_card_record_new();

		if (record == NULL) {
			cw_cbor_fail(r, CW_ERR_NO_MEMORY);
			return;
		}
		cw_cbor_array(r, 2, 2);
		cw_cbor_bstr_into(r, record->command_hash, CW_HASH_BYTES);
		get_buf(r, &record->reply);
		cw_cbor_array_end(r);
		cw_card_records_append(&session->records, record);
	}
	cw_cbor_array_end(r);
}

static void
get_channel(struct cw_cbor_reader *r, struct cw_card_session *session)
{
	struct cw_bytes bytes;
	enum cw_err err;

	if (session->state != CW_SESSION_OPEN) {
		if (!cw_cbor_is_null(r))
			cw_cbor_fail(r, CW_ERR_WRONG_TYPE);
		return;
	}
	bytes = cw_cbor_bstr(r, 1, 1024);
	if (r->err != CW_OK)
		return;
	err = cw_channel_decode(bytes, &session->channel);
	if (err != CW_OK)
		cw_cbor_fail(r, err);
}

static void
get_session(struct cw_cbor_reader *r, struct cw_card_session *session)
{
	cw_cbor_array(r, 17, 17);
	cw_cbor_bstr_into(r, session->id, sizeof(session->id));
	cw_cbor_bstr_into(r, session->request_hash,
	    sizeof(session->request_hash));
	cw_cbor_bstr_into(r, session->owner, sizeof(session->owner));
	get_buf(r, &session->uri);
	get_buf(r, &session->message_4);
	session->state = cw_cbor_u32(r, 1, 3);
	session->mode = cw_cbor_u32(r, 1, 3);
	cw_scope_get(r, &session->scope);
	session->command_limit = cw_cbor_u32(r, 1, CW_COMMANDS_MAX);
	session->answered = cw_cbor_u32(r, 0, CW_COMMANDS_MAX + 1);
	session->failures = cw_cbor_u32(r, 0, CW_CARD_FAILURES_MAX);
	get_records(r, session);
	get_channel(r, session);
	get_objects(r, &session->objects);
	get_pin(r, &session->pin);
	get_pin(r, &session->puk);
	cw_cbor_array_end(r);
}

static void
get_sessions(struct cw_cbor_reader *r, struct cw_card_state *state)
{
	size_t n = cw_cbor_array(r, 0, CW_CARD_SESSIONS_MAX);

	for (size_t i = 0; i < n && r->err == CW_OK; i++) {
		struct cw_card_session *session = cw_card_session_new();

		if (session == NULL) {
			cw_cbor_fail(r, CW_ERR_NO_MEMORY);
			return;
		}
		get_session(r, session);
		cw_card_sessions_append(&state->sessions, session);
	}
	cw_cbor_array_end(r);
}

static void
get_counters(struct cw_cbor_reader *r, struct cw_card_state *state)
{
	state->n_counters = cw_cbor_array(r, 0, CW_CARD_COUNTERS_MAX);
	for (size_t i = 0; i < state->n_counters && r->err == CW_OK; i++) {
		cw_cbor_array(r, 2, 2);
		cw_cbor_bstr_into(r, state->counters[i].owner, CW_HASH_BYTES);
		state->counters[i].value = cw_cbor_uint(r, 1, UINT64_MAX);
		cw_cbor_array_end(r);
	}
	cw_cbor_array_end(r);
}

enum cw_err
cw_card_state_decode(struct cw_bytes in, struct cw_card_state **out)
{
	struct cw_card_state *state = cw_card_state_new();
	struct cw_cbor_reader r;
	enum cw_err err;

	if (state == NULL)
		return CW_ERR_NO_MEMORY;
	cw_cbor_init(&r, in);
	cw_cbor_array(&r, 8, 8);
	cw_cbor_uint(&r, STATE_VERSION, STATE_VERSION);
	get_buf(&r, &state->personalisation);
	cw_cbor_bstr_into(&r, state->guid, sizeof(state->guid));
	get_pin(&r, &state->pin);
	get_pin(&r, &state->puk);
	get_counters(&r, state);
	get_objects(&r, &state->objects);
	get_sessions(&r, state);
	cw_cbor_array_end(&r);
	err = cw_cbor_finish(&r);
	if (err == CW_OK) {
		*out = state;
		return CW_OK;
	}
	cw_card_state_free(&state);
	return err == CW_ERR_NO_MEMORY ? err : CW_ERR_BAD_STATE_FILE;
}
