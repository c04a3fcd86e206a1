/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real issuer (its processes, TLS, store, signer's log), the agent's core
 * over libcurl, and the reference card in a reader that does what it is told.
 * At one message of a session a test can do something else than send it.
 *
 * A test program that uses this is linked with x_test.wrap: cw_net_post.
 */
#ifndef CW_TESTS_FAULT_WORLD_H
#define CW_TESTS_FAULT_WORLD_H

#include "agent/enroll.h"
#include "tests/support/check.h"
#include "tests/support/daemon.h"
#include "tests/support/reader_local.h"

/* The POSTs of a session, in order. */
enum cw_fault_step {
	CW_FAULT_JOIN,    /* the invitation's code, for the cookie */
	CW_FAULT_REQUEST, /* message 2, answered by 3 */
	CW_FAULT_TOKEN,   /* 4, by 5 */
	CW_FAULT_KEYS,    /* 6, by 7 */
	CW_FAULT_RESULT,  /* 8 */
	CW_FAULT_STEPS,
};

struct cw_fault_world;

/* One POST, as the agent wants it. */
struct cw_fault_post {
	struct cw_net *net;
	const char *url;
	struct cw_bytes body;
	struct cw_net_response *response;
};

/* Happens instead of a POST. */
typedef enum cw_err cw_fault_happening(struct cw_fault_world *world,
    const struct cw_fault_post *post);

struct cw_fault_world {
	struct cw_daemon daemon;
	struct cw_test_card card;
	struct cw_local_reader reader;
	struct cw_pin_entry person;
	struct cw_known known;
	struct cw_clock clock;
	char folder[64]; /* of the agent's memory */
	char invitation[512];
	/* What happens, once, at which message; NULL: nothing. */
	cw_fault_happening *happens;
	enum cw_fault_step at;
	bool is_done; /* it has happened */
	enum cw_fault_step step;
	struct cw_buf old; /* the last message that was answered */
};

/* Makes world and issuer; `before_launch` (may be NULL) may change its folder,
 * `lines` are more of its configuration. NULL with a message. */
struct cw_fault_world *cw_fault_world_new(const char *lines,
    bool (*before_launch)(struct cw_fault_world *world));
void cw_fault_world_free(struct cw_fault_world *world);

/* For a group of tests without states of their own: this is their *state. */
int cw_fault_setup(void **state);
int cw_fault_teardown(void **state);

/* A card that this issuer's vendor made, blank, in the reader. */
void cw_fault_card(struct cw_fault_world *world);

/* One of another make, or with room for fewer keys (0: the usual). */
void cw_fault_card_of(struct cw_fault_world *world,
    struct cw_bytes personalisation, unsigned keys_max);

void cw_fault_card_wipe(struct cw_fault_world *world);

/* Into world->invitation: for so many sessions, in mode 2. */
void cw_fault_invite(struct cw_fault_world *world, unsigned uses);

/* `cardwright-agent enroll`, as a new process would run it. */
enum cw_err cw_fault_enroll(struct cw_fault_world *world, bool *resumed);

/* The POST itself. */
enum cw_err cw_fault_send(const struct cw_fault_post *post,
    struct cw_bytes body);

/* The number in an error's answer; fails the test if it is none. */
enum cw_err cw_fault_number(const struct cw_net_response *response);

/* The test fails unless so many certificates are active and pending. */
#define assert_certificates(world, want_active, want_pending)    \
	do {                                                     \
		const struct cw_daemon_count count =             \
		    cw_daemon_count(&(world)->daemon);           \
		assert_int_equal(count.active, (want_active));   \
		assert_int_equal(count.pending, (want_pending)); \
	} while (0)

#endif
