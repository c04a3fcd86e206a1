/* SPDX-License-Identifier: Apache-2.0 */
/* Cipher suites (docs/protocol.md "Suites"): a registry, as a table. */
#ifndef CW_PROTO_SUITE_H
#define CW_PROTO_SUITE_H

#include "proto/crypto.h"

struct cw_suite {
	unsigned id;
	const char *name;
	enum cw_key_type agreement; /* key type of both ephemeral keys */
	enum cw_alg aead;
	size_t nonce_bytes;
};

/* NULL for a number that is no suite. */
const struct cw_suite *cw_suite_find(uint64_t id);

#endif
