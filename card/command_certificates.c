/* SPDX-License-Identifier: Apache-2.0 */
/* SET_CERTIFICATES for a key of this session, and LIST of what is there. */
#include <stdlib.h>

#include "card/command.h"
#include "proto/fields.h"

enum cw_err
cw_card_do_certificates(struct cw_card_job *job,
    const struct cw_command *command)
{
	const struct cw_set_certificates *c = &command->u.set_certificates;
	const struct cw_reply reply = { .err = CW_OK };
	struct cw_card_key *key = cw_card_find_key(&job->session->objects,
	    job->session->owner, c->id);
	struct cw_public_key leaf;
	enum cw_err err;

	/* Keys of earlier sessions get new ones by UPDATE_KEY only. */
	if (key == NULL)
		return CW_ERR_UNKNOWN_ID;
	if (key->chain.len > 0)
		return CW_ERR_DUPLICATE_ID;
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

enum cw_err
cw_card_do_list(struct cw_card_job *job, const struct cw_command *command)
{
	const struct cw_card_key *key = job->card->state->objects.keys;
	struct cw_reply reply = { .err = CW_OK };

	(void)command;
	reply.keys = calloc(CW_KEYS_MAX, sizeof(*reply.keys));
	if (reply.keys == NULL)
		return CW_ERR_NO_MEMORY;
	for (; key != NULL; key = key->next) {
		struct cw_listed_key *listed = &reply.keys[reply.n_keys];

		/* Another owner's objects do not exist here. */
		if (memcmp(key->owner, job->session->owner,
			sizeof(key->owner)) != 0)
			continue;
		listed->id = key->id;
		listed->type = key->attributes.type;
		listed->slot = key->attributes.slot;
		listed->n_chain = split_chain(key, listed->chain);
		reply.n_keys++;
	}
	cw_reply_encode(CW_LIST, &reply, job->plain);
	free(reply.keys);
	return CW_OK;
}
