/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 8 "Management": keys of earlier sessions. */
#include "tests/conformance/steps.h"

#define SIGN CW_USAGE_SIGN

/* Key 1 of an earlier session with PIN and PUK; keys 2 and 3 of this one. */
static bool
prepare(struct cw_kit *kit)
{
	return cw_kit_base(kit) && cw_kit_begin(kit) &&
	    cw_kit_makes(kit, cw_kit_key(2, CW_KEY_P256, SIGN, "Key 2")) &&
	    cw_kit_makes(kit, cw_kit_key(3, CW_KEY_P256, SIGN, "Key 3"));
}

static bool
runs(struct cw_kit *kit, enum cw_command_no no, uint32_t id, uint32_t target)
{
	return cw_kit_runs(kit, cw_kit_on(no, id, target), cw_command_name(no));
}

static bool
ends(struct cw_kit *kit, enum cw_command_no no, uint32_t id, uint32_t target,
    enum cw_err want, const char *what)
{
	return cw_kit_ends(kit, cw_kit_on(no, id, target), want, what);
}

/* Is there a key of this name, by READ KEY? */
static bool
is_there(struct cw_kit *kit, const char *name)
{
	struct cw_key_request q = { .handle = 1 };
	struct cw_held_key k;
	struct cw_buf data;
	bool found = false;

	cw_buf_init(&data, 64);
	while (!found && q.handle != 0) {
		cw_buf_reset(&data);
		cw_key_request_encode(CW_INS_READ_KEY, &q, &data);
		if (cw_test_send(&kit->wire, 0x8030, 0, cw_buf_bytes(&data),
			&kit->out) != 0x9000 ||
		    cw_held_key_decode(cw_buf_bytes(&kit->out), &k) != CW_OK ||
		    k.handle < q.handle)
			break;
		found = cw_bytes_is(k.attributes.name, name);
		q.handle = k.handle + 1;
	}
	cw_buf_wipe(&data);
	return found;
}

static bool
deferred(struct cw_kit *kit)
{
	static struct cw_result_statement r;

	return cw_kit_base(kit) && cw_kit_begin(kit) &&
	    runs(kit, CW_DELETE_KEY, 0, 1) &&
	    cw_kit_true(kit, is_there(kit, "Key 1"),
		"a key is not deleted before CLOSE") &&
	    cw_kit_aborts(kit) &&
	    cw_kit_signs(kit, CW_KIT_KEY_PIN, 0x9000, "the key after ABORT") &&
	    cw_kit_begin(kit) && runs(kit, CW_DELETE_KEY, 0, 1) &&
	    cw_kit_closes(kit, &r) &&
	    cw_kit_has_item(kit, &r, 1, CW_DONE_DELETED,
		"the deletion in the result") &&
	    cw_kit_true(kit, !is_there(kit, "Key 1"),
		"a key is deleted at CLOSE") &&
	    /* PIN and PUK went with it, so all ids are free. */
	    cw_kit_base(kit);
}

static bool
updated(struct cw_kit *kit)
{
	static struct cw_result_statement r;
	struct cw_held_key old, fresh;

	if (!prepare(kit) || !cw_kit_held(kit, "Key 1", &old))
		return false;
	return runs(kit, CW_UPDATE_KEY, 2, 1) &&
	    cw_kit_true(kit, is_there(kit, "Key 1"),
		"a key is not updated before CLOSE") &&
	    cw_kit_closes(kit, &r) &&
	    cw_kit_has_item(kit, &r, 1, CW_DONE_UPDATED,
		"the update in the result") &&
	    cw_kit_true(kit, !is_there(kit, "Key 1"),
		"the older key is gone") &&
	    cw_kit_held(kit, "Key 2", &fresh) &&
	    cw_kit_true(kit, fresh.has_pin && fresh.has_puk,
		"the new key has the older one's PIN and PUK") &&
	    cw_kit_true(kit, fresh.handle == old.handle,
		"the new key has the older one's handle") &&
	    cw_kit_uses(kit, fresh.handle, CW_OP_SIGN, CW_ALG_ESP256,
		cw_bytes_str("x"), CW_KIT_KEY_PIN, 0x9000,
		"the new key with that PIN");
}

static bool
update_fits(struct cw_kit *kit)
{
	struct cw_command slot = cw_kit_key(4, CW_KEY_P256, SIGN, "Key 4");
	struct cw_command pin = slot;
	struct cw_command usage = cw_kit_key(4, CW_KEY_P256,
	    CW_USAGE_SIGN | CW_USAGE_AUTHENTICATE, "Key 4");

	slot.u.create_key.slot = 0x9A;
	pin.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	return prepare(kit) && cw_kit_makes(kit, usage) &&
	    ends(kit, CW_UPDATE_KEY, 4, 1, CW_ERR_BAD_POLICY,
		"an update with another usage") &&
	    cw_kit_begin(kit) && cw_kit_makes(kit, slot) &&
	    ends(kit, CW_UPDATE_KEY, 4, 1, CW_ERR_BAD_POLICY,
		"an update with another slot") &&
	    cw_kit_begin(kit) && cw_kit_makes(kit, pin) &&
	    ends(kit, CW_UPDATE_KEY, 4, 1, CW_ERR_BAD_POLICY,
		"an update with a PIN policy of its own");
}

static bool
cloned(struct cw_kit *kit)
{
	static struct cw_result_statement r;
	struct cw_held_key k;

	return prepare(kit) && runs(kit, CW_CLONE_KEY_PROTECTION, 2, 1) &&
	    runs(kit, CW_CLONE_KEY_PROTECTION, 3, 1) &&
	    cw_kit_closes(kit, &r) &&
	    cw_kit_has_item(kit, &r, 1, CW_DONE_CLONED,
		"the clone in the result") &&
	    cw_kit_signs(kit, "1111", 0x63C2, "a wrong PIN of the first") &&
	    cw_kit_held(kit, "Key 2", &k) &&
	    cw_kit_true(kit, k.has_pin && k.pin_tries == 2,
		"a clone shares PIN and tries") &&
	    cw_kit_uses(kit, k.handle, CW_OP_SIGN, CW_ALG_ESP256,
		cw_bytes_str("x"), CW_KIT_KEY_PIN, 0x9000,
		"the clone with that PIN");
}

static bool
clone_fits(struct cw_kit *kit)
{
	struct cw_command policy = cw_kit_policy();
	struct cw_command key = cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1");
	struct cw_command slot = cw_kit_key(2, CW_KEY_P256, SIGN, "Key 2");

	policy.u.create_pin_policy.grouping = CW_PIN_EACH;
	policy.u.create_pin_policy.value = CW_BYTES_NONE;
	policy.u.create_pin_policy.puk = 0;
	key.u.create_key.pin_policy = CW_KIT_POLICY_ID;
	key.u.create_key.pin = cw_bytes_str(CW_KIT_KEY_PIN);
	slot.u.create_key.slot = 0x9A;
	return cw_kit_begin(kit) &&
	    cw_kit_runs(kit, policy, "CREATE_PIN_POLICY") &&
	    cw_kit_makes(kit, key) && cw_kit_closes(kit, NULL) &&
	    cw_kit_begin(kit) &&
	    cw_kit_makes(kit, cw_kit_key(2, CW_KEY_P256, SIGN, "Key 2")) &&
	    ends(kit, CW_CLONE_KEY_PROTECTION, 2, 1, CW_ERR_BAD_POLICY,
		"a clone of a PIN that is not shared") &&
	    cw_kit_begin(kit) && cw_kit_makes(kit, slot) &&
	    ends(kit, CW_CLONE_KEY_PROTECTION, 2, 1, CW_ERR_BAD_POLICY,
		"a clone in a PIV slot");
}

static bool
unlocked(struct cw_kit *kit)
{
	static struct cw_result_statement r;

	for (unsigned i = 0; i < 3; i++)
		if (i == 0 && !cw_kit_base(kit))
			return false;
		else if (!cw_kit_signs(kit, "1111", i < 2 ? 0x63C2 - i : 0x6983,
			     "a wrong PIN"))
			return false;
	return cw_kit_begin(kit) && runs(kit, CW_UNLOCK_KEY, 0, 1) &&
	    cw_kit_signs(kit, CW_KIT_KEY_PIN, 0x6983,
		"nothing is unlocked before CLOSE") &&
	    cw_kit_closes(kit, &r) &&
	    cw_kit_has_item(kit, &r, 1, CW_DONE_UNLOCKED,
		"the unlock in the result") &&
	    cw_kit_signs(kit, CW_KIT_KEY_PIN, 0x9000, "an unlocked PIN") &&
	    cw_kit_commits(kit,
		cw_kit_key(4, CW_KEY_P256, SIGN, "Key without PIN")) &&
	    cw_kit_begin(kit) &&
	    ends(kit, CW_UNLOCK_KEY, 0, 4, CW_ERR_BAD_POLICY,
		"UNLOCK_KEY of a key without PIN");
}

static bool
in_slot(struct cw_kit *kit, uint32_t id, uint8_t slot)
{
	struct cw_command key = cw_kit_key(id, CW_KEY_P256, SIGN, "Slot");

	key.u.create_key.slot = slot;
	return cw_kit_commits(kit, key);
}

/* The holder's own PIN and PUK; another issuer's key in a slot forbids it. */
static bool
unlocked_slot(struct cw_kit *kit)
{
	struct cw_test_issuer first;
	bool right;

	if (!in_slot(kit, 1, 0x9A))
		return false;
	for (unsigned i = 0; i < 3; i++)
		(void)cw_test_verify(&kit->wire, "480726");
	if (!cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x6983,
		"a blocked PIN") ||
	    !cw_kit_begin(kit) || !runs(kit, CW_UNLOCK_KEY, 0, 1) ||
	    !cw_kit_closes(kit, NULL) ||
	    !cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x9000,
		"the holder's PIN after UNLOCK_KEY"))
		return false;
	first = kit->issuer;
	cw_kit_other_issuer(kit, &kit->issuer);
	right = in_slot(kit, 1, 0x9C);
	cw_test_issuer_wipe(&kit->issuer);
	kit->issuer = first;
	return right && cw_kit_begin(kit) &&
	    ends(kit, CW_UNLOCK_KEY, 0, 1, CW_ERR_FOREIGN_KEYS,
		"UNLOCK_KEY where another issuer's key is");
}

/* ---- whose keys, and which ---- */

static bool
scope(struct cw_kit *kit)
{
	static const enum cw_command_no nos[] = { CW_DELETE_KEY, CW_UNLOCK_KEY,
		CW_UPDATE_KEY, CW_CLONE_KEY_PROTECTION };

	if (!cw_kit_base(kit))
		return false;
	kit->issuer.request.scope.n_objects = 1;
	kit->issuer.request.scope.objects[0] = 7;
	for (size_t i = 0; i < sizeof(nos) / sizeof(nos[0]); i++)
		if (!cw_kit_begin(kit) ||
		    !cw_kit_makes(kit,
			cw_kit_key(2, CW_KEY_P256, SIGN, "Key 2")) ||
		    !ends(kit, nos[i], nos[i] < CW_UPDATE_KEY ? 0 : 2, 1,
			CW_ERR_OUTSIDE_SCOPE, "an object outside the scope"))
			return false;
	return true;
}

static bool
unknown(struct cw_kit *kit)
{
	if (!prepare(kit) ||
	    !ends(kit, CW_DELETE_KEY, 0, 5, CW_ERR_UNKNOWN_ID,
		"a key that is not there") ||
	    !cw_kit_begin(kit) ||
	    !cw_kit_makes(kit, cw_kit_key(2, CW_KEY_P256, SIGN, "Key 2")) ||
	    !ends(kit, CW_DELETE_KEY, 0, 2, CW_ERR_UNKNOWN_ID,
		"a key of this very session"))
		return false;
	cw_test_issuer_wipe(&kit->issuer);
	cw_kit_other_issuer(kit, &kit->issuer);
	return cw_kit_begin(kit) &&
	    ends(kit, CW_DELETE_KEY, 0, 1, CW_ERR_UNKNOWN_ID,
		"another issuer's key");
}

/* Two commands about key 1, of which the second ends the session. */
static bool
pair(struct cw_kit *kit, enum cw_command_no first, enum cw_command_no second,
    uint32_t second_id, const char *what)
{
	return cw_kit_begin(kit) &&
	    cw_kit_makes(kit, cw_kit_key(2, CW_KEY_P256, SIGN, "Key 2")) &&
	    cw_kit_makes(kit, cw_kit_key(3, CW_KEY_P256, SIGN, "Key 3")) &&
	    runs(kit, first, first < CW_UPDATE_KEY ? 0 : 2, 1) &&
	    ends(kit, second, second_id, 1, CW_ERR_TARGET_TAKEN, what);
}

static bool
taken(struct cw_kit *kit)
{
	return cw_kit_base(kit) &&
	    pair(kit, CW_DELETE_KEY, CW_DELETE_KEY, 0, "deleted twice") &&
	    pair(kit, CW_UPDATE_KEY, CW_UPDATE_KEY, 3, "updated twice") &&
	    pair(kit, CW_DELETE_KEY, CW_UPDATE_KEY, 3,
		"updated after its deletion") &&
	    pair(kit, CW_UPDATE_KEY, CW_DELETE_KEY, 0,
		"deleted after its update") &&
	    pair(kit, CW_DELETE_KEY, CW_UNLOCK_KEY, 0,
		"unlocked after its deletion") &&
	    pair(kit, CW_CLONE_KEY_PROTECTION, CW_CLONE_KEY_PROTECTION, 2,
		"one key that inherits twice") &&
	    /* These go together. */
	    cw_kit_begin(kit) &&
	    cw_kit_makes(kit, cw_kit_key(2, CW_KEY_P256, SIGN, "Key 2")) &&
	    cw_kit_makes(kit, cw_kit_key(3, CW_KEY_P256, SIGN, "Key 3")) &&
	    runs(kit, CW_UPDATE_KEY, 2, 1) &&
	    runs(kit, CW_CLONE_KEY_PROTECTION, 3, 1) &&
	    runs(kit, CW_UNLOCK_KEY, 0, 1) && cw_kit_closes(kit, NULL);
}

static bool
raced(struct cw_kit *kit)
{
	struct cw_held_key k;
	struct cw_key_request q = { .handle = 0 };

	if (!cw_kit_base(kit) || !cw_kit_begin(kit) ||
	    !runs(kit, CW_DELETE_KEY, 0, 1) || !cw_kit_held(kit, "Key 1", &k))
		return false;
	q.handle = k.handle;
	return cw_kit_holds(kit, CW_INS_DELETE, &q, 0x9000,
		   "the holder's DELETE") &&
	    cw_kit_close_fails(kit, CW_ERR_UNKNOWN_ID,
		"CLOSE about a key that the holder has deleted");
}

static bool
anonymous(struct cw_kit *kit)
{
	if (!cw_card_caps_has_mode(&kit->caps, CW_MODE_ANONYMOUS))
		return cw_kit_not_supported(kit, "mode 3 is not offered");
	if (!cw_kit_base(kit))
		return false;
	kit->issuer.request.mode = CW_MODE_ANONYMOUS;
	return cw_kit_begin(kit) &&
	    ends(kit, CW_DELETE_KEY, 0, 1, CW_ERR_WRONG_MODE,
		"DELETE_KEY in mode 3");
}

static bool
leaf_once(struct cw_kit *kit)
{
	struct cw_private_key *key = NULL;
	struct cw_command c = cw_kit_key(1, CW_KEY_P256, SIGN, "Key 1");
	struct cw_command set = { .no = CW_SET_CERTIFICATES };
	struct cw_public_key own;
	struct cw_buf pkcs8;
	bool right = true;

	cw_buf_init(&pkcs8, CW_PRIVATE_KEY_MAX);
	if (cw_key_generate(CW_KEY_P256, &key) != CW_OK ||
	    cw_key_export(key, &pkcs8) != CW_OK)
		return false;
	cw_key_public(key, &own);
	c.no = CW_IMPORT_PRIVATE_KEY;
	c.u.create_key.secret = cw_buf_bytes(&pkcs8);
	right = cw_kit_err(kit,
	    cw_test_issuer_make_certificate(&kit->issuer, &own, "CN=Once"),
	    CW_OK, "a certificate");
	set.u.set_certificates.n_chain = 1;
	set.u.set_certificates.chain[0] =
	    cw_buf_bytes(&kit->issuer.certificate);
	for (uint32_t id = 1; right && id <= 2; id++) {
		c.u.create_key.id = set.u.set_certificates.id = id;
		right = cw_kit_begin(kit) &&
		    cw_kit_runs(kit, c, "IMPORT_PRIVATE_KEY") &&
		    cw_kit_runs(kit, set, "SET_CERTIFICATES") &&
		    (id == 1 ? cw_kit_closes(kit, NULL) :
			       cw_kit_close_fails(kit,
				   CW_ERR_DUPLICATE_CERTIFICATE,
				   "CLOSE with another key's leaf"));
	}
	cw_key_free(&key);
	cw_buf_wipe(&pkcs8);
	return right;
}

const struct cw_kit_check cw_kit_manage[] = {
	{ "delete", "8", "DELETE_KEY is done at CLOSE, and takes the PIN along",
	    deferred },
	{ "update", "8", "UPDATE_KEY: the new key takes PIN, PUK and handle",
	    updated },
	{ "update-fits", "8",
	    "an update has the usage and the slot, and no PIN", update_fits },
	{ "clone", "8", "CLONE_KEY_PROTECTION: the new key shares the PIN",
	    cloned },
	{ "clone-fits", "8", "a clone is of a shared PIN, outside the slots",
	    clone_fits },
	{ "unlock", "8", "UNLOCK_KEY gives the tries back at CLOSE", unlocked },
	{ "unlock-slot", "8",
	    "UNLOCK_KEY of a slot: if all slots are this issuer's",
	    unlocked_slot },
	{ "manage-scope", "8", "what is managed is in the scope", scope },
	{ "manage-unknown", "8", "what is managed is this issuer's, of before",
	    unknown },
	{ "manage-taken", "8", "a target is deleted or updated once", taken },
	{ "manage-raced", "8", "CLOSE sees what the holder has deleted",
	    raced },
	{ "manage-mode-3", "8", "mode 3 manages nothing", anonymous },
	{ "certificate-once", "8", "a leaf certificate is on the card once",
	    leaf_once },
	{ NULL, NULL, NULL, NULL },
};
