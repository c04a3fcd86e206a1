/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and replies: one table row per command. */
#include "proto/command.h"

#include "proto/fields.h"
#include "proto/scope.h"

struct row {
	const char *name;
	/* NULL where this version has no codec yet */
	void (*put)(struct cw_buf *b, const struct cw_command *c);
	void (*get)(struct cw_cbor_reader *r, struct cw_command *c);
	void (*put_result)(struct cw_buf *b, const struct cw_reply *reply);
	void (*get_result)(struct cw_cbor_reader *r, struct cw_reply *reply);
};

static uint32_t
get_id(struct cw_cbor_reader *r)
{
	return cw_cbor_u32(r, 1, UINT32_MAX);
}

/* ---- CREATE_PIN_POLICY ---- */

static void
put_create_pin_policy(struct cw_buf *b, const struct cw_command *c)
{
	const struct cw_create_pin_policy *p = &c->u.create_pin_policy;

	cw_cbor_put_map(b, p->issuer_set ? 5 : 4);
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_uint(b, p->id);
	cw_cbor_put_uint(b, 1);
	cw_pin_rule_put(b, &p->rule);
	cw_cbor_put_uint(b, 2);
	cw_cbor_put_uint(b, p->issuer_set ? 2 : 1);
	cw_cbor_put_uint(b, 3);
	cw_cbor_put_bool(b, p->modifiable);
	if (p->issuer_set) {
		cw_cbor_put_uint(b, 4);
		cw_cbor_put_bstr(b, p->value);
	}
}

static void
get_create_pin_policy(struct cw_cbor_reader *r, struct cw_command *c)
{
	struct cw_create_pin_policy *p = &c->u.create_pin_policy;

	cw_cbor_map(r, 16);
	cw_cbor_key(r, 0);
	p->id = get_id(r);
	cw_cbor_key(r, 1);
	cw_pin_rule_get(r, &p->rule);
	cw_cbor_key(r, 2);
	p->issuer_set = cw_cbor_uint(r, 1, 2) == 2;
	cw_cbor_key(r, 3);
	p->modifiable = cw_cbor_bool(r);
	/* The value is there exactly when the issuer sets it. */
	if (p->issuer_set) {
		cw_cbor_key(r, 4);
		p->value = cw_cbor_bstr(r, 1, CW_PIN_MAX_BYTES);
	}
	cw_cbor_map_end(r);
}

/* ---- CREATE_KEY ---- */

static void
put_create_key(struct cw_buf *b, const struct cw_command *c)
{
	const struct cw_create_key *k = &c->u.create_key;

	cw_cbor_put_map(b, 4u + (k->pin_policy != 0) + (k->slot != 0));
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_uint(b, k->id);
	cw_cbor_put_uint(b, 1);
	cw_cbor_put_uint(b, k->type);
	cw_cbor_put_uint(b, 2);
	cw_cbor_put_uint(b, k->usage);
	if (k->pin_policy != 0) {
		cw_cbor_put_uint(b, 3);
		cw_cbor_put_uint(b, k->pin_policy);
	}
	if (k->slot != 0) {
		cw_cbor_put_uint(b, 4);
		cw_cbor_put_uint(b, k->slot);
	}
	cw_cbor_put_uint(b, 5);
	cw_cbor_put_tstr(b, k->name);
}

static void
get_create_key(struct cw_cbor_reader *r, struct cw_command *c)
{
	struct cw_create_key *k = &c->u.create_key;

	cw_cbor_map(r, 16);
	cw_cbor_key(r, 0);
	k->id = get_id(r);
	cw_cbor_key(r, 1);
	k->type = cw_cbor_u32(r, 1, CW_KEY_X25519);
	cw_cbor_key(r, 2);
	k->usage = cw_cbor_u32(r, 1, 15);
	if (cw_cbor_key_opt(r, 3))
		k->pin_policy = get_id(r);
	if (cw_cbor_key_opt(r, 4))
		k->slot = cw_field_slot(r);
	cw_cbor_key(r, 5);
	k->name = cw_field_text(r);
	cw_cbor_map_end(r);
}

static void
put_key_result(struct cw_buf *b, const struct cw_reply *reply)
{
	cw_cbor_put_map(b, 2);
	cw_cbor_put_uint(b, 0);
	cw_cose_key_put(b, &reply->key);
	cw_cbor_put_uint(b, 1);
	cw_cbor_put_bstr(b, reply->statement);
}

static void
get_key_result(struct cw_cbor_reader *r, struct cw_reply *reply)
{
	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	cw_cose_key_get(r, &reply->key);
	cw_cbor_key(r, 1);
	reply->statement = cw_cbor_bstr(r, 1, CW_REQUEST_MAX);
	cw_cbor_map_end(r);
}

/* ---- SET_CERTIFICATES ---- */

static void
put_set_certificates(struct cw_buf *b, const struct cw_command *c)
{
	const struct cw_set_certificates *s = &c->u.set_certificates;

	cw_cbor_put_map(b, 2);
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_uint(b, s->id);
	cw_cbor_put_uint(b, 1);
	cw_field_put_bstrs(b, s->chain, s->n_chain);
}

static void
get_set_certificates(struct cw_cbor_reader *r, struct cw_command *c)
{
	struct cw_set_certificates *s = &c->u.set_certificates;

	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	s->id = get_id(r);
	cw_cbor_key(r, 1);
	s->n_chain =
	    cw_field_bstrs(r, 1, CW_CHAIN_MAX, CW_CERT_MAX_BYTES, s->chain);
	cw_cbor_map_end(r);
}

/* ---- LIST ---- */

static void
put_nothing(struct cw_buf *b, const struct cw_command *c)
{
	(void)c;
	cw_cbor_put_map(b, 0);
}

static void
get_nothing(struct cw_cbor_reader *r, struct cw_command *c)
{
	(void)c;
	cw_cbor_map(r, 8);
	cw_cbor_map_end(r);
}

static void
put_list_result(struct cw_buf *b, const struct cw_reply *reply)
{
	cw_cbor_put_map(b, 1);
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_array(b, reply->n_keys);
	for (size_t i = 0; i < reply->n_keys; i++) {
		const struct cw_listed_key *k = &reply->keys[i];

		cw_cbor_put_map(b, k->slot != 0 ? 4 : 3);
		cw_cbor_put_uint(b, 0);
		cw_cbor_put_uint(b, k->id);
		cw_cbor_put_uint(b, 1);
		cw_cbor_put_uint(b, k->type);
		if (k->slot != 0) {
			cw_cbor_put_uint(b, 2);
			cw_cbor_put_uint(b, k->slot);
		}
		cw_cbor_put_uint(b, 3);
		cw_field_put_bstrs(b, k->chain, k->n_chain);
	}
}

static void
get_listed_key(struct cw_cbor_reader *r, struct cw_listed_key *k)
{
	memset(k, 0, sizeof(*k));
	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	k->id = get_id(r);
	cw_cbor_key(r, 1);
	k->type = cw_cbor_u32(r, 1, CW_KEY_X25519);
	if (cw_cbor_key_opt(r, 2))
		k->slot = cw_field_slot(r);
	cw_cbor_key(r, 3);
	k->n_chain =
	    cw_field_bstrs(r, 0, CW_CHAIN_MAX, CW_CERT_MAX_BYTES, k->chain);
	cw_cbor_map_end(r);
}

static void
get_list_result(struct cw_cbor_reader *r, struct cw_reply *reply)
{
	struct cw_listed_key unused;

	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	reply->n_keys = cw_cbor_array(r, 0, CW_KEYS_MAX);
	for (size_t i = 0; i < reply->n_keys; i++)
		get_listed_key(r,
		    reply->keys != NULL ? &reply->keys[i] : &unused);
	cw_cbor_array_end(r);
	cw_cbor_map_end(r);
}

/* ---- CLOSE ---- */

static void
put_close(struct cw_buf *b, const struct cw_command *c)
{
	cw_cbor_put_map(b, 1);
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_bstr(b, CW_BYTES_ARRAY(c->u.close.nonce));
}

static void
get_close(struct cw_cbor_reader *r, struct cw_command *c)
{
	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	cw_cbor_bstr_into(r, c->u.close.nonce, sizeof(c->u.close.nonce));
	cw_cbor_map_end(r);
}

static void
put_close_result(struct cw_buf *b, const struct cw_reply *reply)
{
	cw_cbor_put_map(b, 1);
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_bstr(b, reply->statement);
}

static void
get_close_result(struct cw_cbor_reader *r, struct cw_reply *reply)
{
	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	reply->statement = cw_cbor_bstr(r, 1, CW_COMMAND_MAX);
	cw_cbor_map_end(r);
}

/* ---- replies without contents ---- */

static void
put_empty_result(struct cw_buf *b, const struct cw_reply *reply)
{
	(void)reply;
	cw_cbor_put_map(b, 0);
}

static void
get_empty_result(struct cw_cbor_reader *r, struct cw_reply *reply)
{
	(void)reply;
	cw_cbor_map(r, 8);
	cw_cbor_map_end(r);
}

/* ---- the table ---- */

static const struct row rows[] = {
	[CW_CREATE_PUK_POLICY] = { .name = "CREATE_PUK_POLICY" },
	[CW_CREATE_PIN_POLICY] = { "CREATE_PIN_POLICY", put_create_pin_policy,
	    get_create_pin_policy, put_empty_result, get_empty_result },
	[CW_CREATE_KEY] = { "CREATE_KEY", put_create_key, get_create_key,
	    put_key_result, get_key_result },
	[CW_SET_CERTIFICATES] = { "SET_CERTIFICATES", put_set_certificates,
	    get_set_certificates, put_empty_result, get_empty_result },
	[CW_IMPORT_SYMMETRIC_KEY] = { .name = "IMPORT_SYMMETRIC_KEY" },
	[CW_IMPORT_PRIVATE_KEY] = { .name = "IMPORT_PRIVATE_KEY" },
	[CW_SET_EXTENSION] = { .name = "SET_EXTENSION" },
	[CW_LIST] = { "LIST", put_nothing, get_nothing, put_list_result,
	    get_list_result },
	[CW_DELETE_KEY] = { .name = "DELETE_KEY" },
	[CW_UNLOCK_KEY] = { .name = "UNLOCK_KEY" },
	[CW_UPDATE_KEY] = { .name = "UPDATE_KEY" },
	[CW_CLONE_KEY_PROTECTION] = { .name = "CLONE_KEY_PROTECTION" },
	[CW_CLOSE] = { "CLOSE", put_close, get_close, put_close_result,
	    get_close_result },
};

static const struct row *
find(uint64_t no)
{
	if (no >= sizeof(rows) / sizeof(rows[0]) || rows[no].get == NULL)
		return NULL;
	return &rows[no];
}

const char *
cw_command_name(unsigned no)
{
	return no < sizeof(rows) / sizeof(rows[0]) ? rows[no].name : NULL;
}

void
cw_command_encode(const struct cw_command *c, struct cw_buf *out)
{
	const struct row *row = find(c->no);

	if (row == NULL) {
		out->err = CW_ERR_UNKNOWN_COMMAND;
		return;
	}
	cw_cbor_put_array(out, 3);
	cw_cbor_put_uint(out, c->no);
	cw_cbor_put_bool(out, c->last);
	row->put(out, c);
}

enum cw_err
cw_command_decode(struct cw_bytes in, struct cw_command *out)
{
	const struct row *row;
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_array(&r, 3, 3);
	out->no = cw_cbor_u32(&r, 0, UINT16_MAX);
	out->last = cw_cbor_bool(&r);
	if (r.err != CW_OK)
		return cw_cbor_finish(&r);
	row = find(out->no);
	if (row == NULL)
		return CW_ERR_UNKNOWN_COMMAND;
	if (out->no == CW_CLOSE && !out->last)
		return CW_ERR_OUT_OF_RANGE;
	row->get(&r, out);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}

void
cw_reply_encode(enum cw_command_no no, const struct cw_reply *reply,
    struct cw_buf *out)
{
	const struct row *row = find(no);

	cw_cbor_put_array(out, 2);
	if (reply->err != CW_OK) {
		cw_cbor_put_uint(out, reply->err);
		cw_cbor_put_null(out);
		return;
	}
	if (row == NULL) {
		out->err = CW_ERR_UNKNOWN_COMMAND;
		return;
	}
	cw_cbor_put_uint(out, 0);
	row->put_result(out, reply);
}

/* What a card may say (docs/protocol.md 8 "Errors"): of encoding, of keys and
 * certificates, of the command limit, its own, of a PIN value that it was sent.
 * Anything else would be taken for what this end says itself. */
static const struct {
	uint64_t first, last;
} card_errors[] = {
	{ CW_ERR_TRUNCATED, 199 },
	{ CW_ERR_BAD_KEY, CW_ERR_UNKNOWN_ALGORITHM },
	{ CW_ERR_BAD_CERTIFICATE, CW_ERR_BAD_CERTIFICATE },
	{ CW_ERR_COMMAND_LIMIT, CW_ERR_COMMAND_LIMIT },
	{ CW_ERR_UNKNOWN_COMMAND, 499 },
	{ CW_ERR_PIN_LENGTH, CW_ERR_PIN_WEAK },
};

static enum cw_err
card_error(uint64_t number)
{
	for (size_t i = 0; i < sizeof(card_errors) / sizeof(card_errors[0]);
	     i++)
		if (number >= card_errors[i].first &&
		    number <= card_errors[i].last)
			return cw_err_from_number(number);
	return CW_ERR_PEER_UNKNOWN;
}

enum cw_err
cw_reply_decode(enum cw_command_no no, struct cw_bytes in, struct cw_reply *out)
{
	struct cw_listed_key *keys = out->keys;
	const struct row *row = find(no);
	struct cw_cbor_reader r;
	uint64_t number;

	memset(out, 0, sizeof(*out));
	out->keys = keys;
	if (row == NULL)
		return CW_ERR_UNKNOWN_COMMAND;
	cw_cbor_init(&r, in);
	cw_cbor_array(&r, 2, 2);
	number = cw_cbor_uint(&r, 0, 999);
	if (number == 0) {
		row->get_result(&r, out);
	} else {
		out->err = card_error(number);
		if (!cw_cbor_is_null(&r))
			cw_cbor_fail(&r, CW_ERR_WRONG_TYPE);
	}
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}
