/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store, epoch keys and signer's log are three files that a disk can lose or a
 * backup bring back each by itself; here they are brought together again, before
 * the first message and whenever an answer of the signer was lost.
 *
 * A store that was put back from a copy must not go on with the sessions in it:
 * their next batches may have been encrypted and sent before, under the same
 * (key, i), with another content (docs/protocol.md 6 "Encrypt once"). The mark in
 * the epoch keys' file tells (seal.h).
 */
#ifndef CW_SERVER_RECONCILE_H
#define CW_SERVER_RECONCILE_H

#include "server/engine.h"

/* The store's number of the signer's log's entries that were looked at. */
#define CW_RECONCILED "signer_log"

/*
 * Before the listener opens. If the store is older than the epoch keys, or the
 * keys are not those of this store, every open session is ended and what it
 * reserved or had pending is wanted revoked. Then the signer's log, to its end.
 * Errors: SIGNER_DOWN (all but the log is done; the sweeper comes back to it),
 * STORE_FAILED.
 */
enum cw_err cw_reconcile_begin(struct cw_engine *engine)
    __attribute__((warn_unused_result));

/*
 * Reads the signer's log to its end. What it certified since it was read last,
 * and the store does not know, is taken back; what it has revoked, ever, and the
 * store takes for anything else, is revoked there too. May run beside sessions.
 * Errors: SIGNER_DOWN, STORE_FAILED, NO_MEMORY.
 */
enum cw_err cw_reconcile_log(struct cw_engine *engine)
    __attribute__((warn_unused_result));

#endif
