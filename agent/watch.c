/* SPDX-License-Identifier: Apache-2.0 */
/* A thread that looks at readers. */
#include "agent/watch.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "agent/icc.h"

/* How soon the thread sees that it shall end, and that a service has come. A
 * change of readers or cards wakes it at once. */
#define SLICE_MS 500
#define FIRST_LOOK_S 8

struct cw_watch {
	struct cw_reader *reader;
	int bell;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	/* Under the lock. */
	bool has_looked, has_changed, shall_stop;
	struct cw_readers now;
};

static bool
is_same(const struct cw_readers *a, const struct cw_readers *b)
{
	if (a->err != b->err || a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->info[i].name, b->info[i].name) != 0 ||
		    strcmp(cw_watch_card(&a->info[i]),
			cw_watch_card(&b->info[i])) != 0)
			return false;
	return true;
}

/* False when the thread shall end. */
static bool
put(struct cw_watch *w, const struct cw_readers *seen)
{
	const uint64_t one = 1;
	ssize_t ignored = 0;
	bool shall_stop;

	pthread_mutex_lock(&w->lock);
	if (!w->has_looked || !is_same(&w->now, seen)) {
		w->has_changed = w->has_looked;
		w->has_looked = true;
		w->now = *seen;
		pthread_cond_broadcast(&w->changed);
		if (w->has_changed)
			ignored = write(w->bell, &one, sizeof(one));
	}
	(void)ignored;
	shall_stop = w->shall_stop;
	pthread_mutex_unlock(&w->lock);
	return !shall_stop;
}

/* Where the service is away, waiting fails at once. */
static void
pause_for_service(struct cw_watch *w)
{
	struct timespec end;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_nsec += SLICE_MS * 1000000L;
	end.tv_sec += end.tv_nsec / 1000000000L;
	end.tv_nsec %= 1000000000L;
	pthread_mutex_lock(&w->lock);
	while (!w->shall_stop &&
	    pthread_cond_timedwait(&w->changed, &w->lock, &end) == 0)
		;
	pthread_mutex_unlock(&w->lock);
}

static void *
look(void *arg)
{
	struct cw_watch *w = arg;
	struct cw_reader *reader = w->reader;
	struct cw_readers *seen = calloc(1, sizeof(*seen));
	bool goes_on = seen != NULL;

	while (goes_on) {
		enum cw_err err;

		memset(seen, 0, sizeof(*seen));
		seen->err = reader->ops->list(reader, seen->info, &seen->n);
		goes_on = put(w, seen);
		if (!goes_on)
			break;
		err = reader->ops->wait(reader, SLICE_MS);
		if (err != CW_OK && err != CW_ERR_PERSON_TIMEOUT)
			pause_for_service(w);
	}
	free(seen);
	return NULL;
}

struct cw_watch *
cw_watch_start(struct cw_reader *reader, int bell)
{
	struct cw_watch *w = calloc(1, sizeof(*w));

	if (w == NULL) {
		cw_reader_close(&reader);
		return NULL;
	}
	w->reader = reader;
	w->bell = bell;
	pthread_mutex_init(&w->lock, NULL);
	pthread_cond_init(&w->changed, NULL);
	if (reader == NULL || pthread_create(&w->thread, NULL, look, w) != 0) {
		cw_reader_close(&w->reader);
		free(w);
		return NULL;
	}
	return w;
}

void
cw_watch_get(struct cw_watch *w, struct cw_readers *out)
{
	struct timespec end;
	int r = 0;

	clock_gettime(CLOCK_REALTIME, &end);
	end.tv_sec += FIRST_LOOK_S;
	pthread_mutex_lock(&w->lock);
	while (!w->has_looked && r == 0)
		r = pthread_cond_timedwait(&w->changed, &w->lock, &end);
	*out = w->now;
	if (!w->has_looked)
		out->err = CW_ERR_NO_PCSC;
	w->has_changed = false;
	pthread_mutex_unlock(&w->lock);
}

bool
cw_watch_has_changed(struct cw_watch *w)
{
	bool changed;

	pthread_mutex_lock(&w->lock);
	changed = w->has_changed;
	w->has_changed = false;
	pthread_mutex_unlock(&w->lock);
	return changed;
}

void
cw_watch_stop(struct cw_watch **watch)
{
	struct cw_watch *w = *watch;

	*watch = NULL;
	if (w == NULL)
		return;
	pthread_mutex_lock(&w->lock);
	w->shall_stop = true;
	pthread_cond_broadcast(&w->changed);
	pthread_mutex_unlock(&w->lock);
	pthread_join(w->thread, NULL);
	cw_reader_close(&w->reader);
	pthread_cond_destroy(&w->changed);
	pthread_mutex_destroy(&w->lock);
	free(w);
}

const char *
cw_watch_card(const struct cw_reader_info *info)
{
	if (!info->has_card)
		return "none";
	if (info->is_exclusive)
		return "in-use";
	if (info->is_mute)
		return "mute";
	return cw_atr_is_cardwright(cw_bytes(info->atr, info->atr_len)) ?
	    "cardwright" :
	    "unknown";
}
