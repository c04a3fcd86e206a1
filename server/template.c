/* SPDX-License-Identifier: Apache-2.0 */
/* Filling pages. */
#include "server/template.h"

#include <stdio.h>

#define KEY_MAX 64
#define TEXT_MAX_BYTES 4096

struct filling {
	struct cw_buf *out;
	enum cw_language language;
	const struct cw_place *places;
	size_t n;
};

/* So that `text` is text in HTML, and in a quoted attribute. */
static void
put_html(struct cw_buf *b, struct cw_bytes text)
{
	for (size_t i = 0; i < text.len; i++) {
		uint8_t c = text.ptr[i];

		if (c == '&')
			cw_buf_put_str(b, "&amp;");
		else if (c == '<')
			cw_buf_put_str(b, "&lt;");
		else if (c == '>')
			cw_buf_put_str(b, "&gt;");
		else if (c == '"')
			cw_buf_put_str(b, "&quot;");
		else if (c == '\'')
			cw_buf_put_str(b, "&#39;");
		else
			cw_buf_put_u8(b, c);
	}
}

static const struct cw_place *
find_place(const struct filling *f, struct cw_bytes name)
{
	static const struct cw_place none = { "", { NULL, 0 }, false };

	for (size_t i = 0; i < f->n; i++)
		if (cw_bytes_is(name, f->places[i].name))
			return &f->places[i];
	return &none;
}

/* Splits at the first `pair` of characters; false if there is none. */
static bool
split(struct cw_bytes *rest, const char *pair, struct cw_bytes *before)
{
	const uint8_t *at =
	    rest->len < 2 ? NULL : memmem(rest->ptr, rest->len, pair, 2);
	size_t len;

	if (at == NULL)
		return false;
	len = (size_t)(at - rest->ptr);
	*before = cw_bytes(rest->ptr, len);
	*rest = cw_bytes(at + 2, rest->len - len - 2);
	return true;
}

/* "key" or "key:name". */
static void
put_message(const struct filling *f, struct cw_bytes what)
{
	const uint8_t *colon =
	    what.len == 0 ? NULL : memchr(what.ptr, ':', what.len);
	size_t key_len = colon == NULL ? what.len : (size_t)(colon - what.ptr);
	struct cw_bytes value = CW_BYTES_NONE;
	struct cw_buf text;
	char key[KEY_MAX];

	if (colon != NULL)
		value =
		    find_place(f, cw_bytes(colon + 1, what.len - key_len - 1))
			->text;
	snprintf(key, sizeof(key), "%.*s", (int)key_len,
	    (const char *)what.ptr);
	cw_buf_init(&text, TEXT_MAX_BYTES);
	cw_message_put(&text, f->language, key, &value, colon != NULL);
	put_html(f->out, cw_buf_bytes(&text));
	cw_buf_wipe(&text);
}

static void
put_place(const struct filling *f, struct cw_bytes name)
{
	const struct cw_place *place = find_place(f, name);

	if (place->is_html)
		cw_buf_put(f->out, place->text);
	else
		put_html(f->out, place->text);
}

void
cw_template_fill(struct cw_buf *out, enum cw_language language,
    struct cw_bytes page, const struct cw_place *places, size_t n)
{
	const struct filling f = { out, language, places, n };
	struct cw_bytes before;
	struct cw_bytes what;
	bool shown = true;

	while (split(&page, "{{", &before)) {
		if (shown)
			cw_buf_put(out, before);
		if (!split(&page, "}}", &what))
			return;
		if (cw_bytes_is(what, "/"))
			shown = true;
		else if (what.len > 1 && what.ptr[0] == '?')
			shown =
			    find_place(&f, cw_bytes(what.ptr + 1, what.len - 1))
				->text.len > 0;
		else if (shown && what.len > 2 &&
		    memcmp(what.ptr, "t:", 2) == 0)
			put_message(&f, cw_bytes(what.ptr + 2, what.len - 2));
		else if (shown)
			put_place(&f, what);
	}
	cw_buf_put(out, page);
}
