/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CREATE_KEY: a key pair, and the statement that it was made here;
 * IMPORT_PRIVATE_KEY: one that says that it was not; IMPORT_SYMMETRIC_KEY.
 */
#include "card/command.h"
#include "proto/key_alg.h"

static unsigned
count_session_keys(const struct cw_card_session *session)
{
	const struct cw_card_key *key;
	unsigned n = 0;

	for (key = session->objects.keys; key != NULL; key = key->next)
		n++;
	return n;
}

/* Keys that this session replaces or deletes make room for its new ones. */
static unsigned
count_leaving(const struct cw_card_session *session)
{
	const struct cw_card_post *post;
	unsigned n = 0;

	for (post = session->posts; post != NULL; post = post->next)
		n += post->no == CW_DELETE_KEY;
	return n;
}

static enum cw_err
check_slot(const struct cw_card_job *job, uint8_t slot)
{
	const struct cw_card_session *session = job->session;
	const struct cw_card_key *there =
	    cw_card_find_slot(&job->card->state->objects, slot);

	if (!cw_scope_has_slot(&session->scope, slot))
		return CW_ERR_OUTSIDE_SCOPE;
	/*
	 * Whoever owns it, the answer is the same: an issuer learns nothing
	 * about another one's key. A key of one's own that is in the scope may
	 * be replaced: CLOSE looks whether it is.
	 */
	if (there != NULL &&
	    (!cw_card_is_mine(session, there->owner) ||
		!cw_scope_has_object(&session->scope, there->id)))
		return CW_ERR_SLOT_OCCUPIED;
	if (cw_card_find_slot(&session->objects, slot) != NULL)
		return CW_ERR_SLOT_OCCUPIED;
	return CW_OK;
}

static enum cw_err
check_usage(const struct cw_create_key *c)
{
	const struct cw_key_type_info *info = cw_key_type_info(c->type);

	if (c->type != CW_KEY_SECRET && info == NULL)
		return CW_ERR_UNSUPPORTED_KEY;
	if (info != NULL && (c->usage == 0 || (c->usage & ~info->usage) != 0))
		return CW_ERR_BAD_USAGE;
	/* What is only kept must come out again, and does nothing else. */
	if ((c->usage & CW_USAGE_KEEP) != 0 &&
	    (c->usage != CW_USAGE_KEEP || !c->exportable ||
		c->n_algorithms > 0))
		return CW_ERR_BAD_USAGE;
	if ((c->usage & CW_USAGE_ENCRYPT) != 0 &&
	    c->secret.len != CW_AEAD_KEY_BYTES)
		return CW_ERR_BAD_USAGE;
	for (size_t i = 0; i < c->n_algorithms; i++)
		if (!cw_key_alg_fits(c->algorithms[i], c->type, c->usage))
			return CW_ERR_BAD_USAGE;
	return CW_OK;
}

static enum cw_err
check(const struct cw_card_job *job, const struct cw_create_key *c)
{
	const struct cw_card_session *session = job->session;
	unsigned leaving = count_leaving(session);
	enum cw_err err = check_usage(c);

	if (err != CW_OK)
		return err;
	/* Keys in PIV slots have the holder's PIN, never leave, and are used
	 * with PIV's algorithms. */
	if (c->slot != 0 &&
	    (c->pin_policy != 0 || c->exportable || c->n_algorithms > 0))
		return CW_ERR_BAD_POLICY;
	if (count_session_keys(session) >= session->scope.keys_max)
		return CW_ERR_OUTSIDE_SCOPE;
	if (cw_card_has_id(&session->objects, session, c->id) ||
	    cw_card_has_id(&job->card->state->objects, session, c->id))
		return CW_ERR_DUPLICATE_ID;
	if (cw_card_count_keys(job->card) >= job->card->keys_max + leaving ||
	    count_session_keys(session) >= CW_CARD_KEYS_MAX)
		return CW_ERR_CARD_FULL;
	return c->slot != 0 ? check_slot(job, c->slot) : CW_OK;
}

/* ---- its PIN ---- */

/* True if the policy has this value for another group, and must not. */
static bool
is_taken(const struct cw_card_policy *policy, uint32_t number,
    struct cw_bytes value)
{
	const struct cw_card_group *group = policy->groups;

	if (!cw_pin_groups_differ(policy->grouping))
		return false;
	for (; group != NULL; group = group->next)
		if (group->group != number &&
		    cw_card_pin_equal(&group->pin, value))
			return true;
	return false;
}

static enum cw_err
add_group(struct cw_card_policy *policy, uint32_t number,
    struct cw_card_group **out)
{
	const struct cw_card_group *group = policy->groups;
	size_t n = 0;

	for (; group != NULL; group = group->next)
		n++;
	if (n >= CW_CARD_GROUPS_MAX)
		return CW_ERR_CARD_FULL;
	*out = cw_card_group_new();
	if (*out == NULL)
		return CW_ERR_NO_MEMORY;
	(*out)->group = number;
	cw_card_groups_append(&policy->groups, *out);
	return CW_OK;
}

enum cw_err
cw_card_set_group(struct cw_card_policy *policy, uint32_t number,
    struct cw_bytes value)
{
	enum cw_err err = cw_pin_check(&policy->rule, value);
	struct cw_card_group *group = cw_card_find_group(policy, number);

	if (err == CW_OK && is_taken(policy, number, value))
		err = CW_ERR_PIN_WEAK;
	if (err == CW_OK && group == NULL)
		err = add_group(policy, number, &group);
	if (err == CW_OK)
		cw_card_pin_set(&group->pin, value, policy->rule.tries);
	return err;
}

/* The holder's, for PIV slots. */
static enum cw_err
check_holder(struct cw_card_job *job)
{
	job->needed_policy = 0;
	job->pin_needed = !cw_card_pin_is_set(&job->card->state->pin) &&
	    !cw_card_pin_is_set(&job->session->pin);
	return CW_OK;
}

/* A PIN that the key needs must be there before the key is made. A policy of
 * an earlier session takes no new PINs. */
static enum cw_err
check_group(struct cw_card_job *job, const struct cw_create_key *c,
    uint32_t *group)
{
	const struct cw_card_session *session = job->session;
	struct cw_card_policy *policy =
	    cw_card_find_policy(&session->objects, session, c->pin_policy);
	bool is_new = policy != NULL, has_pin;

	if (!is_new)
		policy = cw_card_find_policy(&job->card->state->objects,
		    session, c->pin_policy);
	if (policy == NULL)
		return CW_ERR_UNKNOWN_ID;
	*group = cw_pin_group(policy->grouping, c->id, c->usage);
	has_pin = cw_card_find_group(policy, *group) != NULL;
	if ((!is_new && !has_pin) || (c->pin.len > 0 && has_pin))
		return CW_ERR_BAD_POLICY;
	if (has_pin)
		return CW_OK;
	if (policy->issuer_set != (c->pin.len > 0))
		return CW_ERR_BAD_POLICY;
	if (policy->issuer_set)
		return cw_card_set_group(policy, *group, c->pin) == CW_OK ?
		    CW_OK :
		    CW_ERR_BAD_POLICY;
	job->needed_policy = c->pin_policy;
	job->needed_group = *group;
	job->needed_usage = c->usage;
	job->pin_needed = true;
	return CW_OK;
}

/* Who protects an operation must be there. */
static bool
has_guard(const struct cw_card_job *job, const struct cw_create_key *c,
    enum cw_guard guard)
{
	const struct cw_card_session *session = job->session;
	const struct cw_card_policy *policy;

	if (guard == CW_GUARD_NONE || guard == CW_GUARD_NEVER || c->slot != 0)
		return true;
	policy = cw_card_find_policy(&session->objects, session, c->pin_policy);
	if (policy == NULL)
		policy = cw_card_find_policy(&job->card->state->objects,
		    session, c->pin_policy);
	return policy != NULL && (guard == CW_GUARD_PIN || policy->puk != 0);
}

static enum cw_err
check_protection(struct cw_card_job *job, const struct cw_create_key *c,
    uint32_t *group)
{
	enum cw_err err = CW_OK;

	if (c->pin.len > 0 && c->pin_policy == 0)
		return CW_ERR_BAD_POLICY;
	if (c->slot != 0)
		return check_holder(job);
	if (c->pin_policy != 0)
		err = check_group(job, c, group);
	if (err == CW_OK &&
	    (!has_guard(job, c, c->export_guard) ||
		!has_guard(job, c, c->delete_guard)))
		err = CW_ERR_BAD_POLICY;
	return err;
}

/* ---- making it ---- */

static enum cw_err
fill(const struct cw_card_job *job, const struct cw_create_key *c,
    uint32_t group, struct cw_card_key *key)
{
	struct cw_attributes *a = &key->attributes;

	memcpy(key->owner, job->session->owner, sizeof(key->owner));
	key->id = c->id;
	key->group = group;
	cw_buf_put(&key->name, c->name);
	a->type = c->type;
	a->usage = c->usage;
	a->origin = c->secret.len > 0 ? CW_ORIGIN_IMPORTED : CW_ORIGIN_CARD;
	a->exportable = c->exportable;
	a->pin_policy = c->pin_policy;
	a->slot = c->slot;
	a->export_guard = c->export_guard;
	a->delete_guard = c->delete_guard;
	a->n_algorithms = c->n_algorithms;
	memcpy(a->algorithms, c->algorithms, sizeof(a->algorithms));
	a->name = cw_buf_bytes(&key->name);
	return key->name.err;
}

static enum cw_err
make_pair(struct cw_card_job *job, const struct cw_create_key *c,
    struct cw_card_key *key)
{
	struct cw_private_key *pair = NULL;
	enum cw_err err;

	if (c->secret.len > 0) {
		err = cw_key_import(c->secret, &pair);
	} else {
		job->card->operations.key_generations++;
		err = cw_key_generate(c->type, &pair);
	}
	if (err != CW_OK)
		return err;
	cw_key_public(pair, &key->public_key);
	err = key->public_key.type == c->type ? CW_OK : CW_ERR_UNSUPPORTED_KEY;
	if (err == CW_OK)
		err = cw_key_export(pair, &key->private_key);
	cw_key_free(&pair);
	return err;
}

static enum cw_err
state_key(struct cw_card_job *job, const struct cw_card_key *key,
    struct cw_buf *out)
{
	const struct cw_card_session *session = job->session;
	const struct cw_card_attestor *a =
	    cw_card_attestor(job->card, session->mode);
	struct cw_key_statement s = {
		.mode = session->mode,
		.key_id = key->id,
		.key = key->public_key,
		.attributes = key->attributes,
	};

	memcpy(s.th, session->channel.th, sizeof(s.th));
	memcpy(s.management_hash, session->owner, sizeof(s.management_hash));
	memcpy(s.leaf_hash, a->leaf_hash, sizeof(s.leaf_hash));
	job->card->operations.signatures++;
	return cw_key_statement_make(&s, a->key, out);
}

/* A key pair with its statement, or a secret, which has none. */
static enum cw_err
make(struct cw_card_job *job, const struct cw_command *command,
    struct cw_card_key *key)
{
	const struct cw_create_key *c = &command->u.create_key;
	struct cw_reply reply = { .err = CW_OK };
	struct cw_buf statement;
	enum cw_err err = CW_OK;

	cw_buf_init(&statement, CW_REQUEST_MAX);
	if (c->type == CW_KEY_SECRET) {
		cw_buf_put(&key->private_key, c->secret);
		err = key->private_key.err;
	} else {
		err = make_pair(job, c, key);
		if (err == CW_OK)
			err = state_key(job, key, &statement);
		reply.key = key->public_key;
		reply.statement = cw_buf_bytes(&statement);
	}
	if (err == CW_OK)
		cw_reply_encode(command->no, &reply, job->plain);
	cw_buf_wipe(&statement);
	return err;
}

enum cw_err
cw_card_do_create_key(struct cw_card_job *job, const struct cw_command *command)
{
	const struct cw_create_key *c = &command->u.create_key;
	struct cw_card_key *key;
	uint32_t group = 0;
	enum cw_err err = check(job, c);

	if (err == CW_OK)
		err = check_protection(job, c, &group);
	if (err != CW_OK || job->pin_needed)
		return err;
	key = cw_card_key_new();
	if (key == NULL)
		return CW_ERR_NO_MEMORY;
	err = fill(job, c, group, key);
	if (err == CW_OK)
		err = make(job, command, key);
	if (err == CW_OK) {
		cw_card_keys_append(&job->session->objects.keys, key);
		key = NULL;
	}
	cw_card_key_free(&key);
	return err;
}
