/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that were seen lately, for a backend that has one node only: what is
 * in it is what is stored. New sessions stay until they are written down, and
 * those that are only in the journal until that has been applied: of all of
 * them the cache is the only place to ask. Bounded otherwise; thread-safe.
 */
#ifndef CW_SERVER_STORE_CACHE_H
#define CW_SERVER_STORE_CACHE_H

#include "server/store.h"

struct cw_store_cache;

/* Keeps at most `max` applied sessions. NULL: no memory. */
struct cw_store_cache *cw_store_cache_new(size_t max);
void cw_store_cache_free(struct cw_store_cache **cache);

/* True, with a copy in `out` (initialised), if it is there. If not, *stamp (may
 * be NULL) is what cw_store_cache_fill wants. */
bool cw_store_cache_get(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_session *out,
    uint64_t *stamp);

/* Puts in a copy of what was read from the backend after cw_store_cache_get gave
 * `stamp`, unless something was stored, or dropped, there since: what was read
 * may be older than that. */
void cw_store_cache_fill(struct cw_store_cache *cache,
    const struct cw_session *session, uint64_t stamp);

/* Puts in a copy of a new one, which stays. Errors: EXISTS, NO_MEMORY. */
enum cw_err cw_store_cache_add(struct cw_store_cache *cache,
    const struct cw_session *session) __attribute__((warn_unused_result));
/* It could not be handed over to be written down. */
void cw_store_cache_drop_new(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES]);

/* A copy that can be put in later, when nothing may fail. NULL: no memory. */
struct cw_store_cache_entry *cw_store_cache_entry_new(
    const struct cw_session *session);
void cw_store_cache_entry_free(struct cw_store_cache_entry *entry);

/* It is in the journal: takes the place of an older one, and the entry. */
void cw_store_cache_put(struct cw_store_cache *cache,
    struct cw_store_cache_entry *entry);
/* So is the new one that is there. */
void cw_store_cache_journaled(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES]);
/* No, it is not: what was written failed. */
void cw_store_cache_renew(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES]);
/* All that was in the journal is applied. */
void cw_store_cache_applied(struct cw_store_cache *cache);

/* What a step must find. */
struct cw_store_cache_state {
	uint64_t row;
	enum cw_stage stage;
	size_t n_digests;
	bool is_new;     /* not written down */
	bool is_applied; /* the backend has it too */
};

bool cw_store_cache_state(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_store_cache_state *out);

/* Drops all that is applied: after something changed many rows at once. */
void cw_store_cache_clear(struct cw_store_cache *cache);

#endif
