/* SPDX-License-Identifier: Apache-2.0 */
/* The registry of suites. */
#include "proto/suite.h"

static const struct cw_suite suites[] = {
	{ 1, "P-256, AES-256-CCM", CW_KEY_P256, CW_ALG_AES_CCM_16_128_256, 13 },
	{ 2, "X25519, ChaCha20/Poly1305", CW_KEY_X25519,
	    CW_ALG_CHACHA20_POLY1305, 12 },
};

const struct cw_suite *
cw_suite_find(uint64_t id)
{
	for (size_t i = 0; i < sizeof(suites) / sizeof(suites[0]); i++)
		if (suites[i].id == id)
			return &suites[i];
	return NULL;
}
