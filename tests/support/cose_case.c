/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/support/cose_case.h"

#include <stdio.h>

#define LABEL_ALG 1
#define LABEL_IV 5

struct kind_row {
	const char *member;
	enum cose_kind kind;
	const char *tag; /* the bytes of the CBOR tag, RFC 9052 2 */
	const char *reason;
};

static const struct kind_row kinds[] = {
	{ "sign0", COSE_SIGN1, "\xd2", NULL },
	{ "sign", COSE_SIGN, "\xd8\x62", NULL },
	{ "encrypted", COSE_ENCRYPT0, "\xd0", NULL },
	{ "enveloped", COSE_ENCRYPT, "\xd8\x60", NULL },
	{ "mac", COSE_OTHER, "", "COSE_Mac is not in the product" },
	{ "mac0", COSE_OTHER, "", "COSE_Mac0 is not in the product" },
};

#define N_KINDS (sizeof(kinds) / sizeof(kinds[0]))

/* Header labels out of order (RFC 8949 4.2.1), seen in the files themselves. */
static const char *const unsorted[] = {
	"countersign/signed1-01.json",
	"countersign/signed1-02.json",
	"countersign/signed-01.json",
	"countersign/signed-02.json",
	"countersign1/signed-01.json",
	"countersign1/signed1-01.json",
};

static const struct kind_row *
kind_row(const struct cose_case *c)
{
	for (size_t i = 0; i < N_KINDS; i++)
		if (cw_json_get(c->input, kinds[i].member) != NULL)
			return &kinds[i];
	return NULL;
}

/* The last folder and the file of a path. */
static const char *
short_name(const char *path)
{
	const char *at = path + strlen(path);
	int slashes = 0;

	while (at > path) {
		slashes += at[-1] == '/' ? 1 : 0;
		if (slashes == 2)
			break;
		at--;
	}
	return at;
}

static void
strip_tag(struct cose_case *c, const char *tag)
{
	size_t n = strlen(tag);
	bool tagged = c->bytes.len >= n && memcmp(c->bytes.ptr, tag, n) == 0;

	c->message = cw_buf_bytes(&c->bytes);
	if (tagged)
		c->message = cw_bytes(c->bytes.ptr + n, c->bytes.len - n);
	c->bad_tag = !tagged && c->bytes.len > 0 && c->bytes.ptr[0] >> 5 != 4;
}

bool
cose_case_load(const char *path, struct cose_case *c)
{
	const struct kind_row *row;

	memset(c, 0, sizeof(*c));
	cw_buf_init(&c->bytes, COSE_MAX);
	snprintf(c->name, sizeof(c->name), "%s", short_name(path));
	c->file = cw_json_load(path);
	c->input = cw_json_get(c->file, "input");
	c->intermediates = cw_json_get(c->file, "intermediates");
	c->fails = strstr(c->name, "-fail-") != NULL;
	row = kind_row(c);
	if (row == NULL ||
	    !cw_json_hex(cw_json_get(c->file, "output"), "cbor", &c->bytes))
		return false;
	c->kind = row->kind;
	c->body = cw_json_get(c->input, row->member);
	strip_tag(c, row->tag);
	return true;
}

void
cose_case_wipe(struct cose_case *c)
{
	cw_json_free(&c->file);
	cw_buf_wipe(&c->bytes);
}

enum cw_err
cose_refusal(const struct cose_case *c)
{
	for (size_t i = 0; i < sizeof(unsorted) / sizeof(unsorted[0]); i++)
		if (strcmp(c->name, unsorted[i]) == 0)
			return CW_ERR_NOT_DETERMINISTIC;
	return CW_OK;
}

const char *
cose_misprint(const struct cose_case *c)
{
	return strcmp(c->name, "chacha-poly-examples/chacha-poly-enc-01.json") ?
	    NULL :
	    "AAD_hex of the file says Encrypt1, its ciphertext is right";
}

static const char *
stated_alg(const struct cw_json *holder)
{
	const char *alg = cw_json_str(cw_json_get(holder, "protected"), "alg");

	if (alg == NULL)
		alg = cw_json_str(cw_json_get(holder, "unprotected"), "alg");
	return alg == NULL ? "" : alg;
}

const char *
cose_why_not(const struct cose_case *c)
{
	const struct kind_row *row = kind_row(c);

	if (row == NULL || row->reason != NULL)
		return row == NULL ? "it is of no known kind" : row->reason;
	if (c->kind == COSE_SIGN1 && !cose_supports_signer(c->body))
		return "its signature algorithm is not in the product";
	return NULL;
}

/* The algorithm in a header map, 0 if it has none that is a number. */
static int64_t
find_alg(struct cw_bytes map)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, map);
	cw_cbor_map(&r, SIZE_MAX);
	if (!cw_cbor_key_opt(&r, LABEL_ALG))
		return 0;
	return cw_cbor_int(&r, INT64_MIN, INT64_MAX);
}

void
cose_headers(struct cw_cbor_reader *r, struct cw_bytes *protected_header,
    int64_t *alg)
{
	struct cw_bytes header = cw_cbor_bstr(r, 0, COSE_MAX);
	struct cw_bytes unprotected = cw_cbor_item(r);

	*alg = find_alg(header);
	if (*alg == 0)
		*alg = find_alg(unprotected);
	if (header.len == 1 && header.ptr[0] == 0xa0)
		header = CW_BYTES_NONE;
	*protected_header = header;
}

/* ---- signatures ---- */

struct signature_row {
	int64_t alg;
	const char *name;
	const char *curve;
	enum cw_key_type type;
};

static const struct signature_row signature_rows[] = {
	{ -7, "ES256", "P-256", CW_KEY_P256 },
	{ -35, "ES384", "P-384", CW_KEY_P384 },
	{ -8, "EdDSA", "Ed25519", CW_KEY_ED25519 },
};

#define N_SIGNATURES (sizeof(signature_rows) / sizeof(signature_rows[0]))

enum cw_key_type
cose_key_type(int64_t alg)
{
	for (size_t i = 0; i < N_SIGNATURES; i++)
		if (signature_rows[i].alg == alg)
			return signature_rows[i].type;
	return (enum cw_key_type)0;
}

/* By what the file says of the key; NULL if the product has no such thing. */
static const struct signature_row *
row_of_key(const struct cw_json *key)
{
	const char *curve = cw_json_str(key, "crv");

	for (size_t i = 0; curve != NULL && i < N_SIGNATURES; i++)
		if (strcmp(signature_rows[i].curve, curve) == 0)
			return &signature_rows[i];
	return NULL;
}

bool
cose_supports_signer(const struct cw_json *signer)
{
	const struct signature_row *row =
	    row_of_key(cw_json_get(signer, "key"));

	return row != NULL && strcmp(stated_alg(signer), row->name) == 0;
}

/* A coordinate, as base64url or, under its name and "_hex", as hex. */
static bool
coordinate(const struct cw_json *key, const char *name, uint8_t *out,
    uint16_t *out_len)
{
	char hex_name[16];
	struct cw_buf b;
	bool found;

	snprintf(hex_name, sizeof(hex_name), "%s_hex", name);
	cw_buf_init(&b, 48);
	found =
	    cw_json_hex(key, hex_name, &b) || cw_json_base64url(key, name, &b);
	if (found)
		memcpy(out, b.ptr, b.len);
	*out_len = (uint16_t)b.len;
	cw_buf_wipe(&b);
	return found;
}

bool
cose_public_key(const struct cw_json *json, struct cw_public_key *key)
{
	const struct signature_row *row = row_of_key(json);

	memset(key, 0, sizeof(*key));
	if (row == NULL || !coordinate(json, "x", key->x, &key->x_len))
		return false;
	key->type = row->type;
	return key->type == CW_KEY_ED25519 ||
	    coordinate(json, "y", key->y, &key->y_len);
}

static void
put_external(struct cw_buf *out, const char *hex)
{
	struct cw_buf b;

	cw_buf_init(&b, COSE_MAX);
	if (hex != NULL && !cw_hex_decode(hex, &b))
		b.err = CW_ERR_MALFORMED;
	if (b.err != CW_OK)
		out->err = b.err;
	cw_buf_put(out, cw_buf_bytes(&b));
	cw_buf_wipe(&b);
}

void
cose_signed_bytes(const struct cose_signer *s, struct cw_buf *out)
{
	struct cw_buf external;

	cw_buf_init(&external, COSE_MAX);
	put_external(&external, s->external);
	if (strcmp(s->context, "Signature1") == 0) {
		cw_cose_sig_structure(s->protected_header,
		    cw_buf_bytes(&external), s->payload, out);
	} else {
		cw_cbor_put_array(out, 5);
		cw_cbor_put_str(out, s->context);
		cw_cbor_put_bstr(out, s->body_header);
		cw_cbor_put_bstr(out, s->protected_header);
		cw_cbor_put_bstr(out, cw_buf_bytes(&external));
		cw_cbor_put_bstr(out, s->payload);
	}
	cw_buf_wipe(&external);
}

/* ---- encryption ---- */

struct cipher_row {
	const char *name;
	enum cw_alg alg;
};

static const struct cipher_row cipher_rows[] = {
	{ "AES-CCM-16-256/128", CW_ALG_AES_CCM_16_128_256 },
	{ "ChaCha-Poly1305", CW_ALG_CHACHA20_POLY1305 },
};

static enum cw_alg
cipher_alg(const char *name)
{
	for (size_t i = 0; i < sizeof(cipher_rows) / sizeof(*cipher_rows); i++)
		if (strcmp(cipher_rows[i].name, name) == 0)
			return cipher_rows[i].alg;
	return CW_ALG_NONE;
}

static void
read_message(const struct cose_case *c, struct cose_cipher *e)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, c->message);
	cw_cbor_array(&r, 3, 4);
	e->protected_header = cw_cbor_bstr(&r, 0, COSE_MAX);
	cw_cbor_map(&r, 1);
	cw_cbor_key(&r, LABEL_IV);
	e->nonce = cw_cbor_bstr(&r, 0, COSE_MAX);
	cw_cbor_map_end(&r);
	e->ciphertext = cw_cbor_bstr(&r, 0, COSE_MAX);
	if (c->kind == COSE_ENCRYPT)
		cw_cbor_item(&r);
	cw_cbor_array_end(&r);
	e->err = cw_cbor_finish(&r);
}

const char *
cose_cipher_read(const struct cose_case *c, struct cose_cipher *e)
{
	const struct cw_json *recipients = cw_json_get(c->body, "recipients");
	const struct cw_json *recipient = cw_json_at(recipients, 0);
	struct cw_buf key;

	e->alg = cipher_alg(stated_alg(c->body));
	if (e->alg == CW_ALG_NONE)
		return "its content algorithm is not in the product";
	if (cw_json_count(recipients) != 1 ||
	    strcmp(stated_alg(recipient), "direct") != 0)
		return "its key management is not in the product";
	cw_buf_init(&key, sizeof(e->key));
	if (cw_json_base64url(cw_json_get(recipient, "key"), "k", &key) &&
	    key.len == sizeof(e->key))
		memcpy(e->key, key.ptr, key.len);
	cw_buf_wipe(&key);
	e->external = cw_json_str(c->body, "external");
	read_message(c, e);
	return NULL;
}

void
cose_authenticated_bytes(const struct cose_cipher *e, struct cw_buf *out)
{
	struct cw_buf external;

	cw_buf_init(&external, COSE_MAX);
	put_external(&external, e->external);
	if (strcmp(e->context, "Encrypt0") == 0) {
		cw_cose_enc_structure(e->protected_header,
		    cw_buf_bytes(&external), out);
	} else {
		cw_cbor_put_array(out, 3);
		cw_cbor_put_str(out, e->context);
		cw_cbor_put_bstr(out, e->protected_header);
		cw_cbor_put_bstr(out, cw_buf_bytes(&external));
	}
	cw_buf_wipe(&external);
}

void
cose_plaintext(const struct cose_case *c, struct cw_buf *out)
{
	const char *text = cw_json_str(c->input, "plaintext");

	if (text != NULL)
		cw_buf_put_str(out, text);
	else
		cw_json_hex(c->input, "plaintext_hex", out);
}
