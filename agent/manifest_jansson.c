/* SPDX-License-Identifier: Apache-2.0 */
/* Manifests read as a browser reads them. */
#include "agent/manifest.h"

#include <jansson.h>

#include "proto/base/fdio.h"

#define FILE_MAX 65536

static bool
is(const json_t *object, const char *name, const char *value)
{
	const char *text = json_string_value(json_object_get(object, name));

	return text != NULL && strcmp(text, value) == 0;
}

static enum cw_err
look(const json_t *object, const struct cw_browser *browser,
    char program[CW_PATH_MAX], bool *is_allowed)
{
	const json_t *list = json_object_get(object,
	    browser->is_firefox ? "allowed_extensions" : "allowed_origins");
	const char *own =
	    browser->is_firefox ? CW_EXTENSION_FIREFOX : CW_ORIGIN_CHROMIUM;
	const char *path = json_string_value(json_object_get(object, "path"));

	if (!is(object, "name", CW_NATIVE_NAME) ||
	    !is(object, "type", "stdio") || path == NULL || path[0] != '/' ||
	    strlen(path) >= CW_PATH_MAX)
		return CW_ERR_BAD_CONFIG;
	memcpy(program, path, strlen(path) + 1);
	*is_allowed = false;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *id = json_string_value(json_array_get(list, i));

		*is_allowed |= id != NULL && strcmp(id, own) == 0;
	}
	return CW_OK;
}

enum cw_err
cw_manifest_read(const char *path, const struct cw_browser *browser,
    char program[CW_PATH_MAX], bool *is_allowed)
{
	struct cw_buf text;
	json_t *object;
	enum cw_err err;

	cw_buf_init(&text, FILE_MAX);
	err = cw_file_load(path, &text);
	if (err == CW_OK) {
		object = json_loadb((const char *)text.ptr, text.len, 0, NULL);
		err = look(object, browser, program, is_allowed);
		json_decref(object);
	}
	cw_buf_wipe(&text);
	return err;
}
