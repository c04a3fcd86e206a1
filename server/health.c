/* SPDX-License-Identifier: Apache-2.0 */
/* Asking signer and store. */
#include "server/health.h"

#include "server/engine.h"

#define GOOD_FOR_MS 1000u

void
cw_health_init(struct cw_health *health)
{
	memset(health, 0, sizeof(*health));
	pthread_mutex_init(&health->mutex, NULL);
}

void
cw_health_wipe(struct cw_health *health)
{
	pthread_mutex_destroy(&health->mutex);
}

static bool
signer_is_well(struct cw_signer *signer)
{
	struct cw_signer_entry entry;
	size_t n = 0;

	return cw_signer_log_read(signer, INT64_MAX, &entry, 1, &n) == CW_OK;
}

void
cw_health_ask(struct cw_engine *engine, bool *signer, bool *store)
{
	struct cw_health *h = &engine->health;
	bool ask;

	/* Others are told what was known: a signer that hangs takes one thread. */
	pthread_mutex_lock(&h->mutex);
	ask = h->until_ms == 0 ||
	    (!h->asking && cw_clock_monotonic_ms() >= h->until_ms);
	h->asking |= ask;
	*signer = h->signer;
	*store = h->store;
	pthread_mutex_unlock(&h->mutex);
	if (!ask)
		return;
	*signer = signer_is_well(engine->signer);
	*store = engine->store->is_well(engine->store);
	pthread_mutex_lock(&h->mutex);
	h->signer = *signer;
	h->store = *store;
	h->asking = false;
	h->until_ms = cw_clock_monotonic_ms() + GOOD_FOR_MS;
	pthread_mutex_unlock(&h->mutex);
}
