/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads of the web process, few channels. RUN: threads TIMEOUT: 120 */
#include "tests/support/check.h"

#include <pthread.h>
#include <time.h>

#include "proto/base/secret.h"
#include "tests/support/keys_card.h"

#define THREADS 8
#define SESSIONS 12

static struct cw_keys_tree tree;
static struct cw_keys_card card;
static struct cw_private_key *authority;
static struct cw_public_key management;

/* cmocka's assertions belong to one thread: a worker counts instead. */
static enum cw_err
whole_session(void)
{
	struct cw_grant grant = cw_keys_grant((uint64_t)time(NULL));
	struct cw_request fields = cw_keys_request(&grant);
	struct cw_key_statement statement;
	struct cw_buf certificate;
	struct cw_keys_session x;
	enum cw_err err;

	cw_buf_init(&certificate, CW_CERT_MAX_BYTES);
	cw_keys_session_init(&x, &card, grant.mode);
	err = cw_grant_make(&grant, authority, &x.grant);
	if (err == CW_OK)
		err = cw_signer_sign_request(tree.signer,
		    cw_buf_bytes(&x.grant), &fields, &x.request, x.request_tag);
	if (err == CW_OK) {
		cw_keys_session_open(&x);
		err = cw_signer_check_token(tree.signer, &x.proof,
		    cw_buf_bytes(&x.token), &x.verdict);
	}
	if (err == CW_OK) {
		statement = cw_keys_session_key(&x, &management, 1);
		cw_keys_session_state(&x, &statement);
		err = cw_signer_certify(tree.signer, &x.proof, &x.verdict,
		    CW_BYTES_NONE, cw_buf_bytes(&x.statement), x.serial,
		    &certificate);
	}
	cw_buf_wipe(&certificate);
	cw_keys_session_wipe(&x);
	return err;
}

static void *
work(void *done)
{
	for (int i = 0; i < SESSIONS; i++)
		*(unsigned *)done += whole_session() == CW_OK;
	return NULL;
}

static void
every_thread_gets_its_own_answers(void **state)
{
	struct cw_signer_entry entries[CW_SIGNER_CHANNELS * SESSIONS];
	pthread_t threads[THREADS];
	unsigned done[THREADS] = { 0 };
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < THREADS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, work,
				     &done[i]),
		    0);
	for (size_t i = 0; i < THREADS; i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		assert_int_equal(done[i], SESSIONS);
	}
	assert_err(cw_signer_log_read(tree.signer, 0, entries, COUNT(entries),
		       &n),
	    CW_OK);
	assert_int_equal(n, THREADS * SESSIONS);
}

static int
setup(void **state)
{
	struct cw_signer_info info;
	struct cw_buf memory;

	(void)state;
	cw_keys_tree_make(&tree, 1);
	cw_keys_tree_start(&tree, 3);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_thread_gets_its_own_answers),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
