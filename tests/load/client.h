/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client for load: sessions between an in-process reference card and a real
 * issuer over one kept-alive TLS connection. One client is used by one thread.
 */
#ifndef CW_TESTS_LOAD_CLIENT_H
#define CW_TESTS_LOAD_CLIENT_H

#include "proto/base/buf.h"
#include "proto/limits.h"

/* What a session asks of the server, in order. */
enum cw_load_step {
	CW_LOAD_INTENT,  /* GET intent: message 1 */
	CW_LOAD_REQUEST, /* message 2 to 3 */
	CW_LOAD_TOKEN,   /* message 4 to 5 */
	CW_LOAD_KEYS,    /* message 6 to 7 */
	CW_LOAD_RESULT,  /* message 8 */
	CW_LOAD_STEPS,
};

struct cw_load_client;

/* Borrows all: `url` is the issuer's origin, `ca` a PEM file of its TLS root,
 * `personalisation` what each new card is given. NULL when memory is out. */
struct cw_load_client *cw_load_client_new(const char *url, const char *ca,
    struct cw_bytes personalisation);
void cw_load_client_free(struct cw_load_client **client);

/* Exchanges an invitation for the cookie, as a browser would. */
enum cw_err cw_load_client_join(struct cw_load_client *client,
    const char *invitation) __attribute__((warn_unused_result));

/*
 * One session with a new card, up to and with `last`; the time that the issuer
 * took for each step goes to step_us (microseconds, wall clock).
 */
enum cw_err cw_load_client_session(struct cw_load_client *client,
    enum cw_load_step last, uint64_t step_us[CW_LOAD_STEPS])
    __attribute__((warn_unused_result));

/* GET /healthz; on a connection of its own if `fresh`. */
enum cw_err cw_load_client_health(struct cw_load_client *client, bool fresh)
    __attribute__((warn_unused_result));

/* The last answer's body. */
struct cw_bytes cw_load_client_body(const struct cw_load_client *client);

#endif
