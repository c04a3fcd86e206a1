/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CLOSE: is everything complete, does it still fit what others committed
 * meanwhile, then the result statement; and what the session made becomes the
 * card's.
 */
#include <stdlib.h>

#include "card/command.h"

static bool
is_used(const struct cw_card_objects *objects, uint32_t policy)
{
	const struct cw_card_key *key;

	for (key = objects->keys; key != NULL; key = key->next)
		if (key->attributes.pin_policy == policy)
			return true;
	return false;
}

static enum cw_err
check(const struct cw_card_job *job)
{
	const struct cw_card_objects *mine = &job->session->objects;
	const struct cw_card_objects *others = &job->card->state->objects;
	const uint8_t *owner = job->session->owner;
	const struct cw_card_policy *policy;
	const struct cw_card_key *key;

	for (key = mine->keys; key != NULL; key = key->next) {
		if (key->chain.len == 0)
			return CW_ERR_INCOMPLETE;
		/* Another session may have committed since CREATE_KEY. */
		if (cw_card_find_slot(others, key->attributes.slot) != NULL)
			return CW_ERR_SLOT_OCCUPIED;
		if (cw_card_find_key(others, owner, key->id) != NULL ||
		    cw_card_find_policy(others, owner, key->id) != NULL)
			return CW_ERR_DUPLICATE_ID;
	}
	for (policy = mine->policies; policy != NULL; policy = policy->next) {
		if (!is_used(mine, policy->id))
			return CW_ERR_BAD_POLICY;
		if (cw_card_find_key(others, owner, policy->id) != NULL ||
		    cw_card_find_policy(others, owner, policy->id) != NULL)
			return CW_ERR_DUPLICATE_ID;
	}
	return CW_OK;
}

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
add_items(const struct cw_card_objects *objects, struct cw_result_statement *s)
{
	const struct cw_card_policy *policy;
	const struct cw_card_key *key;
	struct cw_buf rule;

	cw_buf_init(&rule, 64);
	for (policy = objects->policies; policy != NULL;
	     policy = policy->next) {
		cw_buf_reset(&rule);
		cw_pin_rule_put(&rule, &policy->rule);
		add_item(s, policy->id, CW_DONE_PIN_POLICY,
		    cw_buf_bytes(&rule));
	}
	cw_buf_wipe(&rule);
	for (key = objects->keys; key != NULL; key = key->next)
		add_item(s, key->id, CW_DONE_KEY, cw_buf_bytes(&key->chain));
}

/*
 * docs/protocol.md "Privacy": one counter for the card in mode 1 (kept under
 * the owner 0), one for each management key in mode 2.
 */
static enum cw_err
count(struct cw_card_state *state, const struct cw_card_session *session,
    uint64_t *value)
{
	static const uint8_t whole_card[CW_HASH_BYTES];
	const uint8_t *owner =
	    session->mode == CW_MODE_IDENTIFIED ? whole_card : session->owner;
	size_t i = 0;

	while (i < state->n_counters &&
	    memcmp(state->counters[i].owner, owner, CW_HASH_BYTES) != 0)
		i++;
	if (i == CW_CARD_COUNTERS_MAX)
		return CW_ERR_CARD_FULL;
	if (i == state->n_counters) {
		memcpy(state->counters[i].owner, owner, CW_HASH_BYTES);
		state->counters[i].value = 0;
		state->n_counters++;
	}
	*value = ++state->counters[i].value;
	return CW_OK;
}

static enum cw_err
make_result(struct cw_card_job *job, const struct cw_close *c,
    struct cw_result_statement *s, struct cw_buf *out)
{
	const struct cw_card_session *session = job->session;
	const struct cw_card_attestor *a =
	    cw_card_attestor(job->card, session->mode);
	enum cw_err err;

	memcpy(s->th, session->channel.th, sizeof(s->th));
	cw_channel_h_end(&session->channel, job->bytes, s->h_end);
	memcpy(s->close_nonce, c->nonce, sizeof(s->close_nonce));
	s->has_counter = session->mode != CW_MODE_ANONYMOUS;
	if (s->has_counter) {
		err = count(job->card->state, session, &s->counter);
		if (err != CW_OK)
			return err;
	}
	add_items(&session->objects, s);
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

	cw_card_keys_append(&state->objects.keys, session->objects.keys);
	cw_card_policies_append(&state->objects.policies,
	    session->objects.policies);
	session->objects = (struct cw_card_objects){ NULL, NULL };
	/* If another session was first, its holder's PIN stays. */
	if (cw_card_pin_is_set(&session->pin) &&
	    !cw_card_pin_is_set(&state->pin)) {
		state->pin = session->pin;
		state->puk = session->puk;
	}
}
