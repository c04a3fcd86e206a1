/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's checks (docs/protocol.md "The signer's check"), each made by the
 * signer itself or proven to it by a tag that only it can make. */
#include "proto/base/secret.h"
#include "proto/channel.h"

#include "keys/signer_state.h"

static void
make_tag(struct cw_signer_state *s, uint8_t out[CW_TAG_BYTES])
{
	cw_hmac_sha256(cw_bytes(s->tag_key, CW_TAG_BYTES),
	    cw_buf_bytes(&s->scratch), out);
	/* An encoding that failed must not give a tag that can match. */
	if (s->scratch.err != CW_OK)
		cw_random(out, CW_TAG_BYTES);
}

void
cw_signer_request_tag(struct cw_signer_state *s,
    const uint8_t request_hash[CW_HASH_BYTES],
    const uint8_t grant_hash[CW_HASH_BYTES], uint8_t out[CW_TAG_BYTES])
{
	struct cw_buf *b = &s->scratch;

	cw_buf_reset(b);
	cw_cbor_put_array(b, 4);
	cw_cbor_put_str(b, "CW1 signer request");
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(s->anchors));
	cw_cbor_put_bstr(b, cw_bytes(request_hash, CW_HASH_BYTES));
	cw_cbor_put_bstr(b, cw_bytes(grant_hash, CW_HASH_BYTES));
	make_tag(s, out);
}

void
cw_signer_verdict_tag(struct cw_signer_state *s, const struct cw_session *x,
    const struct cw_verdict *v, uint8_t out[CW_TAG_BYTES])
{
	struct cw_buf *b = &s->scratch;

	cw_buf_reset(b);
	cw_cbor_put_array(b, 10);
	cw_cbor_put_str(b, "CW1 signer token");
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(s->anchors));
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(x->th));
	cw_cbor_put_uint(b, x->request.mode);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(x->grant_hash));
	cw_cbor_put_uint(b, v->attestation.kind);
	cw_cbor_put_str(b, v->attestation.model);
	cw_cose_key_put(b, &v->attestation.key);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(v->attestation.leaf_hash));
	if (v->has_pseudonym)
		cw_cbor_put_bstr(b, CW_BYTES_ARRAY(v->pseudonym));
	else
		cw_cbor_put_null(b);
	make_tag(s, out);
}

/* A binding that the mode cannot prove would bind nothing. */
static bool
binding_is_provable(const struct cw_grant *g)
{
	return (!g->has_leaf || g->mode == CW_MODE_IDENTIFIED) &&
	    (!g->has_pseudonym || g->mode == CW_MODE_PSEUDONYMOUS);
}

enum cw_err
cw_signer_check_grant(struct cw_signer_state *s, const struct cw_grant *g,
    uint64_t now_s, const struct cw_profile **out)
{
	const struct cw_profile *p = cw_config_profile(s->config, g->profile);

	if (!cw_own_window_has(&s->authority_window, now_s))
		return CW_ERR_AUTHORITY_EXPIRED;
	if (now_s > g->not_after_s)
		return CW_ERR_INVITATION_EXPIRED;
	if (p == NULL)
		return CW_ERR_UNKNOWN_PROFILE;
	/* Fewer approvals than the profile wants, or more than anybody could
	 * give, certify nothing. */
	if ((p->modes & 1u << g->mode) == 0 || g->uses > p->uses_max ||
	    g->approvals < p->approvals || g->approvals > s->n_operators ||
	    !binding_is_provable(g))
		return CW_ERR_PROFILE_REFUSES;
	*out = p;
	return CW_OK;
}

/* Where it is kept, or the one that gives its place up for it. */
static uint8_t *
place_of(struct cw_signer_state *s, const uint8_t grant_hash[CW_HASH_BYTES])
{
	size_t i = (size_t)grant_hash[0] << 8 | grant_hash[1];

	return s->grants[i % CW_SIGNER_GRANTS];
}

enum cw_err
cw_signer_take_grant(struct cw_signer_state *s, struct cw_bytes in,
    const uint8_t grant_hash[CW_HASH_BYTES], struct cw_grant *out)
{
	return memcmp(place_of(s, grant_hash), grant_hash, CW_HASH_BYTES) == 0 ?
	    cw_grant_decode(in, out) :
	    cw_grant_verify(in, &s->authority_public, out);
}

void
cw_signer_keep_grant(struct cw_signer_state *s,
    const uint8_t grant_hash[CW_HASH_BYTES])
{
	memcpy(place_of(s, grant_hash), grant_hash, CW_HASH_BYTES);
}

enum cw_err
cw_signer_check_subject(struct cw_signer_state *s, const struct cw_grant *g,
    const uint8_t grant_hash[CW_HASH_BYTES], const struct cw_profile *profile,
    const struct cw_subject **out)
{
	struct cw_known_subject *k =
	    &s->subjects[grant_hash[0] % CW_SIGNER_SUBJECTS];
	enum cw_err err;

	*out = &k->subject;
	if (k->subject.name_len > 0 &&
	    memcmp(k->grant_hash, grant_hash, CW_HASH_BYTES) == 0)
		return CW_OK;
	k->subject.name_len = 0;
	err = cw_issue_subject(s->issue, profile, g->subject, &k->subject);
	if (err == CW_OK)
		memcpy(k->grant_hash, grant_hash, CW_HASH_BYTES);
	else
		k->subject.name_len = 0;
	return err;
}

enum cw_err
cw_signer_check_within(const struct cw_request *q, const struct cw_grant *g,
    const struct cw_profile *p)
{
	if (q->mode != g->mode)
		return CW_ERR_WRONG_MODE;
	/* What is there already cannot be known to an issuer that must not know
	 * the card again. */
	if (g->action != CW_ACTION_ENROLL && q->mode == CW_MODE_ANONYMOUS)
		return CW_ERR_WRONG_MODE;
	if (!cw_scope_within(&q->scope, &g->scope) ||
	    !cw_action_allows(g->action, &q->scope))
		return CW_ERR_BAD_SCOPE;
	if ((p->suites & 1u << q->suite->id) == 0)
		return CW_ERR_PROFILE_REFUSES;
	return CW_OK;
}

/* R and grant by their signatures: for the tag of another signer, or none. */
static enum cw_err
verify_both(struct cw_signer_state *s, const struct cw_proof *p,
    struct cw_session *x)
{
	enum cw_err err;

	err = cw_grant_verify(p->grant, &s->authority_public, &x->grant);
	if (err == CW_OK)
		err = cw_request_verify(p->request, &x->request);
	return err;
}

static enum cw_err
read_both(struct cw_signer_state *s, const struct cw_proof *p,
    struct cw_session *x)
{
	uint8_t tag[CW_TAG_BYTES];
	enum cw_err err;

	cw_signer_request_tag(s, x->request_hash, x->grant_hash, tag);
	if (!cw_secret_equal(CW_BYTES_ARRAY(tag), CW_BYTES_ARRAY(p->tag)))
		return verify_both(s, p, x);
	err = cw_grant_decode(p->grant, &x->grant);
	if (err == CW_OK)
		err = cw_request_decode(p->request, &x->request);
	return err;
}

enum cw_err
cw_signer_read_proof(struct cw_signer_state *s, const struct cw_proof *p,
    struct cw_session *x)
{
	const struct cw_request *q = &x->request;
	enum cw_err err;

	x->now_s = cw_clock_now_s(&s->clock);
	cw_hash(p->request, x->request_hash);
	cw_hash(p->grant, x->grant_hash);
	err = read_both(s, p, x);
	if (err != CW_OK)
		return err;
	/* Its own R: another management key's, however well signed, is not. */
	if (memcmp(&q->management_key, &s->management_public,
		sizeof(s->management_public)) != 0)
		return CW_ERR_BAD_SIGNATURE;
	if (memcmp(q->grant_hash, x->grant_hash, CW_HASH_BYTES) != 0)
		return CW_ERR_BAD_GRANT;
	if (p->card_ephemeral.type != q->suite->agreement)
		return CW_ERR_BAD_KEY;
	cw_channel_th(p->request, &p->card_ephemeral, x->th);
	return CW_OK;
}

enum cw_err
cw_signer_check_proof(struct cw_signer_state *s, const struct cw_proof *p,
    struct cw_session *x)
{
	const struct cw_request *q = &x->request;
	enum cw_err err = cw_signer_read_proof(s, p, x);

	if (err != CW_OK)
		return err;
	if (x->now_s + CW_CLOCK_SKEW_S < q->time_s ||
	    x->now_s > q->time_s + q->lifetime_s)
		return CW_ERR_SESSION_EXPIRED;
	err = cw_signer_check_grant(s, &x->grant, x->now_s, &x->profile);
	return err == CW_OK ? cw_signer_check_within(q, &x->grant, x->profile) :
			      err;
}

enum cw_err
cw_signer_check_binding(const struct cw_signer_state *s,
    const struct cw_grant *g, const struct cw_verdict *v)
{
	const struct cw_attestation *a = &v->attestation;
	const struct cw_model *model;

	model = cw_config_model(s->config, cw_bytes_str(a->model));
	if (model == NULL || model->withdrawn)
		return CW_ERR_UNKNOWN_MODEL;
	if ((g->has_leaf &&
		memcmp(g->leaf_hash, a->leaf_hash, CW_HASH_BYTES) != 0) ||
	    (g->has_pseudonym &&
		(!v->has_pseudonym ||
		    memcmp(g->pseudonym, v->pseudonym, CW_HASH_BYTES) != 0)) ||
	    (g->has_model && !cw_bytes_is(g->model, a->model)))
		return CW_ERR_BINDING_REFUSED;
	return CW_OK;
}

enum cw_err
cw_signer_check_token_in(struct cw_signer_state *s, const struct cw_session *x,
    struct cw_bytes in, struct cw_verdict *out)
{
	struct cw_token token;
	enum cw_err err;

	memset(out, 0, sizeof(*out));
	err = cw_token_decode(in, &token);
	if (err == CW_OK)
		err = cw_trust_check_attestation(s->vendor, token.chain,
		    token.n_chain, x->now_s, &out->attestation);
	if (err == CW_OK)
		err = cw_token_check(&token, &out->attestation, x->th,
		    x->request.mode);
	if (err != CW_OK)
		return err;
	out->has_pseudonym = token.has_pseudonym;
	if (token.has_pseudonym)
		memcpy(out->pseudonym, token.pseudonym, CW_HASH_BYTES);
	err = cw_signer_check_binding(s, &x->grant, out);
	if (err == CW_OK)
		cw_signer_verdict_tag(s, x, out, out->tag);
	return err;
}
