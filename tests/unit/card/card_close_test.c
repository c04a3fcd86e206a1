/* SPDX-License-Identifier: Apache-2.0 */
/* What CLOSE finds when the card has changed since a session's commands, and what
 * it leaves: one key in a slot, one object with an id, a PIN for whom it is. */
#include "tests/support/card_play.h"

/* The same issuer, in a session of its own; its key is borrowed. */
static void
begin_beside(struct cw_test_world *w, struct cw_test_issuer *other)
{
	cw_test_world_issuer(w, other);
	cw_key_free(&other->management_key);
	other->management_key = w->issuer.management_key;
	assert_err(cw_test_issuer_begin(other), CW_OK);
}

static void
end_beside(struct cw_test_issuer *other)
{
	other->management_key = NULL;
	cw_test_issuer_wipe(other);
}

/* ---- ids ---- */

/* A PUK, a PIN under it, a key with that PIN, and a secret. */
static void
make_all(struct cw_test_issuer *issuer, uint32_t puk_id, uint32_t policy_id,
    uint32_t key_id, uint32_t secret_id)
{
	struct cw_create_puk_policy puk = cw_play_puk;
	struct cw_create_pin_policy policy = cw_play_policy;
	struct cw_create_key key = cw_play_key, secret = cw_play_secret;

	puk.id = policy.puk = puk_id;
	policy.id = key.pin_policy = policy_id;
	key.id = key_id;
	secret.id = secret_id;
	cw_test_must_run(issuer, cw_play_puk_command(&puk));
	cw_test_must_run(issuer, cw_test_policy_command(&policy));
	cw_play_make(issuer, &key);
	cw_test_must_run(issuer, cw_play_import(&secret));
}

/* Two sessions of one issuer give ids at the same time. */
static void
an_id_that_another_session_gave_meanwhile_fails_the_close(void **state)
{
	static const struct {
		uint32_t puk, policy, key, secret; /* the other: 1, 2, 3, 4 */
		enum cw_err want;
	} rows[] = {
		{ 11, 12, 13, 14, CW_OK },
		{ 1, 12, 13, 14, CW_ERR_DUPLICATE_ID },
		{ 11, 2, 13, 14, CW_ERR_DUPLICATE_ID },
		{ 11, 12, 3, 14, CW_ERR_DUPLICATE_ID },
		{ 11, 12, 13, 4, CW_ERR_DUPLICATE_ID },
		{ 11, 12, 1, 14, CW_ERR_DUPLICATE_ID },
		{ 4, 12, 13, 14, CW_ERR_DUPLICATE_ID },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = cw_test_world_renew(state);
		struct cw_test_issuer other;

		print_message("row %zu\n", i);
		assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
		make_all(&w->issuer, rows[i].puk, rows[i].policy, rows[i].key,
		    rows[i].secret);
		begin_beside(w, &other);
		make_all(&other, 1, 2, 3, 4);
		assert_err(cw_test_issuer_close(&other, NULL), CW_OK);
		assert_err(cw_test_issuer_close(&w->issuer, NULL),
		    rows[i].want);
		end_beside(&other);
	}
}

/* The holder deletes the only key that kept it. */
static void
a_puk_that_went_meanwhile_fails_the_close(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_pin_policy policy = cw_play_policy;
	struct cw_create_key key = cw_play_key;
	const struct cw_key_request q = { .handle = 1 };

	cw_play_base(&w->issuer);
	policy.id = key.pin_policy = 21;
	key.id = 2;
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&policy));
	cw_play_make(&w->issuer, &key);
	assert_sw(cw_play_hold(w, CW_INS_DELETE, &q), 0x9000);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_ERR_UNKNOWN_ID);
}

/* ---- slots and certificates ---- */

/* An id means something under its owner only: that this issuer's key of the same
 * number goes frees no slot of the other's. */
static void
a_key_that_goes_frees_no_slot_of_another_issuer(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;
	struct cw_create_key key = cw_test_key_9a;

	cw_test_world_issuer(w, &other);
	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	cw_test_must_run(&w->issuer,
	    cw_play_on(CW_DELETE_KEY, 0, CW_PLAY_KEY_ID));
	assert_err(cw_test_issuer_begin(&other), CW_OK);
	key.id = CW_PLAY_KEY_ID;
	cw_play_make(&other, &key);
	assert_err(cw_test_issuer_close(&other, NULL), CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, NULL),
	    CW_ERR_SLOT_OCCUPIED);
	assert_non_null(cw_play_listed(&other, CW_PLAY_KEY_ID));
	assert_non_null(cw_play_listed(&w->issuer, CW_PLAY_KEY_ID));
	cw_test_issuer_wipe(&other);
}

static void
an_unlock_frees_no_slot(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_create_key key = { .id = 2,
		.type = CW_KEY_P384,
		.usage = cw_test_usage(CW_KEY_P256),
		.slot = 0x9A };

	cw_play_scope_object(&w->issuer, 0x9A);
	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	cw_test_must_run(&w->issuer, cw_play_on(CW_UNLOCK_KEY, 0, 0x9A));
	assert_err(cw_test_issuer_close(&w->issuer, NULL),
	    CW_ERR_SLOT_OCCUPIED);
}

/* Nobody learns what another issuer has on the card. */
static void
two_issuers_may_have_the_same_certificate(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;
	struct cw_private_key *pair = NULL;
	struct cw_public_key public;
	struct cw_buf pkcs8;
	struct cw_create_key key = { .id = 5,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.name = { (const uint8_t *)"Key", 3 } };
	struct cw_command c = { .no = CW_SET_CERTIFICATES };

	cw_buf_init(&pkcs8, 4096);
	assert_err(cw_key_generate(CW_KEY_P256, &pair), CW_OK);
	assert_err(cw_key_export(pair, &pkcs8), CW_OK);
	cw_key_public(pair, &public);
	key.secret = cw_buf_bytes(&pkcs8);
	assert_err(cw_test_issuer_make_certificate(&w->issuer, &public, "CN=T"),
	    CW_OK);
	c.u.set_certificates.id = 5;
	c.u.set_certificates.n_chain = 1;
	c.u.set_certificates.chain[0] = cw_buf_bytes(&w->issuer.certificate);
	cw_test_world_issuer(w, &other);
	for (int i = 0; i < 2; i++) {
		struct cw_test_issuer *issuer = i == 0 ? &w->issuer : &other;

		assert_err(cw_test_issuer_begin(issuer), CW_OK);
		cw_test_must_run(issuer, cw_play_import(&key));
		cw_test_must_run(issuer, c);
		assert_err(cw_test_issuer_close(issuer, NULL), CW_OK);
	}
	cw_key_free(&pair);
	cw_buf_wipe(&pkcs8);
	cw_test_issuer_wipe(&other);
}

/* ---- PINs ---- */

/* The one of its group, where each has its own. */
static void
an_update_has_the_pin_that_was_the_others_alone(void **state)
{
	struct cw_test_world *w = *state;
	const struct cw_create_pin_policy each = { .id = 21,
		.rule = { CW_PIN_DIGITS, 4, 8, 3, 0 },
		.issuer_set = true,
		.modifiable = true,
		.grouping = CW_PIN_EACH };
	struct cw_create_key key = { .id = 5,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.pin_policy = 21,
		.pin = cw_bytes_str("7314") };
	const struct cw_key_request q = { .handle = 1,
		.pin = cw_bytes_str("7314"),
		.new_pin = cw_bytes_str("2718") };
	const struct cw_listed_key *k;

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_test_policy_command(&each));
	cw_play_make(&w->issuer, &key);
	key.id = 6;
	key.pin = cw_bytes_str("9182");
	cw_play_make(&w->issuer, &key);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	key = (struct cw_create_key){ .id = 2,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN };
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	cw_test_must_run(&w->issuer, cw_play_on(CW_UPDATE_KEY, 2, 5));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	k = cw_play_listed(&w->issuer, 2);
	assert_non_null(k);
	assert_true(k->has_pin);
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x9000);
}

/* Two sessions asked for the holder's PIN: it is the one of the first that closes,
 * and the other one's key is used with it. */
static void
the_holders_pin_is_of_the_session_that_closes_first(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_test_issuer other;
	struct cw_create_key key = cw_test_key_9a;

	cw_test_world_issuer(w, &other);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	assert_err(cw_test_issuer_begin(&other), CW_OK);
	other.pin = "749205";
	other.puk = "36925814";
	key.slot = 0x9C;
	cw_play_make(&other, &key);
	assert_err(cw_test_issuer_close(&other, NULL), CW_OK);
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x63C2);
	assert_sw(cw_test_verify(&w->card.wire, "749205"), 0x9000);
	assert_sw(cw_test_two_pins(&w->card.wire, 0x002C, 0x0080, "36925814",
		      CW_TEST_PIN),
	    0x9000);
	cw_test_issuer_wipe(&other);
}

/* Two issuers may give the same ids: each key has its own issuer's PIN and PUK. */
static void
a_key_has_the_pin_of_its_own_issuer(void **state)
{
	struct cw_test_world *w = *state;
	struct cw_create_pin_policy policy = cw_play_policy;
	struct cw_create_puk_policy puk = cw_play_puk;
	struct cw_key_request q = { .handle = 2,
		.pin = cw_bytes_str("2718"),
		.new_pin = cw_bytes_str("3141") };
	struct cw_test_issuer other;

	cw_play_base(&w->issuer);
	cw_test_world_issuer(w, &other);
	policy.value = cw_bytes_str("2718");
	puk.value = cw_bytes_str("50505050");
	assert_err(cw_test_issuer_begin(&other), CW_OK);
	cw_test_must_run(&other, cw_play_puk_command(&puk));
	cw_test_must_run(&other, cw_test_policy_command(&policy));
	cw_play_make(&other, &cw_play_key);
	assert_err(cw_test_issuer_close(&other, NULL), CW_OK);
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x9000);
	q.pin = cw_bytes_str("50505050");
	q.new_pin = CW_BYTES_NONE;
	assert_sw(cw_play_hold(w, CW_INS_UNBLOCK_KEY, &q), 0x9000);
	q = (struct cw_key_request){ .handle = 1,
		.pin = cw_bytes_str(CW_PLAY_PIN),
		.new_pin = cw_bytes_str("3141") };
	assert_sw(cw_play_hold(w, CW_INS_CHANGE_KEY_PIN, &q), 0x9000);
	q.pin = cw_bytes_str(CW_PLAY_PUK);
	q.new_pin = CW_BYTES_NONE;
	assert_sw(cw_play_hold(w, CW_INS_UNBLOCK_KEY, &q), 0x9000);
	cw_test_issuer_wipe(&other);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(
		    an_id_that_another_session_gave_meanwhile_fails_the_close),
		world_test(a_puk_that_went_meanwhile_fails_the_close),
		world_test(a_key_that_goes_frees_no_slot_of_another_issuer),
		world_test(an_unlock_frees_no_slot),
		world_test(two_issuers_may_have_the_same_certificate),
		world_test(an_update_has_the_pin_that_was_the_others_alone),
		world_test(the_holders_pin_is_of_the_session_that_closes_first),
		world_test(a_key_has_the_pin_of_its_own_issuer),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
