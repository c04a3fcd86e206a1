/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the holder's operations on keys. */
#ifndef CW_CARD_HOLDER_H
#define CW_CARD_HOLDER_H

#include "card/inner.h"
#include "proto/held_key.h"

/*
 * The instruction's arguments, and the key of their handle. Answers 9000, 6A80
 * or 6A82.
 */
uint16_t cw_card_held(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_key_request *q, struct cw_card_key **key);

/* 9000, or 6982: a holder's PIN is set and was not verified. */
uint16_t cw_card_holder_here(const struct cw_card *card);

/*
 * The value that a guard wants, tried as every PIN is. NONE is always 9000,
 * NEVER 6985, and so is a value for a key that has no such PIN; a value that is
 * missing is 6982. After 9000 the caller commits.
 */
uint16_t cw_card_guard(struct cw_card *card, const struct cw_card_key *key,
    enum cw_guard guard, struct cw_bytes value);

/* The key's PIN, if its policy has one. */
uint16_t cw_card_own_pin(struct cw_card *card, const struct cw_card_key *key,
    struct cw_bytes value);

#endif
