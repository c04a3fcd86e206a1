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

#define INFO_MAX (64 * 1024)

static bool
signer_is_well(struct cw_signer *signer, uint64_t *commits)
{
	struct cw_signer_info info;
	struct cw_buf memory;
	bool well;

	cw_buf_init(&memory, INFO_MAX);
	well = cw_signer_info(signer, &memory, &info) == CW_OK;
	if (well)
		*commits = info.log_commits;
	cw_buf_wipe(&memory);
	return well;
}

void
cw_health_ask(struct cw_engine *engine, bool *signer, bool *store,
    uint64_t *signer_commits)
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
	*signer_commits = h->commits;
	pthread_mutex_unlock(&h->mutex);
	if (!ask)
		return;
	*signer = signer_is_well(engine->signer, signer_commits);
	*store = engine->store->is_well(engine->store);
	pthread_mutex_lock(&h->mutex);
	h->signer = *signer;
	h->store = *store;
	h->commits = *signer_commits;
	h->asking = false;
	h->until_ms = cw_clock_monotonic_ms() + GOOD_FOR_MS;
	pthread_mutex_unlock(&h->mutex);
}
