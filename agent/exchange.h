/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to and fro between a run and its issuer, over whatever carries them
 * (libcurl, a browser). What the network loses is sent again, the same bytes,
 * until patience ends.
 */
#ifndef CW_AGENT_EXCHANGE_H
#define CW_AGENT_EXCHANGE_H

#include "agent/net.h"
#include "agent/run.h"

struct cw_exchange {
	/* One POST; any HTTP status is CW_OK. Errors: those of cw_net_post. */
	enum cw_err (*post)(void *ctx, const char *url, struct cw_bytes body,
	    struct cw_net_response *response);
	void *ctx;
	struct cw_run *run;
	unsigned patience_ms; /* for each message, from its first try */
	/* What happened. */
	unsigned retry_after_s; /* with APPROVAL_PENDING: when to come back */
	unsigned retries;       /* requests that had to be sent again */
	bool is_ended;          /* the issuer's error is its last word */
};

/*
 * Goes on with what is in `out` until the run has nothing more to send.
 * *by_issuer says whose error it is: what a card says of a command that was
 * changed on its way is no reason to give the session up.
 * Errors: those of run.h and net.h, the issuer's own (problem details),
 * APPROVAL_PENDING, NETWORK_TIMEOUT.
 */
enum cw_err cw_exchange_converse(struct cw_exchange *exchange,
    struct cw_run_out *out, bool *by_issuer)
    __attribute__((warn_unused_result));

/*
 * What the card keeps of this issuer comes first: an open session goes on, a
 * result that may never have arrived is sent. *is_resumed says that this was
 * all there is to do. Errors: those of converse.
 */
enum cw_err cw_exchange_resume(struct cw_exchange *exchange,
    struct cw_run_out *out, bool *is_resumed)
    __attribute__((warn_unused_result));

/* A new session from the Intent in `intent`. Errors: those of converse. */
enum cw_err cw_exchange_begin(struct cw_exchange *exchange,
    struct cw_bytes intent, struct cw_run_out *out)
    __attribute__((warn_unused_result));

#endif
