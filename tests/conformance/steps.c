/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that checks share. */
#include "tests/conformance/steps.h"

#define TEXT "what is to be signed"

/* ---- commands ---- */

static const uint8_t secret[32] = { 0x5e, 0xc2, 0xe7, 1, 2, 3 };

struct cw_command
cw_kit_puk(void)
{
	struct cw_command c = { .no = CW_CREATE_PUK_POLICY };

	c.u.create_puk_policy = (struct cw_create_puk_policy){
		.id = CW_KIT_PUK_ID,
		.rule = { CW_PIN_DIGITS, 8, 8, 3, 0 },
		.value = cw_bytes_str(CW_KIT_KEY_PUK),
	};
	return c;
}

struct cw_command
cw_kit_policy(void)
{
	struct cw_command c = { .no = CW_CREATE_PIN_POLICY };

	c.u.create_pin_policy = (struct cw_create_pin_policy){
		.id = CW_KIT_POLICY_ID,
		.rule = { CW_PIN_DIGITS, 4, 8, 3, 0 },
		.issuer_set = true,
		.modifiable = true,
		.value = cw_bytes_str(CW_KIT_KEY_PIN),
		.puk = CW_KIT_PUK_ID,
	};
	return c;
}

struct cw_bytes
cw_kit_secret(void)
{
	return CW_BYTES_ARRAY(secret);
}

struct cw_command
cw_kit_key(uint32_t id, enum cw_key_type type, unsigned usage, const char *name)
{
	struct cw_command c = { .no = type == CW_KEY_SECRET ?
		    CW_IMPORT_SYMMETRIC_KEY :
		    CW_CREATE_KEY };

	c.u.create_key = (struct cw_create_key){
		.id = id,
		.type = type,
		.usage = usage,
		.name = cw_bytes_str(name),
	};
	if (type == CW_KEY_SECRET)
		c.u.create_key.secret = CW_BYTES_ARRAY(secret);
	return c;
}

struct cw_command
cw_kit_on(enum cw_command_no no, uint32_t id, uint32_t target)
{
	struct cw_command c = { .no = no };

	c.u.on_key.id = id;
	c.u.on_key.target = target;
	return c;
}

struct cw_command
cw_kit_extension(uint32_t key, const char *type, enum cw_extension_kind kind,
    struct cw_bytes data)
{
	struct cw_command c = { .no = CW_SET_EXTENSION };

	c.u.set_extension.id = key;
	c.u.set_extension.type = cw_bytes_str(type);
	c.u.set_extension.kind = kind;
	c.u.set_extension.data = data;
	if (kind == CW_EXTENSION_LOGOTYPE)
		c.u.set_extension.media_type = cw_bytes_str("image/png");
	return c;
}

bool
cw_kit_runs(struct cw_kit *kit, struct cw_command command, const char *what)
{
	struct cw_reply reply = { .err = CW_OK };

	return cw_kit_err(kit,
	    cw_test_issuer_command(&kit->issuer, &command, &reply), CW_OK,
	    what);
}

bool
cw_kit_ends(struct cw_kit *kit, struct cw_command command, enum cw_err want,
    const char *what)
{
	return cw_kit_ends_with(kit, &command, want, what);
}

bool
cw_kit_refuses(struct cw_kit *kit, struct cw_command command, enum cw_err want,
    const char *what)
{
	return cw_kit_begin(kit) && cw_kit_ends(kit, command, want, what);
}

bool
cw_kit_makes(struct cw_kit *kit, struct cw_command key)
{
	struct cw_public_key made;

	if (key.no == CW_IMPORT_SYMMETRIC_KEY)
		return cw_kit_runs(kit, key, "IMPORT_SYMMETRIC_KEY");
	return cw_kit_err(kit,
		   cw_test_issuer_create_key(&kit->issuer, &key.u.create_key,
		       false, &made),
		   CW_OK, "CREATE_KEY") &&
	    cw_kit_err(kit,
		cw_test_issuer_certify(&kit->issuer, key.u.create_key.id,
		    &made),
		CW_OK, "SET_CERTIFICATES");
}

bool
cw_kit_closes(struct cw_kit *kit, struct cw_result_statement *result)
{
	return cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, result),
	    CW_OK, "CLOSE");
}

bool
cw_kit_close_fails(struct cw_kit *kit, enum cw_err want, const char *what)
{
	const struct cw_command c = { .no = CW_CLOSE, .last = true };

	return cw_kit_ends(kit, c, want, what);
}

bool
cw_kit_commits(struct cw_kit *kit, struct cw_command key)
{
	return cw_kit_begin(kit) && cw_kit_makes(kit, key) &&
	    cw_kit_closes(kit, NULL);
}

bool
cw_kit_base(struct cw_kit *kit)
{
	struct cw_command key =
	    cw_kit_key(1, CW_KEY_P256, CW_USAGE_SIGN, "Key 1");

	key.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	return cw_kit_begin(kit) &&
	    cw_kit_runs(kit, cw_kit_puk(), "CREATE_PUK_POLICY") &&
	    cw_kit_runs(kit, cw_kit_policy(), "CREATE_PIN_POLICY") &&
	    cw_kit_makes(kit, key) && cw_kit_closes(kit, NULL);
}

bool
cw_kit_has_item(struct cw_kit *kit, const struct cw_result_statement *r,
    uint32_t id, enum cw_done done, const char *what)
{
	for (size_t i = 0; i < r->n_items; i++)
		if (r->items[i].object_id == id && r->items[i].done == done)
			return true;
	return cw_kit_true(kit, false, what);
}

bool
cw_kit_aborts(struct cw_kit *kit)
{
	return cw_kit_sw(kit,
	    cw_test_send(&kit->wire, 0x801C, 0,
		CW_BYTES_ARRAY(kit->issuer.request.session_id), NULL),
	    0x9000, "ABORT");
}

const struct cw_listed_key *
cw_kit_listed(struct cw_kit *kit, uint32_t id)
{
	static struct cw_listed_key keys[CW_KEYS_MAX];
	const struct cw_command list = { .no = CW_LIST };
	struct cw_reply reply = { .keys = keys };

	if (!cw_kit_begin(kit) ||
	    !cw_kit_err(kit,
		cw_test_issuer_command(&kit->issuer, &list, &reply), CW_OK,
		"LIST") ||
	    !cw_kit_aborts(kit))
		return NULL;
	for (size_t i = 0; i < reply.n_keys; i++)
		if (keys[i].id == id)
			return &keys[i];
	return NULL;
}

/* ---- the holder ---- */

bool
cw_kit_holds(struct cw_kit *kit, enum cw_ins ins,
    const struct cw_key_request *q, unsigned want, const char *what)
{
	struct cw_buf data;
	unsigned sw;

	cw_buf_init(&data, CW_APDU_MAX);
	cw_key_request_encode(ins, q, &data);
	sw = cw_test_send(&kit->wire, 0x8000u | ins, 0, cw_buf_bytes(&data),
	    &kit->out);
	cw_buf_wipe(&data);
	return cw_kit_sw(kit, sw, want, what);
}

bool
cw_kit_held(struct cw_kit *kit, const char *name, struct cw_held_key *key)
{
	struct cw_key_request q = { .handle = 1 };

	while (cw_kit_holds(kit, CW_INS_READ_KEY, &q, 0x9000, name)) {
		if (!cw_kit_err(kit,
			cw_held_key_decode(cw_buf_bytes(&kit->out), key), CW_OK,
			"held-key"))
			return false;
		if (cw_bytes_is(key->attributes.name, name))
			return true;
		if (!cw_kit_true(kit, key->handle >= q.handle,
			"READ KEY gives the key or the next one"))
			return false;
		q.handle = key->handle + 1;
	}
	return false;
}

bool
cw_kit_uses(struct cw_kit *kit, uint32_t handle,
    enum cw_key_operation operation, int32_t algorithm, struct cw_bytes data,
    const char *pin, unsigned want, const char *what)
{
	const struct cw_key_request q = { .handle = handle,
		.operation = operation,
		.algorithm = algorithm,
		.data = data,
		.pin = pin == NULL ? CW_BYTES_NONE : cw_bytes_str(pin) };

	return cw_kit_holds(kit, CW_INS_USE_KEY, &q, want, what);
}

bool
cw_kit_signs(struct cw_kit *kit, const char *pin, unsigned want,
    const char *what)
{
	struct cw_held_key key;
	struct cw_public_key public_key;

	if (!cw_kit_held(kit, "Key 1", &key))
		return false;
	public_key = key.key;
	return cw_kit_uses(kit, key.handle, CW_OP_SIGN, CW_ALG_ESP256,
		   cw_bytes_str(TEXT), pin, want, what) &&
	    (want != 0x9000 ||
		cw_kit_err(kit,
		    cw_verify(&public_key, cw_bytes_str(TEXT),
			cw_buf_bytes(&kit->out)),
		    CW_OK, "the signature of USE KEY"));
}
