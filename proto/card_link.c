/* SPDX-License-Identifier: Apache-2.0 */
/* Contents of APDUs, and the personalisation file. */
#include "proto/card_link.h"

#include "proto/fields.h"

#define KEY_FILE_MAX 4096 /* PKCS#8 of any key type */

void
cw_pin_info_encode(const struct cw_pin_info *info, struct cw_buf *out)
{
	bool holder = info->policy == 0;

	cw_cbor_put_map(out, holder ? 6u : 5u + (info->group != 0));
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_uint(out, info->policy);
	cw_cbor_put_uint(out, 1);
	cw_pin_rule_put(out, &info->rule);
	cw_cbor_put_uint(out, 2);
	cw_cbor_put_bool(out, info->is_set);
	cw_cbor_put_uint(out, 3);
	cw_cbor_put_uint(out, info->tries_left);
	if (holder) {
		cw_cbor_put_uint(out, 4);
		cw_pin_rule_put(out, &info->puk_rule);
		cw_cbor_put_uint(out, 5);
		cw_cbor_put_uint(out, info->puk_tries_left);
		return;
	}
	if (info->group != 0) {
		cw_cbor_put_uint(out, 6);
		cw_cbor_put_uint(out, info->group);
	}
	cw_cbor_put_uint(out, 7);
	cw_cbor_put_uint(out, info->usage);
}

enum cw_err
cw_pin_info_decode(struct cw_bytes in, struct cw_pin_info *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 16);
	cw_cbor_key(&r, 0);
	out->policy = cw_cbor_u32(&r, 0, UINT32_MAX);
	cw_cbor_key(&r, 1);
	cw_pin_rule_get(&r, &out->rule);
	cw_cbor_key(&r, 2);
	out->is_set = cw_cbor_bool(&r);
	cw_cbor_key(&r, 3);
	out->tries_left = cw_cbor_u32(&r, 0, 15);
	if (r.err == CW_OK && out->policy == 0) {
		cw_cbor_key(&r, 4);
		cw_pin_rule_get(&r, &out->puk_rule);
		cw_cbor_key(&r, 5);
		out->puk_tries_left = cw_cbor_u32(&r, 0, 15);
	} else if (r.err == CW_OK) {
		if (cw_cbor_key_opt(&r, 6))
			out->group = cw_cbor_u32(&r, 1, UINT32_MAX);
		cw_cbor_key(&r, 7);
		out->usage = cw_cbor_u32(&r, 1, 127);
	}
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

void
cw_set_pin_encode(const struct cw_set_pin *set, struct cw_buf *out)
{
	cw_cbor_put_map(out, 3u + (set->puk.len > 0) + (set->group != 0));
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(set->session_id));
	cw_cbor_put_uint(out, 1);
	cw_cbor_put_uint(out, set->policy);
	cw_cbor_put_uint(out, 2);
	cw_cbor_put_bstr(out, set->pin);
	if (set->puk.len > 0) {
		cw_cbor_put_uint(out, 3);
		cw_cbor_put_bstr(out, set->puk);
	}
	if (set->group != 0) {
		cw_cbor_put_uint(out, 4);
		cw_cbor_put_uint(out, set->group);
	}
}

enum cw_err
cw_set_pin_decode(struct cw_bytes in, struct cw_set_pin *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 8);
	cw_cbor_key(&r, 0);
	cw_cbor_bstr_into(&r, out->session_id, sizeof(out->session_id));
	cw_cbor_key(&r, 1);
	out->policy = cw_cbor_u32(&r, 0, UINT32_MAX);
	cw_cbor_key(&r, 2);
	out->pin = cw_cbor_bstr(&r, 1, CW_PIN_MAX_BYTES);
	/* Only the holder has a PUK; another policy's is an unknown field. */
	if (r.err == CW_OK && out->policy == 0 && cw_cbor_key_opt(&r, 3))
		out->puk = cw_cbor_bstr(&r, 1, CW_PIN_MAX_BYTES);
	if (r.err == CW_OK && out->policy != 0 && cw_cbor_key_opt(&r, 4))
		out->group = cw_cbor_u32(&r, 1, UINT32_MAX);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

void
cw_status_query_encode(struct cw_bytes origin, struct cw_buf *out)
{
	cw_cbor_put_map(out, 1);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_tstr(out, origin);
}

enum cw_err
cw_status_query_decode(struct cw_bytes in, struct cw_bytes *origin)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 8);
	cw_cbor_key(&r, 0);
	*origin = cw_cbor_tstr(&r, 1, CW_URI_MAX);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

void
cw_status_encode(const struct cw_status *status, struct cw_buf *out)
{
	cw_cbor_put_map(out, 5);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_tstr(out, status->uri);
	cw_cbor_put_uint(out, 1);
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(status->session_id));
	cw_cbor_put_uint(out, 2);
	cw_cbor_put_bstr(out, status->last_message);
	cw_cbor_put_uint(out, 3);
	cw_cbor_put_uint(out, status->answered);
	cw_cbor_put_uint(out, 4);
	cw_cbor_put_uint(out, status->state);
}

enum cw_err
cw_status_decode(struct cw_bytes in, struct cw_status *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 8);
	cw_cbor_key(&r, 0);
	out->uri = cw_cbor_tstr(&r, 1, CW_URI_MAX);
	cw_cbor_key(&r, 1);
	cw_cbor_bstr_into(&r, out->session_id, sizeof(out->session_id));
	cw_cbor_key(&r, 2);
	out->last_message = cw_cbor_bstr(&r, 1, CW_BODY_MAX);
	cw_cbor_key(&r, 3);
	out->answered = cw_cbor_u32(&r, 0, CW_COMMANDS_MAX);
	cw_cbor_key(&r, 4);
	out->state = cw_cbor_u32(&r, 1, CW_SESSION_ERROR);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

void
cw_list_public_encode(const struct cw_public_slot *slots, size_t n,
    struct cw_buf *out)
{
	cw_cbor_put_map(out, 1);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_array(out, n);
	for (size_t i = 0; i < n; i++) {
		cw_cbor_put_map(out, 3);
		cw_cbor_put_uint(out, 0);
		cw_cbor_put_uint(out, slots[i].slot);
		cw_cbor_put_uint(out, 1);
		cw_cbor_put_uint(out, slots[i].type);
		cw_cbor_put_uint(out, 2);
		cw_cbor_put_bool(out, slots[i].has_certificate);
	}
}

enum cw_err
cw_list_public_decode(struct cw_bytes in,
    struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX], size_t *n)
{
	struct cw_cbor_reader r;

	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 8);
	cw_cbor_key(&r, 0);
	*n = cw_cbor_array(&r, 0, CW_PUBLIC_SLOTS_MAX);
	for (size_t i = 0; i < *n; i++) {
		cw_cbor_map(&r, 8);
		cw_cbor_key(&r, 0);
		slots[i].slot = cw_field_slot(&r);
		cw_cbor_key(&r, 1);
		slots[i].type = cw_cbor_u32(&r, 1, CW_KEY_X25519);
		cw_cbor_key(&r, 2);
		slots[i].has_certificate = cw_cbor_bool(&r);
		cw_cbor_map_end(&r);
	}
	cw_cbor_array_end(&r);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

void
cw_personalisation_encode(const struct cw_personalisation *p,
    struct cw_buf *out)
{
	cw_cbor_put_map(out, 8);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(p->card_secret));
	cw_cbor_put_uint(out, 1);
	cw_cbor_put_bstr(out, p->card_key);
	cw_cbor_put_uint(out, 2);
	cw_field_put_bstrs(out, p->card_chain, p->n_card_chain);
	cw_cbor_put_uint(out, 3);
	cw_cbor_put_bstr(out, p->batch_key);
	cw_cbor_put_uint(out, 4);
	cw_field_put_bstrs(out, p->batch_chain, p->n_batch_chain);
	cw_cbor_put_uint(out, 5);
	cw_cbor_put_tstr(out, p->model);
	cw_cbor_put_uint(out, 6);
	cw_cbor_put_tstr(out, p->firmware);
	cw_cbor_put_uint(out, 7);
	cw_cbor_put_tstr(out, p->serial);
}

enum cw_err
cw_personalisation_decode(struct cw_bytes in, struct cw_personalisation *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 16);
	cw_cbor_key(&r, 0);
	cw_cbor_bstr_into(&r, out->card_secret, sizeof(out->card_secret));
	cw_cbor_key(&r, 1);
	out->card_key = cw_cbor_bstr(&r, 1, KEY_FILE_MAX);
	cw_cbor_key(&r, 2);
	out->n_card_chain = cw_field_bstrs(&r, 1, CW_CHAIN_MAX,
	    CW_CERT_MAX_BYTES, out->card_chain);
	cw_cbor_key(&r, 3);
	out->batch_key = cw_cbor_bstr(&r, 1, KEY_FILE_MAX);
	cw_cbor_key(&r, 4);
	out->n_batch_chain = cw_field_bstrs(&r, 1, CW_CHAIN_MAX,
	    CW_CERT_MAX_BYTES, out->batch_chain);
	cw_cbor_key(&r, 5);
	out->model = cw_field_text(&r);
	cw_cbor_key(&r, 6);
	out->firmware = cw_field_text(&r);
	cw_cbor_key(&r, 7);
	out->serial = cw_field_text(&r);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

static bool
starts_with(struct cw_bytes s, const char *prefix)
{
	size_t n = strlen(prefix);

	return s.len > n && memcmp(s.ptr, prefix, n) == 0;
}

/* Serialised origins leave the scheme's own port out (RFC 6454 6.2). */
static bool
has_default_port(struct cw_bytes origin)
{
	const char *port = starts_with(origin, "https:") ? ":443" : ":80";
	size_t n = strlen(port);

	return origin.len > n &&
	    memcmp(origin.ptr + origin.len - n, port, n) == 0;
}

bool
cw_url_origin(struct cw_bytes url, struct cw_bytes *origin)
{
	size_t at = starts_with(url, "https://") ? 8 :
	    starts_with(url, "http://")          ? 7 :
						   0;
	size_t host = at;

	if (at == 0)
		return false;
	/* Only what a browser's serialised origin has (RFC 6454 6.2): lower
	 * case letters, digits, dots, hyphens, a port, brackets for IPv6. */
	for (; at < url.len && url.ptr[at] != '/'; at++)
		if (memchr("abcdefghijklmnopqrstuvwxyz0123456789.-:[]",
			url.ptr[at], 41) == NULL)
			return false;
	*origin = cw_bytes(url.ptr, at);
	return at > host && !has_default_port(*origin);
}
