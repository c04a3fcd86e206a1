/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP server in this process, without TLS, and raw connections to it. */
#ifndef CW_TESTS_WEB_WORLD_H
#define CW_TESTS_WEB_WORLD_H

#include "server/web.h"
#include "tests/support/server_world.h"

#define CW_WEB_WORLD_THREADS 3

struct cw_web_world {
	struct cw_server_world *w;
	struct cw_web *web;
	unsigned port;
};

/* On 127.0.0.1, at a port of its own choice. Around a test of a program with
 * cw_server_world_begin and _end. */
int cw_web_world_setup(void **state);
int cw_web_world_teardown(void **state);

#define cw_web_test(sentence)                                         \
	cmocka_unit_test_setup_teardown(sentence, cw_web_world_setup, \
	    cw_web_world_teardown)

/* To the port, from loopback. */
int cw_web_connect(const struct cw_web_world *x);

/* More than any machine needs for an answer. */
#define CW_WEB_MS 60000

/* An answer as far as its length says, or its head, or all that comes until the
 * other end closes; less if it closes before or `ms` pass without a byte. */
size_t cw_web_receive(int fd, char *out, size_t size, int ms);
size_t cw_web_receive_head(int fd, char *out, size_t size, int ms);
size_t cw_web_receive_all(int fd, char *out, size_t size, int ms);

/* All of it, or the test fails. */
void cw_web_say(int fd, const char *text);

#endif
