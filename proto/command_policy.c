/* SPDX-License-Identifier: Apache-2.0 */
/* CREATE_PUK_POLICY and CREATE_PIN_POLICY on the wire. */
#include "proto/command_rows.h"

void
cw_command_put_puk_policy(struct cw_buf *b, const struct cw_command *c)
{
	const struct cw_create_puk_policy *p = &c->u.create_puk_policy;

	cw_cbor_put_map(b, 3);
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_uint(b, p->id);
	cw_cbor_put_uint(b, 1);
	cw_pin_rule_put(b, &p->rule);
	cw_cbor_put_uint(b, 2);
	cw_cbor_put_bstr(b, p->value);
}

void
cw_command_get_puk_policy(struct cw_cbor_reader *r, struct cw_command *c)
{
	struct cw_create_puk_policy *p = &c->u.create_puk_policy;

	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	p->id = cw_command_get_id(r);
	cw_cbor_key(r, 1);
	cw_pin_rule_get(r, &p->rule);
	cw_cbor_key(r, 2);
	p->value = cw_cbor_bstr(r, 1, CW_PIN_MAX_BYTES);
	cw_cbor_map_end(r);
}

void
cw_command_put_pin_policy(struct cw_buf *b, const struct cw_command *c)
{
	const struct cw_create_pin_policy *p = &c->u.create_pin_policy;
	bool grouped = p->grouping != 0 && p->grouping != CW_PIN_SHARED;

	cw_cbor_put_map(b, 4u + (p->value.len > 0) + grouped + (p->puk != 0));
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_uint(b, p->id);
	cw_cbor_put_uint(b, 1);
	cw_pin_rule_put(b, &p->rule);
	cw_cbor_put_uint(b, 2);
	cw_cbor_put_uint(b, p->issuer_set ? 2 : 1);
	cw_cbor_put_uint(b, 3);
	cw_cbor_put_bool(b, p->modifiable);
	if (p->value.len > 0) {
		cw_cbor_put_uint(b, 4);
		cw_cbor_put_bstr(b, p->value);
	}
	if (grouped) {
		cw_cbor_put_uint(b, 5);
		cw_cbor_put_uint(b, p->grouping);
	}
	if (p->puk != 0) {
		cw_cbor_put_uint(b, 6);
		cw_cbor_put_uint(b, p->puk);
	}
}

/* The default is written by leaving the field out. */
static enum cw_pin_grouping
get_grouping(struct cw_cbor_reader *r)
{
	enum cw_pin_grouping grouping = CW_PIN_SHARED;

	if (cw_cbor_key_opt(r, 5)) {
		grouping = cw_cbor_u32(r, CW_PIN_EACH, CW_PIN_UNIQUE);
		if (r->err == CW_OK && grouping == CW_PIN_SHARED)
			cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
	}
	return grouping;
}

void
cw_command_get_pin_policy(struct cw_cbor_reader *r, struct cw_command *c)
{
	struct cw_create_pin_policy *p = &c->u.create_pin_policy;

	cw_cbor_map(r, 16);
	cw_cbor_key(r, 0);
	p->id = cw_command_get_id(r);
	cw_cbor_key(r, 1);
	cw_pin_rule_get(r, &p->rule);
	cw_cbor_key(r, 2);
	p->issuer_set = cw_cbor_uint(r, 1, 2) == 2;
	cw_cbor_key(r, 3);
	p->modifiable = cw_cbor_bool(r);
	/* Of the holder's PIN the issuer knows no value. */
	if (p->issuer_set && cw_cbor_key_opt(r, 4))
		p->value = cw_cbor_bstr(r, 1, CW_PIN_MAX_BYTES);
	p->grouping = get_grouping(r);
	if (cw_cbor_key_opt(r, 6))
		p->puk = cw_command_get_id(r);
	cw_cbor_map_end(r);
	/* One value can only be that of the one group. */
	if (r->err == CW_OK && p->issuer_set &&
	    (p->grouping == CW_PIN_SHARED) != (p->value.len > 0))
		cw_cbor_fail(r,
		    p->value.len > 0 ? CW_ERR_UNKNOWN_FIELD :
				       CW_ERR_MISSING_FIELD);
}
