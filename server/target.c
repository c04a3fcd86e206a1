/* SPDX-License-Identifier: Apache-2.0 */
/* Objects on cards, by the certificates that were sent for them. */
#include "server/target.h"

#include <stdio.h>
#include <stdlib.h>

#include "proto/intent.h"
#include "proto/statement.h"
#include "server/evidence.h"

/* What one certificate needs to be looked up. */
struct lookup {
	struct cw_session session;
	struct cw_buf der, kept;
	struct cw_verdict verdict;
	struct cw_grant grant;
};

static void
lookup_init(struct lookup *l)
{
	cw_session_init(&l->session);
	cw_buf_init(&l->der, CW_CERT_MAX_BYTES);
	cw_buf_init(&l->kept, CW_BODY_MAX);
}

static void
lookup_wipe(struct lookup *l)
{
	cw_session_wipe(&l->session);
	cw_buf_wipe(&l->der);
	cw_buf_wipe(&l->kept);
}

/* The key id by the card's statement, which the signer has checked. */
static enum cw_err
read_statement(struct lookup *l, struct cw_target *out)
{
	struct cw_bytes statement;
	struct cw_bytes version;
	struct cw_key_statement key;
	enum cw_err err =
	    cw_kept_key_get(cw_buf_bytes(&l->kept), &statement, &version);

	if (err == CW_OK)
		err = cw_key_statement_verify(statement,
		    &l->verdict.attestation.key, &key);
	if (err != CW_OK)
		return CW_ERR_STORE_CORRUPT;
	out->id = key.key_id;
	out->slot = key.attributes.slot;
	return CW_OK;
}

/* Two of one card are equal, and none of two cards; zeros: who knows. */
static void
name_card(const struct cw_verdict *v, uint8_t card[CW_HASH_BYTES])
{
	memset(card, 0, CW_HASH_BYTES);
	if (v->has_pseudonym)
		memcpy(card, v->pseudonym, CW_HASH_BYTES);
	else if (v->attestation.kind == CW_ATTESTATION_CARD)
		memcpy(card, v->attestation.leaf_hash, CW_HASH_BYTES);
}

/* The step whose message had the key statement: the last before the result, or
 * before the message by which the session failed. */
static unsigned
key_step(const struct cw_session *s)
{
	return (unsigned)s->n_digests - (s->stage != CW_STAGE_EXPIRED);
}

static enum cw_err
load(struct cw_store *store, const struct cw_certificate *c, struct lookup *l,
    struct cw_target *out)
{
	struct cw_session *s = &l->session;
	enum cw_err err = store->session_load(store, c->session, s);

	if (err != CW_OK)
		return err == CW_ERR_NO_SESSION ? CW_ERR_NOT_CONFIRMED : err;
	/* Of what was only reserved there is no certificate. */
	if (s->stage < CW_STAGE_DONE || l->der.len == 0)
		return CW_ERR_NOT_CONFIRMED;
	if (key_step(s) < 2 ||
	    cw_verdict_decode(cw_buf_bytes(&s->verdict), &l->verdict) !=
		CW_OK ||
	    cw_grant_decode(cw_buf_bytes(&s->grant), &l->grant) != CW_OK)
		return CW_ERR_STORE_CORRUPT;
	err = store->step_load(store, s->id, key_step(s), NULL, NULL, &l->kept);
	if (err != CW_OK)
		return err;
	out->is_unconfirmed = s->stage != CW_STAGE_DONE;
	name_card(&l->verdict, out->card);
	memcpy(out->serial, c->serial, sizeof(out->serial));
	memcpy(out->subject, c->subject, sizeof(out->subject));
	memcpy(out->profile, c->profile, sizeof(out->profile));
	snprintf(out->account, sizeof(out->account), "%.*s",
	    (int)l->grant.account.len, (const char *)l->grant.account.ptr);
	cw_hash(cw_buf_bytes(&l->der), out->leaf_hash);
	return read_statement(l, out);
}

/* In the order of ids; what is there already is there once. */
static enum cw_err
insert(struct cw_targets *t, const struct cw_target *target)
{
	size_t at = 0;

	while (at < t->n && t->items[at].id < target->id)
		at++;
	if (at < t->n && t->items[at].id == target->id)
		return CW_OK;
	if (t->n == CW_SCOPE_OBJECTS_MAX)
		return CW_ERR_TOO_MANY_KEYS;
	memmove(&t->items[at + 1], &t->items[at],
	    (t->n - at) * sizeof(t->items[0]));
	t->items[at] = *target;
	if (t->n++ == 0)
		t->newest = *target;
	return CW_OK;
}

enum cw_err
cw_target_load(struct cw_store *store, const uint8_t serial[CW_SERIAL_BYTES],
    struct cw_target *out)
{
	struct cw_certificate c;
	struct lookup l;
	enum cw_err err;

	lookup_init(&l);
	err = store->certificate_load(store, serial, &c, &l.der);
	if (err == CW_OK)
		err = load(store, &c, &l, out);
	lookup_wipe(&l);
	return err;
}

enum cw_err
cw_targets_add(struct cw_store *store, const uint8_t serial[CW_SERIAL_BYTES],
    struct cw_targets *targets)
{
	struct cw_target target;
	enum cw_err err = cw_target_load(store, serial, &target);

	return err == CW_OK ? insert(targets, &target) : err;
}

/* ---- those that are meant ---- */

struct search {
	struct cw_store *store;
	const struct cw_target_filter *filter;
	struct cw_targets *targets;
	enum cw_err err;
};

static bool
is_or_any(const char *wanted, const char *text)
{
	return wanted == NULL || strcmp(wanted, text) == 0;
}

static bool
is_meant(const struct cw_target_filter *f, const struct lookup *l)
{
	const struct cw_attestation *a = &l->verdict.attestation;

	return (f->account == NULL ||
		   cw_bytes_is(l->grant.account, f->account)) &&
	    (f->leaf_hash == NULL ||
		memcmp(f->leaf_hash, a->leaf_hash, CW_HASH_BYTES) == 0) &&
	    (f->pseudonym == NULL ||
		(l->verdict.has_pseudonym &&
		    memcmp(f->pseudonym, l->verdict.pseudonym, CW_HASH_BYTES) ==
			0));
}

/* The listing begins with the newest: what a card has confirmed since for the same
 * slot says that the older key is not there. Outside the slots nothing says so. */
static bool
is_overtaken(const struct cw_targets *targets, const struct cw_target *t)
{
	for (size_t i = 0; t->is_unconfirmed && i < targets->n; i++)
		if (!targets->items[i].is_unconfirmed &&
		    targets->items[i].slot == t->slot &&
		    memcmp(targets->items[i].card, t->card, CW_HASH_BYTES) == 0)
			return true;
	return t->is_unconfirmed && t->slot == 0;
}

static bool
may_be_there(const struct cw_certificate *c)
{
	return c->status == CW_CERT_ACTIVE || c->status == CW_CERT_SUSPENDED ||
	    c->status == CW_CERT_REVOKED;
}

static bool
take(void *ctx, const struct cw_certificate *c)
{
	struct search *s = ctx;
	struct cw_certificate again;
	struct cw_target target;
	struct lookup l;

	if (!may_be_there(c) || !is_or_any(s->filter->subject, c->subject) ||
	    !is_or_any(s->filter->profile, c->profile))
		return true;
	lookup_init(&l);
	s->err =
	    s->store->certificate_load(s->store, c->serial, &again, &l.der);
	if (s->err == CW_OK)
		s->err = load(s->store, c, &l, &target);
	if (s->err == CW_OK && is_meant(s->filter, &l) &&
	    (c->status == CW_CERT_ACTIVE ||
		(target.is_unconfirmed && !is_overtaken(s->targets, &target))))
		s->err = insert(s->targets, &target);
	/* Reserved, and never signed. */
	if (s->err == CW_ERR_NOT_CONFIRMED && c->status != CW_CERT_ACTIVE)
		s->err = CW_OK;
	lookup_wipe(&l);
	return s->err == CW_OK;
}

enum cw_err
cw_targets_find(struct cw_store *store, const struct cw_target_filter *filter,
    struct cw_targets *targets)
{
	struct search s = { store, filter, targets, CW_OK };
	enum cw_err err = store->certificate_each(store, take, &s);

	return err != CW_OK ? err : s.err;
}

/* ---- what a card has no more ---- */

#define SUBJECT_CERTIFICATES_MAX 64u

enum cw_err
cw_target_on_card(struct cw_store *store, const struct cw_intent_object *object,
    const struct cw_verdict *card, struct cw_target *out)
{
	static const uint8_t nobody[CW_HASH_BYTES];
	struct cw_certificate *c = calloc(SUBJECT_CERTIFICATES_MAX, sizeof(*c));
	uint8_t name[CW_HASH_BYTES];
	char subject[CW_SUBJECT_MAX];
	size_t n = 0;
	enum cw_err err;

	if (c == NULL)
		return CW_ERR_NO_MEMORY;
	snprintf(subject, sizeof(subject), "%.*s", (int)object->name.len,
	    (const char *)object->name.ptr);
	name_card(card, name);
	err = store->certificate_of(store, subject, c, SUBJECT_CERTIFICATES_MAX,
	    &n);
	for (size_t i = 0; i < n && err == CW_OK; i++) {
		if (c[i].status != CW_CERT_ACTIVE)
			continue;
		err = cw_target_load(store, c[i].serial, out);
		if (err == CW_OK && out->id == object->id &&
		    memcmp(out->leaf_hash, object->leaf_hash, CW_HASH_BYTES) ==
			0 &&
		    memcmp(out->card, nobody, CW_HASH_BYTES) != 0 &&
		    memcmp(out->card, name, CW_HASH_BYTES) == 0) {
			free(c);
			return CW_OK;
		}
	}
	free(c);
	return err == CW_OK ? CW_ERR_UNKNOWN_SERIAL : err;
}
