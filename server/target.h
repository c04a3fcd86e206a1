/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What earlier sessions put on cards, as a later one can name it: the object's
 * id on the card, by the card's own key statement, and its certificate, by the
 * store.
 */
#ifndef CW_SERVER_TARGET_H
#define CW_SERVER_TARGET_H

#include "server/store.h"

struct cw_target {
	uint32_t id;  /* object id */
	uint8_t slot; /* PIV key reference, or 0 */
	/* Its session ended without a result that could be accepted: the key may be
	 * on the card, or not. */
	bool is_unconfirmed;
	/* The card, by its attestation leaf (mode 1) or pseudonym (mode 2); zeros
	 * where it is not known. */
	uint8_t card[CW_HASH_BYTES];
	uint8_t serial[CW_SERIAL_BYTES];
	uint8_t leaf_hash[CW_HASH_BYTES]; /* H of the certificate */
	char subject[CW_SUBJECT_MAX];
	char account[CW_SUBJECT_MAX];
	char profile[64];
};

struct cw_targets {
	size_t n;
	struct cw_target items[CW_SCOPE_OBJECTS_MAX]; /* by rising ids */
	struct cw_target newest;                      /* of them, if n > 0 */
};

/* Which certificates are meant; NULL: any. */
struct cw_target_filter {
	const char *subject, *account, *profile;
	const uint8_t *leaf_hash; /* the card's attestation leaf, mode 1 */
	const uint8_t *pseudonym; /* the card's, mode 2 */
};

/* By serial number, whatever became of the certificate. Errors: UNKNOWN_SERIAL,
 * NOT_CONFIRMED (it never left, or its session is not over), STORE_FAILED,
 * STORE_CORRUPT. */
enum cw_err cw_target_load(struct cw_store *store,
    const uint8_t serial[CW_SERIAL_BYTES], struct cw_target *out)
    __attribute__((warn_unused_result));

/* One more. Errors: those of cw_target_load, TOO_MANY_KEYS. */
enum cw_err cw_targets_add(struct cw_store *store,
    const uint8_t serial[CW_SERIAL_BYTES], struct cw_targets *targets)
    __attribute__((warn_unused_result));

/* All that are active and meant, and those without a result that are newer than what
 * is known of their card's slot. Errors: TOO_MANY_KEYS (they are more than a
 * scope can name), STORE_FAILED, STORE_CORRUPT. */
enum cw_err cw_targets_find(struct cw_store *store,
    const struct cw_target_filter *filter, struct cw_targets *targets)
    __attribute__((warn_unused_result));

/*
 * The active certificate of this subject with this hash, if it was made on the card
 * that a session with this verdict has. Errors: UNKNOWN_SERIAL (there is none),
 * those of cw_target_load.
 */
struct cw_intent_object;
struct cw_verdict;
enum cw_err cw_target_on_card(struct cw_store *store,
    const struct cw_intent_object *object, const struct cw_verdict *card,
    struct cw_target *out) __attribute__((warn_unused_result));

#endif
