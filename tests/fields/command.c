/* SPDX-License-Identifier: Apache-2.0 */
/* The card and an issuer that gives any order, one kind for each command; the
 * holder's instructions; and a management key that has been replaced. */
#include <stdio.h>
#include <stdlib.h>

#include "proto/endorsement.h"
#include "tests/fields/world.h"
#include "tests/support/card_rows.h"
#include "tests/support/evidence_world.h"
#include "tests/support/reader_world.h"

static void *state; /* struct cw_test_world; NULL before the first */

static struct cw_test_world *
begin_world(void)
{
	if (state == NULL) {
		cw_test_world_begin(&state);
		cw_test_world_setup(&state);
	}
	return state;
}

void
cw_fields_command_end(void)
{
	if (state == NULL)
		return;
	cw_test_world_teardown(&state);
	cw_rows_end(&state);
}

/* SET_EXTENSION with other fields than a plain one has. */
static void
set_kind(struct cw_command *c, const char *kind, struct cw_buf *data)
{
	const struct cw_properties bag = { .n = 1,
		.items = { { cw_bytes_str("p"), true, cw_bytes_str("v") } } };

	cw_buf_init(data, 1024);
	cw_properties_encode(&bag, data);
	if (strcmp(kind, "command-7-bag") == 0) {
		c->u.set_extension.kind = CW_EXTENSION_PROPERTIES;
		c->u.set_extension.data = cw_buf_bytes(data);
	}
	if (strcmp(kind, "command-7-logo") == 0) {
		c->u.set_extension.kind = CW_EXTENSION_LOGOTYPE;
		c->u.set_extension.media_type = cw_bytes_str("image/png");
	}
}

/* A new key, with all that may be said of one. */
static void
say_all(struct cw_command *c)
{
	struct cw_create_key *key = &c->u.create_key;

	key->pin_policy = CW_PLAY_POLICY_ID;
	key->exportable = true;
	key->export_guard = CW_GUARD_PIN;
	key->delete_guard = CW_GUARD_PUK;
	key->n_algorithms = 1;
	key->algorithms[0] =
	    c->no == CW_IMPORT_SYMMETRIC_KEY ? CW_ALG_HMAC_256 : CW_ALG_ESP256;
}

static bool
play_command(enum cw_command_no no, const char *kind, const char *wanted)
{
	struct cw_buf data;
	static struct cw_listed_key keys[CW_KEYS_MAX];
	struct cw_reply reply = { .keys = keys };
	struct cw_test_world *w;
	struct cw_command c;
	enum cw_err err;

	begin_world();
	w = cw_rows_prepare(&state, no);
	c = cw_rows_command(w, no);
	set_kind(&c, kind, &data);
	if (no == CW_CREATE_KEY || no == CW_IMPORT_SYMMETRIC_KEY ||
	    no == CW_IMPORT_PRIVATE_KEY)
		say_all(&c);
	cw_tap_begin(wanted);
	err = cw_test_issuer_command(&w->issuer, &c, &reply);
	cw_tap_error("issuer", err);
	cw_tap_end();
	cw_buf_wipe(&data);
	return true;
}

/* ---- the holder ---- */

/* What can be done with the one key that the holder has. */
static const struct row {
	const char *name;
	enum cw_ins ins;
} rows[] = {
	{ "read-key", CW_INS_READ_KEY },
	{ "use-key", CW_INS_USE_KEY },
	{ "read-extension", CW_INS_READ_EXTENSION },
	{ "write-property", CW_INS_WRITE_PROPERTY },
	{ "export-key", CW_INS_EXPORT_KEY },
	{ "change-key-pin", CW_INS_CHANGE_KEY_PIN },
	{ "unblock-key", CW_INS_UNBLOCK_KEY },
	{ "delete-key", CW_INS_DELETE },
	{ "attest-offline", CW_INS_ATTEST_OFFLINE },
};

/* A key outside the slots with PIN, PUK and a property; one in a slot, whose
 * holder's PIN is verified. */
static struct cw_held_key
prepare_holder(struct cw_test_world *w)
{
	const struct cw_properties bag = { .n = 1,
		.items = { { cw_bytes_str("p"), true, cw_bytes_str("v") } } };
	struct cw_create_key key = cw_play_key;
	struct cw_buf data;

	key.exportable = true;
	key.export_guard = CW_GUARD_PIN;
	key.delete_guard = CW_GUARD_PIN;
	cw_buf_init(&data, 1024);
	cw_properties_encode(&bag, &data);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_puk_command(&cw_play_puk));
	cw_test_must_run(&w->issuer, cw_test_policy_command(&cw_play_policy));
	cw_play_make(&w->issuer, &key);
	cw_test_must_run(&w->issuer,
	    cw_play_extension(key.id, "t", CW_EXTENSION_PROPERTIES,
		cw_buf_bytes(&data)));
	cw_play_make(&w->issuer, &cw_test_key_9a);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	cw_buf_wipe(&data);
	assert_sw(cw_test_verify(&w->issuer.wire, CW_TEST_PIN), 0x9000);
	return cw_play_held(w, "Key 1");
}

static struct cw_key_request
ask(enum cw_ins ins, uint32_t handle)
{
	static const uint8_t challenge[CW_HASH_BYTES] = { 1 };
	struct cw_key_request q = { .handle = handle,
		.operation = CW_OP_SIGN,
		.algorithm = CW_ALG_ESP256,
		.data = cw_bytes_str("w"),
		.type = cw_bytes_str("t"),
		.name = cw_bytes_str("p"),
		.pin = cw_bytes_str(CW_PLAY_PIN),
		.new_pin = cw_bytes_str("5817"),
		.attestation = 1 };

	if (ins == CW_INS_ATTEST_OFFLINE) {
		q.data = CW_BYTES_ARRAY(challenge);
		q.name = cw_bytes_str("CN=Test holder");
	}
	if (ins == CW_INS_UNBLOCK_KEY)
		q.pin = cw_bytes_str(CW_PLAY_PUK);
	if (ins == CW_INS_READ_EXTENSION)
		q.pin = CW_BYTES_NONE;
	return q;
}

/* Whoever asked for an offline statement: is it about the key, the subject and
 * the challenge that were named, and by a card of the vendor? */
static enum cw_err
judge_offline(const struct cw_key_request *q, const struct cw_public_key *key,
    struct cw_bytes answer)
{
	struct cw_trust *trust =
	    cw_test_trust(cw_buf_bytes(&cw_test_world_vendor()->root));
	struct cw_attestation leaf;
	struct cw_offline_statement s;
	struct cw_attested a;
	uint8_t hash[CW_HASH_BYTES];
	enum cw_err err = cw_attested_decode(answer, &a);

	if (err == CW_OK)
		err = cw_trust_check_attestation(trust, a.chain, a.n_chain,
		    CW_TEST_NOW_S, &leaf);
	if (err == CW_OK)
		err = cw_offline_statement_verify(a.statement, &leaf.key, &s);
	cw_offline_request_hash(q->name, key, hash);
	if (err == CW_OK &&
	    (memcmp(s.challenge, q->data.ptr, CW_HASH_BYTES) != 0 ||
		memcmp(s.request, hash, CW_HASH_BYTES) != 0 ||
		leaf.kind != (enum cw_attestation_kind)q->attestation ||
		s.attributes.type != CW_KEY_P256 ||
		s.attributes.origin != CW_ORIGIN_CARD))
		err = CW_ERR_WRONG_STATEMENT;
	cw_trust_free(&trust);
	return err;
}

static void
judge(enum cw_ins ins, const struct cw_key_request *q,
    const struct cw_public_key *key, struct cw_bytes answer)
{
	struct cw_held_key held;

	if (ins == CW_INS_READ_KEY)
		cw_tap_error("agent", cw_held_key_decode(answer, &held));
	if (ins == CW_INS_ATTEST_OFFLINE)
		cw_tap_error("whoever asks", judge_offline(q, key, answer));
}

bool
cw_fields_holder(const char *kind, unsigned suite, enum cw_mode mode,
    const char *wanted)
{
	const char *name = kind + strlen("holder-");

	(void)suite;
	(void)mode;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_key_request q;
		struct cw_held_key key;
		struct cw_test_world *w;

		if (strncmp(kind, "holder-", strlen("holder-")) != 0 ||
		    strcmp(rows[i].name, name) != 0)
			continue;
		begin_world();
		w = cw_test_world_renew(&state);
		key = prepare_holder(w);
		q = ask(rows[i].ins, key.handle);
		cw_tap_begin(wanted);
		if (cw_play_hold(w, rows[i].ins, &q) == 0x9000)
			judge(rows[i].ins, &q, &key.key, cw_buf_bytes(&w->out));
		cw_tap_end();
		return true;
	}
	return false;
}

/* ---- a management key that was replaced ---- */

/* One session under the old key, then one under the new key. */
static bool
play_replaced(unsigned suite, const char *wanted)
{
	struct cw_endorsement e = { .epoch = 1,
		.not_after_s = CW_TEST_NOW_S + 3600 };
	struct cw_private_key *old;
	struct cw_world *w;
	struct cw_buf endorsement;
	void *world = NULL;

	cw_world_before_all(&world);
	cw_world_setup(&world);
	w = world;
	w->issuer.request.suite = cw_suite_find(suite);
	assert_err(cw_world_enroll_anew(w), CW_OK);
	cw_tap_begin(wanted);
	old = w->issuer.management_key;
	assert_err(cw_key_generate(CW_KEY_P256, &w->issuer.management_key),
	    CW_OK);
	cw_key_public(w->issuer.management_key, &e.to);
	cw_buf_init(&endorsement, CW_REQUEST_MAX);
	assert_err(cw_endorsement_make(&e, old, &endorsement), CW_OK);
	w->issuer.request.n_endorsements = 1;
	w->issuer.request.endorsements[0] = cw_buf_bytes(&endorsement);
	w->key.slot = 0x9C;
	w->key.id = 8;
	w->env.wants_changes = true;
	cw_world_new_session(w);
	cw_world_new_run(w);
	cw_tap_error("agent", cw_world_enroll_anew(w));
	cw_tap_end();
	cw_buf_wipe(&endorsement);
	cw_key_free(&old);
	cw_world_teardown(&world);
	cw_world_after_all(&world);
	return true;
}

/* ---- a vendor, and a blank card ---- */

static bool
play_personalise(const char *wanted)
{
	struct cw_test_card card;
	struct cw_buf data;

	begin_world();
	cw_test_card_init(&card, cw_test_world_vendor());
	cw_card_free(&card.card);
	cw_buf_reset(&card.storage.bytes);
	assert_err(cw_card_open(&card.config, &card.card), CW_OK);
	cw_buf_init(&data, CW_BODY_MAX);
	cw_test_personalisation(cw_test_world_vendor(), &data);
	assert_sw(cw_test_select_provisioning(&card.wire), 0x9000);
	cw_tap_begin(wanted);
	cw_test_send(&card.wire, 0x80F0, 0, cw_buf_bytes(&data), NULL);
	cw_tap_end();
	cw_buf_wipe(&data);
	cw_test_card_wipe(&card);
	return true;
}

bool
cw_fields_command(const char *kind, unsigned suite, enum cw_mode mode,
    const char *wanted)
{
	unsigned no = 0;

	(void)mode;
	if (strcmp(kind, "replaced") == 0)
		return play_replaced(suite, wanted);
	if (strcmp(kind, "personalise") == 0)
		return play_personalise(wanted);
	if (sscanf(kind, "command-%2u", &no) != 1 || no < 1 || no > CW_ROWS)
		return false;
	return play_command((enum cw_command_no)no, kind, wanted);
}
