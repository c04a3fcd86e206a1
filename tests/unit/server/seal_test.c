/* SPDX-License-Identifier: Apache-2.0 */
/* Epoch keys: sealing, session ids, cookies, rotation. */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/fdio.h"
#include "proto/base/secret.h"
#include "server/seal.h"
#include "tests/support/check.h"

#define NOW 1000000u
#define LIFETIME 3600u

struct world {
	char folder[64];
	char path[96];
	struct cw_seal *seal;
	struct cw_buf sealed, plain;
};

static const uint8_t id[CW_SESSION_ID_BYTES] = { 1, 2, 3 };
static const uint8_t invitation[CW_HASH_BYTES] = { 7, 7 };

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->folder, sizeof(w->folder), "/tmp/cw-seal-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof(w->path), "%s/epoch.key", w->folder);
	assert_err(cw_seal_open(w->path, NOW, &w->seal), CW_OK);
	cw_buf_init(&w->sealed, 1000);
	cw_buf_init(&w->plain, 1000);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	cw_seal_free(&w->seal);
	cw_buf_wipe(&w->sealed);
	cw_buf_wipe(&w->plain);
	unlink(w->path);
	rmdir(w->folder);
	free(w);
	return 0;
}

static void
put(struct world *w)
{
	cw_buf_reset(&w->sealed);
	assert_err(cw_seal_put(w->seal, id, cw_bytes_str("secret"), &w->sealed),
	    CW_OK);
}

static enum cw_err
get(struct world *w)
{
	cw_buf_reset(&w->plain);
	return cw_seal_get(w->seal, id, cw_buf_bytes(&w->sealed), &w->plain);
}

static void
what_was_sealed_opens_for_the_same_session_only(void **state)
{
	struct world *w = *state;
	const uint8_t other[CW_SESSION_ID_BYTES] = { 1, 2, 4 };

	put(w);
	assert_err(get(w), CW_OK);
	assert_true(cw_bytes_is(cw_buf_bytes(&w->plain), "secret"));
	assert_err(cw_seal_get(w->seal, other, cw_buf_bytes(&w->sealed),
		       &w->plain),
	    CW_ERR_BAD_CIPHERTEXT);
	for (size_t i = 4; i < w->sealed.len; i++) {
		w->sealed.ptr[i] ^= 1;
		assert_err(get(w), CW_ERR_BAD_CIPHERTEXT);
		w->sealed.ptr[i] ^= 1;
	}
	w->sealed.ptr[0] ^= 1;
	assert_err(get(w), CW_ERR_SESSION_EXPIRED);
	w->sealed.len = 15;
	assert_err(get(w), CW_ERR_BAD_CIPHERTEXT);
}

static void
two_seals_of_the_same_differ(void **state)
{
	struct world *w = *state;
	struct cw_buf first;

	cw_buf_init(&first, 1000);
	put(w);
	cw_buf_put(&first, cw_buf_bytes(&w->sealed));
	put(w);
	assert_false(
	    cw_bytes_equal(cw_buf_bytes(&first), cw_buf_bytes(&w->sealed)));
	cw_buf_wipe(&first);
}

static void
another_process_with_the_file_opens_it_too(void **state)
{
	struct world *w = *state;
	struct cw_seal *second;

	put(w);
	assert_err(cw_seal_open(w->path, NOW + 5, &second), CW_OK);
	assert_err(cw_seal_get(second, id, cw_buf_bytes(&w->sealed), &w->plain),
	    CW_OK);
	cw_seal_free(&second);
}

static void
an_epoch_ends_after_a_week_and_is_destroyed_a_lifetime_later(void **state)
{
	struct world *w = *state;

	put(w);
	assert_err(cw_seal_rotate(w->seal, NOW + CW_EPOCH_SECONDS - 1,
		       LIFETIME),
	    CW_OK);
	assert_err(get(w), CW_OK);
	assert_int_equal(w->sealed.ptr[3], 1);
	assert_err(cw_seal_rotate(w->seal, NOW + CW_EPOCH_SECONDS, LIFETIME),
	    CW_OK);
	assert_err(get(w), CW_OK);
	assert_err(cw_seal_rotate(w->seal, NOW + CW_EPOCH_SECONDS + LIFETIME,
		       LIFETIME),
	    CW_OK);
	assert_err(get(w), CW_OK);
	assert_err(cw_seal_rotate(w->seal,
		       NOW + CW_EPOCH_SECONDS + LIFETIME + 1, LIFETIME),
	    CW_OK);
	assert_err(get(w), CW_ERR_SESSION_EXPIRED);
	put(w);
	assert_int_equal(w->sealed.ptr[3], 2);
	assert_err(get(w), CW_OK);
}

static void
the_file_is_private_and_nothing_else_is_taken(void **state)
{
	struct world *w = *state;
	struct stat st;
	struct cw_seal *second = NULL;
	static const char *const bad[] = { "", "1 2 zz\n", "1 2\n", "garbage",
		"1 1000000 00\n" };

	assert_int_equal(stat(w->path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	assert_int_equal(chmod(w->path, 0640), 0);
	assert_err(cw_seal_open(w->path, NOW, &second), CW_ERR_FILE_MODE);
	assert_null(second);
	for (size_t i = 0; i < COUNT(bad); i++) {
		assert_err(cw_file_store(w->path, cw_bytes_str(bad[i]), 0600),
		    CW_OK);
		assert_int_equal(chmod(w->path, 0600), 0);
		assert_err(cw_seal_open(w->path, NOW, &second),
		    CW_ERR_BAD_STATE_FILE);
		assert_err(cw_seal_rotate(w->seal, NOW, LIFETIME),
		    CW_ERR_BAD_STATE_FILE);
	}
	put(w); /* what was loaded before goes on */
	assert_err(get(w), CW_OK);
}

static void
session_ids_are_the_same_for_the_same_and_only_then(void **state)
{
	struct world *w = *state;
	uint8_t ids[5][CW_SESSION_ID_BYTES];
	uint8_t other[CW_HASH_BYTES] = { 7, 8 };

	cw_seal_session_id(w->seal, invitation, cw_bytes_str("m"), 0, ids[0]);
	cw_seal_session_id(w->seal, invitation, cw_bytes_str("m"), 0, ids[1]);
	cw_seal_session_id(w->seal, invitation, cw_bytes_str("m"), 1, ids[2]);
	cw_seal_session_id(w->seal, invitation, cw_bytes_str("n"), 0, ids[3]);
	cw_seal_session_id(w->seal, other, cw_bytes_str("m"), 0, ids[4]);
	assert_memory_equal(ids[0], ids[1], sizeof(ids[0]));
	for (size_t i = 2; i < 5; i++)
		for (size_t k = 1; k < i; k++)
			assert_memory_not_equal(ids[i], ids[k], sizeof(ids[0]));
}

static void
a_cookie_names_its_invitation_until_it_expires(void **state)
{
	struct world *w = *state;
	char cookie[CW_COOKIE_CHARS + 1];
	uint8_t out[CW_HASH_BYTES];
	struct cw_bytes text =
	    cw_bytes((const uint8_t *)cookie, CW_COOKIE_CHARS);

	cw_seal_cookie(w->seal, invitation, NOW + 10, cookie);
	assert_int_equal(strlen(cookie), CW_COOKIE_CHARS);
	assert_err(cw_seal_cookie_check(w->seal, text, NOW, out), CW_OK);
	assert_memory_equal(out, invitation, sizeof(out));
	assert_err(cw_seal_cookie_check(w->seal, text, NOW + 9, out), CW_OK);
	assert_err(cw_seal_cookie_check(w->seal, text, NOW + 10, out),
	    CW_ERR_NO_COOKIE);
	for (size_t i = 0; i < CW_COOKIE_CHARS; i++) {
		char before = cookie[i];

		cookie[i] = before == 'A' ? 'B' : 'A';
		assert_err(cw_seal_cookie_check(w->seal, text, NOW, out),
		    CW_ERR_NO_COOKIE);
		cookie[i] = before;
	}
	text.len--;
	assert_err(cw_seal_cookie_check(w->seal, text, NOW, out),
	    CW_ERR_NO_COOKIE);
}

/* ---- the mark ---- */

static void
reopen(struct world *w)
{
	cw_seal_free(&w->seal);
	assert_err(cw_seal_open(w->path, NOW, &w->seal), CW_OK);
}

static void
a_mark_only_rises_and_is_there_after_a_restart(void **state)
{
	struct world *w = *state;

	assert_int_equal(cw_seal_marked(w->seal), 0);
	cw_seal_mark(w->seal, 41);
	cw_seal_mark(w->seal, 40);
	assert_int_equal(cw_seal_marked(w->seal), 41);
	put(w);
	reopen(w);
	assert_int_equal(cw_seal_marked(w->seal), 41);
	assert_err(get(w), CW_OK);
}

/* Rotation replaces the file, perhaps by another node's hand. */
static void
a_mark_goes_on_in_a_rotated_file(void **state)
{
	struct world *w = *state;
	struct cw_seal *other = NULL;

	cw_seal_mark(w->seal, 5);
	assert_err(cw_seal_open(w->path, NOW, &other), CW_OK);
	assert_err(cw_seal_rotate(other, NOW + CW_EPOCH_SECONDS, LIFETIME),
	    CW_OK);
	cw_seal_mark(w->seal, 6); /* into the file that was replaced */
	assert_err(cw_seal_rotate(w->seal, NOW + CW_EPOCH_SECONDS, LIFETIME),
	    CW_OK);
	assert_err(cw_seal_rotate(other, NOW + CW_EPOCH_SECONDS, LIFETIME),
	    CW_OK);
	assert_int_equal(cw_seal_marked(other), 6);
	cw_seal_mark(other, 7);
	cw_seal_free(&other);
	reopen(w);
	assert_int_equal(cw_seal_marked(w->seal), 7);
}

static void
a_file_without_a_mark_gets_one_and_an_odd_one_is_refused(void **state)
{
	static const char *const bad[] = { "mark 1\n", "mark \n",
		"mark 0000000000000000000x\n", "mark 00000000000000000001 \n",
		"mark 000000000000000000001\n", "mark -0000000000000000001\n" };
	struct world *w = *state;
	struct cw_seal *second = NULL;
	struct cw_buf file;
	struct cw_buf odd;

	cw_buf_init(&file, 1000);
	cw_buf_init(&odd, 1000);
	put(w);
	assert_err(cw_file_load(w->path, &file), CW_OK);
	assert_memory_equal(file.ptr, "mark 00000000000000000000\n", 26);
	for (size_t i = 0; i < COUNT(bad); i++) {
		cw_buf_reset(&odd);
		cw_buf_put_str(&odd, bad[i]);
		cw_buf_put(&odd, cw_bytes(file.ptr + 26, file.len - 26));
		assert_err(cw_file_store(w->path, cw_buf_bytes(&odd), 0600),
		    CW_OK);
		assert_err(cw_seal_open(w->path, NOW, &second),
		    CW_ERR_BAD_STATE_FILE);
	}
	assert_err(cw_file_store(w->path,
		       cw_bytes(file.ptr + 26, file.len - 26), 0600),
	    CW_OK);
	reopen(w);
	assert_err(get(w), CW_OK);
	cw_seal_mark(w->seal, 9);
	reopen(w);
	assert_int_equal(cw_seal_marked(w->seal), 9);
	cw_buf_wipe(&file);
	cw_buf_wipe(&odd);
}

#define sentence(s) cmocka_unit_test_setup_teardown(s, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(what_was_sealed_opens_for_the_same_session_only),
		sentence(two_seals_of_the_same_differ),
		sentence(another_process_with_the_file_opens_it_too),
		sentence(
		    an_epoch_ends_after_a_week_and_is_destroyed_a_lifetime_later),
		sentence(the_file_is_private_and_nothing_else_is_taken),
		sentence(session_ids_are_the_same_for_the_same_and_only_then),
		sentence(a_cookie_names_its_invitation_until_it_expires),
		sentence(a_mark_only_rises_and_is_there_after_a_restart),
		sentence(a_mark_goes_on_in_a_rotated_file),
		sentence(
		    a_file_without_a_mark_gets_one_and_an_odd_one_is_refused),
	};

	return cw_secret_process_init() ?
	    cmocka_run_group_tests(tests, NULL, NULL) :
	    1;
}
