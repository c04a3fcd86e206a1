/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON for scripts (RFC 8259), written only: one object per line. Names are
 * ours and plain; texts may be anything and are escaped.
 */
#ifndef CW_AGENT_JSONL_H
#define CW_AGENT_JSONL_H

#include "proto/base/buf.h"

/* Opens or closes an object or array: '{', '[', '}', ']'. `name` may be NULL,
 * in arrays and for the outermost. */
void cw_jsonl_open(struct cw_buf *b, const char *name, char bracket);
void cw_jsonl_close(struct cw_buf *b, char bracket);

void cw_jsonl_text(struct cw_buf *b, const char *name, struct cw_bytes text);
void cw_jsonl_str(struct cw_buf *b, const char *name, const char *text);
void cw_jsonl_number(struct cw_buf *b, const char *name, uint64_t v);
void cw_jsonl_null(struct cw_buf *b, const char *name);
void cw_jsonl_bool(struct cw_buf *b, const char *name, bool v);

/* The whole line to standard output, and the buffer wiped. */
void cw_jsonl_print(struct cw_buf *b);

#endif
