/* SPDX-License-Identifier: Apache-2.0 */
/* Errors over HTTP: concise problem details (RFC 9290). */
#ifndef CW_PROTO_PROBLEM_H
#define CW_PROTO_PROBLEM_H

#include "proto/base/buf.h"

/* Custom entry's key: the error number of errors.def. */
#define CW_PROBLEM_KEY "tag:cardwright,2026:error"

/* {-1: what happened, -2: what to do, -4: cw_err_http_status, CW_PROBLEM_KEY:
 * number} */
void cw_problem_encode(enum cw_err err, struct cw_buf *out);

/* Gives the error number, PEER_UNKNOWN for one that this version lacks. */
enum cw_err cw_problem_decode(struct cw_bytes in, enum cw_err *out)
    __attribute__((warn_unused_result));

#endif
