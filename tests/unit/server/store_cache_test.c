/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: threads
 * Sessions seen lately: what is read of them is never older than what was
 * stored. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "proto/base/secret.h"
#include "server/store_cache.h"
#include "tests/support/store_world.h"

/* ---- a read that was overtaken ---- */

struct overtaken {
	const char *name;
	void (*happens)(struct cw_store_cache *cache,
	    const struct cw_session *newer);
	bool is_kept;        /* something is in the cache afterwards */
	enum cw_stage stage; /* and this is it */
};

static void
nothing(struct cw_store_cache *cache, const struct cw_session *newer)
{
	(void)cache;
	(void)newer;
}

static void
stored(struct cw_store_cache *cache, const struct cw_session *newer)
{
	cw_store_cache_put(cache, cw_store_cache_entry_new(newer));
	cw_store_cache_applied(cache);
}

static void
stored_and_cleared(struct cw_store_cache *cache, const struct cw_session *newer)
{
	stored(cache, newer);
	cw_store_cache_clear(cache);
}

static void
stored_and_pushed_out(struct cw_store_cache *cache,
    const struct cw_session *newer)
{
	stored(cache, newer);
	for (uint8_t i = 100; i < 110; i++) {
		struct cw_session other;

		cw_store_world_fill(&other, i);
		stored(cache, &other);
		cw_session_wipe(&other);
	}
}

static void
cleared(struct cw_store_cache *cache, const struct cw_session *newer)
{
	(void)newer;
	cw_store_cache_clear(cache);
}

static void
what_was_read_before_a_change_is_not_kept_after_it(void **state)
{
	static const struct overtaken rows[] = {
		{ "nothing", nothing, true, CW_STAGE_OPENED },
		{ "stored", stored, true, CW_STAGE_CREATING },
		{ "stored, cleared", stored_and_cleared, false,
		    CW_STAGE_EXPIRED },
		{ "stored, pushed out", stored_and_pushed_out, false,
		    CW_STAGE_EXPIRED },
		{ "cleared", cleared, false, CW_STAGE_EXPIRED },
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct cw_store_cache *cache = cw_store_cache_new(4);
		struct cw_session read;
		struct cw_session newer;
		struct cw_session out;
		uint64_t stamp;

		cw_session_init(&out);
		cw_store_world_fill(&read, 1);
		cw_store_world_fill(&newer, 1);
		newer.stage = CW_STAGE_CREATING;
		assert_false(cw_store_cache_get(cache, read.id, &out, &stamp));
		rows[i].happens(cache, &newer);
		cw_store_cache_fill(cache, &read, stamp);
		assert_row(rows[i].name,
		    cw_store_cache_get(cache, read.id, &out, NULL) ==
			rows[i].is_kept);
		if (rows[i].is_kept)
			assert_int_equal(out.stage, rows[i].stage);
		cw_session_wipe(&read);
		cw_session_wipe(&newer);
		cw_session_wipe(&out);
		cw_store_cache_free(&cache);
	}
}

/* ---- readers beside a writer, on the store ---- */

#define READERS 4
#define ROUNDS 40

static struct cw_store *store;
static atomic_bool runs;
static atomic_uint
    stage_seen[ROUNDS]; /* the highest that a writer had stored */

static void *
read_all(void *arg)
{
	bool *ok = arg;

	while (atomic_load(&runs))
		for (uint8_t i = 0; i < ROUNDS; i++) {
			uint8_t id[CW_SESSION_ID_BYTES];
			unsigned least = atomic_load(&stage_seen[i]);
			struct cw_session out;

			memset(id, i + 1, sizeof(id));
			cw_session_init(&out);
			if (least > 0 &&
			    (store->session_load(store, id, &out) != CW_OK ||
				out.stage < least))
				*ok = false;
			cw_session_wipe(&out);
		}
	return NULL;
}

static void
a_reader_never_sees_less_than_was_stored(void **state)
{
	struct cw_store_world *w = *state;
	pthread_t threads[READERS];
	bool ok[READERS];
	unsigned n;

	store = w->store;
	atomic_store(&runs, true);
	for (size_t i = 0; i < READERS; i++) {
		ok[i] = true;
		pthread_create(&threads[i], NULL, read_all, &ok[i]);
	}
	for (uint8_t i = 0; i < ROUNDS; i++) {
		struct cw_session s;

		cw_store_world_add(w, &s, (uint8_t)(i + 1));
		assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1,
			       NULL),
		    CW_OK);
		atomic_store(&stage_seen[i], CW_STAGE_CREATING);
		/* Empties the cache: the readers fill it again. */
		assert_err(store->session_forget(store, 0), CW_OK);
		assert_err(store->session_expire(store, 2000, 2000, &n), CW_OK);
		atomic_store(&stage_seen[i], CW_STAGE_EXPIRED);
		cw_session_wipe(&s);
	}
	atomic_store(&runs, false);
	for (size_t i = 0; i < READERS; i++) {
		pthread_join(threads[i], NULL);
		assert_true(ok[i]);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    what_was_read_before_a_change_is_not_kept_after_it),
		cmocka_unit_test_setup_teardown(
		    a_reader_never_sees_less_than_was_stored,
		    cw_store_world_setup, cw_store_world_teardown),
	};

	return cw_secret_process_init() ?
	    cmocka_run_group_tests(tests, NULL, NULL) :
	    1;
}
