/* SPDX-License-Identifier: Apache-2.0 */
/* Every decoder of session.cddl on a stranger's bytes; what is accepted must
 * encode to the same bytes again. The first byte picks the decoder. */
#include <stdlib.h>

#include "proto/evidence.h"
#include "tests/support/samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct cw_sample_keys keys;

static void
try_evidence(struct cw_bytes in)
{
	static struct cw_evidence e;
	struct cw_buf again;

	if (cw_evidence_decode(in, &e) != CW_OK)
		return;
	cw_buf_init(&again, CW_EVIDENCE_MAX);
	cw_evidence_encode(&e, &again);
	/* Ignored negative keys are not written again. */
	if (again.len > in.len)
		abort();
	cw_buf_wipe(&again);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cw_buf again;
	struct cw_bytes in;

	if (keys.signer == NULL)
		cw_sample_keys_init(&keys);
	if (size == 0)
		return 0;
	in = cw_bytes(data + 1, size - 1);
	if (data[0] % (cw_samples_n + 1) == cw_samples_n) {
		try_evidence(in);
		return 0;
	}
	cw_buf_init(&again, 1 << 20);
	if (cw_samples[data[0] % (cw_samples_n + 1)].decode(&keys, in,
		&again) == CW_OK &&
	    again.len > in.len)
		abort();
	cw_buf_wipe(&again);
	return 0;
}
