/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ: -max_len=4096
 * What the reader takes, walked item by item and written by the writer, is the
 * same bytes; and the walk and the check agree on what is taken. The first two
 * bytes choose a key that is asked for in a map.
 */
#include <stdlib.h>

#include "proto/text.h"
#include "tests/support/recode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(bool truth)
{
	if (!truth)
		abort();
}

/* Every read on the same bytes, whatever they are: no crash, sticky errors. */
static void
read_everything(struct cw_bytes in, int64_t key)
{
	uint8_t out[16];

	for (int i = 0; i < 8; i++) {
		struct cw_cbor_reader r;
		enum cw_err first;

		cw_cbor_init(&r, in);
		if (i == 0)
			cw_cbor_uint(&r, 1, 1000);
		else if (i == 1)
			cw_cbor_int(&r, -100, 100);
		else if (i == 2)
			cw_cbor_bstr_into(&r, out, sizeof(out));
		else if (i == 3)
			cw_cbor_label(&r, "CW1");
		else if (i == 4)
			cw_text_is_displayable(cw_cbor_tstr(&r, 1, 200));
		else if (i == 5)
			cw_cbor_bool(&r);
		else if (cw_cbor_map(&r, 64) > 0 && i == 6)
			cw_cbor_key(&r, key);
		else if (r.err == CW_OK && cw_cbor_key_opt(&r, key))
			cw_cbor_item(&r);
		if (i == 7)
			cw_cbor_map_end(&r);
		first = r.err;
		cw_cbor_item(&r);
		must(first == CW_OK || cw_cbor_finish(&r) == first);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_bytes in;
	struct cw_cbor_reader r;
	struct cw_buf again;
	enum cw_err whole;
	enum cw_err walked;

	if (size < 2)
		return 0;
	in = cw_bytes(data + 2, size - 2);
	whole = cw_cbor_check(in);
	cw_buf_init(&again, size + 16);
	cw_cbor_init(&r, in);
	cw_recode(&r, &again);
	walked = cw_cbor_finish(&r);
	must(whole == walked);
	if (whole == CW_OK) {
		must(again.err == CW_OK);
		must(cw_bytes_equal(in, cw_buf_bytes(&again)));
	}
	cw_buf_wipe(&again);
	read_everything(in, (int8_t)data[0] * (int64_t)(data[1] + 1));
	return 0;
}
