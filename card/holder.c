/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the holder does with keys on the card: reading, exporting, deleting,
 * their PINs, and a statement about one outside a session (docs/protocol.md
 * "The holder's keys").
 */
#include "card/holder.h"
#include "proto/base/secret.h"
#include "proto/fields.h"

uint16_t
cw_card_held(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_key_request *q, struct cw_card_key **key)
{
	if (cw_key_request_decode((enum cw_ins)apdu->ins, apdu->data, q) !=
	    CW_OK)
		return CW_SW_BAD_DATA;
	*key = cw_card_find_handle(card, q->handle);
	return *key != NULL ? CW_SW_OK : CW_SW_NOT_FOUND;
}

uint16_t
cw_card_holder_here(const struct cw_card *card)
{
	return cw_card_pin_is_set(&card->state->pin) &&
		!card->ram.pin_verified ?
	    CW_SW_SECURITY :
	    CW_SW_OK;
}

/* The PIN or PUK of a key, and how many tries it has. */
static struct cw_card_pin *
reference(struct cw_card *card, const struct cw_card_key *key, bool puk,
    unsigned *tries)
{
	struct cw_card_policy *policy;
	struct cw_card_group *group;
	struct cw_card_puk *unblocks;

	*tries = cw_pin_rule_piv.tries;
	if (key->attributes.slot != 0)
		return puk ? &card->state->puk : &card->state->pin;
	policy = cw_card_policy_of(&card->state->objects, key);
	if (policy == NULL)
		return NULL;
	*tries = policy->rule.tries;
	group = cw_card_find_group(policy, key->group);
	if (!puk)
		return group == NULL ? NULL : &group->pin;
	unblocks = cw_card_puk_of(&card->state->objects, policy);
	if (unblocks == NULL)
		return NULL;
	*tries = unblocks->rule.tries;
	return &unblocks->pin;
}

uint16_t
cw_card_guard(struct cw_card *card, const struct cw_card_key *key,
    enum cw_guard guard, struct cw_bytes value)
{
	struct cw_card_pin *pin;
	bool *verified = NULL;
	unsigned tries;
	uint16_t sw;

	if (guard == CW_GUARD_NONE)
		return CW_SW_OK;
	if (guard == CW_GUARD_NEVER)
		return CW_SW_NO_SESSION;
	pin = reference(card, key, guard == CW_GUARD_PUK, &tries);
	if (pin == NULL)
		return CW_SW_NO_SESSION;
	if (value.len == 0)
		return CW_SW_SECURITY;
	/* A wrong value of the holder's ends what the right one had opened. */
	if (pin == &card->state->pin)
		verified = &card->ram.pin_verified;
	sw = cw_card_pin_try(card, pin, tries, value);
	if (sw != CW_SW_OK && verified != NULL)
		*verified = false;
	return sw;
}

uint16_t
cw_card_own_pin(struct cw_card *card, const struct cw_card_key *key,
    struct cw_bytes value)
{
	return cw_card_guard(card, key,
	    key->attributes.pin_policy != 0 ? CW_GUARD_PIN : CW_GUARD_NONE,
	    value);
}

static uint16_t
commit(struct cw_card *card)
{
	return cw_card_sw(cw_card_commit(card, CW_CARD_USE_RESERVE));
}

/* ---- READ KEY ---- */

static const struct cw_card_key *
at_or_above(const struct cw_card *card, uint32_t handle)
{
	const struct cw_card_key *key = card->state->objects.keys;
	const struct cw_card_key *found = NULL;

	for (; key != NULL; key = key->next)
		if (key->handle >= handle &&
		    (found == NULL || key->handle < found->handle))
			found = key;
	return found;
}

static void
describe_pins(const struct cw_card *card, const struct cw_card_key *key,
    struct cw_held_key *k)
{
	const struct cw_card_objects *objects = &card->state->objects;
	const struct cw_card_policy *policy = cw_card_policy_of(objects, key);
	const struct cw_card_group *group =
	    policy == NULL ? NULL : cw_card_find_group(policy, key->group);
	const struct cw_card_puk *puk;

	if (group == NULL)
		return;
	k->has_pin = true;
	k->is_modifiable = policy->modifiable;
	k->pin_rule = policy->rule;
	k->pin_tries = group->pin.tries;
	puk = cw_card_puk_of(objects, policy);
	if (puk == NULL)
		return;
	k->has_puk = true;
	k->puk_rule = puk->rule;
	k->puk_tries = puk->pin.tries;
}

static void
describe(const struct cw_card *card, const struct cw_card_key *key,
    struct cw_held_key *k)
{
	const struct cw_card_extension *e = key->extensions;
	struct cw_cbor_reader r;

	memset(k, 0, sizeof(*k));
	k->handle = key->handle;
	k->attributes = key->attributes;
	k->key = key->public_key;
	k->exported = key->exported;
	if (key->chain.len > 0) {
		cw_cbor_init(&r, cw_buf_bytes(&key->chain));
		k->n_chain = cw_field_bstrs(&r, 1, CW_CHAIN_MAX,
		    CW_CERT_MAX_BYTES, k->chain);
	}
	describe_pins(card, key, k);
	for (; e != NULL; e = e->next)
		k->extensions[k->n_extensions++] = (struct cw_held_extension){
			.type = cw_buf_bytes(&e->type),
			.kind = e->kind,
			.media_type = cw_buf_bytes(&e->media_type),
		};
}

/* The key of the handle, or the next one: so that a program finds them all. */
uint16_t
cw_card_read_key(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	const struct cw_card_key *key;
	struct cw_key_request q;
	struct cw_held_key k;

	if (cw_key_request_decode(CW_INS_READ_KEY, apdu->data, &q) != CW_OK)
		return CW_SW_BAD_DATA;
	if (cw_card_holder_here(card) != CW_SW_OK)
		return CW_SW_SECURITY;
	key = at_or_above(card, q.handle);
	if (key == NULL)
		return CW_SW_NOT_FOUND;
	describe(card, key, &k);
	cw_held_key_encode(&k, out);
	return CW_SW_OK;
}

/* ---- EXPORT KEY and DELETE ---- */

/* That a copy has left is durable before the copy leaves. */
uint16_t
cw_card_export_key(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_key_request q;
	struct cw_card_key *key;
	uint16_t sw = cw_card_held(card, apdu, &q, &key);

	if (sw == CW_SW_OK && !key->attributes.exportable)
		sw = CW_SW_NO_SESSION;
	if (sw == CW_SW_OK)
		sw = cw_card_guard(card, key, key->attributes.export_guard,
		    q.pin);
	if (sw != CW_SW_OK)
		return sw;
	key->exported = true;
	cw_buf_put(out, cw_buf_bytes(&key->private_key));
	return commit(card);
}

uint16_t
cw_card_delete_key(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_key_request q;
	struct cw_card_key *key;
	uint16_t sw = cw_card_held(card, apdu, &q, &key);

	(void)out;
	if (sw == CW_SW_OK && key->attributes.delete_guard == CW_GUARD_NONE)
		sw = cw_card_holder_here(card);
	if (sw == CW_SW_OK)
		sw = cw_card_guard(card, key, key->attributes.delete_guard,
		    q.pin);
	if (sw != CW_SW_OK)
		return sw;
	cw_card_remove_key(&card->state->objects, key);
	cw_card_sweep(&card->state->objects);
	return commit(card);
}

/* ---- the PIN of a policy ---- */

/* A new value for the key's group, with all tries. */
static uint16_t
set_value(struct cw_card *card, const struct cw_card_key *key,
    struct cw_bytes value)
{
	struct cw_card_policy *policy =
	    cw_card_policy_of(&card->state->objects, key);
	struct cw_card_group *group = cw_card_find_group(policy, key->group);
	const struct cw_card_group *other = policy->groups;

	for (; other != NULL; other = other->next)
		if (other != group && cw_pin_groups_differ(policy->grouping) &&
		    cw_card_pin_equal(&other->pin, value))
			return CW_SW_BAD_DATA;
	cw_card_pin_set(&group->pin, value, policy->rule.tries);
	return CW_SW_OK;
}

/* Who may have this value at all, before a try is counted. */
static uint16_t
check_new(struct cw_card *card, const struct cw_card_key *key,
    struct cw_bytes value)
{
	const struct cw_card_policy *policy =
	    cw_card_policy_of(&card->state->objects, key);

	if (policy == NULL || cw_card_find_group(policy, key->group) == NULL)
		return CW_SW_NO_SESSION;
	if (value.len == 0)
		return CW_SW_OK;
	if (!policy->modifiable)
		return CW_SW_NO_SESSION;
	return cw_pin_check(&policy->rule, value) == CW_OK ? CW_SW_OK :
							     CW_SW_BAD_DATA;
}

/* The tries that the right value gave back stay, whatever follows. */
static uint16_t
put_value(struct cw_card *card, const struct cw_card_key *key,
    struct cw_bytes value)
{
	uint16_t set = set_value(card, key, value), sw = commit(card);

	return sw != CW_SW_OK ? sw : set;
}

uint16_t
cw_card_change_key_pin(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_key_request q;
	struct cw_card_key *key;
	uint16_t sw = cw_card_held(card, apdu, &q, &key);

	(void)out;
	if (sw == CW_SW_OK)
		sw = check_new(card, key, q.new_pin);
	if (sw == CW_SW_OK)
		sw = cw_card_guard(card, key, CW_GUARD_PIN, q.pin);
	return sw == CW_SW_OK ? put_value(card, key, q.new_pin) : sw;
}

/* The PUK gives the tries back, and with a new value that one too. */
uint16_t
cw_card_unblock_key(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_key_request q;
	struct cw_card_key *key;
	struct cw_card_policy *policy;
	struct cw_card_group *group;
	uint16_t sw = cw_card_held(card, apdu, &q, &key);

	(void)out;
	if (sw == CW_SW_OK)
		sw = check_new(card, key, q.new_pin);
	if (sw == CW_SW_OK)
		sw = cw_card_guard(card, key, CW_GUARD_PUK, q.pin);
	if (sw != CW_SW_OK)
		return sw;
	if (q.new_pin.len > 0)
		return put_value(card, key, q.new_pin);
	policy = cw_card_policy_of(&card->state->objects, key);
	group = cw_card_find_group(policy, key->group);
	group->pin.tries = (uint8_t)policy->rule.tries;
	return commit(card);
}

/* ---- ATTEST OFFLINE ---- */

static enum cw_err
attest(struct cw_card *card, const struct cw_key_request *q,
    const struct cw_card_key *key, struct cw_buf *out)
{
	const struct cw_card_attestor *a =
	    q->attestation == 1 ? &card->own : &card->batch;
	struct cw_offline_statement s = { .attributes = key->attributes };
	struct cw_attested attested = { .n_chain = a->n_chain };
	struct cw_buf statement;
	enum cw_err err;

	memcpy(s.challenge, q->data.ptr, sizeof(s.challenge));
	cw_offline_request_hash(q->name, &key->public_key, s.request);
	cw_buf_init(&statement, CW_REQUEST_MAX);
	card->operations.signatures++;
	err = cw_offline_statement_make(&s, a->key, &statement);
	if (err == CW_OK) {
		for (size_t i = 0; i < a->n_chain; i++)
			attested.chain[i] = a->chain[i];
		attested.statement = cw_buf_bytes(&statement);
		cw_attested_encode(&attested, out);
	}
	cw_buf_wipe(&statement);
	return err;
}

/* It tells whose card this is, so a PIN must have been set, and verified. */
uint16_t
cw_card_attest_offline(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out)
{
	struct cw_key_request q;
	struct cw_card_key *key;
	uint16_t sw;

	if (!cw_card_is_personalised(card))
		return CW_SW_NO_SESSION;
	sw = cw_card_held(card, apdu, &q, &key);
	if (sw != CW_SW_OK)
		return sw;
	if (!cw_card_pin_is_set(&card->state->pin))
		return CW_SW_PIN_NEEDED;
	if (!card->ram.pin_verified)
		return CW_SW_SECURITY;
	if (key->attributes.type == CW_KEY_SECRET)
		return CW_SW_NO_SESSION;
	return cw_card_sw(attest(card, &q, key, out));
}
