/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state from its CBOR item (card/state_write.c has the form), and from
 * that of version 1, which had fewer fields: what it lacks gets the meaning
 * that it had then.
 */
#include "card/state.h"

#include "proto/scope.h"
#include "proto/text.h"

/* Beyond the last command that R allows there is one error reply. */
#define RECORDS_MAX (CW_COMMANDS_MAX + 1)

/*
 * Reads an array into a list, in the order in which it stands there. What was
 * read of a broken item is in the list too, and is freed with it.
 */
#define GET_LIST(type, list, max, get)                                    \
	do {                                                              \
		struct type **get_list_at = (list);                       \
		size_t get_list_n = cw_cbor_array(r, 0, (max));           \
                                                                          \
		for (; get_list_n > 0 && r->err == CW_OK; get_list_n--) { \
			*get_list_at = type##_new();                      \
			if (*get_list_at == NULL) {                       \
				cw_cbor_fail(r, CW_ERR_NO_MEMORY);        \
				break;                                    \
			}                                                 \
			get(r, version, *get_list_at);                    \
			get_list_at = &(*get_list_at)->next;              \
		}                                                         \
		cw_cbor_array_end(r);                                     \
	} while (0)

static void
get_buf(struct cw_cbor_reader *r, struct cw_buf *b)
{
	cw_buf_put(b, cw_cbor_bstr(r, 0, b->max));
	if (b->err != CW_OK)
		cw_cbor_fail(r, b->err);
}

/* Value and tries, in whatever array they stand. */
static void
get_pin_items(struct cw_cbor_reader *r, struct cw_card_pin *pin)
{
	struct cw_bytes value = cw_cbor_bstr(r, 0, sizeof(pin->value));

	if (value.len > 0)
		memcpy(pin->value, value.ptr, value.len);
	pin->len = (uint8_t)value.len;
	pin->tries = (uint8_t)cw_cbor_uint(r, 0, 15);
}

static void
get_pin(struct cw_cbor_reader *r, struct cw_card_pin *pin)
{
	cw_cbor_array(r, 2, 2);
	get_pin_items(r, pin);
	cw_cbor_array_end(r);
}

/* The form of version 1: no handle (it gets one below), group or rules. */
static void
get_key_1(struct cw_cbor_reader *r, struct cw_card_key *key)
{
	cw_cbor_array(r, 12, 12);
	cw_cbor_bstr_into(r, key->owner, sizeof(key->owner));
	key->id = cw_cbor_u32(r, 1, UINT32_MAX);
	key->attributes.type = cw_cbor_u32(r, 1, 6);
	key->attributes.usage = cw_cbor_u32(r, 1, CW_USAGE_PAIR);
	key->attributes.origin = cw_cbor_u32(r, 1, 2);
	key->attributes.exportable = cw_cbor_bool(r);
	key->attributes.pin_policy = cw_cbor_u32(r, 0, UINT32_MAX);
	key->attributes.slot = (uint8_t)cw_cbor_uint(r, 0, 0xFF);
	cw_cose_key_get(r, &key->public_key);
	get_buf(r, &key->name);
	/* What is written anew must be readable. */
	if (r->err == CW_OK &&
	    ((key->attributes.slot != 0 &&
		 !cw_slot_is_valid(key->attributes.slot)) ||
		!cw_text_is_displayable(cw_buf_bytes(&key->name))))
		cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
	key->attributes.name = cw_buf_bytes(&key->name);
	get_buf(r, &key->private_key);
	get_buf(r, &key->chain);
	cw_cbor_array_end(r);
}

static void
get_extension(struct cw_cbor_reader *r, unsigned version,
    struct cw_card_extension *extension)
{
	(void)version;
	cw_cbor_array(r, 4, 4);
	extension->kind = cw_cbor_u32(r, 1, CW_EXTENSION_LOGOTYPE);
	get_buf(r, &extension->type);
	get_buf(r, &extension->media_type);
	get_buf(r, &extension->data);
	cw_cbor_array_end(r);
}

static void
get_key_2(struct cw_cbor_reader *r, unsigned version, struct cw_card_key *key)
{
	cw_cbor_array(r, 10, 10);
	cw_cbor_bstr_into(r, key->owner, sizeof(key->owner));
	key->id = cw_cbor_u32(r, 1, UINT32_MAX);
	key->handle = cw_cbor_u32(r, 0, UINT32_MAX);
	key->group = cw_cbor_u32(r, 0, UINT32_MAX);
	key->exported = cw_cbor_bool(r);
	cw_attributes_get(r, &key->attributes);
	cw_buf_put(&key->name, key->attributes.name);
	if (key->name.err != CW_OK)
		cw_cbor_fail(r, key->name.err);
	key->attributes.name = cw_buf_bytes(&key->name);
	if (key->attributes.type != CW_KEY_SECRET)
		cw_cose_key_get(r, &key->public_key);
	else if (!cw_cbor_is_null(r))
		cw_cbor_fail(r, CW_ERR_WRONG_TYPE);
	get_buf(r, &key->private_key);
	get_buf(r, &key->chain);
	GET_LIST(cw_card_extension, &key->extensions, CW_EXTENSIONS_MAX,
	    get_extension);
	cw_cbor_array_end(r);
}

static void
get_key(struct cw_cbor_reader *r, unsigned version, struct cw_card_key *key)
{
	if (version == 1)
		get_key_1(r, key);
	else
		get_key_2(r, version, key);
}

static void
get_group(struct cw_cbor_reader *r, unsigned version,
    struct cw_card_group *group)
{
	(void)version;
	cw_cbor_array(r, 3, 3);
	group->group = cw_cbor_u32(r, 0, UINT32_MAX);
	get_pin_items(r, &group->pin);
	cw_cbor_array_end(r);
}

/* The form of version 1: one PIN for all keys. */
static void
get_only_group(struct cw_cbor_reader *r, struct cw_card_policy *policy)
{
	policy->grouping = CW_PIN_SHARED;
	policy->groups = cw_card_group_new();
	if (policy->groups == NULL)
		cw_cbor_fail(r, CW_ERR_NO_MEMORY);
	else
		get_pin(r, &policy->groups->pin);
}

static void
get_policy(struct cw_cbor_reader *r, unsigned version,
    struct cw_card_policy *policy)
{
	size_t fields = version == 1 ? 6 : 8;

	cw_cbor_array(r, fields, fields);
	cw_cbor_bstr_into(r, policy->owner, sizeof(policy->owner));
	policy->id = cw_cbor_u32(r, 1, UINT32_MAX);
	cw_pin_rule_get(r, &policy->rule);
	policy->issuer_set = cw_cbor_bool(r);
	policy->modifiable = cw_cbor_bool(r);
	if (version == 1) {
		get_only_group(r, policy);
	} else {
		policy->grouping = cw_cbor_u32(r, 1, CW_PIN_UNIQUE);
		policy->puk = cw_cbor_u32(r, 0, UINT32_MAX);
		GET_LIST(cw_card_group, &policy->groups, CW_CARD_GROUPS_MAX,
		    get_group);
	}
	cw_cbor_array_end(r);
}

static void
get_puk(struct cw_cbor_reader *r, unsigned version, struct cw_card_puk *puk)
{
	(void)version;
	cw_cbor_array(r, 4, 4);
	cw_cbor_bstr_into(r, puk->owner, sizeof(puk->owner));
	puk->id = cw_cbor_u32(r, 1, UINT32_MAX);
	cw_pin_rule_get(r, &puk->rule);
	get_pin(r, &puk->pin);
	cw_cbor_array_end(r);
}

static void
get_objects(struct cw_cbor_reader *r, unsigned version,
    struct cw_card_objects *objects)
{
	size_t fields = version == 1 ? 2 : 3;

	cw_cbor_array(r, fields, fields);
	GET_LIST(cw_card_key, &objects->keys, CW_CARD_KEYS_MAX, get_key);
	GET_LIST(cw_card_policy, &objects->policies, CW_CARD_POLICIES_MAX,
	    get_policy);
	if (version != 1)
		GET_LIST(cw_card_puk, &objects->puks, CW_CARD_PUKS_MAX,
		    get_puk);
	cw_cbor_array_end(r);
}

static void
get_record(struct cw_cbor_reader *r, unsigned version,
    struct cw_card_record *record)
{
	(void)version;
	cw_cbor_array(r, 2, 2);
	cw_cbor_bstr_into(r, record->command_hash, CW_HASH_BYTES);
	get_buf(r, &record->reply);
	cw_cbor_array_end(r);
}

static size_t
count_records(const struct cw_card_session *session)
{
	const struct cw_card_record *record = session->records;
	size_t n = 0;

	for (; record != NULL; record = record->next)
		n++;
	return n;
}

static void
get_post(struct cw_cbor_reader *r, unsigned version, struct cw_card_post *post)
{
	(void)version;
	cw_cbor_array(r, 3, 3);
	post->no = cw_cbor_u32(r, CW_DELETE_KEY, CW_CLONE_KEY_PROTECTION);
	post->id = cw_cbor_u32(r, 0, UINT32_MAX);
	post->target = cw_cbor_u32(r, 1, UINT32_MAX);
	cw_cbor_array_end(r);
}

static void
get_management(struct cw_cbor_reader *r, unsigned version,
    struct cw_card_session *session)
{
	GET_LIST(cw_card_post, &session->posts, CW_COMMANDS_MAX, get_post);
	session->n_former = cw_cbor_array(r, 0, CW_ENDORSEMENTS_MAX);
	for (size_t i = 0; i < session->n_former; i++)
		cw_cbor_bstr_into(r, session->former[i], CW_HASH_BYTES);
	cw_cbor_array_end(r);
	session->epoch = cw_cbor_u32(r, 0, UINT32_MAX);
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
get_session(struct cw_cbor_reader *r, unsigned version,
    struct cw_card_session *session)
{
	size_t fields = version == 1 ? 17 : 20;

	cw_cbor_array(r, fields, fields);
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
	session->answered = cw_cbor_u32(r, 0, RECORDS_MAX);
	session->failures = cw_cbor_u32(r, 0, CW_CARD_FAILURES_MAX);
	session->n_complete = (size_t)cw_cbor_uint(r, 0, RECORDS_MAX);
	GET_LIST(cw_card_record, &session->records, RECORDS_MAX, get_record);
	if (count_records(session) < session->n_complete)
		cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
	get_channel(r, session);
	get_objects(r, version, &session->objects);
	get_pin(r, &session->pin);
	get_pin(r, &session->puk);
	if (version != 1)
		get_management(r, version, session);
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

static void
get_issuers(struct cw_cbor_reader *r, struct cw_card_state *state)
{
	state->n_issuers = cw_cbor_array(r, 0, CW_CARD_ISSUERS_MAX);
	for (size_t i = 0; i < state->n_issuers && r->err == CW_OK; i++) {
		struct cw_card_issuer *issuer = &state->issuers[i];

		cw_cbor_array(r, 3, 3);
		cw_cbor_bstr_into(r, issuer->key, CW_HASH_BYTES);
		cw_cbor_bstr_into(r, issuer->successor, CW_HASH_BYTES);
		issuer->epoch = cw_cbor_u32(r, 0, UINT32_MAX);
		cw_cbor_array_end(r);
	}
	cw_cbor_array_end(r);
}

/* What version 1 had not: the holder's names for keys. */
static void
complete(struct cw_cbor_reader *r, struct cw_card_state *state)
{
	struct cw_card_key *key = state->objects.keys;

	for (; key != NULL; key = key->next) {
		if (key->handle != 0)
			continue;
		if (state->next_handle == UINT32_MAX)
			cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
		else
			key->handle = state->next_handle++;
	}
}

static void
get_state(struct cw_cbor_reader *r, struct cw_card_state *state)
{
	size_t fields = cw_cbor_array(r, 8, 10);
	unsigned version = cw_cbor_u32(r, 1, CW_CARD_STATE_VERSION);

	if (r->err == CW_OK && fields != (version == 1 ? 8 : 10))
		cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
	get_buf(r, &state->personalisation);
	cw_cbor_bstr_into(r, state->guid, sizeof(state->guid));
	get_pin(r, &state->pin);
	get_pin(r, &state->puk);
	get_counters(r, state);
	if (version != 1) {
		state->next_handle = cw_cbor_u32(r, 1, UINT32_MAX);
		get_issuers(r, state);
	}
	get_objects(r, version, &state->objects);
	GET_LIST(cw_card_session, &state->sessions, CW_CARD_SESSIONS_MAX,
	    get_session);
	cw_cbor_array_end(r);
	complete(r, state);
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
	get_state(&r, state);
	err = cw_cbor_finish(&r);
	if (err == CW_OK) {
		*out = state;
		return CW_OK;
	}
	cw_card_state_free(&state);
	return err == CW_ERR_NO_MEMORY ? err : CW_ERR_BAD_STATE_FILE;
}
