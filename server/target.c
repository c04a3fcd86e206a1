/* SPDX-License-Identifier: Apache-2.0 */
/* Objects on cards, by the certificates that were sent for them. */
#include "server/target.h"

#include <stdio.h>

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

static enum cw_err
load(struct cw_store *store, const struct cw_certificate *c, struct lookup *l,
    struct cw_target *out)
{
	struct cw_session *s = &l->session;
	enum cw_err err = store->session_load(store, c->session, s);

	if (err != CW_OK)
		return err == CW_ERR_NO_SESSION ? CW_ERR_NOT_CONFIRMED : err;
	if (s->stage != CW_STAGE_DONE)
		return CW_ERR_NOT_CONFIRMED;
	if (s->n_digests < 3 ||
	    cw_verdict_decode(cw_buf_bytes(&s->verdict), &l->verdict) !=
		CW_OK ||
	    cw_grant_decode(cw_buf_bytes(&s->grant), &l->grant) != CW_OK)
		return CW_ERR_STORE_CORRUPT;
	err = store->step_load(store, s->id, (unsigned)s->n_digests - 1, NULL,
	    NULL, &l->kept);
	if (err != CW_OK)
		return err;
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

static bool
take(void *ctx, const struct cw_certificate *c)
{
	struct search *s = ctx;
	struct cw_certificate again;
	struct cw_target target;
	struct lookup l;

	if (c->status != CW_CERT_ACTIVE ||
	    !is_or_any(s->filter->subject, c->subject) ||
	    !is_or_any(s->filter->profile, c->profile))
		return true;
	lookup_init(&l);
	s->err =
	    s->store->certificate_load(s->store, c->serial, &again, &l.der);
	if (s->err == CW_OK)
		s->err = load(s->store, c, &l, &target);
	if (s->err == CW_OK && is_meant(s->filter, &l))
		s->err = insert(s->targets, &target);
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
