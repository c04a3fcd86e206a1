/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Enrolling without a browser: the invitation's URL, a run, and HTTP between
 * them. What the network loses is sent again, the same bytes, until patience
 * ends; then the same command goes on where it stopped.
 */
#ifndef CW_AGENT_ENROLL_H
#define CW_AGENT_ENROLL_H

#include "agent/exchange.h"

struct cw_enroll {
	const char *url; /* the invitation */
	struct cw_net *net;
	struct cw_run *run;
	unsigned patience_ms; /* for each message, from its first try */
};

struct cw_enroll_result {
	bool is_resumed;        /* an earlier session was brought to its end */
	unsigned retry_after_s; /* with APPROVAL_PENDING: when to come back */
	unsigned retries;       /* requests that had to be sent again */
};

/*
 * The whole of it. Errors: those of run.h and http.h, the issuer's own
 * (problem details), APPROVAL_PENDING, NETWORK_TIMEOUT.
 */
enum cw_err cw_enroll(const struct cw_enroll *enroll,
    struct cw_enroll_result *result) __attribute__((warn_unused_result));

#endif
