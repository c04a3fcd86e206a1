/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients that take their time, more of them than the issuer has places, and
 * each that loses its place comes again: connections without a handshake, heads
 * and bodies that drip, and idle ones. An honest session between them works.
 * TIMEOUT: 120
 */
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/gate.h"
#include "tests/support/fault_world.h"

#define SLOW (CW_GATE_CONNECTIONS + 64u)
#define DRIP_MS 50
#define FOR_MS 3000u
#define REASONABLE_MS 10000u

static struct cw_fault_world *world;
static unsigned sessions;

enum kind { MUTE, DRIPPING_HEAD, DRIPPING_BODY, IDLE, KINDS };

struct slow {
	enum kind kind;
	int fd; /* -1: not connected */
	SSL *ssl;
};

struct crowd {
	struct slow clients[SLOW];
	SSL_CTX *ctx;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t changed;
	bool is_there; /* all have been connected once */
	bool stop;
	unsigned connected; /* in all */
};

static void
hang_up(struct slow *c)
{
	SSL_free(c->ssl);
	c->ssl = NULL;
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

/* What it says first, honestly or not. */
static bool
greet(struct slow *c)
{
	char text[512];
	int n = 0;

	if (c->kind == DRIPPING_HEAD)
		n = snprintf(text, sizeof(text), "GET /healthz HTTP/1.1\r\n");
	if (c->kind == DRIPPING_BODY)
		n = snprintf(text, sizeof(text),
		    "POST /session/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\n"
		    "Host: x\r\nOrigin: %s\r\nContent-Length: 60000\r\n"
		    "Content-Type: " CW_MEDIA_TYPE "\r\n\r\n",
		    world->daemon.url);
	if (c->kind == IDLE)
		n = snprintf(text, sizeof(text),
		    "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	return SSL_write(c->ssl, text, n) == n;
}

static bool
call(struct crowd *crowd, struct slow *c)
{
	struct sockaddr_in to = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)world->daemon.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 2 };

	c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (c->fd < 0 ||
	    setsockopt(c->fd, SOL_SOCKET, SO_RCVTIMEO, &patience,
		sizeof(patience)) != 0 ||
	    connect(c->fd, (struct sockaddr *)&to, sizeof(to)) != 0)
		return false;
	crowd->connected++;
	if (c->kind == MUTE)
		return true;
	c->ssl = SSL_new(crowd->ctx);
	return c->ssl != NULL && SSL_set_fd(c->ssl, c->fd) == 1 &&
	    SSL_connect(c->ssl) == 1 && greet(c);
}

static bool
is_still_there(struct slow *c)
{
	struct pollfd p = { .fd = c->fd, .events = POLLRDHUP };

	if (c->fd < 0 || poll(&p, 1, 0) != 0)
		return false;
	if (c->kind == DRIPPING_HEAD || c->kind == DRIPPING_BODY)
		return SSL_write(c->ssl, "x", 1) == 1;
	return true;
}

/* Until it is told to stop; true if it is. */
static bool
wait_a_little(struct crowd *crowd)
{
	struct timespec until;
	bool stop;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_nsec += DRIP_MS * 1000000L;
	until.tv_sec += until.tv_nsec / 1000000000L;
	until.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&crowd->mutex);
	crowd->is_there = true;
	pthread_cond_broadcast(&crowd->changed);
	while (!crowd->stop &&
	    pthread_cond_timedwait(&crowd->changed, &crowd->mutex, &until) == 0)
		continue;
	stop = crowd->stop;
	pthread_mutex_unlock(&crowd->mutex);
	return stop;
}

static void *
crowd_main(void *arg)
{
	struct crowd *crowd = arg;

	do {
		for (size_t i = 0; i < SLOW; i++) {
			struct slow *c = &crowd->clients[i];

			if (is_still_there(c))
				continue;
			hang_up(c);
			if (!call(crowd, c))
				hang_up(c);
		}
	} while (!wait_a_little(crowd));
	for (size_t i = 0; i < SLOW; i++)
		hang_up(&crowd->clients[i]);
	return NULL;
}

static void
crowd_start(struct crowd *crowd, bool only, enum kind kind)
{
	memset(crowd, 0, sizeof(*crowd));
	crowd->ctx = SSL_CTX_new(TLS_client_method());
	assert_non_null(crowd->ctx);
	pthread_mutex_init(&crowd->mutex, NULL);
	pthread_cond_init(&crowd->changed, NULL);
	for (size_t i = 0; i < SLOW; i++) {
		crowd->clients[i].kind = only ? kind : (enum kind)(i % KINDS);
		crowd->clients[i].fd = -1;
	}
	assert_int_equal(pthread_create(&crowd->thread, NULL, crowd_main,
			     crowd),
	    0);
	pthread_mutex_lock(&crowd->mutex);
	while (!crowd->is_there)
		pthread_cond_wait(&crowd->changed, &crowd->mutex);
	pthread_mutex_unlock(&crowd->mutex);
}

static void
crowd_stop(struct crowd *crowd)
{
	pthread_mutex_lock(&crowd->mutex);
	crowd->stop = true;
	pthread_cond_broadcast(&crowd->changed);
	pthread_mutex_unlock(&crowd->mutex);
	pthread_join(crowd->thread, NULL);
	SSL_CTX_free(crowd->ctx);
	pthread_cond_destroy(&crowd->changed);
	pthread_mutex_destroy(&crowd->mutex);
}

/* A new card, a new invitation, all eight messages; milliseconds that it took. */
static unsigned
enroll(void)
{
	uint64_t begin;
	uint64_t ms;
	bool resumed;

	cw_fault_card(world);
	cw_fault_invite(world, 1);
	begin = cw_clock_monotonic_ms();
	assert_err(cw_fault_enroll(world, &resumed), CW_OK);
	ms = cw_clock_monotonic_ms() - begin;
	cw_fault_card_wipe(world);
	sessions++;
	return (unsigned)ms;
}

static void
enroll_among(bool only, enum kind kind)
{
	struct crowd *crowd = malloc(sizeof(*crowd));
	uint64_t begin;
	unsigned worst = 0;
	unsigned n = 0;

	assert_non_null(crowd);
	crowd_start(crowd, only, kind);
	begin = cw_clock_monotonic_ms();
	do {
		unsigned ms = enroll();

		worst = ms > worst ? ms : worst;
		n++;
	} while (cw_clock_monotonic_ms() - begin < FOR_MS);
	crowd_stop(crowd);
	print_message("# %u sessions, %u ms at most, %u slow connections\n", n,
	    worst, crowd->connected);
	assert_true(worst < REASONABLE_MS);
	/* Those that lost their place have come again. */
	assert_true(crowd->connected > SLOW);
	free(crowd);
}

static void
a_session_works_among_connections_without_a_handshake(void **state)
{
	(void)state;
	enroll_among(true, MUTE);
}

static void
a_session_works_among_heads_that_drip(void **state)
{
	(void)state;
	enroll_among(true, DRIPPING_HEAD);
}

static void
a_session_works_among_bodies_that_drip(void **state)
{
	(void)state;
	enroll_among(true, DRIPPING_BODY);
}

static void
a_session_works_among_idle_connections(void **state)
{
	(void)state;
	enroll_among(true, IDLE);
}

static void
a_session_works_among_all_of_them(void **state)
{
	(void)state;
	enroll_among(false, MUTE);
	assert_certificates(world, sessions, 0u);
	assert_int_equal(cw_daemon_logged(&world->daemon, "child.died"), 0);
}

static int
begin(void **state)
{
	(void)state;
	signal(SIGPIPE, SIG_IGN);
	world = cw_fault_world_new("threads = 4\n", NULL);
	return world == NULL;
}

static int
end(void **state)
{
	(void)state;
	cw_fault_world_free(world);
	return 0;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
		    a_session_works_among_connections_without_a_handshake),
		cmocka_unit_test(a_session_works_among_heads_that_drip),
		cmocka_unit_test(a_session_works_among_bodies_that_drip),
		cmocka_unit_test(a_session_works_among_idle_connections),
		cmocka_unit_test(a_session_works_among_all_of_them),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
