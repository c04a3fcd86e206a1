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
	struct entry *buckets[BUCKETS];
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

static struct entry **
find(struct cw_store_cache *cache, const uint8_t *id)
{
	struct entry **at =
	    &cache->buckets[(size_t)(id[0] << 8 | id[1]) % BUCKETS];

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
		while ((*cache)->buckets[i] != NULL) {
			struct entry *e = (*cache)->buckets[i];

			(*cache)->buckets[i] = e->next;
			entry_free(e);
		}
	pthread_mutex_destroy(&(*cache)->mutex);
	free(*cache);
	*cache = NULL;
}

bool
cw_store_cache_get(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_session *out)
{
	struct entry *e;
	bool found = false;

	pthread_mutex_lock(&cache->mutex);
	e = *find(cache, id);
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

bool
cw_store_cache_has(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES])
{
	bool found;

	pthread_mutex_lock(&cache->mutex);
	found = *find(cache, id) != NULL;
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

enum cw_err
cw_store_cache_put(struct cw_store_cache *cache,
    const struct cw_session *session, bool unsaved)
{
	struct entry *e = calloc(1, sizeof(*e));
	enum cw_err err;

	if (e == NULL)
		return CW_ERR_NO_MEMORY;
	cw_session_init(&e->session);
	e->unsaved = unsaved;
	err = cw_session_copy(&e->session, session);
	pthread_mutex_lock(&cache->mutex);
	if (err == CW_OK && unsaved && *find(cache, session->id) != NULL)
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
	at = find(cache, id);
	if (*at != NULL)
		drop_at(cache, at);
	pthread_mutex_unlock(&cache->mutex);
}

void
cw_store_cache_clear(struct cw_store_cache *cache)
{
	pthread_mutex_lock(&cache->mutex);
	while (cache->oldest != NULL)
		drop_at(cache, find(cache, cache->oldest->session.id));
	pthread_mutex_unlock(&cache->mutex);
}
