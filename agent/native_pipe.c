/* SPDX-License-Identifier: Apache-2.0 */
/* Two descriptors, a queue and a bell. */
#include "agent/native_pipe.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "agent/native_frame.h"
#include "agent/stop.h"
#include "proto/base/fdio.h"

#define QUEUE_MAX 8 /* messages that nobody has asked for yet */
#define CHUNK 65536

struct entry {
	enum cw_err err; /* of decoding; the last entry then */
	struct cw_native_message message;
};

struct cw_native_pipe {
	struct cw_native_link base;
	int from, to, bell;
	int quit[2]; /* a pipe: ends the thread that reads */
	struct cw_watch *watch;
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	size_t n, first; /* of the ring; under the lock */
	struct entry queue[QUEUE_MAX];
	/* The reading thread's own. */
	struct entry taken;
	bool is_quitting;
};

/* ---- the thread that reads ---- */

static void
ring(const struct cw_native_pipe *p)
{
	const uint64_t one = 1;
	ssize_t ignored = write(p->bell, &one, sizeof(one));

	(void)ignored;
}

/* Takes what is in p->taken. A peer that goes on without being asked anything
 * is told that it is too much. */
static void
push(struct cw_native_pipe *p)
{
	pthread_mutex_lock(&p->lock);
	if (p->n < QUEUE_MAX) {
		struct entry *e = &p->queue[(p->first + p->n++) % QUEUE_MAX];
		struct cw_buf none = e->message.response.body;

		*e = p->taken;
		p->taken.message.response.body = none;
		if (p->n == QUEUE_MAX)
			e->err = CW_ERR_TOO_LARGE;
	}
	pthread_mutex_unlock(&p->lock);
	cw_native_message_wipe(&p->taken.message);
	ring(p);
}

/* All whole frames of `have`. False when nothing more is to be read. */
static bool
take_frames(struct cw_native_pipe *p, struct cw_buf *have)
{
	struct cw_bytes in = cw_buf_bytes(have);
	struct cw_bytes frame;
	size_t used;
	enum cw_err err;

	while ((err = cw_native_frame_take(&in, &frame)) == CW_OK) {
		p->taken.err =
		    cw_native_message_decode(frame, &p->taken.message);
		if (p->taken.message.type == CW_NATIVE_CANCEL)
			return false;
		err = p->taken.err;
		push(p);
		if (err != CW_OK)
			break;
	}
	if (err != CW_ERR_TRUNCATED) {
		if (p->taken.err == CW_OK) {
			p->taken.err = err;
			push(p);
		}
		return false;
	}
	used = have->len - in.len;
	if (used > 0) {
		memmove(have->ptr, have->ptr + used, in.len);
		cw_buf_truncate(have, in.len);
	}
	return true;
}

/* More bytes into `have`; false at the end. */
static bool
read_more(struct cw_native_pipe *p, struct cw_buf *have)
{
	struct pollfd fds[2] = { { .fd = p->from, .events = POLLIN },
		{ .fd = p->quit[0], .events = POLLIN } };
	size_t before = have->len;
	uint8_t *to;
	ssize_t n;

	if (poll(fds, 2, -1) < 0)
		return errno == EINTR;
	if (fds[1].revents != 0) {
		p->is_quitting = true;
		return false;
	}
	to = cw_buf_extend(have, CHUNK);
	if (to == NULL)
		return false;
	n = read(p->from, to, CHUNK);
	cw_buf_truncate(have, before + (n > 0 ? (size_t)n : 0));
	return n > 0 || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

static void *
read_all(void *arg)
{
	struct cw_native_pipe *p = arg;
	struct cw_buf have;
	bool ended = false;

	cw_buf_init(&have, CW_NATIVE_HEAD + CW_NATIVE_MAX + CHUNK);
	while (!ended && take_frames(p, &have))
		ended = !read_more(p, &have);
	cw_buf_wipe(&have);
	/* The end of the other side, or its cancel; but a message that cannot
	 * be read gets an answer. */
	if (p->taken.err == CW_OK && !p->is_quitting) {
		cw_stop_request();
		ring(p);
	}
	return NULL;
}

/* ---- the link ---- */

static bool
pop(struct cw_native_pipe *p, struct cw_native_message *out, enum cw_err *err)
{
	bool found;

	pthread_mutex_lock(&p->lock);
	found = p->n > 0;
	if (found) {
		struct entry *e = &p->queue[p->first];
		struct cw_buf none = out->response.body;

		*err = e->err;
		*out = e->message;
		e->message.response.body = none;
		cw_native_message_wipe(&e->message);
		p->first = (p->first + 1) % QUEUE_MAX;
		p->n--;
	}
	pthread_mutex_unlock(&p->lock);
	return found;
}

static enum cw_err
pipe_next(struct cw_native_link *link, int timeout_ms,
    struct cw_native_message *out)
{
	struct cw_native_pipe *p = (struct cw_native_pipe *)link;
	uint64_t end = cw_clock_monotonic_ms() + (uint64_t)(timeout_ms + 1);

	for (;;) {
		uint64_t now = cw_clock_monotonic_ms();
		uint64_t rings;
		ssize_t ignored;
		enum cw_err err;

		cw_native_message_wipe(out);
		if (cw_stop_requested())
			return CW_ERR_CANCELLED;
		if (pop(p, out, &err))
			return err;
		if (p->watch != NULL && cw_watch_has_changed(p->watch))
			return CW_OK;
		err = cw_stop_poll(p->bell,
		    timeout_ms < 0 ? -1 :
			now >= end ? 0 :
				     (int)(end - now));
		if (err == CW_ERR_REFUSED)
			return CW_ERR_CANCELLED;
		if (err != CW_OK)
			return err;
		ignored = read(p->bell, &rings, sizeof(rings));
		(void)ignored;
	}
}

static enum cw_err
pipe_send(struct cw_native_link *link, struct cw_bytes json)
{
	struct cw_native_pipe *p = (struct cw_native_pipe *)link;
	struct cw_buf frame;
	enum cw_err err;

	cw_buf_init(&frame, CW_NATIVE_HEAD + CW_NATIVE_MAX);
	cw_native_frame_put(&frame, json);
	err = frame.err;
	if (err == CW_OK)
		err = cw_fd_write(p->to, cw_buf_bytes(&frame));
	cw_buf_wipe(&frame);
	return err;
}

static void
pipe_readers(struct cw_native_link *link, struct cw_readers *out)
{
	struct cw_native_pipe *p = (struct cw_native_pipe *)link;

	memset(out, 0, sizeof(*out));
	if (p->watch != NULL)
		cw_watch_get(p->watch, out);
	else
		out->err = CW_ERR_NO_PCSC;
}

static bool
pipe_is_stopped(struct cw_native_link *link)
{
	(void)link;
	return cw_stop_requested();
}

struct cw_native_link *
cw_native_pipe_link(struct cw_native_pipe *p)
{
	return &p->base;
}

struct cw_native_pipe *
cw_native_pipe_open(int from, int to, struct cw_reader *watched)
{
	struct cw_native_pipe *p = calloc(1, sizeof(*p));

	if (p == NULL) {
		cw_reader_close(&watched);
		close(from);
		close(to);
		return NULL;
	}
	p->base = (struct cw_native_link){ .next = pipe_next,
		.send = pipe_send,
		.readers = pipe_readers,
		.is_stopped = pipe_is_stopped };
	p->from = from;
	p->to = to;
	p->quit[0] = p->quit[1] = -1;
	pthread_mutex_init(&p->lock, NULL);
	for (size_t i = 0; i < QUEUE_MAX; i++)
		cw_native_message_init(&p->queue[i].message);
	cw_native_message_init(&p->taken.message);
	p->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	p->watch = cw_watch_start(watched, p->bell);
	p->has_thread = p->bell >= 0 && pipe2(p->quit, O_CLOEXEC) == 0 &&
	    pthread_create(&p->thread, NULL, read_all, p) == 0;
	if (!p->has_thread || p->watch == NULL)
		cw_native_pipe_close(&p);
	return p;
}

void
cw_native_pipe_close(struct cw_native_pipe **pipe)
{
	struct cw_native_pipe *p = *pipe;

	*pipe = NULL;
	if (p == NULL)
		return;
	cw_watch_stop(&p->watch);
	if (p->quit[1] >= 0)
		close(p->quit[1]);
	if (p->has_thread)
		pthread_join(p->thread, NULL);
	if (p->quit[0] >= 0)
		close(p->quit[0]);
	if (p->bell >= 0)
		close(p->bell);
	close(p->from);
	close(p->to);
	for (size_t i = 0; i < QUEUE_MAX; i++)
		cw_native_message_wipe(&p->queue[i].message);
	cw_native_message_wipe(&p->taken.message);
	pthread_mutex_destroy(&p->lock);
	free(p);
}

enum cw_err
cw_native_guard(int *from, int *to)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	*from = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3);
	*to = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (nothing < 0 || *from < 0 || *to < 0 ||
	    dup2(nothing, STDIN_FILENO) < 0)
		return CW_ERR_IO;
	/* Without a standard error, what is said there goes nowhere. */
	if (fcntl(STDERR_FILENO, F_GETFD) < 0 &&
	    dup2(nothing, STDERR_FILENO) < 0)
		return CW_ERR_IO;
	if (dup2(STDERR_FILENO, STDOUT_FILENO) < 0)
		return CW_ERR_IO;
	if (nothing > STDERR_FILENO)
		close(nothing);
	return CW_OK;
}
