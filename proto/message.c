/* SPDX-License-Identifier: Apache-2.0 */
/* The message table, and which language somebody reads. */
#include "proto/message.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct row {
	const char *key;
	int values;
	const char *texts[CW_LANGUAGES];
};

/* Sorted by key. In a text $1 stands for the first value. */
static const struct row rows[] = {
#include "proto/message_table.inc"
};

static const char *const tags[CW_LANGUAGES] = {
	[CW_LANGUAGE_EN] = "en",
	[CW_LANGUAGE_DE] = "de",
	[CW_LANGUAGE_FR] = "fr",
	[CW_LANGUAGE_ES] = "es",
};

const char *
cw_message_tag(enum cw_language language)
{
	return tags[language];
}

/* The ranges of RFC 4647 lose their last subtag until something fits. Ours
 * have one subtag each, so that the first one decides. */
bool
cw_message_lookup(struct cw_bytes range, enum cw_language *out)
{
	const uint8_t *end =
	    range.len == 0 ? NULL : memchr(range.ptr, '-', range.len);
	size_t len = end == NULL ? range.len : (size_t)(end - range.ptr);

	for (unsigned i = 0; i < CW_LANGUAGES; i++)
		if (len == strlen(tags[i]) &&
		    strncasecmp((const char *)range.ptr, tags[i], len) == 0) {
			*out = (enum cw_language)i;
			return true;
		}
	return false;
}

/* Cuts `b` at the first `c`: returns what is before it, leaves the rest. */
static struct cw_bytes
cut(struct cw_bytes *b, char c)
{
	const uint8_t *at = b->len == 0 ? NULL : memchr(b->ptr, c, b->len);
	size_t len = at == NULL ? b->len : (size_t)(at - b->ptr);
	struct cw_bytes head = cw_bytes(b->ptr, len);

	len += at != NULL;
	*b = cw_bytes(b->ptr + len, b->len - len);
	return head;
}

/* RFC 9110 12.4.2: "q=0.8" in thousandths; what is malformed counts nothing. */
static unsigned
quality(struct cw_bytes weight)
{
	unsigned q = 0;
	unsigned unit = 1000;

	weight = cw_bytes_trim(weight);
	if (weight.len == 0)
		return 1000;
	if (weight.len < 3 || weight.len > 7 || (weight.ptr[0] | 0x20) != 'q' ||
	    weight.ptr[1] != '=' || (weight.len > 3 && weight.ptr[3] != '.'))
		return 0;
	for (size_t i = 2; i < weight.len; i++) {
		if (i == 3)
			continue;
		if (weight.ptr[i] < '0' || weight.ptr[i] > '9')
			return 0;
		q += unit * (unsigned)(weight.ptr[i] - '0');
		unit /= 10;
	}
	return q <= 1000 ? q : 0;
}

enum cw_language
cw_message_accept(struct cw_bytes header)
{
	enum cw_language best = CW_LANGUAGE_EN;
	unsigned best_q = 0;

	while (header.len > 0) {
		struct cw_bytes weight = cut(&header, ',');
		struct cw_bytes range = cw_bytes_trim(cut(&weight, ';'));
		unsigned q = quality(weight);
		enum cw_language found;

		if (q > best_q && cw_message_lookup(range, &found)) {
			best = found;
			best_q = q;
		}
	}
	return best;
}

static int
compare(const void *key, const void *row)
{
	return strcmp(key, ((const struct row *)row)->key);
}

static const struct row *
find(const char *key)
{
	return bsearch(key, rows, sizeof(rows) / sizeof(rows[0]),
	    sizeof(rows[0]), compare);
}

int
cw_message_values(const char *key)
{
	const struct row *row = find(key);

	return row == NULL ? -1 : row->values;
}

const char *
cw_message(enum cw_language language, const char *key)
{
	const struct row *row = find(key);

	return row == NULL ? key : row->texts[language];
}

void
cw_message_put(struct cw_buf *out, enum cw_language language, const char *key,
    const struct cw_bytes *values, size_t n)
{
	const char *text = cw_message(language, key);

	for (const char *place;
	     (place = strchr(text, '$')) != NULL && place[1] != '\0';
	     text = place + 2) {
		size_t i = (size_t)(place[1] - '1');

		cw_buf_put(out,
		    cw_bytes((const uint8_t *)text, (size_t)(place - text)));
		if (i < n)
			cw_buf_put(out, values[i]);
	}
	cw_buf_put_str(out, text);
}

static const char *
of_error(enum cw_language language, const char *prefix, enum cw_err err,
    const char *english)
{
	char key[32];
	const struct row *row;

	snprintf(key, sizeof(key), "%s_%d", prefix, (int)err);
	row = find(key);
	return row == NULL ? english : row->texts[language];
}

const char *
cw_message_what(enum cw_language language, enum cw_err err)
{
	return of_error(language, "error", err, cw_err_what(err));
}

const char *
cw_message_remedy(enum cw_language language, enum cw_err err)
{
	return of_error(language, "remedy", err, cw_err_remedy(err));
}
