/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Management rounds, between message 4 and the key request: the card is asked
 * what it has of what the scope names, as often as its list goes on, and then it
 * is decided what happens: a new key in place of one, or at once the last batch.
 * Nothing that the card lists is believed that is not exactly what was sent to it.
 */
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/rfc4648.h"
#include "server/evidence.h"
#include "server/step.h"
#include "server/target.h"

struct listing {
	struct cw_grant grant;
	struct cw_invitation invitation;
	struct cw_intent intent; /* what the person was asked; of the above */
	const struct cw_profile *profile;
	struct cw_reply reply;
	struct cw_listed_key keys[CW_KEYS_MAX];
	struct cw_buf plain;
};

/* Steps that must still fit: this one, the list's answer, message 6, the result. */
#define STEPS_TO_COME 4

/* The list begins at the first key that the scope names. */
static enum cw_err
ask(struct cw_step_run *run)
{
	const struct cw_command list = { .no = CW_LIST,
		.last = true,
		.u.list.after = run->secret->listed };
	enum cw_err err;

	if (run->session->n_digests + STEPS_TO_COME > CW_STEPS_MAX)
		return CW_ERR_COMMAND_LIMIT;
	err = cw_step_put_batch(run, CW_PHASE_MANAGING, &list, 1);
	return err != CW_OK ? err : cw_step_commit(run, CW_STAGE_MANAGING);
}

enum cw_err
cw_step_look(struct cw_step_run *run)
{
	struct cw_grant grant;

	if (cw_grant_decode(cw_buf_bytes(&run->session->grant), &grant) !=
	    CW_OK)
		return CW_ERR_STORE_CORRUPT;
	/* The signer has refused an R of which this is not so. */
	if (grant.scope.n_objects == 0)
		return CW_ERR_BAD_SCOPE;
	run->secret->listed = grant.scope.objects[0] - 1;
	return ask(run);
}

/* ---- what the card has ---- */

/*
 * The certificate is the one that was sent for this very key, byte for byte: no
 * card can have the certificate of another replaced or revoked. Errors:
 * WRONG_REPLY, those of the store.
 */
static enum cw_err
check_certificate(struct cw_step_run *run, const struct cw_listed_key *k,
    uint8_t serial[CW_SERIAL_BYTES])
{
	uint8_t number[CW_SERIAL_MAX];
	uint8_t hash[CW_HASH_BYTES];
	struct cw_target sent;
	size_t len = 0;
	enum cw_err err;

	if (k->n_chain == 0 ||
	    cw_cert_serial(k->chain[0], number, &len) != CW_OK ||
	    len != CW_SERIAL_BYTES)
		return CW_ERR_WRONG_REPLY;
	err = cw_target_load(run->engine->store, number, &sent);
	if (err == CW_ERR_UNKNOWN_SERIAL || err == CW_ERR_NOT_CONFIRMED)
		return CW_ERR_WRONG_REPLY;
	if (err != CW_OK)
		return err;
	cw_hash(k->chain[0], hash);
	memcpy(serial, number, CW_SERIAL_BYTES);
	return sent.id == k->id &&
		memcmp(hash, sent.leaf_hash, sizeof(hash)) == 0 ?
	    CW_OK :
	    CW_ERR_WRONG_REPLY;
}

/* An id that the scope has may be on another card, for another key: nothing is
 * done to what the person was not asked about. */
static bool
is_named(const struct cw_intent *intent, const struct cw_listed_key *k)
{
	const struct cw_intent_object *o = cw_intent_object(intent, k->id);
	uint8_t hash[CW_HASH_BYTES];

	cw_hash(k->chain[0], hash);
	return o == NULL || memcmp(o->leaf_hash, hash, sizeof(hash)) == 0;
}

static enum cw_err
add_deed(struct cw_step_run *run, enum cw_command_no no,
    const struct cw_listed_key *k, const uint8_t serial[CW_SERIAL_BYTES])
{
	struct cw_session_secret *secret = run->secret;
	struct cw_deed *d = &secret->deeds[secret->n_deeds];

	if (secret->n_deeds == CW_DEEDS_MAX)
		return CW_ERR_WRONG_REPLY;
	secret->n_deeds++;
	d->no = no;
	d->target = k->id;
	memcpy(d->serial, serial, sizeof(d->serial));
	cw_certificates_hash(k->chain, k->n_chain, d->chain_hash);
	return CW_OK;
}

static bool
replaces(enum cw_command_no no)
{
	return no == CW_UPDATE_KEY || no == CW_DELETE_KEY;
}

/* The deed by which an old key makes way for the new one; NULL: none yet. */
static const struct cw_deed *
replacement(const struct cw_session_secret *secret)
{
	for (size_t i = 0; i < secret->n_deeds; i++)
		if (replaces(secret->deeds[i].no))
			return &secret->deeds[i];
	return NULL;
}

/*
 * The profile's key can take the place of this one: UPDATE_KEY wants the same
 * slot and usage. Where the new key's statement must name a PIN, it names the
 * policy that the old one has, and the old one is deleted.
 */
static bool
fits(const struct listing *l, const struct cw_listed_key *k)
{
	const struct cw_attributes *a = &k->attributes;

	return a->slot == l->profile->slot && a->usage == l->profile->usage &&
	    (cw_scope_has_command(&l->grant.scope, CW_UPDATE_KEY) ||
		a->pin_policy != 0);
}

static enum cw_err
add_replacement(struct cw_step_run *run, struct listing *l,
    const struct cw_listed_key *k, const uint8_t serial[CW_SERIAL_BYTES])
{
	bool updates = cw_scope_has_command(&l->grant.scope, CW_UPDATE_KEY);

	if (!fits(l, k))
		return CW_OK;
	if (replacement(run->secret) != NULL)
		return CW_ERR_MANY_TARGETS;
	run->secret->policy = updates ? 0 : k->attributes.pin_policy;
	return add_deed(run, updates ? CW_UPDATE_KEY : CW_DELETE_KEY, k,
	    serial);
}

static enum cw_err
take_target(struct cw_step_run *run, struct listing *l,
    const struct cw_listed_key *k)
{
	const struct cw_scope *scope = &l->grant.scope;
	uint8_t serial[CW_SERIAL_BYTES];
	enum cw_err err = check_certificate(run, k, serial);

	if (err == CW_OK && !is_named(&l->intent, k))
		return CW_OK;
	if (err == CW_OK && cw_scope_makes_keys(scope))
		err = add_replacement(run, l, k, serial);
	else if (err == CW_OK && cw_scope_has_command(scope, CW_DELETE_KEY))
		err = add_deed(run, CW_DELETE_KEY, k, serial);
	/* One that no PIN protects needs no unlock. */
	if (err == CW_OK && k->has_pin &&
	    cw_scope_has_command(scope, CW_UNLOCK_KEY))
		err = add_deed(run, CW_UNLOCK_KEY, k, serial);
	return err;
}

/* Ids rise, so that a list has an end. */
static enum cw_err
take_list(struct cw_step_run *run, struct listing *l)
{
	struct cw_session_secret *secret = run->secret;
	enum cw_err err = CW_OK;

	if (l->reply.more && l->reply.n_keys == 0)
		return CW_ERR_WRONG_REPLY;
	for (size_t i = 0; i < l->reply.n_keys && err == CW_OK; i++) {
		const struct cw_listed_key *k = &l->keys[i];

		if (k->id <= secret->listed)
			return CW_ERR_WRONG_REPLY;
		secret->listed = k->id;
		if (cw_scope_has_object(&l->grant.scope, k->id))
			err = take_target(run, l, k);
	}
	return err;
}

/* ---- what the card has no more ---- */

static bool
is_listed(const struct listing *l, uint32_t id)
{
	for (size_t i = 0; i < l->reply.n_keys; i++)
		if (l->keys[i].id == id)
			return true;
	return false;
}

/*
 * A key that this very card had, by the store, and that its list passes over: it
 * went with a result that was lost, or the holder has deleted it. Its certificate is
 * suspended with this step.
 */
static enum cw_err
take_gone(struct cw_step_run *run, const struct listing *l,
    const struct cw_verdict *card, uint32_t id)
{
	const struct cw_intent_object *o = cw_intent_object(&l->intent, id);
	struct cw_retired *gone = &run->retired[run->n_retired];
	struct cw_target target;
	char hex[2 * CW_SERIAL_BYTES + 1];
	enum cw_err err;

	if (o == NULL || run->n_retired == CW_DEEDS_MAX)
		return CW_OK;
	err = cw_target_on_card(run->engine->store, o, card, &target);
	if (err != CW_OK)
		return err == CW_ERR_UNKNOWN_SERIAL ? CW_OK : err;
	memcpy(gone->serial, target.serial, sizeof(gone->serial));
	gone->reason = CW_REASON_CESSATION;
	run->n_retired++;
	cw_base16_encode(CW_BYTES_ARRAY(gone->serial), hex);
	cw_log(CW_LOG_INFO, "certificate.gone", "serial=%s", hex);
	return CW_OK;
}

static bool
goes_on(const struct cw_step_run *run, const struct listing *l)
{
	const struct cw_scope *scope = &l->grant.scope;

	return l->reply.more &&
	    run->secret->listed < scope->objects[scope->n_objects - 1];
}

/* Of the ids that this part of the list is about: those behind `from`. */
static enum cw_err
take_all_gone(struct cw_step_run *run, const struct listing *l, uint32_t from)
{
	const struct cw_scope *scope = &l->grant.scope;
	uint32_t to = goes_on(run, l) ? run->secret->listed : UINT32_MAX;
	struct cw_verdict card;
	enum cw_err err =
	    cw_verdict_decode(cw_buf_bytes(&run->session->verdict), &card);

	for (size_t i = 0; i < scope->n_objects && err == CW_OK; i++)
		if (scope->objects[i] > from && scope->objects[i] <= to &&
		    !is_listed(l, scope->objects[i]))
			err = take_gone(run, l, &card, scope->objects[i]);
	return err;
}

/* ---- what happens ---- */

/* Of sessions side by side only as many get CLOSE as the grant has uses: one
 * counts after the other has committed. */
static enum cw_err
close_without_key(struct cw_step_run *run, const struct cw_grant *grant)
{
	struct cw_engine *engine = run->engine;
	const struct cw_engine_chains *chains;
	enum cw_err err = cw_engine_chains(engine, &chains);

	if (err != CW_OK)
		return err;
	cw_kept_key_put(&run->kept, CW_BYTES_NONE, chains->version);
	pthread_mutex_lock(&engine->closing);
	err = cw_step_check_used(engine, run->session->invitation, grant);
	if (err == CW_OK)
		err = cw_step_put_close(run, CW_PHASE_MANAGING, NULL);
	if (err == CW_OK)
		err = cw_step_commit(run, CW_STAGE_INSTALLING);
	pthread_mutex_unlock(&engine->closing);
	return err;
}

static enum cw_err
decide(struct cw_step_run *run, struct listing *l)
{
	const struct cw_scope *scope = &l->grant.scope;
	struct cw_session_secret *secret = run->secret;

	if (goes_on(run, l))
		return ask(run);
	if (secret->n_deeds == 0 ||
	    (cw_scope_makes_keys(scope) && replacement(secret) == NULL))
		return CW_ERR_NOTHING_THERE;
	return cw_scope_makes_keys(scope) ? cw_step_order_key(run, &l->grant) :
					    close_without_key(run, &l->grant);
}

static enum cw_err
load(struct cw_step_run *run, struct listing *l)
{
	struct cw_session *s = run->session;
	struct cw_store *store = run->engine->store;
	enum cw_err err =
	    store->invitation_load(store, s->invitation, &l->invitation);

	if (err == CW_OK &&
	    (cw_grant_decode(cw_buf_bytes(&s->grant), &l->grant) != CW_OK ||
		cw_intent_decode(cw_buf_bytes(&l->invitation.intent),
		    &l->intent) != CW_OK))
		err = CW_ERR_STORE_CORRUPT;
	if (err != CW_OK)
		return err;
	l->profile = cw_config_profile(run->engine->config, l->grant.profile);
	l->reply.keys = l->keys;
	return l->profile == NULL ? CW_ERR_UNKNOWN_PROFILE : CW_OK;
}

static enum cw_err
manage(struct cw_step_run *run, struct listing *l, bool *ended)
{
	static const enum cw_command_no nos[] = { CW_LIST };
	enum cw_err err = load(run, l);
	uint32_t from;

	if (err != CW_OK)
		return err;
	err = cw_step_open_replies(run, nos, 1, &l->reply, &l->plain, ended);
	if (err != CW_OK)
		return err;
	run->secret->first++;
	from = run->secret->listed;
	err = take_list(run, l);
	if (err == CW_OK)
		err = take_all_gone(run, l, from);
	if (err == CW_OK)
		err = decide(run, l);
	*ended = err != CW_OK && !run->lost_race && !cw_step_is_transient(err);
	return err;
}

enum cw_err
cw_step_manage(struct cw_step_run *run)
{
	struct listing *l = calloc(1, sizeof(*l));
	bool ended = false;
	enum cw_err err;

	if (l == NULL)
		return CW_ERR_NO_MEMORY;
	cw_buf_init(&l->plain, CW_COMMAND_MAX);
	cw_invitation_init(&l->invitation);
	err = manage(run, l, &ended);
	if (err == CW_ERR_NOTHING_THERE && ended)
		err = cw_step_end_retiring(run, err);
	else if (ended)
		err = cw_step_end(run, err);
	cw_buf_wipe(&l->plain);
	cw_invitation_wipe(&l->invitation);
	free(l);
	return err;
}
