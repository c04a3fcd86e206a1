/* SPDX-License-Identifier: Apache-2.0 */
/* Concise problem details. */
#include "proto/problem.h"

#include "proto/cbor.h"

#define PROBLEM_TEXT_MAX 2000

void
cw_problem_encode(enum cw_err err, bool ended, struct cw_buf *out)
{
	cw_cbor_put_map(out, ended ? 5 : 4);
	cw_cbor_put_int(out, -1); /* title */
	cw_cbor_put_str(out, cw_err_what(err));
	cw_cbor_put_int(out, -2); /* detail */
	cw_cbor_put_str(out, cw_err_remedy(err));
	cw_cbor_put_int(out, -4); /* response-code */
	cw_cbor_put_uint(out, (uint64_t)cw_err_http_status(err));
	cw_cbor_put_str(out, CW_PROBLEM_KEY);
	cw_cbor_put_uint(out, (uint64_t)err);
	if (ended) {
		cw_cbor_put_str(out, CW_PROBLEM_ENDED_KEY);
		cw_cbor_put_bool(out, true);
	}
}

/* The custom entries' keys are texts, so the map is walked by hand. */
enum cw_err
cw_problem_decode(struct cw_bytes in, enum cw_err *out, bool *ended)
{
	struct cw_cbor_reader r;
	bool is_ended = false;
	size_t pairs;

	*out = CW_ERR_PEER_UNKNOWN;
	cw_cbor_init(&r, in);
	pairs = cw_cbor_map(&r, 16);
	for (size_t i = 0; i < pairs && r.err == CW_OK; i++) {
		struct cw_bytes key = cw_cbor_item(&r);
		struct cw_bytes value = cw_cbor_item(&r);
		struct cw_cbor_reader k;
		struct cw_cbor_reader v;
		struct cw_bytes name;

		cw_cbor_init(&k, key);
		cw_cbor_init(&v, value);
		name = cw_cbor_tstr(&k, 1, PROBLEM_TEXT_MAX);
		if (cw_bytes_is(name, CW_PROBLEM_KEY))
			*out = cw_err_from_number(cw_cbor_uint(&v, 1, 999));
		else if (cw_bytes_is(name, CW_PROBLEM_ENDED_KEY))
			is_ended = cw_cbor_bool(&v) && v.err == CW_OK;
	}
	cw_cbor_map_end(&r);
	if (ended != NULL)
		*ended = is_ended && r.err == CW_OK;
	return cw_cbor_finish(&r);
}
