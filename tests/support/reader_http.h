/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The issuer of a world (reader_world.h) behind HTTP on this machine, in a
 * thread, one request per connection; and it can err at any request.
 */
#ifndef CW_TESTS_READER_HTTP_H
#define CW_TESTS_READER_HTTP_H

#include <pthread.h>
#include <stdatomic.h>

#include "tests/support/reader_world.h"

enum cw_errant_action {
	CW_ERRANT_ANSWER,     /* as an issuer should */
	CW_ERRANT_DROP,       /* the connection ends without an answer */
	CW_ERRANT_CUT,        /* … in the middle of it */
	CW_ERRANT_SILENCE,    /* nothing, until the client gives up */
	CW_ERRANT_REDIRECT,   /* 302 to another path */
	CW_ERRANT_ELSEWHERE,  /* 303 to another origin */
	CW_ERRANT_BUSY,       /* 503 with Retry-After: 1 */
	CW_ERRANT_PENDING,    /* 202 with Retry-After: 7 */
	CW_ERRANT_NOT_FOUND,  /* 404, a page */
	CW_ERRANT_EXPIRED,    /* problem details: 601 */
	CW_ERRANT_ENDED,      /* problem details: 309 */
	CW_ERRANT_NONSENSE,   /* a problem that is none */
	CW_ERRANT_WRONG_TYPE, /* 200 text/html */
	CW_ERRANT_EMPTY,      /* 200 without a body */
	CW_ERRANT_HUGE,       /* 200, 100 KiB */
};

struct cw_errant_issuer {
	struct cw_world *w;
	int fd;
	unsigned port;
	pthread_t thread;
	atomic_bool stop;
	enum cw_errant_action action;
	unsigned at, times; /* request from 1; how often from then on */
	unsigned requests;
	const char *violation; /* what a request lacked */
};

/* Listens on a port of its own choice; the caller has set `w`. */
void cw_errant_issuer_start(struct cw_errant_issuer *s);
void cw_errant_issuer_stop(struct cw_errant_issuer *s);

#endif
