/* SPDX-License-Identifier: Apache-2.0 */
/* Keys, policies and PUKs: finding, counting, and what dies with its last
 * user. */
#include "card/inner.h"

bool
cw_card_is_mine(const struct cw_card_session *session,
    const uint8_t owner[CW_HASH_BYTES])
{
	if (memcmp(session->owner, owner, CW_HASH_BYTES) == 0)
		return true;
	for (size_t i = 0; i < session->n_former; i++)
		if (memcmp(session->former[i], owner, CW_HASH_BYTES) == 0)
			return true;
	return false;
}

struct cw_card_key *
cw_card_find_key(const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id)
{
	struct cw_card_key *key;

	for (key = objects->keys; key != NULL; key = key->next)
		if (key->id == id && cw_card_is_mine(session, key->owner))
			return key;
	return NULL;
}

struct cw_card_policy *
cw_card_find_policy(const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id)
{
	struct cw_card_policy *policy;

	for (policy = objects->policies; policy != NULL; policy = policy->next)
		if (policy->id == id && cw_card_is_mine(session, policy->owner))
			return policy;
	return NULL;
}

struct cw_card_puk *
cw_card_find_puk(const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id)
{
	struct cw_card_puk *puk;

	for (puk = objects->puks; puk != NULL; puk = puk->next)
		if (puk->id == id && cw_card_is_mine(session, puk->owner))
			return puk;
	return NULL;
}

bool
cw_card_has_id(const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id)
{
	return cw_card_find_key(objects, session, id) != NULL ||
	    cw_card_find_policy(objects, session, id) != NULL ||
	    cw_card_find_puk(objects, session, id) != NULL;
}

struct cw_card_key *
cw_card_find_slot(const struct cw_card_objects *objects, uint8_t slot)
{
	struct cw_card_key *key;

	for (key = objects->keys; key != NULL; key = key->next)
		if (slot != 0 && key->attributes.slot == slot)
			return key;
	return NULL;
}

struct cw_card_key *
cw_card_find_handle(const struct cw_card *card, uint32_t handle)
{
	struct cw_card_key *key;

	for (key = card->state->objects.keys; key != NULL; key = key->next)
		if (handle != 0 && key->handle == handle)
			return key;
	return NULL;
}

struct cw_card_policy *
cw_card_policy_of(const struct cw_card_objects *objects,
    const struct cw_card_key *key)
{
	struct cw_card_policy *policy;

	for (policy = objects->policies; policy != NULL; policy = policy->next)
		if (policy->id == key->attributes.pin_policy &&
		    memcmp(policy->owner, key->owner, CW_HASH_BYTES) == 0)
			return policy;
	return NULL;
}

struct cw_card_puk *
cw_card_puk_of(const struct cw_card_objects *objects,
    const struct cw_card_policy *policy)
{
	struct cw_card_puk *puk;

	for (puk = objects->puks; puk != NULL; puk = puk->next)
		if (puk->id == policy->puk &&
		    memcmp(puk->owner, policy->owner, CW_HASH_BYTES) == 0)
			return puk;
	return NULL;
}

struct cw_card_group *
cw_card_find_group(const struct cw_card_policy *policy, uint32_t number)
{
	struct cw_card_group *group;

	for (group = policy->groups; group != NULL; group = group->next)
		if (group->group == number)
			return group;
	return NULL;
}

/* ---- counting ---- */

static unsigned
count_keys(const struct cw_card_objects *objects)
{
	const struct cw_card_key *key;
	unsigned n = 0;

	for (key = objects->keys; key != NULL; key = key->next)
		n++;
	return n;
}

static unsigned
count_policies(const struct cw_card_objects *objects)
{
	const struct cw_card_policy *policy;
	unsigned n = 0;

	for (policy = objects->policies; policy != NULL; policy = policy->next)
		n++;
	return n;
}

static unsigned
count_puks(const struct cw_card_objects *objects)
{
	const struct cw_card_puk *puk;
	unsigned n = 0;

	for (puk = objects->puks; puk != NULL; puk = puk->next)
		n++;
	return n;
}

/* On the whole card, open sessions included. */
static unsigned
count(const struct cw_card *card,
    unsigned (*of)(const struct cw_card_objects *objects))
{
	const struct cw_card_session *s;
	unsigned n = of(&card->state->objects);

	for (s = card->state->sessions; s != NULL; s = s->next)
		n += of(&s->objects);
	return n;
}

unsigned
cw_card_count_keys(const struct cw_card *card)
{
	return count(card, count_keys);
}

unsigned
cw_card_count_policies(const struct cw_card *card)
{
	return count(card, count_policies);
}

unsigned
cw_card_count_puks(const struct cw_card *card)
{
	return count(card, count_puks);
}

/* ---- what nobody uses any more ---- */

static bool
has_key(const struct cw_card_objects *objects,
    const struct cw_card_policy *policy, const struct cw_card_group *group)
{
	const struct cw_card_key *key;

	for (key = objects->keys; key != NULL; key = key->next)
		if (cw_card_policy_of(objects, key) == policy &&
		    (group == NULL || key->group == group->group))
			return true;
	return false;
}

static bool
has_policy(const struct cw_card_objects *objects, const struct cw_card_puk *puk)
{
	const struct cw_card_policy *policy;

	for (policy = objects->policies; policy != NULL; policy = policy->next)
		if (cw_card_puk_of(objects, policy) == puk)
			return true;
	return false;
}

static void
sweep_groups(struct cw_card_objects *objects, struct cw_card_policy *policy)
{
	struct cw_card_group **at = &policy->groups;

	while (*at != NULL) {
		struct cw_card_group *group = *at;

		if (has_key(objects, policy, group)) {
			at = &group->next;
			continue;
		}
		*at = group->next;
		cw_card_group_free(&group);
	}
}

void
cw_card_sweep(struct cw_card_objects *objects)
{
	struct cw_card_policy **policies = &objects->policies;
	struct cw_card_puk **puks = &objects->puks;

	while (*policies != NULL) {
		struct cw_card_policy *policy = *policies;

		if (has_key(objects, policy, NULL)) {
			sweep_groups(objects, policy);
			policies = &policy->next;
			continue;
		}
		*policies = policy->next;
		cw_card_policy_free(&policy);
	}
	while (*puks != NULL) {
		struct cw_card_puk *puk = *puks;

		if (has_policy(objects, puk)) {
			puks = &puk->next;
			continue;
		}
		*puks = puk->next;
		cw_card_puk_free(&puk);
	}
}

void
cw_card_remove_key(struct cw_card_objects *objects, struct cw_card_key *key)
{
	struct cw_card_key **at = &objects->keys;

	while (*at != NULL && *at != key)
		at = &(*at)->next;
	if (*at == NULL)
		return;
	*at = key->next;
	cw_card_key_free(&key);
}
