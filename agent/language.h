/* SPDX-License-Identifier: Apache-2.0 */
/* The person's languages, from the environment, as RFC 5646 tags. */
#ifndef CW_AGENT_LANGUAGE_H
#define CW_AGENT_LANGUAGE_H

#include <stdbool.h>

#define CW_LANGUAGE_MAX 16

/* "de_DE.UTF-8" -> "de-DE"; false for "C", "POSIX" and what is no language. */
bool cw_language_tag(const char *locale, char out[CW_LANGUAGE_MAX]);

/* What LC_ALL, LC_MESSAGES or LANG says, in this order; false if nothing. */
bool cw_language_own(char out[CW_LANGUAGE_MAX]);

#endif
