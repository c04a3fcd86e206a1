/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the real issuer refuses, end to end: cards whose attestation is not what
 * it should be, invitations that are used or over, sessions that never end.
 * Nothing is certified, and what was refused uses nothing up.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

#include "tests/support/fault_vendor.h"
#include "tests/support/fault_world.h"

/* ---- attestation ---- */

static void
right(struct cw_fault_chain *c)
{
	(void)c;
}

#define CHANGE(name, change)                       \
	static void name(struct cw_fault_chain *c) \
	{                                          \
		change;                            \
	}

CHANGE(leaf_over, c->leaf_spec.to -= 101 * CW_TEST_DAY)
CHANGE(leaf_early, c->leaf_spec.from += 2 * CW_TEST_DAY)
CHANGE(ca_over, c->ca_spec.to -= 101 * CW_TEST_DAY)
CHANGE(leaf_is_ca, c->leaf_spec.basic_constraints = "critical,CA:TRUE")
CHANGE(leaf_agrees, c->leaf_spec.key_usage = "critical,keyAgreement")
CHANGE(leaf_for_tls, c->leaf_spec.eku = "clientAuth")
CHANGE(leaf_silent, c->leaf_spec.attestation = CW_BYTES_NONE)
CHANGE(leaf_critical, c->leaf_spec.unknown_critical = "1.2.3.4")
CHANGE(ca_is_none, c->ca_spec.basic_constraints = "critical,CA:FALSE")
CHANGE(ca_signs, c->ca_spec.key_usage = "critical,digitalSignature")
CHANGE(leaf_damaged, c->leaf_spec.damage = true)
CHANGE(ca_of_itself, c->ca_spec.issuer = NULL)
CHANGE(ca_borrows_name, c->ca_spec.issuer = NULL;
       c->ca_spec.issuer_name = "Development Vendor Root")

static void
leaf_of_other_model(struct cw_fault_chain *c)
{
	/* {0: 2, 1: "Model T"} */
	static const uint8_t attestation[] = { 0x04, 0x0c, 0xa2, 0x00, 0x02,
		0x01, 0x67, 'M', 'o', 'd', 'e', 'l', ' ', 'T' };

	c->leaf_spec.attestation = CW_BYTES_ARRAY(attestation);
}

static const struct {
	const char *what;
	void (*change)(struct cw_fault_chain *chain);
	enum cw_err err;
} chains[] = {
	{ "leaf expired", leaf_over, CW_ERR_EXPIRED_CERTIFICATE },
	{ "leaf not yet valid", leaf_early, CW_ERR_EXPIRED_CERTIFICATE },
	{ "CA expired", ca_over, CW_ERR_EXPIRED_CERTIFICATE },
	{ "leaf is a CA", leaf_is_ca, CW_ERR_BAD_CONSTRAINTS },
	{ "leaf for agreement", leaf_agrees, CW_ERR_BAD_CONSTRAINTS },
	{ "leaf for TLS", leaf_for_tls, CW_ERR_BAD_CONSTRAINTS },
	{ "leaf of no card", leaf_silent, CW_ERR_BAD_CONSTRAINTS },
	{ "unknown critical", leaf_critical, CW_ERR_BAD_CONSTRAINTS },
	{ "CA is none", ca_is_none, CW_ERR_BAD_CONSTRAINTS },
	{ "CA may not certify", ca_signs, CW_ERR_BAD_CONSTRAINTS },
	{ "leaf's signature", leaf_damaged, CW_ERR_BAD_SIGNATURE },
	{ "CA signed by itself", ca_of_itself, CW_ERR_UNTRUSTED_CHAIN },
	{ "CA with the root's name", ca_borrows_name, CW_ERR_UNTRUSTED_CHAIN },
	{ "another model", leaf_of_other_model, CW_ERR_WRONG_STATEMENT },
	{ "everything right", right, CW_OK },
};

/* Twice, and the invitation for one use is as good as before. */
static void
must_refuse(struct cw_fault_world *w, struct cw_bytes personalisation,
    const char *what, enum cw_err wanted)
{
	unsigned active = cw_daemon_count(&w->daemon).active;

	cw_fault_card_of(w, personalisation, 0);
	for (int i = 0; i < 2; i++) {
		enum cw_err err = cw_fault_enroll(w, NULL);

		if (err != wanted)
			fail_msg("%s: %s, not %s", what, cw_err_name(err),
			    cw_err_name(wanted));
	}
	assert_certificates(w, active, 0);
}

static void
cards_with_a_wrong_attestation_get_no_certificate(void **state)
{
	struct cw_fault_world *w = *state;

	for (size_t i = 0; i < COUNT(chains); i++) {
		struct cw_fault_chain chain;
		struct cw_buf personalisation;

		/* One invitation begins a dozen sessions, and not many more. */
		if (i % 8 == 0)
			cw_fault_invite(w, 1);
		cw_buf_init(&personalisation, 65536);
		cw_fault_chain_init(&chain, &w->daemon);
		chains[i].change(&chain);
		cw_fault_chain_make(&chain, &w->daemon, &personalisation);
		if (chains[i].err != CW_OK) {
			must_refuse(w, cw_buf_bytes(&personalisation),
			    chains[i].what, chains[i].err);
		} else {
			cw_fault_card_of(w, cw_buf_bytes(&personalisation), 0);
			assert_err(cw_fault_enroll(w, NULL), CW_OK);
		}
		cw_buf_wipe(&personalisation);
		cw_fault_chain_wipe(&chain);
	}
}

static void
a_card_of_another_vendor_gets_no_certificate(void **state)
{
	struct cw_fault_world *w = *state;
	struct cw_daemon other;

	assert_true(cw_daemon_make(&other, w->daemon.build, -1, ""));
	cw_fault_invite(w, 1);
	must_refuse(w, cw_buf_bytes(&other.personalisation), "another vendor",
	    CW_ERR_UNTRUSTED_CHAIN);
	cw_daemon_stop(&other);
	cw_fault_card(w);
	assert_err(cw_fault_enroll(w, NULL), CW_OK);
}

/* ---- versions and suites ---- */

/* {0: [versions], 1: [suites], …} as the card says it in message 2. */
static const uint8_t true_caps[] = { 0xa8, 0x00, 0x81, 0x01, 0x01, 0x82, 0x01,
	0x02 };

static const struct {
	const char *what;
	size_t at, n;
	const char *bytes;
	enum cw_err err;
} caps[] = {
	{ "version 0", 3, 1, "\x00", CW_ERR_BAD_VERSION },
	{ "version 2", 3, 1, "\x02", CW_ERR_BAD_VERSION },
	{ "suites of another time", 6, 2, "\x08\x09", CW_ERR_NO_COMMON_SUITE },
};

static enum cw_err
other_capabilities(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	struct cw_buf body;
	uint8_t *at;

	(void)w;
	for (size_t i = 0; i < COUNT(caps); i++) {
		enum cw_err err;

		cw_buf_init(&body, CW_BODY_MAX);
		cw_buf_put(&body, post->body);
		at = memmem(body.ptr, body.len, true_caps, sizeof(true_caps));
		assert_non_null(at);
		memcpy(at + caps[i].at, caps[i].bytes, caps[i].n);
		assert_err(cw_fault_send(post, cw_buf_bytes(&body)), CW_OK);
		err = cw_fault_number(post->response);
		if (err != caps[i].err)
			fail_msg("%s: %s", caps[i].what, cw_err_name(err));
		cw_buf_wipe(&body);
	}
	return cw_fault_send(post, post->body);
}

static void
a_card_of_another_version_or_suite_is_told_so(void **state)
{
	struct cw_fault_world *w = *state;

	cw_fault_invite(w, 1);
	cw_fault_card(w);
	w->happens = other_capabilities;
	w->at = CW_FAULT_REQUEST;
	w->is_done = false;
	assert_err(cw_fault_enroll(w, NULL), CW_OK);
	assert_true(w->is_done);
	w->happens = NULL;
}

/* ---- invitations ---- */

static void
an_invitation_for_one_use_serves_one_card(void **state)
{
	struct cw_fault_world *w = *state;
	unsigned active = cw_daemon_count(&w->daemon).active;

	cw_fault_invite(w, 1);
	cw_fault_card(w);
	assert_err(cw_fault_enroll(w, NULL), CW_OK);
	cw_fault_card(w);
	assert_err(cw_fault_enroll(w, NULL), CW_ERR_INVITATION_USED);
	assert_certificates(w, active + 1, 0);
}

/* By the store's own file, as if the time had passed. */
static void
in_store(struct cw_fault_world *w, const char *statement)
{
	char path[128];
	sqlite3 *db;

	snprintf(path, sizeof(path), "%s/state/store.db", w->daemon.dir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	sqlite3_busy_timeout(db, 5000);
	assert_int_equal(sqlite3_exec(db, statement, NULL, NULL, NULL),
	    SQLITE_OK);
	assert_int_not_equal(sqlite3_changes(db), 0);
	sqlite3_close(db);
}

static void
an_expired_invitation_serves_nobody(void **state)
{
	struct cw_fault_world *w = *state;

	cw_fault_invite(w, 1);
	in_store(w,
	    "UPDATE invitation SET expires_s=1 WHERE created_s="
	    "(SELECT max(created_s) FROM invitation)");
	must_refuse(w, cw_buf_bytes(&w->daemon.personalisation), "expired",
	    CW_ERR_INVITATION_EXPIRED);
}

/* ---- sessions without an end ---- */

/* The certificate is on its way when the agent ends. */
static enum cw_err
nothing_more(struct cw_fault_world *w, const struct cw_fault_post *post)
{
	(void)w;
	assert_err(cw_fault_send(post, post->body), CW_OK);
	assert_int_equal(post->response->status, 200);
	return CW_ERR_INTERNAL;
}

static void
a_certificate_without_a_result_is_taken_back(void **state)
{
	const struct timespec pause = { .tv_nsec = 50000000 };
	struct cw_fault_world *w = *state;
	const struct cw_daemon_count before = cw_daemon_count(&w->daemon);
	unsigned active = before.active;
	unsigned revoked = before.revoked;
	bool resumed;

	cw_fault_invite(w, 1);
	cw_fault_card(w);
	w->happens = nothing_more;
	w->at = CW_FAULT_KEYS;
	w->is_done = false;
	assert_err(cw_fault_enroll(w, &resumed), CW_ERR_INTERNAL);
	w->happens = NULL;
	assert_certificates(w, active, 1);
	in_store(w, "UPDATE session SET expires_s=1 WHERE stage=3");
	for (int i = 0;
	     i < 200 && cw_daemon_count(&w->daemon).revoked == revoked; i++)
		nanosleep(&pause, NULL);
	assert_int_equal(cw_daemon_count(&w->daemon).revoked, revoked + 1);
	assert_certificates(w, active, 0);
	/* Its session is dead on both ends, and its use is free again. */
	assert_err(cw_fault_enroll(w, &resumed), CW_OK);
	assert_false(resumed);
	assert_certificates(w, active + 1, 0);
}

/* ---- all ---- */

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    cards_with_a_wrong_attestation_get_no_certificate),
		cmocka_unit_test(a_card_of_another_vendor_gets_no_certificate),
		cmocka_unit_test(a_card_of_another_version_or_suite_is_told_so),
		cmocka_unit_test(an_invitation_for_one_use_serves_one_card),
		cmocka_unit_test(an_expired_invitation_serves_nobody),
		cmocka_unit_test(a_certificate_without_a_result_is_taken_back),
	};

	return cmocka_run_group_tests(tests, cw_fault_setup, cw_fault_teardown);
}
