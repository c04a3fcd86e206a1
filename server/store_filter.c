/* SPDX-License-Identifier: Apache-2.0 */
/* A Bloom filter of 2^23 bits, four for each key. */
#include "server/store_filter.h"

#include <stdatomic.h>
#include <stdlib.h>

#define BITS (1u << 23)
#define PROBES 4

struct cw_store_filter {
	atomic_uchar bits[BITS / 8];
};

struct cw_store_filter *
cw_store_filter_new(void)
{
	return calloc(1, sizeof(struct cw_store_filter));
}

void
cw_store_filter_free(struct cw_store_filter **filter)
{
	free(*filter);
	*filter = NULL;
}

/* The i-th place of a key: its halves are independent of each other, and an odd
 * step reaches every place. */
static uint32_t
place(uint64_t key, uint32_t i)
{
	uint32_t step = (uint32_t)(key >> 32) | 1;

	return ((uint32_t)key + i * step) % BITS;
}

void
cw_store_filter_put(struct cw_store_filter *filter, uint64_t key)
{
	for (uint32_t i = 0; i < PROBES; i++) {
		uint32_t at = place(key, i);

		atomic_fetch_or_explicit(&filter->bits[at / 8],
		    (unsigned char)(1u << at % 8), memory_order_relaxed);
	}
}

bool
cw_store_filter_may_have(const struct cw_store_filter *filter, uint64_t key)
{
	bool may = true;

	for (uint32_t i = 0; i < PROBES && may; i++) {
		uint32_t at = place(key, i);

		may = (atomic_load_explicit(&filter->bits[at / 8],
			   memory_order_relaxed) >>
			      at % 8 &
			  1) != 0;
	}
	return may;
}
