/* SPDX-License-Identifier: Apache-2.0 */
/* Locale names become language tags. */
#include "agent/language.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

bool
cw_language_tag(const char *locale, char out[CW_LANGUAGE_MAX])
{
	size_t len = strcspn(locale, ".@");

	out[0] = '\0';
	if (len < 2 || len >= CW_LANGUAGE_MAX || strcmp(locale, "POSIX") == 0)
		return false;
	for (size_t i = 0; i < len; i++) {
		char c = locale[i] == '_' ? '-' : locale[i];

		if (c != '-' && !isalnum((unsigned char)c))
			return false;
		out[i] = c;
	}
	out[len] = '\0';
	return strcspn(out, "-") <= 3 && out[len - 1] != '-';
}

bool
cw_language_own(char out[CW_LANGUAGE_MAX])
{
	static const char *const names[] = { "LC_ALL", "LC_MESSAGES", "LANG" };

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		const char *value = getenv(names[i]);

		if (value != NULL && value[0] != '\0')
			return cw_language_tag(value, out);
	}
	return false;
}
