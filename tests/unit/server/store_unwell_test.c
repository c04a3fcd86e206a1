/* SPDX-License-Identifier: Apache-2.0 */
/* The store when only one of its two files can be written: nothing is stored
 * that is called failed, and nothing lost that was stored. */
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proto/base/secret.h"
#include "tests/support/store_world.h"

static bool fails; /* writes of the journal */

ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);

/* As when the cable is pulled: it was written, and nobody was told. */
ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	ssize_t done = __real_pwrite(fd, bytes, n, at);

	if (!fails)
		return done;
	errno = EIO;
	return -1;
}

static void
a_failed_write_of_the_journal_stores_nothing_and_is_not_tried_again(
    void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session s;
	struct cw_session again;
	struct cw_session added;

	cw_session_init(&again);
	cw_store_world_add(w, &s, 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	assert_err(cw_session_copy(&again, &s), CW_OK);
	fails = true;
	for (unsigned i = 0; i < 2; i++) {
		cw_session_wipe(&s);
		cw_session_init(&s);
		assert_err(cw_session_copy(&s, &again), CW_OK);
		assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 2,
			       NULL),
		    CW_ERR_STORE_FAILED);
		assert_false(w->store->is_well(w->store));
		cw_store_world_assert_stage(w->store, &again, CW_STAGE_CREATING,
		    1);
	}
	cw_store_world_fill(&added, 2);
	assert_err(w->store->session_add(w->store, &added),
	    CW_ERR_STORE_FAILED);
	fails = false;
	assert_err(w->store->session_add(w->store, &added), CW_OK);
	assert_true(w->store->is_well(w->store));
	/* Another message may come now: what failed is not there. */
	cw_store_world_assert_stage(w->store, &again, CW_STAGE_CREATING, 1);
	assert_err(cw_store_world_step(w, &again, CW_STAGE_FAILED, 2, NULL),
	    CW_OK);
	cw_store_world_kill(w);
	cw_store_world_assert_stage(w->store, &again, CW_STAGE_FAILED, 2);
	assert_int_equal(w->store->steps(w->store), 2);
	cw_session_wipe(&s);
	cw_session_wipe(&again);
	cw_session_wipe(&added);
}

/* What was written and not promised may be there after a kill, but whole. */
static void
a_kill_after_a_failed_write_leaves_the_step_or_not(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session s;
	struct cw_store_image image;

	cw_store_world_add(w, &s, 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	fails = true;
	assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 2, NULL),
	    CW_ERR_STORE_FAILED);
	cw_store_world_take(w, &image);
	fails = false;
	cw_store_world_go_back(w, &image);
	cw_store_world_assert_stage(w->store, &s, CW_STAGE_INSTALLING, 2);
	assert_int_equal(w->store->steps(w->store), 2);
	cw_store_image_wipe(&image);
	cw_session_wipe(&s);
}

/* Another process has applied what the owner believes to have failed. */
static void
what_another_process_applied_meanwhile_counts(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_store *other = NULL;
	struct cw_session s;
	struct cw_session again;

	cw_session_init(&again);
	cw_store_world_add(w, &s, 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	assert_err(cw_session_copy(&again, &s), CW_OK);
	fails = true;
	assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 2, NULL),
	    CW_ERR_STORE_FAILED);
	fails = false;
	assert_err(cw_store_join_sqlite(w->path, &other), CW_OK);
	cw_store_world_assert_stage(other, &s, CW_STAGE_INSTALLING, 2);
	cw_store_close(&other);
	assert_err(cw_store_world_step(w, &again, CW_STAGE_FAILED, 3, NULL),
	    CW_ERR_EXISTS);
	cw_store_world_assert_stage(w->store, &s, CW_STAGE_INSTALLING, 2);
	cw_session_wipe(&s);
	cw_session_wipe(&again);
}

static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

/* The journal has its room, the database gets none. */
static void
while_the_journal_cannot_be_applied_reads_and_steps_are_refused(void **state)
{
	struct cw_store_world *w = *state;
	static uint8_t large[300000];
	struct cw_session s;
	struct cw_session again;
	uint64_t n;

	cw_session_init(&again);
	signal(SIGXFSZ, SIG_IGN);
	assert_err(w->store->policy_put(w->store, "large",
		       CW_BYTES_ARRAY(large)),
	    CW_OK);
	cw_store_world_add(w, &s, 1);
	limit_files(200000);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	assert_true(w->store->is_well(w->store));
	assert_err(cw_session_copy(&again, &s), CW_OK);
	/* Rather than what was true before that step. */
	assert_err(w->store->session_count_open(w->store, &n),
	    CW_ERR_STORE_FAILED);
	assert_err(w->store->number_set(w->store, "n", 1), CW_ERR_STORE_FAILED);
	assert_false(w->store->is_well(w->store));
	assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 2, NULL),
	    CW_ERR_STORE_FAILED);
	limit_files(RLIM_INFINITY);
	cw_store_world_kill(w);
	cw_store_world_assert_stage(w->store, &again, CW_STAGE_CREATING, 1);
	assert_err(cw_store_world_step(w, &again, CW_STAGE_INSTALLING, 2, NULL),
	    CW_OK);
	assert_true(w->store->is_well(w->store));
	assert_err(w->store->session_count_open(w->store, &n), CW_OK);
	assert_int_equal(n, 1);
	cw_store_world_kill(w);
	cw_store_world_assert_stage(w->store, &again, CW_STAGE_INSTALLING, 2);
	cw_session_wipe(&s);
	cw_session_wipe(&again);
}

static int
setup(void **state)
{
	fails = false;
	return cw_store_world_setup(state);
}

#define sentence(s) \
	cmocka_unit_test_setup_teardown(s, setup, cw_store_world_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(
		    a_failed_write_of_the_journal_stores_nothing_and_is_not_tried_again),
		sentence(a_kill_after_a_failed_write_leaves_the_step_or_not),
		sentence(what_another_process_applied_meanwhile_counts),
		sentence(
		    while_the_journal_cannot_be_applied_reads_and_steps_are_refused),
	};

	return cw_secret_process_init() ?
	    cmocka_run_group_tests(tests, NULL, NULL) :
	    1;
}
