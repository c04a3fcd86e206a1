/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: threads
 * The store when it cannot write, and with many threads. */
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include "proto/base/secret.h"
#include "tests/support/store_world.h"

#define THREADS 8

/* ---- when it cannot write ---- */

static void
limit_files(rlim_t bytes)
{
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void
a_full_disk_stores_nothing_by_halves_and_passes(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session s;
	struct cw_session again;
	struct cw_session out;

	cw_session_init(&out);
	cw_session_init(&again);
	signal(SIGXFSZ, SIG_IGN);
	cw_store_world_add(w, &s, 1);
	assert_err(cw_session_copy(&again, &s), CW_OK);
	assert_err(w->store->number_set(w->store, "n", 1), CW_OK);
	limit_files(1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_ERR_STORE_FAILED);
	assert_false(w->store->is_well(w->store));
	s.id[0] = 9;
	assert_err(w->store->session_add(w->store, &s), CW_ERR_STORE_FAILED);
	limit_files(RLIM_INFINITY);
	assert_err(w->store->session_load(w->store, again.id, &out), CW_OK);
	assert_int_equal(out.stage, CW_STAGE_OPENED);
	assert_err(cw_store_world_step(w, &again, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	assert_true(w->store->is_well(w->store));
	cw_store_world_reopen(w);
	assert_err(w->store->session_load(w->store, again.id, &out), CW_OK);
	assert_int_equal(out.stage, CW_STAGE_CREATING);
	cw_session_wipe(&s);
	cw_session_wipe(&again);
	cw_session_wipe(&out);
}

static void
a_store_of_another_version_is_left_alone(void **state)
{
	struct cw_store_world *w = *state;
	sqlite3 *db;

	cw_store_close(&w->store);
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA user_version=99", NULL, NULL,
			     NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	assert_err(cw_store_open_sqlite(w->path, &w->store),
	    CW_ERR_STORE_CORRUPT);
}

static void
a_store_from_before_the_journal_goes_on(void **state)
{
	struct cw_store_world *w = *state;
	char journal[128];
	struct cw_session s;
	struct cw_session out;
	sqlite3 *db;

	cw_session_init(&out);
	cw_store_world_add(w, &s, 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	cw_store_close(&w->store);
	snprintf(journal, sizeof(journal), "%s-steps", w->path);
	assert_int_equal(unlink(journal), 0);
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db,
			     "DROP TABLE journal;PRAGMA user_version=3", NULL,
			     NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	assert_err(cw_store_open_sqlite(w->path, &w->store), CW_OK);
	assert_int_equal(w->store->steps(w->store), 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 2, NULL),
	    CW_OK);
	cw_store_world_kill(w);
	assert_err(w->store->session_load(w->store, s.id, &out), CW_OK);
	assert_int_equal(out.stage, CW_STAGE_INSTALLING);
	assert_int_equal(w->store->steps(w->store), 2);
	cw_session_wipe(&s);
	cw_session_wipe(&out);
}

static int
read_number(void *out, int n, char **values, char **names)
{
	(void)names;
	assert_int_equal(n, 1);
	*(long *)out = strtol(values[0], NULL, 10);
	return 0;
}

/* After `sql`, with the store closed. */
static long
page_size(struct cw_store_world *w, const char *sql)
{
	long size = 0;
	sqlite3 *db;

	cw_store_close(&w->store);
	assert_int_equal(sqlite3_open(w->path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "PRAGMA page_size", read_number,
			     &size, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	assert_err(cw_store_open_sqlite(w->path, &w->store), CW_OK);
	return size;
}

static void
a_store_of_small_pages_goes_on_with_them(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session s;
	struct cw_session out;

	cw_session_init(&out);
	cw_store_world_add(w, &s, 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	assert_int_equal(page_size(w, ""), 16384);
	assert_int_equal(page_size(w,
			     "PRAGMA journal_mode=DELETE;"
			     "PRAGMA page_size=4096;VACUUM"),
	    4096);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 2, NULL),
	    CW_OK);
	cw_store_world_kill(w);
	assert_err(w->store->session_load(w->store, s.id, &out), CW_OK);
	assert_int_equal(out.stage, CW_STAGE_INSTALLING);
	assert_int_equal(page_size(w, ""), 4096);
	cw_session_wipe(&s);
	cw_session_wipe(&out);
}

static void
a_path_that_cannot_be_opened_is_an_error(void **state)
{
	struct cw_store *store = NULL;

	(void)state;
	assert_err(cw_store_open_sqlite("/nowhere/store.db", &store),
	    CW_ERR_STORE_FAILED);
	assert_null(store);
}

/* ---- threads ---- */

struct racer {
	struct cw_store_world *world;
	struct cw_session session;
	uint8_t digest;
	enum cw_err err;
};

static void *
race(void *arg)
{
	struct racer *r = arg;

	r->err = cw_store_world_step(r->world, &r->session, CW_STAGE_CREATING,
	    r->digest, NULL);
	return NULL;
}

static void
of_racing_steps_exactly_one_is_stored(void **state)
{
	struct cw_store_world *w = *state;

	for (uint8_t round = 1; round < 20; round++) {
		struct racer racers[THREADS];
		pthread_t threads[THREADS];
		struct cw_session s;
		struct cw_session out;
		unsigned won = 0;
		uint8_t winner = 0;

		cw_session_init(&out);
		cw_store_world_add(w, &s, round);
		for (uint8_t i = 0; i < THREADS; i++) {
			racers[i].world = w;
			racers[i].digest = (uint8_t)(i + 1);
			cw_session_init(&racers[i].session);
			assert_err(cw_session_copy(&racers[i].session, &s),
			    CW_OK);
			pthread_create(&threads[i], NULL, race, &racers[i]);
		}
		for (size_t i = 0; i < THREADS; i++) {
			pthread_join(threads[i], NULL);
			if (racers[i].err == CW_OK) {
				won++;
				winner = racers[i].digest;
			} else {
				assert_err(racers[i].err, CW_ERR_EXISTS);
			}
			cw_session_wipe(&racers[i].session);
		}
		assert_int_equal(won, 1);
		assert_err(w->store->session_load(w->store, s.id, &out), CW_OK);
		assert_int_equal(out.digests[0][0], winner);
		cw_session_wipe(&out);
		cw_session_wipe(&s);
	}
}

static void *
many_sessions(void *arg)
{
	struct racer *r = arg;

	for (uint8_t i = 0; i < 25; i++) {
		struct cw_session s;
		struct cw_certificate c;

		cw_store_world_fill(&s, r->digest);
		s.id[1] = i;
		r->err = r->world->store->session_add(r->world->store, &s);
		if (r->err == CW_OK)
			r->err = cw_store_world_step(r->world, &s,
			    CW_STAGE_CREATING, 1, NULL);
		c = cw_store_world_certificate(&s, CW_CERT_PENDING);
		c.serial[1] = i;
		if (r->err == CW_OK)
			r->err = cw_store_world_step(r->world, &s,
			    CW_STAGE_INSTALLING, 2, &c);
		cw_session_wipe(&s);
		if (r->err != CW_OK)
			break;
	}
	return NULL;
}

static bool
count(void *ctx, const struct cw_session *row)
{
	assert_int_equal(row->stage, CW_STAGE_INSTALLING);
	++*(unsigned *)ctx;
	return true;
}

static void
what_many_threads_stored_is_there_after_opening_again(void **state)
{
	struct cw_store_world *w = *state;
	struct racer racers[THREADS];
	pthread_t threads[THREADS];
	uint64_t commits;
	unsigned n = 0;

	for (uint8_t i = 0; i < THREADS; i++) {
		racers[i].world = w;
		racers[i].digest = (uint8_t)(i + 1);
		pthread_create(&threads[i], NULL, many_sessions, &racers[i]);
	}
	for (size_t i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_err(racers[i].err, CW_OK);
	}
	/* Two steps each, in groups of two and more. */
	commits = w->store->commits(w->store);
	assert_true(commits > 0 && commits <= 25 * THREADS);
	cw_store_world_reopen(w);
	assert_err(w->store->session_each(w->store, count, &n), CW_OK);
	assert_int_equal(n, 25 * THREADS);
}

/* More than goes to the log in one write, there in full for another connection
 * and after opening again. */
static void
a_large_write_is_whole(void **state)
{
	struct cw_store_world *w = *state;
	static uint8_t bytes[700001];
	struct cw_buf content;

	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 2654435761u >> 13);
	cw_buf_init(&content, sizeof(bytes));
	assert_err(w->store->policy_put(w->store, "large",
		       CW_BYTES_ARRAY(bytes)),
	    CW_OK);
	for (int i = 0; i < 2; i++) {
		assert_err(w->store->policy_load(w->store, "large", &content),
		    CW_OK);
		assert_true(cw_bytes_equal(cw_buf_bytes(&content),
		    CW_BYTES_ARRAY(bytes)));
		cw_store_world_reopen(w);
	}
	cw_buf_wipe(&content);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_store_test(a_full_disk_stores_nothing_by_halves_and_passes),
		cw_store_test(a_store_of_another_version_is_left_alone),
		cw_store_test(a_store_from_before_the_journal_goes_on),
		cw_store_test(a_store_of_small_pages_goes_on_with_them),
		cw_store_test(a_path_that_cannot_be_opened_is_an_error),
		cw_store_test(of_racing_steps_exactly_one_is_stored),
		cw_store_test(
		    what_many_threads_stored_is_there_after_opening_again),
		cw_store_test(a_large_write_is_whole),
	};

	return cw_secret_process_init() ?
	    cmocka_run_group_tests(tests, NULL, NULL) :
	    1;
}
