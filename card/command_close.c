/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLOSE: is everything complete, does it still fit what others committed
 * meanwhile, then the result statement; and what the session made becomes the
 * card's.
 */
#include <stdlib.h>

#include "card/command.h"

/* ---- is everything complete? ---- */

static enum cw_err
check_id(const struct cw_card_job *job, uint32_t id)
{
	return cw_card_has_id(&job->card->state->objects, job->session, id) ?
	    CW_ERR_DUPLICATE_ID :
	    CW_OK;
}

/* The first certificate of what SET_CERTIFICATES stored. */
static struct cw_bytes
leaf(const struct cw_card_key *key)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, cw_buf_bytes(&key->chain));
	cw_cbor_array(&r, 1, CW_CHAIN_MAX);
	return cw_cbor_bstr(&r, 1, CW_CERT_MAX_BYTES);
}

static bool
shares_leaf(const struct cw_card_job *job, const struct cw_card_key *key,
    const struct cw_card_key *others)
{
	for (; others != NULL; others = others->next)
		if (others != key && others->chain.len > 0 &&
		    cw_card_is_mine(job->session, others->owner) &&
		    !cw_card_is_leaving(job->session, others) &&
		    cw_bytes_equal(leaf(key), leaf(others)))
			return true;
	return false;
}

/* The PIN that the key was made for. The holder, or another session, may have
 * deleted the last of the older keys that had it: it went with that key. */
static bool
has_pin(const struct cw_card_job *job, const struct cw_card_key *key)
{
	const struct cw_card_session *session = job->session;
	uint32_t id = key->attributes.pin_policy;
	const struct cw_card_policy *policy =
	    cw_card_find_policy(&session->objects, session, id);

	if (policy == NULL)
		policy = cw_card_find_policy(&job->card->state->objects,
		    session, id);
	return policy != NULL && cw_card_find_group(policy, key->group) != NULL;
}

static enum cw_err
check_key(const struct cw_card_job *job, const struct cw_card_key *key)
{
	const struct cw_card_objects *others = &job->card->state->objects;
	const struct cw_card_session *session = job->session;
	uint8_t slot = key->attributes.slot;
	const struct cw_card_key *there = cw_card_find_slot(others, slot);

	/* Another session may have committed since CREATE_KEY. */
	if (there != NULL && !cw_card_is_leaving(session, there))
		return CW_ERR_SLOT_OCCUPIED;
	if (key->attributes.pin_policy != 0 && !has_pin(job, key))
		return CW_ERR_UNKNOWN_ID;
	if (key->attributes.type == CW_KEY_SECRET)
		return check_id(job, key->id);
	if (key->chain.len == 0)
		return CW_ERR_INCOMPLETE;
	if (shares_leaf(job, key, others->keys) ||
	    shares_leaf(job, key, session->objects.keys))
		return CW_ERR_DUPLICATE_CERTIFICATE;
	return check_id(job, key->id);
}

static bool
has_key(const struct cw_card_objects *objects, uint32_t policy)
{
	const struct cw_card_key *key;

	for (key = objects->keys; key != NULL; key = key->next)
		if (key->attributes.pin_policy == policy)
			return true;
	return false;
}

static bool
has_policy(const struct cw_card_objects *objects, uint32_t puk)
{
	const struct cw_card_policy *policy;

	for (policy = objects->policies; policy != NULL; policy = policy->next)
		if (policy->puk == puk)
			return true;
	return false;
}

/* A PIN needs a key, and a PUK a PIN; the PUK that a new PIN names must still
 * be there. */
static enum cw_err
check_policies(const struct cw_card_job *job)
{
	const struct cw_card_session *session = job->session;
	const struct cw_card_objects *mine = &session->objects;
	const struct cw_card_policy *policy;
	const struct cw_card_puk *puk;
	enum cw_err err = CW_OK;

	for (policy = mine->policies; policy != NULL && err == CW_OK;
	     policy = policy->next) {
		if (!has_key(mine, policy->id))
			return CW_ERR_BAD_POLICY;
		if (policy->puk != 0 &&
		    cw_card_find_puk(mine, session, policy->puk) == NULL &&
		    cw_card_find_puk(&job->card->state->objects, session,
			policy->puk) == NULL)
			return CW_ERR_UNKNOWN_ID;
		err = check_id(job, policy->id);
	}
	for (puk = mine->puks; puk != NULL && err == CW_OK; puk = puk->next)
		err = has_policy(mine, puk->id) ? check_id(job, puk->id) :
						  CW_ERR_BAD_POLICY;
	return err;
}

static enum cw_err
check(const struct cw_card_job *job)
{
	const struct cw_card_key *key = job->session->objects.keys;
	const struct cw_card_post *post = job->session->posts;
	enum cw_err err = cw_card_check_rollover(job->card, job->session);

	for (; key != NULL && err == CW_OK; key = key->next)
		err = check_key(job, key);
	if (err == CW_OK)
		err = check_policies(job);
	for (; post != NULL && err == CW_OK; post = post->next) {
		const struct cw_on_key c = { post->id, post->target };

		err = cw_card_check_post(job, post->no, &c);
	}
	return err;
}

/* ---- the result ---- */

static void
add_item(struct cw_result_statement *s, uint32_t id, enum cw_done done,
    struct cw_bytes hashed)
{
	struct cw_result_item *item = &s->items[s->n_items++];

	item->object_id = id;
	item->done = done;
	cw_hash(hashed, item->hash);
}

static void
add_rule(struct cw_result_statement *s, uint32_t id, enum cw_done done,
    const struct cw_pin_rule *rule)
{
	struct cw_buf b;

	cw_buf_init(&b, 64);
	cw_pin_rule_put(&b, rule);
	add_item(s, id, done, cw_buf_bytes(&b));
	cw_buf_wipe(&b);
}

/* What was made here, what was brought in; of a secret only what it is for. */
static void
add_key(struct cw_result_statement *s, const struct cw_card_key *key)
{
	const struct cw_card_extension *extension = key->extensions;
	struct cw_buf b;

	cw_buf_init(&b, CW_REQUEST_MAX);
	cw_attributes_put(&b, &key->attributes);
	add_item(s, key->id,
	    key->attributes.origin == CW_ORIGIN_CARD ? CW_DONE_KEY :
						       CW_DONE_IMPORTED,
	    key->chain.len > 0 ? cw_buf_bytes(&key->chain) : cw_buf_bytes(&b));
	cw_buf_wipe(&b);
	for (; extension != NULL; extension = extension->next)
		add_item(s, key->id, CW_DONE_EXTENSION,
		    cw_buf_bytes(&extension->data));
}

/* The hash is of the certificates of the key that is there afterwards, or of
 * those of the one that goes. */
static void
add_post(const struct cw_card_job *job, struct cw_result_statement *s,
    const struct cw_card_post *post)
{
	static const enum cw_done done[] = {
		[CW_DELETE_KEY] = CW_DONE_DELETED,
		[CW_UNLOCK_KEY] = CW_DONE_UNLOCKED,
		[CW_UPDATE_KEY] = CW_DONE_UPDATED,
		[CW_CLONE_KEY_PROTECTION] = CW_DONE_CLONED,
	};
	const struct cw_card_key *key = post->id != 0 ?
	    cw_card_find_key(&job->session->objects, job->session, post->id) :
	    cw_card_find_key(&job->card->state->objects, job->session,
		post->target);

	if (key != NULL)
		add_item(s, post->target, done[post->no],
		    cw_buf_bytes(&key->chain));
}

static void
add_items(const struct cw_card_job *job, struct cw_result_statement *s)
{
	const struct cw_card_objects *objects = &job->session->objects;
	const struct cw_card_policy *policy = objects->policies;
	const struct cw_card_post *post = job->session->posts;
	const struct cw_card_puk *puk = objects->puks;
	const struct cw_card_key *key = objects->keys;

	for (; puk != NULL; puk = puk->next)
		add_rule(s, puk->id, CW_DONE_PUK_POLICY, &puk->rule);
	for (; policy != NULL; policy = policy->next)
		add_rule(s, policy->id, CW_DONE_PIN_POLICY, &policy->rule);
	for (; key != NULL; key = key->next)
		add_key(s, key);
	for (; post != NULL; post = post->next)
		add_post(job, s, post);
}

/* The highest that the issuer has seen: its keys', older ones too. */
static uint64_t
highest(const struct cw_card_state *state,
    const struct cw_card_session *session)
{
	uint64_t value = 0;

	for (size_t i = 0; i < state->n_counters; i++)
		if (cw_card_is_mine(session, state->counters[i].owner) &&
		    state->counters[i].value > value)
			value = state->counters[i].value;
	return value;
}

/* Where the highest value is kept of all counters that made room: no key's hash. */
static void
name_floor(uint8_t owner[CW_HASH_BYTES])
{
	memset(owner, 0xff, CW_HASH_BYTES);
}

static struct cw_card_counter *
find_floor(struct cw_card_state *state)
{
	uint8_t name[CW_HASH_BYTES];

	name_floor(name);
	for (size_t i = 0; i < state->n_counters; i++)
		if (memcmp(state->counters[i].owner, name, CW_HASH_BYTES) == 0)
			return &state->counters[i];
	return NULL;
}

static bool
may_make_room(const struct cw_card_session *session,
    const struct cw_card_counter *counter)
{
	uint8_t floor[CW_HASH_BYTES], whole_card[CW_HASH_BYTES] = { 0 };

	name_floor(floor);
	return memcmp(counter->owner, whole_card, CW_HASH_BYTES) != 0 &&
	    memcmp(counter->owner, floor, CW_HASH_BYTES) != 0 &&
	    !cw_card_is_mine(session, counter->owner);
}

/*
 * Anybody can play an issuer: a full table must not lock all others out for ever.
 * The oldest entry goes, and from then on every new one begins above what it was,
 * so that no issuer ever sees its counter fall.
 */
static void
forget_oldest(struct cw_card_state *state,
    const struct cw_card_session *session)
{
	struct cw_card_counter *floor, gone;
	size_t i = 0;

	while (!may_make_room(session, &state->counters[i]))
		i++;
	gone = state->counters[i];
	state->n_counters--;
	memmove(&state->counters[i], &state->counters[i + 1],
	    (state->n_counters - i) * sizeof(gone));
	floor = find_floor(state);
	if (floor == NULL) {
		floor = &state->counters[state->n_counters++];
		name_floor(floor->owner);
		floor->value = 0;
	}
	if (gone.value > floor->value)
		floor->value = gone.value;
}

static struct cw_card_counter *
new_counter(struct cw_card_state *state, const struct cw_card_session *session,
    const uint8_t owner[CW_HASH_BYTES])
{
	const struct cw_card_counter *floor;
	struct cw_card_counter *counter;

	while (state->n_counters == CW_CARD_COUNTERS_MAX)
		forget_oldest(state, session);
	floor = find_floor(state);
	counter = &state->counters[state->n_counters++];
	memcpy(counter->owner, owner, CW_HASH_BYTES);
	counter->value = floor != NULL ? floor->value : 0;
	return counter;
}

/*
 * docs/protocol.md "Privacy": one counter for the card in mode 1 (kept under
 * the owner 0), one for each management key in mode 2, which goes on at its
 * predecessors'.
 */
static uint64_t
count(struct cw_card_state *state, const struct cw_card_session *session)
{
	static const uint8_t whole_card[CW_HASH_BYTES];
	bool of_card = session->mode == CW_MODE_IDENTIFIED;
	struct cw_card_counter *counter;
	size_t i = 0;

	while (i < state->n_counters &&
	    (of_card ? memcmp(state->counters[i].owner, whole_card,
			   CW_HASH_BYTES) != 0 :
		       !cw_card_is_mine(session, state->counters[i].owner)))
		i++;
	counter = i < state->n_counters ?
	    &state->counters[i] :
	    new_counter(state, session, of_card ? whole_card : session->owner);
	if (!of_card)
		counter->value = highest(state, session);
	return ++counter->value;
}

static enum cw_err
make_result(struct cw_card_job *job, const struct cw_close *c,
    struct cw_result_statement *s, struct cw_buf *out)
{
	const struct cw_card_session *session = job->session;
	const struct cw_card_attestor *a =
	    cw_card_attestor(job->card, session->mode);

	memcpy(s->th, session->channel.th, sizeof(s->th));
	cw_channel_h_end(&session->channel, job->bytes, s->h_end);
	memcpy(s->close_nonce, c->nonce, sizeof(s->close_nonce));
	s->has_counter = session->mode != CW_MODE_ANONYMOUS;
	if (s->has_counter)
		s->counter = count(job->card->state, session);
	add_items(job, s);
	job->card->operations.signatures++;
	return cw_result_statement_make(s, a->key, out);
}

enum cw_err
cw_card_do_close(struct cw_card_job *job, const struct cw_command *command)
{
	struct cw_reply reply = { .err = CW_OK };
	struct cw_result_statement *s;
	struct cw_buf statement;
	enum cw_err err = check(job);

	if (err != CW_OK)
		return err;
	s = calloc(1, sizeof(*s));
	if (s == NULL)
		return CW_ERR_NO_MEMORY;
	cw_buf_init(&statement, CW_COMMAND_MAX);
	err = make_result(job, &command->u.close, s, &statement);
	if (err == CW_OK) {
		reply.statement = cw_buf_bytes(&statement);
		cw_reply_encode(CW_CLOSE, &reply, job->plain);
		job->closes = true;
	}
	cw_buf_wipe(&statement);
	free(s);
	return err;
}

void
cw_card_take_effect(struct cw_card *card, struct cw_card_session *session)
{
	struct cw_card_state *state = card->state;
	struct cw_card_objects *mine = &session->objects;
	struct cw_card_key *key;
	bool has_slot = false;

	cw_card_apply_posts(card, session);
	for (key = mine->keys; key != NULL; key = key->next) {
		has_slot |= key->attributes.slot != 0;
		if (key->handle == 0)
			key->handle = state->next_handle++;
	}
	cw_card_keys_append(&state->objects.keys, mine->keys);
	cw_card_policies_append(&state->objects.policies, mine->policies);
	cw_card_puks_append(&state->objects.puks, mine->puks);
	*mine = (struct cw_card_objects){ NULL, NULL, NULL };
	cw_card_roll_over(card, session);
	cw_card_sweep(&state->objects);
	/* If another session was first, its holder's PIN stays. One that no
	 * key asked for is nobody's: any program can say SET PIN. */
	if (has_slot && cw_card_pin_is_set(&session->pin) &&
	    !cw_card_pin_is_set(&state->pin)) {
		state->pin = session->pin;
		state->puk = session->puk;
	}
}
