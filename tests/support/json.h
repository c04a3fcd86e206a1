/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON for test vectors, on libjansson. Every function takes NULL for a value
 * that is not there and answers NULL, 0 or false, so look-ups can be chained.
 */
#ifndef CW_TESTS_JSON_H
#define CW_TESTS_JSON_H

#include "proto/base/buf.h"

struct cw_json;

/* The file's value, or NULL with the reason on stderr. */
struct cw_json *cw_json_load(const char *path)
    __attribute__((warn_unused_result));

/* Nulls the pointer. Values taken out of the document die with it. */
void cw_json_free(struct cw_json **json);

/* A member of an object; an element of an array; how many elements there are. */
const struct cw_json *cw_json_get(const struct cw_json *object,
    const char *name);
const struct cw_json *cw_json_at(const struct cw_json *array, size_t i);
size_t cw_json_count(const struct cw_json *array);

/* How many members an object has. */
size_t cw_json_members(const struct cw_json *object);

/* Text of a string value. */
const char *cw_json_text(const struct cw_json *value);

/* Whole number, exact up to 2^53, or `otherwise` for what is no number. */
int64_t cw_json_int(const struct cw_json *value, int64_t otherwise);

bool cw_json_is_true(const struct cw_json *value);
bool cw_json_is_null(const struct cw_json *value);

/* The member's text, the commonest case. */
const char *cw_json_str(const struct cw_json *object, const char *name);

/* The member's text, decoded and appended to `out`. False, with nothing
 * appended, if there is no such member or it is not hex or base64url. */
bool cw_json_hex(const struct cw_json *object, const char *name,
    struct cw_buf *out);
bool cw_json_base64url(const struct cw_json *object, const char *name,
    struct cw_buf *out);

/* The same for text at hand. */
bool cw_hex_decode(const char *text, struct cw_buf *out);

#endif
