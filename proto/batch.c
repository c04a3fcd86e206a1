/* SPDX-License-Identifier: Apache-2.0 */
/* Batches. */
#include "proto/batch.h"

#include "proto/fields.h"

static void
put_items(struct cw_buf *b, const struct cw_batch *batch)
{
	cw_field_put_bstrs(b, batch->items, batch->n);
}

static void
get_items(struct cw_cbor_reader *r, struct cw_batch *batch)
{
	batch->n =
	    cw_field_bstrs(r, 1, CW_COMMANDS_MAX, CW_COMMAND_MAX, batch->items);
}

void
cw_batch_encode(const struct cw_batch *batch, struct cw_buf *out)
{
	cw_cbor_put_map(out, 2);
	cw_cbor_put_uint(out, 0);
	cw_cbor_put_uint(out, batch->phase);
	cw_cbor_put_uint(out, 1);
	put_items(out, batch);
}

enum cw_err
cw_batch_decode(struct cw_bytes in, struct cw_batch *out)
{
	struct cw_cbor_reader r;

	if (in.len > CW_BATCH_MAX)
		return CW_ERR_TOO_LARGE;
	out->phase = CW_PHASE_MANAGING;
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 8);
	cw_cbor_key(&r, 0);
	out->phase = cw_cbor_u32(&r, 1, CW_PHASE_INSTALLING);
	cw_cbor_key(&r, 1);
	get_items(&r, out);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}

void
cw_replies_encode(const struct cw_batch *replies, struct cw_buf *out)
{
	cw_cbor_put_map(out, 1);
	cw_cbor_put_uint(out, 0);
	put_items(out, replies);
}

enum cw_err
cw_replies_decode(struct cw_bytes in, struct cw_batch *out)
{
	struct cw_cbor_reader r;

	if (in.len > CW_BATCH_MAX)
		return CW_ERR_TOO_LARGE;
	out->phase = (enum cw_phase)0;
	cw_cbor_init(&r, in);
	cw_cbor_map(&r, 8);
	cw_cbor_key(&r, 0);
	get_items(&r, out);
	cw_cbor_map_end(&r);
	return cw_cbor_finish(&r);
}
