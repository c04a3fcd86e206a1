/* SPDX-License-Identifier: Apache-2.0 */
/* Steps that tests of the card's commands share. All of them must succeed. */
#ifndef CW_TESTS_CARD_PLAY_H
#define CW_TESTS_CARD_PLAY_H

#include "proto/held_key.h"
#include "tests/support/card_world.h"

#define CW_PLAY_PIN "4711"
#define CW_PLAY_PUK "83920174"

/* The objects that cw_play_base makes and commits. */
#define CW_PLAY_PUK_ID 30
#define CW_PLAY_POLICY_ID 20
#define CW_PLAY_KEY_ID 1

/* PUK 30; PIN policy 20 under it: shared, the issuer's value, modifiable. */
extern const struct cw_create_puk_policy cw_play_puk;
extern const struct cw_create_pin_policy cw_play_policy;

/* A P-256 key that signs, outside the PIV slots, with that policy: id 1. */
extern const struct cw_create_key cw_play_key;

struct cw_command cw_play_puk_command(const struct cw_create_puk_policy *puk);
struct cw_command cw_play_on(enum cw_command_no no, uint32_t id,
    uint32_t target);
struct cw_command cw_play_close(void);
struct cw_command cw_play_extension(uint32_t key, const char *type,
    enum cw_extension_kind kind, struct cw_bytes data);

/* A secret of 32 bytes, for MACs. */
extern const struct cw_create_key cw_play_secret;
struct cw_command cw_play_import(const struct cw_create_key *key);

/* CREATE_KEY, and its certificate. */
void cw_play_make(struct cw_test_issuer *issuer,
    const struct cw_create_key *key);

/* A whole session that makes PUK, policy and key 1. */
void cw_play_base(struct cw_test_issuer *issuer);

/* Puts one more id, higher than all, into the scope of the next session. */
void cw_play_scope_object(struct cw_test_issuer *issuer, uint32_t id);

/* LIST in a session of its own: the key of this id, or NULL. Views are good
 * until the next call. */
const struct cw_listed_key *cw_play_listed(struct cw_test_issuer *issuer,
    uint32_t id);

/* ---- the holder ---- */

/* One of the holder's instructions; the answer's data is in w->out. */
unsigned cw_play_hold(struct cw_test_world *w, enum cw_ins ins,
    const struct cw_key_request *q);

/* READ KEY of the key with this name, through all of them; views into w->out. */
struct cw_held_key cw_play_held(struct cw_test_world *w, const char *name);

#endif
