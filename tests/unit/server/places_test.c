/* SPDX-License-Identifier: Apache-2.0 */
/* RUN: threads
 * TIMEOUT: 120
 * Connections: how many, of whom, for how long, and where they come in. */
#include <stdio.h>
#include <stdlib.h>
#include <arpa/inet.h>
#include <poll.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "server/gate.h"
#include "server/listen.h"
#include "tests/support/web_world.h"

union address {
	struct sockaddr any;
	struct sockaddr_in6 v6;
	struct sockaddr_un path;
};

#define CLIENTS 40

/* A byte now and then does not help. */
static void
what_does_not_come_in_time_is_told_so(void **state)
{
	static const char *const begin[] = {
		"GET /healthz HTTP/1.1\r\nHost: ",
		"POST /session/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: x\r\n"
		"Content-Type: " CW_MEDIA_TYPE "\r\nContent-Length: 60000\r\n"
		"Origin: ",
	};
	struct cw_web_world *x = *state;
	char answer[4096];

	for (size_t i = 0; i < COUNT(begin); i++) {
		struct pollfd p = { .fd = cw_web_connect(x), .events = POLLIN };
		unsigned drips = 0;

		cw_web_say(p.fd, begin[i]);
		if (i == 1) {
			cw_web_say(p.fd, x->w->config.url);
			cw_web_say(p.fd, "\r\n\r\n");
		}
		while (poll(&p, 1, 100) == 0 && drips++ < 150)
			cw_web_say(p.fd, "x");
		cw_web_receive(p.fd, answer, sizeof(answer), CW_WEB_MS);
		assert_memory_equal(answer, "HTTP/1.1 408 ", 13);
		assert_non_null(strstr(answer, "Connection: close"));
		close(p.fd);
	}
}

static void
a_body_that_never_comes_does_not_stop_the_others(void **state)
{
	struct cw_web_world *x = *state;
	char answer[4096];
	int slow = cw_web_connect(x);
	int fd = cw_web_connect(x);

	cw_web_say(slow,
	    "POST /session HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nx");
	cw_web_say(fd,
	    "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
	assert_non_null(strstr(answer, " 200 "));
	close(slow);
	close(fd);
}

/* ---- more clients than threads ---- */

struct client {
	const struct cw_web_world *x;
	unsigned good, busy, other;
};

static void *
client_main(void *arg)
{
	struct client *c = arg;
	char answer[4096];

	for (unsigned i = 0; i < 3; i++) {
		int fd = cw_web_connect(c->x);

		cw_web_say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
		close(fd);
		if (strstr(answer, "HTTP/1.1 200") != NULL)
			c->good++;
		else if (strstr(answer, "HTTP/1.1 503") != NULL &&
		    strstr(answer, "Retry-After: ") != NULL)
			c->busy++;
		else
			c->other++;
	}
	return NULL;
}

static void
with_more_clients_than_threads_each_is_served_or_told_to_retry(void **state)
{
	struct cw_web_world *x = *state;
	struct client clients[CLIENTS];
	pthread_t threads[CLIENTS];
	unsigned good = 0;

	memset(clients, 0, sizeof(clients));
	for (size_t i = 0; i < CLIENTS; i++) {
		clients[i].x = x;
		pthread_create(&threads[i], NULL, client_main, &clients[i]);
	}
	for (size_t i = 0; i < CLIENTS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(clients[i].other, 0);
		good += clients[i].good;
	}
	assert_true(good > CLIENTS);
}

static void
idle_clients_do_not_keep_all_threads(void **state)
{
	struct cw_web_world *x = *state;
	int idle[CLIENTS];
	char answer[4096];
	time_t start = time(NULL);
	int fd;

	for (size_t i = 0; i < CLIENTS; i++) {
		idle[i] = cw_web_connect(x);
		cw_web_say(idle[i], "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	}
	fd = cw_web_connect(x);
	cw_web_say(fd,
	    "GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
	cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
	assert_non_null(strstr(answer, "HTTP/1.1 "));
	assert_true(time(NULL) - start < 20);
	close(fd);
	for (size_t i = 0; i < CLIENTS; i++)
		close(idle[i]);
}

/* ---- behind a proxy ---- */

/* A request whose body has not come, for a client that the proxy names. */
static int
begin_for(const struct cw_web_world *x, const char *client)
{
	char request[1024];
	int fd = cw_web_connect(x);

	snprintf(request, sizeof(request),
	    "POST /session/AAAAAAAAAAAAAAAAAAAAAA HTTP/1.1\r\nHost: x\r\n"
	    "Content-Length: 9\r\nOrigin: %.100s\r\n"
	    "Content-Type: " CW_MEDIA_TYPE "\r\n"
	    "X-Forwarded-For: 198.51.100.9\r\nX-Forwarded-For: %s\r\n\r\n",
	    x->w->config.url, client);
	cw_web_say(fd, request);
	return fd;
}

/* The one of them that is answered; the test fails if there is not just one. */
static size_t
find_refused(struct pollfd *fds, size_t n)
{
	char answer[4096];
	size_t refused = n;

	assert_true(poll(fds, n, CW_WEB_MS) > 0);
	(void)poll(NULL, 0, 300); /* for others, which there must not be */
	(void)poll(fds, n, 0);
	for (size_t i = 0; i < n; i++) {
		if (fds[i].revents == 0)
			continue;
		assert_int_equal(refused, n);
		refused = i;
	}
	cw_web_receive(fds[refused].fd, answer, sizeof(answer), CW_WEB_MS);
	assert_memory_equal(answer, "HTTP/1.1 503 ", 13);
	assert_non_null(strstr(answer, "Retry-After: 1\r\n"));
	return refused;
}

static void
the_network_that_the_proxy_names_has_so_many_places(void **state)
{
	struct cw_web_world *x = *state;
	struct pollfd fds[CW_GATE_PER_NETWORK + 1];
	struct pollfd other = { .events = POLLIN };
	char answer[4096];
	size_t refused;
	size_t done;

	snprintf(x->w->config.forwarded_header,
	    sizeof(x->w->config.forwarded_header), "X-Forwarded-For");
	for (size_t i = 0; i < COUNT(fds); i++) {
		fds[i].fd = begin_for(x, "10.1, 192.0.2.7");
		fds[i].events = POLLIN;
	}
	refused = find_refused(fds, COUNT(fds));
	other.fd = begin_for(x, "192.0.9.1");
	assert_int_equal(poll(&other, 1, 300), 0);
	/* One is done: there is a place again. */
	done = refused == 0;
	cw_web_say(fds[done].fd, "123456789");
	cw_web_receive(fds[done].fd, answer, sizeof(answer), CW_WEB_MS);
	assert_memory_equal(answer, "HTTP/1.1 404 ", 13);
	/* The answer comes before the place is free, the next one behind. */
	cw_web_say(fds[done].fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	cw_web_receive(fds[done].fd, answer, sizeof(answer), CW_WEB_MS);
	assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
	close(other.fd);
	other.fd = begin_for(x, "192.0.2.8");
	assert_int_equal(poll(&other, 1, 300), 0);
	close(other.fd);
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i].fd);
}

static void
without_a_header_that_is_named_nobody_is_believed(void **state)
{
	struct cw_web_world *x = *state;
	int fds[CW_GATE_PER_NETWORK + 1];
	char answer[4096];

	for (size_t i = 0; i < COUNT(fds); i++)
		fds[i] = begin_for(x, "192.0.2.7");
	cw_web_receive(fds[CW_GATE_PER_NETWORK], answer, sizeof(answer), 300);
	assert_string_equal(answer, "");
	for (size_t i = 0; i < COUNT(fds); i++)
		close(fds[i]);
}

/* Closes the server and opens it at another address. */
static void
move_to(struct cw_web_world *x, const char *listen)
{
	cw_web_close(&x->web);
	cw_listen_release(&x->w->config);
	snprintf(x->w->config.listen, sizeof(x->w->config.listen), "%s",
	    listen);
	assert_err(cw_listen_reserve(&x->w->config), CW_OK);
	assert_err(cw_web_open(&x->w->engine, &x->web), CW_OK);
}

static void
ask_health_at(const union address *to, socklen_t len)
{
	char answer[4096];
	int fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, &to->any, len), 0);
	for (unsigned i = 0; i < 2; i++) {
		cw_web_say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
		cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
		assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
	}
	close(fd);
}

static void
a_unix_socket_serves_as_well_and_is_removed_at_the_end(void **state)
{
	struct cw_web_world *x = *state;
	union address to = { .path = { .sun_family = AF_UNIX } };
	const char *path = cw_server_world_path(x->w, "http");
	char listen[128];

	snprintf(to.path.sun_path, sizeof(to.path.sun_path), "%s", path);
	snprintf(listen, sizeof(listen), "unix:%s", to.path.sun_path);
	move_to(x, listen);
	ask_health_at(&to, sizeof(to.path));
	/* One that was left over is no hindrance, one in use is. */
	close(x->w->config.listen_fd);
	cw_web_close(&x->web);
	assert_int_equal(access(to.path.sun_path, F_OK), 0);
	assert_err(cw_listen_reserve(&x->w->config), CW_OK);
	assert_err(cw_web_open(&x->w->engine, &x->web), CW_OK);
	ask_health_at(&to, sizeof(to.path));
	{
		struct cw_config again = x->w->config;

		assert_err(cw_listen_reserve(&again), CW_ERR_IO);
	}
	cw_web_close(&x->web);
	cw_listen_release(&x->w->config);
	assert_int_equal(access(to.path.sun_path, F_OK), -1);
}

static bool
is_there(const union address *a, socklen_t len)
{
	int fd = socket(a->any.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool is = fd >= 0 && bind(fd, &a->any, len) == 0;

	if (fd >= 0)
		close(fd);
	return is;
}

static void
ipv6_is_served(void **state)
{
	struct cw_web_world *x = *state;
	union address to = { .v6 = { .sin6_family = AF_INET6,
				 .sin6_addr = IN6ADDR_LOOPBACK_INIT } };

	if (!is_there(&to, sizeof(to.v6))) {
		print_message("# no IPv6 on this machine\n");
		skip();
	}
	move_to(x, "[::1]:0");
	to.v6.sin6_port = htons(
	    (uint16_t)strtoul(strrchr(x->w->config.listen, ':') + 1, NULL, 10));
	ask_health_at(&to, sizeof(to.v6));
}

/* The parent holds the socket: what comes in between is not turned away. */
static void
who_comes_while_the_server_starts_again_waits(void **state)
{
	struct cw_web_world *x = *state;
	char answer[4096];
	int fd;

	cw_web_close(&x->web);
	fd = cw_web_connect(x);
	cw_web_say(fd, "GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
	assert_err(cw_web_open(&x->w->engine, &x->web), CW_OK);
	cw_web_receive(fd, answer, sizeof(answer), CW_WEB_MS);
	assert_memory_equal(answer, "HTTP/1.1 200 OK\r\n", 17);
	close(fd);
}

/* ---- addresses ---- */

static void
addresses_that_cannot_be_are_refused_at_start(void **state)
{
	static const struct {
		const char *listen;
		bool plain;
		enum cw_err err;
	} rows[] = {
		{ "", true, CW_ERR_BAD_CONFIG },
		{ "8443", true, CW_ERR_BAD_CONFIG },
		{ "localhost:8443", true, CW_ERR_BAD_CONFIG },
		{ "127.0.0.1:", true, CW_ERR_BAD_CONFIG },
		{ "127.0.0.1:99999", true, CW_ERR_BAD_CONFIG },
		{ "127.0.0.1:80x", true, CW_ERR_BAD_CONFIG },
		{ "[::1:8443", true, CW_ERR_BAD_CONFIG },
		{ "0.0.0.0:0", true, CW_ERR_BAD_CONFIG },
		{ "[::]:0", true, CW_ERR_BAD_CONFIG },
		{ "unix:", true, CW_ERR_BAD_CONFIG },
		{ "unix:relative", true, CW_ERR_BAD_CONFIG },
		{ "unix:/nowhere/at/all", true, CW_ERR_IO },
		{ "127.0.0.1:0", true, CW_OK },
		{ "0.0.0.0:0", false, CW_OK },
	};
	struct cw_config *config = calloc(1, sizeof(*config));

	(void)state;
	assert_non_null(config);
	for (size_t i = 0; i < COUNT(rows); i++) {
		snprintf(config->listen, sizeof(config->listen), "%s",
		    rows[i].listen);
		config->plain = rows[i].plain;
		if (cw_listen_reserve(config) != rows[i].err)
			fail_msg("%s", rows[i].listen);
		cw_listen_release(config);
	}
	free(config);
}

static void
an_address_in_use_is_said_at_start(void **state)
{
	struct cw_web_world *x = *state;
	struct cw_config again = x->w->config;

	assert_err(cw_listen_reserve(&again), CW_ERR_IO);
	assert_int_equal(again.listen_fd, -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cw_web_test(what_does_not_come_in_time_is_told_so),
		cw_web_test(a_body_that_never_comes_does_not_stop_the_others),
		cw_web_test(
		    with_more_clients_than_threads_each_is_served_or_told_to_retry),
		cw_web_test(idle_clients_do_not_keep_all_threads),
		cw_web_test(
		    the_network_that_the_proxy_names_has_so_many_places),
		cw_web_test(without_a_header_that_is_named_nobody_is_believed),
		cw_web_test(
		    a_unix_socket_serves_as_well_and_is_removed_at_the_end),
		cw_web_test(ipv6_is_served),
		cw_web_test(who_comes_while_the_server_starts_again_waits),
		cmocka_unit_test(addresses_that_cannot_be_are_refused_at_start),
		cw_web_test(an_address_in_use_is_said_at_start),
	};

	return cmocka_run_group_tests(tests, cw_server_world_begin,
	    cw_server_world_end);
}
