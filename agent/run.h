/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One session, from the agent's side, as a coroutine: the issuer's bytes go in,
 * the bytes for the issuer come out, and whoever drives it (libcurl, native
 * messaging, a test) does the sending. The card is driven from here, and the
 * person is asked from here.
 *
 *   begin(message 1)  -> message 2
 *   answer(message 3) -> message 4
 *   answer(message 5) -> message 6      and so for each management round
 *   answer(message 7) -> message 8
 *   answer(nothing)   -> the end
 *
 * The same bytes may be sent again as often as it takes; each answer is given
 * once. After an error the run takes nothing more; the card is left so that
 * the same command, given again, goes on (docs/protocol.md "Surviving").
 */
#ifndef CW_AGENT_RUN_H
#define CW_AGENT_RUN_H

#include "agent/known.h"
#include "agent/pin_entry.h"
#include "agent/reader.h"
#include "proto/base/clock.h"
#include "proto/intent.h"

#define CW_AGENT_VERSION "0.1.0"

/* What a person is asked before any card is touched. All texts are checked to
 * be displayable. */
struct cw_consent {
	struct cw_bytes origin;
	bool
	    is_resume; /* only `origin` is known: an unfinished session goes on */
	bool is_new;   /* no management key of this origin is remembered */
	struct cw_bytes issuer_name, purpose, subject;
	enum cw_action action;
	enum cw_mode mode;
	const struct cw_scope *scope;
	/* What the scope's objects are; none, or as many as it has. */
	size_t n_objects;
	const struct cw_intent_object *objects;
};

enum cw_progress_kind {
	CW_PROGRESS_BEGIN,
	CW_PROGRESS_END,
	CW_PROGRESS_PERSON_BEGIN, /* a person is asked: time that does not count */
	CW_PROGRESS_PERSON_END,
};

struct cw_progress {
	enum cw_progress_kind kind;
	unsigned step; /* 1..8, or 0 for what is no step */
	/* Names the text: "intent", "key-response", …; what a person is asked
	 * for: "consent", "card", "card-again", "card-in-use", "pin". */
	const char *key;
	enum cw_err problem; /* why a card is waited for; CW_OK otherwise */
	const char *reader;  /* where; "" if not known */
	bool has_tries;
	unsigned tries_left; /* of a PIN that exists */
};

/* What a run needs. Everything is kept until the run is freed. */
struct cw_run_env {
	struct cw_reader *reader;
	const char *reader_name; /* NULL: the only Cardwright card there is */
	unsigned card_wait_ms;   /* how long to wait for one to be put in */
	/* How long to wait for a card that was pulled out to come back; then
	 * the run goes on by itself. 0: CARD_REMOVED ends it. */
	unsigned again_wait_ms;
	unsigned busy_wait_ms; /* for another program to give the card free */
	bool wants_changes;    /* looks at the card before and afterwards */
	bool is_patient; /* waits for the right card, too, not only for one */
	struct cw_bytes origin; /* as the browser or HTTP client reports it */
	struct cw_pin_entry *pin_entry;
	const struct cw_known *known;
	const struct cw_clock *clock;
	size_t n_languages;
	struct cw_bytes languages[CW_LANGUAGES_MAX]; /* RFC 5646 */
	/* CW_OK when the person accepts. Errors: REFUSED, PERSON_TIMEOUT; of a
	 * resume NO_SESSION: the session shall go, and the run on without. */
	enum cw_err (*consent)(void *ctx, const struct cw_consent *consent);
	void (*progress)(void *ctx, const struct cw_progress *progress);
	bool (*is_stopped)(void *ctx); /* may be NULL */
	void *ctx;
};

enum cw_run_to {
	CW_RUN_TO_NOBODY,  /* the end */
	CW_RUN_TO_ISSUER,  /* message 2, to the intent's session URL */
	CW_RUN_TO_SESSION, /* to <URI>/<session id in base64url> */
};

#define CW_RUN_URL_MAX (CW_URI_MAX + 32)

struct cw_run_out {
	enum cw_run_to to;
	char url[CW_RUN_URL_MAX];
	struct cw_buf bytes;
};

void cw_run_out_init(struct cw_run_out *out);
void cw_run_out_wipe(struct cw_run_out *out);

struct cw_run;

/* NULL when memory is out. */
struct cw_run *cw_run_new(const struct cw_run_env *env);

/* Leaves the card, reset if it was authenticated. NULL-safe, nulls. */
void cw_run_free(struct cw_run **run);

/* Which reader to use, chosen by the person: NULL as in the environment. Kept
 * until the run is freed; before a card is found. */
void cw_run_use_reader(struct cw_run *run, const char *name);

/*
 * Message 1 in, and the person asked; no card is touched. A resume or begin
 * with the same bytes that follows does not ask again.
 * Errors: the Intent decoder's, BAD_ORIGIN, INVITATION_EXPIRED, consent's,
 * the memory's.
 */
enum cw_err cw_run_accept(struct cw_run *run, struct cw_bytes intent)
    __attribute__((warn_unused_result));

enum cw_run_resume {
	CW_RESUME_NONE,    /* nothing to take up */
	CW_RESUME_GO_ON,   /* an open session goes on with what is in `out` */
	CW_RESUME_DELIVER, /* a session that this computer began is closed on the
	                    * card; its last message, in `out`, ends it */
	CW_RESUME_COURTESY, /* the same, but the session is another computer's:
	                     * deliver it, then begin a new one */
};

/*
 * Asks the card for a session that it keeps for this origin. Without an accept
 * before, it touches the card before the person accepts, to read only: the
 * person named this origin. Whoever accepted an Intent is asked again about a
 * session that was not begun on this computer: it may be of another Intent.
 * Errors: those of cw_icc_connect, BAD_ORIGIN, consent's.
 */
enum cw_err cw_run_resume(struct cw_run *run, enum cw_run_resume *found,
    struct cw_run_out *out) __attribute__((warn_unused_result));

/*
 * Message 1 in, message 2 out. Errors: the Intent decoder's, BAD_ORIGIN,
 * INVITATION_EXPIRED, consent's, cw_icc_connect's, the memory's.
 */
enum cw_err cw_run_begin(struct cw_run *run, struct cw_bytes intent,
    struct cw_run_out *out) __attribute__((warn_unused_result));

/*
 * The issuer's next answer; empty bytes for "no content". Message 2 may come
 * out again, when the card lost its nonce meanwhile; a later message may come
 * out again, when the card was pulled out and put back.
 * Errors of message 3: BAD_SIGNATURE, BAD_ORIGIN, BAD_INTENT_HASH, BAD_SCOPE,
 * WRONG_MODE, BAD_SUITE, BAD_NONCE, BAD_CAPS_HASH, SESSION_EXPIRED,
 * MANAGEMENT_KEY_CHANGED; later: those of cw_icc_command, PIN entry,
 * WRONG_STEP; always the decoders'.
 */
enum cw_err cw_run_answer(struct cw_run *run, struct cw_bytes answer,
    struct cw_run_out *out) __attribute__((warn_unused_result));

/*
 * The issuer answered with an error instead. If that is its last word about
 * the session (it says so, or the error does), the session is aborted on the
 * card as well; true then.
 */
bool cw_run_refused(struct cw_run *run, enum cw_err err, bool is_ended);

/* The card keeps the session: the same invitation, once more, goes on. */
bool cw_run_is_resumable(const struct cw_run *run);

enum cw_change_what {
	CW_CHANGE_CREATED,
	CW_CHANGE_REPLACED,
	CW_CHANGE_DELETED,
	CW_CHANGE_UNLOCKED, /* the holder's PIN has tries again; no slot */
};

/* One slot of the card; views borrow from the run. */
struct cw_change {
	enum cw_change_what what;
	uint8_t slot; /* or 0 */
	enum cw_key_type type;
	struct cw_bytes certificate; /* DER; empty if there is none */
};

#define CW_RUN_CHANGES_MAX ((size_t)2 * CW_PUBLIC_SLOTS_MAX + 1)

/* What is different on the card after the run, and how much; 0 as long as it
 * has not ended well. */
size_t cw_run_changes(const struct cw_run *run,
    struct cw_change out[CW_RUN_CHANGES_MAX]);

/* The last status word, for a message about CARD_SAYS; 0 if none. */
uint16_t cw_run_status_word(const struct cw_run *run);

/* The reader that the card is in; "" before it was found. */
const char *cw_run_reader_name(const struct cw_run *run);

#endif
