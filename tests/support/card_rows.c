/* SPDX-License-Identifier: Apache-2.0 */
/* The table of commands. */
#include "tests/support/card_rows.h"

const struct cw_row cw_rows[CW_ROWS] = {
	{ CW_CREATE_PUK_POLICY, MAKES, 3 },
	{ CW_CREATE_PIN_POLICY, MAKES, 5 },
	{ CW_CREATE_KEY, MAKES, 4 },
	{ CW_SET_CERTIFICATES, USES, 2 },
	{ CW_IMPORT_SYMMETRIC_KEY, MAKES, 4 },
	{ CW_IMPORT_PRIVATE_KEY, MAKES, 5 },
	{ CW_SET_EXTENSION, USES, 4 },
	{ CW_LIST, MANAGES, 0 },
	{ CW_DELETE_KEY, TARGETS | MANAGES, 1 },
	{ CW_UNLOCK_KEY, TARGETS | MANAGES, 1 },
	{ CW_UPDATE_KEY, USES | TARGETS | MANAGES, 2 },
	{ CW_CLONE_KEY_PROTECTION, USES | TARGETS | MANAGES, 2 },
	{ CW_CLOSE, 0, 1 },
};

/* Key 2 has certificates already where it is only closed. */
const struct cw_create_key cw_rows_key = { .id = 2,
	.type = CW_KEY_P256,
	.usage = CW_USAGE_SIGN };

struct cw_test_world *
cw_rows_prepare(void **state, enum cw_command_no no)
{
	struct cw_test_world *w = cw_test_world_renew(state);
	struct cw_public_key made;

	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	assert_err(cw_test_issuer_create_key(&w->issuer, &cw_rows_key, false,
		       &made),
	    CW_OK);
	if (no == CW_CLOSE)
		assert_err(cw_test_issuer_certify(&w->issuer, 2, &made), CW_OK);
	assert_err(cw_test_issuer_make_certificate(&w->issuer, &made, "CN=T"),
	    CW_OK);
	return w;
}

static struct cw_buf pkcs8;

struct cw_command
cw_rows_command(struct cw_test_world *w, enum cw_command_no no)
{
	struct cw_command c = { .no = no, .last = no == CW_CLOSE };
	struct cw_private_key *pair = NULL;

	switch (no) {
	case CW_CREATE_PUK_POLICY:
		c.u.create_puk_policy = cw_play_puk;
		c.u.create_puk_policy.id = 40;
		break;
	case CW_CREATE_PIN_POLICY:
		c.u.create_pin_policy = cw_play_policy;
		c.u.create_pin_policy.id = 41;
		break;
	case CW_IMPORT_SYMMETRIC_KEY:
		c.u.create_key = cw_play_secret;
		break;
	case CW_IMPORT_PRIVATE_KEY:
	case CW_CREATE_KEY:
		c.u.create_key = cw_rows_key;
		c.u.create_key.id = 3;
		c.u.create_key.name = cw_bytes_str("Key 3");
		if (no == CW_CREATE_KEY)
			break;
		assert_err(cw_key_generate(CW_KEY_P256, &pair), CW_OK);
		cw_buf_wipe(&pkcs8);
		cw_buf_init(&pkcs8, CW_PRIVATE_KEY_MAX);
		assert_err(cw_key_export(pair, &pkcs8), CW_OK);
		cw_key_free(&pair);
		c.u.create_key.secret = cw_buf_bytes(&pkcs8);
		break;
	case CW_SET_CERTIFICATES:
		c.u.set_certificates.id = 2;
		c.u.set_certificates.n_chain = 1;
		c.u.set_certificates.chain[0] =
		    cw_buf_bytes(&w->issuer.certificate);
		break;
	case CW_SET_EXTENSION:
		return cw_play_extension(2, "t", CW_EXTENSION_PLAIN,
		    cw_bytes_str("data"));
	case CW_DELETE_KEY:
	case CW_UNLOCK_KEY:
		return cw_play_on(no, 0, 1);
	case CW_UPDATE_KEY:
	case CW_CLONE_KEY_PROTECTION:
		return cw_play_on(no, 2, 1);
	case CW_LIST:
	case CW_CLOSE:
		break;
	}
	return c;
}

void
cw_rows_set_id(struct cw_command *c, uint32_t id)
{
	switch (c->no) {
	case CW_CREATE_PUK_POLICY:
		c->u.create_puk_policy.id = id;
		break;
	case CW_CREATE_PIN_POLICY:
		c->u.create_pin_policy.id = id;
		break;
	case CW_CREATE_KEY:
	case CW_IMPORT_SYMMETRIC_KEY:
	case CW_IMPORT_PRIVATE_KEY:
		c->u.create_key.id = id;
		break;
	case CW_SET_CERTIFICATES:
		c->u.set_certificates.id = id;
		break;
	case CW_SET_EXTENSION:
		c->u.set_extension.id = id;
		break;
	case CW_LIST:
	case CW_DELETE_KEY:
	case CW_UNLOCK_KEY:
	case CW_UPDATE_KEY:
	case CW_CLONE_KEY_PROTECTION:
	case CW_CLOSE:
		c->u.on_key.id = id;
		break;
	}
}

void
cw_rows_assert_ended(struct cw_test_world *w)
{
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_ERR_CARD_SAYS);
	assert_sw(w->issuer.sw, 0x6985);
	assert_null(cw_play_listed(&w->issuer, 2));
	assert_non_null(cw_play_listed(&w->issuer, 1));
}

int
cw_rows_end(void **state)
{
	cw_buf_wipe(&pkcs8);
	return cw_test_world_end(state);
}
