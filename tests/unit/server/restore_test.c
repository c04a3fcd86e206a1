/* SPDX-License-Identifier: Apache-2.0 */
/* A store that was put back from a copy, and epoch keys that are not its own:
 * nothing is encrypted twice under one (key, i), and nothing stays certified
 * that the issuer does not know. */
#include <stdio.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "server/sweep.h"
#include "tests/support/server_world.h"

/* The session goes on from `from` to `to`; a copy made at `from` is put back. */
static void
go_on_and_put_back(struct cw_server_world *w, struct cw_server_play *play,
    unsigned from, unsigned to)
{
	cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
	cw_server_play_begin(w, play, from);
	cw_server_world_restart(w); /* writes what is not durable by itself */
	cw_server_world_copy_store(w, "copy.db");
	for (unsigned step = from + 1; step <= to; step++) {
		cw_server_play_message(w, play, step);
		assert_err(cw_server_play_post(w, play, step), CW_OK);
	}
	cw_server_world_put_back(w, "copy.db");
}

static void
a_store_put_back_does_not_go_on_with_its_sessions(void **state)
{
	struct cw_server_world *w = *state;

	for (unsigned from = 0; from < 3; from++)
		for (unsigned to = from + 1; to < 4; to++) {
			struct cw_server_play play;

			go_on_and_put_back(w, &play, from, to);
			for (unsigned step = 1; step <= to; step++)
				assert_err(cw_server_play_post(w, &play, step),
				    CW_ERR_SESSION_EXPIRED);
			assert_err(cw_sweep_once(&w->engine), CW_OK);
			if (to >= 2)
				assert_true(from == 0 ||
				    cw_server_play_revoked(w, &play));
			cw_server_play_wipe(&play);
			/* And a new session works. */
			cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
			cw_server_play_begin(w, &play, 3);
			assert_int_equal(cw_server_play_status(w, &play),
			    CW_CERT_ACTIVE);
			cw_server_play_wipe(&play);
		}
}

static void
what_was_issued_after_the_copy_is_revoked(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_signer_entry e[64];
	uint64_t from = 0;
	bool revoked = false;
	uint8_t serial[CW_SERIAL_BYTES];
	struct cw_session s;
	size_t n;

	cw_server_world_copy_store(w, "copy.db");
	cw_server_play_begin(w, &play, 3);
	cw_server_play_session(w, &play, &s);
	memcpy(serial, s.serial, sizeof(serial));
	cw_session_wipe(&s);
	cw_server_world_put_back(w, "copy.db");
	assert_err(cw_server_play_post(w, &play, 3), CW_ERR_NO_SESSION);
	do {
		assert_err(cw_signer_log_read(w->tree->signer, from, e,
			       COUNT(e), &n),
		    CW_OK);
		for (size_t i = 0; i < n; i++)
			if (memcmp(e[i].serial, serial, sizeof(serial)) == 0)
				revoked = e[i].revoked;
		from += n;
	} while (n > 0);
	assert_true(revoked);
	cw_server_play_wipe(&play);
}

static void
a_store_put_back_at_the_same_moment_goes_on(void **state)
{
	struct cw_server_world *w = *state;

	for (unsigned last = 0; last < 3; last++) {
		struct cw_server_play play;

		go_on_and_put_back(w, &play, last, last);
		for (unsigned step = last + 1; step < 4; step++) {
			cw_server_play_message(w, &play, step);
			assert_err(cw_server_play_post(w, &play, step), CW_OK);
		}
		assert_int_equal(cw_server_play_status(w, &play),
		    CW_CERT_ACTIVE);
		cw_server_play_wipe(&play);
	}
}

/* ---- the epoch keys' file ---- */

static void
without_its_epoch_keys_a_store_ends_its_sessions(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;

	cw_server_play_begin(w, &play, 2);
	unlink(cw_server_world_path(w, "epoch.key"));
	cw_server_world_restart(w);
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_ERR_SESSION_EXPIRED);
	assert_err(cw_sweep_once(&w->engine), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_REVOKED);
	cw_server_world_restart(w);
	cw_server_play_wipe(&play);
	cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
	cw_server_play_begin(w, &play, 1);
	cw_server_world_restart(w);
	cw_server_play_message(w, &play, 2);
	assert_err(cw_server_play_post(w, &play, 2), CW_OK);
	cw_server_play_wipe(&play);
}

/* A power cut may take the last marks: those are not made durable one by one. */
static void
a_mark_that_lags_behind_ends_nothing(void **state)
{
	struct cw_server_world *w = *state;
	struct cw_server_play play;
	struct cw_buf file;

	cw_server_play_begin(w, &play, 0);
	cw_server_world_restart(w);
	cw_server_play_wipe(&play);
	cw_server_world_renew(w, CW_MODE_PSEUDONYMOUS);
	cw_server_play_begin(w, &play, 1);
	cw_buf_init(&file, 1 << 16);
	assert_err(cw_file_load(cw_server_world_path(w, "epoch.key"), &file),
	    CW_OK);
	cw_server_play_message(w, &play, 2);
	assert_err(cw_server_play_post(w, &play, 2), CW_OK);
	assert_err(cw_file_store(cw_server_world_path(w, "epoch.key"),
		       cw_buf_bytes(&file), 0600),
	    CW_OK);
	cw_server_world_restart(w);
	cw_server_play_message(w, &play, 3);
	assert_err(cw_server_play_post(w, &play, 3), CW_OK);
	assert_int_equal(cw_server_play_status(w, &play), CW_CERT_ACTIVE);
	cw_buf_wipe(&file);
	cw_server_play_wipe(&play);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_server_test(
		    a_store_put_back_does_not_go_on_with_its_sessions),
		cw_server_test(what_was_issued_after_the_copy_is_revoked),
		cw_server_test(a_store_put_back_at_the_same_moment_goes_on),
		cw_server_test(
		    without_its_epoch_keys_a_store_ends_its_sessions),
		cw_server_test(a_mark_that_lags_behind_ends_nothing),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
