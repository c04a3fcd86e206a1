/* SPDX-License-Identifier: Apache-2.0 */
/* Commands and replies: one table row per command. */
#include "proto/command_rows.h"

struct row {
	const char *name;
	cw_command_put *put;
	cw_command_get *get;
	void (*put_result)(struct cw_buf *b, const struct cw_reply *reply);
	void (*get_result)(struct cw_cbor_reader *r, struct cw_reply *reply);
};

uint32_t
cw_command_get_id(struct cw_cbor_reader *r)
{
	return cw_cbor_u32(r, 1, UINT32_MAX);
}

/* ---- CREATE_KEY and IMPORT_PRIVATE_KEY: the reply ---- */

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

/* ---- LIST ---- */

static void
put_list(struct cw_buf *b, const struct cw_command *c)
{
	cw_cbor_put_map(b, c->u.list.after != 0);
	if (c->u.list.after != 0) {
		cw_cbor_put_uint(b, 0);
		cw_cbor_put_uint(b, c->u.list.after);
	}
}

static void
get_list(struct cw_cbor_reader *r, struct cw_command *c)
{
	cw_cbor_map(r, 8);
	if (cw_cbor_key_opt(r, 0))
		c->u.list.after = cw_command_get_id(r);
	cw_cbor_map_end(r);
}

/* ---- DELETE_KEY, UNLOCK_KEY; UPDATE_KEY, CLONE_KEY_PROTECTION ---- */

static void
put_target(struct cw_buf *b, const struct cw_command *c)
{
	cw_cbor_put_map(b, 1);
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_uint(b, c->u.on_key.target);
}

static void
get_target(struct cw_cbor_reader *r, struct cw_command *c)
{
	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	c->u.on_key.target = cw_command_get_id(r);
	cw_cbor_map_end(r);
}

static void
put_on_key(struct cw_buf *b, const struct cw_command *c)
{
	cw_cbor_put_map(b, 2);
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_uint(b, c->u.on_key.id);
	cw_cbor_put_uint(b, 1);
	cw_cbor_put_uint(b, c->u.on_key.target);
}

static void
get_on_key(struct cw_cbor_reader *r, struct cw_command *c)
{
	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	c->u.on_key.id = cw_command_get_id(r);
	cw_cbor_key(r, 1);
	c->u.on_key.target = cw_command_get_id(r);
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

#define EMPTY put_empty_result, get_empty_result

static const struct row rows[] = {
	[CW_CREATE_PUK_POLICY] = { "CREATE_PUK_POLICY",
	    cw_command_put_puk_policy, cw_command_get_puk_policy, EMPTY },
	[CW_CREATE_PIN_POLICY] = { "CREATE_PIN_POLICY",
	    cw_command_put_pin_policy, cw_command_get_pin_policy, EMPTY },
	[CW_CREATE_KEY] = { "CREATE_KEY", cw_command_put_key,
	    cw_command_get_key, put_key_result, get_key_result },
	[CW_SET_CERTIFICATES] = { "SET_CERTIFICATES",
	    cw_command_put_certificates, cw_command_get_certificates, EMPTY },
	[CW_IMPORT_SYMMETRIC_KEY] = { "IMPORT_SYMMETRIC_KEY",
	    cw_command_put_secret, cw_command_get_secret, EMPTY },
	[CW_IMPORT_PRIVATE_KEY] = { "IMPORT_PRIVATE_KEY",
	    cw_command_put_private, cw_command_get_private, put_key_result,
	    get_key_result },
	[CW_SET_EXTENSION] = { "SET_EXTENSION", cw_command_put_extension,
	    cw_command_get_extension, EMPTY },
	[CW_LIST] = { "LIST", put_list, get_list, cw_command_put_list_result,
	    cw_command_get_list_result },
	[CW_DELETE_KEY] = { "DELETE_KEY", put_target, get_target, EMPTY },
	[CW_UNLOCK_KEY] = { "UNLOCK_KEY", put_target, get_target, EMPTY },
	[CW_UPDATE_KEY] = { "UPDATE_KEY", put_on_key, get_on_key, EMPTY },
	[CW_CLONE_KEY_PROTECTION] = { "CLONE_KEY_PROTECTION", put_on_key,
	    get_on_key, EMPTY },
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
	{ CW_ERR_BAD_PRIVATE_KEY, CW_ERR_BAD_PRIVATE_KEY },
	{ CW_ERR_WRONG_MODE, CW_ERR_WRONG_MODE },
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
