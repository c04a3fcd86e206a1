/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The other side of a native host: a world (reader_world.h) whose messages go
 * through the extension's link, and a script of what the extension says. All
 * that the host says is kept, line by line.
 */
#ifndef CW_TESTS_NATIVE_WORLD_H
#define CW_TESTS_NATIVE_WORLD_H

#include "agent/native.h"
#include "tests/support/reader_world.h"

#define CW_NATIVE_SCRIPT_MAX 24

struct cw_native_world {
	struct cw_native_link link;
	struct cw_world w;
	struct cw_native_config config;
	/*
	 * What the extension says, in order; NULL is the end. A line is JSON,
	 * but for these: "@start" (with the world's Intent), "@reply" (the
	 * world's issuer answers the last post), "@readers" (they have
	 * changed), "@timeout", "@end" (the other side is gone), "@stop" (a
	 * signal). Behind the last line: "@reply" to whatever is posted, and
	 * then "@end".
	 */
	const char *const *script;
	size_t at;
	bool is_stopped;
	struct cw_buf said;         /* the host's messages, one a line */
	char post[CW_BODY_MAX * 2]; /* the last body, in base64url */
	uint64_t post_id;
	bool has_post;
	void (*on_say)(struct cw_native_world *n, const char *json);
};

void cw_native_world_init(struct cw_native_world *n,
    const struct cw_test_vendor *vendor);
void cw_native_world_wipe(struct cw_native_world *n);

/* For cmocka, with cw_world_before_all and _after_all. */
int cw_native_world_setup(void **state);
int cw_native_world_teardown(void **state);

/* Plays the script; what cw_native_serve gives. */
enum cw_err cw_native_world_play(struct cw_native_world *n,
    const char *const *script);

/* True if the host said such a text anywhere. */
bool cw_native_world_said(const struct cw_native_world *n, const char *text);

#endif
