/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A call that blocks for as long as another program likes, in a thread of its
 * own, so that a person is told and can end the wait: PC/SC gives its calls no
 * deadline.
 */
#ifndef CW_AGENT_PATIENT_H
#define CW_AGENT_PATIENT_H

#include "agent/reader.h"

/*
 * Runs `call(arg)` and waits for its end. After a moment patience->busy is
 * told. Errors: REFUSED (a signal), CARD_BUSY (the patience is over); after
 * both, and only then, the call still runs: `arg` must stay for good.
 * NO_MEMORY: it was not called.
 */
enum cw_err cw_patient_call(const struct cw_reader_patience *patience,
    void (*call)(void *arg), void *arg) __attribute__((warn_unused_result));

#endif
