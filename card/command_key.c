/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_KEY: a key pair, and the statement that it was made here. */
#include "card/command.h"

/* Key types of `card-caps`. */
static bool
is_supported(enum cw_key_type type)
{
	return type == CW_KEY_P256 || type == CW_KEY_P384 ||
	    type == CW_KEY_RSA2048 || type == CW_KEY_ED25519;
}

static unsigned
count_session_keys(const struct cw_card_session *session)
{
	const struct cw_card_key *key;
	unsigned n = 0;

	for (key = session->objects.keys; key != NULL; key = key->next)
		n++;
	return n;
}

static enum cw_err
check_slot(const struct cw_card_job *job, uint8_t slot)
{
	if (!cw_scope_has_slot(&job->session->scope, slot))
		return CW_ERR_OUTSIDE_SCOPE;
	/*
	 * Whoever owns it, the answer is the same: an issuer learns nothing
	 * about another one's key. (A key of one's own is replaced by
	 * UPDATE_KEY, not by this command.)
	 */
	if (cw_card_find_slot(&job->card->state->objects, slot) != NULL ||
	    cw_card_find_slot(&job->session->objects, slot) != NULL)
		return CW_ERR_SLOT_OCCUPIED;
	return CW_OK;
}

static enum cw_err
check(const struct cw_card_job *job, const struct cw_create_key *c)
{
	const struct cw_card_session *session = job->session;
	const struct cw_key_type_info *info = cw_key_type_info(c->type);

	if (!is_supported(c->type) || info == NULL)
		return CW_ERR_UNSUPPORTED_KEY;
	if (c->usage == 0 || (c->usage & ~info->usage) != 0)
		return CW_ERR_BAD_USAGE;
	if (c->slot != 0 && c->pin_policy != 0)
		return CW_ERR_BAD_POLICY;
	if (count_session_keys(session) >= session->scope.keys_max)
		return CW_ERR_OUTSIDE_SCOPE;
	if (cw_card_has_id(job, c->id))
		return CW_ERR_DUPLICATE_ID;
	if (cw_card_count_keys(job->card) >= job->card->keys_max)
		return CW_ERR_CARD_FULL;
	return c->slot != 0 ? check_slot(job, c->slot) : CW_OK;
}

/* A PIN that the key needs must be there before the key is made. */
static enum cw_err
check_pin(struct cw_card_job *job, const struct cw_create_key *c)
{
	const struct cw_card_session *session = job->session;
	const struct cw_card_policy *policy;

	job->needed_policy = c->pin_policy;
	if (c->slot != 0) {
		job->pin_needed = !cw_card_pin_is_set(&job->card->state->pin) &&
		    !cw_card_pin_is_set(&session->pin);
		return CW_OK;
	}
	if (c->pin_policy == 0)
		return CW_OK;
	policy = cw_card_find_policy(&session->objects, session->owner,
	    c->pin_policy);
	if (policy == NULL)
		policy = cw_card_find_policy(&job->card->state->objects,
		    session->owner, c->pin_policy);
	if (policy == NULL)
		return CW_ERR_UNKNOWN_ID;
	job->pin_needed = !cw_card_pin_is_set(&policy->pin);
	return CW_OK;
}

static enum cw_err
make_key(struct cw_card_job *job, const struct cw_create_key *c,
    struct cw_card_key *key)
{
	struct cw_private_key *pair = NULL;
	enum cw_err err;

	memcpy(key->owner, job->session->owner, sizeof(key->owner));
	key->id = c->id;
	key->attributes = (struct cw_attributes){
		.type = c->type,
		.usage = c->usage,
		.origin = CW_ORIGIN_CARD,
		.pin_policy = c->pin_policy,
		.slot = c->slot,
	};
	cw_buf_put(&key->name, c->name);
	job->card->operations.key_generations++;
	err = cw_key_generate(c->type, &pair);
	if (err != CW_OK)
		return err;
	cw_key_public(pair, &key->public_key);
	err = cw_key_export(pair, &key->private_key);
	cw_key_free(&pair);
	return err != CW_OK ? err : key->name.err;
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

enum cw_err
cw_card_do_create_key(struct cw_card_job *job, const struct cw_command *command)
{
	const struct cw_create_key *c = &command->u.create_key;
	struct cw_reply reply = { .err = CW_OK };
	struct cw_card_key *key;
	struct cw_buf statement;
	enum cw_err err = check(job, c);

	if (err == CW_OK)
		err = check_pin(job, c);
	if (err != CW_OK || job->pin_needed)
		return err;
	key = cw_card_key_new();
	if (key == NULL)
		return CW_ERR_NO_MEMORY;
	cw_buf_init(&statement, CW_REQUEST_MAX);
	err = make_key(job, c, key);
	if (err == CW_OK)
		err = state_key(job, key, &statement);
	if (err == CW_OK) {
		reply.key = key->public_key;
		reply.statement = cw_buf_bytes(&statement);
		cw_reply_encode(CW_CREATE_KEY, &reply, job->plain);
		cw_card_keys_append(&job->session->objects.keys, key);
		key = NULL;
	}
	cw_card_key_free(&key);
	cw_buf_wipe(&statement);
	return err;
}
