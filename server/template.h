/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages from www/ with places to fill:
 *
 *   {{name}}            a value, escaped
 *   {{t:key}}           the text for a key of the catalogue, escaped
 *   {{t:key:name}}      the same with one value in it
 *   {{?name}} … {{/}}   only if the value is not empty; not one in another
 */
#ifndef CW_SERVER_TEMPLATE_H
#define CW_SERVER_TEMPLATE_H

#include "proto/message.h"

struct cw_place {
	const char *name;
	struct cw_bytes text;
	bool is_html; /* our own markup, not escaped */
};

/* Appends the filled page; a place without a value stays empty. */
void cw_template_fill(struct cw_buf *out, enum cw_language language,
    struct cw_bytes page, const struct cw_place *places, size_t n);

#endif
