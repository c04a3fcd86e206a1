/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state as one CBOR item (docs/card.md "State"):
 *
 *   state   = [2, personalisation: bstr, guid, pin, puk, [* counter],
 *              next handle, [* issuer], objects, [* session]]
 *   pin     = [value: bstr, tries]
 *   counter = [owner, value]
 *   issuer  = [key, successor, epoch]
 *   objects = [[* key], [* policy], [* puk]]
 *   key     = [owner, id, handle, group, exported, attributes, cose-key /
 *              null, private key, chain, [* extension]]
 *   extension = [kind, type, media type, data]
 *   policy  = [owner, id, pin-rule, issuer-set, modifiable, grouping, puk id,
 *              [* [group, value, tries]]]
 *   puk     = [owner, id, pin-rule, pin]
 *   session = [id, H(R), owner, uri, message 4, state, mode, scope, limit,
 *              answered, failures, n complete, [* [hash, reply]],
 *              channel / null, objects, pin, puk, [* post], [* former],
 *              epoch]
 *   post    = [command number, id or 0, target]
 *
 * attributes, cose-key, pin-rule and scope are those of session.cddl.
 */
#include "card/state.h"

/* Writes the items of a list, which all have `next`, as an array into `b`. */
#define PUT_LIST(type, list, put)                                   \
	do {                                                        \
		const struct type *put_list_item = (list);          \
		size_t put_list_n = 0;                              \
                                                                    \
		for (; put_list_item != NULL;                       \
		     put_list_item = put_list_item->next)           \
			put_list_n++;                               \
		cw_cbor_put_array(b, put_list_n);                   \
		for (put_list_item = (list); put_list_item != NULL; \
		     put_list_item = put_list_item->next)           \
			put(b, put_list_item);                      \
	} while (0)

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
put_extension(struct cw_buf *b, const struct cw_card_extension *extension)
{
	cw_cbor_put_array(b, 4);
	cw_cbor_put_uint(b, (uint64_t)extension->kind);
	cw_cbor_put_bstr(b, cw_buf_bytes(&extension->type));
	cw_cbor_put_bstr(b, cw_buf_bytes(&extension->media_type));
	cw_cbor_put_bstr(b, cw_buf_bytes(&extension->data));
}

static void
put_key(struct cw_buf *b, const struct cw_card_key *key)
{
	cw_cbor_put_array(b, 10);
	put_fixed(b, key->owner, sizeof(key->owner));
	cw_cbor_put_uint(b, key->id);
	cw_cbor_put_uint(b, key->handle);
	cw_cbor_put_uint(b, key->group);
	cw_cbor_put_bool(b, key->exported);
	cw_attributes_put(b, &key->attributes);
	if (key->attributes.type == CW_KEY_SECRET)
		cw_cbor_put_null(b);
	else
		cw_cose_key_put(b, &key->public_key);
	cw_cbor_put_bstr(b, cw_buf_bytes(&key->private_key));
	cw_cbor_put_bstr(b, cw_buf_bytes(&key->chain));
	PUT_LIST(cw_card_extension, key->extensions, put_extension);
}

static void
put_group(struct cw_buf *b, const struct cw_card_group *group)
{
	cw_cbor_put_array(b, 3);
	cw_cbor_put_uint(b, group->group);
	put_fixed(b, group->pin.value, group->pin.len);
	cw_cbor_put_uint(b, group->pin.tries);
}

static void
put_policy(struct cw_buf *b, const struct cw_card_policy *policy)
{
	cw_cbor_put_array(b, 8);
	put_fixed(b, policy->owner, sizeof(policy->owner));
	cw_cbor_put_uint(b, policy->id);
	cw_pin_rule_put(b, &policy->rule);
	cw_cbor_put_bool(b, policy->issuer_set);
	cw_cbor_put_bool(b, policy->modifiable);
	cw_cbor_put_uint(b, (uint64_t)policy->grouping);
	cw_cbor_put_uint(b, policy->puk);
	PUT_LIST(cw_card_group, policy->groups, put_group);
}

static void
put_puk(struct cw_buf *b, const struct cw_card_puk *puk)
{
	cw_cbor_put_array(b, 4);
	put_fixed(b, puk->owner, sizeof(puk->owner));
	cw_cbor_put_uint(b, puk->id);
	cw_pin_rule_put(b, &puk->rule);
	put_pin(b, &puk->pin);
}

static void
put_objects(struct cw_buf *b, const struct cw_card_objects *objects)
{
	cw_cbor_put_array(b, 3);
	PUT_LIST(cw_card_key, objects->keys, put_key);
	PUT_LIST(cw_card_policy, objects->policies, put_policy);
	PUT_LIST(cw_card_puk, objects->puks, put_puk);
}

static void
put_record(struct cw_buf *b, const struct cw_card_record *record)
{
	cw_cbor_put_array(b, 2);
	put_fixed(b, record->command_hash, CW_HASH_BYTES);
	cw_cbor_put_bstr(b, cw_buf_bytes(&record->reply));
}

static void
put_post(struct cw_buf *b, const struct cw_card_post *post)
{
	cw_cbor_put_array(b, 3);
	cw_cbor_put_uint(b, (uint64_t)post->no);
	cw_cbor_put_uint(b, post->id);
	cw_cbor_put_uint(b, post->target);
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
	cw_cbor_put_array(b, 20);
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
	cw_cbor_put_uint(b, session->n_complete);
	PUT_LIST(cw_card_record, session->records, put_record);
	put_channel(b, session);
	put_objects(b, &session->objects);
	put_pin(b, &session->pin);
	put_pin(b, &session->puk);
	PUT_LIST(cw_card_post, session->posts, put_post);
	cw_cbor_put_array(b, session->n_former);
	for (size_t i = 0; i < session->n_former; i++)
		put_fixed(b, session->former[i], CW_HASH_BYTES);
	cw_cbor_put_uint(b, session->epoch);
}

static void
put_counters(struct cw_buf *b, const struct cw_card_state *state)
{
	cw_cbor_put_array(b, state->n_counters);
	for (size_t i = 0; i < state->n_counters; i++) {
		cw_cbor_put_array(b, 2);
		put_fixed(b, state->counters[i].owner, CW_HASH_BYTES);
		cw_cbor_put_uint(b, state->counters[i].value);
	}
}

static void
put_issuers(struct cw_buf *b, const struct cw_card_state *state)
{
	cw_cbor_put_array(b, state->n_issuers);
	for (size_t i = 0; i < state->n_issuers; i++) {
		cw_cbor_put_array(b, 3);
		put_fixed(b, state->issuers[i].key, CW_HASH_BYTES);
		put_fixed(b, state->issuers[i].successor, CW_HASH_BYTES);
		cw_cbor_put_uint(b, state->issuers[i].epoch);
	}
}

void
cw_card_state_encode(const struct cw_card_state *state, struct cw_buf *b)
{
	cw_cbor_put_array(b, 10);
	cw_cbor_put_uint(b, CW_CARD_STATE_VERSION);
	cw_cbor_put_bstr(b, cw_buf_bytes(&state->personalisation));
	put_fixed(b, state->guid, sizeof(state->guid));
	put_pin(b, &state->pin);
	put_pin(b, &state->puk);
	put_counters(b, state);
	cw_cbor_put_uint(b, state->next_handle);
	put_issuers(b, state);
	put_objects(b, &state->objects);
	PUT_LIST(cw_card_session, state->sessions, put_session);
}
