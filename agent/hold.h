/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The holder at the card, without any issuer: finding a key and using it, and
 * looking after PINs, keys and the card itself (docs/agent.md "The holder").
 * The card is free while the person thinks, and a wrong PIN is asked for again
 * where asking can give another answer; the tries that are left are shown.
 *
 *   struct cw_hold hold = { .reader = …, .pin_entry = … };
 *   err = cw_hold_open(&hold);
 *   if (err == CW_OK)
 *           err = cw_hold_find(&hold, "Mail");
 *   if (err == CW_OK)
 *           err = cw_hold_use(&hold, CW_OP_SIGN, 0, data, &out);
 *   cw_hold_close(&hold);
 *
 * Every function can fail as the card can (icc.h) and as asking for a PIN can
 * (pin_entry.h). A wrong PIN is PIN_WRONG or PUK_WRONG, one without tries
 * PIN_BLOCKED, PUK_BLOCKED or KEY_PUK_BLOCKED; `tries_left` says how many stay.
 */
#ifndef CW_AGENT_HOLD_H
#define CW_AGENT_HOLD_H

#include "agent/icc_holder.h"
#include "agent/pin_entry.h"

struct cw_hold {
	/* Given, and kept by the caller. */
	struct cw_reader *reader;
	const char *reader_name; /* NULL: the only Cardwright card */
	struct cw_pin_entry *pin_entry;
	enum cw_language language;

	/* Zero before cw_hold_open. */
	struct cw_icc card;
	struct cw_pin_info info; /* the card's own PIN and PUK */
	struct cw_buf key_bytes; /* of `key` */
	struct cw_held_key key;  /* found; handle 0: none */
	int tries_left;          /* of what was wrong or blocked, or -1 */
	bool knows_holder;       /* `holder` was right */
	struct cw_pin_value *holder, *value, *fresh; /* guarded */
};

/* Finds the card. Errors: those of cw_icc_connect, NO_MEMORY. */
enum cw_err cw_hold_open(struct cw_hold *hold)
    __attribute__((warn_unused_result));
void cw_hold_close(struct cw_hold *hold);

/* Calls `each` for every key, by rising handles, after the card's PIN where one
 * is set. The views last for the call. */
enum cw_err cw_hold_each(struct cw_hold *hold,
    void (*each)(void *ctx, const struct cw_held_key *key), void *ctx)
    __attribute__((warn_unused_result));

/* The key of this name, else of this number (its handle), into hold->key.
 * Errors: NO_SUCH_KEY, KEY_NAME_TWICE. */
enum cw_err cw_hold_find(struct cw_hold *hold, const char *which)
    __attribute__((warn_unused_result));

/* ---- with the key that was found ---- */

/* The first algorithm of this operation that the key may be used with; 0: none.
 */
int32_t cw_hold_algorithm(const struct cw_attributes *a,
    enum cw_key_operation operation);

/*
 * USE KEY; what comes out is appended. Algorithm 0: the one above. What the key
 * may not do is found before a PIN is asked for.
 * Errors: WRONG_USE, NOT_DECRYPTED, BAD_PEER, TOO_LARGE (above CW_USE_MAX).
 */
enum cw_err cw_hold_use(struct cw_hold *hold, enum cw_key_operation operation,
    int32_t algorithm, struct cw_bytes data, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* PKCS#8 or the secret's bytes, appended. Errors: NOT_EXPORTABLE. */
enum cw_err cw_hold_export(struct cw_hold *hold, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* Errors: ISSUER_DELETES. */
enum cw_err cw_hold_delete(struct cw_hold *hold)
    __attribute__((warn_unused_result));

/* Errors: NO_SUCH_PIN, PIN_FIXED, PIN_IN_USE. Unblocking gives the tries back
 * and, unless the PIN is to be kept or is fixed, asks for a new one. */
enum cw_err cw_hold_change_key_pin(struct cw_hold *hold)
    __attribute__((warn_unused_result));
enum cw_err cw_hold_unblock_key(struct cw_hold *hold, bool keep)
    __attribute__((warn_unused_result));

/* An `attested` of session.cddl about the key, for H(challenge) and a subject
 * (RFC 4514), appended. Errors: NO_SUCH_PIN (the card has none yet), WRONG_USE
 * (a secret), BAD_TEXT. */
enum cw_err cw_hold_attest(struct cw_hold *hold, struct cw_bytes challenge,
    struct cw_bytes subject, bool batch, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* ---- with the card ---- */

/* A new PIN (or PUK) for the old one; a new PIN and all tries for the PUK.
 * Errors: NO_SUCH_PIN. */
enum cw_err cw_hold_change(struct cw_hold *hold,
    enum cw_icc_reference reference) __attribute__((warn_unused_result));
enum cw_err cw_hold_unblock(struct cw_hold *hold)
    __attribute__((warn_unused_result));

/* RESET CARD: all objects, sessions, PIN and PUK go. Needs the PIN where one
 * is set and can still be given; PIN_BLOCKED while the PUK can unblock it. */
enum cw_err cw_hold_reset(struct cw_hold *hold)
    __attribute__((warn_unused_result));

#endif
