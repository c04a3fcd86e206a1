/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CREATE_KEY, IMPORT_SYMMETRIC_KEY, IMPORT_PRIVATE_KEY, SET_CERTIFICATES and
 * SET_EXTENSION on the wire. The first three have one map, with more or less
 * in it.
 */
#include "proto/command_rows.h"
#include "proto/fields.h"

static void
put_pair(struct cw_buf *b, uint64_t key, uint64_t value)
{
	cw_cbor_put_uint(b, key);
	cw_cbor_put_uint(b, value);
}

static void
put_bytes(struct cw_buf *b, uint64_t key, struct cw_bytes bytes)
{
	cw_cbor_put_uint(b, key);
	cw_cbor_put_bstr(b, bytes);
}

static void
put(struct cw_buf *b, const struct cw_create_key *k, bool typed)
{
	cw_cbor_put_map(b,
	    3u + typed + (k->pin_policy != 0) + (k->slot != 0) + k->exportable +
		(k->delete_guard != CW_GUARD_NONE) + (k->n_algorithms > 0) +
		(k->pin.len > 0) + (k->secret.len > 0));
	put_pair(b, 0, k->id);
	if (typed)
		put_pair(b, 1, k->type);
	put_pair(b, 2, k->usage);
	if (k->pin_policy != 0)
		put_pair(b, 3, k->pin_policy);
	if (k->slot != 0)
		put_pair(b, 4, k->slot);
	cw_cbor_put_uint(b, 5);
	cw_cbor_put_tstr(b, k->name);
	if (k->exportable)
		put_pair(b, 6, k->export_guard);
	if (k->delete_guard != CW_GUARD_NONE)
		put_pair(b, 7, k->delete_guard);
	if (k->n_algorithms > 0) {
		cw_cbor_put_uint(b, 8);
		cw_algorithms_put(b, k->algorithms, k->n_algorithms);
	}
	if (k->pin.len > 0)
		put_bytes(b, 9, k->pin);
	if (k->secret.len > 0)
		put_bytes(b, 10, k->secret);
}

/* Fields 5 to 9. */
static void
get_rules(struct cw_cbor_reader *r, struct cw_create_key *k)
{
	cw_cbor_key(r, 5);
	k->name = cw_field_text(r);
	k->exportable = cw_cbor_key_opt(r, 6);
	if (k->exportable)
		k->export_guard = cw_cbor_u32(r, 0, CW_GUARD_PUK);
	if (cw_cbor_key_opt(r, 7))
		k->delete_guard = cw_cbor_u32(r, 1, CW_GUARD_NEVER);
	if (cw_cbor_key_opt(r, 8))
		k->n_algorithms = cw_algorithms_get(r, k->algorithms);
	if (cw_cbor_key_opt(r, 9))
		k->pin = cw_cbor_bstr(r, 1, CW_PIN_MAX_BYTES);
}

static void
get_pair(struct cw_cbor_reader *r, struct cw_create_key *k)
{
	cw_cbor_map(r, 16);
	cw_cbor_key(r, 0);
	k->id = cw_command_get_id(r);
	cw_cbor_key(r, 1);
	k->type = cw_cbor_u32(r, 1, CW_KEY_X25519);
	cw_cbor_key(r, 2);
	k->usage = cw_cbor_u32(r, 1, CW_USAGE_PAIR);
	if (cw_cbor_key_opt(r, 3))
		k->pin_policy = cw_command_get_id(r);
	if (cw_cbor_key_opt(r, 4))
		k->slot = cw_field_slot(r);
	get_rules(r, k);
}

void
cw_command_put_key(struct cw_buf *b, const struct cw_command *c)
{
	put(b, &c->u.create_key, true);
}

void
cw_command_get_key(struct cw_cbor_reader *r, struct cw_command *c)
{
	get_pair(r, &c->u.create_key);
	cw_cbor_map_end(r);
}

void
cw_command_put_private(struct cw_buf *b, const struct cw_command *c)
{
	put(b, &c->u.create_key, true);
}

void
cw_command_get_private(struct cw_cbor_reader *r, struct cw_command *c)
{
	get_pair(r, &c->u.create_key);
	cw_cbor_key(r, 10);
	c->u.create_key.secret = cw_cbor_bstr(r, 1, CW_PRIVATE_KEY_MAX);
	cw_cbor_map_end(r);
}

void
cw_command_put_secret(struct cw_buf *b, const struct cw_command *c)
{
	put(b, &c->u.create_key, false);
}

void
cw_command_get_secret(struct cw_cbor_reader *r, struct cw_command *c)
{
	struct cw_create_key *k = &c->u.create_key;

	k->type = CW_KEY_SECRET;
	cw_cbor_map(r, 16);
	cw_cbor_key(r, 0);
	k->id = cw_command_get_id(r);
	cw_cbor_key(r, 2);
	k->usage = cw_cbor_u32(r, CW_USAGE_MAC, CW_USAGE_KEEP);
	if (r->err == CW_OK && (k->usage & CW_USAGE_PAIR) != 0)
		cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
	if (cw_cbor_key_opt(r, 3))
		k->pin_policy = cw_command_get_id(r);
	get_rules(r, k);
	cw_cbor_key(r, 10);
	k->secret = cw_cbor_bstr(r, 1, CW_SECRET_MAX);
	cw_cbor_map_end(r);
}

/* ---- SET_CERTIFICATES ---- */

void
cw_command_put_certificates(struct cw_buf *b, const struct cw_command *c)
{
	const struct cw_set_certificates *s = &c->u.set_certificates;

	cw_cbor_put_map(b, 2);
	put_pair(b, 0, s->id);
	cw_cbor_put_uint(b, 1);
	cw_field_put_bstrs(b, s->chain, s->n_chain);
}

void
cw_command_get_certificates(struct cw_cbor_reader *r, struct cw_command *c)
{
	struct cw_set_certificates *s = &c->u.set_certificates;

	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	s->id = cw_command_get_id(r);
	cw_cbor_key(r, 1);
	s->n_chain =
	    cw_field_bstrs(r, 1, CW_CHAIN_MAX, CW_CERT_MAX_BYTES, s->chain);
	cw_cbor_map_end(r);
}

/* ---- SET_EXTENSION ---- */

void
cw_command_put_extension(struct cw_buf *b, const struct cw_command *c)
{
	const struct cw_set_extension *e = &c->u.set_extension;

	cw_cbor_put_map(b, 4u + (e->media_type.len > 0));
	put_pair(b, 0, e->id);
	cw_cbor_put_uint(b, 1);
	cw_cbor_put_tstr(b, e->type);
	put_pair(b, 2, e->kind);
	if (e->media_type.len > 0) {
		cw_cbor_put_uint(b, 3);
		cw_cbor_put_tstr(b, e->media_type);
	}
	put_bytes(b, 4, e->data);
}

void
cw_command_get_extension(struct cw_cbor_reader *r, struct cw_command *c)
{
	struct cw_set_extension *e = &c->u.set_extension;

	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	e->id = cw_command_get_id(r);
	cw_cbor_key(r, 1);
	e->type = cw_field_text(r);
	cw_cbor_key(r, 2);
	e->kind = cw_cbor_u32(r, 1, CW_EXTENSION_LOGOTYPE);
	if (cw_cbor_key_opt(r, 3))
		e->media_type = cw_field_text(r);
	cw_cbor_key(r, 4);
	e->data = cw_cbor_bstr(r, 0, CW_EXTENSION_MAX);
	cw_cbor_map_end(r);
	/* A picture has a media type, and nothing else has. */
	if (r->err == CW_OK &&
	    (e->kind == CW_EXTENSION_LOGOTYPE) != (e->media_type.len > 0))
		cw_cbor_fail(r, CW_ERR_BAD_EXTENSION);
}
