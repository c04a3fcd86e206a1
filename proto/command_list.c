/* SPDX-License-Identifier: Apache-2.0 */
/* The reply to LIST. */
#include "proto/command_rows.h"
#include "proto/fields.h"

static void
put_texts(struct cw_buf *b, const struct cw_bytes *texts, size_t n)
{
	cw_cbor_put_array(b, n);
	for (size_t i = 0; i < n; i++)
		cw_cbor_put_tstr(b, texts[i]);
}

static void
put_key(struct cw_buf *b, const struct cw_listed_key *k)
{
	cw_cbor_put_map(b,
	    3u + k->has_pin + k->has_puk + k->exported + (k->n_extensions > 0));
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_uint(b, k->id);
	cw_cbor_put_uint(b, 1);
	cw_attributes_put(b, &k->attributes);
	cw_cbor_put_uint(b, 2);
	cw_field_put_bstrs(b, k->chain, k->n_chain);
	if (k->has_pin) {
		cw_cbor_put_uint(b, 3);
		cw_cbor_put_uint(b, k->pin_tries);
	}
	if (k->has_puk) {
		cw_cbor_put_uint(b, 4);
		cw_cbor_put_uint(b, k->puk_tries);
	}
	if (k->exported) {
		cw_cbor_put_uint(b, 5);
		cw_cbor_put_bool(b, true);
	}
	if (k->n_extensions > 0) {
		cw_cbor_put_uint(b, 6);
		put_texts(b, k->extensions, k->n_extensions);
	}
}

void
cw_command_put_list_result(struct cw_buf *b, const struct cw_reply *reply)
{
	cw_cbor_put_map(b, 2);
	cw_cbor_put_uint(b, 0);
	cw_cbor_put_array(b, reply->n_keys);
	for (size_t i = 0; i < reply->n_keys; i++)
		put_key(b, &reply->keys[i]);
	cw_cbor_put_uint(b, 1);
	cw_cbor_put_bool(b, reply->more);
}

/* A PUK stands only beside a PIN. */
static void
get_pin(struct cw_cbor_reader *r, struct cw_listed_key *k)
{
	k->has_pin = cw_cbor_key_opt(r, 3);
	if (!k->has_pin)
		return;
	k->pin_tries = cw_cbor_u32(r, 0, 15);
	k->has_puk = cw_cbor_key_opt(r, 4);
	if (k->has_puk)
		k->puk_tries = cw_cbor_u32(r, 0, 15);
}

static void
get_key(struct cw_cbor_reader *r, struct cw_listed_key *k)
{
	memset(k, 0, sizeof(*k));
	cw_cbor_map(r, 16);
	cw_cbor_key(r, 0);
	k->id = cw_command_get_id(r);
	cw_cbor_key(r, 1);
	cw_attributes_get(r, &k->attributes);
	cw_cbor_key(r, 2);
	k->n_chain =
	    cw_field_bstrs(r, 0, CW_CHAIN_MAX, CW_CERT_MAX_BYTES, k->chain);
	get_pin(r, k);
	k->exported = cw_cbor_key_opt(r, 5);
	if (k->exported && !cw_cbor_bool(r))
		cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
	if (cw_cbor_key_opt(r, 6)) {
		k->n_extensions = cw_cbor_array(r, 1, CW_EXTENSIONS_MAX);
		for (size_t i = 0; i < k->n_extensions; i++)
			k->extensions[i] = cw_field_text(r);
		cw_cbor_array_end(r);
	}
	cw_cbor_map_end(r);
}

void
cw_command_get_list_result(struct cw_cbor_reader *r, struct cw_reply *reply)
{
	struct cw_listed_key unused;

	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	reply->n_keys = cw_cbor_array(r, 0, CW_KEYS_MAX);
	for (size_t i = 0; i < reply->n_keys; i++)
		get_key(r, reply->keys != NULL ? &reply->keys[i] : &unused);
	cw_cbor_array_end(r);
	cw_cbor_key(r, 1);
	reply->more = cw_cbor_bool(r);
	cw_cbor_map_end(r);
}
