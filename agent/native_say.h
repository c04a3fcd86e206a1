/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent says to the extension: each message as JSON, appended to
 * `out` (docs/agent.md "The browser"). Errors are in out->err. */
#ifndef CW_AGENT_NATIVE_SAY_H
#define CW_AGENT_NATIVE_SAY_H

#include "agent/native.h"

void cw_native_say_hello(struct cw_buf *out);
void cw_native_say_status(struct cw_buf *out, const struct cw_readers *readers,
    const char *pin_kind);
void cw_native_say_readers(struct cw_buf *out,
    const struct cw_readers *readers);
void cw_native_say_consent(struct cw_buf *out, const struct cw_consent *consent,
    bool may_resume, const struct cw_readers *readers);
/* The card in this reader holds an open session that was not begun here. */
void cw_native_say_unfinished(struct cw_buf *out,
    const struct cw_consent *consent, const char *reader);
void cw_native_say_post(struct cw_buf *out, uint64_t id, const char *url,
    struct cw_bytes body);

/* False, with nothing said, for what the extension need not know. */
bool cw_native_say_progress(struct cw_buf *out,
    const struct cw_progress *progress);

void cw_native_say_done(struct cw_buf *out, bool is_resumed,
    const struct cw_run *run);
void cw_native_say_failed(struct cw_buf *out, enum cw_err err,
    uint16_t status_word, unsigned retry_after_s, bool is_resumable);

#endif
