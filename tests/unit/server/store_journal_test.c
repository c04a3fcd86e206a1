/* SPDX-License-Identifier: Apache-2.0 */
/* The journal's file: what counts in it, whatever became of the last write. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "proto/base/secret.h"
#include "server/store_journal.h"
#include "tests/support/check.h"

#define FRAMES 3

static int writes_left = -1; /* then one fails; negative: none does */
static bool is_written;      /* although it failed */

ssize_t __real_pwrite(int fd, const void *bytes, size_t n, off_t at);
ssize_t __wrap_pwrite(int fd, const void *bytes, size_t n, off_t at);

ssize_t
__wrap_pwrite(int fd, const void *bytes, size_t n, off_t at)
{
	if (writes_left != 0) {
		writes_left -= writes_left > 0;
		return __real_pwrite(fd, bytes, n, at);
	}
	if (is_written)
		(void)__real_pwrite(fd, bytes, n, at);
	errno = EIO;
	return -1;
}

struct world {
	char folder[32], path[64];
	struct cw_journal *journal;
	struct cw_journal_place beginning;
	struct cw_journal_place ends[FRAMES];
};

/* Of unlike lengths: less than a block, exactly two, three and a bit. */
static const size_t lengths[FRAMES] = { 100,
	2 * CW_JOURNAL_BLOCK - CW_JOURNAL_HEAD, 3 * CW_JOURNAL_BLOCK };

static struct cw_bytes
content(size_t i)
{
	static uint8_t bytes[FRAMES][3 * CW_JOURNAL_BLOCK];

	memset(bytes[i], (int)('a' + i), sizeof(bytes[i]));
	return cw_bytes(bytes[i], lengths[i]);
}

static void
begin(struct world *w)
{
	cw_journal_place_new(&w->beginning);
	cw_journal_begin(w->journal, &w->beginning);
	for (size_t i = 0; i < FRAMES; i++) {
		assert_err(cw_journal_append(w->journal, content(i)), CW_OK);
		w->ends[i] = *cw_journal_end(w->journal);
	}
}

static int
setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));

	assert_non_null(w);
	snprintf(w->folder, sizeof(w->folder), "/tmp/cw-journal-XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	snprintf(w->path, sizeof(w->path), "%s/j", w->folder);
	writes_left = -1;
	is_written = false;
	assert_err(cw_journal_open(w->path, &w->journal), CW_OK);
	begin(w);
	*state = w;
	return 0;
}

static int
teardown(void **state)
{
	struct world *w = *state;

	cw_journal_close(&w->journal);
	unlink(w->path);
	rmdir(w->folder);
	free(w);
	return 0;
}

/* Exactly the first `n` frames count. */
static void
assert_frames(const struct world *w, size_t n)
{
	struct cw_journal_place place = w->beginning;
	struct cw_buf out;
	size_t at = 0;

	cw_buf_init(&out, CW_JOURNAL_BYTES);
	assert_err(cw_journal_read(w->path, &place, UINT64_MAX, &out), CW_OK);
	for (size_t i = 0; i < n; i++) {
		assert_true(out.len >= at + lengths[i]);
		assert_memory_equal(out.ptr + at, content(i).ptr, lengths[i]);
		at += lengths[i];
	}
	assert_int_equal(out.len, at);
	assert_int_equal(place.at, n == 0 ? 0 : w->ends[n - 1].at);
	cw_buf_wipe(&out);
}

static void
what_was_appended_is_read_from_any_place(void **state)
{
	struct world *w = *state;
	struct cw_journal_place place = w->ends[0];
	struct cw_buf out;

	assert_frames(w, FRAMES);
	cw_buf_init(&out, CW_JOURNAL_BYTES);
	assert_err(cw_journal_read(w->path, &place, w->ends[1].at, &out),
	    CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&out), content(1)));
	assert_memory_equal(&place, &w->ends[1], sizeof(place));
	cw_buf_reset(&out);
	assert_err(cw_journal_read(w->path, &place, UINT64_MAX, &out), CW_OK);
	assert_true(cw_bytes_equal(cw_buf_bytes(&out), content(2)));
	cw_buf_wipe(&out);
}

static void
no_file_is_as_good_as_an_empty_one(void **state)
{
	struct world *w = *state;
	struct cw_journal_place place = w->beginning;
	struct cw_buf out;

	cw_buf_init(&out, 100);
	assert_err(cw_journal_read("/tmp/cw-journal-of-nobody", &place,
		       UINT64_MAX, &out),
	    CW_OK);
	assert_int_equal(out.len, 0);
	assert_memory_equal(&place, &w->beginning, sizeof(place));
}

/* ---- torn ---- */

static void
change(const struct world *w, uint64_t at, uint8_t mask)
{
	int fd = open(w->path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	assert_true(fd >= 0);
	assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
	byte ^= mask;
	assert_int_equal(__real_pwrite(fd, &byte, 1, (off_t)at), 1);
	close(fd);
}

static void
a_changed_byte_ends_what_counts(void **state)
{
	struct world *w = *state;

	for (size_t i = 0; i < FRAMES; i++) {
		uint64_t from = i == 0 ? 0 : w->ends[i - 1].at;

		for (size_t k = 0; k < CW_JOURNAL_HEAD + lengths[i]; k += 3) {
			uint8_t mask = (uint8_t)(1u << k % 8);

			change(w, from + k, mask);
			assert_frames(w, i);
			change(w, from + k, mask);
		}
	}
	assert_frames(w, FRAMES);
}

static void
a_file_that_ends_anywhere_counts_up_to_its_last_whole_frame(void **state)
{
	struct world *w = *state;

	for (uint64_t end = w->ends[FRAMES - 1].at; end-- > 0;) {
		size_t whole = 0;
		uint64_t from = 0;

		while (whole < FRAMES &&
		    from + CW_JOURNAL_HEAD + lengths[whole] <= end)
			from = w->ends[whole++].at;
		assert_int_equal(truncate(w->path, (off_t)end), 0);
		assert_frames(w, whole);
	}
}

static void
blocks_that_never_came_end_what_counts(void **state)
{
	struct world *w = *state;
	static const uint8_t zeros[CW_JOURNAL_BLOCK];
	uint64_t end = w->ends[FRAMES - 1].at;
	int fd = open(w->path, O_RDWR | O_CLOEXEC);

	for (uint64_t at = 0; at < end; at += CW_JOURNAL_BLOCK) {
		uint8_t before[CW_JOURNAL_BLOCK];
		size_t whole = 0;

		while (w->ends[whole].at <= at)
			whole++;
		assert_int_equal(pread(fd, before, sizeof(before), (off_t)at),
		    sizeof(before));
		assert_int_equal(__real_pwrite(fd, zeros, sizeof(zeros),
				     (off_t)at),
		    sizeof(zeros));
		/* The last block may have only zeros that fill it up. */
		if (memcmp(before, zeros, sizeof(zeros)) != 0)
			assert_frames(w, whole);
		assert_int_equal(__real_pwrite(fd, before, sizeof(before),
				     (off_t)at),
		    sizeof(before));
	}
	close(fd);
	assert_frames(w, FRAMES);
}

/* ---- beginnings ---- */

static void
what_an_earlier_beginning_wrote_does_not_count(void **state)
{
	struct world *w = *state;
	struct world before = *w;

	cw_journal_place_new(&w->beginning);
	cw_journal_begin(w->journal, &w->beginning);
	assert_frames(w, 0);
	assert_frames(&before, 0);
	assert_err(cw_journal_append(w->journal, content(0)), CW_OK);
	/* Behind it the second and third frame of the other one still stand. */
	assert_frames(w, 1);
	assert_frames(&before, 0);
}

static void
a_file_that_is_short_is_made_whole_with_its_frames(void **state)
{
	struct world *w = *state;
	struct stat st;

	cw_journal_close(&w->journal);
	assert_int_equal(truncate(w->path, (off_t)w->ends[1].at + 7), 0);
	assert_err(cw_journal_open(w->path, &w->journal), CW_OK);
	assert_int_equal(stat(w->path, &st), 0);
	assert_true(st.st_size >= (off_t)CW_JOURNAL_BYTES);
	assert_frames(w, 2);
	/* Where a frame goes is not known before it is said. */
	assert_int_equal(cw_journal_room(w->journal), 0);
	assert_err(cw_journal_append(w->journal, content(0)),
	    CW_ERR_STORE_FAILED);
}

static void
a_file_has_one_owner(void **state)
{
	struct world *w = *state;
	struct cw_journal *other = NULL;

	assert_err(cw_journal_open(w->path, &other), CW_ERR_STORE_FAILED);
	assert_null(other);
	cw_journal_close(&w->journal);
	assert_err(cw_journal_open(w->path, &w->journal), CW_OK);
}

static void
when_it_is_full_nothing_fits(void **state)
{
	struct world *w = *state;
	struct cw_journal_place place;
	static uint8_t bytes[CW_JOURNAL_FRAME];
	struct cw_buf out;
	size_t n = 0;
	size_t room;

	cw_journal_place_new(&w->beginning);
	cw_journal_begin(w->journal, &w->beginning);
	place = w->beginning;
	assert_err(cw_journal_append(w->journal, CW_BYTES_ARRAY(bytes)),
	    CW_ERR_STORE_FAILED);
	while ((room = cw_journal_room(w->journal)) > 0) {
		assert_err(cw_journal_append(w->journal, cw_bytes(bytes, room)),
		    CW_OK);
		n += room;
	}
	assert_err(cw_journal_append(w->journal, content(0)),
	    CW_ERR_STORE_FAILED);
	cw_buf_init(&out, CW_JOURNAL_BYTES);
	assert_err(cw_journal_read(w->path, &place, UINT64_MAX, &out), CW_OK);
	assert_int_equal(out.len, n);
	assert_int_equal(place.at, CW_JOURNAL_BYTES);
	cw_buf_wipe(&out);
}

/* ---- writes that fail ---- */

static void
after_a_failed_write_nothing_is_written_before_it_is_begun_anew(void **state)
{
	struct world *w = *state;

	for (unsigned written = 0; written < 2; written++) {
		is_written = written == 1;
		writes_left = 0;
		assert_err(cw_journal_append(w->journal, content(0)),
		    CW_ERR_STORE_FAILED);
		writes_left = -1;
		assert_int_equal(cw_journal_end(w->journal)->at,
		    w->ends[FRAMES - 1].at);
		assert_int_equal(cw_journal_room(w->journal), 0);
		assert_err(cw_journal_append(w->journal, content(0)),
		    CW_ERR_STORE_FAILED);
		begin(w);
		assert_frames(w, FRAMES);
	}
}

static void
a_beginning_that_cannot_be_written_gives_no_room(void **state)
{
	struct world *w = *state;

	writes_left = 0;
	cw_journal_begin(w->journal, &w->beginning);
	assert_int_equal(cw_journal_room(w->journal), 0);
	writes_left = -1;
	begin(w);
	assert_frames(w, FRAMES);
}

static void
a_file_that_cannot_be_made_is_an_error(void **state)
{
	struct cw_journal *journal = NULL;
	struct world *w = *state;

	assert_err(cw_journal_open("/nowhere/j", &journal),
	    CW_ERR_STORE_FAILED);
	assert_null(journal);
	cw_journal_close(&w->journal);
	assert_int_equal(truncate(w->path, 0), 0);
	writes_left = 5;
	assert_err(cw_journal_open(w->path, &w->journal), CW_ERR_STORE_FAILED);
	writes_left = -1;
	assert_err(cw_journal_open(w->path, &w->journal), CW_OK);
	begin(w);
	assert_frames(w, FRAMES);
}

#define sentence(s) cmocka_unit_test_setup_teardown(s, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		sentence(what_was_appended_is_read_from_any_place),
		sentence(no_file_is_as_good_as_an_empty_one),
		sentence(a_changed_byte_ends_what_counts),
		sentence(
		    a_file_that_ends_anywhere_counts_up_to_its_last_whole_frame),
		sentence(blocks_that_never_came_end_what_counts),
		sentence(what_an_earlier_beginning_wrote_does_not_count),
		sentence(a_file_that_is_short_is_made_whole_with_its_frames),
		sentence(a_file_has_one_owner),
		sentence(when_it_is_full_nothing_fits),
		sentence(
		    after_a_failed_write_nothing_is_written_before_it_is_begun_anew),
		sentence(a_beginning_that_cannot_be_written_gives_no_room),
		sentence(a_file_that_cannot_be_made_is_an_error),
	};

	return cw_secret_process_init() ?
	    cmocka_run_group_tests(tests, NULL, NULL) :
	    1;
}
