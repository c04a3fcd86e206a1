/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DELETE_KEY, UNLOCK_KEY, UPDATE_KEY and CLONE_KEY_PROTECTION: what this issuer
 * made in earlier sessions. Checked when they are given, checked again by
 * CLOSE, because other sessions and the holder go on, and done only there.
 */
#include "card/command.h"

/* A target that CLOSE removes can be named no more, and one that is to be used
 * otherwise cannot be removed twice. */
static bool
removes(enum cw_command_no no)
{
	return no == CW_DELETE_KEY || no == CW_UPDATE_KEY;
}

/* Twice the same is a mistake; so is a new key with two protections. */
static enum cw_err
check_others(const struct cw_card_session *session, enum cw_command_no no,
    const struct cw_on_key *c)
{
	const struct cw_card_post *post = session->posts;

	for (; post != NULL; post = post->next) {
		if (c->id != 0 && post->id == c->id)
			return CW_ERR_TARGET_TAKEN;
		if (post->target != c->target)
			continue;
		if (post->no == no && no != CW_CLONE_KEY_PROTECTION)
			return CW_ERR_TARGET_TAKEN;
		if (removes(post->no) && removes(no))
			return CW_ERR_TARGET_TAKEN;
		/* What is deleted leaves no PIN to share. */
		if ((post->no == CW_DELETE_KEY || no == CW_DELETE_KEY) &&
		    post->no != no)
			return CW_ERR_TARGET_TAKEN;
	}
	return CW_OK;
}

/* All keys in PIV slots are this issuer's: it may give the tries back. */
static bool
owns_all_slots(const struct cw_card_job *job)
{
	const struct cw_card_key *key = job->card->state->objects.keys;

	for (; key != NULL; key = key->next)
		if (key->attributes.slot != 0 &&
		    !cw_card_is_mine(job->session, key->owner))
			return false;
	return true;
}

static enum cw_err
check_unlock(const struct cw_card_job *job, const struct cw_card_key *target)
{
	if (target->attributes.slot != 0)
		return owns_all_slots(job) ? CW_OK : CW_ERR_FOREIGN_KEYS;
	return target->attributes.pin_policy != 0 ? CW_OK : CW_ERR_BAD_POLICY;
}

/* The new key is whole, has no protection of its own, and takes the other's:
 * its PIN, and with UPDATE_KEY its place. */
static enum cw_err
check_inherits(const struct cw_card_job *job, enum cw_command_no no,
    const struct cw_card_key *key, const struct cw_card_key *target)
{
	const struct cw_attributes *a = &key->attributes;
	const struct cw_attributes *t = &target->attributes;
	const struct cw_card_policy *policy =
	    cw_card_policy_of(&job->card->state->objects, target);

	if (a->pin_policy != 0)
		return CW_ERR_BAD_POLICY;
	if (no == CW_UPDATE_KEY)
		return a->slot == t->slot && a->usage == t->usage ?
		    CW_OK :
		    CW_ERR_BAD_POLICY;
	return a->slot == 0 && policy != NULL &&
		policy->grouping == CW_PIN_SHARED ?
	    CW_OK :
	    CW_ERR_BAD_POLICY;
}

enum cw_err
cw_card_check_post(const struct cw_card_job *job, enum cw_command_no no,
    const struct cw_on_key *c)
{
	const struct cw_card_key *target =
	    cw_card_find_key(&job->card->state->objects, job->session,
		c->target);
	const struct cw_card_key *key;

	if (target == NULL)
		return CW_ERR_UNKNOWN_ID;
	if (no == CW_DELETE_KEY)
		return CW_OK;
	if (no == CW_UNLOCK_KEY)
		return check_unlock(job, target);
	key = cw_card_find_key(&job->session->objects, job->session, c->id);
	if (key == NULL)
		return CW_ERR_UNKNOWN_ID;
	return check_inherits(job, no, key, target);
}

enum cw_err
cw_card_do_post(struct cw_card_job *job, const struct cw_command *command)
{
	const struct cw_on_key *c = &command->u.on_key;
	const struct cw_reply reply = { .err = CW_OK };
	struct cw_card_post *post;
	enum cw_err err;

	if (!cw_scope_has_object(&job->session->scope, c->target))
		return CW_ERR_OUTSIDE_SCOPE;
	err = check_others(job->session, command->no, c);
	if (err == CW_OK)
		err = cw_card_check_post(job, command->no, c);
	if (err != CW_OK)
		return err;
	post = cw_card_post_new();
	if (post == NULL)
		return CW_ERR_NO_MEMORY;
	post->no = command->no;
	post->id = c->id;
	post->target = c->target;
	cw_card_posts_append(&job->session->posts, post);
	cw_reply_encode(command->no, &reply, job->plain);
	return CW_OK;
}

/* ---- at CLOSE ---- */

static void
unlock(struct cw_card_state *state, const struct cw_card_key *key)
{
	struct cw_card_policy *policy = cw_card_policy_of(&state->objects, key);
	struct cw_card_group *group;
	struct cw_card_puk *puk;

	if (key->attributes.slot != 0) {
		state->pin.tries = (uint8_t)cw_pin_rule_piv.tries;
		state->puk.tries = (uint8_t)cw_pin_rule_piv.tries;
		return;
	}
	if (policy == NULL)
		return;
	group = cw_card_find_group(policy, key->group);
	puk = cw_card_puk_of(&state->objects, policy);
	if (group != NULL)
		group->pin.tries = (uint8_t)policy->rule.tries;
	if (puk != NULL)
		puk->pin.tries = (uint8_t)puk->rule.tries;
}

/* Links the new key to the PIN of the other one. */
static void
inherit(struct cw_card_key *key, const struct cw_card_key *target)
{
	memcpy(key->owner, target->owner, sizeof(key->owner));
	key->attributes.pin_policy = target->attributes.pin_policy;
	key->group = target->group;
}

static void
apply(struct cw_card *card, struct cw_card_session *session,
    const struct cw_card_post *post)
{
	struct cw_card_objects *objects = &card->state->objects;
	struct cw_card_key *target =
	    cw_card_find_key(objects, session, post->target);
	struct cw_card_key *key =
	    cw_card_find_key(&session->objects, session, post->id);

	if (target == NULL)
		return;
	if (post->no == CW_UNLOCK_KEY)
		unlock(card->state, target);
	if (key != NULL)
		inherit(key, target);
	if (key != NULL && post->no == CW_UPDATE_KEY)
		key->handle = target->handle;
}

void
cw_card_apply_posts(struct cw_card *card, struct cw_card_session *session)
{
	const struct cw_card_post *post;

	/* First what looks at targets, then what removes them. */
	for (post = session->posts; post != NULL; post = post->next)
		apply(card, session, post);
	for (post = session->posts; post != NULL; post = post->next)
		if (removes(post->no))
			cw_card_remove_key(&card->state->objects,
			    cw_card_find_key(&card->state->objects, session,
				post->target));
}

bool
cw_card_is_leaving(const struct cw_card_session *session,
    const struct cw_card_key *key)
{
	const struct cw_card_post *post = session->posts;

	if (!cw_card_is_mine(session, key->owner))
		return false;
	for (; post != NULL; post = post->next)
		if (removes(post->no) && post->target == key->id)
			return true;
	return false;
}
