/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the card, shared by its files and by nobody else: what is in RAM,
 * what an application is, and what the files offer one another.
 */
#ifndef CW_CARD_INNER_H
#define CW_CARD_INNER_H

#include "card/state.h"
#include "proto/apdu.h"
#include "proto/request.h"

/* ---- applications ---- */

#define CW_CARD_CHAIN 1u /* the instruction takes chained commands */
#define CW_CARD_FRESH 2u /* keeps "PIN verified immediately before" */

struct cw_card_instruction {
	uint8_t cla, ins; /* without the chaining bit */
	unsigned flags;
	/* Gives the status word: of enum cw_sw, or with a number added. */
	uint16_t (*run)(struct cw_card *card, const struct cw_apdu *apdu,
	    struct cw_buf *out);
};

struct cw_card_application {
	struct cw_bytes aid;
	size_t aid_shortest; /* SELECT may truncate the identifier to this */
	const struct cw_card_instruction *instructions;
	size_t n_instructions;
	/* Answers SELECT. */
	uint16_t (*select)(struct cw_card *card, struct cw_buf *out);
};

extern const struct cw_card_application cw_card_provisioning;
extern const struct cw_card_application cw_card_piv;

/* ---- what is lost without power ---- */

struct cw_card_ram {
	const struct cw_card_application *application;
	bool pin_verified; /* in this application */
	bool pin_fresh;    /* by the command immediately before (SP 800-73-4) */
	bool has_nonce;
	uint8_t nonce[CW_NONCE_BYTES];
	struct cw_buf caps; /* as GET CAPABILITIES answered */
	bool chaining;
	uint8_t chain_head[4];  /* CLA without the chaining bit, INS, P1, P2 */
	struct cw_buf chain;    /* data of the parts so far */
	struct cw_buf response; /* data that waits for GET RESPONSE */
	size_t response_at;
	bool pin_needed; /* a command waits for a PIN of this policy */
	uint32_t needed_policy, needed_group;
	unsigned needed_usage; /* of the key that needs it */
	uint8_t needed_session[CW_SESSION_ID_BYTES];
};

/* The card's own and its batch's attestation. */
struct cw_card_attestor {
	struct cw_private_key *key;
	uint8_t leaf_hash[CW_HASH_BYTES];
	size_t n_chain;
	const struct cw_bytes *chain;
};

struct cw_card {
	struct cw_card_storage storage;
	size_t storage_max;
	unsigned keys_max, open_sessions_max;
	struct cw_card_state *state;
	struct cw_buf committed; /* the state as it was stored last */
	bool broken;             /* the state could not be read back */
	struct cw_card_ram ram;
	struct cw_buf personal_bytes;
	struct cw_personalisation personal; /* views into personal_bytes */
	struct cw_card_attestor own, batch; /* keys NULL: not personalised */
	struct cw_card_operations operations;
};

/* ---- card.c: commit and rollback ---- */

/* How much of the storage a change may use. The reserve is for what must
 * always be possible: counting, ending a session, aborting one. */
enum cw_card_room { CW_CARD_KEEP_RESERVE, CW_CARD_USE_RESERVE };

/*
 * Stores the whole state. On error everything in card->state is as it was
 * stored last, and pointers into it are no longer good. Errors: CARD_FULL,
 * CARD_STORAGE.
 */
enum cw_err cw_card_commit(struct cw_card *card, enum cw_card_room room)
    __attribute__((warn_unused_result));

/* Undoes what was not committed; as above for pointers. */
void cw_card_rollback(struct cw_card *card);

/* True if the state, and `more` bytes, would fit beside the reserve. */
bool cw_card_has_room(const struct cw_card *card, size_t more);

/* The status word for an error that has no reply of its own. */
uint16_t cw_card_sw(enum cw_err err);

/* ---- storage.c ---- */

enum cw_err cw_card_file_storage(const char *path, struct cw_card_storage *out)
    __attribute__((warn_unused_result));

/* ---- link.c ---- */

void cw_card_link_wipe(struct cw_card_ram *ram);

/* ---- attestor.c ---- */

/* Reads the personalisation that the state holds, if any. */
enum cw_err cw_card_load_personalisation(struct cw_card *card)
    __attribute__((warn_unused_result));
void cw_card_wipe_personalisation(struct cw_card *card);

/* The one that signs statements in this mode. */
const struct cw_card_attestor *cw_card_attestor(const struct cw_card *card,
    enum cw_mode mode);

/* HMAC(card secret, H(management key)) (docs/protocol.md "Privacy"). */
void cw_card_pseudonym(const struct cw_card *card,
    const uint8_t owner[CW_HASH_BYTES], uint8_t out[CW_HASH_BYTES]);

/* ---- pin.c ---- */

static inline bool
cw_card_pin_is_set(const struct cw_card_pin *pin)
{
	return pin->len > 0;
}

/* Sets the value, with all tries. */
void cw_card_pin_set(struct cw_card_pin *pin, struct cw_bytes value,
    unsigned tries);

/*
 * A try: counted durably, then compared in constant time; the right value
 * restores the tries in memory, which the caller commits. Answers OK, the
 * tries left, or blocked; after any other word pointers into the state are no
 * longer good.
 */
uint16_t cw_card_pin_try(struct cw_card *card, struct cw_card_pin *pin,
    unsigned tries, struct cw_bytes value);

/* True if the two have the same value; in constant time. */
bool cw_card_pin_equal(const struct cw_card_pin *pin, struct cw_bytes value);

/* The same in both applications (docs/card.md "PIN and PUK"). */
uint16_t cw_card_verify(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out);
uint16_t cw_card_change_pin(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out);
uint16_t cw_card_reset_retry(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out);

/* ---- pin_info.c: PIN INFO and SET PIN ---- */

uint16_t cw_card_get_pin_info(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out);
uint16_t cw_card_put_pin(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out);

/* ---- session.c ---- */

struct cw_card_session *cw_card_session_find(const struct cw_card *card,
    struct cw_bytes id);

/* Takes one out of the card's list and frees it. */
void cw_card_session_drop(struct cw_card *card,
    struct cw_card_session *session);

/*
 * The session is over: objects and keys of the channel are wiped, messages
 * stay. Of one issuer only the latest session that ended in an error is kept,
 * and none that ended before one that committed.
 */
void cw_card_session_end(struct cw_card *card, struct cw_card_session *session,
    enum cw_session_state state);

/* Records an answered command; `last` completes a message. */
enum cw_err cw_card_session_record(struct cw_card_session *session,
    struct cw_bytes command, struct cw_bytes reply, bool last)
    __attribute__((warn_unused_result));

/* NULL: these bytes have not been answered, or that is no longer kept. */
const struct cw_card_record *cw_card_session_answered(
    const struct cw_card_session *session, struct cw_bytes command);

/* ---- rollover.c ---- */

/*
 * R's management key and its chain, into the session. Errors: BAD_ENDORSEMENT,
 * OLD_MANAGEMENT_KEY, NO_MEMORY, CRYPTO_FAILED.
 */
enum cw_err cw_card_take_chain(struct cw_card *card, const struct cw_request *q,
    struct cw_card_session *session) __attribute__((warn_unused_result));

/* H of the key that the pseudonym is over. */
const uint8_t *cw_card_oldest_owner(const struct cw_card_session *session);

/* ---- objects.c ---- */

/* True for objects of the session's management key, or of an older one that
 * its endorsement chain names. */
bool cw_card_is_mine(const struct cw_card_session *session,
    const uint8_t owner[CW_HASH_BYTES]);

/* The session's issuer's object of this id in a list, or NULL. */
struct cw_card_key *cw_card_find_key(const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id);
struct cw_card_policy *cw_card_find_policy(const struct cw_card_objects
					       *objects,
    const struct cw_card_session *session, uint32_t id);
struct cw_card_puk *cw_card_find_puk(const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id);
bool cw_card_has_id(const struct cw_card_objects *objects,
    const struct cw_card_session *session, uint32_t id);

/* The key in a PIV slot, whoever owns it; that of a handle; or NULL. */
struct cw_card_key *cw_card_find_slot(const struct cw_card_objects *objects,
    uint8_t slot);
struct cw_card_key *cw_card_find_handle(const struct cw_card *card,
    uint32_t handle);

/* What protects a key; NULL: nothing, or the holder's PIN and PUK. */
struct cw_card_policy *cw_card_policy_of(const struct cw_card_objects *objects,
    const struct cw_card_key *key);
struct cw_card_puk *cw_card_puk_of(const struct cw_card_objects *objects,
    const struct cw_card_policy *policy);
struct cw_card_group *cw_card_find_group(const struct cw_card_policy *policy,
    uint32_t number);

/* On the card, those of open sessions included. */
unsigned cw_card_count_keys(const struct cw_card *card);
unsigned cw_card_count_policies(const struct cw_card *card);
unsigned cw_card_count_puks(const struct cw_card *card);

/* Takes a key out of its list and frees it. */
void cw_card_remove_key(struct cw_card_objects *objects,
    struct cw_card_key *key);

/* Frees PINs without keys, policies without keys, PUKs without policies. */
void cw_card_sweep(struct cw_card_objects *objects);

/* ---- instructions of the provisioning application ---- */

uint16_t cw_card_open_session(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out);
uint16_t cw_card_command(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out);
uint16_t cw_card_get_status(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out);
uint16_t cw_card_abort(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out);
uint16_t cw_card_reset_everything(struct cw_card *card,
    const struct cw_apdu *apdu, struct cw_buf *out);

/* ---- holder.c and use.c: the holder's keys ---- */

#define CW_CARD_INSTRUCTION(name)                     \
	uint16_t cw_card_##name(struct cw_card *card, \
	    const struct cw_apdu *apdu, struct cw_buf *out)

CW_CARD_INSTRUCTION(read_key);
CW_CARD_INSTRUCTION(use_key);
CW_CARD_INSTRUCTION(read_extension);
CW_CARD_INSTRUCTION(write_property);
CW_CARD_INSTRUCTION(export_key);
CW_CARD_INSTRUCTION(change_key_pin);
CW_CARD_INSTRUCTION(unblock_key);
CW_CARD_INSTRUCTION(delete_key);
CW_CARD_INSTRUCTION(attest_offline);

/* ---- instructions of PIV ---- */

uint16_t cw_card_piv_get_data(struct cw_card *card, const struct cw_apdu *apdu,
    struct cw_buf *out);
uint16_t cw_card_piv_authenticate(struct cw_card *card,
    const struct cw_apdu *apdu, struct cw_buf *out);

#endif
