/* SPDX-License-Identifier: Apache-2.0 */
/* Store, epoch keys and signer's log, brought together. */
#include "server/reconcile.h"

#include <stdlib.h>

#include "proto/base/log.h"
#include "proto/rfc4648.h"

#define ENTRIES_MAX 256u
#define REASON_UNSPECIFIED 0u

/* ---- store and epoch keys ---- */

static enum cw_err
end_all(struct cw_engine *engine, uint64_t steps, uint64_t marked)
{
	struct cw_store *store = engine->store;
	unsigned n = 0;
	enum cw_err err = store->session_expire(store, UINT64_MAX,
	    cw_clock_now_s(engine->clock), &n);

	cw_log(CW_LOG_WARN, "store.older",
	    "steps=%llu marked=%llu sessions_ended=%u",
	    (unsigned long long)steps, (unsigned long long)marked, n);
	if (err == CW_OK && steps < marked)
		err = store->set_steps(store, marked);
	if (err == CW_OK)
		cw_seal_mark(engine->seal, store->steps(store));
	return err;
}

/* A mark that lags behind is as good as one that does not: a power cut may have
 * taken the last of it. None at all is another file. */
static enum cw_err
match_store(struct cw_engine *engine)
{
	uint64_t steps = engine->store->steps(engine->store);
	uint64_t marked = cw_seal_marked(engine->seal);

	if (steps < marked || (marked == 0 && steps > 0))
		return end_all(engine, steps, marked);
	return CW_OK;
}

/* ---- the signer's log ---- */

static void
log_serial(const char *event, const uint8_t *serial)
{
	char hex[2 * CW_SERIAL_BYTES + 1];

	cw_base16_encode(cw_bytes(serial, CW_SERIAL_BYTES), hex);
	cw_log(CW_LOG_WARN, event, "serial=%s", hex);
}

/* The signer's word counts: a store that was put back may call it active. */
static enum cw_err
follow_revocation(struct cw_engine *engine, const uint8_t *serial)
{
	struct cw_store *store = engine->store;
	struct cw_certificate known;
	enum cw_err err = store->certificate_load(store, serial, &known, NULL);

	if (err != CW_OK || known.status == CW_CERT_REVOKED)
		return err == CW_ERR_UNKNOWN_SERIAL ? CW_OK : err;
	log_serial("certificate.was_revoked", serial);
	return store->certificate_set(store, serial, CW_CERT_REVOKED,
	    known.wanted < CW_REASON_NONE ? known.wanted : REASON_UNSPECIFIED,
	    cw_clock_now_s(engine->clock));
}

static enum cw_err
take_back_unknown(struct cw_engine *engine, const uint8_t *serial)
{
	struct cw_store *store = engine->store;
	struct cw_certificate known;
	bool reserved;
	enum cw_err err;

	/* Signed for a session that has not heard of it yet: it asks again, or
	 * runs out. This is asked first: whoever commits the certificate between
	 * the two questions is found by the second. */
	err = store->session_reserved(store, serial, &reserved);
	if (err != CW_OK || reserved)
		return err;
	err = store->certificate_load(store, serial, &known, NULL);
	if (err != CW_ERR_UNKNOWN_SERIAL)
		return err;
	log_serial("certificate.unknown", serial);
	return cw_signer_revoke(engine->signer, serial, CW_REASON_CESSATION);
}

/* All of the log is read for what was revoked; only what is new in it for what
 * the store may not know. */
static enum cw_err
read_log(struct cw_engine *engine, uint64_t known,
    struct cw_signer_entry *entries, uint64_t *end)
{
	uint64_t at = 0;
	size_t n = 0;
	enum cw_err err;

	do {
		err = cw_signer_log_read(engine->signer, at, entries,
		    ENTRIES_MAX, &n);
		for (size_t i = 0; err == CW_OK && i < n; i++) {
			const struct cw_signer_entry *e = &entries[i];

			at = e->index + 1;
			if (e->revoked)
				err = follow_revocation(engine, e->serial);
			else if (e->index >= known)
				err = take_back_unknown(engine, e->serial);
		}
	} while (err == CW_OK && n > 0);
	*end = at;
	return err;
}

enum cw_err
cw_reconcile_log(struct cw_engine *engine)
{
	struct cw_store *store = engine->store;
	struct cw_signer_entry *entries = calloc(ENTRIES_MAX, sizeof(*entries));
	uint64_t known = 0;
	uint64_t end = 0;
	bool is_short;
	bool was_short;
	enum cw_err err;

	if (entries == NULL)
		return CW_ERR_NO_MEMORY;
	atomic_store(&engine->reconciled, true); /* unless it is said again */
	err = store->number_get(store, CW_RECONCILED, &known);
	if (err == CW_OK)
		err = read_log(engine, known, entries, &end);
	/* Entries that were there are gone: what they said is not known any more, and
	 * the number must not hide that. */
	is_short = err == CW_OK && end < known;
	was_short = atomic_exchange(&engine->log_is_short, is_short);
	if (is_short && !was_short)
		cw_log(CW_LOG_ERROR, "signer_log.short",
		    "entries=%llu known=%llu", (unsigned long long)end,
		    (unsigned long long)known);
	if (err == CW_OK && end > known)
		err = store->number_set(store, CW_RECONCILED, end);
	/* The sweeper looks again: the log may come back, or be accepted. */
	if (err != CW_OK || is_short)
		atomic_store(&engine->reconciled, false);
	free(entries);
	return err;
}

enum cw_err
cw_reconcile_begin(struct cw_engine *engine)
{
	enum cw_err err = match_store(engine);

	return err == CW_OK ? cw_reconcile_log(engine) : err;
}
