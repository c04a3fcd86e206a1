/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of keys; secrets and private keys that are brought in; data that
 * is attached to keys. */
#include "proto/key_alg.h"
#include "proto/properties.h"
#include "tests/support/card_play.h"

/* ---- attributes ---- */

static void
each_key_type_is_made_and_stated_with_all_its_attributes(void **state)
{
	static const struct {
		enum cw_key_type type;
		unsigned usage;
		int32_t algorithm;
	} rows[] = {
		{ CW_KEY_P256, CW_USAGE_SIGN, CW_ALG_ESP256 },
		{ CW_KEY_P384, CW_USAGE_AUTHENTICATE, CW_ALG_ESP384 },
		{ CW_KEY_RSA2048, CW_USAGE_SIGN, CW_ALG_PS256 },
		{ CW_KEY_RSA3072, CW_USAGE_DECRYPT, CW_ALG_RSA_OAEP_SHA256 },
		{ CW_KEY_ED25519, CW_USAGE_SIGN, CW_ALG_ED25519 },
		{ CW_KEY_X25519, CW_USAGE_AGREE, CW_ALG_RAW_AGREEMENT },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_create_key key = cw_play_key;
		const struct cw_listed_key *k;

		cw_play_base(&w->issuer);
		key.id = 2;
		key.type = rows[i].type;
		key.usage = rows[i].usage;
		key.n_algorithms = 1;
		key.algorithms[0] = rows[i].algorithm;
		key.exportable = true;
		key.export_guard = CW_GUARD_PUK;
		key.delete_guard = CW_GUARD_NEVER;
		key.name = cw_bytes_str("Schl\xc3\xbcssel");
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		/* The support code compares the statement with the command. */
		cw_play_make(&w->issuer, &key);
		assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
		k = cw_play_listed(&w->issuer, 2);
		assert_non_null(k);
		assert_int_equal(k->attributes.type, rows[i].type);
		assert_int_equal(k->attributes.algorithms[0],
		    rows[i].algorithm);
		assert_int_equal(k->attributes.export_guard, CW_GUARD_PUK);
		assert_int_equal(k->attributes.delete_guard, CW_GUARD_NEVER);
		assert_true(cw_bytes_equal(k->attributes.name, key.name));
		assert_false(k->exported);
	}
}

#define BASE                                                  \
	.id = 2, .type = CW_KEY_P256, .usage = CW_USAGE_SIGN, \
	.name = { (const uint8_t *)"Key", 3 }

static void
every_wrong_attribute_ends_the_session(void **state)
{
	static const struct {
		const char *name;
		struct cw_create_key key;
		enum cw_err want;
	} rows[] = {
		{ "export by a PIN that it has not",
		    { BASE, .exportable = true, .export_guard = CW_GUARD_PIN },
		    CW_ERR_BAD_POLICY },
		{ "export by a PUK that it has not",
		    { BASE, .exportable = true, .export_guard = CW_GUARD_PUK },
		    CW_ERR_BAD_POLICY },
		{ "deletion by a PIN that it has not",
		    { BASE, .delete_guard = CW_GUARD_PIN }, CW_ERR_BAD_POLICY },
		{ "deletion by a PUK that its policy has not",
		    { BASE, .pin_policy = 21, .delete_guard = CW_GUARD_PUK },
		    CW_ERR_BAD_POLICY },
		{ "an exportable key in a PIV slot",
		    { BASE, .slot = 0x9A, .exportable = true },
		    CW_ERR_BAD_POLICY },
		{ "algorithms in a PIV slot",
		    { BASE, .slot = 0x9A, .n_algorithms = 1,
			.algorithms = { CW_ALG_ESP256 } },
		    CW_ERR_BAD_POLICY },
		{ "another type's algorithm",
		    { BASE, .n_algorithms = 1,
			.algorithms = { CW_ALG_ESP384 } },
		    CW_ERR_BAD_USAGE },
		{ "a secret's algorithm",
		    { BASE, .n_algorithms = 1,
			.algorithms = { CW_ALG_HMAC_256 } },
		    CW_ERR_BAD_USAGE },
		{ "an algorithm that the usage does not allow",
		    { BASE, .n_algorithms = 1,
			.algorithms = { CW_ALG_RAW_AGREEMENT } },
		    CW_ERR_BAD_USAGE },
		{ "algorithms out of order",
		    { BASE, .n_algorithms = 2,
			.algorithms = { CW_ALG_ESP256, CW_ALG_ESP384 } },
		    CW_ERR_NOT_DETERMINISTIC },
		{ "an algorithm twice",
		    { BASE, .n_algorithms = 2,
			.algorithms = { CW_ALG_ESP256, CW_ALG_ESP256 } },
		    CW_ERR_NOT_DETERMINISTIC },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_create_pin_policy p = cw_test_policy;

		print_message("%s\n", rows[i].name);
		p.id = 21;
		p.issuer_set = true;
		p.value = cw_bytes_str("7314");
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		cw_test_must_run(&w->issuer, cw_test_policy_command(&p));
		cw_test_ends_with(w, cw_test_key_command(&rows[i].key),
		    rows[i].want);
	}
}

/* ---- secrets ---- */

static void
secrets_are_held_to_their_rules(void **state)
{
	static const uint8_t bytes[129] = { 1 };
	static const struct {
		const char *name;
		size_t len;
		unsigned usage;
		bool exportable;
		int32_t algorithm; /* 0: none */
		enum cw_err want;
	} rows[] = {
		{ "one byte", 1, CW_USAGE_MAC, false, 0, CW_OK },
		{ "128 bytes", 128, CW_USAGE_MAC, false, CW_ALG_HMAC_256,
		    CW_OK },
		{ "129 bytes", 129, CW_USAGE_MAC, false, 0, CW_ERR_TOO_LARGE },
		{ "a key of 32 bytes", 32, CW_USAGE_ENCRYPT, false,
		    CW_ALG_CHACHA20_POLY1305, CW_OK },
		{ "a key of 31 bytes", 31, CW_USAGE_ENCRYPT, false, 0,
		    CW_ERR_BAD_USAGE },
		{ "a key of 33 bytes", 33, CW_USAGE_ENCRYPT, false, 0,
		    CW_ERR_BAD_USAGE },
		{ "both", 32, CW_USAGE_MAC | CW_USAGE_ENCRYPT, false, 0,
		    CW_OK },
		{ "MAC with a cipher", 32, CW_USAGE_MAC, false,
		    CW_ALG_CHACHA20_POLY1305, CW_ERR_BAD_USAGE },
		{ "only kept", 20, CW_USAGE_KEEP, true, 0, CW_OK },
		{ "kept for ever", 20, CW_USAGE_KEEP, false, 0,
		    CW_ERR_BAD_USAGE },
		{ "kept and used", 32, CW_USAGE_KEEP | CW_USAGE_MAC, true, 0,
		    CW_ERR_OUT_OF_RANGE },
		{ "a pair's usage", 32, CW_USAGE_MAC | CW_USAGE_SIGN, false, 0,
		    CW_ERR_OUT_OF_RANGE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_create_key key = cw_play_secret;
		struct cw_command c;
		enum cw_err err;

		key.usage = rows[i].usage;
		key.exportable = rows[i].exportable;
		key.secret = cw_bytes(bytes, rows[i].len);
		key.n_algorithms = rows[i].algorithm != 0;
		key.algorithms[0] = rows[i].algorithm;
		c = cw_play_import(&key);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		err = cw_test_run(&w->issuer, &c);
		if (rows[i].want == CW_ERR_TOO_LARGE && err != CW_OK)
			err = CW_ERR_TOO_LARGE;
		print_message("%s\n", rows[i].name);
		assert_err(err, rows[i].want);
	}
}

/* It needs no certificates, and the result says of it what it is for. */
static void
a_secret_is_marked_imported(void **state)
{
	struct cw_test_world *w = *state;
	static struct cw_result_statement result;
	const struct cw_listed_key *k;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_import(&cw_play_secret));
	assert_err(cw_test_issuer_close(&w->issuer, &result), CW_OK);
	assert_int_equal(result.n_items, 1);
	assert_int_equal(result.items[0].done, CW_DONE_IMPORTED);
	k = cw_play_listed(&w->issuer, 4);
	assert_non_null(k);
	assert_int_equal(k->attributes.type, CW_KEY_SECRET);
	assert_int_equal(k->attributes.origin, CW_ORIGIN_IMPORTED);
	assert_int_equal(k->n_chain, 0);
	assert_false(k->has_pin);
}

static void
a_secret_has_no_certificate(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_command c = { .no = CW_SET_CERTIFICATES };
	struct cw_public_key ca;

	cw_key_public(w->issuer.ca_key, &ca);
	assert_err(cw_test_issuer_make_certificate(&w->issuer, &ca, "CN=T"),
	    CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_import(&cw_play_secret));
	c.u.set_certificates.id = cw_play_secret.id;
	c.u.set_certificates.n_chain = 1;
	c.u.set_certificates.chain[0] = cw_buf_bytes(&w->issuer.certificate);
	cw_test_ends_with(w, c, CW_ERR_WRONG_CERTIFICATE);
}

/* ---- private keys ---- */

static struct cw_create_key
private_key(enum cw_key_type type, struct cw_buf *pkcs8,
    struct cw_public_key *public)
{
	struct cw_create_key key = { .id = 5,
		.type = type,
		.usage = cw_test_usage(type),
		.name = { (const uint8_t *)"Old key", 7 } };
	struct cw_private_key *pair = NULL;

	cw_buf_init(pkcs8, CW_PRIVATE_KEY_MAX);
	assert_err(cw_key_generate(type, &pair), CW_OK);
	cw_key_public(pair, public);
	assert_err(cw_key_export(pair, pkcs8), CW_OK);
	cw_key_free(&pair);
	key.secret = cw_buf_bytes(pkcs8);
	return key;
}

static void
an_imported_key_is_stated_as_imported(void **state)
{
	static const enum cw_key_type types[] = { CW_KEY_P256, CW_KEY_P384,
		CW_KEY_RSA2048, CW_KEY_ED25519, CW_KEY_X25519 };

	for (size_t i = 0; i < COUNT(types); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		static struct cw_result_statement result;
		struct cw_key_statement s;
		struct cw_public_key public;
		struct cw_reply reply = { .err = CW_OK };
		struct cw_buf pkcs8;
		struct cw_create_key key =
		    private_key(types[i], &pkcs8, &public);
		struct cw_command c = cw_play_import(&key);

		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		assert_err(cw_test_issuer_command(&w->issuer, &c, &reply),
		    CW_OK);
		assert_memory_equal(&reply.key, &public, sizeof(public));
		assert_err(cw_key_statement_verify(reply.statement,
			       &w->issuer.attestation, &s),
		    CW_OK);
		assert_int_equal(s.attributes.origin, CW_ORIGIN_IMPORTED);
		assert_err(cw_test_issuer_certify(&w->issuer, 5, &public),
		    CW_OK);
		assert_err(cw_test_issuer_close(&w->issuer, &result), CW_OK);
		assert_int_equal(result.items[0].done, CW_DONE_IMPORTED);
		assert_int_equal(cw_play_listed(&w->issuer, 5)
				     ->attributes.origin,
		    CW_ORIGIN_IMPORTED);
		cw_buf_wipe(&pkcs8);
	}
}

static void
what_is_no_such_private_key_is_refused(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_public_key public;
	struct cw_buf pkcs8;
	struct cw_create_key key = private_key(CW_KEY_P256, &pkcs8, &public);

	key.type = CW_KEY_P384;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_ends_with(w, cw_play_import(&key), CW_ERR_UNSUPPORTED_KEY);
	key.type = CW_KEY_P256;
	key.secret.len--;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_ends_with(w, cw_play_import(&key), CW_ERR_BAD_PRIVATE_KEY);
	cw_buf_wipe(&pkcs8);
}

/* A card sees the same key a second time by its certificate. */
static void
a_certificate_is_on_the_card_once(void **state)
{
	for (unsigned across = 0; across < 2; across++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_public_key public;
		struct cw_buf pkcs8;
		struct cw_create_key key =
		    private_key(CW_KEY_P256, &pkcs8, &public);
		struct cw_command c = { .no = CW_SET_CERTIFICATES };

		assert_err(cw_test_issuer_make_certificate(&w->issuer, &public,
			       "CN=T"),
		    CW_OK);
		c.u.set_certificates.n_chain = 1;
		c.u.set_certificates.chain[0] =
		    cw_buf_bytes(&w->issuer.certificate);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		for (uint32_t id = 5; id <= 6; id++) {
			key.id = c.u.set_certificates.id = id;
			cw_test_must_run(&w->issuer, cw_play_import(&key));
			cw_test_must_run(&w->issuer, c);
			if (id == 5 && across) {
				assert_err(cw_test_issuer_close(&w->issuer,
					       NULL),
				    CW_OK);
				assert_err(cw_test_issuer_begin(&w->issuer),
				    CW_OK);
			}
		}
		assert_err(cw_test_issuer_close(&w->issuer, NULL),
		    CW_ERR_DUPLICATE_CERTIFICATE);
		/* Unless the other one goes. */
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		if (across)
			cw_test_must_run(&w->issuer,
			    cw_play_on(CW_DELETE_KEY, 0, 5));
		cw_test_must_run(&w->issuer, cw_play_import(&key));
		cw_test_must_run(&w->issuer, c);
		assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
		cw_buf_wipe(&pkcs8);
	}
}

/* ---- extensions ---- */

static struct cw_test_world *
with_key(void **state)
{
	struct cw_test_world *w = cw_test_world_renew(state);
	struct cw_create_key key = { BASE };

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	return w;
}

static void
extensions_are_held_to_their_kind(void **state)
{
	static const uint8_t bag[] = { 0x81, 0x83, 0x61, 'C', 0xf5, 0x41, 7 };
	static const uint8_t twice[] = { 0x82, 0x83, 0x61, 'C', 0xf5, 0x41, 7,
		0x83, 0x61, 'C', 0xf4, 0x41, 8 };
	static const uint8_t long_value[] = { 0x81, 0x83, 0x61, 'C', 0xf5, 0x59,
		0x01, 0x00 };
	static const struct {
		const char *name;
		enum cw_extension_kind kind;
		const char *media_type;
		struct cw_bytes data;
		enum cw_err want;
	} rows[] = {
		{ "plain", CW_EXTENSION_PLAIN, NULL, { bag, 1 }, CW_OK },
		{ "empty", CW_EXTENSION_PLAIN, NULL, { bag, 0 }, CW_OK },
		{ "plain with a media type", CW_EXTENSION_PLAIN, "image/png",
		    { bag, 1 }, CW_ERR_BAD_EXTENSION },
		{ "logotype", CW_EXTENSION_LOGOTYPE, "image/png", { bag, 1 },
		    CW_OK },
		{ "logotype without media type", CW_EXTENSION_LOGOTYPE, NULL,
		    { bag, 1 }, CW_ERR_BAD_EXTENSION },
		{ "confidential without a PIN", CW_EXTENSION_CONFIDENTIAL, NULL,
		    { bag, 1 }, CW_ERR_BAD_EXTENSION },
		{ "property bag", CW_EXTENSION_PROPERTIES, NULL,
		    { bag, sizeof(bag) }, CW_OK },
		{ "a property twice", CW_EXTENSION_PROPERTIES, NULL,
		    { twice, sizeof(twice) }, CW_ERR_BAD_EXTENSION },
		{ "no property bag", CW_EXTENSION_PROPERTIES, NULL, { bag, 3 },
		    CW_ERR_TRUNCATED },
		{ "a value of 256 bytes", CW_EXTENSION_PROPERTIES, NULL,
		    { long_value, sizeof(long_value) }, CW_ERR_TRUNCATED },
		{ "no kind", (enum cw_extension_kind)5, NULL, { bag, 1 },
		    CW_ERR_OUT_OF_RANGE },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = with_key(state);
		struct cw_command c =
		    cw_play_extension(2, "type", rows[i].kind, rows[i].data);

		if (rows[i].media_type != NULL)
			c.u.set_extension.media_type =
			    cw_bytes_str(rows[i].media_type);
		print_message("%s\n", rows[i].name);
		assert_err(cw_test_run(&w->issuer, &c), rows[i].want);
	}
}

static void
extensions_have_a_largest_size(void **state)
{
	static const uint8_t data[CW_EXTENSION_MAX + 1];

	for (size_t len = CW_EXTENSION_MAX - 1; len <= sizeof(data); len++) {
		struct cw_test_world *w = with_key(state);
		struct cw_command c = cw_play_extension(2, "type",
		    CW_EXTENSION_PLAIN, cw_bytes(data, len));
		enum cw_err err = cw_test_run(&w->issuer, &c);

		if (len <= CW_EXTENSION_MAX)
			assert_err(err, CW_OK);
		else
			assert_err(err, CW_ERR_OUT_OF_RANGE);
	}
}

static void
a_key_has_eight_extensions_of_different_types(void **state)
{
	struct cw_test_world *w = with_key(state);
	static struct cw_result_statement result;
	const struct cw_listed_key *k;
	char type[] = "type 0";
	struct cw_command c;

	for (unsigned i = 0; i < CW_EXTENSIONS_MAX; i++, type[5]++)
		cw_test_must_run(&w->issuer,
		    cw_play_extension(2, type, CW_EXTENSION_PLAIN,
			cw_bytes_str("x")));
	assert_err(cw_test_issuer_close(&w->issuer, &result), CW_OK);
	assert_int_equal(result.n_items, 1 + CW_EXTENSIONS_MAX);
	assert_int_equal(result.items[1].done, CW_DONE_EXTENSION);
	assert_int_equal(result.items[1].object_id, 2);
	k = cw_play_listed(&w->issuer, 2);
	assert_int_equal(k->n_extensions, CW_EXTENSIONS_MAX);
	assert_true(cw_bytes_is(k->extensions[7], "type 7"));
	/* A ninth, and one type twice. */
	w = with_key(state);
	type[5] = '0';
	for (unsigned i = 0; i < CW_EXTENSIONS_MAX; i++, type[5]++)
		cw_test_must_run(&w->issuer,
		    cw_play_extension(2, type, CW_EXTENSION_PLAIN,
			cw_bytes_str("x")));
	cw_test_ends_with(w,
	    cw_play_extension(2, type, CW_EXTENSION_PLAIN, cw_bytes_str("x")),
	    CW_ERR_CARD_FULL);
	w = with_key(state);
	c = cw_play_extension(2, "t", CW_EXTENSION_PLAIN, cw_bytes_str("x"));
	cw_test_must_run(&w->issuer, c);
	cw_test_ends_with(w, c, CW_ERR_DUPLICATE_ID);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
		    each_key_type_is_made_and_stated_with_all_its_attributes),
		world_test(every_wrong_attribute_ends_the_session),
		world_test(secrets_are_held_to_their_rules),
		world_test(a_secret_is_marked_imported),
		world_test(a_secret_has_no_certificate),
		world_test(an_imported_key_is_stated_as_imported),
		world_test(what_is_no_such_private_key_is_refused),
		world_test(a_certificate_is_on_the_card_once),
		world_test(extensions_are_held_to_their_kind),
		world_test(extensions_have_a_largest_size),
		world_test(a_key_has_eight_extensions_of_different_types),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
