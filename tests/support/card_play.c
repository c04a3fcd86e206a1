/* SPDX-License-Identifier: Apache-2.0 */
/* Steps of card tests. */
#include "tests/support/card_play.h"

const struct cw_create_puk_policy cw_play_puk = {
	.id = CW_PLAY_PUK_ID,
	.rule = { CW_PIN_DIGITS, 8, 8, 3, 0 },
	.value = { (const uint8_t *)CW_PLAY_PUK, 8 },
};

const struct cw_create_pin_policy cw_play_policy = {
	.id = CW_PLAY_POLICY_ID,
	.rule = { CW_PIN_DIGITS, 4, 8, 3, 0 },
	.issuer_set = true,
	.modifiable = true,
	.value = { (const uint8_t *)CW_PLAY_PIN, 4 },
	.puk = CW_PLAY_PUK_ID,
};

const struct cw_create_key cw_play_key = {
	.id = CW_PLAY_KEY_ID,
	.type = CW_KEY_P256,
	.usage = CW_USAGE_SIGN,
	.pin_policy = CW_PLAY_POLICY_ID,
	.name = { (const uint8_t *)"Key 1", 5 },
};

static const uint8_t secret[CW_AEAD_KEY_BYTES] = { 0x5e, 0xc2, 0xe7, 1, 2, 3 };

const struct cw_create_key cw_play_secret = {
	.id = 4,
	.type = CW_KEY_SECRET,
	.usage = CW_USAGE_MAC,
	.name = { (const uint8_t *)"Secret", 6 },
	.secret = { secret, sizeof(secret) },
};

struct cw_command
cw_play_puk_command(const struct cw_create_puk_policy *puk)
{
	struct cw_command c = { .no = CW_CREATE_PUK_POLICY };

	c.u.create_puk_policy = *puk;
	return c;
}

struct cw_command
cw_play_on(enum cw_command_no no, uint32_t id, uint32_t target)
{
	struct cw_command c = { .no = no };

	c.u.on_key.id = id;
	c.u.on_key.target = target;
	return c;
}

struct cw_command
cw_play_close(void)
{
	struct cw_command c = { .no = CW_CLOSE, .last = true };

	return c;
}

struct cw_command
cw_play_extension(uint32_t key, const char *type, enum cw_extension_kind kind,
    struct cw_bytes data)
{
	struct cw_command c = { .no = CW_SET_EXTENSION };

	c.u.set_extension.id = key;
	c.u.set_extension.type = cw_bytes_str(type);
	c.u.set_extension.kind = kind;
	c.u.set_extension.data = data;
	return c;
}

struct cw_command
cw_play_import(const struct cw_create_key *key)
{
	struct cw_command c = { .no = key->type == CW_KEY_SECRET ?
		    CW_IMPORT_SYMMETRIC_KEY :
		    CW_IMPORT_PRIVATE_KEY };

	c.u.create_key = *key;
	return c;
}

void
cw_play_make(struct cw_test_issuer *issuer, const struct cw_create_key *key)
{
	struct cw_public_key made;

	assert_err(cw_test_issuer_create_key(issuer, key, false, &made), CW_OK);
	assert_err(cw_test_issuer_certify(issuer, key->id, &made), CW_OK);
}

void
cw_play_base(struct cw_test_issuer *issuer)
{
	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	cw_test_must_run(issuer, cw_play_puk_command(&cw_play_puk));
	cw_test_must_run(issuer, cw_test_policy_command(&cw_play_policy));
	cw_play_make(issuer, &cw_play_key);
	assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
}

void
cw_play_scope_object(struct cw_test_issuer *issuer, uint32_t id)
{
	struct cw_scope *scope = &issuer->request.scope;

	scope->objects[scope->n_objects++] = id;
}

const struct cw_listed_key *
cw_play_listed(struct cw_test_issuer *issuer, uint32_t id)
{
	static struct cw_listed_key keys[CW_KEYS_MAX];
	const struct cw_command list = { .no = CW_LIST, .last = true };
	struct cw_reply reply = { .keys = keys };
	const struct cw_listed_key *found = NULL;

	assert_err(cw_test_issuer_begin(issuer), CW_OK);
	assert_err(cw_test_issuer_command(issuer, &list, &reply), CW_OK);
	for (size_t i = 0; i < reply.n_keys; i++)
		if (keys[i].id == id)
			found = &keys[i];
	/* The views are in reply_plain: CLOSE would overwrite it. */
	assert_sw(cw_test_send(&issuer->wire, 0x801C, 0,
		      CW_BYTES_ARRAY(issuer->request.session_id), NULL),
	    0x9000);
	return found;
}

unsigned
cw_play_hold(struct cw_test_world *w, enum cw_ins ins,
    const struct cw_key_request *q)
{
	struct cw_buf data;
	unsigned sw;

	cw_buf_init(&data, CW_APDU_MAX);
	cw_key_request_encode(ins, q, &data);
	assert_err(data.err, CW_OK);
	sw = cw_test_send(&w->card.wire, 0x8000u | ins, 0, cw_buf_bytes(&data),
	    &w->out);
	cw_buf_wipe(&data);
	return sw;
}

struct cw_held_key
cw_play_held(struct cw_test_world *w, const char *name)
{
	struct cw_key_request q = { .handle = 1 };
	struct cw_held_key k = { .handle = 0 };

	while (cw_play_hold(w, CW_INS_READ_KEY, &q) == 0x9000) {
		assert_err(cw_held_key_decode(cw_buf_bytes(&w->out), &k),
		    CW_OK);
		if (cw_bytes_is(k.attributes.name, name))
			return k;
		q.handle = k.handle + 1;
	}
	fail_msg("no key \"%s\"", name);
	return k;
}
