/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that several messages have. */
#include "proto/fields.h"

#include "proto/limits.h"
#include "proto/scope.h"
#include "proto/text.h"

struct cw_bytes
cw_field_text(struct cw_cbor_reader *r)
{
	struct cw_bytes text = cw_cbor_tstr(r, 1, CW_TEXT_MAX);

	if (r->err == CW_OK && !cw_text_is_displayable(text))
		cw_cbor_fail(r, CW_ERR_BAD_TEXT);
	return text;
}

uint8_t
cw_field_slot(struct cw_cbor_reader *r)
{
	uint64_t slot = cw_cbor_uint(r, 0x82, 0x9e);

	if (r->err == CW_OK && !cw_slot_is_valid(slot))
		cw_cbor_fail(r, CW_ERR_OUT_OF_RANGE);
	return (uint8_t)slot;
}

size_t
cw_field_bstrs(struct cw_cbor_reader *r, size_t min, size_t max,
    size_t item_max, struct cw_bytes *items)
{
	size_t n = cw_cbor_array(r, min, max);

	for (size_t i = 0; i < n; i++)
		items[i] = cw_cbor_bstr(r, 1, item_max);
	cw_cbor_array_end(r);
	return n;
}

void
cw_field_put_bstrs(struct cw_buf *b, const struct cw_bytes *items, size_t n)
{
	cw_cbor_put_array(b, n);
	for (size_t i = 0; i < n; i++)
		cw_cbor_put_bstr(b, items[i]);
}
