/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Native messaging's framing (docs/agent.md "The browser"): the length in 32
 * bits of this machine's byte order, then that many bytes of JSON.
 */
#ifndef CW_AGENT_NATIVE_FRAME_H
#define CW_AGENT_NATIVE_FRAME_H

#include "proto/base/buf.h"

#define CW_NATIVE_MAX ((size_t)512 * 1024) /* JSON, bytes, both ways */
#define CW_NATIVE_HEAD 4

/*
 * Takes the first frame off `in`; `frame` borrows from it. Errors: TRUNCATED
 * (nothing is taken: more must come), TOO_LARGE as soon as the length says so,
 * MALFORMED for an empty one.
 */
enum cw_err cw_native_frame_take(struct cw_bytes *in, struct cw_bytes *frame)
    __attribute__((warn_unused_result));

/* Appends JSON as a frame. Errors (in out->err): TOO_LARGE. */
void cw_native_frame_put(struct cw_buf *out, struct cw_bytes json);

#endif
