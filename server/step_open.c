/* SPDX-License-Identifier: Apache-2.0 */
/* Step 2 to 3: capabilities in, session request out. */
#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "proto/rfc4648.h"
#include "server/step.h"

/* CREATE_KEY, SET_CERTIFICATES and CLOSE, and some more; where there is something
 * to manage, as many LISTs and deeds as there can be. */
#define COMMAND_LIMIT 16
#define COMMAND_LIMIT_MANAGE 96
#define TRIES 4u /* message 2 again after its session ran out unused */

struct opening {
	struct cw_capabilities capabilities;
	struct cw_card_caps caps;
	struct cw_grant grant;
	const struct cw_profile *profile;
	const struct cw_suite *suite;
};

/* The issuer's choice: the highest suite that profile and card have. */
static const struct cw_suite *
choose_suite(const struct cw_profile *profile, const struct cw_card_caps *caps)
{
	for (unsigned id = 31; id > 0; id--) {
		const struct cw_suite *suite = cw_suite_find(id);

		if (suite != NULL && (profile->suites & 1u << id) != 0 &&
		    cw_card_caps_has_suite(caps, id))
			return suite;
	}
	return NULL;
}

/* What card and invitation allow together, before a signature is spent. */
static enum cw_err
check(struct cw_engine *engine, const struct cw_invitation *invitation,
    struct cw_bytes message, struct opening *o)
{
	uint8_t hash[CW_HASH_BYTES];
	enum cw_err err = cw_capabilities_decode(message, &o->capabilities);

	if (err == CW_OK)
		err = cw_card_caps_decode(o->capabilities.card_caps, &o->caps);
	if (err == CW_OK)
		err = cw_grant_decode(cw_buf_bytes(&invitation->grant),
		    &o->grant);
	if (err != CW_OK)
		return err;
	cw_hash(cw_buf_bytes(&invitation->intent), hash);
	if (memcmp(hash, o->capabilities.intent_hash, sizeof(hash)) != 0)
		return CW_ERR_BAD_INTENT_HASH;
	o->profile = cw_config_profile(engine->config, o->grant.profile);
	if (o->profile == NULL)
		return CW_ERR_UNKNOWN_PROFILE;
	o->suite = choose_suite(o->profile, &o->caps);
	if (o->suite == NULL)
		return CW_ERR_NO_COMMON_SUITE;
	if (!cw_card_caps_has_mode(&o->caps, o->grant.mode))
		return CW_ERR_WRONG_MODE;
	if (cw_scope_makes_keys(&o->grant.scope) &&
	    !cw_card_caps_has_key_type(&o->caps, o->profile->key_type))
		return CW_ERR_UNSUPPORTED_KEY;
	return CW_OK;
}

/*
 * What has no card behind it yet, or no key, gets no more than the issuer's own
 * time, however long R lasts: cw_step_extend gives it the profile's.
 */
static uint64_t
begin_s(const struct cw_config *config, const struct cw_profile *profile)
{
	uint64_t own_s = 60ull * config->session_minutes;
	uint64_t all_s = cw_config_session_s(config, profile);

	return all_s < own_s ? all_s : own_s;
}

/* Sessions that one invitation can begin in the time that an unused one stays:
 * whoever holds it may try again, but not fill the issuer. */
static enum cw_err
check_invitation(struct cw_engine *engine,
    const struct cw_invitation *invitation, const struct cw_profile *profile,
    uint64_t now_ms)
{
	unsigned burst = cw_session_per_invitation(invitation->uses);
	uint64_t all_ms = 1000 * begin_s(engine->config, profile);
	uint64_t refill_ms = all_ms / burst;

	return cw_limit_take(engine->limits,
	    CW_BYTES_ARRAY(invitation->code_hash), burst,
	    refill_ms > 0 ? (unsigned)refill_ms : 1, now_ms);
}

enum cw_err
cw_step_check_used(struct cw_engine *engine,
    const uint8_t code_hash[CW_HASH_BYTES], const struct cw_grant *grant)
{
	struct cw_store *store = engine->store;
	uint64_t closing = 0;
	unsigned confirmed = 0;
	unsigned used = 0;
	enum cw_err err;

	if (cw_scope_makes_keys(&grant->scope))
		return CW_OK;
	err = store->session_count_closing(store, code_hash, &closing);
	if (err == CW_OK)
		err =
		    store->invitation_used(store, code_hash, &used, &confirmed);
	return err == CW_OK && used + closing >= grant->uses ?
	    CW_ERR_INVITATION_USED :
	    err;
}

static enum cw_err
check_load(struct cw_engine *engine, const struct cw_invitation *invitation,
    const struct cw_profile *profile)
{
	uint64_t now_ms = cw_clock_now_s(engine->clock) * 1000;

	if (atomic_load(&engine->open_sessions) >=
	    (int64_t)engine->config->open_sessions_max)
		return CW_ERR_TOO_BUSY;
	return check_invitation(engine, invitation, profile, now_ms);
}

static enum cw_err
sign(struct cw_engine *engine, const struct cw_invitation *invitation,
    const struct opening *o, const struct cw_public_key *ephemeral,
    struct cw_session *session)
{
	struct cw_request q;
	struct cw_buf text;
	enum cw_err err;

	memset(&q, 0, sizeof(q));
	cw_buf_init(&text, CW_URI_MAX + 16);
	cw_buf_put_str(&text, engine->config->url);
	cw_buf_put_str(&text, "/session");
	q.suite = o->suite;
	memcpy(q.session_id, session->id, sizeof(q.session_id));
	q.uri = cw_buf_bytes(&text);
	q.issuer_ephemeral = *ephemeral;
	memcpy(q.card_nonce, o->caps.nonce, sizeof(q.card_nonce));
	cw_hash(o->capabilities.card_caps, q.caps_hash);
	memcpy(q.intent_hash, o->capabilities.intent_hash,
	    sizeof(q.intent_hash));
	q.scope = o->grant.scope;
	q.mode = o->grant.mode;
	q.lifetime_s = cw_config_session_s(engine->config, o->profile);
	q.command_limit = o->grant.action == CW_ACTION_ENROLL ?
	    COMMAND_LIMIT :
	    COMMAND_LIMIT_MANAGE;
	err = text.err != CW_OK ? text.err :
				  cw_signer_sign_request(engine->signer,
				      cw_buf_bytes(&invitation->grant), &q,
				      &session->request, session->request_tag);
	cw_buf_wipe(&text);
	return err;
}

/* The issuer's ephemeral key, its private half sealed into the session. */
static enum cw_err
make_ephemeral(struct cw_engine *engine, const struct cw_suite *suite,
    struct cw_session *session, struct cw_public_key *public_key)
{
	struct cw_session_secret *secret = calloc(1, sizeof(*secret));
	struct cw_private_key *ephemeral = NULL;
	enum cw_err err;

	if (secret == NULL)
		return CW_ERR_NO_MEMORY;
	secret->suite = suite;
	err = cw_key_generate(suite->agreement, &ephemeral);
	if (err == CW_OK)
		err = cw_key_scalar(ephemeral, secret->scalar);
	if (err == CW_OK)
		err = cw_session_secret_seal(secret, true, engine->seal,
		    session->id, &session->sealed);
	if (err == CW_OK)
		cw_key_public(ephemeral, public_key);
	cw_key_free(&ephemeral);
	cw_wipe(secret, sizeof(*secret));
	free(secret);
	return err;
}

/* Ephemeral key, R, and the row; of two threads with the same message 2 the
 * second finds the first one's. */
static enum cw_err
make(struct cw_engine *engine, const struct cw_invitation *invitation,
    const struct opening *o, struct cw_session *session)
{
	struct cw_public_key public_key;
	enum cw_err err;

	session->stage = CW_STAGE_OPENED;
	session->created_s = cw_clock_now_s(engine->clock);
	session->expires_s =
	    session->created_s + begin_s(engine->config, o->profile);
	memcpy(session->invitation, invitation->code_hash,
	    sizeof(session->invitation));
	cw_buf_put(&session->grant, cw_buf_bytes(&invitation->grant));
	err = make_ephemeral(engine, o->suite, session, &public_key);
	if (err == CW_OK)
		err = sign(engine, invitation, o, &public_key, session);
	if (err == CW_OK)
		err = session->grant.err;
	if (err == CW_OK)
		err = engine->store->session_add(engine->store, session);
	if (err == CW_OK)
		atomic_fetch_add(&engine->open_sessions, 1);
	return err;
}

/* The session that this message 2 began before, if it did. One that ran out
 * before message 4 is none: NO_SESSION with the next try's id. */
static enum cw_err
find(struct cw_engine *engine, const struct cw_invitation *invitation,
    struct cw_bytes message, struct cw_session *session)
{
	uint64_t now_s = cw_clock_now_s(engine->clock);
	enum cw_err err = CW_OK;

	for (uint8_t try = 0; try < TRIES && err == CW_OK; try++) {
		uint8_t id[CW_SESSION_ID_BYTES];

		cw_seal_session_id(engine->seal, invitation->code_hash, message,
		    try, id);
		err = engine->store->session_load(engine->store, id, session);
		if (err == CW_ERR_NO_SESSION)
			memcpy(session->id, id, sizeof(id));
		else if (err == CW_OK &&
		    (session->n_digests > 0 || now_s < session->expires_s))
			return CW_OK;
	}
	return err == CW_OK ? CW_ERR_SESSION_EXPIRED : err;
}

static enum cw_err
begin(struct cw_engine *engine, const struct cw_invitation *invitation,
    const struct opening *o, struct cw_session *session)
{
	uint8_t id[CW_SESSION_ID_BYTES];
	char hex[9];
	enum cw_err err =
	    cw_invitation_check(invitation, cw_clock_now_s(engine->clock));

	if (err == CW_OK)
		err = cw_step_check_used(engine, invitation->code_hash,
		    &o->grant);
	if (err == CW_OK)
		err = check_load(engine, invitation, o->profile);
	if (err != CW_OK)
		return err;
	memcpy(id, session->id, sizeof(id));
	cw_session_wipe(session);
	cw_session_init(session);
	memcpy(session->id, id, sizeof(id));
	err = make(engine, invitation, o, session);
	if (err == CW_ERR_EXISTS)
		return engine->store->session_load(engine->store, id, session);
	cw_base16_encode(cw_bytes(id, 4), hex);
	if (err == CW_OK)
		cw_log(CW_LOG_DEBUG, "session.open",
		    "session=%s suite=%u mode=%u", hex, o->suite->id,
		    (unsigned)o->grant.mode);
	return err;
}

enum cw_err
cw_session_open(struct cw_engine *engine,
    const struct cw_invitation *invitation, struct cw_bytes message,
    struct cw_buf *answer, uint8_t id[CW_SESSION_ID_BYTES])
{
	struct opening *o = calloc(1, sizeof(*o));
	struct cw_session session;
	enum cw_err err;

	if (o == NULL)
		return CW_ERR_NO_MEMORY;
	cw_session_init(&session);
	err = check(engine, invitation, message, o);
	if (err == CW_OK)
		err = find(engine, invitation, message, &session);
	if (err == CW_ERR_NO_SESSION)
		err = begin(engine, invitation, o, &session);
	if (err == CW_OK) {
		memcpy(id, session.id, sizeof(session.id));
		cw_buf_put(answer, cw_buf_bytes(&session.request));
		err = answer->err;
	}
	cw_session_wipe(&session);
	free(o);
	return err;
}
