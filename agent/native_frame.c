/* SPDX-License-Identifier: Apache-2.0 */
/* Lengths and what stands behind them. */
#include "agent/native_frame.h"

enum cw_err
cw_native_frame_take(struct cw_bytes *in, struct cw_bytes *frame)
{
	uint32_t len;

	if (in->len < CW_NATIVE_HEAD)
		return CW_ERR_TRUNCATED;
	memcpy(&len, in->ptr, CW_NATIVE_HEAD);
	if (len == 0)
		return CW_ERR_MALFORMED;
	if (len > CW_NATIVE_MAX)
		return CW_ERR_TOO_LARGE;
	if (in->len - CW_NATIVE_HEAD < len)
		return CW_ERR_TRUNCATED;
	*frame = cw_bytes(in->ptr + CW_NATIVE_HEAD, len);
	*in = cw_bytes(in->ptr + CW_NATIVE_HEAD + len,
	    in->len - CW_NATIVE_HEAD - len);
	return CW_OK;
}

void
cw_native_frame_put(struct cw_buf *out, struct cw_bytes json)
{
	uint32_t len = (uint32_t)json.len;
	uint8_t head[CW_NATIVE_HEAD];

	if (json.len > CW_NATIVE_MAX) {
		if (out->err == CW_OK)
			out->err = CW_ERR_TOO_LARGE;
		return;
	}
	memcpy(head, &len, sizeof(head));
	cw_buf_put(out, CW_BYTES_ARRAY(head));
	cw_buf_put(out, json);
}
