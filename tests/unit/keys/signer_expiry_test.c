/* SPDX-License-Identifier: Apache-2.0 */
/* The signer's own certificates: what they must be for, and when they end. */
#include "tests/support/check.h"

#include <stdio.h>

#include "keys/certmaker.h"
#include "keys/keyfile.h"
#include "keys/party.h"
#include "proto/approval.h"
#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/support/keys_desk.h"

#define DAY_S 86400u

static struct cw_keys_desk *const desk = &cw_keys_desk;

/* ---- when ---- */

enum { SIGN, TOKEN, CERTIFY, OPERATIONS };

/* What each operation says while one of the windows is over. */
static void
assert_operations(struct cw_own_window *window,
    const enum cw_err want[OPERATIONS])
{
	const struct cw_own_window was = *window;
	const struct cw_own_window outside[] = {
		{ was.from_s, desk->now_s - 1 },
		{ desk->now_s + 1, was.to_s },
	};

	for (size_t i = 0; i < COUNT(outside); i++) {
		struct cw_grant grant = cw_keys_grant(desk->now_s);
		struct cw_request fields = cw_keys_request(&grant);
		struct cw_keys_session x, y;

		cw_keys_desk_stated(desk, &x, &grant, 1);
		cw_keys_desk_signed(desk, &y, &grant, 0);
		*window = outside[i];
		assert_err(cw_keys_desk_sign(desk, &y, &fields), want[SIGN]);
		assert_err(cw_keys_desk_token(desk, &x), want[TOKEN]);
		assert_err(cw_keys_desk_certify(desk, &x, false),
		    want[CERTIFY]);
		*window = was;
		cw_keys_session_wipe(&x);
		cw_keys_session_wipe(&y);
	}
}

static void
an_expired_authority_grants_nothing(void **state)
{
	static const enum cw_err want[OPERATIONS] = { CW_ERR_AUTHORITY_EXPIRED,
		CW_ERR_AUTHORITY_EXPIRED, CW_ERR_AUTHORITY_EXPIRED };

	(void)state;
	assert_operations(&desk->state.authority_window, want);
}

static void
an_expired_management_key_signs_no_session(void **state)
{
	static const enum cw_err want[OPERATIONS] = { CW_ERR_ISSUER_EXPIRED,
		CW_OK, CW_OK };

	(void)state;
	assert_operations(&desk->state.management_window, want);
}

static void
an_expired_ca_certifies_nothing_and_says_so_before_keys_are_made(void **state)
{
	static const enum cw_err want[OPERATIONS] = { CW_ERR_ISSUER_EXPIRED,
		CW_OK, CW_ERR_ISSUER_EXPIRED };

	(void)state;
	assert_operations(&desk->state.ca_window, want);
}

/* ---- operators ---- */

/* Operator 1 approves the session's key; when that operator's certificate is
 * valid. */
static struct cw_own_window *
approve(const struct cw_keys_session *x, struct cw_buf *approval)
{
	struct cw_approval a = { .is_approved = true, .time_s = desk->now_s };
	struct cw_private_key *key = NULL;
	struct cw_public_key public_key;

	cw_hash(cw_buf_bytes(&x->statement), a.statement_hash);
	assert_err(cw_keyfile_load(cw_keys_tree_path(&desk->tree,
				       "operator-1.key"),
		       NULL, &key),
	    CW_OK);
	cw_key_public(key, &public_key);
	cw_buf_init(approval, CW_APPROVAL_MAX);
	assert_err(cw_approval_make(&a, key, approval), CW_OK);
	cw_key_free(&key);
	for (size_t i = 0; i < desk->state.n_operators; i++)
		if (memcmp(&desk->state.operators[i], &public_key,
			sizeof(public_key)) == 0)
			return &desk->state.operator_windows[i];
	fail_msg("no operator");
	return &desk->state.operator_windows[0];
}

static void
an_expired_operators_approval_does_not_count(void **state)
{
	struct cw_grant grant = cw_keys_grant(desk->now_s);
	struct cw_own_window *window;
	struct cw_keys_session x;
	struct cw_own_window was;
	struct cw_buf approval;
	struct cw_bytes bytes;

	(void)state;
	grant.approvals = 1;
	cw_keys_desk_stated(desk, &x, &grant, 1);
	window = approve(&x, &approval);
	was = *window;
	bytes = cw_buf_bytes(&approval);
	x.proof.approvals = &bytes;
	x.proof.n_approvals = 1;
	window->to_s = desk->now_s - 1;
	assert_err(cw_keys_desk_certify(desk, &x, false),
	    CW_ERR_APPROVAL_PENDING);
	*window = (struct cw_own_window){ desk->now_s + 1, was.to_s };
	assert_err(cw_keys_desk_certify(desk, &x, false),
	    CW_ERR_APPROVAL_PENDING);
	*window = was;
	assert_err(cw_keys_desk_certify(desk, &x, false), CW_OK);
	cw_buf_wipe(&approval);
	cw_keys_session_wipe(&x);
}

/* Of the development tree: ten years, and twenty for the CA. */
static void
the_ends_are_those_of_the_certificates(void **state)
{
	const struct cw_signer_state *s = &desk->state;

	(void)state;
	assert_in_range(s->authority_window.to_s, desk->now_s + 3649 * DAY_S,
	    desk->now_s + 3650 * DAY_S);
	assert_in_range(s->management_window.to_s, desk->now_s + 3649 * DAY_S,
	    desk->now_s + 3650 * DAY_S);
	assert_in_range(s->ca_window.to_s, desk->now_s + 7299 * DAY_S,
	    desk->now_s + 7300 * DAY_S);
	assert_in_range(s->ca_window.from_s, desk->now_s - 600, desk->now_s);
}

/* ---- what for ---- */

/* The paths of the configuration that a row replaces. */
struct row {
	const char *name;
	size_t key, chain; /* offsets in struct cw_config; 0: none */
	bool is_ca;
	const char *usage, *eku;
	enum cw_err want;
};

#define PATH(field) offsetof(struct cw_config, field)
#define CA PATH(ca_key), PATH(ca_chain)
#define MANAGEMENT PATH(management_key), PATH(management_chain)
#define AUTHORITY 0, PATH(authority)
#define SIGNS "critical,digitalSignature"

static const struct row rows[] = {
	{ "a CA", CA, true, "critical,keyCertSign,cRLSign", NULL, CW_OK },
	{ "a CA that may not certify", CA, true, "critical,cRLSign", NULL,
	    CW_ERR_BAD_CONSTRAINTS },
	{ "a CA that is none", CA, false, "critical,keyCertSign", NULL,
	    CW_ERR_BAD_CONSTRAINTS },
	{ "a management key", MANAGEMENT, false, SIGNS, CW_OID_EKU_MANAGEMENT,
	    CW_OK },
	{ "a management key that is the authority's", MANAGEMENT, false, SIGNS,
	    CW_OID_EKU_AUTHORITY, CW_ERR_BAD_CONSTRAINTS },
	{ "a management key for anything", MANAGEMENT, false, SIGNS, NULL,
	    CW_ERR_BAD_CONSTRAINTS },
	{ "a management key that may not sign", MANAGEMENT, false,
	    "critical,keyAgreement", CW_OID_EKU_MANAGEMENT,
	    CW_ERR_BAD_CONSTRAINTS },
	{ "a management key that is a CA", MANAGEMENT, true,
	    "critical,keyCertSign,digitalSignature", CW_OID_EKU_MANAGEMENT,
	    CW_ERR_BAD_CONSTRAINTS },
	{ "an authority", AUTHORITY, false, SIGNS, CW_OID_EKU_AUTHORITY,
	    CW_OK },
	{ "an authority that is a management key", AUTHORITY, false, SIGNS,
	    CW_OID_EKU_MANAGEMENT, CW_ERR_BAD_CONSTRAINTS },
	{ "an authority for TLS", AUTHORITY, false, SIGNS, "clientAuth",
	    CW_ERR_BAD_CONSTRAINTS },
};

/* A key and its certificate by the issuer's root, into the tree's folder. */
static void
make(const struct row *row, unsigned number, char prefix[CW_PATH_MAX])
{
	const struct cw_cert_spec spec = { .subject = "CN=Own,O=Test",
		.days = 10,
		.path_length = row->is_ca ? 0 : CW_CERT_LEAF,
		.key_usage = row->usage,
		.extended_key_usage = row->eku };
	struct cw_party root, party;
	char key[CW_PATH_MAX];

	snprintf(key, sizeof(key), "%s",
	    cw_keys_tree_path(&desk->tree, "issuer-root.key"));
	assert_err(cw_party_load(&root, key,
		       cw_keys_tree_path(&desk->tree, "issuer-root.pem"), NULL),
	    CW_OK);
	assert_err(cw_party_make(&party, CW_KEY_P256, spec, &root, desk->now_s),
	    CW_OK);
	snprintf(key, sizeof(key), "own-%u", number);
	snprintf(prefix, CW_PATH_MAX, "%s",
	    cw_keys_tree_path(&desk->tree, key));
	assert_err(cw_party_store(&party, prefix, CW_BYTES_NONE), CW_OK);
	cw_party_wipe(&party);
	cw_party_wipe(&root);
}

static void
set_path(size_t offset, const char *prefix, const char *ending)
{
	if (offset != 0)
		assert_true(
		    snprintf((char *)&desk->tree.config + offset, CW_PATH_MAX,
			"%s%s", prefix, ending) < CW_PATH_MAX);
}

static void
a_certificate_is_only_used_for_what_it_is_for(void **state)
{
	const struct cw_config was = desk->tree.config;

	(void)state;
	for (unsigned i = 0; i < COUNT(rows); i++) {
		char prefix[CW_PATH_MAX];

		make(&rows[i], i, prefix);
		set_path(rows[i].key, prefix, ".key");
		set_path(rows[i].chain, prefix, ".pem");
		assert_row(rows[i].name,
		    cw_keys_desk_restart(desk) == rows[i].want);
		desk->tree.config = was;
	}
	assert_err(cw_keys_desk_restart(desk), CW_OK);
}

/* The chain of a certificate and one that did not sign it. */
static void
a_chain_in_disorder_is_refused(void **state)
{
	struct cw_own_window window;
	struct cw_bytes chain[2] = { desk->state.ca_chain.items[0],
		desk->state.ca_chain.items[0] };

	(void)state;
	assert_err(cw_own_cert_check(chain, 1, NULL, &window), CW_OK);
	assert_err(cw_own_cert_check(chain, 2, NULL, &window),
	    CW_ERR_UNTRUSTED_CHAIN);
	assert_err(cw_own_cert_check(chain, 0, NULL, &window),
	    CW_ERR_BAD_CERTIFICATE);
	chain[1] = desk->state.authority_chain.items[0];
	assert_err(cw_own_cert_check(chain, 2, NULL, &window),
	    CW_ERR_BAD_CONSTRAINTS);
	chain[0].len--;
	assert_err(cw_own_cert_check(chain, 1, NULL, &window),
	    CW_ERR_BAD_CERTIFICATE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_expired_authority_grants_nothing),
		cmocka_unit_test(an_expired_management_key_signs_no_session),
		cmocka_unit_test(an_expired_operators_approval_does_not_count),
		cmocka_unit_test(
		    an_expired_ca_certifies_nothing_and_says_so_before_keys_are_made),
		cmocka_unit_test(the_ends_are_those_of_the_certificates),
		cmocka_unit_test(a_certificate_is_only_used_for_what_it_is_for),
		cmocka_unit_test(a_chain_in_disorder_is_refused),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, cw_keys_desk_begin,
	    cw_keys_desk_end);
}
