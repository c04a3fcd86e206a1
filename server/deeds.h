/* SPDX-License-Identifier: Apache-2.0 */
/* What a session does, or did, with keys that were on a card before: in the names
 * that the Intent has for them. */
#ifndef CW_SERVER_DEEDS_H
#define CW_SERVER_DEEDS_H

#include "proto/intent.h"

/* Names with "; " between them; empty where nothing is done. */
struct cw_deeds_words {
	struct cw_buf replaced, deleted, unlocked;
};

void cw_deeds_words_init(struct cw_deeds_words *words);
void cw_deeds_words_wipe(struct cw_deeds_words *words);

/* What the scope allows. */
void cw_deeds_meant(const struct cw_intent *intent,
    struct cw_deeds_words *words);

/* What the card has confirmed; `kept` is what the store keeps of message 8.
 * Errors: STORE_CORRUPT. */
enum cw_err cw_deeds_done(const struct cw_intent *intent, struct cw_bytes kept,
    struct cw_deeds_words *words) __attribute__((warn_unused_result));

#endif
