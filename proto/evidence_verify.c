/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The whole check of evidence, offline: a table of checks, each of which relies
 * only on those before it. Nothing is taken from the file that a signature does
 * not cover, directly or through a hash, but for the time `verified_s`, which
 * is the file's own word: it lies in the time of R, and everything was valid
 * then. The policy version is not looked at.
 *
 * The token's wrapping in message 4 cannot be opened without the session's
 * keys, which are never kept; what counts of it is the statement over th, and
 * message 4's bytes enter h_0 and so the result.
 */
#include <stdlib.h>

#include "proto/approval.h"
#include "proto/channel.h"
#include "proto/command.h"
#include "proto/evidence.h"
#include "proto/grant.h"
#include "proto/request.h"
#include "proto/statement.h"
#include "proto/token.h"
#include "proto/x509_subject.h"

struct check {
	const struct cw_evidence *e;
	struct cw_trust *vendor;
	struct cw_trust *issuer;
	struct cw_public_key management;
	struct cw_public_key authority;
	struct cw_public_key operators[CW_OPERATORS_MAX];
	struct cw_grant grant;
	struct cw_request request;
	struct cw_message4 message_4;
	struct cw_attestation attestation;
	struct cw_channel channel; /* only th and h are used */
	struct cw_key_statement key;
	struct cw_bytes statement; /* its bytes */
	struct cw_result_statement result;
};

/* Where no key was made there is nothing that was certified. */
static bool
has_certificate(const struct cw_evidence *e)
{
	return e->n_certificate > 0 || e->n_keys > 0;
}

static enum cw_err
check_management(struct check *c)
{
	return cw_trust_check(c->issuer, c->e->management, c->e->n_management,
	    c->e->verified_s, CW_OID_EKU_MANAGEMENT, &c->management);
}

static enum cw_err
check_authority(struct check *c)
{
	return cw_trust_check(c->issuer, c->e->authority, c->e->n_authority,
	    c->e->verified_s, CW_OID_EKU_AUTHORITY, &c->authority);
}

/* What the signer certifies nothing under: a binding that the mode cannot prove
 * binds nothing. */
static enum cw_err
check_grant(struct check *c)
{
	const struct cw_grant *g = &c->grant;
	enum cw_err err =
	    cw_grant_verify(c->e->grant, &c->authority, &c->grant);

	if (err != CW_OK)
		return err;
	if (!cw_action_allows(g->action, &g->scope) ||
	    (g->has_leaf && g->mode != CW_MODE_IDENTIFIED) ||
	    (g->has_pseudonym && g->mode != CW_MODE_PSEUDONYMOUS))
		return CW_ERR_BAD_EVIDENCE;
	return CW_OK;
}

static enum cw_err
check_request(struct check *c)
{
	uint8_t hash[CW_HASH_BYTES];
	enum cw_err err = cw_request_verify(c->e->request, &c->request);

	if (err != CW_OK)
		return err;
	cw_hash(c->e->grant, hash);
	if (memcmp(&c->request.management_key, &c->management,
		sizeof(c->management)) != 0 ||
	    memcmp(c->request.grant_hash, hash, sizeof(hash)) != 0 ||
	    !cw_scope_within(&c->request.scope, &c->grant.scope) ||
	    c->request.mode != c->grant.mode ||
	    c->request.time_s > c->grant.not_after_s ||
	    c->e->verified_s + CW_CLOCK_SKEW_S < c->request.time_s ||
	    c->e->verified_s > c->request.time_s + c->request.lifetime_s)
		return CW_ERR_BAD_EVIDENCE;
	return CW_OK;
}

static enum cw_err
check_message_4(struct check *c)
{
	const struct cw_public_key *ephemeral = &c->message_4.card_ephemeral;
	enum cw_err err = cw_message4_decode(c->e->message_4, &c->message_4);

	if (err != CW_OK)
		return err;
	if (memcmp(ephemeral, &c->e->card_ephemeral, sizeof(*ephemeral)) != 0)
		return CW_ERR_BAD_EVIDENCE;
	cw_channel_th(c->e->request, ephemeral, c->channel.th);
	cw_channel_begin(&c->channel, c->e->message_4);
	return CW_OK;
}

static enum cw_err
check_attestation(struct check *c)
{
	return cw_trust_check_attestation(c->vendor, c->e->attestation,
	    c->e->n_attestation, c->e->verified_s, &c->attestation);
}

static enum cw_err
check_token(struct check *c)
{
	struct cw_token_statement s;
	struct cw_token token = { .statement = c->e->token_statement,
		.card_info = c->e->card_info };
	enum cw_err err =
	    cw_token_statement_verify(token.statement, &c->attestation.key, &s);

	if (err != CW_OK)
		return err;
	/* The pseudonym is in the statement itself, and nowhere else here. */
	token.has_pseudonym = s.has_pseudonym;
	memcpy(token.pseudonym, s.pseudonym, sizeof(token.pseudonym));
	if (c->grant.has_pseudonym &&
	    (!s.has_pseudonym ||
		memcmp(c->grant.pseudonym, s.pseudonym, CW_HASH_BYTES) != 0))
		return CW_ERR_BINDING_REFUSED;
	if (c->grant.has_leaf &&
	    memcmp(c->grant.leaf_hash, c->attestation.leaf_hash,
		CW_HASH_BYTES) != 0)
		return CW_ERR_BINDING_REFUSED;
	if (c->grant.has_model &&
	    !cw_bytes_is(c->grant.model, c->attestation.model))
		return CW_ERR_BINDING_REFUSED;
	return cw_token_check(&token, &c->attestation, c->channel.th,
	    c->request.mode);
}

/* What the statement of the certified key must say. */
static bool
key_fits(const struct check *c)
{
	const struct cw_attributes *a = &c->key.attributes;
	uint8_t management[CW_HASH_BYTES];

	cw_cose_key_hash(&c->management, management);
	return memcmp(c->key.th, c->channel.th, CW_HASH_BYTES) == 0 &&
	    memcmp(c->key.management_hash, management, CW_HASH_BYTES) == 0 &&
	    c->key.mode == c->request.mode &&
	    memcmp(c->key.leaf_hash, c->attestation.leaf_hash, CW_HASH_BYTES) ==
	    0 &&
	    a->origin == CW_ORIGIN_CARD && !a->exportable &&
	    (a->slot == 0 || cw_scope_has_slot(&c->request.scope, a->slot));
}

/* One of the key statements must be about the certificate's key. */
static enum cw_err
check_key(struct check *c)
{
	const struct cw_evidence *e = c->e;
	struct cw_public_key certified;
	enum cw_err err;

	if (e->n_certificate == 0 || e->n_keys > CW_KEYS_MAX)
		return CW_ERR_BAD_EVIDENCE;
	err = cw_cert_public_key(e->certificate[0], &certified);
	for (size_t i = 0; err == CW_OK && i < e->n_keys; i++) {
		err = cw_key_statement_verify(e->key_statements[i],
		    &c->attestation.key, &c->key);
		if (err == CW_OK &&
		    memcmp(&c->key.key, &certified, sizeof(certified)) == 0) {
			c->statement = e->key_statements[i];
			return key_fits(c) ? CW_OK : CW_ERR_WRONG_STATEMENT;
		}
	}
	return err != CW_OK ? err : CW_ERR_BAD_EVIDENCE;
}

/* So many operators of this issuer as the grant asks for, about this very key. */
static enum cw_err
check_approvals(struct check *c)
{
	const struct cw_evidence *e = c->e;
	size_t n = 0;

	if (c->grant.approvals == 0)
		return CW_OK;
	/* One that does not count takes nothing from the others. */
	for (size_t i = 0; i < e->n_approvals; i++) {
		enum cw_err err = cw_trust_check(c->issuer, &e->operators[i], 1,
		    e->verified_s, CW_OID_EKU_OPERATOR, &c->operators[n]);

		if (err == CW_ERR_NO_MEMORY)
			return err;
		n += err == CW_OK;
	}
	return cw_approvals_count(e->approvals, e->n_approvals, c->operators, n,
		   c->statement) >= c->grant.approvals ?
	    CW_OK :
	    CW_ERR_BAD_EVIDENCE;
}

static enum cw_err
check_result(struct check *c)
{
	const struct cw_evidence *e = c->e;
	uint8_t h_end[CW_HASH_BYTES];
	size_t last = e->n_commands - 1; /* CLOSE, whose reply is the result */
	enum cw_err err;

	if (e->n_commands == 0 || e->n_commands > c->request.command_limit)
		return CW_ERR_BAD_EVIDENCE;
	err = cw_result_statement_verify(e->result_statement,
	    &c->attestation.key, &c->result);
	if (err != CW_OK)
		return err;
	for (size_t i = 0; i < last; i++)
		cw_channel_advance(&c->channel, e->commands[i], e->replies[i]);
	cw_channel_h_end(&c->channel, e->commands[last], h_end);
	/* No counter exactly where nothing may be linked. */
	if (c->result.has_counter == (c->request.mode == CW_MODE_ANONYMOUS) ||
	    memcmp(c->result.th, c->channel.th, CW_HASH_BYTES) != 0 ||
	    memcmp(c->result.h_end, h_end, CW_HASH_BYTES) != 0 ||
	    memcmp(c->result.close_nonce, e->close_nonce, CW_NONCE_BYTES) != 0)
		return CW_ERR_WRONG_STATEMENT;
	return CW_OK;
}

/* By a command that the scope names; and what was there, only if it is named. */
static bool
was_allowed(const struct cw_scope *scope, const struct cw_result_item *item)
{
	static const struct {
		uint8_t command, or_command; /* 0: no other */
		bool has_target;
	} rows[] = {
		[CW_DONE_PIN_POLICY] = { CW_CREATE_PIN_POLICY, 0, false },
		[CW_DONE_KEY] = { CW_CREATE_KEY, 0, false },
		[CW_DONE_DELETED] = { CW_DELETE_KEY, 0, true },
		[CW_DONE_UPDATED] = { CW_UPDATE_KEY, 0, true },
		[CW_DONE_UNLOCKED] = { CW_UNLOCK_KEY, 0, true },
		[CW_DONE_EXTENSION] = { CW_SET_EXTENSION, 0, false },
		[CW_DONE_PUK_POLICY] = { CW_CREATE_PUK_POLICY, 0, false },
		[CW_DONE_IMPORTED] = { CW_IMPORT_SYMMETRIC_KEY,
		    CW_IMPORT_PRIVATE_KEY, false },
		[CW_DONE_CLONED] = { CW_CLONE_KEY_PROTECTION, 0, true },
	};
	unsigned other = rows[item->done].or_command;

	if (!cw_scope_has_command(scope, rows[item->done].command) &&
	    (other == 0 || !cw_scope_has_command(scope, other)))
		return false;
	return !rows[item->done].has_target ||
	    cw_scope_has_object(scope, item->object_id);
}

/* Nothing that the scope does not name; and nothing new unless there is a
 * certificate that says for what. */
static enum cw_err
check_scope(struct check *c)
{
	const struct cw_scope *scope = &c->request.scope;
	size_t keys = 0;

	for (size_t i = 0; i < c->result.n_items; i++) {
		const struct cw_result_item *item = &c->result.items[i];

		keys +=
		    item->done == CW_DONE_KEY || item->done == CW_DONE_IMPORTED;
		if (!was_allowed(scope, item))
			return CW_ERR_BAD_SCOPE;
	}
	return keys > scope->keys_max || (keys > 0 && !has_certificate(c->e)) ?
	    CW_ERR_BAD_SCOPE :
	    CW_OK;
}

/* The card says that it installed exactly this chain for exactly this key. */
static enum cw_err
check_installed(struct check *c)
{
	uint8_t hash[CW_HASH_BYTES];

	cw_certificates_hash(c->e->certificate, c->e->n_certificate, hash);
	for (size_t i = 0; i < c->result.n_items; i++) {
		const struct cw_result_item *item = &c->result.items[i];

		if (item->object_id == c->key.key_id &&
		    item->done == CW_DONE_KEY &&
		    memcmp(item->hash, hash, sizeof(hash)) == 0)
			return CW_OK;
	}
	return CW_ERR_NOT_CONFIRMED;
}

static enum cw_err
check_certificate(struct check *c)
{
	struct cw_public_key key;

	return cw_trust_check(c->issuer, c->e->certificate, c->e->n_certificate,
	    c->e->verified_s, NULL, &key);
}

/* Nobody else than the grant names. */
static enum cw_err
check_subject(struct check *c)
{
	struct cw_subject subject;
	enum cw_err err = cw_subject_parse(c->grant.subject, &subject);

	return err != CW_OK ?
	    err :
	    cw_cert_check_subject(c->e->certificate[0], &subject);
}

static const struct {
	const char *words;
	enum cw_err (*run)(struct check *c);
	bool of_certificate; /* only where there is one */
} checks[] = {
	{ "the management key is the issuer's", check_management, false },
	{ "the grant authority is the issuer's", check_authority, false },
	{ "the authority signed the grant", check_grant, false },
	{ "the issuer signed the session request under this grant",
	    check_request, false },
	{ "message 4 answers that request", check_message_4, false },
	{ "the card's attestation leads to the vendor", check_attestation,
	    false },
	{ "the card opened this session", check_token, false },
	{ "the card made the certified key in this session", check_key, true },
	{ "as many operators approved it as the grant asks for",
	    check_approvals, true },
	{ "the card closed exactly this session", check_result, false },
	{ "the card did nothing that the scope does not name", check_scope,
	    false },
	{ "the card installed exactly this certificate", check_installed,
	    true },
	{ "the issuer signed the certificate", check_certificate, true },
	{ "the certificate names whom the grant names", check_subject, true },
};

size_t
cw_evidence_checks(void)
{
	return sizeof(checks) / sizeof(checks[0]);
}

const char *
cw_evidence_check_words(size_t i)
{
	return i < cw_evidence_checks() ? checks[i].words : NULL;
}

bool
cw_evidence_check_applies(const struct cw_evidence *e, size_t i)
{
	return !checks[i].of_certificate || has_certificate(e);
}

enum cw_err
cw_evidence_verify(const struct cw_evidence *e, struct cw_trust *vendor,
    struct cw_trust *issuer, const char **failed)
{
	struct check *c = calloc(1, sizeof(*c));
	enum cw_err err = CW_OK;

	if (failed != NULL)
		*failed = NULL;
	if (c == NULL)
		return CW_ERR_NO_MEMORY;
	c->e = e;
	c->vendor = vendor;
	c->issuer = issuer;
	for (size_t i = 0; err == CW_OK && i < cw_evidence_checks(); i++) {
		if (cw_evidence_check_applies(e, i))
			err = checks[i].run(c);
		if (err != CW_OK && failed != NULL)
			*failed = checks[i].words;
	}
	free(c);
	return err;
}
