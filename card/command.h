/* SPDX-License-Identifier: Apache-2.0 */
/* A command of a session at work: what command.c gives to each of them. */
#ifndef CW_CARD_COMMAND_H
#define CW_CARD_COMMAND_H

#include "card/inner.h"
#include "proto/command.h"

struct cw_card_job {
	struct cw_card *card;
	struct cw_card_session *session;
	struct cw_bytes bytes;  /* the command as it was transmitted */
	struct cw_buf *plain;   /* gets the reply's plaintext */
	bool closes;            /* CLOSE has found everything complete */
	bool pin_needed;        /* not an error: nothing was changed */
	uint32_t needed_policy; /* 0: the holder's PIN and PUK */
	uint32_t needed_group;
	unsigned needed_usage;
};

/*
 * Each checks, changes the session's objects, and puts its reply. An error
 * ends the session; what was changed need not be undone.
 */
enum cw_err cw_card_do_puk_policy(struct cw_card_job *job,
    const struct cw_command *command) __attribute__((warn_unused_result));
enum cw_err cw_card_do_pin_policy(struct cw_card_job *job,
    const struct cw_command *command) __attribute__((warn_unused_result));
enum cw_err cw_card_do_create_key(struct cw_card_job *job,
    const struct cw_command *command) __attribute__((warn_unused_result));
enum cw_err cw_card_do_certificates(struct cw_card_job *job,
    const struct cw_command *command) __attribute__((warn_unused_result));
enum cw_err cw_card_do_extension(struct cw_card_job *job,
    const struct cw_command *command) __attribute__((warn_unused_result));
enum cw_err cw_card_do_post(struct cw_card_job *job,
    const struct cw_command *command) __attribute__((warn_unused_result));
enum cw_err cw_card_do_list(struct cw_card_job *job,
    const struct cw_command *command) __attribute__((warn_unused_result));
enum cw_err cw_card_do_close(struct cw_card_job *job,
    const struct cw_command *command) __attribute__((warn_unused_result));

/* After CLOSE: what the session made becomes the card's. In memory only; the
 * caller commits. */
void cw_card_take_effect(struct cw_card *card, struct cw_card_session *session);

/* ---- command_manage.c, for CLOSE ---- */

/* What a management command needs, now. Errors: UNKNOWN_ID, FOREIGN_KEYS,
 * BAD_POLICY. */
enum cw_err cw_card_check_post(const struct cw_card_job *job,
    enum cw_command_no no, const struct cw_on_key *c)
    __attribute__((warn_unused_result));

/* Does them all; in memory only. */
void cw_card_apply_posts(struct cw_card *card, struct cw_card_session *session);

/* True if this session's CLOSE removes the key. */
bool cw_card_is_leaving(const struct cw_card_session *session,
    const struct cw_card_key *key);

/* ---- rollover.c, for CLOSE ---- */

/* Errors: CARD_FULL, DUPLICATE_ID. */
enum cw_err cw_card_check_rollover(const struct cw_card *card,
    const struct cw_card_session *session) __attribute__((warn_unused_result));

/* Everything of the older keys is the present one's; they are refused from now
 * on, and open sessions that rest on them are forgotten. In memory only. */
void cw_card_roll_over(struct cw_card *card,
    const struct cw_card_session *session);

/* ---- command_key.c ---- */

/* The PIN of a group of a policy, with all tries; an error leaves the one that
 * it had. Errors: PIN_LENGTH, PIN_FORMAT, PIN_WEAK (also another group's value
 * where they must differ), CARD_FULL, NO_MEMORY. */
enum cw_err cw_card_set_group(struct cw_card_policy *policy, uint32_t number,
    struct cw_bytes value) __attribute__((warn_unused_result));

#endif
