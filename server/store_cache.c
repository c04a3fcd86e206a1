/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of sessions with a list by last use. */
#include "server/store_cache.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKETS 4096u /* session ids are random: their first bytes choose */

struct entry {
	struct entry *next;          /* in its bucket */
	struct entry *newer, *older; /* by use, only when saved */
	bool unsaved;
	struct cw_session session;
};

struct cw_store_cache {
	pthread_mutex_t mutex;
	size_t n_saved, max;
	struct entry *newest, *oldest;
	uint64_t changes; /* of all entries */
	struct {
		struct entry *first;
		uint64_t changes; /* of its entries: rises with each */
	} buckets[BUCKETS];
};

struct cw_store_cache *
cw_store_cache_new(size_t max)
{
	struct cw_store_cache *cache = calloc(1, sizeof(*cache));

	if (cache == NULL)
		return NULL;
	pthread_mutex_init(&cache->mutex, NULL);
	cache->max = max;
	return cache;
}

static size_t
bucket_of(const uint8_t *id)
{
	return (size_t)(id[0] << 8 | id[1]) % BUCKETS;
}

/* What is read of this id from now on is not older than this. */
static uint64_t
stamp_of(const struct cw_store_cache *cache, const uint8_t *id)
{
	return cache->changes + cache->buckets[bucket_of(id)].changes;
}

static struct entry **
find(struct cw_store_cache *cache, const uint8_t *id)
{
	struct entry **at = &cache->buckets[bucket_of(id)].first;

	while (*at != NULL &&
	    memcmp((*at)->session.id, id, CW_SESSION_ID_BYTES) != 0)
		at = &(*at)->next;
	return at;
}

static void
list_remove(struct cw_store_cache *cache, struct entry *e)
{
	*(e->newer != NULL ? &e->newer->older : &cache->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &cache->oldest) = e->newer;
	e->newer = e->older = NULL;
	cache->n_saved--;
}

static void
list_insert(struct cw_store_cache *cache, struct entry *e)
{
	e->older = cache->newest;
	e->newer = NULL;
	*(e->older != NULL ? &e->older->newer : &cache->oldest) = e;
	cache->newest = e;
	cache->n_saved++;
}

static void
entry_free(struct entry *e)
{
	cw_session_wipe(&e->session);
	free(e);
}

static void
drop_at(struct cw_store_cache *cache, struct entry **at)
{
	struct entry *e = *at;

	*at = e->next;
	if (!e->unsaved)
		list_remove(cache, e);
	entry_free(e);
}

void
cw_store_cache_free(struct cw_store_cache **cache)
{
	if (*cache == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while ((*cache)->buckets[i].first != NULL) {
			struct entry *e = (*cache)->buckets[i].first;

			(*cache)->buckets[i].first = e->next;
			entry_free(e);
		}
	pthread_mutex_destroy(&(*cache)->mutex);
	free(*cache);
	*cache = NULL;
}

bool
cw_store_cache_get(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_session *out,
    uint64_t *stamp)
{
	struct entry *e;
	bool found = false;

	pthread_mutex_lock(&cache->mutex);
	e = *find(cache, id);
	if (stamp != NULL)
		*stamp = stamp_of(cache, id);
	if (e != NULL && cw_session_copy(out, &e->session) == CW_OK) {
		found = true;
		if (!e->unsaved) {
			list_remove(cache, e);
			list_insert(cache, e);
		}
	}
	pthread_mutex_unlock(&cache->mutex);
	return found;
}

/* Takes the place of an older copy; a stored one is listed. */
static void
insert(struct cw_store_cache *cache, struct entry *e)
{
	struct entry **at = find(cache, e->session.id);

	if (*at != NULL)
		drop_at(cache, at);
	at = find(cache, e->session.id);
	e->next = *at;
	*at = e;
	if (!e->unsaved)
		list_insert(cache, e);
	while (cache->n_saved > cache->max)
		drop_at(cache, find(cache, cache->oldest->session.id));
}

/* NULL: no memory. */
static struct entry *
entry_new(const struct cw_session *session, bool unsaved)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	cw_session_init(&e->session);
	e->unsaved = unsaved;
	if (cw_session_copy(&e->session, session) == CW_OK)
		return e;
	entry_free(e);
	return NULL;
}

void
cw_store_cache_fill(struct cw_store_cache *cache,
    const struct cw_session *session, uint64_t stamp)
{
	struct entry *e = entry_new(session, false);
	bool is_good = false;

	if (e == NULL)
		return;
	pthread_mutex_lock(&cache->mutex);
	is_good = stamp_of(cache, session->id) == stamp &&
	    *find(cache, session->id) == NULL;
	if (is_good)
		insert(cache, e);
	pthread_mutex_unlock(&cache->mutex);
	if (!is_good)
		entry_free(e);
}

enum cw_err
cw_store_cache_put(struct cw_store_cache *cache,
    const struct cw_session *session, bool unsaved)
{
	struct entry *e = entry_new(session, unsaved);
	enum cw_err err = CW_OK;

	if (e == NULL)
		return CW_ERR_NO_MEMORY;
	pthread_mutex_lock(&cache->mutex);
	cache->buckets[bucket_of(session->id)].changes++;
	if (unsaved && *find(cache, session->id) != NULL)
		err = CW_ERR_EXISTS;
	if (err == CW_OK)
		insert(cache, e);
	pthread_mutex_unlock(&cache->mutex);
	if (err != CW_OK)
		entry_free(e);
	return err;
}

void
cw_store_cache_saved(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES])
{
	struct entry *e;

	pthread_mutex_lock(&cache->mutex);
	e = *find(cache, id);
	if (e != NULL && e->unsaved) {
		e->unsaved = false;
		list_insert(cache, e);
	}
	pthread_mutex_unlock(&cache->mutex);
}

void
cw_store_cache_drop(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES])
{
	struct entry **at;

	pthread_mutex_lock(&cache->mutex);
	cache->buckets[bucket_of(id)].changes++;
	at = find(cache, id);
	if (*at != NULL)
		drop_at(cache, at);
	pthread_mutex_unlock(&cache->mutex);
}

void
cw_store_cache_clear(struct cw_store_cache *cache)
{
	pthread_mutex_lock(&cache->mutex);
	cache->changes++;
	while (cache->oldest != NULL)
		drop_at(cache, find(cache, cache->oldest->session.id));
	pthread_mutex_unlock(&cache->mutex);
}
