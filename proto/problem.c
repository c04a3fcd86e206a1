/* SPDX-License-Identifier: Apache-2.0 */
/* Concise problem details. */
#include "proto/problem.h"

#include "proto/cbor.h"

#define PROBLEM_TEXT_MAX 2000

void
cw_problem_encode(enum cw_err err, struct cw_buf *out)
{
	cw_cbor_put_map(out, 4);
	cw_cbor_put_int(out, -1); /* title */
	cw_cbor_put_str(out, cw_err_what(err));
	cw_cbor_put_int(out, -2); /* detail */
	cw_cbor_put_str(out, cw_err_remedy(err));
	cw_cbor_put_int(out, -4); /* response-code */
	cw_cbor_put_uint(out, (uint64_t)cw_err_http_status(err));
	cw_cbor_put_str(out, CW_PROBLEM_KEY);
	cw_cbor_put_uint(out, (uint64_t)err);
}

/* The custom entry's key is a text, so the map is walked by hand. */
enum cw_err
cw_problem_decode(struct cw_bytes in, enum cw_err *out)
{
	struct cw_cbor_reader r;
	size_t pairs;

	*out = CW_ERR_PEER_UNKNOWN;
	cw_cbor_init(&r, in);
	pairs = cw_cbor_map(&r, 16);
	for (size_t i = 0; i < pairs && r.err == CW_OK; i++) {
		struct cw_bytes key = cw_cbor_item(&r);
		struct cw_bytes value = cw_cbor_item(&r);
		struct cw_cbor_reader k;
		struct cw_cbor_reader v;

		cw_cbor_init(&k, key);
		cw_cbor_init(&v, value);
		if (cw_bytes_is(cw_cbor_tstr(&k, 1, PROBLEM_TEXT_MAX),
			CW_PROBLEM_KEY))
			*out = cw_err_from_number(cw_cbor_uint(&v, 1, 999));
	}
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}
