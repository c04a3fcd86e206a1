/* SPDX-License-Identifier: Apache-2.0 */
/* Chains and issuers that were accepted before. */
#include "proto/x509_memory.h"

void
cw_x509_memory_init(struct cw_x509_memory *m)
{
	pthread_mutex_init(&m->lock, NULL);
}

void
cw_x509_memory_wipe(struct cw_x509_memory *m)
{
	for (size_t i = 0; i < CW_X509_REMEMBERED; i++)
		X509_free(m->issuers[i].issuer);
	pthread_mutex_destroy(&m->lock);
}

void
cw_x509_chain_hash(const struct cw_bytes *chain, size_t n,
    uint8_t out[CW_HASH_BYTES])
{
	uint8_t hashes[CW_CHAIN_MAX][CW_HASH_BYTES];

	for (size_t i = 0; i < n; i++)
		cw_hash(chain[i], hashes[i]);
	cw_hash(cw_bytes(hashes[0], n * CW_HASH_BYTES), out);
}

static bool
within(time_t now, const struct cw_x509_span *span)
{
	return now >= span->from && now <= span->to;
}

bool
cw_x509_recall_chain(struct cw_x509_memory *m,
    const uint8_t hash[CW_HASH_BYTES], time_t now, struct cw_attestation *out)
{
	bool found = false;

	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < CW_X509_REMEMBERED && !found; i++) {
		const struct cw_x509_known_chain *k = &m->chains[i];

		found = k->used && within(now, &k->span) &&
		    memcmp(k->hash, hash, CW_HASH_BYTES) == 0;
		if (found)
			*out = k->attestation;
	}
	pthread_mutex_unlock(&m->lock);
	return found;
}

void
cw_x509_remember_chain(struct cw_x509_memory *m,
    const uint8_t hash[CW_HASH_BYTES], const struct cw_attestation *attestation,
    const struct cw_x509_span *span)
{
	struct cw_x509_known_chain *k;

	if (attestation->kind != CW_ATTESTATION_BATCH)
		return;
	pthread_mutex_lock(&m->lock);
	k = &m->chains[m->next_chain++ % CW_X509_REMEMBERED];
	memcpy(k->hash, hash, CW_HASH_BYTES);
	k->attestation = *attestation;
	k->span = *span;
	k->used = true;
	pthread_mutex_unlock(&m->lock);
}

static bool
has_name(const X509 *cert, struct cw_bytes name)
{
	const uint8_t *der;
	size_t len;

	return X509_NAME_get0_der(X509_get_subject_name(cert), &der, &len) ==
	    1 &&
	    cw_bytes_equal(cw_bytes(der, len), name);
}

/* Where leaves come directly from roots, nothing is above them and all hashes
 * are equal: the name tells the roots apart. */
X509 *
cw_x509_recall_issuer(struct cw_x509_memory *m,
    const uint8_t hash[CW_HASH_BYTES], struct cw_bytes name, time_t now,
    struct cw_x509_span *span)
{
	X509 *issuer = NULL;

	pthread_mutex_lock(&m->lock);
	for (size_t i = 0; i < CW_X509_REMEMBERED && issuer == NULL; i++) {
		const struct cw_x509_known_issuer *k = &m->issuers[i];

		if (k->issuer == NULL || !within(now, &k->span) ||
		    memcmp(k->hash, hash, CW_HASH_BYTES) != 0 ||
		    !has_name(k->issuer, name))
			continue;
		issuer = k->issuer;
		X509_up_ref(issuer);
		*span = k->span;
	}
	pthread_mutex_unlock(&m->lock);
	return issuer;
}

void
cw_x509_remember_issuer(struct cw_x509_memory *m,
    const uint8_t hash[CW_HASH_BYTES], X509 *issuer,
    const struct cw_x509_span *span)
{
	struct cw_x509_known_issuer *k;

	pthread_mutex_lock(&m->lock);
	k = &m->issuers[m->next_issuer++ % CW_X509_REMEMBERED];
	X509_free(k->issuer);
	X509_up_ref(issuer);
	k->issuer = issuer;
	memcpy(k->hash, hash, CW_HASH_BYTES);
	k->span = *span;
	pthread_mutex_unlock(&m->lock);
}
