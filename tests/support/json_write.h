/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Writes JSON, one value a line, bytes as hex:
 *
 *   cw_json_open(&w, NULL, '{');
 *   cw_json_hex(&w, "th", th);
 *   cw_json_close(&w, '}');
 *
 * The name is NULL in an array and at the top.
 */
#ifndef CW_TESTS_JSON_WRITE_H
#define CW_TESTS_JSON_WRITE_H

#include <stdio.h>

#include "proto/base/buf.h"

struct cw_json_writer {
	FILE *file;
	unsigned depth;
	bool has_value; /* on this level */
};

/* An object ('{') or array ('['), and its end ('}', ']'). */
void cw_json_open(struct cw_json_writer *w, const char *name, char bracket);
void cw_json_close(struct cw_json_writer *w, char bracket);

void cw_json_put_hex(struct cw_json_writer *w, const char *name,
    struct cw_bytes bytes);
void cw_json_put_number(struct cw_json_writer *w, const char *name,
    uint64_t number);
void cw_json_put_null(struct cw_json_writer *w, const char *name);

/* Text without anything to be escaped. */
void cw_json_put_text(struct cw_json_writer *w, const char *name,
    const char *text);

/* An array of byte strings. */
void cw_json_put_list(struct cw_json_writer *w, const char *name,
    const struct cw_bytes *list, size_t n);

#endif
