/* SPDX-License-Identifier: Apache-2.0 */
/*
 * RUN: threads
 * Frames, messages and the pipes that carry them.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "agent/native_frame.h"
#include "agent/native_pipe.h"
#include "agent/stop.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"
#include "tests/support/check.h"
#include "tests/support/reader_local.h"

#define HELLO "{\"type\":\"hello\",\"version\":1}"

/* ---- frames: recorded bytes ---- */

static void
a_frame_is_length_in_this_machines_order_and_json(void **state)
{
	static const uint8_t little[] = { 2, 0, 0, 0, '{', '}' };
	static const uint8_t big[] = { 0, 0, 0, 2, '{', '}' };
	const uint16_t one = 1;
	bool is_little = *(const uint8_t *)&one == 1;
	struct cw_bytes in =
	    is_little ? CW_BYTES_ARRAY(little) : CW_BYTES_ARRAY(big);
	struct cw_bytes frame;
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 64);
	cw_native_frame_put(&out, cw_bytes_str("{}"));
	assert_true(cw_bytes_equal(cw_buf_bytes(&out), in));
	assert_err(cw_native_frame_take(&in, &frame), CW_OK);
	assert_true(cw_bytes_is(frame, "{}"));
	assert_int_equal(in.len, 0);
	cw_buf_wipe(&out);
}

static void
a_frame_is_taken_when_it_is_whole(void **state)
{
	struct cw_buf out;

	(void)state;
	cw_buf_init(&out, 128);
	cw_native_frame_put(&out, cw_bytes_str("{\"a\":1}"));
	cw_native_frame_put(&out, cw_bytes_str("[]"));
	for (size_t n = 0; n < 11; n++) {
		struct cw_bytes in = cw_bytes(out.ptr, n);
		struct cw_bytes frame;

		assert_err(cw_native_frame_take(&in, &frame), CW_ERR_TRUNCATED);
		assert_int_equal(in.len, n);
	}
	cw_buf_wipe(&out);
}

static void
frames_that_are_empty_or_too_large_are_refused_by_their_length(void **state)
{
	uint32_t lengths[] = { 0, CW_NATIVE_MAX + 1, UINT32_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct cw_bytes in = cw_bytes((const uint8_t *)&lengths[i], 4);
		struct cw_bytes frame;

		assert_err(cw_native_frame_take(&in, &frame),
		    lengths[i] == 0 ? CW_ERR_MALFORMED : CW_ERR_TOO_LARGE);
	}
}

static void
a_frame_of_the_largest_size_is_waited_for(void **state)
{
	uint32_t lengths[] = { CW_NATIVE_MAX - 1, CW_NATIVE_MAX };

	(void)state;
	for (size_t i = 0; i < COUNT(lengths); i++) {
		struct cw_bytes in = cw_bytes((const uint8_t *)&lengths[i], 4);
		struct cw_bytes frame;

		assert_err(cw_native_frame_take(&in, &frame), CW_ERR_TRUNCATED);
	}
}

static void
what_has_the_largest_size_is_said(void **state)
{
	(void)state;
	for (size_t len = CW_NATIVE_MAX - 1; len <= CW_NATIVE_MAX; len++) {
		struct cw_buf json, out;

		cw_buf_init(&json, 2 * CW_NATIVE_MAX);
		cw_buf_init(&out, 2 * CW_NATIVE_MAX);
		assert_non_null(cw_buf_extend(&json, len));
		cw_native_frame_put(&out, cw_buf_bytes(&json));
		assert_err(out.err, CW_OK);
		assert_int_equal(out.len, 4 + len);
		cw_buf_wipe(&json);
		cw_buf_wipe(&out);
	}
}

static void
nothing_is_said_that_is_too_large(void **state)
{
	struct cw_buf json, out;

	(void)state;
	cw_buf_init(&json, 2 * CW_NATIVE_MAX);
	cw_buf_init(&out, 2 * CW_NATIVE_MAX);
	assert_non_null(cw_buf_extend(&json, CW_NATIVE_MAX + 1));
	cw_native_frame_put(&out, cw_buf_bytes(&json));
	assert_err(out.err, CW_ERR_TOO_LARGE);
	cw_buf_wipe(&json);
	cw_buf_wipe(&out);
}

/* ---- messages ---- */

static const char *const malformed[] = {
	"",
	"null",
	"[]",
	"{}",
	"{\"type\":1}",
	"{\"type\":\"hello\"}",
	"{\"type\":\"hello\",\"version\":\"1\"}",
	"{\"type\":\"hello\",\"version\":1.5}",
	"{\"type\":\"hello\",\"version\":1,\"version\":1}",
	"{\"type\":\"hello\",\"version\":1}x",
	"{\"type\":\"hello\",\"version\":1,\"languages\":\"de\"}",
	"{\"type\":\"hello\",\"version\":1,\"languages\":[1]}",
	"{\"type\":\"hello\\u0000\",\"version\":1}",
	"{\"type\":\"hel\xff\",\"version\":1}",
	"{\"type\":\"status\",\"watch\":1}",
	"{\"type\":\"start\",\"intent\":\"\"}",
	"{\"type\":\"start\",\"origin\":null,\"intent\":\"\"}",
	"{\"type\":\"start\",\"origin\":\"https://a\",\"intent\":1}",
	"{\"type\":\"start\",\"origin\":\"https://a\",\"intent\":\"A\"}",
	"{\"type\":\"start\",\"origin\":\"https://a\",\"intent\":\"AA==\"}",
	"{\"type\":\"start\",\"origin\":\"https://a\",\"intent\":\"AB\"}",
	"{\"type\":\"start\",\"origin\":\"https://a\",\"intent\":\"A+/A\"}",
	"{\"type\":\"start\",\"origin\":\"https://a\",\"intent\":\"A A\"}",
	"{\"type\":\"accept\",\"reader\":7}",
	"{\"type\":\"accept\",\"reader\":\"a\\u0000b\"}",
	"{\"type\":\"reply\"}",
	"{\"type\":\"reply\",\"id\":-1,\"status\":200}",
	"{\"type\":\"reply\",\"id\":1}",
	"{\"type\":\"reply\",\"id\":1,\"status\":99}",
	"{\"type\":\"reply\",\"id\":1,\"status\":600}",
	"{\"type\":\"reply\",\"id\":1,\"status\":\"200\"}",
	"{\"type\":\"reply\",\"id\":1,\"error\":7}",
	"{\"type\":\"reply\",\"id\":1,\"error\":\"\"}",
	"{\"type\":\"reply\",\"id\":1,\"status\":200,\"retry_after\":-1}",
	"{\"type\":\"reply\",\"id\":1,\"status\":200,\"content_type\":1}",
	"{\"type\":\"reply\",\"id\":1e3,\"status\":200}",
	"{\"type\":\"done\"}",
	"{\"type\":\"HELLO\",\"version\":1}",
};

static void
messages_of_another_shape_are_refused(void **state)
{
	struct cw_native_message m;

	(void)state;
	cw_native_message_init(&m);
	for (size_t i = 0; i < COUNT(malformed); i++)
		if (cw_native_message_decode(cw_bytes_str(malformed[i]), &m) !=
		    CW_ERR_MALFORMED)
			fail_msg("taken: %s", malformed[i]);
	cw_native_message_wipe(&m);
}

static void
what_is_not_known_is_passed_over(void **state)
{
	struct cw_native_message m;

	(void)state;
	cw_native_message_init(&m);
	assert_err(cw_native_message_decode(
		       cw_bytes_str("{\"type\":\"hello\",\"version\":1,"
				    "\"mood\":{},\"languages\":[\"de-DE\","
				    "\"x y\",\"en\"]}"),
		       &m),
	    CW_OK);
	assert_int_equal(m.n_languages, 2);
	assert_string_equal(m.languages[1], "en");
	cw_native_message_wipe(&m);
}

static void
a_body_beyond_the_protocols_limit_is_too_large(void **state)
{
	struct cw_native_message m;
	struct cw_buf json;

	(void)state;
	cw_native_message_init(&m);
	cw_buf_init(&json, CW_NATIVE_MAX);
	cw_buf_put_str(&json,
	    "{\"type\":\"reply\",\"id\":1,\"status\":200,\"body\":\"");
	for (size_t i = 0; i < (size_t)CW_BODY_MAX / 3 * 4 + 8; i++)
		cw_buf_put_u8(&json, 'A');
	cw_buf_put_str(&json, "\"}");
	assert_err(cw_native_message_decode(cw_buf_bytes(&json), &m),
	    CW_ERR_TOO_LARGE);
	cw_buf_wipe(&json);
	cw_native_message_wipe(&m);
}

/* ---- pipes ---- */

struct ends {
	struct cw_native_pipe *pipe;
	struct cw_native_link *link;
	struct cw_local_reader reader;
	struct cw_native_message message;
	int to, from; /* the browser's */
};

static void
open_ends(struct ends *e)
{
	int in[2];
	int out[2];

	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	cw_local_reader_init(&e->reader, NULL);
	e->pipe = cw_native_pipe_open(in[0], out[1], &e->reader.base);
	assert_non_null(e->pipe);
	e->link = cw_native_pipe_link(e->pipe);
	e->to = in[1];
	e->from = out[0];
	cw_native_message_init(&e->message);
}

static void
close_ends(struct ends *e)
{
	cw_native_message_wipe(&e->message);
	cw_native_pipe_close(&e->pipe);
	close(e->to);
	close(e->from);
}

static void
write_frame(int fd, const char *json)
{
	struct cw_buf frame;

	cw_buf_init(&frame, CW_NATIVE_MAX + 4);
	cw_native_frame_put(&frame, cw_bytes_str(json));
	assert_err(cw_fd_write(fd, cw_buf_bytes(&frame)), CW_OK);
	cw_buf_wipe(&frame);
}

static void
messages_come_in_their_order_and_answers_go_out(void **state)
{
	struct ends e;
	char got[6];

	(void)state;
	open_ends(&e);
	write_frame(e.to, HELLO);
	write_frame(e.to, "{\"type\":\"refuse\"}");
	assert_err(e.link->next(e.link, 5000, &e.message), CW_OK);
	assert_int_equal(e.message.type, CW_NATIVE_HELLO);
	assert_err(e.link->next(e.link, 5000, &e.message), CW_OK);
	assert_int_equal(e.message.type, CW_NATIVE_REFUSE);
	assert_err(e.link->next(e.link, 20, &e.message), CW_ERR_PERSON_TIMEOUT);
	assert_err(e.link->send(e.link, cw_bytes_str("{}")), CW_OK);
	assert_err(cw_fd_read(e.from, got, sizeof(got)), CW_OK);
	assert_memory_equal(got + 4, "{}", 2);
	close_ends(&e);
}

static void
a_message_that_cannot_be_read_is_told_behind_those_before_it(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	write_frame(e.to, HELLO);
	write_frame(e.to, "nonsense");
	assert_err(e.link->next(e.link, 5000, &e.message), CW_OK);
	assert_err(e.link->next(e.link, 5000, &e.message), CW_ERR_MALFORMED);
	assert_false(cw_stop_requested());
	close_ends(&e);
}

static void
a_length_that_is_too_large_is_told(void **state)
{
	const uint32_t huge = UINT32_MAX;
	struct ends e;

	(void)state;
	open_ends(&e);
	assert_int_equal(write(e.to, &huge, 4), 4);
	assert_err(e.link->next(e.link, 5000, &e.message), CW_ERR_TOO_LARGE);
	close_ends(&e);
}

static void
a_flood_of_messages_ends_the_run(void **state)
{
	struct ends e;
	enum cw_err err = CW_OK;
	unsigned taken = 0;

	(void)state;
	open_ends(&e);
	for (int i = 0; i < 20; i++)
		write_frame(e.to, "{\"type\":\"refuse\"}");
	/* The thread has taken them all when the pipe is empty. */
	for (int left = 1; left > 0; poll(NULL, 0, 1))
		assert_int_equal(ioctl(e.to, FIONREAD, &left), 0);
	while ((err = e.link->next(e.link, 5000, &e.message)) == CW_OK)
		taken++;
	assert_err(err, CW_ERR_TOO_LARGE);
	assert_in_range(taken, 1, 20);
	close_ends(&e);
}

static void
a_card_that_comes_is_told(void **state)
{
	struct cw_readers readers;
	struct ends e;

	(void)state;
	open_ends(&e);
	e.link->readers(e.link, &readers);
	assert_int_equal(readers.n, 1);
	assert_string_equal(cw_watch_card(&readers.info[0]), "none");
	close_ends(&e);
}

static void
what_is_printed_goes_to_standard_error(void **state)
{
	int saved[3];
	int from = -1;
	int to = -1;
	int ends[2];
	char got[8] = { 0 };

	(void)state;
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	for (int i = 0; i < 3; i++)
		saved[i] = fcntl(i, F_DUPFD_CLOEXEC, 10);
	dup2(ends[1], STDOUT_FILENO);
	assert_err(cw_native_guard(&from, &to), CW_OK);
	assert_int_equal(write(to, "frame", 5), 5);
	assert_int_equal(dprintf(STDOUT_FILENO, "# stray\n"), 8);
	assert_int_equal(read(STDIN_FILENO, got, 1), 0);
	for (int i = 0; i < 3; i++) {
		dup2(saved[i], i);
		close(saved[i]);
	}
	close(ends[1]);
	close(to);
	close(from);
	assert_int_equal(read(ends[0], got, sizeof(got)), 5);
	assert_memory_equal(got, "frame", 5);
	close(ends[0]);
}

/* The last one: there is no way back from it. */
static void
the_end_of_the_other_side_is_heard_while_nobody_asks(void **state)
{
	struct ends e;

	(void)state;
	open_ends(&e);
	close(e.to);
	e.to = -1;
	while (!cw_stop_requested())
		poll(NULL, 0, 1);
	assert_err(e.link->next(e.link, -1, &e.message), CW_ERR_CANCELLED);
	assert_true(e.link->is_stopped(e.link));
	close_ends(&e);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_frame_is_length_in_this_machines_order_and_json),
		cmocka_unit_test(a_frame_is_taken_when_it_is_whole),
		cmocka_unit_test(
		    frames_that_are_empty_or_too_large_are_refused_by_their_length),
		cmocka_unit_test(a_frame_of_the_largest_size_is_waited_for),
		cmocka_unit_test(what_has_the_largest_size_is_said),
		cmocka_unit_test(nothing_is_said_that_is_too_large),
		cmocka_unit_test(messages_of_another_shape_are_refused),
		cmocka_unit_test(what_is_not_known_is_passed_over),
		cmocka_unit_test(
		    a_body_beyond_the_protocols_limit_is_too_large),
		cmocka_unit_test(
		    messages_come_in_their_order_and_answers_go_out),
		cmocka_unit_test(
		    a_message_that_cannot_be_read_is_told_behind_those_before_it),
		cmocka_unit_test(a_length_that_is_too_large_is_told),
		cmocka_unit_test(a_flood_of_messages_ends_the_run),
		cmocka_unit_test(a_card_that_comes_is_told),
		cmocka_unit_test(what_is_printed_goes_to_standard_error),
		cmocka_unit_test(
		    the_end_of_the_other_side_is_heard_while_nobody_asks),
	};

	cw_log_set_level(CW_LOG_ERROR);
	cw_stop_install();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
