/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `check` share. */
#ifndef CW_AGENT_CHECK_H
#define CW_AGENT_CHECK_H

#include <stdbool.h>

#include "proto/base/err.h"

struct cw_check {
	bool json;
	enum cw_err first; /* the first thing that is wrong */
};

/* One finding: what is well in `text`; with an error its own sentence, and in
 * `text` what it is about, or "". */
void cw_check_report(struct cw_check *check, const char *name, enum cw_err err,
    const char *text);

/* The browsers of this machine, their manifests, and whether they can start
 * the agent at all. `root` as in browsers.h. */
void cw_check_browsers(struct cw_check *check, const char *root);

#endif
