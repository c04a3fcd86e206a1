/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of roll-over: an issuer with several management keys, and
 * endorsements between them. All steps must succeed. */
#ifndef CW_TESTS_CARD_KEYS_H
#define CW_TESTS_CARD_KEYS_H

#include "tests/support/card_play.h"

#define CW_PLAY_KEYS (CW_ENDORSEMENTS_MAX + 1)

struct cw_play_keys {
	struct cw_private_key *key[CW_PLAY_KEYS];
	struct cw_buf endorsement[CW_ENDORSEMENTS_MAX];
	size_t n;
};

/* New keys, and no endorsements. */
void cw_play_keys_init(struct cw_play_keys *k);
void cw_play_keys_wipe(struct cw_play_keys *k);

/* One more endorsement behind the others. */
void cw_play_endorse(struct cw_play_keys *k, size_t from, size_t to,
    uint32_t epoch);
void cw_play_forget_chain(struct cw_play_keys *k);

/* The issuer's sessions are from now on under this key, with the chain. Its
 * key is borrowed: set it to NULL before the issuer is wiped. */
void cw_play_take(struct cw_test_issuer *issuer, struct cw_play_keys *k,
    size_t key);

/* A new world, whose issuer's own key is replaced by the first of `k`. */
struct cw_test_world *cw_play_keys_begin(void **state, struct cw_play_keys *k);
void cw_play_keys_end(struct cw_test_world *w, struct cw_play_keys *k);

/* Begins a session; OPEN SESSION must have this status word. */
void cw_play_opens(struct cw_test_issuer *issuer, unsigned want);

#endif
