/* SPDX-License-Identifier: Apache-2.0 */
/* Errors over HTTP: concise problem details (RFC 9290). */
#ifndef CW_PROTO_PROBLEM_H
#define CW_PROTO_PROBLEM_H

#include "proto/base/buf.h"

/* Custom entry's key: the error number of errors.def. */
#define CW_PROBLEM_KEY "tag:cardwright,2026:error"

/* Custom entry's key: the session that the message is of has ended, and the
 * same message gets nothing else for ever. */
#define CW_PROBLEM_ENDED_KEY "tag:cardwright,2026:session-ended"

/* {-1: what happened, -2: what to do, -4: cw_err_http_status, CW_PROBLEM_KEY:
 * number}, and with `ended` CW_PROBLEM_ENDED_KEY: true */
void cw_problem_encode(enum cw_err err, bool ended, struct cw_buf *out);

/* Gives the error number, PEER_UNKNOWN for one that this version lacks, and
 * whether the session has ended (NULL: not asked). */
enum cw_err cw_problem_decode(struct cw_bytes in, enum cw_err *out, bool *ended)
    __attribute__((warn_unused_result));

#endif
