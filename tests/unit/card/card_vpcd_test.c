/* SPDX-License-Identifier: Apache-2.0 */
/* The vpcd transport, with a reader played by the test. */
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "card/vpcd.h"
#include "proto/base/fdio.h"
#include "tests/support/card_world.h"

struct service {
	struct cw_card *card;
	int fd; /* the card's end */
	volatile sig_atomic_t stop;
	enum cw_err err;
	pthread_t thread;
};

static void *
serve(void *ctx)
{
	struct service *s = ctx;

	s->err = cw_vpcd_serve(s->card, s->fd, &s->stop);
	return NULL;
}

/* The reader's end. */
static int
begin(struct service *s)
{
	const struct cw_card_config config = { .state_path = NULL };
	int fds[2];

	memset(s, 0, sizeof(*s));
	assert_err(cw_card_open(&config, &s->card), CW_OK);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
	s->fd = fds[1];
	assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
	return fds[0];
}

static void
end(struct service *s, int reader, enum cw_err want)
{
	close(reader);
	pthread_join(s->thread, NULL);
	close(s->fd);
	cw_card_free(&s->card);
	assert_err(s->err, want);
}

static void
say(int fd, const char *hex)
{
	struct cw_buf b;

	cw_buf_init(&b, 70000);
	assert_err(cw_fd_write(fd, cw_test_hex(&b, hex)), CW_OK);
	cw_buf_wipe(&b);
}

static void
hear(int fd, const char *hex)
{
	uint8_t head[2], data[512];
	size_t len;

	assert_err(cw_fd_read(fd, head, 2), CW_OK);
	len = (size_t)head[0] << 8 | head[1];
	assert_true(len <= sizeof(data));
	assert_err(cw_fd_read(fd, data, len), CW_OK);
	assert_hex(cw_bytes(data, len), hex);
}

static void
the_atr_is_given_at_any_time(void **state)
{
	struct service s;
	int fd = begin(&s);

	(void)state;
	for (int i = 0; i < 3; i++) {
		say(fd, "000104");
		hear(fd, "3B8C80018073C001C056435743415244A9");
	}
	say(fd, "000101");
	say(fd, "000104");
	hear(fd, "3B8C80018073C001C056435743415244A9");
	end(&s, fd, CW_ERR_CLOSED);
}

static void
power_and_reset_need_no_answer_and_forget(void **state)
{
	static const char *const controls[] = { "000100", "000101", "000102" };
	struct service s;
	int fd = begin(&s);

	(void)state;
	for (size_t i = 0; i < COUNT(controls); i++) {
		say(fd,
		    "0011"
		    "00A404000CF04341524457524947485401");
		hear(fd, "9000");
		say(fd,
		    "0005"
		    "801E000000");
		hear(fd, "A100809000");
		say(fd, controls[i]);
		say(fd,
		    "0005"
		    "801E000000");
		hear(fd, "6D00");
	}
	end(&s, fd, CW_ERR_CLOSED);
}

static void
a_message_may_come_in_pieces(void **state)
{
	struct service s;
	int fd = begin(&s);

	(void)state;
	say(fd, "00");
	say(fd,
	    "11"
	    "00A40400");
	say(fd, "0CF043415244575249");
	say(fd,
	    "47485401"
	    "0001");
	hear(fd, "9000");
	say(fd, "04");
	hear(fd, "3B8C80018073C001C056435743415244A9");
	end(&s, fd, CW_ERR_CLOSED);
}

static void
what_vpcd_never_says_ends_the_connection(void **state)
{
	static const char *const rows[] = { "0000", "000103", "0001FF" };

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct service s;
		uint8_t byte;
		int fd = begin(&s);

		say(fd, rows[i]);
		pthread_join(s.thread, NULL);
		assert_err(s.err, CW_ERR_OUT_OF_RANGE);
		close(s.fd);
		assert_err(cw_fd_read(fd, &byte, 1), CW_ERR_CLOSED);
		close(fd);
		cw_card_free(&s.card);
	}
}

static void
a_cut_message_is_no_command(void **state)
{
	struct service s;
	int fd = begin(&s);

	(void)state;
	say(fd,
	    "0011"
	    "00A404");
	end(&s, fd, CW_ERR_CLOSED);
}

/* ---- connecting ---- */

struct client {
	struct cw_card *card;
	struct cw_vpcd_config config;
	volatile sig_atomic_t stop;
	enum cw_err err;
};

static void *
run(void *ctx)
{
	struct client *c = ctx;

	c->err = cw_vpcd_run(c->card, &c->config);
	return NULL;
}

static int
reader_listen(uint16_t *port)
{
	struct sockaddr_in a = { .sin_family = AF_INET,
		.sin_port = htons(*port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	const int one = 1;
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(fd, (struct sockaddr *)&a, sizeof(a)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	*port = ntohs(a.sin_port);
	return fd;
}

/* card_vpcd_test.wrap: each connection that nobody takes is counted. */
static sem_t turned_away;

int __real_connect(int fd, const struct sockaddr *address, socklen_t len);
int __wrap_connect(int fd, const struct sockaddr *address, socklen_t len);

int
__wrap_connect(int fd, const struct sockaddr *address, socklen_t len)
{
	int r = __real_connect(fd, address, len);
	int why = errno;

	if (r != 0 && why == ECONNREFUSED)
		sem_post(&turned_away);
	errno = why;
	return r;
}

static bool
is_turned_away(void)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += 10;
	return sem_timedwait(&turned_away, &until) == 0;
}

static void
the_card_waits_for_the_reader_and_comes_back(void **state)
{
	const struct cw_card_config config = { .state_path = NULL };
	struct client c = { .err = CW_ERR_INTERNAL };
	uint16_t port = 0;
	int door = reader_listen(&port); /* bound, but nobody listens yet */
	pthread_t thread;

	(void)state;
	assert_int_equal(sem_init(&turned_away, 0, 0), 0);
	assert_err(cw_card_open(&config, &c.card), CW_OK);
	c.config = (struct cw_vpcd_config){ "127.0.0.1", port, &c.stop };
	assert_int_equal(pthread_create(&thread, NULL, run, &c), 0);
	assert_true(is_turned_away()); /* it has tried, and goes on trying */
	assert_int_equal(listen(door, 1), 0);
	for (int i = 0; i < 2; i++) {
		int fd = accept(door, NULL, NULL);

		assert_true(fd >= 0);
		say(fd, "000104");
		hear(fd, "3B8C80018073C001C056435743415244A9");
		if (i == 1)
			c.stop = 1;
		close(fd); /* pcscd is started again */
	}
	pthread_join(thread, NULL);
	assert_err(c.err, CW_OK);
	close(door);
	cw_card_free(&c.card);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_atr_is_given_at_any_time),
		cmocka_unit_test(power_and_reset_need_no_answer_and_forget),
		cmocka_unit_test(a_message_may_come_in_pieces),
		cmocka_unit_test(what_vpcd_never_says_ends_the_connection),
		cmocka_unit_test(a_cut_message_is_no_command),
		cmocka_unit_test(the_card_waits_for_the_reader_and_comes_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
