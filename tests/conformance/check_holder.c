/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 11 "The holder's keys": PINs of keys, copies, deletion, and
 * statements outside a session. */
#include "tests/conformance/steps.h"

#define PIN CW_KIT_KEY_PIN
#define PUK CW_KIT_KEY_PUK
#define SIGN CW_USAGE_SIGN

/* An instruction with PIN or PUK, and a new value, for the key of this name. */
static bool
holds(struct cw_kit *kit, const char *name, enum cw_ins ins, const char *pin,
    const char *fresh, unsigned want, const char *what)
{
	struct cw_key_request q = { .handle = 0 };
	struct cw_held_key k;

	if (!cw_kit_held(kit, name, &k))
		return false;
	q.handle = k.handle;
	if (pin != NULL)
		q.pin = cw_bytes_str(pin);
	if (fresh != NULL)
		q.new_pin = cw_bytes_str(fresh);
	return cw_kit_holds(kit, ins, &q, want, what);
}

/* ---- the PIN of a key ---- */

static bool
pin(struct cw_kit *kit)
{
	return cw_kit_base(kit) &&
	    cw_kit_signs(kit, NULL, 0x6982, "USE KEY without the PIN") &&
	    cw_kit_signs(kit, PIN, 0x9000, "USE KEY with it") &&
	    cw_kit_signs(kit, NULL, 0x6982, "USE KEY without it again") &&
	    cw_kit_signs(kit, "1111", 0x63C2, "a wrong PIN") &&
	    cw_kit_signs(kit, "1111", 0x63C1, "a second one") &&
	    cw_kit_signs(kit, PIN, 0x9000, "the right one") &&
	    cw_kit_signs(kit, "1111", 0x63C2, "a wrong PIN after it");
}

static bool
pin_blocks(struct cw_kit *kit)
{
	return cw_kit_base(kit) &&
	    cw_kit_signs(kit, "1111", 0x63C2, "a wrong PIN") &&
	    cw_kit_power(kit) &&
	    cw_kit_signs(kit, "1111", 0x63C1, "another after a reset") &&
	    cw_kit_power(kit) && cw_kit_signs(kit, "1111", 0x6983, "a third") &&
	    cw_kit_signs(kit, PIN, 0x6983, "the right one when blocked") &&
	    cw_kit_power(kit) &&
	    cw_kit_signs(kit, PIN, 0x6983, "the right one after a reset");
}

static bool
pin_whole(struct cw_kit *kit)
{
	return cw_kit_base(kit) &&
	    cw_kit_signs(kit, "47110", 0x63C2, "a PIN and more") &&
	    cw_kit_signs(kit, "471", 0x63C1, "the beginning of a PIN");
}

/* What is not allowed counts no try. */
static bool
counts_no_try(struct cw_kit *kit)
{
	struct cw_held_key k;

	return cw_kit_base(kit) && cw_kit_held(kit, "Key 1", &k) &&
	    cw_kit_uses(kit, k.handle, CW_OP_AGREE, CW_ALG_RAW_AGREEMENT,
		cw_bytes_str("x"), "1111", 0x6985, "another operation") &&
	    holds(kit, "Key 1", CW_INS_EXPORT_KEY, "1111", NULL, 0x6985,
		"EXPORT KEY of what cannot leave") &&
	    cw_kit_held(kit, "Key 1", &k) &&
	    cw_kit_true(kit, k.pin_tries == 3, "no try was counted");
}

static bool
change(struct cw_kit *kit)
{
	const enum cw_ins ins = CW_INS_CHANGE_KEY_PIN;

	return cw_kit_base(kit) &&
	    holds(kit, "Key 1", ins, "1111", "8642", 0x63C2,
		"CHANGE KEY PIN with a wrong PIN") &&
	    holds(kit, "Key 1", ins, PIN, "86x2", 0x6A80,
		"a new PIN against the rule") &&
	    holds(kit, "Key 1", ins, PIN, "8642", 0x9000, "CHANGE KEY PIN") &&
	    cw_kit_power(kit) &&
	    cw_kit_signs(kit, PIN, 0x63C2, "the old PIN") &&
	    cw_kit_signs(kit, "8642", 0x9000, "the new PIN");
}

/* A policy whose PIN stays; with a PUK, or without. */
static bool
with_fixed(struct cw_kit *kit, bool puk)
{
	struct cw_command policy = cw_kit_policy();
	struct cw_command key = cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1");

	policy.u.create_pin_policy.modifiable = false;
	if (!puk)
		policy.u.create_pin_policy.puk = 0;
	key.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	return cw_kit_begin(kit) &&
	    (!puk || cw_kit_runs(kit, cw_kit_puk(), "CREATE_PUK_POLICY")) &&
	    cw_kit_runs(kit, policy, "CREATE_PIN_POLICY") &&
	    cw_kit_makes(kit, key) && cw_kit_closes(kit, NULL);
}

static bool
fixed(struct cw_kit *kit)
{
	return with_fixed(kit, true) &&
	    holds(kit, "Key 1", CW_INS_CHANGE_KEY_PIN, PIN, "8642", 0x6985,
		"CHANGE KEY PIN of one that stays") &&
	    holds(kit, "Key 1", CW_INS_UNBLOCK_KEY, PUK, "8642", 0x6985,
		"UNBLOCK KEY with a new value for one that stays") &&
	    holds(kit, "Key 1", CW_INS_UNBLOCK_KEY, PUK, NULL, 0x9000,
		"UNBLOCK KEY without") &&
	    cw_kit_signs(kit, PIN, 0x9000, "the PIN that stays");
}

static bool
groups(struct cw_kit *kit)
{
	struct cw_command policy = cw_kit_policy();
	struct cw_command first = cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1");
	struct cw_command second =
	    cw_kit_key(2, CW_KEY_P256, SIGN | CW_USAGE_AUTHENTICATE, "Key 2");

	policy.u.create_pin_policy.grouping = CW_PIN_SIGNATURE;
	policy.u.create_pin_policy.value = CW_BYTES_NONE;
	first.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	second.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	first.u.create_key.pin = cw_bytes_str(PIN);
	second.u.create_key.pin = cw_bytes_str("8642");
	return cw_kit_begin(kit) &&
	    cw_kit_runs(kit, cw_kit_puk(), "CREATE_PUK_POLICY") &&
	    cw_kit_runs(kit, policy, "CREATE_PIN_POLICY") &&
	    cw_kit_makes(kit, first) && cw_kit_makes(kit, second) &&
	    cw_kit_closes(kit, NULL) &&
	    holds(kit, "Key 1", CW_INS_CHANGE_KEY_PIN, PIN, "8642", 0x6A80,
		"the other group's value") &&
	    holds(kit, "Key 1", CW_INS_UNBLOCK_KEY, PUK, "8642", 0x6A80,
		"the other group's value by the PUK") &&
	    holds(kit, "Key 1", CW_INS_CHANGE_KEY_PIN, PIN, "2468", 0x9000,
		"another value") &&
	    cw_kit_signs(kit, "2468", 0x9000, "the group's new PIN");
}

static bool
puk(struct cw_kit *kit)
{
	const enum cw_ins ins = CW_INS_UNBLOCK_KEY;

	if (!cw_kit_base(kit))
		return false;
	for (unsigned i = 0; i < 3; i++)
		if (!cw_kit_signs(kit, "1111", i < 2 ? 0x63C2 - i : 0x6983,
			"a wrong PIN"))
			return false;
	return holds(kit, "Key 1", ins, "11112222", NULL, 0x63C2,
		   "a wrong PUK") &&
	    holds(kit, "Key 1", ins, PUK, NULL, 0x9000, "the PUK") &&
	    cw_kit_signs(kit, PIN, 0x9000, "the unblocked PIN") &&
	    holds(kit, "Key 1", ins, PUK, "864", 0x6A80,
		"a new PIN against the rule") &&
	    holds(kit, "Key 1", ins, PUK, "8642", 0x9000,
		"the PUK with a new PIN") &&
	    cw_kit_signs(kit, "8642", 0x9000, "the new PIN");
}

static bool
puk_blocks(struct cw_kit *kit)
{
	const enum cw_ins ins = CW_INS_UNBLOCK_KEY;

	return cw_kit_base(kit) &&
	    holds(kit, "Key 1", ins, "11112222", NULL, 0x63C2, "a wrong PUK") &&
	    cw_kit_power(kit) &&
	    holds(kit, "Key 1", ins, "11112222", NULL, 0x63C1, "a second") &&
	    cw_kit_power(kit) &&
	    holds(kit, "Key 1", ins, "11112222", NULL, 0x6983, "a third") &&
	    holds(kit, "Key 1", ins, PUK, NULL, 0x6983, "the right one") &&
	    cw_kit_signs(kit, PIN, 0x9000, "the PIN, which is not blocked");
}

static bool
puk_lacks(struct cw_kit *kit)
{
	return with_fixed(kit, false) &&
	    holds(kit, "Key 1", CW_INS_UNBLOCK_KEY, PUK, NULL, 0x6985,
		"UNBLOCK KEY without a PUK") &&
	    cw_kit_commits(kit, cw_kit_key(2, CW_KEY_P256, SIGN, "Key 2")) &&
	    holds(kit, "Key 2", CW_INS_CHANGE_KEY_PIN, PIN, "8642", 0x6985,
		"CHANGE KEY PIN without a PIN");
}

/* ---- copies and deletion ---- */

/* Keys under the PIN: who exports and deletes "Key 1", whatever is asked. */
static bool
with_guards(struct cw_kit *kit, bool exportable, enum cw_guard export_guard,
    enum cw_guard delete_guard)
{
	struct cw_command key = cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1");

	key.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	key.u.create_key.exportable = exportable;
	key.u.create_key.export_guard = export_guard;
	key.u.create_key.delete_guard = delete_guard;
	return cw_kit_begin(kit) &&
	    cw_kit_runs(kit, cw_kit_puk(), "CREATE_PUK_POLICY") &&
	    cw_kit_runs(kit, cw_kit_policy(), "CREATE_PIN_POLICY") &&
	    cw_kit_makes(kit, key) && cw_kit_closes(kit, NULL);
}

/* The copy is the key's: PKCS#8 with its public half. */
static bool
is_copy(struct cw_kit *kit)
{
	struct cw_private_key *copy = NULL;
	struct cw_public_key public_key;
	struct cw_held_key k;
	bool right =
	    cw_kit_err(kit, cw_key_import(cw_buf_bytes(&kit->out), &copy),
		CW_OK, "what EXPORT KEY gives") &&
	    cw_kit_held(kit, "Key 1", &k);

	if (right) {
		cw_key_public(copy, &public_key);
		right = cw_kit_true(kit,
			    memcmp(&public_key, &k.key, sizeof(k.key)) == 0,
			    "EXPORT KEY gives the key") &&
		    cw_kit_true(kit, k.exported,
			"READ KEY says that a copy has left");
	}
	cw_key_free(&copy);
	return right;
}

static bool export(struct cw_kit *kit)
{
	const enum cw_ins ins = CW_INS_EXPORT_KEY;
	const struct cw_listed_key *k;

	if (!with_guards(kit, true, CW_GUARD_PIN, CW_GUARD_NONE) ||
	    !holds(kit, "Key 1", ins, NULL, NULL, 0x6982, "without the PIN") ||
	    !holds(kit, "Key 1", ins, "1111", NULL, 0x63C2,
		"with a wrong PIN") ||
	    !holds(kit, "Key 1", ins, PIN, NULL, 0x9000, "with the PIN") ||
	    !is_copy(kit) || !cw_kit_power(kit))
		return false;
	k = cw_kit_listed(kit, 1);
	return cw_kit_true(kit, k != NULL && k->exported,
	    "LIST says so after a reset");
}

static bool
export_puk(struct cw_kit *kit)
{
	const enum cw_ins ins = CW_INS_EXPORT_KEY;

	return with_guards(kit, true, CW_GUARD_PUK, CW_GUARD_NONE) &&
	    holds(kit, "Key 1", ins, PIN, NULL, 0x63C2,
		"with the PIN instead of the PUK") &&
	    holds(kit, "Key 1", ins, PUK, NULL, 0x9000, "with the PUK") &&
	    is_copy(kit);
}

static bool
export_not(struct cw_kit *kit)
{
	struct cw_held_key k;

	return cw_kit_base(kit) &&
	    holds(kit, "Key 1", CW_INS_EXPORT_KEY, PIN, NULL, 0x6985,
		"EXPORT KEY of what cannot leave") &&
	    cw_kit_held(kit, "Key 1", &k) &&
	    cw_kit_true(kit, !k.exported, "nothing has left");
}

static bool
keeps(struct cw_kit *kit)
{
	struct cw_command key =
	    cw_kit_key(1, CW_KEY_SECRET, CW_USAGE_KEEP, "Key 1");

	key.u.create_key.exportable = true;
	return cw_kit_commits(kit, key) &&
	    holds(kit, "Key 1", CW_INS_EXPORT_KEY, NULL, NULL, 0x9000,
		"EXPORT KEY of what is kept") &&
	    cw_kit_true(kit,
		cw_bytes_equal(cw_buf_bytes(&kit->out), cw_kit_secret()),
		"a kept secret comes out as it went in");
}

static bool
deletes(struct cw_kit *kit, enum cw_guard guard, const char *wrong,
    unsigned wrong_sw, const char *right)
{
	const enum cw_ins ins = CW_INS_DELETE;

	return with_guards(kit, false, CW_GUARD_NONE, guard) &&
	    holds(kit, "Key 1", ins, NULL, NULL, 0x6982,
		"DELETE without PIN or PUK") &&
	    holds(kit, "Key 1", ins, wrong, NULL, wrong_sw,
		"DELETE with a wrong one") &&
	    holds(kit, "Key 1", ins, right, NULL, 0x9000,
		"DELETE with the right one") &&
	    cw_kit_true(kit, cw_kit_listed(kit, 1) == NULL,
		"a deleted key is gone");
}

static bool
delete_guards(struct cw_kit *kit)
{
	return deletes(kit, CW_GUARD_PIN, "1111", 0x63C2, PIN) &&
	    deletes(kit, CW_GUARD_PUK, PIN, 0x63C2, PUK) &&
	    with_guards(kit, false, CW_GUARD_NONE, CW_GUARD_NEVER) &&
	    holds(kit, "Key 1", CW_INS_DELETE, PIN, NULL, 0x6985,
		"DELETE of what is the issuer's to delete") &&
	    cw_kit_true(kit, cw_kit_listed(kit, 1) != NULL,
		"it is still there");
}

/* ---- handles, and the holder's PIN ---- */

static bool
handles(struct cw_kit *kit)
{
	const struct cw_key_request none = { .handle = 4000000000 };
	struct cw_held_key first, second;

	return cw_kit_commits(kit, cw_kit_key(1, CW_KEY_P256, SIGN, "First")) &&
	    cw_kit_held(kit, "First", &first) &&
	    holds(kit, "First", CW_INS_DELETE, NULL, NULL, 0x9000, "DELETE") &&
	    cw_kit_commits(kit, cw_kit_key(1, CW_KEY_P256, SIGN, "Second")) &&
	    cw_kit_held(kit, "Second", &second) &&
	    cw_kit_true(kit, second.handle != first.handle,
		"a deleted key's handle is given to no other") &&
	    cw_kit_holds(kit, CW_INS_USE_KEY,
		&(struct cw_key_request){ .handle = first.handle,
		    .operation = CW_OP_SIGN,
		    .algorithm = CW_ALG_ESP256 },
		0x6A82, "USE KEY of a deleted key") &&
	    cw_kit_holds(kit, CW_INS_READ_KEY, &none, 0x6A82,
		"READ KEY behind the last");
}

/* A key in 9A brings the holder's PIN. */
static bool
with_pin(struct cw_kit *kit)
{
	return cw_kit_commits(kit, cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1")) &&
	    cw_kit_enroll(kit, 0x9A) && cw_kit_power(kit);
}

static bool
verified(struct cw_kit *kit)
{
	return cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x9000,
	    "VERIFY");
}

static bool
holder_here(struct cw_kit *kit)
{
	const struct cw_key_request q = { .handle = 1 };
	const struct cw_key_request extension = { .handle = 1,
		.type = cw_bytes_str("x") };
	struct cw_held_key k;

	return with_pin(kit) &&
	    cw_kit_holds(kit, CW_INS_READ_KEY, &q, 0x6982,
		"READ KEY without the holder's PIN") &&
	    verified(kit) && cw_kit_held(kit, "Key 1", &k) &&
	    cw_kit_power(kit) &&
	    cw_kit_holds(kit, CW_INS_DELETE,
		&(struct cw_key_request){ .handle = k.handle }, 0x6982,
		"DELETE without the holder's PIN") &&
	    cw_kit_holds(kit, CW_INS_READ_EXTENSION,
		&(struct cw_key_request){ .handle = k.handle,
		    .type = extension.type },
		0x6982, "READ EXTENSION without the holder's PIN") &&
	    verified(kit) &&
	    cw_kit_holds(kit, CW_INS_DELETE,
		&(struct cw_key_request){ .handle = k.handle }, 0x9000,
		"DELETE with it");
}

/* ---- ATTEST OFFLINE ---- */

static bool
is_attested(struct cw_kit *kit, const struct cw_public_key *key,
    const uint8_t challenge[CW_HASH_BYTES], enum cw_attestation_kind kind)
{
	struct cw_attested attested;
	struct cw_offline_statement s;
	struct cw_attestation leaf;
	uint8_t request[CW_HASH_BYTES];

	cw_offline_request_hash(cw_bytes_str("CN=Erika"), key, request);
	return cw_kit_err(kit,
		   cw_attested_decode(cw_buf_bytes(&kit->out), &attested),
		   CW_OK, "attested") &&
	    cw_kit_err(kit,
		cw_trust_check_attestation(kit->trust, attested.chain,
		    attested.n_chain, kit->now_s, &leaf),
		CW_OK, "the chain of an offline statement") &&
	    cw_kit_true(kit, leaf.kind == kind,
		"the attestation key that was asked for") &&
	    cw_kit_err(kit,
		cw_offline_statement_verify(attested.statement, &leaf.key, &s),
		CW_OK, "the offline statement") &&
	    cw_kit_true(kit, memcmp(s.challenge, challenge, CW_HASH_BYTES) == 0,
		"the statement has the challenge") &&
	    cw_kit_true(kit, memcmp(s.request, request, CW_HASH_BYTES) == 0,
		"the statement has subject and key") &&
	    cw_kit_true(kit,
		s.attributes.type == CW_KEY_P256 && s.attributes.usage == SIGN,
		"the statement has the key's attributes");
}

static bool
attest(struct cw_kit *kit)
{
	static const uint8_t challenge[CW_HASH_BYTES] = { 1, 2, 3 };
	struct cw_key_request q = { .handle = 1,
		.data = CW_BYTES_ARRAY(challenge),
		.name = cw_bytes_str("CN=Erika"),
		.attestation = 1 };
	struct cw_public_key key;
	struct cw_held_key k;

	if (!cw_kit_commits(kit, cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1")) ||
	    !cw_kit_held(kit, "Key 1", &k))
		return false;
	q.handle = k.handle;
	key = k.key;
	if (!cw_kit_holds(kit, CW_INS_ATTEST_OFFLINE, &q, 0x6A88,
		"ATTEST OFFLINE before a PIN is set") ||
	    !cw_kit_enroll(kit, 0x9A) || !cw_kit_power(kit) ||
	    !cw_kit_holds(kit, CW_INS_ATTEST_OFFLINE, &q, 0x6982,
		"ATTEST OFFLINE before it is verified") ||
	    !verified(kit) ||
	    !cw_kit_holds(kit, CW_INS_ATTEST_OFFLINE, &q, 0x9000,
		"ATTEST OFFLINE") ||
	    !is_attested(kit, &key, challenge, CW_ATTESTATION_CARD))
		return false;
	q.attestation = 2;
	return cw_kit_holds(kit, CW_INS_ATTEST_OFFLINE, &q, 0x9000,
		   "ATTEST OFFLINE by the batch key") &&
	    is_attested(kit, &key, challenge, CW_ATTESTATION_BATCH);
}

const struct cw_kit_check cw_kit_holder[] = {
	{ "key-pin", "11", "each use of a key needs its PIN", pin },
	{ "key-pin-blocks", "11", "wrong PINs block, also over resets",
	    pin_blocks },
	{ "key-pin-whole", "11", "the whole PIN is compared", pin_whole },
	{ "key-pin-free", "11", "what is not allowed counts no try",
	    counts_no_try },
	{ "key-pin-change", "11", "CHANGE KEY PIN", change },
	{ "key-pin-fixed", "11", "a PIN that stays gets no new value", fixed },
	{ "key-pin-groups", "11", "groups stay different", groups },
	{ "key-puk", "11", "UNBLOCK KEY", puk },
	{ "key-puk-blocks", "11", "wrong PUKs block, and the PIN goes on",
	    puk_blocks },
	{ "key-puk-lacks", "11", "what the key has not is refused", puk_lacks },
	{ "export", "11", "EXPORT KEY with the PIN, and the key is marked",
	    export },
	{ "export-puk", "11", "EXPORT KEY with the PUK", export_puk },
	{ "export-not", "8", "what is not exportable never leaves",
	    export_not },
	{ "export-kept", "8", "a secret that is only kept comes out", keeps },
	{ "delete-held", "11", "DELETE needs what the key says",
	    delete_guards },
	{ "handles", "11", "a handle is a key's for ever", handles },
	{ "holder-pin", "11", "reading and deleting need the holder's PIN",
	    holder_here },
	{ "attest-offline", "11",
	    "ATTEST OFFLINE: by PIN, about key, challenge and subject",
	    attest },
	{ NULL, NULL, NULL, NULL },
};
