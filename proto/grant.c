/* SPDX-License-Identifier: Apache-2.0 */
/* Grants. */
#include "proto/grant.h"

#include "proto/command.h"
#include "proto/fields.h"

/* Commands, one bit for each number. */
#define BIT(command) (1u << (command))
#define MAKES (BIT(CW_CREATE_KEY) | BIT(CW_SET_CERTIFICATES))
#define LOOKS (BIT(CW_LIST) | BIT(CW_UNLOCK_KEY) | BIT(CW_CLOSE))

static const unsigned allowed[] = {
	[CW_ACTION_ENROLL] = MAKES | BIT(CW_CREATE_PUK_POLICY) |
	    BIT(CW_CREATE_PIN_POLICY) | BIT(CW_IMPORT_SYMMETRIC_KEY) |
	    BIT(CW_IMPORT_PRIVATE_KEY) | BIT(CW_SET_EXTENSION) | BIT(CW_CLOSE),
	/* The old key goes by UPDATE_KEY, or where its PIN is named by
	 * DELETE_KEY. */
	[CW_ACTION_RENEW] = LOOKS | MAKES | BIT(CW_SET_EXTENSION) |
	    BIT(CW_DELETE_KEY) | BIT(CW_UPDATE_KEY) |
	    BIT(CW_CLONE_KEY_PROTECTION),
	[CW_ACTION_MANAGE] = LOOKS | BIT(CW_DELETE_KEY),
	[CW_ACTION_UNLOCK] = LOOKS | MAKES | BIT(CW_UPDATE_KEY),
};

bool
cw_action_allows(enum cw_action action, const struct cw_scope *scope)
{
	for (size_t i = 0; i < scope->n_commands; i++)
		if ((allowed[action] & BIT(scope->commands[i])) == 0)
			return false;
	return action != CW_ACTION_ENROLL || scope->n_objects == 0;
}

bool
cw_scope_makes_keys(const struct cw_scope *scope)
{
	return scope->keys_max > 0 &&
	    cw_scope_has_command(scope, CW_CREATE_KEY);
}

static void
put_binding(struct cw_buf *b, const struct cw_grant *g)
{
	size_t n = (size_t)g->has_leaf + g->has_pseudonym + g->has_model;

	if (n == 0) {
		cw_cbor_put_null(b);
		return;
	}
	cw_cbor_put_map(b, n);
	if (g->has_leaf) {
		cw_cbor_put_uint(b, 0);
		cw_cbor_put_bstr(b, CW_BYTES_ARRAY(g->leaf_hash));
	}
	if (g->has_pseudonym) {
		cw_cbor_put_uint(b, 1);
		cw_cbor_put_bstr(b, CW_BYTES_ARRAY(g->pseudonym));
	}
	if (g->has_model) {
		cw_cbor_put_uint(b, 2);
		cw_cbor_put_tstr(b, g->model);
	}
}

enum cw_err
cw_grant_make(const struct cw_grant *g, const struct cw_private_key *authority,
    struct cw_buf *out)
{
	struct cw_buf payload;
	enum cw_err err;

	cw_buf_init(&payload, CW_GRANT_MAX);
	cw_cbor_put_array(&payload, 12);
	cw_cbor_put_str(&payload, "CW1 grant");
	cw_cbor_put_bstr(&payload, CW_BYTES_ARRAY(g->id));
	cw_cbor_put_tstr(&payload, g->subject);
	cw_cbor_put_tstr(&payload, g->account);
	cw_cbor_put_tstr(&payload, g->profile);
	cw_cbor_put_uint(&payload, g->action);
	cw_cbor_put_uint(&payload, g->mode);
	cw_scope_put(&payload, &g->scope);
	cw_cbor_put_uint(&payload, g->uses);
	cw_cbor_put_uint(&payload, g->not_after_s);
	put_binding(&payload, g);
	cw_cbor_put_uint(&payload, g->approvals);
	err = payload.err;
	if (err == CW_OK)
		err = cw_cose_sign1_make(authority, CW_TYP_GRANT,
		    cw_buf_bytes(&payload), out);
	cw_buf_wipe(&payload);
	return err;
}

static void
get_binding(struct cw_cbor_reader *r, struct cw_grant *g)
{
	if (cw_cbor_is_null(r))
		return;
	cw_cbor_map(r, 8);
	g->has_leaf = cw_cbor_key_opt(r, 0);
	if (g->has_leaf)
		cw_cbor_bstr_into(r, g->leaf_hash, sizeof(g->leaf_hash));
	g->has_pseudonym = cw_cbor_key_opt(r, 1);
	if (g->has_pseudonym)
		cw_cbor_bstr_into(r, g->pseudonym, sizeof(g->pseudonym));
	g->has_model = cw_cbor_key_opt(r, 2);
	if (g->has_model)
		g->model = cw_field_text(r);
	cw_cbor_map_end(r);
}

static enum cw_err
decode_payload(struct cw_bytes in, struct cw_grant *g)
{
	struct cw_cbor_reader r;

	memset(g, 0, sizeof(*g));
	cw_cbor_init(&r, in);
	cw_cbor_array(&r, 12, 12);
	cw_cbor_label(&r, "CW1 grant");
	cw_cbor_bstr_into(&r, g->id, sizeof(g->id));
	g->subject = cw_field_text(&r);
	g->account = cw_field_text(&r);
	g->profile = cw_field_text(&r);
	g->action = cw_cbor_u32(&r, 1, CW_ACTION_UNLOCK);
	g->mode = cw_cbor_u32(&r, 1, CW_MODE_ANONYMOUS);
	cw_scope_get(&r, &g->scope);
	g->uses = cw_cbor_u32(&r, 1, 1000);
	g->not_after_s = cw_cbor_uint(&r, 0, INT64_MAX);
	get_binding(&r, g);
	g->approvals = cw_cbor_u32(&r, 0, 9);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}

enum cw_err
cw_grant_decode(struct cw_bytes in, struct cw_grant *out)
{
	struct cw_cose_sign1 sign1;
	enum cw_err err = in.len > CW_GRANT_MAX ? CW_ERR_TOO_LARGE : CW_OK;

	if (err == CW_OK)
		err = cw_cose_sign1_decode(in, CW_TYP_GRANT, &sign1);
	return err != CW_OK ? err : decode_payload(sign1.payload, out);
}

enum cw_err
cw_grant_verify(struct cw_bytes in, const struct cw_public_key *authority,
    struct cw_grant *out)
{
	struct cw_cose_sign1 sign1;
	enum cw_err err = in.len > CW_GRANT_MAX ? CW_ERR_TOO_LARGE : CW_OK;

	if (err == CW_OK)
		err = cw_cose_sign1_decode(in, CW_TYP_GRANT, &sign1);
	if (err != CW_OK)
		return err;
	if (cw_cose_sign1_verify(&sign1, authority, CW_BYTES_NONE) != CW_OK)
		return CW_ERR_BAD_GRANT;
	return decode_payload(sign1.payload, out);
}
