/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of a run share; nobody else includes it. */
#ifndef CW_AGENT_RUN_INTERNAL_H
#define CW_AGENT_RUN_INTERNAL_H

#include "agent/icc.h"
#include "agent/run.h"
#include "proto/batch.h"
#include "proto/request.h"

enum run_state {
	RUN_IDLE,
	RUN_WANT_REQUEST, /* message 3 */
	RUN_WANT_BATCH,   /* message 5, 7, a management round, or the end */
	RUN_OVER,
};

/* What the card shows of itself at one moment. */
struct cw_run_view {
	bool is_taken;
	bool has_pin;
	unsigned pin_tries; /* left, of the holder's */
	size_t n;
	struct cw_public_slot slots[CW_PUBLIC_SLOTS_MAX];
	struct cw_buf certificates[CW_PUBLIC_SLOTS_MAX];
};

struct cw_run {
	struct cw_run_env env;
	enum run_state state;
	struct cw_icc card;
	struct cw_buf intent_bytes, caps_bytes;
	struct cw_intent intent; /* borrows from intent_bytes */
	struct cw_card_caps caps;
	unsigned resets; /* reader->resets when caps were read */
	unsigned restarts, batches;
	bool is_accepted;      /* by the person: what is in intent_bytes */
	bool has_intent;       /* accepted, and no error since */
	bool may_have_session; /* OPEN SESSION was sent, answered or not */
	bool has_session;
	bool is_unclean; /* the card is to be reset at the end */
	unsigned agains; /* times that the card was pulled out */
	uint8_t session_id[CW_SESSION_ID_BYTES];
	struct cw_batch batch, replies; /* big, so not on the stack */
	struct cw_run_view before, after;
	struct cw_pin_value *pin; /* guarded; len 0: not asked yet */
	struct cw_pin_value *puk;
};

void cw_run_tell(struct cw_run *run, enum cw_progress_kind kind, unsigned step,
    const char *key);
/* A person is waited for, and why. */
void cw_run_tell_wait(struct cw_run *run, const char *key, enum cw_err problem);

/* run_check.c: message 1; message 3; what is remembered of the issuer. */
enum cw_err cw_run_check_intent(struct cw_run *run)
    __attribute__((warn_unused_result));
enum cw_err cw_run_check_request(const struct cw_run *run,
    struct cw_bytes bytes, struct cw_request *request)
    __attribute__((warn_unused_result));
enum cw_err cw_run_remember(const struct cw_run *run,
    const struct cw_request *request) __attribute__((warn_unused_result));
void cw_run_finished(const struct cw_run *run);

/* run_pin.c: asks for the value and gives it to the card. Called outside
 * cw_icc_begin..end, or leaving it meanwhile. */
enum cw_err cw_run_set_pin(struct cw_run *run)
    __attribute__((warn_unused_result));
enum cw_err cw_run_ask_holder(struct cw_run *run,
    const struct cw_pin_info *info, unsigned tries_left, enum cw_err last)
    __attribute__((warn_unused_result));

/* run_changes.c: slots, their certificates and the holder's PIN, between
 * cw_icc_begin and cw_icc_end, and the last thing there: the PIV application may
 * be selected. Errors: those of reader.h, CARD_SAYS. Wiped in any case. */
enum cw_err cw_run_view_take(struct cw_icc *card, struct cw_run_view *view)
    __attribute__((warn_unused_result));
void cw_run_view_wipe(struct cw_run_view *view);

/* run_named.c: where the Intent names only keys in slots, one of them is on the
 * card, with that certificate. Outside cw_icc_begin..end. Errors: NOTHING_THERE,
 * those of cw_run_view_take. */
enum cw_err cw_run_check_named(struct cw_run *run)
    __attribute__((warn_unused_result));

/* run_changes.c: takes the view, once, if it is wanted; between cw_icc_begin
 * and cw_icc_end, and the last thing there. Errors: CARD_REMOVED; others are
 * no reason to end a run. */
enum cw_err cw_run_look(struct cw_run *run, struct cw_run_view *view)
    __attribute__((warn_unused_result));
void cw_run_changes_wipe(struct cw_run *run);

/* run_card.c */
enum cw_err cw_run_find_card(struct cw_run *run)
    __attribute__((warn_unused_result));
/* The same, after it was pulled out. With OTHER_CARD the wait begins with the
 * next change. Errors: CARD_REMOVED when it does not come back. */
enum cw_err cw_run_find_again(struct cw_run *run, enum cw_err problem)
    __attribute__((warn_unused_result));
enum cw_err cw_run_read_caps(struct cw_run *run)
    __attribute__((warn_unused_result));
/* BAD_NONCE: the card has lost its nonce; begin again with message 2. */
enum cw_err cw_run_open(struct cw_run *run, struct cw_bytes bytes,
    enum cw_mode mode, struct cw_buf *message_4)
    __attribute__((warn_unused_result));
/* The commands of run->batch; their replies as a message into `out`. */
enum cw_err cw_run_batch(struct cw_run *run, struct cw_buf *out)
    __attribute__((warn_unused_result));

/* run.c and run_resume.c, for each other. */
void cw_run_reset(struct cw_run *run);
void cw_run_to_session(struct cw_run *run, struct cw_bytes uri,
    struct cw_run_out *out);
enum cw_err cw_run_ask_consent(struct cw_run *run, struct cw_consent *consent)
    __attribute__((warn_unused_result));
enum cw_err cw_run_take_up(struct cw_run *run, enum cw_run_resume *found,
    struct cw_run_out *out) __attribute__((warn_unused_result));
enum cw_err cw_run_put_message_2(struct cw_run *run, struct cw_run_out *out)
    __attribute__((warn_unused_result));
/* The card was pulled out: waits for it, asks it how far it is, and puts what
 * has to be sent now. Errors: CARD_REMOVED, those of run.h. */
enum cw_err cw_run_again(struct cw_run *run, struct cw_run_out *out)
    __attribute__((warn_unused_result));
enum cw_err cw_run_finish(struct cw_run *run, struct cw_run_out *out)
    __attribute__((warn_unused_result));

#endif
