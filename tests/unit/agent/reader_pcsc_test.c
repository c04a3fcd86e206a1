/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a smart card service that does not serve looks like. The library is the
 * real one; a service that turns users away is a socket that closes, which is
 * what pcscd does after polkit said no (winscard_svc.c, ContextThread).
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent/reader.h"
#include "proto/base/log.h"
#include "tests/support/check.h"

#define ROUNDS 100

struct service {
	struct sockaddr_un at;
	int listener;
	bool reads; /* the question before it closes */
	pthread_t thread;
};

static void *
turn_away(void *arg)
{
	const struct service *s = arg;
	uint8_t question[4096];
	int fd;

	while ((fd = accept(s->listener, NULL, NULL)) >= 0) {
		if (s->reads && recv(fd, question, sizeof(question), 0) < 0)
			perror("recv");
		close(fd);
	}
	return NULL;
}

static void
bind_it(struct service *s)
{
	s->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(s->listener >= 0);
	unlink(s->at.sun_path);
	assert_int_equal(bind(s->listener, (const struct sockaddr *)&s->at,
			     sizeof(s->at)),
	    0);
}

static void
start(struct service *s, bool reads)
{
	bind_it(s);
	s->reads = reads;
	assert_int_equal(listen(s->listener, 16), 0);
	assert_int_equal(pthread_create(&s->thread, NULL, turn_away, s), 0);
}

static void
stop(struct service *s)
{
	shutdown(s->listener, SHUT_RDWR);
	pthread_join(s->thread, NULL);
	close(s->listener);
}

static void
assert_list(enum cw_err want)
{
	struct cw_reader_info info[CW_READERS_MAX];
	struct cw_reader *reader = cw_reader_pcsc_open();
	size_t n = 0;

	assert_non_null(reader);
	assert_err(reader->ops->list(reader, info, &n), want);
	assert_err(reader->ops->wait(reader, 0), want);
	cw_reader_close(&reader);
}

static void
a_service_that_is_not_there_is_said_to_be_off(void **state)
{
	struct service *s = *state;

	unlink(s->at.sun_path);
	assert_list(CW_ERR_NO_PCSC);
}

static void
a_socket_that_nobody_listens_on_is_a_service_that_is_off(void **state)
{
	struct service *s = *state;

	bind_it(s);
	assert_list(CW_ERR_NO_PCSC);
	close(s->listener);
}

static void
a_service_that_hears_the_user_out_and_closes_forbids(void **state)
{
	struct service *s = *state;

	start(s, true);
	for (int i = 0; i < ROUNDS; i++)
		assert_list(CW_ERR_PCSC_FORBIDDEN);
	stop(s);
}

static void
a_service_that_closes_before_a_word_forbids(void **state)
{
	struct service *s = *state;

	start(s, false);
	for (int i = 0; i < ROUNDS; i++)
		assert_list(CW_ERR_PCSC_FORBIDDEN);
	stop(s);
}

/* The library reads the socket's name once in a process. */
static int
setup(void **state)
{
	static struct service service;
	static char dir[] = "/tmp/cw-pcsc-XXXXXX";

	cw_log_set_level(CW_LOG_ERROR);
	if (mkdtemp(dir) == NULL)
		return -1;
	service.at.sun_family = AF_UNIX;
	snprintf(service.at.sun_path, sizeof(service.at.sun_path),
	    "%s/pcscd.comm", dir);
	*state = &service;
	return setenv("PCSCLITE_CSOCK_NAME", service.at.sun_path, 1);
}

static int
teardown(void **state)
{
	struct service *s = *state;

	unlink(s->at.sun_path);
	*strrchr(s->at.sun_path, '/') = '\0';
	return rmdir(s->at.sun_path);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_service_that_is_not_there_is_said_to_be_off),
		cmocka_unit_test(
		    a_socket_that_nobody_listens_on_is_a_service_that_is_off),
		cmocka_unit_test(
		    a_service_that_hears_the_user_out_and_closes_forbids),
		cmocka_unit_test(a_service_that_closes_before_a_word_forbids),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
