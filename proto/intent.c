/* SPDX-License-Identifier: Apache-2.0 */
/* Messages 1 and 2. */
#include "proto/intent.h"

#include "proto/fields.h"

/* One of the versions must be ours; the others may be anything. */
static void
get_versions(struct cw_cbor_reader *r)
{
	size_t n = cw_cbor_array(r, 1, CW_CAPS_LIST_MAX);
	bool ours = false;

	for (size_t i = 0; i < n; i++)
		ours |= cw_cbor_uint(r, 0, UINT32_MAX) == CW_VERSION;
	cw_cbor_array_end(r);
	if (!ours)
		cw_cbor_fail(r, CW_ERR_BAD_VERSION);
}

static void
put_versions(struct cw_buf *b)
{
	cw_cbor_put_array(b, 1);
	cw_cbor_put_uint(b, CW_VERSION);
}

static void
put_objects(struct cw_buf *b, const struct cw_intent *intent)
{
	cw_cbor_put_uint(b, 9);
	cw_cbor_put_array(b, intent->n_objects);
	for (size_t i = 0; i < intent->n_objects; i++) {
		const struct cw_intent_object *o = &intent->objects[i];

		cw_cbor_put_array(b, 4);
		cw_cbor_put_uint(b, o->id);
		if (o->slot != 0)
			cw_cbor_put_uint(b, o->slot);
		else
			cw_cbor_put_null(b);
		cw_cbor_put_bstr(b, CW_BYTES_ARRAY(o->leaf_hash));
		cw_cbor_put_tstr(b, o->name);
	}
}

/* What is named is what the scope has, and nothing is left out. */
static void
get_objects(struct cw_cbor_reader *r, struct cw_intent *out)
{
	out->n_objects = cw_cbor_array(r, 1, CW_SCOPE_OBJECTS_MAX);
	if (out->n_objects != out->scope.n_objects)
		cw_cbor_fail(r, CW_ERR_BAD_SCOPE);
	for (size_t i = 0; i < out->n_objects; i++) {
		struct cw_intent_object *o = &out->objects[i];

		cw_cbor_array(r, 4, 4);
		o->id = cw_cbor_u32(r, 1, UINT32_MAX);
		if (o->id != out->scope.objects[i])
			cw_cbor_fail(r, CW_ERR_BAD_SCOPE);
		if (!cw_cbor_is_null(r))
			o->slot = cw_field_slot(r);
		cw_cbor_bstr_into(r, o->leaf_hash, sizeof(o->leaf_hash));
		o->name = cw_field_text(r);
		cw_cbor_array_end(r);
	}
	cw_cbor_array_end(r);
}

const struct cw_intent_object *
cw_intent_object(const struct cw_intent *intent, uint32_t id)
{
	for (size_t i = 0; i < intent->n_objects; i++)
		if (intent->objects[i].id == id)
			return &intent->objects[i];
	return NULL;
}

void
cw_intent_encode(const struct cw_intent *intent, struct cw_buf *out)
{
	cw_cbor_put_map(out, intent->n_objects > 0 ? 10 : 9);
	cw_cbor_put_uint(out, 0);
	put_versions(out);
	cw_cbor_put_uint(out, 1);
	cw_cbor_put_tstr(out, intent->issuer_name);
	cw_cbor_put_uint(out, 2);
	cw_cbor_put_tstr(out, intent->purpose);
	cw_cbor_put_uint(out, 3);
	cw_cbor_put_uint(out, intent->action);
	cw_cbor_put_uint(out, 4);
	cw_cbor_put_tstr(out, intent->subject);
	cw_cbor_put_uint(out, 5);
	cw_cbor_put_tstr(out, intent->session_url);
	cw_cbor_put_uint(out, 6);
	cw_scope_put(out, &intent->scope);
	cw_cbor_put_uint(out, 7);
	cw_cbor_put_uint(out, intent->mode);
	cw_cbor_put_uint(out, 8);
	cw_cbor_put_uint(out, intent->expires_s);
	if (intent->n_objects > 0)
		put_objects(out, intent);
}

enum cw_err
cw_intent_decode(struct cw_bytes in, struct cw_intent *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 16);
	cw_cbor_key(&r, 0);
	get_versions(&r);
	cw_cbor_key(&r, 1);
	out->issuer_name = cw_field_text(&r);
	cw_cbor_key(&r, 2);
	out->purpose = cw_field_text(&r);
	cw_cbor_key(&r, 3);
	out->action = cw_cbor_u32(&r, 1, CW_ACTION_UNLOCK);
	cw_cbor_key(&r, 4);
	out->subject = cw_field_text(&r);
	cw_cbor_key(&r, 5);
	out->session_url = cw_cbor_tstr(&r, 1, CW_URI_MAX);
	cw_cbor_key(&r, 6);
	cw_scope_get(&r, &out->scope);
	cw_cbor_key(&r, 7);
	out->mode = cw_cbor_u32(&r, 1, CW_MODE_ANONYMOUS);
	cw_cbor_key(&r, 8);
	out->expires_s = cw_cbor_uint(&r, 0, INT64_MAX);
	if (cw_cbor_key_opt(&r, 9))
		get_objects(&r, out);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

static void
put_list(struct cw_buf *b, const uint8_t *items, size_t n)
{
	cw_cbor_put_array(b, n);
	for (size_t i = 0; i < n; i++)
		cw_cbor_put_uint(b, items[i]);
}

/* Numbers that this version does not know are somebody's later registration:
 * they are skipped, not refused. */
static size_t
get_list(struct cw_cbor_reader *r, uint8_t *items)
{
	size_t n = cw_cbor_array(r, 1, CW_CAPS_LIST_MAX);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		uint64_t v = cw_cbor_uint(r, 0, UINT32_MAX);

		if (v <= UINT8_MAX)
			items[kept++] = (uint8_t)v;
	}
	cw_cbor_array_end(r);
	return kept;
}

static size_t
get_algs(struct cw_cbor_reader *r, enum cw_alg *algs)
{
	size_t n = cw_cbor_array(r, 1, CW_CAPS_LIST_MAX);
	size_t kept = 0;

	for (size_t i = 0; i < n; i++) {
		int64_t v = cw_cbor_int(r, INT32_MIN, INT32_MAX);

		if (cw_alg_key_type(v) != 0)
			algs[kept++] = (enum cw_alg)v;
	}
	cw_cbor_array_end(r);
	return kept;
}

void
cw_card_caps_encode(const struct cw_card_caps *caps, struct cw_buf *out)
{
	cw_cbor_put_map(out, 8);
	cw_cbor_put_uint(out, 0);
	put_versions(out);
	cw_cbor_put_uint(out, 1);
	put_list(out, caps->suites, caps->n_suites);
	cw_cbor_put_uint(out, 2);
	cw_cbor_put_array(out, caps->n_algs);
	for (size_t i = 0; i < caps->n_algs; i++)
		cw_cbor_put_int(out, caps->algs[i]);
	cw_cbor_put_uint(out, 3);
	put_list(out, caps->key_types, caps->n_key_types);
	cw_cbor_put_uint(out, 4);
	put_list(out, caps->modes, caps->n_modes);
	cw_cbor_put_uint(out, 5);
	cw_cbor_put_uint(out, caps->keys_max);
	cw_cbor_put_uint(out, 6);
	cw_cbor_put_uint(out, caps->command_max);
	cw_cbor_put_uint(out, 7);
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(caps->nonce));
}

enum cw_err
cw_card_caps_decode(struct cw_bytes in, struct cw_card_caps *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 16);
	cw_cbor_key(&r, 0);
	get_versions(&r);
	cw_cbor_key(&r, 1);
	out->n_suites = get_list(&r, out->suites);
	cw_cbor_key(&r, 2);
	out->n_algs = get_algs(&r, out->algs);
	cw_cbor_key(&r, 3);
	out->n_key_types = get_list(&r, out->key_types);
	cw_cbor_key(&r, 4);
	out->n_modes = get_list(&r, out->modes);
	cw_cbor_key(&r, 5);
	out->keys_max = cw_cbor_u32(&r, 1, CW_KEYS_MAX);
	cw_cbor_key(&r, 6);
	out->command_max = cw_cbor_u32(&r, 256, CW_COMMAND_MAX);
	cw_cbor_key(&r, 7);
	cw_cbor_bstr_into(&r, out->nonce, sizeof(out->nonce));
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

static bool
has(const uint8_t *items, size_t n, unsigned value)
{
	for (size_t i = 0; i < n; i++)
		if (items[i] == value)
			return true;
	return false;
}

bool
cw_card_caps_has_suite(const struct cw_card_caps *caps, unsigned suite)
{
	return has(caps->suites, caps->n_suites, suite);
}

bool
cw_card_caps_has_mode(const struct cw_card_caps *caps, unsigned mode)
{
	return has(caps->modes, caps->n_modes, mode);
}

bool
cw_card_caps_has_key_type(const struct cw_card_caps *caps, unsigned type)
{
	return has(caps->key_types, caps->n_key_types, type);
}

void
cw_capabilities_encode(const struct cw_capabilities *c, struct cw_buf *out)
{
	cw_cbor_put_map(out, 4);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_uint(out, CW_VERSION);
	cw_cbor_put_uint(out, 1);
	cw_cbor_put_bstr(out, c->card_caps);
	cw_cbor_put_uint(out, 2);
	cw_cbor_put_bstr(out, CW_BYTES_ARRAY(c->intent_hash));
	cw_cbor_put_uint(out, 3);
	cw_cbor_put_map(out, 3);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_bool(out, c->pin_pad);
	cw_cbor_put_uint(out, 1);
	cw_cbor_put_array(out, c->n_languages);
	for (size_t i = 0; i < c->n_languages; i++)
		cw_cbor_put_tstr(out, c->languages[i]);
	cw_cbor_put_uint(out, 2);
	cw_cbor_put_tstr(out, c->agent);
}

static void
get_agent_caps(struct cw_cbor_reader *r, struct cw_capabilities *out)
{
	cw_cbor_map(r, 8);
	cw_cbor_key(r, 0);
	out->pin_pad = cw_cbor_bool(r);
	cw_cbor_key(r, 1);
	out->n_languages = cw_cbor_array(r, 0, CW_LANGUAGES_MAX);
	for (size_t i = 0; i < out->n_languages; i++)
		out->languages[i] = cw_cbor_tstr(r, 2, 35);
	cw_cbor_array_end(r);
	cw_cbor_key(r, 2);
	out->agent = cw_field_text(r);
	cw_cbor_map_end(r);
}

enum cw_err
cw_capabilities_decode(struct cw_bytes in, struct cw_capabilities *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 8);
	cw_cbor_key(&r, 0);
	if (cw_cbor_uint(&r, 0, UINT32_MAX) != CW_VERSION)
		cw_cbor_fail(&r, CW_ERR_BAD_VERSION);
	cw_cbor_key(&r, 1);
	out->card_caps = cw_cbor_bstr(&r, 1, CW_GRANT_MAX);
	cw_cbor_key(&r, 2);
	cw_cbor_bstr_into(&r, out->intent_hash, sizeof(out->intent_hash));
	cw_cbor_key(&r, 3);
	get_agent_caps(&r, out);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}
