/* SPDX-License-Identifier: Apache-2.0 */
/*
 * FUZZ: -max_len=16384
 * The card's state from whatever is in its file, in both forms: what is taken
 * is written as the present form, and that one comes back as the same bytes.
 */
#include <stdlib.h>

#include "card/state.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_card_state *state = NULL, *again = NULL;
	struct cw_buf first, second;

	if (cw_card_state_decode(cw_bytes(data, size), &state) != CW_OK)
		return 0;
	cw_buf_init(&first, CW_CARD_STORAGE_MAX);
	cw_buf_init(&second, CW_CARD_STORAGE_MAX);
	cw_card_state_encode(state, &first);
	if (first.err != CW_OK ||
	    cw_card_state_decode(cw_buf_bytes(&first), &again) != CW_OK)
		abort();
	cw_card_state_encode(again, &second);
	if (!cw_bytes_equal(cw_buf_bytes(&first), cw_buf_bytes(&second)))
		abort();
	cw_card_state_free(&state);
	cw_card_state_free(&again);
	cw_buf_wipe(&first);
	cw_buf_wipe(&second);
	return 0;
}
