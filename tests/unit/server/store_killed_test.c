/* SPDX-License-Identifier: Apache-2.0 */
/* The store killed at any instant, and beside another process: what was said to
 * be stored is there once. */
#include <string.h>

#include "proto/base/secret.h"
#include "tests/support/store_world.h"

/* ---- killed ---- */

static void
every_step_that_was_stored_survives_a_kill_right_after(void **state)
{
	struct cw_store_world *w = *state;
	static const enum cw_stage stages[] = { CW_STAGE_CREATING,
		CW_STAGE_INSTALLING, CW_STAGE_DONE };

	for (uint8_t id = 1; id < 4; id++) {
		struct cw_session s;

		cw_store_world_add(w, &s, id);
		for (uint8_t i = 0; i < COUNT(stages); i++) {
			struct cw_certificate c = cw_store_world_certificate(&s,
			    i == 1 ? CW_CERT_PENDING : CW_CERT_ACTIVE);

			assert_err(cw_store_world_step(w, &s, stages[i],
				       (uint8_t)(i + 1), i > 0 ? &c : NULL),
			    CW_OK);
			cw_store_world_kill(w);
			cw_store_world_assert_stage(w->store, &s, stages[i],
			    i + 1u);
			assert_int_equal(cw_store_world_status(w->store, id),
			    i == 0     ? CW_CERT_NONE :
				i == 1 ? CW_CERT_PENDING :
					 CW_CERT_ACTIVE);
			assert_int_equal(w->store->steps(w->store),
			    3u * (id - 1u) + i + 1u);
		}
		cw_session_wipe(&s);
	}
}

/* The second step's frame is torn: the first stays, and the session goes on
 * from there, whatever of the second still lies in the file. */
static void
torn_at(struct cw_store_world *w, const struct cw_session *opened,
    struct cw_store_image *image, size_t at)
{
	struct cw_session s;
	struct cw_session other;

	cw_session_init(&s);
	assert_err(cw_session_copy(&s, opened), CW_OK);
	image->files[CW_STORE_IMAGE_JOURNAL].ptr[at] ^= 0x55;
	cw_store_world_go_back(w, image);
	image->files[CW_STORE_IMAGE_JOURNAL].ptr[at] ^= 0x55;
	cw_store_world_assert_stage(w->store, &s, CW_STAGE_CREATING, 1);
	assert_int_equal(w->store->steps(w->store), 1);
	assert_int_equal(cw_store_world_status(w->store, 1), CW_CERT_NONE);
	/* As long as the first frame was: the torn one lies right behind. */
	cw_store_world_add(w, &other, 2);
	assert_err(cw_store_world_step(w, &other, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	cw_store_world_kill(w);
	cw_store_world_assert_stage(w->store, &s, CW_STAGE_CREATING, 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_FAILED, 2, NULL), CW_OK);
	cw_store_world_kill(w);
	cw_store_world_assert_stage(w->store, &s, CW_STAGE_FAILED, 2);
	cw_store_world_assert_stage(w->store, &other, CW_STAGE_CREATING, 1);
	assert_int_equal(cw_store_world_status(w->store, 1), CW_CERT_NONE);
	cw_session_wipe(&s);
	cw_session_wipe(&other);
}

static void
a_step_torn_at_any_byte_was_not_stored_and_the_one_before_was(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session first;
	struct cw_session s;
	struct cw_certificate c;
	struct cw_store_image image;
	size_t at;

	cw_session_init(&first);
	cw_store_world_add(w, &s, 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	assert_err(cw_session_copy(&first, &s), CW_OK);
	c = cw_store_world_certificate(&s, CW_CERT_PENDING);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 2, &c),
	    CW_OK);
	cw_store_world_take(w, &image);
	cw_store_world_go_back(w, &image);
	cw_store_world_assert_stage(w->store, &s, CW_STAGE_INSTALLING, 2);
	/* A block each; the length says how far the second one goes. */
	at = 4096;
	for (size_t end = at + 20 +
		 ((size_t)image.files[CW_STORE_IMAGE_JOURNAL].ptr[at + 2] << 8 |
		     image.files[CW_STORE_IMAGE_JOURNAL].ptr[at + 3]);
	     at < end; at += 7)
		torn_at(w, &first, &image, at);
	cw_session_wipe(&first);
	cw_session_wipe(&s);
	cw_store_image_wipe(&image);
}

static bool
count(void *ctx, const struct cw_session *row)
{
	(void)row;
	++*(unsigned *)ctx;
	return true;
}

/* Bodies as large as they may be: the journal is full again and again. */
static void
more_than_the_journal_holds_is_stored(void **state)
{
	struct cw_store_world *w = *state;
	static uint8_t body[CW_BODY_MAX];
	struct cw_session s;
	struct cw_session out;
	unsigned n = 0;

	cw_session_init(&out);
	for (uint8_t id = 1; id <= 100; id++) {
		struct cw_step step = { .number = 1,
			.message = CW_BYTES_ARRAY(body),
			.answer = CW_BYTES_ARRAY(body) };

		cw_store_world_add(w, &s, id);
		s.stage = CW_STAGE_CREATING;
		s.n_digests = 1;
		assert_err(w->store->session_step(w->store, &s, CW_STAGE_OPENED,
			       0, &step, NULL),
		    CW_OK);
		cw_session_wipe(&s);
	}
	cw_store_world_kill(w);
	assert_int_equal(w->store->steps(w->store), 100);
	assert_err(w->store->session_each(w->store, count, &n), CW_OK);
	assert_int_equal(n, 100);
	cw_session_wipe(&out);
}

/* The one that says it began first: its rows are written first, too. */
static void
a_certificate_whose_key_is_gone_stays_suspended(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_retired gone = { .reason = CW_REASON_SUPERSEDED };
	struct cw_step step = { .number = 1,
		.message = cw_bytes_str("message"),
		.now_s = 1300,
		.n_retired = 1,
		.retired = &gone };
	struct cw_certificate c;
	struct cw_session manager;
	struct cw_session s;

	cw_store_world_add(w, &manager, 2);
	cw_store_world_add(w, &s, 1);
	c = cw_store_world_certificate(&s, CW_CERT_PENDING);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 1, &c),
	    CW_OK);
	memcpy(gone.serial, c.serial, sizeof(gone.serial));
	manager.stage = CW_STAGE_MANAGING;
	manager.n_digests = 1;
	assert_err(w->store->session_step(w->store, &manager, CW_STAGE_OPENED,
		       0, &step, NULL),
	    CW_OK);
	c.status = CW_CERT_ACTIVE;
	assert_err(cw_store_world_step(w, &s, CW_STAGE_DONE, 2, &c), CW_OK);
	cw_store_world_kill(w);
	assert_err(w->store->certificate_load(w->store, c.serial, &c, NULL),
	    CW_OK);
	assert_int_equal(c.status, CW_CERT_SUSPENDED);
	assert_int_equal(c.wanted, CW_REASON_SUPERSEDED);
	cw_session_wipe(&manager);
	cw_session_wipe(&s);
}

/* ---- beside another process ---- */

static void
another_process_sees_each_step_and_what_it_writes_stays(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_store *other = NULL;
	struct cw_certificate c;
	struct cw_session s;
	uint8_t serial[CW_SERIAL_BYTES];

	memset(serial, 1, sizeof(serial));
	cw_store_world_add(w, &s, 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	assert_err(cw_store_join_sqlite(w->path, &other), CW_OK);
	cw_store_world_assert_stage(other, &s, CW_STAGE_CREATING, 1);
	c = cw_store_world_certificate(&s, CW_CERT_PENDING);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 2, &c),
	    CW_OK);
	assert_int_equal(cw_store_world_status(other, 1), CW_CERT_PENDING);
	cw_store_world_assert_stage(other, &s, CW_STAGE_INSTALLING, 2);
	assert_err(other->certificate_set(other, serial, CW_CERT_SUSPENDED, 1,
		       1200),
	    CW_OK);
	c.status = CW_CERT_ACTIVE;
	assert_err(cw_store_world_step(w, &s, CW_STAGE_DONE, 3, &c), CW_OK);
	for (unsigned i = 0; i < 3; i++) {
		cw_store_world_assert_stage(w->store, &s, CW_STAGE_DONE, 3);
		assert_int_equal(cw_store_world_status(w->store, 1),
		    CW_CERT_SUSPENDED);
		if (i == 1)
			cw_store_world_kill(w);
	}
	assert_int_equal(w->store->steps(w->store), 3);
	cw_store_world_assert_stage(other, &s, CW_STAGE_DONE, 3);
	cw_store_close(&other);
	cw_session_wipe(&s);
}

static void
another_process_takes_no_session_forward(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_store_world joined = *w;
	struct cw_session s;
	struct cw_session added;

	cw_store_world_fill(&added, 2);
	assert_err(cw_store_join_sqlite(w->path, &joined.store), CW_OK);
	assert_err(joined.store->session_add(joined.store, &added),
	    CW_ERR_STORE_FAILED);
	cw_store_world_add(w, &s, 1);
	assert_err(cw_store_world_step(&joined, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_ERR_STORE_FAILED);
	cw_store_close(&joined.store);
	cw_session_wipe(&s);
	cw_session_wipe(&added);
}

static void
a_store_has_one_owner_and_what_it_left_others_see(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_store *other = NULL;
	struct cw_session s;
	struct cw_store_image image;

	assert_err(cw_store_open_sqlite(w->path, &other), CW_ERR_STORE_FAILED);
	assert_null(other);
	cw_store_world_add(w, &s, 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	cw_store_world_take(w, &image);
	cw_store_world_go_back(w, &image);
	/* Its owner is gone, and nobody has come after it. */
	cw_store_world_put(w, &image);
	assert_err(cw_store_join_sqlite(w->path, &other), CW_OK);
	cw_store_world_assert_stage(other, &s, CW_STAGE_CREATING, 1);
	cw_store_close(&other);
	assert_err(cw_store_open_sqlite(w->path, &w->store), CW_OK);
	cw_store_world_assert_stage(w->store, &s, CW_STAGE_CREATING, 1);
	assert_int_equal(w->store->steps(w->store), 1);
	cw_store_image_wipe(&image);
	cw_session_wipe(&s);
}

/* ---- restored ---- */

/* Somebody puts an older database back and forgets the journal. */
static void
a_journal_of_a_later_time_does_not_count_for_a_copy(void **state)
{
	struct cw_store_world *w = *state;
	struct cw_session s;
	struct cw_session added;
	struct cw_store_image image;
	struct cw_store_image later;
	unsigned n;

	cw_store_world_add(w, &s, 1);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_CREATING, 1, NULL),
	    CW_OK);
	cw_store_world_reopen(w);
	cw_store_world_take(w, &image);
	assert_err(cw_store_world_step(w, &s, CW_STAGE_INSTALLING, 2, NULL),
	    CW_OK);
	/* All sessions are ended: a journal from before must not undo that. */
	assert_err(w->store->session_expire(w->store, UINT64_MAX, 3000, &n),
	    CW_OK);
	cw_store_world_take(w, &later);
	cw_buf_move(&image.files[CW_STORE_IMAGE_JOURNAL],
	    &later.files[CW_STORE_IMAGE_JOURNAL]);
	cw_store_world_go_back(w, &image);
	cw_store_world_assert_stage(w->store, &s, CW_STAGE_CREATING, 1);
	assert_int_equal(w->store->steps(w->store), 1);
	cw_store_world_add(w, &added, 2);
	cw_store_image_wipe(&image);
	cw_store_image_wipe(&later);
	cw_session_wipe(&s);
	cw_session_wipe(&added);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_store_test(
		    every_step_that_was_stored_survives_a_kill_right_after),
		cw_store_test(
		    a_step_torn_at_any_byte_was_not_stored_and_the_one_before_was),
		cw_store_test(a_certificate_whose_key_is_gone_stays_suspended),
		cw_store_test(more_than_the_journal_holds_is_stored),
		cw_store_test(
		    another_process_sees_each_step_and_what_it_writes_stays),
		cw_store_test(another_process_takes_no_session_forward),
		cw_store_test(
		    a_store_has_one_owner_and_what_it_left_others_see),
		cw_store_test(
		    a_journal_of_a_later_time_does_not_count_for_a_copy),
	};

	return cw_secret_process_init() ?
	    cmocka_run_group_tests(tests, NULL, NULL) :
	    1;
}
