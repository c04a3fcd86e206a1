/* SPDX-License-Identifier: Apache-2.0 */
/* Batches of commands (messages 5, 7) and of replies (messages 6, 8). */
#ifndef CW_PROTO_BATCH_H
#define CW_PROTO_BATCH_H

#include "proto/cbor.h"
#include "proto/limits.h"

enum cw_phase {
	CW_PHASE_MANAGING = 1,
	CW_PHASE_CREATING = 2,   /* "Creating keys" */
	CW_PHASE_INSTALLING = 3, /* "Installing certificates" */
};

struct cw_batch {
	enum cw_phase phase; /* 0 in a batch of replies */
	size_t n;
	struct cw_bytes items[CW_COMMANDS_MAX]; /* COSE_Encrypt0 each */
};

void cw_batch_encode(const struct cw_batch *batch, struct cw_buf *out);
enum cw_err cw_batch_decode(struct cw_bytes in, struct cw_batch *out)
    __attribute__((warn_unused_result));

void cw_replies_encode(const struct cw_batch *replies, struct cw_buf *out);
enum cw_err cw_replies_decode(struct cw_bytes in, struct cw_batch *out)
    __attribute__((warn_unused_result));

#endif
