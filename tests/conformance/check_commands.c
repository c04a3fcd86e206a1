/* SPDX-License-Identifier: Apache-2.0 */
/* docs/protocol.md 8: scope, ids, slots, certificates, CLOSE, rollback. */
#include "tests/conformance/kit.h"

static struct cw_command
create(uint32_t id, uint8_t slot)
{
	struct cw_command c = { .no = CW_CREATE_KEY };

	c.u.create_key = (struct cw_create_key){
		.id = id,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.slot = slot,
		.name = cw_bytes_str("Key"),
	};
	return c;
}

static struct cw_command
policy(uint32_t id)
{
	struct cw_command c = { .no = CW_CREATE_PIN_POLICY };

	c.u.create_pin_policy = (struct cw_create_pin_policy){
		.id = id,
		.rule = { .format = CW_PIN_DIGITS,
		    .min = 6,
		    .max = 8,
		    .tries = 3 },
	};
	return c;
}

static bool
runs(struct cw_kit *kit, struct cw_command command, const char *what)
{
	struct cw_reply reply = { .err = CW_OK };

	return cw_kit_err(kit,
	    cw_test_issuer_command(&kit->issuer, &command, &reply), CW_OK,
	    what);
}

static bool
ends(struct cw_kit *kit, struct cw_command command, enum cw_err want,
    const char *what)
{
	return cw_kit_ends_with(kit, &command, want, what);
}

/* ---- scope ---- */

static bool
scope_command(struct cw_kit *kit)
{
	struct cw_scope *scope = &kit->issuer.request.scope;

	scope->n_commands = 1;
	scope->commands[0] = CW_LIST;
	return cw_kit_begin(kit) &&
	    ends(kit, create(1, 0), CW_ERR_OUTSIDE_SCOPE,
		"a command outside the scope");
}

static bool
scope_slot(struct cw_kit *kit)
{
	struct cw_scope *scope = &kit->issuer.request.scope;

	scope->n_slots = 1;
	scope->slots[0] = 0x9C;
	return cw_kit_begin(kit) &&
	    ends(kit, create(1, 0x9A), CW_ERR_OUTSIDE_SCOPE,
		"a slot outside the scope");
}

static bool
scope_keys(struct cw_kit *kit)
{
	kit->issuer.request.scope.keys_max = 1;
	return cw_kit_begin(kit) && runs(kit, create(1, 0), "the first key") &&
	    ends(kit, create(2, 0), CW_ERR_OUTSIDE_SCOPE,
		"a key beyond the scope's number");
}

static bool
scope_close(struct cw_kit *kit)
{
	struct cw_scope *scope = &kit->issuer.request.scope;

	scope->n_commands = 1;
	scope->commands[0] = CW_LIST;
	return cw_kit_begin(kit) &&
	    cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, NULL), CW_OK,
		"CLOSE needs no place in the scope");
}

static bool
command_limit(struct cw_kit *kit)
{
	const struct cw_command list = { .no = CW_LIST };

	kit->issuer.request.command_limit = 2;
	return cw_kit_begin(kit) && runs(kit, list, "command 1 of 2") &&
	    runs(kit, list, "command 2 of 2") &&
	    ends(kit, list, CW_ERR_COMMAND_LIMIT, "a command beyond the limit");
}

static bool
unknown_command(struct cw_kit *kit)
{
	static const uint8_t plain[] = { 0x83, 0x18, 0x63, 0xF4, 0xA0 };
	enum cw_err err;

	if (!cw_kit_begin(kit))
		return false;
	err = cw_kit_send_plain(kit, CW_BYTES_ARRAY(plain), CW_LIST);
	return cw_kit_true(kit, err != CW_OK && err != CW_ERR_CARD_SAYS,
		   "command 99 gets an error reply") &&
	    cw_kit_is_dead(kit, "the session after command 99");
}

/* ---- ids, slots, usage ---- */

static bool
duplicate_id(struct cw_kit *kit)
{
	return cw_kit_begin(kit) && runs(kit, create(5, 0), "the first key") &&
	    ends(kit, create(5, 0), CW_ERR_DUPLICATE_ID, "an id twice");
}

static bool
duplicate_kinds(struct cw_kit *kit)
{
	return cw_kit_begin(kit) && runs(kit, policy(5), "a policy") &&
	    ends(kit, create(5, 0), CW_ERR_DUPLICATE_ID,
		"a key with a policy's id");
}

static bool
duplicate_committed(struct cw_kit *kit)
{
	return cw_kit_enroll(kit, 0x9A) && cw_kit_begin(kit) &&
	    ends(kit, create(0x9A, 0x9C), CW_ERR_DUPLICATE_ID,
		"the id of a committed key");
}

static bool
slot_occupied(struct cw_kit *kit)
{
	return cw_kit_enroll(kit, 0x9A) && cw_kit_begin(kit) &&
	    ends(kit, create(1, 0x9A), CW_ERR_SLOT_OCCUPIED,
		"an occupied slot");
}

static bool
slot_of_other(struct cw_kit *kit)
{
	if (!cw_kit_enroll(kit, 0x9A))
		return false;
	cw_test_issuer_wipe(&kit->issuer);
	cw_kit_other_issuer(kit, &kit->issuer);
	return cw_kit_begin(kit) &&
	    ends(kit, create(1, 0x9A), CW_ERR_SLOT_OCCUPIED,
		"a slot with another issuer's key");
}

static bool
policy_in_slot(struct cw_kit *kit)
{
	struct cw_command c = create(1, 0x9A);

	c.u.create_key.pin_policy = 5;
	return cw_kit_begin(kit) && runs(kit, policy(5), "a policy") &&
	    ends(kit, c, CW_ERR_BAD_POLICY,
		"a PIN policy for a key in a PIV slot");
}

static bool
policy_unknown(struct cw_kit *kit)
{
	struct cw_command c = create(1, 0);

	c.u.create_key.pin_policy = 77;
	return cw_kit_begin(kit) &&
	    ends(kit, c, CW_ERR_UNKNOWN_ID, "a PIN policy that is not there");
}

static bool
usage(struct cw_kit *kit)
{
	struct cw_command c = create(1, 0);

	c.u.create_key.usage = CW_USAGE_DECRYPT;
	return cw_kit_begin(kit) &&
	    ends(kit, c, CW_ERR_BAD_USAGE, "a P-256 key that decrypts");
}

static bool
shown_text(struct cw_kit *kit)
{
	static const char *const texts[] = { "a\nb", "a\x7f", "a\xc2\x85",
		"\xe2\x80\xae"
		"a",
		"\xef\xbb\xbf"
		"a",
		"\xee\x80\x80", "\xe2\x80\xa8", "\xf3\xa0\x81\x81",
		"\xcd\xb8" };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct cw_command c = create(1, 0);

		c.u.create_key.name = cw_bytes_str(texts[i]);
		if (!cw_kit_begin(kit) ||
		    !ends(kit, c, CW_ERR_BAD_TEXT,
			"a name of what may not be shown"))
			return false;
	}
	return true;
}

/* ---- certificates ---- */

static bool
certificate_of_other(struct cw_kit *kit)
{
	struct cw_public_key first, second;

	return cw_kit_begin(kit) && cw_kit_make_key(kit, 1, 0, &first) &&
	    cw_kit_make_key(kit, 2, 0, &second) &&
	    cw_kit_err(kit, cw_test_issuer_certify(&kit->issuer, 1, &second),
		CW_ERR_WRONG_CERTIFICATE, "a certificate for another key") &&
	    cw_kit_is_dead(kit, "the session after a wrong certificate");
}

static bool
certificate_of_none(struct cw_kit *kit)
{
	struct cw_public_key made;

	return cw_kit_begin(kit) && cw_kit_make_key(kit, 1, 0, &made) &&
	    cw_kit_err(kit, cw_test_issuer_certify(&kit->issuer, 9, &made),
		CW_ERR_UNKNOWN_ID, "a certificate for a key that is not there");
}

/* Another issuer's objects do not exist for this one. */
static bool
certificate_of_stranger(struct cw_kit *kit)
{
	struct cw_public_key made;

	if (!cw_kit_enroll(kit, 0x9A) || !cw_kit_begin(kit) ||
	    !cw_kit_make_key(kit, 1, 0, &made))
		return false;
	cw_test_issuer_wipe(&kit->issuer);
	cw_kit_other_issuer(kit, &kit->issuer);
	return cw_kit_begin(kit) &&
	    cw_kit_err(kit, cw_test_issuer_certify(&kit->issuer, 0x9A, &made),
		CW_ERR_UNKNOWN_ID, "a certificate for another issuer's key");
}

/* ---- CLOSE ---- */

static bool
close_incomplete(struct cw_kit *kit)
{
	const struct cw_command c = { .no = CW_CLOSE, .last = true };

	return cw_kit_begin(kit) && runs(kit, create(1, 0), "a key") &&
	    ends(kit, c, CW_ERR_INCOMPLETE,
		"CLOSE with a key without certificates");
}

static bool
close_policy(struct cw_kit *kit)
{
	const struct cw_command c = { .no = CW_CLOSE, .last = true };

	return cw_kit_begin(kit) && runs(kit, policy(5), "a policy") &&
	    ends(kit, c, CW_ERR_BAD_POLICY,
		"CLOSE with a PIN policy without a key");
}

static bool
close_raced(struct cw_kit *kit)
{
	const struct cw_command c = { .no = CW_CLOSE, .last = true };
	struct cw_test_issuer first;
	bool right;

	if (!cw_kit_until_close(kit, 1, 0x9A))
		return false;
	first = kit->issuer;
	cw_kit_other_issuer(kit, &kit->issuer);
	right = cw_kit_enroll(kit, 0x9A);
	cw_test_issuer_wipe(&kit->issuer);
	kit->issuer = first;
	return right &&
	    ends(kit, c, CW_ERR_SLOT_OCCUPIED,
		"CLOSE for a slot that another session took meanwhile");
}

/* Two sessions of one issuer give the same id. */
static bool
ids_raced(struct cw_kit *kit)
{
	const struct cw_command c = { .no = CW_CLOSE, .last = true };
	struct cw_test_issuer first;
	bool right;

	if (!cw_kit_until_close(kit, 1, 0))
		return false;
	first = kit->issuer;
	cw_kit_other_issuer(kit, &kit->issuer);
	cw_key_free(&kit->issuer.management_key);
	kit->issuer.management_key = first.management_key;
	right = cw_kit_until_close(kit, 1, 0) &&
	    cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, NULL), CW_OK,
		"CLOSE of the second session");
	kit->issuer.management_key = NULL;
	cw_test_issuer_wipe(&kit->issuer);
	kit->issuer = first;
	return right &&
	    ends(kit, c, CW_ERR_DUPLICATE_ID,
		"CLOSE for an id that another session gave meanwhile");
}

static bool
invisible(struct cw_kit *kit)
{
	return cw_kit_until_close(kit, 1, 0x9A) &&
	    cw_kit_true(kit, !cw_kit_has_slot(kit, 0x9A),
		"a key takes effect at CLOSE and not before") &&
	    cw_kit_power(kit) &&
	    cw_kit_true(kit, !cw_kit_has_slot(kit, 0x9A),
		"nor after a reset") &&
	    cw_kit_err(kit, cw_test_issuer_close(&kit->issuer, NULL), CW_OK,
		"CLOSE") &&
	    cw_kit_true(kit, cw_kit_has_slot(kit, 0x9A),
		"a key takes effect at CLOSE") &&
	    cw_kit_power(kit) &&
	    cw_kit_true(kit, cw_kit_has_slot(kit, 0x9A),
		"a committed key survives the loss of power");
}

/* ---- rollback ---- */

static bool
rolled_back(struct cw_kit *kit)
{
	struct cw_command bad = create(2, 0);

	bad.u.create_key.usage = CW_USAGE_DECRYPT;
	return cw_kit_until_close(kit, 1, 0x9A) &&
	    ends(kit, bad, CW_ERR_BAD_USAGE, "a command that fails") &&
	    cw_kit_true(kit, !cw_kit_has_slot(kit, 0x9A),
		"an error undoes the whole session") &&
	    cw_kit_sw(kit, cw_test_verify(&kit->wire, CW_TEST_PIN), 0x6A88,
		"an error undoes the holder's PIN as well") &&
	    cw_kit_enroll(kit, 0x9A);
}

static bool
rolled_back_by_abort(struct cw_kit *kit)
{
	return cw_kit_until_close(kit, 0x9A, 0x9A) &&
	    cw_kit_sw(kit,
		cw_test_send(&kit->wire, 0x801C, 0,
		    CW_BYTES_ARRAY(kit->issuer.request.session_id), NULL),
		0x9000, "ABORT") &&
	    cw_kit_true(kit, !cw_kit_has_slot(kit, 0x9A),
		"ABORT undoes the whole session") &&
	    cw_kit_enroll(kit, 0x9A);
}

/* ---- LIST ---- */

static bool
list(struct cw_kit *kit, size_t want, const char *what)
{
	const struct cw_command c = { .no = CW_LIST };
	static struct cw_listed_key keys[CW_KEYS_MAX];
	struct cw_reply reply = { .keys = keys };

	return cw_kit_begin(kit) &&
	    cw_kit_err(kit, cw_test_issuer_command(&kit->issuer, &c, &reply),
		CW_OK, "LIST") &&
	    cw_kit_true(kit, reply.n_keys == want, what) &&
	    (want == 0 ||
		cw_kit_true(kit,
		    keys[0].id == 0x9A && keys[0].attributes.slot == 0x9A &&
			keys[0].attributes.type == CW_KEY_P256 &&
			keys[0].n_chain == 2,
		    "LIST gives id, type, slot and certificates"));
}

static bool
listed(struct cw_kit *kit)
{
	return list(kit, 0, "LIST of an empty card") &&
	    cw_kit_enroll(kit, 0x9A) && list(kit, 1, "LIST of one key");
}

static bool
listed_to_other(struct cw_kit *kit)
{
	if (!cw_kit_enroll(kit, 0x9A))
		return false;
	cw_test_issuer_wipe(&kit->issuer);
	cw_kit_other_issuer(kit, &kit->issuer);
	return list(kit, 0, "LIST to another issuer");
}

const struct cw_kit_check cw_kit_commands[] = {
	{ "scope-command", "8", "a command outside the scope fails",
	    scope_command },
	{ "scope-slot", "8", "a slot outside the scope fails", scope_slot },
	{ "scope-keys", "8", "a key beyond the scope's number fails",
	    scope_keys },
	{ "scope-close", "4", "every session may CLOSE", scope_close },
	{ "command-limit", "5.3", "the command limit is enforced",
	    command_limit },
	{ "command-unknown", "8", "an unknown command is an error",
	    unknown_command },
	{ "id-twice", "8", "object ids are unique", duplicate_id },
	{ "id-kinds", "8", "keys and policies share their ids",
	    duplicate_kinds },
	{ "id-committed", "8", "ids are unique beyond the session",
	    duplicate_committed },
	{ "slot-occupied", "8", "an occupied slot is refused", slot_occupied },
	{ "slot-other", "8", "another issuer's slot is refused",
	    slot_of_other },
	{ "policy-in-slot", "8", "a key in a PIV slot names no PIN policy",
	    policy_in_slot },
	{ "policy-unknown", "8", "a PIN policy must be there", policy_unknown },
	{ "usage", "8", "usage fits the key type", usage },
	{ "shown-text", "2", "texts that may not be shown are refused",
	    shown_text },
	{ "certificate-key", "8", "the leaf carries the key's public key",
	    certificate_of_other },
	{ "certificate-unknown", "8",
	    "certificates are for keys of the session", certificate_of_none },
	{ "owner", "8", "another issuer's objects do not exist",
	    certificate_of_stranger },
	{ "close-incomplete", "8", "CLOSE wants certificates for all keys",
	    close_incomplete },
	{ "close-policy", "8", "CLOSE wants a key for each PIN policy",
	    close_policy },
	{ "close-raced", "8", "CLOSE sees what was committed meanwhile",
	    close_raced },
	{ "ids-raced", "8", "CLOSE sees ids that were given meanwhile",
	    ids_raced },
	{ "close-atomic", "8", "what a session made takes effect at CLOSE",
	    invisible },
	{ "rollback-error", "8", "an error undoes the session", rolled_back },
	{ "rollback-abort", "8", "ABORT undoes the session",
	    rolled_back_by_abort },
	{ "list", "8", "LIST gives this issuer's keys", listed },
	{ "list-other", "8", "LIST gives nobody else's", listed_to_other },
	{ NULL, NULL, NULL, NULL },
};
