/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the issuer must not forget: one interface for all backends, operations
 * on plain structs. Every call is thread-safe and answers STORE_FAILED when the
 * backend cannot write or read; nothing is half done then, and the same call
 * works again when the cause is gone. What a call says is stored is durable,
 * with the one exception that is named at session_add.
 */
#ifndef CW_SERVER_STORE_H
#define CW_SERVER_STORE_H

#include "keys/signer.h"

/* Messages of one session that were answered: 4, 6 and 8, and as many rounds of
 * management as it takes to look at 32 keys. */
#define CW_STEPS_MAX 36
#define CW_SUBJECT_MAX (CW_TEXT_MAX + 1)

/* ---- sessions ---- */

/* Below DONE it is open. The numbers are in the store. */
enum cw_stage {
	CW_STAGE_MANAGING = 0, /* a management round went out */
	CW_STAGE_OPENED = 1,   /* R went out, message 4 is awaited */
	CW_STAGE_CREATING = 2, /* the key request went out */
	CW_STAGE_INSTALLING =
	    3,             /* CLOSE went out, with the certificate if any */
	CW_STAGE_DONE = 4, /* the result was verified */
	CW_STAGE_FAILED = 5,
	CW_STAGE_EXPIRED = 6,
};

const char *cw_stage_name(enum cw_stage stage); /* "creating" */

struct cw_session {
	uint64_t row; /* the store's own, set by session_add and _load */
	uint8_t id[CW_SESSION_ID_BYTES];
	uint8_t invitation[CW_HASH_BYTES]; /* H(code) */
	enum cw_stage stage;
	/* Why it failed: the answer to its last digest. Of an open session 0, or
	 * APPROVAL_PENDING while operators are asked. */
	enum cw_err error;
	uint64_t created_s, expires_s;
	uint8_t serial
	    [CW_SERIAL_BYTES]; /* of its certificate, from CREATING on; all
				      * zeros where no key is made */
	size_t n_digests;
	uint8_t digests[CW_STEPS_MAX][CW_HASH_BYTES]; /* messages 4, 6, 8 … */
	uint8_t request_tag[CW_TAG_BYTES];            /* the signer's, over R */
	struct cw_buf request;                        /* R */
	struct cw_buf grant;
	struct cw_buf verdict; /* cw_verdict_encode, from CREATING on */
	struct cw_buf batch;   /* the last batch of commands, as sent */
	struct cw_buf sealed;  /* cw_seal: secrets; empty once it has ended */
};

/* Message 6 is stored and operators must approve before it is answered: its
 * step has no answer yet. */
bool cw_session_is_waiting(const struct cw_session *session);

/* A certificate was, or will be, made in it. */
bool cw_session_has_serial(const struct cw_session *session);

void cw_session_init(struct cw_session *session);
void cw_session_wipe(struct cw_session *session);
/* A deep copy into `to` (initialised). Errors: NO_MEMORY. */
enum cw_err cw_session_copy(struct cw_session *to,
    const struct cw_session *from) __attribute__((warn_unused_result));

/* A certificate whose key has gone from its card. */
struct cw_retired {
	uint8_t serial[CW_SERIAL_BYTES];
	unsigned reason; /* to revoke it for */
};

/* One answered message: what encrypt-once and evidence need. */
struct cw_step {
	unsigned number; /* 1 is message 4; from there each message adds one */
	struct cw_bytes message;
	struct cw_bytes answer; /* exactly the bytes that went out */
	struct cw_bytes kept;   /* decrypted statements, CBOR: see evidence.h */
	/* Suspended in the same commit, at `now_s`, and wanted revoked. */
	uint64_t now_s;
	size_t n_retired;
	const struct cw_retired *retired;
};

/* ---- invitations ---- */

struct cw_invitation {
	uint8_t code_hash[CW_HASH_BYTES];
	struct cw_buf grant;
	struct cw_buf intent; /* the bytes that every request for it gets */
	uint64_t created_s, expires_s;
	unsigned uses; /* of the grant */
	/* Certificates that count, and sessions that ended well without one; only in
	 * invitation_each. */
	unsigned used;
	bool withdrawn;
};

void cw_invitation_init(struct cw_invitation *invitation);
void cw_invitation_wipe(struct cw_invitation *invitation);
enum cw_err cw_invitation_copy(struct cw_invitation *to,
    const struct cw_invitation *from) __attribute__((warn_unused_result));

/* ---- approvals ---- */

/* What an operator decided about the key of a waiting session. */
struct cw_approval_row {
	uint8_t operator_hash[CW_HASH_BYTES]; /* H(COSE_Key) */
	bool is_approved;
	uint64_t time_s;
	struct cw_bytes bytes;       /* the signed approval */
	struct cw_bytes certificate; /* the operator's, DER */
};

/* ---- certificates ---- */

enum cw_certificate_status {
	CW_CERT_NONE = 0,
	CW_CERT_RESERVED =
	    1, /* of an expired session: signed or not, who knows */
	CW_CERT_PENDING = 2, /* it left, and no verified result came back yet */
	CW_CERT_ACTIVE = 3,
	CW_CERT_SUSPENDED = 4,
	CW_CERT_REVOKED = 5,
};

const char *cw_certificate_status_name(enum cw_certificate_status status);

#define CW_REASON_NONE \
	256u /* no revocation is wanted; others: RFC 5280 5.3.1 */
#define CW_REASON_SUPERSEDED 4u
#define CW_REASON_CESSATION 5u

struct cw_certificate {
	uint64_t row; /* the store's own, only to read */
	uint8_t serial[CW_SERIAL_BYTES];
	uint8_t session[CW_SESSION_ID_BYTES];
	uint8_t invitation[CW_HASH_BYTES]; /* only to write */
	enum cw_certificate_status status;
	unsigned wanted; /* reason to revoke it for, or CW_REASON_NONE */
	uint64_t changed_s;
	char subject[CW_SUBJECT_MAX];
	char profile[64];
	struct cw_bytes der; /* only to write; certificate_der reads it */
};

/* ---- the interface ---- */

struct cw_store {
	void (*close)(struct cw_store *store);

	/* Errors: EXISTS. */
	enum cw_err (*invitation_add)(struct cw_store *store,
	    const struct cw_invitation *invitation);
	/* By H(code), so that timing tells nothing of codes. Errors:
	 * BAD_INVITATION. */
	enum cw_err (*invitation_load)(struct cw_store *store,
	    const uint8_t code_hash[CW_HASH_BYTES], struct cw_invitation *out);
	/* Certificates that count as uses, and those that are confirmed; of both,
	 * sessions that have ended well without one, too. */
	enum cw_err (*invitation_used)(struct cw_store *store,
	    const uint8_t code_hash[CW_HASH_BYTES], unsigned *used,
	    unsigned *confirmed);
	/* Its sessions that wait for operators have run out with it. */
	enum cw_err (*invitation_withdraw)(struct cw_store *store,
	    const uint8_t code_hash[CW_HASH_BYTES]);

	/*
	 * A new session, seen by every later call; the caller has just seen that
	 * there is none with this id. Of two that come at once one is EXISTS.
	 * Not durable: only a session whose first step is stored survives a
	 * crash.
	 */
	enum cw_err (
	    *session_add)(struct cw_store *store, struct cw_session *session);
	/* Errors: NO_SESSION. `out` is initialised by the caller. */
	enum cw_err (*session_load)(struct cw_store *store,
	    const uint8_t id[CW_SESSION_ID_BYTES], struct cw_session *out);
	/*
	 * One step, all or nothing: the session as it is after it, the step's
	 * row (NULL: none; one that had no answer gets it), and its certificate's (NULL: no change). EXISTS if
	 * the stored session is not as `before` and `n_before` (digests) say:
	 * another thread or node was first.
	 */
	enum cw_err (*session_step)(struct cw_store *store,
	    const struct cw_session *after, enum cw_stage before,
	    size_t n_before, const struct cw_step *step,
	    const struct cw_certificate *certificate);
	/* A stored step; any of the buffers may be NULL. Errors: NO_SESSION. */
	enum cw_err (*step_load)(struct cw_store *store,
	    const uint8_t id[CW_SESSION_ID_BYTES], unsigned number,
	    struct cw_buf *message, struct cw_buf *answer, struct cw_buf *kept);
	/*
	 * Ends the sessions whose time is over at `until_s` (UINT64_MAX: all
	 * that are open): secrets go, a pending certificate is suspended and
	 * wanted revoked, and so is a serial that was reserved (it gets a row of
	 * its own then). `now_s` is when that happens.
	 */
	enum cw_err (*session_expire)(struct cw_store *store, uint64_t until_s,
	    uint64_t now_s, unsigned *n);
	/* Whether an open session has reserved this serial, and no row tells. */
	enum cw_err (*session_reserved)(struct cw_store *store,
	    const uint8_t serial[CW_SERIAL_BYTES], bool *found);
	enum cw_err (*session_count_open)(struct cw_store *store, uint64_t *n);
	/* Of one invitation, those that wait for operators. */
	enum cw_err (*session_count_waiting)(struct cw_store *store,
	    const uint8_t code_hash[CW_HASH_BYTES], uint64_t *n);
	/* Likewise, those without a certificate that CLOSE went out to. */
	enum cw_err (*session_count_closing)(struct cw_store *store,
	    const uint8_t code_hash[CW_HASH_BYTES], uint64_t *n);
	/* The newest of an invitation that ended well without a certificate.
	 * Errors: NO_SESSION. */
	enum cw_err (*session_managed)(struct cw_store *store,
	    const uint8_t code_hash[CW_HASH_BYTES], struct cw_session *out);
	/* Removes failed sessions without a certificate, older than `before_s`. */
	enum cw_err (
	    *session_forget)(struct cw_store *store, uint64_t before_s);

	/* Adds one; the session must be waiting. EXISTS if not, or if this
	 * operator has decided. */
	enum cw_err (*approval_add)(struct cw_store *store,
	    const uint8_t id[CW_SESSION_ID_BYTES],
	    const struct cw_approval_row *row);
	/* Those of a session, in no order; stops when `each` says false. */
	enum cw_err (*approval_each)(struct cw_store *store,
	    const uint8_t id[CW_SESSION_ID_BYTES],
	    bool (*each)(void *ctx, const struct cw_approval_row *row),
	    void *ctx);

	/* Errors: UNKNOWN_SERIAL. */
	enum cw_err (*certificate_load)(struct cw_store *store,
	    const uint8_t serial[CW_SERIAL_BYTES], struct cw_certificate *out,
	    struct cw_buf *der);
	/* The newest active one of an invitation. Errors: UNKNOWN_SERIAL. */
	enum cw_err (*certificate_confirmed)(struct cw_store *store,
	    const uint8_t code_hash[CW_HASH_BYTES], struct cw_certificate *out,
	    struct cw_buf *der);
	/* The newest of a subject that left: pending, active, suspended or
	 * revoked. */
	enum cw_err (*certificate_of)(struct cw_store *store,
	    const char *subject, struct cw_certificate *out, size_t max,
	    size_t *n);
	/* Sets status and wanted. Errors: UNKNOWN_SERIAL. */
	enum cw_err (*certificate_set)(struct cw_store *store,
	    const uint8_t serial[CW_SERIAL_BYTES],
	    enum cw_certificate_status status, unsigned wanted, uint64_t now_s);
	/* Removes a reservation for which nothing was signed. */
	enum cw_err (*certificate_drop)(struct cw_store *store,
	    const uint8_t serial[CW_SERIAL_BYTES]);
	/* Wanted revoked, and not yet: those behind `after` (a row; 0: from the
	 * first), in the order of their rows. */
	enum cw_err (*certificate_due)(struct cw_store *store, uint64_t after,
	    struct cw_certificate *out, size_t max, size_t *n);

	/* Listings, newest first; stops when `each` says false. */
	enum cw_err (*invitation_each)(struct cw_store *store,
	    bool (*each)(void *ctx, const struct cw_invitation *row),
	    void *ctx);
	enum cw_err (*session_each)(struct cw_store *store,
	    bool (*each)(void *ctx, const struct cw_session *row), void *ctx);
	enum cw_err (*certificate_each)(struct cw_store *store,
	    bool (*each)(void *ctx, const struct cw_certificate *row),
	    void *ctx);

	/* What evidence refers to: chains and profiles under a version. */
	enum cw_err (*policy_put)(struct cw_store *store, const char *version,
	    struct cw_bytes content);
	enum cw_err (*policy_load)(struct cw_store *store, const char *version,
	    struct cw_buf *content);

	/* A number kept under a name; 0 if it never was. */
	enum cw_err (*number_get)(struct cw_store *store, const char *name,
	    uint64_t *value);
	enum cw_err (*number_set)(struct cw_store *store, const char *name,
	    uint64_t value);

	/* Steps that it has stored in all its life, durable ones: a copy of it
	 * that was made earlier has fewer. */
	uint64_t (*steps)(struct cw_store *store);
	/* Goes on from that number; only while nothing else writes. */
	enum cw_err (*set_steps)(struct cw_store *store, uint64_t steps);

	/* Durable commits since the store was opened, and whether the last
	 * write succeeded. */
	uint64_t (*commits)(struct cw_store *store);
	bool (*is_well)(struct cw_store *store);
};

/* Opens or makes `path`, as the one process that takes sessions forward. Errors:
 * STORE_FAILED (logged with the cause; also when there is such a process),
 * STORE_CORRUPT for a schema of another version. */
enum cw_err cw_store_open_sqlite(const char *path, struct cw_store **out)
    __attribute__((warn_unused_result));
/* The same for any other process, whether or not there is that one: it sees all
 * that is stored and may write, but session_add and session_step are
 * STORE_FAILED. */
enum cw_err cw_store_join_sqlite(const char *path, struct cw_store **out)
    __attribute__((warn_unused_result));

/* NULL-safe; nulls. */
void cw_store_close(struct cw_store **store);

#endif
