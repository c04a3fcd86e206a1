/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What chain checks remember: two tables of bounded size, the oldest entry goes
 * first. Only what a trusted root has signed gets in. Between x509 files only.
 * Thread-safe.
 */
#ifndef CW_PROTO_X509_MEMORY_H
#define CW_PROTO_X509_MEMORY_H

#include <pthread.h>

#include "proto/x509_openssl.h"

#define CW_X509_REMEMBERED 64

/* An attestation chain that was accepted. */
struct cw_x509_known_chain {
	uint8_t hash[CW_HASH_BYTES];
	struct cw_attestation attestation;
	struct cw_x509_span span;
	bool used;
};

/* The lowest of the certificates above a leaf that were accepted; their hash,
 * and the time when all of them and the root are valid. */
struct cw_x509_known_issuer {
	uint8_t hash[CW_HASH_BYTES];
	X509 *issuer;
	struct cw_x509_span span;
};

struct cw_x509_memory {
	pthread_mutex_t lock;
	struct cw_x509_known_chain chains[CW_X509_REMEMBERED];
	struct cw_x509_known_issuer issuers[CW_X509_REMEMBERED];
	size_t next_chain, next_issuer;
};

/* Of zeroed memory. */
void cw_x509_memory_init(struct cw_x509_memory *m);
void cw_x509_memory_wipe(struct cw_x509_memory *m);

/* H over the hash of each, so that where one ends is part of it. */
void cw_x509_chain_hash(const struct cw_bytes *chain, size_t n,
    uint8_t out[CW_HASH_BYTES]);

/* True, and what it attests, if this very chain was accepted and is valid now.
 * Only chains of batches are remembered: a card's own comes once in a while. */
bool cw_x509_recall_chain(struct cw_x509_memory *m,
    const uint8_t hash[CW_HASH_BYTES], time_t now, struct cw_attestation *out);
void cw_x509_remember_chain(struct cw_x509_memory *m,
    const uint8_t hash[CW_HASH_BYTES], const struct cw_attestation *attestation,
    const struct cw_x509_span *span);

/* The issuer of this name (DER), if everything above the leaf was accepted and
 * is valid now; the caller frees it. NULL otherwise. */
X509 *cw_x509_recall_issuer(struct cw_x509_memory *m,
    const uint8_t hash[CW_HASH_BYTES], struct cw_bytes name, time_t now,
    struct cw_x509_span *span);
void cw_x509_remember_issuer(struct cw_x509_memory *m,
    const uint8_t hash[CW_HASH_BYTES], X509 *issuer,
    const struct cw_x509_span *span);

#endif
