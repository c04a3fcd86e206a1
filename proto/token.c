/* SPDX-License-Identifier: Apache-2.0 */
/* Message 4, the token, and the issuer's check of it. */
#include "proto/token.h"

#include "proto/fields.h"

void
cw_message4_encode(const struct cw_message4 *m, struct cw_buf *out)
{
	cw_cbor_put_array(out, 2);
	cw_cose_key_put(out, &m->card_ephemeral);
	cw_cbor_put_bstr(out, m->token);
}

enum cw_err
cw_message4_decode(struct cw_bytes in, struct cw_message4 *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_array(&r, 2, 2);
	cw_cose_key_get(&r, &out->card_ephemeral);
	out->token = cw_cbor_bstr(&r, 1, CW_COMMAND_MAX);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}

static void
put_pseudonym(struct cw_buf *b, bool has, const uint8_t value[CW_HASH_BYTES])
{
	if (has)
		cw_cbor_put_bstr(b, cw_bytes(value, CW_HASH_BYTES));
	else
		cw_cbor_put_null(b);
}

static bool
get_pseudonym(struct cw_cbor_reader *r, uint8_t value[CW_HASH_BYTES])
{
	if (cw_cbor_is_null(r))
		return false;
	cw_cbor_bstr_into(r, value, CW_HASH_BYTES);
	return true;
}

void
cw_token_encode(const struct cw_token *token, struct cw_buf *out)
{
	cw_cbor_put_array(out, 4);
	cw_field_put_bstrs(out, token->chain, token->n_chain);
	cw_cbor_put_bstr(out, token->statement);
	cw_cbor_put_bstr(out, token->card_info);
	put_pseudonym(out, token->has_pseudonym, token->pseudonym);
}

enum cw_err
cw_token_decode(struct cw_bytes in, struct cw_token *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_array(&r, 4, 4);
	out->n_chain =
	    cw_field_bstrs(&r, 1, CW_CHAIN_MAX, CW_CERT_MAX_BYTES, out->chain);
	out->statement = cw_cbor_bstr(&r, 1, CW_REQUEST_MAX);
	out->card_info = cw_cbor_bstr(&r, 1, CW_REQUEST_MAX);
	out->has_pseudonym = get_pseudonym(&r, out->pseudonym);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}

void
cw_card_info_encode(const struct cw_card_info *info, struct cw_buf *out)
{
	cw_cbor_put_map(out, info->serial.len > 0 ? 5 : 4);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_tstr(out, info->model);
	cw_cbor_put_uint(out, 1);
	cw_cbor_put_tstr(out, info->firmware);
	cw_cbor_put_uint(out, 2);
	cw_cbor_put_uint(out, info->keys_free);
	cw_cbor_put_uint(out, 3);
	cw_cbor_put_bool(out, info->pin_set);
	if (info->serial.len > 0) {
		cw_cbor_put_uint(out, 4);
		cw_cbor_put_tstr(out, info->serial);
	}
}

enum cw_err
cw_card_info_decode(struct cw_bytes in, struct cw_card_info *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 16);
	cw_cbor_key(&r, 0);
	out->model = cw_field_text(&r);
	cw_cbor_key(&r, 1);
	out->firmware = cw_field_text(&r);
	cw_cbor_key(&r, 2);
	out->keys_free = cw_cbor_uint(&r, 0, UINT32_MAX);
	cw_cbor_key(&r, 3);
	out->pin_set = cw_cbor_bool(&r);
	if (cw_cbor_key_opt(&r, 4))
		out->serial = cw_field_text(&r);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

enum cw_err
cw_token_statement_make(const struct cw_token_statement *s,
    const struct cw_private_key *attestation, struct cw_buf *out)
{
	struct cw_buf payload;
	enum cw_err err;

	cw_buf_init(&payload, CW_REQUEST_MAX);
	cw_cbor_put_array(&payload, 6);
	cw_cbor_put_str(&payload, "CW1 token");
	cw_cbor_put_bstr(&payload, CW_BYTES_ARRAY(s->th));
	cw_cbor_put_uint(&payload, s->mode);
	cw_cbor_put_bstr(&payload, CW_BYTES_ARRAY(s->leaf_hash));
	cw_cbor_put_bstr(&payload, CW_BYTES_ARRAY(s->card_info_hash));
	put_pseudonym(&payload, s->has_pseudonym, s->pseudonym);
	err = payload.err;
	if (err == CW_OK)
		err = cw_cose_sign1_make(attestation, CW_TYP_TOKEN,
		    cw_buf_bytes(&payload), out);
	cw_buf_wipe(&payload);
	return err;
}

enum cw_err
cw_token_statement_verify(struct cw_bytes in,
    const struct cw_public_key *attestation, struct cw_token_statement *out)
{
	struct cw_cose_sign1 sign1;
	struct cw_cbor_reader r;
	enum cw_err err;

	memset(out, 0, sizeof(*out));
	err = cw_cose_sign1_decode(in, CW_TYP_TOKEN, &sign1);
	if (err == CW_OK)
		err = cw_cose_sign1_verify(&sign1, attestation, CW_BYTES_NONE);
	if (err != CW_OK)
		return err;
	cw_cbor_init(&r, sign1.payload);
	cw_cbor_array(&r, 6, 6);
	cw_cbor_label(&r, "CW1 token");
	cw_cbor_bstr_into(&r, out->th, sizeof(out->th));
	out->mode = cw_cbor_u32(&r, 1, CW_MODE_ANONYMOUS);
	cw_cbor_bstr_into(&r, out->leaf_hash, sizeof(out->leaf_hash));
	cw_cbor_bstr_into(&r, out->card_info_hash, sizeof(out->card_info_hash));
	out->has_pseudonym = get_pseudonym(&r, out->pseudonym);
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}

/* docs/protocol.md "Privacy modes": the mode is stated, never inferred, and
 * what comes with it must fit. */
static enum cw_err
check_mode(const struct cw_token *token, const struct cw_card_info *info,
    enum cw_attestation_kind kind, enum cw_mode mode)
{
	bool own_key = mode == CW_MODE_IDENTIFIED;

	if (kind != (own_key ? CW_ATTESTATION_CARD : CW_ATTESTATION_BATCH))
		return CW_ERR_WRONG_MODE;
	if (token->has_pseudonym != (mode == CW_MODE_PSEUDONYMOUS))
		return CW_ERR_WRONG_MODE;
	if (!own_key && info->serial.len > 0)
		return CW_ERR_WRONG_MODE;
	return CW_OK;
}

static bool
same_pseudonym(const struct cw_token *t, const struct cw_token_statement *s)
{
	return t->has_pseudonym == s->has_pseudonym &&
	    memcmp(t->pseudonym, s->pseudonym, CW_HASH_BYTES) == 0;
}

enum cw_err
cw_token_check(const struct cw_token *token,
    const struct cw_attestation *attestation, const uint8_t th[CW_HASH_BYTES],
    enum cw_mode mode)
{
	struct cw_token_statement s;
	struct cw_card_info info;
	uint8_t info_hash[CW_HASH_BYTES];
	enum cw_err err;

	err =
	    cw_token_statement_verify(token->statement, &attestation->key, &s);
	if (err == CW_OK)
		err = cw_card_info_decode(token->card_info, &info);
	if (err != CW_OK)
		return err;
	cw_hash(token->card_info, info_hash);
	if (memcmp(s.th, th, CW_HASH_BYTES) != 0 ||
	    memcmp(s.leaf_hash, attestation->leaf_hash, CW_HASH_BYTES) != 0 ||
	    memcmp(s.card_info_hash, info_hash, CW_HASH_BYTES) != 0 ||
	    !cw_bytes_is(info.model, attestation->model) ||
	    !same_pseudonym(token, &s))
		return CW_ERR_WRONG_STATEMENT;
	if (s.mode != mode)
		return CW_ERR_WRONG_MODE;
	return check_mode(token, &info, attestation->kind, mode);
}
