/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the session engine, the sweeper and the routes share: configuration,
 * store, signer, epoch keys and clock, all passed in, so that tests replace
 * them. Thread-safe after init.
 */
#ifndef CW_SERVER_ENGINE_H
#define CW_SERVER_ENGINE_H

#include <pthread.h>
#include <stdatomic.h>

#include "proto/base/clock.h"
#include "server/health.h"
#include "server/limit.h"
#include "server/seal.h"
#include "server/store.h"

#define CW_POLICY_VERSION_CHARS 32 /* hexadecimal */

/* The signer's chains, as sent and kept in evidence. */
struct cw_engine_chains {
	struct cw_buf memory; /* what `info` borrows from */
	struct cw_signer_info info;
	char version[CW_POLICY_VERSION_CHARS + 1]; /* of chains and profiles */
};

struct cw_engine {
	const struct cw_config *config; /* these five are borrowed */
	struct cw_store *store;
	struct cw_signer *signer;
	struct cw_seal *seal;
	const struct cw_clock *clock;
	struct cw_limits *limits;
	struct cw_health health;
	atomic_int_fast64_t open_sessions; /* about; the sweeper counts anew */
	atomic_bool
	    reconciled; /* with the signer's log, and nothing lost since */
	atomic_bool log_is_short; /* the signer's log has lost entries */
	pthread_mutex_t closing;  /* see step_manage.c; before all others */
	pthread_mutex_t mutex;    /* of what follows */
	struct cw_engine_chains *chains; /* NULL until the signer answered */
};

void cw_engine_init(struct cw_engine *engine, const struct cw_config *config,
    struct cw_store *store, struct cw_signer *signer, struct cw_seal *seal,
    const struct cw_clock *clock);
void cw_engine_wipe(struct cw_engine *engine);

/* The chains, asked for once, and their policy stored. Errors: SIGNER_DOWN,
 * STORE_FAILED, NO_MEMORY. */
enum cw_err cw_engine_chains(struct cw_engine *engine,
    const struct cw_engine_chains **out) __attribute__((warn_unused_result));

/* CW_OK if it stands. Errors: BAD_INVITATION (withdrawn), INVITATION_EXPIRED.
 * Whether uses are left is the signer's to say, in step 3. */
enum cw_err cw_invitation_check(const struct cw_invitation *invitation,
    uint64_t now_s) __attribute__((warn_unused_result));

/* The policy's content in the store, and back (views borrow): the chains that
 * evidence needs beside what the session holds. */
void cw_policy_encode(const struct cw_signer_info *info, struct cw_buf *out);
enum cw_err cw_policy_decode(struct cw_bytes in, struct cw_signer_info *out)
    __attribute__((warn_unused_result));

#endif
