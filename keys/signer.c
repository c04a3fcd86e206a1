/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The signer's loop: take what has come on all channels, check and sign, write
 * the log once, answer. One thread: signatures are the work, and what they are
 * for must be in one log in one order.
 */
#include "keys/signer.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "keys/confine.h"
#include "keys/signer_state.h"
#include "proto/base/fdio.h"
#include "proto/base/log.h"

struct loop {
	struct cw_signer_state state;
	size_t n, n_open;
	int channels[CW_SIGNER_CHANNELS];
	int ready; /* epoll: of what has come, without asking each channel */
	struct cw_buf answers[CW_SIGNER_CHANNELS];
	uint64_t ids[CW_SIGNER_CHANNELS];
	bool waits[CW_SIGNER_CHANNELS]; /* for its answer */
	int status;
	bool stops;
	uint8_t packet[CW_SIGNER_PACKET_MAX];
};

static void
stop(struct loop *l, int status)
{
	l->stops = true;
	l->status = status;
}

static bool
open_channels(struct loop *l)
{
	l->ready = epoll_create1(EPOLL_CLOEXEC);
	for (size_t i = 0; i < l->n && l->ready >= 0; i++) {
		struct epoll_event event = { .events = EPOLLIN, .data.u64 = i };

		if (epoll_ctl(l->ready, EPOLL_CTL_ADD, l->channels[i],
			&event) != 0)
			return false;
		l->n_open++;
	}
	return l->ready >= 0;
}

static void
end_channel(struct loop *l, size_t i)
{
	if (epoll_ctl(l->ready, EPOLL_CTL_DEL, l->channels[i], NULL) != 0)
		stop(l, CW_SIGNER_EXIT_START);
	l->n_open--;
}

/* One packet of one channel, or its end. */
static void
take(struct loop *l, size_t i)
{
	ssize_t n = recv(l->channels[i], l->packet, sizeof(l->packet),
	    MSG_DONTWAIT | MSG_TRUNC);
	enum cw_err err;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		end_channel(l, i);
		return;
	}
	err = (size_t)n > sizeof(l->packet) ?
	    CW_ERR_TOO_LARGE :
	    cw_signer_handle(&l->state, cw_bytes(l->packet, (size_t)n),
		&l->answers[i]);
	l->ids[i] = l->state.request.id;
	l->waits[i] = err == CW_OK || err == CW_ERR_SIGNER_LOG;
	if (err == CW_ERR_SIGNER_LOG || err == CW_ERR_NO_MEMORY)
		stop(l, CW_SIGNER_EXIT_LOG);
	else if (err != CW_OK)
		stop(l, CW_SIGNER_EXIT_MALFORMED);
}

static void
send_answer(struct loop *l, size_t i)
{
	const struct cw_buf *b = &l->answers[i];
	ssize_t n =
	    send(l->channels[i], b->ptr, b->len, MSG_DONTWAIT | MSG_NOSIGNAL);

	/* A web process that does not read its answers does without. */
	if (n < 0)
		cw_log(CW_LOG_WARN, "signer.answer", "channel=%zu errno=%d", i,
		    errno);
	l->waits[i] = false;
}

/* Nothing is answered before everything it depends on is durable. */
static void
finish_round(struct loop *l)
{
	bool stuck = l->stops && l->status == CW_SIGNER_EXIT_LOG;

	if (!stuck && cw_signer_log_commit(&l->state.log) != CW_OK) {
		stop(l, CW_SIGNER_EXIT_LOG);
		stuck = true;
	}
	for (size_t i = 0; i < l->n; i++) {
		if (!l->waits[i])
			continue;
		if (stuck) {
			cw_buf_reset(&l->answers[i]);
			cw_signer_answer_encode(l->ids[i], CW_ERR_SIGNER_LOG, 0,
			    CW_BYTES_NONE, &l->answers[i]);
		}
		send_answer(l, i);
	}
}

/* One request at most of each channel that waits for no answer. True if there was
 * something to take. */
static bool
take_ready(struct loop *l, int timeout_ms)
{
	struct epoll_event ready[CW_SIGNER_CHANNELS];
	int n = epoll_wait(l->ready, ready, CW_SIGNER_CHANNELS, timeout_ms);
	bool taken = false;

	if (n < 0 && errno != EINTR)
		stop(l, CW_SIGNER_EXIT_START);
	for (int i = 0; i < n; i++)
		if (!l->waits[ready[i].data.u64]) {
			take(l, ready[i].data.u64);
			taken = true;
		}
	return taken;
}

/* Before something is made durable, others that are about to ask may do so: a
 * commit costs as much for one as for all. */
static void
serve(struct loop *l)
{
	while (!l->stops && l->n_open > 0) {
		bool taken = take_ready(l, -1);

		while (taken && !l->stops && l->state.log.pending.len > 0) {
			sched_yield();
			taken = take_ready(l, 0);
		}
		finish_round(l);
	}
}

/* Only now: the state's files are open, and it will open no more. */
static enum cw_err
confine(struct loop *l, int ready_fd)
{
	int keep[CW_SIGNER_CHANNELS + 4];
	size_t n = 0;

	for (size_t i = 0; i < l->n; i++)
		keep[n++] = l->channels[i];
	keep[n++] = l->ready;
	keep[n++] = l->state.log.fd;
	keep[n++] = l->state.log.head_fd;
	if (ready_fd >= 0)
		keep[n++] = ready_fd;
	cw_confine_descriptors(keep, n);
	return cw_confine_signer();
}

static int
start(struct loop *l, const struct cw_config *config, int ready_fd)
{
	enum cw_err err = cw_signer_state_open(&l->state, config);

	if (err != CW_OK)
		return CW_SIGNER_EXIT_START;
	/* The first line also makes libc read its time zone. */
	cw_log(CW_LOG_INFO, "signer.ready", "certificates=%zu bytes=%llu",
	    l->state.log.index.n_entries,
	    (unsigned long long)l->state.log.size);
	if (!open_channels(l) || confine(l, ready_fd) != CW_OK)
		return CW_SIGNER_EXIT_START;
	if (ready_fd >= 0 && cw_fd_write(ready_fd, cw_bytes_str("R")) == CW_OK)
		close(ready_fd);
	return CW_SIGNER_EXIT_OK;
}

int
cw_signer_run(const struct cw_config *config, const int *channels, size_t n,
    int ready_fd)
{
	struct loop *l = calloc(1, sizeof(*l));
	int status;

	if (l == NULL || n == 0 || n > CW_SIGNER_CHANNELS) {
		free(l);
		return CW_SIGNER_EXIT_START;
	}
	l->n = n;
	l->ready = -1;
	for (size_t i = 0; i < n; i++) {
		l->channels[i] = channels[i];
		cw_buf_init(&l->answers[i], CW_SIGNER_PACKET_MAX);
	}
	l->status = start(l, config, ready_fd);
	if (l->status == CW_SIGNER_EXIT_OK) {
		serve(l);
		cw_signer_state_close(&l->state);
	}
	if (l->ready >= 0)
		close(l->ready);
	for (size_t i = 0; i < n; i++)
		cw_buf_wipe(&l->answers[i]);
	status = l->status;
	free(l);
	return status;
}
