/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions that were seen lately, for a backend that has one node only: written
 * through, so that what is in it is what is stored, except for new sessions,
 * which stay until they are. Bounded; thread-safe.
 */
#ifndef CW_SERVER_STORE_CACHE_H
#define CW_SERVER_STORE_CACHE_H

#include "server/store.h"

struct cw_store_cache;

/* Keeps at most `max` stored sessions. NULL: no memory. */
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

/* Puts a copy in, in place of an older one. `unsaved`: not to be dropped
 * before cw_store_cache_saved. Errors: EXISTS (only when unsaved), NO_MEMORY. */
enum cw_err cw_store_cache_put(struct cw_store_cache *cache,
    const struct cw_session *session, bool unsaved)
    __attribute__((warn_unused_result));
void cw_store_cache_saved(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES]);
void cw_store_cache_drop(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES]);
/* Drops all that is saved: after something changed many rows at once. */
void cw_store_cache_clear(struct cw_store_cache *cache);

#endif
