/* SPDX-License-Identifier: Apache-2.0 */
/* SET_CERTIFICATES for a key of this session, and LIST of what is there. */
#include <stdlib.h>

#include "card/command.h"
#include "proto/fields.h"

/* What a reply to LIST may have, with room for the channel's. */
#define LIST_MAX (CW_COMMAND_MAX - 512)

enum cw_err
cw_card_do_certificates(struct cw_card_job *job,
    const struct cw_command *command)
{
	const struct cw_set_certificates *c = &command->u.set_certificates;
	const struct cw_reply reply = { .err = CW_OK };
	struct cw_card_key *key =
	    cw_card_find_key(&job->session->objects, job->session, c->id);
	struct cw_public_key leaf;
	enum cw_err err;

	/* Keys of earlier sessions get new ones by UPDATE_KEY only. */
	if (key == NULL)
		return CW_ERR_UNKNOWN_ID;
	if (key->chain.len > 0)
		return CW_ERR_DUPLICATE_ID;
	if (key->attributes.type == CW_KEY_SECRET)
		return CW_ERR_WRONG_CERTIFICATE;
	err = cw_cert_public_key(c->chain[0], &leaf);
	if (err == CW_ERR_UNKNOWN_ALGORITHM)
		return CW_ERR_WRONG_CERTIFICATE;
	if (err != CW_OK)
		return err;
	if (memcmp(&leaf, &key->public_key, sizeof(leaf)) != 0)
		return CW_ERR_WRONG_CERTIFICATE;
	cw_field_put_bstrs(&key->chain, c->chain, c->n_chain);
	if (key->chain.err != CW_OK)
		return key->chain.err;
	if (key->chain.len > CW_CARD_CHAIN_MAX)
		return CW_ERR_TOO_LARGE;
	cw_reply_encode(CW_SET_CERTIFICATES, &reply, job->plain);
	return CW_OK;
}

/* The chain as it is stored, as views. */
static size_t
split_chain(const struct cw_card_key *key, struct cw_bytes *chain)
{
	struct cw_cbor_reader r;

	if (key->chain.len == 0)
		return 0;
	cw_cbor_init(&r, cw_buf_bytes(&key->chain));
	return cw_field_bstrs(&r, 1, CW_CHAIN_MAX, CW_CERT_MAX_BYTES, chain);
}

/* The own key with the lowest id above `after`. */
static const struct cw_card_key *
next_key(const struct cw_card_job *job, uint32_t after)
{
	const struct cw_card_key *key = job->card->state->objects.keys;
	const struct cw_card_key *found = NULL;

	for (; key != NULL; key = key->next)
		if (cw_card_is_mine(job->session, key->owner) &&
		    key->id > after && (found == NULL || key->id < found->id))
			found = key;
	return found;
}

static void
describe(const struct cw_card_state *state, const struct cw_card_key *key,
    struct cw_listed_key *k)
{
	const struct cw_card_policy *policy =
	    cw_card_policy_of(&state->objects, key);
	const struct cw_card_extension *extension = key->extensions;
	const struct cw_card_group *group;
	const struct cw_card_puk *puk;

	memset(k, 0, sizeof(*k));
	k->id = key->id;
	k->attributes = key->attributes;
	k->n_chain = split_chain(key, k->chain);
	k->exported = key->exported;
	for (; extension != NULL; extension = extension->next)
		k->extensions[k->n_extensions++] =
		    cw_buf_bytes(&extension->type);
	if (key->attributes.slot != 0) {
		k->has_pin = k->has_puk = true;
		k->pin_tries = state->pin.tries;
		k->puk_tries = state->puk.tries;
	}
	group = policy == NULL ? NULL : cw_card_find_group(policy, key->group);
	if (group == NULL)
		return;
	k->has_pin = true;
	k->pin_tries = group->pin.tries;
	puk = cw_card_puk_of(&state->objects, policy);
	k->has_puk = puk != NULL;
	k->puk_tries = puk != NULL ? puk->pin.tries : 0;
}

/* As many as one reply holds, by rising ids: the issuer asks for the rest. */
enum cw_err
cw_card_do_list(struct cw_card_job *job, const struct cw_command *command)
{
	uint32_t after = command->u.list.after;
	struct cw_reply reply = { .err = CW_OK };
	const struct cw_card_key *key;

	reply.keys = calloc(CW_KEYS_MAX, sizeof(*reply.keys));
	if (reply.keys == NULL)
		return CW_ERR_NO_MEMORY;
	cw_reply_encode(CW_LIST, &reply, job->plain);
	while ((key = next_key(job, after)) != NULL && !reply.more) {
		describe(job->card->state, key, &reply.keys[reply.n_keys++]);
		cw_buf_reset(job->plain);
		cw_reply_encode(CW_LIST, &reply, job->plain);
		if (job->plain->len > LIST_MAX) {
			reply.n_keys--;
			reply.more = true;
			cw_buf_reset(job->plain);
			cw_reply_encode(CW_LIST, &reply, job->plain);
		}
		after = key->id;
	}
	free(reply.keys);
	return CW_OK;
}
