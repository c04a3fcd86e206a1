/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Roll-over of an issuer's management key (docs/protocol.md "Roll-over"): what
 * R's chain of endorsements may claim, and what a commit makes of it.
 */
#include "card/command.h"
#include "proto/endorsement.h"

static const uint8_t nobody[CW_HASH_BYTES];

static struct cw_card_issuer *
find(struct cw_card_state *state, const uint8_t key[CW_HASH_BYTES])
{
	for (size_t i = 0; i < state->n_issuers; i++)
		if (memcmp(state->issuers[i].key, key, CW_HASH_BYTES) == 0)
			return &state->issuers[i];
	return NULL;
}

static bool
is_replaced(const struct cw_card_issuer *issuer)
{
	return memcmp(issuer->successor, nobody, CW_HASH_BYTES) != 0;
}

/* The key that follows former key i. */
static const uint8_t *
next(const struct cw_card_session *session, size_t i)
{
	return i + 1 < session->n_former ? session->former[i + 1] :
					   session->owner;
}

/*
 * A key that was replaced on this card leads to its successor and to nobody
 * else, and the epoch of a key that is known here only rises.
 */
static enum cw_err
check_known(struct cw_card_state *state, const struct cw_endorsements *chain,
    const struct cw_card_session *session)
{
	const struct cw_card_issuer *issuer = find(state, session->owner);

	if (issuer != NULL && is_replaced(issuer))
		return CW_ERR_OLD_MANAGEMENT_KEY;
	for (size_t i = 0; i < session->n_former; i++) {
		issuer = find(state, session->former[i]);
		if (issuer == NULL)
			continue;
		if (is_replaced(issuer) &&
		    memcmp(issuer->successor, next(session, i),
			CW_HASH_BYTES) != 0)
			return CW_ERR_OLD_MANAGEMENT_KEY;
		if (!is_replaced(issuer) &&
		    chain->chain[i].epoch <= issuer->epoch)
			return CW_ERR_BAD_ENDORSEMENT;
	}
	return CW_OK;
}

enum cw_err
cw_card_take_chain(struct cw_card *card, const struct cw_request *q,
    struct cw_card_session *session)
{
	struct cw_endorsements chain;
	enum cw_err err = cw_endorsements_verify(q, &chain);

	card->operations.verifications += (unsigned)q->n_endorsements;
	if (err != CW_OK)
		return cw_err_category(err) == CW_CAT_INTERNAL ||
			err == CW_ERR_NO_MEMORY ?
		    err :
		    CW_ERR_BAD_ENDORSEMENT;
	cw_cose_key_hash(&q->management_key, session->owner);
	session->n_former = chain.n;
	for (size_t i = 0; i < chain.n; i++)
		memcpy(session->former[i], chain.chain[i].from, CW_HASH_BYTES);
	if (chain.n > 0)
		session->epoch = chain.chain[chain.n - 1].epoch;
	return check_known(card->state, &chain, session);
}

const uint8_t *
cw_card_oldest_owner(const struct cw_card_session *session)
{
	return session->n_former > 0 ? session->former[0] : session->owner;
}

/* ---- at CLOSE ---- */

static bool
owns_objects(const struct cw_card_objects *objects,
    const uint8_t owner[CW_HASH_BYTES])
{
	const struct cw_card_policy *policy = objects->policies;
	const struct cw_card_key *key = objects->keys;
	const struct cw_card_puk *puk = objects->puks;

	while (key != NULL && memcmp(key->owner, owner, CW_HASH_BYTES) != 0)
		key = key->next;
	while (
	    policy != NULL && memcmp(policy->owner, owner, CW_HASH_BYTES) != 0)
		policy = policy->next;
	while (puk != NULL && memcmp(puk->owner, owner, CW_HASH_BYTES) != 0)
		puk = puk->next;
	return key != NULL || policy != NULL || puk != NULL;
}

static bool
is_in_session(const struct cw_card_state *state,
    const uint8_t key[CW_HASH_BYTES])
{
	const struct cw_card_session *s = state->sessions;

	while (s != NULL &&
	    (s->state != CW_SESSION_OPEN || !cw_card_is_mine(s, key)))
		s = s->next;
	return s != NULL;
}

/* The key, or one that followed it, has something on the card, or is about to. */
static bool
is_needed(struct cw_card_state *state, const struct cw_card_session *session,
    const struct cw_card_issuer *issuer)
{
	const uint8_t *key = issuer->key;

	for (size_t i = 0; i < state->n_issuers; i++) {
		if (cw_card_is_mine(session, key) ||
		    owns_objects(&state->objects, key) ||
		    is_in_session(state, key))
			return true;
		if (issuer == NULL || !is_replaced(issuer))
			return false;
		key = issuer->successor;
		issuer = find(state, key);
	}
	return true;
}

static size_t
count_new(struct cw_card_state *state, const struct cw_card_session *session)
{
	size_t more = find(state, session->owner) == NULL;

	for (size_t i = 0; i < session->n_former; i++)
		more += find(state, session->former[i]) == NULL;
	return more;
}

static bool
has_room(struct cw_card_state *state, const struct cw_card_session *session)
{
	size_t needed = 0;

	for (size_t i = 0; i < state->n_issuers; i++)
		needed += is_needed(state, session, &state->issuers[i]);
	return needed + count_new(state, session) <= CW_CARD_ISSUERS_MAX;
}

/*
 * Anybody can play an issuer, and roll over: what such a one leaves behind must not
 * keep all others from it for ever. Who has nothing on the card has nothing to lose
 * by an older key: the oldest of these are forgotten, as many as are in the way.
 */
static void
make_room(struct cw_card_state *state, const struct cw_card_session *session)
{
	size_t more = count_new(state, session);
	size_t i = 0;

	while (i < state->n_issuers &&
	    state->n_issuers + more > CW_CARD_ISSUERS_MAX) {
		if (is_needed(state, session, &state->issuers[i])) {
			i++;
			continue;
		}
		state->n_issuers--;
		memmove(&state->issuers[i], &state->issuers[i + 1],
		    (state->n_issuers - i) * sizeof(state->issuers[0]));
	}
}

/* Objects of two keys become one key's: ids must differ, whatever they are of,
 * and there must be room to remember who follows whom. */
enum cw_err
cw_card_check_rollover(const struct cw_card *card,
    const struct cw_card_session *session)
{
	const struct cw_card_objects *objects = &card->state->objects;
	const struct cw_card_policy *policy = objects->policies;
	const struct cw_card_key *key = objects->keys;
	const struct cw_card_puk *puk = objects->puks;

	if (session->n_former == 0)
		return CW_OK;
	if (!has_room(card->state, session))
		return CW_ERR_CARD_FULL;
	for (; key != NULL; key = key->next)
		if (cw_card_is_mine(session, key->owner) &&
		    (cw_card_find_key(objects, session, key->id) != key ||
			cw_card_find_policy(objects, session, key->id) !=
			    NULL ||
			cw_card_find_puk(objects, session, key->id) != NULL))
			return CW_ERR_DUPLICATE_ID;
	for (; policy != NULL; policy = policy->next)
		if (cw_card_is_mine(session, policy->owner) &&
		    (cw_card_find_policy(objects, session, policy->id) !=
			    policy ||
			cw_card_find_puk(objects, session, policy->id) != NULL))
			return CW_ERR_DUPLICATE_ID;
	for (; puk != NULL; puk = puk->next)
		if (cw_card_is_mine(session, puk->owner) &&
		    cw_card_find_puk(objects, session, puk->id) != puk)
			return CW_ERR_DUPLICATE_ID;
	return CW_OK;
}

static void
move(const struct cw_card_session *session, uint8_t owner[CW_HASH_BYTES])
{
	if (cw_card_is_mine(session, owner))
		memcpy(owner, session->owner, CW_HASH_BYTES);
}

/* One counter instead of those of all keys. It goes on at the highest, whatever
 * the mode of this session, which may have counted nothing for the new key. */
static void
merge_counters(struct cw_card_state *state,
    const struct cw_card_session *session)
{
	struct cw_card_counter *own = NULL;
	uint64_t highest = 0;
	size_t n = 0;

	for (size_t i = 0; i < state->n_counters; i++) {
		const struct cw_card_counter counter = state->counters[i];

		if (!cw_card_is_mine(session, counter.owner)) {
			state->counters[n++] = counter;
			continue;
		}
		if (own == NULL)
			own = &state->counters[n++];
		if (counter.value > highest)
			highest = counter.value;
	}
	if (own != NULL) {
		memcpy(own->owner, session->owner, CW_HASH_BYTES);
		own->value = highest;
	}
	state->n_counters = n;
}

static void
remember(struct cw_card_state *state, const uint8_t key[CW_HASH_BYTES],
    const uint8_t successor[CW_HASH_BYTES], uint32_t epoch)
{
	struct cw_card_issuer *issuer = find(state, key);

	if (issuer == NULL) {
		issuer = &state->issuers[state->n_issuers++];
		issuer->epoch = 0;
	}
	memcpy(issuer->key, key, CW_HASH_BYTES);
	memcpy(issuer->successor, successor, CW_HASH_BYTES);
	if (epoch > issuer->epoch)
		issuer->epoch = epoch;
}

/*
 * What check_known would say of the session now. A link to the present key is
 * judged by an epoch that the session no longer has: it counts as outdated,
 * and its issuer begins again.
 */
static bool
is_outdated(struct cw_card_state *state, const struct cw_card_session *session,
    const uint8_t present[CW_HASH_BYTES])
{
	const struct cw_card_issuer *issuer = find(state, session->owner);

	if (issuer != NULL && is_replaced(issuer))
		return true;
	for (size_t i = 0; i < session->n_former; i++) {
		issuer = find(state, session->former[i]);
		if (memcmp(session->former[i], present, CW_HASH_BYTES) == 0)
			return true;
		if (issuer != NULL && is_replaced(issuer) &&
		    memcmp(issuer->successor, next(session, i),
			CW_HASH_BYTES) != 0)
			return true;
	}
	return false;
}

/* Sessions that were opened before the roll-over, and could not be now. */
static void
drop_outdated(struct cw_card *card, const struct cw_card_session *session)
{
	struct cw_card_session *s = card->state->sessions, *after;

	for (; s != NULL; s = after) {
		after = s->next;
		if (s != session && s->state == CW_SESSION_OPEN &&
		    is_outdated(card->state, s, session->owner))
			cw_card_session_drop(card, s);
	}
}

void
cw_card_roll_over(struct cw_card *card, const struct cw_card_session *session)
{
	struct cw_card_state *state = card->state;
	struct cw_card_policy *policy = state->objects.policies;
	struct cw_card_key *key = state->objects.keys;
	struct cw_card_puk *puk = state->objects.puks;

	if (session->n_former == 0)
		return;
	for (; key != NULL; key = key->next)
		move(session, key->owner);
	for (; policy != NULL; policy = policy->next)
		move(session, policy->owner);
	for (; puk != NULL; puk = puk->next)
		move(session, puk->owner);
	merge_counters(state, session);
	make_room(state, session);
	for (size_t i = 0; i < session->n_former; i++)
		remember(state, session->former[i], next(session, i),
		    session->epoch);
	remember(state, session->owner, nobody, session->epoch);
	drop_outdated(card, session);
}
