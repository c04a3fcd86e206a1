/* SPDX-License-Identifier: Apache-2.0 */
/* Property bags. */
#include "proto/properties.h"

#include "proto/fields.h"

void
cw_properties_encode(const struct cw_properties *p, struct cw_buf *out)
{
	cw_cbor_put_array(out, p->n);
	for (size_t i = 0; i < p->n; i++) {
		cw_cbor_put_array(out, 3);
		cw_cbor_put_tstr(out, p->items[i].name);
		cw_cbor_put_bool(out, p->items[i].is_writable);
		cw_cbor_put_bstr(out, p->items[i].value);
	}
}

enum cw_err
cw_properties_decode(struct cw_bytes in, struct cw_properties *out)
{
	struct cw_cbor_reader r;

	memset(out, 0, sizeof(*out));
	cw_cbor_init(&r, in);
	out->n = cw_cbor_array(&r, 1, CW_PROPERTIES_MAX);
	for (size_t i = 0; i < out->n; i++) {
		struct cw_property *item = &out->items[i];

		cw_cbor_array(&r, 3, 3);
		item->name = cw_field_text(&r);
		item->is_writable = cw_cbor_bool(&r);
		item->value = cw_cbor_bstr(&r, 0, CW_PROPERTY_BYTES_MAX);
		cw_cbor_array_end(&r);
		for (size_t j = 0; j < i && r.err == CW_OK; j++)
			if (cw_bytes_equal(out->items[j].name, item->name))
				cw_cbor_fail(&r, CW_ERR_BAD_EXTENSION);
	}
	cw_cbor_array_end(&r);
	return cw_cbor_finish(&r);
}

enum cw_err
cw_properties_check(struct cw_bytes in)
{
	struct cw_properties p;

	return cw_properties_decode(in, &p);
}
