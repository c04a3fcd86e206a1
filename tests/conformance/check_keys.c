/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 8 "Keys" and "Extensions": attributes, imports, data. */
#include "proto/properties.h"
#include "tests/conformance/steps.h"

#define SIGN CW_USAGE_SIGN
#define KEEP CW_USAGE_KEEP

/* ---- usage, algorithms, rules ---- */

static const struct key_row {
	const char *what;
	enum cw_key_type type;
	unsigned usage;
	int32_t algorithm;
	uint8_t slot;
	bool exportable;
	enum cw_guard export_guard, delete_guard;
	size_t secret; /* bytes, if it is one */
	enum cw_err want;
} usages[] = {
	{ "P-256 that decrypts", CW_KEY_P256, 2, 0, 0, false, 0, 0, 0,
	    CW_ERR_BAD_USAGE },
	{ "P-384 that decrypts", CW_KEY_P384, 2, 0, 0, false, 0, 0, 0,
	    CW_ERR_BAD_USAGE },
	{ "RSA that agrees", CW_KEY_RSA2048, 4, 0, 0, false, 0, 0, 0,
	    CW_ERR_BAD_USAGE },
	{ "Ed25519 that decrypts", CW_KEY_ED25519, 2, 0, 0, false, 0, 0, 0,
	    CW_ERR_BAD_USAGE },
	{ "Ed25519 that agrees", CW_KEY_ED25519, 4, 0, 0, false, 0, 0, 0,
	    CW_ERR_BAD_USAGE },
	{ "X25519 that signs", CW_KEY_X25519, 1, 0, 0, false, 0, 0, 0,
	    CW_ERR_BAD_USAGE },
	{ "X25519 that authenticates", CW_KEY_X25519, 8, 0, 0, false, 0, 0, 0,
	    CW_ERR_BAD_USAGE },
};

static const struct key_row algorithms[] = {
	{ "P-256 with ESP384", CW_KEY_P256, SIGN, CW_ALG_ESP384, 0, false, 0, 0,
	    0, CW_ERR_BAD_USAGE },
	{ "P-256 that signs, with an agreement", CW_KEY_P256, SIGN,
	    CW_ALG_RAW_AGREEMENT, 0, false, 0, 0, 0, CW_ERR_BAD_USAGE },
	{ "P-256 with a secret's algorithm", CW_KEY_P256, SIGN, CW_ALG_HMAC_256,
	    0, false, 0, 0, 0, CW_ERR_BAD_USAGE },
	{ "a number that is no algorithm", CW_KEY_P256, SIGN, -12345, 0, false,
	    0, 0, 0, CW_ERR_BAD_USAGE },
	{ "a MAC's secret with a cipher", CW_KEY_SECRET, CW_USAGE_MAC,
	    CW_ALG_AES_CCM_16_128_256, 0, false, 0, 0, 32, CW_ERR_BAD_USAGE },
	{ "a cipher's key of 31 bytes", CW_KEY_SECRET, CW_USAGE_ENCRYPT, 0, 0,
	    false, 0, 0, 31, CW_ERR_BAD_USAGE },
	{ "a secret that is only kept and cannot leave", CW_KEY_SECRET, KEEP, 0,
	    0, false, 0, 0, 32, CW_ERR_BAD_USAGE },
	{ "a secret that is only kept, with an algorithm", CW_KEY_SECRET, KEEP,
	    CW_ALG_HMAC_256, 0, true, 0, 0, 32, CW_ERR_BAD_USAGE },
};

static const struct key_row rules[] = {
	{ "a key in a slot that may leave", CW_KEY_P256, SIGN, 0, 0x9A, true, 0,
	    0, 0, CW_ERR_BAD_POLICY },
	{ "a key in a slot with algorithms", CW_KEY_P256, SIGN, CW_ALG_ESP256,
	    0x9A, false, 0, 0, 0, CW_ERR_BAD_POLICY },
	{ "export by a PIN that the key has not", CW_KEY_P256, SIGN, 0, 0, true,
	    CW_GUARD_PIN, 0, 0, CW_ERR_BAD_POLICY },
	{ "export by a PUK that the key has not", CW_KEY_P256, SIGN, 0, 0, true,
	    CW_GUARD_PUK, 0, 0, CW_ERR_BAD_POLICY },
	{ "deletion by a PIN that the key has not", CW_KEY_P256, SIGN, 0, 0,
	    false, 0, CW_GUARD_PIN, 0, CW_ERR_BAD_POLICY },
	{ "deletion by a PUK that the key has not", CW_KEY_P256, SIGN, 0, 0,
	    false, 0, CW_GUARD_PUK, 0, CW_ERR_BAD_POLICY },
};

static bool
refuse_all(struct cw_kit *kit, const struct key_row *rows, size_t n)
{
	static const uint8_t bytes[CW_SECRET_MAX + 1];

	for (size_t i = 0; i < n; i++) {
		const struct key_row *r = &rows[i];
		struct cw_command c =
		    cw_kit_key(1, r->type, r->usage, "Refused");
		struct cw_create_key *k = &c.u.create_key;

		k->n_algorithms = r->algorithm != 0;
		k->algorithms[0] = r->algorithm;
		k->slot = r->slot;
		k->exportable = r->exportable;
		k->export_guard = r->export_guard;
		k->delete_guard = r->delete_guard;
		if (r->type == CW_KEY_SECRET)
			k->secret = cw_bytes(bytes, r->secret);
		if (!cw_kit_refuses(kit, c, r->want, r->what))
			return false;
	}
	return true;
}

#define REFUSE_ALL(kit, rows) \
	refuse_all((kit), (rows), sizeof(rows) / sizeof((rows)[0]))

static bool
usage_fits(struct cw_kit *kit)
{
	return REFUSE_ALL(kit, usages);
}

static bool
algorithms_fit(struct cw_kit *kit)
{
	return REFUSE_ALL(kit, algorithms);
}

static bool
rules_fit(struct cw_kit *kit)
{
	return REFUSE_ALL(kit, rules);
}

/* ---- imports ---- */

static bool
secret_length(struct cw_kit *kit)
{
	static const uint8_t bytes[CW_SECRET_MAX + 1];
	struct cw_command c =
	    cw_kit_key(1, CW_KEY_SECRET, CW_USAGE_MAC, "Secret");

	c.u.create_key.secret = CW_BYTES_ARRAY(bytes);
	if (!cw_kit_refuses(kit, c, CW_ERR_OUT_OF_RANGE,
		"a secret of 129 bytes"))
		return false;
	c.u.create_key.secret.len = 0;
	if (!cw_kit_refuses(kit, c, CW_ERR_MISSING_FIELD, "no secret"))
		return false;
	c.u.create_key.secret.len = CW_SECRET_MAX;
	return cw_kit_begin(kit) && cw_kit_runs(kit, c, "128 bytes");
}

/* It needs no certificates, and has none; LIST marks it. */
static bool
secret(struct cw_kit *kit)
{
	struct cw_command key =
	    cw_kit_key(1, CW_KEY_SECRET, CW_USAGE_MAC, "Secret");
	struct cw_command set = { .no = CW_SET_CERTIFICATES };
	static struct cw_result_statement r;
	const struct cw_listed_key *k;
	uint8_t hash[CW_HASH_BYTES];
	struct cw_buf b;

	set.u.set_certificates.id = 1;
	set.u.set_certificates.n_chain = 1;
	set.u.set_certificates.chain[0] = cw_buf_bytes(&kit->issuer.ca);
	if (!cw_kit_begin(kit) || !cw_kit_makes(kit, key) ||
	    !cw_kit_ends(kit, set, CW_ERR_WRONG_CERTIFICATE,
		"certificates for a secret") ||
	    !cw_kit_begin(kit) || !cw_kit_makes(kit, key) ||
	    !cw_kit_closes(kit, &r))
		return false;
	k = cw_kit_listed(kit, 1);
	if (!cw_kit_true(kit,
		k != NULL && k->attributes.type == CW_KEY_SECRET &&
		    k->attributes.origin == CW_ORIGIN_IMPORTED &&
		    k->n_chain == 0,
		"LIST of a secret: imported, without certificates"))
		return false;
	cw_buf_init(&b, 1024);
	cw_attributes_put(&b, &k->attributes);
	cw_hash(cw_buf_bytes(&b), hash);
	cw_buf_wipe(&b);
	return cw_kit_has_item(kit, &r, 1, CW_DONE_IMPORTED,
		   "a secret is in the result as imported") &&
	    cw_kit_true(kit, memcmp(r.items[0].hash, hash, sizeof(hash)) == 0,
		"the result has the hash of a secret's attributes");
}

static bool
import(struct cw_kit *kit, const struct cw_private_key *key,
    struct cw_command *c, struct cw_reply *reply)
{
	struct cw_buf pkcs8;
	bool right;

	cw_buf_init(&pkcs8, CW_PRIVATE_KEY_MAX);
	right = cw_kit_err(kit, cw_key_export(key, &pkcs8), CW_OK, "PKCS#8");
	c->no = CW_IMPORT_PRIVATE_KEY;
	c->u.create_key.secret = cw_buf_bytes(&pkcs8);
	right = right &&
	    cw_kit_err(kit, cw_test_issuer_command(&kit->issuer, c, reply),
		CW_OK, "IMPORT_PRIVATE_KEY");
	c->u.create_key.secret = CW_BYTES_NONE;
	cw_buf_wipe(&pkcs8);
	return right;
}

/* The statement says that it was imported, and of which key. */
static bool
pair_with(struct cw_kit *kit, const struct cw_private_key *key)
{
	struct cw_command c = cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1");
	struct cw_reply reply = { .err = CW_OK };
	static struct cw_result_statement r;
	struct cw_key_statement s;
	struct cw_public_key own;

	cw_key_public(key, &own);
	return cw_kit_begin(kit) && import(kit, key, &c, &reply) &&
	    cw_kit_err(kit,
		cw_key_statement_verify(reply.statement,
		    &kit->issuer.attestation, &s),
		CW_OK, "the key statement") &&
	    cw_kit_true(kit, s.attributes.origin == CW_ORIGIN_IMPORTED,
		"an imported key is marked imported") &&
	    cw_kit_true(kit, memcmp(&s.key, &own, sizeof(own)) == 0,
		"the statement has the imported key") &&
	    cw_kit_close_fails(kit, CW_ERR_INCOMPLETE,
		"CLOSE with an imported key without certificates") &&
	    cw_kit_begin(kit) && import(kit, key, &c, &reply) &&
	    cw_kit_err(kit, cw_test_issuer_certify(&kit->issuer, 1, &own),
		CW_OK, "SET_CERTIFICATES") &&
	    cw_kit_closes(kit, &r) &&
	    cw_kit_has_item(kit, &r, 1, CW_DONE_IMPORTED,
		"an imported key is in the result as imported") &&
	    cw_kit_signs(kit, NULL, 0x9000, "a signature by it");
}

static bool
pair(struct cw_kit *kit)
{
	struct cw_private_key *key = NULL;
	bool right = cw_kit_err(kit, cw_key_generate(CW_KEY_P256, &key), CW_OK,
			 "a key") &&
	    pair_with(kit, key);

	cw_key_free(&key);
	return right;
}

static bool
pair_bad(struct cw_kit *kit)
{
	static const uint8_t nonsense[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
	struct cw_command c = cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1");

	c.no = CW_IMPORT_PRIVATE_KEY;
	c.u.create_key.secret = CW_BYTES_ARRAY(nonsense);
	return cw_kit_refuses(kit, c, CW_ERR_BAD_PRIVATE_KEY,
	    "PKCS#8 that is none");
}

/* ---- extensions ---- */

static bool
read_extension(struct cw_kit *kit, const char *type, const char *pin,
    unsigned want, const char *what)
{
	struct cw_held_key k;
	struct cw_key_request q = { .type = cw_bytes_str(type) };

	if (!cw_kit_held(kit, "Key 1", &k))
		return false;
	q.handle = k.handle;
	if (pin != NULL)
		q.pin = cw_bytes_str(pin);
	return cw_kit_holds(kit, CW_INS_READ_EXTENSION, &q, want, what);
}

/* A bag with one property that may be written, and one that may not. */
static void
make_bag(struct cw_buf *bag)
{
	const struct cw_properties p = { .n = 2,
		.items = { { cw_bytes_str("a"), true, cw_bytes_str("1") },
		    { cw_bytes_str("b"), false, cw_bytes_str("2") } } };

	cw_buf_init(bag, CW_EXTENSION_MAX);
	cw_properties_encode(&p, bag);
}

/* Key 1 with a PIN, and an extension of each kind: "1" to "4". */
static bool
with_extensions(struct cw_kit *kit, struct cw_bytes bag,
    struct cw_result_statement *r)
{
	struct cw_command key = cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1");
	struct cw_bytes data = cw_bytes_str("data");

	key.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	return cw_kit_begin(kit) &&
	    cw_kit_runs(kit, cw_kit_puk(), "CREATE_PUK_POLICY") &&
	    cw_kit_runs(kit, cw_kit_policy(), "CREATE_PIN_POLICY") &&
	    cw_kit_makes(kit, key) &&
	    cw_kit_runs(kit, cw_kit_extension(1, "1", CW_EXTENSION_PLAIN, data),
		"a plain extension") &&
	    cw_kit_runs(kit,
		cw_kit_extension(1, "2", CW_EXTENSION_CONFIDENTIAL, data),
		"a confidential extension") &&
	    cw_kit_runs(kit,
		cw_kit_extension(1, "3", CW_EXTENSION_PROPERTIES, bag),
		"a property bag") &&
	    cw_kit_runs(kit,
		cw_kit_extension(1, "4", CW_EXTENSION_LOGOTYPE, data),
		"a logotype") &&
	    cw_kit_closes(kit, r);
}

static bool
extension(struct cw_kit *kit)
{
	static struct cw_result_statement r;
	struct cw_held_key k;
	uint8_t hash[CW_HASH_BYTES];
	struct cw_buf bag;
	unsigned items = 0;
	bool right;

	make_bag(&bag);
	right = with_extensions(kit, cw_buf_bytes(&bag), &r);
	cw_buf_wipe(&bag);
	cw_hash(cw_bytes_str("data"), hash);
	for (size_t i = 0; right && i < r.n_items; i++)
		items += r.items[i].done == CW_DONE_EXTENSION &&
		    r.items[i].object_id == 1 &&
		    memcmp(r.items[i].hash, hash, sizeof(hash)) == 0;
	return right &&
	    cw_kit_true(kit, items == 3,
		"extensions with their data's hashes in the result") &&
	    cw_kit_held(kit, "Key 1", &k) &&
	    cw_kit_true(kit,
		k.n_extensions == 4 &&
		    k.extensions[3].kind == CW_EXTENSION_LOGOTYPE &&
		    cw_bytes_is(k.extensions[3].media_type, "image/png"),
		"READ KEY gives types, kinds and media type") &&
	    read_extension(kit, "1", NULL, 0x9000, "a plain one is read") &&
	    cw_kit_true(kit, cw_bytes_is(cw_buf_bytes(&kit->out), "data"),
		"READ EXTENSION gives the data") &&
	    read_extension(kit, "4", NULL, 0x9000, "a logotype is read") &&
	    read_extension(kit, "5", NULL, 0x6A82, "one that is not there");
}

static bool
confidential(struct cw_kit *kit)
{
	static struct cw_result_statement r;
	struct cw_buf bag;
	bool right;

	make_bag(&bag);
	right = with_extensions(kit, cw_buf_bytes(&bag), &r) &&
	    read_extension(kit, "2", NULL, 0x6982, "without the PIN") &&
	    read_extension(kit, "2", "1111", 0x63C2, "with a wrong PIN") &&
	    read_extension(kit, "2", CW_KIT_KEY_PIN, 0x9000, "with the PIN");
	cw_buf_wipe(&bag);
	return right;
}

static bool
writes(struct cw_kit *kit, const char *name, unsigned want, const char *what)
{
	struct cw_held_key k;
	struct cw_key_request q = { .type = cw_bytes_str("3"),
		.name = cw_bytes_str(name),
		.data = cw_bytes_str("new"),
		.pin = cw_bytes_str(CW_KIT_KEY_PIN) };

	if (!cw_kit_held(kit, "Key 1", &k))
		return false;
	q.handle = k.handle;
	return cw_kit_holds(kit, CW_INS_WRITE_PROPERTY, &q, want, what);
}

static bool
property(struct cw_kit *kit)
{
	static struct cw_result_statement r;
	struct cw_properties p;
	struct cw_buf bag;
	bool right;

	make_bag(&bag);
	right = with_extensions(kit, cw_buf_bytes(&bag), &r) &&
	    writes(kit, "b", 0x6985, "a property that is not writable") &&
	    writes(kit, "c", 0x6A82, "a property that is not there") &&
	    writes(kit, "a", 0x9000, "a property that is writable") &&
	    cw_kit_power(kit) &&
	    read_extension(kit, "3", NULL, 0x9000, "the bag") &&
	    cw_kit_err(kit, cw_properties_decode(cw_buf_bytes(&kit->out), &p),
		CW_OK, "the bag") &&
	    cw_kit_true(kit,
		p.n == 2 && cw_bytes_is(p.items[0].value, "new") &&
		    cw_bytes_is(p.items[1].value, "2"),
		"the written property and no other has changed");
	cw_buf_wipe(&bag);
	return right;
}

/* Begins a session with key 1, without PIN, and plain extension "1". */
static bool
begin_extended(struct cw_kit *kit)
{
	return cw_kit_begin(kit) &&
	    cw_kit_makes(kit, cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1")) &&
	    cw_kit_runs(kit,
		cw_kit_extension(1, "1", CW_EXTENSION_PLAIN, CW_BYTES_NONE),
		"an empty extension");
}

static bool
extension_limits(struct cw_kit *kit)
{
	static const char *const types[] = { "2", "3", "4", "5", "6", "7",
		"8" };
	const enum cw_extension_kind plain = CW_EXTENSION_PLAIN;

	if (!begin_extended(kit) ||
	    !cw_kit_ends(kit, cw_kit_extension(1, "1", plain, CW_BYTES_NONE),
		CW_ERR_DUPLICATE_ID, "a type twice") ||
	    !begin_extended(kit) ||
	    !cw_kit_ends(kit, cw_kit_extension(9, "1", plain, CW_BYTES_NONE),
		CW_ERR_UNKNOWN_ID, "a key that is not of the session") ||
	    !begin_extended(kit))
		return false;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (!cw_kit_runs(kit,
			cw_kit_extension(1, types[i], plain, CW_BYTES_NONE),
			"eight extensions"))
			return false;
	return cw_kit_ends(kit, cw_kit_extension(1, "9", plain, CW_BYTES_NONE),
	    CW_ERR_CARD_FULL, "a ninth extension");
}

static bool
extension_form(struct cw_kit *kit)
{
	const struct cw_properties twice = { .n = 2,
		.items = { { cw_bytes_str("a"), true, CW_BYTES_NONE },
		    { cw_bytes_str("a"), false, CW_BYTES_NONE } } };
	struct cw_command plain =
	    cw_kit_extension(1, "2", CW_EXTENSION_PLAIN, CW_BYTES_NONE);
	struct cw_command logotype =
	    cw_kit_extension(1, "2", CW_EXTENSION_LOGOTYPE, CW_BYTES_NONE);
	struct cw_buf bag;
	bool right;

	plain.u.set_extension.media_type = cw_bytes_str("a/b");
	logotype.u.set_extension.media_type = CW_BYTES_NONE;
	cw_buf_init(&bag, 1024);
	cw_properties_encode(&twice, &bag);
	right = begin_extended(kit) &&
	    cw_kit_ends(kit, plain, CW_ERR_BAD_EXTENSION,
		"a media type of a plain extension") &&
	    begin_extended(kit) &&
	    cw_kit_ends(kit, logotype, CW_ERR_BAD_EXTENSION,
		"a logotype without a media type") &&
	    begin_extended(kit) &&
	    cw_kit_ends(kit,
		cw_kit_extension(1, "2", CW_EXTENSION_CONFIDENTIAL,
		    CW_BYTES_NONE),
		CW_ERR_BAD_EXTENSION,
		"a confidential extension of a key without a PIN") &&
	    begin_extended(kit) &&
	    cw_kit_ends(kit,
		cw_kit_extension(1, "2", CW_EXTENSION_PROPERTIES,
		    cw_buf_bytes(&bag)),
		CW_ERR_BAD_EXTENSION, "a property twice");
	cw_buf_wipe(&bag);
	return right;
}

const struct cw_kit_check cw_kit_keys[] = {
	{ "usage-types", "8", "each key type has its usages and no others",
	    usage_fits },
	{ "algorithms-fit", "8", "algorithms fit type and usage",
	    algorithms_fit },
	{ "rules-fit", "8", "a key's rules are ones that it can keep",
	    rules_fit },
	{ "secret-length", "8", "a secret has 1 to 128 bytes", secret_length },
	{ "import-secret", "8", "a secret is imported, and said to be",
	    secret },
	{ "import-key", "8", "a key pair is imported, and said to be", pair },
	{ "import-bad", "8", "what is no private key is refused", pair_bad },
	{ "extension", "8", "extensions of four kinds are set and read",
	    extension },
	{ "extension-limits", "8",
	    "a type once, eight of a key, of the session", extension_limits },
	{ "extension-form", "8", "an extension does not contradict itself",
	    extension_form },
	{ "confidential", "8", "what is confidential is read with the PIN only",
	    confidential },
	{ "property", "8", "what is marked writable is written, and no other",
	    property },
	{ NULL, NULL, NULL, NULL },
};
