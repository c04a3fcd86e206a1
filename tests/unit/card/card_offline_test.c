/* SPDX-License-Identifier: Apache-2.0 */
/* ATTEST OFFLINE, and extensions as the holder's programs see them. */
#include "proto/x509.h"
#include "tests/support/card_play.h"

#define SUBJECT "CN=Test holder"

static const uint8_t challenge[CW_HASH_BYTES] = { 0xc4, 1, 2 };

/* A key in 9A (handle 1); the holder's PIN is set. */
static struct cw_test_world *
with_slot(void **state)
{
	struct cw_test_world *w = cw_test_world_renew(state);

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	return w;
}

static struct cw_key_request
request(uint32_t handle, uint32_t attestation)
{
	return (struct cw_key_request){ .handle = handle,
		.data = CW_BYTES_ARRAY(challenge),
		.name = cw_bytes_str(SUBJECT),
		.attestation = attestation };
}

/* ---- ATTEST OFFLINE ---- */

static void
a_statement_is_about_key_subject_and_challenge(void **state)
{
	for (uint32_t by = 1; by <= 2; by++) {
		struct cw_test_world *w = with_slot(state);
		struct cw_key_request q = request(1, by);
		struct cw_offline_statement s;
		struct cw_public_key attestation, key;
		struct cw_attested a;
		uint8_t hash[CW_HASH_BYTES];

		assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
		assert_sw(cw_play_hold(w, CW_INS_ATTEST_OFFLINE, &q), 0x9000);
		assert_err(cw_attested_decode(cw_buf_bytes(&w->out), &a),
		    CW_OK);
		assert_err(cw_cert_public_key(a.chain[0], &attestation), CW_OK);
		/* The batch's key is the one that signed the session, mode 2. */
		assert_int_equal(memcmp(&attestation, &w->issuer.attestation,
				     sizeof(attestation)) == 0,
		    by == 2);
		assert_err(cw_offline_statement_verify(a.statement,
			       &attestation, &s),
		    CW_OK);
		assert_memory_equal(s.challenge, challenge, CW_HASH_BYTES);
		assert_err(cw_cert_public_key(cw_buf_bytes(
						  &w->issuer.certificate),
			       &key),
		    CW_OK);
		cw_offline_request_hash(cw_bytes_str(SUBJECT), &key, hash);
		assert_memory_equal(s.request, hash, CW_HASH_BYTES);
		assert_int_equal(s.attributes.slot, 0x9A);
		assert_int_equal(s.attributes.origin, CW_ORIGIN_CARD);
	}
}

static void
an_offline_statement_stands_for_no_session(void **state)
{
	struct cw_test_world *w = with_slot(state);
	struct cw_key_request q = request(1, 2);
	struct cw_key_statement s;
	struct cw_attested a;

	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(cw_play_hold(w, CW_INS_ATTEST_OFFLINE, &q), 0x9000);
	assert_err(cw_attested_decode(cw_buf_bytes(&w->out), &a), CW_OK);
	assert_err(cw_key_statement_verify(a.statement, &w->issuer.attestation,
		       &s),
	    CW_ERR_WRONG_LABEL);
}

static void
an_offline_statement_needs_the_pin(void **state)
{
	struct cw_test_world *w = with_slot(state);
	struct cw_key_request q = request(1, 1);

	assert_sw(cw_play_hold(w, CW_INS_ATTEST_OFFLINE, &q), 0x6982);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(cw_play_hold(w, CW_INS_ATTEST_OFFLINE, &q), 0x9000);
	/* Every SELECT ends it. */
	(void)cw_test_select_provisioning(&w->card.wire);
	assert_sw(cw_play_hold(w, CW_INS_ATTEST_OFFLINE, &q), 0x6982);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	q.handle = 9;
	assert_sw(cw_play_hold(w, CW_INS_ATTEST_OFFLINE, &q), 0x6A82);
	/* A card without a holder's PIN says nothing of itself. */
	w = cw_test_world_renew(state);
	cw_play_base(&w->issuer);
	q.handle = 1;
	assert_sw(cw_play_hold(w, CW_INS_ATTEST_OFFLINE, &q), 0x6A88);
}

static void
a_secret_is_not_attested(void **state)
{
	struct cw_test_world *w = with_slot(state);
	struct cw_key_request q = request(2, 1);

	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_test_must_run(&w->issuer, cw_play_import(&cw_play_secret));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(cw_play_hold(w, CW_INS_ATTEST_OFFLINE, &q), 0x6985);
}

/* ---- extensions ---- */

/* Key 2 ("Mine", handle 2) with the PIN of key 1 and four extensions. */
static struct cw_test_world *
with_extensions(void **state)
{
	static const uint8_t bag[] = { 0x82, 0x83, 0x61, 'C', 0xf5, 0x41, 7,
		0x83, 0x61, 'F', 0xf4, 0x41, 8 };
	struct cw_test_world *w = cw_test_world_renew(state);
	const struct cw_create_key key = { .id = 2,
		.type = CW_KEY_P256,
		.usage = CW_USAGE_SIGN,
		.pin_policy = CW_PLAY_POLICY_ID,
		.name = { (const uint8_t *)"Mine", 4 } };

	cw_play_base(&w->issuer);
	assert_err(cw_test_issuer_begin(&w->issuer), CW_OK);
	cw_play_make(&w->issuer, &key);
	cw_test_must_run(&w->issuer,
	    cw_play_extension(2, "plain", CW_EXTENSION_PLAIN,
		cw_bytes_str("open")));
	cw_test_must_run(&w->issuer,
	    cw_play_extension(2, "secret", CW_EXTENSION_CONFIDENTIAL,
		cw_bytes_str("hidden")));
	cw_test_must_run(&w->issuer,
	    cw_play_extension(2, "bag", CW_EXTENSION_PROPERTIES,
		CW_BYTES_ARRAY(bag)));
	/* The same bytes, which are no properties here. */
	cw_test_must_run(&w->issuer,
	    cw_play_extension(2, "like", CW_EXTENSION_PLAIN,
		CW_BYTES_ARRAY(bag)));
	assert_err(cw_test_issuer_close(&w->issuer, NULL), CW_OK);
	return w;
}

static unsigned
extension(struct cw_test_world *w, enum cw_ins ins, const char *type,
    const char *name, struct cw_bytes value, const char *pin)
{
	struct cw_key_request q = { .handle = 2,
		.type = cw_bytes_str(type),
		.data = value };

	if (name != NULL)
		q.name = cw_bytes_str(name);
	if (pin != NULL)
		q.pin = cw_bytes_str(pin);
	return cw_play_hold(w, ins, &q);
}

static void
extensions_are_read_as_their_kind_allows(void **state)
{
	static const struct {
		const char *type, *pin;
		unsigned want;
		const char *data;
	} rows[] = {
		{ "plain", NULL, 0x9000, "open" },
		{ "secret", NULL, 0x6982, NULL },
		{ "secret", "4712", 0x63C2, NULL },
		{ "secret", CW_PLAY_PIN, 0x9000, "hidden" },
		{ "other", NULL, 0x6A82, NULL },
	};
	struct cw_test_world *w = with_extensions(state);
	struct cw_held_key k = cw_play_held(w, "Mine");

	assert_int_equal(k.n_extensions, 4);
	assert_true(cw_bytes_is(k.extensions[1].type, "secret"));
	assert_int_equal(k.extensions[1].kind, CW_EXTENSION_CONFIDENTIAL);
	for (size_t i = 0; i < COUNT(rows); i++) {
		assert_sw(extension(w, CW_INS_READ_EXTENSION, rows[i].type,
			      NULL, CW_BYTES_NONE, rows[i].pin),
		    rows[i].want);
		if (rows[i].data != NULL)
			assert_true(
			    cw_bytes_is(cw_buf_bytes(&w->out), rows[i].data));
	}
}

/* Where there is a holder's PIN, what is attached to keys is not for all. */
static void
extensions_want_the_holders_pin_where_there_is_one(void **state)
{
	struct cw_test_world *w = with_extensions(state);
	const uint8_t value[] = { 9 };

	assert_err(cw_test_issuer_enroll(&w->issuer, CW_KEY_P256, 0x9A), CW_OK);
	assert_sw(extension(w, CW_INS_READ_EXTENSION, "plain", NULL,
		      CW_BYTES_NONE, NULL),
	    0x6982);
	assert_sw(extension(w, CW_INS_WRITE_PROPERTY, "bag", "C",
		      CW_BYTES_ARRAY(value), CW_PLAY_PIN),
	    0x6982);
	assert_sw(cw_test_verify(&w->card.wire, CW_TEST_PIN), 0x9000);
	assert_sw(extension(w, CW_INS_READ_EXTENSION, "plain", NULL,
		      CW_BYTES_NONE, NULL),
	    0x9000);
	assert_sw(extension(w, CW_INS_WRITE_PROPERTY, "bag", "C",
		      CW_BYTES_ARRAY(value), CW_PLAY_PIN),
	    0x9000);
}

static void
properties_are_written_where_they_may_be(void **state)
{
	static const uint8_t value[256] = { 9 };
	static const struct {
		const char *type, *name, *pin;
		size_t len;
		unsigned want;
	} rows[] = {
		{ "bag", "C", CW_PLAY_PIN, 1, 0x9000 },
		{ "bag", "C", CW_PLAY_PIN, 0, 0x9000 },
		{ "bag", "C", CW_PLAY_PIN, 255, 0x9000 },
		{ "bag", "C", CW_PLAY_PIN, 256, 0x6A80 },
		{ "bag", "C", NULL, 1, 0x6982 },
		{ "bag", "C", "4712", 1, 0x63C2 },
		{ "bag", "F", CW_PLAY_PIN, 1, 0x6985 },
		{ "bag", "D", CW_PLAY_PIN, 1, 0x6A82 },
		{ "plain", "C", CW_PLAY_PIN, 1, 0x6985 },
		{ "like", "C", CW_PLAY_PIN, 1, 0x6985 },
		{ "other", "C", CW_PLAY_PIN, 1, 0x6A82 },
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_test_world *w = with_extensions(state);
		struct cw_properties p;

		assert_sw(extension(w, CW_INS_WRITE_PROPERTY, rows[i].type,
			      rows[i].name, cw_bytes(value, rows[i].len),
			      rows[i].pin),
		    rows[i].want);
		cw_test_card_power_cycle(&w->card);
		(void)cw_test_select_provisioning(&w->card.wire);
		assert_sw(extension(w, CW_INS_READ_EXTENSION, "bag", NULL,
			      CW_BYTES_NONE, NULL),
		    0x9000);
		assert_err(cw_properties_decode(cw_buf_bytes(&w->out), &p),
		    CW_OK);
		assert_int_equal(p.items[0].value.len,
		    rows[i].want == 0x9000 ? rows[i].len : 1);
		assert_int_equal(p.items[1].value.ptr[0], 8);
	}
}

static void
a_torn_write_of_a_property_leaves_the_old_or_the_new(void **state)
{
	static const uint8_t value[] = { 9 };

	for (unsigned write = 1; write <= 2; write++) {
		for (int tear = CW_TEST_TEAR_BEFORE; tear <= CW_TEST_TEAR_AFTER;
		     tear++) {
			struct cw_test_world *w = with_extensions(state);
			bool is_new = write == 2 && tear == CW_TEST_TEAR_AFTER;
			struct cw_properties p;

			w->card.storage.tear = (enum cw_test_tear)tear;
			w->card.storage.tear_at =
			    w->card.storage.stores + write;
			assert_sw(extension(w, CW_INS_WRITE_PROPERTY, "bag",
				      "C", CW_BYTES_ARRAY(value), CW_PLAY_PIN),
			    0);
			cw_test_card_power_cycle(&w->card);
			(void)cw_test_select_provisioning(&w->card.wire);
			assert_sw(extension(w, CW_INS_READ_EXTENSION, "bag",
				      NULL, CW_BYTES_NONE, NULL),
			    0x9000);
			assert_err(cw_properties_decode(cw_buf_bytes(&w->out),
				       &p),
			    CW_OK);
			assert_int_equal(p.items[0].value.ptr[0],
			    is_new ? 9 : 7);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		world_test(a_statement_is_about_key_subject_and_challenge),
		world_test(an_offline_statement_stands_for_no_session),
		world_test(an_offline_statement_needs_the_pin),
		world_test(a_secret_is_not_attested),
		world_test(extensions_are_read_as_their_kind_allows),
		world_test(extensions_want_the_holders_pin_where_there_is_one),
		world_test(properties_are_written_where_they_may_be),
		world_test(
		    a_torn_write_of_a_property_leaves_the_old_or_the_new),
	};

	return cmocka_run_group_tests(tests, cw_test_world_begin,
	    cw_test_world_end);
}
