/* SPDX-License-Identifier: Apache-2.0 */
/* Token buckets. */
#include "server/limit.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>

#include "proto/crypto.h"

#define BUCKETS 8192u
#define PROBES 8u

struct bucket {
	uint64_t key;     /* of its hash; 0: free */
	uint64_t full_ms; /* when it would be full again */
};

struct cw_limits {
	pthread_mutex_t mutex;
	struct bucket buckets[BUCKETS];
};

struct cw_limits *
cw_limits_new(void)
{
	struct cw_limits *limits = calloc(1, sizeof(*limits));

	if (limits != NULL)
		pthread_mutex_init(&limits->mutex, NULL);
	return limits;
}

void
cw_limits_free(struct cw_limits **limits)
{
	if (*limits == NULL)
		return;
	pthread_mutex_destroy(&(*limits)->mutex);
	free(*limits);
	*limits = NULL;
}

/* The key's bucket, else the one near its place that is fullest. */
static struct bucket *
find(struct cw_limits *limits, uint64_t key)
{
	struct bucket *best = NULL;

	for (unsigned i = 0; i < PROBES; i++) {
		struct bucket *b = &limits->buckets[(key + i) % BUCKETS];

		if (b->key == key)
			return b;
		if (best == NULL || b->full_ms < best->full_ms)
			best = b;
	}
	best->key = key;
	best->full_ms = 0;
	return best;
}

enum cw_err
cw_limit_take(struct cw_limits *limits, struct cw_bytes key, unsigned burst,
    unsigned refill_ms, uint64_t now_ms)
{
	uint8_t hash[CW_HASH_BYTES];
	uint64_t number;
	struct bucket *b;
	uint64_t from;
	enum cw_err err = CW_OK;

	if (limits == NULL || key.len == 0)
		return CW_OK;
	cw_hash(key, hash);
	memcpy(&number, hash, sizeof(number));
	number |= 1;
	pthread_mutex_lock(&limits->mutex);
	b = find(limits, number);
	/* Each token taken moves the moment of fullness by one refill. */
	from = b->full_ms > now_ms ? b->full_ms : now_ms;
	if (from + refill_ms - now_ms > (uint64_t)burst * refill_ms)
		err = CW_ERR_TOO_BUSY;
	else
		b->full_ms = from + refill_ms;
	pthread_mutex_unlock(&limits->mutex);
	return err;
}

struct cw_bytes
cw_limit_network(const char *address, uint8_t out[17])
{
	static const uint8_t loopback6[16] = { [15] = 1 };
	static const uint8_t mapped4[12] = { [10] = 0xff, [11] = 0xff };

	memset(out, 0, 17);
	if (inet_pton(AF_INET, address, out + 1) == 1) {
		out[0] = 4;
		return out[1] == 127 ? CW_BYTES_NONE : cw_bytes(out, 4);
	}
	if (inet_pton(AF_INET6, address, out + 1) != 1)
		return CW_BYTES_NONE;
	if (memcmp(out + 1, mapped4, sizeof(mapped4)) == 0)
		return out[13] == 127 ? CW_BYTES_NONE : cw_bytes(out + 10, 6);
	if (memcmp(out + 1, loopback6, 16) == 0)
		return CW_BYTES_NONE;
	out[0] = 6;
	return cw_bytes(out, 8); /* the mark and 56 bits */
}
