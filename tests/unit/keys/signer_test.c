/* SPDX-License-Identifier: Apache-2.0 */
/* The signer as the web process sees it: a child on socket pairs. */
#include "tests/support/check.h"

#include <stdio.h>
#include <time.h>

#include "keys/certmaker.h"
#include "proto/base/secret.h"
#include "tests/support/keys_card.h"

static struct cw_keys_tree tree;
static struct cw_keys_card card;
static struct cw_private_key *authority;
static struct cw_public_key management;

static uint64_t
now_s(void)
{
	return (uint64_t)time(NULL);
}

static int
setup(void **state)
{
	struct cw_signer_info info;
	struct cw_buf memory;

	(void)state;
	cw_keys_tree_make(&tree, 1);
	cw_keys_tree_start(&tree, 4);
	cw_keys_card_load(&card, &tree, 1);
	authority = cw_keys_tree_authority(&tree);
	cw_buf_init(&memory, CW_BODY_MAX);
	assert_err(cw_signer_info(tree.signer, &memory, &info), CW_OK);
	management = info.management_key;
	cw_buf_wipe(&memory);
	return 0;
}

static int
teardown(void **state)
{
	(void)state;
	cw_key_free(&authority);
	cw_keys_card_free(&card);
	cw_keys_tree_free(&tree);
	return 0;
}

/* A session up to and with its token. */
static void
open_session(struct cw_keys_session *x, const struct cw_grant *grant)
{
	struct cw_request fields = cw_keys_request(grant);

	cw_keys_session_init(x, &card, grant->mode);
	assert_err(cw_grant_make(grant, authority, &x->grant), CW_OK);
	assert_err(cw_signer_sign_request(tree.signer, cw_buf_bytes(&x->grant),
		       &fields, &x->request, x->request_tag),
	    CW_OK);
	cw_keys_session_open(x);
	assert_err(cw_signer_check_token(tree.signer, &x->proof,
		       cw_buf_bytes(&x->token), &x->verdict),
	    CW_OK);
}

static enum cw_err
certify(struct cw_keys_session *x, struct cw_buf *certificate)
{
	return cw_signer_certify(tree.signer, &x->proof, &x->verdict,
	    CW_BYTES_NONE, cw_buf_bytes(&x->statement), x->serial, certificate);
}

static void
a_key_of_a_genuine_card_is_certified(void **state)
{
	struct cw_grant grant = cw_keys_grant(now_s());
	struct cw_key_statement statement;
	struct cw_buf certificate;
	struct cw_public_key certified;
	struct cw_keys_session x;
	char subject[256];

	(void)state;
	cw_buf_init(&certificate, CW_CERT_MAX_BYTES);
	open_session(&x, &grant);
	statement = cw_keys_session_key(&x, &management, 7);
	cw_keys_session_state(&x, &statement);
	assert_err(certify(&x, &certificate), CW_OK);
	assert_err(cw_cert_public_key(cw_buf_bytes(&certificate), &certified),
	    CW_OK);
	assert_memory_equal(&certified, &statement.key, sizeof(certified));
	assert_err(cw_cert_subject(cw_buf_bytes(&certificate), subject,
		       sizeof(subject)),
	    CW_OK);
	assert_string_equal(subject, "CN=Jane Doe,O=Example,C=DE");
	cw_buf_wipe(&certificate);
	cw_keys_session_wipe(&x);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_key_of_a_genuine_card_is_certified),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
