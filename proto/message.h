/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Texts for people, in their language. The catalogue is messages/ in JSON
 * (docs/messages.md); scripts/messages makes the table of message.c from it
 * when the program is built, and nothing is read at run time.
 */
#ifndef CW_PROTO_MESSAGE_H
#define CW_PROTO_MESSAGE_H

#include "proto/base/buf.h"

/* The columns of the table; English is what others fall back to. */
enum cw_language {
	CW_LANGUAGE_EN,
	CW_LANGUAGE_DE,
	CW_LANGUAGE_FR,
	CW_LANGUAGE_ES,
};

#define CW_LANGUAGES 4

/* The tag for <html lang> and Content-Language: "de". */
const char *cw_message_tag(enum cw_language language);

/* The language for one range of RFC 4647 3.4 ("de-AT", "DE"); false, and *out
 * unchanged, if there is none. */
bool cw_message_lookup(struct cw_bytes range, enum cw_language *out);

/* The language for an Accept-Language header (RFC 9110 12.5.4), which may be
 * empty or nonsense: English then. */
enum cw_language cw_message_accept(struct cw_bytes header);

/* How many values the text takes, or -1 if there is no such key. */
int cw_message_values(const char *key);

/*
 * The text for a key, UTF-8, for ever. Only for texts without values. A key
 * that does not exist gives itself: tests/lint/messages.sh finds such keys.
 */
const char *cw_message(enum cw_language language, const char *key);

/* Appends the text with its values: `values[0]` stands for the placeholder that
 * the English text names first. A value that is not given is left out. */
void cw_message_put(struct cw_buf *out, enum cw_language language,
    const char *key, const struct cw_bytes *values, size_t n);

/* cw_err_what and cw_err_remedy in a language. */
const char *cw_message_what(enum cw_language language, enum cw_err err);
const char *cw_message_remedy(enum cw_language language, enum cw_err err);

#endif
