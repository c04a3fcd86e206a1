/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that includes libjansson. */
#include "tests/support/json.h"

#include <jansson.h>
#include <stdio.h>

#include "proto/rfc4648.h"

/* The opaque struct is libjansson's own value under another name. */
static const json_t *
in(const struct cw_json *j)
{
	return (const json_t *)(const void *)j;
}

static const struct cw_json *
out_of(const json_t *j)
{
	return (const struct cw_json *)(const void *)j;
}

struct cw_json *
cw_json_load(const char *path)
{
	/* Vectors hold integers beyond 64 bits and NUL characters. */
	const size_t flags =
	    JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL | JSON_ALLOW_NUL;
	json_error_t error;
	json_t *j = json_load_file(path, flags, &error);

	if (j == NULL)
		fprintf(stderr, "%s:%d: %s\n", path, error.line, error.text);
	return (struct cw_json *)(void *)j;
}

void
cw_json_free(struct cw_json **json)
{
	json_decref((json_t *)(void *)*json);
	*json = NULL;
}

const struct cw_json *
cw_json_get(const struct cw_json *object, const char *name)
{
	return out_of(json_object_get(in(object), name));
}

const struct cw_json *
cw_json_at(const struct cw_json *array, size_t i)
{
	return out_of(json_array_get(in(array), i));
}

size_t
cw_json_count(const struct cw_json *array)
{
	return json_array_size(in(array));
}

size_t
cw_json_members(const struct cw_json *object)
{
	return json_object_size(in(object));
}

const char *
cw_json_text(const struct cw_json *value)
{
	return json_string_value(in(value));
}

int64_t
cw_json_int(const struct cw_json *value, int64_t otherwise)
{
	const json_t *j = in(value);

	if (!json_is_real(j))
		return otherwise;
	return (int64_t)json_real_value(j);
}

bool
cw_json_is_true(const struct cw_json *value)
{
	return json_is_true(in(value));
}

bool
cw_json_is_null(const struct cw_json *value)
{
	return json_is_null(in(value));
}

const char *
cw_json_str(const struct cw_json *object, const char *name)
{
	return cw_json_text(cw_json_get(object, name));
}

bool
cw_hex_decode(const char *text, struct cw_buf *out)
{
	struct cw_bytes in = cw_bytes_str(text == NULL ? "?" : text);
	size_t before = out->len;
	uint8_t *at = cw_buf_extend(out, in.len / 2);

	if (cw_base16_decode(in, at, at == NULL ? 0 : in.len / 2))
		return true;
	cw_buf_truncate(out, before);
	return false;
}

bool
cw_json_hex(const struct cw_json *object, const char *name, struct cw_buf *out)
{
	return cw_hex_decode(cw_json_str(object, name), out);
}

bool
cw_json_base64url(const struct cw_json *object, const char *name,
    struct cw_buf *out)
{
	const char *text = cw_json_str(object, name);

	return text != NULL &&
	    cw_base64url_get(cw_bytes_str(text), out) == CW_OK;
}
