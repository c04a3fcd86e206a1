/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the parts are well, for whoever watches. Anybody may ask, and as often
 * as he likes: signer and store are asked once a second at most.
 */
#ifndef CW_SERVER_HEALTH_H
#define CW_SERVER_HEALTH_H

#include <pthread.h>

#include "proto/base/bytes.h"

struct cw_engine;

struct cw_health {
	pthread_mutex_t mutex;
	bool signer, store; /* were well */
	uint64_t commits;   /* of the signer's log, since it started */
	bool asking;        /* somebody does at the moment */
	uint64_t
	    until_ms; /* monotonic: so long the above counts; 0: never asked */
};

void cw_health_init(struct cw_health *health);
void cw_health_wipe(struct cw_health *health);

/* Of the engine's parts, at most a second old; commits of a signer that is down
 * are those that were known last. Thread-safe. */
void cw_health_ask(struct cw_engine *engine, bool *signer, bool *store,
    uint64_t *signer_commits);

#endif
