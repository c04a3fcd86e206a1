/* SPDX-License-Identifier: Apache-2.0 */
/* The holder's pages: which, for whom, with what on them. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/rfc4648.h"
#include "server/pages.h"
#include "server/route.h"
#include "server/session.h"

#define CODE_BYTES 18 /* of an invitation; 24 characters */

/*
 * For pages, before a person goes on in vain. A certificate that the card has
 * not confirmed uses nothing up here: its session may go on, and which it is
 * the card decides, behind this page.
 */
static enum cw_err
check_open(const struct cw_route_context *c,
    const struct cw_invitation *invitation)
{
	unsigned used;
	unsigned confirmed = 0;
	enum cw_err err =
	    cw_invitation_check(invitation, cw_clock_now_s(c->engine->clock));

	if (err == CW_OK)
		err = c->engine->store->invitation_used(c->engine->store,
		    invitation->code_hash, &used, &confirmed);
	return err == CW_OK && confirmed >= invitation->uses ?
	    CW_ERR_INVITATION_USED :
	    err;
}

/* The invitation by the code in the address. The code itself is nowhere in the
 * store: its hash is looked up, so that timing says nothing. */
static enum cw_err
by_code(const struct cw_route_context *c, struct cw_invitation *out)
{
	uint8_t code[CODE_BYTES];
	uint8_t hash[CW_HASH_BYTES];
	enum cw_err err;

	if (!cw_base64url_decode(c->target->tail, code, sizeof(code)))
		return CW_ERR_BAD_INVITATION;
	cw_hash(c->target->tail, hash);
	err = c->engine->store->invitation_load(c->engine->store, hash, out);
	return err != CW_OK ? err : check_open(c, out);
}

enum cw_err
cw_route_get_invitation(const struct cw_route_context *c)
{
	struct cw_invitation invitation;
	struct cw_intent intent;
	char url[CW_URI_MAX + 64];
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = by_code(c, &invitation);
	if (err == CW_OK)
		err =
		    cw_intent_decode(cw_buf_bytes(&invitation.intent), &intent);
	if (err == CW_OK) {
		snprintf(url, sizeof(url), "%s/i/%.*s", c->engine->config->url,
		    (int)c->target->tail.len,
		    (const char *)c->target->tail.ptr);
		c->response->media_type = CW_HTML_TYPE;
		cw_page_invitation(c->response->language, &intent, url,
		    &c->response->body);
	}
	cw_invitation_wipe(&invitation);
	return err;
}

enum cw_err
cw_route_post_invitation(const struct cw_route_context *c)
{
	uint64_t now_s = cw_clock_now_s(c->engine->clock);
	struct cw_invitation invitation;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = by_code(c, &invitation);
	if (err == CW_OK) {
		uint64_t age_s = invitation.expires_s - now_s;

		if (age_s > 24 * 3600)
			age_s = 24 * 3600;
		cw_seal_cookie(c->engine->seal, invitation.code_hash,
		    now_s + age_s, c->response->cookie);
		c->response->cookie_age_s = (unsigned)age_s;
		c->response->status = 303;
		snprintf(c->response->location, sizeof(c->response->location),
		    "/enroll");
	}
	cw_invitation_wipe(&invitation);
	return err;
}

enum cw_err
cw_route_get_enroll(const struct cw_route_context *c)
{
	struct cw_invitation invitation;
	struct cw_intent intent;
	struct cw_grant grant;
	enum cw_err err;

	cw_invitation_init(&invitation);
	err = cw_route_invitation(c, &invitation);
	if (err == CW_OK)
		err = check_open(c, &invitation);
	if (err == CW_OK)
		err =
		    cw_intent_decode(cw_buf_bytes(&invitation.intent), &intent);
	if (err == CW_OK)
		err = cw_grant_decode(cw_buf_bytes(&invitation.grant), &grant);
	if (err == CW_OK) {
		c->response->media_type = CW_HTML_TYPE;
		c->response->link = "</intent>; rel=\"cardwright-intent\"";
		cw_page_enroll(c->response->language, &intent,
		    cw_config_profile(c->engine->config, grant.profile),
		    &c->response->body);
	}
	cw_invitation_wipe(&invitation);
	return err;
}

/* What came of it, by the store's word: nothing is an answer, too. */
static enum cw_err
load_outcome(const struct cw_route_context *c,
    const struct cw_invitation *invitation, struct cw_certificate *certificate,
    struct cw_cert_about *about)
{
	struct cw_buf der;
	enum cw_err err;

	cw_buf_init(&der, CW_CERT_MAX_BYTES);
	err = c->engine->store->certificate_confirmed(c->engine->store,
	    invitation->code_hash, certificate, &der);
	if (err == CW_OK)
		err = cw_cert_about(cw_buf_bytes(&der), about);
	cw_buf_wipe(&der);
	return err;
}

/* Where no certificate is the outcome, what was done to those that are there.
 * NO_SESSION: nothing yet. */
static enum cw_err
load_deeds(const struct cw_route_context *c,
    const struct cw_invitation *invitation, struct cw_page_outcome *outcome,
    struct cw_deeds_words *words)
{
	struct cw_store *store = c->engine->store;
	struct cw_session session;
	struct cw_buf kept;
	enum cw_err err;

	cw_session_init(&session);
	cw_buf_init(&kept, CW_BODY_MAX);
	err = store->session_managed(store, invitation->code_hash, &session);
	if (err == CW_OK)
		err = store->step_load(store, session.id,
		    (unsigned)session.n_digests, NULL, NULL, &kept);
	if (err == CW_OK)
		err =
		    cw_deeds_done(outcome->intent, cw_buf_bytes(&kept), words);
	if (err == CW_OK)
		outcome->deeds = words;
	cw_session_wipe(&session);
	cw_buf_wipe(&kept);
	return err;
}

/* What the last page is made from; too large for a stack. */
struct done {
	struct cw_invitation invitation;
	struct cw_certificate certificate;
	struct cw_cert_about about;
	struct cw_intent intent;
	struct cw_deeds_words words;
	struct cw_page_outcome outcome;
};

static enum cw_err
load_done(const struct cw_route_context *c, struct done *d)
{
	struct cw_page_outcome *o = &d->outcome;
	const struct cw_profile *profile;
	enum cw_err err = cw_route_invitation(c, &d->invitation);

	if (err == CW_OK)
		err = cw_intent_decode(cw_buf_bytes(&d->invitation.intent),
		    &d->intent);
	if (err != CW_OK)
		return err;
	o->intent = &d->intent;
	err = load_outcome(c, &d->invitation, &d->certificate, &d->about);
	if (err == CW_ERR_UNKNOWN_SERIAL) {
		err = load_deeds(c, &d->invitation, o, &d->words);
		return err == CW_ERR_NO_SESSION ? CW_OK : err;
	}
	if (err != CW_OK)
		return err;
	profile = cw_config_profile(c->engine->config,
	    cw_bytes_str(d->certificate.profile));
	o->about = &d->about;
	o->serial = CW_BYTES_ARRAY(d->certificate.serial);
	o->slot = profile == NULL ? 0 : profile->slot;
	o->has_me = c->engine->config->holder_url[0] != '\0';
	return CW_OK;
}

enum cw_err
cw_route_get_done(const struct cw_route_context *c)
{
	struct done *d = calloc(1, sizeof(*d));
	enum cw_err err;

	if (d == NULL)
		return CW_ERR_NO_MEMORY;
	cw_deeds_words_init(&d->words);
	cw_invitation_init(&d->invitation);
	err = load_done(c, d);
	if (err == CW_OK) {
		c->response->media_type = CW_HTML_TYPE;
		cw_page_done(c->response->language, &d->outcome,
		    &c->response->body);
	}
	cw_deeds_words_wipe(&d->words);
	cw_invitation_wipe(&d->invitation);
	free(d);
	return err;
}

enum cw_err
cw_route_get_file(const struct cw_route_context *c)
{
	struct cw_page_file file;

	if (!cw_page_file(c->request->path, &file))
		return CW_ERR_NOT_FOUND;
	c->response->media_type = file.media_type;
	c->response->fixed = file.content;
	c->response->cacheable = true;
	return CW_OK;
}
