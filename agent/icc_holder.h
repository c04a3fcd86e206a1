/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The holder's instructions (docs/protocol.md 11 "The holder's keys"): keys by
 * their handles, and the card's PIN and PUK. As in icc.h, calls are made
 * between cw_icc_begin and cw_icc_end. A wrong PIN or PUK is PIN_WRONG with
 * tries_left set, a blocked one PIN_BLOCKED, for any of these.
 */
#ifndef CW_AGENT_ICC_HOLDER_H
#define CW_AGENT_ICC_HOLDER_H

#include "agent/icc.h"
#include "proto/held_key.h"

/* READ KEY: the key of this handle or the next one; views into `out`.
 * Errors: NO_SUCH_KEY behind the last one. */
enum cw_err cw_icc_read_key(struct cw_icc *card, uint32_t handle,
    struct cw_buf *out, struct cw_held_key *key)
    __attribute__((warn_unused_result));

/*
 * USE KEY, EXPORT KEY, CHANGE KEY PIN, UNBLOCK KEY, DELETE, ATTEST OFFLINE. What
 * comes out is appended; CW_BYTES_NONE leaves an argument away.
 * Errors: NO_SUCH_KEY; WRONG_USE, NOT_DECRYPTED (USE KEY); NOT_EXPORTABLE;
 * ISSUER_DELETES; PIN_FIXED, PIN_IN_USE; NO_SUCH_PIN (ATTEST OFFLINE).
 */
enum cw_err cw_icc_hold(struct cw_icc *card, enum cw_ins ins,
    const struct cw_key_request *q, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* Which of the card's two values. */
enum cw_icc_reference { CW_ICC_PIN = 0x80, CW_ICC_PUK = 0x81 };

/* A new value for the old one. Errors: PIN_FORMAT, NO_SUCH_PIN. */
enum cw_err cw_icc_change_pin(struct cw_icc *card,
    enum cw_icc_reference reference, struct cw_bytes old, struct cw_bytes fresh)
    __attribute__((warn_unused_result));

/* The PUK gives the PIN a new value and all tries. Errors: as above. */
enum cw_err cw_icc_unblock_pin(struct cw_icc *card, struct cw_bytes puk,
    struct cw_bytes pin) __attribute__((warn_unused_result));

/* RESET CARD. Errors: CARD_SAYS (6982: the PIN must be verified first). */
enum cw_err cw_icc_reset_card(struct cw_icc *card)
    __attribute__((warn_unused_result));

#endif
