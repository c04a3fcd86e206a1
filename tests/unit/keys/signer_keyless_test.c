/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Grants whose sessions touch what a card holds and may certify nothing, and a web
 * process that lies: it asks over the signer's channels, as a stolen one would.
 * TIMEOUT: 120
 */
#include "tests/support/check.h"

#include <stdlib.h>
#include <time.h>

#include "proto/base/log.h"
#include "proto/base/secret.h"
#include "tests/support/keys_card.h"

static struct cw_keys_tree tree;
static struct cw_keys_card card;
static struct cw_private_key *authority;

static int
setup(void **state)
{
	(void)state;
	cw_keys_tree_make(&tree, 1);
	cw_keys_tree_start(&tree, 4);
	cw_keys_card_load(&card, &tree, 1);
	authority = cw_keys_tree_authority(&tree);
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

/* Killed in the middle of its work, and started again on the same log. */
static void
restart(void)
{
	cw_keys_tree_kill(&tree);
	cw_keys_tree_start(&tree, 4);
}

/* A grant for `uses` unlocks of one key, and nothing else. */
static struct cw_grant
unlocks(unsigned uses)
{
	static const uint8_t commands[] = { 8, 10, 13 };
	struct cw_grant g = cw_keys_grant((uint64_t)time(NULL));

	g.action = CW_ACTION_UNLOCK;
	g.uses = uses;
	memset(&g.scope, 0, sizeof(g.scope));
	memcpy(g.scope.commands, commands, sizeof(commands));
	g.scope.n_commands = sizeof(commands);
	g.scope.n_objects = 1;
	g.scope.objects[0] = 5;
	return g;
}

static enum cw_err
ask(const struct cw_grant *grant, const struct cw_request *fields,
    struct cw_keys_session *x)
{
	cw_keys_session_init(x, &card, grant->mode);
	assert_err(cw_grant_make(grant, authority, &x->grant), CW_OK);
	return cw_signer_sign_request(tree.signer, cw_buf_bytes(&x->grant),
	    fields, &x->request, x->request_tag);
}

/* For a card nonce of its own, unless `nonce` is given. */
static enum cw_err
ask_once(const struct cw_grant *grant, const uint8_t *nonce)
{
	struct cw_request fields = cw_keys_request(grant);
	struct cw_keys_session x;
	enum cw_err err;

	if (nonce != NULL)
		memcpy(fields.card_nonce, nonce, sizeof(fields.card_nonce));
	err = ask(grant, &fields, &x);
	cw_keys_session_wipe(&x);
	return err;
}

static void
an_unlock_gets_requests_for_few_nonces_also_over_restarts(void **state)
{
	struct cw_grant grant = unlocks(2);
	struct cw_grant other = unlocks(1);
	struct cw_grant narrower;
	uint8_t first[CW_NONCE_BYTES];

	(void)state;
	cw_random(first, sizeof(first));
	assert_err(ask_once(&grant, first), CW_OK);
	for (unsigned i = 1; i < 2 * CW_SIGNER_TRIES; i++) {
		if (i % 5 == 0)
			restart();
		/* The same again, as after a crash, is no other. */
		assert_err(ask_once(&grant, first), CW_OK);
		assert_err(ask_once(&grant, NULL), CW_OK);
	}
	for (unsigned i = 0; i < 2; i++) {
		assert_err(ask_once(&grant, NULL), CW_ERR_INVITATION_USED);
		assert_err(ask_once(&grant, first), CW_OK);
		restart();
	}
	/* The same nonce, but of another invitation. */
	assert_err(ask_once(&other, first), CW_OK);
	/* A grant that could make a key too, asked for an unlock alone. */
	narrower = unlocks(1);
	narrower.scope.keys_max = 1;
	memcpy(narrower.scope.commands, (uint8_t[]){ 3, 4, 8, 10, 11, 13 }, 6);
	narrower.scope.n_commands = 6;
	for (unsigned i = 0; i <= CW_SIGNER_TRIES; i++) {
		struct cw_request fields = cw_keys_request(&narrower);
		struct cw_keys_session x;

		fields.scope = other.scope;
		assert_err(ask(&narrower, &fields, &x),
		    i < CW_SIGNER_TRIES ? CW_OK : CW_ERR_INVITATION_USED);
		cw_keys_session_wipe(&x);
	}
}

/* They can touch nothing, and each costs no write. */
static void
requests_of_an_enrolment_are_not_counted(void **state)
{
	struct cw_grant grant = cw_keys_grant((uint64_t)time(NULL));
	struct cw_buf memory;
	struct cw_signer_info *info = calloc(2, sizeof(*info));

	(void)state;
	cw_buf_init(&memory, 1u << 20);
	assert_err(cw_signer_info(tree.signer, &memory, &info[0]), CW_OK);
	for (unsigned i = 0; i <= 2 * CW_SIGNER_TRIES; i++)
		assert_err(ask_once(&grant, NULL), CW_OK);
	cw_buf_reset(&memory);
	assert_err(cw_signer_info(tree.signer, &memory, &info[1]), CW_OK);
	assert_int_equal(info[0].log_commits, info[1].log_commits);
	cw_buf_wipe(&memory);
	free(info);
}

/* ---- results ---- */

/* What a card says at CLOSE, by its own key or the batch's. */
static void
put_result(const uint8_t th[CW_HASH_BYTES], const struct cw_private_key *key,
    struct cw_buf *out)
{
	struct cw_result_statement *r = calloc(1, sizeof(*r));

	memcpy(r->th, th, CW_HASH_BYTES);
	r->has_counter = true;
	r->counter = 1;
	r->n_items = 1;
	r->items[0].object_id = 5;
	r->items[0].done = CW_DONE_UNLOCKED;
	cw_buf_reset(out);
	assert_err(cw_result_statement_make(r, key, out), CW_OK);
	free(r);
}

/* A session up to and with its token. */
static void
open_session(struct cw_keys_session *x, const struct cw_grant *grant)
{
	struct cw_request fields = cw_keys_request(grant);

	assert_err(ask(grant, &fields, x), CW_OK);
	cw_keys_session_open(x);
	assert_err(cw_signer_check_token(tree.signer, &x->proof,
		       cw_buf_bytes(&x->token), &x->verdict),
	    CW_OK);
	put_result(x->th, card.own, &x->statement);
}

static enum cw_err
done(const struct cw_keys_session *x, bool with_token)
{
	return cw_signer_done(tree.signer, &x->proof, &x->verdict,
	    with_token ? cw_buf_bytes(&x->token) : CW_BYTES_NONE,
	    cw_buf_bytes(&x->statement));
}

static void
a_used_grant_gets_no_second_session(void **state)
{
	struct cw_grant grant = unlocks(1);
	struct cw_keys_session x;
	struct cw_keys_session y;
	struct cw_request q;

	(void)state;
	open_session(&x, &grant);
	open_session(&y, &grant);
	assert_err(cw_request_decode(cw_buf_bytes(&x.request), &q), CW_OK);
	assert_err(done(&x, false), CW_OK);
	for (unsigned i = 0; i < 2; i++) {
		assert_err(ask_once(&grant, NULL), CW_ERR_INVITATION_USED);
		assert_err(ask_once(&grant, q.card_nonce),
		    CW_ERR_INVITATION_USED);
		/* The same result, sent again. */
		assert_err(done(&x, false), CW_OK);
		restart();
	}
	/* What was begun before may have been done: it is a use as well. */
	assert_err(done(&y, false), CW_OK);
	cw_keys_session_wipe(&x);
	cw_keys_session_wipe(&y);
}

static void
each_result_is_one_use(void **state)
{
	struct cw_grant grant = unlocks(2);
	struct cw_keys_session x;

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		open_session(&x, &grant);
		assert_err(done(&x, false), CW_OK);
		assert_err(done(&x, true), CW_OK);
		cw_keys_session_wipe(&x);
	}
	assert_err(ask_once(&grant, NULL), CW_ERR_INVITATION_USED);
}

static void
right(struct cw_keys_session *x)
{
	(void)x;
}

static void
another_signers_tag(struct cw_keys_session *x)
{
	x->verdict.tag[0] ^= 1;
}

static void
another_session(struct cw_keys_session *x)
{
	const uint8_t th[CW_HASH_BYTES] = { 1 };

	put_result(th, card.own, &x->statement);
}

static void
another_key(struct cw_keys_session *x)
{
	put_result(x->th, card.batch, &x->statement);
}

static void
a_flipped_bit(struct cw_keys_session *x)
{
	x->statement.ptr[x->statement.len - 1] ^= 1;
}

static void
a_key_of_its_own(struct cw_keys_session *x)
{
	struct cw_private_key *key;

	assert_err(cw_key_generate(CW_KEY_P256, &key), CW_OK);
	cw_key_public(key, &x->verdict.attestation.key);
	put_result(x->th, key, &x->statement);
	cw_key_free(&key);
}

static void
another_grant(struct cw_keys_session *x)
{
	struct cw_grant grant = unlocks(1);

	cw_buf_reset(&x->grant);
	assert_err(cw_grant_make(&grant, authority, &x->grant), CW_OK);
	x->proof.grant = cw_buf_bytes(&x->grant);
}

static void
a_changed_request(struct cw_keys_session *x)
{
	x->request.ptr[x->request.len - 1] ^= 1;
}

static const struct row {
	const char *name;
	void (*change)(struct cw_keys_session *x);
	bool with_token;
	enum cw_err want;
} rows[] = {
	{ "everything right", right, false, CW_OK },
	{ "another signer's tag", another_signers_tag, false,
	    CW_ERR_WRONG_STATEMENT },
	{ "and the token", another_signers_tag, true, CW_OK },
	{ "another session's result", another_session, false,
	    CW_ERR_WRONG_STATEMENT },
	{ "by another key of the card", another_key, false,
	    CW_ERR_BAD_SIGNATURE },
	{ "a flipped bit", a_flipped_bit, false, CW_ERR_BAD_SIGNATURE },
	{ "a key of the web process", a_key_of_its_own, false,
	    CW_ERR_WRONG_STATEMENT },
	{ "the same with the token", a_key_of_its_own, true,
	    CW_ERR_BAD_SIGNATURE },
	{ "another grant", another_grant, false, CW_ERR_BAD_GRANT },
	{ "a changed request", a_changed_request, true, CW_ERR_BAD_SIGNATURE },
};

static void
a_result_that_no_card_stated_in_that_session_counts_nothing(void **state)
{
	(void)state;
	cw_log_set_level(CW_LOG_ERROR);
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_grant grant = unlocks(1);
		struct cw_keys_session x;
		enum cw_err err;

		open_session(&x, &grant);
		rows[i].change(&x);
		err = done(&x, rows[i].with_token);
		if (err != rows[i].want)
			fail_msg("%s: %s", rows[i].name, cw_err_name(err));
		assert_err(ask_once(&grant, NULL),
		    rows[i].want == CW_OK ? CW_ERR_INVITATION_USED : CW_OK);
		cw_keys_session_wipe(&x);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    an_unlock_gets_requests_for_few_nonces_also_over_restarts),
		cmocka_unit_test(requests_of_an_enrolment_are_not_counted),
		cmocka_unit_test(a_used_grant_gets_no_second_session),
		cmocka_unit_test(each_result_is_one_use),
		cmocka_unit_test(
		    a_result_that_no_card_stated_in_that_session_counts_nothing),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
