/* SPDX-License-Identifier: Apache-2.0 */
/* What the filter of sessions says, and that the store goes by it. */
#include "proto/base/secret.h"
#include "proto/crypto.h"
#include "server/store_filter.h"
#include "tests/support/store_world.h"

static uint64_t
random_key(void)
{
	uint64_t key;

	cw_random((uint8_t *)&key, sizeof(key));
	return key;
}

static void
what_was_put_may_be_there(void **state)
{
	static const uint64_t odd[] = { 0, 1, UINT64_MAX, UINT64_MAX - 1,
		1ull << 63, 1ull << 32, UINT32_MAX, 0x0101010101010101ull };
	struct cw_store_filter *filter = cw_store_filter_new();
	uint64_t keys[1000];

	(void)state;
	for (size_t i = 0; i < COUNT(keys); i++) {
		keys[i] = i < COUNT(odd) ? odd[i] : random_key();
		cw_store_filter_put(filter, keys[i]);
	}
	for (size_t i = 0; i < COUNT(keys); i++)
		assert_true(cw_store_filter_may_have(filter, keys[i]));
	cw_store_filter_free(&filter);
	assert_null(filter);
	cw_store_filter_free(&filter);
}

/* With 100,000 keys it is wrong 5 times in a million. */
static void
what_was_never_put_is_hardly_ever_there(void **state)
{
	struct cw_store_filter *filter = cw_store_filter_new();
	unsigned wrong = 0;

	(void)state;
	for (unsigned i = 0; i < 1000; i++)
		assert_false(cw_store_filter_may_have(filter, random_key()));
	for (unsigned i = 0; i < 100000; i++)
		cw_store_filter_put(filter, random_key());
	for (unsigned i = 0; i < 100000; i++)
		wrong += cw_store_filter_may_have(filter, random_key());
	assert_in_range(wrong, 0, 20);
	cw_store_filter_free(&filter);
}

static void
every_session_is_found_in_the_store_that_made_it_and_in_the_next(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session out;
	uint8_t id[CW_SESSION_ID_BYTES];

	for (unsigned i = 0; i < 200; i++) {
		struct cw_session s;

		cw_store_world_add(w, &s, (uint8_t)(i + 1));
		assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1,
			       NULL),
		    CW_OK);
		cw_session_wipe(&s);
	}
	cw_session_init(&out);
	for (unsigned round = 0; round < 2; round++) {
		/* Empties the cache. */
		assert_err(w->store->session_forget(w->store, 0), CW_OK);
		for (unsigned i = 0; i < 256; i++) {
			memset(id, (int)i, sizeof(id));
			assert_err(w->store->session_load(w->store, id, &out),
			    i >= 1 && i <= 200 ? CW_OK : CW_ERR_NO_SESSION);
		}
		cw_store_world_reopen(w);
	}
	cw_session_wipe(&out);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_put_may_be_there),
		cmocka_unit_test(what_was_never_put_is_hardly_ever_there),
		cw_store_test(
		    every_session_is_found_in_the_store_that_made_it_and_in_the_next),
	};

	return cw_secret_process_init() ?
	    cmocka_run_group_tests(tests, NULL, NULL) :
	    1;
}
