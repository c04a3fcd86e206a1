/* SPDX-License-Identifier: Apache-2.0 */
/* The extension's messages, on libjansson. */
#include "agent/native_message.h"
#include "proto/rfc4648.h"

#include <jansson.h>

void
cw_native_message_init(struct cw_native_message *message)
{
	memset(message, 0, sizeof(*message));
	cw_net_response_init(&message->response);
}

void
cw_native_message_wipe(struct cw_native_message *message)
{
	cw_net_response_wipe(&message->response);
	cw_native_message_init(message);
}

/* A text that fits, with its NUL; JSON's own \u0000 does not. */
static bool
take_text(const json_t *object, const char *name, char *out, size_t size)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);
	size_t len = json_string_length(value);

	if (text == NULL || len >= size || memchr(text, '\0', len) != NULL)
		return false;
	memcpy(out, text, len + 1);
	return true;
}

static bool
take_number(const json_t *object, const char *name, int64_t *out)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_integer(value))
		return false;
	*out = json_integer_value(value);
	return true;
}

/* Bytes that may be left out. */
static enum cw_err
take_bytes(const json_t *object, const char *name, struct cw_buf *out)
{
	const json_t *value = json_object_get(object, name);
	const char *text = json_string_value(value);

	if (value == NULL || json_is_null(value))
		return CW_OK;
	if (text == NULL)
		return CW_ERR_MALFORMED;
	return cw_base64url_get(cw_bytes((const uint8_t *)text,
				    json_string_length(value)),
	    out);
}

/* Tags of another shape only lose their place: they choose texts. */
static enum cw_err
take_hello(const json_t *object, struct cw_native_message *out)
{
	const json_t *list = json_object_get(object, "languages");

	if (!take_number(object, "version", &out->version))
		return CW_ERR_MALFORMED;
	if (list != NULL && !json_is_array(list))
		return CW_ERR_MALFORMED;
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *tag = json_string_value(json_array_get(list, i));

		if (tag == NULL)
			return CW_ERR_MALFORMED;
		if (out->n_languages < CW_LANGUAGES_MAX &&
		    cw_language_tag(tag, out->languages[out->n_languages]))
			out->n_languages++;
	}
	return CW_OK;
}

static enum cw_err
take_status(const json_t *object, struct cw_native_message *out)
{
	const json_t *watch = json_object_get(object, "watch");

	if (watch != NULL && !json_is_boolean(watch))
		return CW_ERR_MALFORMED;
	out->watch = json_is_true(watch);
	return CW_OK;
}

static enum cw_err
take_start(const json_t *object, struct cw_native_message *out)
{
	if (!take_text(object, "origin", out->origin, sizeof(out->origin)))
		return CW_ERR_MALFORMED;
	return take_bytes(object, "intent", &out->response.body);
}

static enum cw_err
take_accept(const json_t *object, struct cw_native_message *out)
{
	const json_t *reader = json_object_get(object, "reader");

	if (reader == NULL || json_is_null(reader))
		return CW_OK;
	return take_text(object, "reader", out->reader, sizeof(out->reader)) ?
	    CW_OK :
	    CW_ERR_MALFORMED;
}

static enum cw_err
take_failure(const char *word, enum cw_err *failure)
{
	static const struct {
		const char *word;
		enum cw_err err;
	} words[] = {
		{ "network", CW_ERR_NO_CONNECTION },
		{ "timeout", CW_ERR_NETWORK_TIMEOUT },
		{ "redirect", CW_ERR_REDIRECTED },
		{ "too-large", CW_ERR_TOO_LARGE },
		{ "tab-gone", CW_ERR_PAGE_GONE },
	};

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (strcmp(words[i].word, word) == 0) {
			*failure = words[i].err;
			return CW_OK;
		}
	return CW_ERR_MALFORMED;
}

static enum cw_err
take_reply(const json_t *object, struct cw_native_message *out)
{
	struct cw_net_response *r = &out->response;
	const json_t *failure = json_object_get(object, "error");
	const json_t *after = json_object_get(object, "retry_after");
	const json_t *type = json_object_get(object, "content_type");
	int64_t number;

	if (!take_number(object, "id", &number) || number < 0)
		return CW_ERR_MALFORMED;
	out->id = (uint64_t)number;
	if (failure != NULL && !json_is_null(failure))
		return json_is_string(failure) ?
		    take_failure(json_string_value(failure), &out->failure) :
		    CW_ERR_MALFORMED;
	if (!take_number(object, "status", &number) || number < 100 ||
	    number > 599)
		return CW_ERR_MALFORMED;
	r->status = (long)number;
	if (after != NULL && !json_is_null(after)) {
		if (!json_is_integer(after) || json_integer_value(after) < 0)
			return CW_ERR_MALFORMED;
		r->retry_after_s = json_integer_value(after) > 86400 ?
		    86400 :
		    (unsigned)json_integer_value(after);
	}
	if (type != NULL && !json_is_null(type)) {
		if (!json_is_string(type))
			return CW_ERR_MALFORMED;
		r->is_message =
		    strcmp(json_string_value(type), CW_MEDIA_TYPE) == 0;
		r->is_problem =
		    strcmp(json_string_value(type), CW_PROBLEM_TYPE) == 0;
	}
	return take_bytes(object, "body", &r->body);
}

static enum cw_err
take_nothing(const json_t *object, struct cw_native_message *out)
{
	(void)object;
	(void)out;
	return CW_OK;
}

static const struct {
	const char *name;
	enum cw_native_type type;
	enum cw_err (
	    *take)(const json_t *object, struct cw_native_message *out);
} types[] = {
	{ "hello", CW_NATIVE_HELLO, take_hello },
	{ "status", CW_NATIVE_STATUS, take_status },
	{ "start", CW_NATIVE_START, take_start },
	{ "accept", CW_NATIVE_ACCEPT, take_accept },
	{ "refuse", CW_NATIVE_REFUSE, take_nothing },
	{ "drop", CW_NATIVE_DROP, take_nothing },
	{ "reply", CW_NATIVE_REPLY, take_reply },
	{ "cancel", CW_NATIVE_CANCEL, take_nothing },
};

static enum cw_err
take(const json_t *object, struct cw_native_message *out)
{
	char name[16];

	if (!take_text(object, "type", name, sizeof(name)))
		return CW_ERR_MALFORMED;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0) {
			out->type = types[i].type;
			return types[i].take(object, out);
		}
	return CW_ERR_MALFORMED;
}

enum cw_err
cw_native_message_decode(struct cw_bytes json, struct cw_native_message *out)
{
	json_t *object = json_loadb((const char *)json.ptr, json.len,
	    JSON_REJECT_DUPLICATES, NULL);
	enum cw_err err = CW_ERR_MALFORMED;

	cw_native_message_wipe(out);
	if (json_is_object(object))
		err = take(object, out);
	json_decref(object);
	if (err != CW_OK)
		cw_native_message_wipe(out);
	return err;
}
