/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside of the session engine: what its steps share. A step verifies, builds
 * its answer, and commits both in one write before anything leaves.
 */
#ifndef CW_SERVER_STEP_H
#define CW_SERVER_STEP_H

#include "proto/batch.h"
#include "proto/channel.h"
#include "proto/command.h"
#include "server/session.h"

/* What a session may do with one key that is there already, and what its result
 * must say then. */
struct cw_deed {
	enum cw_command_no no; /* UPDATE_KEY, DELETE_KEY, UNLOCK_KEY */
	uint32_t target;
	uint8_t chain_hash[CW_HASH_BYTES]; /* of its certificates, as listed */
	uint8_t serial[CW_SERIAL_BYTES];   /* of its leaf */
};

#define CW_DEEDS_MAX (CW_SCOPE_OBJECTS_MAX + 1)

/* The session's secrets, sealed at rest. Until K exists only suite and scalar
 * are set; the scalar is gone as soon as it does. */
struct cw_session_secret {
	const struct cw_suite *suite;
	uint8_t scalar[32]; /* the issuer's ephemeral private key */
	struct cw_channel channel;
	struct cw_public_key card_ephemeral;
	uint32_t key_id; /* of the key that is made; 0: none */
	bool has_policy; /* a PIN policy of its own was ordered with it */
	uint32_t policy; /* an older key's, that it will share; 0: none */
	unsigned first;  /* number of the first command of the last batch */
	uint32_t listed; /* the highest id that the card has told of */
	uint8_t close_nonce[CW_NONCE_BYTES];
	uint8_t chain_hash[CW_HASH_BYTES]; /* of the certificates sent */
	size_t n_deeds;
	struct cw_deed deeds[CW_DEEDS_MAX]; /* what CLOSE will do besides */
};

#define CW_SECRET_PLAIN_MAX 3840 /* encoded; sealed it is a little more */

/* ephemeral: only suite and scalar are there. */
enum cw_err cw_session_secret_seal(const struct cw_session_secret *secret,
    bool ephemeral, struct cw_seal *seal, const uint8_t *id,
    struct cw_buf *sealed) __attribute__((warn_unused_result));
enum cw_err cw_session_secret_open(struct cw_session_secret *secret,
    struct cw_seal *seal, const struct cw_session *session)
    __attribute__((warn_unused_result));

/* One message being answered. */
struct cw_step_run {
	struct cw_engine *engine;
	struct cw_session
	    *session; /* as loaded; commit makes it the next one */
	struct cw_session_secret *secret;
	struct cw_bytes message;
	uint8_t digest[CW_HASH_BYTES];
	uint64_t now_s;
	bool answers_waiting; /* the message is stored; its answer comes now */
	bool has_ended;       /* the error is the last word of the session */
	bool lost_race; /* another was first with this step: begin again */
	struct cw_buf answer, kept;
	struct cw_certificate certificate; /* written if its status is set */
	struct cw_buf der;                 /* what certificate.der borrows */
	size_t n_retired;                  /* written with the step */
	struct cw_retired retired[CW_DEEDS_MAX];
	struct cw_batch *batch;   /* the commands that are answered */
	struct cw_batch *replies; /* the message, taken apart */
};

/*
 * Stores the step: session in its next stage, message, answer, what is kept,
 * certificate. If another was first, lost_race is set and nothing leaves.
 */
enum cw_err cw_step_commit(struct cw_step_run *run, enum cw_stage next)
    __attribute__((warn_unused_result));

/* From now on the session has its profile's whole time, as R says. Errors:
 * UNKNOWN_PROFILE. */
enum cw_err cw_step_extend(struct cw_step_run *run,
    const struct cw_grant *grant) __attribute__((warn_unused_result));

/* Sessions of one invitation that may be open before message 4, and as many that
 * may wait for operators. */
static inline unsigned
cw_session_per_invitation(unsigned uses)
{
	return 10 + 4 * uses;
}

/* Uses of a grant are the signer's to count where it certifies; where no key is
 * made, sessions that have ended well are, and those that CLOSE went out to.
 * Errors: INVITATION_USED, STORE_FAILED. */
enum cw_err cw_step_check_used(struct cw_engine *engine,
    const uint8_t code_hash[CW_HASH_BYTES], const struct cw_grant *grant)
    __attribute__((warn_unused_result));

/* Ends the session for `why`: secrets go, a certificate that is out is taken
 * back. Returns `why`, or the error that kept it from being stored. */
enum cw_err cw_step_end(struct cw_step_run *run, enum cw_err why)
    __attribute__((warn_unused_result));

/* The same, and what run->retired has is suspended with it. */
enum cw_err cw_step_end_retiring(struct cw_step_run *run, enum cw_err why)
    __attribute__((warn_unused_result));

/* True if the error is none of the message's: it may come again and pass. */
bool cw_step_is_transient(enum cw_err err);

/* Seals the commands as the next batch into run->answer. */
enum cw_err cw_step_put_batch(struct cw_step_run *run, enum cw_phase phase,
    const struct cw_command *commands, size_t n)
    __attribute__((warn_unused_result));

/* The last batch: these commands (one at most), the deeds, CLOSE. */
#define CW_STEP_COMMANDS_MAX (CW_DEEDS_MAX + 2)

enum cw_err cw_step_put_close(struct cw_step_run *run, enum cw_phase phase,
    const struct cw_command *first) __attribute__((warn_unused_result));

/* Orders the profile's key: the key request, and its serial number is reserved.
 * Where secret->policy is set it shares that PIN. Errors: UNKNOWN_PROFILE. */
enum cw_err cw_step_order_key(struct cw_step_run *run,
    const struct cw_grant *grant) __attribute__((warn_unused_result));

/*
 * The key request's commands: CREATE_KEY, and before it, for a key outside the
 * PIV slots that must need a PIN, CREATE_PIN_POLICY for a policy of its own.
 */
#define CW_STEP_KEY_COMMANDS_MAX 2

static inline uint32_t
cw_step_pin_policy_id(uint32_t key_id)
{
	return key_id + 1; /* key ids are odd and below 2^31 */
}

/* The rule that such a policy has: that of the holder's own PIN. */
static inline const struct cw_pin_rule *
cw_step_pin_rule(void)
{
	return &cw_pin_rule_piv;
}

/* The order itself, which the key statement is held against. */
struct cw_create_key cw_step_order(const struct cw_profile *profile,
    const struct cw_grant *grant, const struct cw_session_secret *secret);

/*
 * Opens the replies of the message against the last batch, whose command
 * numbers are `nos`, and advances the channel over all but a CLOSE. `plain`
 * (n, initialised) holds what the replies borrow from.
 * BAD_CIPHERTEXT and the decoders' errors change nothing; *ended is set when
 * the message did verify and is an end: the card's error, or WRONG_REPLY.
 */
enum cw_err cw_step_open_replies(struct cw_step_run *run,
    const enum cw_command_no *nos, size_t n, struct cw_reply *replies,
    struct cw_buf *plain, bool *ended) __attribute__((warn_unused_result));

/* The steps, one file each: step_token.c, step_manage.c, step_keys.c,
 * step_result.c. */
enum cw_err cw_step_token(struct cw_step_run *run)
    __attribute__((warn_unused_result));
/* Begins the management: asks what the card has. */
enum cw_err cw_step_look(struct cw_step_run *run)
    __attribute__((warn_unused_result));
enum cw_err cw_step_manage(struct cw_step_run *run)
    __attribute__((warn_unused_result));
enum cw_err cw_step_keys(struct cw_step_run *run)
    __attribute__((warn_unused_result));
/* The same message 6 again while operators are asked: its answer, if enough have
 * approved. Errors: APPROVAL_PENDING; REJECTED, the session has ended. */
enum cw_err cw_step_approved(struct cw_step_run *run)
    __attribute__((warn_unused_result));
enum cw_err cw_step_result(struct cw_step_run *run)
    __attribute__((warn_unused_result));

#endif
