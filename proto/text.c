/* SPDX-License-Identifier: Apache-2.0 */
/* The only file that includes libunistring. */
#include "proto/text.h"

#include <unictype.h>
#include <unistr.h>

/* Most texts are: the tables need not be asked. */
static bool
is_ascii(struct cw_bytes text)
{
	uint8_t bits = 0;

	for (size_t i = 0; i < text.len; i++)
		bits |= text.ptr[i];
	return bits < 0x80;
}

bool
cw_text_is_utf8(struct cw_bytes text)
{
	return is_ascii(text) || u8_check(text.ptr, text.len) == NULL;
}

bool
cw_text_is_displayable(struct cw_bytes text)
{
	const uint32_t refused =
	    UC_CATEGORY_MASK_C | UC_CATEGORY_MASK_Zl | UC_CATEGORY_MASK_Zp;
	size_t at = 0;

	if (!cw_text_is_utf8(text))
		return false;
	while (at < text.len) {
		ucs4_t c;
		int n;

		if (text.ptr[at] >= 0x20 && text.ptr[at] <= 0x7e) {
			at++;
			continue;
		}
		n = u8_mbtouc(&c, text.ptr + at, text.len - at);

		/* Category C is Cc, Cf, Cs, Co and Cn together. */
		if (uc_is_general_category_withtable(c, refused))
			return false;
		at += (size_t)n;
	}
	return true;
}
