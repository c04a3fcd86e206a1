/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens without a message: sessions run out, certificates that no
 * verified result confirmed are suspended and then revoked, revocations that
 * the operator asked for are carried out, epochs end. Any node may do it.
 */
#ifndef CW_SERVER_SWEEP_H
#define CW_SERVER_SWEEP_H

#include "server/engine.h"

/* One pass. Errors are logged and the rest is done; the first one is returned.
 * What could not be done is due again in the next pass. */
enum cw_err cw_sweep_once(struct cw_engine *engine)
    __attribute__((warn_unused_result));

/* A thread that sweeps every `period_s`, and reads the signer's log again when
 * that is due (reconcile.h). */
struct cw_sweeper;

struct cw_sweeper *cw_sweeper_new(struct cw_engine *engine, unsigned period_s);
void cw_sweeper_free(struct cw_sweeper **sweeper); /* waits for its end */

#endif
