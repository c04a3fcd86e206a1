/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the agent checks for the person: that the session request is what was
 * shown, comes from the site that asked, and from the issuer that this
 * computer knows (docs/protocol.md, messages 1 and 3).
 */
#include "agent/run_internal.h"

#include "proto/endorsement.h"
#include "proto/base/log.h"

#define CLOCK_SKEW_S 600 /* this machine's clock is no authority */

static bool
has_origin(struct cw_bytes url, struct cw_bytes origin)
{
	struct cw_bytes its;

	return cw_url_origin(url, &its) && cw_bytes_equal(its, origin);
}

enum cw_err
cw_run_check_intent(struct cw_run *run)
{
	enum cw_err err =
	    cw_intent_decode(cw_buf_bytes(&run->intent_bytes), &run->intent);

	if (err != CW_OK)
		return err;
	if (!has_origin(run->intent.session_url, run->env.origin))
		return CW_ERR_BAD_ORIGIN;
	if (run->intent.expires_s <= cw_clock_now_s(run->env.clock))
		return CW_ERR_INVITATION_EXPIRED;
	return CW_OK;
}

static enum cw_err
check_time(const struct cw_run *run, const struct cw_request *r)
{
	uint64_t now = cw_clock_now_s(run->env.clock);

	if (r->time_s > now + CLOCK_SKEW_S)
		return cw_log_fail(CW_ERR_SESSION_EXPIRED, "run.request",
		    "why=from-the-future time=%llu now=%llu",
		    (unsigned long long)r->time_s, (unsigned long long)now);
	if (now > r->time_s && now - r->time_s > r->lifetime_s + CLOCK_SKEW_S)
		return CW_ERR_SESSION_EXPIRED;
	return CW_OK;
}

static bool
is_hash_of(const uint8_t hash[CW_HASH_BYTES], struct cw_bytes bytes)
{
	uint8_t own[CW_HASH_BYTES];

	cw_hash(bytes, own);
	return memcmp(own, hash, sizeof(own)) == 0;
}

enum cw_err
cw_run_check_request(const struct cw_run *run, struct cw_bytes bytes,
    struct cw_request *request)
{
	enum cw_err err = cw_request_verify(bytes, request);

	if (err != CW_OK)
		return err;
	if (!has_origin(request->uri, run->env.origin) ||
	    !cw_bytes_equal(request->uri, run->intent.session_url))
		return CW_ERR_BAD_ORIGIN;
	if (!is_hash_of(request->intent_hash, cw_buf_bytes(&run->intent_bytes)))
		return CW_ERR_BAD_INTENT_HASH;
	if (!cw_scope_equal(&request->scope, &run->intent.scope))
		return CW_ERR_BAD_SCOPE;
	if (request->mode != run->intent.mode)
		return CW_ERR_WRONG_MODE;
	/* The card checks these too; here they name the cause. */
	if (memcmp(request->card_nonce, run->caps.nonce, CW_NONCE_BYTES) != 0)
		return CW_ERR_BAD_NONCE;
	if (!is_hash_of(request->caps_hash, cw_buf_bytes(&run->caps_bytes)))
		return CW_ERR_BAD_CAPS_HASH;
	if (!cw_card_caps_has_suite(&run->caps, request->suite->id))
		return CW_ERR_BAD_SUITE;
	return check_time(run, request);
}

/*
 * Another key than the remembered one: only with a chain of endorsements that
 * begins at that one and has not expired (docs/protocol.md "Roll-over").
 */
static enum cw_err
check_key_change(const struct cw_run *run, const struct cw_request *request,
    const struct cw_known_issuer *issuer)
{
	struct cw_endorsements chain;

	if (cw_endorsements_verify(request, &chain) == CW_OK &&
	    cw_endorsements_lead_from(&chain, issuer->key_hash,
		cw_clock_now_s(run->env.clock)))
		return CW_OK;
	return cw_log_fail(CW_ERR_MANAGEMENT_KEY_CHANGED, "run.request",
	    "origin=%s", issuer->origin);
}

enum cw_err
cw_run_remember(const struct cw_run *run, const struct cw_request *request)
{
	struct cw_known_issuer issuer = { 0 };
	uint8_t hash[CW_HASH_BYTES];
	bool found = false;
	enum cw_err err;

	if (run->env.known == NULL)
		return CW_OK;
	err = cw_known_find(run->env.known, run->env.origin, &issuer, &found);
	if (err != CW_OK)
		return err;
	cw_cose_key_hash(&request->management_key, hash);
	if (found && memcmp(hash, issuer.key_hash, sizeof(hash)) != 0) {
		err = check_key_change(run, request, &issuer);
		if (err != CW_OK)
			return err;
		memcpy(issuer.key_hash, hash, sizeof(hash));
	}
	if (!found) {
		memset(&issuer, 0, sizeof(issuer));
		memcpy(issuer.origin, run->env.origin.ptr, run->env.origin.len);
		memcpy(issuer.key_hash, hash, sizeof(hash));
		issuer.first_seen_s = cw_clock_now_s(run->env.clock);
	}
	/*
	 * The person has accepted this issuer, so it is remembered now, before
	 * the card opens anything. A first use that cannot be remembered would
	 * be a first use again next time: it ends here.
	 */
	issuer.state = CW_KNOWN_BEGUN;
	memcpy(issuer.session_id, request->session_id, CW_SESSION_ID_BYTES);
	return cw_known_put(run->env.known, &issuer);
}

void
cw_run_finished(const struct cw_run *run)
{
	struct cw_known_issuer issuer;
	bool found = false;
	enum cw_err err = CW_OK;

	if (run->env.known == NULL || !run->has_session)
		return;
	err = cw_known_find(run->env.known, run->env.origin, &issuer, &found);
	if (err == CW_OK && found) {
		issuer.state = CW_KNOWN_FINISHED;
		memcpy(issuer.session_id, run->session_id, CW_SESSION_ID_BYTES);
		err = cw_known_put(run->env.known, &issuer);
	}
	/* The session is over all the same; the next run sends the last
	 * message once more. */
	if (err != CW_OK)
		cw_log(CW_LOG_WARN, "run.remember", "name=%s",
		    cw_err_name(err));
}
