/* SPDX-License-Identifier: Apache-2.0 */
/* Step 3: session requests. */
#include "keys/signer_state.h"
#include "proto/card_link.h"

/*
 * The session URL must be this issuer's: else a stolen web process could have
 * requests signed that make a card talk to another site. A configured port 0
 * ("any", for tests) leaves the port open.
 */
static bool
is_own_url(const struct cw_config *config, struct cw_bytes uri)
{
	struct cw_bytes origin;
	size_t len = strlen(config->url);

	if (!cw_url_origin(uri, &origin))
		return false;
	if (len < 2 || strcmp(config->url + len - 2, ":0") != 0)
		return cw_bytes_is(origin, config->url);
	len--; /* up to and with the colon */
	return origin.len > len && memcmp(origin.ptr, config->url, len) == 0 &&
	    memchr(origin.ptr + len, ':', origin.len - len) == NULL;
}

/*
 * What an R does to the keys that are on a card leaves no certificate to count by,
 * and what becomes of it only the web process learns. So it counts when it is
 * signed: by the card nonce, as no card takes two for one.
 */
static bool
may_touch(const struct cw_request *f)
{
	return f->scope.n_objects > 0;
}

static enum cw_err
check_tries(const struct cw_signer_state *s, const struct cw_grant *grant)
{
	const struct cw_request *f = &s->request.fields;
	const struct cw_index *index = &s->log.index;

	return may_touch(f) &&
		!cw_index_has_request(index, grant->id, f->card_nonce) &&
		cw_index_requests(index, grant->id) / CW_SIGNER_TRIES >=
		    grant->uses ?
	    CW_ERR_INVITATION_USED :
	    CW_OK;
}

static enum cw_err
record_try(struct cw_signer_state *s, const struct cw_grant *grant)
{
	const struct cw_request *f = &s->request.fields;
	struct cw_record record = { .kind = CW_RECORD_REQUESTED,
		.time_s = f->time_s };

	if (!may_touch(f) ||
	    cw_index_has_request(&s->log.index, grant->id, f->card_nonce))
		return CW_OK;
	memcpy(record.grant, grant->id, CW_GRANT_ID_BYTES);
	memcpy(record.nonce, f->card_nonce, CW_NONCE_BYTES);
	return cw_signer_log_append(&s->log, &record);
}

static enum cw_err
check_fields(struct cw_signer_state *s, const struct cw_grant *grant,
    const struct cw_profile *profile)
{
	const struct cw_request *f = &s->request.fields;
	const struct cw_subject *subject;
	enum cw_err err;

	err = cw_signer_check_within(f, grant, profile);
	if (err != CW_OK)
		return err;
	if (f->lifetime_s > cw_config_session_s(s->config, profile))
		return CW_ERR_PROFILE_REFUSES;
	if (!is_own_url(s->config, f->uri))
		return CW_ERR_BAD_ORIGIN;
	if (cw_index_uses(&s->log.index, grant->id, NULL) >= grant->uses)
		return CW_ERR_INVITATION_USED;
	err = check_tries(s, grant);
	if (err != CW_OK)
		return err;
	/* Better refused here than when the card has made its keys. */
	return cw_signer_check_subject(s, grant, f->grant_hash, profile,
	    &subject);
}

static enum cw_err
make_request(struct cw_signer_state *s, uint64_t now_s)
{
	struct cw_request *f = &s->request.fields;
	uint8_t request_hash[CW_HASH_BYTES], tag[CW_TAG_BYTES];
	struct cw_buf r;
	enum cw_err err;

	f->time_s = now_s;
	f->management_key = s->management_public;
	f->n_endorsements = s->n_endorsements;
	memcpy(f->endorsements, s->endorsement, sizeof(s->endorsement));
	cw_buf_init(&r, CW_REQUEST_MAX);
	err = cw_request_make(f, s->management, &r);
	if (err == CW_OK) {
		cw_hash(cw_buf_bytes(&r), request_hash);
		cw_signer_request_tag(s, request_hash, f->grant_hash, tag);
		cw_cbor_put_bstr(&s->results, cw_buf_bytes(&r));
		cw_cbor_put_bstr(&s->results, CW_BYTES_ARRAY(tag));
	}
	cw_buf_wipe(&r);
	return err;
}

/* The management key signs now, the CA later: better refused before the card
 * makes its keys. */
static enum cw_err
check_own(const struct cw_signer_state *s, uint64_t now_s)
{
	return cw_own_window_has(&s->management_window, now_s) &&
		cw_own_window_has(&s->ca_window, now_s) ?
	    CW_OK :
	    CW_ERR_ISSUER_EXPIRED;
}

enum cw_err
cw_signer_op_sign(struct cw_signer_state *s)
{
	const struct cw_profile *profile;
	struct cw_grant grant;
	uint64_t now_s = cw_clock_now_s(&s->clock);
	enum cw_err err;

	cw_hash(s->request.grant, s->request.fields.grant_hash);
	err = cw_signer_take_grant(s, s->request.grant,
	    s->request.fields.grant_hash, &grant);
	if (err == CW_OK)
		err = cw_signer_check_grant(s, &grant, now_s, &profile);
	if (err == CW_OK)
		err = check_own(s, now_s);
	if (err == CW_OK)
		err = check_fields(s, &grant, profile);
	if (err == CW_OK)
		err = make_request(s, now_s);
	if (err == CW_OK)
		err = record_try(s, &grant);
	if (err == CW_OK)
		cw_signer_keep_grant(s, s->request.fields.grant_hash);
	return err;
}
