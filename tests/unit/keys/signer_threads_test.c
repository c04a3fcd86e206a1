/* SPDX-License-Identifier: Apache-2.0 */
/* Many threads of the web process, few channels. RUN: threads TIMEOUT: 120 */
#include "tests/support/check.h"

#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <time.h>

#include "proto/base/secret.h"
#include "tests/support/keys_card.h"

#define THREADS 8
#define SESSIONS 12

static struct cw_keys_tree tree;
static struct cw_keys_card card;
static struct cw_private_key *authority;
static struct cw_public_key management;

/* signer_threads_test.wrap: where the signer lets others ask, it waits for the
 * test, once. In memory that both processes have. */
static struct stop {
	sem_t reached, go;
	_Atomic bool is_set;
} * stop;

int __real_sched_yield(void);
int __wrap_sched_yield(void);

int
__wrap_sched_yield(void)
{
	if (stop->is_set) {
		stop->is_set = false;
		sem_post(&stop->reached);
		sem_wait(&stop->go);
	}
	return __real_sched_yield();
}

/* cmocka's assertions belong to one thread: a worker counts instead. */
static enum cw_err
begin_session(struct cw_keys_session *x)
{
	struct cw_grant grant = cw_keys_grant((uint64_t)time(NULL));
	struct cw_request fields = cw_keys_request(&grant);
	struct cw_key_statement statement;
	enum cw_err err;

	cw_keys_session_init(x, &card, grant.mode);
	err = cw_grant_make(&grant, authority, &x->grant);
	if (err == CW_OK)
		err =
		    cw_signer_sign_request(tree.signer, cw_buf_bytes(&x->grant),
			&fields, &x->request, x->request_tag);
	if (err == CW_OK) {
		cw_keys_session_open(x);
		err = cw_signer_check_token(tree.signer, &x->proof,
		    cw_buf_bytes(&x->token), &x->verdict);
	}
	if (err == CW_OK) {
		statement = cw_keys_session_key(x, &management, 1);
		cw_keys_session_state(x, &statement);
	}
	return err;
}

static enum cw_err
certify(struct cw_keys_session *x)
{
	struct cw_buf certificate;
	enum cw_err err;

	cw_buf_init(&certificate, CW_CERT_MAX_BYTES);
	err = cw_signer_certify(tree.signer, &x->proof, &x->verdict,
	    CW_BYTES_NONE, cw_buf_bytes(&x->statement), x->serial,
	    &certificate);
	cw_buf_wipe(&certificate);
	return err;
}

static enum cw_err
whole_session(void)
{
	struct cw_keys_session x;
	enum cw_err err = begin_session(&x);

	if (err == CW_OK)
		err = certify(&x);
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

static uint64_t
log_commits(void)
{
	struct cw_signer_info info;
	struct cw_buf memory;

	cw_buf_init(&memory, CW_BODY_MAX);
	assert_err(cw_signer_info(tree.signer, &memory, &info), CW_OK);
	cw_buf_wipe(&memory);
	return info.log_commits;
}

static void *
certify_one(void *session)
{
	struct cw_keys_session *x = session;

	return certify(x) == CW_OK ? x : NULL;
}

/* A request that the signer has not taken yet lies in its end of a channel. */
static void
wait_for_request(void)
{
	struct pollfd own[CW_SIGNER_CHANNELS];

	for (size_t i = 0; i < tree.n; i++)
		own[i] = (struct pollfd){ tree.own[i], POLLIN, 0 };
	assert_int_equal(poll(own, tree.n, 10000), 1);
}

static void
who_asks_before_a_commit_is_in_it(void **state)
{
	struct cw_keys_session x[2];
	pthread_t threads[2];
	uint64_t before;
	void *done;

	(void)state;
	for (size_t i = 0; i < 2; i++)
		assert_err(begin_session(&x[i]), CW_OK);
	before = log_commits();
	stop->is_set = true;
	assert_int_equal(pthread_create(&threads[0], NULL, certify_one, &x[0]),
	    0);
	assert_int_equal(sem_wait(&stop->reached), 0);
	assert_int_equal(pthread_create(&threads[1], NULL, certify_one, &x[1]),
	    0);
	wait_for_request();
	assert_int_equal(sem_post(&stop->go), 0);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(pthread_join(threads[i], &done), 0);
		assert_ptr_equal(done, &x[i]);
		cw_keys_session_wipe(&x[i]);
	}
	assert_int_equal(log_commits(), before + 1);
}

static int
setup(void **state)
{
	(void)state;
	stop = mmap(NULL, sizeof(*stop), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(stop, MAP_FAILED);
	assert_int_equal(sem_init(&stop->reached, 1, 0), 0);
	assert_int_equal(sem_init(&stop->go, 1, 0), 0);
	cw_keys_tree_make(&tree, 1);
	cw_keys_tree_start(&tree, 3);
	cw_keys_card_load(&card, &tree, 1);
	authority = cw_keys_tree_authority(&tree);
	management = cw_keys_tree_management(&tree);
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
		cmocka_unit_test(who_asks_before_a_commit_is_in_it),
	};

	if (!cw_secret_process_init())
		return 1;
	return cmocka_run_group_tests(tests, setup, teardown);
}
