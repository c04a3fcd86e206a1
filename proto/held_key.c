/* SPDX-License-Identifier: Apache-2.0 */
/* Requests about keys, by a table of their fields; and READ KEY's answer. */
#include "proto/held_key.h"

#include "proto/fields.h"

enum kind { NUMBER, ALGORITHM, BYTES, TEXT };

/* One field of a request: its key on the wire, and its place. */
struct field {
	unsigned key;
	enum kind kind;
	bool optional; /* absent: 0 or empty */
	uint32_t min, max;
	size_t at; /* in struct cw_key_request */
};

#define AT(member) offsetof(struct cw_key_request, member)
#define HANDLE                                              \
	{                                                   \
		0, NUMBER, false, 1, UINT32_MAX, AT(handle) \
	}
#define TYPE                                   \
	{                                      \
		1, TEXT, false, 0, 0, AT(type) \
	}
#define PIN(optional)                                            \
	{                                                        \
		4, BYTES, optional, 1, CW_PIN_MAX_BYTES, AT(pin) \
	}
#define NEW(optional)                                                \
	{                                                            \
		5, BYTES, optional, 1, CW_PIN_MAX_BYTES, AT(new_pin) \
	}
#define FIELDS_MAX 5

static const struct row {
	enum cw_ins ins;
	size_t n;
	struct field fields[FIELDS_MAX];
} rows[] = {
	{ CW_INS_READ_KEY, 1, { HANDLE } },
	{ CW_INS_USE_KEY, 5,
	    { HANDLE, { 1, NUMBER, false, 1, CW_OP_ENCRYPT, AT(operation) },
		{ 2, ALGORITHM, false, 0, 0, AT(algorithm) },
		{ 3, BYTES, false, 0, CW_USE_MAX, AT(data) }, PIN(true) } },
	{ CW_INS_READ_EXTENSION, 3, { HANDLE, TYPE, PIN(true) } },
	{ CW_INS_WRITE_PROPERTY, 5,
	    { HANDLE, TYPE, { 2, TEXT, false, 0, 0, AT(name) },
		{ 3, BYTES, false, 0, CW_PROPERTY_BYTES_MAX, AT(data) },
		PIN(true) } },
	{ CW_INS_EXPORT_KEY, 2, { HANDLE, PIN(true) } },
	{ CW_INS_CHANGE_KEY_PIN, 3, { HANDLE, PIN(false), NEW(false) } },
	{ CW_INS_UNBLOCK_KEY, 3, { HANDLE, PIN(false), NEW(true) } },
	{ CW_INS_DELETE, 2, { HANDLE, PIN(true) } },
	{ CW_INS_ATTEST_OFFLINE, 4,
	    { HANDLE,
		{ 1, BYTES, false, CW_HASH_BYTES, CW_HASH_BYTES, AT(data) },
		{ 2, TEXT, false, 0, 0, AT(name) },
		{ 3, NUMBER, false, 1, 2, AT(attestation) } } },
};

static const struct row *
find(enum cw_ins ins)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].ins == ins)
			return &rows[i];
	return NULL;
}

/* Members of three types only: see AT. */
static struct cw_bytes
get_bytes(const struct cw_key_request *q, const struct field *f)
{
	struct cw_bytes bytes;

	memcpy(&bytes, (const uint8_t *)q + f->at, sizeof(bytes));
	return bytes;
}

static uint32_t
get_number(const struct cw_key_request *q, const struct field *f)
{
	uint32_t number;

	memcpy(&number, (const uint8_t *)q + f->at, sizeof(number));
	return number;
}

static bool
is_absent(const struct cw_key_request *q, const struct field *f)
{
	return f->optional && get_bytes(q, f).len == 0;
}

void
cw_key_request_encode(enum cw_ins ins, const struct cw_key_request *q,
    struct cw_buf *out)
{
	const struct row *row = find(ins);
	size_t n = 0;

	if (row == NULL) {
		out->err = CW_ERR_UNKNOWN_COMMAND;
		return;
	}
	for (size_t i = 0; i < row->n; i++)
		n += !is_absent(q, &row->fields[i]);
	cw_cbor_put_map(out, n);
	for (size_t i = 0; i < row->n; i++) {
		const struct field *f = &row->fields[i];

		if (is_absent(q, f))
			continue;
		cw_cbor_put_uint(out, f->key);
		if (f->kind == NUMBER)
			cw_cbor_put_uint(out, get_number(q, f));
		else if (f->kind == ALGORITHM)
			cw_cbor_put_int(out, (int32_t)get_number(q, f));
		else if (f->kind == TEXT)
			cw_cbor_put_tstr(out, get_bytes(q, f));
		else
			cw_cbor_put_bstr(out, get_bytes(q, f));
	}
}

static void
read_field(struct cw_cbor_reader *r, const struct field *f,
    struct cw_key_request *out)
{
	struct cw_bytes bytes;
	uint32_t number;

	if (f->kind == BYTES || f->kind == TEXT) {
		bytes = f->kind == TEXT ? cw_field_text(r) :
					  cw_cbor_bstr(r, f->min, f->max);
		memcpy((uint8_t *)out + f->at, &bytes, sizeof(bytes));
		return;
	}
	number = f->kind == NUMBER ?
	    cw_cbor_u32(r, f->min, f->max) :
	    (uint32_t)cw_cbor_int(r, INT32_MIN, INT32_MAX);
	memcpy((uint8_t *)out + f->at, &number, sizeof(number));
}

enum cw_err
cw_key_request_decode(enum cw_ins ins, struct cw_bytes in,
    struct cw_key_request *out)
{
	const struct row *row = find(ins);
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	if (row == NULL)
		return CW_ERR_UNKNOWN_COMMAND;
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 16);
	for (size_t i = 0; i < row->n; i++) {
		const struct field *f = &row->fields[i];

		if (f->optional && !cw_cbor_key_opt(&r, f->key))
			continue;
		if (!f->optional)
			cw_cbor_key(&r, f->key);
		read_field(&r, f, out);
	}
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

/* ---- READ KEY's answer ---- */

static void
put_pin(struct cw_buf *out, unsigned key, const struct cw_pin_rule *rule,
    unsigned tries)
{
	cw_cbor_put_uint(out, key);
	cw_pin_rule_put(out, rule);
	cw_cbor_put_uint(out, key + 1);
	cw_cbor_put_uint(out, tries);
}

static void
put_extensions(struct cw_buf *out, const struct cw_held_key *k)
{
	cw_cbor_put_uint(out, 10);
	cw_cbor_put_array(out, k->n_extensions);
	for (size_t i = 0; i < k->n_extensions; i++) {
		const struct cw_held_extension *e = &k->extensions[i];

		cw_cbor_put_array(out, 3);
		cw_cbor_put_tstr(out, e->type);
		cw_cbor_put_uint(out, e->kind);
		if (e->media_type.len > 0)
			cw_cbor_put_tstr(out, e->media_type);
		else
			cw_cbor_put_null(out);
	}
}

void
cw_held_key_encode(const struct cw_held_key *k, struct cw_buf *out)
{
	bool pair = k->attributes.type != CW_KEY_SECRET;

	cw_cbor_put_map(out,
	    4u + pair + 3u * k->has_pin + 2u * k->has_puk +
		(k->n_extensions > 0));
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_uint(out, k->handle);
	cw_cbor_put_uint(out, 1);
	cw_attributes_put(out, &k->attributes);
	if (pair) {
		cw_cbor_put_uint(out, 2);
		cw_cose_key_put(out, &k->key);
	}
	cw_cbor_put_uint(out, 3);
	cw_field_put_bstrs(out, k->chain, k->n_chain);
	if (k->has_pin) {
		put_pin(out, 4, &k->pin_rule, k->pin_tries);
		cw_cbor_put_uint(out, 6);
		cw_cbor_put_bool(out, k->is_modifiable);
	}
	if (k->has_puk)
		put_pin(out, 7, &k->puk_rule, k->puk_tries);
	cw_cbor_put_uint(out, 9);
	cw_cbor_put_bool(out, k->exported);
	if (k->n_extensions > 0)
		put_extensions(out, k);
}

static void
get_pins(struct cw_cbor_reader *r, struct cw_held_key *k)
{
	k->has_pin = cw_cbor_key_opt(r, 4);
	if (!k->has_pin)
		return;
	cw_pin_rule_get(r, &k->pin_rule);
	cw_cbor_key(r, 5);
	k->pin_tries = cw_cbor_u32(r, 0, 15);
	cw_cbor_key(r, 6);
	k->is_modifiable = cw_cbor_bool(r);
	k->has_puk = cw_cbor_key_opt(r, 7);
	if (!k->has_puk)
		return;
	cw_pin_rule_get(r, &k->puk_rule);
	cw_cbor_key(r, 8);
	k->puk_tries = cw_cbor_u32(r, 0, 15);
}

static void
get_extensions(struct cw_cbor_reader *r, struct cw_held_key *k)
{
	k->n_extensions = cw_cbor_array(r, 1, CW_EXTENSIONS_MAX);
	for (size_t i = 0; i < k->n_extensions; i++) {
		struct cw_held_extension *e = &k->extensions[i];

		cw_cbor_array(r, 3, 3);
		e->type = cw_field_text(r);
		e->kind = cw_cbor_u32(r, 1, CW_EXTENSION_LOGOTYPE);
		if (!cw_cbor_is_null(r))
			e->media_type = cw_field_text(r);
		cw_cbor_array_end(r);
	}
	cw_cbor_array_end(r);
}

enum cw_err
cw_held_key_decode(struct cw_bytes in, struct cw_held_key *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 16);
	cw_cbor_key(&r, 0);
	out->handle = cw_cbor_u32(&r, 1, UINT32_MAX);
	cw_cbor_key(&r, 1);
	cw_attributes_get(&r, &out->attributes);
	if (r.err == CW_OK && out->attributes.type != CW_KEY_SECRET) {
		cw_cbor_key(&r, 2);
		cw_cose_key_get(&r, &out->key);
	}
	cw_cbor_key(&r, 3);
	out->n_chain =
	    cw_field_bstrs(&r, 0, CW_CHAIN_MAX, CW_CERT_MAX_BYTES, out->chain);
	get_pins(&r, out);
	cw_cbor_key(&r, 9);
	out->exported = cw_cbor_bool(&r);
	if (cw_cbor_key_opt(&r, 10))
		get_extensions(&r, out);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

void
cw_attested_encode(const struct cw_attested *a, struct cw_buf *out)
{
	cw_cbor_put_map(out, 2);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_bstr(out, a->statement);
	cw_cbor_put_uint(out, 1);
	cw_field_put_bstrs(out, a->chain, a->n_chain);
}

enum cw_err
cw_attested_decode(struct cw_bytes in, struct cw_attested *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 8);
	cw_cbor_key(&r, 0);
	out->statement = cw_cbor_bstr(&r, 1, CW_REQUEST_MAX);
	cw_cbor_key(&r, 1);
	out->n_chain =
	    cw_field_bstrs(&r, 1, CW_CHAIN_MAX, CW_CERT_MAX_BYTES, out->chain);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}
