/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One valid example of every message, for tests that damage them: each row
 * encodes an example and decodes bytes again.
 */
#ifndef CW_TESTS_SAMPLES_H
#define CW_TESTS_SAMPLES_H

#include "proto/base/buf.h"
#include "proto/crypto.h"

/* Keys that the signed samples are made and checked with. */
struct cw_sample_keys {
	struct cw_private_key *signer;
	struct cw_public_key signer_public;
	struct cw_public_key other; /* P-256, of nobody */
	struct cw_public_key x25519;
};

void cw_sample_keys_init(struct cw_sample_keys *keys);
void cw_sample_keys_wipe(struct cw_sample_keys *keys);

struct cw_sample {
	const char *name; /* the CDDL rule */
	bool is_signed;   /* any changed byte must be refused */
	bool is_map;      /* a top-level map: unknown keys can be added */
	/* Appends the example. */
	void (*encode)(const struct cw_sample_keys *keys, struct cw_buf *out);
	/* Decodes; when it succeeds, encodes what it read to `again` (or
	 * leaves it empty where there is no encoder of decoded data). */
	enum cw_err (*decode)(const struct cw_sample_keys *keys,
	    struct cw_bytes in, struct cw_buf *again);
};

extern const struct cw_sample cw_samples[];
extern const size_t cw_samples_n;

#endif
