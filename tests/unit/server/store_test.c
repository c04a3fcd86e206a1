/* SPDX-License-Identifier: Apache-2.0 */
/* The store, through its interface: what every backend owes. */
#include "proto/base/secret.h"
#include "tests/support/store_world.h"

static void
assert_status(struct cw_store_world *w, uint8_t id,
    enum cw_certificate_status status, unsigned wanted)
{
	uint8_t serial[CW_SERIAL_BYTES];
	struct cw_certificate c;

	memset(serial, id, sizeof(serial));
	assert_err(w->store->certificate_load(w->store, serial, &c, NULL),
	    CW_OK);
	assert_int_equal(c.status, status);
	assert_int_equal(c.wanted, wanted);
}

/* ---- invitations ---- */

static void
an_invitation_is_found_by_its_hash_until_withdrawn(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_invitation in;
	struct cw_invitation out;

	cw_invitation_init(&in);
	cw_invitation_init(&out);
	memset(in.code_hash, 0x33, sizeof(in.code_hash));
	cw_buf_put_str(&in.grant, "grant");
	cw_buf_put_str(&in.intent, "intent");
	in.created_s = 5;
	in.expires_s = 7;
	in.uses = 2;
	assert_err(w->store->invitation_load(w->store, in.code_hash, &out),
	    CW_ERR_BAD_INVITATION);
	assert_err(w->store->invitation_add(w->store, &in), CW_OK);
	assert_err(w->store->invitation_add(w->store, &in), CW_ERR_EXISTS);
	for (unsigned i = 0; i < 3; i++) {
		assert_err(w->store->invitation_load(w->store, in.code_hash,
			       &out),
		    CW_OK);
		assert_true(cw_bytes_is(cw_buf_bytes(&out.grant), "grant"));
		assert_true(cw_bytes_is(cw_buf_bytes(&out.intent), "intent"));
		assert_int_equal(out.expires_s, 7);
		assert_int_equal(out.uses, 2);
		assert_false(out.withdrawn);
		if (i == 1)
			cw_store_world_reopen(w);
	}
	/* The same first bytes, another hash. */
	in.code_hash[31] ^= 1;
	assert_err(w->store->invitation_load(w->store, in.code_hash, &out),
	    CW_ERR_BAD_INVITATION);
	assert_err(w->store->invitation_withdraw(w->store, in.code_hash),
	    CW_ERR_BAD_INVITATION);
	in.code_hash[31] ^= 1;
	assert_err(w->store->invitation_withdraw(w->store, in.code_hash),
	    CW_OK);
	assert_err(w->store->invitation_load(w->store, in.code_hash, &out),
	    CW_OK);
	assert_true(out.withdrawn);
	cw_invitation_wipe(&in);
	cw_invitation_wipe(&out);
}

static void
uses_are_certificates_that_are_out(void **state)
{
	struct cw_store_world *w = *state;
	static const enum cw_certificate_status all[] = { CW_CERT_PENDING,
		CW_CERT_ACTIVE, CW_CERT_SUSPENDED, CW_CERT_REVOKED };
	uint8_t hash[CW_HASH_BYTES];
	unsigned used;
	unsigned confirmed;

	memset(hash, 0x33, sizeof(hash));
	for (uint8_t i = 0; i < COUNT(all); i++) {
		struct cw_session s;
		struct cw_certificate c;

		cw_store_world_add(w, &s, (uint8_t)(i + 1));
		c = cw_store_world_certificate(&s, all[i]);
		assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 1,
			       &c),
		    CW_OK);
		cw_session_wipe(&s);
	}
	assert_err(w->store->invitation_used(w->store, hash, &used, &confirmed),
	    CW_OK);
	assert_int_equal(used, 3);
	assert_int_equal(confirmed, 1);
}

static void
the_certificate_of_an_invitation_is_the_newest_confirmed_one(void **state)
{
	struct cw_store_world *w = *state;
	static const enum cw_certificate_status all[] = { CW_CERT_PENDING,
		CW_CERT_ACTIVE, CW_CERT_ACTIVE, CW_CERT_SUSPENDED,
		CW_CERT_REVOKED };
	uint8_t hash[CW_HASH_BYTES];
	struct cw_certificate found;
	struct cw_certificate c;
	struct cw_buf der;

	memset(hash, 0x33, sizeof(hash));
	cw_buf_init(&der, 100);
	for (uint8_t i = 0; i < COUNT(all); i++) {
		struct cw_session s;

		assert_err(w->store->certificate_confirmed(w->store, hash,
			       &found, &der),
		    i < 2 ? CW_ERR_UNKNOWN_SERIAL : CW_OK);
		cw_store_world_add(w, &s, (uint8_t)(i + 1));
		c = cw_store_world_certificate(&s, all[i]);
		assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 1,
			       &c),
		    CW_OK);
		cw_session_wipe(&s);
	}
	cw_buf_reset(&der);
	assert_err(w->store->certificate_confirmed(w->store, hash, &found,
		       &der),
	    CW_OK);
	assert_int_equal(found.status, CW_CERT_ACTIVE);
	assert_int_equal(found.serial[0], 3);
	assert_true(cw_bytes_equal(cw_buf_bytes(&der), c.der));
	hash[0] ^= 1;
	assert_err(w->store->certificate_confirmed(w->store, hash, &found,
		       NULL),
	    CW_ERR_UNKNOWN_SERIAL);
	cw_buf_wipe(&der);
}

/* ---- sessions ---- */

static void
a_new_session_is_seen_at_once_and_after_an_orderly_end(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session s;
	struct cw_session out;

	cw_session_init(&out);
	cw_store_world_add(w, &s, 1);
	for (unsigned i = 0; i < 2; i++) {
		assert_err(w->store->session_load(w->store, s.id, &out), CW_OK);
		assert_true(cw_bytes_is(cw_buf_bytes(&out.request), "R"));
		assert_true(cw_bytes_is(cw_buf_bytes(&out.grant), "grant"));
		assert_true(cw_bytes_is(cw_buf_bytes(&out.sealed), "sealed"));
		assert_int_equal(out.stage, CW_STAGE_OPENED);
		assert_int_equal(out.n_digests, 0);
		cw_store_world_reopen(w);
	}
	assert_err(w->store->session_add(w->store, &s), CW_OK);
	assert_err(w->store->session_add(w->store, &s), CW_ERR_EXISTS);
	s.id[15] ^= 1;
	assert_err(w->store->session_load(w->store, s.id, &out),
	    CW_ERR_NO_SESSION);
	cw_session_wipe(&s);
	cw_session_wipe(&out);
}

static void
a_step_is_stored_once_and_the_second_changes_nothing(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session s;
	struct cw_session late;
	struct cw_session out;
	struct cw_buf answer;
	struct cw_buf kept;

	cw_session_init(&out);
	cw_session_init(&late);
	cw_buf_init(&answer, 100);
	cw_buf_init(&kept, 100);
	cw_store_world_add(w, &s, 1);
	assert_err(cw_session_copy(&late, &s), CW_OK);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 7, NULL),
	    CW_OK);
	assert_err(cw_store_world_step(w, &late, CW_STAGE_FAILED, 8, NULL),
	    CW_ERR_EXISTS);
	for (unsigned i = 0; i < 2; i++) {
		assert_err(w->store->session_load(w->store, s.id, &out), CW_OK);
		assert_int_equal(out.stage, CW_STAGE_CREATING);
		assert_int_equal(out.n_digests, 1);
		assert_int_equal(out.digests[0][5], 7);
		assert_int_equal(out.batch.len, 1);
		assert_int_equal(out.batch.ptr[0], 7);
		assert_err(w->store->step_load(w->store, s.id, 1, NULL, &answer,
			       &kept),
		    CW_OK);
		assert_int_equal(answer.ptr[0], 7);
		assert_true(cw_bytes_is(cw_buf_bytes(&kept), "kept"));
		assert_err(w->store->step_load(w->store, s.id, 2, NULL, NULL,
			       NULL),
		    CW_ERR_NO_SESSION);
		cw_store_world_reopen(w);
	}
	cw_buf_wipe(&answer);
	cw_buf_wipe(&kept);
	cw_session_wipe(&s);
	cw_session_wipe(&late);
	cw_session_wipe(&out);
}

static void
a_step_never_brings_back_what_was_suspended_or_wanted(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session s;
	struct cw_certificate c;

	cw_store_world_add(w, &s, 1);
	c = cw_store_world_certificate(&s, CW_CERT_PENDING);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 1, &c),
	    CW_OK);
	assert_status(w, 1, CW_CERT_PENDING, CW_REASON_NONE);
	assert_err(w->store->certificate_set(w->store, c.serial,
		       CW_CERT_SUSPENDED, 1, 1200),
	    CW_OK);
	c = cw_store_world_certificate(&s, CW_CERT_ACTIVE);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_DONE, 2, &c), CW_OK);
	assert_status(w, 1, CW_CERT_SUSPENDED, 1);
	cw_session_wipe(&s);
}

static void
sessions_that_run_out_lose_their_secrets_and_certificates(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_certificate due[8];
	struct cw_certificate c;
	struct cw_session s[4];
	struct cw_session out;
	uint64_t open;
	unsigned expired;
	size_t n;

	cw_session_init(&out);
	for (uint8_t i = 0; i < 4; i++)
		cw_store_world_add(w, &s[i], (uint8_t)(i + 1));
	assert_err(cw_store_world_step(w, &s[1], CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	assert_err(cw_store_world_step(w, &s[2], CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	c = cw_store_world_certificate(&s[2], CW_CERT_PENDING);
	assert_err(cw_store_world_step(w, &s[2], CW_STAGE_INSTALLING, 2, &c),
	    CW_OK);
	assert_err(cw_store_world_step(w, &s[3], CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	c = cw_store_world_certificate(&s[3], CW_CERT_ACTIVE);
	assert_err(cw_store_world_step(w, &s[3], CW_STAGE_DONE, 2, &c), CW_OK);
	assert_err(w->store->session_count_open(w->store, &open), CW_OK);
	assert_int_equal(open, 3);
	assert_err(w->store->session_expire(w->store, 1999, 1999, &expired),
	    CW_OK);
	assert_int_equal(expired, 0);
	assert_err(w->store->session_expire(w->store, 2000, 2000, &expired),
	    CW_OK);
	assert_int_equal(expired, 3);
	assert_err(w->store->session_count_open(w->store, &open), CW_OK);
	assert_int_equal(open, 0);
	for (size_t i = 0; i < 3; i++) {
		assert_err(w->store->session_load(w->store, s[i].id, &out),
		    CW_OK);
		assert_int_equal(out.stage, CW_STAGE_EXPIRED);
		assert_int_equal(out.sealed.len, 0);
	}
	assert_status(w, 2, CW_CERT_RESERVED, CW_REASON_CESSATION);
	assert_status(w, 3, CW_CERT_SUSPENDED, CW_REASON_CESSATION);
	assert_status(w, 4, CW_CERT_ACTIVE, CW_REASON_NONE);
	assert_err(w->store->certificate_due(w->store, 0, due, 8, &n), CW_OK);
	assert_int_equal(n, 2);
	assert_err(w->store->certificate_due(w->store, 0, due, 1, &n), CW_OK);
	assert_int_equal(n, 1);
	for (size_t i = 0; i < 4; i++)
		cw_session_wipe(&s[i]);
	cw_session_wipe(&out);
}

static void
a_reserved_serial_is_known_while_its_session_is_open(void **state)
{
	struct cw_store_world *w = *state;
	uint8_t serial[CW_SERIAL_BYTES];
	struct cw_session s;
	unsigned expired;
	bool found;

	memset(serial, 1, sizeof(serial));
	cw_store_world_add(w, &s, 1);
	assert_err(w->store->session_reserved(w->store, serial, &found), CW_OK);
	assert_false(found);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	assert_err(w->store->session_reserved(w->store, serial, &found), CW_OK);
	assert_true(found);
	assert_err(w->store->session_expire(w->store, 3000, 3000, &expired),
	    CW_OK);
	assert_err(w->store->session_reserved(w->store, serial, &found), CW_OK);
	assert_false(found);
	assert_err(w->store->certificate_drop(w->store, serial), CW_OK);
	assert_err(w->store->certificate_load(w->store, serial,
		       &(struct cw_certificate){ 0 }, NULL),
	    CW_ERR_UNKNOWN_SERIAL);
	cw_session_wipe(&s);
}

static void
only_sessions_without_a_certificate_are_forgotten(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session a;
	struct cw_session b;
	struct cw_certificate c;
	unsigned expired;

	cw_store_world_add(w, &a, 1);
	cw_store_world_add(w, &b, 2);
	assert_err(cw_store_world_step(w, &b, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	c = cw_store_world_certificate(&b, CW_CERT_PENDING);
	assert_err(cw_store_world_step(w, &b, CW_STAGE_INSTALLING, 2, &c),
	    CW_OK);
	assert_err(w->store->session_expire(w->store, 3000, 3000, &expired),
	    CW_OK);
	assert_err(w->store->session_forget(w->store, 2000), CW_OK);
	assert_err(w->store->session_load(w->store, a.id, &a), CW_OK);
	assert_err(w->store->session_forget(w->store, 2001), CW_OK);
	assert_err(w->store->session_load(w->store, a.id, &a),
	    CW_ERR_NO_SESSION);
	assert_err(w->store->session_load(w->store, b.id, &b), CW_OK);
	assert_err(w->store->step_load(w->store, b.id, 1, NULL, NULL, NULL),
	    CW_OK);
	cw_session_wipe(&a);
	cw_session_wipe(&b);
}

/* ---- certificates, policies, numbers ---- */

static void
an_unknown_serial_is_said_to_be_unknown(void **state)
{
	struct cw_store_world *w = *state;
	uint8_t serial[CW_SERIAL_BYTES] = { 9 };
	struct cw_certificate c;

	assert_err(w->store->certificate_load(w->store, serial, &c, NULL),
	    CW_ERR_UNKNOWN_SERIAL);
	assert_err(w->store->certificate_set(w->store, serial, CW_CERT_REVOKED,
		       1, 1),
	    CW_ERR_UNKNOWN_SERIAL);
}

static void
policies_and_numbers_are_kept(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_buf content;
	uint64_t number;

	cw_buf_init(&content, 100);
	assert_err(w->store->policy_put(w->store, "v1", cw_bytes_str("one")),
	    CW_OK);
	assert_err(w->store->policy_put(w->store, "v1", cw_bytes_str("two")),
	    CW_OK);
	assert_err(w->store->policy_load(w->store, "v1", &content), CW_OK);
	assert_true(cw_bytes_is(cw_buf_bytes(&content), "one"));
	assert_err(w->store->policy_load(w->store, "v2", &content),
	    CW_ERR_NOT_FOUND);
	assert_err(w->store->number_get(w->store, "n", &number), CW_OK);
	assert_int_equal(number, 0);
	assert_err(w->store->number_set(w->store, "n", 77), CW_OK);
	assert_err(w->store->number_set(w->store, "n", 78), CW_OK);
	cw_store_world_reopen(w);
	assert_err(w->store->number_get(w->store, "n", &number), CW_OK);
	assert_int_equal(number, 78);
	cw_buf_wipe(&content);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_store_test(
		    an_invitation_is_found_by_its_hash_until_withdrawn),
		cw_store_test(uses_are_certificates_that_are_out),
		cw_store_test(
		    the_certificate_of_an_invitation_is_the_newest_confirmed_one),
		cw_store_test(
		    a_new_session_is_seen_at_once_and_after_an_orderly_end),
		cw_store_test(
		    a_step_is_stored_once_and_the_second_changes_nothing),
		cw_store_test(
		    a_step_never_brings_back_what_was_suspended_or_wanted),
		cw_store_test(
		    sessions_that_run_out_lose_their_secrets_and_certificates),
		cw_store_test(
		    a_reserved_serial_is_known_while_its_session_is_open),
		cw_store_test(
		    only_sessions_without_a_certificate_are_forgotten),
		cw_store_test(an_unknown_serial_is_said_to_be_unknown),
		cw_store_test(policies_and_numbers_are_kept),
	};

	return cw_secret_process_init() ?
	    cmocka_run_group_tests(tests, NULL, NULL) :
	    1;
}
