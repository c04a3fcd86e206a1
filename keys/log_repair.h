/* SPDX-License-Identifier: Apache-2.0 */
/* `cardwright-keys log-repair`: looks at a signer's log that does not open, and,
 * told to, cuts off what does not hold. The signer must not be running. */
#ifndef CW_KEYS_LOG_REPAIR_H
#define CW_KEYS_LOG_REPAIR_H

#include <stdbool.h>

#include "proto/base/err.h"

struct cw_log_repair {
	const char *log, *tag_key; /* files */
	bool cut;                  /* change it; else only say what is there */
};

/*
 * Says on standard output what holds and what does not. With `cut`: what stands
 * behind the last record that holds is moved to LOG.cut-OFFSET (a new file of
 * mode 0600), and the head is written anew. A log that holds is left alone.
 * Errors: BAD_STATE_FILE, LOG_CUT (without `cut`: what the signer would say);
 * LOG_KEY; LOCKED; EXISTS (the file to move to); NO_FILE, FILE_MODE, IO,
 * NO_SPACE, NO_MEMORY.
 */
enum cw_err cw_log_repair_run(const struct cw_log_repair *o)
    __attribute__((warn_unused_result));

#endif
