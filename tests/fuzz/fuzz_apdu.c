/* SPDX-License-Identifier: Apache-2.0 */
/* APDU decoder: what is accepted encodes to the same bytes. */
#include <stdlib.h>

#include "proto/apdu.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_apdu apdu;
	struct cw_buf again;

	if (cw_apdu_decode(cw_bytes(data, size), &apdu) != CW_OK)
		return 0;
	cw_buf_init(&again, CW_APDU_MAX);
	cw_apdu_encode(&apdu, &again);
	if (again.err != CW_OK ||
	    !cw_bytes_equal(cw_buf_bytes(&again), cw_bytes(data, size)))
		abort();
	cw_buf_wipe(&again);
	return 0;
}
