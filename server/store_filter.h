/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which sessions a backend cannot have: a Bloom filter over the keys of all that
 * it has, or had. The look-up of a session that does not exist yet, one for each
 * new session, costs no transaction then. It has one size: with 100,000 sessions
 * it is wrong once in 200,000 times, with a million once in 50; whoever is told
 * "maybe" asks the backend. Thread-safe, without a lock.
 */
#ifndef CW_SERVER_STORE_FILTER_H
#define CW_SERVER_STORE_FILTER_H

#include <stdbool.h>
#include <stdint.h>

struct cw_store_filter;

/* NULL: no memory. */
struct cw_store_filter *cw_store_filter_new(void);
void cw_store_filter_free(struct cw_store_filter **filter); /* NULL-safe */

/* Keys are random numbers: the first bytes of ids. */
void cw_store_filter_put(struct cw_store_filter *filter, uint64_t key);
/* False: it was never put. */
bool cw_store_filter_may_have(const struct cw_store_filter *filter,
    uint64_t key);

#endif
