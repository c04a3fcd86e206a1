/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Readers and cards, watched in a thread of its own: what is there now, and a
 * bell when that changes. Says nothing to any card.
 */
#ifndef CW_AGENT_WATCH_H
#define CW_AGENT_WATCH_H

#include "agent/reader.h"

struct cw_readers {
	enum cw_err err; /* NO_PCSC, PCSC_FORBIDDEN; CW_OK */
	size_t n;
	struct cw_reader_info info[CW_READERS_MAX];
};

struct cw_watch;

/*
 * Takes the reader, which nobody else uses any more, and writes to the eventfd
 * `bell` at each change. NULL (and the reader closed) when memory is out.
 */
struct cw_watch *cw_watch_start(struct cw_reader *reader, int bell);

/* What is there; waits for the first look, a few seconds at most. */
void cw_watch_get(struct cw_watch *watch, struct cw_readers *out);

/* True once for each change since. */
bool cw_watch_has_changed(struct cw_watch *watch);

/* Waits for the thread, which looks up once in a while. Nulls the pointer. */
void cw_watch_stop(struct cw_watch **watch);

/* "none", "unknown", "cardwright", "mute", "in-use": as far as can be told
 * without a word to the card. */
const char *cw_watch_card(const struct cw_reader_info *info);

#endif
