/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of sessions; those that are applied in a list by last use. */
#include "server/store_cache.h"

#include <pthread.h>
#include <stdlib.h>

#define BUCKETS 4096u /* session ids are random: their first bytes choose */

enum state { NEW, JOURNALED, APPLIED };

struct cw_store_cache_entry {
	struct cw_store_cache_entry *next;          /* in its bucket */
	struct cw_store_cache_entry *newer, *older; /* in its list */
	enum state state;
	struct cw_session session;
};

struct list {
	struct cw_store_cache_entry *newest, *oldest;
	size_t n;
};

struct cw_store_cache {
	pthread_mutex_t mutex;
	size_t max;
	struct list lists[APPLIED + 1]; /* by state */
	uint64_t changes;               /* of all entries */
	struct {
		struct cw_store_cache_entry *first;
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

static struct cw_store_cache_entry **
find(struct cw_store_cache *cache, const uint8_t *id)
{
	struct cw_store_cache_entry **at = &cache->buckets[bucket_of(id)].first;

	while (*at != NULL &&
	    memcmp((*at)->session.id, id, CW_SESSION_ID_BYTES) != 0)
		at = &(*at)->next;
	return at;
}

static void
list_remove(struct cw_store_cache *cache, struct cw_store_cache_entry *e)
{
	struct list *list = &cache->lists[e->state];

	*(e->newer != NULL ? &e->newer->older : &list->newest) = e->older;
	*(e->older != NULL ? &e->older->newer : &list->oldest) = e->newer;
	e->newer = e->older = NULL;
	list->n--;
}

static void
list_insert(struct cw_store_cache *cache, struct cw_store_cache_entry *e)
{
	struct list *list = &cache->lists[e->state];

	e->older = list->newest;
	e->newer = NULL;
	*(e->older != NULL ? &e->older->newer : &list->oldest) = e;
	list->newest = e;
	list->n++;
}

void
cw_store_cache_entry_free(struct cw_store_cache_entry *e)
{
	if (e == NULL)
		return;
	cw_session_wipe(&e->session);
	free(e);
}

static void
drop_at(struct cw_store_cache *cache, struct cw_store_cache_entry **at)
{
	struct cw_store_cache_entry *e = *at;

	if (e == NULL)
		return;
	*at = e->next;
	list_remove(cache, e);
	cw_store_cache_entry_free(e);
}

/* The mutex is held, here and below. */
static void
trim(struct cw_store_cache *cache, size_t max)
{
	const struct list *list = &cache->lists[APPLIED];

	while (list->n > max && list->oldest != NULL)
		drop_at(cache, find(cache, list->oldest->session.id));
}

static void
move(struct cw_store_cache *cache, struct cw_store_cache_entry *e,
    enum state state)
{
	list_remove(cache, e);
	e->state = state;
	list_insert(cache, e);
}

void
cw_store_cache_free(struct cw_store_cache **cache)
{
	if (*cache == NULL)
		return;
	for (size_t i = 0; i < BUCKETS; i++)
		while ((*cache)->buckets[i].first != NULL) {
			struct cw_store_cache_entry *e =
			    (*cache)->buckets[i].first;

			(*cache)->buckets[i].first = e->next;
			cw_store_cache_entry_free(e);
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
	struct cw_store_cache_entry *e;
	bool found = false;

	pthread_mutex_lock(&cache->mutex);
	e = *find(cache, id);
	if (stamp != NULL)
		*stamp = stamp_of(cache, id);
	if (e != NULL && cw_session_copy(out, &e->session) == CW_OK) {
		found = true;
		move(cache, e, e->state); /* the newest now */
	}
	pthread_mutex_unlock(&cache->mutex);
	return found;
}

/* Takes the place of an older copy. */
static void
insert(struct cw_store_cache *cache, struct cw_store_cache_entry *e,
    enum state state)
{
	struct cw_store_cache_entry **at = find(cache, e->session.id);

	drop_at(cache, at);
	at = find(cache, e->session.id);
	e->next = *at;
	*at = e;
	e->state = state;
	list_insert(cache, e);
	trim(cache, cache->max);
}

struct cw_store_cache_entry *
cw_store_cache_entry_new(const struct cw_session *session)
{
	struct cw_store_cache_entry *e = calloc(1, sizeof(*e));

	if (e == NULL)
		return NULL;
	cw_session_init(&e->session);
	if (cw_session_copy(&e->session, session) == CW_OK)
		return e;
	cw_store_cache_entry_free(e);
	return NULL;
}

void
cw_store_cache_fill(struct cw_store_cache *cache,
    const struct cw_session *session, uint64_t stamp)
{
	struct cw_store_cache_entry *e = cw_store_cache_entry_new(session);
	bool is_good;

	if (e == NULL)
		return;
	pthread_mutex_lock(&cache->mutex);
	is_good = stamp_of(cache, session->id) == stamp &&
	    *find(cache, session->id) == NULL;
	if (is_good)
		insert(cache, e, APPLIED);
	pthread_mutex_unlock(&cache->mutex);
	if (!is_good)
		cw_store_cache_entry_free(e);
}

enum cw_err
cw_store_cache_add(struct cw_store_cache *cache,
    const struct cw_session *session)
{
	struct cw_store_cache_entry *e = cw_store_cache_entry_new(session);
	bool is_new;

	if (e == NULL)
		return CW_ERR_NO_MEMORY;
	pthread_mutex_lock(&cache->mutex);
	cache->buckets[bucket_of(session->id)].changes++;
	is_new = *find(cache, session->id) == NULL;
	if (is_new)
		insert(cache, e, NEW);
	pthread_mutex_unlock(&cache->mutex);
	if (!is_new)
		cw_store_cache_entry_free(e);
	return is_new ? CW_OK : CW_ERR_EXISTS;
}

void
cw_store_cache_drop_new(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES])
{
	struct cw_store_cache_entry **at;

	pthread_mutex_lock(&cache->mutex);
	cache->buckets[bucket_of(id)].changes++;
	at = find(cache, id);
	if (*at != NULL && (*at)->state == NEW)
		drop_at(cache, at);
	pthread_mutex_unlock(&cache->mutex);
}

void
cw_store_cache_put(struct cw_store_cache *cache,
    struct cw_store_cache_entry *entry)
{
	pthread_mutex_lock(&cache->mutex);
	cache->buckets[bucket_of(entry->session.id)].changes++;
	insert(cache, entry, JOURNALED);
	pthread_mutex_unlock(&cache->mutex);
}

static void
change(struct cw_store_cache *cache, const uint8_t *id, enum state from,
    enum state to)
{
	struct cw_store_cache_entry *e;

	pthread_mutex_lock(&cache->mutex);
	e = *find(cache, id);
	if (e != NULL && e->state == from)
		move(cache, e, to);
	pthread_mutex_unlock(&cache->mutex);
}

void
cw_store_cache_journaled(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES])
{
	change(cache, id, NEW, JOURNALED);
}

void
cw_store_cache_renew(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES])
{
	change(cache, id, JOURNALED, NEW);
}

void
cw_store_cache_applied(struct cw_store_cache *cache)
{
	pthread_mutex_lock(&cache->mutex);
	while (cache->lists[JOURNALED].oldest != NULL)
		move(cache, cache->lists[JOURNALED].oldest, APPLIED);
	trim(cache, cache->max);
	pthread_mutex_unlock(&cache->mutex);
}

bool
cw_store_cache_state(struct cw_store_cache *cache,
    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_store_cache_state *out)
{
	struct cw_store_cache_entry *e;
	bool found;

	pthread_mutex_lock(&cache->mutex);
	e = *find(cache, id);
	found = e != NULL;
	if (found)
		*out = (struct cw_store_cache_state){ e->session.row,
			e->session.stage, e->session.n_digests, e->state == NEW,
			e->state == APPLIED };
	pthread_mutex_unlock(&cache->mutex);
	return found;
}

void
cw_store_cache_clear(struct cw_store_cache *cache)
{
	pthread_mutex_lock(&cache->mutex);
	cache->changes++;
	trim(cache, 0);
	pthread_mutex_unlock(&cache->mutex);
}
