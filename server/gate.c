/* SPDX-License-Identifier: Apache-2.0 */
/* Places and deadlines. */
#include "server/gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "proto/base/clock.h"
#include "proto/base/log.h"
#include "server/limit.h"

/* Descriptors are small numbers: connections, and some dozens of others. */
#define FDS_MAX (CW_GATE_CONNECTIONS * 4)

/* A place that is needed is taken from a client that had at least this long for
 * what it is doing. An honest one needs a round trip or two. */
#define GRACE_MS 1000u

/* So many wait for a place; the others are not accepted yet. */
#define WAITING_MAX 64u
#define TICK_MS 50

#define LOG_EVERY_MS 10000u

static const unsigned phase_ms[] = {
	[CW_GATE_HANDSHAKE] = 5000,
	[CW_GATE_HEAD] = 5000,
	[CW_GATE_BODY] = 10000,
	[CW_GATE_ANSWER] = 0,
	[CW_GATE_SEND] = 10000,
	[CW_GATE_DRAIN] = 2000,
	[CW_GATE_IDLE] = 15000,
};

struct place {
	enum cw_gate_phase phase;
	bool is_over;       /* by its deadline, or: */
	bool is_ending;     /* its place is given to another */
	bool is_claimed;    /* the network is one that a proxy named */
	uint64_t since_ms;  /* of the phase */
	uint8_t network[8]; /* as cw_limit_network; n_network 0: none */
	uint8_t n_network;
	uint8_t hash; /* of the network */
};

static struct gate {
	pthread_mutex_t mutex;
	pthread_cond_t freed;
	struct place *places; /* by descriptor; NULL: not open */
	unsigned held;
	unsigned ending; /* of those, told to go for another's sake */
	bool plain;
	uint64_t logged_ms;
} gate = { .mutex = PTHREAD_MUTEX_INITIALIZER,
	.freed = PTHREAD_COND_INITIALIZER };

/* Of the connection that this thread serves. A thread polls a connection before
 * anything else is done with it. */
static _Thread_local int own_fd = -1;
static _Thread_local bool begins;
static _Thread_local int given_fd = -1;

enum cw_err
cw_gate_open(bool plain)
{
	struct place *places = calloc(FDS_MAX, sizeof(*places));

	if (places == NULL)
		return CW_ERR_NO_MEMORY;
	pthread_mutex_lock(&gate.mutex);
	gate.places = places;
	gate.held = gate.ending = 0;
	gate.plain = plain;
	gate.logged_ms = 0;
	pthread_mutex_unlock(&gate.mutex);
	return CW_OK;
}

void
cw_gate_shut(void)
{
	pthread_mutex_lock(&gate.mutex);
	free(gate.places);
	gate.places = NULL;
	pthread_mutex_unlock(&gate.mutex);
}

/* With the mutex held. NULL: it is no connection. */
static struct place *
place_of(int fd)
{
	if (gate.places == NULL || fd < 0 || (unsigned)fd >= FDS_MAX ||
	    gate.places[fd].phase == CW_GATE_FREE)
		return NULL;
	return &gate.places[fd];
}

static void
set_phase(struct place *p, enum cw_gate_phase phase)
{
	p->phase = phase;
	p->since_ms = cw_clock_monotonic_ms();
	p->is_over = p->is_ending;
}

/* ---- places ---- */

static bool
same_network(const struct place *p, struct cw_bytes network)
{
	return p->phase != CW_GATE_FREE &&
	    cw_bytes_equal(cw_bytes(p->network, p->n_network), network);
}

/* Connections of a network that stay; of no network they are not counted. */
static unsigned
count(struct cw_bytes network)
{
	unsigned n = 0;

	if (network.len == 0)
		return 0;
	for (unsigned fd = 0; fd < FDS_MAX; fd++)
		n += same_network(&gate.places[fd], network) &&
		    !gate.places[fd].is_ending;
	return n;
}

static void
set_network(struct place *p, struct cw_bytes network)
{
	p->hash = 0;
	p->n_network = (uint8_t)network.len;
	for (size_t i = 0; i < network.len; i++) {
		p->network[i] = network.ptr[i];
		p->hash = (uint8_t)(p->hash * 31 + network.ptr[i]);
	}
}

static bool
may_be_ended(const struct place *p, uint64_t now_ms)
{
	return p->phase != CW_GATE_FREE && p->phase != CW_GATE_ANSWER &&
	    !p->is_over && now_ms - p->since_ms >= GRACE_MS;
}

/* Ends the wait of one: of this network, or, where none is given, of the one
 * that has most (by its hash, which is near enough); and there the longest. */
static bool
end_one(struct cw_bytes network)
{
	uint64_t now_ms = cw_clock_monotonic_ms();
	unsigned of[256] = { 0 };
	struct place *best = NULL;

	for (unsigned fd = 0; fd < FDS_MAX; fd++)
		of[gate.places[fd].hash] += gate.places[fd].n_network > 0;
	for (unsigned fd = 0; fd < FDS_MAX; fd++) {
		struct place *p = &gate.places[fd];

		if (may_be_ended(p, now_ms) &&
		    (network.len == 0 || same_network(p, network)) &&
		    (best == NULL || of[p->hash] > of[best->hash] ||
			(of[p->hash] == of[best->hash] &&
			    p->since_ms < best->since_ms)))
			best = p;
	}
	if (best == NULL)
		return false;
	best->is_over = best->is_ending = true;
	gate.ending++;
	/* Wakes its thread, which is in poll. */
	(void)shutdown((int)(best - gate.places), SHUT_RD);
	return true;
}

static void
say_full(const char *what)
{
	uint64_t now_ms = cw_clock_monotonic_ms();

	if (gate.logged_ms != 0 && now_ms - gate.logged_ms < LOG_EVERY_MS)
		return;
	gate.logged_ms = now_ms;
	cw_log(CW_LOG_WARN, "gate.full", "connections=%u what=%s", gate.held,
	    what);
}

/* Places for those that wait. True if more of them can. */
static bool
make_room(void)
{
	if (gate.places == NULL)
		return true;
	if (gate.held > CW_GATE_CONNECTIONS)
		say_full("all");
	while (gate.held - gate.ending > CW_GATE_CONNECTIONS &&
	    end_one(CW_BYTES_NONE))
		continue;
	return gate.held < CW_GATE_CONNECTIONS + WAITING_MAX;
}

/* Which network an address is of, for the places. */
static struct cw_bytes
network_of(const struct sockaddr_storage *a, uint8_t out[17])
{
	char text[INET6_ADDRSTRLEN] = "";

	if (a->ss_family == AF_INET)
		inet_ntop(AF_INET, &((const struct sockaddr_in *)a)->sin_addr,
		    text, sizeof(text));
	else if (a->ss_family == AF_INET6)
		inet_ntop(AF_INET6,
		    &((const struct sockaddr_in6 *)a)->sin6_addr, text,
		    sizeof(text));
	return cw_limit_network(text, out);
}

static bool
admit(int fd, struct cw_bytes network)
{
	struct place *p;

	if (gate.places == NULL || (unsigned)fd >= FDS_MAX)
		return false;
	/* Many people may share an address: the newcomer is served, and one
	 * that waits gives its place up. */
	if (count(network) >= CW_GATE_PER_NETWORK) {
		say_full("network");
		if (!end_one(network))
			return false;
	}
	p = &gate.places[fd];
	memset(p, 0, sizeof(*p));
	set_phase(p, CW_GATE_HANDSHAKE);
	set_network(p, network);
	gate.held++;
	return true;
}

/* Without a handshake there is nothing that can be said in TLS. */
static void
turn_away(int fd)
{
	static const char busy[] = "HTTP/1.1 503 Service Unavailable\r\n"
				   "Retry-After: 1\r\nContent-Length: 0\r\n"
				   "Connection: close\r\n\r\n";

	if (gate.plain)
		(void)send(fd, busy, sizeof(busy) - 1,
		    MSG_NOSIGNAL | MSG_DONTWAIT);
	close(fd);
}

void
cw_gate_give(int fd)
{
	given_fd = fd;
}

int
cw_gate_bind(int fd, const struct sockaddr *address, socklen_t len)
{
	int given = given_fd;

	given_fd = -1;
	if (given < 0)
		return bind(fd, address, len);
	return dup3(given, fd, O_CLOEXEC) < 0 ? -1 : 0;
}

static void
present(struct sockaddr *address, socklen_t *len)
{
	const struct sockaddr_in loopback = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };

	if (address->sa_family != AF_UNIX)
		return;
	memcpy(address, &loopback, sizeof(loopback));
	*len = sizeof(loopback);
}

int
cw_gate_getsockname(int fd, struct sockaddr *address, socklen_t *len)
{
	int result = getsockname(fd, address, len);

	if (result == 0)
		present(address, len);
	return result;
}

int
cw_gate_accept(int listener, struct sockaddr *address, socklen_t *len)
{
	int fd = accept(listener, address, len);
	struct sockaddr_storage peer = { .ss_family = AF_UNSPEC };
	uint8_t memory[17];
	bool admitted;

	if (fd < 0)
		return fd;
	present(address, len);
	memcpy(&peer, address, *len < sizeof(peer) ? *len : sizeof(peer));
	pthread_mutex_lock(&gate.mutex);
	admitted = admit(fd, network_of(&peer, memory));
	pthread_mutex_unlock(&gate.mutex);
	if (admitted)
		return fd;
	turn_away(fd);
	errno = ECONNABORTED;
	return -1;
}

int
cw_gate_close(int fd)
{
	struct place *p;

	/* Free before the number is: it is another's the moment it is closed. */
	pthread_mutex_lock(&gate.mutex);
	p = place_of(fd);
	if (p != NULL) {
		gate.held--;
		gate.ending -= p->is_ending;
		memset(p, 0, sizeof(*p)); /* CW_GATE_FREE */
		pthread_cond_signal(&gate.freed);
	}
	pthread_mutex_unlock(&gate.mutex);
	return close(fd);
}

/* ---- deadlines ---- */

void
cw_gate_begin(void)
{
	begins = true;
}

void
cw_gate_enter(enum cw_gate_phase phase)
{
	struct place *p;

	pthread_mutex_lock(&gate.mutex);
	p = place_of(own_fd);
	if (p != NULL)
		set_phase(p, phase);
	if (p != NULL && p->is_claimed && phase == CW_GATE_IDLE) {
		set_network(p, CW_BYTES_NONE);
		p->is_claimed = false;
	}
	pthread_mutex_unlock(&gate.mutex);
}

bool
cw_gate_is_over(void)
{
	struct place *p;
	bool is_over;

	pthread_mutex_lock(&gate.mutex);
	p = place_of(own_fd);
	is_over = p == NULL || p->is_over;
	pthread_mutex_unlock(&gate.mutex);
	return is_over;
}

bool
cw_gate_claim(struct cw_bytes network)
{
	struct place *p;
	bool good;

	pthread_mutex_lock(&gate.mutex);
	p = place_of(own_fd);
	good = p == NULL || same_network(p, network) ||
	    count(network) < CW_GATE_PER_NETWORK;
	if (good && p != NULL && network.len <= sizeof(p->network)) {
		set_network(p, network);
		p->is_claimed = true;
	}
	pthread_mutex_unlock(&gate.mutex);
	return good;
}

static bool
is_connection(int fd)
{
	bool is;

	pthread_mutex_lock(&gate.mutex);
	is = place_of(fd) != NULL;
	pthread_mutex_unlock(&gate.mutex);
	return is;
}

/* Milliseconds that the connection has left; -1: it is none, or has all time. */
static int
time_left(int fd)
{
	struct place *p;
	uint64_t spent;
	int left = -1;

	pthread_mutex_lock(&gate.mutex);
	p = place_of(fd);
	if (p != NULL) {
		own_fd = fd;
		if (begins)
			set_phase(p, CW_GATE_HEAD);
		begins = false;
		spent = cw_clock_monotonic_ms() - p->since_ms;
		if (phase_ms[p->phase] != 0) {
			p->is_over |= spent >= phase_ms[p->phase];
			left =
			    p->is_over ? 0 : (int)(phase_ms[p->phase] - spent);
		}
	}
	pthread_mutex_unlock(&gate.mutex);
	return left;
}

/* After a wait; false if it must not go on. */
static bool
may_go_on(int fd, bool has_come)
{
	struct place *p;
	bool good;

	pthread_mutex_lock(&gate.mutex);
	p = place_of(fd);
	good = p == NULL || !p->is_over;
	if (p != NULL && good && has_come && p->phase == CW_GATE_IDLE)
		set_phase(p, CW_GATE_HEAD);
	pthread_mutex_unlock(&gate.mutex);
	return good;
}

/* civetweb's thread that accepts: it also looks after those that wait, as often
 * as it is asked for connections or TICK_MS pass. */
static int
poll_listeners(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	struct timespec until;
	bool room;
	bool crowded;

	pthread_mutex_lock(&gate.mutex);
	room = make_room();
	crowded = gate.held > CW_GATE_CONNECTIONS;
	if (!room) {
		clock_gettime(CLOCK_REALTIME, &until);
		until.tv_nsec += TICK_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000L;
		until.tv_nsec %= 1000000000L;
		(void)pthread_cond_timedwait(&gate.freed, &gate.mutex, &until);
	}
	pthread_mutex_unlock(&gate.mutex);
	if (!room)
		return 0;
	return poll(fds, n,
	    crowded && (timeout_ms < 0 || timeout_ms > TICK_MS) ? TICK_MS :
								  timeout_ms);
}

int
cw_gate_poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	int fd = fds[0].fd;
	int left;
	int result;

	if (!is_connection(fd))
		return poll_listeners(fds, n, timeout_ms);
	left = time_left(fd);
	if (left > 0 && (timeout_ms < 0 || left < timeout_ms))
		timeout_ms = left;
	result = left == 0 ? 0 : poll(fds, n, timeout_ms);
	if (may_go_on(fd, result > 0))
		return result;
	/* civetweb would go on trying to write. */
	if ((fds[0].events & POLLOUT) != 0)
		(void)shutdown(fd, SHUT_RDWR);
	errno = ETIMEDOUT;
	return -1;
}
